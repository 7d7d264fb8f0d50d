/* upkeep.c -- beginning negotiations that nobody at whack waits for. */
#include "ike/upkeep.h"
#include "ike/initiate.h"
#include "ike/instance.h"
#include "ike/phase2.h"
#include "ike/routing.h"

static void on_timer(void *ctx, uint64_t now);

/* The pause after so many failures: up to a quarter more, so that what went down together does not come back
 * together. */
static uint64_t pause_after(struct ike *ike, unsigned failures)
{
	uint64_t ms = TIMER_REVIVE_MS[0], most = TIMER_REVIVE_MS[1];
	uint8_t r[4];

	for (unsigned i = 1; i < failures && ms < most; i++)
		ms *= 2;
	if (ms > most)
		ms = most;
	ike->host.random(ike->host.ctx, r, sizeof(r));
	return ms + get_u32(r) % (ms / 4 + 1);
}

static void arm(struct ike *ike, struct connection *c, uint64_t ms)
{
	c->upkeep.ike = ike;
	c->upkeep.timer.fire = on_timer;
	c->upkeep.timer.ctx = c;
	timer_arm(engine_timers(ike->engine), &c->upkeep.timer, ike->now + ms);
}

static void disarm(struct ike *ike, struct connection *c)
{
	timer_disarm(engine_timers(ike->engine), &c->upkeep.timer);
}

/* May anything be begun for c at all? */
static bool usable(const struct ike *ike, const struct connection *c)
{
	return !ike->stopping && !c->deleted && !c->leaving && c->ours >= 0 && !connection_is_template(c);
}

/* Has c what it is for, and not only the rest of an SA that could not be replaced? */
static bool has_sa(struct ike *ike, const struct connection *c)
{
	const struct phase2 *p;

	if (!connection_ipsec(c))
		return phase1_usable(ike, c, true) != NULL;
	LIST_FOREACH(p, &c->phase2s, of_connection)
		if (p->established != 0 && p->timer.at != p->expires)
			return true;
	return false;
}

static void schedule(struct ike *ike, struct connection *c, const char *what)
{
	struct upkeep *u = &c->upkeep;
	uint64_t ms;

	if (timer_armed(&u->timer))
		return;
	u->failures++;
	ms = pause_after(ike, u->failures);
	arm(ike, c, ms);
	if (u->wanted)
		ike_log(ike, c, NULL, NO_WHACK, WHACK_STATUS_LOG, "%s: negotiated again in %llu s", what,
			(unsigned long long)(ms + 500) / 1000);
	else
		ike_log(ike, c, NULL, NO_WHACK, WHACK_STATUS_LOG, "%s: packets begin no negotiation for %llu s", what,
			(unsigned long long)(ms + 500) / 1000);
}

/* ---- what is wanted ------------------------------------------------------------ */

void upkeep_initiated(struct ike *ike, struct connection *c)
{
	disarm(ike, c);
	c->upkeep.failures = 0;
	c->upkeep.barred = false;
	if (c->policy.revive) {
		c->upkeep.wanted = true;
		c->upkeep.once = false;
	}
}

void upkeep_restart(struct ike *ike, struct connection *c)
{
	disarm(ike, c);
	if (!c->upkeep.wanted)
		c->upkeep.wanted = c->upkeep.once = true;
	connection_initiate(ike, c, NO_WHACK, 1);
}

void upkeep_stop(struct ike *ike, struct connection *c)
{
	disarm(ike, c);
	c->upkeep.wanted = c->upkeep.once = false;
	c->upkeep.failures = 0;
	c->upkeep.up = 0;
}

void upkeep_bar(struct ike *ike, struct connection *c)
{
	upkeep_stop(ike, c);
	c->upkeep.barred = true;
}

void upkeep_pause(struct ike *ike, struct connection *c)
{
	disarm(ike, c);
	c->upkeep.up = 0;
}

void upkeep_resume(struct ike *ike, struct connection *c)
{
	if (!c->upkeep.wanted || !usable(ike, c))
		return;
	c->upkeep.failures = 0;
	schedule(ike, c, "its interface is back");
}

/* ---- what became of it ----------------------------------------------------------- */

void upkeep_up(struct ike *ike, struct connection *c)
{
	disarm(ike, c);
	if (c->upkeep.up == 0)
		c->upkeep.up = ike->now;
	if (c->upkeep.once)
		c->upkeep.wanted = c->upkeep.once = false;
}

void upkeep_failed(struct ike *ike, struct connection *c)
{
	if (!usable(ike, c) || has_sa(ike, c) || connection_negotiating(c))
		return;
	if (c->upkeep.wanted || (c->policy.ondemand && c->routing == ROUTED_TRAP))
		schedule(ike, c, "the negotiation came to nothing");
}

void upkeep_lost(struct ike *ike, struct connection *c)
{
	struct upkeep *u = &c->upkeep;
	bool was_up = u->up != 0, stable = was_up && ike->now >= u->up + TIMER_STABLE_MS[0];

	if (!usable(ike, c) || has_sa(ike, c) || connection_negotiating(c))
		return;
	u->up = 0;
	if (stable)
		u->failures = 0;
	/* What is taken away as soon as it is there must not be negotiated as fast as packets come. */
	if (u->wanted || (c->policy.ondemand && was_up && !stable))
		schedule(ike, c, "the connection went down");
}

static void on_timer(void *ctx, uint64_t now)
{
	struct connection *c = ctx;
	struct ike *ike = c->upkeep.ike;

	ike_clock(ike, now);
	if (!usable(ike, c) || has_sa(ike, c))
		return;
	if (connection_negotiating(c)) {	/* the peer does that; if it fails it is our turn */
		arm(ike, c, TIMER_REVIVE_MS[0]);
		return;
	}
	if (!c->upkeep.wanted) {
		routing_trap_again(ike, c);
		return;
	}
	ike_log(ike, c, NULL, NO_WHACK, WHACK_STATUS_LOG, "it is to be up: negotiating again");
	connection_initiate(ike, c, NO_WHACK, 1);
}

uint64_t upkeep_due(const struct connection *c)
{
	return timer_armed(&c->upkeep.timer) ? c->upkeep.timer.at : 0;
}

/* ---- on demand -------------------------------------------------------------------- */

/* Packets for many peers at once do not begin more negotiations than others leave room for. */
static bool too_many(struct ike *ike)
{
	if (ike->demand_second != ike->now / 1000) {
		ike->demand_second = ike->now / 1000;
		ike->demands = 0;
	}
	return ++ike->demands > LIMIT_ONDEMAND_PER_SECOND;
}

void upkeep_acquire(struct ike *ike, const struct kernel_acquire *a)
{
	struct connection *c = connection_by_reqid(ike, a->reqid);
	char src[ADDR_TEXT], dst[ADDR_TEXT];

	addr_format(&a->src, src);
	addr_format(&a->dst, dst);
	ike_debug(ike, c, DEBUG_CLASSES_KLIPS, "packet from %s to %s, protocol %u, met a trap", src, dst, a->protocol);
	if (c == NULL || !c->policy.ondemand || c->routing != ROUTED_TRAP || !usable(ike, c) || c->upkeep.barred ||
	    has_sa(ike, c) || connection_negotiating(c) || timer_armed(&c->upkeep.timer))
		return;
	if (too_many(ike)) {
		arm(ike, c, TIMER_REVIVE_MS[0]);
		return;
	}
	ike_log(ike, c, NULL, NO_WHACK, WHACK_STATUS_LOG, "a packet from %s to %s asks for an IPsec SA: negotiating",
		src, dst);
	connection_initiate(ike, c, NO_WHACK, 1);
}
