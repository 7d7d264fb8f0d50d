/* held.h -- packets that wait for an SA: the last ones that met a trap, or that came before the keys.  Bounded: what is
 * older, or too many, is lost as on any network. */
#ifndef PLUTO_KERNEL_HELD_H
#define PLUTO_KERNEL_HELD_H

#include <sys/queue.h>

#include "base/span.h"

struct held_packet {
	TAILQ_ENTRY(held_packet) next;
	uint64_t at;		/* milliseconds: when it came */
	size_t n;
	uint8_t octets[];
};

struct held {			/* of one trap or SA; all zero is empty */
	TAILQ_HEAD(held_list, held_packet) list;	/* oldest first */
	unsigned n;
};

/* Keep a copy of a packet of `h`, which takes so many; *all counts those of all of its kind.  The oldest of h gives way. */
void held_add(struct held *h, unsigned most, unsigned *all, struct span packet, uint64_t now_ms);

/* The oldest that somebody may still want, for the caller to free; NULL when there is none. */
struct held_packet *held_take(struct held *h, unsigned *all, uint64_t now_ms);

/* All of `from` go to `to`, which is empty. */
void held_move(struct held *to, struct held *from);

void held_drop(struct held *h, unsigned *all);

#endif
