/* check_choice.c -- the responder must have chosen exactly one of the transforms that were offered. */
#include "ike/internal.h"
#include "ike/offer.h"

/* Same transform: id and every attribute; the order of attributes does not matter. */
static bool same(const struct offer *o, const struct emit_T *ours)
{
	if (o->transform != ours->id || o->number != ours->number || o->n != ours->n_attrs)
		return false;
	for (size_t i = 0; i < ours->n_attrs; i++) {
		uint64_t number;

		if (!offer_get(o, ours->attrs[i].type, &number) || number != ours->attrs[i].number)
			return false;
	}
	return true;
}

static const struct emit_P *offered_protocol(const struct emit_SA *offered, uint8_t protocol)
{
	for (size_t i = 0; i < offered->n_proposals; i++)
		if (offered->proposals[i].protocol == protocol)
			return &offered->proposals[i];
	return NULL;
}

/* Reads the one transform of p and finds it among ours. */
static const struct refusal *check_one(struct arena *a, const struct emit_SA *offered,
				       const struct payload_P *p, struct offer *o)
{
	const struct emit_P *ours = offered_protocol(offered, p->protocol);
	struct span rest = p->transforms;
	struct payload_T t, second;

	if (ours == NULL || p->number != ours->number || !next_T(&rest, p->protocol, &t))
		return refuse_choice_not_offered(a, p->number, 0);
	if (next_T(&rest, p->protocol, &second))
		return refuse_choice_not_offered(a, p->number, second.number);
	offer_read(p->protocol, &t, o);
	for (size_t i = 0; i < ours->n_transforms; i++)
		if (same(o, &ours->transforms[i]))
			return NULL;
	return refuse_choice_not_offered(a, p->number, t.number);
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
	*out = (struct choice){ .proposal = p.number, .n = 1, .life_seconds = o.life_seconds,
				.life_kilobytes = o.life_kilobytes };
	offer_algorithms(&o, &out->p[0]);
	if (offer_get(&o, OAKLEY_ATTRIBUTE_AUTHENTICATION_METHOD, &number))
		out->auth = (uint16_t)number;
	if (offer_get(&o, OAKLEY_ATTRIBUTE_GROUP_DESCRIPTION, &number))
		out->group = (uint16_t)number;
	return NULL;
}

const struct refusal *check_ipsec(struct arena *a, const struct connection *c, uint16_t group,
				  const struct payload_SA *sa, struct choice *out)
{
	uint32_t none[PROTOCOL_ID_IPCOMP + 1] = { 0 };
	struct emit_SA offered = { 0 };
	struct span rest = sa->proposals;
	struct payload_P p;
	struct offer o;
	const struct refusal *why;

	offer_ipsec(a, c, none, group, &offered);
	*out = (struct choice){ .group = group,
				.mode = connection_tunnel(c) ? ENCAPSULATION_MODE_TUNNEL
							     : ENCAPSULATION_MODE_TRANSPORT };
	while (next_P(&rest, &p)) {
		why = check_one(a, &offered, &p, &o);
		if (why != NULL)
			return why;
		if (out->n == offered.n_proposals)
			return refuse_choice_not_offered(a, p.number, o.number);
		if (p.spi.n != 4 || get_u32(p.spi.p) < LIMIT_SPI_PEER_MIN)
			return refuse_peer_spi(a, p.spi);
		offer_algorithms(&o, &out->p[out->n]);
		out->p[out->n].number = o.number;
		out->p[out->n++].peer_spi = get_u32(p.spi.p);
		out->proposal = p.number;
		out->life_seconds = o.life_seconds;
	}
	return out->n == offered.n_proposals ? NULL : refuse_choice_not_offered(a, out->proposal, 0);
}
