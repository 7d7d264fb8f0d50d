/* phase1.c -- ISAKMP SAs: beginning them, what waits for them, their lifetime. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "ike/dpd.h"
#include "ike/followup.h"
#include "ike/initiate.h"
#include "ike/instance.h"
#include "ike/internal.h"
#include "ike/hosts.h"
#include "ike/lifetime.h"
#include "ike/phase2.h"
#include "ike/upkeep.h"
#include "ike/natt.h"

static void on_timer(void *ctx, uint64_t now);

struct phase1 *phase1_of(const struct exchange *x)
{
	return x == NULL || x->machine == NULL || x->machine->phase != 1 ? NULL : x->user;
}

struct phase1 *phase1_new(struct ike *ike, struct connection *c, uint32_t whack, uint32_t try)
{
	struct phase1 *p = NEW(struct phase1);

	p->ike = ike;
	p->c = c;
	p->whack = whack;
	p->try = try;
	p->begun = ike->now;
	p->n = NEW(struct negotiation);
	p->timer.fire = on_timer;
	p->timer.ctx = p;
	await_init(&p->await, ike);
	LIST_INIT(&p->dpd.requests);
	LIST_INIT(&p->natt.requests);
	STAILQ_INIT(&p->pending);
	p->pair = c->pair;
	LIST_INSERT_HEAD(&p->pair->phase1s, p, in_pair);
	return p;
}

static void negotiation_free(struct phase1 *p)
{
	if (p->n == NULL)
		return;
	wipe(p->n, sizeof(*p->n));
	free(p->n);
	p->n = NULL;
}

struct exchange *phase1_start(struct ike *ike, struct connection *c, uint32_t whack, uint32_t try)
{
	struct phase1 *p = phase1_new(ike, c, whack, try);
	struct endpoint local, remote;

	natt_path(ike, c, &local, &remote);
	return engine_initiate(ike->engine, ike->now, c->policy.aggressive ? &machine_aggressive : &machine_main, NULL,
			       &local, &remote, p);
}

void pending_free(struct pending *q)
{
	free(q);
}

void phase1_add_pending(struct phase1 *p, struct connection *c, uint32_t whack, uint32_t try)
{
	struct pending *q = NEW(struct pending);

	q->c = c;
	q->whack = whack;
	q->try = try;
	STAILQ_INSERT_TAIL(&p->pending, q, next);
}

bool phase1_suspect(const struct phase1 *p)
{
	return p->suspected != 0 && p->x->heard <= p->suspected;
}

struct phase1 *phase1_usable(struct ike *ike, const struct connection *c, bool established)
{
	struct phase1 *p;

	(void)ike;
	if (c->pair == NULL)
		return NULL;
	LIST_FOREACH(p, &c->pair->phase1s, in_pair) {	/* newest first */
		if (p->x == NULL || p->x->dying || phase1_is_ready(p) != established)
			continue;
		if (established ? phase1_suspect(p) || p->retired : p->x->role != ROLE_INITIATOR)
			continue;
		if (p->c == c || auth_covers(p, c))
			return p;
	}
	return NULL;
}

/* Another ISAKMP SA has to do for what waits for p. */
static void requeue(struct phase1 *p)
{
	STAILQ_HEAD(, pending) waiting = STAILQ_HEAD_INITIALIZER(waiting);

	STAILQ_CONCAT(&waiting, &p->pending);
	while (!STAILQ_EMPTY(&waiting)) {
		struct pending *q = STAILQ_FIRST(&waiting);

		STAILQ_REMOVE_HEAD(&waiting, next);
		if (p->ike->stopping)
			initiate_failed(p->ike, q->c, q->whack, WHACK_STATUS_SHUTTING_DOWN);
		else
			connection_initiate(p->ike, q->c, q->whack, q->try);
		pending_free(q);
	}
}

