/* secrets_check.c -- warnings at load time: entries in each other's way, never chosen, or weak.
 *
 * Every situation in which an entry is chosen gets a key (kind, a, b) of numbers that stand
 * for identities: (0, 0) for anyone, (x, x) for our identity alone, a < b for a pair.  Two
 * entries with the same key fit equally well. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "generated/limits.h"
#include "generated/reasons.h"
#include "ike/identity.h"
#include "secrets/set.h"

struct situation {
	enum secret_kind kind;
	size_t a, b;
	size_t entry;
};

struct situations {
	struct situation *s;
	size_t n, cap;
};

static int compare(size_t a, size_t b)
{
	return a < b ? -1 : a > b;
}

static int by_key(const void *va, const void *vb)
{
	const struct situation *x = va, *y = vb;
	int c = compare(x->kind, y->kind);

	c = c != 0 ? c : compare(x->a, y->a);
	c = c != 0 ? c : compare(x->b, y->b);
	return c != 0 ? c : compare(x->entry, y->entry);
}

static void add(struct situations *all, const struct entry *e, size_t entry, size_t a, size_t b)
{
	if (all->n == all->cap) {
		all->cap = all->cap == 0 ? 64 : 2 * all->cap;
		all->s = xrealloc(all->s, all->cap * sizeof(*all->s));
	}
	all->s[all->n++] = (struct situation){
		.kind = e->kind, .a = a < b ? a : b, .b = a < b ? b : a, .entry = entry,
	};
}

/* ---- numbers for identities ------------------------------------------------ */

struct number {
	const struct identity *id;
	size_t at;		/* place among all indices of all entries */
	size_t number;
};

static int by_identity(const void *va, const void *vb)
{
	const struct identity *x = ((const struct number *)va)->id, *y = ((const struct number *)vb)->id;
	struct span sx, sy;
	size_t n;
	int c = compare(x->kind, y->kind);

	if (c != 0 || identity_eq(x, y))
		return c;
	sx = x->kind == IDENTITY_ADDR ? addr_bytes(&x->addr) : x->name;
	sy = y->kind == IDENTITY_ADDR ? addr_bytes(&y->addr) : y->name;
	n = sx.n < sy.n ? sx.n : sy.n;
	/* An order that respects identity_eq: without regard to case first. */
	for (size_t i = 0; i < n && c == 0; i++) {
		uint8_t a = sx.p[i], b = sy.p[i];

		if (x->kind != IDENTITY_ADDR) {
			a = a >= 'A' && a <= 'Z' ? (uint8_t)(a | 0x20u) : a;
			b = b >= 'A' && b <= 'Z' ? (uint8_t)(b | 0x20u) : b;
		}
		c = compare(a, b);
	}
	c = c != 0 ? c : compare(sx.n, sy.n);
	return c != 0 ? c : memcmp(sx.p, sy.p, n);
}

/* For every index of every entry, in order, the number of its identity, from 1. */
static size_t *number_identities(const struct set *set)
{
	size_t total = 0, k = 0, *numbers;
	struct number *all;

	for (size_t i = 0; i < set->n; i++)
		total += set->entries[i].n_index;
	all = xcalloc(total, sizeof(*all));
	numbers = xcalloc(total, sizeof(*numbers));
	for (size_t i = 0; i < set->n; i++)
		for (size_t j = 0; j < set->entries[i].n_index; j++, k++)
			all[k] = (struct number){ .id = &set->entries[i].index[j], .at = k };
	qsort(all, total, sizeof(*all), by_identity);
	for (size_t i = 0; i < total; i++) {
		bool same = i > 0 && identity_eq(all[i - 1].id, all[i].id);

		all[i].number = i == 0 ? 1 : all[i - 1].number + !same;
		numbers[all[i].at] = all[i].number;
	}
	free(all);
	return numbers;
}

/* ---- entries that fit equally well ----------------------------------------- */

static void add_entry(struct situations *all, const struct entry *e, size_t entry,
		      const size_t *number)
{
	if (e->n_index == 0)
		add(all, e, entry, 0, 0);
	else if (e->n_index == 1)
		add(all, e, entry, number[0], number[0]);
	for (size_t i = 0; e->n_index > 1 && i < e->n_index; i++) {
		if (e->kind == SECRET_RSA)
			add(all, e, entry, number[i], number[i]);
		/* Nobody is %any on both sides. */
		for (size_t j = 0; e->kind != SECRET_RSA && j < i; j++)
			if (number[i] != number[j])
				add(all, e, entry, number[i], number[j]);
	}
}

