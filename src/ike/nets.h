/* nets.h -- whose an address is, by what is described: the hosts and the clients of all connections.
 *
 * Found by one look-up for each length of prefix that is in use, however many connections there are. */
#ifndef PLUTO_IKE_NETS_H
#define PLUTO_IKE_NETS_H

#include "base/addr.h"

struct connection;
struct nets;

struct nets *nets_new(void);
void nets_free(struct nets *n);

/* c, which is no instance, is described, or its ends are others than when it was entered. A client that is everything
 * (0.0.0.0/0) and an end that is %any are nobody's. */
void nets_enter(struct nets *n, struct connection *c);

/* c is in the database no more; nothing happens if it was not entered. */
void nets_leave(struct nets *n, struct connection *c);

/* The host or client of a connection that is entered which has the address; NULL = none. */
const struct subnet *nets_find(const struct nets *n, const struct ip_addr *a);

#endif
