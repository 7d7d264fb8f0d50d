/* mpi.c -- the only door to GMP.
 *
 * Work on secrets uses the mpn_sec_* functions with scratch of our own, so that every
 * limb can be wiped; mpz_powm_sec() is the same code with scratch that stays behind. */
#include "crypto/mpi.h"

#include <gmp.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "crypto/rsa.h"

#define MAX_OCTETS (MPI_MAX_BITS / 8)
#define LIMB sizeof(mp_limb_t)

/* ---- memory ------------------------------------------------------------- */

static void *gmp_alloc(size_t n)
{
	return xcalloc(1, n);
}

static void gmp_free(void *p, size_t n)
{
	wipe(p, n);
	free(p);
}

static void *gmp_realloc(void *p, size_t old, size_t new)
{
	void *to = xcalloc(1, new);

	memcpy(to, p, old < new ? old : new);
	gmp_free(p, old);
	return to;
}

void mpi_start(void)
{
	mp_set_memory_functions(gmp_alloc, gmp_realloc, gmp_free);
}

/* Limbs for one operation, wiped together. */
struct limbs {
	mp_limb_t *p;
	size_t n, used;
};

static struct limbs limbs_new(size_t n)
{
	return (struct limbs){ .p = xcalloc(n, LIMB), .n = n };
}

static mp_limb_t *limbs_take(struct limbs *l, size_t n)
{
	mp_limb_t *p = l->p + l->used;

	l->used += n;
	return p;
}

static void limbs_free(struct limbs *l)
{
	wipe(l->p, l->n * LIMB);
	free(l->p);
}

/* ---- octets and limbs --------------------------------------------------- */

static size_t limbs_of(size_t octets)
{
	return (octets + LIMB - 1) / LIMB;
}

/* The number s in n limbs, least first; s fits. */
static void load(mp_limb_t *l, size_t n, struct span s)
{
	memset(l, 0, n * LIMB);
	for (size_t i = 0; i < s.n; i++)
		l[i / LIMB] |= (mp_limb_t)s.p[s.n - 1 - i] << (i % LIMB * 8);
}

static mp_limb_t *take_number(struct limbs *l, size_t n, struct span s)
{
	mp_limb_t *p = limbs_take(l, n);

	load(p, n, s);
	return p;
}

static void store(uint8_t *out, size_t octets, const mp_limb_t *l, size_t n)
{
	for (size_t i = 0; i < octets; i++) {
		mp_limb_t limb = i / LIMB < n ? l[i / LIMB] : 0;

		out[octets - 1 - i] = (uint8_t)(limb >> (i % LIMB * 8));
	}
}

struct span mpi_strip(struct span a)
{
	while (a.n != 0 && a.p[0] == 0)
		a = span_from(a, 1);
	return a;
}

size_t mpi_bits(struct span a)
{
	size_t bits;

	a = mpi_strip(a);
	bits = a.n * 8;
	for (unsigned top = a.n == 0 ? 0x80 : a.p[0]; top < 0x80; top <<= 1)
		bits--;
	return bits;
}

bool mpi_less(struct span a, struct span b)
{
	a = mpi_strip(a);
	b = mpi_strip(b);
	if (a.n != b.n)
		return a.n < b.n;
	return a.n != 0 && memcmp(a.p, b.p, a.n) < 0;
}

/* Is any octet not zero?  In time that depends on the length alone. */
static bool is_nonzero(struct span a)
{
	uint8_t any = 0;

	for (size_t i = 0; i < a.n; i++)
		any |= a.p[i];
	return any != 0;
}

/* ---- exponentiation ----------------------------------------------------- */

/* out = base ^ exp mod m, all of n limbs but exp; m odd, its highest limb not zero.
 * The size of exp that GMP is told is that of its octets, whatever its value. */
static void powm_secret(mp_limb_t *out, const mp_limb_t *base, const mp_limb_t *exp,
			size_t exp_octets, const mp_limb_t *m, size_t n, mp_limb_t *scratch)
{
	mpn_sec_powm(out, base, (mp_size_t)n, exp, exp_octets * 8, m, (mp_size_t)n, scratch);
}

static size_t powm_itch(size_t n, size_t exp_octets)
{
	return (size_t)mpn_sec_powm_itch((mp_size_t)n, exp_octets * 8, (mp_size_t)n);
}

