/* gateway_split.c -- pluto as the client of a gateway that names the networks behind it, described with --split. */
#include "gateway.h"
#include "ike/family.h"
#include "ike/internal.h"

static const uint8_t two_networks[] = {	/* two within, one of them twice, a part of it; one outside */
	10, 0, 2, 0, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 10, 0, 3, 0, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0,
	10, 0, 3, 0, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 10, 0, 3, 64, 255, 255, 255, 192, 0, 0, 0, 0, 0, 0,
	192, 168, 5, 0, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0,
};

static void name_networks(struct gateway *g, struct talk *k, uint8_t type)
{
	const struct emit_attribute at[] = {
		{ .type = CONFIG_ATTRIBUTE_INTERNAL_IP4_ADDRESS, .value = span_of(g->address, sizeof(g->address)) },
		{ .type = CONFIG_ATTRIBUTE_UNITY_SPLIT_INCLUDE, .value = span_sub(span_of(two_networks, sizeof(two_networks)), g->from, g->octets) },
	};

	if (type == CONFIG_TYPE_REPLY)
		gateway_status(g, XAUTH_STATUS_OK);
	if (type != CONFIG_TYPE_REQUEST)
		return;
	g->done = g->given = true;
	gateway_say(g, k, CONFIG_TYPE_REPLY, at, g->octets > 0 ? 2 : 1);
}

static void also_serve(struct gateway *g, const char *name, uint8_t third)
{
	struct control_connection c = g->t->c;

	c.name = span_str(name);
	c.right.client = (struct subnet){ { 4, { 10, 0, third } }, 24 };
	node_connection(g->t->b, &c);
}

static size_t members(const struct trial *t)
{
	size_t n;

	family_select(t->a->ike, t->a->ike->arena, span_str("net"), &n);
	return n;
}

static void expect_networks(struct gateway *g, bool second, bool third, const char *when)
{
	struct trial *t = g->t;

	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS && node_holdings(t->a).unfinished == 0, "%s: ended with %u, %s: %s",
		     when, t->a->last_status, t->a->answer, t->a->refusal);
	trial_expect(t, (node_outbound(t->a, "10.0.2.0/24") != NULL) == second && (node_outbound(t->a, "10.0.3.0/24") != NULL) == third,
		     "%s: not the networks that were named", when);
	trial_expect(t, members(t) == (size_t)second + third && node_holdings(t->a).eroutes == (size_t)second + third,
		     "%s: %zu pairs, %zu eroutes", when, members(t), node_holdings(t->a).eroutes);
	trial_check_sound(t);
}

/* Two networks at first, then one of them, then again two, the other one, and none, which changes nothing. */
void run_gateway_split(struct trial *t)
{
	bool any = t->seed / 4 % 2 == 0;	/* no client is described: none is outside */
	size_t all = sizeof(two_networks) - (any ? 14 : 0);
	const struct { size_t from, octets; bool second, third; } named[] = {
		{ 0, 14, true, false }, { 0, all, true, true }, { 14, 14, false, true }, { 0, 0, false, true },
	};
	struct gateway g;

	t->c.aggressive = t->seed % 2 != 0;
	gateway_begin(&g, t, t->seed / 2 % 2 != 0, CONFIG_MODE_PULL);
	also_serve(&g, "third", 3);
	g.heard = name_networks;
	g.octets = all;
	g.ours.replace = g.ours.split = true;
	g.ours.right.client = any ? (struct subnet){ 0 } : (struct subnet){ { 4, { 10 } }, 8 };
	node_connection(t->a, &g.ours);
	node_initiate(t->a, "net");
	gateway_run(&g, 6000);
	expect_networks(&g, true, true, "at first");
	trial_expect(t, strstr(t->a->answer, "all 2 pairs of clients are up") != NULL, "whack was told: %s", t->a->answer);
	for (unsigned i = 0; i < 2; i++) {		/* the gateway may replace SAs, too */
		node_initiate(t->b, i == 0 ? "net" : "third");
		gateway_run(&g, 3000);
		trial_expect(t, t->b->last_status == WHACK_STATUS_SUCCESS, "the gateway is not let in: %u, %s", t->b->last_status, t->a->refusal);
	}
	expect_networks(&g, true, true, "when the gateway had begun");
	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		node_terminate(t->a, "net");
		gateway_run(&g, 3000);
		trial_expect(t, node_sas(t->a, false) == 0 && node_holdings(t->a).exchanges == 0, "terminated: SAs are left");
		g.from = named[i].from;
		g.octets = named[i].octets;
		node_initiate(t->a, "net");
		gateway_run(&g, 6000);
		expect_networks(&g, named[i].second, named[i].third, "anew");
	}
	node_connection(t->a, &g.ours);
	trial_expect(t, strstr(t->a->answer, "described like this already") != NULL, "described again: %s", t->a->answer);
	node_delete(t->a, "net");
	gateway_run(&g, 3000);
	trial_expect(t, node_holdings(t->a).connections == 0 && node_holdings(t->a).eroutes == 0, "deleted: something is left");
	node_connection(t->a, &g.ours);
	gateway_end(&g);
}

/* Nothing of what is named is within what is described. */
void run_gateway_split_outside(struct trial *t)
{
	struct gateway g;

	gateway_begin(&g, t, t->seed % 2 != 0, CONFIG_MODE_PULL);
	g.heard = name_networks;
	g.octets = sizeof(two_networks);
	g.ours.replace = g.ours.split = true;
	g.ours.right.client = (struct subnet){ { 4, { 172, 16 } }, 12 };
	node_connection(t->a, &g.ours);
	node_initiate(t->a, "net");
	gateway_run(&g, 10000);
	trial_expect(t, node_said(t->a, "split_outside") && strstr(t->a->refusal, "10.0.2.0/24 10.0.3.0/24") != NULL &&
			strstr(t->a->refusal, "within 172.16.0.0/12") != NULL, "it says: %s", t->a->refusal);
	trial_expect(t, t->a->last_status == WHACK_STATUS_NEGOTIATION_FAILED && t->a->added == 0, "whack was told %u", t->a->last_status);
	gateway_end(&g);
}

/* --revive is of each network: when the gateway has deleted all that there was they come up again, and so does one that the
 * gateway names only then. */
void run_gateway_split_revives(struct trial *t)
{
	bool fewer = t->seed % 2 != 0;
	struct gateway g;

	gateway_begin(&g, t, t->seed / 2 % 2 != 0, CONFIG_MODE_PULL);
	also_serve(&g, "third", 3);
	g.heard = name_networks;
	g.octets = fewer ? 14 : 56;
	g.ours.replace = g.ours.split = g.ours.revive = true;
	g.ours.right.client = (struct subnet){ { 4, { 10 } }, 8 };
	node_connection(t->a, &g.ours);
	node_initiate(t->a, "net");
	gateway_run(&g, 6000);
	expect_networks(&g, true, !fewer, "at first");
	g.octets = 56;
	node_terminate(t->b, "net");
	node_terminate(t->b, "third");		/* whose the ISAKMP SA is */
	gateway_run(&g, 500);
	trial_expect(t, node_outbound(t->a, "10.0.2.0/24") == NULL, "the gateway has deleted nothing");
	gateway_run(&g, 90000);
	expect_networks(&g, true, true, "revived");
	gateway_end(&g);
}
