/* choose.c -- choosing from an offer, and checking a choice against what was offered. */
#include <stdlib.h>

#include "ike/algorithms.h"
#include "ike/internal.h"
#include "ike/lifetime.h"
#include "ike/natt.h"
#include "ike/offer.h"

/* How an offer misses what is allowed: the fewest differences to any row, and the first of them. */
struct miss {
	unsigned differences;
	uint16_t type;			/* attribute, 0 = the transform id */
	bool theirs_absent, ours_absent;
	uint64_t theirs, ours;
};

/* Attributes that are no part of a row: each is judged on its own. */
static bool apart(uint8_t protocol, uint16_t type)
{
	if (protocol == PROTOCOL_ID_ISAKMP)
		return type == OAKLEY_ATTRIBUTE_AUTHENTICATION_METHOD ||
		       type == OAKLEY_ATTRIBUTE_LIFE_TYPE || type == OAKLEY_ATTRIBUTE_LIFE_DURATION;
	return type == IPSEC_ATTRIBUTE_SA_LIFE_TYPE || type == IPSEC_ATTRIBUTE_SA_LIFE_DURATION ||
	       type == IPSEC_ATTRIBUTE_ENCAPSULATION_MODE ||
	       type == IPSEC_ATTRIBUTE_GROUP_DESCRIPTION;
}

static void differ(struct miss *m, uint16_t type, const uint64_t *theirs, const uint64_t *ours)
{
	if (m->differences++ > 0)
		return;
	m->type = type;
	m->theirs_absent = theirs == NULL;
	m->ours_absent = ours == NULL;
	m->theirs = theirs == NULL ? 0 : *theirs;
	m->ours = ours == NULL ? 0 : *ours;
}

static const struct suite_cell *cell(const struct suite_row *row, uint16_t type)
{
	for (size_t i = 0; i < row->n; i++)
		if (row->cells[i].attribute == type)
			return &row->cells[i];
	return NULL;
}

static struct miss compare(const struct offer *o, const struct suite_row *row)
{
	struct miss m = { 0 };

	if (o->transform != row->transform)
		differ(&m, 0, &(uint64_t){ o->transform }, &(uint64_t){ row->transform });
	for (size_t i = 0; i < row->n; i++) {
		uint64_t theirs, ours = row->cells[i].value;
		bool there = offer_get(o, row->cells[i].attribute, &theirs);

		if (!there || theirs != ours)
			differ(&m, row->cells[i].attribute, there ? &theirs : NULL, &ours);
	}
	for (size_t i = 0; i < o->n; i++)
		if (!apart(o->protocol, o->attribute[i].type) &&
		    cell(row, o->attribute[i].type) == NULL)
			differ(&m, o->attribute[i].type, &o->attribute[i].number, NULL);
	return m;
}

/* differences == 0: some row allows the offer. */
static struct miss closest(const struct offer *o, const struct rows *rows)
{
	struct miss best = { .differences = UINT32_MAX };

	for (size_t i = 0; i < rows->n && best.differences > 0; i++) {
		struct miss m = compare(o, &rows->all[i]);

		if (m.differences < best.differences)
			best = m;
	}
	return best;
}

static const char *number_text(struct arena *a, uint8_t protocol, uint16_t type, uint64_t number,
			       bool absent)
{
	const struct registry *r = registry_transform_id(protocol);
	char dst[REGISTRY_TEXT];

	if (absent)
		return "absent";
	if (type != 0) {
		const struct attribute_desc *d = attribute_desc(protocol, type);

		r = d == NULL ? NULL : d->registry;
	}
	if (r == NULL || number > UINT32_MAX)
		return arena_printf(a, "%llu", (unsigned long long)number);
	return arena_printf(a, "%s", registry_name(r, (uint32_t)number, dst));
}

static const char *type_text(struct arena *a, uint8_t protocol, uint16_t type)
{
	const struct attribute_desc *d = type == 0 ? NULL : attribute_desc(protocol, type);

	if (type == 0)
		return "the transform";
	return d != NULL ? d->name : arena_printf(a, "attribute %u", type);
}

