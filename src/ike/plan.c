/* plan.c -- running sequences of kernel requests. */
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "ike/errand.h"
#include "ike/internal.h"
#include "ike/plan.h"
#include "ike/routing.h"
#include "ike/updown.h"

/* Plans for one client of a peer, in order; lives as long as there are any. */
struct lane {
	struct subnet client;
	STAILQ_HEAD(, plan) plans;
	UT_hash_handle hh;
};

static struct lane *lane_of(struct ike *ike, const struct connection *c)
{
	struct subnet client = connection_client(c, false), key;
	struct lane *l;

	memset(&key, 0, sizeof(key));	/* hashed as bytes */
	key.addr.len = client.addr.len;
	memcpy(key.addr.b, client.addr.b, sizeof(key.addr.b));
	key.bits = client.bits;
	HASH_FIND(hh, ike->lanes, &key, sizeof(key), l);
	if (l == NULL) {
		l = NEW(struct lane);
		l->client = key;
		STAILQ_INIT(&l->plans);
		HASH_ADD(hh, ike->lanes, client, sizeof(l->client), l);
	}
	return l;
}

struct plan *plan_new(struct ike *ike, struct connection *c)
{
	struct plan *p = NEW(struct plan);

	p->ike = ike;
	p->c = c;
	LIST_INIT(&p->requests);
	return p;
}

static struct step *append(struct plan *p, enum step_kind kind)
{
	struct step *s = &p->step[p->n];

	if (p->n < PLAN_STEPS - 1)	/* the last place only ever takes what does not fit */
		p->n++;
	s->kind = kind;
	return s;
}

void plan_add_sa(struct plan *p, const struct kernel_sa *sa)
{
	struct step *s = append(p, STEP_ADD_SA);

	s->u.sa = *sa;
	s->keys = buf_new(sa->cipher_key.n + sa->mac_key.n);
	if (sa->cipher_key.n > 0)
		memcpy(s->keys.p, sa->cipher_key.p, sa->cipher_key.n);
	if (sa->mac_key.n > 0)
		memcpy(s->keys.p + sa->cipher_key.n, sa->mac_key.p, sa->mac_key.n);
	s->u.sa.cipher_key = span_of(s->keys.p, sa->cipher_key.n);
	s->u.sa.mac_key = span_from(span_buf(s->keys), sa->cipher_key.n);
}

void plan_del_sa(struct plan *p, const struct sa_id *id)
{
	struct step *s = append(p, STEP_DEL_SA);

	s->u.id = *id;
	s->tolerant = true;
}

void plan_move_sa(struct plan *p, const struct sa_id *id, bool inbound, const struct endpoint *peer)
{
	struct step *s = append(p, STEP_MOVE_SA);

	s->u.move.id = *id;
	s->u.move.inbound = inbound;
	s->u.move.peer = *peer;
	s->tolerant = true;
}

void plan_route(struct plan *p)
{
	append(p, STEP_PREPARE);
	append(p, STEP_COVER);		/* before the route, so that nothing can leave in clear by it */
	append(p, STEP_ROUTE);
}

void plan_unroute(struct plan *p)
{
	append(p, STEP_UNROUTE)->tolerant = true;
	append(p, STEP_UNCOVER)->tolerant = true;
}

void plan_carry(struct plan *p, const struct kernel_eroute *e, bool tolerant)
{
	struct step *s = append(p, STEP_CARRY);

	s->u.eroute = *e;
	s->tolerant = tolerant;
	append(p, STEP_UP)->tolerant = tolerant;
}

void plan_trap(struct plan *p)
{
	append(p, STEP_TRAP)->tolerant = true;
}

void plan_trap_again(struct plan *p)
{
	append(p, STEP_TRAP_AGAIN)->tolerant = true;
}

void plan_down(struct plan *p)
{
	append(p, STEP_DOWN)->tolerant = true;
}

void plan_drop(struct plan *p)
{
	for (unsigned i = 0; i < p->n; i++)
		buf_free(&p->step[i].keys);
	free(p);
}

static void run(struct lane *l);

/* Keep in mind what is in place now.  What should have gone counts as gone: nobody tries again. */
static void note(struct plan *p, const struct step *s, bool ok)
{
	struct routes *r = p->ike->routes;

	switch (s->kind) {
	case STEP_MOVE_SA:
		p->lost |= !ok;
		break;
	case STEP_COVER:
		if (ok)
			routes_covered(r, p->c, EROUTE_TRAP);
		break;
	case STEP_UNCOVER:
		if (p->heir == NULL)
			routes_uncovered(r, p->c);
		else
			routes_covered(r, p->heir, EROUTE_TRAP);
		break;
	case STEP_CARRY:
		if (ok)
			routes_covered(r, p->c, EROUTE_SA);
		break;
	case STEP_TRAP:
		routes_covered(r, p->c, EROUTE_TRAP);
		break;
	case STEP_ROUTE:
		routes_routed(r, p->c, ok ? THERE : TRIED);
		break;
	case STEP_UNROUTE:
		routes_routed(r, p->c, NOT_THERE);
		break;
	case STEP_UP:
		routes_told(r, p->c, ok ? THERE : TRIED);
		break;
	case STEP_DOWN:
		routes_told(r, p->c, NOT_THERE);
		break;
	default:
		break;
	}
}

