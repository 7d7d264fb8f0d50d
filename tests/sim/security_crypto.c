/* security_crypto.c -- attacks on keys and identities: who does not hold the secret gets nothing, and nothing of it stays. */
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "engine/internal.h"
#include "security.h"

/* ---- B3 --------------------------------------------------------------------- */

/* A proof that does not decrypt is most often another secret: its initiator may be told so, in clear and in short. */
static size_t may_answer(const struct exchange *x, uint8_t type)
{
	return x->state != NULL && x->state->id == STATE_MAIN_R2 && type == EXCHANGE_TYPE_IDENTITY_PROTECT ? 40 : 0;
}

/* Encrypted messages before there are keys, and of exchanges that need them: no answer, no change. */
void b3_nothing_without_keys(struct trial *t)
{
	static const uint8_t types[] = { EXCHANGE_TYPE_INFORMATIONAL, EXCHANGE_TYPE_TRANSACTION, EXCHANGE_TYPE_QUICK,
					 EXCHANGE_TYPE_NEW_GROUP, EXCHANGE_TYPE_AGGRESSIVE, EXCHANGE_TYPE_IDENTITY_PROTECT };
	uint8_t d[DATAGRAM_MAX], body[64] = { 0 };
	unsigned stages = 0;

	trial_describe(t);
	node_initiate(t->a, "net");
	while (isakmp_sa(t->a) == NULL && world_step(t->w, 1)) {
		struct node *nodes[] = { t->a, t->b };

		stages++;
		for (unsigned i = 0; i < 2 * sizeof(types); i++) {
			struct node *n = nodes[i % 2];
			struct exchange *x = unfinished(n);

			if (x == NULL)
				continue;
			trial_expect(t, give_as_peer(t, n, span_of(d, make_message(d, x->cookies, types[i / 2], 1, i / 4 % 2,
					PAYLOAD_TYPE_HASH, body, 16 * (i % 4)))) <= may_answer(x, types[i / 2]),
				     "type %u in %s is answered", types[i / 2], x->state == NULL ? "-" : x->state->name);
		}
	}
	trial_expect(t, stages >= 8, "only %u stages", stages);
	world_run(t->w, 3000);
	trial_check_up(t);
}

/* ---- B8, B13: who has the keys has not proved who it is ----------------------------- */

static bool swallow_answer(void *ctx, struct node *to, const struct endpoint *from, struct buf *d)
{
	(void)from;
	return d->p[HEADER_OFFSET_FLAGS] % 2 == 0 || to != ((struct trial *)ctx)->a;
}

/* After Diffie-Hellman, instead of its proof, the peer sends a Quick Mode with the right keys, IV and hash. */
void b8_quick_mode_before_the_proof(struct trial *t)
{
	struct arena *a = arena_new();
	struct out_QI1 out;
	struct exchange *x;

	trial_describe(t);
	world_middle(t->w, &(struct man_in_the_middle){ .ctx = t, .pass = swallow_answer });
	node_initiate(t->a, "net");
	world_run(t->w, 2000);
	x = unfinished(t->a);
	if (!trial_expect(t, x != NULL && x->state->id == STATE_MAIN_I3 && isakmp_sa(t->b) != NULL, "not before the proof"))
		return;
	memcpy(isakmp_sa(t->b)->iv, x->iv, sizeof(x->iv));
	for (uint32_t i = 0; i < 5; i++) {
		struct emit_ID id;

		offer_of(t, a, t->b, 7000 + i, &out);
		id = out.IDci;
		out.IDci = out.IDcr;
		out.IDcr = id;
		hostile_quick(t, t->b, 90 + i, &out);
		trial_expect(t, engine_first(t->a->ike->engine) == x, "a Quick Mode begins before the peer is known");
		world_run(t->w, 100);
	}
	trial_expect(t, t->a->added == 0, "SAs for somebody unknown");
	world_middle(t->w, &(struct man_in_the_middle){ 0 });
	for (unsigned i = 0; i < 300 && node_serial(t->a) == x->serial; i++)
		world_run(t->w, 100);
	trial_expect(t, node_serial(t->a) == x->serial + 1, "what came too early was taken for exchanges");
	arena_free(a);
}

