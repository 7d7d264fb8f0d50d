/* status.c -- whack --status: an answer in slices, with the traffic counts of the kernel. */
#include "ike/status.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "generated/suites.h"
#include "ike/algorithms.h"
#include "ike/family.h"
#include "ike/initiate.h"
#include "ike/instance.h"
#include "ike/weak.h"

#define SLICE_CONNECTIONS 16
#define SLICE_COUNTS 256	/* SAs that the kernel is asked about at the same time */
#define KERNEL_MS 2000		/* an answer waits so long for the kernel, all slices together */

/* ---- what both forms tell --------------------------------------------------- */

uint64_t seconds_until(const struct ike *ike, uint64_t at)
{
	return at > ike->now ? (at - ike->now) / 1000 : 0;
}

uint64_t seconds_since(const struct ike *ike, uint64_t at)
{
	return ike->now > at ? (ike->now - at) / 1000 : 0;
}

static uint64_t replaced_at(const struct timer *t, uint64_t expires)
{
	return timer_armed(t) && t->at < expires ? t->at : 0;
}

uint64_t phase1_replaced_at(const struct phase1 *p)
{
	return p->retired ? 0 : replaced_at(&p->timer, p->expires);
}

uint64_t phase2_replaced_at(const struct phase2 *p)
{
	return p->uses_eroute ? replaced_at(&p->timer, p->expires) : 0;
}

const char *protocol_word(uint8_t protocol)
{
	const struct registry_entry *e = registry_find(&registry_protocol_id, protocol);

	return e == NULL || e->symbol == NULL ? "?" : e->symbol;
}

const char *encapsulation_word(uint8_t encapsulation)
{
	return encapsulation == UDP_ENCAPSULATION_YES ? "yes" : encapsulation == UDP_ENCAPSULATION_NO ? "no" : "auto";
}

const char *policy_of(const struct rows *rows)
{
	for (size_t i = 0; i < n_suites; i++) {
		const char *name = strchr(suites[i]->name, '_');

		if (suites[i]->rows == rows->all && name != NULL)
			return name + 1;
	}
	return NULL;
}

static unsigned words_of(uint8_t protocol)
{
	return protocol == PROTOCOL_ID_ISAKMP ? 0 : protocol == PROTOCOL_ID_ESP ? 1 : 2;
}

static char *replace_text(char **old, const char *text)
{
	free(*old);
	*old = text == NULL ? NULL : xstrdup(text);
	return *old;
}

const char *rows_text(struct status *s, const struct rows *rows, uint8_t protocol)
{
	unsigned k = words_of(protocol);
	char *p;
	struct text t;

	if (s->words.algorithms[k] != NULL && s->words.all[k] == rows->all && policy_of(rows) != NULL)
		return s->words.algorithms[k];
	p = arena_alloc(s->ike->arena, STATUS_LINE / 2);
	t = text_on(p, STATUS_LINE / 2);
	for (size_t i = 0; i < rows->n; i++) {
		text_add(&t, "%s", i > 0 ? "," : "");
		algorithms_format(&t, protocol, &rows->all[i], 0);
	}
	if (policy_of(rows) == NULL)	/* its rows may go before the answer is complete */
		return p;
	s->words.judged &= s->words.all[k] == rows->all;
	s->words.all[k] = rows->all;
	return replace_text(&s->words.algorithms[k], p);
}

/* Its weak algorithms; those of a named policy are looked at once. */
static const char *weak_algorithms(struct status *s, const struct connection *c)
{
	const struct policy *p = &c->policy;
	const struct rows *rows[3] = { &p->ike, &p->esp, &p->ah };
	struct policy_words *w = &s->words;
	bool same = w->judged && w->wanted == connection_protocols(c) && w->group == p->pfs_group;
	bool own = false;

	for (unsigned k = 0; k < 3; k++) {
		same = same && w->all[k] == rows[k]->all;
		own = own || policy_of(rows[k]) == NULL;
	}
	if (own)
		return connection_weakness(s->ike->arena, c);
	if (same)
		return w->weak;
	for (unsigned k = 0; k < 3; k++) {
		if (w->all[k] != rows[k]->all)
			replace_text(&w->algorithms[k], NULL);
		w->all[k] = rows[k]->all;
	}
	w->wanted = connection_protocols(c);
	w->group = p->pfs_group;
	w->judged = true;
	return replace_text(&w->weak, connection_weakness(s->ike->arena, c));
}

const char *status_weakness(struct status *s, const struct connection *c)
{
	return weakness_join(s->ike->arena, connection_exposure(c), weak_algorithms(s, c));
}