static const char *whom(const struct set *set, const struct situation *s, const size_t *numbers,
			struct arena *a)
{
	const struct entry *e = &set->entries[s->entry];
	const char *one = NULL, *other = NULL;

	for (size_t i = 0; i < s->entry; i++)
		numbers += set->entries[i].n_index;
	for (size_t i = 0; i < e->n_index; i++) {
		if (numbers[i] == s->a && one == NULL)
			one = identity_text(&e->index[i], a);
		else if (numbers[i] == s->b && other == NULL)
			other = identity_text(&e->index[i], a);
	}
	if (one == NULL)
		return "anyone";
	return s->a == s->b ? one : arena_printf(a, "%s and %s", one, other == NULL ? "" : other);
}

static void report_pair(struct load *l, const struct situation *first,
			const struct situation *second, const size_t *numbers)
{
	const struct entry *x = &l->set->entries[first->entry];
	const struct entry *y = &l->set->entries[second->entry];
	const char *kind = secret_kind_name(x->kind), *who = whom(l->set, first, numbers, l->a);
	bool same = ct_equal(x->secret, y->secret);

	load_warning(l, (same ? refuse_secrets_duplicate : refuse_secrets_conflict)
		     (l->a, kind, entry_where(x, l->a), entry_where(y, l->a), who));
}

/* One warning for each entry that comes second somewhere. */
static void check_pairs(struct load *l)
{
	size_t *numbers = number_identities(l->set), *number = numbers;
	bool *told = xcalloc(l->set->n, sizeof(*told));
	struct situations all = { 0 };
	size_t first = 0;

	for (size_t i = 0; i < l->set->n; i++) {
		add_entry(&all, &l->set->entries[i], i, number);
		number += l->set->entries[i].n_index;
	}
	if (all.n != 0)
		qsort(all.s, all.n, sizeof(*all.s), by_key);
	for (size_t i = 1; i < all.n; i++) {
		const struct situation *f = &all.s[first], *s = &all.s[i];

		if (f->kind != s->kind || f->a != s->a || f->b != s->b) {
			first = i;
		} else if (f->entry != s->entry && !told[s->entry]) {
			told[s->entry] = true;
			report_pair(l, f, s, numbers);
		}
	}
	free(all.s);
	free(told);
	free(numbers);
}

/* ---- single entries -------------------------------------------------------- */

static bool never_chosen(const struct entry *e)
{
	for (size_t i = 0; i < e->n_index; i++)
		if (!identity_is_any(&e->index[i]))
			return false;
	return e->n_index != 0;
}

static unsigned log2_up(unsigned n)
{
	unsigned bits = 0;

	while ((1u << bits) < n)
		bits++;
	return bits;
}

/* At most about this many bits have to be guessed: octets, repeated ones counted twice at most,
 * times the logarithm of how many octets there could be of the classes in use. */
static unsigned strength(struct span secret)
{
	static const unsigned class_size[] = { 26, 26, 10, 33, 161 };
	bool there[256] = { false }, class[5] = { false };
	unsigned different = 0, possible = 0;

	for (size_t i = 0; i < secret.n; i++) {
		uint8_t c = secret.p[i];

		different += !there[c];
		there[c] = true;
		class[c >= 'a' && c <= 'z' ? 0 : c >= 'A' && c <= 'Z' ? 1 :
		      c >= '0' && c <= '9' ? 2 : c >= ' ' && c <= '~' ? 3 : 4] = true;
	}
	wipe(there, sizeof(there));
	for (size_t i = 0; i < 5; i++)
		possible += class[i] ? class_size[i] : 0;
	if (secret.n < 2 * different)
		return (unsigned)secret.n * log2_up(possible);
	return 2 * different * log2_up(possible);
}

void load_check(struct load *l)
{
	for (size_t i = 0; i < l->set->n; i++) {
		const struct entry *e = &l->set->entries[i];
		unsigned bits = e->kind == SECRET_PSK ? strength(e->secret) : UINT16_MAX;

		if (never_chosen(e))
			load_warning(l, refuse_secrets_never(l->a, secret_kind_name(e->kind),
							     entry_where(e, l->a)));
		if (bits < LIMIT_SECRETS_BITS)
			load_warning(l, refuse_secrets_weak(l->a, entry_where(e, l->a), bits,
							    LIMIT_SECRETS_BITS));
	}
	if (l->set->n > 1)
		check_pairs(l);
}
