/* xfrm.c -- the backend that has the kernel's own IPsec protect the packets.
 *
 * A request of ike becomes a job (xfrm_job.h). */
#include "kernel/xfrm.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "kernel/updown.h"
#include "kernel/xfrm_job.h"
#include "kernel/xfrm_sync.h"

struct backend {
	struct kernel_events events;
	struct updowns *updowns;
	struct mnl_socket *hear;
	uv_poll_t ask_poll, hear_poll;
	unsigned open;		/* handles not closed yet */
	int lock;
	bool said_held;		/* what becomes of packets at a trap */
	bool left;		/* nothing is taken away any more */
	struct xfrm_jobs jobs;
};

/* ---- answers and reports ------------------------------------------------------------- */

static void on_answers(uv_poll_t *poll, int status, int events)
{
	struct backend *b = poll->data;

	(void)status, (void)events;
	xfrm_jobs_answers(&b->jobs);
}

static void take_acquire(const struct backend *b, const struct nlmsghdr *h)
{
	struct kernel_eroute trap;
	struct kernel_acquire a;
	const struct xfrm_rule_set *set;

	if (!xfrm_acquire_of(h, &a, &trap))
		return;
	set = xfrm_rules_find(&b->jobs.rules, &trap);
	if (set == NULL || set->is.kind != EROUTE_TRAP)	/* it has gone, or has its SA meanwhile */
		return;
	a.reqid = set->is.reqid;
	b->events.acquire(b->events.ctx, &a);
}

static void take_expire(const struct backend *b, const struct nlmsghdr *h)
{
	struct kernel_expiry e;

	if (xfrm_expiry_of(h, &e))
		b->events.expired(b->events.ctx, &e);
}

static void take_report(void *ctx, const struct nlmsghdr *h)
{
	const struct backend *b = ctx;
	struct endpoint from;
	struct sa_id id;

	if (h->nlmsg_type == XFRM_MSG_ACQUIRE)
		take_acquire(b, h);
	else if (h->nlmsg_type == XFRM_MSG_EXPIRE)
		take_expire(b, h);
	else if (h->nlmsg_type == XFRM_MSG_MAPPING && xfrm_mapping_of(h, &id, &from))
		b->events.mapping(b->events.ctx, &id, &from);
}

/* Reports that did not fit are lost: the next packet makes another. */
static void on_reports(uv_poll_t *poll, int status, int events)
{
	struct backend *b = poll->data;
	ssize_t n;

	(void)status, (void)events;
	for (unsigned i = 0; i < XFRM_ANSWERS && !b->jobs.closing; i++) {
		n = mnl_socket_recvfrom(b->hear, b->jobs.room, sizeof(b->jobs.room));
		if (n < 0)
			break;
		xfrm_each_message(&b->jobs, (size_t)n, take_report, b);
	}
}

/* ---- what ike asks ------------------------------------------------------------------- */

static const char *protocol_name(uint8_t protocol)
{
	return protocol == IPPROTO_AH ? "AH" : protocol == IPPROTO_ESP ? "ESP" : "IPComp";
}

static void name_sa(struct xfrm_job *j, const char *verb, const struct sa_id *id)
{
	char addr[ADDR_TEXT];

	snprintf(j->what, sizeof(j->what), "cannot %s the %s SA 0x%08x to %s", verb, protocol_name(id->protocol),
		 id->spi, addr_format(&id->dst, addr));
}

static void name_eroute(struct xfrm_job *j, const char *verb, const struct kernel_eroute *e)
{
	char src[SUBNET_TEXT], dst[SUBNET_TEXT];

	snprintf(j->what, sizeof(j->what), "cannot %s the policies of %s to %s", verb, subnet_format(&e->src, src),
		 subnet_format(&e->dst, dst));
}

static void xfrm_attach(void *ctx, uint32_t token, const char *virtual_, const char *real)
{
	struct backend *b = ctx;

	(void)virtual_, (void)real;
	b->events.done(b->events.ctx, token, &(struct kernel_result){ .ok = true });
}

/* Each socket of IKE is let through by itself: kernel_xfrm_bypass(). */
static void xfrm_hole(void *ctx, uint16_t port)
{
	(void)ctx, (void)port;
}

