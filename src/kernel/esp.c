/* esp.c -- ESP, AH and IPComp on one packet.
 *
 *  ESP (RFC 4303 2)                         AH (RFC 4302 2)
 *  +-------------------------------+       +--------+--------+---------------+
 *  |              SPI              |       |  next  | length |   reserved    |
 *  |        sequence number        |       |              SPI              |
 *  |   IV, if the cipher has one   |       |        sequence number        |
 *  |   payload, padding 1 2 3 ..   |       |              ICV              |
 *  |        ... | pad len |  next  |       +-------------------------------+
 *  |              ICV              |
 *  +-------------------------------+
 */
#include "kernel/esp.h"

#include "base/writer.h"
#include "generated/limits.h"
#include "kernel/ip6.h"
#include "kernel/ipcomp.h"

#include <netinet/in.h>
#include <netinet/ip.h>

#define ICV_MAX 64
#define AH_LENGTH_UNIT 4	/* AH's length counts 32-bit words, less 2 */

static bool encapsulated(const struct sa *sa)
{
	return sa->encap_dport != 0;
}

static size_t pad_to(size_t n, size_t align)
{
	return (align - n % align) % align;
}

static size_t ip_header(const struct sa *sa)
{
	return sa->id.dst.len == 16 ? IP6_HEADER : IP4_HEADER;
}

/* Octets of the AH header: a multiple of 4, over IPv6 of 8 (RFC 4302 3.3.3.2.1). */
static size_t ah_size(const struct sa *sa)
{
	size_t n = AH_HEADER + sa->icv;

	return n + pad_to(n, sa->id.dst.len == 16 ? 8 : AH_LENGTH_UNIT);
}

/* Octets before the payload of an ESP packet in tunnel mode, or added by transport mode. */
static size_t fixed_overhead(const struct sa *sa)
{
	size_t n = sa->tunnel ? ip_header(sa) : 0;

	if (sa->id.protocol == IPPROTO_COMP)
		return n;	/* what does not become smaller stays as it is */
	if (sa->id.protocol == IPPROTO_AH)
		return n + ah_size(sa);
	n += sa->icv;
	return n + ESP_HEADER + sa->iv + (encapsulated(sa) ? UDP_HEADER : 0);
}

size_t sa_room(const struct sa *sa, size_t limit)
{
	size_t fixed = fixed_overhead(sa), header = sa->tunnel ? 0 : ip_header(sa), text;

	if (limit <= fixed + header)
		return 0;
	text = limit - fixed - header;
	if (sa->id.protocol != IPPROTO_ESP)
		return text + header;
	text -= text % sa->align;
	return text <= ESP_TRAILER ? 0 : text - ESP_TRAILER + header;
}

size_t sa_sealed(const struct sa *sa, size_t n)
{
	size_t header = sa->tunnel ? 0 : ip_header(sa), text = n - (n < header ? n : header);

	if (sa->id.protocol == IPPROTO_ESP)
		text += ESP_TRAILER + pad_to(text + ESP_TRAILER, sa->align);
	return fixed_overhead(sa) + header + text;
}

uint32_t sa_read_spi(struct span s, uint8_t protocol)
{
	size_t at = protocol == IPPROTO_AH ? 4 : 0;

	if (protocol == IPPROTO_COMP)
		return s.n < IPCOMP_HEADER ? 0 : get_u16(s.p + 2);
	return s.n < at + 4 ? 0 : get_u32(s.p + at);
}

/* ---- outwards ---------------------------------------------------------- */

/* k holds the payload; afterwards the ESP packet without its IP header. */
static enum verdict esp_wrap(struct sa *sa, struct packet *k, uint8_t next, const uint8_t *random)
{
	size_t payload = k->n, pad = pad_to(k->n + ESP_TRAILER, sa->align), text;
	struct writer w;
	uint8_t *icv;

