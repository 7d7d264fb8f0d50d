/* lifetimes.c -- SAs whose two ends have other limits, and SAs that may carry so much only. */
#include <stdio.h>

#include "trial.h"

#define SECONDS(n) ((uint64_t)(n) * 1000)

/* The responder's lifetime is shorter, and told: the initiator replaces in good time, by its own margin. */
void run_life_told(struct trial *t)
{
	struct control_connection less = t->c;
	bool phase1 = trial_pick(t, 2) == 0;
	uint64_t serial;

	t->c.ikelifetime = 28800;
	less.ikelifetime = phase1 ? 3600 : 28800;
	t->c.ipseclifetime = 28800;
	less.ipseclifetime = phase1 ? 28800 : 3600;
	node_connection(t->a, &t->c);
	node_connection(t->b, &less);
	node_listen(t->a);
	node_listen(t->b);
	node_initiate(t->a, "net");
	world_run(t->w, SECONDS(30));
	trial_check_up(t);
	serial = node_serial(t->a);
	world_run(t->w, SECONDS(3600 - 1080 - 40));
	trial_expect(t, node_serial(t->a) == serial, "replaced before the margin");
	world_run(t->w, SECONDS(1080 - 300));	/* the responder would begin 270 seconds before the end */
	trial_expect(t, node_serial(t->a) == serial + 1, "not replaced by the responder's lifetime");
	trial_expect(t, t->a->rekeyed == (phase1 ? 0 : 1), "%u IPsec SAs replaced", t->a->rekeyed);
	world_run(t->w, SECONDS(7200));
	trial_check_up(t);
	trial_expect(t, t->a->lost_cover + t->b->lost_cover == 0, "traffic lost its SA");
}

/* What its SAs have carried at most, in packets of a kilobyte. */
static uint64_t most_carried(const struct node *n)
{
	uint64_t most = 0;

	for (const struct sim_sa *s = n->sas; s != NULL; s = s->next)
		if (s->packets > most)
			most = s->packets;
	return most;
}

/* A limit of kilobytes at one end or at both: it is replaced before it is reached, whoever has it. */
void run_life_volume(struct trial *t)
{
	struct control_connection other = t->c;
	unsigned who = trial_pick(t, 3), speed = 1 + trial_pick(t, 40);
	bool down = trial_pick(t, 2) == 0;
	unsigned packets = 0;

	t->c.ipseckilobytes = who != 1 ? 5000 : 0;
	other.ipseckilobytes = who != 0 ? 5000 : 0;
	node_connection(t->a, &t->c);
	node_connection(t->b, &other);
	node_listen(t->a);
	node_listen(t->b);
	node_initiate(t->a, "net");
	world_run(t->w, SECONDS(30));
	trial_check_up(t);
	while (packets < 20000) {
		trial_expect(t, down ? node_traffic(t->b, "10.0.1.0/24", t->a, speed)
				     : node_traffic(t->a, "10.0.2.0/24", t->b, speed), "traffic does not arrive");
		packets += speed;
		world_run(t->w, 100);
		if (!trial_expect(t, most_carried(t->a) <= 5000 && most_carried(t->b) <= 5000,
				  "an SA has carried %llu kilobytes", (unsigned long long)most_carried(t->a)))
			return;
	}
	trial_expect(t, t->a->rekeyed >= 3 && t->a->rekeyed <= 5, "%u replacements for 20000 kilobytes", t->a->rekeyed);
	trial_expect(t, t->a->lost_cover + t->b->lost_cover == 0, "traffic lost its SA");
}

/* Nothing replaces it: what has carried its kilobytes ends, at both ends. */
void run_life_spent(struct trial *t)
{
	t->c.ipseckilobytes = 1000;
	t->c.keyingtries = 1;
	trial_describe(t);
	node_initiate(t->a, "net");
	world_run(t->w, SECONDS(30));
	t->a->secret = "no longer that of both";	/* a new ISAKMP SA cannot be had */
	node_listen(t->a);
	for (unsigned i = 0; i < 10; i++) {
		trial_expect(t, node_traffic(t->a, "10.0.2.0/24", t->b, 100), "traffic does not arrive");
		t->a->deaf = i >= 7;		/* and the one there is does not answer */
		world_run(t->w, SECONDS(5));
	}
	world_run(t->w, SECONDS(60));
	trial_expect(t, trial_outbound(t, t->a) == NULL || trial_outbound(t, t->a)->packets < 1000,
		     "an SA lives on with %llu kilobytes", (unsigned long long)most_carried(t->a));
	trial_expect(t, most_carried(t->a) < 1000 && most_carried(t->b) < 1000, "spent SAs are left");
}
