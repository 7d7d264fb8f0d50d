/* fragment.h -- messages that travel in several datagrams (spec/fragments.spec). */
#ifndef PLUTO_ENGINE_FRAGMENT_H
#define PLUTO_ENGINE_FRAGMENT_H

#include "engine/internal.h"

/* The datagram of `in`, whose header is in e->message, is a fragment for the phase 1 root.  True: it completes a
 * message, which stands in in->datagram (in the arena) and e->message.header from here on.  Else *why it is
 * refused, or NULL: others are still to come. */
bool fragment_take(struct engine *e, struct exchange *root, struct incoming *in, const struct refusal **why);

/* Forget what has come for the phase 1 x. */
void fragments_free(struct exchange *x);

#endif
