/* aggressive_mode.c -- the actions of Aggressive Mode (RFC 2409 5.1, 5.4): what its messages mean. */
#include "ike/contact.h"
#include "ike/handshake.h"
#include "ike/hosts.h"
#include "ike/idpayload.h"
#include "ike/instance.h"
#include "ike/natt.h"
#include "ike/vendors.h"
#include "generated/actions.h"

static struct phase1 *of(const struct action *a)
{
	return a->x->user;
}

enum action_result aggressive_outI1(struct action *a, struct out_AI1 *out)
{
	struct phase1 *p = of(a);
	enum action_result r;

	if (p->chosen.group == 0) {		/* what is offered is all that can be chosen */
		r = handshake_methods(a);
		if (r != ACTION_OK)
			return r;
		p->chosen.group = offer_group(p->c);
		ike_log(p->ike, p->c, a->x, p->whack, WHACK_STATUS_LOG, "initiating Aggressive Mode");
		if (handshake_dh(a, span_of(NULL, 0)) == ACTION_PARKED)
			return ACTION_PARKED;
	}
	if (p->await.failed)
		return action_fail(a, refuse_dh_failed(a->arena, p->await.why));
	if (!id_emit(a->arena, &our_end(p->c)->id, &out->IDii))
		return action_fail(a, refuse_id_unusable(a->arena, p->c->name, "our own"));
	action_repeat(a, p->c->policy.sends, p->c->policy.interval);
	offer_ike(a->arena, p->c, p->n->methods, &out->SAi);
	out->KEi.data = handshake_public(p);
	out->Ni.data = handshake_nonce(a);
	out->VID = vendors_announce(a, &out->n_VID);
	return ACTION_OK;
}

/* ---- the responder ------------------------------------------------------- */

enum obstacle { NOTHING, FORBIDDEN, STRANGER, DISAGREED };	/* the later, the nearer */

struct search {				/* for the connection that AI1 means */
	struct action *a;
	const struct in_AI1 *in;
	struct identity id;		/* of the peer, as it says */
	struct choice chosen;
	struct emit_SA *answer;
	const struct refusal *why;	/* of what came nearest */
	enum obstacle nearest;
};

static void miss(struct search *s, enum obstacle how, const struct refusal *why)
{
	if (how > s->nearest) {
		s->nearest = how;
		s->why = why;
	}
}

static bool fits(struct search *s, const struct connection *c)
{
	struct arena *arena = s->a->arena;
	const struct refusal *why;

	if (!c->policy.aggressive) {
		miss(s, FORBIDDEN, refuse_aggressive_forbidden(arena, c->name));
		return false;
	}
	/* An address that is not the one it comes from: whether there is a NAT is known when AI2 comes. */
	if (!connection_admits(c, &s->id, natt_possible(of(s->a), c, s->a->message) ? NULL : &s->a->x->remote.addr)) {
		miss(s, STRANGER, refuse_id_mismatch(arena, c->name, id_text(arena, &s->id),
						     id_text(arena, &peer_end(c)->id)));
		return false;
	}
	why = handshake_judge(s->a, c, s->in->SAi, &s->chosen, s->answer);
	if (why != NULL)
		miss(s, DISAGREED, why);
	return why == NULL;
}

/* Of those between the hosts that expect this identity, or take the peer's address for it. */
static struct connection *first_fit(struct search *s, struct host_pair *pair)
{
	const struct identity *const given[] = { &s->id, NULL };
	const struct family *judged = NULL;
	struct connection *c;

	for (size_t i = 0; pair != NULL && i < 2; i++)
		for (c = hosts_first_peer(of(s->a)->ike, pair, given[i]); c != NULL; c = hosts_next_peer(c)) {
			if (c->family != NULL && c->family == judged)	/* differs in its clients only */
				continue;
			if (fits(s, c))
				return c;
			judged = c->family;
		}
	return NULL;
}

/* The identity stands in the first message: the connection, and with it the secret, is the right one at once. */
static enum action_result take_offer(struct action *a, struct search *s)
{
	struct phase1 *p = of(a);
	struct connection *c;
	const char *why;
	char type[REGISTRY_TEXT];
	size_t octets;

	if (!id_read(s->in->IDii, &s->id, &why))
		return action_fail(a, refuse_id_unreadable(a->arena, registry_name(&registry_id_type,
									s->in->IDii->type, type), why));
	c = first_fit(s, p->pair);
	if (c == NULL && p->c->template != NULL)
		c = first_fit(s, templates_at(p->ike, &a->x->local.addr));
	if (c == NULL && s->why == NULL && fits(s, p->c))	/* why the one that was presumed does not */
		c = p->c;
	if (c == NULL)
		return action_fail(a, s->why);
	octets = dh_public_size(group_alg(s->chosen.group));
	if (s->in->KEi->data.n != octets)
		return action_fail(a, refuse_ke_of_other_group(a->arena, (uint32_t)s->in->KEi->data.n,
							       choice_text(a->arena, &s->chosen), (uint32_t)octets));
	if (p->ike->first_jobs >= LIMIT_FIRST_JOBS)
		return action_refuse(a, refuse_too_many_first_jobs(a->arena, LIMIT_FIRST_JOBS));
	phase1_serve(p, c);
	natt_name(p, p->c, &s->id);
	handshake_adopt(a, &s->chosen);
	vendors_learn(a);
	return ACTION_OK;
}