static bool has_word(const struct registry *r, uint64_t number)
{
	const struct registry_entry *e = number > UINT32_MAX ? NULL : registry_find(r, (uint32_t)number);

	return e != NULL && e->word != NULL;
}

/* What to write behind --ike, --esp or --ah to allow the offer; NULL when there are no words for it. */
static const char *suggestion(struct arena *a, const struct offer *o)
{
	char *p = arena_alloc(a, 128);
	struct text t = text_on(p, 128);
	struct suite_cell cells[OFFER_ATTRIBUTES];
	struct suite_row row = { .transform = o->transform, .cells = cells };
	const struct registry *ids = registry_transform_id(o->protocol);

	if (o->protocol != PROTOCOL_ID_ISAKMP && (ids == NULL || !has_word(ids, o->transform)))
		return NULL;
	for (size_t i = 0; i < o->n; i++) {
		const struct attribute_desc *d = attribute_desc(o->protocol, o->attribute[i].type);
		uint64_t number = o->attribute[i].number;

		if (apart(o->protocol, o->attribute[i].type))
			continue;
		if (d == NULL || number > UINT32_MAX || (d->registry != NULL && !has_word(d->registry, number)))
			return NULL;
		cells[row.n++] = (struct suite_cell){ o->attribute[i].type, (uint32_t)number };
	}
	algorithms_format(&t, o->protocol, &row, 0);
	return p;
}

static const char *offer_text(struct arena *a, const struct offer *o)
{
	const char *s = suggestion(a, o);

	return s == NULL || *s == '\0' ? "unknown algorithms" : s;
}

static const char *option_of(uint8_t protocol)
{
	switch (protocol) {
	case PROTOCOL_ID_ISAKMP:
		return "--ike";
	case PROTOCOL_ID_AH:
		return "--ah";
	default:
		return "--esp";
	}
}

/* The refusal of an offer in which nothing fits: tells of the closest transform. */
static const struct refusal *no_common_suite(struct arena *a, const struct connection *c,
					     unsigned n, const struct offer *o, const struct miss *m)
{
	return refuse_no_common_suite(a, c->name, n, o->number, offer_text(a, o),
				      type_text(a, o->protocol, m->type),
				      number_text(a, o->protocol, m->type, m->theirs,
						  m->theirs_absent),
				      number_text(a, o->protocol, m->type, m->ours, m->ours_absent),
				      option_of(o->protocol), offer_text(a, o));
}

/* ---- phase 1 ----------------------------------------------------------- */

static void fill_ike(const struct offer *o, uint8_t proposal, struct choice *out)
{
	uint64_t number = 0;

	*out = (struct choice){ .proposal = proposal, .n = 1, .life = o->life };
	offer_algorithms(o, &out->p[0]);
	if (offer_get(o, OAKLEY_ATTRIBUTE_AUTHENTICATION_METHOD, &number))
		out->auth = auth_base((uint16_t)number);
	out->xauth = out->auth != number;
	if (offer_get(o, OAKLEY_ATTRIBUTE_GROUP_DESCRIPTION, &number))
		out->group = (uint16_t)number;
}

bool rows_allow(const struct rows *rows, const struct choice *c)
{
	for (size_t i = 0; i < rows->n; i++) {
		struct offer o = { .protocol = PROTOCOL_ID_ISAKMP, .transform = rows->all[i].transform };
		struct choice k;

		for (size_t j = 0; j < rows->all[i].n; j++) {
			o.attribute[o.n].type = rows->all[i].cells[j].attribute;
			o.attribute[o.n++].number = rows->all[i].cells[j].value;
		}
		fill_ike(&o, 0, &k);
		if (k.p[0].cipher == c->p[0].cipher && k.p[0].key_octets == c->p[0].key_octets &&
		    k.p[0].hash == c->p[0].hash && k.group == c->group)
			return true;
	}
	return false;
}

