/* transition.c -- running a row: its action decides, the answer is sent, the state moves. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "engine/internal.h"
#include "engine/msgids.h"
#include "engine/shape.h"

void action_bind(struct action *a, enum variant v)
{
	a->x->agreed.variants = 1u << v;
	a->x->agreed.bound = true;
}

void action_protect(struct action *a, enum alg cipher, size_t key_octets, enum alg hash)
{
	struct exchange *root = exchange_root(a->x);

	root->agreed.cipher = cipher;
	root->agreed.key_octets = (uint16_t)key_octets;
	root->agreed.hash = hash;
}

void action_repeat(struct action *a, uint32_t sends, uint32_t interval)
{
	if (sends > 0)
		a->x->sends_max = (uint8_t)(sends < 20 ? sends : 20);
	if (interval > 0)
		a->x->interval = interval;
}

void action_supply(struct action *a, enum key_value v, struct span s)
{
	values_set(&a->x->values, (uint16_t)v, s);
}

struct span action_value(struct action *a, enum key_value v, size_t n)
{
	struct key_context c = { .arena = a->arena };
	struct span s = keys_value(a->x, &c, (uint16_t)v, n);

	return s.p == NULL ? s : arena_span(a->arena, s);
}

enum action_result action_refuse(struct action *a, const struct refusal *why)
{
	a->refusal = why;
	return ACTION_REFUSE;
}

enum action_result action_fail(struct action *a, const struct refusal *why)
{
	a->refusal = why;
	return ACTION_FAIL;
}

void parked_free(struct exchange *x)
{
	if (x->parked == NULL)
		return;
	buf_free(&x->parked->plain);
	free(x->parked);
	x->parked = NULL;
}

void attempt_begin(struct exchange *x)
{
	x->before = x->agreed;
	memcpy(x->agreed.rcookie, x->engine->message.header.rcookie.p, COOKIE_SIZE);
	values_try(&x->values);
}

void attempt_end(struct exchange *x, bool accepted)
{
	if (!x->values.tentative)
		return;
	if (accepted) {
		values_keep(&x->values);
	} else {
		values_undo(&x->values);
		x->agreed = x->before;
	}
}

static enum verdict park(struct exchange *x, const struct step *step, const struct incoming *in)
{
	struct parked *p = NEW(struct parked);

	p->step = *step;
	p->deadline = timer_armed(&x->timer) ? x->timer.at : 0;
	if (in != NULL) {
		p->plain = buf_copy(in->plain);
		p->hash = in->hash;
		p->encrypted = in->encrypted;
		p->local = *in->local;
		p->remote = *in->remote;
		memcpy(p->iv_after, in->iv_after, sizeof(p->iv_after));
	}
	x->parked = p;
	timer_disarm(&x->engine->timers, &x->timer);
	exchange_enlist(x);
	return VERDICT_PARKED;
}

/* The first answer brings the responder's cookie. */
static void learn_cookie(struct engine *e, struct exchange *x, const struct message *m)
{
	if (m == NULL || x->parent != NULL || x->role != ROLE_INITIATOR ||
	    get_u64(x->cookies + COOKIE_SIZE) != 0)
		return;
	table_remove(&e->table, x);
	memcpy(x->cookies + COOKIE_SIZE, x->agreed.rcookie, COOKIE_SIZE);
	table_add(&e->table, x);
}

/* What the exchange still needs when it is done: the values marked `retain`; where nothing was encrypted the
 * first chaining value stands for the last block. */
static void retain(struct engine *e, struct exchange *x)
{
	struct key_context c = { .arena = e->arena };

	if (x->machine->phase == 1) {
		if (!x->iv_set)
			x->iv_set = protect_chain(e, x, x->machine->iv, x->iv);
		for (uint16_t v = 1; v < KEY_VALUE_COUNT; v++) {
			if (!key_values[v].retain || key_values[v].source != VALUE_FORMULA)
				continue;
			const struct key_formula *f = key_formula(v, x->agreed.variants);
			struct span s = keys_value(x, &c, v, f != NULL && f->fn == KEY_STRETCH
							     ? x->agreed.key_octets : 0);

			if (s.p != NULL)
				values_set(&x->values, v, s);
		}
	}
	values_retain(&x->values);
}

