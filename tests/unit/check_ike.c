/* check_ike.c -- what is said when identities, clients or a description do not fit; claims on routes, lifetimes. */
#include <stdlib.h>

#include "ike/lifetime.h"
#include "ike_lab.h"
#include "vectors.h"

/* ---- identities ------------------------------------------------------------------- */

START_TEST(other_identity_is_told)
{
	struct control_connection theirs = trial.c;

	trial.c.ike = theirs.ike = span_str("aes128-sha256-x25519");
	trial.c.left.id = span_str("@east.example");
	theirs.left.id = span_str("@other.example");
	node_connection(trial.a, &trial.c);
	node_connection(trial.b, &theirs);
	listening();
	node_initiate(trial.a, "net");
	world_run(trial.w, 3000);
	ck_assert(node_said(trial.b, "id_mismatch"));
	assert_text(trial.b->refusal, "the peer says that it is @east.example, connection \"net\" expects @other.example");
	assert_text(trial.b->refusal, "--id @east.example");
	ck_assert_uint_eq(trial.a->added + trial.b->added, 0);
	world_run(trial.w, 200000);
	ck_assert_uint_ge(trial.a->last_status, WHACK_STATUS_RETRANSMISSION);
}
END_TEST

START_TEST(other_clients_are_told)
{
	struct control_connection theirs = trial.c;

	trial.c.ike = theirs.ike = span_str("aes128-sha256-x25519");
	theirs.left.client.bits = 25;
	node_connection(trial.a, &trial.c);
	node_connection(trial.b, &theirs);
	listening();
	node_initiate(trial.a, "net");
	world_run(trial.w, 3000);
	ck_assert(node_said(trial.b, "no_connection_for"));
	assert_text(trial.b->refusal, "the peer asks for 10.0.1.0/24 to 10.0.2.0/24; the nearest, connection \"net\", has "
		    "10.0.1.0/25 to 10.0.2.0/24: the peer's subnet 10.0.1.0/24 is not 10.0.1.0/25");
	ck_assert_uint_eq(trial.a->added + trial.b->added, 0);
}
END_TEST

/* ---- descriptions ------------------------------------------------------------------ */

static void bad_name(struct control_connection *c) { c->name = span_str("a name"); }
static void no_name(struct control_connection *c) { c->name = span_str(""); }
static void dash(struct control_connection *c) { c->name = span_str("-rf"); }
static void wildcards(struct control_connection *c) { c->left.host = c->right.host = (struct ip_addr){ 0 }; }
static void families(struct control_connection *c) { c->left.host = (struct ip_addr){ .len = 16, .b = { 0x20 } }; }
static void any6(struct control_connection *c) { c->left.host = (struct ip_addr){ .len = 16 }; }
static void client_families(struct control_connection *c)
{
	c->right.client = (struct subnet){ .addr = { .len = 16, .b = { 0x20 } }, .bits = 8 };
}
static void host_is_client(struct control_connection *c)
{
	client_families(c);
	c->left.client = (struct subnet){ .bits = 0 };
}
static void six_hosts(struct control_connection *c)
{
	c->left.host = (struct ip_addr){ .len = 16, .b = { 0x20 } };
	c->right.host = (struct ip_addr){ .len = 16, .b = { 0x30 } };
}
static void six_clients(struct control_connection *c)
{
	client_families(c);
	c->left.client = (struct subnet){ .addr = { .len = 16, .b = { 0x30 } }, .bits = 8 };
}
static void link_local(struct control_connection *c)
{
	six_hosts(c);
	c->right.host = (struct ip_addr){ .len = 16, .b = { 0xfe, 0xbf } };
}
static void link_client(struct control_connection *c)
{
	six_clients(c);
	c->left.client = (struct subnet){ .addr = { .len = 16, .b = { 0xfe, 0x80 } }, .bits = 10 };
}
static void bad_id(struct control_connection *c) { c->right.id = span_str("a@b@c"); }
static void name_id(struct control_connection *c) { c->right.id = span_str("peer.example"); }
static void policy(struct control_connection *c) { c->policy = span_str("ancient"); }
static void alone(struct control_connection *c) { c->tunnel = true; c->encrypt = false; }
static void ike_life(struct control_connection *c) { c->ikelifetime = LIMIT_IKE_LIFE_MAX + 1; }
static void ipsec_life(struct control_connection *c) { c->ipseclifetime = LIMIT_IPSEC_LIFE_MAX + 1; }
static void ike_word(struct control_connection *c) { c->ike = span_str("rot13-sha1"); }
static void esp_word(struct control_connection *c) { c->esp = span_str("aes100-sha1"); }
static void group(struct control_connection *c) { c->pfsgroup = span_str("modp1000"); }
static void compress(struct control_connection *c) { c->compress = true; c->encrypt = c->tunnel = false; }

