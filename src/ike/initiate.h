/* initiate.h -- what whack asks of a connection: initiate, terminate; and what is said at the end. */
#ifndef PLUTO_IKE_INITIATE_H
#define PLUTO_IKE_INITIATE_H

#include "engine/exchange.h"
#include "ike/connection.h"

/* Negotiate c.  whack is told how it goes and is finished at the end, unless it is NO_WHACK. */
void connection_initiate(struct ike *ike, struct connection *c, uint32_t whack, uint32_t try);

/* Is an IPsec SA for c being negotiated, by either end, or waited for?  Of a connection without IPsec: an ISAKMP SA. */
bool connection_negotiating(const struct connection *c);

/* Delete the SAs of n connections and their negotiations; tell the peers. */
void connections_terminate(struct ike *ike, struct connection *const *c, size_t n);

/* Delete the IPsec SAs of c and the negotiations for them; tell the peer. */
void connection_drop_sas(struct ike *ike, struct connection *c);

/* The last line for a whack whose negotiation failed. */
void initiate_failed(struct ike *ike, struct connection *c, uint32_t whack, uint16_t status);

/* The same with a reason of its own. */
void initiate_refused(struct ike *ike, struct connection *c, uint32_t whack, const struct refusal *why);

/* The status that an end stands for. */
uint16_t end_status(enum end_reason why);

/* " of at most 3", or ", unlimited". */
const char *keying_limit(struct ike *ike, const struct connection *c);

#endif
