/* values.h -- the named values of an exchange: nonces, identities, keys.  Small, wiped when freed. */
#ifndef PLUTO_ENGINE_VALUES_H
#define PLUTO_ENGINE_VALUES_H

#include "base/span.h"

struct value;			/* one node, owned by its list */

struct values {
	struct value *head;
	bool tentative;		/* what is set now may be undone */
};

/* A copy of s under the name id (enum key_value); replaces an older one. */
void values_set(struct values *vs, uint16_t id, struct span s);

/* The value, or a span with p == NULL.  Borrowed until it is replaced. */
struct span values_get(const struct values *vs, uint16_t id);

/* What is set from here on stands before what was there, until it is kept (and replaces it) or undone. */
void values_try(struct values *vs);
void values_keep(struct values *vs);
void values_undo(struct values *vs);

/* Keep only the values that the spec marks `retain`. */
void values_retain(struct values *vs);

void values_free(struct values *vs);

#endif