static bool negotiating(const struct connection *c)
{
	const struct phase1 *p;
	const struct phase2 *q;

	LIST_FOREACH(q, &c->phase2s, of_connection)
		if (q->established == 0)
			return true;
	if (c->pair == NULL)
		return false;
	LIST_FOREACH(p, &c->pair->phase1s, in_pair)
		if (p->c == c && !phase1_is_ready(p))
			return true;
	return false;
}

static bool has_isakmp(const struct connection *c)
{
	const struct phase1 *p;

	if (c->pair == NULL)
		return false;
	LIST_FOREACH(p, &c->pair->phase1s, in_pair)
		if (p->c == c && phase1_is_ready(p) && !p->retired)
			return true;
	return false;
}

enum condition connection_condition(const struct connection *c)
{
	if (c->ours < 0 || c->leaving)
		return CONDITION_UNORIENTED;
	if (c->newest_ipsec != 0)
		return CONDITION_UP;
	if (negotiating(c))
		return CONDITION_NEGOTIATING;
	if (has_isakmp(c))
		return connection_ipsec(c) ? CONDITION_ISAKMP : CONDITION_UP;
	if (c->routing != UNROUTED)
		return CONDITION_TRAPPED;
	return connection_is_template(c) ? CONDITION_TEMPLATE : CONDITION_DOWN;
}

const char *condition_word(enum condition k)
{
	static const char *const words[] = {
		[CONDITION_UNORIENTED] = "unoriented",
		[CONDITION_TEMPLATE] = "template",
		[CONDITION_DOWN] = "down",
		[CONDITION_TRAPPED] = "trapped",
		[CONDITION_NEGOTIATING] = "negotiating",
		[CONDITION_ISAKMP] = "isakmp-only",
		[CONDITION_UP] = "up",
	};

	return words[k];
}

/* ---- what is answered about ----------------------------------------------------- */

static void hold(struct status *s, struct connection *c)
{
	if (s->n == s->cap) {
		s->cap = s->cap == 0 ? 64 : 2 * s->cap;
		s->c = xrealloc(s->c, s->cap * sizeof(*s->c));
	}
	c->held++;
	s->c[s->n++] = c;
	s->up += connection_condition(c) == CONDITION_UP;
}

static void let_go(struct status *s, size_t i)
{
	struct connection *c = s->c[i];

	if (--c->held > 0)
		return;
	if (c->deleted)
		connection_settled(s->ike, c);
	else
		instance_release(s->ike, c);
}

static void hold_all(struct status *s, struct connection *c)
{
	struct connection *i;

	hold(s, c);
	LIST_FOREACH(i, &c->instances, of_template)
		hold(s, i);
}

static int by_name(const void *a, const void *b)
{
	return strverscmp((*(struct connection *const *)a)->name, (*(struct connection *const *)b)->name);
}

static void end(struct status *s)
{
	requests_abandon(&s->requests);
	timer_disarm(engine_timers(s->ike->engine), &s->timer);
	for (size_t i = s->at; i < s->n; i++)
		let_go(s, i);
	LIST_REMOVE(s, next);
	for (unsigned k = 0; k < 3; k++)
		free(s->words.algorithms[k]);
	free(s->words.weak);
	free(s->c);
	free(s->count);
	free(s);
}

/* ---- traffic -------------------------------------------------------------------- */

const struct kernel_counts *status_counts(const struct status *s, const struct phase2 *p,
					  uint8_t protocol, bool inbound)
{
	for (size_t i = 0; i < s->n_count; i++)
		if (s->count[i].serial == p->x->serial && s->count[i].protocol == protocol &&
		    s->count[i].inbound == inbound)
			return s->count[i].known ? &s->count[i].counts : NULL;
	return NULL;
}

struct signs_of_life status_signs(const struct status *s, const struct connection *c)
{
	struct signs_of_life signs = dpd_signs(c);
	const struct phase2 *p;

	LIST_FOREACH(p, &c->phase2s, of_connection)
		for (unsigned i = 0; p->x != NULL && i < p->chosen.n; i++) {
			const struct kernel_counts *k = status_counts(s, p, p->chosen.p[i].protocol, true);

			if (k != NULL && 1000 * k->last_used > signs.traffic)
				signs.traffic = 1000 * k->last_used;
		}
	if (signs.asked <= signs.traffic)
		signs.asked = 0;
	return signs;
}

static void counted(struct ike *ike, void *ctx, const struct kernel_result *r)
{
	struct sa_count *k = ctx;
	struct status *s = k->owner;

	k->known = r->ok;
	k->counts = r->counts;
	if (--s->pending == 0)
		timer_arm(engine_timers(ike->engine), &s->timer, ike->now);
}

