/* split.h -- the networks behind a gateway that it names itself (Unity's split-include). */
#ifndef PLUTO_IKE_SPLIT_H
#define PLUTO_IKE_SPLIT_H

#include "ike/internal.h"

/* p has all that has to come before phase 2.  If its connection is for the networks that the gateway names (--split), each of
 * them that is within what the connection is described for becomes a pair of clients of its own, in place of those that
 * were before; what waited for them waits for the new ones.  p may serve another connection of the family then.  NULL, or why
 * nothing can be negotiated; in the arena. */
const struct refusal *split_networks(struct phase1 *p);

/* The subnets of the lease of p that its connection is not for, with commas between them; in the arena. */
const char *split_outside(struct arena *a, const struct phase1 *p);

#endif
