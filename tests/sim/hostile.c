/* hostile.c -- datagrams that nobody honest sends: changed, repeated, made up, in floods. */
#include <malloc.h>

#include "generated/limits.h"
#include "generated/payloads.h"
#include "trial.h"

#define DATAGRAM_MAX 2048

/* ---- somebody on the path who changes bits ------------------------------- */

struct spoiler {
	struct trial *t;
	unsigned one_in;	/* of the datagrams is changed */
	unsigned changed;
};

static bool spoil(void *ctx, struct node *to, const struct endpoint *from, struct buf *d)
{
	struct spoiler *s = ctx;

	(void)to;
	(void)from;
	if (d->n == 0 || trial_pick(s->t, s->one_in) != 0)
		return true;
	s->changed++;
	switch (trial_pick(s->t, 4)) {
	case 0:					/* cut off */
		d->n = trial_pick(s->t, (unsigned)d->n);
		return true;
	case 1:					/* an octet of the header or close to it */
		d->p[trial_pick(s->t, (unsigned)(d->n < 48 ? d->n : 48))] = (uint8_t)trial_pick(s->t, 256);
		return true;
	default:
		d->p[trial_pick(s->t, (unsigned)d->n)] ^= (uint8_t)(1u << trial_pick(s->t, 8));
		return true;
	}
}

/* When the network is honest again the connection comes up. */
static void recovers(struct trial *t)
{
	world_middle(t->w, &(struct man_in_the_middle){ 0 });
	world_run(t->w, 200000);
	trial_expect(t, node_holdings(t->a).unfinished == 0, "a request was not finished");
	trial_check_sound(t);
	node_terminate(t->a, "net");
	node_terminate(t->b, "net");
	world_run(t->w, 1000);
	node_initiate(t->a, "net");
	world_run(t->w, 200000);
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS, "afterwards: %u", t->a->last_status);
	trial_check_up(t);
	trial_check_twins(t);
}

void run_bits(struct trial *t)
{
	struct spoiler s = { .t = t, .one_in = 1 + trial_pick(t, 8) };

	trial_draw(t);
	trial_describe(t);
	world_middle(t->w, &(struct man_in_the_middle){ .ctx = &s, .pass = spoil });
	node_initiate(t->a, "net");
	world_run(t->w, 30000);
	trial_check_sound(t);
	trial_expect(t, s.one_in > 1 || t->a->added + t->b->added == 0,
		     "SAs although every datagram was changed");
	recovers(t);
}

/* ---- repetition ---------------------------------------------------------- */

static void repeat_all(struct trial *t, const struct tape *tape)
{
	for (size_t i = 0; i < tape->n; i++) {
		const struct recorded *r = &tape->at[trial_pick(t, 2) == 0 ? i : trial_pick(t, (unsigned)tape->n)];

		world_inject(t->w, r->to, &r->from, span_buf(r->bytes));
		if (trial_pick(t, 3) == 0)
			world_run(t->w, 20);
	}
}

/* A Quick Mode that is over, under an ISAKMP SA that lives on: its first message begins nothing anew. */
static void replay_after_end(struct trial *t, struct tape *tape)
{
	struct control_connection second = t->c;
	unsigned added;

	second.name = span_str("second");
	second.left.client = subnet_of_host(&(struct ip_addr){ .len = 4, .b = { 10, 7, 0, 1 } });
	second.right.client = subnet_of_host(&(struct ip_addr){ .len = 4, .b = { 10, 7, 0, 2 } });
	node_connection(t->a, &second);
	node_connection(t->b, &second);
	tape_start(t, tape);
	node_initiate(t->a, "second");
	world_run(t->w, 1000);
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS, "the second: %u", t->a->last_status);
	world_middle(t->w, &(struct man_in_the_middle){ 0 });
	node_delete(t->a, "second");
	world_run(t->w, 1000);
	trial_expect(t, node_holdings(t->b).exchanges == 2, "%zu exchanges after a Delete",
		     node_holdings(t->b).exchanges);
	added = t->a->added + t->b->added;
	for (unsigned i = 0; i < 3; i++)
		repeat_all(t, tape);
	world_run(t->w, 1000);
	trial_expect(t, t->a->added + t->b->added == added, "a repeated Quick Mode added SAs");
	trial_expect(t, node_holdings(t->b).exchanges == 2, "%zu exchanges after a repetition",
		     node_holdings(t->b).exchanges);
}

