/* volume.h -- IPsec SAs that may carry only so many kilobytes (RFC 2407 4.5): the kernel's counts are asked for,
 * the oftener the nearer the limit is. */
#ifndef PLUTO_IKE_VOLUME_H
#define PLUTO_IKE_VOLUME_H

#include "ike/await.h"

struct phase2;

#define KILOBYTE 1000		/* octets; some peers count 1024, later than we do */

struct volume {
	uint64_t limit;		/* octets of one SA, 0 = none */
	uint64_t replace;	/* where its replacement begins */
	uint64_t most, counted;	/* of all SAs: at the last count, and in the one under way */
	uint64_t at, since;	/* of the last count; milliseconds to the one before */
	bool replaced;
	unsigned pending;
	struct request_list requests;
	struct timer timer;
};

/* The limit in octets, 0 = none; and where p is to be replaced that has this limit. */
uint64_t volume_octets(uint64_t kilobytes);
uint64_t volume_replace(const struct phase2 *p, uint64_t limit);

void volume_init(struct phase2 *p);

/* p carries at most so many kilobytes from now on. */
void volume_watch(struct phase2 *p, uint64_t kilobytes);
void volume_stop(struct phase2 *p);

#endif
