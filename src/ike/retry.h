/* retry.h -- a negotiation that the peer has refused is tried again after a pause: nothing is gained by haste. */
#ifndef PLUTO_IKE_RETRY_H
#define PLUTO_IKE_RETRY_H

#include "ike/connection.h"

/* Initiate c for the try-th time, when its pause is over; whack goes on waiting. */
void retry_later(struct ike *ike, struct connection *c, uint32_t whack, uint32_t try);

/* No more attempts for c: each whack is told that it was ended. */
void retries_end(struct ike *ike, struct connection *c);

#endif
