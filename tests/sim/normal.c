/* normal.c -- negotiation, rekeying and restarts over a network that loses, doubles and reorders. */
#include "trial.h"

#define MINUTES(n) ((uint64_t)(n) * 60000)
#define HOURS(n) MINUTES(60 * (n))

/* A whack asked for "net" at n; it must be told how it ended. */
static bool succeeded(struct trial *t, struct node *n)
{
	struct holdings h = node_holdings(n);

	trial_expect(t, h.unfinished == 0, "%s: a request was not finished", n->name);
	trial_expect(t, n->last_status == WHACK_STATUS_SUCCESS || n->last_status == WHACK_STATUS_NO_RESPONSE,
		     "%s: ended with %u", n->name, n->last_status);
	return n->last_status == WHACK_STATUS_SUCCESS;
}

void run_negotiate(struct trial *t)
{
	static unsigned tried, lost;

	trial_draw(t);
	trial_describe(t);
	world_faults(t->w, &faulty);
	node_initiate(t->a, "net");
	world_run(t->w, MINUTES(5));
	tried++;
	/* Nine datagrams of ten arrive and three attempts are made: failing is possible, and rare. */
	if (succeeded(t, t->a)) {
		trial_check_up(t);
		return;
	}
	lost++;
	trial_expect(t, lost <= 1 + tried / 500, "%u of %u negotiations came to nothing", lost, tried);
}

void trial_run_row(struct trial *t, size_t n)
{
	if (!trial_row(t, n))
		return;
	t->c.pfs = trial_pick(t, 2) == 0;
	trial_describe(t);
	node_initiate(t->a, "net");
	world_run(t->w, MINUTES(1));
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS, "ended with %u (%s, %s, %s)",
		     t->a->last_status, t->ike, t->esp, t->ah);
	trial_check_up(t);
	trial_check_twins(t);
}

void run_both(struct trial *t)
{
	trial_draw(t);
	trial_describe(t);
	if (trial_pick(t, 2) == 0) {	/* an SA that one end has given up and the other not, its Delete lost */
		world_faults(t->w, &faulty);
		t->redundant = 1;
	}
	node_initiate(t->a, "net");
	world_run(t->w, trial_pick(t, 60));
	node_initiate(t->b, "net");
	world_run(t->w, MINUTES(5));
	if (succeeded(t, t->a) && succeeded(t, t->b))
		trial_check_up(t);
}

static bool settled(const struct trial *t)
{
	unsigned protocols = trial_protocols(t);

	return trial_arrives(t, t->a) && trial_arrives(t, t->b) &&
	       node_sas(t->a, false) <= 2 * protocols && node_sas(t->b, false) <= 2 * protocols;
}

/* Three days of short lifetimes: the traffic of both ends always finds an SA. */
void run_rekey(struct trial *t)
{
	trial_draw(t);
	t->c.ikelifetime = 1200 + trial_pick(t, 2400);
	t->c.ipseclifetime = 1200 + trial_pick(t, 2400);
	t->c.rekeymargin = 240;
	t->c.rekeyfuzz = trial_pick(t, 2) * 100;
	t->c.keyingtries = 0;
	trial_describe(t);
	node_initiate(t->a, "net");
	world_run(t->w, 1000);
	trial_check_up(t);
	world_faults(t->w, &faulty);
	for (unsigned hour = 0; hour < 72 && !t->failed; hour++) {
		world_run(t->w, HOURS(1));
		/* An answer that is never confirmed leaves one end with SAs that the other has not, and
		 * both ends may replace an SA at the same time: neither may last. */
		if (!settled(t))
			world_run(t->w, 480000);
		trial_check_sound(t);
		trial_expect(t, settled(t), "hour %u: %u and %u outbound SAs, traffic of east arrives: %d, of "
			     "west: %d", hour, node_sas(t->a, false), node_sas(t->b, false),
			     trial_arrives(t, t->a), trial_arrives(t, t->b));
		trial_expect(t, t->a->lost_cover + t->b->lost_cover == 0,
			     "hour %u: traffic was without an SA %u and %u times", hour,
			     t->a->lost_cover, t->b->lost_cover);
		struct holdings h = node_holdings(t->a);

		trial_expect(t, h.exchanges < 16 && h.requests < 16, "hour %u: %zu exchanges, %zu requests",
			     hour, h.exchanges, h.requests);
	}
	trial_expect(t, t->a->rekeyed > 50 && t->b->rekeyed > 50, "rekeyed %u and %u times",
		     t->a->rekeyed, t->b->rekeyed);
}

