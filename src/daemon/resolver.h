/* resolver.h -- questions to the DNS, answered from the loop, with proof by DNSSEC where there is one. */
#ifndef PLUTO_DAEMON_RESOLVER_H
#define PLUTO_DAEMON_RESOLVER_H

#include <uv.h>

#include "daemon/config.h"
#include "ike/host.h"

struct resolver;

struct resolver_events {
	void *ctx;
	void (*answer)(void *ctx, uint32_t token, const struct lookup_result *r);
};

/* Why this pluto asks nothing, as built or as configured; NULL = it does. */
const char *resolver_obstacle(const struct config *c);

/* Nothing is opened or read before the first question.  c outlives it. */
struct resolver *resolver_new(uv_loop_t *loop, const struct config *c, struct resolver_events events);

/* Records of a name and dns_type; exactly one answer, in a later turn of the loop. */
void resolver_ask(struct resolver *r, uint32_t token, const char *name, uint16_t type);

/* No more answers; freed by the loop. */
void resolver_close(struct resolver *r);

#endif
