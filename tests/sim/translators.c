/* translators.c -- peers behind NATs: found, told apart, followed, kept reachable. */
#include <stdlib.h>

#include "ike/internal.h"
#include "trial.h"

#define OFFICE "10.0.1.0/24"
#define PEERS 3

struct behind {
	struct node *node[PEERS];
	struct sim_nat *nat;
};

static struct subnet net(const char *text)
{
	struct subnet s = { 0 };
	const char *why;
	unsigned column;

	if (!subnet_parse(span_str(text), &s, &why, &column))
		abort();
	return s;
}

/* The office, west, takes anybody; peers behind one NAT know it. */
static void begin(struct trial *t, struct behind *b)
{
	static const char *const names[PEERS] = { "peer0", "peer1", "peer2" };
	static const char *const addrs[PEERS] = { "10.9.0.5", "10.9.0.6", "10.9.0.7" };
	struct control_connection c = t->c;

	c.name = span_str("road");
	c.left = (struct control_end){ .host = t->a->addr, .ikeport = 500, .nattport = 4500, .client = net(OFFICE) };
	c.right = (struct control_end){ .ikeport = 500, .nattport = 4500 };
	c.encrypt = c.psk = true;
	c.authenticate = c.compress = c.pfs = c.aggressive = false;
	node_connection(t->a, &c);
	node_listen(t->a);
	b->nat = world_nat(t->w, "192.0.2.99");
	for (unsigned i = 0; i < PEERS; i++) {
		b->node[i] = world_node(t->w, names[i], addrs[i], t->a->secret);
		b->node[i]->nat = b->nat;
		c.right.host = b->node[i]->addr;
		node_connection(b->node[i], &c);
		node_listen(b->node[i]);
		node_initiate(b->node[i], "road");
	}
	world_run(t->w, 60000);
}

static bool reachable(struct node *office, const char *client)
{
	return node_esp(office, client);
}

static void expect_all(struct trial *t, const struct behind *b, const char *when)
{
	static const char *const clients[PEERS] = { "10.9.0.5/32", "10.9.0.6/32", "10.9.0.7/32" };

	for (unsigned i = 0; i < PEERS; i++) {
		trial_expect(t, node_esp(b->node[i], OFFICE), "%s: %s does not get through", when, b->node[i]->name);
		trial_expect(t, reachable(t->a, clients[i]), "%s: %s is not reached", when, b->node[i]->name);
	}
}

/* Several peers behind one NAT, each with its own SAs in UDP; loss and reordering do not confuse them. */
void run_nat_several(struct trial *t)
{
	struct behind b;

	world_faults(t->w, t->seed % 2 == 0 ? &fair : &faulty);
	begin(t, &b);
	world_faults(t->w, &fair);
	world_run(t->w, 60000);
	for (unsigned i = 0; i < PEERS; i++)
		trial_expect(t, t->seed % 2 != 0 || b.node[i]->last_status == WHACK_STATUS_SUCCESS, "%s: %u",
			     b.node[i]->name, b.node[i]->last_status);
	if (t->seed % 2 == 0)
		expect_all(t, &b, "at first");
	trial_check_sound(t);
}

/* The NAT gives everybody another port, or another address: the first authentic packet tells. */
void run_nat_rebinds(struct trial *t)
{
	struct behind b;

	begin(t, &b);
	expect_all(t, &b, "at first");
	nat_rebind(b.nat, t->seed % 2 == 0 ? NULL : "192.0.2.98");
	for (unsigned i = 0; i < PEERS; i++)
		trial_expect(t, node_esp(b.node[i], OFFICE), "%s is cut off", b.node[i]->name);
	world_run(t->w, 2000);
	expect_all(t, &b, "after the NAT forgot");
	trial_check_sound(t);
}

/* A NAT that forgets after 30 seconds is reminded by keepalives of the peers, and by nobody else. */
void run_nat_silence(struct trial *t)
{
	struct behind b;

	begin(t, &b);
	b.nat->timeout = 30000;
	world_run(t->w, 600000);
	trial_expect(t, t->a->keepalives == 0, "the office sends keepalives");
	for (unsigned i = 0; i < PEERS; i++)
		trial_expect(t, b.node[i]->keepalives >= 20 && b.node[i]->keepalives <= 33, "%s: %u keepalives",
			     b.node[i]->name, b.node[i]->keepalives);
	trial_expect(t, reachable(t->a, "10.9.0.5/32"), "the way is shut");
}

/* Nobody is given an address that another description has: peer0's is in the client of a branch, peer1's is the
 * host of another one.  When those are gone the address is free. */
void run_nat_taken(struct trial *t)
{
	struct control_connection c = t->c;
	struct behind b;

	c.left = (struct control_end){ .host = t->a->addr, .ikeport = 500, .nattport = 4500, .client = net(OFFICE) };
	c.right = (struct control_end){ .host = net("192.0.2.77/32").addr, .ikeport = 500, .nattport = 4500,
					.client = net("10.9.0.4/31") };
	c.name = span_str("branch");
	node_connection(t->a, &c);
	c.right.host = net("10.9.0.6/32").addr;
	c.right.client = (struct subnet){ 0 };
	c.name = span_str("host");
	node_connection(t->a, &c);
	begin(t, &b);
	trial_expect(t, !reachable(t->a, "10.9.0.5/32"), "peer0 has an address of the branch");
	trial_expect(t, !reachable(t->a, "10.9.0.6/32"), "peer1 has the address of a host");
	trial_expect(t, reachable(t->a, "10.9.0.7/32"), "peer2 is not reached");
	trial_expect(t, node_said(t->a, "natt_taken"), "the office does not say why: %s", t->a->refusal);
	node_delete(t->a, "branch");
	node_delete(t->a, "host");
	for (unsigned i = 0; i < PEERS; i++)
		node_initiate(b.node[i], "road");
	world_run(t->w, 60000);
	expect_all(t, &b, "when nobody has the addresses");
	trial_check_sound(t);
}
