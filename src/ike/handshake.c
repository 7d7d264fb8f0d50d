/* handshake.c -- the steps of phase 1 that its exchanges share (RFC 2409 5, 5.1, 5.4). */
#include "ike/handshake.h"

#include "ike/contact.h"
#include "ike/dnskeys.h"
#include "ike/idpayload.h"
#include "ike/instance.h"
#include "ike/hosts.h"
#include "ike/natt.h"

static struct phase1 *of(const struct action *a)
{
	return a->x->user;
}

static bool by_signature(const struct phase1 *p)
{
	return p->chosen.auth == AUTH_METHOD_RSA_SIG;
}

/* ---- what is chosen ------------------------------------------------------ */

/* Nothing is left to offer: it was lost since the last time, or the DNS does not have it. */
static enum action_result without_method(struct action *a)
{
	struct phase1 *p = of(a);

	if (a->resumed == NULL)		/* who asked is told by who began */
		p->whack = NO_WHACK;
	if (p->await.failed)
		return action_fail(a, refuse_key_not_in_dns(a->arena, p->c->name,
							    id_text(a->arena, &peer_end(p->c)->id), p->await.why));
	return action_fail(a, auth_obstacle(p->ike, a->arena, p->c));
}

enum action_result handshake_methods(struct action *a)
{
	struct phase1 *p = of(a);

	p->x = a->x;
	if (a->resumed == NULL && auth_needs_lookup(p->ike, p->c)) {
		await_begin(&p->await, a->x->serial);
		await_public_keys(&p->await, &peer_end(p->c)->id);
		if (await_pending(&p->await))
			return ACTION_PARKED;
	}
	p->n->methods = auth_methods(p->ike, p->c, ROLE_INITIATOR);
	return p->n->methods == 0 ? without_method(a) : ACTION_OK;
}

const struct refusal *handshake_judge(struct action *a, const struct connection *c, const struct payload_SA *sa,
				      struct choice *chosen, struct emit_SA *answer)
{
	struct ike *ike = of(a)->ike;
	const struct refusal *why = choose_ike(a->arena, c, sa, auth_methods(ike, c, ROLE_RESPONDER), chosen,
					       answer);

	if (why != NULL && why->reason == REASON_AUTH_METHOD)
		why = auth_no_method(ike, a->arena, c);
	return why;
}

void handshake_adopt(struct action *a, const struct choice *chosen)
{
	const struct chosen *k = &chosen->p[0];
	enum variant v = VARIANT_PSK;

	of(a)->chosen = *chosen;
	auth_variant(chosen->auth, &v);		/* only what has a variant is offered or chosen */
	action_bind(a, v);
	action_protect(a, k->cipher, k->key_octets, k->hash);
}

/* ---- Diffie-Hellman ------------------------------------------------------ */

static enum action_result new_dh(struct action *a, struct span peer, size_t *count)
{
	struct phase1 *p = of(a);
	enum alg group = group_alg(p->chosen.group);
	struct span priv = span_of(p->n->priv, dh_private_size(group));

	p->ike->host.random(p->ike->host.ctx, p->n->priv, priv.n);
	await_begin(&p->await, a->x->serial);
	await_dh(&p->await, &(struct dh_request){ .group = group, .priv = priv, .pub = p->n->pub, .peer = peer,
						  .shared = p->n->shared, .count = count });
	return await_pending(&p->await) ? ACTION_PARKED : ACTION_OK;
}

enum action_result handshake_dh(struct action *a, struct span peer)
{
	return new_dh(a, peer, NULL);
}

enum action_result handshake_dh_first(struct action *a, struct span peer)
{
	return new_dh(a, peer, &of(a)->ike->first_jobs);
}

enum action_result handshake_dh_shared(struct action *a, struct span peer)
{
	struct phase1 *p = of(a);
	enum alg group = group_alg(p->chosen.group);

	await_begin(&p->await, a->x->serial);
	await_dh(&p->await, &(struct dh_request){ .group = group, .peer = peer, .shared = p->n->shared,
						  .priv = span_of(p->n->priv, dh_private_size(group)) });
	return await_pending(&p->await) ? ACTION_PARKED : ACTION_OK;
}

struct span handshake_public(const struct phase1 *p)
{
	return span_of(p->n->pub, dh_public_size(group_alg(p->chosen.group)));
}

struct span handshake_nonce(struct action *a)
{
	uint8_t *nonce = arena_alloc(a->arena, LIMIT_NONCE_OCTETS);
	struct phase1 *p = of(a);

	p->ike->host.random(p->ike->host.ctx, nonce, LIMIT_NONCE_OCTETS);
	return span_of(nonce, LIMIT_NONCE_OCTETS);
}

const struct refusal *handshake_reflected(struct action *a, struct span ke, struct span nonce)
{
	if (ct_equal(ke, handshake_public(of(a))))
		return refuse_reflected(a->arena, "Diffie-Hellman value");
	if (span_eq(nonce, action_value(a, KEY_NI_B, 0)))
		return refuse_reflected(a->arena, "nonce");
	return NULL;
}

