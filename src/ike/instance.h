/* instance.h -- Road Warriors: temporary connections for peers whose address was not known.
 *
 * A connection whose peer has no address is a template.  When a peer begins, an instance is made of
 * it: a copy with the peer's address, named "template[3]".  It lives as long as something uses it. */
#ifndef PLUTO_IKE_INSTANCE_H
#define PLUTO_IKE_INSTANCE_H

#include "ike/connection.h"

/* Does c wait for peers from anywhere? */
bool connection_is_template(const struct connection *c);

/* An instance of the template for a peer at that address.  Its identity, if the template names none, is
 * that address; its nexthop, if the template's is the wildcard, too. */
struct connection *instance_new(struct ike *ike, struct connection *template, const struct ip_addr *peer);

/* May a peer at that address with that identity be the peer of c, or of an instance of the template c?  peer NULL:
 * a NAT hides its address. */
bool connection_admits(const struct connection *c, const struct identity *id, const struct ip_addr *peer);

/* If c is an instance that nothing uses any more, it goes: unrouted, forgotten. */
void instance_release(struct ike *ike, struct connection *c);

/* All instances of a template end. */
void instances_end(struct ike *ike, struct connection *template);

/* The templates that wait for peers at our address; NULL = none. */
struct host_pair *templates_at(struct ike *ike, const struct ip_addr *us);

#endif
