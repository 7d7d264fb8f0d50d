/* hash.c -- hashes, HMACs, the prf of RFC 2409 and randomness, through libgcrypt. */
#include "crypto/hash.h"

#define GCRYPT_NO_MPI_MACROS	/* its mpi_powm is not ours */
#include <gcrypt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "crypto/mpi.h"

#define LIBRARY_NEEDED "1.9.0"		/* the first with gcry_ecc_mul_point() */

struct hmac {
	gcry_md_hd_t md;
	size_t size;
};

/* libgcrypt's number of a hash; 0 when alg is none. */
static int library_hash(enum alg alg)
{
	switch (alg) {
	case ALG_MD5:
		return GCRY_MD_MD5;
	case ALG_SHA1:
		return GCRY_MD_SHA1;
	case ALG_SHA2_256:
		return GCRY_MD_SHA256;
	case ALG_SHA2_384:
		return GCRY_MD_SHA384;
	case ALG_SHA2_512:
		return GCRY_MD_SHA512;
	default:
		return 0;
	}
}

/* The hashes were tested by crypto_start(), so only a lack of memory is left to fail. */
static void must(gcry_error_t err)
{
	if (err != 0) {
		fprintf(stderr, "libgcrypt: %s: stopping\n", gcry_strerror(err));
		abort();
	}
}

bool crypto_start(const char **why)
{
	/* Another library in the process may have been first: then its choices stand. */
	bool first = !gcry_control(GCRYCTL_ANY_INITIALIZATION_P);

	*why = "";
	if (first) {
		/* The kernel's generator: nothing of it is in our memory, so nothing of it
		 * can be repeated after a fork. */
		gcry_control(GCRYCTL_SET_PREFERRED_RNG_TYPE, GCRY_RNG_TYPE_SYSTEM);
	}
	if (gcry_check_version(LIBRARY_NEEDED) == NULL) {
		*why = "libgcrypt is older than " LIBRARY_NEEDED ": install a newer one";
		return false;
	}
	if (!gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P)) {
		/* Its pool of locked memory is small and under one lock.  Keys are wiped
		 * when freed; what keeps them from swap and core dumps is up to the daemon. */
		gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
		gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
	}
	for (enum alg alg = ALG_NONE; alg < ALG_COUNT; alg++) {
		int md = library_hash(alg);

		if (md != 0 && gcry_md_test_algo(md) != 0) {
			*why = "libgcrypt refuses MD5, SHA1 or SHA2: is it in FIPS mode?";
			return false;
		}
	}
	mpi_start();
	return true;
}

size_t hash_size(enum alg alg)
{
	return library_hash(alg) == 0 ? 0 : alg_table[alg].output;
}

static gcry_md_hd_t md_open(enum alg alg, unsigned flags)
{
	gcry_md_hd_t md;

	must(gcry_md_open(&md, library_hash(alg), flags));
	return md;
}

static gcry_md_hd_t md_open_hmac(enum alg hash, struct span key)
{
	gcry_md_hd_t md = md_open(hash, GCRY_MD_FLAG_HMAC);

	must(gcry_md_setkey(md, key.p, key.n));
	return md;
}

static void md_write(gcry_md_hd_t md, struct span s)
{
	if (s.n != 0)
		gcry_md_write(md, s.p, s.n);
}

size_t hash_spans(enum alg alg, const struct span *in, size_t n, uint8_t out[HASH_MAX])
{
	size_t size = hash_size(alg);
	gcry_md_hd_t md;

	if (size == 0)
		return 0;
	md = md_open(alg, 0);
	for (size_t i = 0; i < n; i++)
		md_write(md, in[i]);
	memcpy(out, gcry_md_read(md, 0), size);
	gcry_md_close(md);
	return size;
}

size_t hmac_spans(enum alg hash, struct span key, const struct span *in, size_t n,
		  uint8_t out[HASH_MAX])
{
	size_t size = hash_size(hash);
	gcry_md_hd_t md;

	if (size == 0)
		return 0;
	md = md_open_hmac(hash, key);
	for (size_t i = 0; i < n; i++)
		md_write(md, in[i]);
	memcpy(out, gcry_md_read(md, 0), size);
	gcry_md_close(md);
	return size;
}

/* K1 = prf(key, first | seed), Ki = prf(key, Ki-1 | seed). */
static void expand(enum alg hash, struct span key, struct span first, struct span seed,
		   uint8_t *out, size_t n)
{
	gcry_md_hd_t md = md_open_hmac(hash, key);
	size_t size = hash_size(hash);

	while (n != 0) {
		size_t part = n < size ? n : size;

		gcry_md_reset(md);
		md_write(md, first);
		md_write(md, seed);
		memcpy(out, gcry_md_read(md, 0), part);
		first = span_of(out, part);	/* used again only when it is whole */
		out += part;
		n -= part;
	}
	gcry_md_close(md);
}

void prf_plus(enum alg hash, struct span key, struct span seed, uint8_t *out, size_t n)
{
	if (hash_size(hash) != 0)
		expand(hash, key, span_of(NULL, 0), seed, out, n);
}

void prf_stretch(enum alg hash, struct span key, uint8_t *out, size_t n)
{
	static const uint8_t zero[1];

	if (key.n >= n) {
		if (n != 0)
			memcpy(out, key.p, n);
	} else if (hash_size(hash) != 0) {
		expand(hash, key, span_of(zero, 1), span_of(NULL, 0), out, n);
	}
}

struct hmac *hmac_new(enum alg hash, struct span key)
{
	struct hmac *h;

	if (hash_size(hash) == 0)
		return NULL;
	h = NEW(struct hmac);
	h->md = md_open_hmac(hash, key);
	h->size = hash_size(hash);
	return h;
}

void hmac_begin(struct hmac *h)
{
	gcry_md_reset(h->md);
}

void hmac_add(struct hmac *h, struct span s)
{
	md_write(h->md, s);
}

size_t hmac_end(struct hmac *h, uint8_t out[HASH_MAX])
{
	memcpy(out, gcry_md_read(h->md, 0), h->size);
	return h->size;
}

void hmac_free(struct hmac *h)
{
	if (h == NULL)
		return;
	gcry_md_close(h->md);
	free(h);
}

void crypto_random(void *p, size_t n)
{
	if (n != 0)
		gcry_randomize(p, n, GCRY_STRONG_RANDOM);
}
