/* weak.h -- what is only for peers that know no better. */
#ifndef PLUTO_IKE_WEAK_H
#define PLUTO_IKE_WEAK_H

#include "ike/proposal.h"

struct phase1;

/* The weak algorithms of what was chosen, "3des_cbc, modp1024", or of what connection c may negotiate; NULL when
 * there are none.  In the arena.  What counts as weak is in spec/policy.spec. */
const char *choice_weakness(struct arena *a, const struct choice *c);
const char *connection_weakness(struct arena *a, const struct connection *c);

/* In words, when c may tell everybody what a dictionary attack on its preshared secret needs; else NULL. */
const char *connection_exposure(const struct connection *c);

/* The same and the weak algorithms of an ISAKMP SA. */
const char *phase1_weakness(struct arena *a, const struct phase1 *p);

/* Two of these as one; each may be NULL. */
const char *weakness_join(struct arena *a, const char *one, const char *other);

#endif
