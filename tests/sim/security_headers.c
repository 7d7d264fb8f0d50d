/* security_headers.c -- attacks on headers: message IDs, cookies, types and addresses that are forged, repeated or late. */
#include "security.h"

/* ---- B9: message IDs ------------------------------------------------------- */

void b9_message_ids_are_used_once(struct trial *t)
{
	struct arena *a = arena_new();
	uint8_t d[DATAGRAM_MAX], body[64] = { 0 };
	struct emit_N word = { .doi = DOI_ID_IPSEC, .protocol = PROTOCOL_ID_ISAKMP, .type = NOTIFY_TYPE_CONNECTED };
	struct out_INF told = { .N = &word, .n_N = 1 };
	struct out_QI1 out;
	unsigned added;

	trial_describe(t);
	if (!bring_up(t))
		return;
	for (unsigned i = 0; i < 2; i++) {
		hostile_informational_as(t, t->a, 4710, &told);
		trial_expect(t, node_said(t->b, "msgid_replayed") == (i == 1), "word %u with ID 4710", i);
	}
	for (unsigned i = 0; i < 6; i++) {
		/* Twice the same ID with other content, thrice the ID zero. */
		uint32_t msgid = i < 3 ? 4711 : 0;

		added = t->b->added;
		offer_of(t, a, t->a, 5000 + i, &out);
		hostile_quick(t, t->a, msgid, &out);
		world_run(t->w, 100);
		trial_expect(t, (t->b->added > added) == (i == 0), "Quick Mode %u with ID %u %s SAs", i, msgid,
			     i == 0 ? "makes no" : "makes");
		if (i == 1)			/* the first one is forgotten, its ID is not */
			world_run(t->w, 100000);
	}
	/* Whatever comes late for it is not even decrypted, so it is no garbage that the peer would be told of. */
	size_t sent = t->b->sent;

	give_as_peer(t, t->b, span_of(d, make_message(d, isakmp_sa(t->b)->cookies, EXCHANGE_TYPE_QUICK, 1, 4711,
						      PAYLOAD_TYPE_HASH, body, sizeof(body))));
	world_run(t->w, 100);
	trial_expect(t, t->b->sent == sent && node_said(t->b, "msgid_replayed"), "it was taken for a beginning");
	arena_free(a);
}

/* Who knows the cookies but not the keys cannot use up the IDs, nor make us talk. */
void b9_garbage_uses_no_message_ids(struct trial *t)
{
	uint8_t d[DATAGRAM_MAX], body[64];
	size_t sent;

	trial_describe(t);
	if (!bring_up(t))
		return;
	sent = t->b->sent;
	for (unsigned i = 0; i < 3 * LIMIT_MSGIDS; i++) {
		for (unsigned k = 0; k < sizeof(body); k++)
			body[k] = (uint8_t)trial_pick(t, 256);
		give_as_peer(t, t->b, span_of(d, make_message(d, isakmp_sa(t->b)->cookies,
			     i % 4 == 0 ? EXCHANGE_TYPE_INFORMATIONAL : EXCHANGE_TYPE_QUICK, 1, 1 + i, PAYLOAD_TYPE_HASH, body, 64)));
	}
	trial_expect(t, t->b->sent - sent <= 2 * LIMIT_RESENDS, "%zu answers to garbage", t->b->sent - sent);
	world_run(t->w, 1000);
	trial_check_up(t);
	for (unsigned i = 0; i < 2; i++) {
		unsigned added = t->b->added;

		node_initiate(i == 0 ? t->a : t->b, "net");
		world_run(t->w, 1000);
		trial_expect(t, t->b->added > added, "no Quick Mode after garbage, begun by %s", i == 0 ? "the peer" : "us");
	}
}

/* ---- B11, B12, B13: headers that are changed on the way ---------------------- */

struct forger {
	struct trial *t;
	unsigned what;
	unsigned forged;
};