void run_replay(struct trial *t)
{
	static const uint64_t waits[] = { 1000, 70000, 200000 };
	struct tape tape, later;
	const struct sim_sa *east, *west;
	unsigned added;

	trial_draw(t);
	trial_describe(t);
	tape_start(t, &tape);
	node_initiate(t->a, "net");
	world_run(t->w, 1000);
	world_middle(t->w, &(struct man_in_the_middle){ 0 });
	trial_check_up(t);
	east = trial_outbound(t, t->a);
	west = trial_outbound(t, t->b);
	added = t->a->added + t->b->added;
	for (unsigned i = 0; i < 3; i++) {
		size_t received = t->a->received + t->b->received;
		size_t sent = t->a->sent + t->b->sent;

		repeat_all(t, &tape);
		world_run(t->w, waits[i]);
		trial_expect(t, t->a->added + t->b->added == added, "a repeated datagram added SAs");
		trial_expect(t, trial_outbound(t, t->a) == east && trial_outbound(t, t->b) == west,
			     "a repeated datagram changed the outbound SA");
		trial_expect(t, t->a->sent + t->b->sent - sent <= t->a->received + t->b->received - received,
			     "more answers than repeated datagrams");
	}
	trial_check_up(t);
	trial_expect(t, node_holdings(t->a).exchanges <= 2 && node_holdings(t->b).exchanges <= 2,
		     "%zu and %zu exchanges are left", node_holdings(t->a).exchanges,
		     node_holdings(t->b).exchanges);
	replay_after_end(t, &later);
	tape_free(&tape);
	tape_free(&later);
}

/* ---- made up ------------------------------------------------------------- */

static struct endpoint port_500(const struct node *n)
{
	return (struct endpoint){ .addr = n->addr, .port = 500 };
}

static size_t make_garbage(struct trial *t, uint8_t *p)
{
	size_t n = trial_pick(t, 3) == 0 ? trial_pick(t, 40) : trial_pick(t, 600);

	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)trial_pick(t, 256);
	if (n >= HEADER_SIZE && trial_pick(t, 4) != 0) {	/* a header that can be read */
		struct writer w = writer_on(p, HEADER_SIZE);

		w.n = HEADER_SIZE;
		patch_u8(&w, HEADER_OFFSET_NP, (uint8_t)(1 + trial_pick(t, 13)));
		patch_u8(&w, HEADER_OFFSET_MAJOR, 0x10);
		patch_u32(&w, HEADER_OFFSET_LENGTH, (uint32_t)n);
	}
	return n;
}

void run_garbage(struct trial *t)
{
	struct endpoint from = port_500(t->a), other = from;
	uint8_t d[DATAGRAM_MAX];

	other.addr.b[3] = 77;
	trial_draw(t);
	trial_describe(t);
	for (unsigned i = 0; i < 200; i++) {
		if (i == 50)
			node_initiate(t->a, "net");
		world_inject(t->w, t->b, trial_pick(t, 2) == 0 ? &from : &other,
			     span_of(d, make_garbage(t, d)));
		world_run(t->w, trial_pick(t, 2));
	}
	trial_expect(t, t->b->sent_octets <= t->b->received_octets, "%zu octets brought %zu",
		     t->b->received_octets, t->b->sent_octets);
	world_run(t->w, 100000);
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS, "garbage kept a negotiation from success: %u",
		     t->a->last_status);
	trial_check_up(t);
	trial_expect(t, node_holdings(t->b).exchanges <= 2, "%zu exchanges are left",
		     node_holdings(t->b).exchanges);
}

/* A copy of a genuine datagram with another exchange type, flags, message ID, length or end. */
static size_t vary(struct trial *t, struct span genuine, uint8_t *p)
{
	size_t n = genuine.n < DATAGRAM_MAX ? genuine.n : DATAGRAM_MAX;
	static const uint8_t types[] = { 0, 1, 2, 3, 4, 5, 6, 32, 33, 34, 240, 255 };
	struct writer w = writer_on(p, n);

	w.n = n;
	memcpy(p, genuine.p, n);
	if (n < HEADER_SIZE)
		return n;
	if (trial_pick(t, 2) == 0)
		patch_u8(&w, HEADER_OFFSET_XCHG, types[trial_pick(t, sizeof(types))]);
	if (trial_pick(t, 3) == 0)
		patch_u8(&w, HEADER_OFFSET_FLAGS, (uint8_t)trial_pick(t, 8));
	if (trial_pick(t, 3) == 0)
		patch_u32(&w, HEADER_OFFSET_MSGID, trial_pick(t, 2));
	if (trial_pick(t, 8) == 0)
		memset(p + HEADER_OFFSET_RCOOKIE, 0, 8);
	if (trial_pick(t, 4) == 0) {
		n = HEADER_SIZE + trial_pick(t, (unsigned)(n - HEADER_SIZE) + 1);
		patch_u32(&w, HEADER_OFFSET_LENGTH, (uint32_t)n);
	}
	if (n > HEADER_SIZE && trial_pick(t, 2) == 0)
		p[HEADER_SIZE + trial_pick(t, (unsigned)(n - HEADER_SIZE))] ^= (uint8_t)(1u << trial_pick(t, 8));
	return n;
}

