/* informational.c -- notifications and deletes, sent and received (RFC 2409 5.7). */
#include "generated/actions.h"
#include "ike/dpd.h"
#include "ike/phase2.h"

static const char *notify_text(struct arena *a, uint16_t type)
{
	char t[REGISTRY_TEXT];

	return arena_printf(a, "%s", registry_name(&registry_notify_type, type, t));
}

/* Nothing of a message in clear can be believed; it is told to the operator, who may need it. */
enum action_result info_clear(struct action *a, const struct in_NFY *in)
{
	struct ike *ike;

	if (a->x == NULL || a->x->user == NULL)
		return ACTION_IGNORE;
	ike = phase1_of(a->x)->ike;
	for (size_t i = 0; i < in->n_N; i++)
		ike_refusal(ike, exchange_connection(a->x), a->x, exchange_whack(a->x), false,
			    refuse_peer_notifies_clear(a->arena, notify_text(a->arena, in->N[i]->type)));
	return ACTION_OK;
}

static void delete_isakmp(struct action *a, const struct payload_D *d)
{
	struct phase1 *p = phase1_of(a->x);

	for (size_t i = 0; i < d->n_spis; i++) {
		if (!span_eq(span_sub(d->spis, i * d->spi_size, d->spi_size),
			     span_of(a->x->cookies, sizeof(a->x->cookies))))
			continue;	/* another ISAKMP SA is deleted under its own protection only */
		if (p->retired)
			return;
		ike_log(p->ike, p->c, a->x, NO_WHACK, WHACK_STATUS_LOG, "the peer deletes this ISAKMP SA");
		phase1_retire(p);
		return;
	}
}

static void delete_ipsec(struct action *a, const struct payload_D *d)
{
	struct phase1 *p = phase1_of(a->x);

	/* With the last of them an ISAKMP SA that is retired goes, and p with it. */
	for (size_t i = 0; i < d->n_spis && !a->x->dying; i++) {
		uint32_t spi = get_u32(d->spis.p + 4 * i);
		struct exchange *x = phase2_by_spi(p->ike, p, d->protocol, spi);

		if (x == NULL)
			continue;
		ike_log(p->ike, exchange_connection(x), x, NO_WHACK, WHACK_STATUS_LOG,
			"the peer deletes its IPsec SA 0x%08x", spi);
		engine_end(a->engine, x, END_LOCAL);
	}
}

enum action_result info_protected(struct action *a, const struct in_INF *in)
{
	struct phase1 *p = phase1_of(a->x);

	for (size_t i = 0; i < in->n_N; i++)
		if (!dpd_notified(p, in->N[i]))
			ike_refusal(p->ike, p->c, a->x, NO_WHACK, false,
				    refuse_peer_notifies(a->arena, notify_text(a->arena, in->N[i]->type)));
	for (size_t i = 0; i < in->n_D && !a->x->dying; i++) {
		if (in->D[i]->protocol == PROTOCOL_ID_ISAKMP)
			delete_isakmp(a, in->D[i]);
		else if (in->D[i]->spi_size == 4)
			delete_ipsec(a, in->D[i]);
	}
	return ACTION_OK;
}

static void send_under(struct ike *ike, struct exchange *root, const struct out_INF *out)
{
	if (root != NULL && exchange_final(root))
		engine_send_oneway(ike->engine, ike->now, root, &oneway_informational, &message_INF, out);
}

/* The ISAKMP SA under which the end of p is told: the newest, which the peer has most likely. */
static struct exchange *teller(struct ike *ike, const struct phase2 *p)
{
	struct phase1 *newest = phase1_usable(ike, p->c, true);

	if (newest != NULL)
		return newest->x;
	return p->root->retired ? NULL : p->root->x;
}

void send_delete(struct ike *ike, struct exchange *x)
{
	struct emit_D d[CHOICE_PROTOCOLS] = { 0 };
	struct span spi[CHOICE_PROTOCOLS];
	struct out_INF out = { .D = d };
	uint8_t bytes[CHOICE_PROTOCOLS][4];

	const struct phase2 *p;

	if (ike->quiet || x == NULL)
		return;
	if (x->machine->phase == 1) {
		spi[0] = span_of(x->cookies, sizeof(x->cookies));
		d[0] = (struct emit_D){ .doi = DOI_ID_IPSEC, .protocol = PROTOCOL_ID_ISAKMP,
					.spis = spi, .n_spis = 1 };
		out.n_D = 1;
		send_under(ike, x, &out);
		return;
	}
	p = x->user;
	if (!p->installed)		/* then the peer has nothing of it either */
		return;
	for (unsigned i = 0; i < p->chosen.n; i++) {
		struct writer w = writer_on(bytes[i], 4);

		if (p->chosen.p[i].protocol == PROTOCOL_ID_IPCOMP)
			continue;	/* goes with the others */
		put_u32(&w, phase2_spi(p, p->chosen.p[i].protocol));
		spi[i] = writer_span(&w);
		d[out.n_D++] = (struct emit_D){ .doi = DOI_ID_IPSEC, .protocol = p->chosen.p[i].protocol,
						.spis = &spi[i], .n_spis = 1 };
	}
	send_under(ike, teller(ike, p), &out);
}

/* Tell the peer why, as far as that is safe: under an ISAKMP SA, or in clear about the first message
 * of a phase 1 that is refused, where the answer is no longer than the question. */
void send_notify(struct ike *ike, struct exchange *x, uint16_t type)
{
	struct emit_N n = { .doi = DOI_ID_IPSEC, .protocol = PROTOCOL_ID_ISAKMP, .type = type };
	struct out_INF inf = { .N = &n, .n_N = 1 };
	struct out_NFY nfy = { .N = &n, .n_N = 1 };

	if (x == NULL || x->machine == NULL)
		return;
	if (x->parent != NULL)
		send_under(ike, x->parent, &inf);
	else if (x->state == NULL || x->state->start)
		engine_send_clear(ike->engine, x, &message_NFY, &nfy);
}

/* Both were proved to belong to the same two identities. */
static bool same_peer(const struct phase1 *p, const struct phase1 *q)
{
	return identity_eq(&peer_end(p->c)->id, &peer_end(q->c)->id) &&
	       identity_eq(&our_end(p->c)->id, &our_end(q->c)->id);
}

static bool receives(const struct phase2 *q, uint8_t protocol, uint32_t spi)
{
	for (unsigned i = 0; q != NULL && i < q->chosen.n; i++)
		if (q->chosen.p[i].protocol == protocol && q->chosen.p[i].peer_spi == spi)
			return true;
	return false;
}

struct exchange *phase2_by_spi(struct ike *ike, const struct phase1 *p, uint8_t protocol, uint32_t spi)
{
	const struct phase1 *other;
	struct exchange *x;

	(void)ike;
	LIST_FOREACH(other, &p->pair->phase1s, in_pair) {
		if (other->x == NULL || other->established == 0 || !same_peer(other, p))
			continue;
		LIST_FOREACH(x, &other->x->children, sibling)
			if (receives(x->user, protocol, spi))
				return x;
	}
	return NULL;
}
