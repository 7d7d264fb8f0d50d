/* initiate.c -- initiate and terminate. */
#include "ike/followup.h"
#include "ike/initiate.h"
#include "ike/instance.h"
#include "ike/internal.h"
#include "ike/phase2.h"
#include "ike/retry.h"
#include "ike/upkeep.h"

uint16_t end_status(enum end_reason why)
{
	switch (why) {
	case END_NO_RESPONSE:
	case END_LARVAL:
		return WHACK_STATUS_NO_RESPONSE;
	case END_LOCAL:
		return WHACK_STATUS_TERMINATED;
	case END_SHUTDOWN:
		return WHACK_STATUS_SHUTTING_DOWN;
	default:
		return WHACK_STATUS_NEGOTIATION_FAILED;
	}
}

void initiate_failed(struct ike *ike, struct connection *c, uint32_t whack, uint16_t status)
{
	const struct registry_entry *e = registry_find(&registry_whack_status, status);

	if (status != WHACK_STATUS_TERMINATED && status != WHACK_STATUS_SHUTTING_DOWN)
		upkeep_failed(ike, c);
	if (whack == NO_WHACK)
		return;
	ike_reply(ike, whack, status, "\"%s\": not established: %s", c->name,
		  e != NULL && e->text != NULL ? e->text : "see the log");
	ike_finish(ike, whack);
}

void initiate_refused(struct ike *ike, struct connection *c, uint32_t whack, const struct refusal *why)
{
	upkeep_failed(ike, c);
	if (whack == NO_WHACK)
		return;
	ike_reply_refusal(ike, whack, why);
	ike_finish(ike, whack);
}

const char *keying_limit(struct ike *ike, const struct connection *c)
{
	if (c->policy.keyingtries == 0)
		return ", tried for ever";
	return arena_printf(ike->arena, " of at most %u", c->policy.keyingtries);
}

/* Why c cannot be initiated, or NULL. */
static const struct refusal *obstacle(struct ike *ike, const struct connection *c)
{
	if (!ike->listening)
		return refuse_not_listening(ike->arena);
	if (c->ours < 0 || c->leaving)
		return orientation_refusal(ike, c);
	if (addr_is_any(&peer_end(c)->host))
		return refuse_peer_unknown(ike->arena, c->name);
	if (c->policy.modecfg != CONFIG_MODE_NO && our_end(c)->has_client && c->lease == NULL)
		return refuse_config_client(ike->arena, c->name);
	return auth_obstacle(ike, ike->arena, c);
}

void connection_initiate(struct ike *ike, struct connection *c, uint32_t whack, uint32_t try)
{
	const struct refusal *why = obstacle(ike, c);
	struct phase1 *p;

	if (why != NULL) {
		ike_refusal(ike, c, NULL, NO_WHACK, true, why);
		ike_reply_refusal(ike, whack, why);
		ike_finish(ike, whack);
		upkeep_failed(ike, c);
		return;
	}
	if (!connection_ipsec(c)) {
		if (phase1_start(ike, c, whack, try) == NULL)
			initiate_failed(ike, c, whack, WHACK_STATUS_NEGOTIATION_FAILED);
		return;
	}
	p = phase1_usable(ike, c, true);
	if (p != NULL) {
		ike_debug(ike, c, DEBUG_CLASSES_CONTROL, "negotiating under the ISAKMP SA #%llu",
			  (unsigned long long)p->x->serial);
		phase1_add_pending(p, c, whack, try);
		phase1_release(p);
		return;
	}
	p = phase1_usable(ike, c, false);
	if (p == NULL) {
		struct exchange *x = phase1_start(ike, c, whack, 1);

		if (x == NULL) {
			initiate_failed(ike, c, whack, WHACK_STATUS_NEGOTIATION_FAILED);
			return;
		}
		p = x->user;
	}
	ike_debug(ike, c, DEBUG_CLASSES_CONTROL, "waiting for an ISAKMP SA that is negotiated");
	phase1_add_pending(p, c, whack, try);
}

/* Phase 1s of c go, unless another connection's SAs stand under them. */
static void terminate_phase1s(struct ike *ike, struct connection *c)
{
	struct phase1 *p, *next;

	if (c->pair == NULL)
		return;
	for (p = LIST_FIRST(&c->pair->phase1s); p != NULL; p = next) {
		next = LIST_NEXT(p, in_pair);
		if (p->c != c || p->n_phase2 > 0)
			continue;
		send_delete(ike, p->x);
		engine_end(ike->engine, p->x, END_LOCAL);
	}
}

static void forget_pending(struct ike *ike, struct connection *c)
{
	struct phase1 *p;
	struct pending *q, *next;

	if (c->pair == NULL)
		return;
	LIST_FOREACH(p, &c->pair->phase1s, in_pair) {
		for (q = STAILQ_FIRST(&p->pending); q != NULL; q = next) {
			next = STAILQ_NEXT(q, next);
			if (q->c != c)
				continue;
			STAILQ_REMOVE(&p->pending, q, pending, next);
			initiate_failed(ike, c, q->whack, WHACK_STATUS_TERMINATED);
			pending_free(q);
		}
	}
}

bool connection_negotiating(const struct connection *c)
{
	const struct phase1 *p;
	const struct phase2 *q;
	const struct pending *w;

	if (!LIST_EMPTY(&c->retries))
		return true;
	LIST_FOREACH(q, &c->phase2s, of_connection)
		if (q->established == 0)
			return true;
	if (c->pair == NULL)
		return false;
	LIST_FOREACH(p, &c->pair->phase1s, in_pair) {
		if (p->c == c && !phase1_is_ready(p) && !connection_ipsec(c))
			return true;
		STAILQ_FOREACH(w, &p->pending, next)
			if (w->c == c)
				return true;
	}
	return false;
}

static void drop_sas(struct ike *ike, struct connection *c)
{
	while (!LIST_EMPTY(&c->phase2s)) {
		struct phase2 *p = LIST_FIRST(&c->phase2s);

		send_delete(ike, p->x);
		engine_end(ike->engine, p->x, END_LOCAL);
	}
}

void connection_drop_sas(struct ike *ike, struct connection *c)
{
	c->held++;
	drop_sas(ike, c);
	c->held--;
	instance_release(ike, c);
}

typedef void on_connection(struct ike *ike, struct connection *c);

/* c, and what was made of it. */
static void with_instances(struct ike *ike, struct connection *c, on_connection *act)
{
	struct connection *i, *next;

	for (i = LIST_FIRST(&c->instances); i != NULL; i = next) {
		next = LIST_NEXT(i, of_template);
		act(ike, i);
	}
	act(ike, c);
}

static void hold(struct ike *ike, struct connection *c)
{
	(void)ike;
	c->held++;
}

static void let_go(struct ike *ike, struct connection *c)
{
	c->held--;
	instance_release(ike, c);
}

/* What waits must not begin when its turn comes. */
static void forget_waiting(struct ike *ike, struct connection *c)
{
	retries_end(ike, c);
	forget_pending(ike, c);
	if (c->lease != NULL)		/* the address goes with the SAs, and the route with the address */
		c->keeps_route = false;
}

/* An ISAKMP SA of one may carry IPsec SAs of another, so first those of all go. */
void connections_terminate(struct ike *ike, struct connection *const *c, size_t n)
{
	static on_connection *const steps[] = { hold, forget_waiting, drop_sas, terminate_phase1s, let_go };

	for (size_t k = 0; k < sizeof(steps) / sizeof(steps[0]); k++)
		for (size_t i = 0; i < n; i++)
			with_instances(ike, c[i], steps[k]);
}
