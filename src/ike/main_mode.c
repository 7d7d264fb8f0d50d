/* main_mode.c -- the actions of Main Mode (RFC 2409 5.1, 5.4): what its messages mean. */
#include "ike/contact.h"
#include "ike/handshake.h"
#include "ike/instance.h"
#include "ike/natt.h"
#include "ike/vendors.h"
#include "generated/actions.h"

static struct phase1 *of(const struct action *a)
{
	return a->x->user;
}

enum action_result main_outI1(struct action *a, struct out_MI1 *out)
{
	struct phase1 *p = of(a);
	enum action_result r = handshake_methods(a);

	if (r != ACTION_OK)
		return r;
	ike_log(p->ike, p->c, a->x, p->whack, WHACK_STATUS_LOG, "initiating Main Mode");
	action_repeat(a, p->c->policy.sends, p->c->policy.interval);
	out->VID = vendors_announce(a, &out->n_VID);
	offer_ike(a->arena, p->c, p->n->methods, &out->SAi);
	return ACTION_OK;
}

/* The first of these connections that accepts the offer; *why tells why not the one at hand. */
static struct connection *first_fit(struct action *a, struct host_pair *pair, const struct in_MI1 *in,
				    struct choice *chosen, struct emit_SA *answer,
				    const struct refusal **why)
{
	struct connection *c;

	if (pair == NULL)
		return NULL;
	LIST_FOREACH(c, &pair->connections, in_pair) {
		const struct refusal *no = handshake_judge(a, c, in->SAi, chosen, answer);

		if (no == NULL)
			return c;
		if (*why == NULL || c == of(a)->c)
			*why = no;
	}
	return NULL;
}

enum action_result main_inI1_outR1(struct action *a, const struct in_MI1 *in, struct out_MR1 *out)
{
	struct phase1 *p = of(a);
	const struct refusal *why = NULL;
	struct choice chosen;
	/* Only the addresses are known: any connection between them may be meant. */
	struct connection *c = first_fit(a, p->pair, in, &chosen, &out->SAr, &why);

	if (c == NULL && p->c->template != NULL)
		c = first_fit(a, templates_at(p->ike, &a->x->local.addr), in, &chosen, &out->SAr, &why);
	if (c == NULL)
		return action_fail(a, why);
	phase1_serve(p, c);
	handshake_adopt(a, &chosen);
	vendors_learn(a);
	out->VID = vendors_announce(a, &out->n_VID);
	return ACTION_OK;
}

enum action_result main_inR1_outI2(struct action *a, const struct in_MR1 *in, struct out_MI2 *out)
{
	struct phase1 *p = of(a);

	if (a->resumed == NULL) {
		struct choice chosen;
		const struct refusal *why = check_ike(a->arena, p->c, p->n->methods, in->SAr,
						     &chosen);

		if (why != NULL)
			return action_refuse(a, why);
		handshake_adopt(a, &chosen);
		vendors_learn(a);
		if (handshake_dh(a, span_of(NULL, 0)) == ACTION_PARKED)
			return ACTION_PARKED;
	}
	if (p->await.failed)
		return action_fail(a, refuse_dh_failed(a->arena, p->await.why));
	out->KEi.data = handshake_public(p);
	out->Ni.data = handshake_nonce(a);
	out->NATD = natt_discover(a, &out->n_NATD);
	return ACTION_OK;
}

enum action_result main_inI2_outR2(struct action *a, const struct in_MI2 *in, struct out_MR2 *out)
{
	enum action_result r;

	if (a->resumed == NULL) {
		natt_compare(a, in->NATD, in->n_NATD);
		if (handshake_dh(a, in->KEi->data) == ACTION_PARKED)
			return ACTION_PARKED;
	}
	r = handshake_secrets(a);
	if (r != ACTION_OK)
		return r;
	out->KEr.data = handshake_public(of(a));
	out->Nr.data = handshake_nonce(a);
	out->NATD = natt_discover(a, &out->n_NATD);
	return ACTION_OK;
}

enum action_result main_inR2_outI3(struct action *a, const struct in_MR2 *in, struct out_MI3 *out)
{
	struct phase1 *p = of(a);

	if (a->resumed == NULL) {
		const struct refusal *why = handshake_reflected(a, in->KEr->data, in->Nr->data);

		if (why != NULL)
			return action_refuse(a, why);
		natt_compare(a, in->NATD, in->n_NATD);
		if (handshake_dh_shared(a, in->KEr->data) == ACTION_PARKED)
			return ACTION_PARKED;
	}
	if (p->n->proof.step == PROOF_NONE) {
		enum action_result r = handshake_secrets(a);

		if (r != ACTION_OK)
			return r;
	}
	struct emit_N *contact = ARENA_NEW(a->arena, struct emit_N);

	natt_float(a);
	out->N = contact;
	out->n_N = contact_announce(a->arena, p, contact);
	return handshake_identify(a, KEY_IDII_B, KEY_HASH_I, &out->IDii, &out->SIG_I);
}

enum action_result main_inI3_outR3(struct action *a, const struct in_MI3 *in, struct out_MR3 *out)
{
	/* While our own signature is made the peer has been checked already. */
	if (of(a)->n->proof.step != PROOF_SIGNING) {
		enum action_result r = handshake_check_peer(a, in->IDii, KEY_HASH_I, in->SIG_I, in->n_CERT);

		if (r != ACTION_OK)
			return r;
		handshake_hear_contact(a);
	}
	return handshake_identify(a, KEY_IDIR_B, KEY_HASH_R, &out->IDir, &out->SIG_R);
}

enum action_result main_inR3(struct action *a, const struct in_MR3 *in)
{
	enum action_result r = handshake_check_peer(a, in->IDir, KEY_HASH_R, in->SIG_R, in->n_CERT);

	if (r == ACTION_OK)
		handshake_hear_contact(a);
	return r;
}