	text = payload + pad + ESP_TRAILER;
	if (!packet_append(k, pad + ESP_TRAILER + sa->icv) || !packet_push(k, sa->iv) ||
	    !packet_push(k, ESP_HEADER))
		return VERDICT_NO_ROOM;
	w = writer_on(k->p, ESP_HEADER + sa->iv);
	put_u32(&w, sa->id.spi);
	put_u32(&w, sa->seq);
	if (sa->counter_iv)	/* RFC 4106 3.1: never twice with one key */
		put_uint(&w, sa->seq, sa->iv);
	else
		put_bytes(&w, span_of(random, sa->iv));
	w = writer_on(k->p + ESP_HEADER + sa->iv + payload, pad + ESP_TRAILER);
	for (size_t i = 1; i <= pad; i++)
		put_u8(&w, (uint8_t)i);
	put_u8(&w, (uint8_t)pad);
	put_u8(&w, next);
	icv = k->p + k->n - sa->icv;
	if (!transform_seal(sa->transform, span_of(k->p, ESP_HEADER), span_of(k->p + ESP_HEADER, sa->iv),
			    k->p + ESP_HEADER + sa->iv, text, span_of(NULL, 0), icv))
		return VERDICT_CRYPTO;
	return VERDICT_SEND;
}

static bool udp_wrap(const struct sa *sa, struct packet *k)
{
	struct writer w;

	if (!packet_push(k, UDP_HEADER))
		return false;
	w = writer_on(k->p, UDP_HEADER);
	put_u16(&w, sa->encap_sport);
	put_u16(&w, sa->encap_dport);
	put_u16(&w, (uint16_t)k->n);
	put_u16(&w, 0);		/* RFC 3948 2.1: no checksum, but over IPv6 */
	return true;
}

/* k holds the whole packet, with the UDP header after `header` octets.  IPv6 has no checksum that would protect the
 * addresses, and hosts take no UDP without one (RFC 8200 8.1). */
static void udp_sign(struct packet *k, size_t header, const struct ip_addr *src, const struct ip_addr *dst)
{
	uint16_t sum = transport_checksum(k->p + header, k->n - header, IPPROTO_UDP, src, dst);
	struct writer w = writer_on(k->p + header + 6, 2);

	put_u16(&w, sum == 0 ? UINT16_MAX : sum);
}

/* IPv4 options that arrive as they were sent (RFC 4302 A.1): security, extended security, commercial
 * security, router alert, multi-destination delivery.  All others may change on the way. */
static bool option_is_fixed(uint8_t type)
{
	static const uint8_t fixed[] = { IPOPT_SECURITY, 133, 134, IPOPT_RA, 149 };

	return memchr(fixed, type, sizeof fixed) != NULL;
}

static void ah_clear_options(uint8_t *p, size_t n)
{
	size_t size;

	for (size_t at = 0; at < n && p[at] != IPOPT_EOL; at += size) {
		size = p[at] == IPOPT_NOOP ? 1 : at + 1 < n ? p[at + 1] : 0;
		if (size == 0 || size > n - at || (size == 1 && p[at] != IPOPT_NOOP))
			size = n - at;	/* not to be understood: all the rest counts as changing */
		if (size > 1 && !option_is_fixed(p[at]))
			memset(p + at, 0, size);
	}
}

#define IMAGE (LIMIT_KLIPS_HEADER + AH_HEADER + ICV_MAX + 8)

/* The headers as AH covers them, with an AH header of `ah` octets: what routers may change is zero
 * (RFC 4302 3.3.3.1.1), and so is the ICV. */
static struct span ah_header_image(uint8_t image[IMAGE], const uint8_t *p, const struct flow *f, const struct sa *sa)
{
	size_t header = f->header, ah = ah_size(sa);

	memcpy(image, p, header + ah);
	memset(image + header + AH_HEADER, 0, sa->icv);
	if (f->dst.len == 16) {
		ip6_clear_mutable(image, f);
		return span_of(image, header + ah);
	}
	image[offsetof(struct iphdr, tos)] = 0;
	memset(image + offsetof(struct iphdr, frag_off), 0, 2);
	image[offsetof(struct iphdr, ttl)] = 0;
	memset(image + offsetof(struct iphdr, check), 0, 2);
	ah_clear_options(image + IP4_HEADER, header - IP4_HEADER);
	return span_of(image, header + ah);
}

