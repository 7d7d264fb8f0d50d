/* natt_path.c -- the path through a NAT once it is there: following a peer to a new address or port, and keepalives. */
#include "generated/vendors.h"
#include "ike/hosts.h"
#include "ike/instance.h"
#include "ike/natt.h"
#include "ike/phase2.h"

static bool same_peer(const struct phase1 *p, const struct phase1 *q)
{
	return identity_eq(&peer_end(p->c)->id, &peer_end(q->c)->id) &&
	       identity_eq(&our_end(p->c)->id, &our_end(q->c)->id);
}

void natt_path(struct ike *ike, const struct connection *c, struct endpoint *local, struct endpoint *remote)
{
	const struct phase1 *p;

	*local = (struct endpoint){ .addr = our_end(c)->host, .port = ike->ports.ike };
	*remote = (struct endpoint){ .addr = peer_end(c)->host, .port = peer_end(c)->ikeport };
	/* What begins on the port of NAT traversal begins on both ends of it. */
	if (ike->ports.natt != 0 && remote->port == peer_end(c)->nattport)
		local->port = ike->ports.natt;
	LIST_FOREACH(p, &c->pair->phase1s, in_pair) {
		if (p->established == 0 || !natt_encapsulates(p) || (p->c != c && !auth_covers(p, c)))
			continue;
		*local = p->x->local;
		*remote = p->x->remote;
		return;
	}
}

/* ---- following --------------------------------------------------------------------- */

/* Whose client is the peer's address itself: what its SAs are for is not there any more. */
static bool bound_to_address(const struct connection *c)
{
	return !connection_tunnel(c) || (!peer_end(c)->has_client && addr_is_none(&peer_end(c)->inside));
}

/* The SAs that were made under q go where q has gone. */
static void move_sas(struct phase1 *q, const struct endpoint *before)
{
	bool elsewhere = !addr_eq(&before->addr, &q->x->remote.addr);
	struct exchange *x, *next;

	for (x = LIST_FIRST(&q->x->children); x != NULL; x = next) {
		struct phase2 *sa = phase2_of(x);

		next = LIST_NEXT(x, sibling);
		if (sa == NULL || !sa->installed)
			continue;
		install_move(sa, before);
		if (elsewhere && bound_to_address(sa->c)) {
			ike_log(q->ike, sa->c, x, NO_WHACK, WHACK_STATUS_LOG,
				"this IPsec SA is for the address that the peer had: it cannot follow");
			send_delete(q->ike, x);
			engine_end(q->ike->engine, x, END_LOCAL);
		}
	}
}

/* A phase 1 that is on the path which p has left. */
static struct phase1 *left_behind(const struct phase1 *p, const struct endpoint *before)
{
	struct phase1 *q;

	LIST_FOREACH(q, &p->pair->phase1s, in_pair)
		if (q != p && q->established != 0 && !q->x->dying && natt_encapsulates(q) && same_peer(p, q) &&
		    endpoint_eq(&q->x->remote, before))
			return q;
	return NULL;
}

/* An instance for the peer of p that stands at another address. */
static struct connection *stale_instance(const struct phase1 *p, const struct host_pair *pair)
{
	struct connection *c;

	LIST_FOREACH(c, &pair->connections, in_pair)
		if (c->template != NULL && !addr_eq(&peer_end(c)->host, &p->x->remote.addr) &&
		    identity_eq(&peer_end(c)->id, &peer_end(p->c)->id))
			return c;
	return NULL;
}

static struct phase1 *served_elsewhere(const struct host_pair *pair)
{
	struct phase1 *q;

	LIST_FOREACH(q, &pair->phase1s, in_pair)
		if (q->c->pair != pair)
			return q;
	return NULL;
}

/* c, an instance, has its route for the address that the peer had: another one takes its place. */
static void replace_instance(struct phase1 *p, struct connection *c)
{
	struct connection *fresh = NULL;
	struct phase1 *q;

	LIST_FOREACH(q, &p->pair->phase1s, in_pair) {
		if (q->c != c)
			continue;
		if (fresh == NULL) {
			fresh = instance_new(p->ike, c->template, &p->x->remote.addr);
			natt_name(p, fresh, &peer_end(c)->id);
		}
		q->c = fresh;
	}
	connection_delete(p->ike, c);
}

/* Instances are found by the address of their peer; the route of one to a client stays as it is. */
static void move_instances(struct phase1 *p)
{
	struct host_pair *pair = p->pair;
	struct connection *c;
	struct phase1 *q;

	while ((c = stale_instance(p, pair)) != NULL) {
		struct end *theirs = &c->end[1 - c->ours];

		if (bound_to_address(c)) {
			replace_instance(p, c);
			continue;
		}
		if (addr_is_any(&theirs->nexthop))
			theirs->nexthop = theirs->host;
		hosts_move(p->ike, c, &p->x->remote.addr);
	}
	while ((q = served_elsewhere(pair)) != NULL)
		phase1_follow_pair(q);
	host_pair_release(p->ike, pair);
}

void natt_relocated(struct phase1 *p, const struct endpoint *before)
{
	char from[ENDPOINT_TEXT], to[ENDPOINT_TEXT];
	struct phase1 *q;

	ike_log(p->ike, p->c, p->x, NO_WHACK, WHACK_STATUS_LOG, "the peer is at %s now, it was at %s",
		endpoint_format(&p->x->remote, to), endpoint_format(before, from));
	if (p->established == 0)
		return;
	while ((q = left_behind(p, before)) != NULL) {
		engine_relocate(q->x, &q->x->local, &p->x->remote);
		move_sas(q, before);
	}
	move_sas(p, before);
	if (!addr_eq(&before->addr, &p->x->remote.addr))
		move_instances(p);
}

