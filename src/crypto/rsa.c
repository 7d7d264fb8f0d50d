/* rsa.c -- RSA keys and the signatures of IKEv1 (RFC 2409, section 5.1). */
#include "crypto/rsa.h"

#include <stdlib.h>

#include "base/text.h"
#include "base/writer.h"
#include "base/xalloc.h"
#include "crypto/hash.h"
#include "crypto/mpi.h"

#define MIN_BITS LIMIT_RSA_BITS_MIN
#define WEAK_EXPONENT_BITS 17	/* 65537 has so many: FIPS 186-4 B.3.1 */
#define MAX_EXPONENT_BITS 256	/* FIPS 186-4 B.3.1; keeps verification cheap */
#define MIN_PADDING 8		/* octets of 0xff, RFC 8017 9.2 */

struct rsa_key {
	struct buf store;	/* every part, one after the other */
	struct rsa_parts parts;	/* views of it */
};

/* A private key whose modulus has passed: are its parts there, and do they fit? */
static const char *private_fault(const struct rsa_parts *k)
{
	const struct span parts[] = { k->d, k->p, k->q, k->dp, k->dq, k->qinv };

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (parts[i].n == 0)
			return "a private part is missing or zero";
		if (parts[i].n > k->n.n)
			return "a private part is longer than the modulus";
	}
	return mpi_rsa_fault(k);
}

static bool is_private(const struct rsa_parts *k)
{
	return k->d.n + k->p.n + k->q.n + k->dp.n + k->dq.n + k->qinv.n != 0;
}

static bool is_even(struct span a)
{
	return a.n == 0 || (a.p[a.n - 1] & 1) == 0;
}

/* What is wrong with a key whose numbers are without leading zeros; NULL = nothing. */
static const char *key_fault(const struct rsa_parts *k)
{
	if (mpi_bits(k->n) < MIN_BITS)
		return "the modulus has less than 1024 bits";
	if (mpi_bits(k->n) > MPI_MAX_BITS)
		return "the modulus has more than 8192 bits";
	if (is_even(k->n))
		return "the modulus is even";
	if (is_even(k->e))
		return "the public exponent is even";
	if (mpi_bits(k->e) < 2)
		return "the public exponent is under 3";
	if (mpi_bits(k->e) > MAX_EXPONENT_BITS)
		return "the public exponent has more than 256 bits";
	return is_private(k) ? private_fault(k) : NULL;
}

static struct span keep(struct writer *w, struct span s)
{
	struct span kept = span_of(w->p + w->n, s.n);

	put_bytes(w, s);
	return kept;
}

struct rsa_key *rsa_new(const struct rsa_parts *parts, const char **why)
{
	struct rsa_parts k = {
		.n = mpi_strip(parts->n), .e = mpi_strip(parts->e), .d = mpi_strip(parts->d),
		.p = mpi_strip(parts->p), .q = mpi_strip(parts->q), .dp = mpi_strip(parts->dp),
		.dq = mpi_strip(parts->dq), .qinv = mpi_strip(parts->qinv),
	};
	struct rsa_key *key;
	struct writer w;

	/* Private parts that are all zero are not a public key. */
	*why = is_private(parts) && !is_private(&k) ? "the private parts are zero" : key_fault(&k);
	if (*why != NULL)
		return NULL;
	key = NEW(struct rsa_key);
	key->store = buf_new(k.n.n + k.e.n + k.d.n + k.p.n + k.q.n + k.dp.n + k.dq.n + k.qinv.n);
	w = writer_on(key->store.p, key->store.n);
	key->parts = (struct rsa_parts){
		.n = keep(&w, k.n), .e = keep(&w, k.e), .d = keep(&w, k.d), .p = keep(&w, k.p),
		.q = keep(&w, k.q), .dp = keep(&w, k.dp), .dq = keep(&w, k.dq),
		.qinv = keep(&w, k.qinv),
	};
	return key;
}

struct rsa_key *rsa_from_dns(struct span s, const char **why)
{
	size_t head = 1, e_size;
	struct rsa_parts parts = { 0 };

