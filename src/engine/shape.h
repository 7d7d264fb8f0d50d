/* shape.h -- are these the payloads that the message may have, and which is which? */
#ifndef PLUTO_ENGINE_SHAPE_H
#define PLUTO_ENGINE_SHAPE_H

#include "base/tables.h"
#include "generated/payloads.h"

/* Match the payloads of m against the shapes of d and name each one: payloads[i].slot becomes an
 * index into d->slots or SLOT_TOLERATED.  m comes from parse_chain().
 *
 * variants_allowed: mask of the variants that are still possible; shapes of other variants are not
 * tried.  0 = nothing is known, every shape is tried.
 *
 * true: *matched_variants is the part of variants_allowed that the message fits.
 *
 * false: f says which payload was not expected (reason shape_unexpected), that one is missing
 * (shape_missing) or which "where" does not hold (shape_where), and every slot is SLOT_NONE again.
 * After the first two expected holds what would have been accepted there, as in "KEi, Ni or NATD",
 * cut to cap octets with its NUL, and f->field is that text, so expected must live as long as f.
 * After shape_where it is empty.
 *
 * The order of payloads: RFC 2409 5, 5.5; an exchange has no other order than its shapes. */
bool shape_match(const struct message_desc *d, uint32_t variants_allowed, struct message *m,
		 uint32_t *matched_variants, struct fault *f, char *expected, size_t cap);

#endif
