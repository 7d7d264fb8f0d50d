/* xfrm.c -- the backend that has the kernel's own IPsec protect the packets.
 *
 * A request of ike becomes a job: a few netlink messages, one after the other, each answered by the kernel.  Jobs
 * are independent of each other; so many at a time are under way that their answers fit in the socket. */
#include "kernel/xfrm.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "kernel/updown.h"
#include "kernel/xfrm_rules.h"
#include "kernel/xfrm_sync.h"

#define STEPS 5
#define UNDER_WAY 32		/* jobs */
#define ANSWER_OCTETS 16384
#define ANSWERS 64		/* datagrams before everybody else has a turn */

enum on_error { STOP, GO_ON_IF_GONE, ELSE_NEXT };	/* ELSE_NEXT: the next step is done only if this one finds nothing */

struct step {
	struct xfrm_message m;
	enum on_error on_error;
	bool adds;		/* a policy that was not there */
	struct xfrm_rule rule;
};

struct job {
	uint32_t seq;		/* of the message that is under way */
	uint32_t token;
	bool silent;		/* nobody is told */
	bool moves, inbound;	/* the SA that it has asked for, to `peer` */
	struct endpoint peer;
	unsigned n, at;
	struct step step[STEPS];
	struct kernel_result result;
	char what[120];		/* "cannot ..." */
	STAILQ_ENTRY(job) waiting;
	UT_hash_handle hh;
};

struct backend {
	struct kernel_events events;
	struct updowns *updowns;
	struct mnl_socket *ask, *hear;
	uv_poll_t ask_poll, hear_poll;
	unsigned open;		/* handles not closed yet */
	int lock;
	bool closing;
	bool said_held;		/* what becomes of packets at a trap */
	uint32_t seq;
	struct job *under_way;
	STAILQ_HEAD(, job) waiting;
	struct xfrm_rules rules;
	uint8_t room[ANSWER_OCTETS];
};

/* ---- jobs ------------------------------------------------------------------------ */

static struct job *job_new(uint32_t token)
{
	struct job *j = NEW(struct job);

	j->token = token;
	j->result.ok = true;
	return j;
}

static struct step *append(struct job *j, enum on_error on_error)
{
	struct step *s = &j->step[j->n++];

	s->on_error = on_error;
	return s;
}

static void append_changes(struct job *j, const struct xfrm_change *c, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct step *s = append(j, c[i].type == XFRM_MSG_DELPOLICY ? GO_ON_IF_GONE : STOP);

		xfrm_put_policy(&s->m, c[i].type, &c[i].rule);
		s->rule = c[i].rule;
		s->adds = c[i].type == XFRM_MSG_NEWPOLICY;
	}
}

static void submit(struct backend *b, struct job *j);

/* A job that stopped leaves nothing half done: policies that it added go, those that it did not get to were never
 * there. */
static void undo(struct backend *b, const struct job *j)
{
	struct job *u = job_new(0);

	u->silent = true;
	for (unsigned i = 0; i < j->n; i++) {
		if (!j->step[i].adds)
			continue;
		xfrm_rules_refused(&b->rules, &j->step[i].rule);
		if (i < j->at)
			xfrm_put_policy(&append(u, GO_ON_IF_GONE)->m, XFRM_MSG_DELPOLICY, &j->step[i].rule);
	}
	submit(b, u);
}

static void job_free(struct job *j)
{
	wipe(j->step, sizeof(j->step));
	free(j);
}

static void finish(struct backend *b, struct job *j, const char *why)
{
	j->result.ok = why == NULL;
	j->result.why = why;
	if (why != NULL)
		undo(b, j);
	if (!j->silent)
		b->events.done(b->events.ctx, j->token, &j->result);
	job_free(j);
}

static const char *remedy(int error)
{
	switch (error) {
	case EPERM:
	case EACCES:
		return "; run pluto as root";
	case EEXIST:
		return "; remove it with ip xfrm";
	case ENOSYS:
		return "; this kernel lacks an algorithm: load its module, or name others with --esp or --ah";
	case EPROTONOSUPPORT:
		return "; load the kernel's modules for ESP, AH and, with --compress, IPComp, or use --kernel klips";
	default:
		return "";
	}
}

