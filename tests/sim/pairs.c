/* pairs.c -- several pairs of clients in one connection: each has SAs of its own. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "generated/limits.h"
#include "trial.h"

#define SECONDS(n) ((uint64_t)(n) * 1000)
#define HOURS(n) SECONDS(3600 * (n))
#define MOST 3

static const struct control_selector lefts[MOST] = {
	{ .client = { { 4, { 10, 0, 1 } }, 24 } }, { .client = { { 4, { 10, 1, 0, 9 } }, 32 } },
	{ .client = { { 4, { 10, 2 } }, 16 } },
};
static const struct control_selector rights[MOST] = {
	{ .client = { { 4, { 10, 0, 2 } }, 24 } }, { .client = { { 4, { 172, 16 } }, 12 } },
	{ .client = { { 4, { 192, 168, 7 } }, 24 } },
};

/* The first n of the list at one end. */
static void protect(struct control_end *e, const struct control_selector *list, size_t n)
{
	e->client = list[0].client;
	e->protocol = list[0].protocol;
	e->port = list[0].port;
	e->further = list + 1;
	e->n_further = n - 1;
}

static struct subnet client_of(const struct control_end *e, const struct control_selector *s)
{
	return s->client.addr.len != 0 ? s->client : subnet_of_host(&e->host);
}

/* The eroute of n between the two selectors, NULL = none. */
static const struct kernel_eroute *eroute(const struct node *n, const struct control_end *us, const struct control_selector *ours,
					  const struct control_end *peer, const struct control_selector *theirs)
{
	struct subnet src = client_of(us, ours), dst = client_of(peer, theirs);

	for (const struct sim_eroute *r = n->eroutes; r != NULL; r = r->next)
		if (subnet_eq(&r->e.src, &src) && subnet_eq(&r->e.dst, &dst) &&
		    r->e.client_protocol == (ours->protocol | theirs->protocol) && r->e.src_port == ours->port &&
		    r->e.dst_port == theirs->port)
			return &r->e;
	return NULL;
}

static const struct sim_sa *outbound(const struct node *n, const struct kernel_eroute *e)
{
	if (e == NULL || e->kind != EROUTE_SA)
		return NULL;
	for (const struct sim_sa *s = n->sas; s != NULL; s = s->next)
		if (!s->inbound && s->id.spi == e->sas[0].spi && s->id.protocol == e->sas[0].protocol)
			return s;
	return NULL;
}

/* Traffic between the two reaches the other end, in both directions. */
static bool up(const struct trial *t, const struct control_selector *l, const struct control_selector *r)
{
	const struct control_end *left = &t->c.left, *right = &t->c.right;
	const struct sim_sa *to = outbound(t->a, eroute(t->a, left, l, right, r));
	const struct sim_sa *from = outbound(t->b, eroute(t->b, right, r, left, l));

	return to != NULL && from != NULL && node_has_twin(t->b, to) && node_has_twin(t->a, from);
}

/* How many of the pairs are up; SAs are not shared. */
static unsigned count_up(struct trial *t, size_t n_left, size_t n_right)
{
	uint32_t spis[MOST * MOST];
	unsigned n = 0;

	for (size_t i = 0; i < n_left; i++) {
		for (size_t j = 0; j < n_right; j++) {
			if (!up(t, &lefts[i], &rights[j]))
				continue;
			spis[n] = eroute(t->a, &t->c.left, &lefts[i], &t->c.right, &rights[j])->sas[0].spi;
			for (unsigned k = 0; k < n; k++)
				trial_expect(t, spis[k] != spis[n], "two pairs share an SA");
			n++;
		}
	}
	return n;
}

static void describe(struct trial *t, size_t n_left, size_t n_right)
{
	trial_draw(t);
	protect(&t->c.left, lefts, n_left);
	protect(&t->c.right, rights, n_right);
	t->c.keyingtries = 0;
	trial_describe(t);
}

