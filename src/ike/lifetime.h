/* lifetime.h -- when an SA is to be replaced (the manual, "Rekeying"). */
#ifndef PLUTO_IKE_LIFETIME_H
#define PLUTO_IKE_LIFETIME_H

#include "ike/connection.h"

/* Seconds from now until the replacement of an SA that lives `life` seconds begins.  The initiator
 * starts margin plus a random part of up to fuzz per cent of it before the end, the responder at half
 * the margin.  A life shorter than that is halved instead. */
uint64_t life_until_rekey(struct ike *ike, const struct policy *policy, enum role role, uint64_t life);

#endif