static size_t sas_of(const struct connection *c)
{
	const struct phase2 *p;
	size_t n = 0;

	LIST_FOREACH(p, &c->phase2s, of_connection)
		n += p->installed ? 2u * p->chosen.n : 0;
	return n;
}

static void ask_one(struct status *s, const struct phase2 *p, unsigned i, bool inbound)
{
	const struct kernel *k = &s->ike->kernel;
	struct sa_count *count = &s->count[s->n_count++];
	const struct chosen *chosen = &p->chosen.p[i];
	struct sa_id id = {
		.dst = inbound ? p->x->local.addr : p->x->remote.addr,
		.protocol = ip_protocol(chosen->protocol),
		.spi = inbound ? phase2_spi(p, chosen->protocol) : chosen->peer_spi,
	};

	*count = (struct sa_count){ .owner = s, .serial = p->x->serial, .protocol = chosen->protocol, .inbound = inbound };
	s->pending++;
	k->ops->read_sa(k->k, request_new(s->ike, &s->requests, counted, count)->token, &id);
}

/* The kernel may answer at once: one more is pending until all are asked. */
static void ask(struct status *s, size_t n)
{
	const struct phase2 *p;

	free(s->count);
	s->count = xcalloc(n + 1, sizeof(*s->count));
	s->n_count = 0;
	s->pending = 1;
	for (size_t k = s->at; k < s->end; k++)
		LIST_FOREACH(p, &s->c[k]->phase2s, of_connection)
			for (unsigned i = 0; p->installed && i < p->chosen.n; i++) {
				ask_one(s, p, i, true);
				ask_one(s, p, i, false);
			}
	s->pending--;
}

/* ---- slices --------------------------------------------------------------------- */

/* The next connections, and the questions about their SAs. */
static void next_slice(struct status *s)
{
	bool counts = s->form->counts && s->ike->now - s->began < KERNEL_MS;
	size_t n = 0;

	while (s->end < s->n && s->end - s->at < SLICE_CONNECTIONS && n < SLICE_COUNTS)
		n += counts && !s->c[s->end]->deleted ? sas_of(s->c[s->end++]) : (s->end++, 0u);
	if (counts && n > 0)
		ask(s, n);
	s->asked = true;
	timer_arm(engine_timers(s->ike->engine), &s->timer,
		  s->pending > 0 ? s->began + KERNEL_MS : s->ike->now);
}

static void print_slice(struct status *s)
{
	requests_abandon(&s->requests);
	s->pending = 0;
	for (; s->at < s->end; s->at++) {
		if (!s->c[s->at]->deleted)
			s->form->connection(s, s->c[s->at]);
		let_go(s, s->at);
	}
	s->n_count = 0;
	s->asked = false;
}

static void turn(void *ctx, uint64_t now)
{
	struct status *s = ctx;

	ike_clock(s->ike, now);
	if (s->asked)
		print_slice(s);
	if (s->at < s->n) {
		next_slice(s);
		return;
	}
	s->form->foot(s);
	ike_finish(s->ike, s->whack);
	end(s);
}

void command_status(struct ike *ike, uint32_t whack, const struct control_status *m)
{
	struct connection *c, *next, **named;
	struct status *s;
	size_t n;

	named = family_select(ike, ike->arena, m->name, &n);
	if (m->name.n > 0 && n == 0) {
		ike_reply_refusal(ike, whack, refuse_unknown_name(ike->arena, arena_str(ike->arena, m->name)));
		ike_finish(ike, whack);
		return;
	}
	s = NEW(struct status);
	s->ike = ike;
	s->whack = whack;
	s->form = m->said ? &status_said : m->json ? &status_json : m->brief ? &status_brief : &status_text;
	s->named = n > 0;
	s->began = ike->now;
	s->timer.fire = turn;
	s->timer.ctx = s;
	LIST_INIT(&s->requests);
	LIST_INSERT_HEAD(&ike->statuses, s, next);
	for (size_t i = 0; i < n; i++)
		hold_all(s, named[i]);
	if (n == 0)
		HASH_ITER(by_name, ike->connections, c, next)
			hold_all(s, c);
	if (s->n > 1)
		qsort(s->c, s->n, sizeof(*s->c), by_name);
	s->form->head(s);
	next_slice(s);
}

void status_gone(struct ike *ike, uint32_t whack)
{
	struct status *s, *next;

	for (s = LIST_FIRST(&ike->statuses); s != NULL; s = next) {
		next = LIST_NEXT(s, next);
		if (s->whack == whack)
			end(s);
	}
}

void statuses_free(struct ike *ike)
{
	while (!LIST_EMPTY(&ike->statuses))
		end(LIST_FIRST(&ike->statuses));
}
