/* timer.c -- an intrusive binary heap of deadlines. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "engine/timer.h"

static void place(struct timers *ts, struct timer *t, size_t i)
{
	ts->heap[i] = t;
	t->pos = i + 1;
}

static void sift_up(struct timers *ts, size_t i)
{
	struct timer *t = ts->heap[i];

	while (i > 0 && ts->heap[(i - 1) / 2]->at > t->at) {
		place(ts, ts->heap[(i - 1) / 2], i);
		i = (i - 1) / 2;
	}
	place(ts, t, i);
}

static void sift_down(struct timers *ts, size_t i)
{
	struct timer *t = ts->heap[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= ts->n)
			break;
		if (child + 1 < ts->n && ts->heap[child + 1]->at < ts->heap[child]->at)
			child++;
		if (ts->heap[child]->at >= t->at)
			break;
		place(ts, ts->heap[child], i);
		i = child;
	}
	place(ts, t, i);
}

void timer_disarm(struct timers *ts, struct timer *t)
{
	if (t->pos == 0)
		return;
	size_t i = t->pos - 1;
	struct timer *last = ts->heap[--ts->n];

	t->pos = 0;
	if (last == t)
		return;
	place(ts, last, i);
	sift_up(ts, i);
	sift_down(ts, last->pos - 1);
}

void timer_arm(struct timers *ts, struct timer *t, uint64_t at)
{
	timer_disarm(ts, t);
	if (ts->n == ts->cap) {
		ts->cap = ts->cap == 0 ? 64 : 2 * ts->cap;
		ts->heap = xrealloc(ts->heap, ts->cap * sizeof(struct timer *));
	}
	t->at = at;
	ts->n++;
	place(ts, t, ts->n - 1);
	sift_up(ts, ts->n - 1);
}

uint64_t timers_next(const struct timers *ts)
{
	return ts->n == 0 ? UINT64_MAX : ts->heap[0]->at;
}

void timers_run(struct timers *ts, uint64_t now)
{
	/* A handler that arms a timer in the past is served by the next call, so that the
	 * loop between two calls always gets its turn. */
	for (size_t budget = ts->n; budget > 0 && ts->n > 0 && ts->heap[0]->at <= now; budget--) {
		struct timer *t = ts->heap[0];

		timer_disarm(ts, t);
		t->fire(t->ctx, now);
	}
}

void timers_free(struct timers *ts)
{
	free(ts->heap);
	*ts = (struct timers){ 0 };
}
