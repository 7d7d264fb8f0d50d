/* dh.h -- Diffie-Hellman: MODP through GMP, ECP and Curve25519 through libgcrypt.
 * All functions may run in a worker thread. */
#ifndef PLUTO_CRYPTO_DH_H
#define PLUTO_CRYPTO_DH_H

#include "base/span.h"
#include "generated/algorithms.h"

#define DH_MAX 1024		/* octets of the longest public value and shared secret */
#define DH_PRIVATE_MAX 80	/* octets of the longest private exponent */

size_t dh_public_size(enum alg group);		/* on the wire; 0 when alg is no group */
size_t dh_shared_size(enum alg group);
size_t dh_private_size(enum alg group);		/* random octets that make a private value */

/* The public value for the private one; priv has dh_private_size octets of randomness.
 * Writes dh_public_size octets.  False for a wrong size or (never from a working generator) zero. */
bool dh_public(enum alg group, struct span priv, uint8_t *pub);

/* The shared secret (g_xy of RFC 2409), dh_shared_size octets.  False, with *why, for a peer's
 * value of the wrong size, 0, 1, p-1 or above, not on the curve, or a zero result
 * (RFC 2412, RFC 6989).  RFC 5903 8: the result for ECP is the x coordinate. */
bool dh_shared(enum alg group, struct span priv, struct span peer, uint8_t *shared, const char **why);

#endif
