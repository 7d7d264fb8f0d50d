/* engine.c -- the life of the engine and of its exchanges. */
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "engine/fragment.h"
#include "engine/msgids.h"

struct engine *engine_new(const struct engine_config *config)
{
	struct engine *e = NEW(struct engine);

	e->host = config->host;
	e->arena = arena_new();
	LIST_INIT(&e->all);
	LIST_INIT(&e->dead);
	e->host.random(e->host.ctx, e->hash_key, sizeof(e->hash_key));
	table_init(&e->table, e->hash_key);
	return e;
}

void engine_free(struct engine *e)
{
	if (e == NULL)
		return;
	engine_enter(e, e->now);
	while (!LIST_EMPTY(&e->all))
		engine_end(e, LIST_FIRST(&e->all), END_SHUTDOWN);
	engine_leave(e);
	table_free(&e->table);
	timers_free(&e->timers);
	arena_free(e->arena);
	wipe(e->out, sizeof(e->out));
	free(e);
}

static void fire(void *ctx, uint64_t now);

struct exchange *exchange_new(struct engine *e, const struct machine_desc *m, enum role role,
			      struct exchange *parent, const struct endpoint *local,
			      const struct endpoint *remote)
{
	struct exchange *x = NEW(struct exchange);

	x->engine = e;
	x->serial = ++e->serial;
	x->machine = m;
	x->role = role;
	x->agreed.variants = m->variants;
	x->interval = TIMER_RETRANSMIT_MS[0];
	x->sends_max = TIMER_RETRANSMIT_MS_N;
	x->local = *local;
	x->remote = *remote;
	x->timer.fire = fire;
	x->timer.ctx = x;
	LIST_INIT(&x->children);
	x->parent = parent;
	if (parent != NULL) {
		LIST_INSERT_HEAD(&parent->children, x, sibling);
		memcpy(x->cookies, parent->cookies, sizeof(x->cookies));
	}
	LIST_INSERT_HEAD(&e->all, x, all);
	return x;
}

/* The serial chain holds every exchange of the table, so membership is told by it. */
bool exchange_enlisted(const struct exchange *x)
{
	return table_by_serial(&x->engine->table, x->serial) == x;
}

void exchange_enlist(struct exchange *x)
{
	if (!exchange_enlisted(x))
		table_add(&x->engine->table, x);
}

static void exchange_free(struct exchange *x)
{
	parked_free(x);
	fragments_free(x);
	values_free(&x->values);
	msgids_free(x->msgids);
	buf_free(&x->sent);
	buf_free(&x->early);
	wipe(x->iv, sizeof(x->iv));
	free(x);
}

void engine_end(struct engine *e, struct exchange *x, enum end_reason why)
{
	if (x->dying)
		return;
	engine_enter(e, e->now);	/* keeps x until we return, even when `ended` ends others */
	x->dying = true;
	while (!LIST_EMPTY(&x->children))
		engine_end(e, LIST_FIRST(&x->children), why == END_SHUTDOWN ? why : END_PARENT);
	if (x->parent != NULL)
		LIST_REMOVE(x, sibling);
	if (exchange_enlisted(x))
		table_remove(&e->table, x);
	timer_disarm(&e->timers, &x->timer);
	LIST_REMOVE(x, all);
	LIST_INSERT_HEAD(&e->dead, x, all);
	e->host.ended(e->host.ctx, x, why);
	engine_leave(e);
}

void engine_enter(struct engine *e, uint64_t now)
{
	if (now > e->now)
		e->now = now;
	e->depth++;
}

void engine_leave(struct engine *e)
{
	if (--e->depth > 0)
		return;
	arena_reset(e->arena);
	while (!LIST_EMPTY(&e->dead)) {
		struct exchange *x = LIST_FIRST(&e->dead);

		LIST_REMOVE(x, all);
		exchange_free(x);
	}
}

