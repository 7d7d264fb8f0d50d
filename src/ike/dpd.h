/* dpd.h -- dead peer detection (RFC 3706): asking a silent peer, answering, giving up on a dead one. */
#ifndef PLUTO_IKE_DPD_H
#define PLUTO_IKE_DPD_H

#include "ike/internal.h"

/* The vendor ID that tells that we answer.  In the arena. */
const struct emit_VID *dpd_vendor(struct arena *a);

/* The first messages of a phase 1: does the peer answer, too? */
void dpd_learn(struct phase1 *p, const struct message *m);

/* p is established: watch its peer if the connection asks for it and the peer can be asked. */
void dpd_watch(struct phase1 *p);
void dpd_stop(struct phase1 *p);

/* An authentic notification; true if it was one of dead peer detection and is dealt with. */
bool dpd_notified(struct phase1 *p, const struct payload_N *n);

#endif