/* Before each genuine datagram come forged ones. */
static bool forge(void *ctx, struct node *to, const struct endpoint *from, struct buf *d)
{
	struct forger *f = ctx;
	static const uint8_t types[] = { 0, 1, 3, 4, 5, 6, 32, 33, 2 };
	uint8_t p[DATAGRAM_MAX];
	struct writer w = writer_on(p, d->n);
	uint8_t flags = d->p[HEADER_OFFSET_FLAGS], type = d->p[HEADER_OFFSET_XCHG];

	w.n = d->n;
	for (unsigned i = 0; i < 9; i++) {
		memcpy(p, d->p, d->n);
		if (f->what == 12 && types[i] != type)
			patch_u8(&w, HEADER_OFFSET_XCHG, types[i]);
		else if (f->what == 12)
			patch_u8(&w, HEADER_OFFSET_ICOOKIE + i % 8, (uint8_t)(p[i % 8] + 1));
		else if (f->what == 13)
			patch_u8(&w, HEADER_OFFSET_FLAGS, (uint8_t)((flags ^ 1) | (i % 4) << 1));
		else if (p[HEADER_OFFSET_FLAGS] % 2 == 1)	/* 9: the cipher text of what a hash covers */
			p[HEADER_SIZE + (i * 37) % 44] ^= (uint8_t)(1u << i % 8);
		else
			continue;
		f->forged++;
		world_inject(f->t->w, to, from, span_of(p, d->n));
	}
	return true;
}

static void negotiate_with(struct trial *t, unsigned what)
{
	struct forger f = { .t = t, .what = what };

	trial_describe(t);
	world_middle(t->w, &(struct man_in_the_middle){ .ctx = &f, .pass = forge });
	node_initiate(t->a, "net");
	world_run(t->w, 3000);
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS, "forged headers keep a negotiation from success: %u",
		     t->a->last_status);
	trial_expect(t, t->a->status[WHACK_STATUS_RETRANSMISSION] == 0, "something had to be sent again");
	trial_expect(t, f.forged > 20, "only %u were forged", f.forged);
	world_middle(t->w, &(struct man_in_the_middle){ 0 });
	world_run(t->w, 70000);
	trial_check_up(t);
	trial_check_twins(t);
	trial_expect(t, node_holdings(t->b).exchanges <= 2, "%zu exchanges are left", node_holdings(t->b).exchanges);
}

void b13_protection_is_that_of_the_row(struct trial *t)
{
	negotiate_with(t, 13);
}

void d9_garbage_moves_no_iv(struct trial *t)
{
	negotiate_with(t, 9);
}

static bool from_elsewhere(void *ctx, struct node *to, const struct endpoint *from, struct buf *d)
{
	struct forger *f = ctx;
	struct endpoint others[3] = { *from, *from, *from };

	others[0].port = 501;
	others[1].addr.b[3] = 77;
	others[2].addr.b[0] = 10;
	for (unsigned i = 0; i < 3; i++) {
		struct picture before = look(to), now;

		give(f->t, to, &others[i], span_buf(*d));
		now = look(to);
		/* The very first message is as good from another port: it begins a negotiation with whoever is there. */
		if (!same(&before, &now) && get_u64(d->p + HEADER_OFFSET_RCOOKIE) != 0)
			trial_expect(f->t, false, "%s takes a datagram from another address or port", to->name);
		f->forged++;
	}
	return true;
}

void b12_other_addresses(struct trial *t)
{
	struct forger f = { .t = t };

	trial_describe(t);
	world_middle(t->w, &(struct man_in_the_middle){ .ctx = &f, .pass = from_elsewhere });
	bring_up(t);
	trial_expect(t, f.forged > 20, "only %u were forged", f.forged);
	node_initiate(t->a, "net");
	world_run(t->w, 2000);
	node_terminate(t->a, "net");
	world_run(t->w, 2000);
	trial_expect(t, t->a->status[WHACK_STATUS_RETRANSMISSION] == 0, "something had to be sent again");
	world_middle(t->w, &(struct man_in_the_middle){ 0 });
	world_run(t->w, 100000);
}

/* The second message of an initiator that does not know our cookie proves nothing. */
static bool forget_cookie(void *ctx, struct node *to, const struct endpoint *from, struct buf *d)
{
	(void)to;
	(void)from;
	if (get_u64(d->p + HEADER_OFFSET_RCOOKIE) == 0 || to != ((struct trial *)ctx)->b)
		return true;
	memset(d->p + HEADER_OFFSET_RCOOKIE, 0, 8);
	return true;
}

void b12_cookies_and_types_change(struct trial *t)
{
	struct exchange *x;

	trial_describe(t);
	world_middle(t->w, &(struct man_in_the_middle){ .ctx = t, .pass = forget_cookie });
	node_initiate(t->a, "net");
	world_run(t->w, 3000);
	x = unfinished(t->b);
	trial_expect(t, x != NULL && x->state->id == STATE_MAIN_R1 && x->parked == NULL && !x->proven,
		     "a message without our cookie was taken");
	node_terminate(t->a, "net");
	world_run(t->w, 70000);
	negotiate_with(t, 12);
}
