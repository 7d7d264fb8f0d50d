/* keys.h -- evaluates the key formulas of the spec over the values of an exchange. */
#ifndef PLUTO_ENGINE_KEYS_H
#define PLUTO_ENGINE_KEYS_H

#include "base/arena.h"
#include "engine/exchange.h"
#include "generated/keys.h"

/* Values that belong to one message, not to the exchange. */
struct key_context {
	struct arena *arena;
	struct span rest;	/* what follows the payload that carries the hash */
};

/* The value v of x: given, captured, of its phase 1, or computed by its formula (and then kept
 * in x unless it depends on the message).  n: octets of a prf_plus or stretch, else 0.
 * p == NULL when an input is missing. */
struct span keys_value(struct exchange *x, const struct key_context *c, uint16_t v, size_t n);

#endif
