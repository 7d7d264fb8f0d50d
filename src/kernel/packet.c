/* packet.c -- IP packets: reading headers, building the few that the datapath adds. */
#include "kernel/packet.h"

#include "base/writer.h"
#include "kernel/ip6.h"

#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>

struct packet packet_on(uint8_t *room, size_t n)
{
	return (struct packet){ .p = room + PACKET_HEAD, .n = n, .head = PACKET_HEAD,
				.tail = PACKET_ROOM - PACKET_HEAD - n };
}

bool packet_push(struct packet *k, size_t n)
{
	if (n > k->head)
		return false;
	k->p -= n;
	k->n += n;
	k->head -= n;
	return true;
}

bool packet_append(struct packet *k, size_t n)
{
	if (n > k->tail)
		return false;
	k->n += n;
	k->tail -= n;
	return true;
}

void packet_pull(struct packet *k, size_t n)
{
	if (n > k->n)
		n = k->n;
	k->p += n;
	k->n -= n;
	k->head += n;
}

void packet_cut(struct packet *k, size_t n)
{
	if (n > k->n)
		return;
	k->tail += k->n - n;
	k->n = n;
}

/* Ports stand where the transport protocols that have them put them: its first 4 octets. */
void packet_read_ports(struct span body, struct flow *f)
{
	switch (f->protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		if (body.n >= 4) {
			f->sport = get_u16(body.p);
			f->dport = get_u16(body.p + 2);
		}
	}
}

static bool read_ip4(struct span s, struct flow *f)
{
	size_t header;
	uint16_t off;

	if (s.n < IP4_HEADER)
		return false;
	header = (size_t)(s.p[0] & 15) * 4;
	f->length = get_u16(s.p + offsetof(struct iphdr, tot_len));
	if (header < IP4_HEADER || f->length < header || f->length > s.n)
		return false;
	f->header = f->body = header;
	f->tos = s.p[offsetof(struct iphdr, tos)];
	off = get_u16(s.p + offsetof(struct iphdr, frag_off));
	f->df = (off & IP_DF) != 0;
	f->more = (off & IP_MF) != 0;
	f->offset = (size_t)(off & IP_OFFMASK) * 8;
	f->fragment = f->more || f->offset != 0;
	f->next_at = offsetof(struct iphdr, protocol);
	f->protocol = f->next = s.p[f->next_at];
	f->src = addr_from_bytes(span_of(s.p + offsetof(struct iphdr, saddr), 4));
	f->dst = addr_from_bytes(span_of(s.p + offsetof(struct iphdr, daddr), 4));
	if (f->offset == 0)
		packet_read_ports(span_sub(s, header, f->length - header), f);
	return true;
}

bool packet_flow(struct span s, struct flow *f)
{
	*f = (struct flow){ .header = 0 };
	switch (s.n > 0 ? s.p[0] >> 4 : 0) {
	case 4:
		return read_ip4(s, f);
	case 6:
		return ip6_read(s, f);
	default:
		return false;
	}
}

uint16_t inet_checksum(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;

	for (; n > 1; p += 2, n -= 2)
		sum += get_u16(p);
	if (n == 1)
		sum += (uint32_t)p[0] << 8;
	sum = (sum >> 16) + (sum & 0xffff);
	sum += sum >> 16;
	return (uint16_t)~sum;
}

static void set_u16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

uint16_t transport_checksum(const uint8_t *p, size_t n, uint8_t protocol, const struct ip_addr *src,
			    const struct ip_addr *dst)
{
	uint8_t pseudo[40];
	struct writer w = writer_on(pseudo, sizeof pseudo);
	uint32_t sum;

	put_bytes(&w, addr_bytes(src));
	put_bytes(&w, addr_bytes(dst));
	put_u32(&w, (uint32_t)n);	/* IPv4 has the same octets in another order: the sum is equal */
	put_u32(&w, protocol);
	sum = (uint32_t)(uint16_t)~inet_checksum(pseudo, w.n) + (uint16_t)~inet_checksum(p, n);
	return (uint16_t)~((sum & 0xffff) + (sum >> 16));
}

void packet_renew_checksum(struct packet *k, const struct flow *f)
{
	uint8_t *body = k->p + f->body;
	size_t n = f->length - f->body, at;
	uint16_t sum;

	switch (f->protocol) {
	case IPPROTO_TCP:
		at = 16;
		break;
	case IPPROTO_UDP:
		at = 6;
		break;
	case IPPROTO_ICMPV6:
		at = 2;
		break;
	default:
		return;
	}
	if (n < at + 2 || (f->protocol == IPPROTO_UDP && get_u16(body + at) == 0))
		return;
	set_u16(body + at, 0);
	if (f->protocol == IPPROTO_UDP && f->dst.len == 4)
		return;
	sum = transport_checksum(body, n, f->protocol, &f->src, &f->dst);
	set_u16(body + at, f->protocol == IPPROTO_UDP && sum == 0 ? UINT16_MAX : sum);
}

