/* klips.h -- the backend that talks to the klips process. */
#ifndef PLUTO_KERNEL_KLIPS_H
#define PLUTO_KERNEL_KLIPS_H

#include "ike/kernel.h"

#include <uv.h>

/* Start the program klips_path and talk to it; updown scripts run as children of this process.  events is
 * copied.  Requests may be made at once: they are queued.  When klips dies, every open request is answered
 * (not ok), then events.lost is called, and later requests are answered not ok.
 * On failure ops is NULL and *why says what is wrong (static, or valid until the next call). */
struct kernel kernel_klips_open(uv_loop_t *loop, const char *klips_path, const struct kernel_events *events,
				const char **why);

#endif
