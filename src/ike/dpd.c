/* dpd.c -- dead peer detection.  A peer that sends, ESP or IKE, is alive and is not asked. */
#include "generated/vendors.h"
#include "ike/dpd.h"
#include "ike/initiate.h"
#include "ike/instance.h"
#include "ike/phase2.h"
#include "ike/routing.h"
#include "ike/upkeep.h"

#define ASKS_PER_TIMEOUT 5	/* a lost question must not kill anybody */

const struct emit_VID *dpd_vendor(struct arena *a)
{
	struct emit_VID *v = ARENA_NEW(a, struct emit_VID);

	v->id = vendor_table[VENDOR_DPD].data;
	return v;
}

void dpd_learn(struct phase1 *p, const struct message *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->payloads[i].type == PAYLOAD_TYPE_VID &&
		    vendor_find(m->payloads[i].u.VID.id) == VENDOR_DPD)
			p->dpd.able = true;
}

static void send_notify_to(struct phase1 *p, uint16_t type, struct span data)
{
	struct emit_N n = { .doi = DOI_ID_IPSEC, .protocol = PROTOCOL_ID_ISAKMP, .type = type,
			    .spi = span_of(p->x->cookies, sizeof(p->x->cookies)), .data = data };
	struct out_INF out = { .N = &n, .n_N = 1 };

	engine_send_oneway(p->ike->engine, p->ike->now, p->x, &oneway_informational, &message_INF, &out);
}

static void ask(struct phase1 *p)
{
	uint8_t sequence[4];
	struct writer w = writer_on(sequence, sizeof(sequence));

	if (p->dpd.asked == 0) {
		p->dpd.asked = p->ike->now;
		ike_debug(p->ike, p->c, DEBUG_CLASSES_CONTROL,
			  "the peer was silent for %u seconds: asking whether it lives", p->c->policy.dpd_delay);
	}
	put_u32(&w, ++p->dpd.sequence);
	send_notify_to(p, NOTIFY_TYPE_R_U_THERE, writer_span(&w));
}

/* ---- the end of a dead peer ------------------------------------------------ */

/* What is left to do for one connection of it. */
static void act(struct ike *ike, struct connection *c, uint32_t action)
{
	struct plan *p;

	if (c->deleted)
		return;
	if (action == DEAD_PEER_ACTION_CLEAR) {
		p = plan_new(ike, c);
		routing_down(ike, c, p);
		plan_submit(p, NULL, NULL);
	} else if (action == DEAD_PEER_ACTION_RESTART && c->template == NULL) {
		upkeep_restart(ike, c);
	}
	upkeep_lost(ike, c);	/* unless it is being negotiated again */
}

static bool same_peer(const struct connection *c, const struct connection *d)
{
	return identity_eq(&peer_end(c)->id, &peer_end(d)->id) && identity_eq(&our_end(c)->id, &our_end(d)->id);
}

/* Without a Delete: nobody would hear it. */
static void forget_sas(struct ike *ike, struct host_pair *pair, struct connection *dead)
{
	struct phase1 *p, *next;

	for (p = LIST_FIRST(&pair->phase1s); p != NULL; p = next) {
		next = LIST_NEXT(p, in_pair);
		if (p->established != 0 && same_peer(p->c, dead))
			engine_end(ike->engine, p->x, END_LOCAL);
	}
}

static void bury(struct phase1 *p)
{
	struct ike *ike = p->ike;
	struct host_pair *pair = p->pair;
	struct connection *dead = p->c, *c, *next;

	ike_log(ike, dead, p->x, NO_WHACK, WHACK_STATUS_LOG_SERIOUS,
		"the peer did not answer for %u seconds: it is dead, its SAs are forgotten",
		dead->policy.dpd_timeout);
	dead->held++;			/* the pair stays as long as it has a connection */
	LIST_FOREACH(c, &pair->connections, in_pair)
		c->mourning = !LIST_EMPTY(&c->phase2s) && same_peer(c, dead);
	forget_sas(ike, pair, dead);
	for (c = LIST_FIRST(&pair->connections); c != NULL; c = next) {
		next = LIST_NEXT(c, in_pair);
		if (c->mourning) {
			c->mourning = false;
			act(ike, c, c->policy.dpd_action);
		}
	}
	dead->held--;
	instance_release(ike, dead);
}

/* ---- watching ---------------------------------------------------------------- */

static void rearm(struct phase1 *p, uint64_t at)
{
	timer_arm(engine_timers(p->ike->engine), &p->dpd.timer, at > p->ike->now ? at : p->ike->now + 1);
}

/* The newest ISAKMP SA with the same peer watches for all of them: the peer may have given up an older one. */
static const struct phase1 *watcher(const struct phase1 *p)
{
	const struct phase1 *q;

	LIST_FOREACH(q, &p->pair->phase1s, in_pair)	/* newest first */
		if (q == p || (q->established != 0 && !q->retired && !q->x->dying && q->dpd.able &&
			       q->c->policy.dpd_delay != 0 && same_peer(q->c, p->c)))
			return q;
	return p;
}

