/* xfrm_job.c -- jobs of netlink messages, and what the kernel answers. */
#include "kernel/xfrm_job.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <time.h>

#include "base/text.h"
#include "base/xalloc.h"

#define UNDER_WAY 32		/* jobs */

/* ---- what a job is made of ----------------------------------------------------------- */

struct xfrm_job *xfrm_job_new(uint32_t token)
{
	struct xfrm_job *j = NEW(struct xfrm_job);

	j->token = token;
	j->result.ok = true;
	return j;
}

struct xfrm_step *xfrm_job_step(struct xfrm_job *j, enum xfrm_on_error on_error)
{
	struct xfrm_step *s = &j->step[j->n++];

	s->on_error = on_error;
	return s;
}

void xfrm_job_changes(struct xfrm_job *j, const struct xfrm_change *c, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct xfrm_step *s = xfrm_job_step(j, c[i].type == XFRM_MSG_DELPOLICY ? XFRM_GO_ON_IF_GONE
										       : XFRM_STOP);

		xfrm_put_policy(&s->m, c[i].type, &c[i].rule);
		s->rule = c[i].rule;
		s->adds = c[i].type == XFRM_MSG_NEWPOLICY;
	}
}

void xfrm_job_delete(struct xfrm_job *j, const struct sa_id *id)
{
	struct xfrm_step *s = xfrm_job_step(j, XFRM_GO_ON_IF_GONE);

	s->if_ours = true;
	xfrm_put_sa_id(&s->m, XFRM_MSG_GETSA, id);
	xfrm_put_sa_id(&xfrm_job_step(j, XFRM_GO_ON_IF_GONE)->m, XFRM_MSG_DELSA, id);
}

void xfrm_job_move(struct xfrm_job *j, const struct sa_id *id, bool inbound, const struct endpoint *peer)
{
	j->moves_to = *peer;
	j->moves_inbound = inbound;
	j->moves = *id;
	xfrm_put_sa_id(&xfrm_job_step(j, XFRM_STOP)->m, XFRM_MSG_GETSA, id);
}

/* Linux gives an SA another port, but no other address: then it is deleted and made anew.  What it has counted is
 * read once more along with that, so that nothing is counted in between: a sequence number that was forgotten
 * would be used, or let in, twice.  It is gone until it is made, so that is tried twice.  0 or an errno. */
static int go_on_moving(struct xfrm_job *j, const struct nlmsghdr *seen)
{
	struct sa_id id = xfrm_id_of(xfrm_sa_of(seen));
	bool first = j->at == 0;
	struct xfrm_message m;
	struct xfrm_step *s;
	int error = xfrm_put_moved(&m, seen, j->moves_inbound, &j->moves_to);

	if (error == 0 && first && m.u.h.nlmsg_type == XFRM_MSG_NEWSA) {
		s = xfrm_job_step(j, XFRM_STOP);
		xfrm_put_sa_id(&s->m, XFRM_MSG_GETSA, &id);
		s->with_next = true;
		xfrm_put_sa_id(&xfrm_job_step(j, XFRM_STOP)->m, XFRM_MSG_DELSA, &id);
	} else if (error == 0) {
		if (!first)
			xfrm_job_step(j, XFRM_ONCE_MORE)->m = m;
		xfrm_job_step(j, XFRM_STOP)->m = m;
	}
	wipe(&m, sizeof(m));
	return error;
}

/* ---- its end ------------------------------------------------------------------------- */

/* What could not be moved: under its old name, and under its new one if it may have got that. */
static void forget_moved(struct xfrm_job *u, const struct xfrm_job *j)
{
	struct sa_id id = j->moves;

	xfrm_job_delete(u, &id);
	if (j->moves_inbound || !j->unsure)
		return;
	id.dst = j->moves_to.addr;
	xfrm_job_delete(u, &id);
}

/* A job that stopped leaves nothing half done: policies that it added go, those that it did not get to were never
 * there; an SA that it was to move goes. */
static void undo(struct xfrm_jobs *js, const struct xfrm_job *j)
{
	struct xfrm_job *u = xfrm_job_new(0);

	u->silent = true;
	for (unsigned i = 0; i < j->n; i++) {
		if (!j->step[i].adds)
			continue;
		xfrm_rules_refused(&js->rules, &j->step[i].rule);
		if (i < j->at)
			xfrm_put_policy(&xfrm_job_step(u, XFRM_GO_ON_IF_GONE)->m, XFRM_MSG_DELPOLICY, &j->step[i].rule);
	}
	if (!addr_is_none(&j->moves_to.addr))
		forget_moved(u, j);
	xfrm_job_submit(js, u);
}

static void job_free(struct xfrm_job *j)
{
	wipe(j->step, sizeof(j->step));
	free(j);
}

static void finish(struct xfrm_jobs *js, struct xfrm_job *j, const char *why)
{
	j->result.ok = why == NULL;
	j->result.why = why;
	if (why != NULL)
		undo(js, j);
	if (!j->silent)
		js->events.done(js->events.ctx, j->token, &j->result);
	job_free(j);
}

const char *xfrm_remedy(int error)
{
	switch (error) {
	case EPERM:
	case EACCES:
		return "; run pluto as root";
	case EEXIST:
		return "; remove it with ip xfrm";
	case ENOKEY:
		return "; a kernel that is locked down shows no keys; with --kernel klips the SA would follow";
	case ENOSYS:
		return "; this kernel lacks an algorithm: load its module, or name others with --esp or --ah";
	case EPROTONOSUPPORT:
		return "; load the kernel's modules for ESP, AH and, with --compress, IPComp, or use --kernel klips";
	default:
		return "";
	}
}