static void fail(struct backend *b, struct job *j, int error, const char *words)
{
	char room[400];
	struct text t = text_on(room, sizeof(room));

	text_add(&t, "%s: ", j->what);
	if (error == EEXIST)
		text_add(&t, "another program has one already");
	else if (error == ESRCH || error == ENOENT)
		text_add(&t, "there is none");
	else
		text_add(&t, "%s", error < 0 ? "the kernel's answer is no message that is known" : strerror(error));
	if (words != NULL)
		text_add(&t, " (the kernel says: %s)", words);
	text_add(&t, "%s", remedy(error));
	finish(b, j, room);
}

/* The next message, or the end. */
static void go_on(struct backend *b, struct job *j)
{
	struct xfrm_message *m;
	int error;

	if (j->at == j->n) {
		finish(b, j, NULL);
		return;
	}
	m = &j->step[j->at].m;
	if (++b->seq == 0)
		b->seq = 1;
	j->seq = m->u.h.nlmsg_seq = b->seq;
	error = mnl_socket_sendto(b->ask, m, m->u.h.nlmsg_len) < 0 ? errno : 0;
	wipe(m, sizeof(*m));
	if (error != 0)
		fail(b, j, error, NULL);
	else
		HASH_ADD(hh, b->under_way, seq, sizeof(j->seq), j);
}

static void start_some(struct backend *b)
{
	struct job *j;

	while (HASH_COUNT(b->under_way) < UNDER_WAY && (j = STAILQ_FIRST(&b->waiting)) != NULL) {
		STAILQ_REMOVE_HEAD(&b->waiting, waiting);
		go_on(b, j);
	}
}

static void submit(struct backend *b, struct job *j)
{
	STAILQ_INSERT_TAIL(&b->waiting, j, waiting);
	start_some(b);
}

/* ---- answers ----------------------------------------------------------------------- */

static uint64_t clock_seconds(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec;
}

static void step_answered(struct backend *b, struct job *j, int error, const char *words)
{
	enum on_error rule = j->step[j->at].on_error;
	bool gone = error == ESRCH || error == ENOENT;

	if (error != 0 && (rule == STOP || !gone)) {
		fail(b, j, error, words);
		return;
	}
	j->at += rule == ELSE_NEXT && error == 0 ? 2 : 1;
	go_on(b, j);
}

static void take_answer(struct backend *b, const struct nlmsghdr *h)
{
	const struct xfrm_usersa_info *sa = NULL;
	const char *words = NULL;
	int error = 0;
	struct job *j;

	HASH_FIND(hh, b->under_way, &h->nlmsg_seq, sizeof(h->nlmsg_seq), j);
	if (j == NULL)
		return;
	if (h->nlmsg_type == NLMSG_ERROR) {
		error = xfrm_error_of(h, &words);
	} else {
		sa = xfrm_sa_of(h);
		error = sa == NULL ? -1 : 0;
	}
	if (sa != NULL) {
		j->result.spi = xfrm_id_of(sa).spi;
		j->result.counts = xfrm_counts_of(h, clock_seconds(CLOCK_REALTIME), clock_seconds(CLOCK_MONOTONIC));
	}
	HASH_DEL(b->under_way, j);
	if (sa != NULL && j->moves && !xfrm_put_moved(&append(j, STOP)->m, h, j->inbound, &j->peer))
		error = EADDRNOTAVAIL;
	step_answered(b, j, error, words);
}

static void each_message(struct backend *b, size_t n, void (*take)(struct backend *, const struct nlmsghdr *))
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)b->room;
	int left = (int)n;

	for (; !b->closing && mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left))
		take(b, h);
}

/* Answers were lost: their requests may have been carried out or not. */
static void lose_answers(struct backend *b)
{
	struct job *j, *next, *lost = b->under_way;

	b->under_way = NULL;
	HASH_ITER(hh, lost, j, next) {
		HASH_DEL(lost, j);
		fail(b, j, ENOBUFS, NULL);
	}
}

