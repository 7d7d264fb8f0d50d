/* security_states.c -- attacks on the state machines: the right message at the wrong time, the wrong one at any time. */
#include "base/xalloc.h"
#include "security.h"

/* ---- B1, B2, B3, B12, B13: all types in all states ------------------------ */

struct attack {
	struct trial *t;
	struct node *n;
	struct picture before;
	const char *state;
	unsigned long sent;
	size_t answers;		/* octets */
};

static void attack_with(struct attack *k, const uint8_t cookies[16], uint8_t type, uint8_t flags, uint32_t msgid)
{
	static const uint8_t zeros[64];
	uint8_t d[DATAGRAM_MAX], noise[61];
	struct picture now;

	for (unsigned body = 0; body < 4; body++) {
		size_t n = body == 0 ? 0 : body == 1 ? 16 : body == 2 ? 64 : sizeof(noise);

		for (unsigned i = 0; i < sizeof(noise); i++)
			noise[i] = (uint8_t)trial_pick(k->t, 256);
		n = make_message(d, cookies, type, flags, msgid, (uint8_t)(body == 0 ? 0 : 1 + trial_pick(k->t, 20)),
				 body == 3 ? noise : zeros, n);
		k->answers += give_as_peer(k->t, k->n, span_of(d, n));
		k->sent++;
		now = look(k->n);
		if (!same(&k->before, &now)) {
			trial_expect(k->t, false, "%s in %s is changed by type %u, flags %u, message ID %u, body %u",
				     k->n->name, k->state, type, flags, msgid, body);
			k->before = now;
		}
	}
}

static bool has_meaning(uint8_t type)
{
	return machine_by_exchange(type) != NULL || oneway_by_exchange(type) != NULL;
}

static void attack_cookies(struct attack *k, const uint8_t cookies[16], uint32_t msgid)
{
	uint32_t ids[] = { 0, msgid, 0x12345678 };

	for (unsigned type = 0; type < 256; type++)
		for (unsigned flags = 0; flags < 8; flags += has_meaning((uint8_t)type) ? 1 : 7)
			for (unsigned i = 0; i < 3; i += has_meaning((uint8_t)type) ? 1 : 2)
				attack_with(k, cookies, (uint8_t)type, (uint8_t)flags, ids[i]);
}

/* Cookies right, exchanged, with a zero on either side, and made up. */
static void attack_exchange(struct attack *k, const struct exchange *x)
{
	uint8_t cookies[5][16] = { 0 };

	k->state = x == NULL || x->state == NULL ? "-" : x->state->name;
	for (unsigned i = 0; i < 16; i++)
		cookies[4][i] = (uint8_t)(1 + i);
	if (x != NULL) {
		memcpy(cookies[0], x->cookies, 16);
		memcpy(cookies[1], x->cookies + 8, 8);
		memcpy(cookies[1] + 8, x->cookies, 8);
		memcpy(cookies[2], x->cookies, 8);
		memcpy(cookies[3], x->cookies, 8);
		memcpy(cookies[3] + 8, cookies[4], 8);
	}
	for (unsigned i = 0; i < 5; i++) {
		/* The whole of a genuine beginning is needed for a new exchange: nothing of this is. */
		attack_cookies(k, cookies[i], x == NULL ? 1 : x->msgid);
	}
}

static void attack_node(struct trial *t, struct node *n, unsigned long *sent)
{
	struct attack k = { .t = t, .n = n, .before = look(n) };
	struct exchange *x = engine_first(n->ike->engine);
	size_t received = n->received_octets;

	if (x == NULL)
		attack_exchange(&k, NULL);
	for (unsigned i = 0; x != NULL && i < 2; i++, x = engine_next(x))	/* a Quick Mode and its ISAKMP SA */
		attack_exchange(&k, x);
	trial_expect(t, k.answers <= 28 * k.sent, "%s in %s answers %lu bad messages with %zu octets", n->name,
		     k.state, k.sent, k.answers);
	n->received_octets = received;
	*sent += k.sent;
}

void b1_every_type_in_every_state(struct trial *t)
{
	const struct state_desc *seen_a = NULL, *seen_b = NULL;
	unsigned long sent = 0;
	unsigned states = 0;

	trial_describe(t);
	attack_node(t, t->b, &sent);
	node_initiate(t->a, "net");
	for (unsigned i = 0; i < 200 && node_holdings(t->a).unfinished != 0; i++) {
		struct exchange *x = engine_first(t->a->ike->engine), *y = engine_first(t->b->ike->engine);

		if (x != NULL && x->state != seen_a) {
			seen_a = x->state;
			states++;
			attack_node(t, t->a, &sent);
		}
		if (y != NULL && y->state != seen_b) {
			seen_b = y->state;
			states++;
			attack_node(t, t->b, &sent);
		}
		if (!world_step(t->w, 1))
			break;
	}
	world_run(t->w, 3000);
	attack_node(t, t->a, &sent);
	attack_node(t, t->b, &sent);
	trial_expect(t, states >= 8, "only %u states were reached", states);
	trial_expect(t, sent > 100000, "only %lu messages", sent);
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS, "the negotiation ended with %u", t->a->last_status);
	trial_check_up(t);
	trial_check_twins(t);
}