void b13_quick_mode_in_clear(struct trial *t)
{
	struct arena *a = arena_new();
	struct out_QI1 out;
	unsigned added;

	trial_describe(t);
	if (!bring_up(t))
		return;
	added = t->b->added;
	offer_of(t, a, t->a, 7000, &out);
	hostile_quick_in_clear(t, t->a, 78, &out);
	world_run(t->w, 1000);
	trial_expect(t, t->b->added == added, "a Quick Mode in clear makes SAs");
	offer_of(t, a, t->a, 7001, &out);
	hostile_quick(t, t->a, 79, &out);
	world_run(t->w, 1000);
	trial_expect(t, t->b->added > added, "the same encrypted makes none: this proves nothing");
	world_run(t->w, 100000);
	arena_free(a);
}

/* Where a hash cannot be computed it is not right. */
void b16_no_key_proves_nothing(struct trial *t)
{
	static const uint8_t hash[36] = { [3] = 36 };
	struct engine *e = t->b->ike->engine;
	struct exchange nobody = { .engine = e };
	struct message *m = NEW(struct message);
	struct fault f = { 0 };
	uint8_t d[DATAGRAM_MAX], cookies[16] = { 1 };
	size_t n = make_message(d, cookies, EXCHANGE_TYPE_INFORMATIONAL, 0, 1, PAYLOAD_TYPE_HASH, hash, sizeof(hash));

	engine_enter(e, world_now(t->w));
	if (trial_expect(t, parse_header(span_of(d, n), 0, &m->header, &f) && parse_chain(m, span_of(d, n), false, &f),
			 "the message cannot be read")) {
		m->payloads[0].slot = SLOT_INF_HASH_1;
		trial_expect(t, verify_hashes(e, &nobody, &message_INF, m) != NULL, "without keys everything is right");
	}
	engine_leave(e);
	free(m);
}

/* ---- B16: the negative matrix ------------------------------------------------- */

static void must_fail(struct trial *t, const char *what)
{
	node_initiate(t->a, "net");
	world_run(t->w, 400000);
	trial_expect(t, t->a->added + t->b->added == 0, "%s: SAs were made", what);
	trial_expect(t, isakmp_sa(t->a) == NULL, "%s: the initiator has an ISAKMP SA", what);
	trial_expect(t, t->a->last_status != WHACK_STATUS_SUCCESS, "%s: success", what);
	node_terminate(t->a, "net");
	node_terminate(t->b, "net");
	world_run(t->w, 100000);
	trial_expect(t, node_holdings(t->a).exchanges + node_holdings(t->b).exchanges <= 1,
		     "%s: %zu and %zu exchanges are left", what, node_holdings(t->a).exchanges, node_holdings(t->b).exchanges);
}

/* The datagrams of `tape` take the place of those of the same length under new cookies. */
static bool old_proof(void *ctx, struct node *to, const struct endpoint *from, struct buf *d)
{
	const struct tape *tape = ctx;

	(void)from;
	if (d->p[HEADER_OFFSET_FLAGS] % 2 == 0)
		return true;
	for (size_t i = 0; i < tape->n; i++)
		if (tape->at[i].to == to && tape->at[i].bytes.n == d->n && tape->at[i].bytes.p[HEADER_OFFSET_FLAGS] % 2 == 1) {
			memcpy(d->p + HEADER_SIZE, tape->at[i].bytes.p + HEADER_SIZE, d->n - HEADER_SIZE);
			return true;
		}
	return true;
}

static void with_ids(struct trial *t, const char *says, const char *expected)
{
	struct control_connection ours = t->c;

	ours.replace = true;
	ours.left.id = span_str(says);
	node_connection(t->a, &ours);
	ours.left.id = span_str(expected);
	node_connection(t->b, &ours);
}

