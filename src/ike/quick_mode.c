/* quick_mode.c -- the actions of Quick Mode (RFC 2409 5.5). */
#include "generated/actions.h"
#include "ike/clients.h"
#include "ike/idpayload.h"
#include "ike/instance.h"
#include "ike/lifetime.h"
#include "ike/offer.h"
#include "ike/natt.h"
#include "ike/phase2.h"

enum { STAGE_BEGIN, STAGE_PREPARED, STAGE_INSTALLED };

static struct phase2 *of(const struct action *a)
{
	return a->x->user;
}

static void got_spi(struct ike *ike, void *ctx, const struct kernel_result *r)
{
	struct spi_slot *s = ctx;

	(void)ike;
	if (r->ok)
		s->spi = r->spi;
	await_answer(&s->p->await, r);
}

static void ask_spi(struct phase2 *p, uint8_t protocol)
{
	const struct kernel *k = &p->ike->kernel;
	bool comp = protocol == PROTOCOL_ID_IPCOMP;
	struct spi_slot *s = &p->spi[p->n_spi++];

	s->p = p;
	s->protocol = protocol;
	k->ops->get_spi(k->k, await_request(&p->await, got_spi, s)->token, &p->x->remote.addr,
			&p->x->local.addr, ip_protocol(protocol), comp ? LIMIT_CPI_MIN : LIMIT_SPI_MIN,
			comp ? LIMIT_CPI_MAX : UINT32_MAX);
}

/* Those that we have got, by protocol. */
static void own_spis(const struct phase2 *p, uint32_t spis[PROTOCOL_ID_IPCOMP + 1])
{
	for (unsigned i = 0; i < p->n_spi; i++)
		spis[p->spi[i].protocol] = p->spi[i].spi;
}

static struct span new_private(struct phase2 *p)
{
	size_t n = dh_private_size(group_alg(p->group));

	p->ike->host.random(p->ike->host.ctx, p->n->priv, n);
	return span_of(p->n->priv, n);
}

static struct span new_nonce(struct action *a)
{
	uint8_t *nonce = arena_alloc(a->arena, LIMIT_NONCE_OCTETS);

	of(a)->ike->host.random(of(a)->ike->host.ctx, nonce, LIMIT_NONCE_OCTETS);
	return span_of(nonce, LIMIT_NONCE_OCTETS);
}

static bool has_ids(const struct connection *c)
{
	return our_end(c)->has_client || peer_end(c)->has_client || our_end(c)->protocol != 0;
}

static void emit_ids(struct action *a, const struct clients *k, struct emit_ID *ours, struct emit_ID *theirs)
{
	id_emit_client(a->arena, &k->ours, k->our_protocol, k->our_port, ours);
	id_emit_client(a->arena, &k->theirs, k->their_protocol, k->their_port, theirs);
}

/* The mode of what is negotiated for c. */
static uint16_t mode_of(const struct phase2 *p, const struct connection *c)
{
	return natt_mode(p->root, connection_tunnel(c), natt_encapsulates(p->root));
}

static enum action_result failed_await(struct action *a)
{
	const struct phase2 *p = of(a);

	if (p->failed_verb != NULL)
		return action_fail(a, refuse_updown_failed(a->arena, p->c->name, p->failed_verb, p->await.why));
	return action_fail(a, refuse_backend_failed(a->arena, p->c->name, p->await.why));
}

enum action_result quick_outI1(struct action *a, struct out_QI1 *out)
{
	struct phase2 *p = of(a);
	struct connection policy = phase2_policy(p);
	uint32_t wanted = connection_protocols(&policy);
	uint32_t spis[PROTOCOL_ID_IPCOMP + 1] = { 0 };
	struct clients k = clients_of(p->c);
	const struct refusal *why;

	if (p->stage == STAGE_BEGIN) {
		p->x = a->x;
		why = natt_obstacle(p->root, &policy);
		if (why != NULL) {
			p->status = why->status;
			return action_fail(a, why);
		}
		p->stage = STAGE_PREPARED;
		action_repeat(a, p->c->policy.sends, p->c->policy.interval);
		action_bind(a, p->group != 0 ? VARIANT_PFS : VARIANT_NOPFS);
		await_begin(&p->await, a->x->serial);
		for (uint8_t id = 1; id <= PROTOCOL_ID_IPCOMP; id++)
			if ((wanted & 1u << id) != 0)
				ask_spi(p, id);
		if (p->group != 0)
			await_dh(&p->await, &(struct dh_request){ .group = group_alg(p->group),
								  .priv = new_private(p),
								  .pub = p->n->pub });
		if (await_pending(&p->await))
			return ACTION_PARKED;
	}
	if (p->await.failed)
		return failed_await(a);
	own_spis(p, spis);
	out->SAi = ARENA_NEW(a->arena, struct emit_SA);
	out->n_SAi = 1;
	offer_ipsec(a->arena, &policy, spis, p->group, mode_of(p, p->c), (struct emit_SA *)out->SAi);
	out->Ni.data = new_nonce(a);
	if (p->group != 0)
		out->KEi.data = span_of(p->n->pub, dh_public_size(group_alg(p->group)));
	out->has_IDci = has_ids(p->c);
	if (out->has_IDci)
		emit_ids(a, &k, &out->IDci, &out->IDcr);
	out->NATOA = natt_originals(a, p->root, mode_of(p, p->c), &out->n_NATOA);
	p->stage = STAGE_BEGIN;
	return ACTION_OK;
}

