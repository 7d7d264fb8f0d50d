/* timer.h -- deadlines on the engine's clock: an intrusive binary heap. */
#ifndef PLUTO_ENGINE_TIMER_H
#define PLUTO_ENGINE_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer {
	uint64_t at;		/* milliseconds */
	size_t pos;		/* place in the heap, from 1; 0 = not armed */
	void (*fire)(void *ctx, uint64_t now);
	void *ctx;
};

struct timers {
	struct timer **heap;
	size_t n, cap;
};

/* Arm, or move, t to fire at `at`. */
void timer_arm(struct timers *ts, struct timer *t, uint64_t at);

void timer_disarm(struct timers *ts, struct timer *t);

static inline bool timer_armed(const struct timer *t)
{
	return t->pos != 0;
}

/* The earliest deadline, UINT64_MAX when there is none. */
uint64_t timers_next(const struct timers *ts);

/* Fire everything due at `now`, earliest first, at most once each for one call. */
void timers_run(struct timers *ts, uint64_t now);

void timers_free(struct timers *ts);

#endif