static const struct {
	void (*spoil)(struct control_connection *c);
	uint16_t status;
	const char *text;
} descriptions[] = {
	{ bad_name, WHACK_STATUS_BAD_DESCRIPTION, "\"a name\" cannot be the name" },
	{ no_name, WHACK_STATUS_BAD_DESCRIPTION, "cannot be the name" },
	{ dash, WHACK_STATUS_BAD_DESCRIPTION, "\"-rf\" cannot be the name" },
	{ wildcards, WHACK_STATUS_BAD_DESCRIPTION, "neither end of \"net\" has an address" },
	{ families, WHACK_STATUS_BAD_DESCRIPTION, "mixes IPv4 and IPv6 between its two hosts: 2000:: and " },
	{ any6, WHACK_STATUS_BAD_DESCRIPTION, "mixes IPv4 and IPv6 between its two hosts: :: and " },
	{ client_families, WHACK_STATUS_BAD_DESCRIPTION, "mixes IPv4 and IPv6 between its two clients: 10." },
	{ host_is_client, WHACK_STATUS_BAD_DESCRIPTION, "mixes IPv4 and IPv6 between its two clients: 192." },
	{ link_local, WHACK_STATUS_BAD_DESCRIPTION, "--host febf:: is a link-local address" },
	{ link_client, WHACK_STATUS_BAD_DESCRIPTION, "--client fe80::/10 is a link-local address" },
	{ bad_id, WHACK_STATUS_BAD_DESCRIPTION, "--id a@b@c of \"net\", column" },
	{ name_id, WHACK_STATUS_BAD_DESCRIPTION, "name to be resolved" },
	{ policy, WHACK_STATUS_BAD_DESCRIPTION, "no policy \"ancient\"" },
	{ alone, WHACK_STATUS_BAD_DESCRIPTION, "--tunnel means nothing" },
	{ ike_life, WHACK_STATUS_BAD_DESCRIPTION, "--ikelifetime 28801 is over the maximum of 28800" },
	{ ipsec_life, WHACK_STATUS_BAD_DESCRIPTION, "--ipseclifetime 86401 is over the maximum of 86400" },
	{ ike_word, WHACK_STATUS_BAD_DESCRIPTION, "'rot13-sha1', column 1: the algorithm 'rot13' is unknown" },
	{ esp_word, WHACK_STATUS_BAD_DESCRIPTION, "'aes100-sha1', column 1: 'aes100' asks for a key of 100 bits" },
	{ group, WHACK_STATUS_BAD_DESCRIPTION, "--pfsgroup modp1000 of \"net\"" },
	{ compress, WHACK_STATUS_BAD_DESCRIPTION, "--compress means nothing without --encrypt or --authenticate" },
};

START_TEST(bad_descriptions_are_refused)
{
	descriptions[_i].spoil(&trial.c);
	node_connection(trial.a, &trial.c);
	assert_text(trial.a->answer, descriptions[_i].text);
	ck_assert_uint_eq(trial.a->last_status, descriptions[_i].status);
	ck_assert_uint_eq(node_holdings(trial.a).connections, 0);
	ck_assert_uint_eq(node_holdings(trial.a).unfinished, 0);
}
END_TEST

static void six_all(struct control_connection *c)
{
	six_hosts(c);
	six_clients(c);
}

/* The warrior's family is that of the host he comes to. */
static void six_warrior(struct control_connection *c)
{
	six_hosts(c);
	c->right.host = (struct ip_addr){ .len = 4 };
	c->right.client = (struct subnet){ .bits = 0 };
	c->left.client = (struct subnet){ .addr = { .len = 16, .b = { 0x30 } }, .bits = 8 };
}

static void six_warrior_by_name(struct control_connection *c)
{
	six_warrior(c);
	c->right.host = (struct ip_addr){ .len = 16 };
}

static void (*const families_that_fit[])(struct control_connection *c) = {
	six_hosts, six_clients, six_all, six_warrior, six_warrior_by_name,
};