static void on_answers(uv_poll_t *poll, int status, int events)
{
	struct backend *b = poll->data;

	(void)status, (void)events;
	for (unsigned i = 0; i < ANSWERS && !b->closing; i++) {
		ssize_t n = mnl_socket_recvfrom(b->ask, b->room, sizeof(b->room));

		if (n < 0 && errno == ENOBUFS)
			lose_answers(b);
		if (n < 0)
			break;
		each_message(b, (size_t)n, take_answer);
	}
	if (!b->closing)
		start_some(b);
}

/* ---- reports ----------------------------------------------------------------------- */

static void take_acquire(struct backend *b, const struct nlmsghdr *h)
{
	struct kernel_eroute trap;
	struct kernel_acquire a;
	const struct xfrm_rule_set *set;

	if (!xfrm_acquire_of(h, &a, &trap))
		return;
	set = xfrm_rules_find(&b->rules, &trap);
	if (set == NULL || set->is.kind != EROUTE_TRAP)	/* it has gone, or has its SA meanwhile */
		return;
	a.reqid = set->is.reqid;
	b->events.acquire(b->events.ctx, &a);
}

static void take_expire(struct backend *b, const struct nlmsghdr *h)
{
	struct kernel_expiry e;

	if (xfrm_expiry_of(h, &e))
		b->events.expired(b->events.ctx, &e);
}

static void take_report(struct backend *b, const struct nlmsghdr *h)
{
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
	for (unsigned i = 0; i < ANSWERS && !b->closing; i++) {
		n = mnl_socket_recvfrom(b->hear, b->room, sizeof(b->room));
		if (n < 0)
			break;
		each_message(b, (size_t)n, take_report);
	}
}

/* ---- what ike asks ------------------------------------------------------------------- */

static const char *protocol_name(uint8_t protocol)
{
	return protocol == IPPROTO_AH ? "AH" : protocol == IPPROTO_ESP ? "ESP" : "IPComp";
}

static void name_sa(struct job *j, const char *verb, const struct sa_id *id)
{
	char addr[ADDR_TEXT];

	snprintf(j->what, sizeof(j->what), "cannot %s the %s SA 0x%08x to %s", verb, protocol_name(id->protocol),
		 id->spi, addr_format(&id->dst, addr));
}

static void name_eroute(struct job *j, const char *verb, const struct kernel_eroute *e)
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
	struct job *j = job_new(token);

	xfrm_put_alloc_spi(&append(j, STOP)->m, src, dst, protocol, lo, hi);
	snprintf(j->what, sizeof(j->what), "cannot get an SPI for %s", protocol_name(protocol));
	submit(ctx, j);
}

/* An inbound SA takes the place of its SPI, unless the kernel has forgotten that. */
static void xfrm_add_sa(void *ctx, uint32_t token, const struct kernel_sa *sa)
{
	struct backend *b = ctx;
	struct xfrm_change change[XFRM_PLACES];
	struct job *j = job_new(token);
	bool fits = true;

	name_sa(j, "add", &sa->id);
	if (sa->inbound)
		fits = xfrm_put_sa(&append(j, ELSE_NEXT)->m, XFRM_MSG_UPDSA, sa);
	if (!fits || !xfrm_put_sa(&append(j, STOP)->m, XFRM_MSG_NEWSA, sa)) {
		fail(b, j, ENOSYS, NULL);
		return;
	}
	if (sa->inbound)
		append_changes(j, change, xfrm_rules_admit(&b->rules, sa, change));
	submit(b, j);
}

/* The counts are read first: they are part of the answer.  An SA whose lifetime has ended is gone already. */
static void xfrm_del_sa(void *ctx, uint32_t token, const struct sa_id *id)
{
	struct job *j = job_new(token);

	name_sa(j, "delete", id);
	xfrm_put_sa_id(&append(j, GO_ON_IF_GONE)->m, XFRM_MSG_GETSA, id);
	xfrm_put_sa_id(&append(j, GO_ON_IF_GONE)->m, XFRM_MSG_DELSA, id);
	submit(ctx, j);
}

