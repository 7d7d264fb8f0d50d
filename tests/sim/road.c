/* road.c -- Road Warriors: peers from anywhere, honest, moving, vanished and hostile. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/rsa.h"
#include "generated/limits.h"
#include "generated/payloads.h"
#include "ike/internal.h"
#include "trial.h"

#define OFFICE "10.0.1.0/24"	/* behind the gateway, east */
#define WARRIORS 24
#define EVENTS 48		/* of one negotiation, and some */
#define HOURS(n) ((uint64_t)(n) * 3600000)

/* A connection of the gateway with peers from anywhere; both may be NULL. */
static void template(struct trial *t, const char *name, const char *id, const char *client)
{
	struct control_connection c = t->c;

	c.name = span_str(name);
	c.left.id = span_str("@gateway");
	c.right = (struct control_end){ .ikeport = 500 };
	if (id != NULL)
		c.right.id = span_str(id);
	if (client != NULL)
		c.right.client = sim_subnet(client);
	node_connection(t->a, &c);
}

struct warrior {
	struct node *node;
	char name[16], addr[20], id[24], client[24], reached[24];
};

/* A node at an address of its own, which knows the gateway as "net". */
static void warrior(struct trial *t, struct warrior *w, unsigned i, const char *id, const char *client)
{
	struct control_connection c = t->c;

	snprintf(w->name, sizeof(w->name), "road%u", i);
	snprintf(w->addr, sizeof(w->addr), "198.18.%u.%u", i / 200, 1 + i % 200);
	snprintf(w->id, sizeof(w->id), "%s", id == NULL ? "" : id);
	snprintf(w->client, sizeof(w->client), "%s", client == NULL ? "" : client);
	if (client == NULL)
		snprintf(w->reached, sizeof(w->reached), "%.19s/32", w->addr);
	else
		snprintf(w->reached, sizeof(w->reached), "%s", client);
	w->node = world_node(t->w, w->name, w->addr, t->a->secret);
	c.left.id = span_str("@gateway");
	c.right = (struct control_end){ .host = w->node->addr, .ikeport = 500, .id = span_str(w->id) };
	if (client != NULL)
		c.right.client = sim_subnet(client);
	node_connection(w->node, &c);
	node_listen(w->node);
}

static bool arrives(const struct trial *t, const struct warrior *w)
{
	const struct sim_sa *to = node_outbound(t->a, w->reached), *from = node_outbound(w->node, OFFICE);

	return to != NULL && node_has_twin(w->node, to) && from != NULL && node_has_twin(t->a, from);
}

static void expect_up(struct trial *t, const struct warrior *w)
{
	trial_expect(t, w->node->last_status == WHACK_STATUS_SUCCESS && arrives(t, w), "%s (%s) is not up: %u",
		     w->name, w->id, w->node->last_status);
}

/* Refused, and nothing is left of the attempt but, perhaps, an ISAKMP SA. */
static void expect_refused(struct trial *t, const struct warrior *w, const char *what)
{
	trial_expect(t, w->node->last_status != WHACK_STATUS_SUCCESS && node_sas(w->node, false) == 0,
		     "%s: %u", what, w->node->last_status);
}

/* Only the templates are left. */
static void expect_gone(struct trial *t, const char *when)
{
	struct holdings h = node_holdings(t->a);

	trial_expect(t, h.instances == 0 && h.pairs == 1 && h.exchanges == 0 && h.sas == 0 && h.eroutes == 0 &&
			h.plans == 0 && h.half_open == 0,
		     "%s: %zu instances, %zu pairs, %zu exchanges, %zu SAs, %zu eroutes, %zu plans", when,
		     h.instances, h.pairs, h.exchanges, h.sas, h.eroutes, h.plans);
}

/* ---- honest ones ------------------------------------------------------------------ */

/* Some are known by their address only, some by a name with a net of its own. */
static void many(struct trial *t, struct warrior *w)
{
	char name[16], id[24], client[24];

	node_listen(t->a);
	template(t, "anybody", NULL, NULL);
	for (unsigned i = 0; i < WARRIORS; i++) {
		snprintf(name, sizeof(name), "name%u", i);
		snprintf(id, sizeof(id), "@road%u", i);
		snprintf(client, sizeof(client), "10.5.%u.0/24", i);
		if (i % 3 != 0)
			template(t, name, id, i % 3 == 1 ? client : NULL);
		warrior(t, &w[i], i, i % 3 != 0 ? id : NULL, i % 3 == 1 ? client : NULL);
	}
	for (unsigned i = 0; i < WARRIORS; i++) {
		node_initiate(w[i].node, "net");
		world_run(t->w, trial_pick(t, 20));
	}
}

