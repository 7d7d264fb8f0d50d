/* gateway_script.c -- the means of the scripted gateway.
 *
 * An ordinary daemon does phase 1 for it.  As that takes no client with XAUTH, the method of authentication is changed on
 * the way, there and back, and the daemon is given the offer as it was, for its hashes.  What the client sends in
 * transactions never reaches the daemon: the script reads it. */
#include "base/siphash.h"
#include "crypto/rsa.h"
#include "engine/shape.h"
#include "gateway.h"
#include "generated/limits.h"
#include "ike/internal.h"

static const uint8_t hash_key[16] = { 1 };

static struct engine *engine_of(const struct gateway *g)
{
	return g->t->b->ike->engine;
}

/* ---- messages ---------------------------------------------------------------- */

static struct exchange *newest_sa(const struct gateway *g)
{
	struct exchange *x = engine_first(engine_of(g));

	while (x != NULL && (x->machine->phase != 1 || !exchange_final(x) || x->dying))
		x = engine_next(x);
	return x;
}

static struct talk *new_talk(struct gateway *g, struct exchange *sa, uint32_t msgid)
{
	struct talk *k = &g->talk[g->n_talks++ % GATEWAY_TALKS];

	values_free(&k->x.values);
	buf_free(&k->said);
	*k = (struct talk){ .msgid = msgid, .sa = sa->serial };
	k->x = (struct exchange){ .engine = engine_of(g), .parent = sa, .local = sa->local, .remote = sa->remote,
				  .msgid = msgid };
	memcpy(k->x.cookies, sa->cookies, sizeof(sa->cookies));
	return k;
}

struct talk *gateway_talk(struct gateway *g)
{
	struct exchange *sa = newest_sa(g);

	return sa == NULL ? NULL : new_talk(g, sa, 1 + trial_pick(g->t, 0x7fffffff));
}

struct span gateway_seal(struct gateway *g, struct talk *k, uint8_t type, struct span attributes)
{
	static uint8_t p[LIMIT_MESSAGE_OCTETS], body[LIMIT_MESSAGE_OCTETS];
	struct writer w = writer_on(p, sizeof(p)), r = writer_on(body, sizeof(body));
	struct arena *a = arena_new();
	struct key_context c = { .arena = a };
	struct span hash;

	emit_ATTR(&r, PAYLOAD_TYPE_NONE, &(struct emit_ATTR){ .type = type, .id = (uint16_t)k->msgid });
	put_bytes(&r, attributes);
	patch_u16(&r, GENERIC_SIZE - 2, (uint16_t)r.n);
	c.rest = writer_span(&r);
	hash = keys_value(&k->x, &c, message_TQ.slots[SLOT_TQ_HASH_1].hash, 0);
	put_zero(&w, HEADER_SIZE);
	memcpy(p + HEADER_OFFSET_ICOOKIE, k->x.cookies, sizeof(k->x.cookies));
	patch_u8(&w, HEADER_OFFSET_NP, PAYLOAD_TYPE_HASH);
	patch_u8(&w, HEADER_OFFSET_MAJOR, 0x10);
	patch_u8(&w, HEADER_OFFSET_XCHG, EXCHANGE_TYPE_TRANSACTION);
	patch_u8(&w, HEADER_OFFSET_FLAGS, HEADER_FLAGS_ENCRYPTION);
	patch_u32(&w, HEADER_OFFSET_MSGID, k->msgid);
	put_u8(&w, PAYLOAD_TYPE_ATTR);
	put_u8(&w, 0);
	put_u16(&w, (uint16_t)(GENERIC_SIZE + hash.n));
	put_bytes(&w, hash);
	put_bytes(&w, c.rest);
	trial_expect(g->t, hash.p != NULL && protect_seal(engine_of(g), &k->x, machine_transaction.iv,
							  machine_transaction.cipher_key, &w), "nothing can be said");
	arena_free(a);
	return writer_span(&w);
}