const struct phase1 *natt_fixed_peer(const struct ike *ike, const struct ip_addr *local)
{
	const struct phase1 *p;
	unsigned looked = 0;

	LIST_FOREACH(p, &ike->behind_nats, natt.in_list)
		if (looked++ == LIMIT_OTHERS_TOLD || addr_eq(&p->x->local.addr, local))
			break;
	return looked > LIMIT_OTHERS_TOLD ? NULL : p;
}

void natt_mapping(struct ike *ike, const struct sa_id *id, const struct endpoint *from)
{
	struct phase2 *sa = phase2_by_id(ike, id);
	struct endpoint before;

	if (sa == NULL || sa->root->x->dying || !natt_encapsulates(sa->root) || !sa->root->natt.peer)
		return;
	before = sa->root->x->remote;
	if (endpoint_eq(&before, from))
		return;
	engine_relocate(sa->root->x, &sa->root->x->local, from);
	natt_relocated(sa->root, &before);
}

/* ---- keepalives ---------------------------------------------------------------------- */

static void rearm(struct phase1 *p, uint64_t at)
{
	timer_arm(engine_timers(p->ike->engine), &p->natt.timer, at > p->ike->now ? at : p->ike->now + 1);
}

/* Of the phase 1s on one path the newest keeps it open for all. */
static bool keeper(const struct phase1 *p)
{
	const struct phase1 *q;

	LIST_FOREACH(q, &p->pair->phase1s, in_pair)	/* newest first */
		if (q == p || (q->established != 0 && !q->x->dying && q->natt.us &&
			       endpoint_eq(&q->x->remote, &p->x->remote)))
			return q == p;
	return false;
}

/* When anything was sent on the path of p. */
static uint64_t last_sent(const struct phase1 *p)
{
	const struct phase1 *q;
	uint64_t sent = 0;

	LIST_FOREACH(q, &p->pair->phase1s, in_pair)
		if (endpoint_eq(&q->x->remote, &p->x->remote) && q->natt.spoke > sent)
			sent = q->natt.spoke;
	return sent;
}

/* The kernel has told when ESP was sent last. */
static void decide(struct phase1 *p)
{
	uint64_t interval = 1000ull * p->ike->ports.keepalive, sent = last_sent(p);

	if (sent + interval > p->ike->now) {
		rearm(p, sent + interval);
		return;
	}
	if (keeper(p))
		p->ike->host.keepalive(p->ike->host.ctx, &p->x->local, &p->x->remote);
	p->natt.spoke = p->ike->now;
	rearm(p, p->ike->now + interval);
}

static void told(struct ike *ike, void *ctx, const struct kernel_result *r)
{
	struct phase1 *p = ctx;

	(void)ike;
	if (r->ok && 1000 * r->counts.last_used > p->natt.spoke)
		p->natt.spoke = 1000 * r->counts.last_used;
	if (--p->natt.pending == 0)
		decide(p);
}

/* Ask the kernel about what goes out by the SAs that were made under q. */
static void ask_under(struct phase1 *p, const struct phase1 *q)
{
	const struct kernel *k = &p->ike->kernel;
	struct exchange *x;

	LIST_FOREACH(x, &q->x->children, sibling) {
		const struct phase2 *sa = phase2_of(x);

		if (sa == NULL || !sa->uses_eroute)
			continue;
		for (unsigned i = 0; i < sa->chosen.n; i++) {
			struct sa_id id = install_sa_id(sa, i, false);

			if (sa->chosen.p[i].protocol != PROTOCOL_ID_ESP)
				continue;
			p->natt.pending++;
			k->ops->read_sa(k->k, request_new(p->ike, &p->natt.requests, told, p)->token, &id);
		}
	}
}

static void on_timer(void *ctx, uint64_t now)
{
	struct phase1 *p = ctx;
	const struct phase1 *q;

	ike_clock(p->ike, now);
	requests_abandon(&p->natt.requests);
	p->natt.pending = 1;		/* ours, so that early answers do not decide */
	if (keeper(p))
		LIST_FOREACH(q, &p->pair->phase1s, in_pair)
			if (q->established != 0 && endpoint_eq(&q->x->remote, &p->x->remote))
				ask_under(p, q);
	told(p->ike, p, &(struct kernel_result){ .ok = false });
}

void natt_watch(struct phase1 *p)
{
	p->x->roaming = natt_encapsulates(p) && p->natt.peer;
	p->natt.timer.fire = on_timer;
	p->natt.timer.ctx = p;
	p->natt.listed = p->x->roaming && p->c->template == NULL;
	if (p->natt.listed)
		LIST_INSERT_HEAD(&p->ike->behind_nats, p, natt.in_list);
	if (natt_encapsulates(p) && p->natt.us && p->ike->ports.keepalive != 0)
		rearm(p, p->ike->now + 1000ull * p->ike->ports.keepalive);
}

void natt_stop(struct phase1 *p)
{
	if (p->natt.listed)
		LIST_REMOVE(p, natt.in_list);
	p->natt.listed = false;
	requests_abandon(&p->natt.requests);
	timer_disarm(engine_timers(p->ike->engine), &p->natt.timer);
}

void natt_spoke(const struct exchange *x)
{
	const struct exchange *root = x->parent != NULL ? x->parent : x;
	struct phase1 *p = phase1_of(root);

	if (p != NULL)
		p->natt.spoke = p->ike->now;
}
