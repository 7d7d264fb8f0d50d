/* backend.c -- the kernel backends that were built in. */
#include "daemon/backend.h"

#include "base/xalloc.h"
#include "generated/options.h"
#include "kernel/klips.h"
#include "kernel/none.h"
#include "kernel/xfrm.h"

const char *backend_names(void)
{
	return "none klips xfrm";
}

static bool open_klips(struct backend *out, uv_loop_t *loop, const struct config *c,
		       const struct kernel_events *events, struct text *why)
{
	const char *trouble = NULL;

	*out = (struct backend){
		.kernel = kernel_klips_open(loop, c->klips, events, &trouble),
		.rule = PUBLIC_VIRTUAL,
	};
	if (out->kernel.ops != NULL)
		return true;
	text_add(why, "cannot start the kernel backend klips: %s; run pluto as root, or with --noklips",
		 trouble == NULL ? "no reason is known" : trouble);
	return false;
}

static bool open_xfrm(struct backend *out, uv_loop_t *loop, const struct kernel_events *events, struct text *why)
{
	const char *trouble = NULL;

	*out = (struct backend){ .rule = PUBLIC_GLOBAL, .esp_from_udp = true };
	if (kernel_xfrm_probe(&trouble))
		out->kernel = kernel_xfrm_open(loop, events, &trouble);
	if (out->kernel.ops != NULL)
		return true;
	text_add(why, "the kernel's own IPsec cannot be used: %s", trouble == NULL ? "no reason is known" : trouble);
	return false;
}

/* The kernel where it has ESP, else klips. */
static bool open_best(struct backend *out, uv_loop_t *loop, const struct config *c,
		      const struct kernel_events *events, struct text *why)
{
	const char *trouble;

	if (kernel_xfrm_probe(&trouble))
		return open_xfrm(out, loop, events, why);
	return open_klips(out, loop, c, events, why);
}

bool backend_open(struct backend *out, uv_loop_t *loop, const struct config *c,
		  const struct kernel_events *events, struct text *why)
{
	switch (c->backend) {
	case PLUTO_OPTION_KERNEL_NONE:
		*out = (struct backend){ .kernel = kernel_none_open(events), .rule = PUBLIC_ALL };
		return true;
	case PLUTO_OPTION_KERNEL_AUTO:
		return open_best(out, loop, c, events, why);
	case PLUTO_OPTION_KERNEL_KLIPS:
		return open_klips(out, loop, c, events, why);
	case PLUTO_OPTION_KERNEL_XFRM:
		return open_xfrm(out, loop, events, why);
	default:
		text_add(why, "this pluto was built without that kernel backend; use --kernel with one of: %s",
			 backend_names());
		return false;
	}
}
