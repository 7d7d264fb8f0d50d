/* fragment.c -- messages that travel in several datagrams: cutting them, and putting them together within bounds.
 * Fragments are not authentic, so they may cost little: one message at a time for each phase 1 that has agreed to it. */
#include <stdlib.h>

#include "base/siphash.h"
#include "base/xalloc.h"
#include "engine/fragment.h"

struct fragments {
	struct exchange *x;		/* the phase 1 */
	uint16_t id;
	uint8_t xchg;
	uint32_t msgid;
	unsigned last;			/* number of the last one; 0 = not known */
	unsigned n;			/* that are here */
	size_t octets;
	struct timer timer;
	struct buf piece[LIMIT_FRAGMENTS];
};

void action_fragments(struct action *a, bool take, size_t octets)
{
	struct exchange *root = exchange_root(a->x);

	root->agreed.fragments_taken = take;
	root->agreed.fragment_octets = octets == 0 || octets >= LIMIT_FRAGMENT_OCTETS_MIN ? octets
									: LIMIT_FRAGMENT_OCTETS_MIN;
}

/* ---- putting together ---------------------------------------------------- */

void fragments_free(struct exchange *x)
{
	struct fragments *s = x->fragments;

	if (s == NULL)
		return;
	timer_disarm(&x->engine->timers, &s->timer);
	for (size_t i = 0; i < LIMIT_FRAGMENTS; i++)
		buf_free(&s->piece[i]);
	free(s);
	x->fragments = NULL;
	x->engine->fragment_sets--;
}

static void expire(void *ctx, uint64_t now)
{
	struct fragments *s = ctx;
	struct exchange *x = s->x;
	struct engine *e = x->engine;

	engine_enter(e, now);
	if (s->id != x->fragments_done)		/* else the copy of one came late */
		report(e, x, false, refuse_fragments_missing(e->arena, s->n, (uint32_t)s->octets,
							     TIMER_FRAGMENTS_MS[0] / 1000));
	fragments_free(x);
	engine_leave(e);
}

static const struct refusal *begin(struct engine *e, struct exchange *root, const struct header *h, uint16_t id)
{
	struct fragments *s;

	fragments_free(root);
	if (e->fragment_sets >= LIMIT_FRAGMENT_SETS)
		return refuse_too_many_fragment_sets(e->arena, LIMIT_FRAGMENT_SETS);
	s = NEW(struct fragments);
	s->x = root;
	s->id = id;
	s->xchg = h->xchg;
	s->msgid = h->msgid;
	s->timer.fire = expire;
	s->timer.ctx = s;
	timer_arm(&e->timers, &s->timer, e->now + TIMER_FRAGMENTS_MS[0]);
	root->fragments = s;
	e->fragment_sets++;
	return NULL;
}

static const char *misfit(const struct fragments *s, const struct payload_FRAGMENT *f)
{
	bool last = (f->flags & FRAGMENT_FLAGS_LAST) != 0;

	if (f->number > LIMIT_FRAGMENTS)
		return "there are too many";
	if (s->last != 0 && (last ? f->number != s->last : f->number >= s->last))
		return "another was the last";
	if (last)
		for (size_t i = f->number; i < LIMIT_FRAGMENTS; i++)
			if (s->piece[i].p != NULL)
				return "it says that it is the last, and is not";
	if (s->octets + f->data.n > LIMIT_MESSAGE_OCTETS)
		return "the message becomes too long";
	return NULL;
}

/* One fragment more; a copy of one that is here changes nothing, another in its place begins another message. */
static const struct refusal *add(struct engine *e, struct exchange *root, const struct header *h,
				 const struct payload_FRAGMENT *f)
{
	struct fragments *s = root->fragments;
	const struct refusal *why = NULL;
	struct buf *at;
	const char *what;

	if (f->number > LIMIT_FRAGMENTS)
		return refuse_fragment_refused(e->arena, f->number, "there are too many");
	at = s == NULL ? NULL : &s->piece[f->number - 1];
	if (s == NULL || s->id != f->id || s->xchg != h->xchg || s->msgid != h->msgid ||
	    (at->p != NULL && !span_eq(span_buf(*at), f->data)))
		why = begin(e, root, h, f->id);
	if (why != NULL)
		return why;
	s = root->fragments;
	at = &s->piece[f->number - 1];
	if (at->p != NULL)
		return NULL;
	what = misfit(s, f);
	if (what != NULL)
		return refuse_fragment_refused(e->arena, f->number, what);
	if ((f->flags & FRAGMENT_FLAGS_LAST) != 0)
		s->last = f->number;
	*at = buf_copy(f->data);
	s->octets += f->data.n;
	s->n++;
	return NULL;
}

