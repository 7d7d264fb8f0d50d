/* cipher.c -- CBC for IKE messages, and sealing of ESP and AH packets (RFC 4303, RFC 4106). */
#include "crypto/cipher.h"

#define GCRYPT_NO_MPI_MACROS
#include <gcrypt.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "crypto/hash.h"

#define NONCE 12		/* octets of a GCM nonce: salt | iv */
#define BLOCK_MAX 16

struct transform {
	const struct alg_desc *cipher, *mac;	/* ALG_NONE's entry when there is none */
	gcry_cipher_hd_t handle;		/* NULL without encryption */
	struct hmac *hmac;			/* NULL for an aead */
	uint8_t nonce[NONCE];			/* starts with the salt */
};

static const struct alg_desc *desc(enum alg alg)
{
	return &alg_table[(unsigned)alg < ALG_COUNT ? alg : ALG_NONE];
}

static bool has_key(const struct alg_desc *d, size_t octets)
{
	for (size_t i = 0; i < d->n_keys; i++)
		if (d->keys[i] == octets)
			return true;
	return false;
}

static bool is_cbc(const struct alg_desc *d)
{
	return d->kind == ALG_KIND_CIPHER && d->iv != 0;
}

size_t cipher_block(enum alg alg)
{
	return is_cbc(desc(alg)) ? desc(alg)->block : 0;
}

bool cipher_key_ok(enum alg alg, size_t key_octets)
{
	const struct alg_desc *d = desc(alg);

	return (d->kind == ALG_KIND_CIPHER || d->kind == ALG_KIND_AEAD) && has_key(d, key_octets);
}

/* libgcrypt's number of a cipher with that key; 0 when there is none. */
static int library_cipher(enum alg alg, size_t key_octets)
{
	switch (alg) {
	case ALG_3DES_CBC:
		return GCRY_CIPHER_3DES;
	case ALG_AES_CBC:
	case ALG_AES_GCM_16:
	case ALG_AES_GCM_12:
	case ALG_AES_GCM_8:
		return key_octets == 16 ? GCRY_CIPHER_AES128 :
		       key_octets == 24 ? GCRY_CIPHER_AES192 : GCRY_CIPHER_AES256;
	default:
		return 0;
	}
}

/* A handle with its key set, or NULL: wrong key size, or a weak key of 3DES (RFC 2451 2.3). */
static gcry_cipher_hd_t cipher_open(enum alg alg, struct span key)
{
	int mode = is_cbc(desc(alg)) ? GCRY_CIPHER_MODE_CBC : GCRY_CIPHER_MODE_GCM;
	gcry_cipher_hd_t h;

	if (!has_key(desc(alg), key.n) ||
	    gcry_cipher_open(&h, library_cipher(alg, key.n), mode, 0) != 0)
		return NULL;
	if (gcry_cipher_setkey(h, key.p, key.n) != 0) {
		gcry_cipher_close(h);
		return NULL;
	}
	return h;
}

bool cbc_encrypt(enum alg alg, struct span key, uint8_t *iv, uint8_t *data, size_t n)
{
	size_t block = cipher_block(alg);
	gcry_cipher_hd_t h;
	bool ok;

	if (block == 0 || n % block != 0 || (h = cipher_open(alg, key)) == NULL)
		return false;
	ok = n == 0 || (gcry_cipher_setiv(h, iv, block) == 0 &&
			gcry_cipher_encrypt(h, data, n, NULL, 0) == 0);
	if (ok && n != 0)
		memcpy(iv, data + n - block, block);
	gcry_cipher_close(h);
	return ok;
}

bool cbc_decrypt(enum alg alg, struct span key, uint8_t *iv, uint8_t *data, size_t n)
{
	size_t block = cipher_block(alg);
	uint8_t last[BLOCK_MAX];
	gcry_cipher_hd_t h;
	bool ok;

	if (block == 0 || n % block != 0 || (h = cipher_open(alg, key)) == NULL)
		return false;
	if (n != 0)
		memcpy(last, data + n - block, block);
	ok = n == 0 || (gcry_cipher_setiv(h, iv, block) == 0 &&
			gcry_cipher_decrypt(h, data, n, NULL, 0) == 0);
	if (ok && n != 0)
		memcpy(iv, last, block);
	gcry_cipher_close(h);
	return ok;
}

/* ---- transforms --------------------------------------------------------- */

/* What is wrong with the choice of algorithms and keys; NULL = nothing. */
static const char *choice_fault(enum alg cipher, struct span cipher_key, enum alg mac,
				struct span mac_key)
{
	const struct alg_desc *c = desc(cipher), *m = desc(mac);