/* ---- B4: cookies of what was refused -------------------------------------- */

void b4_cookies_of_a_refused_beginning(struct trial *t)
{
	struct control_connection other = t->c;
	struct tape tape;
	uint8_t d[DATAGRAM_MAX];
	size_t refusals = 0;

	other.ike = span_str("3des-sha1-modp1024");
	node_connection(t->a, &t->c);
	node_connection(t->b, &other);
	node_listen(t->a);
	node_listen(t->b);
	tape_start(t, &tape);
	node_initiate(t->a, "net");
	world_run(t->w, 2000);
	for (size_t i = 0; i < tape.n; i++) {
		static const uint8_t types[] = { EXCHANGE_TYPE_IDENTITY_PROTECT, EXCHANGE_TYPE_INFORMATIONAL, EXCHANGE_TYPE_QUICK };

		if (tape.at[i].to != t->a)
			continue;
		refusals++;
		for (unsigned k = 0; k < 12; k++) {
			size_t n = make_message(d, tape.at[i].bytes.p, types[k % 3], (uint8_t)(k / 3 % 2), k / 6,
						PAYLOAD_TYPE_KE, "\0\0\0\10abcd", 8);

			trial_expect(t, give_as_peer(t, t->b, span_of(d, n)) == 0, "cookies of a refused exchange are answered");
		}
	}
	trial_expect(t, refusals > 0, "nothing was refused");
	trial_expect(t, node_holdings(t->b).exchanges == 0 && node_holdings(t->b).half_open == 0, "something is left of it");
	world_run(t->w, 200000);
	tape_free(&tape);
}

/* ---- B5, E1, E2: identities of Quick Mode --------------------------------- */

void b5_identities_of_quick_mode(struct trial *t)
{
	static const size_t sizes[] = { 0, 1, 3, 4, 5, 7, 8, 9, 16, 17, 31, 32, 33, 255, 1000 };
	uint8_t noise[1000];
	struct arena *a = arena_new();
	struct out_QI1 out;
	unsigned n = 0;

	trial_describe(t);
	if (!bring_up(t))
		return;
	unsigned added = t->b->added;
	const struct sim_sa *sa = trial_outbound(t, t->b);

	for (unsigned i = 0; i < sizeof(noise); i++)
		noise[i] = (uint8_t)trial_pick(t, 256);
	for (unsigned type = 0; type < 256; type += type < 14 ? 1 : 11)
		for (unsigned i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
			offer_of(t, a, t->a, 4096 + n, &out);
			out.IDci = out.IDcr = (struct emit_ID){ .type = (uint8_t)type, .protocol = (uint8_t)trial_pick(t, 256),
				.port = (uint16_t)trial_pick(t, 65536), .data = span_of(noise, sizes[i / 2]) };
			if (i % 2 == 0)		/* one of them is right */
				out.IDci = (struct emit_ID){ .type = ID_TYPE_IPV4_ADDR_SUBNET, .data = span_of("\12\0\1\0\377\377\377\0", 8) };
			hostile_quick(t, t->a, 1000 + n++, &out);
			world_run(t->w, 5);
			arena_reset(a);
		}
	world_run(t->w, 100000);
	arena_free(a);
	trial_expect(t, n > 500, "only %u Quick Modes", n);
	trial_expect(t, t->b->added == added, "a Quick Mode for other clients made SAs");
	trial_expect(t, trial_outbound(t, t->b) == sa, "traffic goes elsewhere");
	trial_expect(t, node_holdings(t->b).exchanges <= 2, "%zu exchanges", node_holdings(t->b).exchanges);
}

/* ---- B6, B15: deletes and notifications ------------------------------------ */

static uint32_t spi_of(const struct node *n, bool inbound)
{
	const struct sim_sa *s = n->sas;

	while (s != NULL && s->inbound != inbound)
		s = s->next;
	return s == NULL ? 0 : s->id.spi;
}

struct pieces {			/* of an Informational that a peer may send */
	struct emit_N n[2];
	struct emit_D d[8];
	struct span spi, cookies, wrong, eight[8];
};

