/* gateway.c -- pluto as the client of gateways that ask for a user and give an address, honest and hostile. */
#include <stdio.h>

#include "gateway.h"
#include "ike/internal.h"

static const uint8_t modes[] = { CONFIG_MODE_NO, CONFIG_MODE_PULL, CONFIG_MODE_PUSH };

static void expect_up(struct gateway *g)
{
	trial_expect(g->t, g->t->a->last_status == WHACK_STATUS_SUCCESS, "ended with %u: %s", g->t->a->last_status,
		     g->t->a->refusal);
	trial_check_up(g->t);
	trial_expect(g->t, g->names == (g->xauth ? 1 : 0), "%u replies with the right name and password", g->names);
	trial_expect(g->t, g->requests == (g->pull ? 1 : 0), "%u requests for an address", g->requests);
}

/* XAUTH or not, an address pulled, pushed or none. */
void run_gateway(struct trial *t)
{
	struct gateway g;

	gateway_begin(&g, t, t->seed % 2 == 0, modes[t->seed / 2 % 3]);
	node_initiate(t->a, "net");
	gateway_run(&g, 6000);		/* a question that is too early is repeated after four seconds */
	expect_up(&g);
	gateway_end(&g);
}

/* Main Mode and Aggressive Mode where datagrams are lost, doubled and late, those of transactions too. */
void run_gateway_lossy(struct trial *t)
{
	static unsigned tried, lost;
	struct gateway g;

	t->c.aggressive = t->seed % 2 == 0;
	t->c.keyingtries = 0;
	t->c.sends = 6;
	gateway_begin(&g, t, t->seed / 2 % 4 != 0, modes[t->seed / 8 % 3]);
	g.loss = 150;
	world_faults(t->w, &faulty);
	node_initiate(t->a, "net");
	for (unsigned i = 0; i < 400 && node_holdings(t->a).unfinished > 0; i++)
		gateway_run(&g, 3000);
	trial_expect(t, node_holdings(t->a).unfinished == 0, "whack was not told: %s", t->a->refusal);
	tried++;
	if (t->a->last_status == WHACK_STATUS_SUCCESS) {
		world_faults(t->w, &fair);
		gateway_run(&g, 150000);		/* the last message of Quick Mode may be lost */
		trial_check_up(t);
	} else {
		lost++;
	}
	trial_expect(t, lost <= 1 + tried / 50, "%u of %u came to nothing: %u, %s", lost, tried, t->a->last_status,
		     t->a->refusal);
	gateway_end(&g);
}

/* The gateway begins phase 1 anew: with XAUTH of the responder, which is the user, who keeps the address. */
void run_gateway_renews(struct trial *t)
{
	struct gateway g;
	struct phase1 *p;

	t->c.aggressive = t->seed % 2 == 0;
	gateway_begin(&g, t, true, modes[t->seed / 2 % 3]);
	node_initiate(t->a, "net");
	gateway_run(&g, 3000);
	expect_up(&g);
	node_restart(t->b);
	if (g.rsa)
		gateway_keys(t);
	node_connection(t->b, &t->c);
	node_listen(t->b);
	g.served = 0;
	world_run(t->w, 1000);
	node_initiate(t->b, "net");		/* of XAUTH it knows nothing: its first Quick Mode comes too early */
	gateway_run(&g, 10000);
	p = phase1_usable(t->a->ike, connection_find(t->a->ike, span_str("net")), true);
	trial_expect(t, g.names == 2 && p != NULL && p->x->role == ROLE_RESPONDER,
		     "the gateway could not begin: %u, %u names, %s", t->b->last_status, g.names, t->a->refusal);
	trial_check_up(t);
	gateway_end(&g);
}

/* ---- what is refused ---------------------------------------------------------------- */

static void silent_begin(struct gateway *g)
{
	(void)g;
}

static void silent(struct gateway *g, struct talk *k, uint8_t type)
{
	(void)g;
	(void)k;
	(void)type;
}