void b16_only_the_right_secret(struct trial *t)
{
	static const char *const secrets[] = { "a secret of bot", "a secret of both ", "A secret of both", "", "b" };
	static const char *const ids[][2] = {
		{ "@east.example", "@west.example" }, { "@east.example.com", "@east.example" }, { "@east.example.", "@east.example" },
		{ "user@east.example", "@east.example" }, { "192.0.2.9", "192.0.2.1" }, { "@192.0.2.1", "192.0.2.1" },
	};
	struct tape tape;

	trial_describe(t);
	for (unsigned i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		t->a->secret = secrets[i];
		must_fail(t, secrets[i]);
	}
	t->a->secret = t->b->secret;
	for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		with_ids(t, ids[i][0], ids[i][1]);
		must_fail(t, ids[i][0]);
	}
	with_ids(t, "@EAST.example", "@east.example");
	bring_up(t);		/* a domain name has no case (RFC 1034 3.1) */
	with_ids(t, "192.0.2.1", "192.0.2.1");
	tape_start(t, &tape);
	bring_up(t);
	node_terminate(t->a, "net");
	node_terminate(t->b, "net");
	node_delete(t->a, "net");
	node_delete(t->b, "net");
	world_run(t->w, 1000);
	node_connection(t->a, &t->c);
	node_connection(t->b, &t->c);
	world_middle(t->w, &(struct man_in_the_middle){ .ctx = &tape, .pass = old_proof });
	t->a->added = t->b->added = 0;
	must_fail(t, "the proof of an earlier negotiation");
	world_middle(t->w, &(struct man_in_the_middle){ 0 });
	tape_free(&tape);
	bring_up(t);
}

/* ---- D3, D4: public values at the edge ---------------------------------------- */

struct edge {
	struct trial *t;
	enum alg group;
	unsigned which;
	struct node *victim;
	unsigned changed;
};

#define EDGES 9

/* 0, 1, p - 1, p, p + 1, all ones, the generator's neighbour 2^n - 2, and a value one octet shorter or empty. */
static void edge_value(const struct edge *g, uint8_t *p, size_t n)
{
	const uint8_t *prime = alg_table[g->group].prime;

	memset(p, g->which >= 5 ? 0xff : 0, n);
	if (g->which == 1)
		p[n - 1] = 1;
	if (g->which >= 2 && g->which <= 4 && prime != NULL) {
		memcpy(p, prime, n);
		p[n - 1] = (uint8_t)(p[n - 1] + g->which - 3);	/* odd and no 255 at the end: no carry */
	}
	if (g->which == 6)
		p[n - 1]--;
}

static bool put_edge(void *ctx, struct node *to, const struct endpoint *from, struct buf *d)
{
	struct edge *g = ctx;
	struct writer w = writer_on(d->p, d->n);
	size_t n;

	(void)from;
	if (to != g->victim || d->p[HEADER_OFFSET_NP] != PAYLOAD_TYPE_KE || d->p[HEADER_OFFSET_FLAGS] % 2 != 0)
		return true;
	w.n = d->n;
	n = (size_t)get_u16(d->p + HEADER_SIZE + 2) - GENERIC_SIZE;
	edge_value(g, d->p + HEADER_SIZE + GENERIC_SIZE, n);
	if (g->which >= 7) {		/* shorter by 1, or empty: what follows moves up */
		size_t cut = g->which == 7 ? 1 : n;
		uint8_t *end = d->p + HEADER_SIZE + GENERIC_SIZE + n;

		memmove(end - cut, end, (size_t)(d->p + d->n - end));
		d->n -= cut;
		patch_u16(&w, HEADER_SIZE + 2, (uint16_t)(n - cut + GENERIC_SIZE));
		patch_u32(&w, HEADER_OFFSET_LENGTH, (uint32_t)d->n);
	}
	g->changed++;
	return true;
}

