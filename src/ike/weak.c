/* weak.c -- what is only for peers that know no better. */
#include "ike/weak.h"

#include "base/text.h"
#include "generated/limits.h"
#include "ike/internal.h"
#include "ike/offer.h"

#define WEAKNESS_TEXT 256

static bool hash_weak(enum alg hash)
{
	return hash != ALG_NONE && alg_table[hash].output <= LIMIT_WEAK_HASH_OCTETS;
}

static bool weak(enum alg alg)
{
	const struct alg_desc *d = &alg_table[alg];

	switch (d->kind) {
	case ALG_KIND_HASH:
		return hash_weak(alg);
	case ALG_KIND_MAC:
		return hash_weak(d->hash);
	case ALG_KIND_CIPHER:
		return d->block <= LIMIT_WEAK_BLOCK_OCTETS;
	case ALG_KIND_MODP:
	case ALG_KIND_ECP:
	case ALG_KIND_MONTGOMERY:
		return d->strength < LIMIT_WEAK_GROUP_BITS;
	default:
		return false;
	}
}

static void mark(bool seen[ALG_COUNT], enum alg alg)
{
	if (alg != ALG_NONE && weak(alg))
		seen[alg] = true;
}

static void mark_chosen(bool seen[ALG_COUNT], const struct chosen *k)
{
	mark(seen, k->cipher);
	mark(seen, k->mac);
	mark(seen, k->hash);
}

static void mark_row(bool seen[ALG_COUNT], uint8_t protocol, const struct suite_row *row)
{
	struct offer o = { .protocol = protocol, .transform = row->transform };
	struct chosen k;

	for (size_t i = 0; i < row->n && o.n < OFFER_ATTRIBUTES; i++) {
		o.attribute[o.n].type = row->cells[i].attribute;
		o.attribute[o.n++].number = row->cells[i].value;
		if (protocol == PROTOCOL_ID_ISAKMP && row->cells[i].attribute == OAKLEY_ATTRIBUTE_GROUP_DESCRIPTION)
			mark(seen, group_alg((uint16_t)row->cells[i].value));
	}
	offer_algorithms(&o, &k);
	mark_chosen(seen, &k);
}

static const char *names(struct arena *a, const bool seen[ALG_COUNT])
{
	char *p = arena_alloc(a, WEAKNESS_TEXT);
	struct text t = text_on(p, WEAKNESS_TEXT);

	for (size_t i = 0; i < ALG_COUNT; i++)
		if (seen[i])
			text_add(&t, "%s%s", t.n > 0 ? ", " : "", alg_table[i].name);
	return t.n > 0 ? p : NULL;
}

const char *choice_weakness(struct arena *a, const struct choice *c)
{
	bool seen[ALG_COUNT] = { false };

	for (unsigned i = 0; i < c->n; i++)
		mark_chosen(seen, &c->p[i]);
	mark(seen, group_alg(c->group));
	return names(a, seen);
}

const char *connection_weakness(struct arena *a, const struct connection *c)
{
	static const uint8_t protocols[] = { PROTOCOL_ID_ISAKMP, PROTOCOL_ID_ESP, PROTOCOL_ID_AH };
	uint32_t wanted = connection_protocols(c) | 1u << PROTOCOL_ID_ISAKMP;
	bool seen[ALG_COUNT] = { false };

	for (size_t k = 0; k < sizeof(protocols); k++) {
		const struct rows *rows = rows_of(c, protocols[k]);

		for (size_t i = 0; (wanted & 1u << protocols[k]) != 0 && i < rows->n; i++)
			mark_row(seen, protocols[k], &rows->all[i]);
	}
	mark(seen, group_alg(c->policy.pfs_group));
	return names(a, seen);
}

#define EXPOSED "a preshared secret in Aggressive Mode"

const char *connection_exposure(const struct connection *c)
{
	return c->policy.aggressive && c->policy.psk ? EXPOSED : NULL;
}

const char *weakness_join(struct arena *a, const char *one, const char *other)
{
	return one == NULL ? other : other == NULL ? one : arena_printf(a, "%s, %s", one, other);
}

const char *phase1_weakness(struct arena *a, const struct phase1 *p)
{
	bool exposed = p->x->machine == &machine_aggressive && p->chosen.auth == AUTH_METHOD_PRESHARED_KEY;

	return weakness_join(a, exposed ? EXPOSED : NULL, choice_weakness(a, &p->chosen));
}
