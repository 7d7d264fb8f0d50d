/* auth.c -- credentials of a connection, and the jobs that sign and verify with RSA. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "crypto/hash.h"
#include "ike/auth.h"
#include "ike/dnskeys.h"
#include "ike/idpayload.h"
#include "ike/instance.h"
#include "ike/internal.h"
#include "ike/pubkeys.h"

/* ---- what can be done ---------------------------------------------------- */

bool auth_psk(struct ike *ike, const struct connection *c, struct secret_found *found)
{
	/* The address of a Road Warrior was unknown when the secrets were written. */
	bool unknown = (c->template != NULL || connection_is_template(c)) && !peer_end(c)->id_given;

	*found = (struct secret_found){ 0 };
	return ike->secrets.ops->psk(ike->secrets.s, &our_end(c)->id, &peer_end(c)->id, unknown, found);
}

bool auth_rsa(struct ike *ike, const struct connection *c, struct secret_found *found)
{
	*found = (struct secret_found){ 0 };
	return ike->secrets.ops->rsa(ike->secrets.s, &our_end(c)->id, found);
}

bool auth_xauth(struct ike *ike, const struct connection *c, struct secret_found *found)
{
	*found = (struct secret_found){ 0 };
	return ike->secrets.ops->xauth(ike->secrets.s, span_str(c->xauth_name), &peer_end(c)->id, found);
}

uint16_t auth_offered(const struct connection *c, uint16_t method)
{
	if (!c->policy.xauth)
		return method;
	return method == AUTH_METHOD_RSA_SIG ? AUTH_METHOD_XAUTH_INIT_RSA : AUTH_METHOD_XAUTH_INIT_PRESHARED_KEY;
}

bool auth_allowed(const struct connection *c, uint32_t methods, uint64_t method)
{
	if (c->policy.xauth && (method == AUTH_METHOD_XAUTH_RESP_PRESHARED_KEY || method == AUTH_METHOD_XAUTH_RESP_RSA))
		method = auth_base((uint16_t)method);
	return method < 8 * sizeof(methods) && (methods & 1u << method) != 0;
}

const struct refusal *auth_refusal(struct arena *a, const struct connection *c, uint64_t method)
{
	char name[REGISTRY_TEXT];
	const char *theirs = registry_name(&registry_auth_method, (uint32_t)method, name);

	if (!c->policy.xauth && (method == AUTH_METHOD_XAUTH_RESP_PRESHARED_KEY || method == AUTH_METHOD_XAUTH_RESP_RSA))
		return refuse_xauth_method(a, c->name, theirs);
	if (method == AUTH_METHOD_XAUTH_INIT_PRESHARED_KEY || method == AUTH_METHOD_XAUTH_INIT_RSA)
		return refuse_xauth_client(a, c->name, theirs);
	return refuse_auth_method(a, c->name, theirs);
}

uint16_t auth_base(uint16_t method)
{
	enum variant v;

	return auth_variant(method, &v) ? (uint16_t)auth_value(v) : method;
}

/* Is there a public key with which the peer may prove itself?  A responder does not know yet who that is. */
static bool peer_has_key(struct ike *ike, const struct connection *c, enum role role)
{
	struct pubkey *keys[LIMIT_KEYS_PER_IDENTITY];

	if (role == ROLE_RESPONDER)
		return pubkeys_count(ike->pubkeys) > 0;
	return pubkeys_of(ike->pubkeys, &peer_end(c)->id, keys) > 0;
}

uint32_t auth_methods(struct ike *ike, const struct connection *c, enum role role)
{
	struct secret_found found;
	uint32_t bits = 0;

	if (c->policy.psk && auth_psk(ike, c, &found))
		bits |= 1u << AUTH_METHOD_PRESHARED_KEY;
	if (c->policy.rsasig && peer_has_key(ike, c, role) && auth_rsa(ike, c, &found))
		bits |= 1u << AUTH_METHOD_RSA_SIG;
	if (bits == 0 && role == ROLE_RESPONDER && c->policy.rsasig && ike->host.lookup != NULL &&
	    auth_rsa(ike, c, &found))
		bits |= 1u << AUTH_METHOD_RSA_SIG;
	return bits;
}

bool auth_needs_lookup(struct ike *ike, const struct connection *c)
{
	struct secret_found found;

	return c->policy.rsasig && auth_methods(ike, c, ROLE_INITIATOR) == 0 && auth_rsa(ike, c, &found) &&
	       dnskeys_obstacle(ike->dnskeys, &peer_end(c)->id) == NULL;
}

