/* routes.c -- the table of routes: one entry for each client of a peer. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "ike/routes.h"

struct way {			/* by which a client is reached */
	char interface[16];
	struct ip_addr gateway;
};

struct pair {			/* of clients, and what of them is protected: what an eroute is for; hashed as octets */
	struct subnet ours, theirs;
	uint8_t our_protocol;
	uint16_t our_port, their_port;
};

struct eroute {			/* claimed, or in place */
	struct pair pair;
	TAILQ_HEAD(claimants, connection) claimants;	/* the newest last */
	bool placed;
	const struct connection *holder;	/* whose SAs or trap it is */
	enum eroute_kind kind;
	enum progress told;	/* the updown command, "up" */
	UT_hash_handle hh;
};

struct route {
	struct subnet client;		/* of the peer: the key */
	struct way claimed;		/* by all users */
	TAILQ_HEAD(, connection) users;	/* the newest last */
	enum progress progress;
	struct way placed;		/* unless progress is NOT_THERE */
	unsigned eroutes;		/* in place, to this client */
	UT_hash_handle hh;
};

struct routes {
	struct route *routes;
	struct eroute *eroutes;
};

struct routes *routes_new(void)
{
	return NEW(struct routes);
}

static void route_free(struct routes *r, struct route *route)
{
	HASH_DEL(r->routes, route);
	free(route);
}

void routes_free(struct routes *r)
{
	struct route *route, *next;
	struct eroute *e, *following;

	if (r == NULL)
		return;
	HASH_ITER(hh, r->eroutes, e, following) {
		HASH_DEL(r->eroutes, e);
		free(e);
	}
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
		TAILQ_INIT(&route->users);
		HASH_ADD(hh, r->routes, client, sizeof(route->client), route);
	}
	return route;
}

/* Nobody claims it, and nothing is left of it. */
static void tidy(struct routes *r, struct route *route)
{
	if (TAILQ_EMPTY(&route->users) && route->progress == NOT_THERE && route->eroutes == 0)
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
	struct pair p;

	memset(&p, 0, sizeof(p));
	p.ours = clean(connection_client(c, true));
	p.theirs = clean(connection_client(c, false));
	p.our_protocol = our_end(c)->protocol;
	p.our_port = our_end(c)->port;
	p.their_port = peer_end(c)->port;
	return p;
}

/* Of the clients of c: claimed or in place; NULL = neither. */
static struct eroute *eroute_of(const struct routes *r, const struct connection *c)
{
	struct pair key = pair_of(c);
	struct eroute *e;

	HASH_FIND(hh, r->eroutes, &key, sizeof(key), e);
	return e;
}

static struct eroute *eroute_for(struct routes *r, const struct connection *c)
{
	struct eroute *e = eroute_of(r, c);

	if (e == NULL) {
		e = NEW(struct eroute);
		e->pair = pair_of(c);
		TAILQ_INIT(&e->claimants);
		HASH_ADD(hh, r->eroutes, pair, sizeof(e->pair), e);
	}
	return e;
}

static struct eroute *placed_of(const struct routes *r, const struct connection *c)
{
	struct eroute *e = eroute_of(r, c);

	return e != NULL && e->placed ? e : NULL;
}

static void eroute_tidy(struct routes *r, struct eroute *e)
{
	if (e->placed || !TAILQ_EMPTY(&e->claimants))
		return;
	HASH_DEL(r->eroutes, e);
	free(e);
}

/* ---- claims -------------------------------------------------------------- */

/* The route is wanted another way: who has an SA there is in the way, else whoever has claimed it. */
static enum claim judge_route(const struct route *route, struct connection **other)
{
	struct connection *d;

	TAILQ_FOREACH(d, &route->users, in_route)
		if (d->n_installed > 0) {
			*other = d;
			return CLAIM_ROUTE_BUSY;
		}
	*other = TAILQ_FIRST(&route->users);
	return *other != NULL ? CLAIM_TAKES : CLAIM_FREE;
}

enum claim routes_judge(const struct routes *r, const struct connection *c, bool for_sa,
			struct connection **other)
{
	const struct route *route = find(r, c);
	const struct eroute *e = for_sa ? eroute_of(r, c) : NULL;
	struct way way = way_of(c);
	struct connection *d;

