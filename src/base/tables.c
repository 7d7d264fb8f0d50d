/* tables.c -- look-ups in the tables that the spec compiler generates. */
#include <inttypes.h>
#include <stdio.h>

#include "base/tables.h"
#include "base/text.h"

const struct registry_entry *registry_find(const struct registry *r, uint32_t value)
{
	size_t lo = 0, hi = r->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct registry_entry *e = &r->entries[mid];

		if (value < e->lo)
			hi = mid;
		else if (value > e->hi)
			lo = mid + 1;
		else
			return e;
	}
	return NULL;
}

const struct registry_entry *registry_by_symbol(const struct registry *r, const char *symbol)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct registry_entry *e = &r->entries[i];

		if (e->kind == REGISTRY_NAMED && !e->alias && strcmp(e->symbol, symbol) == 0)
			return e;
	}
	return NULL;
}

/* Is word one of the keywords of list, which separates them with a comma? */
static bool word_in(const char *list, struct span word)
{
	while (list != NULL && *list != '\0') {
		size_t n = strcspn(list, ",");

		if (n == word.n && memcmp(list, word.p, n) == 0)
			return true;
		list += list[n] == ',' ? n + 1 : n;
	}
	return false;
}

const struct registry_entry *registry_by_word(const struct registry *r, struct span word)
{
	if (word.n == 0)
		return NULL;
	for (size_t i = 0; i < r->n; i++) {
		const struct registry_entry *e = &r->entries[i];

		if (e->kind == REGISTRY_NAMED && !e->alias && word_in(e->word, word))
			return e;
	}
	return NULL;
}

const char *registry_name(const struct registry *r, uint32_t value, char dst[REGISTRY_TEXT])
{
	const struct registry_entry *e = r == NULL ? NULL : registry_find(r, value);

	if (e != NULL && e->kind == REGISTRY_NAMED)
		return e->logged;
	snprintf(dst, REGISTRY_TEXT, "\?\?%" PRIu32, value);
	return dst;
}

const char *registry_symbol(const struct registry *r, uint32_t value, char dst[REGISTRY_TEXT])
{
	const struct registry_entry *e = r == NULL ? NULL : registry_find(r, value);

	if (e != NULL && e->kind == REGISTRY_NAMED)
		return e->symbol;
	snprintf(dst, REGISTRY_TEXT, "%" PRIu32, value);
	return dst;
}

uint32_t registry_canonical(const struct registry *r, uint32_t value)
{
	const struct registry_entry *e = registry_find(r, value);

	if (e == NULL || !e->alias)
		return value;
	e = registry_by_symbol(r, e->symbol);
	return e == NULL ? value : e->lo;
}

uint32_t registry_alias(const struct registry *r, uint32_t value)
{
	const struct registry_entry *e = registry_find(r, value);

	if (e == NULL || e->kind != REGISTRY_NAMED)
		return value;
	for (size_t i = 0; i < r->n; i++)
		if (r->entries[i].alias && strcmp(r->entries[i].symbol, e->symbol) == 0)
			return r->entries[i].lo;
	return value;
}

bool registry_admits(const struct registry *r, uint32_t value)
{
	const struct registry_entry *e;

	if (r == NULL || !r->closed)
		return r != NULL;
	e = registry_find(r, value);
	return e != NULL && e->kind == REGISTRY_NAMED;
}

void bits_text(struct text *t, const struct bit_desc *bits, size_t n, uint32_t value)
{
	const char *plus = "";

	if (value == 0) {
		text_add(t, "none");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		uint32_t mask = UINT32_C(1) << bits[i].bit;

		if ((value & mask) == 0)
			continue;
		text_add(t, "%s%s", plus, bits[i].logged);
		plus = "+";
		value &= ~mask;
	}
	if (value != 0)
		text_add(t, "%s\?\?0x%" PRIx32, plus, value);
}

bool fault_at(struct fault *f, uint16_t reason, uint16_t notify, const char *where,
	      const char *field, uint32_t offset, uint64_t got, uint64_t want)
{
	*f = (struct fault){
		.reason = reason, .notify = notify, .where = where, .field = field,
		.offset = offset, .got = got, .want = want,
	};
	return false;
}
