/* clients.h -- what an end protects, from --client, --clientproto and --clientport. */
#ifndef PLUTO_WHACK_CLIENTS_H
#define PLUTO_WHACK_CLIENTS_H

#include "base/options.h"
#include "generated/control_protocol.h"

#define CLIENTS_MAX 256		/* of one end, in a request; pluto takes fewer */

struct clients_room {		/* where what is beyond the first client stands */
	struct control_selector at[CLIENTS_MAX];
};

/* Fills client, protocol, port and further of e.  False with one line in why. */
bool clients_read(const struct options *o, enum option_end side, struct control_end *e, struct clients_room *room,
		  struct text *why);

#endif
