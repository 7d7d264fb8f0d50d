/* plan.c -- running sequences of kernel requests. */
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "ike/internal.h"
#include "ike/plan.h"
#include "ike/updown.h"

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

static void start_step(struct plan *p, const struct step *s)
{
	const struct kernel *k = &p->ike->kernel;
	uint32_t token = request_new(p->ike, &p->requests, step_done, p)->token;

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

static void finish(struct plan *p)
{
	struct connection *c = p->c;
	struct ike *ike = p->ike;

	STAILQ_REMOVE_HEAD(&c->plans, next);
	c->held++;
	if (p->done != NULL)
		p->done(ike, p->ctx, !p->failed, p->why);
	plan_drop(p);
	c->held--;
	ike->n_plans--;
	if (!STAILQ_EMPTY(&c->plans) && !STAILQ_FIRST(&c->plans)->running)
		run(STAILQ_FIRST(&c->plans));
	else if (STAILQ_EMPTY(&c->plans))
		connection_settled(ike, c);
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
	struct connection *c = p->c;
	bool idle = STAILQ_EMPTY(&c->plans);

	p->done = done;
	p->ctx = ctx;
	STAILQ_INSERT_TAIL(&c->plans, p, next);
	p->ike->n_plans++;
	if (idle)
		run(p);
}

void plans_forget(struct connection *c, const void *ctx)
{
	struct plan *p;

	STAILQ_FOREACH(p, &c->plans, next)
		if (p->ctx == ctx)
			p->done = NULL;
}