void gateway_send(struct gateway *g, struct span datagram)
{
	world_inject(g->t->w, g->t->a, &(struct endpoint){ .addr = g->t->b->addr, .port = LIMIT_IKE_PORT }, datagram);
}

/* On the way some of it is lost. */
static void say_again(struct gateway *g, struct talk *k)
{
	k->again = world_now(g->t->w) + 1000;
	if (g->loss == 0 || trial_pick(g->t, 1000) >= g->loss)
		gateway_send(g, span_buf(k->said));
}

void gateway_say_raw(struct gateway *g, struct talk *k, uint8_t type, struct span attributes)
{
	if (k == NULL || table_by_serial(&engine_of(g)->table, k->sa) == NULL)
		return;
	buf_free(&k->said);
	k->said = buf_copy(gateway_seal(g, k, type, attributes));
	k->heard = type == CONFIG_TYPE_REPLY || type == CONFIG_TYPE_ACK;
	say_again(g, k);
}

static void repeat(struct gateway *g)
{
	for (size_t i = 0; i < GATEWAY_TALKS; i++) {
		struct talk *k = &g->talk[i];

		if (k->said.n > 0 && !k->heard && world_now(g->t->w) >= k->again &&
		    table_by_serial(&engine_of(g)->table, k->sa) != NULL)
			say_again(g, k);
	}
}

void gateway_say(struct gateway *g, struct talk *k, uint8_t type, const struct emit_attribute *at, size_t n)
{
	uint8_t p[1024];
	struct writer w = writer_on(p, sizeof(p));

	attributes_emit(&w, &attributes_of_config, at, n);
	gateway_say_raw(g, k, type, writer_span(&w));
}

void gateway_ask(struct gateway *g)
{
	static const struct emit_attribute at[] = {
		{ .type = CONFIG_ATTRIBUTE_XAUTH_TYPE, .number = XAUTH_TYPE_GENERIC },
		{ .type = CONFIG_ATTRIBUTE_XAUTH_USER_NAME }, { .type = CONFIG_ATTRIBUTE_XAUTH_USER_PASSWORD },
	};

	gateway_say(g, gateway_talk(g), CONFIG_TYPE_REQUEST, at, 3);
}

void gateway_status(struct gateway *g, uint16_t status)
{
	g->done |= status == XAUTH_STATUS_OK && !g->push && !g->pull;
	gateway_say(g, gateway_talk(g), CONFIG_TYPE_SET,
		    &(struct emit_attribute){ .type = CONFIG_ATTRIBUTE_XAUTH_STATUS, .number = status }, 1);
}

void gateway_address(struct gateway *g, struct talk *k, uint8_t type)
{
	g->done = g->given = true;
	gateway_say(g, k, type, &(struct emit_attribute){ .type = CONFIG_ATTRIBUTE_INTERNAL_IP4_ADDRESS,
							  .value = span_of(g->address, sizeof(g->address)) }, 1);
}

/* ---- an honest one -------------------------------------------------------------- */

static void honest_begin(struct gateway *g)
{
	if (g->xauth)
		gateway_ask(g);
	else if (g->push)
		gateway_address(g, gateway_talk(g), CONFIG_TYPE_SET);
	else
		g->done |= !g->pull;
}

static void honest(struct gateway *g, struct talk *k, uint8_t type)
{
	if (type == CONFIG_TYPE_REQUEST)
		gateway_address(g, k, CONFIG_TYPE_REPLY);
	else if (type == CONFIG_TYPE_REPLY)
		gateway_status(g, XAUTH_STATUS_OK);
	else if (type == CONFIG_TYPE_ACK && g->push && !g->given)
		gateway_address(g, gateway_talk(g), CONFIG_TYPE_SET);
}

/* ---- what the client says ------------------------------------------------------- */

static bool is(const struct payload_ATTR *p, uint16_t type, const char *value)
{
	struct span list = p->attrs;
	struct attribute at;

	while (next_attribute(&list, &at))
		if (at.type == type && span_eq(at.value, span_str(value)))
			return true;
	return false;
}

