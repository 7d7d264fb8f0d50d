/* proposal.c -- building SA payloads, and reading them into offers. */
#include "ike/algorithms.h"
#include "ike/internal.h"
#include "ike/lifetime.h"
#include "ike/offer.h"

uint32_t connection_protocols(const struct connection *c)
{
	const struct policy *p = &c->policy;
	uint32_t bits = 0;

	if (p->authenticate)
		bits |= 1u << PROTOCOL_ID_AH;
	if (p->encrypt || (p->pfs && !p->authenticate))	/* PFS alone asks for a phase 2, too */
		bits |= 1u << PROTOCOL_ID_ESP;
	if (p->compress && bits != 0)
		bits |= 1u << PROTOCOL_ID_IPCOMP;
	return bits;
}

const struct rows *rows_of(const struct connection *c, uint8_t protocol)
{
	switch (protocol) {
	case PROTOCOL_ID_ISAKMP:
		return &c->policy.ike;
	case PROTOCOL_ID_ESP:
		return &c->policy.esp;
	case PROTOCOL_ID_AH:
		return &c->policy.ah;
	case PROTOCOL_ID_IPCOMP:
		return &c->policy.ipcomp;
	default:
		return NULL;
	}
}

struct attribute_list {
	struct emit_attribute *at;
	size_t n;
};

static void add(struct attribute_list *l, uint16_t type, uint64_t number)
{
	l->at[l->n++] = (struct emit_attribute){ .type = type, .number = number };
}

static struct attribute_list list_new(struct arena *a)
{
	return (struct attribute_list){ .at = ARENA_ARRAY(a, struct emit_attribute, LIMIT_ATTRIBUTES) };
}

static void ike_transform(struct arena *a, const struct connection *c, const struct suite_row *row,
			  uint16_t auth, struct emit_T *t)
{
	struct attribute_list l = list_new(a);

	for (size_t i = 0; i < row->n; i++)
		add(&l, row->cells[i].attribute, row->cells[i].value);
	add(&l, OAKLEY_ATTRIBUTE_AUTHENTICATION_METHOD, auth);
	add(&l, OAKLEY_ATTRIBUTE_LIFE_TYPE, LIFE_TYPE_SECONDS);
	add(&l, OAKLEY_ATTRIBUTE_LIFE_DURATION, c->policy.ike_life);
	t->id = row->transform;
	t->attrs = l.at;
	t->n_attrs = l.n;
}

static uint16_t group_of(const struct suite_row *row)
{
	for (size_t i = 0; i < row->n; i++)
		if (row->cells[i].attribute == OAKLEY_ATTRIBUTE_GROUP_DESCRIPTION)
			return (uint16_t)row->cells[i].value;
	return 0;
}

uint16_t offer_group(const struct connection *c)
{
	return c->policy.ike.n == 0 ? 0 : group_of(&c->policy.ike.all[0]);
}

void offer_ike(struct arena *a, const struct connection *c, uint32_t methods, struct emit_SA *sa)
{
	static const uint16_t order[] = { AUTH_METHOD_RSA_SIG, AUTH_METHOD_PRESHARED_KEY };
	const struct rows *rows = &c->policy.ike;
	size_t n = 0, n_order = sizeof(order) / sizeof(order[0]);
	struct emit_P *p = ARENA_NEW(a, struct emit_P);
	struct emit_T *t = ARENA_ARRAY(a, struct emit_T, rows->n * n_order + 1);

	for (size_t i = 0; i < rows->n; i++) {
		if (c->policy.aggressive && group_of(&rows->all[i]) != offer_group(c))
			continue;
		for (size_t k = 0; k < n_order && n < LIMIT_TRANSFORMS; k++) {
			if ((methods & 1u << order[k]) == 0)
				continue;
			ike_transform(a, c, &rows->all[i], auth_offered(c, order[k]), &t[n]);
			t[n].number = (uint8_t)(n + 1);
			n++;
		}
	}
	p->number = 1;
	p->protocol = PROTOCOL_ID_ISAKMP;
	p->transforms = t;
	p->n_transforms = (uint8_t)n;
	sa->proposals = p;
	sa->n_proposals = 1;
}

static void ipsec_transform(struct arena *a, const struct connection *c, const struct suite_row *row,
			    uint16_t group, uint16_t mode, struct emit_T *t)
{
	struct attribute_list l = list_new(a);

	if (group != 0)
		add(&l, IPSEC_ATTRIBUTE_GROUP_DESCRIPTION, group);
	add(&l, IPSEC_ATTRIBUTE_SA_LIFE_TYPE, LIFE_TYPE_SECONDS);
	add(&l, IPSEC_ATTRIBUTE_SA_LIFE_DURATION, c->policy.ipsec_life);
	if (c->policy.ipsec_kilobytes != 0) {
		add(&l, IPSEC_ATTRIBUTE_SA_LIFE_TYPE, LIFE_TYPE_KILOBYTES);
		add(&l, IPSEC_ATTRIBUTE_SA_LIFE_DURATION, c->policy.ipsec_kilobytes);
	}
	add(&l, IPSEC_ATTRIBUTE_ENCAPSULATION_MODE, mode);
	for (size_t i = 0; i < row->n; i++)
		add(&l, row->cells[i].attribute, row->cells[i].value);
	t->id = row->transform;
	t->attrs = l.at;
	t->n_attrs = l.n;
}

