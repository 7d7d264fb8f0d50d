/* weak.h -- which algorithms are only for peers that know no better. */
#ifndef PLUTO_IKE_WEAK_H
#define PLUTO_IKE_WEAK_H

#include "ike/proposal.h"

/* The weak algorithms of what was chosen, "3des_cbc, modp1024", or of what connection c may negotiate; NULL when
 * there are none.  In the arena.  What counts as weak is in spec/policy.spec. */
const char *choice_weakness(struct arena *a, const struct choice *c);
const char *connection_weakness(struct arena *a, const struct connection *c);

#endif
