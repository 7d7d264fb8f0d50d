/* main_mode.c -- the actions of Main Mode (RFC 2409 5.4): what its messages mean. */
#include "ike/idpayload.h"
#include "ike/internal.h"
#include "generated/actions.h"

static struct phase1 *of(const struct action *a)
{
	return a->x->user;
}

/* Fill p->n->priv with a new private value and return it. */
static struct span new_private(struct phase1 *p)
{
	size_t n = dh_private_size(group_alg(p->chosen.group));

	p->ike->host.random(p->ike->host.ctx, p->n->priv, n);
	return span_of(p->n->priv, n);
}

static struct span new_nonce(struct action *a)
{
	uint8_t *nonce = arena_alloc(a->arena, LIMIT_NONCE_OCTETS);
	struct phase1 *p = of(a);

	p->ike->host.random(p->ike->host.ctx, nonce, LIMIT_NONCE_OCTETS);
	return span_of(nonce, LIMIT_NONCE_OCTETS);
}

/* The preshared secret for c; false when there is none, with the reason in found->why. */
static bool find_psk(struct ike *ike, const struct connection *c, struct secret_found *found)
{
	*found = (struct secret_found){ 0 };
	return ike->secrets.ops->psk(ike->secrets.s, &our_end(c)->id, &peer_end(c)->id, false, found);
}

static uint32_t methods(struct ike *ike, const struct connection *c)
{
	struct secret_found found;
	uint32_t bits = 0;

	if (c->policy.psk && find_psk(ike, c, &found))
		bits |= 1u << AUTH_METHOD_PRESHARED_KEY;
	return bits;
}

/* Phase 1 is protected as chosen from here on. */
static void adopt(struct action *a, const struct choice *chosen)
{
	const struct chosen *k = &chosen->p[0];

	of(a)->chosen = *chosen;
	action_bind(a, VARIANT_PSK);
	action_protect(a, k->cipher, k->key_octets, k->hash);
}

enum action_result main_outI1(struct action *a, struct out_MI1 *out)
{
	struct phase1 *p = of(a);

	p->x = a->x;
	ike_log(p->ike, p->c, a->x, p->whack, WHACK_STATUS_LOG, "initiating Main Mode");
	offer_ike(a->arena, p->c, &out->SAi);
	return ACTION_OK;
}

enum action_result main_inI1_outR1(struct action *a, const struct in_MI1 *in, struct out_MR1 *out)
{
	struct phase1 *p = of(a);
	const struct refusal *why = NULL;
	struct connection *c;
	struct choice chosen;

	/* Only the addresses are known: any connection between them may be meant. */
	LIST_FOREACH(c, &p->c->pair->connections, in_pair) {
		const struct refusal *no = choose_ike(a->arena, c, in->SAi, methods(p->ike, c),
						      &chosen, &out->SAr);

		if (no == NULL) {
			p->c = c;
			adopt(a, &chosen);
			return ACTION_OK;
		}
		if (why == NULL || c == p->c)
			why = no;
	}
	return action_fail(a, why);
}

enum action_result main_inR1_outI2(struct action *a, const struct in_MR1 *in, struct out_MI2 *out)
{
	struct phase1 *p = of(a);
	enum alg group;

	if (a->resumed == NULL) {
		struct choice chosen;
		const struct refusal *why = check_ike(a->arena, p->c, in->SAr, &chosen);

		if (why != NULL)
			return action_refuse(a, why);
		adopt(a, &chosen);
		await_begin(&p->await, a->x->serial);
		await_dh(&p->await, &(struct dh_request){ .group = group_alg(chosen.group),
							  .priv = new_private(p), .pub = p->n->pub });
		if (await_pending(&p->await))
			return ACTION_PARKED;
	}
	if (p->await.failed)
		return action_fail(a, refuse_dh_failed(a->arena, p->await.why));
	group = group_alg(p->chosen.group);
	out->KEi.data = span_of(p->n->pub, dh_public_size(group));
	out->Ni.data = new_nonce(a);
	return ACTION_OK;
}

/* The shared secrets are known: give them to the key formulas. */
static enum action_result supply_secrets(struct action *a)
{
	struct phase1 *p = of(a);
	enum alg group = group_alg(p->chosen.group);
	struct secret_found found;

	if (p->await.failed)
		return action_refuse(a, refuse_dh_failed(a->arena, p->await.why));
	if (!find_psk(p->ike, p->c, &found))
		return action_fail(a, refuse_no_secret(a->arena, p->c->name, found.why));
	p->n->secret_file = found.file;
	p->n->secret_line = found.line;
	action_supply(a, KEY_PRESHARED_KEY, found.psk);
	action_supply(a, KEY_G_XY, span_of(p->n->shared, dh_shared_size(group)));
	return ACTION_OK;
}