/* When anything authentic came from the peer, under any ISAKMP SA or as ESP. */
static uint64_t last_heard(const struct phase1 *p)
{
	const struct phase1 *q;
	uint64_t heard = p->dpd.traffic;

	LIST_FOREACH(q, &p->pair->phase1s, in_pair)
		if (q->established != 0 && same_peer(q->c, p->c) && q->x->heard > heard)
			heard = q->x->heard;
	return heard;
}

struct signs_of_life dpd_signs(const struct connection *c)
{
	struct signs_of_life s = { 0 };
	const struct phase1 *p;

	if (c->pair == NULL)
		return s;
	LIST_FOREACH(p, &c->pair->phase1s, in_pair) {
		if (p->established == 0 || p->x == NULL || !same_peer(p->c, c))
			continue;
		s.ike = p->x->heard > s.ike ? p->x->heard : s.ike;
		s.traffic = p->dpd.traffic > s.traffic ? p->dpd.traffic : s.traffic;
		s.asked = p->dpd.asked > s.asked ? p->dpd.asked : s.asked;
	}
	if (s.asked <= s.ike || s.asked <= s.traffic)
		s.asked = 0;
	return s;
}

/* The kernel has told how much came in; now it is known whether the peer was silent. */
static void decide(struct phase1 *p)
{
	uint64_t delay = 1000ull * p->c->policy.dpd_delay, timeout = 1000ull * p->c->policy.dpd_timeout;
	uint64_t heard = last_heard(p);
	uint64_t pause = timeout / ASKS_PER_TIMEOUT;

	if (heard > p->dpd.asked)
		p->dpd.asked = 0;
	if (watcher(p) != p) {
		p->dpd.asked = 0;
		rearm(p, p->ike->now + delay);
	} else if (heard + delay > p->ike->now) {
		rearm(p, heard + delay);
	} else if (p->dpd.asked != 0 && p->ike->now >= p->dpd.asked + timeout) {
		bury(p);
	} else {
		ask(p);
		rearm(p, p->ike->now + (pause > 0 ? pause : 1));
	}
}

static void counted(struct ike *ike, void *ctx, const struct kernel_result *r)
{
	struct phase1 *p = ctx;

	(void)ike;
	if (r->ok)
		p->dpd.sum += r->counts.packets;
	if (--p->dpd.pending > 0)
		return;
	if (p->dpd.sum != p->dpd.packets)
		p->dpd.traffic = p->ike->now;
	p->dpd.packets = p->dpd.sum;
	decide(p);
}

/* Ask the kernel about the inbound SAs that were made under q. */
static void count_under(struct phase1 *p, const struct phase1 *q)
{
	const struct kernel *k = &p->ike->kernel;
	struct exchange *x;

	LIST_FOREACH(x, &q->x->children, sibling) {
		const struct phase2 *sa = phase2_of(x);

		for (unsigned i = 0; sa != NULL && sa->installed && i < sa->chosen.n; i++) {
			struct sa_id id = { .dst = x->local.addr, .protocol = ip_protocol(sa->chosen.p[i].protocol),
					    .spi = phase2_spi(sa, sa->chosen.p[i].protocol) };

			p->dpd.pending++;
			k->ops->read_sa(k->k, request_new(p->ike, &p->dpd.requests, counted, p)->token, &id);
		}
	}
}

/* How many packets came from the peer?  Any change means that it sends.  IPsec SAs outlive the ISAKMP SA that
 * made them, so those under all of the peer's count. */
static void on_timer(void *ctx, uint64_t now)
{
	struct phase1 *p = ctx;
	const struct phase1 *q;

	ike_clock(p->ike, now);
	p->dpd.sum = 0;
	p->dpd.pending = 1;		/* ours, so that early answers do not decide */
	LIST_FOREACH(q, &p->pair->phase1s, in_pair)
		if (q->established != 0 && same_peer(q->c, p->c))
			count_under(p, q);
	counted(p->ike, p, &(struct kernel_result){ .ok = false });
}

void dpd_watch(struct phase1 *p)
{
	p->dpd.timer.fire = on_timer;
	p->dpd.timer.ctx = p;
	if (p->dpd.able && p->c->policy.dpd_delay != 0)
		rearm(p, p->ike->now + 1000ull * p->c->policy.dpd_delay);
}

void dpd_stop(struct phase1 *p)
{
	requests_abandon(&p->dpd.requests);
	timer_disarm(engine_timers(p->ike->engine), &p->dpd.timer);
}

bool dpd_notified(struct phase1 *p, const struct payload_N *n)
{
	if (n->type == NOTIFY_TYPE_R_U_THERE) {
		send_notify_to(p, NOTIFY_TYPE_R_U_THERE_ACK, n->data);
		return true;
	}
	return n->type == NOTIFY_TYPE_R_U_THERE_ACK;	/* that it came is the answer */
}