/* The timer of an exchange: send again, or give up. */
static void fire(void *ctx, uint64_t now)
{
	struct exchange *x = ctx;
	struct engine *e = x->engine;
	bool waiting = x->sent.p != NULL && x->sends > 0;

	engine_enter(e, now);
	if (waiting && x->sends < x->sends_max) {
		timer_arm(&e->timers, &x->timer, e->now + ((uint64_t)x->interval << x->sends));
		x->sends++;
		send_datagram(e, x, span_buf(x->sent));
		e->host.resent(e->host.ctx, x, true);
	} else if (waiting) {
		uint64_t total = (uint64_t)x->interval * ((1u << x->sends) - 1);

		report(e, x, true, x->disliked ? refuse_no_good_response(e->arena, x->sends, (uint32_t)(total / 1000)) :
				   refuse_no_response(e->arena, x->sends, (uint32_t)(total / 1000)));
		engine_end(e, x, END_NO_RESPONSE);
	} else if (x->state != NULL && x->state->over) {
		engine_end(e, x, END_OVER);
	} else {
		report(e, x, false, refuse_peer_gave_up(e->arena, x->state->name,
							TIMER_LARVAL_MS[0] / 1000));
		engine_end(e, x, END_LARVAL);
	}
	engine_leave(e);
}

struct exchange *engine_initiate(struct engine *e, uint64_t now, const struct machine_desc *m,
				 struct exchange *parent, const struct endpoint *local,
				 const struct endpoint *remote, void *user)
{
	struct exchange *x;

	engine_enter(e, now);
	x = exchange_new(e, m, ROLE_INITIATOR, parent, local, remote);
	x->user = user;
	if (parent == NULL) {
		do
			e->host.random(e->host.ctx, x->cookies, COOKIE_SIZE);
		while (get_u64(x->cookies) == 0 ||
		       table_by_cookies(&e->table, x->cookies) != NULL);
	} else {
		do {
			uint8_t id[4];

			e->host.random(e->host.ctx, id, sizeof(id));
			x->msgid = get_u32(id);
		} while (x->msgid == 0 || msgids_add(&parent->msgids, x->msgid) == MSGID_USED);
	}
	exchange_enlist(x);
	run_row(e, x, &(struct step){ .row = m->initiate, .variants = x->agreed.variants, .verified = true }, NULL,
		NULL, NULL);
	if (x->dying)
		x = NULL;
	engine_leave(e);
	return x;
}

/* The hash of the initiator's cookie has the endpoint of the peer in it. */
void engine_relocate(struct exchange *x, const struct endpoint *local, const struct endpoint *remote)
{
	struct table *t = &x->engine->table;
	bool enlisted = exchange_enlisted(x);
	struct exchange *child;

	if (enlisted)
		table_remove(t, x);
	x->local = *local;
	x->remote = *remote;
	if (enlisted)
		table_add(t, x);
	LIST_FOREACH(child, &x->children, sibling) {
		child->local = *local;
		child->remote = *remote;
	}
}

void exchange_follow(struct engine *e, struct exchange *x, const struct endpoint *local,
		     const struct endpoint *remote)
{
	struct exchange *root = exchange_root(x);
	struct endpoint before = root->remote;

	if (!root->roaming || !addr_eq(&root->local.addr, &local->addr) ||
	    (endpoint_eq(&before, remote) && endpoint_eq(&root->local, local)))
		return;
	engine_relocate(root, local, remote);
	e->host.relocated(e->host.ctx, root, &before);
}

struct exchange *engine_first(struct engine *e)
{
	return LIST_FIRST(&e->all);
}

struct exchange *engine_next(struct exchange *x)
{
	return LIST_NEXT(x, all);
}

size_t engine_count(const struct engine *e)
{
	return e->table.n;
}

struct timers *engine_timers(struct engine *e)
{
	return &e->timers;
}

void report(struct engine *e, struct exchange *x, bool serious, const struct refusal *why)
{
	e->host.log(e->host.ctx, x, serious, why);
}

bool debugging(struct engine *e, const struct exchange *x, enum engine_debug class_)
{
	return e->host.debugging(e->host.ctx, x, class_);
}

void debug_lines(struct engine *e, const struct exchange *x, enum engine_debug class_,
		 const char *text)
{
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");

		e->host.debug(e->host.ctx, x, class_, arena_str(e->arena, span_of(text, n)));
		text += n + (text[n] == '\n');
	}
}