static void denies(struct gateway *g, struct talk *k, uint8_t type)
{
	(void)k;
	if (type == CONFIG_TYPE_REPLY)
		gateway_status(g, XAUTH_STATUS_FAIL);
}

static void denies_at_once(struct gateway *g)
{
	gateway_status(g, XAUTH_STATUS_FAIL);
}

static void asks_again(struct gateway *g, struct talk *k, uint8_t type)
{
	(void)k;
	if (type == CONFIG_TYPE_REPLY && g->replies == 1)
		gateway_ask(g);
}

static void asks(struct gateway *g, uint16_t kind, uint16_t what)
{
	const struct emit_attribute at[] = { { .type = CONFIG_ATTRIBUTE_XAUTH_TYPE, .number = kind }, { .type = what } };

	gateway_say(g, gateway_talk(g), CONFIG_TYPE_REQUEST, at, 2);
}

static void asks_challenge(struct gateway *g)
{
	asks(g, XAUTH_TYPE_RADIUS_CHAP, CONFIG_ATTRIBUTE_XAUTH_USER_NAME);
}

static void asks_token(struct gateway *g)
{
	asks(g, XAUTH_TYPE_GENERIC, CONFIG_ATTRIBUTE_XAUTH_PASSCODE);
}

static void acknowledges(struct gateway *g, struct talk *k, uint8_t type)
{
	if (type == CONFIG_TYPE_REQUEST)
		gateway_say(g, k, CONFIG_TYPE_ACK, NULL, 0);
}

static void gives_nothing(struct gateway *g, struct talk *k, uint8_t type)
{
	if (type == CONFIG_TYPE_REQUEST)
		gateway_say(g, k, CONFIG_TYPE_REPLY, &(struct emit_attribute){ .type = CONFIG_ATTRIBUTE_INTERNAL_IP4_ADDRESS }, 1);
}

static void gives_loopback(struct gateway *g, struct talk *k, uint8_t type)
{
	if (type == CONFIG_TYPE_REQUEST)
		gateway_say(g, k, CONFIG_TYPE_REPLY, &(struct emit_attribute){ .type = CONFIG_ATTRIBUTE_INTERNAL_IP4_ADDRESS,
									       .value = span_of("\177\0\0\1", 4) }, 1);
}

static void pushes_multicast(struct gateway *g)
{
	gateway_say(g, gateway_talk(g), CONFIG_TYPE_SET, &(struct emit_attribute){
		    .type = CONFIG_ATTRIBUTE_INTERNAL_IP4_ADDRESS, .value = span_of("\340\0\0\5", 4) }, 1);
}