void d3_values_at_the_edge(struct trial *t)
{
	static const struct { const char *ike; enum alg group; } groups[] = {
		{ "aes128-sha256-modp1024", ALG_MODP1024 }, { "aes128-sha256-modp2048", ALG_MODP2048 },
		{ "aes128-sha256-ecp256", ALG_ECP256 }, { "aes128-sha256-x25519", ALG_CURVE25519 },
	};

	trial_describe(t);
	for (unsigned i = 0; i < 4 * 2 * EDGES; i++) {
		struct edge g = { .t = t, .group = groups[i / 2 / EDGES].group, .which = i / 2 % EDGES,
				  .victim = i % 2 == 0 ? t->a : t->b };
		char what[64];

		if (g.which >= 2 && g.which <= 6 && alg_table[g.group].prime == NULL)
			continue;
		snprintf(what, sizeof(what), "%s, edge %u", groups[i / 2 / EDGES].ike, g.which);
		t->c.ike = span_str(groups[i / 2 / EDGES].ike);
		t->c.replace = true;
		t->c.keyingtries = 1;
		node_connection(t->a, &t->c);
		node_connection(t->b, &t->c);
		world_middle(t->w, &(struct man_in_the_middle){ .ctx = &g, .pass = put_edge });
		must_fail(t, what);
		trial_expect(t, g.changed > 0, "%s: nothing was changed", what);
		trial_expect(t, isakmp_sa(t->b) == NULL, "%s: the responder has an ISAKMP SA", what);
	}
	world_middle(t->w, &(struct man_in_the_middle){ 0 });
	bring_up(t);
}

/* ---- D8: reflection -------------------------------------------------------------- */

struct mirror {
	struct trial *t;
	unsigned how;
	unsigned reflected;
	uint8_t body[DATAGRAM_MAX];
	size_t n;
};

/* Everything comes back to its sender: as it was, with the cookies exchanged, with a responder's cookie, or under
 * another message ID. */
static bool reflect(void *ctx, struct node *to, const struct endpoint *from, struct buf *d)
{
	struct mirror *m = ctx;
	struct node *sender = to == m->t->a ? m->t->b : m->t->a;
	struct endpoint back = port_500(to);
	uint8_t p[DATAGRAM_MAX];

	(void)from;
	memcpy(p, d->p, d->n);
	if (m->how % 4 == 1) {
		memcpy(p, d->p + 8, 8);
		memcpy(p + 8, d->p, 8);
	} else if (m->how % 4 == 2 && get_u64(p + 8) == 0) {
		memset(p + 8, 0x5a, 8);
	} else if (m->how % 4 == 3) {
		p[HEADER_OFFSET_MSGID] ^= 0x40;
	}
	if (m->reflected++ < 100)
		world_inject(m->t->w, sender, &back, span_of(p, d->n));
	return m->how >= 4;
}

/* The responder's public value and nonce become those of the initiator. */
static bool mirror_values(void *ctx, struct node *to, const struct endpoint *from, struct buf *d)
{
	struct mirror *m = ctx;

	(void)from;
	if (d->p[HEADER_OFFSET_NP] != PAYLOAD_TYPE_KE || d->p[HEADER_OFFSET_FLAGS] % 2 != 0)
		return true;
	if (to == m->t->b) {
		m->n = d->n;
		memcpy(m->body, d->p, d->n);
	} else if (m->n == d->n) {
		memcpy(d->p + HEADER_SIZE, m->body + HEADER_SIZE, d->n - HEADER_SIZE);
		m->reflected++;
	}
	return true;
}

