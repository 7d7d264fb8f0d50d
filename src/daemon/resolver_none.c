/* resolver_none.c -- a pluto that was built without libunbound. */
#include "daemon/resolver.h"

const char *resolver_obstacle(const struct config *c)
{
	(void)c;
	return "this pluto was built without libunbound";
}

struct resolver *resolver_new(uv_loop_t *loop, const struct config *c, struct resolver_events events)
{
	(void)loop;
	(void)c;
	(void)events;
	return NULL;
}

void resolver_ask(struct resolver *r, uint32_t token, const char *name, uint16_t type)
{
	(void)r;
	(void)token;
	(void)name;
	(void)type;
}

void resolver_close(struct resolver *r)
{
	(void)r;
}
