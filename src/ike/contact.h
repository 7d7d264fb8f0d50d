/* contact.h -- INITIAL-CONTACT (RFC 2407 4.6.3.3): an end that has restarted says so, and the other one
 * forgets the SAs that the first one cannot know any more. */
#ifndef PLUTO_IKE_CONTACT_H
#define PLUTO_IKE_CONTACT_H

#include "ike/internal.h"

/* Fill *n and return 1 if p is our first SA with its peer, else 0: how many notifications to send. */
size_t contact_announce(struct arena *a, const struct phase1 *p, struct emit_N *n);

/* The peer of p, which has proved who it is, says in m (or in one notification) that it is new. */
bool contact_announced(const struct message *m);

/* Forget what this peer had with us before p began.  Its other identities and other peers are not touched. */
void contact_forget(struct phase1 *p);

#endif
