/* bench_crypto.c -- what our layers cost over the libraries below them, as ratios. */
#define GCRYPT_NO_MPI_MACROS
#include <gcrypt.h>
#include <gmp.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "crypto/cipher.h"
#include "crypto/dh.h"
#include "crypto/hash.h"

#define SECONDS 0.25		/* per measurement */
#define PACKET 1400u		/* octets; cut to whole blocks */

static double cost(void (*what)(void *arg), void *arg)
{
	return cost_of(what, arg, 1, SECONDS);
}

static void must(bool ok)
{
	if (!ok) {
		fputs("bench_crypto: an operation failed\n", stderr);
		exit(1);
	}
}

/* ---- Diffie-Hellman ----------------------------------------------------- */

struct dh_bench {
	enum alg group;
	struct span priv, peer;
	mpz_t p, g, x, y;
	uint8_t shared[DH_MAX];
};

static void run_gmp(void *arg)
{
	struct dh_bench *b = arg;

	mpz_powm_sec(b->y, b->g, b->x, b->p);
}

static void run_dh_shared(void *arg)
{
	struct dh_bench *b = arg;
	const char *why;

	must(dh_shared(b->group, b->priv, b->peer, b->shared, &why));
}

static void bench_modp(enum alg group)
{
	const struct alg_desc *d = &alg_table[group];
	uint8_t other[DH_PRIVATE_MAX], priv[DH_PRIVATE_MAX], peer[DH_MAX];
	struct dh_bench b = { .group = group };
	double raw, ours;

	crypto_random(other, d->exponent);
	crypto_random(priv, d->exponent);
	must(dh_public(group, span_of(other, d->exponent), peer));
	b.priv = span_of(priv, d->exponent);
	b.peer = span_of(peer, d->public_);
	mpz_inits(b.p, b.g, b.x, b.y, NULL);
	mpz_import(b.p, d->prime_n, 1, 1, 1, 0, d->prime);
	mpz_import(b.g, b.peer.n, 1, 1, 1, 0, b.peer.p);
	mpz_import(b.x, b.priv.n, 1, 1, 1, 0, b.priv.p);
	raw = cost(run_gmp, &b);
	ours = cost(run_dh_shared, &b);
	printf("%-10s mpz_powm_sec %7.0f/s   dh_shared %7.0f/s   ratio %.3f\n", d->name, 1 / raw,
	       1 / ours, ours / raw);
	mpz_clears(b.p, b.g, b.x, b.y, NULL);
}

static void bench_curve(enum alg group)
{
	const struct alg_desc *d = &alg_table[group];
	uint8_t priv[DH_PRIVATE_MAX], peer[DH_MAX];
	struct dh_bench b = { .group = group };

	crypto_random(priv, d->exponent);
	must(dh_public(group, span_of(priv, d->exponent), peer));
	b.priv = span_of(priv, d->exponent);
	b.peer = span_of(peer, d->public_);
	printf("%-10s dh_shared %7.0f/s\n", d->name, 1 / cost(run_dh_shared, &b));
}

/* ---- HMAC --------------------------------------------------------------- */

struct hmac_bench {
	enum alg hash;
	int library;
	uint8_t key[32], data[100], out[HASH_MAX];
};

static void run_hmac(void *arg)
{
	struct hmac_bench *b = arg;
	struct span data = span_of(b->data, sizeof(b->data));

	hmac_spans(b->hash, span_of(b->key, sizeof(b->key)), &data, 1, b->out);
}

static void run_library_hmac(void *arg)
{
	struct hmac_bench *b = arg;
	gcry_buffer_t in[] = { { .data = b->key, .len = sizeof(b->key) },
			       { .data = b->data, .len = sizeof(b->data) } };

	must(gcry_md_hash_buffers(b->library, GCRY_MD_FLAG_HMAC, b->out, in, 2) == 0);
}

static void bench_hmac(enum alg hash, int library)
{
	struct hmac_bench b = { .hash = hash, .library = library };
	double raw = cost(run_library_hmac, &b), ours = cost(run_hmac, &b);

	printf("hmac %-8s of 100 octets: libgcrypt %5.0f ns   ours %5.0f ns   ratio %.3f\n",
	       alg_table[hash].name, raw * 1e9, ours * 1e9, ours / raw);
}

/* ---- packets ------------------------------------------------------------ */

struct seal_bench {
	struct transform *t;
	gcry_cipher_hd_t cipher;
	gcry_md_hd_t md;
	size_t n, icv_n, nonce_n;
	uint8_t aad[8], iv[16], text[PACKET], icv[HASH_MAX];
};