static void hear(struct gateway *g, struct talk *k, const struct payload_ATTR *p)
{
	if (p->type == CONFIG_TYPE_REQUEST)
		g->requests++;
	if (p->type == CONFIG_TYPE_ACK)
		g->acks++;
	if (p->type == CONFIG_TYPE_REPLY) {
		g->replies++;
		g->names += is(p, CONFIG_ATTRIBUTE_XAUTH_USER_NAME, "alice") &&
			    is(p, CONFIG_ATTRIBUTE_XAUTH_USER_PASSWORD, g->t->a->password);
	}
	(g->heard != NULL ? g->heard : honest)(g, k, p->type);
}

static struct exchange *sa_of(struct gateway *g, const struct header *h)
{
	uint8_t cookies[2 * COOKIE_SIZE];

	memcpy(cookies, h->icookie.p, COOKIE_SIZE);
	memcpy(cookies + COOKIE_SIZE, h->rcookie.p, COOKIE_SIZE);
	return table_by_cookies(&engine_of(g)->table, cookies);
}

static struct talk *talk_of(struct gateway *g, const struct header *h)
{
	struct exchange *sa = sa_of(g, h);

	for (size_t i = 0; i < GATEWAY_TALKS; i++)
		if (g->talk[i].msgid == h->msgid)
			return &g->talk[i];
	return sa == NULL ? NULL : new_talk(g, sa, h->msgid);
}

/* Decrypt and verify what belongs to k. */
static void read_message(struct gateway *g, struct talk *k, struct span datagram)
{
	static struct message m;
	struct engine *e = engine_of(g);
	struct incoming in = { .datagram = datagram, .local = &k->x.local, .remote = &k->x.remote };
	struct fault f = { 0 };
	char expected[256];
	uint32_t matched = 0;
	struct in_TA answer;
	bool ok;

	engine_enter(e, world_now(g->t->w));
	ok = protect_open(e, &k->x, machine_transaction.iv, machine_transaction.cipher_key, &in) == NULL &&
	     parse_header(in.plain, 0, &m.header, &f) && parse_chain(&m, in.plain, true, &f);
	ok = ok && (shape_match(&message_TA, 1, &m, &matched, &f, expected, sizeof(expected)) ||
		    shape_match(&message_TQ, 1, &m, &matched, &f, expected, sizeof(expected))) &&
	     verify_hashes(e, &k->x, &message_TA, &m) == NULL;
	if (trial_expect(g->t, ok, "what the client says in a transaction cannot be read")) {
		memcpy(k->x.iv, in.iv_after, sizeof(k->x.iv));
		k->x.iv_set = true;
		bind_TA(&m, &answer);
		hear(g, k, answer.ATTRa);
	}
	engine_leave(e);
}

static void transaction(struct gateway *g, const struct header *h, struct span datagram)
{
	struct talk *k = talk_of(g, h);
	uint64_t hash = siphash(hash_key, datagram);

	if (k == NULL || table_by_serial(&engine_of(g)->table, k->sa) == NULL)
		return;
	if (k->last == hash) {
		if (g->loss > 0 && k->said.n > 0)	/* what it asks was answered */
			say_again(g, k);
		return;
	}
	k->last = hash;
	k->heard = true;
	read_message(g, k, datagram);
}

/* ---- the method of authentication ------------------------------------------------- */

static void method(uint8_t p[4], uint16_t number)
{
	struct writer w = writer_on(p, 4);

	attributes_emit(&w, NULL, &(struct emit_attribute){ .type = OAKLEY_ATTRIBUTE_AUTHENTICATION_METHOD,
							    .number = number }, 1);
}

static void replace_method(struct buf *d, uint16_t old, uint16_t new)
{
	uint8_t from[4], to[4];

	method(from, old);
	method(to, new);
	for (size_t i = HEADER_SIZE; i + 4 <= d->n; i++)
		if (memcmp(d->p + i, from, 4) == 0)
			memcpy(d->p + i, to, 4);
}