/* All come up over a bad network, are rekeyed each for itself, and go all together. */
void run_pairs(struct trial *t)
{
	size_t n_left = 1 + trial_pick(t, MOST), n_right = 1 + trial_pick(t, MOST);
	unsigned n = (unsigned)(n_left * n_right);

	t->c.ipseclifetime = 3600;
	t->c.ikelifetime = 1800 + 3600 * trial_pick(t, 3);
	describe(t, n_left, n_right);
	world_faults(t->w, &faulty);
	node_initiate(t->a, "net");
	world_run(t->w, SECONDS(600));
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS && node_holdings(t->a).unfinished == 0,
		     "ended with %u", t->a->last_status);
	trial_expect(t, count_up(t, n_left, n_right) == n, "%u of %u pairs are up", count_up(t, n_left, n_right), n);
	trial_expect(t, node_holdings(t->a).connections == n, "%zu connections", node_holdings(t->a).connections);
	world_faults(t->w, &fair);
	t->a->lost_cover = t->b->lost_cover = 0;
	for (unsigned h = 0; h < 4; h++) {
		world_run(t->w, HOURS(1));
		trial_expect(t, count_up(t, n_left, n_right) == n, "after %u hours %u of %u pairs are up", h + 1,
			     count_up(t, n_left, n_right), n);
	}
	trial_expect(t, t->a->rekeyed >= 3 * n, "%u of %u rekeyed", t->a->rekeyed, n);
	trial_expect(t, t->a->lost_cover + t->b->lost_cover == 0, "a pair lost its SA");
	node_terminate(t->a, "net");
	world_run(t->w, SECONDS(30));
	trial_expect(t, node_holdings(t->a).sas == 0 && node_holdings(t->a).exchanges == 0 &&
			node_holdings(t->b).sas == 0, "SAs are left after terminate");
	node_delete(t->a, "net");
	world_run(t->w, SECONDS(5));
	trial_expect(t, node_holdings(t->a).connections == 0 && t->a->eroutes == NULL, "not deleted as a whole");
}

/* The peer knows a part of them only: that part is up, and whack says how many. */
void run_pairs_partly(struct trial *t)
{
	struct control_connection less = t->c;

	protect(&t->c.left, lefts, 2);
	protect(&t->c.right, rights, 2);
	t->c.keyingtries = 1;
	protect(&less.left, lefts, 1);
	protect(&less.right, rights, 2);
	node_connection(t->a, &t->c);
	node_connection(t->b, &less);
	node_listen(t->a);
	node_listen(t->b);
	node_initiate(t->a, "net");
	world_run(t->w, SECONDS(300));
	trial_expect(t, count_up(t, 2, 2) == 2 && count_up(t, 1, 2) == 2, "%u pairs are up", count_up(t, 2, 2));
	trial_expect(t, t->a->last_status != WHACK_STATUS_SUCCESS && node_holdings(t->a).unfinished == 0 &&
			strstr(t->a->answer, "2 of 4 pairs of clients are up") != NULL, "%s", t->a->answer);
	trial_expect(t, node_said(t->b, "no_connection_for"), "west did not say why");
	node_initiate(t->a, "net/1x2");		/* one of them, by its name */
	world_run(t->w, SECONDS(10));
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS, "net/1x2: %s", t->a->answer);
	node_terminate(t->a, "net/1x1");
	world_run(t->w, SECONDS(10));
	trial_expect(t, count_up(t, 1, 2) == 1 && up(t, &lefts[0], &rights[1]), "not just net/1x1 is gone");
	node_delete(t->a, "net/1x2");
	trial_expect(t, t->a->last_status == WHACK_STATUS_BAD_REQUEST, "a part was deleted: %s", t->a->answer);
}

/* Host to host, by protocol and port; what names another port is not taken for it. */
void run_pairs_ports(struct trial *t)
{
	static const struct control_selector ours[] = {
		{ .protocol = IPPROTO_UDP, .port = 1701 }, { .protocol = IPPROTO_TCP, .port = 80 },
		{ .protocol = IPPROTO_ICMP },
	};
	static const struct control_selector theirs[] = {
		{ .protocol = IPPROTO_UDP, .port = 1701 }, { .protocol = IPPROTO_TCP, .port = 8080 },
		{ .protocol = 0 },
	};
	struct control_connection other;

	protect(&t->c.left, ours, 3);
	protect(&t->c.right, theirs, 2);
	t->c.right.further = theirs + 1;
	t->c.right.n_further = 2;
	trial_describe(t);
	node_initiate(t->a, "net");
	world_run(t->w, SECONDS(60));
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS, "%s", t->a->answer);
	/* What names no protocol pairs with all three, the others with their own. */
	trial_expect(t, node_holdings(t->a).connections == 5, "%zu connections", node_holdings(t->a).connections);
	trial_expect(t, up(t, &ours[0], &theirs[0]) && up(t, &ours[1], &theirs[1]) && up(t, &ours[0], &theirs[2]) &&
			up(t, &ours[1], &theirs[2]) && up(t, &ours[2], &theirs[2]), "not all ports are up");
	other = t->c;
	other.name = span_str("other");
	protect(&other.left, &(struct control_selector){ .protocol = IPPROTO_UDP, .port = 1702 }, 1);
	protect(&other.right, theirs, 1);
	node_connection(t->a, &other);
	node_initiate(t->a, "other");
	world_run(t->w, SECONDS(3));
	trial_expect(t, strstr(t->b->refusal, "the peer asks for 192.0.2.1/32 udp:1702 to 192.0.2.2/32 udp:1701") != NULL &&
			strstr(t->b->refusal, ": the peer's port 1702 is not 1701") != NULL, "%s", t->b->refusal);
}