/* Of what is signed a part is in the answer, which is not written yet. */
static void supply_ours(struct action *a)
{
	action_supply(a, KEY_KER_B, handshake_public(of(a)));
	action_supply(a, KEY_NR_B, handshake_nonce(a));
}

enum action_result aggressive_inI1_outR1(struct action *a, const struct in_AI1 *in, struct out_AR1 *out)
{
	struct search s = { .a = a, .in = in, .answer = &out->SAr };
	struct phase1 *p = of(a);
	const struct refusal *why;
	enum action_result r;

	if (a->resumed == NULL) {
		r = take_offer(a, &s);
		if (r == ACTION_OK)
			r = handshake_dh_first(a, in->KEi->data);
		if (r != ACTION_OK)
			return r;
	}
	if (p->n->proof.step == PROOF_NONE) {
		r = handshake_secrets(a);
		if (r != ACTION_OK)
			return r;
		supply_ours(a);
	}
	why = handshake_judge(a, p->c, in->SAi, &s.chosen, &out->SAr);
	if (why != NULL)			/* the secrets were read anew meanwhile */
		return action_fail(a, why);
	out->KEr.data = handshake_public(p);
	out->Nr.data = action_value(a, KEY_NR_B, 0);
	out->VID = vendors_announce(a, &out->n_VID);
	out->NATD = natt_discover(a, &out->n_NATD);
	return handshake_identify(a, KEY_IDIR_B, KEY_HASH_R, &out->IDir, &out->SIG_R);
}

/* It was taken for a peer behind a NAT, and there is none. */
static enum action_result unexplained(struct action *a)
{
	struct phase1 *p = of(a);
	struct identity seen = identity_of_addr(&a->x->remote.addr);

	return action_fail(a, refuse_id_mismatch(a->arena, p->c->name, id_text(a->arena, &peer_end(p->c)->id),
						 id_text(a->arena, &seen)));
}

enum action_result aggressive_inI2(struct action *a, const struct in_AI2 *in)
{
	enum action_result r;

	if (a->resumed == NULL)
		natt_compare(a, in->NATD, in->n_NATD);
	if (!natt_explains(of(a)))
		return unexplained(a);
	r = handshake_check_identity(a, &peer_end(of(a)->c)->id, KEY_HASH_I, in->SIG_I,
				     in->n_CERT);
	if (r == ACTION_OK)
		handshake_hear_contact(a);
	return r;
}

/* ---- the initiator ------------------------------------------------------- */

/* The hash of AR1 is made with keys that follow from AR1 itself. */
enum action_result aggressive_keysR1(struct action *a, const struct in_AR1 *in)
{
	struct phase1 *p = of(a);
	const struct refusal *why;
	struct choice chosen;
	enum variant v = VARIANT_PSK;

	if (a->resumed != NULL)
		return handshake_secrets(a);
	why = check_ike(a->arena, p->c, p->n->methods, in->SAr, &chosen);
	if (why != NULL)
		return action_refuse(a, why);
	auth_variant(chosen.auth, &v);
	if ((in->SIG_R != NULL) != (v == VARIANT_SIG))
		return action_refuse(a, refuse_other_proof(a->arena, in->SIG_R != NULL ? "a signature" : "a hash"));
	handshake_adopt(a, &chosen);
	why = handshake_reflected(a, in->KEr->data, in->Nr->data);
	if (why != NULL)
		return action_refuse(a, why);
	if (handshake_dh_shared(a, in->KEr->data) == ACTION_PARKED)
		return ACTION_PARKED;
	return handshake_secrets(a);
}

enum action_result aggressive_inR1_outI2(struct action *a, const struct in_AR1 *in, struct out_AI2 *out)
{
	struct phase1 *p = of(a);
	struct emit_N *contact = ARENA_NEW(a->arena, struct emit_N);

	if (p->n->proof.step != PROOF_SIGNING) {
		enum action_result r = handshake_check_peer(a, in->IDir, KEY_HASH_R, in->SIG_R, in->n_CERT);

		if (r != ACTION_OK)
			return r;
	}
	if (!p->natt.compared) {
		vendors_learn(a);
		natt_compare(a, in->NATD, in->n_NATD);
		natt_float(a);
	}
	out->NATD = natt_discover(a, &out->n_NATD);
	out->N = contact;
	out->n_N = contact_announce(a->arena, p, contact);
	return handshake_prove(a, KEY_HASH_I, &out->SIG_I);
}
