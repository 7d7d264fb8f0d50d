/* ip6.c -- IPv6 packets: the chain of headers, and the few that are built here.
 *
 *  +--------+-----------+---------+----------+-------------+----------------+
 *  | IPv6   | hop by    | routing | fragment | destination | TCP, UDP, ESP, |
 *  | header | hop       |         |          | options     | AH ...         |
 *  +--------+-----------+---------+----------+-------------+----------------+
 *
 * Transport mode protects what follows the headers that routers look at (RFC 4303 3.1.1). */
#include "kernel/ip6.h"

#include "base/writer.h"
#include "generated/limits.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>

#define IP6_VERSION 6
#define OPTION_MUTABLE 0x20	/* RFC 8200 4.2: its data may change on the way */

static const size_t first_next = offsetof(struct ip6_hdr, ip6_nxt);

/* ---- reading ----------------------------------------------------------- */

struct walk {			/* along the headers */
	struct span s;		/* the packet, no more */
	size_t at;		/* the header looked at */
	size_t next_at;		/* the octet that names it */
};

/* Octets of the extension header at w->at; 0 when it does not fit in the packet. */
static size_t extension_size(const struct walk *w, uint8_t type)
{
	size_t left = w->s.n - w->at, size = IP6_FRAGMENT;

	if (left < IP6_FRAGMENT)
		return 0;
	if (type != IPPROTO_FRAGMENT)
		size = (w->s.p[w->at + 1] + (size_t)1) * 8;
	return size > left ? 0 : size;
}

static void read_fragment(const struct walk *w, struct flow *f)
{
	uint16_t off = get_u16(w->s.p + w->at + offsetof(struct ip6_frag, ip6f_offlg));

	f->fragment_at = w->at;
	f->fragment_named = w->next_at;
	f->offset = off & 0xfff8u;
	f->more = (off & 1) != 0;
	f->fragment = f->offset != 0 || f->more;
}

/* Protection of transport mode begins at w->at or later. */
static void split_here(const struct walk *w, struct flow *f)
{
	f->header = w->at;
	f->next_at = w->next_at;
	f->next = w->s.p[w->next_at];
}

static bool is_extension(uint8_t type)
{
	return type == IPPROTO_HOPOPTS || type == IPPROTO_ROUTING || type == IPPROTO_FRAGMENT ||
	       type == IPPROTO_DSTOPTS;
}

/* Past one extension header; false when it makes no sense there. */
static bool step(struct walk *w, struct flow *f, uint8_t type)
{
	size_t size = extension_size(w, type);

	if (size == 0 || (type == IPPROTO_HOPOPTS && w->at != IP6_HEADER) ||
	    (type == IPPROTO_FRAGMENT && f->fragment_at != 0))
		return false;
	if (type == IPPROTO_FRAGMENT)
		read_fragment(w, f);
	if (type == IPPROTO_ROUTING && w->s.p[w->at + offsetof(struct ip6_rthdr, ip6r_segleft)] != 0)
		f->routed = true;
	w->next_at = w->at;
	w->at += size;
	if (type != IPPROTO_DSTOPTS)	/* that is for the destination alone, unless a routing header follows */
		split_here(w, f);
	return true;
}

/* To the first header that is no extension.  Of a later fragment there is nothing more to see. */
static bool walk_chain(struct walk *w, struct flow *f)
{
	split_here(w, f);
	for (unsigned n = 0; is_extension(w->s.p[w->next_at]) && f->offset == 0; n++)
		if (n == LIMIT_KLIPS_EXTENSIONS || !step(w, f, w->s.p[w->next_at]))
			return false;
	f->protocol = w->s.p[w->next_at];
	f->body = w->at;
	if (f->protocol == IPPROTO_ESP || f->protocol == IPPROTO_AH || f->protocol == IPPROTO_COMP)
		split_here(w, f);
	return f->header <= LIMIT_KLIPS_HEADER;
}

bool ip6_read(struct span s, struct flow *f)
{
	struct walk w = { .at = IP6_HEADER, .next_at = first_next };
	uint32_t first;

	if (s.n < IP6_HEADER)
		return false;
	f->length = IP6_HEADER + (size_t)get_u16(s.p + offsetof(struct ip6_hdr, ip6_plen));
	if (f->length > s.n || f->length > PACKET_MAX)
		return false;
	first = get_u32(s.p);
	f->tos = (uint8_t)(first >> 20);
	f->label = first & 0xfffff;
	f->df = true;
	f->src = addr_from_bytes(span_of(s.p + offsetof(struct ip6_hdr, ip6_src), 16));
	f->dst = addr_from_bytes(span_of(s.p + offsetof(struct ip6_hdr, ip6_dst), 16));
	w.s = span_sub(s, 0, f->length);
	if (!walk_chain(&w, f))
		return false;
	if (f->offset == 0)
		packet_read_ports(span_from(w.s, f->body), f);
	return true;
}