enum action_result main_inI2_outR2(struct action *a, const struct in_MI2 *in, struct out_MR2 *out)
{
	struct phase1 *p = of(a);
	enum alg group = group_alg(p->chosen.group);
	enum action_result r;

	if (a->resumed == NULL) {
		await_begin(&p->await, a->x->serial);
		await_dh(&p->await, &(struct dh_request){ .group = group, .priv = new_private(p),
							  .pub = p->n->pub, .peer = in->KEi->data,
							  .shared = p->n->shared });
		if (await_pending(&p->await))
			return ACTION_PARKED;
	}
	r = supply_secrets(a);
	if (r != ACTION_OK)
		return r;
	out->KEr.data = span_of(p->n->pub, dh_public_size(group));
	out->Nr.data = new_nonce(a);
	return ACTION_OK;
}

enum action_result main_inR2_outI3(struct action *a, const struct in_MR2 *in, struct out_MI3 *out)
{
	struct phase1 *p = of(a);
	enum alg group = group_alg(p->chosen.group);
	enum action_result r;

	if (a->resumed == NULL) {
		if (ct_equal(in->KEr->data, span_of(p->n->pub, dh_public_size(group))))
			return action_refuse(a, refuse_reflected(a->arena, "Diffie-Hellman value"));
		await_begin(&p->await, a->x->serial);
		await_dh(&p->await, &(struct dh_request){
			 .group = group, .priv = span_of(p->n->priv, dh_private_size(group)),
			 .peer = in->KEr->data, .shared = p->n->shared });
		if (await_pending(&p->await))
			return ACTION_PARKED;
	}
	r = supply_secrets(a);
	if (r != ACTION_OK)
		return r;
	if (!id_emit(a->arena, &our_end(p->c)->id, &out->IDii))
		return action_fail(a, refuse_id_unusable(a->arena, p->c->name, "our own"));
	return ACTION_OK;
}

/* Another connection between the same hosts, for the identity that the peer proved; it must be one
 * that would have negotiated what was negotiated, with the same secret. */
static struct connection *switch_to(struct phase1 *p, const struct identity *id)
{
	struct connection *c;
	struct secret_found used, other;

	if (!find_psk(p->ike, p->c, &used))
		return NULL;
	LIST_FOREACH(c, &p->c->pair->connections, in_pair) {
		if (identity_eq(&peer_end(c)->id, id) && c->policy.psk &&
		    identity_eq(&our_end(c)->id, &our_end(p->c)->id) &&
		    rows_allow(&c->policy.ike, &p->chosen) &&
		    find_psk(p->ike, c, &other) && ct_equal(used.psk, other.psk))
			return c;
	}
	return NULL;
}

/* The peer has proved that it holds the secret; is it who it must be? */
static enum action_result check_identity(struct action *a, const struct payload_ID *payload,
					 bool may_switch)
{
	struct phase1 *p = of(a);
	struct identity id;
	struct connection *better;
	const char *why;
	char type[REGISTRY_TEXT];

	if (!id_read(payload, &id, &why))
		return action_fail(a, refuse_id_unreadable(a->arena, registry_name(&registry_id_type,
									payload->type, type), why));
	if (identity_eq(&peer_end(p->c)->id, &id))
		return ACTION_OK;
	better = may_switch ? switch_to(p, &id) : NULL;
	if (better == NULL)
		return action_fail(a, refuse_id_mismatch(a->arena, p->c->name,
							 id_text(a->arena, &id),
							 id_text(a->arena, &peer_end(p->c)->id)));
	ike_log(p->ike, p->c, a->x, p->whack, WHACK_STATUS_LOG, "the peer is %s: switching to \"%s\"",
		id_text(a->arena, &id), better->name);
	p->c = better;
	return ACTION_OK;
}

enum action_result main_inI3_outR3(struct action *a, const struct in_MI3 *in, struct out_MR3 *out)
{
	struct phase1 *p = of(a);
	enum action_result r = check_identity(a, in->IDii, true);

	if (r != ACTION_OK)
		return r;
	if (!id_emit(a->arena, &our_end(p->c)->id, &out->IDir))
		return action_fail(a, refuse_id_unusable(a->arena, p->c->name, "our own"));
	return ACTION_OK;
}

enum action_result main_inR3(struct action *a, const struct in_MR3 *in)
{
	return check_identity(a, in->IDir, false);
}
