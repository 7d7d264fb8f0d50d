/* pubkeys.c -- the store of public keys, and the request of whack that fills it. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "ike/dnskeys.h"
#include "ike/idpayload.h"
#include "ike/internal.h"
#include "ike/pubkeys.h"

#define NAME_MAX_OCTETS 255	/* of a domain name, RFC 1035 2.3.4; user@ is granted no more */

/* Identities that are equal hash alike; what hashes alike is told apart by identity_eq(). */
struct bucket {
	struct pubkey *keys;	/* oldest first */
	UT_hash_handle hh;
	size_t n;
	uint8_t key[1 + NAME_MAX_OCTETS];
};

struct pubkeys {
	struct bucket *buckets;
	size_t n;		/* keys */
};

struct pubkeys *pubkeys_new(void)
{
	return NEW(struct pubkeys);
}

struct pubkey *pubkey_ref(struct pubkey *k)
{
	k->refs++;
	return k;
}

void pubkey_unref(struct pubkey *k)
{
	if (k == NULL || --k->refs > 0)
		return;
	rsa_free(k->rsa);
	free((void *)k->id.name.p);
	free(k);
}

void pubkeys_free(struct pubkeys *ks)
{
	struct bucket *b, *next;

	if (ks == NULL)
		return;
	HASH_ITER(hh, ks->buckets, b, next) {
		while (b->keys != NULL) {
			struct pubkey *k = b->keys;

			b->keys = k->next;
			pubkey_unref(k);
		}
		HASH_DEL(ks->buckets, b);
		free(b);
	}
	free(ks);
}

size_t pubkeys_count(const struct pubkeys *ks)
{
	return ks->n;
}

/* What equal identities have in common: the kind, and the octets without regard to case.  False for a
 * name longer than any that has a key. */
static bool bucket_key(const struct identity *id, struct bucket *b)
{
	struct span s = id->kind == IDENTITY_ADDR ? addr_bytes(&id->addr) : id->name;

	if (s.n > NAME_MAX_OCTETS)
		return false;
	b->key[0] = (uint8_t)id->kind;
	for (size_t i = 0; i < s.n; i++)
		b->key[i + 1] = s.p[i] >= 'A' && s.p[i] <= 'Z' && id->kind != IDENTITY_ADDR
				? (uint8_t)(s.p[i] | 0x20) : s.p[i];
	b->n = s.n + 1;
	return true;
}

static struct bucket *bucket_find(const struct pubkeys *ks, const struct bucket *like)
{
	struct bucket *b;

	HASH_FIND(hh, ks->buckets, like->key, (unsigned)like->n, b);
	return b;
}

size_t pubkeys_of(const struct pubkeys *ks, const struct identity *id,
		  struct pubkey *out[LIMIT_KEYS_PER_IDENTITY])
{
	struct bucket like, *b;
	size_t n = 0;

	if (!bucket_key(id, &like) || (b = bucket_find(ks, &like)) == NULL)
		return 0;
	for (struct pubkey *k = b->keys; k != NULL && n < LIMIT_KEYS_PER_IDENTITY; k = k->next)
		if (identity_eq(&k->id, id))
			out[n++] = k;
	return n;
}

/* Takes over rsa.  The name fits a bucket. */
static struct pubkey *add(struct pubkeys *ks, const struct identity *id, struct rsa_key *rsa)
{
	struct bucket like, *b;
	struct pubkey *k = NEW(struct pubkey), **at;

	bucket_key(id, &like);
	b = bucket_find(ks, &like);
	if (b == NULL) {
		b = NEW(struct bucket);
		bucket_key(id, b);
		HASH_ADD_KEYPTR(hh, ks->buckets, b->key, (unsigned)b->n, b);
	}
	k->id = *id;
	k->id.name = id->kind == IDENTITY_ADDR ? span_of(NULL, 0) : span_buf(buf_copy(id->name));
	k->rsa = rsa;
	k->refs = 1;
	rsa_fingerprint(rsa, k->fingerprint);
	for (at = &b->keys; *at != NULL; at = &(*at)->next)
		;
	*at = k;
	ks->n++;
	return k;
}

const char *pubkey_source_text(const struct pubkey *k)
{
	switch (k->source) {
	case FROM_DNS:
		return ", from the DNS, proved by DNSSEC";
	case FROM_UNVALIDATED_DNS:
		return ", from the DNS, NOT PROVED by DNSSEC (--insecure-dnskeys)";
	default:
		return "";
	}
}

/* Those that are no better than `best`. */
static void drop(struct pubkeys *ks, const struct identity *id, enum pubkey_source best)
{
	struct bucket like, *b;
	struct pubkey **at, *k;

	if (!bucket_key(id, &like) || (b = bucket_find(ks, &like)) == NULL)
		return;
	for (at = &b->keys; (k = *at) != NULL;) {
		if (k->source < best || !identity_eq(&k->id, id)) {
			at = &k->next;
			continue;
		}
		*at = k->next;
		ks->n--;
		pubkey_unref(k);
	}
	if (b->keys == NULL) {
		HASH_DEL(ks->buckets, b);
		free(b);
	}
}

void pubkeys_drop_dns(struct pubkeys *ks, const struct identity *id)
{
	drop(ks, id, FROM_DNS);
}

