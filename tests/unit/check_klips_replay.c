/* check_klips_replay.c -- the anti-replay window against a plain list of what was seen. */
#include "kernel/replay.h"
#include "must.h"
#include "suite.h"

#include <check.h>
#include <stdlib.h>

START_TEST(window_is_bounded)
{
	struct replay r;

	replay_init(&r, 0);
	ck_assert_uint_eq(r.window, REPLAY_MIN);
	replay_init(&r, 1000000);
	ck_assert_uint_eq(r.window, REPLAY_MAX);
}
END_TEST

START_TEST(edges)
{
	struct replay r;

	replay_init(&r, 64);
	ck_assert(!replay_fresh(&r, 0));
	ck_assert(replay_fresh(&r, 1));
	replay_accept(&r, 1);
	ck_assert(!replay_fresh(&r, 1));
	replay_accept(&r, 100);
	ck_assert(replay_fresh(&r, 37));	/* 100 - 63: the last one inside */
	ck_assert(!replay_fresh(&r, 36));
	ck_assert(replay_fresh(&r, 99));
	replay_accept(&r, UINT32_MAX);
	ck_assert(!replay_fresh(&r, UINT32_MAX));
	ck_assert(replay_fresh(&r, UINT32_MAX - 63));
	ck_assert(!replay_fresh(&r, UINT32_MAX - 64));
	ck_assert(!replay_fresh(&r, 101));
}
END_TEST

/* Asking changes nothing: a forged number must not move the window. */
START_TEST(asking_is_harmless)
{
	struct replay r;

	replay_init(&r, 64);
	replay_accept(&r, 10);
	ck_assert(replay_fresh(&r, UINT32_MAX));
	ck_assert_uint_eq(r.top, 10);
	ck_assert(replay_fresh(&r, 9));
}
END_TEST

#define TRIES 200000
#define SPAN 20000

START_TEST(agrees_with_a_list)
{
	static bool seen[SPAN];
	unsigned windows[] = { 64, 65, 100, 1024, REPLAY_MAX };
	struct replay r;
	uint32_t top = 0;

	memset(seen, 0, sizeof seen);
	replay_init(&r, windows[_i]);
	srandom(7);
	for (unsigned i = 0; i < TRIES; i++) {
		uint32_t seq = top / 2 + (uint32_t)random() % 200 + (uint32_t)random() % (top / 2 + 5);
		bool want;

		if (random() % 1000 == 0)
			seq += 2100;	/* farther than the ring is long */
		if (seq >= SPAN)
			seq = SPAN - 1;
		want = seq != 0 && !seen[seq] && (seq > top || top - seq < r.window);
		must(replay_fresh(&r, seq) == want, "seq %u top %u", seq, top);
		if (!want)
			continue;
		replay_accept(&r, seq);
		seen[seq] = true;
		if (seq > top)
			top = seq;
	}
	ck_assert_uint_eq(r.top, top);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("klips_replay");
	TCase *c = tcase_create("window");

	tcase_add_test(c, window_is_bounded);
	tcase_add_test(c, edges);
	tcase_add_test(c, asking_is_harmless);
	tcase_add_loop_test(c, agrees_with_a_list, 0, 5);
	suite_add_tcase(s, c);
	return run_suite(s);
}
