/* routing.h -- bringing a connection's traffic to IPsec and away from it. */
#ifndef PLUTO_IKE_ROUTING_H
#define PLUTO_IKE_ROUTING_H

#include "ike/plan.h"

/* Append what routes c (prepare, trap and route), if it is not routed.  NULL, or why it cannot be.
 * A responder may delete the SAs of others that are in the way (--onconflict).  The claim is made at
 * once and given back by routing_undo when the plan fails. */
const struct refusal *routing_up(struct ike *ike, struct connection *c, struct plan *p, enum role role);

/* Append what unroutes c: its eroute, and its route if nobody shares it. */
void routing_down(struct ike *ike, struct connection *c, struct plan *p);

/* A plan with routing_up in it failed. */
void routing_undo(struct ike *ike, struct connection *c);

/* The eroute of c without SAs: a trap. */
struct kernel_eroute routing_trap(const struct connection *c);

/* whack --route and --unroute. */
void command_route(struct ike *ike, uint32_t whack, struct connection *c);
void command_unroute(struct ike *ike, uint32_t whack, struct connection *c);

#endif
