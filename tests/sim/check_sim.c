/* check_sim.c -- thousands of negotiations between two daemons on a virtual clock and a bad network.
 *
 * check_sim [--seed N] [--runs N] [--verbose] [KIND...]: of each kind the default number of runs, or N;
 * the seed of the first run is N, each further run has the next one.  Kinds that take long are run as often as
 * that only when they are named. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "trial.h"

static const struct kind {
	const char *name;
	trial_run *run;
	unsigned runs;
} kinds[] = {
	{ "negotiate", run_negotiate, 2000 },
	{ "both", run_both, 200 },
	{ "terminate", run_terminate, 100 },
	{ "shutdown", run_shutdown, 100 },
	{ "leave", run_leave, 20 },
	{ "delete", run_delete, 100 },
	{ "restart", run_restart, 40 },
	{ "away", run_away, 40 },
	{ "kernel", run_kernel, 200 },
	{ "wrong-secret", run_wrong_secret, 40 },
	{ "aggr-negotiate", run_aggr_negotiate, 400 },
	{ "aggr-last-lost", run_aggr_last_lost, 20 },
	{ "aggr-forged", run_aggr_forged, 400 },
	{ "aggr-refused", run_aggr_refused, 12 },
	{ "aggr-flood", run_aggr_flood, 2 },
	{ "frag-negotiate", run_frag_negotiate, 200 },
	{ "frag-lost", run_frag_lost, 20 },
	{ "frag-hostile", run_frag_hostile, 20 },
	{ "frag-many", run_frag_many, 2 },
	{ "no-suite", run_no_suite, 40 },
	{ "silent", run_silent, 20 },
	{ "unknown", run_unknown, 4 },
	{ "stranger", run_stranger, 4 },
	{ "suits", run_suits, 8 },
	{ "bits", run_bits, 600 },
	{ "replay", run_replay, 40 },
	{ "garbage", run_garbage, 40 },
	{ "matrix", run_matrix, 20 },
	{ "flood", run_flood, 4 },
	{ "aborted", run_aborted, 4 },
	{ "rekey", run_rekey, 12 },
	{ "collide-first", run_collide_first, 40 },
	{ "collide", run_collide, 20 },
	{ "dpd-alive", run_dpd_alive, 20 },
	{ "dpd-traffic", run_dpd_traffic, 2 },
	{ "dpd-lost", run_dpd_lost, 10 },
	{ "dpd-dead", run_dpd_dead, 60 },
	{ "dpd-unable", run_dpd_unable, 2 },
	{ "contact-restart", run_contact_restart, 40 },
	{ "contact-both", run_contact_both, 200 },
	{ "contact-forged", run_contact_forged, 20 },
	{ "contact-other", run_contact_other, 4 },
	{ "suspect", run_suspect, 4 },
	{ "ondemand", run_ondemand, 20 },
	{ "ondemand-several", run_ondemand_several, 10 },
	{ "ondemand-dead", run_ondemand_dead, 6 },
	{ "ondemand-crowd", run_ondemand_crowd, 2 },
	{ "revive-dead", run_revive_dead, 6 },
	{ "revive-delete", run_revive_delete, 10 },
	{ "revive-flap", run_revive_flap, 4 },
	{ "revive-rekey", run_revive_rekey, 6 },
	{ "revive-away", run_revive_away, 4 },
	{ "defaultroute", run_defaultroute, 40 },
	{ "dpd-restart", run_dpd_restart, 10 },
	{ "forgotten", run_forgotten, 20 },
	{ "used-up", run_used_up, 10 },
	{ "nat-several", run_nat_several, 20 },
	{ "nat-rebinds", run_nat_rebinds, 20 },
	{ "nat-silence", run_nat_silence, 4 },
	{ "nat-drafts", run_nat_drafts, 48 },
	{ "nat-forbidden", run_nat_forbidden, 4 },
	{ "nat-unserved", run_nat_unserved, 4 },
	{ "nat-discovery", run_nat_discovery, 40 },
	{ "nat-transport", run_nat_transport, 4 },
	{ "nat-aggressive", run_nat_aggressive, 8 },
	{ "nat-crowd", run_nat_crowd, 2 },
	{ "nat-hogs", run_nat_hogs, 2 },
	{ "nat-moved", run_nat_moved, 4 },
	{ "nat-immovable", run_nat_immovable, 4 },
	{ "nat-transport-moves", run_nat_transport_moves, 4 },
	{ "nat-transport-fixed", run_nat_transport_fixed, 2 },
	{ "nat-ah", run_nat_ah, 8 },
	{ "nat-taken", run_nat_taken, 8 },
	{ "gateway", run_gateway, 12 },
	{ "gateway-refused", run_gateway_refused, 28 },
	{ "gateway-odd", run_gateway_odd, 34 },
	{ "gateway-early", run_gateway_early, 4 },
	{ "gateway-moves", run_gateway_moves, 8 },
	{ "gateway-lossy", run_gateway_lossy, 48 },
	{ "gateway-renews", run_gateway_renews, 6 },
	{ "gateway-split", run_gateway_split, 8 },
	{ "gateway-split-revives", run_gateway_split_revives, 4 },
	{ "gateway-split-outside", run_gateway_split_outside, 2 },
	{ "gateway-rsa", run_gateway_rsa, 12 },
	{ "gateway-rsa-lossy", run_gateway_rsa_lossy, 24 },
	{ "gateway-rsa-renews", run_gateway_rsa_renews, 6 },
	{ "gateway-rsa-refused", run_gateway_rsa_refused, 28 },
	{ "gateway-method", run_gateway_method, 8 },
	{ "road", run_road, 20 },
	{ "road-expired", run_road_expired, 6 },
	{ "road-moves", run_road_moves, 20 },
	{ "road-hostile", run_road_hostile, 2 },
	{ "road-rsa", run_road_rsa, 2 },
	{ "road-trouble", run_road_trouble, 480 },
	{ "road-flood", run_road_flood, 1 },
	{ "switch-lost", run_switch_lost, 60 },
	{ "switch-silent", run_switch_silent, 20 },
	{ "switch-asked", run_switch_asked, 10 },
	{ "life-told", run_life_told, 8 },
	{ "life-volume", run_life_volume, 40 },
	{ "life-spent", run_life_spent, 2 },
	{ "odd-vendors", run_odd_vendors, 20 },
	{ "odd-reserved", run_odd_reserved, 20 },
	{ "odd-order", run_odd_order, 40 },
	{ "odd-notify", run_odd_notifications, 40 },
	{ "odd-requests", run_odd_requests, 20 },
	{ "odd-cert", run_odd_certificate, 2 },
	{ "odd-padding", run_odd_padding, 40 },
	{ "odd-numbers", run_odd_numbers, 40 },
	{ "odd-bundles", run_odd_bundles, 20 },
	{ "odd-twice", run_odd_twice, 2 },
	{ "odd-lives", run_odd_lives, 20 },
	{ "odd-pairs", run_odd_pairs, 20 },
	{ "odd-spi", run_odd_spi, 20 },
	{ "odd-much", run_odd_much, 2 },
	{ "odd-id-port", run_odd_id_port, 20 },
	{ "odd-clients", run_odd_no_clients, 20 },
	{ "odd-restart", run_odd_restart, 40 },
	{ "odd-contact", run_odd_contact, 20 },
	{ "pairs", run_pairs, 40 },
	{ "pairs-partly", run_pairs_partly, 2 },
	{ "pairs-ports", run_pairs_ports, 2 },
	{ "pairs-any-port", run_pairs_any_port, 2 },
	{ "pairs-road", run_pairs_road, 4 },
	{ "pairs-dead", run_pairs_dead, 10 },
	{ "pairs-refused", run_pairs_refused, 1 },
	{ "pairs-in-turn", run_pairs_in_turn, 4 },
	{ "pairs-orphaned", run_pairs_orphaned, 20 },
	{ "half-margin", run_half_margin, 2 },
	{ "newest", run_newest, 2 },
	{ "inherit", run_inherit, 2 },
	{ "herd", run_herd, 2 },
	{ "month", run_month, 1 },
	{ "month-300", run_month_300, 1 },
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))
#define ROW_REPEATS 3

struct options {
	uint64_t seed;
	unsigned runs;		/* 0 = the default of the kind */
	bool verbose, named;	/* kinds are named */
	int first;		/* of argv that names a kind */
};

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static bool lengthy(const struct kind *k)
{
	return k->run == run_month || k->run == run_month_300 || k->run == run_herd || k->run == run_road_flood;
}

