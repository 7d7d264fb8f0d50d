/* routes.c -- claims on routes (by the peer's client) and on eroutes (by the pair of clients). */
#include <stdlib.h>

#include "base/xalloc.h"
#include "ike/routes.h"

struct route {
	struct subnet client;		/* of the peer: the key */
	char interface[16];
	struct ip_addr nexthop;
	unsigned users;
	struct connection **user;	/* owned array */
	UT_hash_handle hh;
};

struct eroute_key {
	struct subnet ours, theirs;
	uint8_t our_protocol;
	uint16_t our_port, their_port;
};

struct eroute {
	struct eroute_key key;
	struct connection *owner;
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

void routes_free(struct routes *r)
{
	struct route *route, *next;
	struct eroute *e, *next_e;

	if (r == NULL)
		return;
	HASH_ITER(hh, r->routes, route, next) {
		HASH_DEL(r->routes, route);
		free(route->user);
		free(route);
	}
	HASH_ITER(hh, r->eroutes, e, next_e) {
		HASH_DEL(r->eroutes, e);
		free(e);
	}
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

static struct ip_addr gateway(const struct connection *c)
{
	return addr_is_any(&our_end(c)->nexthop) ? peer_end(c)->host : our_end(c)->nexthop;
}

static bool same_way(const struct route *route, const struct connection *c)
{
	struct ip_addr g = gateway(c);

	return strcmp(route->interface, c->interface->real) == 0 && addr_eq(&route->nexthop, &g);
}

enum claim routes_judge(const struct routes *r, const struct connection *c, struct connection **other)
{
	const struct route *route = find(r, c);

	*other = NULL;
	if (route == NULL)
		return CLAIM_NEW;
	if (same_way(route, c))
		return CLAIM_SHARED;
	for (unsigned i = 0; i < route->users; i++) {
		*other = route->user[i];
		if (route->user[i]->newest_ipsec != 0)
			return CLAIM_BUSY;
	}
	return CLAIM_TAKES;
}

void routes_take(struct routes *r, struct connection *c)
{
	struct route *route = find(r, c);

	if (c->route != NULL)
		return;
	if (route == NULL) {
		route = NEW(struct route);
		route->client = clean(connection_client(c, false));
		route->nexthop = gateway(c);
		memcpy(route->interface, c->interface->real, sizeof(route->interface));
		HASH_ADD(hh, r->routes, client, sizeof(route->client), route);
	}
	route->user = xrealloc(route->user, (route->users + 1) * sizeof(struct connection *));
	route->user[route->users++] = c;
	c->route = route;
}

bool routes_drop(struct routes *r, struct connection *c)
{
	struct route *route = c->route;

	if (route == NULL)
		return false;
	c->route = NULL;
	for (unsigned i = 0; i < route->users; i++)
		if (route->user[i] == c)
			route->user[i] = route->user[route->users - 1];
	if (--route->users > 0)
		return false;
	HASH_DEL(r->routes, route);
	free(route->user);
	free(route);
	return true;
}

static struct eroute_key eroute_key(const struct connection *c)
{
	struct eroute_key k;

	memset(&k, 0, sizeof(k));
	k.ours = clean(connection_client(c, true));
	k.theirs = clean(connection_client(c, false));
	k.our_protocol = our_end(c)->protocol;
	k.our_port = our_end(c)->port;
	k.their_port = peer_end(c)->port;
	return k;
}

static struct eroute *find_eroute(const struct routes *r, const struct connection *c)
{
	struct eroute_key key = eroute_key(c);
	struct eroute *e;

	HASH_FIND(hh, r->eroutes, &key, sizeof(key), e);
	return e;
}

struct connection *eroute_owner(const struct routes *r, const struct connection *c)
{
	struct eroute *e = find_eroute(r, c);

	return e == NULL ? NULL : e->owner;
}

void eroute_take(struct routes *r, struct connection *c)
{
	struct eroute *e = find_eroute(r, c);

	if (e == NULL) {
		e = NEW(struct eroute);
		e->key = eroute_key(c);
		HASH_ADD(hh, r->eroutes, key, sizeof(e->key), e);
	}
	e->owner = c;
}

void eroute_drop(struct routes *r, struct connection *c)
{
	struct eroute *e = find_eroute(r, c);

	if (e == NULL || e->owner != c)
		return;
	HASH_DEL(r->eroutes, e);
	free(e);
}
