/* followup.h -- what follows phase 1 before phase 2: XAUTH, and an address by Mode Config.
 *
 * An ISAKMP SA that has to wait for either is established, but not ready: no Quick Mode begins under it, who asked
 * for it is not told of success, and an earlier ISAKMP SA serves on. */
#ifndef PLUTO_IKE_FOLLOWUP_H
#define PLUTO_IKE_FOLLOWUP_H

#include "ike/internal.h"
#include "ike/lease.h"

/* Phase 1 is established: what has to come first?  Calls phase1_ready(p) when nothing is left. */
void followup_begin(struct phase1 *p);

/* One of enum followup_step has come; the next one is due once the answer is sent. */
void followup_done(struct phase1 *p, uint32_t step);

/* The gateway's lease for p, which takes it over. */
void followup_lease(struct phase1 *p, struct lease *l);

/* p cannot go on: it ends as soon as the answer to the message at hand is sent.  why lives as long as that. */
void followup_give_up(struct phase1 *p, const struct refusal *why);

/* An answer is sent, or came: go on, or end. */
void followup_go_on(struct phase1 *p);

/* p ends now; again: it may be tried anew. */
void followup_fail(struct phase1 *p, const struct refusal *why, bool again);

/* What p waits for, in words. */
const char *followup_awaited(const struct phase1 *p);

/* p ends. */
void followup_stop(struct phase1 *p);

/* Begin Quick Mode for c under p, which is ready.  If p brought c another address than it has, c gives up its SAs and
 * its route first. */
void followup_phase2(struct phase1 *p, struct connection *c, uint32_t whack, uint32_t try);

/* Our vendor IDs for what c wants after phase 1, two at most, into list; how many. */
size_t followup_vendors(const struct connection *c, struct emit_VID *list);

/* transaction.c: exchanges of Mode Config under p */
void transaction_pull(struct phase1 *p);
const struct refusal *transaction_admit(struct ike *ike, struct exchange *x);
void transaction_moved(struct exchange *x);
void transaction_ended(struct exchange *x, enum end_reason why);

#endif
