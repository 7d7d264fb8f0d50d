/* hosts.c -- pairs of hosts, and what is found by identity and by clients within them. */
#include "ike/hosts.h"

#include <stdlib.h>

#include "base/siphash.h"
#include "base/xalloc.h"
#include "ike/internal.h"
#include "ike/lease.h"

struct place {			/* connections of a pair that have something in common */
	struct { const struct host_pair *pair; uint64_t what; } key;
	LIST_HEAD(, connection) members;	/* newest first */
	UT_hash_handle hh;
};

static void pair_key(struct host_pair *p, const struct ip_addr *us, const struct ip_addr *peer)
{
	memset(&p->key, 0, sizeof(p->key));	/* hashed as bytes */
	p->key.us.len = us->len;
	memcpy(p->key.us.b, us->b, us->len);
	p->key.peer.len = peer->len;
	memcpy(p->key.peer.b, peer->b, peer->len);
}

struct host_pair *host_pair_find(struct ike *ike, const struct ip_addr *us, const struct ip_addr *peer)
{
	struct host_pair want, *p;

	pair_key(&want, us, peer);
	HASH_FIND(hh, ike->pairs, &want.key, sizeof(want.key), p);
	return p;
}

/* ---- places ------------------------------------------------------------ */

/* What is hashed was described by whack, so the key of the hash need not be secret. */
static uint64_t key_of(const void *p, size_t n)
{
	static const uint8_t fixed[16];

	return siphash(fixed, span_of(p, n));
}

/* Names are equal without regard to case; the beginning of a long one does.  Bits that are set or not keep the two
 * kinds of keys apart. */
static uint64_t peer_key(const struct identity *id)
{
	uint8_t room[1 + LIMIT_NAME_OCTETS] = { 0 };
	struct span s;

	if (id == NULL)
		return 0;
	s = id->kind == IDENTITY_ADDR ? addr_bytes(&id->addr) : span_sub(id->name, 0, LIMIT_NAME_OCTETS);
	room[0] = (uint8_t)id->kind;
	for (size_t i = 0; i < s.n; i++)
		room[i + 1] = s.p[i] >= 'A' && s.p[i] <= 'Z' && id->kind != IDENTITY_ADDR ? (uint8_t)(s.p[i] | 0x20)
											  : s.p[i];
	return (key_of(room, s.n + 1) | 1) & ~(uint64_t)2;
}

static size_t put_subnet(uint8_t *to, const struct subnet *s)
{
	to[0] = s->bits;
	to[1] = s->addr.len;
	memcpy(to + 2, s->addr.b, s->addr.len);
	return 2u + s->addr.len;
}

static uint64_t clients_key(const struct subnet *ours, const struct subnet *theirs)
{
	uint8_t room[2 * (2 + sizeof(ours->addr.b))];
	size_t n = put_subnet(room, ours);

	n += put_subnet(room + n, theirs);
	return (key_of(room, n) | 2) & ~(uint64_t)1;
}

static struct place *place_at(struct ike *ike, const struct host_pair *p, uint64_t what)
{
	struct place like = { .key = { .pair = p, .what = what } }, *at;

	HASH_FIND(hh, ike->places, &like.key, sizeof(like.key), at);
	return at;
}

static struct place *place_for(struct ike *ike, const struct host_pair *p, uint64_t what)
{
	struct place *at = place_at(ike, p, what);

	if (at == NULL) {
		at = NEW(struct place);
		at->key.pair = p;
		at->key.what = what;
		LIST_INIT(&at->members);
		HASH_ADD(hh, ike->places, key, sizeof(at->key), at);
	}
	return at;
}

static void place_release(struct ike *ike, struct place *at)
{
	if (!LIST_EMPTY(&at->members))
		return;
	HASH_DEL(ike->places, at);
	free(at);
}

/* The peer's client of a template is its address, which is not known. */
static struct subnet their_clients(const struct connection *c)
{
	return addr_is_any(&peer_end(c)->host) && !peer_end(c)->has_client ? (struct subnet){ 0 }
									  : connection_client(c, false);
}