static void make_pieces(struct pieces *p, struct node *n, uint8_t spi[4])
{
	struct writer w = writer_on(spi, 4);
	static const uint8_t nothing[16];

	put_u32(&w, spi_of(n, true));
	p->spi = span_of(spi, 4);
	p->cookies = span_of(isakmp_sa(n)->cookies, 16);
	p->wrong = span_of(nothing, 16);
	for (unsigned i = 0; i < 8; i++)
		p->eight[i] = p->spi;
	p->n[0] = (struct emit_N){ .doi = DOI_ID_IPSEC, .protocol = PROTOCOL_ID_ISAKMP, .type = NOTIFY_TYPE_INITIAL_CONTACT, .spi = p->cookies };
	p->n[1] = (struct emit_N){ .doi = DOI_ID_IPSEC, .protocol = PROTOCOL_ID_ESP, .type = NOTIFY_TYPE_INVALID_SPI, .spi = p->spi };
}

static struct emit_D delete(uint8_t protocol, const struct span *spis, size_t n)
{
	return (struct emit_D){ .doi = DOI_ID_IPSEC, .protocol = protocol, .spis = spis, .n_spis = n };
}

/* One order of `delete` payloads each: digits 0 ESP, 1 ISAKMP, 2 eight times ESP, 3 somebody else's cookies. */
void b6_deletes_in_every_order(struct trial *t)
{
	trial_describe(t);
	for (unsigned order = 0; order < 256 && !t->failed; order++) {
		struct pieces p = { 0 };
		struct out_INF out = { .N = p.n, .D = p.d };
		uint8_t spi[4];
		bool isakmp = false;

		if (!bring_up(t))
			return;
		make_pieces(&p, t->a, spi);
		for (unsigned digit = order, i = 0; i < 4; digit /= 4, i++) {
			isakmp |= digit % 4 == 1;
			p.d[out.n_D++] = digit % 4 == 0 ? delete(PROTOCOL_ID_ESP, &p.spi, 1)
				       : digit % 4 == 1 ? delete(PROTOCOL_ID_ISAKMP, &p.cookies, 1)
				       : digit % 4 == 2 ? delete(PROTOCOL_ID_ESP, p.eight, 8)
				       : delete(PROTOCOL_ID_ISAKMP, &p.wrong, 1);
		}
		out.n_N = order % 3;
		hostile_informational(t, t->a, &out);
		hostile_informational(t, t->a, &out);	/* and about what is gone */
		world_run(t->w, 1000);
		trial_expect(t, !isakmp || isakmp_sa(t->b) == NULL || phase1_of(isakmp_sa(t->b))->retired,
			     "order %u: the ISAKMP SA is used on", order);
		hostile_informational(t, t->a, &out);
		node_terminate(t->a, "net");
		node_terminate(t->b, "net");
		world_run(t->w, 1000);
		trial_expect(t, node_sas(t->b, true) == 0, "order %u: SAs are left", order);
		trial_expect(t, node_holdings(t->b).exchanges <= 1, "order %u: %zu exchanges", order,
			     node_holdings(t->b).exchanges);
	}
}

/* Delete, INITIAL-CONTACT and errors in clear, and encrypted by somebody without the key. */
void b15_nothing_in_clear_counts(struct trial *t)
{
	static const uint16_t types[] = { NOTIFY_TYPE_INITIAL_CONTACT, NOTIFY_TYPE_AUTHENTICATION_FAILED,
		NOTIFY_TYPE_NO_PROPOSAL_CHOSEN, NOTIFY_TYPE_INVALID_SPI, NOTIFY_TYPE_CONNECTED, 0, 65535 };
	uint8_t d[DATAGRAM_MAX], body[256];
	struct picture before, now;

	trial_describe(t);
	if (!bring_up(t))
		return;
	before = look(t->b);
	const struct exchange *x = isakmp_sa(t->b);

	for (unsigned i = 0; i < 4 * sizeof(types) / sizeof(types[0]); i++) {
		struct writer w = writer_on(body, sizeof(body));
		struct span cookies = span_of(x->cookies, 16);
		struct emit_N n = { .doi = DOI_ID_IPSEC, .protocol = PROTOCOL_ID_ISAKMP, .type = types[i / 4], .spi = cookies };
		struct emit_D del = delete(PROTOCOL_ID_ISAKMP, &cookies, 1);

		if (i % 2 == 0)
			emit_N(&w, 0, &n);
		else
			emit_D(&w, 0, &del);
		put_zero(&w, (16 - w.n % 16) % 16);
		size_t size = make_message(d, x->cookies, EXCHANGE_TYPE_INFORMATIONAL, (uint8_t)(i / 2 % 2), 77 + i,
					   i % 2 == 0 ? PAYLOAD_TYPE_N : PAYLOAD_TYPE_D, body, w.n);

		give_as_peer(t, t->b, span_of(d, size));
		now = look(t->b);
		trial_expect(t, same(&before, &now), "message %u in clear changed something", i);
	}
	world_run(t->w, 20000);
	trial_check_up(t);
	trial_check_twins(t);
}