struct span spi_bytes(struct arena *a, uint8_t protocol, uint32_t spi)
{
	struct writer w = writer_on(arena_alloc(a, 4), 4);

	if (protocol == PROTOCOL_ID_IPCOMP)
		put_u16(&w, (uint16_t)spi);
	else
		put_u32(&w, spi);
	return writer_span(&w);
}

bool spi_read(const struct payload_P *p, uint32_t *spi)
{
	if (p->protocol == PROTOCOL_ID_IPCOMP) {	/* RFC 3173 4.1: right-aligned, the rest is ignored */
		*spi = p->spi.n < 2 ? 0 : get_u16(p->spi.p + p->spi.n - 2);
		return *spi >= LIMIT_CPI_MIN && *spi <= LIMIT_CPI_MAX;
	}
	*spi = p->spi.n != 4 ? 0 : get_u32(p->spi.p);
	return *spi >= LIMIT_SPI_PEER_MIN;
}

/* One proposal of these protocols, a P for each; how many. */
static size_t offer_bundle(struct arena *a, const struct connection *c, const uint32_t *spis, uint16_t group,
			   uint16_t mode, uint8_t number, uint32_t wanted, struct emit_P *p)
{
	static const uint8_t order[] = { PROTOCOL_ID_AH, PROTOCOL_ID_ESP, PROTOCOL_ID_IPCOMP };
	size_t n = 0;

	for (size_t k = 0; k < sizeof(order); k++) {
		const struct rows *rows = rows_of(c, order[k]);

		if ((wanted & 1u << order[k]) == 0)
			continue;
		struct emit_T *t = ARENA_ARRAY(a, struct emit_T, rows->n + 1);
		size_t n_t = rows->n < LIMIT_TRANSFORMS ? rows->n : LIMIT_TRANSFORMS;

		for (size_t i = 0; i < n_t; i++) {
			ipsec_transform(a, c, &rows->all[i], group, mode, &t[i]);
			t[i].number = (uint8_t)(i + 1);
		}
		p[n++] = (struct emit_P){ .number = number, .protocol = order[k], .transforms = t,
					  .n_transforms = (uint8_t)n_t,
					  .spi = spi_bytes(a, order[k], spis[order[k]]) };
	}
	return n;
}

void offer_ipsec(struct arena *a, const struct connection *c, const uint32_t *spis, uint16_t group,
		 uint16_t mode, struct emit_SA *sa)
{
	struct emit_P *p = ARENA_ARRAY(a, struct emit_P, 2 * CHOICE_PROTOCOLS);
	uint32_t wanted = connection_protocols(c), plain = wanted & ~(1u << PROTOCOL_ID_IPCOMP);
	size_t n = offer_bundle(a, c, spis, group, mode, 1, wanted, p);

	if (plain != wanted)	/* for peers that do not compress */
		n += offer_bundle(a, c, spis, group, mode, 2, plain, p + n);
	sa->proposals = p;
	sa->n_proposals = (uint16_t)n;
}

/* ---- reading ----------------------------------------------------------- */

uint64_t attribute_canonical(uint8_t protocol, uint16_t type, uint64_t number)
{
	const struct attribute_desc *d = attribute_desc(protocol, type);

	return d == NULL || d->registry == NULL || number > UINT32_MAX ? number :
	       registry_canonical(d->registry, (uint32_t)number);
}

void offer_read(uint8_t protocol, const struct payload_T *t, struct offer *o)
{
	struct span rest = t->attrs;
	struct attribute at;

	*o = (struct offer){ .protocol = protocol, .transform = t->id, .number = t->number,
			     .life = life_read(protocol, t->attrs) };
	while (o->n < OFFER_ATTRIBUTES && next_attribute(&rest, &at)) {
		o->attribute[o->n].type = at.type;
		o->attribute[o->n++].number = attribute_canonical(protocol, at.type, at.number);
	}
}

bool offer_get(const struct offer *o, uint16_t type, uint64_t *number)
{
	for (size_t i = 0; i < o->n; i++) {
		if (o->attribute[i].type == type) {
			*number = o->attribute[i].number;
			return true;
		}
	}
	return false;
}

/* The transform of a peer, to be sent back as it is. */
void offer_echo(struct arena *a, const struct payload_T *t, struct emit_T *out)
{
	struct attribute_list l = list_new(a);
	struct span rest = t->attrs;
	struct attribute at;

	while (l.n < LIMIT_ATTRIBUTES && next_attribute(&rest, &at))
		l.at[l.n++] = (struct emit_attribute){ .type = at.type, .number = at.number,
						       .value = at.basic ? span_of(NULL, 0) : at.value };
	out->number = t->number;
	out->id = t->id;
	out->attrs = l.at;
	out->n_attrs = l.n;
}

