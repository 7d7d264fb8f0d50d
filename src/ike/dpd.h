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

/* When the peer of c gave signs of life, and when it was asked for one that has not come yet; ms, 0 = never. */
struct signs_of_life {
	uint64_t ike;		/* an authentic message under an ISAKMP SA */
	uint64_t traffic;	/* a packet through an IPsec SA, as far as it was looked for */
	uint64_t asked;
};
struct signs_of_life dpd_signs(const struct connection *c);

/* Was it traffic that came last?  Of that the kernel tells the second only: within the same one it was. */
static inline bool dpd_signs_by_traffic(const struct signs_of_life *s)
{
	return s->traffic != 0 && s->traffic / 1000 >= s->ike / 1000;
}

/* An authentic notification; true if it was one of dead peer detection and is dealt with. */
bool dpd_notified(struct phase1 *p, const struct payload_N *n);

#endif