	if (s.n == 0) {
		*why = "the key is empty";
		return NULL;
	}
	e_size = s.p[0];
	if (e_size == 0 && s.n >= 3) {
		head = 3;
		e_size = get_u16(s.p + 1);
	}
	if (e_size == 0 || e_size >= s.n - head) {
		*why = "the length of the exponent does not fit the key";
		return NULL;
	}
	parts.e = span_sub(s, head, e_size);
	parts.n = span_from(s, head + e_size);
	if (parts.e.p[0] == 0 || parts.n.p[0] == 0) {
		*why = "the exponent or modulus has leading zero octets";	/* RFC 3110 2 */
		return NULL;
	}
	return rsa_new(&parts, why);
}

struct buf rsa_to_dns(const struct rsa_key *k)
{
	struct buf b = buf_new(1 + k->parts.e.n + k->parts.n.n);
	struct writer w = writer_on(b.p, b.n);

	/* rsa_new() keeps exponents short enough for a length of one octet. */
	put_u8(&w, (uint8_t)k->parts.e.n);
	put_bytes(&w, k->parts.e);
	put_bytes(&w, k->parts.n);
	return b;
}

struct rsa_parts rsa_parts_of(const struct rsa_key *k)
{
	return k->parts;
}

void rsa_free(struct rsa_key *k)
{
	if (k == NULL)
		return;
	buf_free(&k->store);
	free(k);
}

size_t rsa_size(const struct rsa_key *k)
{
	return k->parts.n.n;
}

size_t rsa_bits(const struct rsa_key *k)
{
	return mpi_bits(k->parts.n);
}

bool rsa_same(const struct rsa_key *a, const struct rsa_key *b)
{
	return span_eq(a->parts.n, b->parts.n) && span_eq(a->parts.e, b->parts.e);
}

char *rsa_fingerprint(const struct rsa_key *k, char dst[RSA_FINGERPRINT_TEXT])
{
	struct text t = text_on(dst, RSA_FINGERPRINT_TEXT);
	struct buf dns = rsa_to_dns(k);
	struct span in = span_buf(dns);
	uint8_t hash[HASH_MAX];

	hash_spans(ALG_SHA2_256, &in, 1, hash);
	text_hex(&t, span_of(hash, LIMIT_FINGERPRINT_OCTETS));
	buf_free(&dns);
	return dst;
}

const char *rsa_weakness(const struct rsa_key *k)
{
	if (rsa_bits(k) < LIMIT_RSA_BITS_WEAK)
		return "it has less than 2048 bits";
	if (mpi_bits(k->parts.e) < WEAK_EXPONENT_BITS)
		return "its public exponent is under 65537";
	return NULL;
}

/* 00 01 ff..ff 00 data, as long as the modulus; false when data is empty or does not fit. */
static bool padded(const struct rsa_key *k, struct span data, uint8_t block[RSA_MAX])
{
	struct writer w = writer_on(block, rsa_size(k));

	if (data.n == 0 || data.n > rsa_size(k) - MIN_PADDING - 3)
		return false;
	put_u16(&w, 0x0001);
	memset(block + w.n, 0xff, rsa_size(k) - data.n - 3);
	w.n = rsa_size(k) - data.n - 1;
	put_u8(&w, 0x00);
	put_bytes(&w, data);
	return true;
}

bool rsa_sign(const struct rsa_key *k, struct span data, uint8_t *sig)
{
	uint8_t block[RSA_MAX];
	bool ok;

	ok = is_private(&k->parts) && padded(k, data, block) &&
	     mpi_rsa_private(&k->parts, span_of(block, rsa_size(k)), sig, rsa_size(k));
	/* A fault in one half of the CRT would give the factors away: check before telling. */
	if (ok && !rsa_verify(k, data, span_of(sig, rsa_size(k)))) {
		wipe(sig, rsa_size(k));
		ok = false;
	}
	return ok;
}

bool rsa_verify(const struct rsa_key *k, struct span data, struct span sig)
{
	uint8_t want[RSA_MAX], got[RSA_MAX];
	size_t n = rsa_size(k);

	return sig.n == n && padded(k, data, want) &&
	       mpi_powm(sig, k->parts.e, k->parts.n, false, got, n) &&
	       ct_equal(span_of(want, n), span_of(got, n));
}
