/* natt.h -- NAT traversal (RFC 3947): agreeing on it, finding NATs, following a peer whose NAT gives it another port,
 * and keeping our own NAT awake. */
#ifndef PLUTO_IKE_NATT_H
#define PLUTO_IKE_NATT_H

#include "ike/internal.h"

#define NATT_VENDORS 4		/* vendor IDs that we send at most */

/* The vendor IDs for the first message that p sends: as initiator all that we know, as responder the one
 * that was agreed on.  Into v, which has room for NATT_VENDORS; how many. */
size_t natt_vendors(const struct phase1 *p, struct emit_VID *v);

/* A first message of the peer says that it knows NAT traversal, and c does, too: it may be behind a NAT. */
bool natt_possible(const struct phase1 *p, const struct connection *c, const struct message *m);

/* A first message of the peer: the best method that both know is agreed on. */
void natt_learn(struct phase1 *p, const struct message *m);

/* The NAT-D payloads for our next message: the peer's address, then ours (RFC 3947 3.2).  In the arena; *n is 0
 * when NAT traversal was not agreed on.  Both cookies and the hash must be known. */
const struct emit_NATD *natt_discover(struct action *a, size_t *n);

/* Those of the peer: who is behind a NAT?  Says so in the log. */
void natt_compare(struct action *a, const struct payload_NATD *const *theirs, size_t n);

/* The initiator has compared: where there is a NAT it goes on from port to port of NAT traversal (RFC 3947 4). */
void natt_float(struct action *a);

/* Is there a NAT on the path of p, or is one to be believed in, so that what we offer under p goes in UDP? */
bool natt_encapsulates(const struct phase1 *p);

/* May the peer have it so, although we know of no NAT?  Its message that told us is not authentic everywhere. */
bool natt_could_encapsulate(const struct phase1 *p);

/* Is that encapsulation_mode one in UDP? */
bool natt_in_udp(uint16_t mode);

/* An encapsulation_mode by the number that the method of p has for it. */
uint16_t natt_mode(const struct phase1 *p, bool tunnel, bool in_udp);

/* May ESP, or AH, of c be negotiated under p?  NULL, or why not. */
const struct refusal *natt_obstacle(const struct phase1 *p, const struct connection *c);

/* The peer of p has proved to be id, or (in Aggressive Mode) is about to, and c was made for it: behind a NAT an instance
 * of a template without --id takes the address that the peer has for itself as its identity. */
void natt_name(const struct phase1 *p, struct connection *c, const struct identity *id);

/* Who has been compared calls itself by the address that it comes from, or there is a NAT that explains another one, or its
 * connection names its identity. */
bool natt_explains(const struct phase1 *p);

/* May the peer of p have that address, which only it knows, for its client?  c is an instance that nothing uses yet and
 * describes no client of the peer; it has the address then. */
bool natt_take_inside(const struct phase1 *p, struct connection *c, const struct subnet *client);

/* Why not, where the address is one of ours or of another peer; NULL: that is not it.  In the arena. */
const struct refusal *natt_taken(struct arena *a, const struct phase1 *p, const struct connection *c,
				 const struct subnet *client);

/* Both c and other, which has SAs, are in the way of each other: because their peers are behind one NAT, which transport
 * mode cannot tell apart?  Says so; NULL: that is not it.  In the arena. */
const struct refusal *natt_shared(struct arena *a, const struct connection *c, const struct connection *other);

/* ESP under p goes without UDP although there are signs of a NAT: which, and why it does; NULL: not so.  In the arena. */
const struct refusal *natt_unserved(struct arena *a, const struct phase1 *p);

/* p is established: the operator is warned of that. */
void natt_warn(const struct phase1 *p);

/* NAT-OA payloads for transport mode (RFC 3947 5.2); *n is 0 where none are due.  In the arena. */
const struct emit_NATOA *natt_originals(struct action *a, const struct phase1 *p, uint16_t mode, size_t *n);

/* From and to where a new phase 1 of c begins: on the path of an SA that crosses a NAT already, else as
 * described. */
void natt_path(struct ike *ike, const struct connection *c, struct endpoint *local, struct endpoint *remote);

/* p is established: whom we follow from now on, and keepalives. */
void natt_watch(struct phase1 *p);
void natt_stop(struct phase1 *p);

/* Something was sent under x. */
void natt_spoke(const struct exchange *x);

/* The engine has followed the peer of p, which was at `before`: whatever else we have with it follows. */
void natt_relocated(struct phase1 *p, const struct endpoint *before);

/* The kernel says that authentic ESP of an inbound SA came from elsewhere. */
void natt_mapping(struct ike *ike, const struct sa_id *id, const struct endpoint *from);

/* An established ISAKMP SA at that address of ours whose peer is behind a NAT, although its connection has an address for
 * it; the newest of a few, NULL = none. */
const struct phase1 *natt_fixed_peer(const struct ike *ike, const struct ip_addr *local);

/* "RFC 3947", or the draft. */
const char *natt_method(const struct phase1 *p);

/* "the peer is behind a NAT" and the like. */
const char *natt_situation(const struct phase1 *p);

#endif
