/* routes.h -- who may route what: the manual's rules on routes and eroutes, as a table of claims.
 *
 * A route leads to a peer's client; connections to the same client share it if they use the same
 * interface and gateway.  An eroute is a pair of clients; it has one owner. */
#ifndef PLUTO_IKE_ROUTES_H
#define PLUTO_IKE_ROUTES_H

#include "ike/connection.h"

struct routes;
struct route;

struct routes *routes_new(void);
void routes_free(struct routes *r);

enum claim {
	CLAIM_SHARED,		/* the route is there already */
	CLAIM_NEW,		/* nobody routes to that client yet */
	CLAIM_TAKES,		/* an idle connection must give its route up first: *other */
	CLAIM_BUSY,		/* an IPsec SA of *other uses a conflicting route */
};

/* What must happen so that c is routed; changes nothing. */
enum claim routes_judge(const struct routes *r, const struct connection *c, struct connection **other);

/* c is routed from now on (after a judgement that was not TAKES or BUSY). */
void routes_take(struct routes *r, struct connection *c);

/* c is not routed any more; true if it was the last one on that route. */
bool routes_drop(struct routes *r, struct connection *c);

/* The connection that owns the eroute between the clients of c, or NULL. */
struct connection *eroute_owner(const struct routes *r, const struct connection *c);
void eroute_take(struct routes *r, struct connection *c);
void eroute_drop(struct routes *r, struct connection *c);

#endif