enum alg group_alg(uint16_t group)
{
	const struct registry_entry *e = registry_find(&registry_oakley_group, group);

	return e == NULL ? ALG_NONE : (enum alg)e->alg;
}

/* The algorithm that an attribute's value stands for. */
static enum alg attribute_alg(uint8_t protocol, uint16_t type, uint64_t number)
{
	const struct attribute_desc *d = attribute_desc(protocol, type);
	const struct registry_entry *e;

	if (d == NULL || d->registry == NULL || number > UINT32_MAX)
		return ALG_NONE;
	e = registry_find(d->registry, (uint32_t)number);
	return e == NULL ? ALG_NONE : (enum alg)e->alg;
}

/* What the attributes and the transform mean for our crypto. */
void offer_algorithms(const struct offer *o, struct chosen *out)
{
	const struct registry *ids = registry_transform_id(o->protocol);
	const struct registry_entry *e = ids == NULL ? NULL : registry_find(ids, o->transform);
	uint64_t bits = 0;
	uint16_t length = o->protocol == PROTOCOL_ID_ISAKMP ? (uint16_t)OAKLEY_ATTRIBUTE_KEY_LENGTH
							    : (uint16_t)IPSEC_ATTRIBUTE_KEY_LENGTH;

	*out = (struct chosen){ .protocol = o->protocol, .transform = o->transform };
	if (e != NULL && (alg_table[e->alg].kind == ALG_KIND_CIPHER ||
			  alg_table[e->alg].kind == ALG_KIND_AEAD))
		out->cipher = (enum alg)e->alg;
	if (e != NULL && alg_table[e->alg].kind == ALG_KIND_COMPRESSION)
		out->comp = (enum alg)e->alg;
	for (size_t i = 0; i < o->n; i++) {
		enum alg alg = attribute_alg(o->protocol, o->attribute[i].type,
					     o->attribute[i].number);

		if (alg_table[alg].kind == ALG_KIND_CIPHER)
			out->cipher = alg;
		else if (alg_table[alg].kind == ALG_KIND_HASH)
			out->hash = alg;
		else if (alg_table[alg].kind == ALG_KIND_MAC)
			out->mac = alg;
	}
	if (offer_get(o, length, &bits))
		out->key_octets = (uint16_t)(bits / 8);
	else if (out->cipher != ALG_NONE)	/* the one size it has, or its least */
		out->key_octets = alg_table[out->cipher].keys[0];
}

/* The number that a registry has for one of our algorithms. */
static uint32_t number_of(const struct registry *r, enum alg alg)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->entries[i].alg == alg)
			return r->entries[i].lo;
	return 0;
}

/* The row of a suite that c->p[i] stands for. */
static struct suite_row row_of(const struct choice *c, const struct chosen *k, struct suite_cell *cell)
{
	bool ike = k->protocol == PROTOCOL_ID_ISAKMP;
	struct suite_row row = { .transform = k->transform, .cells = cell };

	if (ike)
		cell[row.n++] = (struct suite_cell){ OAKLEY_ATTRIBUTE_ENCRYPTION_ALGORITHM,
						     number_of(&registry_oakley_encryption, k->cipher) };
	if (alg_table[k->cipher].n_keys > 1)
		cell[row.n++] = (struct suite_cell){ ike ? (uint16_t)OAKLEY_ATTRIBUTE_KEY_LENGTH
							 : (uint16_t)IPSEC_ATTRIBUTE_KEY_LENGTH,
						     8u * k->key_octets };
	if (ike) {
		cell[row.n++] = (struct suite_cell){ OAKLEY_ATTRIBUTE_HASH_ALGORITHM,
						     number_of(&registry_oakley_hash, k->hash) };
		cell[row.n++] = (struct suite_cell){ OAKLEY_ATTRIBUTE_GROUP_DESCRIPTION, c->group };
	} else if (k->mac != ALG_NONE) {
		cell[row.n++] = (struct suite_cell){ IPSEC_ATTRIBUTE_AUTH_ALGORITHM,
						     number_of(&registry_auth_algorithm, k->mac) };
	}
	return row;
}

const char *choice_text(struct arena *a, const struct choice *c)
{
	char *p = arena_alloc(a, 128);
	struct text t = text_on(p, 128);

	for (size_t i = 0; i < c->n; i++) {
		struct suite_cell cell[4];
		struct suite_row row = row_of(c, &c->p[i], cell);
		bool last = i + 1 == c->n;

		text_add(&t, "%s", i > 0 ? " + " : "");
		algorithms_format(&t, c->p[i].protocol, &row,
				  last && c->p[i].protocol != PROTOCOL_ID_ISAKMP ? c->group : 0);
	}
	return p;
}
