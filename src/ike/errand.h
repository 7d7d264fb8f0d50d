/* errand.h -- requests of whack that are answered when their work with the kernel is done: a script may take
 * its time, and whether it failed is part of the answer. */
#ifndef PLUTO_IKE_ERRAND_H
#define PLUTO_IKE_ERRAND_H

#include "ike/ike.h"

struct errand;
struct refusal;

/* Every plan that is made from here to errand_end belongs to the request of `whack`.  at_once: whack does not
 * wait, and is told nothing. */
void errand_begin(struct ike *ike, uint32_t whack, bool at_once);

/* The request is made; when its plans have run and nothing went wrong, whack is told this. */
void errand_end(struct ike *ike, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The request cannot be made at all; it has made no plan. */
void errand_refuse(struct ike *ike, const struct refusal *why);

/* One more thing to wait for, and one that is done.  e may be NULL. */
void errand_hold(struct errand *e);
void errand_release(struct ike *ike, struct errand *e);

/* Something went wrong: whack is told at once, and its exit status says so.  e may be NULL. */
void errand_trouble(struct ike *ike, struct errand *e, const struct refusal *why);

/* Nobody is told any more. */
void errand_drop(struct errand *e);

#endif
