/* plan.h -- a sequence of requests to the kernel for one connection, one after the other.
 *
 * Plans that concern the same client of a peer run in the order they were made, whatever their
 * connections: they work on the same route.  So commands, expiry and negotiations never interleave. */
#ifndef PLUTO_IKE_PLAN_H
#define PLUTO_IKE_PLAN_H

#include "ike/await.h"
#include "ike/connection.h"

#define PLAN_STEPS 16

/* Steps about routes and eroutes do what is needed when they are due, which may be nothing. */
enum step_kind {
	STEP_ADD_SA, STEP_DEL_SA, STEP_MOVE_SA,
	STEP_PREPARE, STEP_COVER, STEP_ROUTE,	/* the connection is routed: a trap, then the route */
	STEP_CARRY, STEP_UP,			/* its eroute leads to SAs */
	STEP_TRAP, STEP_DOWN,			/* its eroute is a trap again */
	STEP_TRAP_AGAIN,			/* its trap is set anew, so that it reports */
	STEP_UNROUTE, STEP_UNCOVER,		/* it is not routed any more */
};

struct step {
	enum step_kind kind;
	bool tolerant;			/* failure is logged, the plan goes on */
	union {
		struct kernel_sa sa;	/* its keys are in `keys` */
		struct sa_id id;
		struct { struct sa_id id; bool inbound; struct endpoint peer; } move;
		struct kernel_eroute eroute;
	} u;
	struct buf keys;		/* cipher key and mac key, wiped with the plan */
};

struct errand;
struct lane;
struct plan;

typedef void plan_done(struct ike *ike, void *ctx, const struct plan *p);

struct plan {
	STAILQ_ENTRY(plan) next;
	struct ike *ike;
	struct connection *c;
	struct lane *lane;
	unsigned n, at;
	bool running, failed;
	bool lost;			/* an SA that was to be moved is gone */
	const char *verb;		/* of the updown command that runs, or has failed; NULL = none */
	struct connection *heir;	/* STEP_UNCOVER: whose trap is set; NULL = the eroute is deleted */
	char why[160];			/* what has failed */
	struct step step[PLAN_STEPS];
	struct request_list requests;
	/* Called when the last step is done or one has failed; NULL = nobody asks. */
	plan_done *done;
	void *ctx;
	struct errand *errand;		/* the request of whack that waits for it; NULL = none */
};

/* An empty plan for c, which stays in memory at least as long as the plan. */
struct plan *plan_new(struct ike *ike, struct connection *c);

/* Append steps.  sa's keys are copied. */
void plan_add_sa(struct plan *p, const struct kernel_sa *sa);
void plan_del_sa(struct plan *p, const struct sa_id *id);
/* If that fails the plan goes on with the others, but the eroute stays as it is: `lost` tells. */
void plan_move_sa(struct plan *p, const struct sa_id *id, bool inbound, const struct endpoint *peer);

/* c is routed: prepare, a trap for its clients, route. */
void plan_route(struct plan *p);
/* c, which has given up its claim, is not routed any more: unroute, no trap; unless others need them. */
void plan_unroute(struct plan *p);
/* Outgoing traffic takes these SAs: the eroute first, so that packets do not wait for a script; then up. */
void plan_carry(struct plan *p, const struct kernel_eroute *e, bool tolerant);
/* It takes none: a trap in place of the eroute.  Then down, in a step of its own. */
void plan_trap(struct plan *p);
void plan_down(struct plan *p);
/* Its trap, if it still has one, reports the next packet. */
void plan_trap_again(struct plan *p);

/* Hand the plan over; it frees itself.  done may be called before this returns. */
void plan_submit(struct plan *p, plan_done *done, void *ctx);

/* Why a plan has failed, for whoever asked for it. */
const struct refusal *plan_refusal(struct arena *a, const struct plan *p);

/* A plan that is not to run after all. */
void plan_drop(struct plan *p);

/* Whoever asked for the result with this ctx asks no more. */
void plans_forget(struct ike *ike, const struct connection *c, const void *ctx);

/* Drop whatever is still waiting: the kernel backend is gone. */
void plans_free(struct ike *ike);

#endif