/* What does not belong to a row: method, lifetime. */
static const struct refusal *apart_ike(struct arena *a, const struct connection *c,
				       const struct offer *o, uint32_t methods)
{
	uint64_t auth = 0;

	offer_get(o, OAKLEY_ATTRIBUTE_AUTHENTICATION_METHOD, &auth);
	if (!auth_allowed(c, methods, auth))
		return auth_refusal(a, c, auth);
	if (o->life.seconds > LIMIT_IKE_LIFE_MAX)
		return refuse_life_too_long(a, c->name, "ISAKMP", o->life.seconds, LIMIT_IKE_LIFE_MAX);
	return NULL;
}

const struct refusal *choose_ike(struct arena *a, const struct connection *c,
				 const struct payload_SA *sa, uint32_t methods, struct choice *out,
				 struct emit_SA *answer)
{
	struct span proposals = sa->proposals;
	struct payload_P p;
	struct payload_T t;
	struct miss best = { .differences = UINT32_MAX };
	struct offer near = { 0 };
	const struct refusal *why = NULL;
	unsigned n = 0;

	if (!next_P(&proposals, &p) || p.protocol != PROTOCOL_ID_ISAKMP)
		return refuse_wrong_protocol(a, "ISAKMP");
	for (struct span rest = p.transforms; next_T(&rest, p.protocol, &t); n++) {
		struct offer o;

		offer_read(p.protocol, &t, &o);
		struct miss m = closest(&o, &c->policy.ike);

		if (m.differences < best.differences) {
			best = m;
			near = o;
		}
		if (m.differences > 0)
			continue;
		const struct refusal *other = apart_ike(a, c, &o, methods);

		if (other != NULL) {
			why = other;
			continue;
		}
		struct emit_P *ep = ARENA_NEW(a, struct emit_P);
		struct emit_T *et = ARENA_NEW(a, struct emit_T);

		fill_ike(&o, p.number, out);
		out->p[0].place = (uint8_t)n;
		offer_echo(a, &t, et);
		*ep = (struct emit_P){ .number = p.number, .protocol = p.protocol, .spi = p.spi,
				       .transforms = et, .n_transforms = 1 };
		answer->proposals = ep;
		answer->n_proposals = 1;
		return NULL;
	}
	return why != NULL ? why : no_common_suite(a, c, n, &near, &best);
}

/* ---- phase 2 ----------------------------------------------------------- */

static bool group_allowed(const struct connection *c, uint64_t group)
{
	enum alg alg = group > UINT16_MAX ? ALG_NONE : group_alg((uint16_t)group);

	if (alg == ALG_NONE)
		return false;
	if (c->policy.pfs_group != 0)
		return group == c->policy.pfs_group;
	for (size_t i = 0; i < c->policy.ike.n; i++) {
		const struct suite_cell *k = cell(&c->policy.ike.all[i],
						  OAKLEY_ATTRIBUTE_GROUP_DESCRIPTION);

		if (k != NULL && k->value == group)
			return true;
	}
	return false;
}

static const struct refusal *wrong_mode(struct arena *a, const struct connection *c, uint32_t mode, uint32_t want)
{
	char room[2][REGISTRY_TEXT];
	const char *theirs = registry_name(&registry_encapsulation_mode, mode, room[0]);
	const char *ours = registry_name(&registry_encapsulation_mode, want, room[1]);

	if (natt_in_udp((uint16_t)mode) == natt_in_udp((uint16_t)want))
		return refuse_wrong_mode(a, c->name, theirs, ours);
	return refuse_wrong_encapsulation(a, c->name, theirs, ours, natt_in_udp((uint16_t)want) ? "in UDP" : "not in UDP");
}

