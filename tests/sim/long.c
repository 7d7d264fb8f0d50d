/* long.c -- what only shows after a long time, or with many peers: rekeying that spreads, memory that stays. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "ike/phase2.h"
#include "trial.h"

#define MINUTE_MS 60000ull
#define DAY 1440u		/* minutes */

static const struct faults ordinary = { .loss = 10, .delay_min = 5, .delay_max = 80 };

/* ---- one gateway, many peers --------------------------------------------------- */

struct peer {
	struct node *node;
	char name[16], addr[20], client[24], of_hub[16];
	struct control_connection c;
};

struct star {
	struct trial *t;
	unsigned n;
	struct peer *peer;
	uint64_t serial;	/* of the gateway's newest exchange, a minute ago */
};

static void star_peer(struct star *s, unsigned i)
{
	struct trial *t = s->t;
	struct peer *p = &s->peer[i];

	snprintf(p->name, sizeof(p->name), "peer%u", i);
	snprintf(p->addr, sizeof(p->addr), "198.18.%u.%u", i / 250, 1 + i % 250);
	snprintf(p->client, sizeof(p->client), "10.%u.%u.0/24", 1 + i / 250, i % 250);
	p->node = world_node(t->w, p->name, p->addr, t->a->secret);
	p->c = sim_connection(p->name, t->a, "10.0.0.0/24", p->node, p->client);
	p->c.ike = t->c.ike;
	p->c.rekeyfuzz = t->c.rekeyfuzz;
	p->c.dpddelay = i % 8 == 1 ? 600 : 0;
	p->c.dpdtimeout = 300;
	node_connection(t->a, &p->c);
	node_connection(p->node, &p->c);
	node_listen(p->node);
}

static struct star star_new(struct trial *t, unsigned n)
{
	struct star s = { .t = t, .n = n, .peer = xcalloc(n, sizeof(struct peer)) };

	node_listen(t->a);
	for (unsigned i = 0; i < n; i++)
		star_peer(&s, i);
	return s;
}

/* All at once: by the gateway, or `mixed` by either end. */
static void star_begin(struct star *s, bool mixed)
{
	for (unsigned i = 0; i < s->n; i++)
		node_initiate(mixed && i % 2 == 1 ? s->peer[i].node : s->t->a, s->peer[i].name);
	world_run(s->t->w, 2 * MINUTE_MS);
	s->serial = node_serial(s->t->a);
	for (unsigned i = 0; i < s->n; i++)
		trial_expect(s->t, node_outbound(s->t->a, s->peer[i].client) != NULL, "%s is not up",
			     s->peer[i].name);
}

/* One more minute: how many exchanges did the gateway take part in? */
static unsigned star_minute(struct star *s)
{
	uint64_t before = s->serial, now;

	world_run(s->t->w, MINUTE_MS);
	now = node_serial(s->t->a);
	s->serial = now > before ? now : before;
	return (unsigned)(s->serial - before);
}

static void check_peer(struct star *s, const struct peer *p, unsigned day)
{
	struct trial *t = s->t;
	const struct sim_sa *out = node_outbound(t->a, p->client), *in = node_outbound(p->node, "10.0.0.0/24");

	trial_expect(t, out != NULL && node_has_twin(p->node, out), "day %u: traffic to %s is lost", day, p->name);
	trial_expect(t, in != NULL && node_has_twin(t->a, in), "day %u: traffic of %s is lost", day, p->name);
	trial_expect(t, node_sas(p->node, true) <= 3 && node_sas(p->node, false) <= 3,
		     "day %u: %s has %u and %u SAs", day, p->name, node_sas(p->node, true),
		     node_sas(p->node, false));
	trial_expect(t, p->node->lost_cover == 0, "day %u: %s lost its SA %u times", day, p->name,
		     p->node->lost_cover);
}

