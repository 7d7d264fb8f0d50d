/* send.c -- writing messages, and sending them again. */
#include "crypto/hash.h"
#include "engine/internal.h"
#include "engine/msgids.h"
#include "generated/names.h"

/* The captured values of a message of ours. */
static void capture_emitted(struct exchange *x, const struct message_desc *d,
			    const struct emitted *em, struct span bytes)
{
	for (size_t i = 0; i < em->n; i++) {
		struct span whole = span_sub(bytes, em->at[i].offset, em->at[i].length);

		if (em->at[i].slot >= d->n_slots)
			continue;
		const struct slot_desc *s = &d->slots[em->at[i].slot];

		if (s->capture != KEY_NONE)
			values_set(&x->values, s->capture, span_from(whole, GENERIC_SIZE));
		if (s->whole != KEY_NONE)
			values_set(&x->values, s->whole, whole);
	}
}

/* Fill in the payloads that are hashes of the message; false when a key is missing. */
static bool fill_hashes(struct engine *e, struct exchange *x, const struct message_desc *d,
			const struct emitted *em, struct writer *w)
{
	for (size_t i = 0; i < em->n; i++) {
		size_t at = em->at[i].offset, end = at + em->at[i].length;

		if (em->at[i].slot >= d->n_slots)
			continue;
		const struct slot_desc *s = &d->slots[em->at[i].slot];

		if (s->hash == KEY_NONE || s->signature)
			continue;
		struct key_context c = { .arena = e->arena,
					 .rest = span_from(writer_span(w), end) };
		struct span hash = keys_value(x, &c, s->hash, 0);

		if (hash.p == NULL || hash.n != end - at - GENERIC_SIZE)
			return false;
		memcpy(w->p + at + GENERIC_SIZE, hash.p, hash.n);
	}
	return true;
}

static void debug_emitted(struct engine *e, struct exchange *x, const struct message_desc *d,
			  struct span bytes)
{
	struct message *m = ARENA_NEW(e->arena, struct message);
	struct fault f = { 0 };
	char *p = arena_alloc(e->arena, LIMIT_MESSAGE_OCTETS);
	struct text t = text_on(p, LIMIT_MESSAGE_OCTETS);

	text_add(&t, "sending %s, %zu octets\n", d->name, bytes.n);
	if (parse_header(bytes, 0, &m->header, &f) && parse_chain(m, bytes, false, &f))
		for (size_t i = 0; i < m->n; i++)
			print_payload(&t, &m->payloads[i]);
	debug_lines(e, x, ENGINE_DEBUG_EMITTING, p);
}

/* Payloads go out under the aliases of their numbers: that of each stands in the one before it. */
static void use_aliases(const struct emitted *em, struct writer *w)
{
	size_t np = HEADER_OFFSET_NP;

	for (size_t i = 0; i < em->n; i++) {
		w->p[np] = (uint8_t)registry_alias(&registry_payload_type, w->p[np]);
		np = em->at[i].offset;	/* a payload begins with it */
	}
}

struct span build_message(struct engine *e, struct exchange *x, const struct message_desc *d,
			  uint32_t variants, const void *out, uint16_t iv, uint16_t key)
{
	struct writer w = writer_on(e->out, sizeof(e->out));
	struct emitted em = { 0 };
	enum alg hash = exchange_root(x)->agreed.hash;

	d->emit(&w, variants, out, hash_size(hash), &em);
	if (w.overflow) {
		report(e, x, true, refuse_message_too_long(e->arena, d->name, sizeof(e->out)));
		return span_of(NULL, 0);
	}
	if (exchange_root(x)->aliases)
		use_aliases(&em, &w);
	memcpy(w.p + HEADER_OFFSET_ICOOKIE, x->cookies, sizeof(x->cookies));
	patch_u32(&w, HEADER_OFFSET_MSGID, x->msgid);
	capture_emitted(x, d, &em, writer_span(&w));
	if (!fill_hashes(e, x, d, &em, &w)) {
		report(e, x, true, refuse_keys_missing(e->arena, d->name));
		return span_of(NULL, 0);
	}
	if (debugging(e, x, ENGINE_DEBUG_EMITTING))
		debug_emitted(e, x, d, writer_span(&w));
	if (d->protection != PROTECTION_CLEAR && !protect_seal(e, x, iv, key, &w)) {
		report(e, x, true, refuse_keys_missing(e->arena, d->name));
		return span_of(NULL, 0);
	}
	return writer_span(&w);
}

void keep_sent(struct exchange *x, struct span datagram)
{
	buf_free(&x->sent);
	if (datagram.n > 0)
		x->sent = buf_copy(datagram);
	x->sends = 0;
	x->disliked = false;
	x->resends = 0;
}

void arm_exchange_timer(struct engine *e, struct exchange *x, const struct row *row)
{
	timer_disarm(&e->timers, &x->timer);
	if (row->timer == TIMER_RETRANSMIT && x->sent.p != NULL) {
		x->sends = 1;
		timer_arm(&e->timers, &x->timer, e->now + x->interval);
	} else if (row->timer == TIMER_LARVAL) {
		timer_arm(&e->timers, &x->timer, e->now + TIMER_LARVAL_MS[0]);
	} else if (row->timer == TIMER_LINGER) {
		timer_arm(&e->timers, &x->timer, e->now + TIMER_LINGER_MS[0]);
	}
}

/* The peer repeats what it sent: our answer was lost, so it gets the same one again.  Bounded,
 * so that a flood of copies is not answered for ever. */
enum verdict answer_duplicate(struct engine *e, struct exchange *x)
{
	if (x->state != NULL && x->state->resend && x->sent.p != NULL && x->resends < LIMIT_RESENDS) {
		x->resends++;
		send_datagram(e, x, span_buf(x->sent));
		e->host.resent(e->host.ctx, x, false);
	}
	return VERDICT_DUPLICATE;
}

bool engine_send_oneway(struct engine *e, uint64_t now, struct exchange *x,
			const struct oneway_desc *d, const struct message_desc *m, const void *out)
{
	struct exchange one = { .engine = e, .parent = x, .local = x->local, .remote = x->remote };
	struct span bytes = span_of(NULL, 0);

	if (!exchange_final(x) || x->machine->phase != 1)
		return false;
	engine_enter(e, now);
	memcpy(one.cookies, x->cookies, sizeof(one.cookies));
	do {
		uint8_t id[4];

		e->host.random(e->host.ctx, id, sizeof(id));
		one.msgid = get_u32(id);
	} while (one.msgid == 0 || msgids_add(&x->msgids, one.msgid) == MSGID_USED);
	bytes = build_message(e, &one, m, 0, out, d->iv, d->cipher_key);
	if (bytes.n > 0)
		send_datagram(e, x, bytes);
	values_free(&one.values);
	engine_leave(e);
	return bytes.n > 0;
}

bool engine_send_clear(struct engine *e, struct exchange *x, const struct message_desc *m,
		       const void *out)
{
	struct span bytes;

	if (m->protection != PROTECTION_CLEAR)
		return false;
	engine_enter(e, e->now);
	bytes = build_message(e, x, m, 0, out, KEY_NONE, KEY_NONE);
	/* Who asks may have a forged address: the answer is never longer than the question. */
	if (bytes.n > e->question)
		bytes = span_of(NULL, 0);
	if (bytes.n > 0)
		send_datagram(e, x, bytes);
	engine_leave(e);
	return bytes.n > 0;
}
