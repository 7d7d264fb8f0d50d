/* followup.c -- what follows phase 1 before phase 2: in which order, for how long, and what becomes of it. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "generated/vendors.h"
#include "ike/followup.h"
#include "ike/hosts.h"
#include "ike/initiate.h"
#include "ike/nets.h"
#include "ike/phase2.h"
#include "ike/routing.h"
#include "ike/split.h"
#include "ike/upkeep.h"

static void on_timer(void *ctx, uint64_t now);

bool phase1_is_ready(const struct phase1 *p)
{
	return p->established != 0 && p->follow.awaited == 0;
}

const char *followup_awaited(const struct phase1 *p)
{
	return (p->follow.awaited & FOLLOWUP_XAUTH) != 0 ? "XAUTH" : "an address (Mode Config)";
}

/* XAUTH is the gateway's to begin, and so is push; we ask for what is to be pulled. */
static void next(struct phase1 *p)
{
	if (p->follow.awaited == 0) {
		const struct refusal *why = split_networks(p);

		timer_disarm(engine_timers(p->ike->engine), &p->follow.timer);
		if (why != NULL) {
			p->follow.awaited = FOLLOWUP_ADDRESS;	/* what it got is none that can be used: it is never ready */
			followup_fail(p, why, false);
		} else {
			phase1_ready(p);
		}
	} else if (p->follow.awaited == FOLLOWUP_ADDRESS && p->c->policy.modecfg == CONFIG_MODE_PULL) {
		transaction_pull(p);
	}
}

void followup_begin(struct phase1 *p)
{
	bool client = p->x->role == ROLE_INITIATOR;

	p->follow.timer.fire = on_timer;
	p->follow.timer.ctx = p;
	if (p->chosen.xauth)
		p->follow.awaited |= FOLLOWUP_XAUTH;
	if (p->c->policy.modecfg != CONFIG_MODE_NO && (client || (p->chosen.xauth && p->c->lease == NULL)))
		p->follow.awaited |= FOLLOWUP_ADDRESS;
	if (p->follow.awaited != 0)
		timer_arm(engine_timers(p->ike->engine), &p->follow.timer, p->ike->now + TIMER_FOLLOWUP_MS[0]);
	next(p);
}

void followup_done(struct phase1 *p, uint32_t step)
{
	p->follow.moved = (p->follow.awaited & step) != 0;
	p->follow.awaited &= ~step;
}

void followup_lease(struct phase1 *p, struct lease *l)
{
	const char *more;

	lease_unref(p->follow.lease);
	p->follow.lease = l;
	ike_log(p->ike, p->c, p->x, p->whack, WHACK_STATUS_LOG, "the gateway gives us %s",
		lease_text(p->ike->arena, l));
	if (l->banner.p[0] != '\0')
		ike_log(p->ike, p->c, p->x, p->whack, WHACK_STATUS_LOG, "the gateway says: %s", l->banner.p);
	more = p->c->policy.split ? split_outside(p->ike->arena, p) : lease_uncovered(p->ike->arena, l, p->c);
	if (more[0] != '\0')
		ike_log(p->ike, p->c, p->x, p->whack, WHACK_STATUS_LOG,
			"behind the gateway there is more than this connection is for: to reach it, describe the gateway's "
			"end with --client %s, too", more);
	followup_done(p, FOLLOWUP_ADDRESS);
}

void followup_give_up(struct phase1 *p, const struct refusal *why)
{
	p->follow.why = why;
}

void followup_go_on(struct phase1 *p)
{
	const struct refusal *why = p->follow.why;

	p->follow.why = NULL;
	if (why != NULL) {
		followup_fail(p, why, false);
	} else if (p->follow.moved) {
		p->follow.moved = false;
		next(p);
	}
}

void followup_fail(struct phase1 *p, const struct refusal *why, bool again)
{
	struct ike *ike = p->ike;

	ike_refusal(ike, p->c, p->x, p->whack, true, why);
	p->follow.status = why->status;
	if (!again) {
		struct pending *q;

		upkeep_bar(ike, p->c);
		STAILQ_FOREACH(q, &p->pending, next)
			upkeep_bar(ike, q->c);
	}
	send_delete(ike, p->x);
	engine_end(ike->engine, p->x, again ? END_NO_RESPONSE : END_REFUSED);
}