enum action_result handshake_secrets(struct action *a)
{
	struct phase1 *p = of(a);
	enum alg group = group_alg(p->chosen.group);
	struct secret_found found;

	if (p->await.failed)
		return action_refuse(a, refuse_dh_failed(a->arena, p->await.why));
	if (!by_signature(p)) {
		if (!auth_psk(p->ike, p->c, &found))
			return action_fail(a, refuse_no_secret(a->arena, p->c->name, found.why));
		p->n->secret_file = found.file;
		p->n->secret_line = found.line;
		action_supply(a, KEY_PRESHARED_KEY, found.psk);
	}
	action_supply(a, KEY_G_XY, span_of(p->n->shared, dh_shared_size(group)));
	return ACTION_OK;
}

/* ---- who we are ---------------------------------------------------------- */

/* The body of our ID payload, for the hash that is signed before the payload is written. */
static struct span id_body(struct arena *a, const struct emit_ID *id)
{
	size_t size = LIMIT_MESSAGE_OCTETS;
	struct writer w = writer_on(arena_alloc(a, size), size);

	emit_ID(&w, PAYLOAD_TYPE_NONE, id);
	return span_from(writer_span(&w), GENERIC_SIZE);
}

/* A job signs `hash` (RFC 2409 5.1) with our private key; when that is done, our signature. */
static enum action_result sign(struct action *a, enum key_value hash, struct emit_SIG *out)
{
	struct phase1 *p = of(a);
	struct proof *proof = &p->n->proof;
	struct secret_found found;

	if (proof->step != PROOF_SIGNING) {
		struct span data = action_value(a, hash, 0);

		if (data.p == NULL)
			return action_fail(a, refuse_rsa_sign_failed(a->arena, p->c->name,
								     "a value of the hash is missing"));
		await_begin(&p->await, a->x->serial);
		if (!await_sign(&p->await, p->c, data, proof, &found))
			return action_fail(a, refuse_no_private_key(a->arena, p->c->name, found.why));
		proof->step = PROOF_SIGNING;
		if (await_pending(&p->await))
			return ACTION_PARKED;
	}
	proof->step = PROOF_NONE;
	if (p->await.failed)
		return action_fail(a, refuse_rsa_sign_failed(a->arena, p->c->name, p->await.why));
	out->data = span_of(proof->sig, proof->sig_octets);
	return ACTION_OK;
}

enum action_result handshake_identify(struct action *a, enum key_value body, enum key_value hash,
				      struct emit_ID *id, struct emit_SIG *sig)
{
	struct phase1 *p = of(a);

	if (!id_emit(a->arena, &our_end(p->c)->id, id))
		return action_fail(a, refuse_id_unusable(a->arena, p->c->name, "our own"));
	if (by_signature(p))
		action_supply(a, body, id_body(a->arena, id));
	return handshake_prove(a, hash, sig);
}

enum action_result handshake_prove(struct action *a, enum key_value hash, struct emit_SIG *sig)
{
	return by_signature(of(a)) ? sign(a, hash, sig) : ACTION_OK;
}

/* ---- who the peer is ----------------------------------------------------- */

/* Would c have negotiated what was negotiated, for that identity, with the same secret or private key? */
static bool suits(struct action *a, const struct connection *c, const struct identity *id)
{
	struct phase1 *p = of(a);

	return connection_admits(c, id, p->natt.peer ? NULL : &p->x->remote.addr) &&
	       rows_allow(&c->policy.ike, &p->chosen) && auth_same(p->ike, p->chosen.auth, p->c, c) &&
	       !phase1_other_peer(p, c, a->from);
}

static struct connection *suiting(struct action *a, struct host_pair *pair, const struct identity *id)
{
	struct connection *c;

	if (pair == NULL)
		return NULL;
	for (c = hosts_first_peer(of(a)->ike, pair, id); c != NULL; c = hosts_next_peer(c))
		if (suits(a, c, id))
			return c;
	for (c = hosts_first_peer(of(a)->ike, pair, NULL); c != NULL; c = hosts_next_peer(c))
		if (suits(a, c, id))
			return c;
	return NULL;
}

/* The connection that the peer means by its identity: ours, or, for a responder, another one between the
 * same hosts, or for a Road Warrior a template. */
static struct connection *meant(struct action *a, const struct identity *id)
{
	struct phase1 *p = of(a);
	struct connection *c;

	if (identity_eq(&peer_end(p->c)->id, id) && !phase1_other_peer(p, p->c, a->from))
		return p->c;
	if (p->x->role == ROLE_INITIATOR)
		return NULL;
	c = suiting(a, p->pair, id);
	return c != NULL || p->c->template == NULL ? c :
	       suiting(a, templates_at(p->ike, &p->x->local.addr), id);
}

/* The peer has proved to be id: this phase 1 serves the connection that has that for the peer. */
static enum action_result accept(struct action *a, const struct identity *id)
{
	struct phase1 *p = of(a);
	struct connection *c = meant(a, id);