void xfrm_job_fail(struct xfrm_jobs *js, struct xfrm_job *j, int error, const char *words)
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
	text_add(&t, "%s", error == EINVAL && j->if_invalid != NULL ? j->if_invalid : xfrm_remedy(error));
	finish(js, j, room);
}

/* ---- sending ------------------------------------------------------------------------- */

/* The next message, and those that go with it.  0 or an errno. */
static int send_some(struct xfrm_jobs *js, struct xfrm_job *j)
{
	struct xfrm_step *s;
	ssize_t n;

	if (++js->seq == 0)
		js->seq = 1;
	j->seq = js->seq;
	do {
		s = &j->step[j->sent++];
		s->m.u.h.nlmsg_seq = j->seq;
		n = mnl_socket_sendto(js->ask, &s->m, s->m.u.h.nlmsg_len);
		wipe(&s->m, sizeof(s->m));
	} while (n >= 0 && s->with_next);
	return n < 0 ? errno : 0;
}

static void go_on(struct xfrm_jobs *js, struct xfrm_job *j)
{
	int error = 0;

	if (j->at == j->n) {
		finish(js, j, NULL);
		return;
	}
	if (j->sent <= j->at) {
		j->sent = j->at;
		error = send_some(js, j);
	}
	if (error != 0)
		xfrm_job_fail(js, j, error, NULL);
	else
		HASH_ADD(hh, js->under_way, seq, sizeof(j->seq), j);
}

static void start_some(struct xfrm_jobs *js)
{
	struct xfrm_job *j;

	while (HASH_COUNT(js->under_way) < UNDER_WAY && (j = STAILQ_FIRST(&js->waiting)) != NULL) {
		STAILQ_REMOVE_HEAD(&js->waiting, waiting);
		go_on(js, j);
	}
}

void xfrm_job_submit(struct xfrm_jobs *js, struct xfrm_job *j)
{
	STAILQ_INSERT_TAIL(&js->waiting, j, waiting);
	start_some(js);
}

/* ---- answers ------------------------------------------------------------------------- */

static uint64_t clock_seconds(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec;
}

static void step_answered(struct xfrm_jobs *js, struct xfrm_job *j, int error, const char *words)
{
	enum xfrm_on_error rule = j->step[j->at].on_error;
	bool gone = error == ESRCH || error == ENOENT;
	bool instead = rule == XFRM_ELSE_NEXT || rule == XFRM_ONCE_MORE;	/* there is another step for this one */

	if (error != 0 && rule != XFRM_ONCE_MORE && (rule == XFRM_STOP || !gone)) {
		xfrm_job_fail(js, j, error, words);
		return;
	}
	j->at += instead && error == 0 ? 2 : 1;
	go_on(js, j);
}

static void take_answer(void *ctx, const struct nlmsghdr *h)
{
	const struct xfrm_usersa_info *sa = NULL;
	const char *words = NULL;
	struct xfrm_jobs *js = ctx;
	struct xfrm_job *j;
	int error = 0;

	HASH_FIND(hh, js->under_way, &h->nlmsg_seq, sizeof(h->nlmsg_seq), j);
	if (j == NULL)
		return;
	if (h->nlmsg_type == NLMSG_ERROR) {
		error = xfrm_error_of(h, &words);
	} else {
		sa = xfrm_sa_of(h);
		error = sa == NULL ? -1 : 0;
	}
	if (sa != NULL && j->step[j->at].if_ours && !xfrm_reqid_is_ours(sa->reqid)) {
		sa = NULL;
		j->at++;
	}
	if (sa != NULL) {
		j->result.spi = xfrm_id_of(sa).spi;
		j->result.counts = xfrm_counts_of(h, clock_seconds(CLOCK_REALTIME), clock_seconds(CLOCK_MONOTONIC));
	}
	HASH_DEL(js->under_way, j);
	if (sa != NULL && !addr_is_none(&j->moves_to.addr))
		error = go_on_moving(j, h);
	step_answered(js, j, error, words);
}

void xfrm_each_message(struct xfrm_jobs *js, size_t n, void (*take)(void *ctx, const struct nlmsghdr *h), void *ctx)
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)js->room;
	int left = (int)n;

	for (; !js->closing && mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left))
		take(ctx, h);
}

/* Answers were lost: their requests may have been carried out or not. */
static void lose_answers(struct xfrm_jobs *js)
{
	struct xfrm_job *j, *next, *lost = js->under_way;

	js->under_way = NULL;
	HASH_ITER(hh, lost, j, next) {
		HASH_DEL(lost, j);
		j->unsure = true;
		xfrm_job_fail(js, j, ENOBUFS, NULL);
	}
}

void xfrm_jobs_answers(struct xfrm_jobs *js)
{
	for (unsigned i = 0; i < XFRM_ANSWERS && !js->closing; i++) {
		ssize_t n = mnl_socket_recvfrom(js->ask, js->room, sizeof(js->room));

		if (n < 0 && errno == ENOBUFS)
			lose_answers(js);
		if (n < 0)
			break;
		xfrm_each_message(js, (size_t)n, take_answer, js);
	}
	if (!js->closing)
		start_some(js);
}

void xfrm_jobs_close(struct xfrm_jobs *js)
{
	struct xfrm_job *j, *next, *all = js->under_way;

	js->closing = true;
	js->under_way = NULL;
	HASH_ITER(hh, all, j, next) {
		HASH_DEL(all, j);
		job_free(j);
	}
	while ((j = STAILQ_FIRST(&js->waiting)) != NULL) {
		STAILQ_REMOVE_HEAD(&js->waiting, waiting);
		job_free(j);
	}
	xfrm_rules_free(&js->rules);
}
