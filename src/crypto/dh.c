/* dh.c -- Diffie-Hellman over MODP, ECP and Curve25519 groups. */
#include "crypto/dh.h"

#define GCRYPT_NO_MPI_MACROS	/* its mpi_powm is not ours */
#include <gcrypt.h>

#include "crypto/mpi.h"

#define BEYOND "the public value is not between 2 and the prime less 2"

static const struct alg_desc *group_desc(enum alg group)
{
	const struct alg_desc *d = (unsigned)group < ALG_COUNT ? &alg_table[group] : &alg_table[0];

	switch (d->kind) {
	case ALG_KIND_MODP:
	case ALG_KIND_ECP:
	case ALG_KIND_MONTGOMERY:
		return d;
	default:
		return &alg_table[ALG_NONE];
	}
}

size_t dh_public_size(enum alg group)
{
	return group_desc(group)->public_;
}

size_t dh_shared_size(enum alg group)
{
	return group_desc(group)->shared;
}

size_t dh_private_size(enum alg group)
{
	return group_desc(group)->exponent;
}

/* ---- MODP --------------------------------------------------------------- */

static bool modp(const struct alg_desc *d, struct span priv, struct span base, uint8_t *out)
{
	return mpi_powm(base, priv, span_of(d->prime, d->prime_n), true, out, d->prime_n);
}

/* 1 < y < p - 1 (RFC 2412 4.2, RFC 6989 2.1): the primes are safe, so any such y has an order
 * of at least (p - 1) / 2. */
static bool modp_public_ok(const struct alg_desc *d, struct span y)
{
	static const uint8_t one[] = { 1 };
	uint8_t last[DH_MAX];		/* p - 1; p is odd */

	memcpy(last, d->prime, d->prime_n);
	last[d->prime_n - 1] &= 0xfe;
	return mpi_less(span_of(one, 1), y) && mpi_less(y, span_of(last, d->prime_n));
}

/* ---- ECP ---------------------------------------------------------------- */

struct curve {
	gcry_ctx_t ctx;
	gcry_mpi_t p, n;	/* the field's prime, the group's order */
};

static const char *curve_name(const struct alg_desc *d)
{
	switch (d->bits) {
	case 256:
		return "NIST P-256";
	case 384:
		return "NIST P-384";
	default:
		return "NIST P-521";
	}
}

static bool curve_open(struct curve *c, const struct alg_desc *d)
{
	if (gcry_mpi_ec_new(&c->ctx, NULL, curve_name(d)) != 0)
		return false;
	c->p = gcry_mpi_ec_get_mpi("p", c->ctx, 1);
	c->n = gcry_mpi_ec_get_mpi("n", c->ctx, 1);
	return true;
}

static void curve_close(struct curve *c)
{
	gcry_mpi_release(c->p);
	gcry_mpi_release(c->n);
	gcry_ctx_release(c->ctx);
}

static gcry_mpi_t mpi_in(struct span s)
{
	gcry_mpi_t a = NULL;

	return gcry_mpi_scan(&a, GCRYMPI_FMT_USG, s.p, s.n, NULL) == 0 ? a : NULL;
}

/* a in exactly n octets, which are enough. */
static bool mpi_out(gcry_mpi_t a, uint8_t *out, size_t n)
{
	size_t used = (gcry_mpi_get_nbits(a) + 7) / 8;

	if (used > n)
		return false;
	memset(out, 0, n - used);
	return used == 0 ||
	       gcry_mpi_print(GCRYMPI_FMT_USG, out + n - used, used, NULL, a) == 0;
}

/* The private value as a scalar: the random octets cut to the bits of the order, and
 * reduced in the rare case that they still exceed it.  NULL when that is zero. */
static gcry_mpi_t ecp_scalar(const struct curve *c, const struct alg_desc *d, struct span priv)
{
	uint8_t octets[DH_PRIVATE_MAX];
	gcry_mpi_t k;

	memcpy(octets, priv.p, priv.n);
	octets[0] &= (uint8_t)(0xff >> (priv.n * 8 - d->bits));
	k = mpi_in(span_of(octets, priv.n));
	wipe(octets, sizeof(octets));
	if (k == NULL)
		return NULL;
	if (gcry_mpi_cmp_ui(k, 0) == 0) {	/* which cannot take the flag below */
		gcry_mpi_release(k);
		return NULL;
	}
	/* The flag makes libgcrypt multiply without branching on bits, and wipe. */
	gcry_mpi_set_flag(k, GCRYMPI_FLAG_SECURE);
	if (gcry_mpi_cmp(k, c->n) >= 0)
		gcry_mpi_sub(k, k, c->n);
	if (gcry_mpi_cmp_ui(k, 0) == 0) {
		gcry_mpi_release(k);
		return NULL;
	}
	return k;
}

/* The point x | y (RFC 5903 7).  The point at infinity has no such form; NULL unless both
 * are reduced and satisfy the curve's equation (RFC 6989 2.3). */