/* L2TP of Road Warriors whose own port is random: the template leaves it open, the SA is for the one that is named. */
void run_pairs_any_port(struct trial *t)
{
	static const struct control_selector server = { .protocol = IPPROTO_UDP, .port = 1701 },
		open = { .protocol = IPPROTO_UDP }, random[] = { { .protocol = IPPROTO_UDP, .port = 50123 },
								{ .protocol = IPPROTO_UDP, .port = 61701 } };
	struct control_connection road = t->c;

	protect(&road.left, &server, 1);
	protect(&road.right, &open, 1);
	t->c.left.id = road.left.id = span_str("@gateway");
	t->c.right.id = road.right.id = span_str("@road");
	road.right.host = (struct ip_addr){ 0 };
	road.left.client = road.right.client = t->c.left.client = t->c.right.client = (struct subnet){ 0 };
	node_connection(t->a, &road);
	node_listen(t->a);
	node_listen(t->b);
	for (unsigned i = 0; i < 2; i++) {
		protect(&t->c.left, &server, 1);
		protect(&t->c.right, &random[i], 1);
		t->c.name = span_str(i == 0 ? "first" : "second");
		node_connection(t->b, &t->c);
		node_initiate(t->b, i == 0 ? "first" : "second");
		world_run(t->w, SECONDS(30));
		trial_expect(t, t->b->last_status == WHACK_STATUS_SUCCESS && up(t, &server, &random[i]), "port %u: %s",
			     random[i].port, t->a->refusal);
	}
	trial_expect(t, up(t, &server, &random[0]) && node_holdings(t->a).instances == 2, "%zu instances",
		     node_holdings(t->a).instances);
	/* Ports are open at the peer's end only. */
	protect(&t->c.left, &random[0], 1);
	t->c.name = span_str("third");
	node_connection(t->b, &t->c);
	node_initiate(t->b, "third");
	world_run(t->w, SECONDS(30));
	trial_expect(t, strstr(t->a->refusal, "our port 50123 is not 1701") != NULL, "%s", t->a->refusal);
}

/* A Road Warrior with two nets: an instance for each. */
void run_pairs_road(struct trial *t)
{
	struct control_connection road = t->c;
	unsigned n;

	protect(&t->c.left, lefts, 2);
	protect(&t->c.right, rights, 2);
	t->c.left.id = road.left.id = span_str("@gateway");
	t->c.right.id = road.right.id = span_str("@road");
	protect(&road.left, lefts, 2);
	protect(&road.right, rights, 2);
	road.right.host = (struct ip_addr){ 0 };
	node_connection(t->a, &road);
	node_connection(t->b, &t->c);
	node_listen(t->a);
	node_listen(t->b);
	node_initiate(t->b, "net");
	world_run(t->w, SECONDS(60));
	n = count_up(t, 2, 2);
	trial_expect(t, t->b->last_status == WHACK_STATUS_SUCCESS && n == 4, "%u up, %s", n, t->b->answer);
	trial_expect(t, node_holdings(t->a).instances == 4, "%zu instances", node_holdings(t->a).instances);
	node_terminate(t->b, "net");
	world_run(t->w, SECONDS(30));
	trial_expect(t, node_holdings(t->a).instances == 0 && t->a->eroutes == NULL, "instances are left");
	node_initiate(t->b, "net");
	world_run(t->w, SECONDS(60));
	node_terminate(t->a, "net");
	world_run(t->w, SECONDS(30));
	trial_expect(t, node_holdings(t->a).instances == 0 && node_holdings(t->a).exchanges == 0 &&
			node_holdings(t->b).sas == 0, "the gateway could not end them");
}

/* The peer dies and comes back: every pair is negotiated anew. */
void run_pairs_dead(struct trial *t)
{
	t->c.dpddelay = 10;
	t->c.dpdtimeout = 40;
	t->c.dpdaction = DEAD_PEER_ACTION_RESTART;
	describe(t, 2, 2);
	node_initiate(t->a, "net");
	world_run(t->w, SECONDS(30));
	trial_expect(t, count_up(t, 2, 2) == 4, "%u are up", count_up(t, 2, 2));
	t->b->deaf = true;
	world_run(t->w, SECONDS(120));
	trial_expect(t, node_holdings(t->a).sas == 0, "%zu SAs with a dead peer", node_holdings(t->a).sas);
	node_restart(t->b);
	node_connection(t->b, &t->c);
	node_listen(t->b);
	t->b->deaf = false;
	world_run(t->w, SECONDS(300));
	trial_expect(t, count_up(t, 2, 2) == 4, "%u are up again", count_up(t, 2, 2));
}

