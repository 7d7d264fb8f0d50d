/* plan.h -- a sequence of requests to the kernel for one connection, one after the other.
 *
 * Plans that concern the same client of a peer run in the order they were made, whatever their
 * connections: they work on the same route.  So commands, expiry and negotiations never interleave. */
#ifndef PLUTO_IKE_PLAN_H
#define PLUTO_IKE_PLAN_H

#include "ike/await.h"
#include "ike/connection.h"

#define PLAN_STEPS 16

enum step_kind { STEP_ADD_SA, STEP_DEL_SA, STEP_SET_EROUTE, STEP_DEL_EROUTE, STEP_UPDOWN };

struct step {
	enum step_kind kind;
	bool tolerant;			/* failure is logged, the plan goes on */
	union {
		struct kernel_sa sa;	/* its keys are in `keys` */
		struct sa_id id;
		struct kernel_eroute eroute;
		struct { const char *verb; } updown;
	} u;
	struct buf keys;		/* cipher key and mac key, wiped with the plan */
};

struct lane;

struct plan {
	STAILQ_ENTRY(plan) next;
	struct ike *ike;
	struct connection *c;
	struct lane *lane;
	unsigned n, at;
	bool running, failed;
	char why[160];
	struct step step[PLAN_STEPS];
	struct request_list requests;
	/* Called when the last step is done or one has failed; NULL = nobody asks. */
	void (*done)(struct ike *ike, void *ctx, bool ok, const char *why);
	void *ctx;
};

/* An empty plan for c, which stays in memory at least as long as the plan. */
struct plan *plan_new(struct ike *ike, struct connection *c);

/* Append steps.  sa's keys are copied. */
void plan_add_sa(struct plan *p, const struct kernel_sa *sa);
void plan_del_sa(struct plan *p, const struct sa_id *id);
void plan_eroute(struct plan *p, const struct kernel_eroute *e);
/* When the step appended last fails that is logged, and the plan goes on. */
void plan_tolerate(struct plan *p);
void plan_del_eroute(struct plan *p, const struct kernel_eroute *e);
void plan_updown(struct plan *p, const char *verb, bool tolerant);	/* "up": -host or -client is added */

/* Hand the plan over; it frees itself.  done may be called before this returns. */
void plan_submit(struct plan *p, void (*done)(struct ike *, void *, bool, const char *), void *ctx);

/* A plan that is not to run after all. */
void plan_drop(struct plan *p);

/* Whoever asked for the result with this ctx asks no more. */
void plans_forget(struct ike *ike, const struct connection *c, const void *ctx);

/* Drop whatever is still waiting: the kernel backend is gone. */
void plans_free(struct ike *ike);

#endif