void phase1_release(struct phase1 *p)
{
	if (!phase1_is_ready(p) || p->x->dying)
		return;
	if (p->retired || phase1_suspect(p)) {
		requeue(p);
		return;
	}
	while (!STAILQ_EMPTY(&p->pending) && p->n_begun < LIMIT_QUICK_AT_ONCE) {
		struct pending *q = STAILQ_FIRST(&p->pending);

		STAILQ_REMOVE_HEAD(&p->pending, next);
		followup_phase2(p, q->c, q->whack, q->try);
		pending_free(q);
	}
}

void phase1_serve(struct phase1 *p, struct connection *c)
{
	struct connection *before = p->c;

	if (connection_is_template(c))
		c = instance_new(p->ike, c, &p->x->remote.addr);
	if (c == before)
		return;
	ike_debug(p->ike, c, DEBUG_CLASSES_CONTROL, "#%llu is for this connection, no longer for \"%s\"",
		  (unsigned long long)p->x->serial, before->name);
	p->c = c;
	instance_release(p->ike, before);
}

bool phase1_other_peer(const struct phase1 *p, const struct connection *c, const struct endpoint *from)
{
	const struct phase1 *q;

	if (c->template == NULL)
		return false;
	LIST_FOREACH(q, &c->pair->phase1s, in_pair)
		if (q != p && q->c == c && q->established != 0 && !q->x->dying &&
		    !endpoint_eq(&q->x->remote, from))
			return true;
	return false;
}

void phase1_follow_pair(struct phase1 *p)
{
	LIST_REMOVE(p, in_pair);
	LIST_INSERT_HEAD(&p->c->pair->phase1s, p, in_pair);
	phase1_half_open_follow(p, p->c->pair);
	p->pair = p->c->pair;
}

/* For whoever reads a capture, if the operator wants that. */
static void tell_keys(const struct phase1 *p)
{
	struct sa_keys k = { .ike = true, .icookie = span_of(p->x->cookies, COOKIE_SIZE),
			     .cipher_key = values_get(&p->x->values, p->x->machine->cipher_key),
			     .cipher = p->x->agreed.cipher };

	if (p->ike->host.keys != NULL)
		p->ike->host.keys(p->ike->host.ctx, &k);
}

bool phase1_same_ends(const struct phase1 *p, const struct phase1 *q)
{
	return identity_eq(&peer_end(p->c)->id, &peer_end(q->c)->id) &&
	       identity_eq(&our_end(p->c)->id, &our_end(q->c)->id);
}

/* The newest is used, except that of two which both ends began at once both must take, and replace, the same
 * one: it is told by the cookies. */
static void rank(struct phase1 *p)
{
	struct phase1 *q;

	LIST_FOREACH(q, &p->pair->phase1s, in_pair)
		if (q->x != NULL && q->x->role != p->x->role && q->established != 0 &&
		    p->begun < q->established + TIMER_CROSSING_MS[0] && phase1_same_ends(p, q))
			break;
	if (q == NULL)
		return;
	LIST_REMOVE(p, in_pair);
	if (memcmp(p->x->cookies, q->x->cookies, sizeof(p->x->cookies)) > 0)
		LIST_INSERT_BEFORE(q, p, in_pair);
	else
		LIST_INSERT_AFTER(q, p, in_pair);
}

/* Under a new ISAKMP SA the gateway may have given another address: what has SAs with the old one begins anew. */
static void follow_address(struct phase1 *p)
{
	struct connection *c, *next;

	for (c = LIST_FIRST(&p->pair->connections); c != NULL && p->follow.lease != NULL; c = next) {
		next = LIST_NEXT(c, in_pair);
		if (c->lease != NULL && !LIST_EMPTY(&c->phase2s) && auth_covers(p, c) &&
		    !addr_eq(&c->lease->address, &p->follow.lease->address))
			followup_phase2(p, c, NO_WHACK, 1);
	}
}

