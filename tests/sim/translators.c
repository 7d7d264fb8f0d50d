/* translators.c -- peers behind NATs: found, told apart, followed, kept reachable. */
#include <stdio.h>
#include <stdlib.h>

#include "generated/limits.h"
#include "generated/payloads.h"
#include "ike/internal.h"
#include "trial.h"

#define OFFICE "10.0.1.0/24"
#define PEERS 3

struct behind {
	struct node *node[PEERS];
	struct sim_nat *nat;
};

/* The office takes anybody. */
static struct control_connection office(struct trial *t)
{
	struct control_connection c = t->c;

	c.name = span_str("road");
	c.left = (struct control_end){ .host = t->a->addr, .ikeport = 500, .nattport = 4500, .client = sim_subnet(OFFICE) };
	c.right = (struct control_end){ .ikeport = 500, .nattport = 4500 };
	c.encrypt = c.psk = true;
	c.authenticate = c.compress = c.pfs = c.aggressive = false;
	node_connection(t->a, &c);
	node_listen(t->a);
	return c;
}

/* A peer behind the NAT that knows the office, and begins. */
static struct node *peer(struct trial *t, struct control_connection c, struct sim_nat *nat, const char *name, const char *addr)
{
	struct node *n = world_node(t->w, name, addr, t->a->secret);

	n->nat = nat;
	c.right.host = n->addr;
	node_connection(n, &c);
	node_listen(n);
	node_initiate(n, "road");
	return n;
}

