/* defaultroute.h -- from which address of this host the default route leaves. */
#ifndef PLUTO_DAEMON_DEFAULTROUTE_H
#define PLUTO_DAEMON_DEFAULTROUTE_H

#include "base/addr.h"

/* The default route of IPv4 (4 octets) or IPv6 (16) in the main table, the best one by its metric: the address that the
 * kernel gives to packets that take it.  False when there is no such route, or the kernel does not tell. */
bool defaultroute_address(unsigned octets, struct ip_addr *out);

#endif
