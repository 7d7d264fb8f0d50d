/* attribute.c -- data attributes (RFC 2408 3.3): TV and TLV, checked and written by table. */
#include <inttypes.h>

#include "base/attribute.h"
#include "base/text.h"

#define AF 0x8000u		/* attribute format: TV */
#define HEAD 4			/* type and length, or type and value */
#define PRINTED 32		/* octets of a value that are shown */

const struct attribute_desc *attribute_find(const struct attribute_table *t, uint16_t type)
{
	size_t lo = 0, hi = t == NULL ? 0 : t->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (type < t->entries[mid].type)
			hi = mid;
		else if (type > t->entries[mid].type)
			lo = mid + 1;
		else
			return &t->entries[mid];
	}
	return NULL;
}

static uint64_t number_of(struct span s)
{
	uint64_t v = 0;

	for (size_t i = 0; i < s.n && s.n <= 8; i++)
		v = v << 8 | s.p[i];
	return v;
}

bool next_attribute(struct span *rest, struct attribute *out)
{
	uint16_t word;
	size_t n;

	if (rest->n < HEAD)
		return false;
	word = get_u16(rest->p);
	n = get_u16(rest->p + 2);
	*out = (struct attribute){ .type = (uint16_t)(word & ~AF), .basic = (word & AF) != 0 };
	if (out->basic) {
		out->value = span_sub(*rest, 2, 2);
		*rest = span_from(*rest, HEAD);
	} else {
		if (n > rest->n - HEAD)
			return false;
		out->value = span_sub(*rest, HEAD, n);
		*rest = span_from(*rest, HEAD + n);
	}
	out->number = number_of(out->value);
	return true;
}

static enum attribute_status trouble(struct attribute_trouble *bad, enum attribute_status s,
				     uint64_t got, uint64_t want)
{
	bad->got = got;
	bad->want = want;
	return s;
}

/* Form, length and value of one known attribute. */
static enum attribute_status check_one(const struct attribute_desc *d, const struct attribute *a,
				       struct attribute_trouble *bad)
{
	const struct registry_entry *e;

	if (d->basic && !a->basic)
		return trouble(bad, ATTRIBUTE_FORM, a->value.n, 2);
	if (!(a->basic && d->integer)) {
		if (a->value.n < d->min)
			return trouble(bad, ATTRIBUTE_FORM, a->value.n, d->min);
		if (a->value.n > d->max)
			return trouble(bad, ATTRIBUTE_FORM, a->value.n, d->max);
		if (d->step > 1 && a->value.n % d->step != 0)
			return trouble(bad, ATTRIBUTE_FORM, a->value.n, a->value.n - a->value.n % d->step);
	}
	if (d->registry != NULL && d->registry->closed) {
		e = a->number > UINT32_MAX ? NULL
					   : registry_find(d->registry, (uint32_t)a->number);
		if (e == NULL || e->kind != REGISTRY_NAMED)
			return trouble(bad, ATTRIBUTE_VALUE, a->number, 0);
	}
	return ATTRIBUTE_OK;
}

/* What the list has held so far. */
struct seen {
	uint64_t once;		/* by index in the table */
	struct span before;	/* the attributes themselves */
	uint16_t unit_type;	/* set when the last one waits for its count */
};

static bool came_before(struct span before, const struct attribute *a)
{
	struct attribute b;

	while (next_attribute(&before, &b))
		if (b.type == a->type && b.number == a->number)
			return true;
	return false;
}

/* May d come here?  Life type and duration form pairs, one pair for each life type. */
static enum attribute_status check_place(const struct attribute_table *t,
					 const struct attribute_desc *d, const struct attribute *a,
					 struct seen *seen, struct attribute_trouble *bad)
{
	uint64_t bit = UINT64_C(1) << (d - t->entries);

