/* ipcomp.h -- IPComp: compressing what a packet carries, and undoing it (RFC 3173, 2394).
 * Pure: no I/O, no clock; nothing is remembered from one packet to the next. */
#ifndef PLUTO_KERNEL_IPCOMP_H
#define PLUTO_KERNEL_IPCOMP_H

#include "generated/algorithms.h"
#include "kernel/packet.h"
#include "kernel/verdict.h"

#define IPCOMP_HEADER 4		/* next header, flags, CPI */

struct ipcomp;

/* The working memory, which all SAs may share; NULL when alg is no compression that is done here.
 * Used by one thread at a time. */
struct ipcomp *ipcomp_new(enum alg alg);
void ipcomp_free(struct ipcomp *c);	/* NULL is harmless */

/* k holds a payload of protocol `next`.  True: it has an IPComp header and is smaller now.  False: it would
 * not have become smaller and is unchanged (RFC 3173 2.2). */
bool ipcomp_wrap(struct ipcomp *c, struct packet *k, uint8_t next, uint16_t cpi);

/* k holds an IPComp header and what follows; afterwards the payload, which with a header of so many octets
 * is no larger than an IP packet may be.  VERDICT_DELIVER, or why not; k is unspecified then. */
enum verdict ipcomp_unwrap(struct ipcomp *c, struct packet *k, size_t header, uint8_t *next);

#endif
