/* rsa_make.c -- making RSA key pairs. */
#define GCRYPT_NO_MPI_MACROS	/* its mpi_powm is not ours */
#include <gcrypt.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "crypto/mpi.h"
#include "crypto/rsa.h"

#define EXPONENT 65537		/* FIPS 186-4 B.3.1 */

/* n, e, d, p, q, u of a new key. */
struct made {
	gcry_mpi_t n, e, d, p, q, u;
};

static void made_free(struct made *m)
{
	gcry_mpi_release(m->n);
	gcry_mpi_release(m->e);
	gcry_mpi_release(m->d);
	gcry_mpi_release(m->p);
	gcry_mpi_release(m->q);
	gcry_mpi_release(m->u);
}

static bool make(size_t bits, struct made *m, const char **why)
{
	gcry_sexp_t ask = NULL, key = NULL;
	gcry_error_t err = gcry_sexp_build(&ask, NULL, "(genkey (rsa (nbits %u) (rsa-use-e %u)))",
					   (unsigned)bits, EXPONENT);

	if (err == 0)
		err = gcry_pk_genkey(&key, ask);
	if (err == 0)
		err = gcry_sexp_extract_param(key, "private-key", "nedpqu", &m->n, &m->e, &m->d, &m->p,
					      &m->q, &m->u, NULL);
	gcry_sexp_release(ask);
	gcry_sexp_release(key);
	*why = err == 0 ? NULL : gcry_strerror(err);
	return err == 0;
}

/* The number in fresh memory that the caller frees. */
static struct buf octets(gcry_mpi_t z)
{
	size_t n = (gcry_mpi_get_nbits(z) + 7) / 8, written = 0;
	struct buf b = buf_new(n);

	gcry_mpi_print(GCRYMPI_FMT_USG, b.p, b.n, &written, z);
	return b;
}

/* d modulo (prime - 1). */
static struct buf exponent_of(gcry_mpi_t d, gcry_mpi_t prime)
{
	gcry_mpi_t less = gcry_mpi_new(0), r = gcry_mpi_new(0);
	struct buf b;

	gcry_mpi_sub_ui(less, prime, 1);
	gcry_mpi_mod(r, d, less);
	b = octets(r);
	gcry_mpi_release(less);
	gcry_mpi_release(r);
	return b;
}

/* libgcrypt's u is the inverse of p modulo q, ours that of q modulo p: the primes change places. */
static struct rsa_key *key_of(const struct made *m, const char **why)
{
	struct buf part[] = {
		octets(m->n), octets(m->e), octets(m->d), octets(m->q), octets(m->p),
		exponent_of(m->d, m->q), exponent_of(m->d, m->p), octets(m->u),
	};
	struct rsa_key *k = rsa_new(&(struct rsa_parts){
		.n = span_buf(part[0]), .e = span_buf(part[1]), .d = span_buf(part[2]),
		.p = span_buf(part[3]), .q = span_buf(part[4]), .dp = span_buf(part[5]),
		.dq = span_buf(part[6]), .qinv = span_buf(part[7]) }, why);

	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++)
		buf_free(&part[i]);
	return k;
}

struct rsa_key *rsa_make(size_t bits, const char **why)
{
	struct rsa_key *k = NULL;

	if (bits < LIMIT_RSA_BITS_MIN || bits > LIMIT_RSA_BITS_MAX || bits % 16 != 0) {
		*why = "the size must be a multiple of 16, from 1024 to 8192 bits";
		return NULL;
	}
	for (int tries = 0; k == NULL && tries < 8; tries++) {
		struct made m = { 0 };

		if (!make(bits, &m, why)) {
			made_free(&m);
			return NULL;
		}
		/* A private exponent of half the size or less is as good as never; it would be weak. */
		if (gcry_mpi_get_nbits(m.d) > bits / 2)
			k = key_of(&m, why);
		made_free(&m);
	}
	return k;
}
