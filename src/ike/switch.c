/* switch.c -- when outgoing traffic takes a new pair of IPsec SAs. */
#include "ike/phase2.h"
#include "ike/initiate.h"
#include "ike/natt.h"
#include "ike/status.h"
#include "ike/upkeep.h"

static void on_timer(void *ctx, uint64_t now);

void switch_init(struct phase2 *p)
{
	LIST_INIT(&p->switching.requests);
	p->switching.timer.fire = on_timer;
	p->switching.timer.ctx = p;
}

void switch_stop(struct phase2 *p)
{
	requests_abandon(&p->switching.requests);
	timer_disarm(engine_timers(p->ike->engine), &p->switching.timer);
}

const struct phase2 *switch_current(const struct connection *c)
{
	const struct phase2 *q;

	LIST_FOREACH(q, &c->phase2s, of_connection)
		if (q->uses_eroute && q->established != 0)
			return q;
	return NULL;
}

static void say_established(struct phase2 *p)
{
	struct ike *ike = p->ike;
	struct text t;
	char line[LINE_TEXT];

	t = text_on(line, sizeof(line));
	text_add(&t, "IPsec SA established, %s%s", choice_text(ike->arena, &p->chosen),
		 connection_tunnel(p->c) ? ", tunnel" : ", transport");
	if (natt_in_udp(p->chosen.mode))
		text_add(&t, ", in UDP from port %u to %u", p->x->local.port, p->x->remote.port);
	for (unsigned i = 0; i < p->chosen.n; i++)
		text_add(&t, " {%s 0x%08x out, 0x%08x in}",
			 protocol_word(p->chosen.p[i].protocol),
			 p->chosen.p[i].peer_spi, phase2_spi(p, p->chosen.p[i].protocol));
	ike_log(ike, p->c, p->x, p->whack, WHACK_STATUS_SUCCESS, "%s", line);
}

/* p carries the traffic, or will soon: say so, and let whack go.  The route stays after p. */
static void announce(struct phase2 *p)
{
	p->announced = true;
	p->c->keeps_route = true;
	upkeep_up(p->ike, p->c);
	say_established(p);
	if (p->whack != NO_WHACK)
		ike_finish(p->ike, p->whack);
	p->whack = NO_WHACK;
}

/* The eroute could not be given to p. */
static void no_traffic(struct phase2 *p, const struct refusal *why)
{
	struct ike *ike = p->ike;

	ike_refusal(ike, p->c, p->x, p->whack, true, why);
	if (p->whack != NO_WHACK)
		initiate_failed(ike, p->c, p->whack, why->status);
	p->whack = NO_WHACK;
	send_delete(ike, p->x);
	engine_end(ike->engine, p->x, END_LOCAL);
}

static void first_switched(struct ike *ike, void *ctx, const struct plan *plan)
{
	if (plan->failed)
		no_traffic(ctx, plan_refusal(ike->arena, plan));
	else
		announce(ctx);
}

static void later_switched(struct ike *ike, void *ctx, const struct plan *plan)
{
	if (plan->failed)
		no_traffic(ctx, plan_refusal(ike->arena, plan));
}

/* Give outgoing traffic to p, unless that was done or a better one is there. */
static void do_switch(struct phase2 *p)
{
	if (!p->uses_eroute && phase2_best(p))
		install_switch(p, p->announced ? later_switched : first_switched);
}

static void rearm(struct phase2 *p, uint64_t ms)
{
	timer_arm(engine_timers(p->ike->engine), &p->switching.timer, p->ike->now + ms);
}

/* What the kernel has counted of p's inbound SA.  A packet means that the peer has the keys; what cannot be known
 * is not waited for. */
static void counted(struct ike *ike, void *ctx, const struct kernel_result *r)
{
	(void)ike;
	if (!r->ok || r->counts.packets > 0)
		do_switch(ctx);
	else
		rearm(ctx, TIMER_SWITCH_MS[1]);
}

/* Of a bundle, an SA by which every packet comes: not all are compressed. */
static unsigned counted_by_kernel(const struct phase2 *p)
{
	unsigned i = 0;

	while (i + 1 < p->chosen.n && p->chosen.p[i].protocol == PROTOCOL_ID_IPCOMP)
		i++;
	return i;
}

/* May traffic stay with the old SA until the peer has proved that it has the keys of p? */
static bool may_wait(const struct phase2 *p, const struct phase2 *old)
{
	uint64_t part, most = TIMER_SWITCH_MS[2];

	if (p->switching.asked || old == NULL || old->volume.replaced || phase1_suspect(old->root) ||
	    old->expires <= p->established)
		return false;
	part = (old->expires - p->established) / LIMIT_SWITCH_PART;
	return p->ike->now < p->established + (part < most ? part : most);
}

static void on_timer(void *ctx, uint64_t now)
{
	struct phase2 *p = ctx;
	const struct kernel *kernel = &p->ike->kernel;
	struct sa_id id;

	ike_clock(p->ike, now);
	if (p->uses_eroute)
		return;
	if (!may_wait(p, switch_current(p->c))) {
		do_switch(p);
		return;
	}
	id = install_sa_id(p, counted_by_kernel(p), true);
	kernel->ops->read_sa(kernel->k, request_new(p->ike, &p->switching.requests, counted, p)->token, &id);
}

void switch_begin(struct phase2 *p)
{
	const struct phase2 *old = switch_current(p->c);
	bool first = old == NULL || phase1_suspect(old->root);
	bool held = first && p->c->policy.ondemand && p->whack == NO_WHACK;
	bool hurry = held || (!first && old->volume.replaced);	/* it may be used up before long */

	if (p->uses_eroute) {
		announce(p);
		return;
	}
	if (first && !held) {
		install_switch(p, first_switched);
		return;
	}
	p->switching.asked = p->whack != NO_WHACK;
	if (!first)
		announce(p);
	rearm(p, TIMER_SWITCH_MS[!hurry]);
}
