/* xfrm_sync.h -- what the xfrm backend does before it starts and after it ends, waiting for the kernel. */
#ifndef PLUTO_KERNEL_XFRM_SYNC_H
#define PLUTO_KERNEL_XFRM_SYNC_H

#include <libmnl/libmnl.h>

#include "base/text.h"
#include "kernel/xfrm_message.h"

/* A netlink socket for requests (groups 0) or for what the kernel reports; NULL with errno set. */
struct mnl_socket *xfrm_socket(unsigned groups);

/* One pluto for each network namespace: what another one has installed would look like leftovers.  A file to close
 * at the end, or -1 and why. */
int xfrm_lock(struct text *why);

struct xfrm_swept {
	unsigned sas, policies;	/* deleted */
};

/* Delete every SA and policy of ours, and none of others: they have our reqids and priorities.  0 or an errno. */
int xfrm_sweep(struct xfrm_swept *swept);

/* Neighbour discovery passes in clear: the SA of two hosts on one link would wait for it, and it for the SA.  Swept
 * away with the rest.  0 or an errno. */
int xfrm_pass_neighbours(void);

#endif
