/* routes.c -- the table of routes: one entry for each client of a peer. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "ike/routes.h"

struct way {			/* by which a client is reached */
	char interface[16];
	struct ip_addr gateway;
};

struct pair {			/* of clients, and what of them is protected: what an eroute is for */
	struct subnet ours, theirs;
	uint8_t our_protocol;
	uint16_t our_port, their_port;
};

struct eroute {			/* in place */
	struct eroute *next;
	struct pair pair;
	const struct connection *holder;	/* whose SAs or trap it is */
	enum eroute_kind kind;
	enum progress told;	/* the updown command, "up" */
};

struct route {
	struct subnet client;		/* of the peer: the key */
	struct way claimed;		/* by all users */
	unsigned users;
	struct connection **user;	/* owned array, the newest last */
	enum progress progress;
	struct way placed;		/* unless progress is NOT_THERE */
	struct eroute *eroutes;		/* to this client */
	UT_hash_handle hh;
};

struct routes {
	struct route *routes;
};

struct routes *routes_new(void)
{
	return NEW(struct routes);
}

static void route_free(struct routes *r, struct route *route)
{
	HASH_DEL(r->routes, route);
	while (route->eroutes != NULL) {
		struct eroute *e = route->eroutes;

		route->eroutes = e->next;
		free(e);
	}
	free(route->user);
	free(route);
}

void routes_free(struct routes *r)
{
	struct route *route, *next;

	if (r == NULL)
		return;
	HASH_ITER(hh, r->routes, route, next)
		route_free(r, route);
	free(r);
}

static struct subnet clean(struct subnet s)	/* a key without stray octets */
{
	struct subnet k;

	memset(&k, 0, sizeof(k));
	k.addr.len = s.addr.len;
	memcpy(k.addr.b, s.addr.b, s.addr.len <= 16 ? s.addr.len : 16);
	k.bits = s.bits;
	return k;
}

static struct route *find(const struct routes *r, const struct connection *c)
{
	struct subnet key = clean(connection_client(c, false));
	struct route *route;

	HASH_FIND(hh, r->routes, &key, sizeof(key), route);
	return route;
}

static struct route *find_or_make(struct routes *r, const struct connection *c)
{
	struct route *route = find(r, c);

	if (route == NULL) {
		route = NEW(struct route);
		route->client = clean(connection_client(c, false));
		HASH_ADD(hh, r->routes, client, sizeof(route->client), route);
	}
	return route;
}

/* Nobody claims it, and nothing is left of it. */
static void tidy(struct routes *r, struct route *route)
{
	if (route->users == 0 && route->progress == NOT_THERE && route->eroutes == NULL)
		route_free(r, route);
}

static struct way way_of(const struct connection *c)
{
	struct way w;

	memset(&w, 0, sizeof(w));
	memcpy(w.interface, c->interface->real, sizeof(w.interface));
	w.gateway = addr_is_any(&our_end(c)->nexthop) ? peer_end(c)->host : our_end(c)->nexthop;
	return w;
}

static bool same_way(const struct way *a, const struct way *b)
{
	return strcmp(a->interface, b->interface) == 0 && addr_eq(&a->gateway, &b->gateway);
}

static struct pair pair_of(const struct connection *c)
{
	return (struct pair){ .ours = connection_client(c, true), .theirs = connection_client(c, false),
			      .our_protocol = our_end(c)->protocol, .our_port = our_end(c)->port,
			      .their_port = peer_end(c)->port };
}

static bool same_pair(const struct pair *a, const struct pair *b)
{
	return subnet_eq(&a->ours, &b->ours) && subnet_eq(&a->theirs, &b->theirs) &&
	       a->our_protocol == b->our_protocol && a->our_port == b->our_port &&
	       a->their_port == b->their_port;
}

static bool same_clients(const struct connection *a, const struct connection *b)
{
	struct pair p = pair_of(a), q = pair_of(b);

	return same_pair(&p, &q);
}

/* ---- claims -------------------------------------------------------------- */

enum claim routes_judge(const struct routes *r, const struct connection *c, bool for_sa,
			struct connection **other)
{
	const struct route *route = find(r, c);
	struct way way = way_of(c);
	bool another_way = route != NULL && !same_way(&route->claimed, &way);

	*other = NULL;
	for (unsigned i = 0; route != NULL && i < route->users; i++) {
		struct connection *d = route->user[i];

		if (d == c || (!another_way && !(for_sa && same_clients(c, d))))
			continue;
		if (d->n_installed > 0) {
			*other = d;
			return another_way ? CLAIM_ROUTE_BUSY : CLAIM_EROUTE_BUSY;
		}
		if (another_way && *other == NULL)
			*other = d;
	}
	return *other != NULL ? CLAIM_TAKES : CLAIM_FREE;
}