static void powm_public(mp_limb_t *out, const mp_limb_t *base, const mp_limb_t *exp,
			size_t exp_n, const mp_limb_t *m, size_t n)
{
	mpz_t b, e, mod, r;

	mpz_init(r);
	mpz_powm(r, mpz_roinit_n(b, base, (mp_size_t)n), mpz_roinit_n(e, exp, (mp_size_t)exp_n),
		 mpz_roinit_n(mod, m, (mp_size_t)n));
	memcpy(out, mpz_limbs_read(r), mpz_size(r) * LIMB);
	mpz_clear(r);
}

bool mpi_powm(struct span base, struct span exp, struct span modulus, bool secret, uint8_t *out,
	      size_t n)
{
	size_t mn, en;
	mp_limb_t *b, *e, *m, *r;
	struct limbs l;

	base = mpi_strip(base);
	modulus = mpi_strip(modulus);
	if (modulus.n == 0 || modulus.n > MAX_OCTETS || modulus.n > n || mpi_bits(modulus) < 2 ||
	    (modulus.p[modulus.n - 1] & 1) == 0 || !mpi_less(base, modulus) ||
	    exp.n > MAX_OCTETS || !is_nonzero(exp))
		return false;
	mn = limbs_of(modulus.n);
	en = limbs_of(exp.n);
	l = limbs_new(3 * mn + en + (secret ? powm_itch(mn, exp.n) : 0));
	b = take_number(&l, mn, base);
	m = take_number(&l, mn, modulus);
	e = take_number(&l, en, exp);
	r = limbs_take(&l, mn);
	if (secret)
		powm_secret(r, b, e, exp.n, m, mn, l.p + l.used);
	else
		powm_public(r, b, e, en, m, mn);
	store(out, n, r, mn);
	limbs_free(&l);
	return true;
}

/* ---- RSA ---------------------------------------------------------------- */