/* Ours gives up, names the reason, and nothing is left: not at once, where the gateway may only be slow. */
void run_gateway_refused(struct trial *t)
{
	static const struct {
		bool xauth;
		uint8_t modecfg;
		void (*begin)(struct gateway *g);
		void (*heard)(struct gateway *g, struct talk *k, uint8_t type);
		const char *reason;
		uint16_t status;
	} tricks[] = {
		{ true, CONFIG_MODE_PULL, silent_begin, NULL, "xauth_silent", WHACK_STATUS_NO_RESPONSE },
		{ true, CONFIG_MODE_NO, NULL, silent, "xauth_silent", WHACK_STATUS_NO_RESPONSE },
		{ true, CONFIG_MODE_PULL, NULL, denies, "xauth_refused", WHACK_STATUS_AUTH_FAILED },
		{ true, CONFIG_MODE_PUSH, denies_at_once, NULL, "xauth_unasked", WHACK_STATUS_AUTH_FAILED },
		{ true, CONFIG_MODE_PULL, NULL, asks_again, "xauth_refused", WHACK_STATUS_AUTH_FAILED },
		{ true, CONFIG_MODE_PULL, asks_challenge, NULL, "xauth_kind", WHACK_STATUS_AUTH_FAILED },
		{ true, CONFIG_MODE_PULL, asks_token, silent, "xauth_question", WHACK_STATUS_AUTH_FAILED },
		{ false, CONFIG_MODE_PULL, gateway_ask, silent, "xauth_wanted", WHACK_STATUS_AUTH_FAILED },
		{ false, CONFIG_MODE_PULL, NULL, silent, "config_no_response", WHACK_STATUS_NO_RESPONSE },
		{ false, CONFIG_MODE_PULL, NULL, acknowledges, "config_answer", WHACK_STATUS_NO_RESPONSE },
		{ false, CONFIG_MODE_PULL, NULL, gives_nothing, "config_no_address", WHACK_STATUS_NEGOTIATION_FAILED },
		{ false, CONFIG_MODE_PULL, NULL, gives_loopback, "config_bad_address", WHACK_STATUS_NEGOTIATION_FAILED },
		{ false, CONFIG_MODE_PUSH, pushes_multicast, NULL, "config_bad_address", WHACK_STATUS_NEGOTIATION_FAILED },
		{ false, CONFIG_MODE_PUSH, silent_begin, NULL, "config_silent", WHACK_STATUS_NO_RESPONSE },
	};
	size_t i = (size_t)(t->seed % (sizeof(tricks) / sizeof(tricks[0])));
	struct gateway g;

	gateway_begin(&g, t, tricks[i].xauth, tricks[i].modecfg);
	g.begin = tricks[i].begin;
	g.heard = tricks[i].heard;
	node_initiate(t->a, "net");
	gateway_run(&g, 90000);
	for (unsigned k = 0; k < 10; k++)		/* it may be tried again */
		gateway_run(&g, 90000);
	trial_expect(t, node_said(t->a, tricks[i].reason), "%s was not said: %s", tricks[i].reason, t->a->refusal);
	trial_expect(t, t->a->last_status == tricks[i].status, "%s: whack was told %u", tricks[i].reason,
		     t->a->last_status);
	trial_expect(t, t->a->added == 0, "%s: SAs were made", tricks[i].reason);
	trial_expect(t, node_holdings(t->a).unfinished == 0 && node_holdings(t->a).exchanges == 0,
		     "%s: %zu requests and %zu exchanges are left", tricks[i].reason, node_holdings(t->a).unfinished,
		     node_holdings(t->a).exchanges);
	gateway_end(&g);
}

/* ---- what must not disturb ------------------------------------------------------------ */

static void give_unasked(struct gateway *g)
{
	bool done = g->done;

	gateway_address(g, gateway_talk(g), CONFIG_TYPE_SET);
	g->done = done;
}

/* A text first, which asks nothing. */
static void greets(struct gateway *g)
{
	const struct emit_attribute at[] = {
		{ .type = CONFIG_ATTRIBUTE_XAUTH_TYPE, .number = XAUTH_TYPE_GENERIC },
		{ .type = CONFIG_ATTRIBUTE_XAUTH_MESSAGE, .value = span_of("Hello", 5) },
	};

	gateway_say(g, gateway_talk(g), CONFIG_TYPE_REQUEST, at, 2);
	world_run(g->t->w, 100);
}

static void second_reply(struct gateway *g, struct talk *k, uint8_t type)
{
	if (type == CONFIG_TYPE_REQUEST)
		gateway_address(g, k, CONFIG_TYPE_REPLY);
	if (type == CONFIG_TYPE_REPLY && g->replies == 2)
		gateway_status(g, XAUTH_STATUS_OK);
}

