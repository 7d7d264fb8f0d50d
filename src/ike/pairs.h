/* pairs.h -- which traffic of the two ends belongs together: each pair is negotiated on its own. */
#ifndef PLUTO_IKE_PAIRS_H
#define PLUTO_IKE_PAIRS_H

#include "base/arena.h"
#include "base/tables.h"
#include "generated/control_protocol.h"

struct refusal;

struct client_pair {
	unsigned number[2];	/* left and right, counted from 1 as described */
	struct control_selector end[2];	/* of the same protocol */
};

/* Pairs what the ends of m protect, in the order described, into an array in the arena: what is of one family, and what
 * names no protocol with every one.  NULL, or why the description contradicts itself. */
const struct refusal *pairs_find(struct arena *a, const struct control_connection *m, struct client_pair **out,
				 size_t *n);

/* Has what is carried by that protocol of IP ports? */
bool pairs_has_ports(uint8_t protocol);

/* "10.0.1.0/24 tcp:80", for people; without a client the host is named.  In the arena. */
const char *selector_text(struct arena *a, const struct subnet *client, uint8_t protocol, uint16_t port);

#endif
