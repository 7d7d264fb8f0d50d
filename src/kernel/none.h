/* none.h -- the backend that protects nothing: it answers as if, and remembers what it was asked.
 * It is --noklips; it needs no privilege and changes nothing on the host. */
#ifndef PLUTO_KERNEL_NONE_H
#define PLUTO_KERNEL_NONE_H

#include "ike/kernel.h"

/* events is copied.  Every request is answered before the call returns. */
struct kernel kernel_none_open(const struct kernel_events *events);

enum none_op { NONE_ATTACH, NONE_GET_SPI, NONE_ADD_SA, NONE_DEL_SA, NONE_READ_SA, NONE_MOVE_SA, NONE_SET_EROUTE,
	       NONE_DEL_EROUTE, NONE_UPDOWN };

/* One request.  Keys are not kept. */
struct none_record {
	enum none_op op;
	bool ok;		/* how it was answered */
	struct sa_id sa;	/* of the SA requests; spi of get_spi is the one given out */
	struct kernel_eroute eroute;	/* of the eroute requests; interface is NULL */
	char verb[32];		/* PLUTO_VERB of updown */
};

/* Record number i, 0 the oldest one still kept; NULL beyond the last.  Valid until the next request. */
#define NONE_KEPT 1024
const struct none_record *kernel_none_record(struct kernel kernel, size_t i);

#endif