/* Both in one message, as some gateways do. */
static void status_with_address(struct gateway *g, struct talk *k, uint8_t type)
{
	const struct emit_attribute at[] = {
		{ .type = CONFIG_ATTRIBUTE_INTERNAL_IP4_ADDRESS, .value = span_of(g->address, sizeof(g->address)) },
		{ .type = CONFIG_ATTRIBUTE_XAUTH_STATUS, .number = XAUTH_STATUS_OK },
	};

	if (type == CONFIG_TYPE_REQUEST)
		gateway_address(g, k, CONFIG_TYPE_REPLY);
	if (type != CONFIG_TYPE_REPLY)
		return;
	g->done |= !g->pull;
	gateway_say(g, gateway_talk(g), CONFIG_TYPE_SET, at, 2);
}

static void reply_to_nothing(struct gateway *g)
{
	give_unasked(g);
	gateway_say(g, gateway_talk(g), CONFIG_TYPE_REPLY, NULL, 0);
	gateway_say(g, gateway_talk(g), CONFIG_TYPE_ACK, NULL, 0);
	gateway_say(g, gateway_talk(g), 0, NULL, 0);
}

static struct span sealed_status(struct gateway *g)
{
	uint8_t p[8];
	struct writer w = writer_on(p, sizeof(p));

	attributes_emit(&w, &attributes_of_config, &(struct emit_attribute){ .type = CONFIG_ATTRIBUTE_XAUTH_STATUS,
									     .number = XAUTH_STATUS_OK }, 1);
	return gateway_seal(g, gateway_talk(g), CONFIG_TYPE_SET, writer_span(&w));
}

/* A bit of a block of the hash: the one behind it is of the hash, too. */
static void wrong_hash(struct gateway *g)
{
	struct span s = sealed_status(g);

	((uint8_t *)s.p)[HEADER_SIZE + 16] ^= 1;
	gateway_send(g, s);
}

static void wrong_msgid(struct gateway *g)
{
	struct span s = sealed_status(g);

	((uint8_t *)s.p)[HEADER_OFFSET_MSGID] ^= 1;
	gateway_send(g, s);
}

/* The whole of it as it was, and for a second transaction under the same message ID. */
static void replayed(struct gateway *g)
{
	struct buf copy = buf_copy(sealed_status(g));

	for (unsigned i = 0; i < 100; i++)
		gateway_send(g, span_buf(copy));
	buf_free(&copy);
}

static void crowd(struct gateway *g)
{
	g->heard = silent;
	g->replies = 0;
	for (unsigned i = 0; i < 60; i++)
		gateway_say(g, gateway_talk(g), CONFIG_TYPE_REQUEST,
			    &(struct emit_attribute){ .type = CONFIG_ATTRIBUTE_APPLICATION_VERSION }, 1);
	world_run(g->t->w, 1000);
	trial_expect(g->t, g->replies > 0 && g->replies <= LIMIT_TRANSACTIONS_PER_SA, "%u of 60 at once were answered",
		     g->replies);
	world_run(g->t->w, 70000);
	g->replies = 0;
	gateway_say(g, gateway_talk(g), CONFIG_TYPE_REQUEST, NULL, 0);
	world_run(g->t->w, 1000);
	trial_expect(g->t, g->replies == 1, "nothing is answered after a crowd");
	g->heard = NULL;
}

/* The daemon of the gateway takes the ISAKMP SA for ready. */
static void hasty(struct gateway *g)
{
	node_initiate(g->t->b, "net");
	world_run(g->t->w, 100);
}

static void malformed(struct gateway *g, const struct emit_attribute *at, size_t n, size_t cut)
{
	static uint8_t p[LIMIT_MESSAGE_OCTETS / 2];
	struct writer w = writer_on(p, sizeof(p));

	for (size_t i = 0; i < n; i++)		/* of no table: anything can be written */
		attributes_emit(&w, NULL, &at[i], 1);
	gateway_say_raw(g, gateway_talk(g), CONFIG_TYPE_SET, span_sub(writer_span(&w), 0, w.n - cut));
	gateway_say_raw(g, gateway_talk(g), CONFIG_TYPE_REQUEST, span_sub(writer_span(&w), 0, w.n - cut));
}

