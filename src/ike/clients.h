/* clients.h -- whose traffic a Quick Mode is about, and which connection that is (RFC 2409 5.5, RFC 2407 4.6.2). */
#ifndef PLUTO_IKE_CLIENTS_H
#define PLUTO_IKE_CLIENTS_H

#include "engine/action.h"
#include "ike/phase2.h"

/* From the peer's identity payload and the one that is ours; without them, the hosts.  False: they name no plain
 * address or subnet. */
bool clients_read(const struct exchange *x, const struct payload_ID *theirs, const struct payload_ID *ours,
		  struct clients *out);

/* Those of c. */
struct clients clients_of(const struct connection *c);

/* Are they exactly those of c, for the p that negotiates it?  IKEv1 has no narrowing; only an instance takes the port that
 * its template leaves open.  Behind a NAT a host in transport
 * mode has another name for itself. */
bool clients_served(const struct phase2 *p, const struct connection *c, const struct clients *k);

/* The connection between the hosts of p, for the peer's proven identity, with these clients; maybe a new instance.
 * NULL = none. */
struct connection *clients_find(struct phase2 *p, const struct clients *k);

/* The refusals: both sides next to each other, and what differs.  Of all that the peer may use the nearest is told. */
const struct refusal *clients_unknown(struct arena *a, const struct phase2 *p, const struct clients *k);
const struct refusal *clients_changed(struct arena *a, const struct connection *c, const struct clients *k);

#endif