	if (cipher != ALG_NONE && c->kind != ALG_KIND_CIPHER && c->kind != ALG_KIND_AEAD)
		return "the encryption algorithm is no cipher";
	if (mac != ALG_NONE && m->kind != ALG_KIND_MAC)
		return "the authentication algorithm is no MAC";
	if (c->kind == ALG_KIND_AEAD && mac != ALG_NONE)
		return "a combined cipher authenticates by itself: leave out the MAC";
	if (c->kind != ALG_KIND_AEAD && mac == ALG_NONE)
		return "packets without authentication are not made: name a MAC";
	if (cipher != ALG_NONE && (cipher_key.n < c->salt || !has_key(c, cipher_key.n - c->salt)))
		return "the encryption key has a size that the cipher does not take";
	if (mac != ALG_NONE && !has_key(m, mac_key.n))
		return "the authentication key has a size that the MAC does not take";
	return NULL;
}

struct transform *transform_new(enum alg cipher, struct span cipher_key, enum alg mac,
				struct span mac_key, const char **why)
{
	struct transform *t;

	*why = choice_fault(cipher, cipher_key, mac, mac_key);
	if (*why != NULL)
		return NULL;
	t = NEW(struct transform);
	t->cipher = desc(cipher);
	t->mac = desc(mac);
	if (t->cipher->iv != 0) {
		size_t salt = t->cipher->salt;

		t->handle = cipher_open(cipher, span_sub(cipher_key, 0, cipher_key.n - salt));
		if (t->handle == NULL) {
			*why = "libgcrypt refuses the key or the cipher";
			transform_free(t);
			return NULL;
		}
		if (salt != 0)
			memcpy(t->nonce, cipher_key.p + cipher_key.n - salt, salt);
	}
	if (mac != ALG_NONE)
		t->hmac = hmac_new(t->mac->hash, mac_key);
	return t;
}

void transform_free(struct transform *t)
{
	if (t == NULL)
		return;
	if (t->handle != NULL)
		gcry_cipher_close(t->handle);
	hmac_free(t->hmac);
	wipe(t, sizeof(*t));
	free(t);
}

size_t transform_iv(const struct transform *t)
{
	return t->cipher->iv;
}

size_t transform_icv(const struct transform *t)
{
	return t->hmac != NULL ? t->mac->icv : t->cipher->icv;
}

size_t transform_align(const struct transform *t)
{
	return t->cipher->block > 4 ? t->cipher->block : 4;
}

static bool is_aead(const struct transform *t)
{
	return t->cipher->kind == ALG_KIND_AEAD;
}

/* Set the IV or nonce of this packet, and the aad of an aead. */
static bool begin(struct transform *t, struct span aad, struct span iv)
{
	if (t->handle == NULL)
		return true;
	if (!is_aead(t))
		return gcry_cipher_setiv(t->handle, iv.p, iv.n) == 0;
	memcpy(t->nonce + t->cipher->salt, iv.p, iv.n);
	return gcry_cipher_setiv(t->handle, t->nonce, NONCE) == 0 &&
	       gcry_cipher_authenticate(t->handle, aad.p, aad.n) == 0;
}

static void packet_mac(struct transform *t, struct span aad, struct span iv, struct span text,
		       struct span tail, uint8_t out[HASH_MAX])
{
	hmac_begin(t->hmac);
	hmac_add(t->hmac, aad);
	hmac_add(t->hmac, iv);
	hmac_add(t->hmac, text);
	hmac_add(t->hmac, tail);
	hmac_end(t->hmac, out);
}

static bool sizes_ok(const struct transform *t, struct span iv, size_t n)
{
	return iv.n == t->cipher->iv && (t->cipher->block == 0 || n % t->cipher->block == 0);
}

bool transform_seal(struct transform *t, struct span aad, struct span iv, uint8_t *text, size_t n,
		    struct span tail, uint8_t *icv)
{
	uint8_t mac[HASH_MAX];

	if (!sizes_ok(t, iv, n) || !begin(t, aad, iv))
		return false;
	if (t->handle != NULL && n != 0 && gcry_cipher_encrypt(t->handle, text, n, NULL, 0) != 0)
		return false;
	if (is_aead(t))
		return gcry_cipher_gettag(t->handle, icv, t->cipher->icv) == 0;
	packet_mac(t, aad, iv, span_of(text, n), tail, mac);
	memcpy(icv, mac, t->mac->icv);
	return true;
}

bool transform_open(struct transform *t, struct span aad, struct span iv, uint8_t *text, size_t n,
		    struct span tail, struct span icv)
{
	uint8_t mac[HASH_MAX];

	if (!sizes_ok(t, iv, n) || icv.n != transform_icv(t))
		return false;
	if (!is_aead(t)) {
		packet_mac(t, aad, iv, span_of(text, n), tail, mac);
		if (!ct_equal(span_of(mac, t->mac->icv), icv))
			return false;
	}
	if (!begin(t, aad, iv))
		return false;
	if (t->handle != NULL && n != 0 && gcry_cipher_decrypt(t->handle, text, n, NULL, 0) != 0)
		return false;
	return !is_aead(t) || gcry_cipher_checktag(t->handle, icv.p, icv.n) == 0;
}
