/* check_choice.c -- the responder must have chosen exactly one of the transforms that were offered; it may lower the
 * lifetimes (RFC 2407 4.5.4). */
#include "ike/internal.h"
#include "ike/lifetime.h"
#include "ike/offer.h"

/* As often as it stands in the choice: of a repeated attribute each value is there once. */
/* number is none of an alias. */
static bool has_attribute(uint8_t protocol, const struct emit_T *t, uint16_t type, uint64_t number)
{
	for (size_t i = 0; i < t->n_attrs; i++)
		if (t->attrs[i].type == type && attribute_canonical(protocol, type, t->attrs[i].number) == number)
			return true;
	return false;
}

/* The limits that ours states. */
static struct life life_of(const struct offer *o, const struct emit_T *ours)
{
	size_t size = LIMIT_ATTRIBUTES * 12;
	struct arena *a = arena_new();
	struct writer w = writer_on(arena_alloc(a, size), size);
	struct life life;

	attributes_emit(&w, attribute_table(o->protocol), ours->attrs, ours->n_attrs);
	life = life_read(o->protocol, writer_span(&w));
	arena_free(a);
	return life;
}

static bool within(uint64_t limit, uint64_t offered)
{
	return limit == offered || (limit != 0 && limit < offered);
}

/* Is no limit of the choice wider than the offered one, nor left out?  A duration that is paired with another type is one
 * or the other. */
static bool life_within(const struct offer *o, const struct life *offered)
{
	return (within(o->life.seconds, offered->seconds) && within(o->life.kilobytes, offered->kilobytes)) ||
	       (o->protocol == PROTOCOL_ID_IPCOMP && o->life.seconds == 0 && o->life.kilobytes == 0);
}

/* Same transform: id and every attribute but the durations; the order of attributes does not matter.  Of compression some
 * peers repeat only what concerns it; the rest is that of the other protocols. */
static bool same(const struct offer *o, const struct emit_T *ours)
{
	if (o->transform != ours->id || o->number != ours->number)
		return false;
	if (o->n != ours->n_attrs && (o->protocol != PROTOCOL_ID_IPCOMP || o->n > ours->n_attrs))
		return false;
	for (size_t i = 0; i < o->n; i++)
		if (!life_is_duration(o->protocol, o->attribute[i].type) &&
		    !has_attribute(o->protocol, ours, o->attribute[i].type, o->attribute[i].number))
			return false;
	return true;
}

static const struct emit_P *offered_protocol(const struct emit_SA *offered, uint8_t number, uint8_t protocol)
{
	for (size_t i = 0; i < offered->n_proposals; i++)
		if (offered->proposals[i].number == number && offered->proposals[i].protocol == protocol)
			return &offered->proposals[i];
	return NULL;
}

/* How many protocols the proposal of that number has. */
static unsigned offered_protocols(const struct emit_SA *offered, uint8_t number)
{
	unsigned n = 0;

	for (size_t i = 0; i < offered->n_proposals; i++)
		n += offered->proposals[i].number == number;
	return n;
}

static bool has_protocol(const struct choice *c, uint8_t protocol)
{
	for (unsigned i = 0; i < c->n; i++)
		if (c->p[i].protocol == protocol)
			return true;
	return false;
}

/* Reads the one transform of p and finds it among ours.  A lifetime is not covered by any hash in phase 1: it is never
 * shorter than one that is told later may be, unless ours was. */
static const struct refusal *check_one(struct arena *a, const struct emit_SA *offered,
				       const struct payload_P *p, struct offer *o)
{
	const struct emit_P *ours = offered_protocol(offered, p->number, p->protocol);
	struct span rest = p->transforms;
	struct payload_T t, second;
	struct life life, wider = { 0 };

	if (ours == NULL || !next_T(&rest, p->protocol, &t))
		return refuse_choice_not_offered(a, p->number, 0);
	if (next_T(&rest, p->protocol, &second))
		return refuse_choice_not_offered(a, p->number, second.number);
	offer_read(p->protocol, &t, o);
	for (size_t i = 0; i < ours->n_transforms; i++)
		if (same(o, &ours->transforms[i])) {
			life = life_of(o, &ours->transforms[i]);
			if (life_within(o, &life)) {
				o->life.seconds = life_not_tiny(o->life.seconds, life.seconds);
				return NULL;
			}
			wider = life;
		}
	return wider.seconds == 0 ? refuse_choice_not_offered(a, p->number, t.number) :
	       refuse_choice_lives_longer(a, t.number, p->number, life_text(a, &o->life), life_text(a, &wider));
}

const struct refusal *check_ike(struct arena *a, const struct connection *c, uint32_t methods,
				const struct payload_SA *sa, struct choice *out)
{
	struct emit_SA offered = { 0 };
	struct span rest = sa->proposals;
	struct payload_P p;
	struct offer o;
	uint64_t number = 0;
	const struct refusal *why;

	offer_ike(a, c, methods, &offered);
	if (!next_P(&rest, &p))
		return refuse_choice_not_offered(a, 0, 0);
	why = check_one(a, &offered, &p, &o);
	if (why != NULL)
		return why;
	*out = (struct choice){ .proposal = p.number, .n = 1, .life = o.life };
	offer_algorithms(&o, &out->p[0]);
	if (offer_get(&o, OAKLEY_ATTRIBUTE_AUTHENTICATION_METHOD, &number))
		out->auth = auth_base((uint16_t)number);
	out->xauth = out->auth != number;
	if (offer_get(&o, OAKLEY_ATTRIBUTE_GROUP_DESCRIPTION, &number))
		out->group = (uint16_t)number;
	return NULL;
}

const struct refusal *check_ipsec(struct arena *a, const struct connection *c, uint16_t group, uint16_t mode,
				  const struct payload_SA *sa, struct choice *out)
{
	uint32_t none[PROTOCOL_ID_IPCOMP + 1] = { 0 };
	struct emit_SA offered = { 0 };
	struct span rest = sa->proposals;
	struct payload_P p;
	struct offer o;
	const struct refusal *why;
	uint32_t spi;

	offer_ipsec(a, c, none, group, mode, &offered);
	*out = (struct choice){ .group = group, .mode = mode };
	while (next_P(&rest, &p)) {
		why = check_one(a, &offered, &p, &o);
		if (why != NULL)
			return why;
		/* Behind what is compressed some peers repeat the proposal that is not; the first one counts. */
		if (out->n > 0 && p.number != out->proposal && has_protocol(out, PROTOCOL_ID_IPCOMP))
			continue;
		if ((out->n > 0 && p.number != out->proposal) || has_protocol(out, p.protocol))
			return refuse_choice_not_offered(a, p.number, o.number);
		if (!spi_read(&p, &spi))
			return refuse_peer_spi(a, p.spi);
		offer_algorithms(&o, &out->p[out->n]);
		out->p[out->n++].peer_spi = spi;
		out->proposal = p.number;
		if (p.protocol != PROTOCOL_ID_IPCOMP)	/* which may leave it to the others */
			out->life = o.life;
	}
	return out->n > 0 && out->n == offered_protocols(&offered, out->proposal) ? NULL : refuse_choice_not_offered(a, out->proposal, 0);
}
