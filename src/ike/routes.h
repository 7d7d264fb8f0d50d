/* routes.h -- who may route what (the manual, "Pluto's Internal State"), and what stands in the kernel.
 *
 * A route leads to a peer's client; connections to the same client share it if they use the same
 * interface and gateway.  An eroute belongs to a pair of clients; it carries the traffic of one connection,
 * or is a trap.  Claims are made when something is asked for; what is in place follows when its plan runs. */
#ifndef PLUTO_IKE_ROUTES_H
#define PLUTO_IKE_ROUTES_H

#include "ike/connection.h"

struct routes;
struct route;

struct routes *routes_new(void);
void routes_free(struct routes *r);

/* ---- claims --------------------------------------------------------------- */

enum claim {
	CLAIM_FREE,		/* nothing is in the way, or the route can be shared */
	CLAIM_TAKES,		/* *other routes there another way, without an SA: it must give way first */
	CLAIM_ROUTE_BUSY,	/* the same, with an IPsec SA */
	CLAIM_EROUTE_BUSY,	/* *other has an IPsec SA for the same pair of clients */
};

/* May c be routed, and with for_sa have an SA there?  Changes nothing. */
enum claim routes_judge(const struct routes *r, const struct connection *c, bool for_sa,
			struct connection **other);

/* c is to be routed from now on (after CLAIM_FREE), or not any more. */
void routes_claim(struct routes *r, struct connection *c);
void routes_release(struct routes *r, struct connection *c);

/* Another connection that holds the route of c, NULL = none. */
const struct connection *routes_sharer(const struct connection *c);

/* ---- what is in place: asked when a step of a plan is due, told how it went ------- */

enum progress { NOT_THERE, TRIED, THERE };	/* what was tried is undone, but not relied on */

/* The route that c claims is to be set up; the one to its client, to be taken down. */
bool routes_want_route(const struct routes *r, const struct connection *c);
bool routes_want_unroute(const struct routes *r, const struct connection *c);
void routes_routed(struct routes *r, const struct connection *c, enum progress progress);

/* Does the eroute of c stand as a trap? */
bool routes_trap(const struct routes *r, const struct connection *c);

/* A trap for the clients of c is to be set. */
bool routes_want_cover(const struct routes *r, const struct connection *c);

enum uncover { UNCOVER_NOTHING, UNCOVER_HAND_OVER, UNCOVER_DELETE };

/* What becomes of the eroute of c, which may have given up its claim: it stays, becomes a trap of *whose, which
 * claims it, too, or goes. */
enum uncover routes_want_uncover(const struct routes *r, const struct connection *c, struct connection **whose);

/* The eroute between the clients of c is now that of c, of that kind; or it is gone. */
void routes_covered(struct routes *r, const struct connection *c, enum eroute_kind kind);
void routes_uncovered(struct routes *r, const struct connection *c);

/* Does the eroute of c lead to its SAs?  And was the updown command told so? */
bool routes_carry(const struct routes *r, const struct connection *c);
bool routes_want_up(const struct routes *r, const struct connection *c);
bool routes_want_down(const struct routes *r, const struct connection *c);
void routes_told(struct routes *r, const struct connection *c, enum progress progress);

#endif