/* At every state of a negotiation, copies of everything that passed so far, changed. */
void run_matrix(struct trial *t)
{
	struct tape tape;
	uint8_t d[DATAGRAM_MAX];

	trial_draw(t);
	trial_describe(t);
	tape_start(t, &tape);
	node_initiate(t->a, "net");
	for (unsigned step = 0; step < 60; step++) {
		size_t n = tape.n < 12 ? tape.n : 12;

		for (size_t i = 0; i < n; i++) {
			const struct recorded *r = &tape.at[tape.n - 1 - i];
			struct node *to = trial_pick(t, 2) == 0 ? t->a : t->b;
			struct endpoint from = port_500(to == t->a ? t->b : t->a);

			world_inject(t->w, to, &from, span_of(d, vary(t, span_buf(r->bytes), d)));
		}
		world_step(t->w, 1 + n);
		if (step % 10 == 0)
			trial_check_sound(t);
	}
	recovers(t);
	tape_free(&tape);
}

/* ---- floods -------------------------------------------------------------- */

static void flood(struct trial *t, struct span first, unsigned n, uint64_t pause)
{
	struct endpoint from = port_500(t->a);
	uint8_t d[DATAGRAM_MAX];

	memcpy(d, first.p, first.n);
	for (unsigned i = 0; i < n; i++) {
		struct writer w = writer_on(d, first.n);

		w.n = first.n;
		patch_u32(&w, HEADER_OFFSET_ICOOKIE, 0x80000000u + i);
		world_inject(t->w, t->b, &from, span_of(d, first.n));
		world_run(t->w, pause);
	}
}

/* First messages under many cookies, in the name of a peer that wants to connect meanwhile. */
void run_flood(struct trial *t)
{
	struct tape tape;
	size_t sent, received, datagrams;

	trial_describe(t);
	tape_start(t, &tape);
	node_initiate(t->a, "net");		/* its first message is taped, and used up */
	world_step(t->w, 1);
	world_middle(t->w, &(struct man_in_the_middle){ 0 });
	node_terminate(t->a, "net");
	world_run(t->w, 100000);
	sent = t->b->sent_octets;
	datagrams = t->b->sent;
	received = t->b->received_octets;
	flood(t, span_buf(tape.at[0].bytes), 4000, 0);
	world_run(t->w, 40);
	trial_expect(t, t->b->sent_octets - sent <= t->b->received_octets - received,
		     "%zu octets brought %zu", t->b->received_octets - received, t->b->sent_octets - sent);
	trial_expect(t, t->b->sent - datagrams <= 4000, "%zu answers to 4000 datagrams", t->b->sent - datagrams);
	trial_expect(t, node_holdings(t->b).half_open <= LIMIT_HALF_OPEN_SOURCE, "%zu half-open exchanges",
		     node_holdings(t->b).half_open);
	node_initiate(t->a, "net");
	flood(t, span_buf(tape.at[0].bytes), 4000, 5);
	world_run(t->w, 10000);
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS, "the peer could not connect during a flood: %u",
		     t->a->last_status);
	world_run(t->w, 100000);
	trial_expect(t, node_holdings(t->b).exchanges <= 2, "%zu exchanges are left",
		     node_holdings(t->b).exchanges);
	tape_free(&tape);
}

/* Negotiations that are given up half way: memory stays flat. */
void run_aborted(struct trial *t)
{
	size_t before = 0, after;

	trial_describe(t);
	for (unsigned i = 0; i < 1500; i++) {
		if (i == 500)
			before = mallinfo2().uordblks;
		node_initiate(t->a, "net");
		world_step(t->w, i % 48);
		node_terminate(t->a, "net");
		node_terminate(t->b, "net");
		world_run(t->w, 1000 + 61000 * (i % 10 == 9));
	}
	world_run(t->w, 200000);
	after = mallinfo2().uordblks;
	/* Under a sanitizer there are no such numbers: both are 0. */
	trial_expect(t, after <= before + 65536, "a thousand aborted negotiations cost %zu octets",
		     after - before);
}