static unsigned run_kind(const struct kind *k, const struct options *o)
{
	unsigned runs = o->runs != 0 && (o->named || !lengthy(k)) ? o->runs : k->runs, failed = 0;
	double start = seconds();

	for (unsigned i = 0; i < runs && failed < 5; i++) {
		struct trial t;

		trial_begin(&t, k->name, o->seed + i, o->verbose);
		k->run(&t);
		trial_end(&t);
		failed += t.failed;
	}
	printf("%-14s %5u runs  %6.2f s%s\n", k->name, runs, seconds() - start, failed > 0 ? "  FAILED" : "");
	return failed;
}

/* Each row of each suite of the spec; the seed tells which one. */
static unsigned run_rows(const struct options *o)
{
	unsigned failed = 0, runs = 0;
	double start = seconds();

	for (size_t i = 0;; i++) {
		struct trial t, probe = { 0 };

		if (!trial_row(&probe, (o->seed - 1 + i) / ROW_REPEATS) || (o->runs != 0 && runs == o->runs))
			break;
		trial_begin(&t, "rows", o->seed + i, o->verbose);
		trial_run_row(&t, (size_t)(t.seed - 1) / ROW_REPEATS);
		trial_end(&t);
		failed += t.failed;
		runs++;
	}
	printf("%-14s %5u runs  %6.2f s%s\n", "rows", runs, seconds() - start, failed > 0 ? "  FAILED" : "");
	return failed;
}