static const struct refusal *apart_ipsec(struct arena *a, const struct connection *c,
					 const struct offer *o, bool has_ke, uint16_t want)
{
	uint64_t mode = 0, group = 0;
	bool comp = o->protocol == PROTOCOL_ID_IPCOMP;	/* some peers leave to the others what concerns all */
	bool has_mode = offer_get(o, IPSEC_ATTRIBUTE_ENCAPSULATION_MODE, &mode);
	bool has_group = offer_get(o, IPSEC_ATTRIBUTE_GROUP_DESCRIPTION, &group);

	if (mode != want && (has_mode || !comp))
		return wrong_mode(a, c, (uint32_t)mode, want);
	/* A group without a KE payload, or the other way round, is none that keys can be made of. */
	if (has_group != has_ke && (has_group || !comp))
		return refuse_pfs_half(a, has_ke ? "no group" : "a group",
				       has_ke ? "a KE payload" : "no KE payload");
	if (has_group && !group_allowed(c, group))
		return refuse_pfs_group(a, c->name, number_text(a, PROTOCOL_ID_ISAKMP,
								OAKLEY_ATTRIBUTE_GROUP_DESCRIPTION,
								group, false));
	if (o->life.seconds > LIMIT_IPSEC_LIFE_MAX)
		return refuse_life_too_long(a, c->name, "IPsec", o->life.seconds, LIMIT_IPSEC_LIFE_MAX);
	return NULL;
}

static void fill_ipsec(const struct offer *o, uint8_t place, uint32_t spi, struct choice *out)
{
	struct chosen *k = &out->p[out->n++];
	uint64_t number = 0;

	offer_algorithms(o, k);
	k->place = place;
	k->peer_spi = spi;
	if (offer_get(o, IPSEC_ATTRIBUTE_ENCAPSULATION_MODE, &number))
		out->mode = (uint16_t)number;
	if (offer_get(o, IPSEC_ATTRIBUTE_GROUP_DESCRIPTION, &number))
		out->group = (uint16_t)number;
	out->life.seconds = life_least(out->life.seconds, o->life.seconds);
	out->life.kilobytes = life_least(out->life.kilobytes, o->life.kilobytes);
}

struct search {			/* the state of a walk over an offer of phase 2 */
	struct arena *a;
	const struct connection *c;
	bool has_ke;
	uint16_t mode;		/* wanted, by its own number */
	unsigned n;
	struct miss best;
	struct offer near;
	const struct refusal *why;
	const struct refusal *unfit;	/* protocols that are not asked for: told when there is nothing nearer */
};

/* The first acceptable transform of proposal p. */
static bool choose_transform(struct search *s, const struct payload_P *p, struct choice *out)
{
	const struct rows *rows = rows_of(s->c, p->protocol);
	struct payload_T t;
	uint32_t spi;
	uint8_t place = 0;

	if (rows == NULL)
		return false;
	if (!spi_read(p, &spi)) {
		s->why = refuse_peer_spi(s->a, p->spi);
		return false;
	}
	for (struct span rest = p->transforms; next_T(&rest, p->protocol, &t); s->n++, place++) {
		struct offer o;

		offer_read(p->protocol, &t, &o);
		struct miss m = closest(&o, rows);

		if (m.differences > 0 && p->protocol == PROTOCOL_ID_IPCOMP) {
			s->unfit = refuse_compression(s->a, s->c->name);
			continue;
		}
		if (m.differences > 0 && m.differences < s->best.differences) {
			s->best = m;
			s->near = o;
		}
		if (m.differences > 0)
			continue;
		const struct refusal *other = apart_ipsec(s->a, s->c, &o, s->has_ke, s->mode);

		if (other == NULL) {
			fill_ipsec(&o, place, spi, out);
			return true;
		}
		s->why = other;
	}
	return false;
}

/* The protocols of a proposal, as bits; false when one is there twice. */
static bool protocols_of(const struct payload_SA *sa, uint8_t number, uint32_t *bits)
{
	struct span rest = sa->proposals;
	struct payload_P p;

	*bits = 0;
	while (next_P(&rest, &p)) {
		if (p.number != number)
			continue;
		if ((*bits & 1u << p.protocol) != 0)
			return false;
		*bits |= 1u << p.protocol;
	}
	return true;
}