/* ---- responder --------------------------------------------------------- */

static void adopt_connection(struct phase2 *p, struct connection *c)
{
	struct connection *before = p->c;

	if (before == c)
		return;
	ike_debug(p->ike, c, DEBUG_CLASSES_CONTROL, "the clients of #%llu are those of this connection, not of \"%s\"",
		  (unsigned long long)p->x->serial, before->name);
	LIST_REMOVE(p, of_connection);
	before->uses--;
	p->c = c;
	c->uses++;
	LIST_INSERT_HEAD(&c->phase2s, p, of_connection);
	instance_release(p->ike, before);
}

/* What a refusal of ours names, so that the peer knows which of its negotiations is meant. */
static void note_offered(struct phase2 *p, const struct payload_SA *sa)
{
	struct span rest = sa->proposals;
	struct payload_P first;

	if (!next_P(&rest, &first) || first.spi.n != 4)
		return;
	p->offered_protocol = first.protocol;
	p->offered_spi = get_u32(first.spi.p);
}

static const struct refusal *choose(struct action *a, struct phase2 *p, const struct connection *c,
				    const struct in_QI1 *in)
{
	const struct refusal *why = natt_obstacle(p->root, c);

	if (why == NULL)
		why = choose_ipsec(a->arena, c, in->SAi[0], in->KEi != NULL, mode_of(p, c), &p->chosen);
	if (why == NULL || why->reason != REASON_WRONG_ENCAPSULATION || natt_encapsulates(p->root) ||
	    !natt_could_encapsulate(p->root))
		return why;
	return choose_ipsec(a->arena, c, in->SAi[0], in->KEi != NULL, natt_mode(p->root, connection_tunnel(c), true),
			    &p->chosen);
}

/* First call: judge the offer, then ask for SPIs and Diffie-Hellman. */
static enum action_result respond(struct action *a, const struct in_QI1 *in)
{
	struct phase2 *p = of(a);
	struct clients k;
	struct connection *c;
	const struct refusal *why;

	p->x = a->x;
	note_offered(p, in->SAi[0]);
	if (in->n_SAi != 1)
		return action_fail(a, refuse_many_sas(a->arena, in->n_SAi));
	if (!clients_read(a->x, in->IDci, in->IDcr, &k))
		return action_fail(a, refuse_client_unreadable(a->arena));
	c = clients_find(p, &k);
	if (c == NULL)
		return action_fail(a, clients_unknown(a->arena, p, &k));
	adopt_connection(p, c);
	action_repeat(a, c->policy.sends, c->policy.interval);
	p->named = k;
	why = choose(a, p, c, in);
	if (why != NULL)
		return action_fail(a, why);
	p->group = in->KEi != NULL ? p->chosen.group : 0;
	p->stage = STAGE_PREPARED;
	await_begin(&p->await, a->x->serial);
	for (unsigned i = 0; i < p->chosen.n; i++)
		ask_spi(p, p->chosen.p[i].protocol);
	if (p->group != 0)
		await_dh(&p->await, &(struct dh_request){ .group = group_alg(p->group),
							  .priv = new_private(p), .pub = p->n->pub,
							  .peer = in->KEi->data,
							  .shared = p->n->shared });
	return await_pending(&p->await) ? ACTION_PARKED : ACTION_OK;
}

static void supply_pfs(struct action *a)
{
	struct phase2 *p = of(a);

	if (p->group != 0)
		action_supply(a, KEY_G_QM_XY,
			      span_of(p->n->shared, dh_shared_size(group_alg(p->group))));
}

/* Hand SAs to the kernel; OK when that is done already. */
static enum action_result install(struct action *a, unsigned what)
{
	struct phase2 *p = of(a);
	const struct refusal *why = install_start(a, p, what);

	if (why != NULL)
		return action_fail(a, why);
	p->stage = STAGE_INSTALLED;
	return await_pending(&p->await) ? ACTION_PARKED : ACTION_OK;
}

/* Both SAs, with all that their keys follow from. */
static enum action_result install_sas(struct action *a)
{
	enum action_result r;

	supply_pfs(a);
	r = install(a, INSTALL_SAS);
	return r == ACTION_OK && of(a)->await.failed ? failed_await(a) : r;
}

/* What of our limits the peer does not know from its own proposal (RFC 2407 4.6.3.1). */
static void tell_lifetime(struct action *a, struct out_QR1 *out)
{
	const struct phase2 *p = of(a);
	struct emit_N *n = ARENA_ARRAY(a->arena, struct emit_N, CHOICE_PROTOCOLS);
	struct span spi[CHOICE_PROTOCOLS];

	for (unsigned i = 0; i < p->chosen.n; i++)
		spi[i] = spi_bytes(a->arena, p->chosen.p[i].protocol, phase2_spi(p, p->chosen.p[i].protocol));
	out->N = n;
	out->n_N = life_notify(a->arena, p->c, &p->chosen, spi, n);
}