/* Push the AH header before the payload in k; its ICV is still zero. */
static bool ah_wrap(struct sa *sa, struct packet *k, uint8_t next)
{
	size_t ah = ah_size(sa);
	struct writer w;

	if (!packet_push(k, ah))
		return false;
	w = writer_on(k->p, ah);
	put_u8(&w, next);
	put_u8(&w, (uint8_t)(ah / AH_LENGTH_UNIT - 2));
	put_u16(&w, 0);
	put_u32(&w, sa->id.spi);
	put_u32(&w, sa->seq);
	put_zero(&w, ah - AH_HEADER);
	return true;
}

/* k holds the whole packet, f describes its headers. */
static bool ah_sign(struct sa *sa, struct packet *k, const struct flow *f)
{
	uint8_t image[IMAGE];
	size_t before = f->header + ah_size(sa);
	struct span covered = ah_header_image(image, k->p, f, sa);

	return transform_seal(sa->transform, covered, span_of(NULL, 0), k->p + before, k->n - before,
			      span_of(NULL, 0), k->p + f->header + AH_HEADER);
}

/* The header of a tunnel takes over DSCP, ECN and flow label; what may not be cut inside may not be cut outside,
 * but what every link of IPv6 carries may be cut by those of IPv4 (RFC 4301 5.1.2, RFC 4213 3.2). */
static void tunnel_header(const struct sa *sa, uint8_t *p, size_t n, const struct flow *f, uint16_t id, uint8_t protocol)
{
	bool df = f->df && (f->dst.len == 4 || f->length > IP6_MTU_LEAST);

	if (sa->id.dst.len == 16)
		ip6_write(p, &(struct ip6){ .src = sa->src, .dst = sa->id.dst, .next = protocol,
					    .traffic_class = f->tos, .label = f->label, .length = n });
	else
		ip4_write(p, &(struct ip4){ .src = sa->src, .dst = sa->id.dst, .protocol = protocol,
					    .tos = f->tos, .df = df, .id = id, .length = n });
}

/* Put the IP header before what was wrapped: a new one, or the old one changed. */
static enum verdict finish_header(struct sa *sa, struct packet *k, const struct flow *f,
				  const uint8_t *old, uint16_t id, uint8_t protocol)
{
	size_t header = sa->tunnel ? ip_header(sa) : f->header;
	struct flow now = *f;

	if (!packet_push(k, header) || k->n > PACKET_MAX)
		return VERDICT_NO_ROOM;
	if (sa->tunnel) {
		tunnel_header(sa, k->p, k->n, f, id, protocol);
		now = (struct flow){ .src = sa->src, .dst = sa->id.dst, .header = header };
	} else {
		memcpy(k->p, old, header);
		if (f->dst.len == 4)
			ip4_identify(k->p, id);	/* else the host would, after AH has signed it */
		packet_retarget(k->p, f, protocol, k->n);
	}
	if (encapsulated(sa) && now.dst.len == 16)
		udp_sign(k, header, &now.src, &now.dst);
	if (sa->id.protocol == IPPROTO_AH && !ah_sign(sa, k, &now))
		return VERDICT_CRYPTO;
	return VERDICT_SEND;
}

/* k holds the payload, of protocol `next`; afterwards what follows the IP header, of protocol *now. */
static enum verdict wrap(struct sa *sa, struct packet *k, uint8_t next, const uint8_t *random, uint8_t *now)
{
	enum verdict v = VERDICT_SEND;

