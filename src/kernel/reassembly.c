/* reassembly.c -- putting fragments together in the order in which this host sent them. */
#include "kernel/reassembly.h"

#include "base/xalloc.h"

#include <netinet/in.h>
#include <netinet/ip.h>
#include <stdlib.h>

#define KEY (4 + 4 + 1 + 2)	/* RFC 791: source, destination, protocol, identification */

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

static void make_key(uint8_t key[KEY], const uint8_t *ip)
{
	memcpy(key, ip + offsetof(struct iphdr, saddr), 8);
	key[8] = ip[offsetof(struct iphdr, protocol)];
	memcpy(key + 9, ip + offsetof(struct iphdr, id), 2);
}

static struct slot *find(struct reassembly *r, const uint8_t key[KEY])
{
	for (size_t i = 0; i < REASSEMBLY_SLOTS; i++)
		if (r->slots[i].used && memcmp(r->slots[i].key, key, KEY) == 0)
			return &r->slots[i];
	return NULL;
}

static struct slot *begin(struct reassembly *r, const uint8_t key[KEY], const struct packet *k, size_t header)
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
	memcpy(s->room + PACKET_HEAD, k->p, header);
	s->header = s->n = header;
	return s;
}

bool reassembly_add(struct reassembly *r, const struct packet *k, const struct flow *f, struct packet *whole)
{
	uint16_t off = get_u16(k->p + offsetof(struct iphdr, frag_off));
	size_t at = (size_t)(off & IP_OFFMASK) * 8, body = f->length - f->header;
	uint8_t key[KEY];
	struct slot *s;

	make_key(key, k->p);
	s = at == 0 ? begin(r, key, k, f->header) : find(r, key);
	if (s == NULL)
		return false;
	if (s->n != s->header + at || s->n + body > PACKET_MAX) {
		s->used = false;
		return false;
	}
	memcpy(s->room + PACKET_HEAD + s->n, k->p + f->header, body);
	s->n += body;
	if ((off & IP_MF) != 0)
		return false;
	s->used = false;
	*whole = packet_on(s->room, s->n);
	memset(whole->p + offsetof(struct iphdr, frag_off), 0, 2);
	ip4_retarget(whole->p, s->header, f->protocol, s->n);
	return true;
}
