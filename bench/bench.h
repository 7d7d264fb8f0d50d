/* bench.h -- how long something takes. */
#ifndef PLUTO_BENCH_H
#define PLUTO_BENCH_H

#include <time.h>

static inline double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Seconds for one run of what(arg), run so many times between two looks at the clock and at least for `seconds`: the best of
 * three, as others use the machine too. */
static inline double cost_of(void (*what)(void *arg), void *arg, unsigned between, double seconds)
{
	double best = 1e9;

	for (int i = 0; i < 3; i++) {
		double start = now(), end;
		unsigned n = 0;

		do {
			for (unsigned j = 0; j < between; j++)
				what(arg);
			n += between;
		} while ((end = now()) - start < seconds);
		if ((end - start) / n < best)
			best = (end - start) / n;
	}
	return best;
}

#endif
