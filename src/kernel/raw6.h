/* raw6.h -- packets of IPv6 as a raw socket gives them: without the headers, which are told beside (RFC 3542). */
#ifndef PLUTO_KERNEL_RAW6_H
#define PLUTO_KERNEL_RAW6_H

#include "kernel/packet.h"

struct msghdr;

#define RAW6_CONTROL 1024	/* octets for what is told beside */

/* k holds what follows the headers, of protocol `next`, m what was told of them: put the headers before it again.  The
 * flow label is not told and becomes 0; fragment headers are gone, as the system put the packet together.  False when
 * something is missing or too long. */
bool raw6_restore(struct msghdr *m, uint8_t next, struct packet *k);

#endif
