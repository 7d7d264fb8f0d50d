/* updown.h -- the updown command of a connection: its arguments and its environment. */
#ifndef PLUTO_IKE_UPDOWN_H
#define PLUTO_IKE_UPDOWN_H

#include "ike/connection.h"

/* Run it for a verb ("prepare", "route", "unroute", "up", "down"); answered by the kernel with token. */
void updown_ask(struct ike *ike, const struct connection *c, const char *verb, uint32_t token);

/* It has answered at that verb (static text).  A failure stays in c->updown_failure, for whack --status, until the command
 * succeeds at the same verb or at "up"; that what failed could be undone is no success. */
void updown_answered(const struct ike *ike, struct connection *c, const char *verb, const struct kernel_result *r);

#endif
