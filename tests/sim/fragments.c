/* fragments.c -- messages in fragments over a bad network, and fragments that somebody forges. */
#include <stdio.h>

#include "engine/internal.h"
#include "generated/payloads.h"
#include "ike/internal.h"
#include "trial.h"

static void begin(struct trial *t)
{
	trial_draw(t);
	snprintf(t->ike, sizeof(t->ike), "aes128-sha256-modp2048");
	t->c.ike = span_str(t->ike);
	t->c.aggressive = trial_pick(t, 4) == 0;
	t->c.fragmentation = (uint8_t)(1 + trial_pick(t, 2));
	t->c.fragmentsize = LIMIT_FRAGMENT_OCTETS_MIN;
	if (t->c.aggressive)		/* the first message needs some when they are forced, and nobody has agreed to them */
		t->c.fragmentation = IKE_FRAGMENTATION_YES;
}

/* What a datagram is, if it is a fragment. */
static bool is_fragment(struct span bytes, struct payload_FRAGMENT *out)
{
	static struct message m;
	struct fault f;

	if (!parse_header(bytes, 0, &m.header, &f) || m.header.np != PAYLOAD_TYPE_FRAGMENT ||
	    !parse_chain(&m, bytes, false, &f))
		return false;
	*out = m.payloads[0].u.FRAGMENT;
	return true;
}

struct watch {
	struct trial *t;
	unsigned seen;			/* fragments */
	unsigned longest;		/* datagram, in octets */
	unsigned lose;			/* last fragments that are still to be lost */
	struct buf header;		/* of the first fragment to b */
};

static bool pass(void *ctx, struct node *to, const struct endpoint *from, struct buf *datagram)
{
	struct watch *w = ctx;
	struct payload_FRAGMENT f;

	(void)from;
	if (datagram->n > w->longest)
		w->longest = (unsigned)datagram->n;
	if (!is_fragment(span_buf(*datagram), &f))
		return true;
	w->seen++;
	if (to == w->t->b && w->header.p == NULL)
		w->header = buf_copy(span_sub(span_buf(*datagram), 0, HEADER_SIZE));
	if ((f.flags & FRAGMENT_FLAGS_LAST) != 0 && w->lose > 0)
		return --w->lose, false;
	return true;
}

static void watch(struct trial *t, struct watch *w)
{
	w->t = t;
	world_middle(t->w, &(struct man_in_the_middle){ .ctx = w, .pass = pass });
}

void run_frag_negotiate(struct trial *t)
{
	static unsigned tried, lost;
	struct watch w = { 0 };

	begin(t);
	t->c.keyingtries = 6;
	trial_describe(t);
	watch(t, &w);
	world_faults(t->w, &faulty);
	node_initiate(t->a, "net");
	world_run(t->w, 400000);
	tried++;
	lost += t->a->last_status != WHACK_STATUS_SUCCESS;
	trial_expect(t, lost <= 1 + tried / 50, "%u of %u negotiations came to nothing", lost, tried);
	trial_expect(t, w.seen > 0, "nothing was sent in fragments");
	/* What is sent before anything is known of the peer may be longer. */
	trial_expect(t, t->c.aggressive || w.longest <= LIMIT_FRAGMENT_OCTETS_MIN, "a datagram of %u octets", w.longest);
	if (t->a->last_status == WHACK_STATUS_SUCCESS)
		trial_check_up(t);
	buf_free(&w.header);
}

/* The repetition of a message completes what a lost fragment left, and is answered like the message itself. */
void run_frag_lost(struct trial *t)
{
	struct watch w = { .lose = 1 + trial_pick(t, 2) };

	begin(t);
	trial_describe(t);
	watch(t, &w);
	node_initiate(t->a, "net");
	world_run(t->w, 100000);
	trial_expect(t, w.lose == 0, "nothing was lost");
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS, "ended with %u", t->a->last_status);
	trial_expect(t, node_serial(t->a) == 2, "took %llu exchanges", (unsigned long long)node_serial(t->a));
	trial_check_up(t);
	buf_free(&w.header);
}

/* ---- forged ones -------------------------------------------------------------- */

static void forge_from(struct trial *t, const struct endpoint *from, struct span header, uint16_t id, unsigned number, bool last,
		       size_t octets)
{
	static uint8_t bytes[1500], data[1400];
	struct writer w = writer_on(bytes, sizeof(bytes));
	struct emit_FRAGMENT f = { .id = id, .number = (uint8_t)number, .data = span_of(data, octets),
				   .flags = last ? FRAGMENT_FLAGS_LAST : 0 };

	data[0] = (uint8_t)world_random(t->w);
	put_bytes(&w, header);
	emit_FRAGMENT(&w, PAYLOAD_TYPE_NONE, &f);
	patch_u32(&w, HEADER_OFFSET_LENGTH, (uint32_t)w.n);
	world_inject(t->w, t->b, from, writer_span(&w));
}

static void forge(struct trial *t, struct span header, uint16_t id, unsigned number, bool last, size_t octets)
{
	struct endpoint from = { .addr = t->a->addr, .port = LIMIT_IKE_PORT };

	forge_from(t, &from, header, id, number, last, octets);
}

/* Every number, in any order, doubled, with several ends, of several messages, too long: nothing comes of it, nothing
 * is kept for long, and the real messages get through. */