	*now = sa->id.protocol;
	if (sa->id.protocol == IPPROTO_COMP) {
		if (!ipcomp_wrap(sa->comp, k, next, (uint16_t)sa->id.spi))
			*now = next;
	} else if (sa->id.protocol == IPPROTO_AH) {
		v = ah_wrap(sa, k, next) ? VERDICT_SEND : VERDICT_NO_ROOM;
	} else {
		v = esp_wrap(sa, k, next, random);
	}
	if (v == VERDICT_SEND && encapsulated(sa)) {
		*now = IPPROTO_UDP;
		v = udp_wrap(sa, k) ? VERDICT_SEND : VERDICT_NO_ROOM;
	}
	return v;
}

/* IPComp numbers nothing. */
static bool take_number(struct sa *sa)
{
	if (sa->id.protocol == IPPROTO_COMP && !sa->exhausted)
		return true;
	if (sa->exhausted || sa->seq == UINT32_MAX) {
		sa->exhausted = true;
		return false;
	}
	sa->seq++;
	return true;
}

enum verdict sa_seal(struct sa *sa, struct packet *k, const struct flow *f, const uint8_t *random,
		     uint16_t id)
{
	uint8_t old[LIMIT_KLIPS_HEADER], next = f->next, now;
	enum verdict v;
	size_t bytes;

	if (sa->larval)
		return VERDICT_NO_SA;
	if (sa->tunnel)
		next = f->dst.len == 16 ? IPPROTO_IPV6 : IPPROTO_IPIP;
	else if (f->fragment)
		return VERDICT_FRAGMENT;
	else if (f->routed && (sa->id.protocol == IPPROTO_AH || encapsulated(sa)))
		return VERDICT_ROUTED;
	else if (f->dst.len != sa->id.dst.len)
		return VERDICT_FAMILY;
	if (!take_number(sa))
		return VERDICT_EXHAUSTED;
	packet_cut(k, f->length);
	if (!sa->tunnel) {
		memcpy(old, k->p, f->header);
		packet_pull(k, f->header);
	}
	bytes = k->n;
	v = wrap(sa, k, next, random, &now);
	if (v == VERDICT_SEND)
		v = finish_header(sa, k, f, old, id, now);
	if (v == VERDICT_SEND && (sa->comp == NULL || now == sa->id.protocol)) {
		sa->counts.packets++;
		sa->counts.bytes += bytes;
	}
	return v;
}

/* ---- inwards ----------------------------------------------------------- */

/* Check and strip the trailer of the decrypted text that k holds. */
static enum verdict strip_trailer(struct packet *k, uint8_t *next)
{
	size_t pad = k->p[k->n - ESP_TRAILER];
	const uint8_t *from;
	uint8_t wrong = 0;

	*next = k->p[k->n - 1];
	if (pad + ESP_TRAILER > k->n)
		return VERDICT_BAD_PADDING;
	packet_cut(k, k->n - ESP_TRAILER - pad);
	from = k->p + k->n;
	for (size_t i = 0; i < pad; i++)
		wrong |= (uint8_t)(from[i] ^ (uint8_t)(i + 1));
	return wrong == 0 ? VERDICT_DELIVER : VERDICT_BAD_PADDING;
}

/* k holds the ESP packet without IP header; afterwards the payload. */
static enum verdict esp_unwrap(struct sa *sa, struct packet *k, uint8_t *next)
{
	size_t before = ESP_HEADER + sa->iv, text;
	uint32_t seq;

	if (k->n < before + sa->icv + ESP_TRAILER)
		return VERDICT_BAD_LENGTH;
	text = k->n - before - sa->icv;
	if (text % sa->align != 0)
		return VERDICT_BAD_LENGTH;
	seq = get_u32(k->p + 4);
	if (!replay_fresh(&sa->replay, seq))
		return VERDICT_REPLAY;
	if (!transform_open(sa->transform, span_of(k->p, ESP_HEADER), span_of(k->p + ESP_HEADER, sa->iv),
			    k->p + before, text, span_of(NULL, 0),
			    span_of(k->p + before + text, sa->icv)))
		return VERDICT_BAD_ICV;
	replay_accept(&sa->replay, seq);
	packet_pull(k, before);
	packet_cut(k, text);
	return strip_trailer(k, next);
}