static const char *psk_state(struct ike *ike, struct arena *a, const struct connection *c)
{
	struct secret_found found;

	if (!c->policy.psk)
		return "not among the connection's methods";
	return auth_psk(ike, c, &found) ? "possible" : arena_str(a, span_str(found.why));
}

static const char *rsa_state(struct ike *ike, struct arena *a, const struct connection *c, enum role role)
{
	struct secret_found found;

	if (!c->policy.rsasig)
		return "not among the connection's methods";
	if (!auth_rsa(ike, c, &found))
		return arena_str(a, span_str(found.why));
	if (peer_has_key(ike, c, role))
		return "possible";
	return role == ROLE_RESPONDER ? "no public key of any peer is known" :
	       arena_printf(a, "no public key is known for %s", id_text(a, &peer_end(c)->id));
}

const struct refusal *auth_obstacle(struct ike *ike, struct arena *a, const struct connection *c)
{
	struct secret_found found;

	if (auth_methods(ike, c, ROLE_INITIATOR) != 0 || auth_needs_lookup(ike, c))
		return !c->policy.xauth || auth_xauth(ike, c, &found) ? NULL :
		       refuse_xauth_no_secret(a, c->name, c->xauth_name, found.why);
	if (c->policy.psk && c->policy.rsasig)
		return refuse_no_credentials(a, c->name, psk_state(ike, a, c),
					     rsa_state(ike, a, c, ROLE_INITIATOR));
	if (c->policy.psk) {
		auth_psk(ike, c, &found);
		return refuse_no_secret(a, c->name, found.why);
	}
	if (auth_rsa(ike, c, &found))
		return refuse_no_public_key(a, c->name, id_text(a, &peer_end(c)->id));
	return refuse_no_private_key(a, c->name, found.why);
}

const struct refusal *auth_no_method(struct ike *ike, struct arena *a, const struct connection *c)
{
	return refuse_no_method(a, c->name, psk_state(ike, a, c), rsa_state(ike, a, c, ROLE_RESPONDER));
}

static bool same_rows(const struct rows *a, const struct rows *b)
{
	if (a->all == b->all)
		return true;
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		const struct suite_row *r = &a->all[i], *s = &b->all[i];

		if (r->transform != s->transform || r->n != s->n)
			return false;
		for (size_t k = 0; k < r->n; k++)
			if (r->cells[k].attribute != s->cells[k].attribute || r->cells[k].value != s->cells[k].value)
				return false;
	}
	return true;
}

/* Whoever is known to the gateway by the one is known to it by the other, and has the same address. */
static bool same_user(const struct connection *c, const struct connection *other)
{
	return c->policy.xauth == other->policy.xauth && c->policy.modecfg == other->policy.modecfg &&
	       (!c->policy.xauth || strcmp(c->xauth_name, other->xauth_name) == 0);
}

bool auth_covers(const struct phase1 *p, const struct connection *c)
{
	uint32_t allowed = (c->policy.psk ? 1u << AUTH_METHOD_PRESHARED_KEY : 0) |
			   (c->policy.rsasig ? 1u << AUTH_METHOD_RSA_SIG : 0);
	bool chosen = p->x->agreed.bound;
	/* Before the peer has chosen it may choose whatever was offered. */
	uint32_t may_be = chosen ? 1u << p->chosen.auth : p->n->methods;
	bool suite = chosen ? rows_allow(&c->policy.ike, &p->chosen)
			    : same_rows(&c->policy.ike, &p->c->policy.ike);

	if (p->x->role == ROLE_INITIATOR && !same_user(p->c, c))
		return false;
	return (may_be & ~allowed) == 0 && suite && identity_eq(&our_end(p->c)->id, &our_end(c)->id) &&
	       identity_eq(&peer_end(p->c)->id, &peer_end(c)->id);
}

bool auth_same(struct ike *ike, uint16_t method, const struct connection *c, const struct connection *other)
{
	struct secret_found ours, theirs;

	if (method == AUTH_METHOD_RSA_SIG)
		return other->policy.rsasig && auth_rsa(ike, c, &ours) && auth_rsa(ike, other, &theirs) &&
		       rsa_same(ours.rsa, theirs.rsa);
	return other->policy.psk && auth_psk(ike, c, &ours) && auth_psk(ike, other, &theirs) &&
	       ct_equal(ours.psk, theirs.psk);
}

/* ---- signing ------------------------------------------------------------- */

struct sign_job {
	struct ike_job job;
	struct await *await;
	struct proof *proof;
	const struct secrets_ops *ops;
	void *held;			/* keeps the key over a reload of the secrets */
	const struct rsa_key *key;
	uint8_t hash[HASH_MAX], sig[RSA_MAX];
	size_t hash_octets;
	bool ok;
};

