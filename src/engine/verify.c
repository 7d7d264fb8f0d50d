/* verify.c -- values that a message carries, and the hashes over it. */
#include "crypto/hash.h"
#include "engine/internal.h"

static const struct slot_desc *slot_of(const struct message_desc *d, const struct payload *p)
{
	return p->slot < d->n_slots ? &d->slots[p->slot] : NULL;
}

static void capture(struct exchange *x, uint16_t id, struct span s)
{
	if (id != KEY_NONE)
		values_set(&x->values, id, s);
}

void capture_message(struct exchange *x, const struct message_desc *d, const struct message *m)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct slot_desc *s = slot_of(d, &m->payloads[i]);

		if (s == NULL)
			continue;
		capture(x, s->capture, payload_body(&m->payloads[i]));
		capture(x, s->whole, payload_whole(&m->payloads[i]));
	}
}

/* What follows payload p, up to the end of the last payload. */
static struct span rest_after(const struct message *m, const struct payload *p)
{
	struct span whole = payload_whole(p);
	size_t end = m->bytes.n - m->padding;
	size_t from = (size_t)(whole.p + whole.n - m->bytes.p);

	return span_sub(m->bytes, from, end > from ? end - from : 0);
}

const struct refusal *verify_hashes(struct engine *e, struct exchange *x,
				    const struct message_desc *d, const struct message *m)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct payload *p = &m->payloads[i];
		const struct slot_desc *s = slot_of(d, p);

		if (s == NULL || s->hash == KEY_NONE || s->signature)
			continue;
		struct key_context c = { .arena = e->arena, .rest = rest_after(m, p) };
		struct span want = keys_value(x, &c, s->hash, 0);

		if (want.p == NULL)
			return refuse_keys_missing(e->arena, d->name);
		if (!ct_equal(want, payload_body(p)))
			return refuse_hash_mismatch(e->arena, s->name, d->name);
	}
	return NULL;
}
