/* joint.h -- one request of whack that is carried out for several connections: it is finished when all are done,
 * and its last line tells of all. */
#ifndef PLUTO_IKE_JOINT_H
#define PLUTO_IKE_JOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ike;

/* The request of `whack` is for n connections described as name: so many calls of ike_finish end it.  `reached` is
 * what becomes of each, as "up".  With n == 1 there is nothing to join. */
void joint_begin(struct ike *ike, uint32_t whack, const char *name, const char *reached, size_t n);

/* The request of `whack`, for one connection described as name or for several already, is for so many more. */
void joint_widen(struct ike *ike, uint32_t whack, const char *name, const char *reached, size_t more);

/* One of the connections of the request is no more, and not missed.  False: the request is for that one alone. */
bool joint_narrow(struct ike *ike, uint32_t whack);

/* A line with that status goes to whack. */
void joint_replied(struct ike *ike, uint32_t whack, uint16_t status);

/* One of the connections is done.  True: others are not, whack waits; else the last line is said. */
bool joint_waits(struct ike *ike, uint32_t whack);

/* That whack is gone. */
void joint_gone(struct ike *ike, uint32_t whack);
void joints_free(struct ike *ike);

#endif
