/* public.h -- which addresses of this host are public: pluto listens for IKE there. */
#ifndef PLUTO_DAEMON_PUBLIC_H
#define PLUTO_DAEMON_PUBLIC_H

#include "base/text.h"
#include "daemon/config.h"
#include "ike/kernel.h"

enum public_rule {
	PUBLIC_ALL,		/* every address, loopback too: the kernel is not involved */
	PUBLIC_GLOBAL,		/* every address but those of loopback */
	PUBLIC_VIRTUAL,		/* as GLOBAL, each with a virtual interface ipsecN */
};

struct public {
	size_t n;
	struct kernel_interface *at;	/* owned */
};

/* Looks at the host anew.  With --listen only those addresses count; they need not belong to an
 * interface (127.0.0.2 does not).  False and why when the host cannot be asked. */
bool public_find(struct public *out, const struct config *c, enum public_rule rule, struct text *why);
void public_free(struct public *p);

#endif