/* k holds the whole packet, f describes its headers; afterwards what follows AH. */
static enum verdict ah_unwrap(struct sa *sa, struct packet *k, const struct flow *f, uint8_t *next)
{
	uint8_t image[IMAGE];
	size_t header = f->header, ah = ah_size(sa);
	const uint8_t *p = k->p + header;
	struct span covered;
	uint32_t seq;

	if (k->n < header + ah || (p[1] + 2u) * AH_LENGTH_UNIT != ah)
		return VERDICT_BAD_LENGTH;
	seq = get_u32(p + 8);
	if (!replay_fresh(&sa->replay, seq))
		return VERDICT_REPLAY;
	covered = ah_header_image(image, k->p, f, sa);
	if (!transform_open(sa->transform, covered, span_of(NULL, 0), k->p + header + ah,
			    k->n - header - ah, span_of(NULL, 0), span_of(p + AH_HEADER, sa->icv)))
		return VERDICT_BAD_ICV;
	replay_accept(&sa->replay, seq);
	*next = p[0];
	packet_pull(k, header + ah);
	return VERDICT_DELIVER;
}

static enum verdict leave_tunnel(struct packet *k, const struct flow *f, uint8_t next)
{
	struct flow inner;

	if (next != IPPROTO_IPIP && next != IPPROTO_IPV6)
		return VERDICT_BAD_NEXT;
	if (!packet_flow(packet_span(k), &inner))
		return VERDICT_MALFORMED;
	if (inner.dst.len != (next == IPPROTO_IPV6 ? 16 : 4))
		return VERDICT_BAD_NEXT;
	packet_cut(k, inner.length);	/* RFC 4303 2.7: padding for traffic flow secrecy */
	packet_merge_ecn(k->p, &inner, f->tos);
	return VERDICT_DELIVER;
}

static enum verdict rebuild(struct sa *sa, struct packet *k, const struct flow *f, const uint8_t *old,
			    uint8_t next, bool *more)
{
	if (next == IPPROTO_NONE)
		return VERDICT_DUMMY;
	*more = sa->inwards != 0 && next == sa->inwards;
	if (!*more && sa->inwards != 0 && sa->inwards != IPPROTO_COMP)
		return VERDICT_BUNDLE;
	if (!*more && sa->inner_tunnel)
		return leave_tunnel(k, f, next);
	if (next == IPPROTO_IPIP || next == IPPROTO_IPV6)
		return VERDICT_BAD_NEXT;
	if (!*more && (next == IPPROTO_ESP || next == IPPROTO_AH))
		return VERDICT_NESTED;
	if (!packet_push(k, f->header))
		return VERDICT_NO_ROOM;
	memcpy(k->p, old, f->header);
	packet_retarget(k->p, f, next, k->n);
	return VERDICT_DELIVER;
}

enum verdict sa_open(struct sa *sa, struct packet *k, const struct flow *f, bool *more)
{
	uint8_t old[LIMIT_KLIPS_HEADER], next = 0;
	enum verdict v;

	if (sa->larval)
		return VERDICT_NO_SA;
	if (sa->exhausted)
		return VERDICT_EXHAUSTED;
	packet_cut(k, f->length);
	memcpy(old, k->p, f->header);
	if (sa->id.protocol == IPPROTO_AH) {
		v = ah_unwrap(sa, k, f, &next);
	} else if (sa->id.protocol == IPPROTO_COMP) {
		packet_pull(k, f->header);
		v = ipcomp_unwrap(sa->comp, k, sa->tunnel ? 0 : f->header, &next);
	} else {
		packet_pull(k, f->header + (encapsulated(sa) ? UDP_HEADER : 0));
		v = esp_unwrap(sa, k, &next);
	}
	if (v == VERDICT_DELIVER) {
		sa->counts.packets++;
		sa->counts.bytes += k->n;
		return rebuild(sa, k, f, old, next, more);
	}
	if (v == VERDICT_REPLAY)
		sa->counts.replays++;
	else
		sa->counts.bad++;
	return v;
}
