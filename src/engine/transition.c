/* transition.c -- running a row: its action decides, the answer is sent, the state moves. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "engine/internal.h"
#include "engine/msgids.h"
#include "engine/shape.h"

void action_bind(struct action *a, enum variant v)
{
	a->x->variants = 1u << v;
	a->x->bound = true;
}

void action_protect(struct action *a, enum alg cipher, size_t key_octets, enum alg hash)
{
	struct exchange *root = exchange_root(a->x);

	root->cipher = cipher;
	root->key_octets = (uint16_t)key_octets;
	root->hash = hash;
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

static void park(struct exchange *x, const struct row *row, uint32_t variants,
		 const struct incoming *in)
{
	struct parked *p = NEW(struct parked);

	p->row = row;
	p->variants = variants;
	if (in != NULL) {
		p->plain = buf_copy(in->plain);
		p->hash = in->hash;
		p->encrypted = in->encrypted;
		memcpy(p->iv_after, in->iv_after, sizeof(p->iv_after));
	}
	x->parked = p;
	timer_disarm(&x->engine->timers, &x->timer);
}

/* The first answer brings the responder's cookie. */
static void learn_cookie(struct engine *e, struct exchange *x, const struct message *m)
{
	if (m == NULL || x->parent != NULL || x->role != ROLE_INITIATOR ||
	    get_u64(x->cookies + COOKIE_SIZE) != 0)
		return;
	table_remove(&e->table, x);
	memcpy(x->cookies + COOKIE_SIZE, m->header.rcookie.p, COOKIE_SIZE);
	table_add(&e->table, x);
}

/* What the exchange still needs when it is done: the values marked `retain`. */
static void retain(struct engine *e, struct exchange *x)
{
	struct key_context c = { .arena = e->arena };

	if (x->machine->phase == 1) {
		for (uint16_t v = 1; v < KEY_VALUE_COUNT; v++) {
			if (!key_values[v].retain || key_values[v].source != VALUE_FORMULA)
				continue;
			const struct key_formula *f = key_formula(v, x->variants);
			struct span s = keys_value(x, &c, v, f != NULL && f->fn == KEY_STRETCH
							     ? x->key_octets : 0);

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
	*datagram = build_message(e, x, row->send, x->variants, out, m->iv, m->cipher_key);
	return datagram->n > 0;
}

static enum verdict commit(struct engine *e, struct exchange *x, const struct row *row,
			   const struct message *m, const struct incoming *in, const void *out)
{
	struct span datagram;

	learn_cookie(e, x, m);
	if (in != NULL && in->encrypted) {
		memcpy(x->iv, in->iv_after, sizeof(x->iv));
		x->iv_set = true;
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
		e->host.send(e->host.ctx, x, datagram);
	e->host.moved(e->host.ctx, x);
	return VERDICT_ACCEPTED;
}

/* The action did not accept: x stays as it was, or ends. */
static enum verdict decline(struct engine *e, struct exchange *x, const struct action *a,
			    enum action_result r, const struct captures *c)
{
	if (c != NULL)
		capture_undo(x, c);
	if (a->refusal != NULL) {
		report(e, x, r == ACTION_FAIL, a->refusal);
		e->host.refused(e->host.ctx, x, a->refusal);
	}
	/* An exchange that has not begun, or whose message was dealt with in the background and
	 * then refused, has nothing to go back to. */
	if (r == ACTION_FAIL || x->state == NULL || x->state->start)
		engine_end(e, x, END_REFUSED);
	else if (!timer_armed(&x->timer))	/* it was parked: wait on, and send again what was sent */
		timer_arm(&e->timers, &x->timer,
			  e->now + (x->sends > 0 ? x->interval : TIMER_LARVAL_MS[0]));
	return r == ACTION_IGNORE ? VERDICT_IGNORED : VERDICT_REFUSED;
}

enum verdict run_row(struct engine *e, struct exchange *x, const struct row *row,
		     const struct message *m, uint32_t variants, const struct incoming *in,
		     const struct captures *c, void *resumed)
{
	struct action a = { .engine = e, .x = x, .arena = e->arena, .now = e->now, .row = row,
			    .message = m, .resumed = resumed };
	void *out = row->send == NULL ? NULL : arena_alloc(e->arena, row->send->out_size);

	if (!x->bound && x->machine->peer_selects && (variants & (variants - 1)) == 0 && variants != 0) {
		x->variants = variants;
		x->bound = true;
	}
	enum action_result r = row->run(&a, m, out);

	if (x->dying)
		return VERDICT_REFUSED;
	switch (r) {
	case ACTION_OK:
		return commit(e, x, row, m, in, out);
	case ACTION_PARKED:
		park(x, row, variants, in);
		exchange_enlist(x);
		return VERDICT_PARKED;
	default:
		return decline(e, x, &a, r, c);
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
	       shape_match(p->row->recv, p->variants, m, &matched, &f, expected, sizeof(expected));
}

void engine_resume(struct engine *e, uint64_t now, uint64_t serial, void *result)
{
	struct exchange *x = table_by_serial(&e->table, serial);

	if (x == NULL || x->parked == NULL)
		return;
	engine_enter(e, now);
	struct parked p = *x->parked;
	struct incoming in = { .local = &x->local, .remote = &x->remote };
	bool begun = p.row->recv != NULL;

	free(x->parked);
	x->parked = NULL;
	if (!begun)
		run_row(e, x, p.row, NULL, p.variants, NULL, NULL, result);
	else if (reread(e, &p, &in))
		run_row(e, x, p.row, &e->message, p.variants, &in, NULL, result);
	else
		engine_end(e, x, END_REFUSED);
	buf_free(&p.plain);
	engine_leave(e);
}