/* What holds at any time. */
static void star_check(struct star *s, unsigned day)
{
	struct trial *t = s->t;
	struct holdings h = node_holdings(t->a);

	for (unsigned i = 0; i < s->n && !t->failed; i++)
		check_peer(s, &s->peer[i], day);
	trial_expect(t, t->a->lost_cover == 0, "day %u: the gateway lost SAs %u times", day, t->a->lost_cover);
	trial_expect(t, h.exchanges <= 6 * s->n && h.timers <= 14 * s->n && h.requests <= 4 * s->n &&
			h.plans <= s->n && h.half_open <= s->n,
		     "day %u: %zu exchanges, %zu timers, %zu requests, %zu plans, %zu half-open", day,
		     h.exchanges, h.timers, h.requests, h.plans, h.half_open);
	trial_expect(t, h.sas <= 5 * s->n, "day %u: the gateway has %zu SAs for %u peers", day, h.sas, s->n);
}

static void star_free(struct star *s)
{
	node_shutdown(s->t->a, false);	/* while the peers are there */
	world_run(s->t->w, 1000);
	free(s->peer);
}

static void month(struct trial *t, unsigned peers)
{
	small_dh = true;
	struct star s = star_new(t, peers);
	size_t early = 0, late = 0;
	unsigned begun = 0, most = 0, crowded = 0, minutes[100] = { 0 };	/* with so many negotiations */

	star_begin(&s, true);
	world_faults(t->w, &ordinary);
	for (unsigned m = 0; m < 30 * DAY && !t->failed; m++) {
		unsigned now = star_minute(&s);

		if (m >= 5 * DAY) {	/* those who began together have drifted apart */
			begun += now;
			most = now > most ? now : most;
			minutes[now < 100 ? now : 99]++;
		}
		if (m % 60 != 0)
			continue;
		size_t used = mallinfo2().uordblks;

		star_check(&s, m / DAY);
		if (m >= 2 * DAY && m < 10 * DAY)
			early = used > early ? used : early;
		else if (m >= 22 * DAY)
			late = used > late ? used : late;
	}
	double mean = begun / (25.0 * DAY);

	/* Of 36,000 minutes one or another is a little beyond by chance alone; a herd would be in many, and all at once. */
	for (unsigned i = 0; i < 100; i++)
		crowded += i > 4 * mean + 6 ? minutes[i] : 0;
	trial_expect(t, crowded <= 3, "more than %.0f negotiations in each of %u minutes, %.2f on average", 4 * mean + 6, crowded, mean);
	trial_expect(t, most <= 4 * mean + 10, "%u negotiations in one minute, %.2f on average", most, mean);
	trial_expect(t, late <= early + early / 20, "memory grew from %zu to %zu octets", early, late);
	for (unsigned i = 0; i < peers; i++)
		trial_expect(t, s.peer[i].node->rekeyed >= 85 && s.peer[i].node->rekeyed <= 190,
			     "%s was rekeyed %u times", s.peer[i].name, s.peer[i].node->rekeyed);
	star_free(&s);
}

void run_month(struct trial *t)
{
	month(t, 20);
}

void run_month_300(struct trial *t)
{
	month(t, 300);
}

/* ---- everybody at the same time ---------------------------------------------- */

#define HERD 300

static unsigned most_in(struct star *s, unsigned minutes, unsigned *sum)
{
	unsigned most = 0;

	*sum = 0;
	for (unsigned m = 0; m < minutes; m++) {
		unsigned now = star_minute(s);

		*sum += now;
		most = now > most ? now : most;
	}
	return most;
}

/* A gateway that has begun with all its peers in one minute.  Without fuzz it does so again each time; with
 * the default fuzz the first rekeying spreads over the margin, and later ones over the whole lifetime. */
void run_herd(struct trial *t)
{
	bool fuzz = t->seed % 2 == 0;
	unsigned first, last, sum;
	struct star s;

	t->c.rekeyfuzz = fuzz ? 100 : 0;
	s = star_new(t, HERD);
	star_begin(&s, false);
	world_faults(t->w, &ordinary);
	first = most_in(&s, 55, &sum);		/* once for each ISAKMP SA */
	trial_expect(t, sum >= HERD && sum <= HERD + HERD / 10, "%u negotiations for %u peers", sum, HERD);
	trial_expect(t, fuzz ? first <= HERD / 9 * 2 : first >= HERD * 9 / 10,
		     "fuzz %u: %u of %u negotiations in one minute", t->c.rekeyfuzz, first, HERD);
	if (fuzz) {
		most_in(&s, 11 * 60, &sum);
		last = most_in(&s, 2 * 60, &sum);	/* before the IPsec SAs are due for the second time */
		trial_expect(t, last <= HERD / 10, "half a day later: %u negotiations in one minute, %u on average",
			     last, sum / (2 * 60));
	}
	star_check(&s, 1);
	star_free(&s);
}