void run_road(struct trial *t)
{
	struct warrior w[WARRIORS];

	trial_draw(t);
	t->c.left.client = sim_subnet(OFFICE);
	t->c.right.client = (struct subnet){ 0 };
	t->c.tunnel = true;
	t->c.keyingtries = 5;
	world_faults(t->w, &faulty);
	many(t, w);
	world_run(t->w, 300000);
	world_faults(t->w, &fair);
	for (unsigned i = 0; i < WARRIORS; i++)
		expect_up(t, &w[i]);
	trial_expect(t, node_holdings(t->a).instances == WARRIORS, "%zu instances for %u warriors",
		     node_holdings(t->a).instances, WARRIORS);
	for (unsigned i = 0; i < WARRIORS; i++)
		node_terminate(w[i].node, "net");
	world_run(t->w, 70000);		/* an ISAKMP SA may wait for Deletes that it has overtaken */
	expect_gone(t, "all have left");
}

/* They vanish without a word: what they had expires, and the instances with it. */
void run_road_expired(struct trial *t)
{
	struct warrior w[WARRIORS];
	bool dpd = trial_pick(t, 2) == 0;

	t->c.dpddelay = dpd ? 60 : 0;
	t->c.dpdtimeout = 120;
	t->c.dpdaction = trial_pick(t, 3) == 0 ? DEAD_PEER_ACTION_RESTART : DEAD_PEER_ACTION_HOLD;
	many(t, w);
	world_run(t->w, 60000);
	for (unsigned i = 0; i < WARRIORS; i++) {
		expect_up(t, &w[i]);
		w[i].node->deaf = true;
		node_shutdown(w[i].node, true);
	}
	world_run(t->w, dpd ? 400000 : HOURS(9));
	expect_gone(t, dpd ? "all are dead" : "all have expired");
}

/* ---- one that moves ----------------------------------------------------------------- */

/* The same identity and net from another address: the newer one has it (the default, or refused). */
void run_road_moves(struct trial *t)
{
	struct warrior old, new;
	bool reject = t->seed % 2 == 0;

	trial_draw(t);
	t->c.left.client = sim_subnet(OFFICE);
	t->c.right.client = (struct subnet){ 0 };
	t->c.tunnel = true;
	t->c.onconflict = reject ? ROUTE_CONFLICT_REJECT : ROUTE_CONFLICT_EVICT;
	node_listen(t->a);
	template(t, "anybody", NULL, NULL);
	template(t, "mine", "@me", "10.9.0.0/16");
	warrior(t, &old, 1, "@me", "10.9.0.0/16");
	node_initiate(old.node, "net");
	world_run(t->w, 2000);
	expect_up(t, &old);
	old.node->deaf = true;
	node_shutdown(old.node, true);
	warrior(t, &new, 2, "@me", "10.9.0.0/16");
	node_initiate(new.node, "net");
	world_run(t->w, 200000);
	if (reject) {
		expect_refused(t, &new, "a conflict that is to be refused");
		world_run(t->w, HOURS(9));
		node_initiate(new.node, "net");
		world_run(t->w, 2000);
	}
	expect_up(t, &new);
	trial_expect(t, node_holdings(t->a).eroutes == 1, "%zu eroutes", node_holdings(t->a).eroutes);
	world_run(t->w, HOURS(reject ? 0 : 9));
	trial_expect(t, node_holdings(t->a).instances == 1, "%zu instances", node_holdings(t->a).instances);
	expect_up(t, &new);
	node_terminate(new.node, "net");
	world_run(t->w, 70000);
	expect_gone(t, "the only one has left");
}

/* ---- hostile ones, which know the secret --------------------------------------------- */

static void claim(struct trial *t, unsigned i, const char *id, const char *client, const char *reason,
		  const char *what)
{
	struct warrior w;

	t->a->n_said = 0;
	memset(t->a->said, 0, sizeof(t->a->said));
	warrior(t, &w, i, id, client);
	node_initiate(w.node, "net");
	world_run(t->w, 120000);
	expect_refused(t, &w, what);
	trial_expect(t, node_said(t->a, reason), "%s: %s", what, t->a->refusal);
	node_terminate(w.node, "net");
	world_run(t->w, 2000);
}

/* A peer with an address of its own, and a Road Warrior, are up; whoever shares their secret gets nothing of
 * theirs, neither by naming their nets nor by the identity of who has a fixed address. */
