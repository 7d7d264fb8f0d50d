/* routing.h -- bringing a connection's traffic to IPsec and away from it. */
#ifndef PLUTO_IKE_ROUTING_H
#define PLUTO_IKE_ROUTING_H

#include "ike/plan.h"

enum routing_for { ROUTING_FOR_WHACK, ROUTING_FOR_INITIATOR, ROUTING_FOR_RESPONDER };

/* Claim the route of c and append what sets it up.  NULL, or why c cannot be routed.  A responder may delete
 * the SAs of others that use a conflicting route (--onconflict).  The claim is there at once. */
const struct refusal *routing_up(struct ike *ike, struct connection *c, struct plan *p, enum routing_for what);

/* Give up the claim of c, and append what takes down its eroute, and its route if nobody shares it. */
void routing_down(struct ike *ike, struct connection *c, struct plan *p);

/* The eroute of c without SAs: a trap. */
struct kernel_eroute routing_trap(const struct connection *c);

/* The trap of c reports the next packet that meets it. */
void routing_trap_again(struct ike *ike, struct connection *c);

/* whack --route and --unroute; at_once: whack does not wait for the kernel and the updown command. */
void command_route(struct ike *ike, uint32_t whack, struct connection *c, bool at_once);
void command_unroute(struct ike *ike, uint32_t whack, struct connection *c, bool at_once);

#endif
