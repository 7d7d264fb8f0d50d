/* phase2.c -- pairs of IPsec SAs: beginning them, their lifetime, their end. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "ike/followup.h"
#include "ike/hosts.h"
#include "ike/initiate.h"
#include "ike/instance.h"
#include "ike/lifetime.h"
#include "ike/natt.h"
#include "ike/phase2.h"
#include "ike/retry.h"
#include "ike/status.h"
#include "ike/upkeep.h"

static void on_timer(void *ctx, uint64_t now);

struct phase2 *phase2_new(struct phase1 *root, struct connection *c, uint32_t whack, uint32_t try)
{
	struct phase2 *p = NEW(struct phase2);

	p->ike = root->ike;
	p->root = root;
	root->n_phase2++;
	p->c = c;
	p->whack = whack;
	p->try = try;
	p->begun = root->ike->now;
	p->n = NEW(struct quick_scratch);
	p->timer.fire = on_timer;
	p->timer.ctx = p;
	c->uses++;
	await_init(&p->await, root->ike);
	switch_init(p);
	volume_init(p);
	LIST_INSERT_HEAD(&c->phase2s, p, of_connection);
	return p;
}

/* Under one ISAKMP SA what is lost or late on the way may make p seem later than it is.  Under two a peer that answered q
 * and begins p afterwards may have restarted in between. */
static bool before_answer(const struct phase2 *p, const struct phase2 *q)
{
	uint64_t late = p->root == q->root ? TIMER_CROSSING_MS[0] : 0;

	return q->answered == 0 || p->begun < q->answered + late;
}

/* Did each end begin one before it had answered, or got the answer to, the other's? */
static bool crossed(const struct phase2 *p, const struct phase2 *q)
{
	return p->x->role != q->x->role && before_answer(p, q) && before_answer(q, p);
}

static uint32_t least_spi(const struct phase2 *p)
{
	uint32_t least = UINT32_MAX;

	for (unsigned i = 0; i < p->chosen.n; i++) {
		uint32_t in = phase2_spi(p, p->chosen.p[i].protocol), out = p->chosen.p[i].peer_spi;

		least = in < least ? in : least;
		least = out < least ? out : least;
	}
	return least;
}

void phase2_rank(struct phase2 *p)
{
	struct phase2 *q;

	LIST_FOREACH(q, &p->c->phase2s, of_connection)
		if (q != p && q->established != 0 && crossed(p, q))
			break;
	if (q == NULL)
		return;
	LIST_REMOVE(p, of_connection);
	if (least_spi(p) > least_spi(q))
		LIST_INSERT_BEFORE(q, p, of_connection);
	else
		LIST_INSERT_AFTER(q, p, of_connection);
}

bool phase2_best(const struct phase2 *p)
{
	const struct phase2 *q;

	LIST_FOREACH(q, &p->c->phase2s, of_connection)
		if (q == p || q->established != 0)
			return q == p;
	return false;
}

/* The peer has accepted once what made the old SA, and nothing weaker will do. */
static void inherit(struct phase2 *p, const struct phase2 *old)
{
	for (unsigned i = 0; i < old->chosen.n; i++)
		p->inherited |= 1u << old->chosen.p[i].protocol;
	if (p->group == 0)
		p->group = old->group;
}

struct connection phase2_policy(const struct phase2 *p)
{
	struct connection c = *p->c;

	if (p->inherited == 0)
		return c;
	c.policy.encrypt = (p->inherited & 1u << PROTOCOL_ID_ESP) != 0;
	c.policy.authenticate = (p->inherited & 1u << PROTOCOL_ID_AH) != 0;
	c.policy.compress = (p->inherited & 1u << PROTOCOL_ID_IPCOMP) != 0;
	c.policy.pfs = p->group != 0;
	return c;
}

void phase2_start(struct ike *ike, struct connection *c, struct exchange *parent, uint32_t whack,
		  uint32_t try)
{
	const struct phase2 *old = switch_current(c);
	struct phase2 *p = phase2_new(phase1_of(parent), c, whack, try);

	p->under_way = true;
	p->root->n_begun++;
	if (c->policy.pfs)
		p->group = c->policy.pfs_group != 0 ? c->policy.pfs_group : p->root->chosen.group;
	if (old != NULL)
		inherit(p, old);
	engine_initiate(ike->engine, ike->now, &machine_quick, parent, &parent->local,
			&parent->remote, p);
}

