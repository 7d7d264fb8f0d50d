/* split.c -- a connection for the networks that its gateway names becomes one for each of them.
 *
 * The description stays what it is: it is read again for each network, with that as the client of the gateway's end.  So
 * whatever holds for described pairs of clients holds for these: SAs, route and upkeep of their own, one name for whack. */
#include "ike/split.h"

#include "ike/describe.h"
#include "ike/family.h"
#include "ike/initiate.h"
#include "ike/joint.h"
#include "ike/lease.h"
#include "ike/upkeep.h"

struct split {
	struct phase1 *p;
	struct family *f;
	struct subnet within;		/* what the gateway's end is described for */
	struct subnet net[LIMIT_LEASE_SUBNETS];
	size_t n;
	struct connection *fresh[LIMIT_LEASE_SUBNETS];
	size_t n_fresh;
};

static bool inside(const struct subnet *s, const struct subnet *other)
{
	return s->addr.len == other->addr.len && other->bits <= s->bits && subnet_has(other, &s->addr);
}

/* What the description has for the gateway's end; all there is where it has no client. */
static struct subnet described(struct arena *a, const struct connection *c)
{
	struct control_connection m;
	const struct control_end *theirs = c->ours == 0 ? &m.right : &m.left;

	if (!family_said(c->family, a, &m) || theirs->client.addr.len == 0)
		return (struct subnet){ .addr = { .len = 4 } };
	return theirs->client;
}

/* A network within one that is there already adds nothing. */
static void want(struct split *s, const struct subnet *net)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		if (inside(net, &s->net[i]))
			return;
	for (size_t i = 0; i < s->n; i++)
		if (!inside(&s->net[i], net))
			s->net[n++] = s->net[i];
	s->net[n++] = *net;
	s->n = n;
}

static void want_all(struct split *s, const struct lease *l)
{
	for (size_t i = 0; i < l->n_subnets; i++)
		if (inside(&l->subnets[i], &s->within))
			want(s, &l->subnets[i]);
		else if (inside(&s->within, &l->subnets[i]))
			want(s, &s->within);
}

static bool wanted(const struct split *s, const struct connection *c)
{
	struct subnet client = connection_client(c, false);

	for (size_t i = 0; i < s->n; i++)
		if (subnet_eq(&s->net[i], &client))
			return true;
	return false;
}

static bool present(const struct split *s, const struct subnet *net)
{
	const struct connection *c;

	TAILQ_FOREACH(c, &s->f->members, in_family) {
		struct subnet client = connection_client(c, false);

		if (subnet_eq(&client, net))
			return true;
	}
	return false;
}

/* Connections for the networks that have none. */
static const struct refusal *make(struct split *s)
{
	struct ike *ike = s->p->ike;
	const struct connection *like = s->p->c;
	const struct refusal *why = NULL;
	char net[SUBNET_TEXT];

	for (size_t i = 0; i < s->n && why == NULL; i++) {
		struct connection *c = present(s, &s->net[i]) ? NULL : describe_further(ike, like, &s->net[i], &why);

		if (c == NULL)
			continue;
		ike_log(ike, c, s->p->x, s->p->whack, WHACK_STATUS_LOG, "for %s, which the gateway names",
			subnet_format(&s->net[i], net));
		c->debug = like->debug;
		if (like->upkeep.wanted)
			upkeep_initiated(ike, c);
		s->fresh[s->n_fresh++] = c;
	}
	return why;
}

/* Who waits for a pair that goes waits for all that come: one answer for each is due then. */
static void hand_waiting(struct split *s)
{
	struct phase1 *p = s->p;
	STAILQ_HEAD(, pending) before = STAILQ_HEAD_INITIALIZER(before);
	struct pending *q;
	bool given = s->n_fresh == 0;

	STAILQ_CONCAT(&before, &p->pending);
	while ((q = STAILQ_FIRST(&before)) != NULL) {
		STAILQ_REMOVE_HEAD(&before, next);
		if (wanted(s, q->c)) {
			STAILQ_INSERT_TAIL(&p->pending, q, next);
			continue;
		}
		if (given) {		/* nothing more takes its place */
			if (!joint_narrow(p->ike, q->whack))
				initiate_failed(p->ike, q->c, q->whack, WHACK_STATUS_TERMINATED);
		} else {
			joint_widen(p->ike, q->whack, s->f->name, "up", s->n_fresh - 1);
			for (size_t i = 0; i < s->n_fresh; i++)
				phase1_add_pending(p, s->fresh[i], q->whack, q->try);
			given = true;
		}
		pending_free(q);
	}
	for (size_t i = 0; i < s->n_fresh && !given; i++)
		phase1_add_pending(p, s->fresh[i], NO_WHACK, 1);
}

static void drop_others(struct split *s)
{
	struct ike *ike = s->p->ike;
	struct connection *c, *next;

	for (c = TAILQ_FIRST(&s->f->members); c != NULL; c = next) {
		next = TAILQ_NEXT(c, in_family);
		if (wanted(s, c))
			continue;
		phase1s_hand_over(ike, c);
		connection_delete(ike, c);
	}
}

static bool all_wanted(const struct split *s)
{
	const struct connection *c;

	TAILQ_FOREACH(c, &s->f->members, in_family)
		if (!wanted(s, c))
			return false;
	return true;
}

const struct refusal *split_networks(struct phase1 *p)
{
	struct split s = { .p = p, .f = p->c->family };
	struct arena *a = p->ike->arena;
	const struct lease *l = p->follow.lease;
	const struct refusal *why;
	char within[SUBNET_TEXT];

	if (!p->c->policy.split || s.f == NULL || l == NULL || l->n_subnets == 0)
		return NULL;
	s.within = described(a, p->c);
	want_all(&s, l);
	if (s.n == 0)
		return refuse_split_outside(a, p->c->name, lease_subnets(a, l), subnet_format(&s.within, within));
	why = make(&s);
	if (why != NULL || (s.n_fresh == 0 && all_wanted(&s)))
		return why;
	hand_waiting(&s);
	drop_others(&s);
	return NULL;
}

const char *split_outside(struct arena *a, const struct phase1 *p)
{
	const struct lease *l = p->follow.lease;
	struct subnet within = described(a, p->c);
	size_t size = (l->n_subnets + 1) * (SUBNET_TEXT + 1);
	char *out = arena_alloc(a, size), one[SUBNET_TEXT];
	struct text t = text_on(out, size);

	for (size_t i = 0; i < l->n_subnets; i++)
		if (!inside(&l->subnets[i], &within))
			text_add(&t, "%s%s", t.n > 0 ? "," : "", subnet_format(&l->subnets[i], one));
	return out;
}