/* Under the right keys a hash that is empty, too short, too long or right only at its beginning; then the right one. */
void b15_hashes_of_any_length(struct trial *t)
{
	static const struct { size_t octets, right; } hashes[] = {
		{ 0, 0 }, { 1, 1 }, { 12, 12 }, { 31, 31 }, { 32, 31 }, { 32, 1 }, { 32, 0 }, { 33, 32 }, { 60, 32 }, { 64, 32 },
	};
	struct pieces p = { 0 };
	struct picture before, now;
	uint8_t spi[4];

	trial_describe(t);
	if (!bring_up(t))
		return;
	make_pieces(&p, t->a, spi);
	before = look(t->b);
	for (unsigned i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
		hostile_delete(t, t->a, spi, hashes[i].octets, hashes[i].right);
		now = look(t->b);
		trial_expect(t, same(&before, &now), "a hash of %zu octets, %zu of them right, deletes an SA",
			     hashes[i].octets, hashes[i].right);
	}
	hostile_delete(t, t->a, spi, 32, 32);
	now = look(t->b);
	trial_expect(t, !same(&before, &now), "the right hash deletes nothing: the others prove nothing");
}

/* ---- B11: the commit bit ------------------------------------------------------ */

static bool commit_bit(void *ctx, struct node *to, const struct endpoint *from, struct buf *d)
{
	(void)ctx;
	(void)to;
	(void)from;
	d->p[HEADER_OFFSET_FLAGS] |= HEADER_FLAGS_COMMIT;
	return true;
}

void b11_commit_bit(struct trial *t)
{
	struct pieces p = { 0 };
	struct out_INF out = { .N = p.n, .n_N = 2 };
	uint8_t spi[4];

	trial_describe(t);
	world_middle(t->w, &(struct man_in_the_middle){ .pass = commit_bit });
	if (!bring_up(t))
		return;
	world_middle(t->w, &(struct man_in_the_middle){ 0 });
	make_pieces(&p, t->a, spi);
	p.n[0].type = p.n[1].type = NOTIFY_TYPE_CONNECTED;
	for (unsigned i = 0; i < 20; i++)
		hostile_informational(t, t->a, &out);
	world_run(t->w, 100000);
	trial_check_up(t);
	trial_check_twins(t);
}

/* Genuine datagrams, but from somebody else: they change nothing, and are hardly answered. */
/* ---- B14, B18 ---------------------------------------------------------------- */

/* The secret is gone when the responder needs it: nothing is left of the negotiation. */
void b14_own_secret_is_missing(struct trial *t)
{
	trial_describe(t);
	for (unsigned at = 0; at < 30; at++) {
		t->b->secret = "a secret of both";
		node_initiate(t->a, "net");
		world_step(t->w, at);
		t->b->secret = NULL;
		world_run(t->w, 100000);
		t->b->secret = "a secret of both";
		t->a->secret = NULL;
		node_initiate(t->b, "net");
		world_run(t->w, 100000);
		t->a->secret = "a secret of both";
		node_terminate(t->a, "net");
		node_terminate(t->b, "net");
		world_run(t->w, 100000);
		trial_expect(t, node_holdings(t->a).exchanges + node_holdings(t->b).exchanges == 0,
			     "after %u events %zu and %zu exchanges are left", at, node_holdings(t->a).exchanges,
			     node_holdings(t->b).exchanges);
		trial_expect(t, node_holdings(t->a).half_open + node_holdings(t->b).half_open == 0, "half-open ones are left");
	}
}

void b18_quick_modes_are_capped(struct trial *t)
{
	struct arena *a = arena_new();
	struct out_QI1 out;
	size_t most = 0;

	trial_describe(t);
	if (!bring_up(t))
		return;
	for (unsigned i = 0; i < 6000; i++) {
		offer_of(t, a, t->a, 5000 + i, &out);
		hostile_quick(t, t->a, 100 + i, &out);
		if (i % 16 == 0)
			world_run(t->w, 10);
		most = node_holdings(t->b).exchanges > most ? node_holdings(t->b).exchanges : most;
		arena_reset(a);
	}
	arena_free(a);
	trial_expect(t, most <= LIMIT_PHASE2_PER_SA + 1, "%zu exchanges at once", most);
	world_run(t->w, 100000);
	trial_expect(t, node_holdings(t->b).exchanges <= 4, "%zu exchanges are left", node_holdings(t->b).exchanges);
	node_terminate(t->a, "net");
	node_terminate(t->b, "net");
	world_run(t->w, 1000);
	bring_up(t);
}