/* Whoever waits is told; what takes something away goes on all the same. */
static void step_failed(struct plan *p, bool tolerant, const char *why)
{
	struct ike *ike = p->ike;

	snprintf(p->why, sizeof(p->why), "%s", why);
	p->failed = !tolerant;
	if (tolerant)
		ike_log(ike, p->c, NULL, NO_WHACK, WHACK_STATUS_LOG_SERIOUS, "%s%s%s",
			p->verb == NULL ? "" : p->verb, p->verb == NULL ? "" : ": ", why);
	errand_trouble(ike, p->errand, p->verb != NULL || !tolerant ? plan_refusal(ike->arena, p) :
				       refuse_removal_failed(ike->arena, p->c->name, why));
}

static void step_done(struct ike *ike, void *ctx, const struct kernel_result *r)
{
	struct plan *p = ctx;
	const struct step *s = &p->step[p->at];

	ike_debug(ike, p->c, DEBUG_CLASSES_KLIPS, "answer: %s", r->ok ? "done" : r->why == NULL ? "failed" : r->why);
	if (!r->ok)
		step_failed(p, s->tolerant, r->why == NULL ? "no reason given" : r->why);
	note(p, s, r->ok);
	if (p->verb != NULL)
		updown_answered(ike, p->c, p->verb, r);
	if (!p->failed)
		p->verb = NULL;
	p->at++;
	if (!p->running)	/* else run() is below us on the stack and goes on */
		run(p->lane);
}

/* What the step asks the updown command, NULL = nothing. */
static const char *verb_of(enum step_kind kind)
{
	static const char *const verb[] = {
		[STEP_PREPARE] = "prepare", [STEP_ROUTE] = "route", [STEP_UP] = "up",
		[STEP_DOWN] = "down", [STEP_UNROUTE] = "unroute",
	};

	return kind < sizeof(verb) / sizeof(verb[0]) ? verb[kind] : NULL;
}

static const char *step_text(struct arena *a, const struct step *s)
{
	static const char *const what[] = {
		[STEP_ADD_SA] = "add SA", [STEP_DEL_SA] = "delete SA", [STEP_MOVE_SA] = "move SA",
		[STEP_PREPARE] = "updown prepare",
		[STEP_COVER] = "trap before the route", [STEP_ROUTE] = "updown route", [STEP_CARRY] = "eroute to SAs",
		[STEP_UP] = "updown up", [STEP_TRAP] = "eroute to a trap", [STEP_DOWN] = "updown down",
		[STEP_UNROUTE] = "updown unroute", [STEP_UNCOVER] = "eroute away",
	};
	const struct sa_id *id = s->kind == STEP_ADD_SA ? &s->u.sa.id : s->kind == STEP_DEL_SA ? &s->u.id :
				 s->kind == STEP_MOVE_SA ? &s->u.move.id : NULL;
	char dst[ADDR_TEXT];

	if (id == NULL)
		return what[s->kind];
	return arena_printf(a, "%s 0x%08x, IP protocol %u, to %s", what[s->kind], id->spi, id->protocol,
			    addr_format(&id->dst, dst));
}

/* Is there anything to do for this step, as things are now? */
static bool needed(struct plan *p, const struct step *s)
{
	const struct routes *r = p->ike->routes;

	switch (s->kind) {
	case STEP_PREPARE:	/* may delete an old route to the client, so never comes without a new one */
	case STEP_ROUTE:
		return routes_want_route(r, p->c);
	case STEP_COVER:
		return routes_want_cover(r, p->c);
	case STEP_UNCOVER:
		p->heir = NULL;
		return routes_want_uncover(r, p->c, &p->heir) != UNCOVER_NOTHING;
	case STEP_CARRY:
		return !p->lost && p->c->route != NULL;
	case STEP_UP:
		return !p->lost && routes_want_up(r, p->c);
	case STEP_TRAP:
		return routes_carry(r, p->c);
	case STEP_TRAP_AGAIN:
		return routes_trap(r, p->c);
	case STEP_DOWN:
		return routes_want_down(r, p->c);
	case STEP_UNROUTE:
		return routes_want_unroute(r, p->c);
	default:
		return true;
	}
}