static void cut_off(struct gateway *g)
{
	struct emit_attribute at = { .type = CONFIG_ATTRIBUTE_XAUTH_MESSAGE, .value = span_of("twelve bytes", 12) };

	malformed(g, &at, 1, 1);
	malformed(g, &at, 1, 13);
}

static void twice(struct gateway *g)
{
	const struct emit_attribute at[] = { { .type = CONFIG_ATTRIBUTE_XAUTH_STATUS, .number = XAUTH_STATUS_OK },
					     { .type = CONFIG_ATTRIBUTE_XAUTH_STATUS, .number = XAUTH_STATUS_FAIL } };

	malformed(g, at, 2, 0);
}

static void wrong_forms(struct gateway *g)
{
	const struct emit_attribute at[] = {
		{ .type = CONFIG_ATTRIBUTE_XAUTH_STATUS, .value = span_of("\0\1", 2) },
		{ .type = CONFIG_ATTRIBUTE_INTERNAL_IP4_ADDRESS, .value = span_of("\12\1\1", 3) },
		{ .type = CONFIG_ATTRIBUTE_INTERNAL_IP4_ADDRESS, .number = 4 },
		{ .type = CONFIG_ATTRIBUTE_INTERNAL_IP4_SUBNET, .value = span_of("\12\0\0\0\377\377", 6) },
	};

	for (size_t i = 0; i < 4; i++)
		malformed(g, &at[i], 1, 0);
}

static void thousands(struct gateway *g)
{
	static struct emit_attribute at[6000];

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		at[i] = (struct emit_attribute){ .type = 20000, .number = i };
	malformed(g, at, LIMIT_ATTRIBUTES + 1, 0);
	malformed(g, at, sizeof(at) / sizeof(at[0]), 0);
}

/* Each before XAUTH (early) or when all is up: then, too, it comes up or stays. */
void run_gateway_odd(struct trial *t)
{
	static const struct {
		bool early, late;
		uint8_t modecfg;
		void (*trouble)(struct gateway *g);
		void (*heard)(struct gateway *g, struct talk *k, uint8_t type);
		const char *reason;
	} tricks[] = {
		{ true, true, CONFIG_MODE_PULL, give_unasked, NULL, "config_unwanted" },
		{ false, true, CONFIG_MODE_PUSH, give_unasked, NULL, "config_unwanted" },
		{ true, true, CONFIG_MODE_NO, give_unasked, NULL, "config_unwanted" },
		{ false, false, CONFIG_MODE_NO, NULL, status_with_address, "config_unwanted" },
		{ false, false, CONFIG_MODE_PULL, NULL, status_with_address, "config_unwanted" },
		{ false, false, CONFIG_MODE_PUSH, NULL, status_with_address, NULL },
		{ true, true, CONFIG_MODE_PULL, reply_to_nothing, NULL, "shape_where" },
		{ true, true, CONFIG_MODE_PULL, wrong_hash, NULL, "hash_mismatch" },
		{ true, true, CONFIG_MODE_PULL, wrong_msgid, NULL, NULL },
		{ false, true, CONFIG_MODE_PULL, replayed, NULL, NULL },
		{ false, true, CONFIG_MODE_PULL, crowd, NULL, "too_many_transactions" },
		{ true, false, CONFIG_MODE_PULL, hasty, NULL, "sa_incomplete" },
		{ true, false, CONFIG_MODE_PULL, greets, second_reply, NULL },
		{ true, true, CONFIG_MODE_PUSH, cut_off, NULL, "field_truncated" },
		{ true, true, CONFIG_MODE_PUSH, twice, NULL, "attribute_twice" },
		{ true, true, CONFIG_MODE_PUSH, wrong_forms, NULL, "attribute_form" },
		{ true, true, CONFIG_MODE_PUSH, thousands, NULL, "limit_exceeded" },
	};
	size_t i = (size_t)(t->seed % (sizeof(tricks) / sizeof(tricks[0])));
	struct gateway g;

	gateway_begin(&g, t, true, tricks[i].modecfg);
	g.trouble = tricks[i].early ? tricks[i].trouble : NULL;
	g.heard = tricks[i].heard;
	node_initiate(t->a, "net");
	gateway_run(&g, 3000);
	expect_up(&g);
	if (tricks[i].late)
		tricks[i].trouble(&g);
	gateway_run(&g, 90000);
	expect_up(&g);
	trial_expect(t, node_holdings(t->a).exchanges == (tricks[i].trouble == hasty ? 3 : 2), "%zu exchanges are left",
		     node_holdings(t->a).exchanges);
	trial_expect(t, tricks[i].reason == NULL || node_said(t->a, tricks[i].reason), "%s was not said: %s",
		     tricks[i].reason, t->a->refusal);
	gateway_end(&g);
}