void run_road_hostile(struct trial *t)
{
	struct control_connection fixed = t->c;
	struct warrior honest;
	const struct sim_sa *west, *to;

	node_listen(t->a);
	node_listen(t->b);
	fixed.right.id = span_str("@west");
	fixed.left.id = span_str("@gateway");
	node_connection(t->a, &fixed);
	node_connection(t->b, &fixed);
	template(t, "anybody", NULL, NULL);
	template(t, "named", "@honest", "10.9.0.0/16");
	template(t, "evil", "@evil", "10.66.0.0/16");
	warrior(t, &honest, 1, "@honest", "10.9.0.0/16");
	node_initiate(t->b, "net");
	node_initiate(honest.node, "net");
	world_run(t->w, 2000);
	expect_up(t, &honest);
	trial_check_up(t);
	west = trial_outbound(t, t->a);
	to = node_outbound(t->a, honest.reached);
	claim(t, 10, "@evil", "10.9.0.0/16", "no_connection_for", "the net of another Road Warrior");
	claim(t, 11, NULL, "10.9.0.0/16", "no_connection_for", "the net of another, without a name");
	claim(t, 12, "@evil", "10.0.2.0/24", "no_connection_for", "the net of a fixed peer");
	claim(t, 13, "@evil", "0.0.0.0/0", "no_connection_for", "everything");
	claim(t, 14, "@evil", "10.66.1.0/24", "no_connection_for", "a part of its own net");
	claim(t, 15, "@evil", "198.18.0.2/32", "no_connection_for", "the address of another");
	claim(t, 16, NULL, "198.18.0.2/32", "no_connection_for", "the address of another, without a name");
	claim(t, 17, "@west", "10.0.2.0/24", "id_mismatch", "the identity of a fixed peer");
	claim(t, 18, "192.0.2.2", "10.0.2.0/24", "id_mismatch", "the address of a fixed peer as identity");
	claim(t, 19, "198.18.0.2", NULL, "id_mismatch", "the address of another as identity");
	claim(t, 20, "@gateway", NULL, "id_mismatch", "the identity of the gateway");
	claim(t, 21, "@nobody", NULL, "id_mismatch", "an unknown identity");
	trial_expect(t, trial_outbound(t, t->a) == west && node_outbound(t->a, honest.reached) == to,
		     "somebody's traffic goes elsewhere");
	trial_expect(t, t->a->lost_cover == 0, "somebody's traffic lost its SA");
	expect_up(t, &honest);
	trial_check_up(t);
	trial_expect(t, node_holdings(t->a).instances == 1, "%zu instances are left",
		     node_holdings(t->a).instances);
}

/* With RSA an identity cannot be claimed without its key, either. */
void run_road_rsa(struct trial *t)
{
	static struct rsa_key *key[3];	/* of the gateway, @honest, @evil */
	struct warrior honest, evil, liar, greedy;
	struct warrior *all[] = { &honest, &evil, &liar, &greedy };
	const char *why;

	for (unsigned i = 0; i < 3 && key[i] == NULL; i++)
		key[i] = rsa_make(1024, &why);
	t->c.psk = false;
	t->c.rsasig = true;
	t->a->rsa = t->a->rsa_named = key[0];
	node_listen(t->a);
	template(t, "honest", "@honest", "10.9.0.0/16");
	template(t, "evil", "@evil", "10.66.0.0/16");
	node_public_key(t->a, "@honest", key[1]);
	node_public_key(t->a, "@evil", key[2]);
	warrior(t, &honest, 1, "@honest", "10.9.0.0/16");
	warrior(t, &evil, 2, "@evil", "10.66.0.0/16");
	warrior(t, &liar, 3, "@honest", "10.9.0.0/16");
	warrior(t, &greedy, 4, "@evil", "10.9.0.0/16");
	for (unsigned i = 0; i < 4; i++) {
		all[i]->node->rsa = all[i]->node->rsa_named = key[i == 0 ? 1 : 2];
		node_public_key(all[i]->node, "@gateway", key[0]);
		node_initiate(all[i]->node, "net");
	}
	world_run(t->w, 100000);
	expect_up(t, &honest);
	expect_up(t, &evil);
	expect_refused(t, &liar, "the identity of another, signed with the wrong key");
	expect_refused(t, &greedy, "the net of another, with a key of its own");
	trial_expect(t, node_said(t->a, "rsa_bad_signature") && node_said(t->a, "no_connection_for"),
		     "refused for another reason: %s", t->a->refusal);
	trial_expect(t, t->a->lost_cover == 0, "somebody's traffic lost its SA");
	node_terminate(honest.node, "net");
	node_terminate(evil.node, "net");
	node_terminate(greedy.node, "net");
	world_run(t->w, 100000);
	expect_gone(t, "all have left");
}

/* ---- templates that go away ----------------------------------------------------------- */

