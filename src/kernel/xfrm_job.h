/* xfrm_job.h -- what is asked of the kernel's IPsec: jobs of a few netlink messages, one after the other.
 *
 * Each message is answered by the kernel.  Jobs are independent of each other; so many at a time are under way that
 * their answers fit in the socket. */
#ifndef PLUTO_KERNEL_XFRM_JOB_H
#define PLUTO_KERNEL_XFRM_JOB_H

#include <sys/queue.h>

#include "kernel/xfrm_rules.h"

#define XFRM_JOB_STEPS 5
#define XFRM_ANSWER_OCTETS 16384
#define XFRM_ANSWERS 64		/* datagrams before everybody else has a turn */

/* What an error means for the job.  The next step is done only if this one finds nothing (XFRM_ELSE_NEXT), or only if it
 * fails (XFRM_ONCE_MORE). */
enum xfrm_on_error { XFRM_STOP, XFRM_GO_ON_IF_GONE, XFRM_ELSE_NEXT, XFRM_ONCE_MORE };

struct xfrm_step {
	struct xfrm_message m;
	enum xfrm_on_error on_error;
	bool with_next;		/* the next one is sent at once, before this one's answer is looked at */
	bool if_ours;		/* the next one is left out where the answer shows an SA of another program */
	bool adds;		/* a policy that was not there */
	struct xfrm_rule rule;
};

struct xfrm_job {
	uint32_t seq;		/* of the messages that are under way */
	uint32_t token;
	bool silent;		/* nobody is told */
	struct endpoint moves_to;	/* of the peer, whose SA it asks for; its address is none if nothing moves */
	bool moves_inbound;
	struct sa_id moves;	/* the SA, by its name before */
	bool unsure;		/* what became of the last step is not known */
	unsigned n, at, sent;	/* steps */
	struct xfrm_step step[XFRM_JOB_STEPS];
	struct kernel_result result;
	char what[120];		/* "cannot ..." */
	const char *if_invalid;	/* what EINVAL means and what to do: "; ...", NULL = who knows */
	STAILQ_ENTRY(xfrm_job) waiting;
	UT_hash_handle hh;
};

struct xfrm_jobs {
	struct mnl_socket *ask;
	struct kernel_events events;
	struct xfrm_rules rules;	/* the policies that stand, or are being asked for */
	bool closing;
	uint32_t seq;
	struct xfrm_job *under_way;
	STAILQ_HEAD(, xfrm_job) waiting;
	uint8_t room[XFRM_ANSWER_OCTETS];
};

/* A job without steps, to be submitted or failed; ike is told what came out under that token. */
struct xfrm_job *xfrm_job_new(uint32_t token);

/* One step more; its message is to be filled in. */
struct xfrm_step *xfrm_job_step(struct xfrm_job *j, enum xfrm_on_error on_error);

/* The steps that change policies. */
void xfrm_job_changes(struct xfrm_job *j, const struct xfrm_change *c, unsigned n);

/* The steps that delete an SA, and tell what it has counted.  One of another program stays. */
void xfrm_job_delete(struct xfrm_job *j, const struct sa_id *id);

/* The steps that give the peer of an SA another endpoint.  Should they fail the SA is deleted. */
void xfrm_job_move(struct xfrm_job *j, const struct sa_id *id, bool inbound, const struct endpoint *peer);

/* It is done when the kernel has answered to what was submitted before; then it is freed. */
void xfrm_job_submit(struct xfrm_jobs *js, struct xfrm_job *j);

/* It ends by this errno, -1 for an answer that is none, and the kernel's own words, or NULL. */
void xfrm_job_fail(struct xfrm_jobs *js, struct xfrm_job *j, int error, const char *words);

/* What the operator can do about an errno of the kernel: "; ..." or nothing. */
const char *xfrm_remedy(int error);

/* Calls take(ctx, message) for each message of the n octets in js->room, until the jobs are closed. */
void xfrm_each_message(struct xfrm_jobs *js, size_t n, void (*take)(void *ctx, const struct nlmsghdr *h), void *ctx);

/* Take what the kernel has answered, and send on. */
void xfrm_jobs_answers(struct xfrm_jobs *js);

/* Whatever is under way or waits is forgotten, without a word. */
void xfrm_jobs_close(struct xfrm_jobs *js);

#endif
