/* routing.c -- routes and trap eroutes of connections (the manual, "Pluto's Internal State"). */
#include "ike/errand.h"
#include "ike/initiate.h"
#include "ike/instance.h"
#include "ike/internal.h"
#include "ike/natt.h"
#include "ike/routing.h"

struct kernel_eroute routing_trap(const struct connection *c)
{
	return (struct kernel_eroute){
		.src = connection_client(c, true),
		.dst = connection_client(c, false),
		.client_protocol = our_end(c)->protocol,
		.src_port = our_end(c)->port,
		.dst_port = peer_end(c)->port,
		.kind = EROUTE_TRAP,
		.me = our_end(c)->host,
		.peer = peer_end(c)->host,
		.tunnel = connection_tunnel(c),
		.hold = c->policy.ondemand,
		.reqid = c->reqid,
		.interface = c->interface->virtual_,
	};
}

/* What other has on a route that c needs goes: its SAs, and its claim. */
static void make_way(struct ike *ike, struct connection *c, struct connection *other, bool busy)
{
	struct errand *asked = ike->errand;
	struct plan *p;

	ike->errand = NULL;	/* how it goes for the other one is not the answer that whack waits for */
	if (busy)
		ike_log(ike, c, NULL, NO_WHACK, WHACK_STATUS_LOG_SERIOUS,
			"the peer's client is reached by \"%s\" from now on: deleting the SAs of \"%s\"", c->name,
			other->name);
	else
		ike_log(ike, c, NULL, NO_WHACK, WHACK_STATUS_LOG,
			"\"%s\" is unrouted: \"%s\" needs a route to the same client by another interface or nexthop",
			other->name, c->name);
	other->held++;
	connection_drop_sas(ike, other);
	p = plan_new(ike, other);
	routing_down(ike, other, p);
	plan_submit(p, NULL, NULL);
	other->held--;
	instance_release(ike, other);
	ike->errand = asked;
}

/* Claim the route for c.  Only an IPsec SA is worth the SAs of others (--onconflict), and only one that the
 * peer began: it is more current than what is there. */
static const struct refusal *claim(struct ike *ike, struct connection *c, bool for_sa, bool may_evict)
{
	const struct refusal *why;
	struct connection *other;

	for (;;) {
		switch (routes_judge(ike->routes, c, for_sa, &other)) {
		case CLAIM_FREE:
			ike_debug(ike, c, DEBUG_CLASSES_CONTROL, "nothing is in the way of its route");
			routes_claim(ike->routes, c);
			return NULL;
		case CLAIM_TAKES:
			make_way(ike, c, other, false);
			break;
		case CLAIM_ROUTE_BUSY:
			if (!may_evict)
				return refuse_route_conflict(ike->arena, c->name, other->name);
			make_way(ike, c, other, true);
			break;
		case CLAIM_EROUTE_BUSY:
			why = natt_shared(ike->arena, c, other);
			return why != NULL ? why : refuse_eroute_conflict(ike->arena, c->name, other->name);
		}
	}
}

const struct refusal *routing_up(struct ike *ike, struct connection *c, struct plan *p, enum routing_for what)
{
	const struct refusal *why = claim(ike, c, what != ROUTING_FOR_WHACK,
					  what == ROUTING_FOR_RESPONDER && c->policy.evict);

	if (why != NULL)
		return why;
	plan_route(p);
	if (c->routing == UNROUTED)
		c->routing = ROUTED_TRAP;
	return NULL;
}

void routing_down(struct ike *ike, struct connection *c, struct plan *p)
{
	if (c->routing == UNROUTED)
		return;
	plan_unroute(p);
	routes_release(ike->routes, c);
	c->routing = UNROUTED;
	c->keeps_route = false;
}

void routing_trap_again(struct ike *ike, struct connection *c)
{
	struct plan *p = plan_new(ike, c);

	plan_trap_again(p);
	plan_submit(p, NULL, NULL);
}

/* What whack asked for has failed: all as it was, unless it serves an SA by now. */
static void undo(struct ike *ike, struct connection *c, struct errand *errand)
{
	struct plan *p;

	c->keeps_route = false;
	if (c->n_installed > 0)
		return;
	p = plan_new(ike, c);
	p->errand = errand;
	routing_down(ike, c, p);
	plan_submit(p, NULL, NULL);
}

static void routed(struct ike *ike, void *ctx, const struct plan *p)
{
	struct connection *c = ctx;

	if (p->failed) {
		ike_refusal(ike, c, NULL, NO_WHACK, true, plan_refusal(ike->arena, p));
		undo(ike, c, p->errand);
	} else if (c->routing == UNROUTED) {
		errand_trouble(ike, p->errand, refuse_unrouted_meanwhile(ike->arena, c->name));
	}
}

void command_route(struct ike *ike, uint32_t whack, struct connection *c, bool at_once)
{
	struct plan *p;
	const struct refusal *why = c->ours < 0 || c->leaving ? orientation_refusal(ike, c)
								     : NULL;

	errand_begin(ike, whack, at_once);
	if (why == NULL && addr_is_any(&peer_end(c)->host))
		why = refuse_peer_unknown(ike->arena, c->name);
	if (why == NULL && !connection_ipsec(c))
		why = refuse_nothing_to_route(ike->arena, c->name);
	if (why == NULL) {
		p = plan_new(ike, c);
		why = routing_up(ike, c, p, ROUTING_FOR_WHACK);
		if (why == NULL) {
			c->keeps_route = true;
			plan_submit(p, routed, c);
		} else {
			plan_drop(p);
		}
	}
	if (why != NULL)
		errand_refuse(ike, why);
	else
		errand_end(ike, "\"%s\": routed", c->name);
}

void command_unroute(struct ike *ike, uint32_t whack, struct connection *c, bool at_once)
{
	const struct connection *sharer = routes_sharer(c);
	struct plan *p;

	errand_begin(ike, whack, at_once);
	if (c->uses > 0) {
		errand_refuse(ike, refuse_route_in_use(ike->arena, c->name));
		return;
	}
	if (sharer != NULL && !at_once)
		ike_reply(ike, whack, WHACK_STATUS_LOG, "\"%s\": the route stays, \"%s\" shares it", c->name,
			  sharer->name);
	p = plan_new(ike, c);
	routing_down(ike, c, p);
	plan_submit(p, NULL, NULL);
	errand_end(ike, "\"%s\": unrouted", c->name);
}
