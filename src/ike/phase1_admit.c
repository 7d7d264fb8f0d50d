/* phase1_admit.c -- first messages of peers: which connection they are taken for, and how many at once. */
#include "ike/hosts.h"
#include "ike/instance.h"
#include "ike/internal.h"
#include "ike/natt.h"

/* ---- which connection --------------------------------------------------- */

/* The connection that a first message is taken for until more is known: one for that address, else an
 * instance of one for peers from anywhere. */
static struct connection *presumed(struct ike *ike, const struct exchange *x)
{
	struct host_pair *pair = host_pair_find(ike, &x->local.addr, &x->remote.addr);

	if (pair != NULL && !LIST_EMPTY(&pair->connections))
		return LIST_FIRST(&pair->connections);
	pair = templates_at(ike, &x->local.addr);
	return pair == NULL || LIST_EMPTY(&pair->connections) ? NULL :
	       instance_new(ike, LIST_FIRST(&pair->connections), &x->remote.addr);
}

/* Why those that are described do not suit: some of them, as anybody may make us look. */
static const char *others_text(struct ike *ike, struct arena *arena, const struct ip_addr *local)
{
	char *p = arena_alloc(arena, LINE_TEXT / 2), at[ADDR_TEXT];
	struct text t = text_on(p, LINE_TEXT / 2);
	struct connection *c, *next;
	unsigned looked = 0;

	HASH_ITER(by_name, ike->connections, c, next) {
		if (++looked > LIMIT_OTHERS_TOLD) {
			text_add(&t, ", ...");
			break;
		}
		text_add(&t, "%s\"%s\" is ", t.n > 0 ? ", " : "", c->name);
		if (c->ours < 0)
			text_add(&t, "not oriented");
		else if (!addr_eq(&our_end(c)->host, local))
			text_add(&t, "at %s", addr_format(&our_end(c)->host, at));
		else
			text_add(&t, "with %s", addr_format(&peer_end(c)->host, at));
	}
	return t.n == 0 ? "none is described at all" : p;
}

static const struct refusal *stranger(struct ike *ike, const struct exchange *x, struct arena *arena)
{
	const struct phase1 *p = natt_fixed_peer(ike, &x->local.addr);

	if (p != NULL)
		return refuse_natt_moved(arena, &x->local.addr, &x->remote, p->c->name, &peer_end(p->c)->host, &p->x->remote);
	return refuse_no_connection(arena, &x->local.addr, &x->remote, others_text(ike, arena, &x->local.addr));
}

/* ---- how many ------------------------------------------------------------- */

static void pair_enter(struct phase1 *p, struct host_pair *pair)
{
	LIST_INSERT_HEAD(&pair->half_opens, p, half_in_pair);
	pair->half_open++;
}

static void pair_leave(struct phase1 *p)
{
	LIST_REMOVE(p, half_in_pair);
	p->pair->half_open--;
}

static void half_open_begin(struct phase1 *p)
{
	p->half_open = true;
	pair_enter(p, p->pair);
	TAILQ_INSERT_TAIL(&p->ike->half_opens, p, in_half_opens);
	p->ike->half_open++;
}

void phase1_half_open_end(struct phase1 *p)
{
	if (!p->half_open)
		return;
	p->half_open = false;
	pair_leave(p);
	TAILQ_REMOVE(&p->ike->half_opens, p, in_half_opens);
	p->ike->half_open--;
}

void phase1_half_open_follow(struct phase1 *p, struct host_pair *to)
{
	if (!p->half_open)
		return;
	pair_leave(p);
	pair_enter(p, to);
}

/* May it be pushed out?  What went no further than a first message anybody could have forged. */
static bool gives_way(const struct phase1 *p, bool slow_too)
{
	return !p->x->dying && (!p->x->proven || (slow_too && p->ike->now - p->begun >= TIMER_PATIENCE_MS[0]));
}

/* The oldest beginning of them all that gives way. */
static bool evict_any(struct ike *ike)
{
	struct phase1 *p;

	TAILQ_FOREACH(p, &ike->half_opens, in_half_opens)
		if (gives_way(p, false)) {
			engine_end(ike->engine, p->x, END_LARVAL);
			return true;
		}
	return false;
}

/* The oldest of a pair, from that endpoint or (NULL) from any port.  Whoever is behind the same NAT as somebody that
 * leaves its negotiations lying about does not wait for them. */
static bool evict_of(struct ike *ike, const struct host_pair *pair, const struct endpoint *from)
{
	struct phase1 *p, *oldest = NULL, *slow = NULL;

	LIST_FOREACH(p, &pair->half_opens, half_in_pair) {	/* newest first */
		if (from != NULL && !endpoint_eq(&p->x->remote, from))
			continue;
		if (gives_way(p, false))
			oldest = p;
		else if (gives_way(p, true))
			slow = p;
	}
	if (oldest == NULL)
		oldest = slow;
	if (oldest == NULL)
		return false;
	engine_end(ike->engine, oldest->x, END_LARVAL);
	return true;
}

static unsigned half_open_from(const struct host_pair *pair, const struct endpoint *from)
{
	const struct phase1 *p;
	unsigned n = 0;

	LIST_FOREACH(p, &pair->half_opens, half_in_pair)
		n += endpoint_eq(&p->x->remote, from);
	return n;
}

/* Is there room, or was it made, for one more of c from there?  0, or the limit that stands against it. */
static uint32_t full(struct ike *ike, const struct connection *c, const struct endpoint *from)
{
	if (half_open_from(c->pair, from) >= LIMIT_HALF_OPEN_SOURCE && !evict_of(ike, c->pair, from))
		return LIMIT_HALF_OPEN_SOURCE;
	if (c->pair->half_open >= LIMIT_HALF_OPEN_ADDRESS && !evict_of(ike, c->pair, NULL))
		return LIMIT_HALF_OPEN_ADDRESS;
	return 0;
}

const struct refusal *phase1_admit(struct ike *ike, struct exchange *x, struct arena *arena)
{
	struct connection *c;
	struct phase1 *p;
	char from[ENDPOINT_TEXT];
	uint32_t limit;

	if (ike->half_open >= LIMIT_HALF_OPEN && !evict_any(ike))
		return refuse_too_many_half_open(arena, LIMIT_HALF_OPEN);
	c = presumed(ike, x);
	if (c == NULL)
		return stranger(ike, x, arena);
	limit = full(ike, c, &x->remote);
	if (limit != 0) {
		instance_release(ike, c);
		return refuse_too_many_half_open(arena, limit);
	}
	ike_debug(ike, c, DEBUG_CLASSES_CONTROL, "a first message from %s is taken for this connection",
		  endpoint_format(&x->remote, from));
	p = phase1_new(ike, c, NO_WHACK, 1);
	p->x = x;
	half_open_begin(p);
	x->user = p;
	return NULL;
}