/* Descriptions that contradict themselves. */
void run_pairs_refused(struct trial *t)
{
	static const struct control_selector tcp[] = { { .protocol = IPPROTO_TCP }, { .protocol = IPPROTO_UDP } };
	struct control_selector many[9];
	struct control_connection c = t->c;

	protect(&c.left, tcp, 2);
	protect(&c.right, tcp, 1);
	node_connection(t->a, &c);
	trial_expect(t, strstr(t->a->answer, "the host udp of the left end pairs with nothing") != NULL, "%s", t->a->answer);
	protect(&c.left, &(struct control_selector){ .port = 80 }, 1);
	protect(&c.right, rights, 1);
	node_connection(t->a, &c);
	trial_expect(t, strstr(t->a->answer, "--clientport 80 means nothing with protocol any") != NULL, "%s", t->a->answer);
	protect(&c.left, &(struct control_selector){ .port = 8, .protocol = IPPROTO_ICMP }, 1);
	node_connection(t->a, &c);
	trial_expect(t, strstr(t->a->answer, "--clientport 8 means nothing with protocol icmp") != NULL, "%s", t->a->answer);
	for (unsigned i = 0; i < 9; i++) {
		many[i] = lefts[0];
		many[i].client.addr.b[2] = (uint8_t)i;
	}
	protect(&c.left, many, 9);
	protect(&c.right, many, 9);
	node_connection(t->a, &c);
	trial_expect(t, strstr(t->a->answer, "has 81 pairs of clients, at most 64") != NULL, "%s", t->a->answer);
	many[8] = many[0];
	protect(&c.right, rights, 1);
	node_connection(t->a, &c);
	trial_expect(t, strstr(t->a->answer, "10.0.0.0/24 to 10.0.2.0/24 is described twice") != NULL, "%s", t->a->answer);
	trial_expect(t, node_holdings(t->a).connections == 0, "some of it was kept");
	many[8].client = sim_subnet("10.200.0.0/16");
	node_connection(t->a, &c);
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS && node_holdings(t->a).connections == 9, "%s",
		     t->a->answer);
}

/* ---- peers that keep track of few Quick Modes -------------------------------------- */

struct counter {		/* of the Quick Modes that west has begun to answer and not finished */
	struct node *west;
	uint32_t open[64];
	unsigned n, most;
};

/* The first message of a Quick Mode opens it, the second of the same end closes it. */
static bool count_open(void *ctx, struct node *to, const struct endpoint *from, struct buf *datagram)
{
	struct counter *k = ctx;
	uint32_t msgid = get_u32(datagram->p + 20);
	unsigned i = 0;

	(void)from;
	if (to != k->west || datagram->p[18] != EXCHANGE_TYPE_QUICK)
		return true;
	while (i < k->n && k->open[i] != msgid)
		i++;
	if (i < k->n) {
		k->open[i] = k->open[--k->n];
	} else if (k->n < 64) {
		k->open[k->n++] = msgid;
		k->most = k->n > k->most ? k->n : k->most;
	}
	return true;
}

void run_pairs_in_turn(struct trial *t)
{
	struct counter k = { .west = t->b };

	world_middle(t->w, &(struct man_in_the_middle){ .ctx = &k, .pass = count_open });
	describe(t, MOST, MOST);
	node_initiate(t->a, "net");
	world_run(t->w, SECONDS(60));
	trial_expect(t, count_up(t, MOST, MOST) == MOST * MOST, "%u are up", count_up(t, MOST, MOST));
	trial_expect(t, k.most == LIMIT_QUICK_AT_ONCE, "%u Quick Modes at once", k.most);
}

/* The ISAKMP SA ends while pairs wait for their turn: they come up under another one. */
void run_pairs_orphaned(struct trial *t)
{
	describe(t, MOST, MOST);
	node_initiate(t->a, "net");
	for (unsigned i = 0; i < 300 && node_sas(t->a, true) == 0; i++)
		world_run(t->w, 1);
	node_terminate(t->b, "net");
	world_run(t->w, SECONDS(120));
	trial_expect(t, node_holdings(t->a).unfinished == 0, "a request was not finished");
	node_initiate(t->a, "net");
	world_run(t->w, SECONDS(60));
	trial_expect(t, count_up(t, MOST, MOST) == MOST * MOST, "%u are up", count_up(t, MOST, MOST));
}
