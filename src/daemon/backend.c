/* backend.c -- the kernel backends that were built in. */
#include "daemon/backend.h"

#include "generated/options.h"
#include "kernel/none.h"

const char *backend_names(void)
{
	return "none";
}

bool backend_open(struct backend *out, uv_loop_t *loop, const struct config *c,
		  const struct kernel_events *events, struct text *why)
{
	(void)loop;
	if (c->backend == PLUTO_OPTION_KERNEL_NONE) {
		*out = (struct backend){ .kernel = kernel_none_open(events), .rule = PUBLIC_ALL };
		return true;
	}
	text_add(why, "--kernel %s is not built in; use --noklips", 
		 pluto_program.options[c->backend].name);
	return false;
}
