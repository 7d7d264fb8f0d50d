/* fragments.c -- cutting packets into fragments. */
#include "kernel/fragments.h"

#include "base/writer.h"

#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>

/* Of IPv4 the first piece keeps the header with its options; later ones carry none of them. */
static void begin4(struct fragments *s)
{
	memcpy(s->header, s->whole.p, IP4_HEADER);
	s->header[0] = IPVERSION << 4 | IP4_HEADER / 4;
	s->header_n = IP4_HEADER;
}

/* Of IPv6 all pieces have the headers that routers look at, and a fragment header. */
static bool begin6(struct fragments *s, const struct flow *f, uint32_t id)
{
	struct writer w = writer_on(s->header + f->header, IP6_FRAGMENT);

	if (f->fragment_at != 0)
		return false;
	memcpy(s->header, s->whole.p, f->header);
	s->header[f->next_at] = IPPROTO_FRAGMENT;
	put_u8(&w, f->next);
	put_zero(&w, 3);
	put_u32(&w, id);
	s->header_n = f->header + IP6_FRAGMENT;
	s->six = true;
	return true;
}

bool fragments_begin(struct fragments *s, const struct packet *k, size_t mtu, uint32_t id)
{
	size_t header;
	struct flow f;

	*s = (struct fragments){ .whole = *k };
	if (!packet_flow(packet_span(k), &f))
		return false;
	if (f.dst.len == 4)
		begin4(s);
	else if (!begin6(s, &f, id))
		return false;
	s->first = f.header;
	header = s->six ? s->header_n : f.header;
	if (mtu < header + 8)
		return false;
	s->room = (mtu - header) & ~(size_t)7;
	return true;
}

/* The piece's octets with `header` before them. */
static bool move_to(const struct fragments *s, struct packet *piece, size_t header, size_t n)
{
	*piece = s->whole;
	if (s->first + s->at >= header)
		packet_pull(piece, s->first + s->at - header);
	else if (!packet_push(piece, header - s->first - s->at))
		return false;
	packet_cut(piece, header + n);
	return true;
}

static void finish4(const struct fragments *s, struct packet *piece, size_t header, bool more)
{
	uint16_t off = (uint16_t)(get_u16(s->header + offsetof(struct iphdr, frag_off)) + s->at / 8);
	struct writer w;

	if (s->at > 0)
		memcpy(piece->p, s->header, IP4_HEADER);
	w = writer_on(piece->p + offsetof(struct iphdr, frag_off), 2);
	put_u16(&w, more ? off | IP_MF : off);
	ip4_retarget(piece->p, header, piece->p[offsetof(struct iphdr, protocol)], piece->n);
}

static void finish6(const struct fragments *s, struct packet *piece, bool more)
{
	struct writer w;

	memcpy(piece->p, s->header, s->header_n);
	w = writer_on(piece->p + offsetof(struct ip6_hdr, ip6_plen), 2);
	put_u16(&w, (uint16_t)(piece->n - IP6_HEADER));
	w = writer_on(piece->p + s->first + offsetof(struct ip6_frag, ip6f_offlg), 2);
	put_u16(&w, (uint16_t)(s->at | more));
}

bool fragments_next(struct fragments *s, struct packet *piece)
{
	size_t left = s->whole.n - s->first - s->at, n = left < s->room ? left : s->room;
	size_t header = !s->six && s->at == 0 ? s->first : s->header_n;

	if (left == 0 || !move_to(s, piece, header, n))
		return false;
	if (s->six)
		finish6(s, piece, n < left);
	else
		finish4(s, piece, header, n < left);
	s->at += n;
	return true;
}