/* Emit the answer of a row; false when that was impossible. */
static bool answer(struct engine *e, struct exchange *x, const struct row *row, const void *out,
		   struct span *datagram)
{
	const struct machine_desc *m = x->machine;

	*datagram = span_of(NULL, 0);
	if (row->send == NULL)
		return true;
	*datagram = build_message(e, x, row->send, x->agreed.variants, out, m->iv, m->cipher_key);
	return datagram->n > 0;
}

static enum verdict commit(struct engine *e, struct exchange *x, const struct row *row,
			   const struct message *m, const struct incoming *in, const void *out)
{
	struct span datagram;

	attempt_end(x, true);
	learn_cookie(e, x, m);
	if (in != NULL && in->encrypted) {
		memcpy(x->iv, in->iv_after, sizeof(x->iv));
		x->iv_set = true;
		if (x->parent == NULL)
			exchange_follow(e, x, in->local, in->remote);
	}
	if (!answer(e, x, row, out, &datagram)) {
		engine_end(e, x, END_REFUSED);
		return VERDICT_REFUSED;
	}
	if (in != NULL) {
		x->last_in = in->hash;
		x->heard = exchange_root(x)->heard = e->now;
		x->proven |= x->parent != NULL || x->role == ROLE_INITIATOR ||
			     (x->state != NULL && !x->state->start);
	}
	x->state = row->next;
	if (exchange_final(x))
		retain(e, x);
	keep_sent(x, row->timer == TIMER_RETRANSMIT || x->state->resend ? datagram
								       : span_of(NULL, 0));
	arm_exchange_timer(e, x, row);
	exchange_enlist(x);
	if (datagram.n > 0)
		send_datagram(e, x, datagram);
	e->host.moved(e->host.ctx, x);
	if (x->state->over && !timer_armed(&x->timer))
		engine_end(e, x, END_OVER);
	return VERDICT_ACCEPTED;
}

/* An action did not accept: x stays as it was, or ends. */
static enum verdict decline(struct engine *e, struct exchange *x, const struct action *a,
			    enum action_result r)
{
	attempt_end(x, false);
	if (a->refusal != NULL) {
		x->disliked = true;
		report(e, x, r == ACTION_FAIL, a->refusal);
		e->host.refused(e->host.ctx, x, a->refusal);
	}
	/* An exchange that has not begun has nothing to go back to. */
	if (r == ACTION_FAIL || x->state == NULL || x->state->start)
		engine_end(e, x, END_REFUSED);
	return r == ACTION_IGNORE ? VERDICT_IGNORED : VERDICT_REFUSED;
}

/* The message is what it says: its hashes are right, and it begins nothing a second time. */
static const struct refusal *authentic(struct engine *e, struct exchange *x, const struct row *row,
				       const struct message *m, const struct incoming *in)
{
	const struct refusal *why = verify_hashes(e, x, row->recv, m), *meant;

	if (why != NULL && !in->encrypted) {	/* nothing but the hash has told whether the keys are the same */
		meant = e->host.garbled(e->host.ctx, x, e->arena);
		return meant != NULL ? meant : why;
	}
	return why == NULL && x->state->start && x->parent != NULL ? use_msgid(e, x->parent, x->msgid) : why;
}

/* The shape of a message tells the variant where the spec says so. */
static void select_variant(struct exchange *x, const struct step *step)
{
	uint32_t v = step->variants;

	if (!x->agreed.bound && step->row->selects && v != 0 && (v & (v - 1)) == 0) {
		x->agreed.variants = v;
		x->agreed.bound = true;
	}
}