START_TEST(families_are_independent)
{
	families_that_fit[_i](&trial.c);
	node_connection(trial.a, &trial.c);
	ck_assert_uint_eq(trial.a->last_status, WHACK_STATUS_SUCCESS);
	ck_assert_uint_eq(node_holdings(trial.a).connections, 1);
}
END_TEST

START_TEST(requests_at_the_wrong_time)
{
	node_connection(trial.a, &trial.c);
	node_connection(trial.a, &trial.c);
	ck_assert_uint_eq(trial.a->last_status, WHACK_STATUS_DUPLICATE_NAME);
	node_initiate(trial.a, "net");
	ck_assert_uint_eq(trial.a->last_status, WHACK_STATUS_NOT_LISTENING);
	trial.a->away = true;
	node_listen(trial.a);
	node_initiate(trial.a, "net");
	ck_assert_uint_eq(trial.a->last_status, WHACK_STATUS_NO_ORIENTATION);
	assert_text(trial.a->answer, "neither 192.0.2.1 nor 192.0.2.2 is an address of this host");
	trial.a->away = false;
	node_listen(trial.a);
	trial.a->secret = NULL;
	node_initiate(trial.a, "net");
	ck_assert_uint_eq(trial.a->last_status, WHACK_STATUS_NO_KEY);
	ck_assert_uint_eq(node_holdings(trial.a).unfinished, 0);
}
END_TEST

/* ---- routes and eroutes -------------------------------------------------------------- */

static struct kernel_interface eth0 = { .real = "eth0" }, eth1 = { .real = "eth1" };

static struct connection between(const char *ours, const char *theirs, struct kernel_interface *on)
{
	struct control_connection c = sim_connection("x", trial.a, ours, trial.b, theirs);
	struct connection out = { .ours = 0, .interface = on };

	out.end[0].host = c.left.host;
	out.end[1].host = c.right.host;
	out.end[0].has_client = out.end[1].has_client = true;
	out.end[0].client = c.left.client;
	out.end[1].client = c.right.client;
	return out;
}

START_TEST(routes_are_shared_taken_or_busy)
{
	struct connection a = between("10.1.0.0/16", "10.9.0.0/16", &eth0);
	struct connection same = between("10.2.0.0/16", "10.9.0.0/16", &eth0);
	struct connection other_way = between("10.3.0.0/16", "10.9.0.0/16", &eth1);
	struct connection gateway = same, elsewhere = between("10.1.0.0/16", "10.8.0.0/16", &eth1), *who;
	struct routes *r = routes_new();

	gateway.end[0].nexthop = trial.a->addr;
	ck_assert_int_eq(routes_judge(r, &a, true, &who), CLAIM_FREE);
	routes_claim(r, &a);
	ck_assert_ptr_null(routes_sharer(&a));
	ck_assert_int_eq(routes_judge(r, &same, true, &who), CLAIM_FREE);
	ck_assert_int_eq(routes_judge(r, &elsewhere, true, &who), CLAIM_FREE);
	ck_assert_int_eq(routes_judge(r, &other_way, true, &who), CLAIM_TAKES);
	ck_assert_ptr_eq(who, &a);
	ck_assert_int_eq(routes_judge(r, &gateway, false, &who), CLAIM_TAKES);
	a.n_installed = 1;
	ck_assert_int_eq(routes_judge(r, &other_way, false, &who), CLAIM_ROUTE_BUSY);
	ck_assert_ptr_eq(who, &a);
	routes_claim(r, &same);
	ck_assert_ptr_eq(routes_sharer(&a), &same);
	ck_assert(routes_want_route(r, &same));
	routes_routed(r, &a, THERE);
	ck_assert(!routes_want_route(r, &same));
	routes_release(r, &a);
	ck_assert(!routes_want_unroute(r, &a));		/* the other one still needs it */
	ck_assert_int_eq(routes_judge(r, &other_way, true, &who), CLAIM_TAKES);
	ck_assert_ptr_eq(who, &same);
	routes_release(r, &same);
	ck_assert(routes_want_unroute(r, &same));
	ck_assert_int_eq(routes_judge(r, &other_way, true, &who), CLAIM_FREE);
	routes_routed(r, &same, NOT_THERE);
	ck_assert(!routes_want_unroute(r, &same));
	routes_free(r);
}
END_TEST