	if (d->after != 0) {
		if (seen->unit_type != d->after)
			return trouble(bad, ATTRIBUTE_ORDER, d->type, d->after);
		seen->unit_type = 0;
	} else if (d->repeats) {
		if (came_before(seen->before, a))
			return trouble(bad, ATTRIBUTE_TWICE, a->number, 1);
		seen->unit_type = d->type;
	} else if ((seen->once & bit) != 0 && !d->many) {
		return trouble(bad, ATTRIBUTE_TWICE, d->type, 1);
	}
	seen->once |= bit;
	return ATTRIBUTE_OK;
}

enum attribute_status attributes_check(const struct attribute_table *t, struct span list,
				       size_t limit, struct attribute_trouble *bad)
{
	struct span rest = list;
	struct seen seen = { 0 };
	struct attribute a;

	*bad = (struct attribute_trouble){ .name = "attribute" };
	for (size_t n = 0; rest.n != 0; n++) {
		const struct attribute_desc *d;
		enum attribute_status s;

		bad->name = "attribute";
		bad->offset = (uint32_t)(list.n - rest.n);
		if (n == limit)
			return trouble(bad, ATTRIBUTE_MANY, n + 1, limit);
		if (rest.n < HEAD)
			return trouble(bad, ATTRIBUTE_CUT, rest.n, HEAD);
		d = attribute_find(t, (uint16_t)(get_u16(rest.p) & ~AF));
		if (d != NULL)
			bad->name = d->name;
		if (!next_attribute(&rest, &a))
			return trouble(bad, ATTRIBUTE_CUT, rest.n - HEAD, get_u16(rest.p + 2));
		if (d == NULL)
			continue;
		seen.before = span_sub(list, 0, bad->offset);
		s = check_one(d, &a, bad);
		if (s == ATTRIBUTE_OK)
			s = check_place(t, d, &a, &seen, bad);
		if (s != ATTRIBUTE_OK)
			return s;
	}
	return ATTRIBUTE_OK;
}

static size_t octets_of(uint64_t v)
{
	size_t n = 4;

	while (n < 8 && v >> (8 * n) != 0)
		n++;
	return n;
}

void attributes_emit(struct writer *w, const struct attribute_table *t,
		     const struct emit_attribute *a, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct attribute_desc *d = attribute_find(t, a[i].type);
		size_t octets = octets_of(a[i].number);

		if (a[i].value.n != 0 || (d != NULL && !d->basic && !d->integer)) {
			if (a[i].value.n > UINT16_MAX || (d != NULL && d->basic))
				w->overflow = true;
			put_u16(w, a[i].type);
			put_u16(w, (uint16_t)a[i].value.n);
			put_bytes(w, a[i].value);
		} else if (a[i].number <= UINT16_MAX) {
			put_u16(w, (uint16_t)(a[i].type | AF));
			put_u16(w, (uint16_t)a[i].number);
		} else {
			if (d != NULL && d->basic)
				w->overflow = true;
			put_u16(w, a[i].type);
			put_u16(w, (uint16_t)octets);
			put_uint(w, a[i].number, octets);
		}
	}
}

static void print_value(struct text *out, const struct attribute_desc *d, const struct attribute *a)
{
	char name[REGISTRY_TEXT];

	if (d != NULL && d->registry != NULL && a->number <= UINT32_MAX)
		text_add(out, "%s", registry_name(d->registry, (uint32_t)a->number, name));
	else if (a->basic || (d != NULL && d->integer && a->value.n <= 8))
		text_add(out, "%" PRIu64, a->number);
	else {
		text_hex(out, span_sub(a->value, 0, PRINTED));
		if (a->value.n > PRINTED)
			text_add(out, "... (%zu octets)", a->value.n);
	}
}

void attributes_print(struct text *out, const struct attribute_table *t, struct span list,
		      int indent)
{
	struct attribute a;

	while (next_attribute(&list, &a)) {
		const struct attribute_desc *d = attribute_find(t, a.type);

		if (d != NULL)
			text_add(out, "%*s%s: ", indent, "", d->logged);
		else
			text_add(out, "%*s\?\?%u: ", indent, "", a.type);
		print_value(out, d, &a);
		text_add(out, "\n");
	}
	if (list.n != 0)
		text_add(out, "%*scut off after %zu octets\n", indent, "", list.n);
}