void d8_reflection(struct trial *t)
{
	struct mirror m = { .t = t };

	trial_describe(t);
	for (m.how = 0; m.how < 4; m.how++) {
		m.reflected = 0;
		world_middle(t->w, &(struct man_in_the_middle){ .ctx = &m, .pass = reflect });
		must_fail(t, "talking to itself");
		trial_expect(t, m.reflected > 0, "nothing was reflected");
	}
	m.reflected = 0;
	world_middle(t->w, &(struct man_in_the_middle){ .ctx = &m, .pass = mirror_values });
	must_fail(t, "its own value and nonce");
	trial_expect(t, m.reflected > 0, "no value was reflected");
	world_middle(t->w, &(struct man_in_the_middle){ 0 });
	bring_up(t);
	/* Quick Mode reflected, beside the honest one and in its place. */
	for (m.how = 0; m.how < 8; m.how++) {
		unsigned a = t->a->added, b = t->b->added;

		m.reflected = 0;
		world_middle(t->w, &(struct man_in_the_middle){ .ctx = &m, .pass = reflect });
		node_initiate(t->a, "net");
		world_run(t->w, 2000);
		world_middle(t->w, &(struct man_in_the_middle){ 0 });
		world_run(t->w, 100000);
		trial_expect(t, m.reflected > 0, "nothing of Quick Mode was reflected");
		trial_expect(t, t->a->added - a == t->b->added - b, "%u SAs here, %u there", t->a->added - a, t->b->added - b);
	}
	trial_check_sound(t);
}

/* Freed memory is kept, and filled, by the sanitizer. */
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

/* ---- D11: erasure ------------------------------------------------------------------ */

#ifndef SANITIZED
#define VEIL 0xa5
#define NEEDLES 16

struct needles {		/* veiled, so that the search does not find itself */
	unsigned n;
	struct { const char *name; uint8_t veiled[16]; } at[NEEDLES];
};

static void needle(struct needles *s, const char *name, struct span v)
{
	if (v.n < 16 || s->n == NEEDLES)
		return;
	s->at[s->n].name = name;
	for (unsigned i = 0; i < 16; i++)
		s->at[s->n].veiled[i] = v.p[i] ^ VEIL;
	s->n++;
}

static unsigned search(const struct needles *s, const volatile uint8_t *p, size_t n, bool tell)
{
	unsigned found = 0;

	for (size_t i = 0; i + 16 <= n; i++)
		for (unsigned k = 0; k < s->n; k++) {
			unsigned at = 0;

			while (at < 16 && (uint8_t)(p[i + at] ^ VEIL) == s->at[k].veiled[at])
				at++;
			found += at == 16;
			if (at == 16 && tell)
				fprintf(stderr, "  %s is at %p\n", s->at[k].name, (const void *)(p + i));
		}
	return found;
}

/* How often they stand in the memory of this process that may be written, its stack left out. */
static unsigned search_memory(const struct needles *s, bool tell)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512];
	unsigned found = 0;

	while (maps != NULL && fgets(line, sizeof(line), maps) != NULL) {
		uintptr_t from, to;

		if (sscanf(line, "%lx-%lx rw", &from, &to) != 2 || strstr(line, " rw") == NULL || strstr(line, "[stack]") != NULL)
			continue;
		if (to - from < (1u << 28))
			found += search(s, (const volatile uint8_t *)from, to - from, tell);
	}
	if (maps != NULL)
		fclose(maps);
	return found;
}
#endif