static void take_places(struct ike *ike, struct host_pair *p, struct connection *c)
{
	struct subnet ours = connection_client(c, true), theirs = their_clients(c);
	bool any_peer = addr_is_any(&peer_end(c)->host) && !peer_end(c)->id_given;

	c->by_peer.at = place_for(ike, p, peer_key(any_peer ? NULL : &peer_end(c)->id));
	LIST_INSERT_HEAD(&c->by_peer.at->members, c, by_peer.next);
	c->by_clients.at = place_for(ike, p, clients_key(&ours, &theirs));
	LIST_INSERT_HEAD(&c->by_clients.at->members, c, by_clients.next);
}

static void leave_places(struct ike *ike, struct connection *c)
{
	LIST_REMOVE(c, by_peer.next);
	place_release(ike, c->by_peer.at);
	LIST_REMOVE(c, by_clients.next);
	place_release(ike, c->by_clients.at);
}

/* ---- in and out ---------------------------------------------------------- */

void connection_enter_pair(struct ike *ike, struct connection *c)
{
	static const struct ip_addr anybody;
	const struct ip_addr *us = &our_end(c)->host;
	const struct ip_addr *peer = addr_is_any(&peer_end(c)->host) ? &anybody : &peer_end(c)->host;
	struct host_pair *p;

	p = host_pair_find(ike, us, peer);
	if (p == NULL) {
		p = NEW(struct host_pair);
		pair_key(p, us, peer);
		LIST_INIT(&p->connections);
		LIST_INIT(&p->phase1s);
		LIST_INIT(&p->half_opens);
		HASH_ADD(hh, ike->pairs, key, sizeof(p->key), p);
	}
	LIST_INSERT_HEAD(&p->connections, c, in_pair);
	take_places(ike, p, c);
	c->pair = p;
}

void host_pair_release(struct ike *ike, struct host_pair *p)
{
	if (!LIST_EMPTY(&p->connections) || !LIST_EMPTY(&p->phase1s))
		return;
	HASH_DEL(ike->pairs, p);
	free(p);
}

void connection_leave_pair(struct ike *ike, struct connection *c)
{
	struct host_pair *p = c->pair;

	if (p == NULL)
		return;
	LIST_REMOVE(c, in_pair);
	leave_places(ike, c);
	c->pair = NULL;
	host_pair_release(ike, p);
}

/* ---- changes --------------------------------------------------------------- */

void hosts_rename(struct ike *ike, struct connection *c, const struct identity *id)
{
	leave_places(ike, c);
	c->end[1 - c->ours].id = *id;
	take_places(ike, c->pair, c);
}

void hosts_inside(struct ike *ike, struct connection *c, const struct ip_addr *inside)
{
	leave_places(ike, c);
	c->end[1 - c->ours].inside = inside == NULL ? (struct ip_addr){ 0 } : *inside;
	take_places(ike, c->pair, c);
}

void hosts_move(struct ike *ike, struct connection *c, const struct ip_addr *to)
{
	LIST_REMOVE(c, in_pair);
	leave_places(ike, c);
	c->end[1 - c->ours].host = *to;
	connection_enter_pair(ike, c);
}

void hosts_lease(struct ike *ike, struct connection *c, struct lease *l)
{
	if (c->pair != NULL)
		leave_places(ike, c);
	lease_take(c, l);
	if (c->pair != NULL)
		take_places(ike, c->pair, c);
}

/* ---- finding -------------------------------------------------------------- */

struct connection *hosts_first_peer(struct ike *ike, const struct host_pair *p, const struct identity *id)
{
	struct place *at = place_at(ike, p, peer_key(id));

	return at == NULL ? NULL : LIST_FIRST(&at->members);
}

struct connection *hosts_next_peer(const struct connection *c)
{
	return LIST_NEXT(c, by_peer.next);
}

struct connection *hosts_first_clients(struct ike *ike, const struct host_pair *p, const struct subnet *ours,
				      const struct subnet *theirs)
{
	static const struct subnet unknown;
	struct place *at = place_at(ike, p, clients_key(ours, theirs == NULL ? &unknown : theirs));

	return at == NULL ? NULL : LIST_FIRST(&at->members);
}

struct connection *hosts_next_clients(const struct connection *c)
{
	return LIST_NEXT(c, by_clients.next);
}