static void begin(struct trial *t, struct behind *b)
{
	static const char *const names[PEERS] = { "peer0", "peer1", "peer2" };
	static const char *const addrs[PEERS] = { "10.9.0.5", "10.9.0.6", "10.9.0.7" };
	struct control_connection c = office(t);

	b->nat = world_nat(t->w, "192.0.2.99");
	for (unsigned i = 0; i < PEERS; i++)
		b->node[i] = peer(t, c, b->nat, names[i], addrs[i]);
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

/* The office's kernel cannot let the SAs follow: they end at both ends, and others are negotiated, by the office at once, or,
 * if that fails, by the peers that want to be up. */
void run_nat_immovable(struct trial *t)
{
	bool fails = t->seed % 4 >= 2;
	struct behind b;

	t->c.revive = true;
	begin(t, &b);
	expect_all(t, &b, "at first");
	nat_rebind(b.nat, t->seed % 2 == 0 ? NULL : "192.0.2.98");
	t->a->immovable = true;
	for (unsigned i = 0; i < PEERS; i++)
		trial_expect(t, node_esp(b.node[i], OFFICE), "%s is cut off", b.node[i]->name);
	t->a->kernel_refuses = fails ? 1000 : 0;
	world_run(t->w, 2000);
	if (fails) {
		trial_expect(t, node_sas(t->a, true) == 0 && node_sas(t->a, false) == 0, "the office has SAs left");
		for (unsigned i = 0; i < PEERS; i++)
			trial_expect(t, node_sas(b.node[i], true) == 0, "%s has not heard of it", b.node[i]->name);
		t->a->kernel_refuses = 0;
		world_run(t->w, 120000);
	}
	expect_all(t, &b, "when the kernel could not follow");
	trial_expect(t, node_sas(t->a, true) == PEERS && node_sas(t->a, false) == PEERS, "the office has %u and %u SAs",
		     node_sas(t->a, true), node_sas(t->a, false));
	for (unsigned i = 0; i < PEERS; i++)
		trial_expect(t, node_sas(b.node[i], true) == 1, "%s has %u SAs", b.node[i]->name, node_sas(b.node[i], true));
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

	c.left = (struct control_end){ .host = t->a->addr, .ikeport = 500, .nattport = 4500, .client = sim_subnet(OFFICE) };
	c.right = (struct control_end){ .host = sim_subnet("192.0.2.77/32").addr, .ikeport = 500, .nattport = 4500,
					.client = sim_subnet("10.9.0.4/31") };
	c.name = span_str("branch");
	node_connection(t->a, &c);
	c.right.host = sim_subnet("10.9.0.6/32").addr;
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

/* The office takes peers in transport mode: anybody, or the one at `host` with that id. */
static struct control_connection office_by_transport(struct trial *t, const struct ip_addr *host, const char *id)
{
	struct control_connection c = t->c;

	c.name = span_str("road");
	c.left = (struct control_end){ .host = t->a->addr, .ikeport = 500, .nattport = 4500 };
	c.right = (struct control_end){ .ikeport = 500, .nattport = 4500 };
	if (host != NULL) {
		c.right.host = *host;
		c.right.id = span_str(id);
	}
	c.encrypt = c.psk = true;
	c.tunnel = c.authenticate = c.compress = c.pfs = c.aggressive = false;
	node_connection(t->a, &c);
	node_listen(t->a);
	return c;
}

/* In transport mode the addresses are all that tells peers apart, and behind a NAT they have one. */
void run_nat_transport(struct trial *t)
{
	struct sim_nat *nat = world_nat(t->w, "192.0.2.99");
	struct control_connection c = office_by_transport(t, NULL, NULL);
	struct node *n[2];

	n[0] = peer(t, c, nat, "first", "10.9.0.5");
	world_run(t->w, 5000);
	n[1] = peer(t, c, nat, "second", "10.9.0.6");
	world_run(t->w, 5000);
	trial_expect(t, n[0]->last_status == WHACK_STATUS_SUCCESS && reachable(t->a, "192.0.2.99/32"), "the first is not up: %u",
		     n[0]->last_status);
	trial_expect(t, n[1]->last_status != WHACK_STATUS_SUCCESS && node_sas(n[1], false) == 0, "two are up");
	trial_expect(t, node_said(t->a, "natt_shared") && strstr(t->a->refusal, "at one address, 192.0.2.99") != NULL &&
			strstr(t->a->refusal, "use --tunnel") != NULL, "the office says: %s", t->a->refusal);
	/* The first one is let in again from another port of the NAT; when it is gone, the second one is. */
	node_restart(n[0]);
	nat_rebind(nat, NULL);
	c.right.host = n[0]->addr;
	node_connection(n[0], &c);
	node_listen(n[0]);
	node_initiate(n[0], "road");
	world_run(t->w, 5000);
	trial_expect(t, n[0]->last_status == WHACK_STATUS_SUCCESS && reachable(t->a, "192.0.2.99/32"), "it does not come up again: %s",
		     t->a->refusal);
	node_terminate(n[0], "road");
	world_run(t->w, 1000);
	node_initiate(n[1], "road");
	world_run(t->w, 5000);
	trial_expect(t, n[1]->last_status == WHACK_STATUS_SUCCESS, "the second does not come up when it is alone: %s", t->a->refusal);
	trial_check_sound(t);
}

/* In transport mode an SA is for the address that the peer has. It follows to another port; when the NAT has another address
 * it ends at both ends, and is negotiated anew for that. */
void run_nat_transport_moves(struct trial *t)
{
	struct sim_nat *nat = world_nat(t->w, "192.0.2.99");
	struct control_connection c = office_by_transport(t, NULL, NULL);
	struct node *n;

	n = peer(t, c, nat, "peer", "10.9.0.5");
	world_run(t->w, 5000);
	nat_rebind(nat, NULL);
	trial_expect(t, node_esp(n, "192.0.2.1/32"), "cut off at another port");
	world_run(t->w, 2000);
	trial_expect(t, reachable(t->a, "192.0.2.99/32"), "the office does not follow to another port");
	nat_rebind(nat, "192.0.2.98");
	trial_expect(t, node_esp(n, "192.0.2.1/32"), "cut off at another address");
	world_run(t->w, 2000);
	trial_expect(t, node_sas(t->a, true) == 0 && node_sas(t->a, false) == 0, "the office keeps SAs for the other address");
	trial_expect(t, node_sas(n, true) == 0 && node_sas(n, false) == 0, "the peer has not heard that they are gone");
	if (t->seed % 2 != 0) {
		node_terminate(n, "road");
		world_run(t->w, 1000);
	}
	node_initiate(n, "road");
	world_run(t->w, 5000);
	trial_expect(t, n->last_status == WHACK_STATUS_SUCCESS && node_esp(n, "192.0.2.1/32") && reachable(t->a, "192.0.2.98/32"),
		     "not up from the new address: %u, %s", n->last_status, t->a->refusal);
	trial_check_sound(t);
}

/* The same with a peer that is described at its NAT's address: whoever begins is told that it is for that address alone. */
void run_nat_transport_fixed(struct trial *t)
{
	struct sim_nat *nat = world_nat(t->w, "192.0.2.99");
	struct control_connection c = office_by_transport(t, &nat->addr, "@peer");
	struct node *n;

	n = peer(t, c, nat, "peer", "10.9.0.5");
	world_run(t->w, 5000);
	trial_expect(t, reachable(t->a, "192.0.2.99/32"), "not up at first: %u, %s", n->last_status, t->a->refusal);
	nat_rebind(nat, "192.0.2.98");
	trial_expect(t, node_esp(n, "192.0.2.1/32"), "cut off at another address");
	world_run(t->w, 2000);
	trial_expect(t, node_sas(t->a, true) == 0 && node_sas(n, true) == 0, "an SA stays for an address that the peer has not");
	node_initiate(t->a, "road");
	world_run(t->w, 5000);
	trial_expect(t, t->a->last_status == WHACK_STATUS_NEGOTIATION_FAILED && node_said(t->a, "natt_transport_moved") &&
			strstr(t->a->refusal, "is for the peer at 192.0.2.99, and behind its NAT the peer is at 192.0.2.98:2") != NULL &&
			strstr(t->a->refusal, "give --host %any and --id") != NULL, "the office says: %u, %s", t->a->last_status,
		     t->a->refusal);
	node_initiate(n, "road");
	world_run(t->w, 5000);
	trial_expect(t, node_said(t->a, "no_connection_for") && strstr(t->a->refusal, "192.0.2.98/32 is not 192.0.2.99/32") != NULL,
		     "the office says: %s", t->a->refusal);
	trial_expect(t, node_sas(t->a, true) == 0 && node_sas(n, true) == 0, "an SA for an address that the peer has not");
	trial_check_sound(t);
}

/* The ISAKMP SA of n that is established. */
static struct phase1 *isakmp(const struct node *n)
{
	struct exchange *x = engine_first(n->ike->engine);

	while (x != NULL && (x->machine->phase != 1 || !exchange_final(x)))
		x = engine_next(x);
	return x == NULL ? NULL : x->user;
}

static void expect_refusal(struct trial *t, const struct node *n, const char *reason)
{
	trial_expect(t, node_said(n, reason) && strstr(n->refusal, "give --encrypt without --authenticate") != NULL, "%s says: %s",
		     n->name, n->refusal);
}

/* AH and a NAT: the initiator does not begin; the responder does not take what the peer of one that found no NAT proposes; where
 * NATs are not looked for whoever sees signs of one warns; and AH is not described with ESP in UDP forced. */
void run_nat_ah(struct trial *t)
{
	unsigned what = (unsigned)t->seed % 4;
	struct control_connection c = office(t);
	struct sim_nat *nat = world_nat(t->w, "192.0.2.99");
	struct node *n;

	c.replace = c.authenticate = true;
	c.right.id = span_str("@peer");
	c.right.client = sim_subnet("10.9.0.0/24");
	c.encrypt = t->seed / 4 % 2 != 0;
	c.encapsulation = what == 2 ? UDP_ENCAPSULATION_NO : what == 3 ? UDP_ENCAPSULATION_YES : UDP_ENCAPSULATION_AUTO;
	node_connection(t->a, &c);
	if (what == 3) {
		trial_expect(t, t->a->last_status == WHACK_STATUS_BAD_DESCRIPTION, "it is described: %u", t->a->last_status);
		return;
	}
	n = peer(t, c, nat, "peer", "10.9.0.5");
	world_run(t->w, 5000);
	if (what == 2) {
		expect_refusal(t, t->a, "natt_ah_doubtful");
		return;
	}
	expect_refusal(t, n, "natt_ah");
	trial_expect(t, n->last_status == WHACK_STATUS_NEGOTIATION_FAILED && n->added == 0 && t->a->added == 0, "the initiator goes on: %u",
		     n->last_status);
	if (what == 1 && trial_expect(t, isakmp(n) != NULL, "no ISAKMP SA")) {
		isakmp(n)->natt.us = false;
		node_initiate(n, "road");
		world_run(t->w, 5000);
		expect_refusal(t, t->a, "natt_ah");
		trial_expect(t, t->a->added == 0, "the responder takes it");
	}
	trial_check_sound(t);
}

/* Aggressive Mode, a template without --id: behind a NAT the peer is known by its own address, as in Main Mode; where no NAT
 * explains that address it is refused, whatever it says of NATs. */
void run_nat_aggressive(struct trial *t)
{
	bool natted = t->seed % 2 == 0;
	struct sim_nat *nat = world_nat(t->w, "192.0.2.99");
	struct control_connection c = t->c;
	struct node *n = world_node(t->w, "peer", natted ? "10.9.0.5" : "192.0.2.98", t->a->secret);

	n->nat = natted ? nat : NULL;
	c.name = span_str("road");
	c.left = (struct control_end){ .host = t->a->addr, .ikeport = 500, .nattport = 4500, .client = sim_subnet(OFFICE) };
	c.right = (struct control_end){ .ikeport = 500, .nattport = 4500 };
	c.aggressive = c.encrypt = c.psk = c.tunnel = true;
	c.authenticate = c.compress = c.pfs = false;
	node_connection(t->a, &c);
	node_listen(t->a);
	c.right.host = n->addr;
	c.right.id = natted ? span_of(NULL, 0) : span_str("10.9.0.5");
	node_connection(n, &c);
	node_listen(n);
	node_initiate(n, "road");
	for (unsigned i = 0; !natted && i < 100 && !node_said(t->a, "id_mismatch"); i++)
		world_step(t->w, 1);
	trial_expect(t, natted || (strstr(t->a->refusal, "it is 10.9.0.5") != NULL &&
				   strstr(t->a->refusal, "expects 192.0.2.98") != NULL), "the office says: %s", t->a->refusal);
	world_run(t->w, 60000);
	if (natted) {
		trial_expect(t, n->last_status == WHACK_STATUS_SUCCESS && reachable(t->a, "10.9.0.5/32"), "not up: %u, %s",
			     n->last_status, t->a->refusal);
	} else {
		trial_expect(t, node_sas(t->a, false) == 0 && node_sas(n, false) == 0, "up with the address of somebody else");
	}
	trial_check_sound(t);
}

/* ---- many at once --------------------------------------------------------- */

#define CROWD 200		/* more than may be half open from one address and port */
#define HOGS LIMIT_HALF_OPEN_ADDRESS

/* What the office answers to a Diffie-Hellman value is lost, so that the negotiations are left as they are. */
static bool lose_second(void *ctx, struct node *to, const struct endpoint *from, struct buf *datagram)
{
	const struct trial *t = ctx;

	(void)from;
	return to == t->a || datagram->p[HEADER_OFFSET_NP] != PAYLOAD_TYPE_KE;
}

static void crowd(struct trial *t, struct node **nodes, unsigned n, const struct control_connection *c, struct sim_nat *nat)
{
	static char names[CROWD + HOGS][8], addrs[CROWD + HOGS][20];

	for (unsigned i = 0; i < n; i++) {
		snprintf(names[i], sizeof(names[i]), "p%u", i);
		snprintf(addrs[i], sizeof(addrs[i]), "10.9.%u.%u", 1 + i / 200, 5 + i % 200);
		nodes[i] = peer(t, *c, nat, names[i], addrs[i]);
	}
}

/* Everybody behind one NAT begins at the same moment, as after a power cut: nobody has to begin twice. */
void run_nat_crowd(struct trial *t)
{
	struct node *nodes[CROWD];
	struct control_connection c;
	unsigned up = 0;

	t->c.ike = span_str("aes128-sha1-modp768");
	c = office(t);
	crowd(t, nodes, CROWD, &c, world_nat(t->w, "192.0.2.99"));
	world_run(t->w, 5000);
	for (unsigned i = 0; i < CROWD; i++)
		up += nodes[i]->last_status == WHACK_STATUS_SUCCESS;
	trial_expect(t, up == CROWD, "%u of %u are up: %s", up, CROWD, t->a->refusal);
	trial_check_sound(t);
}

/* Whoever is behind the NAT with others leaves as many negotiations lying about as it may, each with a right cookie, from
 * one port or from many: the others are served all the same. */
void run_nat_hogs(struct trial *t)
{
	struct node *nodes[HOGS], *honest;
	struct sim_nat *nat = world_nat(t->w, "192.0.2.99");
	struct control_connection c;

	t->c.ike = span_str("aes128-sha1-modp768");
	c = office(t);
	world_middle(t->w, &(struct man_in_the_middle){ .ctx = t, .pass = lose_second });
	crowd(t, nodes, HOGS, &c, nat);
	world_run(t->w, 2000);
	trial_expect(t, node_holdings(t->a).half_open == HOGS, "%zu are half open", node_holdings(t->a).half_open);
	world_middle(t->w, &(struct man_in_the_middle){ 0 });
	for (unsigned i = 0; i < HOGS; i++)
		nodes[i]->deaf = true;
	honest = peer(t, c, nat, "honest", "10.9.0.5");
	world_run(t->w, 2 * TIMER_PATIENCE_MS[0] + 5000);
	trial_expect(t, honest->last_status == WHACK_STATUS_SUCCESS, "the honest one has to wait: %u, %s", honest->last_status,
		     t->a->refusal);
	trial_expect(t, node_holdings(t->a).half_open <= LIMIT_HALF_OPEN_ADDRESS, "%zu are half open",
		     node_holdings(t->a).half_open);
}

/* ---- a peer that is described at an address --------------------------------- */

/* For n, the peer's host is there; NULL: anywhere. */
static void describe_branch(struct trial *t, struct node *n, const struct ip_addr *host)
{
	struct control_connection c = t->c;

	c.name = span_str("net");
	c.replace = true;
	c.encrypt = c.psk = c.tunnel = true;
	c.authenticate = c.compress = c.pfs = c.aggressive = false;
	c.left = (struct control_end){ .host = t->a->addr, .ikeport = 500, .nattport = 4500, .client = sim_subnet(OFFICE) };
	c.right = (struct control_end){ .ikeport = 500, .nattport = 4500, .id = span_str("@branch"), .client = sim_subnet("10.9.0.0/24") };
	if (host != NULL)
		c.right.host = *host;
	node_connection(n, &c);
}

/* Its NAT has the address; the ports are forwarded. */
static struct node *branch(struct trial *t, struct sim_nat *nat)
{
	struct node *n = world_node(t->w, "branch", "10.9.0.5", t->a->secret);

	n->nat = nat;
	nat_forward(nat, n, LIMIT_IKE_PORT);
	nat_forward(nat, n, LIMIT_NATT_PORT);
	describe_branch(t, t->a, &nat->addr);
	describe_branch(t, n, &n->addr);
	node_listen(t->a);
	node_listen(n);
	node_initiate(n, "net");
	world_run(t->w, 5000);
	return n;
}

/* The NAT has another address.  What is there goes on; what begins from the new address finds nothing described, and the
 * operator is told what has met what, and that %any with an identity is what to describe. */
void run_nat_moved(struct trial *t)
{
	struct sim_nat *nat = world_nat(t->w, "192.0.2.99");
	struct node *n = branch(t, nat);

	trial_expect(t, n->last_status == WHACK_STATUS_SUCCESS, "not up at first: %u, %s", n->last_status, t->a->refusal);
	nat_rebind(nat, "192.0.2.98");
	trial_expect(t, node_esp(n, OFFICE), "cut off");
	world_run(t->w, 2000);
	trial_expect(t, reachable(t->a, "10.9.0.0/24"), "the office does not follow");
	node_initiate(t->a, "net");
	world_run(t->w, 5000);
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS, "the office cannot begin on that path: %u", t->a->last_status);
	nat_rebind(nat, "192.0.2.97");
	node_restart(n);
	describe_branch(t, n, &n->addr);
	node_listen(n);
	node_initiate(n, "net");
	world_run(t->w, 5000);
	trial_expect(t, node_said(t->a, "natt_moved") && strstr(t->a->refusal, "the peer of \"net\", described at 192.0.2.99") != NULL &&
			strstr(t->a->refusal, "--host %any and --id") != NULL, "the office says: %s", t->a->refusal);
	/* As it was told. */
	describe_branch(t, t->a, NULL);
	node_terminate(n, "net");
	world_run(t->w, 1000);
	node_initiate(n, "net");
	world_run(t->w, 5000);
	trial_expect(t, n->last_status == WHACK_STATUS_SUCCESS && reachable(t->a, "10.9.0.0/24"), "not up from anywhere: %u, %s",
		     n->last_status, t->a->refusal);
	trial_check_sound(t);
}
