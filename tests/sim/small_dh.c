/* small_dh.c -- Diffie-Hellman in a field of 61 bits: what a month of rekeying shows is no arithmetic.
 *
 * Stands between ike and the real one by the linker's --wrap, and only does anything when small_dh says so. */
#include <string.h>

#include "crypto/dh.h"
#include "trial.h"

#define PRIME ((1ull << 61) - 1)
#define GENERATOR 37

bool __real_dh_public(enum alg group, struct span priv, uint8_t *pub);
bool __real_dh_shared(enum alg group, struct span priv, struct span peer, uint8_t *shared, const char **why);
bool __wrap_dh_public(enum alg group, struct span priv, uint8_t *pub);
bool __wrap_dh_shared(enum alg group, struct span priv, struct span peer, uint8_t *shared, const char **why);

static uint64_t power(uint64_t base, uint64_t exponent)
{
	__extension__ typedef unsigned __int128 wide;
	uint64_t r = 1;

	for (base %= PRIME; exponent != 0; exponent >>= 1) {
		if ((exponent & 1) != 0)
			r = (uint64_t)((wide)r * base % PRIME);
		base = (uint64_t)((wide)base * base % PRIME);
	}
	return r;
}

/* A number in the last octets of a value of n. */
static void put(uint8_t *to, size_t n, uint64_t value)
{
	memset(to, 0, n);
	for (size_t i = 1; i <= 8; i++, value >>= 8)
		to[n - i] = (uint8_t)value;
}

static uint64_t get(struct span s)
{
	return get_u64(s.p + s.n - 8);
}

bool __wrap_dh_public(enum alg group, struct span priv, uint8_t *pub)
{
	if (!small_dh)
		return __real_dh_public(group, priv, pub);
	put(pub, dh_public_size(group), power(GENERATOR, get(priv)));
	return true;
}

bool __wrap_dh_shared(enum alg group, struct span priv, struct span peer, uint8_t *shared, const char **why)
{
	if (!small_dh)
		return __real_dh_shared(group, priv, peer, shared, why);
	if (peer.n != dh_public_size(group)) {
		*why = "it has the wrong size";
		return false;
	}
	put(shared, dh_shared_size(group), power(get(peer), get(priv)));
	return true;
}
