/* replay.c -- the anti-replay window: a ring of bits that is never shifted (RFC 6479). */
#include "kernel/replay.h"

static size_t word_of(uint32_t seq)
{
	return (seq / 64) % REPLAY_WORDS;
}

static uint64_t bit_of(uint32_t seq)
{
	return UINT64_C(1) << (seq % 64);
}

void replay_init(struct replay *r, unsigned window)
{
	memset(r, 0, sizeof *r);
	if (window < REPLAY_MIN)
		window = REPLAY_MIN;
	if (window > REPLAY_MAX)
		window = REPLAY_MAX;
	r->window = window;
}

bool replay_fresh(const struct replay *r, uint32_t seq)
{
	if (seq == 0)		/* the first packet has number 1 */
		return false;
	if (seq > r->top)
		return true;
	if (r->top - seq >= r->window)
		return false;
	return (r->seen[word_of(seq)] & bit_of(seq)) == 0;
}

void replay_accept(struct replay *r, uint32_t seq)
{
	if (seq > r->top) {
		uint32_t from = r->top / 64, to = seq / 64;

		/* The words between the old top and the new one now stand for other numbers. */
		if (to - from >= REPLAY_WORDS)
			memset(r->seen, 0, sizeof r->seen);
		else
			for (uint32_t w = from + 1; w <= to; w++)
				r->seen[w % REPLAY_WORDS] = 0;
		r->top = seq;
	}
	r->seen[word_of(seq)] |= bit_of(seq);
}