/* One end loses its memory; the other still believes in the ISAKMP SA, and gets out of it. */
void run_restart(struct trial *t)
{
	bool forgetful_asks = trial_pick(t, 2) == 0;

	trial_draw(t);
	trial_describe(t);
	node_initiate(t->a, "net");
	world_run(t->w, 1000);
	trial_check_up(t);
	node_restart(t->b);
	node_connection(t->b, &t->c);
	node_listen(t->b);
	node_initiate(forgetful_asks ? t->b : t->a, "net");
	world_run(t->w, MINUTES(5));
	trial_expect(t, trial_outbound(t, t->a) != NULL && trial_outbound(t, t->b) != NULL,
		     "no SA after a restart (%s asks)", forgetful_asks ? "the restarted end" : "the other end");
	trial_expect(t, (forgetful_asks ? t->b : t->a)->last_status == WHACK_STATUS_SUCCESS, "ended with %u",
		     (forgetful_asks ? t->b : t->a)->last_status);
}

/* The interface goes away under an SA, and comes back. */
void run_away(struct trial *t)
{
	struct control_connection second = t->c;

	second.name = span_str("second");
	second.left.client = second.right.client = (struct subnet){ 0 };
	trial_describe(t);
	node_connection(t->a, &second);
	node_connection(t->b, &second);
	node_initiate(t->a, trial_pick(t, 2) == 0 ? "net" : "second");
	world_run(t->w, 1000);
	node_initiate(t->a, "net");
	node_initiate(t->a, "second");
	world_run(t->w, trial_pick(t, 1000));
	t->a->away = true;
	node_listen(t->a);
	world_run(t->w, 1000);
	if (trial_pick(t, 2) == 0)
		node_delete(t->a, trial_pick(t, 2) == 0 ? "net" : "second");
	t->a->away = false;
	node_listen(t->a);
	world_run(t->w, 1000);
	node_initiate(t->a, "net");
	world_run(t->w, MINUTES(3));
}

/* A kernel, or an updown script, that refuses now and then: whoever asked is told, nothing is left over. */
void run_kernel(struct trial *t)
{
	trial_draw(t);
	t->a->kernel_refuses = t->b->kernel_refuses = 100;
	trial_describe(t);
	for (unsigned i = 0; i < 4; i++) {
		struct node *n = trial_pick(t, 2) == 0 ? t->a : t->b;

		node_initiate(n, "net");
		world_run(t->w, trial_pick(t, 2) == 0 ? MINUTES(2) : trial_pick(t, 100));
		if (trial_pick(t, 4) == 0)
			node_terminate(n, "net");
	}
	world_run(t->w, MINUTES(3));
	trial_check_sound(t);
	trial_expect(t, node_holdings(t->a).unfinished + node_holdings(t->b).unfinished == 0,
		     "requests are not finished");
	t->a->kernel_refuses = t->b->kernel_refuses = 0;
	node_terminate(t->a, "net");
	node_terminate(t->b, "net");
	world_run(t->w, 1000);
	node_initiate(t->a, "net");
	world_run(t->w, MINUTES(2));
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS, "afterwards: %u", t->a->last_status);
	trial_check_up(t);
	trial_check_twins(t);
}