static void on_timer(void *ctx, uint64_t now)
{
	struct phase1 *p = ctx;
	struct arena *a = p->ike->arena;
	uint32_t seconds = TIMER_FOLLOWUP_MS[0] / 1000;

	ike_clock(p->ike, now);
	followup_fail(p, (p->follow.awaited & FOLLOWUP_XAUTH) != 0 ? refuse_xauth_silent(a, p->c->name, seconds) :
		      p->c->policy.modecfg == CONFIG_MODE_PUSH ? refuse_config_silent(a, p->c->name, seconds) :
		      refuse_config_no_response(a, p->c->name), true);
}

void followup_stop(struct phase1 *p)
{
	timer_disarm(engine_timers(p->ike->engine), &p->follow.timer);
	lease_unref(p->follow.lease);
	p->follow.lease = NULL;
}

/* ---- the address in use ---------------------------------------------------- */

struct mover {			/* who waits for the connection to have come down */
	STAILQ_ENTRY(mover) next;
	uint32_t whack, try;
};

struct move {
	struct connection *c;
	STAILQ_HEAD(, mover) waiting;
};

static void wait_for(struct move *m, uint32_t whack, uint32_t try)
{
	struct mover *w = NEW(struct mover);

	w->whack = whack;
	w->try = try;
	STAILQ_INSERT_TAIL(&m->waiting, w, next);
}

/* Each request goes on as it came. */
static void begin_anew(struct ike *ike, struct connection *c, struct mover *w)
{
	if (c->deleted || c->ours < 0)
		initiate_failed(ike, c, w->whack, WHACK_STATUS_TERMINATED);
	else
		connection_initiate(ike, c, w->whack, w->try);
	free(w);
}

/* Nothing of c is in the kernel any more: it begins anew, with the new address. */
static void moved(struct ike *ike, void *ctx, const struct plan *plan)
{
	struct move *m = ctx;
	struct connection *c = m->c;
	struct phase1 *p = phase1_usable(ike, c, true);

	(void)plan;
	c->move = NULL;
	/* Taken here: the plan that is just done still counts, so followup_phase2 would send it down again, without end. */
	if (p != NULL && p->follow.lease != NULL && c->routing == UNROUTED && LIST_EMPTY(&c->phase2s))
		hosts_lease(ike, c, p->follow.lease);
	while (!STAILQ_EMPTY(&m->waiting)) {
		struct mover *w = STAILQ_FIRST(&m->waiting);

		STAILQ_REMOVE_HEAD(&m->waiting, next);
		begin_anew(ike, c, w);
	}
	free(m);
}

static void move(struct ike *ike, struct connection *c, uint32_t whack, uint32_t try)
{
	struct move *m;
	struct plan *plan;

	if (c->move != NULL) {			/* it comes down already */
		wait_for(c->move, whack, try);
		return;
	}
	c->move = m = NEW(struct move);
	ike_log(ike, c, NULL, whack, WHACK_STATUS_LOG, "our address has changed: the connection begins anew");
	m->c = c;
	STAILQ_INIT(&m->waiting);
	wait_for(m, whack, try);
	connection_drop_sas(ike, c);
	plan = plan_new(ike, c);
	routing_down(ike, c, plan);
	plan_submit(plan, moved, m);
}

void followup_phase2(struct phase1 *p, struct connection *c, uint32_t whack, uint32_t try)
{
	struct lease *l = p->follow.lease;
	bool same = l == NULL || (c->lease != NULL && addr_eq(&c->lease->address, &l->address));

	if (same || (c->routing == UNROUTED && c->n_plans == 0 && LIST_EMPTY(&c->phase2s))) {
		if (l != NULL) {
			hosts_lease(p->ike, c, l);
			nets_enter(p->ike->nets, c);
		}
		phase2_start(p->ike, c, p->x, whack, try);
		return;
	}
	move(p->ike, c, whack, try);
}

/* ---- vendor IDs ------------------------------------------------------------- */

size_t followup_vendors(const struct connection *c, struct emit_VID *list)
{
	size_t n = 0;

	if (c->policy.xauth)
		list[n++].id = vendor_table[VENDOR_XAUTH].data;
	if (c->policy.xauth || c->policy.modecfg != CONFIG_MODE_NO)
		list[n++].id = vendor_table[VENDOR_UNITY].data;
	return n;
}