/* ---- who rekeys, when, with what ------------------------------------------------ */

static const struct exchange *newest(const struct node *n, unsigned phase)
{
	const struct exchange *best = NULL;

	for (struct exchange *x = engine_first(n->ike->engine); x != NULL; x = engine_next(x))
		if (x->machine->phase == phase && (best == NULL || x->serial > best->serial))
			best = x;
	return best;
}

static void describe_two(struct trial *t, const struct control_connection *a, const struct control_connection *b)
{
	node_connection(t->a, a);
	node_connection(t->b, b);
	node_listen(t->a);
	node_listen(t->b);
}

/* The initiator sleeps until long after half of the responder's margin. */
void run_half_margin(struct trial *t)
{
	struct control_connection sleepy;
	bool phase1 = t->seed % 2 == 0;
	unsigned phase = phase1 ? 1 : 2;
	uint64_t serial;

	t->c.ikelifetime = phase1 ? 7200 : 28800;
	t->c.ipseclifetime = phase1 ? 28800 : 7200;
	sleepy = t->c;
	sleepy.rekeymargin = 60;
	describe_two(t, &sleepy, &t->c);
	node_initiate(t->a, "net");
	world_run(t->w, 1000);
	serial = node_serial(t->b);
	world_run(t->w, (7200 - 540 / 2 - 3) * 1000ull);
	trial_expect(t, node_serial(t->b) == serial, "the responder was too early");
	world_run(t->w, 4000);
	trial_expect(t, node_serial(t->b) == serial + 1 && newest(t->b, phase)->role == ROLE_INITIATOR,
		     "the responder did not rekey at half its margin");
	world_run(t->w, 300000);
	trial_expect(t, node_serial(t->b) == serial + 1, "rekeyed by both");
	trial_check_up(t);
	trial_check_twins(t);
}

/* Of several SAs of a connection only the newest is replaced. */
void run_newest(struct trial *t)
{
	uint64_t serial;

	t->c.ikelifetime = 28800;
	t->c.ipseclifetime = 3600;
	t->c.rekeyfuzz = 0;
	trial_describe(t);
	for (unsigned i = 0; i < 3; i++) {
		node_initiate(t->a, "net");
		world_run(t->w, 100000);
	}
	serial = node_serial(t->a);
	trial_expect(t, serial == 4, "%llu exchanges", (unsigned long long)serial);
	world_run(t->w, (3060 + 199 - 300) * 1000ull);
	trial_expect(t, node_serial(t->a) == serial, "an SA was rekeyed that was not the newest");
	world_run(t->w, 2000);
	trial_expect(t, node_serial(t->a) == serial + 1, "the newest SA was not rekeyed");
	world_run(t->w, 1000000);
	trial_expect(t, node_serial(t->a) == serial + 1 && node_sas(t->a, false) == 1 &&
			node_sas(t->b, false) == 1,
		     "%u and %u SAs when the old ones have expired", node_sas(t->a, false), node_sas(t->b, false));
	trial_check_up(t);
}

/* The replacement is not weaker than what it replaces, whoever makes it. */
void run_inherit(struct trial *t)
{
	struct control_connection strict = t->c;
	const struct phase2 *p;

	t->c.ikelifetime = strict.ikelifetime = 28800;
	t->c.ipseclifetime = strict.ipseclifetime = 3600;
	strict.ike = t->c.ike;
	strict.pfs = true;
	strict.rekeymargin = 60;
	describe_two(t, &t->c, &strict);
	node_initiate(t->b, "net");
	world_run(t->w, 1000);
	trial_check_up(t);
	world_run(t->w, (3600 - 200) * 1000ull);
	p = newest(t->a, 2)->user;
	trial_expect(t, newest(t->a, 2)->role == ROLE_INITIATOR && p->established != 0, "not rekeyed by east");
	trial_expect(t, p->group != 0, "the replacement is without PFS");
	trial_check_up(t);
	trial_check_twins(t);
}
