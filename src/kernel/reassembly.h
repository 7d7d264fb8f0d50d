/* reassembly.h -- putting together again what this host itself cut into fragments: transport mode protects
 * whole datagrams (RFC 4301 7), and only a whole one shows its ports. */
#ifndef PLUTO_KERNEL_REASSEMBLY_H
#define PLUTO_KERNEL_REASSEMBLY_H

#include "kernel/packet.h"

#define REASSEMBLY_SLOTS 8	/* datagrams begun at the same time; the oldest gives way */

struct reassembly;

struct reassembly *reassembly_new(void);
void reassembly_free(struct reassembly *r);	/* NULL is harmless */

/* Take the fragment k.  The host sends them in order, so any other order loses the datagram.
 * True when it is complete: *whole is the datagram, in memory of r that stays until the next call. */
bool reassembly_add(struct reassembly *r, const struct packet *k, const struct flow *f, struct packet *whole);

#endif
