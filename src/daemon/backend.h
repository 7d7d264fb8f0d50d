/* backend.h -- which kernel backend carries the protected packets. */
#ifndef PLUTO_DAEMON_BACKEND_H
#define PLUTO_DAEMON_BACKEND_H

#include <uv.h>

#include "daemon/config.h"
#include "daemon/public.h"
#include "ike/kernel.h"

struct backend {
	struct kernel kernel;
	enum public_rule rule;
	bool esp_from_udp;	/* takes ESP in UDP off the sockets of NAT traversal */
};

/* Opens the backend that the configuration names, or the best one for `auto`.  False with the reason and the
 * remedy. */
bool backend_open(struct backend *out, uv_loop_t *loop, const struct config *c,
		  const struct kernel_events *events, struct text *why);

/* The names of the backends that were built in, with blanks between. */
const char *backend_names(void);

#endif
