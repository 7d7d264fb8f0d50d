/* security_floods.c -- attacks by number: amplification, half-open negotiations, short lives. */
#include <malloc.h>

#include "security.h"

static struct endpoint stranger(struct trial *t)
{
	struct endpoint e = port_500(t->a);

	e.addr.b[1] = (uint8_t)(1 + trial_pick(t, 200));
	e.addr.b[3] = (uint8_t)trial_pick(t, 256);
	e.port = (uint16_t)(1 + trial_pick(t, 65535));
	return e;
}

/* The first message of a negotiation that is given up. */
static struct buf first_message(struct trial *t)
{
	struct tape tape;
	struct buf first = { 0 };

	tape_start(t, &tape);
	node_initiate(t->a, "net");
	world_middle(t->w, &(struct man_in_the_middle){ 0 });
	node_terminate(t->a, "net");
	world_run(t->w, 100000);
	if (trial_expect(t, tape.n > 0, "no first message"))
		first = buf_copy(span_buf(tape.at[0].bytes));
	tape_free(&tape);
	return first;
}

/* A beginning that is sound but for its version, as it is and with what the other version of IKE has in its header. */
void a10_the_other_version(struct trial *t)
{
	uint8_t d[DATAGRAM_MAX];

	trial_describe(t);
	struct buf first = first_message(t);
	struct writer w = writer_on(d, first.n);

	w.n = first.n;
	for (unsigned i = 0; i < 2 * 16; i++) {
		size_t answer;

		if (i / 2 == 1)
			continue;
		memcpy(d, first.p, first.n);
		patch_u32(&w, HEADER_OFFSET_ICOOKIE, 0x50000000u + i);
		patch_u8(&w, HEADER_OFFSET_MAJOR, (uint8_t)(i / 2 << 4));
		if (i % 2 != 0) {		/* IKE_SA_INIT, its SA payload, the flag of an initiator: RFC 7296 3.1 */
			patch_u8(&w, HEADER_OFFSET_NP, 33);
			patch_u8(&w, HEADER_OFFSET_XCHG, 34);
			patch_u8(&w, HEADER_OFFSET_FLAGS, 8);
		}
		answer = give_as_peer(t, t->b, span_of(d, first.n));
		trial_expect(t, answer <= first.n && node_holdings(t->b).exchanges == 0,
			     "version %u brings %zu octets and %zu exchanges", i / 2, answer, node_holdings(t->b).exchanges);
	}
	trial_expect(t, node_said(t->b, "field_value"), "the version is not why: %s", t->b->refusal);
	memcpy(d, first.p, first.n);
	patch_u32(&w, HEADER_OFFSET_ICOOKIE, 0x50000001u);
	give_as_peer(t, t->b, span_of(d, first.n));
	trial_expect(t, node_holdings(t->b).exchanges == 1, "the same in our version begins nothing: this shows nothing");
	world_run(t->w, 100000);
	buf_free(&first);
}

/* Whatever comes first, whole or cut, from known or unknown: the answer is not longer, and comes once. */
void c1_no_amplification(struct trial *t)
{
	struct endpoint unknown = stranger(t), peer;
	uint8_t d[DATAGRAM_MAX];
	size_t sent;
	unsigned refused = 0;

	trial_describe(t);
	peer = port_500(t->a);
	struct buf first = first_message(t);

	for (size_t n = HEADER_SIZE; n <= first.n; n++)
		for (unsigned who = 0; who < 2; who++) {
			struct writer w = writer_on(d, first.n);
			size_t answer;

			w.n = first.n;
			memcpy(d, first.p, first.n);
			patch_u32(&w, HEADER_OFFSET_ICOOKIE, 0x40000000u + (uint32_t)n);
			patch_u32(&w, HEADER_OFFSET_LENGTH, (uint32_t)n);
			answer = give(t, t->b, who == 0 ? &unknown : &peer, span_of(d, n));
			trial_expect(t, answer <= n, "%zu octets from %s bring %zu", n, who == 0 ? "a stranger" : "the peer's address",
				     answer);
			refused += answer > 0;
		}
	trial_expect(t, refused > 10, "only %u were answered at all", refused);
	world_run(t->w, 5000);
	sent = t->b->sent;
	world_run(t->w, 100000);
	trial_expect(t, t->b->sent == sent, "%zu datagrams to somebody unproven by timer", t->b->sent - sent);
	trial_expect(t, node_holdings(t->b).exchanges == 0, "%zu exchanges are left", node_holdings(t->b).exchanges);
	buf_free(&first);
}

/* The same datagram a thousand times, in each state of the responder. */
void c1_copies_are_not_answered_for_ever(struct trial *t)
{
	struct tape tape;
	size_t sent;

	trial_describe(t);
	tape_start(t, &tape);
	node_initiate(t->a, "net");
	world_run(t->w, 2000);
	world_middle(t->w, &(struct man_in_the_middle){ 0 });
	sent = t->b->sent;
	for (size_t i = 0; i < tape.n; i++)
		for (unsigned k = 0; tape.at[i].to == t->b && k < 1000; k++)
			give_as_peer(t, t->b, span_buf(tape.at[i].bytes));
	trial_expect(t, t->b->sent - sent <= LIMIT_RESENDS * tape.n, "%zu answers to copies of %zu datagrams",
		     t->b->sent - sent, tape.n);
	world_run(t->w, 10000);
	trial_check_up(t);
	tape_free(&tape);
}