static void xfrm_get_spi(void *ctx, uint32_t token, const struct ip_addr *src, const struct ip_addr *dst,
			 uint8_t protocol, uint32_t lo, uint32_t hi)
{
	struct backend *b = ctx;
	struct xfrm_job *j = xfrm_job_new(token);

	xfrm_put_alloc_spi(&xfrm_job_step(j, XFRM_STOP)->m, src, dst, protocol, lo, hi);
	snprintf(j->what, sizeof(j->what), "cannot get an SPI for %s", protocol_name(protocol));
	xfrm_job_submit(&b->jobs, j);
}

/* An inbound SA takes the place of its SPI, unless the kernel has forgotten that. */
static void xfrm_add_sa(void *ctx, uint32_t token, const struct kernel_sa *sa)
{
	struct backend *b = ctx;
	struct xfrm_change change[XFRM_PLACES];
	struct xfrm_job *j = xfrm_job_new(token);
	bool fits = true;

	name_sa(j, "add", &sa->id);
	if (sa->encap_sport != 0 && sa->id.dst.len == 16)
		j->if_invalid = "; ESP in UDP over IPv6 needs Linux 5.8 or newer, or --kernel klips";
	if (sa->inbound)
		fits = xfrm_put_sa(&xfrm_job_step(j, XFRM_ELSE_NEXT)->m, XFRM_MSG_UPDSA, sa);
	if (!fits || !xfrm_put_sa(&xfrm_job_step(j, XFRM_STOP)->m, XFRM_MSG_NEWSA, sa)) {
		xfrm_job_fail(&b->jobs, j, ENOSYS, NULL);
		return;
	}
	if (sa->inbound)
		xfrm_job_changes(j, change, xfrm_rules_admit(&b->jobs.rules, sa, change));
	xfrm_job_submit(&b->jobs, j);
}

/* The counts are read first: they are part of the answer.  An SA whose lifetime has ended is gone already. */
static void xfrm_del_sa(void *ctx, uint32_t token, const struct sa_id *id)
{
	struct backend *b = ctx;
	struct xfrm_job *j = xfrm_job_new(token);

	name_sa(j, "delete", id);
	xfrm_job_delete(j, id);
	xfrm_job_submit(&b->jobs, j);
}

static void xfrm_read_sa(void *ctx, uint32_t token, const struct sa_id *id)
{
	struct backend *b = ctx;
	struct xfrm_job *j = xfrm_job_new(token);

	name_sa(j, "read", id);
	xfrm_put_sa_id(&xfrm_job_step(j, XFRM_STOP)->m, XFRM_MSG_GETSA, id);
	xfrm_job_submit(&b->jobs, j);
}

/* Whether packets wait for an SA is a setting of the whole network namespace: the operator's. */
static void say_whether_held(struct backend *b)
{
	FILE *f = b->said_held ? NULL : fopen("/proc/sys/net/core/xfrm_larval_drop", "re");

	if (f != NULL && fgetc(f) != '0')
		b->events.log(b->events.ctx, "the kernel drops the first packets of connections with --ondemand; "
			      "to have them held, write 0 into /proc/sys/net/core/xfrm_larval_drop");
	if (f != NULL)
		fclose(f);
	b->said_held = true;
}

static void xfrm_move_sa(void *ctx, uint32_t token, const struct sa_id *id, bool inbound, const struct endpoint *peer)
{
	struct backend *b = ctx;
	struct xfrm_job *j = xfrm_job_new(token);

	name_sa(j, "move", id);
	xfrm_job_move(j, id, inbound, peer);
	xfrm_job_submit(&b->jobs, j);
}

static void xfrm_set_eroute(void *ctx, uint32_t token, const struct kernel_eroute *e)
{
	struct backend *b = ctx;
	struct xfrm_change change[XFRM_PLACES];
	struct xfrm_job *j = xfrm_job_new(token);

	if (e->kind == EROUTE_TRAP && e->hold)
		say_whether_held(b);
	name_eroute(j, "set", e);
	xfrm_job_changes(j, change, xfrm_rules_set(&b->jobs.rules, e, change));
	xfrm_job_submit(&b->jobs, j);
}

static void xfrm_del_eroute(void *ctx, uint32_t token, const struct kernel_eroute *e)
{
	struct backend *b = ctx;
	struct xfrm_change change[XFRM_PLACES];
	struct xfrm_job *j = xfrm_job_new(token);
	unsigned n = xfrm_rules_delete(&b->jobs.rules, e, change);

	name_eroute(j, "delete", e);
	xfrm_job_changes(j, change, n);
	if (n == 0)
		xfrm_job_fail(&b->jobs, j, ENOENT, NULL);
	else
		xfrm_job_submit(&b->jobs, j);
}

