/* informational.c -- notifications and deletes, sent and received (RFC 2409 5.7). */
#include "generated/actions.h"
#include "ike/contact.h"
#include "ike/dpd.h"
#include "ike/lifetime.h"
#include "ike/phase2.h"

static const char *notify_text(struct arena *a, uint16_t type)
{
	char t[REGISTRY_TEXT];

	return arena_printf(a, "%s", registry_name(&registry_notify_type, type, t));
}

/* Errors of RFC 2408 and of a DOI; what comes after them tells of something that went well. */
static bool is_error(uint16_t type)
{
	return type != 0 && type < NOTIFY_TYPE_CONNECTED;
}

/* For whack, with the number of the notification. */
static void tell_whack(struct ike *ike, const struct exchange *x, uint32_t whack, uint16_t type,
		       const struct refusal *why)
{
	ike_reply(ike, whack, (uint16_t)(WHACK_STATUS_NOTIFICATION + type), "\"%s\" #%llu: %s",
		  exchange_connection(x)->name, (unsigned long long)x->serial, why->message);
	if (why->remedy != NULL)
		ike_reply(ike, whack, WHACK_STATUS_COMMENT, "remedy: %s", why->remedy);
}

static void tell_notified(struct ike *ike, const struct exchange *x, uint32_t whack, uint16_t type,
			  const struct refusal *why)
{
	ike_refusal(ike, exchange_connection(x), x, NO_WHACK, false, why);
	tell_whack(ike, x, whack, type, why);
}

/* Nothing of a message in clear can be believed; it is told to the operator, who may need it. */
enum action_result info_clear(struct action *a, const struct in_NFY *in)
{
	struct phase1 *p = phase1_of(a->x);

	if (p == NULL)
		return ACTION_IGNORE;
	for (size_t i = 0; i < in->n_N; i++) {
		uint16_t type = in->N[i]->type;

		if (is_error(type) && a->x->role == ROLE_INITIATOR && !exchange_final(a->x))
			p->told = type;
		tell_notified(p->ike, a->x, exchange_whack(a->x), type,
			      refuse_peer_notifies_clear(a->arena, notify_text(a->arena, type)));
	}
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

static bool ours_open(const struct exchange *x)
{
	return phase2_of(x) != NULL && x->role == ROLE_INITIATOR && !exchange_final(x) && !x->dying;
}

/* Errors that are found by reading a proposal.  Others may be about what somebody has damaged or sent back: they
 * end nothing, or whoever can do that could end all negotiations. */
static bool about_proposal(uint16_t type)
{
	return type == NOTIFY_TYPE_NO_PROPOSAL_CHOSEN || type == NOTIFY_TYPE_BAD_PROPOSAL_SYNTAX ||
	       type == NOTIFY_TYPE_ATTRIBUTES_NOT_SUPPORTED || type == NOTIFY_TYPE_INVALID_KEY_INFORMATION ||
	       type == NOTIFY_TYPE_INVALID_ID_INFORMATION;
}

/* The Quick Mode of ours that an error is about: the one whose SPI it names; if it names none, the only one. */
static struct exchange *refused_quick(const struct exchange *root, const struct payload_N *n)
{
	struct exchange *x, *only = NULL;
	unsigned open = 0;