static gcry_mpi_point_t ecp_point(const struct curve *c, struct span xy)
{
	gcry_mpi_t x = mpi_in(span_sub(xy, 0, xy.n / 2));
	gcry_mpi_t y = mpi_in(span_from(xy, xy.n / 2));
	gcry_mpi_point_t point = NULL;

	if (x != NULL && y != NULL && gcry_mpi_cmp(x, c->p) < 0 && gcry_mpi_cmp(y, c->p) < 0) {
		gcry_mpi_t one = gcry_mpi_set_ui(NULL, 1);

		point = gcry_mpi_point_set(NULL, x, y, one);
		gcry_mpi_release(one);
		if (!gcry_mpi_ec_curve_point(point, c->ctx)) {
			gcry_mpi_point_release(point);
			point = NULL;
		}
	}
	gcry_mpi_release(x);
	gcry_mpi_release(y);
	return point;
}

/* k * point into x and, unless NULL, y, half octets each. */
static bool ecp_multiply(const struct curve *c, gcry_mpi_t k, gcry_mpi_point_t point,
			 uint8_t *x_out, uint8_t *y_out, size_t half)
{
	gcry_mpi_point_t result = gcry_mpi_point_new(0);
	gcry_mpi_t x = gcry_mpi_snew(0), y = gcry_mpi_snew(0);
	bool ok;

	gcry_mpi_ec_mul(result, k, point, c->ctx);
	ok = gcry_mpi_ec_get_affine(x, y, result, c->ctx) == 0 && mpi_out(x, x_out, half) &&
	     (y_out == NULL || mpi_out(y, y_out, half));
	gcry_mpi_release(x);
	gcry_mpi_release(y);
	gcry_mpi_point_release(result);
	return ok;
}

/* peer empty: the public value into out; else the x coordinate of the shared point. */
static bool ecp(const struct alg_desc *d, struct span priv, struct span peer, uint8_t *out,
		const char **why)
{
	size_t half = d->shared;
	gcry_mpi_point_t point;
	struct curve c;
	gcry_mpi_t k;
	bool ok = false;

	*why = "libgcrypt does not have this curve";
	if (!curve_open(&c, d))
		return false;
	point = peer.n == 0 ? gcry_mpi_ec_get_point("g", c.ctx, 1) : ecp_point(&c, peer);
	k = ecp_scalar(&c, d, priv);
	if (point == NULL)
		*why = "the public value is not a point of the curve";
	else if (k == NULL)
		*why = "the private value is zero";
	else if (!ecp_multiply(&c, k, point, out, peer.n == 0 ? out + half : NULL, half))
		*why = "the shared point is at infinity";
	else
		ok = true;
	gcry_mpi_release(k);
	gcry_mpi_point_release(point);
	curve_close(&c);
	return ok;
}

/* ---- Curve25519 --------------------------------------------------------- */

/* RFC 7748 5; peer NULL = the base point. */
static bool montgomery(struct span priv, const uint8_t *peer, uint8_t *out)
{
	return gcry_ecc_mul_point(GCRY_ECC_CURVE25519, out, priv.p, peer) == 0;
}

/* ---- all groups --------------------------------------------------------- */

bool dh_public(enum alg group, struct span priv, uint8_t *pub)
{
	const struct alg_desc *d = group_desc(group);
	const char *why;

	if (priv.n != d->exponent)
		return false;
	switch (d->kind) {
	case ALG_KIND_MODP:
		return modp(d, priv, span_of(&d->generator, 1), pub);
	case ALG_KIND_ECP:
		return ecp(d, priv, span_of(NULL, 0), pub, &why);
	case ALG_KIND_MONTGOMERY:
		return montgomery(priv, NULL, pub);
	default:
		return false;
	}
}

static bool modp_shared(const struct alg_desc *d, struct span priv, struct span peer,
			uint8_t *shared, const char **why)
{
	*why = BEYOND;
	if (!modp_public_ok(d, peer))
		return false;
	*why = "the private value is zero";
	return modp(d, priv, peer, shared);
}

static bool montgomery_shared(const struct alg_desc *d, struct span priv, struct span peer,
			      uint8_t *shared, const char **why)
{
	static const uint8_t zero[32];

	/* RFC 8031 2, RFC 7748 6.1: a point of small order makes the secret known. */
	*why = "the shared secret is zero: the public value has a small order";
	return montgomery(priv, peer.p, shared) &&
	       !ct_equal(span_of(shared, d->shared), span_of(zero, d->shared));
}

bool dh_shared(enum alg group, struct span priv, struct span peer, uint8_t *shared, const char **why)
{
	const struct alg_desc *d = group_desc(group);

	*why = "this is not a Diffie-Hellman group";
	if (d->kind == ALG_KIND_NONE)
		return false;
	*why = "the public value does not have the length of the group";
	if (peer.n != d->public_)
		return false;
	*why = "the private value does not have the length of the group";
	if (priv.n != d->exponent)
		return false;
	switch (d->kind) {
	case ALG_KIND_MODP:
		return modp_shared(d, priv, peer, shared, why);
	case ALG_KIND_ECP:
		return ecp(d, priv, peer, shared, why);
	default:
		return montgomery_shared(d, priv, peer, shared, why);
	}
}
