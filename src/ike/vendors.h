/* vendors.h -- the vendor IDs of the first messages of phase 1: what each end says that it can do. */
#ifndef PLUTO_IKE_VENDORS_H
#define PLUTO_IKE_VENDORS_H

#include "ike/internal.h"

/* Ours, for the first message that we send in this phase 1: as initiator all, as responder those that answer the
 * peer's (an answer is not longer than the question).  In the arena. */
const struct emit_VID *vendors_announce(struct action *a, size_t *n);

/* How long messages are sent, by the connection's wish and what is known of the peer. */
void vendors_agree(struct action *a);

/* The peer's, from its first message, which a->message is. */
void vendors_learn(struct action *a);

#endif
