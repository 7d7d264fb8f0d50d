/* mpi.h -- the only door to GMP: modular exponentiation on octet strings.
 * Refuses zero, one and even moduli, operands out of range and sizes over 8192 bits.
 * Numbers are big-endian and may have leading zero octets. */
#ifndef PLUTO_CRYPTO_MPI_H
#define PLUTO_CRYPTO_MPI_H

#include "base/span.h"

#define MPI_MAX_BITS 8192

struct rsa_parts;		/* crypto/rsa.h */

/* Once, by crypto_start(): makes GMP wipe what it frees. */
void mpi_start(void);

/* base ^ exp mod modulus, big-endian, written with exactly n octets (the size of the modulus).
 * secret: in time that does not depend on the value of exp.  False for anything refused: base
 * not below the modulus, exp zero, n too small for the modulus. */
bool mpi_powm(struct span base, struct span exp, struct span modulus, bool secret, uint8_t *out,
	      size_t n);

/* a < b, as numbers; of public values. */
bool mpi_less(struct span a, struct span b);

/* The number without its leading zero octets, and its length in bits. */
struct span mpi_strip(struct span a);
size_t mpi_bits(struct span a);

/* What is wrong with the parts of a private RSA key, static text; NULL = they belong together.
 * Sizes are the caller's to check.  Takes milliseconds: p and q must look prime. */
const char *mpi_rsa_fault(const struct rsa_parts *k);

/* base ^ d mod n by the Chinese remainder theorem, in time that does not depend on the key's
 * value.  The parts have passed mpi_rsa_fault(). */
bool mpi_rsa_private(const struct rsa_parts *k, struct span base, uint8_t *out, size_t n);

#endif