const struct refusal *phase2_admit(struct ike *ike, struct exchange *x)
{
	struct phase1 *root = phase1_of(x->parent);
	struct phase2 *p;

	if (root->retired)
		return refuse_sa_retired(ike->arena);
	if (!phase1_is_ready(root))
		return refuse_sa_incomplete(ike->arena, root->c->name, followup_awaited(root));
	if (root->n_phase2 >= LIMIT_PHASE2_PER_SA)
		return refuse_too_many_phase2(ike->arena, LIMIT_PHASE2_PER_SA);
	p = phase2_new(root, root->c, NO_WHACK, 1);
	p->x = x;
	x->user = p;
	return NULL;
}

/* Ours that was under way is not any more: the next one may begin, by phase1_release. */
static void end_turn(struct phase2 *p)
{
	p->root->n_begun -= p->under_way;
	p->under_way = false;
}

static void scratch_free(struct phase2 *p)
{
	if (p->n == NULL)
		return;
	wipe(p->n, sizeof(*p->n));
	free(p->n);
	p->n = NULL;
}

void phase2_set_life(struct phase2 *p)
{
	struct life life = life_agreed(p->c, &p->chosen);

	p->hard = (struct kernel_life){ .seconds = life.seconds, .octets = volume_octets(life.kilobytes) };
	p->soft = (struct kernel_life){
		.seconds = life_until_rekey(p->ike, &p->c->policy, p->x->role, life.seconds),
		.octets = volume_replace(p, p->hard.octets), .packets = LIMIT_SA_PACKETS,
	};
}

/* Counted from when p was established. */
static void set_life(struct phase2 *p, const struct life *life)
{
	struct ike *ike = p->ike;
	uint64_t until_rekey = life->seconds == p->hard.seconds ? p->soft.seconds :
			       life_until_rekey(ike, &p->c->policy, p->x->role, life->seconds);

	ike_debug(ike, p->c, DEBUG_CLASSES_CONTROL, "#%llu lives %llu s, to be replaced in %llu s",
		  (unsigned long long)p->x->serial, (unsigned long long)life->seconds,
		  (unsigned long long)until_rekey);
	if (p->lost)			/* its end has come already */
		return;
	p->expires = p->established + 1000 * life->seconds;
	timer_arm(engine_timers(ike->engine), &p->timer, p->established + 1000 * until_rekey);
	if (life->kilobytes != 0)
		volume_watch(p, life->kilobytes);
}

void phase2_shorten(struct phase2 *p, const struct life *told)
{
	struct life life = life_agreed(p->c, &p->chosen), less = {
		.seconds = life_least(life.seconds, told->seconds),
		.kilobytes = life_least(life.kilobytes, told->kilobytes),
	};

	if (less.seconds == life.seconds && less.kilobytes == life.kilobytes)
		return;
	ike_log(p->ike, p->c, p->x, NO_WHACK, WHACK_STATUS_LOG, less.kilobytes != 0 ?
		"the peer lets this IPsec SA live %llu seconds and carry %llu kilobytes only" :
		"the peer lets this IPsec SA live %llu seconds only", (unsigned long long)less.seconds,
		(unsigned long long)less.kilobytes);
	p->chosen.life = less;
	if (p->established != 0)
		set_life(p, &less);
}

void phase2_established(struct phase2 *p)
{
	struct ike *ike = p->ike;
	struct life life = life_agreed(p->c, &p->chosen);

	end_turn(p);
	scratch_free(p);
	if (p->x->role == ROLE_INITIATOR)
		p->answered = ike->now;
	phase2_rank(p);
	p->established = ike->now;
	set_life(p, &life);
	phase1_tell_lifetime(p->root);
	phase1_release(p->root);
	if (!phase2_best(p))
		ike_log(ike, p->c, p->x, NO_WHACK, WHACK_STATUS_LOG,
			"both ends began at once: another SA carries the traffic, this one only receives");
	switch_begin(p);
}

static void replace(struct phase2 *p)
{
	struct ike *ike = p->ike;

	if (!p->uses_eroute || ike->stopping || !ike->listening)
		return;
	ike_log(ike, p->c, p->x, NO_WHACK, WHACK_STATUS_LOG, "replacing this IPsec SA");
	connection_initiate(ike, p->c, NO_WHACK, 1);
}