static void set_checksum(uint8_t *p, size_t header)
{
	set_u16(p + offsetof(struct iphdr, check), 0);
	set_u16(p + offsetof(struct iphdr, check), inet_checksum(p, header));
}

void ip4_write(uint8_t *p, const struct ip4 *h)
{
	memset(p, 0, IP4_HEADER);
	p[0] = IPVERSION << 4 | IP4_HEADER / 4;
	p[offsetof(struct iphdr, tos)] = h->tos;
	set_u16(p + offsetof(struct iphdr, tot_len), (uint16_t)h->length);
	set_u16(p + offsetof(struct iphdr, id), h->id);
	set_u16(p + offsetof(struct iphdr, frag_off), h->df ? IP_DF : 0);
	p[offsetof(struct iphdr, ttl)] = IP4_TTL;
	p[offsetof(struct iphdr, protocol)] = h->protocol;
	memcpy(p + offsetof(struct iphdr, saddr), h->src.b, 4);
	memcpy(p + offsetof(struct iphdr, daddr), h->dst.b, 4);
	set_checksum(p, IP4_HEADER);
}

void ip4_retarget(uint8_t *p, size_t header, uint8_t protocol, size_t length)
{
	p[offsetof(struct iphdr, protocol)] = protocol;
	set_u16(p + offsetof(struct iphdr, tot_len), (uint16_t)length);
	set_checksum(p, header);
}

void ip4_identify(uint8_t *p, uint16_t id)
{
	uint8_t *at = p + offsetof(struct iphdr, id);

	if (get_u16(at) == 0)
		set_u16(at, id);
}

void packet_retarget(uint8_t *p, const struct flow *f, uint8_t protocol, size_t length)
{
	if (f->dst.len == 4) {
		ip4_retarget(p, f->header, protocol, length);
		return;
	}
	p[f->next_at] = protocol;
	set_u16(p + offsetof(struct ip6_hdr, ip6_plen), (uint16_t)(length - IP6_HEADER));
}

static void ip4_merge_ecn(uint8_t *inner, size_t header, uint8_t outer_tos)
{
	uint8_t *tos = inner + offsetof(struct iphdr, tos);
	uint8_t ecn = *tos & IPTOS_ECN_MASK;

	if ((outer_tos & IPTOS_ECN_MASK) != IPTOS_ECN_CE || ecn == IPTOS_ECN_NOT_ECT || ecn == IPTOS_ECN_CE)
		return;
	*tos |= IPTOS_ECN_CE;
	set_checksum(inner, header);
}

void packet_merge_ecn(uint8_t *inner, const struct flow *f, uint8_t outer_tos)
{
	if (f->dst.len == 4)
		ip4_merge_ecn(inner, f->header, outer_tos);
	else
		ip6_merge_ecn(inner, outer_tos);
}

/* RFC 1122 3.2.2: never about an ICMP error, a later fragment, or what was not sent to one host. */
static bool icmp_allowed(struct span s, const struct flow *f)
{
	if (f->offset != 0 || addr_is_any(&f->src) || f->dst.b[0] >= 224)
		return false;
	if (f->protocol != IPPROTO_ICMP)
		return true;
	if (f->length <= f->header)
		return false;
	switch (s.p[f->header]) {
	case ICMP_ECHO:
	case ICMP_ECHOREPLY:
	case ICMP_TIMESTAMP:
	case ICMP_TIMESTAMPREPLY:
		return true;
	default:
		return false;
	}
}

size_t icmp_too_big(uint8_t *out, struct span s, const struct ip_addr *me, size_t mtu, uint16_t id)
{
	struct flow f;
	size_t quoted, n;
	uint8_t *icmp = out + IP4_HEADER;

	if (!packet_flow(s, &f) || f.dst.len != 4 || !icmp_allowed(s, &f))
		return 0;
	quoted = span_sub(s, 0, f.header + 8).n;
	n = IP4_HEADER + sizeof(struct icmphdr) + quoted;
	ip4_write(out, &(struct ip4){ .src = *me, .dst = f.src, .protocol = IPPROTO_ICMP, .id = id,
				      .tos = IPTOS_CLASS_CS6, .length = n });
	memset(icmp, 0, sizeof(struct icmphdr));
	icmp[offsetof(struct icmphdr, type)] = ICMP_DEST_UNREACH;
	icmp[offsetof(struct icmphdr, code)] = ICMP_FRAG_NEEDED;
	set_u16(icmp + offsetof(struct icmphdr, un.frag.mtu), (uint16_t)mtu);
	memcpy(icmp + sizeof(struct icmphdr), s.p, quoted);
	set_u16(icmp + offsetof(struct icmphdr, checksum),
		inet_checksum(icmp, sizeof(struct icmphdr) + quoted));
	return n;
}