bool ip6_is_of_link(const struct flow *f)
{
	bool narrow = f->dst.b[0] == 0xff && (f->dst.b[1] & 0xf) <= 2;	/* RFC 4291 2.7: of the interface, of the link */

	return f->dst.len == 16 &&
	       (narrow || addr_is_any(&f->src) || addr_is_link_local(&f->src) || addr_is_link_local(&f->dst));
}

/* ---- writing ----------------------------------------------------------- */

void ip6_write(uint8_t *p, const struct ip6 *h)
{
	struct writer w = writer_on(p, IP6_HEADER);

	put_u32(&w, (uint32_t)IP6_VERSION << 28 | (uint32_t)h->traffic_class << 20 | (h->label & 0xfffff));
	put_u16(&w, (uint16_t)(h->length - IP6_HEADER));
	put_u8(&w, h->next);
	put_u8(&w, IP6_HOP_LIMIT);
	put_bytes(&w, addr_bytes(&h->src));
	put_bytes(&w, addr_bytes(&h->dst));
}

void ip6_merge_ecn(uint8_t *inner, uint8_t outer_class)
{
	uint8_t ecn = inner[1] >> 4 & IPTOS_ECN_MASK;

	if ((outer_class & IPTOS_ECN_MASK) == IPTOS_ECN_CE && ecn != IPTOS_ECN_NOT_ECT)
		inner[1] |= IPTOS_ECN_CE << 4;
}

/* ---- AH ---------------------------------------------------------------- */

/* The options of a hop-by-hop or destination header, n octets at p: data that may change becomes zero. */
static void clear_options(uint8_t *p, size_t n)
{
	size_t size;

	for (size_t at = 0; at < n; at += size) {
		bool pad1 = p[at] == IP6OPT_PAD1;
		size_t left = n - at;

		size = pad1 ? 1 : left < 2 ? 0 : p[at + 1] + (size_t)2;
		if (size == 0 || size > left) {	/* not to be understood: all the rest counts as changing */
			memset(p + at, 0, left);
			return;
		}
		if (!pad1 && (p[at] & OPTION_MUTABLE) != 0)
			memset(p + at + 2, 0, size - 2);
	}
}

void ip6_clear_mutable(uint8_t *p, const struct flow *f)
{
	struct walk w = { .s = span_of(p, f->header), .at = IP6_HEADER, .next_at = first_next };

	p[0] = IP6_VERSION << 4;	/* traffic class and flow label */
	memset(p + 1, 0, 3);
	p[offsetof(struct ip6_hdr, ip6_hlim)] = 0;
	while (w.at < f->header) {
		uint8_t type = p[w.next_at];
		size_t size = extension_size(&w, type);

		if (size == 0)
			return;
		if (type == IPPROTO_HOPOPTS || type == IPPROTO_DSTOPTS)
			clear_options(p + w.at + 2, size - 2);
		w.next_at = w.at;
		w.at += size;
	}
}

/* ---- ICMPv6 ------------------------------------------------------------ */

/* RFC 4443 2.4 (e): never about an ICMPv6 error or redirect, or to what is not one host. */
static bool icmp_allowed(struct span s, const struct flow *f)
{
	if (addr_is_any(&f->src) || f->src.b[0] == 0xff)
		return false;
	if (f->protocol != IPPROTO_ICMPV6 || f->offset != 0)
		return true;
	return f->body < f->length && (s.p[f->body] & ICMP6_INFOMSG_MASK) != 0 && s.p[f->body] != ND_REDIRECT;
}

size_t ip6_too_big(uint8_t *out, struct span s, size_t mtu)
{
	struct flow f;
	struct writer w = writer_on(out, IP6_TOO_BIG);
	struct span quoted = span_sub(s, 0, IP6_TOO_BIG - sizeof(struct icmp6_hdr));

	if (!packet_flow(s, &f) || f.src.len != 16 || !icmp_allowed(s, &f))
		return 0;
	put_u8(&w, ICMP6_PACKET_TOO_BIG);
	put_u8(&w, 0);
	put_u16(&w, 0);		/* the checksum */
	put_u32(&w, (uint32_t)mtu);
	put_bytes(&w, quoted);
	return w.n;
}