static void xfrm_updown(void *ctx, uint32_t token, const struct updown_request *u)
{
	struct backend *b = ctx;

	updown_run(b->updowns, token, u);
}

/* ---- beginning and end --------------------------------------------------------------- */

static void on_closed(uv_handle_t *h)
{
	struct backend *b = h->data;

	if (--b->open == 0)
		free(b);
}

static void xfrm_leave(void *ctx)
{
	struct backend *b = ctx;

	b->left = true;
}

static void xfrm_close(void *ctx)
{
	struct backend *b = ctx;
	struct xfrm_swept swept;

	xfrm_jobs_close(&b->jobs);
	updowns_close(b->updowns);
	if (!b->left)
		xfrm_sweep(&swept);
	uv_close((uv_handle_t *)&b->ask_poll, on_closed);
	uv_close((uv_handle_t *)&b->hear_poll, on_closed);
	mnl_socket_close(b->jobs.ask);
	mnl_socket_close(b->hear);
	close(b->lock);
}

static const struct kernel_ops ops = {
	.name = "xfrm", .compresses = true, .bundles_alike = true,
	.attach = xfrm_attach, .hole = xfrm_hole,
	.get_spi = xfrm_get_spi, .add_sa = xfrm_add_sa, .del_sa = xfrm_del_sa, .read_sa = xfrm_read_sa,
	.move_sa = xfrm_move_sa, .encapsulates = true,
	.set_eroute = xfrm_set_eroute, .del_eroute = xfrm_del_eroute, .updown = xfrm_updown, .leave = xfrm_leave,
	.close = xfrm_close,
};

static bool open_sockets(struct backend *b, uv_loop_t *loop, struct text *why)
{
	b->jobs.ask = xfrm_socket(0);
	b->hear = b->jobs.ask == NULL ? NULL : xfrm_socket(XFRMGRP_ACQUIRE | XFRMGRP_EXPIRE | 1u << (XFRMNLGRP_MAPPING - 1));
	if (b->jobs.ask == NULL || b->hear == NULL) {
		text_add(why, "the kernel does not talk of IPsec: %s%s", strerror(errno), xfrm_remedy(errno));
		return false;
	}
	b->ask_poll.data = b->hear_poll.data = b;
	b->open = uv_poll_init(loop, &b->ask_poll, mnl_socket_get_fd(b->jobs.ask)) == 0;
	if (b->open == 0 || uv_poll_init(loop, &b->hear_poll, mnl_socket_get_fd(b->hear)) != 0) {
		text_add(why, "the kernel's answers cannot be waited for");
		return false;
	}
	b->open++;
	uv_poll_start(&b->ask_poll, UV_READABLE, on_answers);
	uv_poll_start(&b->hear_poll, UV_READABLE, on_reports);
	return true;
}

static bool prepare(const struct backend *b, struct text *why)
{
	char line[160];
	struct text t = text_on(line, sizeof(line));
	struct xfrm_swept swept;
	int error = xfrm_sweep(&swept);

	if (error == 0)
		error = xfrm_pass_neighbours();
	if (error != 0) {
		text_add(why, "the kernel does not tell or change what it has installed: %s%s", strerror(error), xfrm_remedy(error));
		return false;
	}
	if (swept.sas + swept.policies > 0) {
		text_add(&t, "removed what an earlier pluto left in the kernel: %u SAs, %u policies", swept.sas,
			 swept.policies);
		b->events.log(b->events.ctx, line);
	}
	return true;
}

struct kernel kernel_xfrm_open(uv_loop_t *loop, const struct kernel_events *events, const char **why)
{
	static char trouble[300];
	struct text t = text_on(trouble, sizeof(trouble));
	struct backend *b = NEW(struct backend);

	b->events = b->jobs.events = *events;
	STAILQ_INIT(&b->jobs.waiting);
	b->lock = xfrm_lock(&t);
	if (b->lock >= 0 && prepare(b, &t) && open_sockets(b, loop, &t)) {
		b->updowns = updowns_new(loop, events);
		return (struct kernel){ .ops = &ops, .k = b };
	}
	*why = trouble;
	if (b->jobs.ask != NULL)
		mnl_socket_close(b->jobs.ask);
	if (b->hear != NULL)
		mnl_socket_close(b->hear);
	if (b->lock >= 0)
		close(b->lock);
	if (b->open == 0)
		free(b);
	else
		uv_close((uv_handle_t *)&b->ask_poll, on_closed);
	return (struct kernel){ .ops = NULL };
}