static void on_timer(void *ctx, uint64_t now)
{
	struct phase2 *p = ctx;
	struct ike *ike = p->ike;

	ike_clock(ike, now);
	if (now < p->expires || p->lost) {
		timer_arm(engine_timers(ike->engine), &p->timer, p->expires);
		replace(p);
	}
	if (now < p->expires)
		return;
	if (!p->lost)
		ike_log(ike, p->c, p->x, NO_WHACK, WHACK_STATUS_LOG, "IPsec SA expired");
	send_delete(ike, p->x);
	engine_end(ike->engine, p->x, END_LOCAL);
}

void phase2_lost(struct phase2 *p)
{
	ike_log(p->ike, p->c, p->x, NO_WHACK, WHACK_STATUS_LOG, "this IPsec SA could not follow the peer: it ends");
	p->lost = true;
	p->expires = p->ike->now;
	timer_arm(engine_timers(p->ike->engine), &p->timer, p->expires);
}

/* ---- a peer that may have forgotten the ISAKMP SA -------------------------------- */

void phase2_unanswered(struct phase2 *p)
{
	struct ike *ike = p->ike;
	struct exchange *root = p->root->x;

	if (root->heard + TIMER_DOUBT_MS[0] > p->begun || phase1_usable(ike, p->c, true) != p->root ||
	    phase1_usable(ike, p->c, false) != NULL)
		return;
	ike_log(ike, p->c, p->x, p->whack, WHACK_STATUS_LOG,
		"the peer may have forgotten the ISAKMP SA #%llu: negotiating another one",
		(unsigned long long)root->serial);
	phase1_start(ike, p->c, NO_WHACK, p->c->policy.keyingtries);
}

/* One that waits for its first answer under an older ISAKMP SA of that peer; NULL = there is none. */
static struct phase2 *unanswered(const struct phase1 *p)
{
	const struct phase1 *q;
	struct exchange *x;

	LIST_FOREACH(q, &p->pair->phase1s, in_pair) {
		if (q == p || q->established == 0 || q->x->dying)
			continue;
		LIST_FOREACH(x, &q->x->children, sibling) {
			struct phase2 *s = phase2_of(x);

			if (s != NULL && !x->dying && s->established == 0 && x->role == ROLE_INITIATOR &&
			    x->sends > 1 && x->parked == NULL && q->x->heard <= s->begun && auth_covers(p, s->c))
				return s;
		}
	}
	return NULL;
}

void phase2s_begin_again(struct phase1 *p)
{
	struct ike *ike = p->ike;
	struct phase2 *s;

	while ((s = unanswered(p)) != NULL) {
		struct connection *c = s->c;
		uint32_t whack = s->whack, try = s->try;

		s->root->suspected = ike->now;
		s->whack = NO_WHACK;
		c->held++;
		engine_end(ike->engine, s->x, END_LOCAL);
		followup_phase2(p, c, whack, try);
		c->held--;
		instance_release(ike, c);
	}
}

void phase2_replace_in(struct phase2 *p, uint64_t ms)
{
	if (p->timer.at > p->ike->now + ms)
		timer_arm(engine_timers(p->ike->engine), &p->timer, p->ike->now + ms);
}

/* ---- what the kernel says of its lifetime ------------------------------------------ */

static bool has_sa(const struct phase2 *p, const struct sa_id *id, bool inbound)
{
	for (unsigned i = 0; p != NULL && i < p->chosen.n; i++) {
		const struct chosen *k = &p->chosen.p[i];

		if (ip_protocol(k->protocol) == id->protocol &&
		    id->spi == (inbound ? phase2_spi(p, k->protocol) : k->peer_spi))
			return true;
	}
	return false;
}

/* The IPsec SA between these two hosts to which an SA of the kernel belongs; NULL = none. */
static struct phase2 *between(struct ike *ike, const struct ip_addr *us, const struct ip_addr *peer,
			      const struct sa_id *id, bool inbound)
{
	const struct host_pair *pair = host_pair_find(ike, us, peer);
	const struct phase1 *p;
	struct exchange *x;

	if (pair == NULL)
		return NULL;
	LIST_FOREACH(p, &pair->phase1s, in_pair) {
		if (p->x == NULL || p->established == 0)
			continue;
		LIST_FOREACH(x, &p->x->children, sibling)
			if (!x->dying && has_sa(phase2_of(x), id, inbound))
				return phase2_of(x);
	}
	return NULL;
}