static void start_eroute(struct plan *p, const struct step *s, uint32_t token)
{
	const struct kernel *k = &p->ike->kernel;
	const struct connection *whose = s->kind == STEP_UNCOVER ? p->heir : p->c;
	struct kernel_eroute trap;

	if (s->kind == STEP_CARRY) {
		k->ops->set_eroute(k->k, token, &s->u.eroute);
		return;
	}
	trap = routing_trap(whose == NULL ? p->c : whose);
	if (whose == NULL)
		k->ops->del_eroute(k->k, token, &trap);
	else
		k->ops->set_eroute(k->k, token, &trap);
}

static void start_step(struct plan *p, const struct step *s)
{
	const struct kernel *k = &p->ike->kernel;
	uint32_t token;

	if (!needed(p, s)) {
		p->at++;
		return;
	}
	if (p->ike->leaving) {		/* nobody is asked: it counts as done */
		note(p, s, true);
		p->at++;
		return;
	}
	ike_debug(p->ike, p->c, DEBUG_CLASSES_KLIPS, "asked: %s", step_text(p->ike->arena, s));
	p->verb = verb_of(s->kind);
	token = request_new(p->ike, &p->requests, step_done, p)->token;
	if (p->verb != NULL)
		updown_ask(p->ike, p->c, p->verb, token);
	else if (s->kind == STEP_ADD_SA)
		k->ops->add_sa(k->k, token, &s->u.sa);
	else if (s->kind == STEP_DEL_SA)
		k->ops->del_sa(k->k, token, &s->u.id);
	else if (s->kind == STEP_MOVE_SA)
		k->ops->move_sa(k->k, token, &s->u.move.id, s->u.move.inbound, &s->u.move.peer);
	else
		start_eroute(p, s, token);
}

const struct refusal *plan_refusal(struct arena *a, const struct plan *p)
{
	if (p->verb != NULL)
		return refuse_updown_failed(a, p->c->name, p->verb, p->why);
	return refuse_backend_failed(a, p->c->name, p->why);
}

/* The plan at the head of its lane is done: tell its maker. */
static void finish(struct plan *p)
{
	struct connection *c = p->c;
	struct errand *errand = p->errand;
	struct ike *ike = p->ike;

	if (p->done != NULL)
		p->done(ike, p->ctx, p);
	STAILQ_REMOVE_HEAD(&p->lane->plans, next);
	plan_drop(p);
	ike->n_plans--;
	c->n_plans--;
	connection_settled(ike, c);
	errand_release(ike, errand);
}

/* False: the answer to a step comes later. */
static bool advance(struct plan *p)
{
	p->running = true;
	while (p->at < p->n && !p->failed) {
		unsigned before = p->at;

		start_step(p, &p->step[p->at]);
		if (p->at == before) {
			p->running = false;
			return false;
		}
	}
	return true;
}

static void run(struct lane *l)
{
	struct ike *ike = STAILQ_FIRST(&l->plans)->ike;

	while (!STAILQ_EMPTY(&l->plans)) {
		if (!advance(STAILQ_FIRST(&l->plans)))
			return;
		finish(STAILQ_FIRST(&l->plans));
	}
	HASH_DEL(ike->lanes, l);
	free(l);
}

void plan_submit(struct plan *p, plan_done *done, void *ctx)
{
	struct lane *l = lane_of(p->ike, p->c);
	bool idle = STAILQ_EMPTY(&l->plans);

	p->lane = l;
	p->done = done;
	p->ctx = ctx;
	if (p->errand == NULL)
		p->errand = p->ike->errand;
	errand_hold(p->errand);
	STAILQ_INSERT_TAIL(&l->plans, p, next);
	p->ike->n_plans++;
	p->c->n_plans++;
	if (idle)
		run(l);
}

void plans_forget(struct ike *ike, const struct connection *c, const void *ctx)
{
	struct lane *l = lane_of(ike, c);
	struct plan *p;

	STAILQ_FOREACH(p, &l->plans, next)
		if (p->ctx == ctx)
			p->done = NULL;
	if (STAILQ_EMPTY(&l->plans)) {
		HASH_DEL(ike->lanes, l);
		free(l);
	}
}

void plans_free(struct ike *ike)
{
	struct lane *l, *next;

	HASH_ITER(hh, ike->lanes, l, next) {
		while (!STAILQ_EMPTY(&l->plans)) {
			struct plan *p = STAILQ_FIRST(&l->plans);
			struct connection *c = p->c;

			STAILQ_REMOVE_HEAD(&l->plans, next);
			requests_abandon(&p->requests);
			errand_drop(p->errand);
			plan_drop(p);
			c->n_plans--;
			connection_settled(ike, c);
		}
		HASH_DEL(ike->lanes, l);
		free(l);
	}
}