/* May these protocols together stand for what c asks?  AH may be replaced by the authentication of ESP
 * (the manual, --authenticate), which every row of ours has; compression may be missing. */
static const struct refusal *protocols_fit(struct arena *a, const struct connection *c, uint32_t offered)
{
	const uint32_t ah = 1u << PROTOCOL_ID_AH, esp = 1u << PROTOCOL_ID_ESP, comp = 1u << PROTOCOL_ID_IPCOMP;
	uint32_t wanted = connection_protocols(c);

	if (((wanted & esp) != 0 && (offered & esp) == 0) || ((wanted & ah) != 0 && (offered & (ah | esp)) == 0) ||
	    (offered & ~(ah | esp | comp)) != 0)
		return refuse_protocols(a, c->name, c->policy.encrypt ? "--encrypt" : "--authenticate");
	if (c->policy.single != NULL && (offered & (offered - 1)) != 0)
		return refuse_bundle_families(a, c->name, c->policy.single);
	if ((offered & comp) != 0 && (wanted & comp) == 0)
		return refuse_compression(a, c->name);
	return NULL;
}

/* All proposals of one number, which belong together. */
static bool choose_number(struct search *s, const struct payload_SA *sa, uint8_t number,
			  struct choice *out)
{
	struct span rest = sa->proposals;
	struct payload_P p;
	const struct refusal *unfit;
	uint32_t offered;

	*out = (struct choice){ .proposal = number };
	unfit = protocols_of(sa, number, &offered) ? protocols_fit(s->a, s->c, offered) :
						     refuse_protocol_twice(s->a, number);
	if (unfit != NULL) {
		s->unfit = unfit;
		return false;
	}
	while (next_P(&rest, &p))
		if (p.number == number && !choose_transform(s, &p, out))
			return false;
	return true;
}

const struct refusal *choose_ipsec(struct arena *a, const struct connection *c,
				   const struct payload_SA *sa, bool has_ke, uint16_t mode, struct choice *out)
{
	struct search s = { .a = a, .c = c, .has_ke = has_ke,
			    .mode = (uint16_t)registry_canonical(&registry_encapsulation_mode, mode),
			    .best = { .differences = UINT32_MAX } };
	struct span rest = sa->proposals;
	struct payload_P p;
	int last = -1;

	if (c->policy.pfs && !has_ke)
		return refuse_pfs_missing(a, c->name);
	while (next_P(&rest, &p)) {
		if (p.number == last)
			continue;
		last = p.number;
		if (choose_number(&s, sa, p.number, out))
			return NULL;
	}
	if (s.why != NULL)
		return s.why;
	if (s.best.differences != UINT32_MAX)
		return no_common_suite(a, c, s.n, &s.near, &s.best);
	return s.unfit != NULL ? s.unfit : refuse_protocols(a, c->name, "--encrypt");
}

void answer_ipsec(struct arena *a, const struct payload_SA *sa, const struct choice *chosen,
		  const uint32_t *spis, struct emit_SA *answer)
{
	struct emit_P *out = ARENA_ARRAY(a, struct emit_P, CHOICE_PROTOCOLS);
	struct span rest = sa->proposals;
	struct payload_P p;
	struct payload_T t;
	size_t n = 0;

	while (n < chosen->n && next_P(&rest, &p)) {
		if (p.number != chosen->proposal)
			continue;
		struct emit_T *et = ARENA_NEW(a, struct emit_T);
		struct span transforms = p.transforms;
		unsigned place = 0;

		while (next_T(&transforms, p.protocol, &t) && place < chosen->p[n].place)
			place++;
		offer_echo(a, &t, et);
		out[n++] = (struct emit_P){ .number = p.number, .protocol = p.protocol,
					    .spi = spi_bytes(a, p.protocol, spis[p.protocol]), .transforms = et,
					    .n_transforms = 1 };
	}
	answer->proposals = out;
	answer->n_proposals = (uint16_t)n;
}