static bool wanted(const char *name, int argc, char **argv, int first)
{
	for (int i = first; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return true;
	return first == argc;
}

static struct options parse(int argc, char **argv)
{
	struct options o = { .seed = 1, .first = 1 };

	for (; o.first < argc && argv[o.first][0] == '-'; o.first++) {
		if (strcmp(argv[o.first], "--verbose") == 0)
			o.verbose = true;
		else if (strcmp(argv[o.first], "--seed") == 0 && o.first + 1 < argc)
			o.seed = strtoull(argv[++o.first], NULL, 0);
		else if (strcmp(argv[o.first], "--runs") == 0 && o.first + 1 < argc)
			o.runs = (unsigned)strtoul(argv[++o.first], NULL, 0);
		else {
			fprintf(stderr, "check_sim: unknown option %s; give --seed N, --runs N, --verbose and "
				"names of kinds\n", argv[o.first]);
			exit(2);
		}
	}
	o.named = o.first < argc;
	return o;
}

/* The kinds that are wanted, those that take long first, and at the end the rows, which have no kind.  Whoever is free
 * takes the next one. */
struct work {
	const struct kind *of[N_KINDS + 1];
	size_t n;
	atomic_size_t *taken;		/* shared by all processes */
};

static struct work work_of(int argc, char **argv, int first)
{
	struct work w = { .taken = mmap(NULL, sizeof(*w.taken), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) };

	if (w.taken == MAP_FAILED) {
		perror("check_sim");
		exit(2);
	}
	for (int long_ones = 1; long_ones >= 0; long_ones--)
		for (size_t i = 0; i < N_KINDS; i++)
			if (lengthy(&kinds[i]) == long_ones && wanted(kinds[i].name, argc, argv, first))
				w.of[w.n++] = &kinds[i];
	if (wanted("rows", argc, argv, first))
		w.of[w.n++] = NULL;
	return w;
}

/* False: something failed. */
static bool run_some(const struct options *o, const struct work *w)
{
	unsigned failed = 0, ran = 0;

	for (size_t i; (i = atomic_fetch_add(w->taken, 1)) < w->n; ran++)
		failed += w->of[i] == NULL ? run_rows(o) : run_kind(w->of[i], o);
	printf("%u kinds in %.1f s: %s\n", ran, seconds(), failed == 0 ? "all as it must be" : "FAILED");
	return failed == 0;
}

/* All kinds, on all processors. */
static bool run_all(const struct options *o, const struct work *w)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	bool ok = true;
	int status;

	for (long i = 0; i < (processors < 1 ? 1 : processors > 8 ? 8 : processors); i++) {
		pid_t child = fork();

		if (child < 0)
			ok = false;
		else if (child == 0)
			exit(run_some(o, w) ? 0 : 1);
	}
	while (wait(&status) > 0)
		ok = ok && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	return ok;
}

int main(int argc, char **argv)
{
	struct options o = parse(argc, argv);
	struct work w;

	for (int i = o.first; i < argc; i++) {
		bool known = strcmp(argv[i], "rows") == 0;

		for (size_t k = 0; k < N_KINDS; k++)
			known |= strcmp(argv[i], kinds[k].name) == 0;
		if (!known) {
			fprintf(stderr, "check_sim: there is no kind %s\n", argv[i]);
			return 2;
		}
	}
	w = work_of(argc, argv, o.first);
	return (o.named ? run_some(&o, &w) : run_all(&o, &w)) ? 0 : 1;
}
