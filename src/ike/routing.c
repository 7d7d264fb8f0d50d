/* routing.c -- routes and trap eroutes of connections (the manual, "Pluto's Internal State"). */
#include "base/xalloc.h"
#include "ike/initiate.h"
#include "ike/instance.h"
#include "ike/internal.h"
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
		.reqid = c->reqid,
		.interface = c->interface->virtual_,
	};
}

/* The SAs of other make room for c, which is more current (the manual, "Pluto's Internal State"). */
static void evict(struct ike *ike, struct connection *c, struct connection *other)
{
	struct plan *p;

	ike_log(ike, c, NULL, NO_WHACK, WHACK_STATUS_LOG_SERIOUS,
		"the peer's client is reached by \"%s\" from now on: deleting the SAs of \"%s\"", c->name,
		other->name);
	other->held++;
	connection_drop_sas(ike, other);
	p = plan_new(ike, other);
	routing_down(ike, other, p);
	plan_submit(p, NULL, NULL);
	other->held--;
	instance_release(ike, other);
}

/* Nobody else's SA may protect the same pair of clients. */
static const struct refusal *clear_eroute(struct ike *ike, struct connection *c, bool may_evict)
{
	struct connection *other = eroute_owner(ike->routes, c);

	if (other == NULL || other == c || other->newest_ipsec == 0)
		return NULL;
	if (!may_evict)
		return refuse_eroute_conflict(ike->arena, c->name, other->name);
	evict(ike, c, other);
	return NULL;
}

/* Take down, or refuse for, whatever routes to the same client another way. */
static const struct refusal *clear_route(struct ike *ike, struct connection *c, bool may_evict,
					 enum claim *claim)
{
	struct connection *other;

	for (;;) {
		struct plan *away;

		*claim = routes_judge(ike->routes, c, &other);
		if (*claim == CLAIM_SHARED || *claim == CLAIM_NEW)
			return NULL;
		if (*claim == CLAIM_BUSY && !may_evict)
			return refuse_route_conflict(ike->arena, c->name, other->name);
		if (*claim == CLAIM_BUSY) {
			evict(ike, c, other);
			continue;
		}
		away = plan_new(ike, other);
		routing_down(ike, other, away);
		plan_submit(away, NULL, NULL);
	}
}

const struct refusal *routing_up(struct ike *ike, struct connection *c, struct plan *p, enum role role)
{
	bool may_evict = role == ROLE_RESPONDER && c->policy.evict;
	const struct refusal *why = clear_eroute(ike, c, may_evict);
	enum claim claim;

	if (why != NULL || c->routing != UNROUTED)
		return why;
	why = clear_route(ike, c, may_evict, &claim);
	if (why != NULL)
		return why;
	struct kernel_eroute trap = routing_trap(c);

	/* Prepare may delete an old route to that client, so it never comes without a new one. */
	if (claim == CLAIM_NEW)
		plan_updown(p, "prepare", false);
	plan_eroute(p, &trap);		/* first, so that nothing can leave in clear by the route */
	if (claim == CLAIM_NEW)
		plan_updown(p, "route", false);
	routes_take(ike->routes, c);
	eroute_take(ike->routes, c);
	c->routing = ROUTED_TRAP;
	return NULL;
}

void routing_down(struct ike *ike, struct connection *c, struct plan *p)
{
	struct kernel_eroute trap;

	if (c->routing == UNROUTED)
		return;
	trap = routing_trap(c);
	if (routes_drop(ike->routes, c))
		plan_updown(p, "unroute", true);
	if (eroute_owner(ike->routes, c) == c)
		plan_del_eroute(p, &trap);
	eroute_drop(ike->routes, c);
	c->routing = UNROUTED;
}

void routing_undo(struct ike *ike, struct connection *c)
{
	struct plan *p = plan_new(ike, c);

	routing_down(ike, c, p);
	plan_submit(p, NULL, NULL);
}

struct route_request {		/* a whack that waits for its route */
	struct connection *c;
	uint32_t whack;
};

static void routed(struct ike *ike, void *ctx, bool ok, const char *why)
{
	struct route_request *r = ctx;

	if (ok) {
		ike_reply(ike, r->whack, WHACK_STATUS_SUCCESS, "\"%s\": routed", r->c->name);
	} else {
		ike_reply(ike, r->whack, WHACK_STATUS_NO_ROUTE, "\"%s\": cannot be routed: %s",
			  r->c->name, why);
		routing_undo(ike, r->c);
	}
	ike_finish(ike, r->whack);
	free(r);
}

static void unrouted(struct ike *ike, void *ctx, bool ok, const char *why)
{
	struct route_request *r = ctx;

	(void)ok;
	(void)why;
	ike_reply(ike, r->whack, WHACK_STATUS_SUCCESS, "\"%s\": unrouted", r->c->name);
	ike_finish(ike, r->whack);
	free(r);
}

static struct route_request *request(struct connection *c, uint32_t whack)
{
	struct route_request *r = NEW(struct route_request);

	r->c = c;
	r->whack = whack;
	return r;
}

void command_route(struct ike *ike, uint32_t whack, struct connection *c)
{
	struct plan *p;
	const struct refusal *why = c->ours < 0 || c->leaving ? orientation_refusal(ike, c)
								     : NULL;

	if (why == NULL && addr_is_any(&peer_end(c)->host))
		why = refuse_peer_unknown(ike->arena, c->name);
	if (why == NULL && !connection_ipsec(c))
		why = refuse_nothing_to_route(ike->arena, c->name);
	if (why == NULL) {
		p = plan_new(ike, c);
		why = routing_up(ike, c, p, ROLE_INITIATOR);
		if (why == NULL)
			plan_submit(p, routed, request(c, whack));
		else
			plan_drop(p);
	}
	if (why != NULL) {
		ike_reply_refusal(ike, whack, why);
		ike_finish(ike, whack);
	}
}

void command_unroute(struct ike *ike, uint32_t whack, struct connection *c)
{
	struct plan *p;

	if (c->newest_ipsec != 0 || c->uses > 0) {
		ike_reply_refusal(ike, whack, refuse_route_in_use(ike->arena, c->name));
		ike_finish(ike, whack);
		return;
	}
	p = plan_new(ike, c);
	routing_down(ike, c, p);
	plan_submit(p, unrouted, request(c, whack));
}
