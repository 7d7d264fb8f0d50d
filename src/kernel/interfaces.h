/* interfaces.h -- which interfaces pluto may listen on. */
#ifndef PLUTO_KERNEL_INTERFACES_H
#define PLUTO_KERNEL_INTERFACES_H

#include "ike/kernel.h"

/* The addresses of all interfaces that are up, loopback included, one entry for each address, in the order
 * of the system.  An interface ipsec0 .. ipsec9 is no entry: the real interface with the same
 * address gets its name as virtual_.  The caller frees *out; returns how many.  0 and *why (static)
 * when the system does not tell. */
size_t interfaces_list(struct kernel_interface **out, const char **why);

/* Is that the name of a KLIPS virtual interface: "ipsec" and one digit? */
bool interface_is_virtual(const char *name);

/* The addresses of the interface `name` that pluto could listen on, at most max, in the order of the system; how many. */
size_t interface_addresses(const char *name, struct ip_addr *out, size_t max);

#endif
