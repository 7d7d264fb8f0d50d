/* hosts.h -- the connections between two addresses, found by what a peer names: its identity, its clients.
 *
 * Nobody walks over all connections of a pair for a message: a gateway may have thousands for the same peer, or
 * for Road Warriors. */
#ifndef PLUTO_IKE_HOSTS_H
#define PLUTO_IKE_HOSTS_H

#include "ike/connection.h"

/* The connections between our address and the peer's; NULL when there are none. */
struct host_pair *host_pair_find(struct ike *ike, const struct ip_addr *us, const struct ip_addr *peer);

/* c is oriented and its peer known, or the wildcard: it can be found by the pair of addresses. */
void connection_enter_pair(struct ike *ike, struct connection *c);
void connection_leave_pair(struct ike *ike, struct connection *c);

/* c is found by another identity of its peer, by another address that the peer has for its client (NULL: none), or in
 * another pair, as its peer has moved; the pair that it leaves is not freed. */
void hosts_rename(struct ike *ike, struct connection *c, const struct identity *id);
void hosts_inside(struct ike *ike, struct connection *c, const struct ip_addr *inside);
void hosts_move(struct ike *ike, struct connection *c, const struct ip_addr *to);

/* The address of a gateway's lease becomes the client of our end of c, by which it is found then. */
void hosts_lease(struct ike *ike, struct connection *c, struct lease *l);

/* Frees the pair when nothing is left in it. */
void host_pair_release(struct ike *ike, struct host_pair *p);

/* Those whose peer has been given this identity; NULL: those that take the address of the peer for it.  The newest
 * first, further ones by hosts_next_peer.  Two identities may share a place: the caller compares. */
struct connection *hosts_first_peer(struct ike *ike, const struct host_pair *p, const struct identity *id);
struct connection *hosts_next_peer(const struct connection *c);

/* The same by clients; theirs is NULL for a peer without a client, whose address was not known when it was described. */
struct connection *hosts_first_clients(struct ike *ike, const struct host_pair *p, const struct subnet *ours,
				      const struct subnet *theirs);
struct connection *hosts_next_clients(const struct connection *c);

#endif