void d11_nothing_is_left_in_memory(struct trial *t)
{
#ifdef SANITIZED
	(void)t;
#else
	static const uint16_t retained[] = { KEY_SKEYID_D, KEY_SKEYID_A, KEY_SKEYID_E, KEY_CIPHER_KEY };
	char *secret = xstrdup("a secret of both");
	struct needles secrets = { 0 }, keys = { 0 };
	const struct exchange *x;

	for (unsigned i = 0; i < 16; i++)
		secret[i] = (char)(33 + trial_pick(t, 90));
	t->a->secret = t->b->secret = secret;
	needle(&secrets, "the preshared secret", span_str(secret));
	trial_describe(t);
	trial_expect(t, search_memory(&secrets, false) >= 1, "the secret is not found where it is");
	if (!bring_up(t))
		return;
	x = isakmp_sa(t->a);
	for (unsigned i = 0; i < sizeof(retained) / sizeof(retained[0]); i++)
		needle(&keys, key_values[retained[i]].name, values_get(&x->values, retained[i]));
	trial_expect(t, keys.n >= 3, "only %u keys are known", keys.n);
	trial_expect(t, search_memory(&keys, false) >= keys.n, "the keys are not found where they are");
	trial_expect(t, search_memory(&secrets, false) == 1, "the secret was copied and not erased: %u",
		     search_memory(&secrets, t->verbose));
	node_terminate(t->a, "net");
	node_delete(t->a, "net");
	node_delete(t->b, "net");
	world_run(t->w, 200000);
	trial_expect(t, search_memory(&keys, true) == 0, "keys are left in memory");
	node_shutdown(t->a, false);
	node_shutdown(t->b, false);
	world_run(t->w, 2000);
	wipe(secret, 16);
	trial_expect(t, search_memory(&secrets, true) == 0, "the secret is left in memory");
	free(secret);
	t->a->secret = t->b->secret = "";
#endif
}

/* ---- E4, E5: what an authenticated peer may ask for ---------------------------------- */

void e4_clients_of_another_peer(struct trial *t)
{
	static const char *const wanted[] = { "10.0.3.0/24", "0.0.0.0/0", "10.0.1.0/25", "10.0.0.0/8", "10.0.3.7/32", "192.0.2.3/32" };
	struct node *c = world_node(t->w, "south", "192.0.2.3", t->b->secret);
	struct control_connection other = sim_connection("other", c, "10.0.3.0/24", t->b, "10.0.2.0/24");
	unsigned added;
	struct control_connection greedy;

	other.ike = t->c.ike;
	node_connection(c, &other);
	node_connection(t->b, &other);
	node_listen(c);
	trial_describe(t);
	bring_up(t);
	node_initiate(c, "other");
	world_run(t->w, 2000);
	const struct sim_sa *theirs = node_outbound(t->b, "10.0.3.0/24");

	trial_expect(t, theirs != NULL, "the other peer is not connected");
	for (unsigned i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		added = t->b->added;
		greedy = sim_connection("greedy", t->a, wanted[i], t->b, "10.0.2.0/24");
		greedy.ike = t->c.ike;
		greedy.replace = true;
		greedy.keyingtries = 1;
		node_connection(t->a, &greedy);
		node_initiate(t->a, "greedy");
		world_run(t->w, 100000);
		trial_expect(t, t->b->added == added, "%s was given to the wrong peer", wanted[i]);
		trial_expect(t, node_outbound(t->b, "10.0.3.0/24") == theirs, "%s: traffic of another peer goes elsewhere", wanted[i]);
	}
	node_delete(t->a, "greedy");
	trial_check_up(t);
	node_shutdown(c, false);
	world_run(t->w, 2000);
}

void e5_spis_of_the_peer(struct trial *t)
{
	static const uint32_t spis[] = { 0, 1, 255, 256, 300, 300, 0xffffffff };
	struct arena *a = arena_new();
	struct out_QI1 out;

	trial_describe(t);
	if (!bring_up(t))
		return;
	for (unsigned i = 0; i < sizeof(spis) / sizeof(spis[0]); i++) {
		unsigned added = t->b->added;

		offer_of(t, a, t->a, spis[i], &out);
		hostile_quick(t, t->a, 50 + i, &out);
		world_run(t->w, 500);
		trial_expect(t, spis[i] >= LIMIT_SPI_PEER_MIN || t->b->added == added, "an SA with SPI %u was made", spis[i]);
		trial_expect(t, i != 3 || t->b->added > added, "SPI 256 is refused");
		/* The same SPI again, under other keys, is another SA: what goes out by the first does not change. */
		trial_expect(t, i != 5 || t->b->added > added, "an SPI that the peer has chosen twice is refused");
	}
	world_run(t->w, 200000);
	arena_free(a);
	trial_check_sound(t);
}