static void run_seal(void *arg)
{
	struct seal_bench *b = arg;

	must(transform_seal(b->t, span_of(b->aad, 8), span_of(b->iv, transform_iv(b->t)), b->text,
			    b->n, span_of(NULL, 0), b->icv));
}

/* The same work by hand, and no more than it needs. */
static void run_library_seal(void *arg)
{
	struct seal_bench *b = arg;

	gcry_cipher_setiv(b->cipher, b->iv, b->nonce_n);
	if (b->md == NULL)
		gcry_cipher_authenticate(b->cipher, b->aad, sizeof(b->aad));
	gcry_cipher_encrypt(b->cipher, b->text, b->n, NULL, 0);
	if (b->md == NULL) {
		gcry_cipher_gettag(b->cipher, b->icv, b->icv_n);
		return;
	}
	gcry_md_reset(b->md);
	gcry_md_write(b->md, b->aad, sizeof(b->aad));
	gcry_md_write(b->md, b->iv, b->nonce_n);
	gcry_md_write(b->md, b->text, b->n);
	memcpy(b->icv, gcry_md_read(b->md, 0), b->icv_n);
}

static void bench_seal(enum alg cipher, size_t key_n, int library, enum alg mac, int library_md)
{
	const struct alg_desc *c = &alg_table[cipher], *m = &alg_table[mac];
	struct seal_bench b = { .n = PACKET / c->block * c->block };
	uint8_t key[64], mac_key[64];
	const char *why;
	double raw, ours;

	for (uint8_t i = 0; i < 64; i++)
		key[i] = mac_key[i] = (uint8_t)(7 * i);
	b.t = transform_new(cipher, span_of(key, key_n + c->salt), mac,
			    span_of(mac_key, m->keys[0]), &why);
	must(b.t != NULL);
	b.icv_n = transform_icv(b.t);
	b.nonce_n = c->iv + (size_t)c->salt;
	must(gcry_cipher_open(&b.cipher, library, mac == ALG_NONE ? GCRY_CIPHER_MODE_GCM :
			      GCRY_CIPHER_MODE_CBC, 0) == 0);
	must(gcry_cipher_setkey(b.cipher, key, key_n) == 0);
	if (mac != ALG_NONE) {
		must(gcry_md_open(&b.md, library_md, GCRY_MD_FLAG_HMAC) == 0);
		must(gcry_md_setkey(b.md, mac_key, m->keys[0]) == 0);
	}
	raw = cost(run_library_seal, &b);
	ours = cost(run_seal, &b);
	printf("%-10s %3zu %-17s libgcrypt %6.0f MB/s   transform_seal %6.0f MB/s   ratio %.3f\n",
	       c->name, key_n * 8, m->name, (double)b.n / raw / 1e6, (double)b.n / ours / 1e6,
	       ours / raw);
	transform_free(b.t);
	gcry_cipher_close(b.cipher);
	if (b.md != NULL)
		gcry_md_close(b.md);
}

int main(void)
{
	const char *why;

	if (!crypto_start(&why)) {
		fprintf(stderr, "bench_crypto: %s\n", why);
		return 1;
	}
	bench_modp(ALG_MODP1024);
	bench_modp(ALG_MODP2048);
	bench_curve(ALG_ECP256);
	bench_curve(ALG_ECP384);
	bench_curve(ALG_ECP521);
	bench_curve(ALG_CURVE25519);
	bench_hmac(ALG_MD5, GCRY_MD_MD5);
	bench_hmac(ALG_SHA1, GCRY_MD_SHA1);
	bench_hmac(ALG_SHA2_256, GCRY_MD_SHA256);
	bench_hmac(ALG_SHA2_512, GCRY_MD_SHA512);
	bench_seal(ALG_AES_GCM_16, 16, GCRY_CIPHER_AES128, ALG_NONE, 0);
	bench_seal(ALG_AES_GCM_16, 32, GCRY_CIPHER_AES256, ALG_NONE, 0);
	bench_seal(ALG_AES_CBC, 16, GCRY_CIPHER_AES128, ALG_HMAC_SHA2_256_128, GCRY_MD_SHA256);
	bench_seal(ALG_AES_CBC, 32, GCRY_CIPHER_AES256, ALG_HMAC_SHA2_512_256, GCRY_MD_SHA512);
	bench_seal(ALG_AES_CBC, 16, GCRY_CIPHER_AES128, ALG_HMAC_SHA1_96, GCRY_MD_SHA1);
	bench_seal(ALG_3DES_CBC, 24, GCRY_CIPHER_3DES, ALG_HMAC_MD5_96, GCRY_MD_MD5);
	return 0;
}