	LIST_FOREACH(x, &root->children, sibling) {
		const struct phase2 *p = x->user;

		if (!ours_open(x))
			continue;
		if (n->spi.n == 4 && phase2_spi(p, n->protocol) == get_u32(n->spi.p))
			return x;
		only = x;
		open++;
	}
	return open == 1 && n->spi.n != 4 ? only : NULL;
}

static const struct refusal *quick_refusal(struct arena *a, const struct connection *c, uint16_t type)
{
	struct subnet ours = connection_client(c, true), theirs = connection_client(c, false);

	if (type == NOTIFY_TYPE_NO_PROPOSAL_CHOSEN)
		return refuse_peer_refuses_proposal(a, notify_text(a, type));
	if (type == NOTIFY_TYPE_INVALID_ID_INFORMATION)
		return refuse_peer_refuses_clients(a, notify_text(a, type), &ours, &theirs);
	return refuse_peer_refuses(a, notify_text(a, type));
}

/* A peer that has proved who it is refuses what we negotiate: there is nothing to wait for. */
static bool quick_refused(struct action *a, const struct payload_N *n)
{
	struct exchange *x = about_proposal(n->type) ? refused_quick(a->x, n) : NULL;
	struct phase2 *p;

	if (x == NULL)
		return false;
	p = x->user;
	p->refused = true;
	p->status = WHACK_STATUS_NEGOTIATION_FAILED;
	tell_notified(p->ike, x, p->whack, n->type, quick_refusal(a->arena, p->c, n->type));
	engine_end(a->engine, x, END_REFUSED);
	return true;
}

/* A notification that ends nothing; who waits for a negotiation that it may be about is told, too. */
static void notified(struct action *a, uint16_t type)
{
	struct phase1 *p = phase1_of(a->x);
	const struct refusal *why = refuse_peer_notifies(a->arena, notify_text(a->arena, type));
	struct exchange *x;

	ike_refusal(p->ike, p->c, a->x, NO_WHACK, false, why);
	if (!is_error(type))
		return;
	LIST_FOREACH(x, &a->x->children, sibling)
		if (ours_open(x))
			tell_whack(p->ike, x, exchange_whack(x), type, why);
}

static bool names_isakmp(const struct payload_N *n, const struct exchange *x)
{
	return n->spi.n == 0 || span_eq(n->spi, span_of(x->cookies, sizeof(x->cookies)));
}

/* RESPONDER-LIFETIME (RFC 2407 4.6.3.1). */
static bool lifetime_told(struct action *a, const struct payload_N *n)
{
	struct phase1 *p = phase1_of(a->x);
	struct exchange *x;
	struct life life;

	if (!life_notified(n, &life))
		return false;
	if (n->protocol == PROTOCOL_ID_ISAKMP) {
		if (names_isakmp(n, a->x))
			phase1_shorten(p, &life);
		return true;
	}
	x = n->spi.n == 4 ? phase2_by_spi(p->ike, p, n->protocol, get_u32(n->spi.p)) : NULL;
	if (x != NULL)
		phase2_shorten(x->user, &life);
	return true;
}

/* INITIAL-CONTACT after phase 1, as some peers send it (RFC 2407 4.6.3.3). */
static bool contact_told(struct action *a, const struct payload_N *n)
{
	if (n->type != NOTIFY_TYPE_INITIAL_CONTACT || !names_isakmp(n, a->x))
		return false;
	contact_forget(phase1_of(a->x));
	return true;
}

enum action_result info_protected(struct action *a, const struct in_INF *in)
{
	struct phase1 *p = phase1_of(a->x);

	for (size_t i = 0; i < in->n_N; i++)
		if (!dpd_notified(p, in->N[i]) && !lifetime_told(a, in->N[i]) && !contact_told(a, in->N[i]) &&
		    !quick_refused(a, in->N[i]))
			notified(a, in->N[i]->type);
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
	p = phase2_of(x);
	if (p == NULL || !p->installed)		/* then the peer has nothing of it either */
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

void send_lifetime(struct ike *ike, struct exchange *x)
{
	const struct phase1 *p = phase1_of(x);
	struct span cookies = span_of(x->cookies, sizeof(x->cookies));
	struct emit_N n;
	struct out_INF out = { .N = &n };

	out.n_N = life_notify(ike->arena, p->c, &p->chosen, &cookies, &n);
	if (out.n_N > 0)
		send_under(ike, x, &out);
}

/* Tell the peer why, as far as that is safe: under an ISAKMP SA, or in clear to the initiator of a phase 1 that is
 * refused, where the answer is no longer than the question. */
void send_notify(struct ike *ike, struct exchange *x, uint16_t type)
{
	struct emit_N n = { .doi = DOI_ID_IPSEC, .protocol = PROTOCOL_ID_ISAKMP, .type = type };
	struct out_INF inf = { .N = &n, .n_N = 1 };
	struct out_NFY nfy = { .N = &n, .n_N = 1 };
	const struct phase2 *p;
	uint8_t spi[4];
	struct writer w = writer_on(spi, sizeof(spi));

	if (x == NULL || x->machine == NULL)
		return;
	if (x->parent != NULL) {
		p = phase2_of(x);
		if (p != NULL && p->offered_protocol != 0) {
			n.protocol = p->offered_protocol;
			put_u32(&w, p->offered_spi);
			n.spi = writer_span(&w);
		}
		send_under(ike, x->parent, &inf);
	} else if (x->role == ROLE_RESPONDER && (x->proven || x->state == NULL || x->state->start))
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
			if (receives(phase2_of(x), protocol, spi))
				return x;
	}
	return NULL;
}
