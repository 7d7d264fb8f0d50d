/* lifetime.h -- how long SAs live, and when they are replaced (the manual, "Rekeying"; RFC 2407 4.5, 4.6.3.1).
 *
 * Each end has its own limits; the peer's proposal can only make them narrower.  What a peer does not state, or
 * states as 0, is no limit of the peer's. */
#ifndef PLUTO_IKE_LIFETIME_H
#define PLUTO_IKE_LIFETIME_H

#include "ike/connection.h"
#include "ike/proposal.h"

/* Seconds from now until the replacement of an SA that lives `life` seconds begins.  The initiator
 * starts margin plus a random part of up to fuzz per cent of it before the end, the responder at half
 * the margin.  A life shorter than that is halved instead. */
uint64_t life_until_rekey(struct ike *ike, const struct policy *policy, enum role role, uint64_t life);

/* The narrower of two limits; 0 is none. */
uint64_t life_least(uint64_t a, uint64_t b);

/* What both ends are for: of the peer's limits, as it stated them, and those of c. */
struct life life_agreed(const struct connection *c, const struct choice *chosen);

/* The limits in a list of attributes that has been checked, of a protocol_id. */
struct life life_read(uint8_t protocol, struct span attributes);

/* Does an attribute of that type, of a protocol_id, say how long or how much? */
bool life_is_duration(uint8_t protocol, uint16_t type);

/* The seconds that a peer told, but not so few that SAs would be replaced without pause; ours may be as few (0: none are
 * stated). */
uint64_t life_not_tiny(uint64_t told, uint64_t ours);

/* For people, in the arena. */
const char *life_text(struct arena *a, const struct life *life);

/* Responder: the notification of our limits where they are narrower than what the peer proposed, one for each
 * protocol of n; how many.  spi: of each, as the notification names the SA.  In the arena. */
size_t life_notify(struct arena *a, const struct connection *c, const struct choice *chosen, const struct span *spi,
		   struct emit_N *n);

/* The limits that an authentic RESPONDER-LIFETIME states; false when it is none, or cannot be read. */
bool life_notified(const struct payload_N *n, struct life *out);

#endif