START_TEST(eroute_has_one_owner)
{
	struct connection a = between("10.1.0.0/16", "10.9.0.0/16", &eth0), b = a, *who;
	struct connection other = between("10.1.0.0/17", "10.9.0.0/16", &eth0), port = a;
	struct routes *r = routes_new();

	port.end[0].protocol = port.end[1].protocol = 17;
	routes_claim(r, &a);
	ck_assert(routes_want_cover(r, &a));
	routes_covered(r, &a, EROUTE_SA);
	a.n_installed = 1;
	ck_assert_int_eq(routes_judge(r, &b, true, &who), CLAIM_EROUTE_BUSY);
	ck_assert_ptr_eq(who, &a);
	ck_assert_int_eq(routes_judge(r, &b, false, &who), CLAIM_FREE);	/* without an SA it may share */
	ck_assert_int_eq(routes_judge(r, &other, true, &who), CLAIM_FREE);
	ck_assert_int_eq(routes_judge(r, &port, true, &who), CLAIM_FREE);
	routes_claim(r, &b);
	ck_assert(!routes_want_cover(r, &b));
	ck_assert(routes_carry(r, &a) && !routes_carry(r, &b));
	ck_assert_int_eq(routes_want_uncover(r, &b, &who), UNCOVER_NOTHING);	/* not its own */
	routes_release(r, &a);
	ck_assert_int_eq(routes_want_uncover(r, &a, &who), UNCOVER_HAND_OVER);
	ck_assert_ptr_eq(who, &b);
	routes_covered(r, &b, EROUTE_TRAP);
	ck_assert_int_eq(routes_want_uncover(r, &a, &who), UNCOVER_NOTHING);
	routes_release(r, &b);
	ck_assert_int_eq(routes_want_uncover(r, &b, &who), UNCOVER_DELETE);
	routes_uncovered(r, &b);
	ck_assert_int_eq(routes_want_uncover(r, &b, &who), UNCOVER_NOTHING);
	routes_free(r);
}
END_TEST

/* ---- lifetimes ----------------------------------------------------------------------- */

START_TEST(rekeying_is_spread_over_the_fuzz)
{
	const struct policy p = { .margin = 540, .fuzz = 100 }, exact = { .margin = 540, .fuzz = 0 },
			    wide = { .margin = 100, .fuzz = 300 };
	const uint64_t life = 3600;
	unsigned quarter[4] = { 0 };

	for (unsigned i = 0; i < 4000; i++) {
		uint64_t at = life_until_rekey(trial.a->ike, &p, ROLE_INITIATOR, life);

		ck_assert_uint_ge(at, life - 1080);
		ck_assert_uint_le(at, life - 540);
		quarter[(at - (life - 1080)) * 4 / 541]++;
		at = life_until_rekey(trial.a->ike, &wide, ROLE_INITIATOR, life);
		ck_assert_uint_ge(at, life - 400);
		ck_assert_uint_le(at, life - 100);
	}
	for (unsigned i = 0; i < 4; i++) {	/* a thousand each, give or take six sigma */
		ck_assert_uint_ge(quarter[i], 830);
		ck_assert_uint_le(quarter[i], 1170);
	}
	ck_assert_uint_eq(life_until_rekey(trial.a->ike, &exact, ROLE_INITIATOR, life), life - 540);
	ck_assert_uint_eq(life_until_rekey(trial.a->ike, &p, ROLE_RESPONDER, life), life - 270);
	ck_assert_uint_eq(life_until_rekey(trial.a->ike, &exact, ROLE_INITIATOR, 500), 250);
	ck_assert_uint_eq(life_until_rekey(trial.a->ike, &exact, ROLE_INITIATOR, 540), 270);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ike");
	TCase *t = tcase_create("ike");

	vectors_start();
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, other_identity_is_told);
	tcase_add_test(t, other_clients_are_told);
	tcase_add_loop_test(t, bad_descriptions_are_refused, 0, sizeof(descriptions) / sizeof(descriptions[0]));
	tcase_add_loop_test(t, families_are_independent, 0,
			    sizeof(families_that_fit) / sizeof(families_that_fit[0]));
	tcase_add_test(t, requests_at_the_wrong_time);
	tcase_add_test(t, routes_are_shared_taken_or_busy);
	tcase_add_test(t, eroute_has_one_owner);
	tcase_add_test(t, rekeying_is_spread_over_the_fuzz);
	suite_add_tcase(s, t);
	return run_suite(s);
}