void run_frag_hostile(struct trial *t)
{
	struct watch w = { 0 };
	uint8_t unknown[HEADER_SIZE];

	begin(t);
	t->c.aggressive = false;	/* its initiator has nothing long to send */
	trial_describe(t);
	watch(t, &w);
	node_initiate(t->a, "net");
	world_run(t->w, 2000);
	if (!trial_expect(t, w.header.p != NULL, "no fragment was sent"))
		return;
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS, "ended with %u", t->a->last_status);
	size_t timers = node_holdings(t->b).timers, exchanges = node_holdings(t->b).exchanges;

	for (unsigned i = 0; i < 600; i++)
		forge(t, span_buf(w.header), (uint16_t)(1 + trial_pick(t, 2)), trial_pick(t, 256), trial_pick(t, 8) == 0,
		      1 + trial_pick(t, 1400));
	world_run(t->w, 100);
	trial_expect(t, node_said(t->b, "fragment_refused"), "every fragment was taken");
	trial_expect(t, node_holdings(t->b).timers <= timers + 1, "%zu timers", node_holdings(t->b).timers);
	trial_expect(t, node_holdings(t->b).exchanges == exchanges, "%zu exchanges", node_holdings(t->b).exchanges);
	for (unsigned i = 1; i <= LIMIT_FRAGMENTS; i++)		/* too long altogether */
		forge(t, span_buf(w.header), 77, i, false, 1400);
	memcpy(unknown, w.header.p, HEADER_SIZE);
	unknown[HEADER_OFFSET_RCOOKIE] ^= 1;
	unknown[HEADER_OFFSET_ICOOKIE] ^= 1;
	t->b->sent = 0;
	for (unsigned i = 1; i < 256; i++)
		forge(t, span_of(unknown, sizeof(unknown)), 1, i, i == 255, 100);
	world_run(t->w, 100);
	trial_expect(t, t->b->sent == 0, "%zu answers to forged fragments", t->b->sent);
	world_run(t->w, TIMER_FRAGMENTS_MS[0] + 1000);
	trial_expect(t, node_said(t->b, "fragments_missing"), "what is not complete is kept");
	node_terminate(t->a, "net");
	world_run(t->w, 5000);
	for (unsigned i = 0; i < 50; i++)
		forge(t, span_buf(w.header), (uint16_t)i, 1 + trial_pick(t, 255), trial_pick(t, 2) == 0, 10);
	node_initiate(t->a, "net");
	world_run(t->w, 100000);
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS, "afterwards: %u", t->a->last_status);
	trial_check_up(t);
	buf_free(&w.header);
}

/* The first message comes from so many addresses, and from each a fragment of a second one that never gets complete. */
void run_frag_many(struct trial *t)
{
	struct control_connection road;
	struct tape tape;
	struct watch w = { 0 };
	struct endpoint from = { .addr = { .len = 4, .b = { 10, 1, 0, 1 } }, .port = LIMIT_IKE_PORT };
	uint8_t header[HEADER_SIZE];
	const struct engine *e = t->b->ike->engine;

	begin(t);
	t->c.aggressive = false;
	t->c.fragmentation = IKE_FRAGMENTATION_YES;
	road = t->c;
	road.left.host = (struct ip_addr){ 0 };
	node_connection(t->a, &t->c);
	node_connection(t->b, &road);
	node_listen(t->a);
	node_listen(t->b);
	tape_start(t, &tape);
	node_initiate(t->a, "net");
	world_step(t->w, 1);
	watch(t, &w);
	world_run(t->w, 2000);
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS, "ended with %u", t->a->last_status);
	if (!trial_expect(t, w.header.p != NULL && tape.n > 0, "no message to forge"))
		return;
	for (unsigned i = 0; i < LIMIT_FRAGMENT_SETS + 20; i++) {
		from.addr.b[2] = (uint8_t)(i >> 8);
		from.addr.b[3] = (uint8_t)i;
		tape.at[0].bytes.p[0] = (uint8_t)(i >> 8);
		tape.at[0].bytes.p[1] = (uint8_t)i;
		world_inject(t->w, t->b, &from, span_buf(tape.at[0].bytes));
		world_run(t->w, 10);
	}
	for (const struct exchange *x = engine_first(t->b->ike->engine); x != NULL; x = engine_next((struct exchange *)x)) {
		memcpy(header, w.header.p, HEADER_SIZE);
		memcpy(header, x->cookies, sizeof(x->cookies));
		if (!exchange_final(x))
			forge_from(t, &x->remote, span_of(header, HEADER_SIZE), 1, 1, false, 100);
	}
	world_run(t->w, 100);
	trial_expect(t, e->fragment_sets == LIMIT_FRAGMENT_SETS && node_said(t->b, "too_many_fragment_sets"),
		     "%zu messages are being put together: %s", e->fragment_sets, t->b->refusal);
	world_run(t->w, TIMER_FRAGMENTS_MS[0] + 1000);
	trial_expect(t, e->fragment_sets == 0, "%zu messages are kept", e->fragment_sets);
	node_initiate(t->a, "net");
	world_run(t->w, 100000);
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS, "afterwards: %u", t->a->last_status);
	buf_free(&w.header);
	tape_free(&tape);
}