/* The SA payload comes first. */
static void keep_offer(struct gateway *g, const struct buf *d)
{
	buf_free(&g->offer);
	g->offer = buf_copy(span_sub(span_buf(*d), HEADER_SIZE + GENERIC_SIZE,
				     get_u16(d->p + HEADER_SIZE + 2) - (size_t)GENERIC_SIZE));
}

/* In Aggressive Mode the daemon has hashed the other offer already, and signed that. */
static void prove_anew(const struct gateway *g, const struct exchange *x, struct buf *d)
{
	static const uint16_t inputs[] = { KEY_SKEYID, KEY_KEI_B, KEY_KER_B, KEY_SAI_B, KEY_IDIR_B };
	struct arena *a = arena_new();
	struct key_context c = { .arena = a };
	struct exchange like = *x;
	uint8_t np = d->p[HEADER_OFFSET_NP];
	struct span hash;

	like.values = (struct values){ 0 };
	for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++)
		values_set(&like.values, inputs[i], values_get(&x->values, inputs[i]));
	hash = keys_value(&like, &c, KEY_HASH_R, 0);
	for (size_t at = HEADER_SIZE; np != 0 && at + GENERIC_SIZE <= d->n; at += get_u16(d->p + at + 2)) {
		if (np == PAYLOAD_TYPE_HASH)
			memcpy(d->p + at + GENERIC_SIZE, hash.p, hash.n);
		if (np == PAYLOAD_TYPE_SIG)
			trial_expect(g->t, rsa_sign(g->t->b->rsa, hash, d->p + at + GENERIC_SIZE), "nothing can be signed");
		np = d->p[at];
	}
	values_free(&like.values);
	arena_free(a);
}

/* What the daemon of the gateway hashes is the offer as the client has it. */
static void set_offer(struct gateway *g, const struct header *h, bool answered, struct buf *d)
{
	uint8_t cookies[2 * COOKIE_SIZE] = { 0 };
	struct exchange *x;

	memcpy(cookies, h->icookie.p, COOKIE_SIZE);
	if (answered)
		memcpy(cookies + COOKIE_SIZE, h->rcookie.p, COOKIE_SIZE);
	x = table_by_cookies(&engine_of(g)->table, cookies);
	if (x == NULL)
		return;
	values_set(&x->values, KEY_SAI_B, span_buf(g->offer));
	if (answered && h->xchg == EXCHANGE_TYPE_AGGRESSIVE)
		prove_anew(g, x, d);
}

static void translate(struct gateway *g, struct node *to, const struct header *h, struct buf *d)
{
	uint16_t plain = g->rsa ? AUTH_METHOD_RSA_SIG : AUTH_METHOD_PRESHARED_KEY;
	uint16_t init = g->rsa ? AUTH_METHOD_XAUTH_INIT_RSA : AUTH_METHOD_XAUTH_INIT_PRESHARED_KEY;
	uint16_t resp = g->rsa ? AUTH_METHOD_XAUTH_RESP_RSA : AUTH_METHOD_XAUTH_RESP_PRESHARED_KEY;
	bool answer = get_u64(h->rcookie.p) != 0;

	if (!answer)
		g->begins = to == g->t->a;
	if (!g->xauth)
		return;
	if (g->begins && !answer) {
		replace_method(d, plain, resp);
		keep_offer(g, d);
	} else if (g->begins) {
		replace_method(d, resp, plain);
		set_offer(g, h, false, d);
	} else if (!answer) {
		keep_offer(g, d);
		replace_method(d, init, plain);
	} else {
		replace_method(d, plain, init);
		set_offer(g, h, true, d);
	}
}