void phase2_used_up(struct ike *ike, const struct kernel_expiry *e)
{
	struct phase2 *p = between(ike, &e->id.dst, &e->src, &e->id, true);

	if (p == NULL)
		p = between(ike, &e->src, &e->id.dst, &e->id, false);
	if (p == NULL || p->established == 0)
		return;
	if (e->hard) {
		ike_log(ike, p->c, p->x, NO_WHACK, WHACK_STATUS_LOG, "IPsec SA is used up");
		send_delete(ike, p->x);
		engine_end(ike->engine, p->x, END_LOCAL);
	} else if (p->timer.at != p->expires) {		/* else it has been replaced, or that was tried */
		uint64_t soonest = p->established + TIMER_UNCONFIRMED_MS[0];

		p->volume.replaced = true;
		phase2_replace_in(p, soonest > ike->now ? soonest - ike->now : 0);
	}
}

static bool may_try_again(const struct phase2 *p)
{
	const struct connection *c = p->c;

	return !p->ike->stopping && !c->deleted &&
	       (c->policy.keyingtries == 0 || p->try < c->policy.keyingtries);
}

/* Our answer was never confirmed: the peer believes in SAs that we have not.  We begin ourselves, which
 * brings both to the same one again; unless it has gone away meanwhile. */
static void replace_unconfirmed(struct phase2 *p)
{
	struct phase2 *q;

	LIST_FOREACH(q, &p->c->phase2s, of_connection) {
		if (!q->uses_eroute)
			continue;
		if (q->x->serial < p->x->serial)	/* else another one has replaced it already */
			phase2_replace_in(q, TIMER_UNCONFIRMED_MS[0]);
		return;
	}
	if (!p->root->retired && may_try_again(p))
		connection_initiate(p->ike, p->c, NO_WHACK, p->try + 1);
}

void phase2_ended(struct phase2 *p, enum end_reason why)
{
	struct ike *ike = p->ike;
	struct connection *c = p->c;
	struct phase1 *root = p->root;
	uint32_t whack = p->whack;
	bool negotiating = p->established == 0;
	bool initiator = p->x != NULL && p->x->role == ROLE_INITIATOR;

	if (negotiating && why == END_NO_RESPONSE && initiator)
		root->suspected = ike->now;
	if (negotiating && (why == END_NO_RESPONSE || why == END_REFUSED))
		send_delete(ike, p->x);		/* the peer may have begun to use its SAs */
	await_abandon(&p->await);
	timer_disarm(engine_timers(ike->engine), &p->timer);
	switch_stop(p);
	volume_stop(p);
	install_remove(p);
	LIST_REMOVE(p, of_connection);
	c->uses--;
	root->n_phase2--;
	end_turn(p);
	scratch_free(p);
	if (negotiating && why == END_NO_RESPONSE && initiator && may_try_again(p))
		connection_initiate(ike, c, whack, p->try + 1);
	else if (p->refused && why == END_REFUSED && may_try_again(p))
		retry_later(ike, c, whack, p->try + 1);
	else if (negotiating || whack != NO_WHACK)	/* or not yet given the traffic */
		initiate_failed(ike, c, whack, p->status != 0 ? p->status : end_status(why));
	if (negotiating && why == END_NO_RESPONSE && !initiator)
		replace_unconfirmed(p);
	if (!negotiating)
		upkeep_lost(ike, c);
	free(p);
	phase1_release(root);
	instance_release(ike, c);
	phase1_bereft(root);
}

struct phase2 *phase2_of(const struct exchange *x)
{
	return x != NULL && x->machine == &machine_quick ? x->user : NULL;
}

struct connection *phase2_connection(const struct phase2 *p)
{
	return p->c;
}

uint32_t phase2_whack(const struct phase2 *p)
{
	return p->whack;
}

void phase2_forget_whack(struct phase2 *p, uint32_t whack)
{
	if (p->whack == whack)
		p->whack = NO_WHACK;
}