/* A transaction while phase 1 is under way, at every step of it. */
void run_gateway_early(struct trial *t)
{
	struct gateway g;
	struct exchange *x;

	gateway_begin(&g, t, true, CONFIG_MODE_PULL);
	node_initiate(t->a, "net");
	for (unsigned i = 0; i < 30; i++) {
		uint8_t d[HEADER_SIZE + 64] = { 0 };
		struct writer w = writer_on(d, sizeof(d));

		world_step(t->w, 1);
		x = engine_first(t->a->ike->engine);
		if (x == NULL || exchange_final(x))
			break;
		w.n = sizeof(d);
		memcpy(d + HEADER_OFFSET_ICOOKIE, x->cookies, sizeof(x->cookies));
		patch_u8(&w, HEADER_OFFSET_NP, PAYLOAD_TYPE_HASH);
		patch_u8(&w, HEADER_OFFSET_MAJOR, 0x10);
		patch_u8(&w, HEADER_OFFSET_XCHG, EXCHANGE_TYPE_TRANSACTION);
		patch_u8(&w, HEADER_OFFSET_FLAGS, HEADER_FLAGS_ENCRYPTION);
		patch_u32(&w, HEADER_OFFSET_MSGID, 1 + i);
		patch_u32(&w, HEADER_OFFSET_LENGTH, sizeof(d));
		gateway_send(&g, span_of(d, sizeof(d)));
	}
	trial_expect(t, g.replies == 0, "a gateway that has proved nothing is answered %u times", g.replies);
	trial_expect(t, node_said(t->a, "sa_unfinished"), "a transaction before the ISAKMP SA: %s", t->a->refusal);
	gateway_run(&g, 3000);
	expect_up(&g);
	gateway_end(&g);
}

/* Another connection of the same user, to the next net of the gateway; at the gateway once for each address. */
static void describe_second(struct gateway *g, const struct control_connection *other)
{
	struct control_connection c = g->ours, theirs = *other;
	const struct subnet next = { .addr = { .len = 4, .b = { 10, 0, 3, 0 } }, .bits = 24 };

	c.name = span_str("second");
	c.right.client = next;
	node_connection(g->t->a, &c);
	theirs.right.client = next;
	theirs.name = span_str("second-new");
	node_connection(g->t->b, &theirs);
	theirs.left.client = g->t->c.left.client;
	theirs.name = span_str("second-old");
	node_connection(g->t->b, &theirs);
	node_initiate(g->t->a, "second");
	gateway_run(g, 3000);
	trial_expect(g->t, node_outbound(g->t->a, "10.0.3.0/24") != NULL, "the second is not up");
}

static uint32_t spi_in_use(const struct trial *t)
{
	const struct sim_sa *s = trial_outbound(t, t->a);

	return s == NULL ? 0 : s->id.spi;
}