static void xfrm_read_sa(void *ctx, uint32_t token, const struct sa_id *id)
{
	struct job *j = job_new(token);

	name_sa(j, "read", id);
	xfrm_put_sa_id(&append(j, STOP)->m, XFRM_MSG_GETSA, id);
	submit(ctx, j);
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
	struct job *j = job_new(token);

	name_sa(j, "move", id);
	j->moves = true, j->inbound = inbound, j->peer = *peer;
	xfrm_put_sa_id(&append(j, STOP)->m, XFRM_MSG_GETSA, id);
	submit(ctx, j);
}

static void xfrm_set_eroute(void *ctx, uint32_t token, const struct kernel_eroute *e)
{
	struct backend *b = ctx;
	struct xfrm_change change[XFRM_PLACES];
	struct job *j = job_new(token);

	if (e->kind == EROUTE_TRAP && e->hold)
		say_whether_held(b);
	name_eroute(j, "set", e);
	append_changes(j, change, xfrm_rules_set(&b->rules, e, change));
	submit(b, j);
}

static void xfrm_del_eroute(void *ctx, uint32_t token, const struct kernel_eroute *e)
{
	struct backend *b = ctx;
	struct xfrm_change change[XFRM_PLACES];
	struct job *j = job_new(token);
	unsigned n = xfrm_rules_delete(&b->rules, e, change);

	name_eroute(j, "delete", e);
	append_changes(j, change, n);
	if (n == 0)
		fail(b, j, ENOENT, NULL);
	else
		submit(b, j);
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

static void xfrm_close(void *ctx)
{
	struct backend *b = ctx;
	struct job *j, *next, *all = b->under_way;
	struct xfrm_swept swept;

	b->closing = true;
	b->under_way = NULL;
	HASH_ITER(hh, all, j, next) {
		HASH_DEL(all, j);
		job_free(j);
	}
	while ((j = STAILQ_FIRST(&b->waiting)) != NULL) {
		STAILQ_REMOVE_HEAD(&b->waiting, waiting);
		job_free(j);
	}
	updowns_close(b->updowns);
	xfrm_rules_free(&b->rules);
	xfrm_sweep(&swept);
	uv_close((uv_handle_t *)&b->ask_poll, on_closed);
	uv_close((uv_handle_t *)&b->hear_poll, on_closed);
	mnl_socket_close(b->ask);
	mnl_socket_close(b->hear);
	close(b->lock);
}

static const struct kernel_ops ops = {
	.name = "xfrm", .compresses = true,
	.attach = xfrm_attach, .hole = xfrm_hole,
	.get_spi = xfrm_get_spi, .add_sa = xfrm_add_sa, .del_sa = xfrm_del_sa, .read_sa = xfrm_read_sa,
	.move_sa = xfrm_move_sa, .encapsulates = true,
	.set_eroute = xfrm_set_eroute, .del_eroute = xfrm_del_eroute, .updown = xfrm_updown, .close = xfrm_close,
};

static bool open_sockets(struct backend *b, uv_loop_t *loop, struct text *why)
{
	b->ask = xfrm_socket(0);
	b->hear = b->ask == NULL ? NULL : xfrm_socket(XFRMGRP_ACQUIRE | XFRMGRP_EXPIRE | 1u << (XFRMNLGRP_MAPPING - 1));
	if (b->ask == NULL || b->hear == NULL) {
		text_add(why, "the kernel does not talk of IPsec: %s%s", strerror(errno), remedy(errno));
		return false;
	}
	b->ask_poll.data = b->hear_poll.data = b;
	b->open = uv_poll_init(loop, &b->ask_poll, mnl_socket_get_fd(b->ask)) == 0;
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
		text_add(why, "the kernel does not tell or change what it has installed: %s%s", strerror(error), remedy(error));
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

	b->events = *events;
	STAILQ_INIT(&b->waiting);
	b->lock = xfrm_lock(&t);
	if (b->lock >= 0 && prepare(b, &t) && open_sockets(b, loop, &t)) {
		b->updowns = updowns_new(loop, events);
		return (struct kernel){ .ops = &ops, .k = b };
	}
	*why = trouble;
	if (b->ask != NULL)
		mnl_socket_close(b->ask);
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