static void interfere(struct trial *t, unsigned how, struct warrior *w)
{
	switch (how) {
	case 0:
		node_terminate(t->a, "anybody");
		break;
	case 1:
		node_delete(t->a, "anybody");
		template(t, "anybody", NULL, NULL);
		break;
	case 2:
		t->c.replace = true;
		template(t, "anybody", NULL, NULL);
		break;
	case 3:
		node_terminate(w->node, "net");
		break;
	default:		/* the gateway's interface goes and comes back */
		t->a->away = true;
		node_listen(t->a);
		if (trial_pick(t, 2) == 0)
			world_run(t->w, 10);
		t->a->away = false;
		node_listen(t->a);
	}
}

/* At each event of a negotiation something happens to the template, or to an SA of another instance of it. */
void run_road_trouble(struct trial *t)
{
	struct warrior w[3];

	trial_draw(t);
	t->c.left.client = sim_subnet(OFFICE);
	t->c.right.client = (struct subnet){ 0 };
	t->c.tunnel = true;
	node_listen(t->a);
	template(t, "anybody", NULL, NULL);
	for (unsigned i = 0; i < 3; i++)
		warrior(t, &w[i], i, NULL, NULL);
	node_initiate(w[0].node, "net");
	world_run(t->w, 1000);
	expect_up(t, &w[0]);
	node_initiate(w[1].node, "net");
	world_step(t->w, t->seed % EVENTS);
	node_initiate(w[2].node, "net");
	world_step(t->w, trial_pick(t, 8));
	interfere(t, (unsigned)(t->seed / EVENTS) % 5, &w[1]);
	world_run(t->w, 200000);
	for (unsigned i = 0; i < 3; i++) {
		node_terminate(w[i].node, "net");
		world_run(t->w, 1000);
		node_initiate(w[i].node, "net");
		world_run(t->w, 100000);
		expect_up(t, &w[i]);
	}
	trial_expect(t, node_holdings(t->a).instances == 3, "%zu instances", node_holdings(t->a).instances);
	for (unsigned i = 0; i < 3; i++)
		node_terminate(w[i].node, "net");
	node_terminate(t->a, "anybody");
	world_run(t->w, 70000);
	expect_gone(t, "all have left");
}

/* ---- a flood ----------------------------------------------------------------------------- */

static void flood(struct trial *t, struct span first, unsigned n, unsigned pause_every)
{
	uint8_t d[2048];
	struct writer w = writer_on(d, sizeof(d));

	put_bytes(&w, first);
	for (unsigned i = 0; i < n; i++) {
		struct endpoint from = { .addr = { .len = 4, .b = { 203, (uint8_t)(i >> 16), (uint8_t)(i >> 8),
								    (uint8_t)i } }, .port = 500 };

		patch_u32(&w, HEADER_OFFSET_ICOOKIE, 0x80000000u + i);
		world_inject(t->w, t->a, &from, writer_span(&w));
		world_run(t->w, i % pause_every == 0);
	}
}

/* First messages from thousands of addresses: instances are bounded, and go. */
void run_road_flood(struct trial *t)
{
	struct warrior w, late;
	struct tape tape;
	size_t before, after;

	node_listen(t->a);
	template(t, "anybody", NULL, NULL);
	warrior(t, &w, 1, NULL, NULL);
	tape_start(t, &tape);
	node_initiate(w.node, "net");
	world_run(t->w, 2000);
	expect_up(t, &w);
	world_middle(t->w, &(struct man_in_the_middle){ 0 });
	flood(t, span_buf(tape.at[0].bytes), 20000, 10);		/* lets every table grow once */
	world_run(t->w, 100000);
	before = mallinfo2().uordblks;
	flood(t, span_buf(tape.at[0].bytes), 20000, 10);
	trial_expect(t, node_holdings(t->a).instances <= LIMIT_HALF_OPEN + 1 &&
			node_holdings(t->a).half_open <= LIMIT_HALF_OPEN,
		     "%zu instances in a flood", node_holdings(t->a).instances);
	trial_expect(t, arrives(t, &w), "an SA was lost in a flood");
	world_run(t->w, 100000);
	after = mallinfo2().uordblks;
	trial_expect(t, node_holdings(t->a).instances == 1 && node_holdings(t->a).pairs == 2,
		     "%zu instances after a flood", node_holdings(t->a).instances);
	trial_expect(t, after <= before + 65536, "a flood cost %zu octets", after - before);
	warrior(t, &late, 2, NULL, NULL);
	node_initiate(late.node, "net");
	world_run(t->w, 2000);
	expect_up(t, &late);
	tape_free(&tape);
}
