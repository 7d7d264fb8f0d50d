/* aggressive.c -- Aggressive Mode over a bad network, with forged answers, and where it must not come about. */
#include "generated/payloads.h"
#include "trial.h"

static bool is_aggressive(struct span bytes, struct header *h)
{
	struct fault f;

	return parse_header(bytes, 0, h, &f) && h->xchg == EXCHANGE_TYPE_AGGRESSIVE;
}

static void begin(struct trial *t)
{
	trial_draw(t);
	t->c.aggressive = true;
}

void run_aggr_negotiate(struct trial *t)
{
	static unsigned tried, lost;

	begin(t);
	trial_describe(t);
	world_faults(t->w, &faulty);
	node_initiate(t->a, "net");
	world_run(t->w, 300000);
	trial_expect(t, node_holdings(t->a).unfinished == 0, "whack was not told");
	tried++;
	if (t->a->last_status == WHACK_STATUS_SUCCESS) {
		trial_check_up(t);
		return;
	}
	lost++;
	trial_expect(t, lost <= 1 + tried / 200, "%u of %u negotiations came to nothing", lost, tried);
}

/* ---- somebody on the path --------------------------------------------------- */

struct meddler {
	struct trial *t;
	unsigned lose;			/* third messages that are still to be lost */
	unsigned forge;			/* second messages that a changed copy overtakes */
};

/* NAT-D payloads are covered by no hash (RFC 3947 7): whoever changes them makes both ends use UDP. */
static bool says_of_nats(struct span bytes, size_t at)
{
	uint8_t np = bytes.p[HEADER_OFFSET_NP];

	for (size_t from = HEADER_SIZE, n; from + 4 <= bytes.n && np != 0; from += n) {
		n = get_u16(bytes.p + from + 2);
		if (at >= from && at < from + n)
			return np == PAYLOAD_TYPE_NATD;
		np = bytes.p[from];
	}
	return false;
}

static bool meddle(void *ctx, struct node *to, const struct endpoint *from, struct buf *datagram)
{
	struct meddler *m = ctx;
	struct span bytes = span_buf(*datagram);
	struct header h;

	if (!is_aggressive(bytes, &h))
		return true;
	if (to == m->t->b && get_u64(h.rcookie.p) != 0 && m->lose > 0)
		return --m->lose, false;
	if (to == m->t->a && m->forge > 0) {
		struct buf copy = buf_copy(bytes);
		size_t at;

		m->forge--;
		do
			at = HEADER_SIZE + trial_pick(m->t, (unsigned)(bytes.n - HEADER_SIZE));
		while (says_of_nats(bytes, at));
		copy.p[at] ^= (uint8_t)(1u << trial_pick(m->t, 8));
		world_inject(m->t->w, to, from, span_buf(copy));
		buf_free(&copy);
	}
	return true;
}

/* The initiator is done when it has sent its last message: if that is lost the responder asks for it. */
void run_aggr_last_lost(struct trial *t)
{
	struct meddler m = { .t = t, .lose = 1 + trial_pick(t, 2) };

	begin(t);
	trial_describe(t);
	world_middle(t->w, &(struct man_in_the_middle){ .ctx = &m, .pass = meddle });
	node_initiate(t->a, "net");
	world_run(t->w, 120000);
	trial_expect(t, m.lose == 0, "nothing was lost");
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS, "ended with %u", t->a->last_status);
	trial_expect(t, node_serial(t->a) == 2, "took %llu exchanges", (unsigned long long)node_serial(t->a));
	trial_check_up(t);
}

/* An answer proves itself by what is in it, so a forged one is no harm: the right one still counts. */
void run_aggr_forged(struct trial *t)
{
	struct meddler m = { .t = t, .forge = 1 + trial_pick(t, 2) };

	begin(t);
	trial_describe(t);
	world_middle(t->w, &(struct man_in_the_middle){ .ctx = &m, .pass = meddle });
	node_initiate(t->a, "net");
	world_run(t->w, 120000);
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS, "ended with %u", t->a->last_status);
	trial_expect(t, node_serial(t->a) == 2, "took %llu exchanges", (unsigned long long)node_serial(t->a));
	trial_check_up(t);
}

/* ---- what must not come about ------------------------------------------------- */

static void refused(struct trial *t, const struct node *by, const char *reason)
{
	node_listen(t->a);
	node_listen(t->b);
	node_initiate(t->a, "net");
	world_run(t->w, 400000);
	trial_expect(t, node_said(by, reason), "%s did not say %s", by->name, reason);
	trial_expect(t, t->a->added + t->b->added == 0, "SAs in spite of %s", reason);
	trial_expect(t, t->a->last_status >= WHACK_STATUS_RETRANSMISSION && node_holdings(t->a).unfinished == 0,
		     "the initiator was told %u", t->a->last_status);
	trial_expect(t, node_holdings(t->a).exchanges + node_holdings(t->b).exchanges == 0, "exchanges are left");
}

void run_aggr_refused(struct trial *t)
{
	struct control_connection other;

	begin(t);
	other = t->c;
	switch (t->seed % 3) {
	case 0:
		other.aggressive = false;
		node_connection(t->a, &t->c);
		node_connection(t->b, &other);
		refused(t, t->b, "aggressive_forbidden");
		return;
	case 1:
		other.left.id = span_str("@stranger.example");
		node_connection(t->a, &other);
		node_connection(t->b, &t->c);
		refused(t, t->b, "id_mismatch");
		return;
	default:
		t->b->secret = "another secret";
		node_connection(t->a, &t->c);
		node_connection(t->b, &t->c);
		refused(t, t->a, "psk_mismatch");
		trial_expect(t, t->a->last_status == WHACK_STATUS_NEGOTIATION_FAILED, "wrong secret: %u",
			     t->a->last_status);
	}
}

/* First messages cost the responder a computation: only so many are under way, and each is answered once. */
void run_aggr_flood(struct trial *t)
{
	struct endpoint from = { .addr = t->a->addr, .port = LIMIT_IKE_PORT };
	struct tape tape;
	struct buf forged;

	begin(t);
	trial_describe(t);
	tape_start(t, &tape);
	t->b->deaf = true;
	node_initiate(t->a, "net");
	t->b->deaf = false;
	world_run(t->w, 100);
	node_terminate(t->a, "net");
	world_run(t->w, 100000);
	if (!trial_expect(t, tape.n > 0, "no first message")) {
		tape_free(&tape);
		return;
	}
	forged = buf_copy(span_buf(tape.at[0].bytes));
	t->b->sent = 0;
	for (unsigned i = 0; i < 1000; i++) {
		forged.p[0] = (uint8_t)i;
		forged.p[1] = (uint8_t)(i >> 8);
		world_inject(t->w, t->b, &from, span_buf(forged));
	}
	world_run(t->w, 50000);
	trial_expect(t, node_said(t->b, "too_many_first_jobs"), "a flood was computed on without end");
	trial_expect(t, t->b->sent > 0 && t->b->sent <= LIMIT_FIRST_JOBS, "%zu answers to 1000 forged messages",
		     t->b->sent);
	trial_expect(t, node_holdings(t->b).half_open <= LIMIT_HALF_OPEN_SOURCE, "%zu are half open",
		     node_holdings(t->b).half_open);
	world_middle(t->w, &(struct man_in_the_middle){ 0 });
	world_run(t->w, 100000);
	node_initiate(t->a, "net");
	world_run(t->w, 60000);
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS, "after the flood: %u", t->a->last_status);
	buf_free(&forged);
	tape_free(&tape);
}