static size_t most(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* Scratch for everything that mpi_rsa_private() does. */
static size_t private_itch(size_t pn, size_t qn, const struct rsa_parts *k)
{
	size_t nn = pn + qn, big = most(pn, qn);
	size_t itch = most(powm_itch(pn, k->dp.n), powm_itch(qn, k->dq.n));

	itch = most(itch, (size_t)mpn_sec_div_r_itch((mp_size_t)nn, (mp_size_t)pn));
	itch = most(itch, (size_t)mpn_sec_div_r_itch((mp_size_t)nn, (mp_size_t)qn));
	itch = most(itch, (size_t)mpn_sec_div_r_itch((mp_size_t)(2 * pn), (mp_size_t)pn));
	return most(itch, (size_t)mpn_sec_mul_itch((mp_size_t)big, (mp_size_t)big));
}

/* c mod one prime, raised to that prime's exponent. */
static void private_half(mp_limb_t *out, struct limbs *l, const mp_limb_t *c, size_t nn,
			 const mp_limb_t *prime, size_t n, struct span exp, mp_limb_t *scratch)
{
	mp_limb_t *rest = limbs_take(l, nn);
	mp_limb_t *e = take_number(l, limbs_of(exp.n), exp);

	memcpy(rest, c, nn * LIMB);
	mpn_sec_div_r(rest, (mp_size_t)nn, prime, (mp_size_t)n, scratch);
	powm_secret(out, rest, e, exp.n, prime, n, scratch);
}

/* sum = h * q + m2, of pn + qn limbs: Garner's formula. */
static void private_join(mp_limb_t *sum, const mp_limb_t *h, size_t pn, const mp_limb_t *q,
			 size_t qn, const mp_limb_t *m2, mp_limb_t *scratch)
{
	mp_limb_t carry;

	if (pn >= qn)
		mpn_sec_mul(sum, h, (mp_size_t)pn, q, (mp_size_t)qn, scratch);
	else
		mpn_sec_mul(sum, q, (mp_size_t)qn, h, (mp_size_t)pn, scratch);
	carry = mpn_add_n(sum, sum, m2, (mp_size_t)qn);
	mpn_sec_add_1(sum + qn, sum + qn, (mp_size_t)pn, carry, scratch);
}

bool mpi_rsa_private(const struct rsa_parts *k, struct span base, uint8_t *out, size_t n)
{
	size_t pn = limbs_of(k->p.n), qn = limbs_of(k->q.n), nn = pn + qn, big = most(pn, qn);
	size_t itch = private_itch(pn, qn, k);
	mp_limb_t *p, *q, *qinv, *c, *m1, *m2, *h, *product, *scratch;
	mp_limb_t borrow;
	struct limbs l;

	base = mpi_strip(base);
	if (!mpi_less(base, k->n))
		return false;
	l = limbs_new(6 * nn + 8 * big + limbs_of(k->dp.n) + limbs_of(k->dq.n) + itch);
	p = take_number(&l, pn, k->p);
	q = take_number(&l, qn, k->q);
	qinv = take_number(&l, pn, k->qinv);
	c = take_number(&l, nn, base);
	scratch = limbs_take(&l, itch);
	m1 = limbs_take(&l, pn);
	m2 = limbs_take(&l, qn);
	private_half(m1, &l, c, nn, p, pn, k->dp, scratch);
	private_half(m2, &l, c, nn, q, qn, k->dq, scratch);
	/* h = (m1 - m2) * qinv mod p */
	h = limbs_take(&l, big);
	memcpy(h, m2, qn * LIMB);
	mpn_sec_div_r(h, (mp_size_t)big, p, (mp_size_t)pn, scratch);
	borrow = mpn_sub_n(h, m1, h, (mp_size_t)pn);
	mpn_cnd_add_n(borrow, h, h, p, (mp_size_t)pn);
	product = limbs_take(&l, 2 * pn);
	mpn_sec_mul(product, h, (mp_size_t)pn, qinv, (mp_size_t)pn, scratch);
	mpn_sec_div_r(product, (mp_size_t)(2 * pn), p, (mp_size_t)pn, scratch);
	/* c is no longer needed: the result takes its place */
	private_join(c, product, pn, q, qn, m2, scratch);
	store(out, n, c, nn);
	limbs_free(&l);
	return true;
}

static void import(mpz_t z, struct span s)
{
	mpz_init(z);
	mpz_import(z, s.n, 1, 1, 1, 0, s.p);
}

/* The checks of one prime: it looks prime, its exponent is d mod (prime - 1) and the inverse of e. */
static const char *prime_fault(const mpz_t prime, const mpz_t exp, const mpz_t d, const mpz_t e)
{
	const char *why = NULL;
	mpz_t less, t;

	mpz_init(less);
	mpz_init(t);
	mpz_sub_ui(less, prime, 1);
	mpz_mod(t, d, less);
	if (mpz_cmp(t, exp) != 0)
		why = "an exponent of a prime is not the private exponent modulo that prime less one";
	mpz_mul(t, exp, e);
	mpz_mod(t, t, less);
	if (why == NULL && mpz_cmp_ui(t, 1) != 0)
		why = "the private exponent is not the inverse of the public exponent";
	if (why == NULL && mpz_probab_prime_p(prime, 1) == 0)
		why = "a factor of the modulus is not prime";
	mpz_clear(less);
	mpz_clear(t);
	return why;
}

const char *mpi_rsa_fault(const struct rsa_parts *k)
{
	const char *why = NULL;
	mpz_t n, e, d, p, q, dp, dq, qinv, t;

	import(n, k->n);
	import(e, k->e);
	import(d, k->d);
	import(p, k->p);
	import(q, k->q);
	import(dp, k->dp);
	import(dq, k->dq);
	import(qinv, k->qinv);
	mpz_init(t);
	mpz_mul(t, p, q);
	if (mpz_cmp_ui(p, 3) < 0 || mpz_cmp_ui(q, 3) < 0 || mpz_cmp(p, q) == 0 || mpz_cmp(t, n) != 0)
		why = "the modulus is not the product of two different primes";
	if (why == NULL)
		why = prime_fault(p, dp, d, e);
	if (why == NULL)
		why = prime_fault(q, dq, d, e);
	mpz_mul(t, qinv, q);
	if (why == NULL && mpz_cmp(qinv, p) >= 0)
		why = "the coefficient is not below the first prime";
	if (why == NULL) {
		mpz_mod(t, t, p);
		if (mpz_cmp_ui(t, 1) != 0)
			why = "the coefficient is not the inverse of the second prime";
	}
	mpz_clears(n, e, d, p, q, dp, dq, qinv, t, NULL);
	return why;
}
