/* plan.c -- running sequences of kernel requests. */
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "ike/internal.h"
#include "ike/plan.h"
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
	s->u.sa.mac_key = span_of(s->keys.p + sa->cipher_key.n, sa->mac_key.n);
}

void plan_del_sa(struct plan *p, const struct sa_id *id)
{
	struct step *s = append(p, STEP_DEL_SA);

	s->u.id = *id;
	s->tolerant = true;
}

void plan_eroute(struct plan *p, const struct kernel_eroute *e)
{
	append(p, STEP_SET_EROUTE)->u.eroute = *e;
}

void plan_tolerate(struct plan *p)
{
	if (p->n > 0)
		p->step[p->n - 1].tolerant = true;
}

void plan_del_eroute(struct plan *p, const struct kernel_eroute *e)
{
	struct step *s = append(p, STEP_DEL_EROUTE);

	s->u.eroute = *e;
	s->tolerant = true;
}

void plan_updown(struct plan *p, const char *verb, bool tolerant)
{
	struct step *s = append(p, STEP_UPDOWN);

	s->u.updown.verb = verb;
	s->tolerant = tolerant;
}

void plan_drop(struct plan *p)
{
	for (unsigned i = 0; i < p->n; i++)
		buf_free(&p->step[i].keys);
	free(p);
}

static void run(struct plan *p);

static void step_done(struct ike *ike, void *ctx, const struct kernel_result *r)
{
	struct plan *p = ctx;
	const struct step *s = &p->step[p->at];

	if (!r->ok && s->tolerant) {
		ike_log(ike, p->c, NULL, NO_WHACK, WHACK_STATUS_LOG_SERIOUS, "%s", r->why);
	} else if (!r->ok) {
		p->failed = true;
		snprintf(p->why, sizeof(p->why), "%s", r->why == NULL ? "no reason given" : r->why);
	}
	p->at++;
	if (!p->running)	/* else run() is below us on the stack and goes on */
		run(p);
}

/* Another connection has taken over the pair of clients since this was planned. */
static bool eroute_lost(const struct plan *p)
{
	const struct connection *owner = eroute_owner(p->ike->routes, p->c);

	return owner != NULL && owner != p->c;
}

static void start_step(struct plan *p, const struct step *s)
{
	const struct kernel *k = &p->ike->kernel;
	uint32_t token;

	if ((s->kind == STEP_SET_EROUTE || s->kind == STEP_DEL_EROUTE) && eroute_lost(p)) {
		p->at++;
		return;
	}
	token = request_new(p->ike, &p->requests, step_done, p)->token;
	switch (s->kind) {
	case STEP_ADD_SA:
		k->ops->add_sa(k->k, token, &s->u.sa);
		break;
	case STEP_DEL_SA:
		k->ops->del_sa(k->k, token, &s->u.id);
		break;
	case STEP_SET_EROUTE:
		k->ops->set_eroute(k->k, token, &s->u.eroute);
		break;
	case STEP_DEL_EROUTE:
		k->ops->del_eroute(k->k, token, &s->u.eroute);
		break;
	case STEP_UPDOWN:
		updown_ask(p->ike, p->c, s->u.updown.verb, token);
		break;
	}
}

/* The plan at the head of its lane is done: tell its maker, begin the next one. */
static void finish(struct plan *p)
{
	struct connection *c = p->c;
	struct ike *ike = p->ike;
	struct lane *l = p->lane;

	if (p->done != NULL)
		p->done(ike, p->ctx, !p->failed, p->why);
	STAILQ_REMOVE_HEAD(&l->plans, next);
	plan_drop(p);
	ike->n_plans--;
	c->n_plans--;
	connection_settled(ike, c);
	if (!STAILQ_EMPTY(&l->plans)) {
		run(STAILQ_FIRST(&l->plans));
		return;
	}
	HASH_DEL(ike->lanes, l);
	free(l);
}

static void run(struct plan *p)
{
	p->running = true;
	while (p->at < p->n && !p->failed) {
		unsigned before = p->at;

		start_step(p, &p->step[p->at]);
		if (p->at == before) {		/* the answer comes later */
			p->running = false;
			return;
		}
	}
	finish(p);
}

void plan_submit(struct plan *p, void (*done)(struct ike *, void *, bool, const char *), void *ctx)
{
	struct lane *l = lane_of(p->ike, p->c);
	bool idle = STAILQ_EMPTY(&l->plans);

	p->lane = l;
	p->done = done;
	p->ctx = ctx;
	STAILQ_INSERT_TAIL(&l->plans, p, next);
	p->ike->n_plans++;
	p->c->n_plans++;
	if (idle)
		run(p);
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
			plan_drop(p);
			c->n_plans--;
			connection_settled(ike, c);
		}
		HASH_DEL(ike->lanes, l);
		free(l);
	}
}
