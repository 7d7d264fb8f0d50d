/* reassembly.c -- putting fragments together in the order in which this host sent them. */
#include "kernel/reassembly.h"

#include "base/writer.h"
#include "base/xalloc.h"
#include "kernel/ip6.h"

#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stdlib.h>

/* RFC 791, RFC 8200 4.5: source, destination, identification, and of IPv4 the protocol. */
#define KEY (1 + 16 + 16 + 4 + 1)

struct slot {
	bool used;
	uint8_t key[KEY];
	uint64_t begun;		/* for finding the oldest */
	size_t header, n;	/* octets of the header, and of the whole so far */
	uint8_t *room;		/* PACKET_ROOM, made when first used */
};

struct reassembly {
	struct slot slots[REASSEMBLY_SLOTS];
	uint64_t clock;		/* counts datagrams begun */
};

struct reassembly *reassembly_new(void)
{
	return NEW(struct reassembly);
}

void reassembly_free(struct reassembly *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < REASSEMBLY_SLOTS; i++)
		free(r->slots[i].room);
	free(r);
}

static void make_key(uint8_t key[KEY], const uint8_t *ip, const struct flow *f)
{
	struct writer w = writer_on(key, KEY);

	memset(key, 0, KEY);
	put_u8(&w, f->dst.len);
	put_bytes(&w, addr_bytes(&f->src));
	put_bytes(&w, addr_bytes(&f->dst));
	if (f->dst.len == 4) {
		put_bytes(&w, span_of(ip + offsetof(struct iphdr, id), 2));
		put_u8(&w, f->protocol);
	} else {
		put_bytes(&w, span_of(ip + f->fragment_at + offsetof(struct ip6_frag, ip6f_ident), 4));
	}
}

static struct slot *find(struct reassembly *r, const uint8_t key[KEY])
{
	for (size_t i = 0; i < REASSEMBLY_SLOTS; i++)
		if (r->slots[i].used && memcmp(r->slots[i].key, key, KEY) == 0)
			return &r->slots[i];
	return NULL;
}

/* The headers of the whole: those of the first fragment, without a fragment header. */
static void take_headers(struct slot *s, const uint8_t *ip, const struct flow *f)
{
	uint8_t *to = s->room + PACKET_HEAD;
	size_t n = f->fragment_at != 0 ? f->fragment_at : f->header;

	memcpy(to, ip, n);
	s->header = s->n = n;
	if (f->fragment_at != 0)
		to[f->fragment_named] = ip[f->fragment_at];
}

static struct slot *begin(struct reassembly *r, const uint8_t key[KEY], const struct packet *k, const struct flow *f)
{
	struct slot *s = find(r, key);

	for (size_t i = 0; s == NULL && i < REASSEMBLY_SLOTS; i++)
		if (!r->slots[i].used)
			s = &r->slots[i];
	if (s == NULL) {
		s = &r->slots[0];
		for (size_t i = 1; i < REASSEMBLY_SLOTS; i++)
			if (r->slots[i].begun < s->begun)
				s = &r->slots[i];
	}
	if (s->room == NULL)
		s->room = xcalloc(1, PACKET_ROOM);
	s->used = true;
	s->begun = ++r->clock;
	memcpy(s->key, key, KEY);
	take_headers(s, k->p, f);
	return s;
}

/* The headers tell of the whole now. */
static void complete(struct slot *s, uint8_t protocol, struct packet *whole)
{
	struct writer w;

	s->used = false;
	*whole = packet_on(s->room, s->n);
	if (whole->p[0] >> 4 == IPVERSION) {
		memset(whole->p + offsetof(struct iphdr, frag_off), 0, 2);
		ip4_retarget(whole->p, s->header, protocol, s->n);
		return;
	}
	w = writer_on(whole->p + offsetof(struct ip6_hdr, ip6_plen), 2);
	put_u16(&w, (uint16_t)(s->n - IP6_HEADER));
}

bool reassembly_add(struct reassembly *r, const struct packet *k, const struct flow *f, struct packet *whole)
{
	size_t from = f->fragment_at != 0 ? f->fragment_at + IP6_FRAGMENT : f->header, body = f->length - from;
	uint8_t key[KEY];
	struct slot *s;

	make_key(key, k->p, f);
	s = f->offset == 0 ? begin(r, key, k, f) : find(r, key);
	if (s == NULL)
		return false;
	if (s->n != s->header + f->offset || s->n + body > PACKET_MAX) {
		s->used = false;
		return false;
	}
	memcpy(s->room + PACKET_HEAD + s->n, k->p + from, body);
	s->n += body;
	if (f->more)
		return false;
	complete(s, f->protocol, whole);
	return true;
}