void phase1_established(struct phase1 *p)
{
	struct ike *ike = p->ike;
	uint64_t life = life_agreed(p->c, &p->chosen).seconds, until;

	phase1_half_open_end(p);
	negotiation_free(p);
	tell_keys(p);
	rank(p);
	p->established = ike->now;
	p->expires = ike->now + 1000 * life;
	until = life_until_rekey(ike, &p->c->policy, p->x->role, life);
	ike_debug(ike, p->c, DEBUG_CLASSES_CONTROL, "#%llu lives %llu s, to be replaced in %llu s",
		  (unsigned long long)p->x->serial, (unsigned long long)life, (unsigned long long)until);
	timer_arm(engine_timers(ike->engine), &p->timer, ike->now + 1000 * until);
	dpd_watch(p);
	natt_watch(p);
	natt_warn(p);
	followup_begin(p);
}

void phase1_ready(struct phase1 *p)
{
	struct ike *ike = p->ike;

	if (p->whack != NO_WHACK && !connection_ipsec(p->c)) {
		ike_reply(ike, p->whack, WHACK_STATUS_SUCCESS,
			  "\"%s\" #%llu: ISAKMP SA established, %s", p->c->name,
			  (unsigned long long)p->x->serial, choice_text(ike->arena, &p->chosen));
		ike_finish(ike, p->whack);
	}
	p->whack = NO_WHACK;
	if (!connection_ipsec(p->c)) {
		upkeep_up(ike, p->c);
		phase1_tell_lifetime(p);
	}
	phase1_release(p);
	phase2s_begin_again(p);
	follow_address(p);
}

void phase1_tell_lifetime(struct phase1 *p)
{
	if (p->told_lifetime || p->x->role != ROLE_RESPONDER)
		return;
	p->told_lifetime = true;
	send_lifetime(p->ike, p->x);
}

void phase1_shorten(struct phase1 *p, const struct life *life)
{
	struct ike *ike = p->ike;
	uint64_t expires = p->established + 1000 * life->seconds;

	if (p->established == 0 || p->retired || life->seconds == 0 || expires >= p->expires)
		return;
	ike_log(ike, p->c, p->x, NO_WHACK, WHACK_STATUS_LOG, "the peer lets this ISAKMP SA live %llu seconds only",
		(unsigned long long)life->seconds);
	p->expires = expires;
	timer_arm(engine_timers(ike->engine), &p->timer,
		  p->established + 1000 * life_until_rekey(ike, &p->c->policy, p->x->role, life->seconds));
}

/* Deletes of IPsec SAs with this peer may still come under p, whichever ISAKMP SA made them: on their way a
 * Delete of p itself can overtake them. */
static bool awaits_deletes(const struct phase1 *p)
{
	const struct phase1 *q;

	LIST_FOREACH(q, &p->pair->phase1s, in_pair)
		if (q->n_phase2 > 0 && q->established != 0 && phase1_same_ends(p, q))
			return true;
	return false;
}

void phase1_retire(struct phase1 *p)
{
	if (!phase1_is_ready(p) || !awaits_deletes(p)) {
		engine_end(p->ike->engine, p->x, END_LOCAL);
		return;
	}
	p->retired = true;
	requeue(p);
	dpd_stop(p);
	timer_arm(engine_timers(p->ike->engine), &p->timer, p->ike->now + TIMER_LARVAL_MS[0]);
}

void phase1_bereft(struct phase1 *p)
{
	struct phase1 *q = LIST_FIRST(&p->pair->phase1s), *next;

	/* Those that were before p with this peer wait for the same Deletes. */
	for (; q != NULL; q = next) {
		next = LIST_NEXT(q, in_pair);
		if (q->retired && q->n_phase2 == 0 && (!timer_armed(&q->timer) || !awaits_deletes(q)))
			engine_end(q->ike->engine, q->x, END_LOCAL);
	}
}