	if (c == NULL)
		return action_fail(a, refuse_id_mismatch(a->arena, p->c->name, id_text(a->arena, id),
							 id_text(a->arena, &peer_end(p->c)->id)));
	if (c == p->c)
		return ACTION_OK;
	ike_log(p->ike, p->c, a->x, p->whack, WHACK_STATUS_LOG, "the peer is %s: switching to \"%s\"",
		id_text(a->arena, id), c->name);
	phase1_serve(p, c);
	natt_name(p, p->c, id);
	return ACTION_OK;
}

/* What is said in clear before it is proved may be said by anybody: the exchange waits for better. */
static enum action_result reject(struct action *a, const struct refusal *why)
{
	of(a)->n->proof.step = PROOF_NONE;
	return (a->message->header.flags & HEADER_FLAGS_ENCRYPTION) != 0 ? action_fail(a, why) : action_refuse(a, why);
}

/* No public key of the identity is known: is there one in the DNS?  That is asked once. */
static enum action_result look_up(struct action *a, const struct identity *id)
{
	struct phase1 *p = of(a);
	const char *who = id_text(a->arena, id);

	if (p->n->proof.step == PROOF_LOOKUP || dnskeys_obstacle(p->ike->dnskeys, id) != NULL)
		return reject(a, refuse_rsa_no_key(a->arena, p->c->name, who));
	await_public_keys(&p->await, id);
	p->n->proof.step = PROOF_LOOKUP;
	return await_pending(&p->await) ? ACTION_PARKED :
	       reject(a, refuse_key_not_in_dns(a->arena, p->c->name, who, p->await.why));
}

/* A job tries the public keys of the identity on the signature over `hash`. */
static enum action_result try_keys(struct action *a, const struct identity *id, enum key_value hash,
				   const struct payload_SIG *sig)
{
	struct phase1 *p = of(a);
	struct span data = action_value(a, hash, 0);

	/* Where nobody can be meant the keys do not matter: say what does. */
	if (meant(a, id) == NULL)
		return reject(a, refuse_rsa_wrong_id(a->arena, p->c->name, id_text(a->arena, id),
							  id_text(a->arena, &peer_end(p->c)->id)));
	await_begin(&p->await, a->x->serial);
	if (data.p == NULL || !await_verify(&p->await, id, data, sig->data, &p->n->proof))
		return look_up(a, id);
	p->n->proof.step = PROOF_VERIFYING;
	return await_pending(&p->await) ? ACTION_PARKED : ACTION_OK;
}

/* The identity is proved by nothing but this signature. */
static enum action_result verify(struct action *a, const struct identity *id, enum key_value hash,
				 const struct payload_SIG *sig)
{
	struct phase1 *p = of(a);
	struct proof *proof = &p->n->proof;
	const char *who = id_text(a->arena, id);

	if (proof->step == PROOF_LOOKUP && p->await.failed)
		return reject(a, refuse_key_not_in_dns(a->arena, p->c->name, who, p->await.why));
	if (proof->step == PROOF_NONE || proof->step == PROOF_LOOKUP) {
		enum action_result r = try_keys(a, id, hash, sig);

		if (r != ACTION_OK)
			return r;
	}
	proof->step = PROOF_NONE;
	if (p->await.failed || !proof->fits)
		return reject(a, refuse_rsa_bad_signature(a->arena, p->c->name, who,
							       (uint32_t)sig->data.n, proof->keys));
	ike_log(p->ike, p->c, a->x, p->whack, WHACK_STATUS_LOG,
		"the peer is %s by its RSA signature, key %s", who, proof->keys);
	return ACTION_OK;
}

enum action_result handshake_check_identity(struct action *a, const struct identity *id, enum key_value hash,
					    const struct payload_SIG *sig, unsigned certificates)
{
	struct phase1 *p = of(a);

	if (by_signature(p)) {
		if (certificates > 0 && p->n->proof.step == PROOF_NONE)
			ike_log(p->ike, p->c, a->x, NO_WHACK, WHACK_STATUS_LOG,
				"certificates of the peer are ignored (%u): only keys given with whack --keyid count",
				certificates);
		enum action_result r = verify(a, id, hash, sig);

		if (r != ACTION_OK)
			return r;
	}
	return accept(a, id);
}

enum action_result handshake_check_peer(struct action *a, const struct payload_ID *payload, enum key_value hash,
					const struct payload_SIG *sig, unsigned certificates)
{
	struct identity id;
	const char *why;
	char type[REGISTRY_TEXT];

	if (!id_read(payload, &id, &why))
		return reject(a, refuse_id_unreadable(a->arena, registry_name(&registry_id_type,
								payload->type, type), why));
	return handshake_check_identity(a, &id, hash, sig, certificates);
}

void handshake_hear_contact(struct action *a)
{
	bool secret = (a->message->header.flags & HEADER_FLAGS_ENCRYPTION) != 0;

	if (secret && contact_announced(a->message))
		contact_forget(of(a));
}