/* A hundred thousand beginnings from everywhere, and from the peer's own address. */
void c2_half_open_is_bounded(struct trial *t)
{
	uint8_t d[DATAGRAM_MAX];
	size_t before, after, most = 0;

	trial_describe(t);
	struct buf first = first_message(t);

	before = mallinfo2().uordblks;
	memcpy(d, first.p, first.n);
	for (unsigned i = 0; i < 100000; i++) {
		struct writer w = writer_on(d, first.n);
		struct endpoint from = i % 2 == 0 ? stranger(t) : port_500(t->a);

		w.n = first.n;
		patch_u32(&w, HEADER_OFFSET_ICOOKIE, 0x20000000u + i);
		give(t, t->b, &from, span_of(d, first.n));
		if (i % 1000 == 0)
			world_run(t->w, 10);
		most = node_holdings(t->b).exchanges > most ? node_holdings(t->b).exchanges : most;
	}
	world_run(t->w, 50);
	trial_expect(t, most <= LIMIT_HALF_OPEN_SOURCE, "%zu half-open negotiations in the name of one peer", most);
	for (unsigned i = 0; i < 20000; i++) {		/* from all of its ports, as if many were behind it */
		struct writer w = writer_on(d, first.n);
		struct endpoint from = { .addr = t->a->addr, .port = (uint16_t)(1024 + i) };

		w.n = first.n;
		patch_u32(&w, HEADER_OFFSET_ICOOKIE, 0x30000000u + i);
		give(t, t->b, &from, span_of(d, first.n));
		most = node_holdings(t->b).exchanges > most ? node_holdings(t->b).exchanges : most;
	}
	world_run(t->w, 50);
	after = mallinfo2().uordblks;
	trial_expect(t, most <= LIMIT_HALF_OPEN_ADDRESS, "%zu half-open negotiations from one address", most);
	trial_expect(t, after <= before + 2 * 1024 * 1024, "a flood costs %zu octets", after - before);
	node_initiate(t->a, "net");
	world_run(t->w, 5000);
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS, "after a flood: %u", t->a->last_status);
	world_run(t->w, 100000);
	trial_expect(t, node_holdings(t->b).exchanges <= 2, "%zu exchanges are left", node_holdings(t->b).exchanges);
	buf_free(&first);
}

/* Where anybody may be a Road Warrior forged addresses do not keep the real one out. */
void c2_forged_road_warriors(struct trial *t)
{
	struct control_connection road = t->c;
	uint8_t d[DATAGRAM_MAX];
	size_t before, after;

	road.left.host = (struct ip_addr){ 0 };
	node_connection(t->a, &t->c);
	node_connection(t->b, &road);
	node_listen(t->a);
	node_listen(t->b);
	struct buf first = first_message(t);

	before = mallinfo2().uordblks;
	memcpy(d, first.p, first.n);
	for (unsigned i = 0; i < 4 * LIMIT_HALF_OPEN; i++) {
		struct writer w = writer_on(d, first.n);
		struct endpoint from = stranger(t);

		w.n = first.n;
		from.addr.b[0] = (uint8_t)(11 + i % 100);
		patch_u32(&w, HEADER_OFFSET_ICOOKIE, 0x20000000u + i);
		give(t, t->b, &from, span_of(d, first.n));
	}
	trial_expect(t, node_holdings(t->b).half_open >= LIMIT_HALF_OPEN / 2, "only %zu half-open negotiations: this shows nothing",
		     node_holdings(t->b).half_open);
	trial_expect(t, node_holdings(t->b).half_open <= LIMIT_HALF_OPEN, "%zu half-open negotiations",
		     node_holdings(t->b).half_open);
	node_initiate(t->a, "net");
	world_run(t->w, 5000);
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS, "after a flood: %u", t->a->last_status);
	world_run(t->w, 100000);
	trial_expect(t, node_holdings(t->b).exchanges <= 2, "%zu exchanges are left", node_holdings(t->b).exchanges);
	after = mallinfo2().uordblks;
	trial_expect(t, after <= before + 2 * 1024 * 1024, "a flood costs %zu octets", after - before);
	buf_free(&first);
}

/* Errors of ICMP can be forged: they end nothing, whenever they come. */
void c6_unreachable_ends_nothing(struct trial *t)
{
	struct endpoint a = port_500(t->a), b = port_500(t->b);

	trial_describe(t);
	node_initiate(t->a, "net");
	for (unsigned i = 0; i < 60; i++) {
		ike_unreachable(t->a->ike, world_now(t->w), &b, "Connection refused");
		ike_unreachable(t->b->ike, world_now(t->w), &a, "Connection refused");
		world_step(t->w, 1);
	}
	world_run(t->w, 3000);
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS, "forged errors keep a negotiation from success");
	for (unsigned i = 0; i < 100; i++)
		ike_unreachable(t->b->ike, world_now(t->w), &a, "Connection refused");
	world_run(t->w, 3000);
	trial_check_up(t);
	trial_check_twins(t);
}

/* Lives of a second: the traffic goes on, and nothing grows. */
void c7_short_lifetimes(struct trial *t)
{
	struct control_connection brief = t->c;
	size_t before, datagrams;

	brief.ikelifetime = brief.ipseclifetime = 1;
	brief.rekeymargin = 0;
	node_connection(t->a, &brief);
	node_connection(t->b, &t->c);
	node_listen(t->a);
	node_listen(t->b);
	node_initiate(t->a, "net");
	world_run(t->w, 60000);
	before = mallinfo2().uordblks;
	datagrams = t->b->sent;
	world_run(t->w, 600000);
	trial_expect(t, t->b->sent - datagrams < 600 * 20, "%zu datagrams in ten minutes", t->b->sent - datagrams);
	trial_expect(t, mallinfo2().uordblks <= before + 262144, "memory grows by %zu octets",
		     mallinfo2().uordblks - before);
	trial_expect(t, node_holdings(t->b).exchanges <= 12, "%zu exchanges", node_holdings(t->b).exchanges);
	node_terminate(t->a, "net");
	node_terminate(t->b, "net");
	world_run(t->w, 10000);
}