void routes_claim(struct routes *r, struct connection *c)
{
	struct route *route;

	if (c->route != NULL)
		return;
	route = find_or_make(r, c);
	if (route->users == 0)
		route->claimed = way_of(c);
	route->user = xrealloc(route->user, (route->users + 1) * sizeof(struct connection *));
	route->user[route->users++] = c;
	c->route = route;
}

void routes_release(struct routes *r, struct connection *c)
{
	struct route *route = c->route;
	unsigned i = 0;

	if (route == NULL)
		return;
	c->route = NULL;
	while (route->user[i] != c)
		i++;
	route->users--;
	memmove(&route->user[i], &route->user[i + 1], (route->users - i) * sizeof(struct connection *));
	tidy(r, route);
}

const struct connection *routes_sharer(const struct connection *c)
{
	for (unsigned i = 0; c->route != NULL && i < c->route->users; i++)
		if (c->route->user[i] != c)
			return c->route->user[i];
	return NULL;
}

/* ---- what is in place ---------------------------------------------------- */

bool routes_want_route(const struct routes *r, const struct connection *c)
{
	(void)r;
	return c->route != NULL && c->route->progress != THERE;
}

bool routes_want_unroute(const struct routes *r, const struct connection *c)
{
	const struct route *route = find(r, c);

	return route != NULL && route->progress != NOT_THERE &&
	       (route->users == 0 || !same_way(&route->claimed, &route->placed));
}

void routes_routed(struct routes *r, const struct connection *c, enum progress progress)
{
	struct route *route = find_or_make(r, c);

	route->progress = progress;
	if (progress != NOT_THERE)
		route->placed = way_of(c);
	tidy(r, route);
}

static struct eroute *eroute_of(const struct route *route, const struct connection *c)
{
	struct pair p = pair_of(c);
	struct eroute *e = route == NULL ? NULL : route->eroutes;

	while (e != NULL && !same_pair(&e->pair, &p))
		e = e->next;
	return e;
}

/* The newest connection that claims the eroute between the clients of c. */
static struct connection *claimant(const struct route *route, const struct connection *c)
{
	for (unsigned i = route->users; i > 0; i--)
		if (same_clients(c, route->user[i - 1]))
			return route->user[i - 1];
	return NULL;
}

bool routes_want_cover(const struct routes *r, const struct connection *c)
{
	/* An eroute whose holder has given up its claim is handed over by a plan that is still to come. */
	return c->route != NULL && eroute_of(find(r, c), c) == NULL;
}

enum uncover routes_want_uncover(const struct routes *r, const struct connection *c, struct connection **whose)
{
	const struct route *route = find(r, c);
	const struct eroute *e = eroute_of(route, c);

	if (e == NULL || e->holder != c || c->route != NULL)
		return UNCOVER_NOTHING;
	*whose = claimant(route, c);
	return *whose == NULL ? UNCOVER_DELETE : UNCOVER_HAND_OVER;
}

void routes_covered(struct routes *r, const struct connection *c, enum eroute_kind kind)
{
	struct route *route = find_or_make(r, c);
	struct eroute *e = eroute_of(route, c);

	if (e == NULL) {
		e = NEW(struct eroute);
		e->pair = pair_of(c);
		e->next = route->eroutes;
		route->eroutes = e;
	}
	e->holder = c;
	e->kind = kind;
}

void routes_uncovered(struct routes *r, const struct connection *c)
{
	struct route *route = find(r, c);
	struct eroute *e = eroute_of(route, c), **at;

	if (e == NULL)
		return;
	for (at = &route->eroutes; *at != e; at = &(*at)->next)
		;
	*at = e->next;
	free(e);
	tidy(r, route);
}

bool routes_carry(const struct routes *r, const struct connection *c)
{
	const struct eroute *e = eroute_of(find(r, c), c);

	return e != NULL && e->holder == c && e->kind == EROUTE_SA;
}

bool routes_trap(const struct routes *r, const struct connection *c)
{
	const struct eroute *e = eroute_of(find(r, c), c);

	return e != NULL && e->holder == c && e->kind == EROUTE_TRAP;
}

bool routes_want_up(const struct routes *r, const struct connection *c)
{
	return routes_carry(r, c) && eroute_of(find(r, c), c)->told != THERE;
}

bool routes_want_down(const struct routes *r, const struct connection *c)
{
	const struct eroute *e = eroute_of(find(r, c), c);

	return e != NULL && e->holder == c && e->kind != EROUTE_SA && e->told != NOT_THERE;
}

void routes_told(struct routes *r, const struct connection *c, enum progress progress)
{
	struct eroute *e = eroute_of(find(r, c), c);

	if (e != NULL)
		e->told = progress;
}
