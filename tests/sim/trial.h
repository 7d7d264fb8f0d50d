/* trial.h -- one seeded run of the simulated world, and what must hold at its end. */
#ifndef PLUTO_SIM_TRIAL_H
#define PLUTO_SIM_TRIAL_H

#include "world.h"

struct trial {
	const char *kind;
	uint64_t seed;
	bool verbose;
	bool failed;
	struct world *w;
	struct node *a, *b;
	struct control_connection c;	/* of both, named "net" */
	unsigned redundant;		/* pairs of SAs that may be left over until they expire */
	char ike[80], esp[80], ah[80];	/* what c's strings point to */
};

/* How a run of a kind is done; the trial comes with its world and two nodes. */
typedef void trial_run(struct trial *t);

/* Networks: without faults, and with every tenth datagram lost. */
extern const struct faults fair, faulty;

/* In check_sim: Diffie-Hellman takes no time, and is worth nothing. */
extern bool small_dh;

/* What to run again, in messages. */
extern const char *trial_program;

/* A world with two nodes of the same secret, without connections. */
void trial_begin(struct trial *t, const char *kind, uint64_t seed, bool verbose);

/* Shut everything down and see whether it is all freed. */
void trial_end(struct trial *t);

/* Kinds of trials, each run so many times; the seeds are 1, 2, ...  begin: trial_begin, or what calls it. */
struct trial_kind {
	const char *name;
	trial_run *run;
	unsigned runs;
};
struct trial_count { unsigned runs, failed; };
void trial_kinds(const struct trial_kind *kinds, size_t n, void (*begin)(struct trial *t, const char *kind, uint64_t seed),
		 struct trial_count *count);

/* An RSA key that is made quickly; ends the program if there is none. */
struct rsa_key *short_key(void);

/* A number below n from the seed. */
unsigned trial_pick(struct trial *t, unsigned n);

/* False tells what is wrong and how to run this again. */
bool trial_expect(struct trial *t, bool ok, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Describe c to both nodes and let them listen. */
void trial_describe(struct trial *t);

/* Algorithms in small groups, drawn from the seed; also PFS, mode and clients. */
void trial_draw(struct trial *t);

/* What holds at any time: keys agree, nothing was installed too early. */
void trial_check_sound(struct trial *t);

/* The traffic of c arrives in both directions, and there are not more than two SAs for each. */
unsigned trial_protocols(const struct trial *t);	/* SAs of a bundle in one direction */
void trial_check_up(struct trial *t);

/* Every SA has its twin; where Deletes are lost one may be left over until it expires. */
void trial_check_twins(struct trial *t);

/* The outbound SA of c at n, NULL when its traffic is dropped. */
const struct sim_sa *trial_outbound(const struct trial *t, const struct node *n);

/* A packet of c leaves, and is counted at both ends; false: it is dropped. */
bool trial_traffic(const struct trial *t, struct node *from);

/* Traffic of n takes an SA that the other end has, too. */
bool trial_arrives(const struct trial *t, const struct node *n);

/* The kinds, by file. */
trial_run run_negotiate, run_both, run_rekey, run_restart, run_away, run_kernel;	/* normal.c */
trial_run run_terminate, run_shutdown, run_leave, run_delete, run_wrong_secret, run_no_suite,
	  run_silent, run_unknown, run_stranger, run_suits;						/* trouble.c */
trial_run run_aggr_negotiate, run_aggr_last_lost, run_aggr_forged, run_aggr_refused, run_aggr_flood;	/* aggressive.c */
trial_run run_frag_negotiate, run_frag_lost, run_frag_hostile, run_frag_many;			/* fragments.c */
trial_run run_bits, run_replay, run_garbage, run_matrix, run_flood, run_aborted;	/* hostile.c */

trial_run run_dpd_alive, run_dpd_traffic, run_dpd_lost, run_dpd_dead, run_dpd_unable, run_contact_restart,
	  run_contact_both, run_contact_forged, run_contact_other, run_suspect;	/* alive.c */

trial_run run_month, run_month_300, run_herd, run_half_margin, run_newest, run_inherit;	/* long.c */

trial_run run_collide, run_collide_first;						/* collide.c */

trial_run run_road, run_road_expired, run_road_moves, run_road_hostile, run_road_rsa, run_road_trouble,
	  run_road_flood;						/* road.c */

trial_run run_ondemand, run_ondemand_several, run_ondemand_dead, run_ondemand_crowd, run_revive_dead, run_revive_delete,
	  run_revive_flap, run_revive_rekey, run_revive_away, run_defaultroute, run_dpd_restart, run_forgotten, run_used_up;	/* upkeep.c */

trial_run run_pairs, run_pairs_partly, run_pairs_ports, run_pairs_any_port, run_pairs_road, run_pairs_dead,
	  run_pairs_refused, run_pairs_in_turn, run_pairs_orphaned;							/* pairs.c */

trial_run run_switch_lost, run_switch_silent, run_switch_asked;					/* switch.c */

trial_run run_life_told, run_life_volume, run_life_spent;			/* lifetimes.c */

trial_run run_nat_drafts, run_nat_discovery, run_nat_forbidden, run_nat_unserved;		/* drafts.c */
trial_run run_nat_several, run_nat_rebinds, run_nat_silence, run_nat_taken, run_nat_crowd, run_nat_hogs, run_nat_transport, run_nat_aggressive,
	  run_nat_moved, run_nat_immovable, run_nat_transport_moves, run_nat_transport_fixed, run_nat_ah;						/* translators.c */
trial_run run_odd_vendors, run_odd_reserved, run_odd_order, run_odd_notifications, run_odd_requests, run_odd_certificate,
	  run_odd_padding, run_odd_numbers, run_odd_bundles, run_odd_twice, run_odd_lives, run_odd_id_port,
	  run_odd_no_clients, run_odd_contact, run_odd_restart, run_odd_pairs, run_odd_spi, run_odd_much;					/* odd.c */
trial_run run_gateway_split, run_gateway_split_revives, run_gateway_split_outside;		/* gateway_split.c */
trial_run run_gateway, run_gateway_refused, run_gateway_odd, run_gateway_early, run_gateway_moves, run_gateway_lossy,
	run_gateway_renews, run_gateway_rsa, run_gateway_rsa_lossy, run_gateway_rsa_renews, run_gateway_rsa_refused, run_gateway_method;	/* gateway.c */

/* Every row of every suite of the spec, as a connection would name it; n-th of all.  False: no more. */
bool trial_row(struct trial *t, size_t n);
void trial_run_row(struct trial *t, size_t n);

/* Datagrams that passed, for whoever wants to send them again. */
struct tape {
	size_t n, cap;
	struct recorded { struct node *to; struct endpoint from; struct buf bytes; } *at;
};
void tape_start(struct trial *t, struct tape *tape);
void tape_free(struct tape *tape);

#endif
