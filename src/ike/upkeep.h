/* upkeep.h -- connections that are to be up: a packet that meets their trap begins a negotiation
 * (--ondemand), and what went down is negotiated again (--revive, --dpdaction restart).
 *
 * There is one negotiation of a connection at a time, and after each that came to nothing a pause, which
 * is doubled each time up to a limit; so a dead peer is not flooded, and neither is the log. */
#ifndef PLUTO_IKE_UPKEEP_H
#define PLUTO_IKE_UPKEEP_H

#include "ike/connection.h"

/* whack has asked for c: it is wanted from now on if that is its policy, and there is no pause. */
void upkeep_initiated(struct ike *ike, struct connection *c);

/* Negotiate c now, and again until it is up: its peer was dead. */
void upkeep_restart(struct ike *ike, struct connection *c);

/* Nobody wants c any more. */
void upkeep_stop(struct ike *ike, struct connection *c);

/* A gateway did not let in the user of c, and would lock him out in the end: nothing but whack begins again. */
void upkeep_bar(struct ike *ike, struct connection *c);

/* c cannot be negotiated until it is oriented again; then it goes on. */
void upkeep_pause(struct ike *ike, struct connection *c);
void upkeep_resume(struct ike *ike, struct connection *c);

/* What became of c: an SA carries its traffic; a negotiation came to nothing; an SA is gone. */
void upkeep_up(struct ike *ike, struct connection *c);
void upkeep_failed(struct ike *ike, struct connection *c);
void upkeep_lost(struct ike *ike, struct connection *c);

/* A packet met a trap. */
void upkeep_acquire(struct ike *ike, const struct kernel_acquire *a);

/* When c is negotiated again (wanted), or packets may begin a negotiation again; 0 = nothing is waited for. */
uint64_t upkeep_due(const struct connection *c);

#endif
