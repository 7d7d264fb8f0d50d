/* rsa.h -- RSA keys and the signatures of IKEv1: type-1 padding around a bare hash. */
#ifndef PLUTO_CRYPTO_RSA_H
#define PLUTO_CRYPTO_RSA_H

#include "base/span.h"
#include "generated/limits.h"

#define RSA_MAX 1024		/* octets of the longest modulus */
#define RSA_FINGERPRINT_TEXT (2 * LIMIT_FINGERPRINT_OCTETS + 1)

struct rsa_key;			/* public, or with its private parts */

struct rsa_parts {		/* big-endian; the private ones empty for a public key */
	struct span n, e, d, p, q, dp, dq, qinv;
};

/* A key from its parts; refused with *why: n even, under 1024 or over 8192 bits, e even, under 3
 * or over 256 bits, parts that do not belong together.  The parts are copied. */
struct rsa_key *rsa_new(const struct rsa_parts *parts, const char **why);

/* A public key in the form of RFC 2537 / RFC 3110; refused as by rsa_new(), and with leading zero
 * octets, so that a key has one form.  rsa_to_dns: the caller frees. */
struct rsa_key *rsa_from_dns(struct span s, const char **why);
struct buf rsa_to_dns(const struct rsa_key *k);

/* A new key pair with the exponent 65537; bits: 1024 to 8192, a multiple of 16.  Takes seconds.
 * NULL with *why when that is impossible. */
struct rsa_key *rsa_make(size_t bits, const char **why);

/* All parts, as views of the key, for who writes it down; the private ones empty for a public key. */
struct rsa_parts rsa_parts_of(const struct rsa_key *k);

void rsa_free(struct rsa_key *k);
size_t rsa_size(const struct rsa_key *k);	/* octets of the modulus, and of a signature */
size_t rsa_bits(const struct rsa_key *k);	/* of the modulus */

/* The same public key? */
bool rsa_same(const struct rsa_key *a, const struct rsa_key *b);

/* What people compare: hexadecimal digits of a hash of the public key.  Returns dst. */
char *rsa_fingerprint(const struct rsa_key *k, char dst[RSA_FINGERPRINT_TEXT]);

/* Why the key should not be used any more although it may be, static text; NULL = it is fine. */
const char *rsa_weakness(const struct rsa_key *k);

/* Signature over data (a bare hash), rsa_size octets.  In time that does not depend on the key's
 * value.  False for a public key, and for data that is empty or over rsa_size - 11 octets. */
bool rsa_sign(const struct rsa_key *k, struct span data, uint8_t *sig);

/* The expected block is built and compared whole, in constant time. */
bool rsa_verify(const struct rsa_key *k, struct span data, struct span sig);

#endif
