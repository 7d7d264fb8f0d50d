/* xfrm.h -- the backend that has the kernel's own IPsec protect the packets. */
#ifndef PLUTO_KERNEL_XFRM_H
#define PLUTO_KERNEL_XFRM_H

#include "ike/kernel.h"

#include <uv.h>

/* Talk to the kernel of this network namespace over netlink; one pluto at a time.  What an earlier pluto left there
 * is removed, and nothing that others installed.  updown scripts run as children of this process.  events is
 * copied.  On failure ops is NULL and *why says what is wrong (static, or valid until the next call). */
struct kernel kernel_xfrm_open(uv_loop_t *loop, const struct kernel_events *events, const char **why);

/* Whether the kernel really has ESP: one SA is made and deleted.  Else *why as above. */
bool kernel_xfrm_probe(const char **why);

/* What goes through this UDP socket is never protected, nor held back: IKE itself.  Where the kernel has no IPsec
 * there is nothing to do. */
void kernel_xfrm_bypass(int fd, bool ipv6);

/* The kernel takes ESP in UDP off that socket (RFC 3948).  False with errno. */
bool kernel_xfrm_encap(int fd);

#endif
