/* watch.c -- what the kernel says of addresses and default routes, over rtnetlink. */
#include "daemon/watch.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "base/xalloc.h"

#define CALM_MS 500		/* without a change: then they are looked at */
#define DATAGRAMS 64		/* before everybody else has a turn */

struct watch {
	struct mnl_socket *socket;
	uv_poll_t poll;
	uv_timer_t calm;
	unsigned open;		/* handles not closed yet */
	void (*changed)(void *ctx);
	void *ctx;
};

static void on_calm(uv_timer_t *timer)
{
	struct watch *w = timer->data;

	w->changed(w->ctx);
}

/* Of routes only the default ones matter: a router has thousands that come and go. */
static int matters(const struct nlmsghdr *h, void *data)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);
	bool route = h->nlmsg_type == RTM_NEWROUTE || h->nlmsg_type == RTM_DELROUTE;

	if (!route || mnl_nlmsg_get_payload_len(h) < sizeof(*m) || m->rtm_dst_len == 0)
		*(bool *)data = true;
	return MNL_CB_OK;
}

/* That something was said is enough: what is true now is looked up when it is calm.  Lost messages (ENOBUFS) are
 * such a word, too. */
static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct watch *w = poll->data;
	_Alignas(struct nlmsghdr) uint8_t room[8192];
	bool heard = false;

	(void)status;
	(void)events;
	for (unsigned i = 0; i < DATAGRAMS; i++) {
		ssize_t n = mnl_socket_recvfrom(w->socket, room, sizeof(room));

		if (n < 0 && errno != ENOBUFS)
			break;
		if (n < 0 || mnl_cb_run(room, (size_t)n, 0, 0, matters, &heard) < 0)
			heard = true;
	}
	if (heard)
		uv_timer_start(&w->calm, on_calm, CALM_MS, 0);
}

struct watch *watch_new(uv_loop_t *loop, void (*changed)(void *ctx), void *ctx)
{
	struct mnl_socket *s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct watch *w;

	if (s == NULL)
		return NULL;
	if (mnl_socket_bind(s, RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE,
			    MNL_SOCKET_AUTOPID) < 0) {
		mnl_socket_close(s);
		return NULL;
	}
	w = NEW(struct watch);
	w->socket = s;
	w->changed = changed;
	w->ctx = ctx;
	w->open = 2;
	w->poll.data = w->calm.data = w;
	uv_timer_init(loop, &w->calm);
	uv_poll_init(loop, &w->poll, mnl_socket_get_fd(s));
	uv_poll_start(&w->poll, UV_READABLE, on_readable);
	return w;
}

static void on_closed(uv_handle_t *h)
{
	struct watch *w = h->data;

	if (--w->open > 0)
		return;
	mnl_socket_close(w->socket);
	free(w);
}

void watch_close(struct watch *w)
{
	if (w == NULL)
		return;
	uv_close((uv_handle_t *)&w->poll, on_closed);
	uv_close((uv_handle_t *)&w->calm, on_closed);
}