	*other = NULL;
	if (route != NULL && c->route == NULL && !same_way(&route->claimed, &way))
		return judge_route(route, other);
	if (e == NULL)
		return CLAIM_FREE;
	TAILQ_FOREACH(d, &e->claimants, in_eroute)
		if (d != c && d->n_installed > 0) {
			*other = d;
			return CLAIM_EROUTE_BUSY;
		}
	return CLAIM_FREE;
}

void routes_claim(struct routes *r, struct connection *c)
{
	struct route *route;
	struct eroute *e;

	if (c->route != NULL)
		return;
	route = find_or_make(r, c);
	if (TAILQ_EMPTY(&route->users))
		route->claimed = way_of(c);
	TAILQ_INSERT_TAIL(&route->users, c, in_route);
	c->route = route;
	e = eroute_for(r, c);
	TAILQ_INSERT_TAIL(&e->claimants, c, in_eroute);
}

void routes_release(struct routes *r, struct connection *c)
{
	struct route *route = c->route;
	struct eroute *e;

	if (route == NULL)
		return;
	c->route = NULL;
	TAILQ_REMOVE(&route->users, c, in_route);
	e = eroute_of(r, c);
	TAILQ_REMOVE(&e->claimants, c, in_eroute);
	eroute_tidy(r, e);
	tidy(r, route);
}

const struct connection *routes_sharer(const struct connection *c)
{
	const struct connection *first = c->route == NULL ? NULL : TAILQ_FIRST(&c->route->users);

	return first == c ? TAILQ_NEXT(first, in_route) : first;
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
	       (TAILQ_EMPTY(&route->users) || !same_way(&route->claimed, &route->placed));
}

void routes_routed(struct routes *r, const struct connection *c, enum progress progress)
{
	struct route *route = find_or_make(r, c);

	route->progress = progress;
	if (progress != NOT_THERE)
		route->placed = way_of(c);
	tidy(r, route);
}

bool routes_want_cover(const struct routes *r, const struct connection *c)
{
	/* An eroute whose holder has given up its claim is handed over by a plan that is still to come. */
	return c->route != NULL && placed_of(r, c) == NULL;
}

enum uncover routes_want_uncover(const struct routes *r, const struct connection *c, struct connection **whose)
{
	const struct eroute *e = placed_of(r, c);

	if (e == NULL || e->holder != c || c->route != NULL)
		return UNCOVER_NOTHING;
	*whose = TAILQ_LAST(&e->claimants, claimants);
	return *whose == NULL ? UNCOVER_DELETE : UNCOVER_HAND_OVER;
}

void routes_covered(struct routes *r, const struct connection *c, enum eroute_kind kind)
{
	struct eroute *e = eroute_for(r, c);

	if (!e->placed) {
		e->placed = true;
		e->told = NOT_THERE;
		find_or_make(r, c)->eroutes++;
	}
	e->holder = c;
	e->kind = kind;
}

void routes_uncovered(struct routes *r, const struct connection *c)
{
	struct route *route = find(r, c);
	struct eroute *e = placed_of(r, c);

	if (e == NULL)
		return;
	e->placed = false;
	eroute_tidy(r, e);
	route->eroutes--;
	tidy(r, route);
}

bool routes_carry(const struct routes *r, const struct connection *c)
{
	const struct eroute *e = placed_of(r, c);

	return e != NULL && e->holder == c && e->kind == EROUTE_SA;
}

bool routes_trap(const struct routes *r, const struct connection *c)
{
	const struct eroute *e = placed_of(r, c);

	return e != NULL && e->holder == c && e->kind == EROUTE_TRAP;
}

bool routes_want_up(const struct routes *r, const struct connection *c)
{
	return routes_carry(r, c) && placed_of(r, c)->told != THERE;
}

bool routes_want_down(const struct routes *r, const struct connection *c)
{
	const struct eroute *e = placed_of(r, c);

	return e != NULL && e->holder == c && e->kind != EROUTE_SA && e->told != NOT_THERE;
}

void routes_told(struct routes *r, const struct connection *c, enum progress progress)
{
	struct eroute *e = placed_of(r, c);

	if (e != NULL)
		e->told = progress;
}