/* ---- whack --keyid ------------------------------------------------------- */

static const struct refusal *read_id(struct ike *ike, struct span text, struct identity *id)
{
	const char *why = NULL;
	unsigned column = 1;
	enum identity_form form = identity_parse(ike->arena, text, id, &why, &column);

	if (form == IDENTITY_HOST)
		why = "is a name to be resolved: whack does that; give an address or @NAME";
	else if (form == IDENTITY_OK && identity_is_any(id))
		why = "anyone cannot have a key";
	else if (form == IDENTITY_OK && id->name.n > NAME_MAX_OCTETS)
		why = "the name is longer than 255 octets";
	else if (form == IDENTITY_OK)
		return NULL;
	return refuse_key_bad_id(ike->arena, arena_str(ike->arena, text), column, why);
}

struct pubkey *pubkeys_enter(struct ike *ike, const struct identity *id, struct rsa_key *rsa,
			     enum pubkey_source source, bool *known, const struct refusal **why)
{
	struct pubkey *keys[LIMIT_KEYS_PER_IDENTITY], *k;
	size_t n = pubkeys_of(ike->pubkeys, id, keys);

	*known = false;
	for (size_t i = 0; i < n; i++) {
		if (rsa_same(keys[i]->rsa, rsa)) {
			rsa_free(rsa);
			if (source < keys[i]->source)
				keys[i]->source = source;
			*known = true;
			return keys[i];
		}
	}
	if (n < LIMIT_KEYS_PER_IDENTITY && pubkeys_count(ike->pubkeys) < LIMIT_PUBLIC_KEYS) {
		k = add(ike->pubkeys, id, rsa);
		k->source = source;
		return k;
	}
	rsa_free(rsa);
	*why = n == LIMIT_KEYS_PER_IDENTITY ?
	       refuse_too_many_keys(ike->arena, id_text(ike->arena, id), LIMIT_KEYS_PER_IDENTITY) :
	       refuse_too_many_keys(ike->arena, "pluto", LIMIT_PUBLIC_KEYS);
	return NULL;
}

static const struct refusal *take_key(struct ike *ike, uint32_t whack, const struct identity *id,
				      struct span key)
{
	const struct refusal *why = NULL;
	const char *text = id_text(ike->arena, id), *fault;
	struct rsa_key *rsa;
	struct pubkey *k;
	bool known;

	rsa = rsa_from_dns(key, &fault);
	if (rsa == NULL)
		return refuse_key_refused(ike->arena, text, fault);
	k = pubkeys_enter(ike, id, rsa, FROM_WHACK, &known, &why);
	if (k == NULL)
		return why;
	if (!known)
		ike_log(ike, NULL, NULL, NO_WHACK, WHACK_STATUS_LOG, "RSA public key of %s: %zu bits, fingerprint %s",
			text, rsa_bits(k->rsa), k->fingerprint);
	if (rsa_weakness(k->rsa) != NULL)
		ike_log(ike, NULL, NULL, whack, WHACK_STATUS_LOG, "the RSA key of %s is weak: %s", text,
			rsa_weakness(k->rsa));
	ike_reply(ike, whack, WHACK_STATUS_SUCCESS, "RSA public key of %s%s: %zu bits, fingerprint %s", text,
		  known ? ", known already" : "", rsa_bits(k->rsa), k->fingerprint);
	return NULL;
}

/* alone: there must be something to forget. */
static const struct refusal *forget_keys(struct ike *ike, uint32_t whack, const struct identity *id, bool alone)
{
	const char *text = id_text(ike->arena, id);
	size_t before = pubkeys_count(ike->pubkeys), n;

	dnskeys_forget(ike->dnskeys, id);
	drop(ike->pubkeys, id, FROM_WHACK);
	n = before - pubkeys_count(ike->pubkeys);
	if (n == 0)
		return alone ? refuse_nothing_to_forget(ike->arena, text) : NULL;
	ike_log(ike, NULL, NULL, NO_WHACK, WHACK_STATUS_LOG, "RSA public keys of %s forgotten: %zu", text, n);
	ike_reply(ike, whack, alone ? WHACK_STATUS_SUCCESS : WHACK_STATUS_LOG, "RSA public keys of %s forgotten: %zu",
		  text, n);
	return NULL;
}

void command_public_key(struct ike *ike, uint32_t whack, const struct control_public_key *m)
{
	struct identity id = { 0 };
	const struct refusal *why = read_id(ike, m->id, &id);

	if (why == NULL && m->forget)
		why = forget_keys(ike, whack, &id, m->key.n == 0);
	if (why == NULL && m->key.n == 0 && !m->forget) {
		dnskeys_command(ike->dnskeys, whack, &id);
		return;
	}
	if (why == NULL && m->key.n > 0)
		why = take_key(ike, whack, &id, m->key);
	if (why != NULL)
		ike_reply_refusal(ike, whack, why);
	ike_finish(ike, whack);
}

void pubkeys_each(const struct pubkeys *ks, void (*tell)(void *ctx, const struct pubkey *k), void *ctx)
{
	struct bucket *b, *next;

	HASH_ITER(hh, ks->buckets, b, next)
		for (const struct pubkey *k = b->keys; k != NULL; k = k->next)
			tell(ctx, k);
}
