/* collide.c -- both ends begin at once, again and again: both take, and later replace, the same SA. */
#include "trial.h"

#define LIFE 1000u		/* seconds */
#define MARGIN 100u
#define SECONDS_MS(n) ((uint64_t)(n) * 1000)

/* SAs that came into the kernel of n, in each direction, and exchanges, within so many lifetimes. */
struct growth {
	unsigned sas;
	uint64_t exchanges;
};

static struct growth grow(struct trial *t, struct node *n, unsigned lives)
{
	struct growth g = { n->added, node_serial(n) };

	world_run(t->w, SECONDS_MS(lives * LIFE));
	return (struct growth){ n->added - g.sas, node_serial(n) - g.exchanges };
}

/* Within so many milliseconds. */
static void begin_both(struct trial *t, unsigned within)
{
	bool first = trial_pick(t, 2) == 0;

	node_initiate(first ? t->a : t->b, "net");
	world_run(t->w, trial_pick(t, within));
	node_initiate(first ? t->b : t->a, "net");
}

/* Two SAs that would both be replaced, by whichever end, would be so for ever: twice the exchanges. */
static void expect_one_pair(struct trial *t)
{
	const unsigned lives = 10;
	struct growth g = grow(t, t->a, lives);
	/* A lifetime without its margin, and one at each edge. */
	unsigned pairs = lives * LIFE / (LIFE - MARGIN) + 2;

	trial_expect(t, g.sas <= 2 * trial_protocols(t) * pairs, "%u SAs within %u lifetimes", g.sas, lives);
	trial_expect(t, g.exchanges <= 2 * pairs, "%llu exchanges within %u lifetimes", (unsigned long long)g.exchanges,
		     lives);
}

static void settle(struct trial *t)
{
	world_run(t->w, SECONDS_MS(3 * LIFE));
	trial_check_up(t);
	trial_check_sound(t);
	trial_check_twins(t);
	expect_one_pair(t);
}

static void describe(struct trial *t)
{
	trial_draw(t);
	t->c.ikelifetime = LIFE;
	t->c.ipseclifetime = LIFE;
	t->c.rekeymargin = MARGIN;
	t->c.rekeyfuzz = 0;
	trial_describe(t);
}

/* Two ISAKMP SAs, each with a pair of IPsec SAs: one of each is replaced, and only once in each lifetime. */
void run_collide_first(struct trial *t)
{
	struct growth g;

	describe(t);
	begin_both(t, trial_pick(t, 2) == 0 ? 1 : 20);
	world_run(t->w, SECONDS_MS(MARGIN));
	g = grow(t, t->a, 2);
	trial_expect(t, g.exchanges <= 4, "%llu exchanges within 2 lifetimes", (unsigned long long)g.exchanges);
	settle(t);
}

void run_collide(struct trial *t)
{
	describe(t);
	for (unsigned round = 0; round < 4 && !t->failed; round++) {
		begin_both(t, trial_pick(t, 2) == 0 ? 1 : 200);
		settle(t);
	}
	trial_expect(t, t->a->lost_cover + t->b->lost_cover == 0, "traffic was without an SA %u and %u times",
		     t->a->lost_cover, t->b->lost_cover);
}
