/* describe.h -- connections by what was described. */
#ifndef PLUTO_IKE_DESCRIBE_H
#define PLUTO_IKE_DESCRIBE_H

#include "ike/internal.h"

/* One more connection of the family of `like`, described as that was but for the client of the peer's end.  In the database;
 * NULL, and why (in the arena). */
struct connection *describe_further(struct ike *ike, const struct connection *like, const struct subnet *net,
				    const struct refusal **why);

#endif