enum action_result quick_inI1_outR1(struct action *a, const struct in_QI1 *in, struct out_QR1 *out)
{
	struct phase2 *p = of(a);
	uint32_t spis[PROTOCOL_ID_IPCOMP + 1] = { 0 };
	enum action_result r = ACTION_OK;

	if (p->stage == STAGE_BEGIN) {
		r = respond(a, in);
		if (r != ACTION_OK)
			return r;
	}
	if (p->await.failed)
		return failed_await(a);
	if (p->stage == STAGE_PREPARED) {
		action_supply(a, KEY_NR_B, new_nonce(a));	/* the keys depend on it */
		r = install_sas(a);
		if (r != ACTION_OK)
			return r;
	}
	own_spis(p, spis);
	out->SAr = ARENA_NEW(a->arena, struct emit_SA);
	out->n_SAr = 1;
	answer_ipsec(a->arena, in->SAi[0], &p->chosen, spis, (struct emit_SA *)out->SAr);
	out->Nr.data = action_value(a, KEY_NR_B, 0);
	if (p->group != 0)
		out->KEr.data = span_of(p->n->pub, dh_public_size(group_alg(p->group)));
	out->has_IDci = in->IDci != NULL;
	if (in->IDci != NULL)
		emit_ids(a, &p->named, &out->IDcr, &out->IDci);
	out->NATOA = natt_originals(a, p->root, p->chosen.mode, &out->n_NATOA);
	tell_lifetime(a, out);
	p->stage = STAGE_BEGIN;
	p->answered = p->ike->now;
	return ACTION_OK;
}

enum action_result quick_inI2(struct action *a, const struct in_QI2 *in)
{
	struct phase2 *p = of(a);
	enum action_result r;

	(void)in;
	if (p->stage == STAGE_BEGIN) {
		phase2_rank(p);
		if (!phase2_best(p))	/* it only receives */
			return ACTION_OK;
		r = install(a, INSTALL_EROUTE);
		if (r != ACTION_OK)
			return r;
	}
	return p->await.failed ? failed_await(a) : ACTION_OK;
}

/* ---- initiator --------------------------------------------------------- */

/* The peer must answer with the clients that we named.  Some leave out what they accept as it is; others
 * (strongSwan) name the hosts where we have left them out. */
static const struct refusal *judge_clients(struct action *a, const struct in_QR1 *in)
{
	const struct connection *c = of(a)->c;
	struct clients k;

	if (in->IDci == NULL)
		return NULL;
	if (!clients_read(a->x, in->IDcr, in->IDci, &k))
		return refuse_client_unreadable(a->arena);
	return clients_served(of(a), c, &k) ? NULL : clients_changed(a->arena, c, &k);
}

/* What the responder says of its limits, HASH_2 covers it. */
static void hear_lifetime(struct action *a)
{
	struct life life;

	for (size_t i = 0; i < a->message->n; i++)
		if (a->message->payloads[i].type == PAYLOAD_TYPE_N && life_notified(&a->message->payloads[i].u.N, &life))
			phase2_shorten(of(a), &life);
}

static enum action_result judge(struct action *a, const struct in_QR1 *in)
{
	struct phase2 *p = of(a);
	struct connection policy = phase2_policy(p);
	const struct refusal *why;

	if (in->n_SAr != 1)
		return action_fail(a, refuse_many_sas(a->arena, in->n_SAr));
	if (span_eq(in->Nr->data, action_value(a, KEY_NI_B, 0)))
		return action_fail(a, refuse_reflected(a->arena, "nonce"));
	why = check_ipsec(a->arena, &policy, p->group, mode_of(p, p->c), in->SAr[0], &p->chosen);
	if (why != NULL)
		return action_fail(a, why);
	why = judge_clients(a, in);
	if (why != NULL)
		return action_fail(a, why);
	hear_lifetime(a);
	p->stage = STAGE_PREPARED;
	await_begin(&p->await, a->x->serial);
	if (p->group != 0)
		await_dh(&p->await, &(struct dh_request){
			 .group = group_alg(p->group),
			 .priv = span_of(p->n->priv, dh_private_size(group_alg(p->group))),
			 .peer = in->KEr->data, .shared = p->n->shared });
	return await_pending(&p->await) ? ACTION_PARKED : ACTION_OK;
}

enum action_result quick_inR1_outI2(struct action *a, const struct in_QR1 *in, struct out_QI2 *out)
{
	struct phase2 *p = of(a);
	enum action_result r = ACTION_OK;

	(void)out;
	if (p->stage == STAGE_BEGIN) {
		r = judge(a, in);
		if (r != ACTION_OK)
			return r;
	}
	if (p->await.failed)
		return failed_await(a);
	if (p->stage == STAGE_PREPARED) {
		r = install_sas(a);
		if (r != ACTION_OK)
			return r;
	}
	return ACTION_OK;
}