/* Verify the message, after what is needed for that.  False: it ends here, with *v. */
static bool prepare(struct engine *e, struct exchange *x, const struct step *step, struct action *a,
		    const struct incoming *in, enum verdict *v)
{
	enum action_result r = ACTION_OK;
	const struct refusal *why;

	select_variant(x, step);
	if (step->row->prepare != NULL)
		r = step->row->prepare(a, a->message, NULL);
	if (x->dying)
		*v = VERDICT_REFUSED;
	else if (r == ACTION_PARKED)
		*v = park(x, step, in);
	else if (r != ACTION_OK)
		*v = decline(e, x, a, r);
	else if ((why = authentic(e, x, step->row, a->message, in)) != NULL)
		*v = refuse_message(e, x, why);
	else
		return true;
	return false;
}

enum verdict run_row(struct engine *e, struct exchange *x, const struct step *given,
		     const struct message *m, const struct incoming *in, void *resumed)
{
	struct step step = *given;
	const struct row *row = step.row;
	struct action a = { .engine = e, .x = x, .arena = e->arena, .now = e->now, .row = row,
			    .message = m, .resumed = resumed };
	void *out = row->send == NULL ? NULL : arena_alloc(e->arena, row->send->out_size);
	enum action_result r;
	enum verdict v;

	if (in != NULL) {
		a.from = in->remote;
		a.to = in->local;
	}
	if (!step.verified) {
		if (!prepare(e, x, &step, &a, in, &v))
			return v;
		step.verified = true;
		if (x->parent != NULL)		/* of phase 1 the action has still to say so */
			exchange_follow(e, x, in->local, in->remote);
		a.resumed = NULL;
	}
	debug_say(e, x, ENGINE_DEBUG_CONTROL, "%s in %s: %s", row->recv == NULL ? "begin" : row->recv->name,
		  x->state == NULL ? "no state" : x->state->name, row->action_name);
	r = row->run(&a, m, out);
	if (x->dying)
		return VERDICT_REFUSED;
	switch (r) {
	case ACTION_OK:
		return commit(e, x, row, m, in, out);
	case ACTION_PARKED:
		return park(x, &step, in);
	default:
		return decline(e, x, &a, r);
	}
}

/* Read a parked message again: it was valid when it was parked. */
static bool reread(struct engine *e, const struct parked *p, struct incoming *in)
{
	struct fault f = { 0 };
	struct message *m = &e->message;
	uint32_t matched = 0;
	char expected[1];

	in->plain = arena_span(e->arena, span_buf(p->plain));
	in->hash = p->hash;
	in->encrypted = p->encrypted;
	memcpy(in->iv_after, p->iv_after, sizeof(in->iv_after));
	return parse_header(in->plain, 0, &m->header, &f) &&
	       parse_chain(m, in->plain, p->encrypted, &f) &&
	       shape_match(p->step.row->recv, p->step.variants, m, &matched, &f, expected, sizeof(expected));
}

/* Phase 1 is complete: what came too early for it is due. */
static void take_early(struct engine *e, struct exchange *x)
{
	struct buf early = x->early;

	if (early.p == NULL || x->dying || !exchange_final(x))
		return;
	x->early = (struct buf){ 0 };
	engine_receive(e, e->now, &x->local, &x->remote, span_buf(early));
	buf_free(&early);
}

void engine_resume(struct engine *e, uint64_t now, uint64_t serial, void *result)
{
	struct exchange *x = table_by_serial(&e->table, serial);

	if (x == NULL || x->parked == NULL)
		return;
	engine_enter(e, now);
	struct parked p = *x->parked;
	struct incoming in = { .local = &p.local, .remote = &p.remote };

	free(x->parked);
	x->parked = NULL;
	if (p.deadline != 0)
		timer_arm(&e->timers, &x->timer, p.deadline);
	if (p.step.row->recv == NULL)
		run_row(e, x, &p.step, NULL, NULL, result);
	else if (reread(e, &p, &in))
		run_row(e, x, &p.step, &e->message, &in, result);
	else
		engine_end(e, x, END_REFUSED);
	buf_free(&p.plain);
	take_early(e, x);
	engine_leave(e);
}
