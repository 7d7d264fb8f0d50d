/* check_security.c -- attacks on a pair of daemons, named after the cases of docs/security-coverage.md.
 *
 * check_security [--seed N] [--verbose] [--until-one] [CASE...]; --until-one: end with the first that succeeds. */
#include <stdio.h>
#include <stdlib.h>

#include "security.h"

#define CASE(name) { #name, name }

static const struct {
	const char *name;
	trial_run *run;
} cases[] = {
	CASE(b1_every_type_in_every_state),
	CASE(b3_nothing_without_keys),
	CASE(b4_cookies_of_a_refused_beginning),
	CASE(b5_identities_of_quick_mode),
	CASE(b6_deletes_in_every_order),
	CASE(b8_quick_mode_before_the_proof),
	CASE(b9_message_ids_are_used_once),
	CASE(b9_garbage_uses_no_message_ids),
	CASE(b11_commit_bit),
	CASE(b12_cookies_and_types_change),
	CASE(b12_other_addresses),
	CASE(b13_quick_mode_in_clear),
	CASE(b13_protection_is_that_of_the_row),
	CASE(b14_own_secret_is_missing),
	CASE(b15_nothing_in_clear_counts),
	CASE(b15_hashes_of_any_length),
	CASE(b16_only_the_right_secret),
	CASE(b16_no_key_proves_nothing),
	CASE(b18_quick_modes_are_capped),
	CASE(a10_the_other_version),
	CASE(c1_no_amplification),
	CASE(c1_copies_are_not_answered_for_ever),
	CASE(c2_half_open_is_bounded),
	CASE(c2_forged_road_warriors),
	CASE(c6_unreachable_ends_nothing),
	CASE(c7_short_lifetimes),
	CASE(d3_values_at_the_edge),
	CASE(d8_reflection),
	CASE(d9_garbage_moves_no_iv),
	CASE(d11_nothing_is_left_in_memory),
	CASE(e4_clients_of_another_peer),
	CASE(e5_spis_of_the_peer),
};

#define N_CASES (sizeof(cases) / sizeof(cases[0]))

static bool run_case(size_t i, uint64_t seed, bool verbose)
{
	struct trial t;

	trial_begin(&t, cases[i].name, seed, verbose);
	cases[i].run(&t);
	trial_end(&t);
	printf("%s %s\n", t.failed ? "FAILED" : "ok    ", cases[i].name);
	return !t.failed;
}

static bool wanted(const char *name, int argc, char **argv, int first)
{
	for (int i = first; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return true;
	return first == argc;
}

int main(int argc, char **argv)
{
	uint64_t seed = 1;
	bool verbose = false, until_one = false;
	unsigned ran = 0, failed = 0;
	int first = 1;

	for (; first < argc && argv[first][0] == '-'; first++) {
		if (strcmp(argv[first], "--verbose") == 0)
			verbose = true;
		else if (strcmp(argv[first], "--until-one") == 0)	/* succeeds */
			until_one = true;
		else if (strcmp(argv[first], "--seed") == 0 && first + 1 < argc)
			seed = strtoull(argv[++first], NULL, 0);
		else
			return fprintf(stderr, "check_security: give --seed N, --verbose, --until-one and names of cases\n"), 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	trial_program = "check_security";
	for (size_t i = 0; i < N_CASES && (failed == 0 || !until_one); i++) {
		if (!wanted(cases[i].name, argc, argv, first))
			continue;
		ran++;
		failed += !run_case(i, seed, verbose);
	}
	if (ran == 0)
		return fprintf(stderr, "check_security: there is no such case\n"), 2;
	printf("%u attacks, %u succeeded\n", ran, failed);
	return failed == 0 ? 0 : 1;
}
