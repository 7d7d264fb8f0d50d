/* shape.c -- are these the payloads that the message may have, and which is which? */
#include "engine/shape.h"

#include "base/text.h"
#include "generated/reasons.h"

/* How far one automaton came. */
struct walk {
	uint8_t state;		/* where it stood before the payload it refused */
	uint16_t n;		/* payloads it took */
	bool accepted;
};

/* The index of a payload type among the classes of s; n_classes if it has none. */
static unsigned class_of(const struct shape *s, uint8_t type)
{
	unsigned c = 0;

	while (c < s->n_classes && s->classes[c] != type)
		c++;
	return c;
}

static bool is_tried(const struct shape *s, uint32_t variants_allowed)
{
	return s->variants == 0 || variants_allowed == 0 || (s->variants & variants_allowed) != 0;
}

static struct walk walk_shape(const struct shape *s, struct message *m)
{
	struct walk at = { .state = 1 };

	for (; at.n < m->n; at.n++) {
		unsigned c = class_of(s, m->payloads[at.n].type);
		size_t edge = (size_t)at.state * s->n_classes + c;

		if (c == s->n_classes || s->next[edge] == 0)
			return at;
		m->payloads[at.n].slot = s->slot[edge];
		at.state = s->next[edge];
	}
	at.accepted = s->accept[at.state];
	return at;
}

static void forget_slots(struct message *m)
{
	for (uint16_t i = 0; i < m->n; i++)
		m->payloads[i].slot = SLOT_NONE;
}

/* Mark the slots that s would take in a state; the tolerated are not worth naming. */
static void collect_expected(const struct shape *s, uint8_t state, bool *wanted, bool *end)
{
	for (unsigned c = 0; c < s->n_classes; c++) {
		size_t edge = (size_t)state * s->n_classes + c;

		if (s->next[edge] != 0 && s->slot[edge] != SLOT_TOLERATED)
			wanted[s->slot[edge]] = true;
	}
	*end = *end || s->accept[state];
}

/* "A, B or C" in the order of the slots; the end of the message comes last. */
static void write_expected(const struct message_desc *d, const bool *wanted, bool end,
			   char *expected, size_t cap)
{
	struct text t = text_on(expected, cap);
	unsigned left = end ? 1 : 0;
	const char *before = "";

	for (unsigned i = 0; i < d->n_slots; i++)
		left += wanted[i];
	for (unsigned i = 0; i < d->n_slots; i++) {
		if (!wanted[i])
			continue;
		text_add(&t, "%s%s", before, d->slots[i].name);
		before = --left == 1 ? " or " : ", ";
	}
	if (end)
		text_add(&t, "%sthe end of the message", before);
}

/* Say what stopped the shapes that came furthest, the n-th payload or the end. */
static void refuse(const struct message_desc *d, uint32_t variants_allowed, struct message *m,
		   uint16_t n, struct fault *f, char *expected, size_t cap)
{
	bool wanted[SLOT_NONE] = { false };
	bool end = false;

	*f = (struct fault){ .where = d->name };
	for (unsigned i = 0; i < d->n_shapes; i++) {
		struct walk at;

		if (!is_tried(&d->shapes[i], variants_allowed))
			continue;
		at = walk_shape(&d->shapes[i], m);
		if (at.n == n)
			collect_expected(&d->shapes[i], at.state, wanted, &end);
	}
	write_expected(d, wanted, end, expected, cap);
	forget_slots(m);
	f->field = expected;
	if (n < m->n) {
		f->reason = REASON_SHAPE_UNEXPECTED;
		f->offset = (uint32_t)(payload_whole(&m->payloads[n]).p - m->bytes.p);
		f->got = m->payloads[n].type;
		return;
	}
	f->reason = REASON_SHAPE_MISSING;
	f->offset = (uint32_t)(m->bytes.n - m->padding);
}

bool shape_match(const struct message_desc *d, uint32_t variants_allowed, struct message *m,
		 uint32_t *matched_variants, struct fault *f, char *expected, size_t cap)
{
	uint16_t furthest = 0;

	if (cap > 0)
		expected[0] = '\0';
	for (unsigned i = 0; i < d->n_shapes; i++) {
		const struct shape *s = &d->shapes[i];
		struct walk at;

		if (!is_tried(s, variants_allowed))
			continue;
		at = walk_shape(s, m);
		if (at.n > furthest)
			furthest = at.n;
		if (!at.accepted)
			continue;
		*matched_variants = s->variants == 0 ? variants_allowed
				  : variants_allowed == 0 ? s->variants
				  : s->variants & variants_allowed;
		if (d->where == NULL || d->where(m, *matched_variants, f))
			return true;
		forget_slots(m);
		return false;
	}
	refuse(d, variants_allowed, m, furthest, f, expected, cap);
	return false;
}
