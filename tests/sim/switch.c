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

#define LIFE 400		/* seconds */
#define MARGIN 100

static struct sa_id up(struct trial *t)
{
	trial_draw(t);
	t->c.ipseclifetime = LIFE;
	t->c.rekeymargin = t->c.rekeymargin < LIFE ? t->c.rekeymargin : MARGIN;
	t->c.rekeyfuzz = 0;
	trial_describe(t);
	node_initiate(t->a, "net");
	world_run(t->w, 2000);
	trial_check_up(t);
	return trial_outbound(t, t->a)->id;	/* what carries its traffic now */
}

/* a is about to replace it. */
static struct sa_id ripe(struct trial *t)
{
	struct sa_id id = up(t);

	world_run(t->w, 1000 * (LIFE - t->c.rekeymargin) - 2000 - STEP);
	return id;
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

/* For how many milliseconds do packets of a, or of both, take the old SA after its replacement has begun? */
static uint64_t serves(struct trial *t, const struct sa_id *old, bool both)
{
	uint64_t serial = node_serial(t->a);

	while (!t->failed && node_serial(t->a) == serial && world_run(t->w, STEP) > 0)
		;
	return until_switched(t, old, both);
}

/* The responder knows only by the last message that the new SA may be used: if that is lost it repeats its own. */
void run_switch_lost(struct trial *t)
{
	unsigned lose = trial_pick(t, 3);
	struct loser l = { .t = t, .lose = lose };
	uint64_t repeated = 0, took;
	struct sa_id old = ripe(t);

	world_middle(t->w, &(struct man_in_the_middle){ .ctx = &l, .pass = lose_last });
	took = serves(t, &old, true);
	for (unsigned i = 0; i < lose; i++)
		repeated += TIMER_RETRANSMIT_MS[i];
	trial_expect(t, l.lose == 0, "the last message was not lost %u times", lose);
	trial_expect(t, took + STEP >= repeated, "switched after %llu ms, before the peer had the keys", (unsigned long long)took);
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
		t->c.rekeymargin = 20;
		most = 20000 / LIMIT_SWITCH_PART;
	}
	old = ripe(t);
	took = serves(t, &old, false);
	trial_expect(t, took + 3 * TIMER_SWITCH_MS[1] > most && took < most + 3 * TIMER_SWITCH_MS[1], "switched after %llu ms",
		     (unsigned long long)took);
	trial_expect(t, t->a->lost_cover + t->b->lost_cover == 0, "traffic lost its SA");
	trial_check_up(t);
}

/* An operator who has asked for a new SA may have done so because the old one carries nothing. */
void run_switch_asked(struct trial *t)
{
	struct sa_id old = up(t);
	uint64_t took;

	node_initiate(t->a, "net");
	took = until_switched(t, &old, false);
	trial_expect(t, took < 3 * TIMER_SWITCH_MS[1], "switched after %llu ms", (unsigned long long)took);
	trial_check_up(t);
}