/* In a worker thread. */
static void sign_run(struct ike_job *job)
{
	struct sign_job *j = (struct sign_job *)job;

	j->ok = rsa_sign(j->key, span_of(j->hash, j->hash_octets), j->sig);
}

static void sign_done(struct ike *ike, void *ctx, const struct kernel_result *r)
{
	struct sign_job *j = ctx;
	struct kernel_result result = { .ok = j->ok, .why = "the private key does not make one that its "
							    "public key verifies" };

	(void)ike;
	(void)r;
	j->proof->sig_octets = rsa_size(j->key);
	memcpy(j->proof->sig, j->sig, sizeof(j->sig));
	await_answer(j->await, &result);
}

static void sign_free(struct ike_job *job)
{
	struct sign_job *j = (struct sign_job *)job;

	if (j->held != NULL)
		j->ops->release(j->held);
	wipe(j, sizeof(*j));
	free(j);
}

static void submit(struct await *w, struct request *r, struct ike_job *job, void (*free_job)(struct ike_job *))
{
	job->token = r->token;
	r->job = job;
	r->free_job = free_job;
	w->ike->host.submit(w->ike->host.ctx, job);
}

bool await_sign(struct await *w, const struct connection *c, struct span hash, struct proof *proof,
		struct secret_found *found)
{
	const struct secrets *s = &w->ike->secrets;
	struct sign_job *j;

	if (!auth_rsa(w->ike, c, found))
		return false;
	j = NEW(struct sign_job);
	j->job.run = sign_run;
	j->await = w;
	j->proof = proof;
	j->ops = s->ops;
	j->held = s->ops->hold == NULL ? NULL : s->ops->hold(s->s);
	j->key = found->rsa;
	j->hash_octets = hash.n < HASH_MAX ? hash.n : HASH_MAX;
	memcpy(j->hash, hash.p, j->hash_octets);
	submit(w, await_request(w, sign_done, j), &j->job, sign_free);
	return true;
}

/* ---- verifying ----------------------------------------------------------- */

struct verify_job {
	struct ike_job job;
	struct await *await;
	struct proof *proof;
	struct pubkey *keys[LIMIT_KEYS_PER_IDENTITY];
	size_t n_keys;
	uint8_t hash[HASH_MAX], sig[RSA_MAX];
	size_t hash_octets, sig_octets;
	struct pubkey *fits;
};

/* In a worker thread. */
static void verify_run(struct ike_job *job)
{
	struct verify_job *j = (struct verify_job *)job;

	for (size_t i = 0; i < j->n_keys && j->fits == NULL; i++)
		if (rsa_verify(j->keys[i]->rsa, span_of(j->hash, j->hash_octets),
			       span_of(j->sig, j->sig_octets)))
			j->fits = j->keys[i];
}

static void verify_done(struct ike *ike, void *ctx, const struct kernel_result *r)
{
	static const struct kernel_result done = { .ok = true };
	struct verify_job *j = ctx;
	struct text t = text_on(j->proof->keys, sizeof(j->proof->keys));

	(void)ike;
	(void)r;
	j->proof->fits = j->fits != NULL;
	for (size_t i = 0; i < j->n_keys; i++)
		if (j->fits == NULL || j->keys[i] == j->fits)
			text_add(&t, "%s%s", t.n > 0 ? ", " : "", j->keys[i]->fingerprint);
	await_answer(j->await, &done);
}

static void verify_free(struct ike_job *job)
{
	struct verify_job *j = (struct verify_job *)job;

	for (size_t i = 0; i < j->n_keys; i++)
		pubkey_unref(j->keys[i]);
	free(j);
}

bool await_verify(struct await *w, const struct identity *id, struct span hash, struct span sig,
		  struct proof *proof)
{
	struct verify_job *j = NEW(struct verify_job);

	j->n_keys = pubkeys_of(w->ike->pubkeys, id, j->keys);
	for (size_t i = 0; i < j->n_keys; i++)
		pubkey_ref(j->keys[i]);
	if (j->n_keys == 0) {
		verify_free(&j->job);
		return false;
	}
	j->job.run = verify_run;
	j->await = w;
	j->proof = proof;
	proof->fits = false;
	j->hash_octets = hash.n < HASH_MAX ? hash.n : HASH_MAX;
	memcpy(j->hash, hash.p, j->hash_octets);
	if (sig.n <= RSA_MAX) {		/* what is longer fits no key: it stays empty */
		j->sig_octets = sig.n;
		memcpy(j->sig, sig.p, sig.n);
	}
	submit(w, await_request(w, verify_done, j), &j->job, verify_free);
	return true;
}
