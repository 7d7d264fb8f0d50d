/* switch.c -- a pair of IPsec SAs is replaced under traffic: the old one serves until the peer is known to have the keys. */
#include "generated/limits.h"
#include "generated/payloads.h"
#include "trial.h"

#define STEP 100		/* milliseconds between two packets */

/* Loses the last message of the next Quick Mode that a begins, so many times. */
struct loser {
	struct trial *t;
	uint32_t id;		/* of that Quick Mode, 0 = not begun */
	unsigned lose;
};

static bool lose_last(void *ctx, struct node *to, const struct endpoint *from, struct buf *datagram)
{
	struct loser *l = ctx;
	struct header h;
	struct fault f;

	(void)from;
	if (to != l->t->b || !parse_header(span_buf(*datagram), 0, &h, &f) || h.xchg != EXCHANGE_TYPE_QUICK)
		return true;
	if (l->id == 0) {
		l->id = h.msgid;
		return true;
	}
	return h.msgid != l->id || l->lose == 0 || l->lose-- == 0;
}

/* It is up, and a has begun to replace it.  What carries its traffic now: */
static struct sa_id replace(struct trial *t)
{
	struct sa_id old;

	trial_describe(t);
	node_initiate(t->a, "net");
	world_run(t->w, 2000);
	trial_check_up(t);
	old = trial_outbound(t, t->a)->id;
	node_initiate(t->a, "net");
	return old;
}

static bool uses(struct trial *t, const struct sa_id *old)
{
	const struct sim_sa *s = trial_outbound(t, t->a);

	return trial_expect(t, s != NULL, "there is no SA for traffic") && s->id.spi == old->spi;
}

/* Packets both ways, or from a alone: for how many milliseconds do those of a take the old SA? */
static uint64_t until_switched(struct trial *t, const struct sa_id *old, bool both)
{
	uint64_t began = world_now(t->w);

	while (!t->failed && uses(t, old) && world_now(t->w) < began + 60000) {
		trial_expect(t, trial_traffic(t, t->a), "a packet of the initiator has no SA");
		if (both)
			trial_expect(t, trial_traffic(t, t->b), "a packet of the responder has no SA");
		world_run(t->w, STEP);
	}
	return world_now(t->w) - began;
}

/* The responder knows only by the last message that the new SA may be used: if that is lost it repeats its own. */
void run_switch_lost(struct trial *t)
{
	unsigned lose = trial_pick(t, 3);
	struct loser l = { .t = t, .lose = lose };
	uint64_t repeated = 0, took;
	struct sa_id old;

	trial_draw(t);
	old = replace(t);
	world_middle(t->w, &(struct man_in_the_middle){ .ctx = &l, .pass = lose_last });
	took = until_switched(t, &old, true);
	for (unsigned i = 0; i < lose; i++)
		repeated += TIMER_RETRANSMIT_MS[i];
	trial_expect(t, l.lose == 0, "the last message was not lost %u times", lose);
	trial_expect(t, took >= repeated, "switched after %llu ms, before the peer had the keys", (unsigned long long)took);
	trial_expect(t, took < repeated + 3 * TIMER_SWITCH_MS[1], "switched after %llu ms only", (unsigned long long)took);
	world_run(t->w, 60000);
	trial_check_up(t);
	trial_check_twins(t);
}

/* Nothing comes from the peer: the new SA is used all the same, before long and while the old one lives. */
void run_switch_silent(struct trial *t)
{
	bool brief = t->seed % 2 == 0;
	uint64_t took, most = TIMER_SWITCH_MS[2];
	struct sa_id old;

	if (brief) {
		t->c.ipseclifetime = 40;
		t->c.rekeymargin = 5;
		t->c.rekeyfuzz = 0;
		most = 40000 / LIMIT_SWITCH_PART;
	}
	old = replace(t);
	took = until_switched(t, &old, false);
	trial_expect(t, took + 3 * TIMER_SWITCH_MS[1] > most && took < most + 3 * TIMER_SWITCH_MS[1], "switched after %llu ms",
		     (unsigned long long)took);
	trial_expect(t, t->a->lost_cover + t->b->lost_cover == 0, "traffic lost its SA");
	trial_check_up(t);
}
