/* replay.h -- the anti-replay window of an inbound SA (RFC 4303 3.4.3, RFC 4302 3.4.3). */
#ifndef PLUTO_KERNEL_REPLAY_H
#define PLUTO_KERNEL_REPLAY_H

#include "base/span.h"

#define REPLAY_WORDS 32		/* a ring; a power of two */
#define REPLAY_MIN 64		/* packets: what RFC 4303 3.4.3 recommends as the least */
#define REPLAY_MAX ((REPLAY_WORDS - 1) * 64)	/* one word is always being refilled */

struct replay {
	uint32_t top;		/* highest sequence number that was authentic */
	uint32_t window;	/* packets */
	uint64_t seen[REPLAY_WORDS];
};

/* An empty window of that many packets, brought into REPLAY_MIN .. REPLAY_MAX. */
void replay_init(struct replay *r, unsigned window);

/* May a packet with this sequence number still be taken?  Asked before the ICV is
 * computed; changes nothing. */
bool replay_fresh(const struct replay *r, uint32_t seq);

/* Take note of a packet that was fresh and has proved authentic. */
void replay_accept(struct replay *r, uint32_t seq);

#endif
