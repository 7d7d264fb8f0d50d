/* rsa.h -- RSA keys and the signatures of IKEv1: type-1 padding around a bare hash. */
#ifndef PLUTO_CRYPTO_RSA_H
#define PLUTO_CRYPTO_RSA_H

#include "base/span.h"

#define RSA_MAX 1024		/* octets of the longest modulus */

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

void rsa_free(struct rsa_key *k);
size_t rsa_size(const struct rsa_key *k);	/* octets of the modulus, and of a signature */

/* Signature over data (a bare hash), rsa_size octets.  In time that does not depend on the key's
 * value.  False for a public key, and for data that is empty or over rsa_size - 11 octets. */
bool rsa_sign(const struct rsa_key *k, struct span data, uint8_t *sig);

/* The expected block is built and compared whole, in constant time. */
bool rsa_verify(const struct rsa_key *k, struct span data, struct span sig);

#endif