static bool pass(void *ctx, struct node *to, const struct endpoint *from, struct buf *d)
{
	struct gateway *g = ctx;
	const struct exchange *sa;
	struct header h;
	struct fault f;

	(void)from;
	if (!parse_header(span_buf(*d), 0, &h, &f))
		return true;
	if ((h.xchg == EXCHANGE_TYPE_IDENTITY_PROTECT || h.xchg == EXCHANGE_TYPE_AGGRESSIVE) && h.np == PAYLOAD_TYPE_SA)
		translate(g, to, &h, d);
	if (h.xchg != EXCHANGE_TYPE_TRANSACTION || to != g->t->b)
		return true;
	sa = sa_of(g, &h);
	if (sa != NULL && !exchange_final(sa) && (g->loss == 0 || sa->parked != NULL))
		return false;				/* the last message is there or on its way, and the daemon would keep this one */
	if (sa != NULL && !exchange_final(sa)) {	/* the daemon asks for the last message of Aggressive Mode, and reads no more */
		d->p[d->n - 1] ^= 1;
		return true;
	}
	transaction(g, &h, span_buf(*d));
	return false;
}

/* ---- life --------------------------------------------------------------------------- */

void gateway_keys(struct trial *t)
{
	static struct rsa_key *key[2];	/* of the client, of the gateway */
	const char *why;

	for (unsigned i = 0; i < 2 && key[i] == NULL; i++)
		key[i] = rsa_make(1024, &why);
	t->c.psk = false;
	t->c.rsasig = true;
	t->a->secret = t->b->secret = NULL;
	t->a->rsa = t->a->rsa_named = key[0];
	t->b->rsa = t->b->rsa_named = key[1];
	node_public_key(t->a, "192.0.2.2", key[1]);
	node_public_key(t->b, "192.0.2.1", key[0]);
}

void gateway_begin(struct gateway *g, struct trial *t, bool xauth, uint8_t modecfg)
{
	struct control_connection ours = t->c;

	*g = (struct gateway){ .t = t, .done = !xauth && modecfg == CONFIG_MODE_NO, .xauth = xauth, .rsa = t->c.rsasig, .push = modecfg == CONFIG_MODE_PUSH,
			       .pull = modecfg == CONFIG_MODE_PULL, .address = { 10, 7, 0, 9 } };
	ours.left.client = (struct subnet){ 0 };
	ours.xauth = xauth;
	ours.xauthname = span_str(xauth ? "alice" : "");
	ours.modecfg = modecfg;
	t->c.left.client = modecfg == CONFIG_MODE_NO ? ours.left.client :
			   subnet_of_host(&(struct ip_addr){ .len = 4, .b = { 10, 7, 0, 9 } });
	g->ours = ours;
	t->a->password = "a password";
	node_connection(t->a, &ours);
	node_connection(t->b, &t->c);
	node_listen(t->a);
	node_listen(t->b);
	world_middle(t->w, &(struct man_in_the_middle){ .ctx = g, .pass = pass });
}

void gateway_end(struct gateway *g)
{
	world_middle(g->t->w, &(struct man_in_the_middle){ 0 });
	for (size_t i = 0; i < GATEWAY_TALKS; i++) {
		values_free(&g->talk[i].x.values);
		buf_free(&g->talk[i].said);
	}
	buf_free(&g->offer);
}

void gateway_run(struct gateway *g, uint64_t ms)
{
	uint64_t until = world_now(g->t->w) + ms;

	while (world_now(g->t->w) < until) {
		struct exchange *x = newest_sa(g);

		if (x != NULL && x->serial > g->served) {
			g->served = x->serial;
			g->given = false;
			world_run(g->t->w, 20);		/* the client has it, too */
			if (g->trouble != NULL)
				g->trouble(g);
			(g->begin != NULL ? g->begin : honest_begin)(g);
		}
		world_run(g->t->w, ms > 100000 ? 5000 : 10);
		if (g->loss > 0)
			repeat(g);
		trial_expect(g->t, g->done || node_sas(g->t->a, true) + node_sas(g->t->a, false) == 0,
			     "SAs before the gateway has said all");
		if (g->t->failed)
			return;
	}
}