/* Rekeying is due, then expiry; of what is retired, the end of its keys. */
static void on_timer(void *ctx, uint64_t now)
{
	struct phase1 *p = ctx;
	struct ike *ike = p->ike;

	ike_clock(ike, now);
	if (p->retired && p->n_phase2 == 0) {
		engine_end(ike->engine, p->x, END_LOCAL);
		return;
	}
	if (p->retired) {
		values_free(&p->x->values);
		return;
	}
	if (now >= p->expires) {
		ike_log(ike, p->c, p->x, NO_WHACK, WHACK_STATUS_LOG, "ISAKMP SA expired");
		send_delete(ike, p->x);
		phase1_retire(p);
		return;
	}
	timer_arm(engine_timers(ike->engine), &p->timer, p->expires);
	if (phase1_usable(ike, p->c, true) == p && !ike->stopping && ike->listening) {
		ike_log(ike, p->c, p->x, NO_WHACK, WHACK_STATUS_LOG, "replacing this ISAKMP SA");
		phase1_start(ike, p->c, NO_WHACK, 1);
	}
}

/* The last line for a whack.  What the peer said in clear proves nothing, but nothing else came from it. */
static void tell_failed(struct phase1 *p, struct connection *c, uint32_t whack, enum end_reason why)
{
	char type[REGISTRY_TEXT];

	if (p->follow.status != 0)
		initiate_failed(p->ike, c, whack, p->follow.status);
	else if (why != END_NO_RESPONSE || p->told == 0)
		initiate_failed(p->ike, c, whack,
				end_status(why == END_NO_RESPONSE && p->x->disliked ? END_REFUSED : why));
	else
		initiate_refused(p->ike, c, whack, refuse_probably_refused(p->ike->arena, c->name,
				 registry_name(&registry_notify_type, p->told, type)));
}

/* The negotiation came to nothing: again, or tell everybody who waits. */
static void failed(struct phase1 *p, enum end_reason why)
{
	struct ike *ike = p->ike;
	bool again = why == END_NO_RESPONSE && p->x->role == ROLE_INITIATOR && !ike->stopping &&
		     !p->c->deleted &&
		     (p->c->policy.keyingtries == 0 || p->try < p->c->policy.keyingtries);
	struct exchange *x = again ? phase1_start(ike, p->c, p->whack, p->try + 1) : NULL;

	if (x != NULL)
		ike_log(ike, p->c, x, p->whack, WHACK_STATUS_RETRANSMISSION,
			"starting keying attempt %u%s", p->try + 1, keying_limit(ike, p->c));
	while (!STAILQ_EMPTY(&p->pending)) {
		struct pending *q = STAILQ_FIRST(&p->pending);

		STAILQ_REMOVE_HEAD(&p->pending, next);
		if (x != NULL)
			phase1_add_pending(x->user, q->c, q->whack, q->try);
		else
			tell_failed(p, q->c, q->whack, why);
		pending_free(q);
	}
	if (x == NULL && p->x->role == ROLE_INITIATOR && !connection_ipsec(p->c))
		tell_failed(p, p->c, p->whack, why);
}

void phase1_ended(struct phase1 *p, enum end_reason why)
{
	struct ike *ike = p->ike;
	struct connection *c = p->c;

	await_abandon(&p->await);
	timer_disarm(engine_timers(ike->engine), &p->timer);
	dpd_stop(p);
	natt_stop(p);
	LIST_REMOVE(p, in_pair);
	phase1_half_open_end(p);
	if (!phase1_is_ready(p))
		failed(p, why);
	else
		requeue(p);
	followup_stop(p);
	host_pair_release(ike, p->pair);
	negotiation_free(p);
	free(p);
	if (!connection_ipsec(c))
		upkeep_lost(ike, c);
	instance_release(ike, c);
}

void phase1s_hand_over(struct ike *ike, struct connection *c)
{
	struct phase1 *p, *next;
	struct connection *other;

	if (c->pair == NULL)
		return;
	for (p = LIST_FIRST(&c->pair->phase1s); p != NULL; p = next) {
		next = LIST_NEXT(p, in_pair);
		if (p->c != c)
			continue;
		LIST_FOREACH(other, &c->pair->connections, in_pair)
			if (other != c && auth_covers(p, other))
				break;
		if (other != NULL && p->established != 0)
			p->c = other;
		else
			engine_end(ike->engine, p->x, END_LOCAL);
	}
}