/* All are here: the message, in the arena, is what every other message is from here on. */
static const struct refusal *join(struct engine *e, struct exchange *root, struct span *whole)
{
	struct fragments *s = root->fragments;
	struct writer w = writer_on(arena_alloc(e->arena, s->octets), s->octets);
	struct header outer = e->message.header;
	struct fault f = { 0 };
	bool same;

	for (unsigned i = 0; i < s->last; i++)
		put_bytes(&w, span_buf(s->piece[i]));
	root->fragments_done = s->id;
	fragments_free(root);
	*whole = writer_span(&w);
	if (!parse_header(*whole, 0, &e->message.header, &f))
		return refuse_fault(e->arena, &f);
	same = span_eq(outer.icookie, e->message.header.icookie) && span_eq(outer.rcookie, e->message.header.rcookie);
	if (!same || e->message.header.np == PAYLOAD_TYPE_FRAGMENT)
		return refuse_fragment_refused(e->arena, 1, same ? "it begins a fragment in fragments" :
					       "the message has other cookies");
	return NULL;
}

bool fragment_take(struct engine *e, struct exchange *root, struct incoming *in, const struct refusal **why)
{
	struct message *m = &e->message;
	struct fault f = { 0 };

	*why = NULL;
	if (!root->agreed.fragments_taken)
		*why = refuse_fragment_refused(e->arena, 0, "we have not said that we take any");
	else if (!root->roaming && !endpoint_eq(&root->remote, in->remote))
		*why = refuse_peer_address(e->arena, &root->remote, in->remote);
	else if (!parse_chain(m, in->datagram, false, &f))
		*why = refuse_fault(e->arena, &f);
	else if (m->n != 1)
		*why = refuse_fragment_refused(e->arena, 0, "another payload follows");
	else
		*why = add(e, root, &m->header, &m->payloads[0].u.FRAGMENT);
	if (*why != NULL || root->fragments == NULL || root->fragments->last == 0 ||
	    root->fragments->n != root->fragments->last)
		return false;
	*why = join(e, root, &in->datagram);
	return *why == NULL;
}

/* ---- cutting ------------------------------------------------------------- */

/* The same for the same message, so that what a lost fragment leaves is completed by its repetition. */
static uint16_t id_of(const struct engine *e, struct span datagram)
{
	return (uint16_t)(siphash(e->hash_key, datagram) | 1);
}

/* What a fragment has beside its data, as the spec lays it out. */
static size_t overhead(void)
{
	uint8_t octets[64] = { 0 };
	struct writer w = writer_on(octets, sizeof(octets));
	struct emit_FRAGMENT f = { .number = 1, .data = span_of("", 1) };

	emit_FRAGMENT(&w, PAYLOAD_TYPE_NONE, &f);
	return HEADER_SIZE + w.n - f.data.n;
}

void send_datagram(struct engine *e, const struct exchange *x, struct span datagram)
{
	const struct exchange *root = x->parent != NULL ? x->parent : x;
	size_t size = root->agreed.fragment_octets, room, n;

	if (size == 0 || datagram.n <= size) {
		e->host.send(e->host.ctx, x, datagram);
		return;
	}
	room = size - overhead();
	if (datagram.n > room * LIMIT_FRAGMENTS)
		room = (datagram.n + LIMIT_FRAGMENTS - 1) / LIMIT_FRAGMENTS;
	n = (datagram.n + room - 1) / room;
	uint8_t *p = arena_alloc(e->arena, overhead() + room);

	for (size_t i = 0; i < n; i++) {
		struct writer w = writer_on(p, overhead() + room);
		struct emit_FRAGMENT f = { .id = id_of(e, datagram), .number = (uint8_t)(i + 1),
					   .flags = i + 1 == n ? FRAGMENT_FLAGS_LAST : 0 };

		f.data = i + 1 == n ? span_from(datagram, i * room) : span_sub(datagram, i * room, room);
		put_bytes(&w, span_sub(datagram, 0, HEADER_SIZE));
		w.p[HEADER_OFFSET_NP] = PAYLOAD_TYPE_FRAGMENT;
		w.p[HEADER_OFFSET_FLAGS] = 0;
		emit_FRAGMENT(&w, PAYLOAD_TYPE_NONE, &f);
		patch_u32(&w, HEADER_OFFSET_LENGTH, (uint32_t)w.n);
		e->host.send(e->host.ctx, x, writer_span(&w));
	}
}