/* At the next phase 1 the gateway gives another address: the old one goes, with what used it. */
void run_gateway_moves(struct trial *t)
{
	struct control_connection other;
	uint32_t before;
	struct gateway g;
	bool two = t->seed % 3 == 0;

	t->c.ikelifetime = 3600;
	gateway_begin(&g, t, t->seed % 2 == 0, t->seed / 2 % 2 == 0 ? CONFIG_MODE_PULL : CONFIG_MODE_PUSH);
	other = t->c;
	other.name = span_str("other");
	other.left.client = subnet_of_host(&(struct ip_addr){ .len = 4, .b = { 10, 7, 0, 10 } });
	node_connection(t->b, &other);
	node_initiate(t->a, "net");
	gateway_run(&g, 3000);
	expect_up(&g);
	if (two)
		describe_second(&g, &other);
	before = spi_in_use(t);
	g.address[3] = 10;
	for (unsigned i = 0; i < 700 && spi_in_use(t) == before; i++)
		gateway_run(&g, 5000);
	gateway_run(&g, 20000);
	t->c.left.client = other.left.client;
	trial_expect(t, g.served > 1, "phase 1 was not renewed");
	trial_expect(t, spi_in_use(t) != 0 && spi_in_use(t) != before, "the old address is kept");
	trial_check_up(t);
	trial_expect(t, node_holdings(t->a).eroutes == (two ? 2 : 1), "%zu eroutes", node_holdings(t->a).eroutes);
	trial_expect(t, !two || node_outbound(t->a, "10.0.3.0/24") != NULL, "the second did not come up again");
	gateway_end(&g);
}

/* ---- signatures instead of a secret ---------------------------------------------------- */

void run_gateway_rsa(struct trial *t)
{
	t->c.aggressive = t->seed / 6 % 2 != 0;
	gateway_keys(t);
	run_gateway(t);
}

void run_gateway_rsa_lossy(struct trial *t)
{
	gateway_keys(t);
	run_gateway_lossy(t);
}

void run_gateway_rsa_renews(struct trial *t)
{
	gateway_keys(t);
	run_gateway_renews(t);
}

void run_gateway_rsa_refused(struct trial *t)
{
	gateway_keys(t);
	run_gateway_refused(t);
}

/* ---- XAUTH of one end alone ------------------------------------------------------------- */

/* A gateway asks for a user where none is described, and a client wants to be asked where nobody does: who answers refuses
 * the method, and says what it means. */
void run_gateway_method(struct trial *t)
{
	bool by_gateway = t->seed % 2 == 0;
	struct node *first = by_gateway ? t->b : t->a, *second = by_gateway ? t->a : t->b;
	const char *reason = by_gateway ? "xauth_method" : "xauth_client";
	char method[64];
	struct gateway g;

	t->c.aggressive = t->seed / 2 % 2 != 0;
	t->c.keyingtries = 1;
	if (t->seed / 4 % 2 != 0)
		gateway_keys(t);
	gateway_begin(&g, t, true, CONFIG_MODE_NO);
	if (by_gateway) {
		g.ours.xauth = false;
		g.ours.xauthname = span_str("");
		g.ours.replace = true;
		node_connection(t->a, &g.ours);
	} else {
		world_middle(t->w, &(struct man_in_the_middle){ 0 });	/* nobody puts another method in */
	}
	node_initiate(first, "net");
	world_run(t->w, 100000);
	snprintf(method, sizeof(method), "XAUTH_%s_%s", by_gateway ? "RESP" : "INIT", g.rsa ? "RSA" : "PRESHARED_KEY");
	trial_expect(t, node_said(second, reason) && strstr(second->refusal, method) != NULL &&
			strstr(second->refusal, by_gateway ? "--xauth --xauthname" : "no XAUTH") != NULL,
		     "%s said: %s", second->name, second->refusal);
	trial_expect(t, first->last_status == WHACK_STATUS_NEGOTIATION_FAILED, "whack was told %u: %s", first->last_status,
		     first->answer);
	trial_expect(t, t->a->added + t->b->added == 0, "SAs were made");
	gateway_end(&g);
}
