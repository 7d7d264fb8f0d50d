/* odd.c -- peers whose messages are unlike ours: what is allowed comes up, the rest is refused with its reason. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "generated/limits.h"
#include "ike/internal.h"
#include "odd.h"

#define HEADER 28

static void grow(struct buf *b, size_t more)
{
	struct buf n = buf_new(b->n + more);

	memcpy(n.p, b->p, b->n);
	buf_free(b);
	*b = n;
}

/* Vendor IDs that nobody knows, after the last payload. */
static void add_vendors(struct buf *b, unsigned n)
{
	size_t at = HEADER, end = b->n;
	uint8_t *np = &b->p[16];
	uint32_t length;

	while (*np != 0 && at + 4 <= end) {
		np = &b->p[at];
		at += get_u16(b->p + at + 2);
	}
	*np = PAYLOAD_TYPE_VID;
	grow(b, 20u * n);
	for (unsigned i = 0; i < n; i++) {
		uint8_t *v = b->p + end + 20u * i;

		memset(v, (int)(0x40 + i), 20);
		v[0] = i + 1 < n ? PAYLOAD_TYPE_VID : 0;
		v[1] = v[2] = 0;
		v[3] = 20;
	}
	length = (uint32_t)b->n;
	for (unsigned i = 0; i < 4; i++)
		b->p[24 + i] = (uint8_t)(length >> (24 - 8 * i));
}

static void rewrite_payloads(struct buf *datagram)
{
	struct buf n = buf_new(datagram->n + 512);
	struct writer w = writer_on(n.p, n.n);

	memcpy(n.p, datagram->p, HEADER);
	odd_payloads(span_buf(*datagram), &w);
	buf_free(datagram);
	*datagram = buf_copy(writer_span(&w));
	buf_free(&n);
}

/* What is encrypted has been made odd before (odd_peer.c). */
bool odd_rewrite(void *ctx, struct node *to, const struct endpoint *from, struct buf *datagram)
{
	struct odd *odd = ctx;
	bool clear = (datagram->p[19] & 1) == 0;

	(void)to;
	(void)from;
	if (!clear)
		return true;
	if (odd_in_payloads(odd->what)) {
		rewrite_payloads(datagram);
	} else if (odd->what == ODD_RESERVED) {
		datagram->p[HEADER + 1] = 0x5a;		/* of the first payload */
		odd->done++;
	} else if (odd->what == ODD_VENDORS) {
		add_vendors(datagram, LIMIT_PAYLOADS_PER_MESSAGE - 20);
		odd->done++;
	}
	return true;
}

void odd_initiate(struct trial *t, struct odd *odd)
{
	odd_peer = odd;
	world_middle(t->w, &(struct man_in_the_middle){ .ctx = odd, .pass = odd_rewrite });
	node_initiate(t->a, "net");
	world_run(t->w, 60000);
}

void odd_over(struct trial *t)
{
	odd_peer = NULL;
	world_middle(t->w, &(struct man_in_the_middle){ 0 });
}

static void comes_up(struct trial *t, struct odd *odd, unsigned least)
{
	odd_initiate(t, odd);
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS, "ended with %u: %s (west: %s)", t->a->last_status,
		     t->a->answer, t->b->refusal);
	trial_expect(t, odd->done >= least, "%u messages were odd", odd->done);
	trial_check_up(t);
	odd_over(t);
}

/* West says why, in these words; east does not come up. */
static void is_refused(struct trial *t, struct odd *odd, const char *reason, const char *words)
{
	odd_initiate(t, odd);
	trial_expect(t, t->a->last_status != WHACK_STATUS_SUCCESS, "came up");
	trial_expect(t, odd->done > 0, "nothing was odd");
	trial_expect(t, node_said(t->b, reason) && strstr(t->b->refusal, words) != NULL, "west does not say %s but: %s", words,
		     t->b->refusal);
	trial_expect(t, node_sas(t->a, 1) + node_sas(t->b, 1) == 0, "there are SAs");
	node_terminate(t->a, "net");
	world_run(t->w, 1000);
	odd_over(t);
}

static void negotiate(struct trial *t, enum oddity what, unsigned least)
{
	struct odd odd = { .what = what };

	trial_draw(t);
	trial_describe(t);
	comes_up(t, &odd, least);
}

void run_odd_vendors(struct trial *t)
{
	negotiate(t, ODD_VENDORS, 4);
}

void run_odd_reserved(struct trial *t)
{
	negotiate(t, ODD_RESERVED, 4);
}

void run_odd_order(struct trial *t)
{
	t->c.aggressive = trial_pick(t, 4) == 0;
	negotiate(t, ODD_ORDER, 6);
}

void run_odd_notifications(struct trial *t)
{
	t->c.aggressive = trial_pick(t, 4) == 0;
	negotiate(t, ODD_NOTIFICATIONS, 6);
}

void run_odd_requests(struct trial *t)
{
	t->c.aggressive = trial_pick(t, 4) == 0;
	negotiate(t, ODD_REQUESTS, 3);
}

/* With a preshared key a certificate has no place. */
void run_odd_certificate(struct trial *t)
{
	struct odd odd = { .what = ODD_CERTIFICATE };

	trial_describe(t);
	is_refused(t, &odd, "shape_refused", "MI3: ISAKMP_NEXT_CERT is out of place; expected the end of the message");
}

void run_odd_padding(struct trial *t)
{
	negotiate(t, trial_pick(t, 2) == 0 ? ODD_PADDING_BLOCK : ODD_PADDING_LENGTH, 5);
}

/* Several transforms, of which west takes one; their numbers say nothing. */
void run_odd_numbers(struct trial *t)
{
	static const char *const esp[] = { "aes128-sha1", "aes256-sha512", "3des-md5", "aes128gcm16" };
	static const char *const ike[] = { "aes128-sha1-modp768", "aes256-sha512-modp768", "3des-md5-modp768" };
	struct odd odd = { .what = trial_pick(t, 2) == 0 ? ODD_NUMBERS : ODD_SAME_NUMBERS };

	t->c.encrypt = true;
	t->c.compress = trial_pick(t, 2) == 0;
	t->c.esp = span_str("aes128-sha1,aes256-sha512,3des-md5,aes128gcm16");
	t->c.ike = span_str("aes128-sha1-modp768,aes256-sha512-modp768,3des-md5-modp768");
	node_connection(t->a, &t->c);
	t->c.esp = span_str(esp[trial_pick(t, 4)]);
	t->c.ike = span_str(ike[trial_pick(t, 3)]);
	node_connection(t->b, &t->c);
	node_listen(t->a);
	node_listen(t->b);
	comes_up(t, &odd, 4);
}

void run_odd_bundles(struct trial *t)
{
	struct odd odd = { .what = ODD_BUNDLES };

	trial_draw(t);
	t->c.encrypt = t->c.authenticate = true;
	t->c.compress = false;
	trial_describe(t);
	comes_up(t, &odd, 2);
}

void run_odd_twice(struct trial *t)
{
	struct odd odd = { .what = ODD_TWICE };

	t->c.encrypt = true;
	trial_describe(t);
	is_refused(t, &odd, "protocol_twice", "proposal 1 has one protocol twice");
	trial_expect(t, t->a->status[WHACK_STATUS_NEGOTIATION_FAILED] > 0 || t->a->last_status == WHACK_STATUS_NEGOTIATION_FAILED,
		     "east ended with %u: %s", t->a->last_status, t->a->answer);
}

void run_odd_lives(struct trial *t)
{
	t->c.ikelifetime = 3600 + trial_pick(t, 2);
	negotiate(t, ODD_LONG_LIVES, 4);
}

/* Limits of seconds and of kilobytes stand beside each other; of each there may be one (RFC 2407 4.5). */
void run_odd_pairs(struct trial *t)
{
	struct odd odd = { .what = ODD_PAIRS_TWICE };

	if (t->seed % 4 != 0) {
		negotiate(t, ODD_PAIRS, 4);
		return;
	}
	trial_describe(t);
	is_refused(t, &odd, "attribute_twice", "is given a second time in one transform");
}

/* A proposal of phase 1 may have an SPI. */
void run_odd_spi(struct trial *t)
{
	struct odd odd = { .what = ODD_SPI, .protocol = (uint8_t)(1 + trial_pick(t, 16)) };

	trial_draw(t);
	trial_describe(t);
	comes_up(t, &odd, 2);
}

/* More than two blocks behind the last payload is no padding; the secrets have nothing to do with it. */
void run_odd_much(struct trial *t)
{
	struct odd odd = { .what = ODD_PADDING_MUCH };

	trial_describe(t);
	is_refused(t, &odd, "trailing_octets", "octets follow the end of payloads of message");
}

/* RFC 2407 4.6.2: UDP and 500, or nothing; some name UDP without a port.  Anything else ends the negotiation. */
void run_odd_id_port(struct trial *t)
{
	static const struct { uint8_t protocol; uint16_t port; const char *words; } odd[] = {
		{ IP_PROTOCOL_UDP, LIMIT_IKE_PORT, NULL }, { IP_PROTOCOL_UDP, 0, NULL },
		{ IP_PROTOCOL_UDP, 501, "port at octet 34 is 501" }, { IP_PROTOCOL_TCP, LIMIT_IKE_PORT, "protocol at octet 33 is 6" },
		{ 0, LIMIT_IKE_PORT, "port at octet 34 is 500" },
	};
	unsigned which = (unsigned)t->seed % 5;
	struct odd o = { .what = ODD_ID_PORT, .protocol = odd[which].protocol, .port = odd[which].port };

	trial_draw(t);
	trial_describe(t);
	if (odd[which].words == NULL)
		comes_up(t, &o, 2);
	else
		is_refused(t, &o, "shape_where", odd[which].words);
}

void run_odd_no_clients(struct trial *t)
{
	struct odd odd = { .what = ODD_NO_CLIENTS };

	struct control_connection c = t->c;

	trial_draw(t);
	t->c.left.client = c.left.client;
	t->c.right.client = c.right.client;
	t->c.tunnel = true;
	trial_describe(t);
	comes_up(t, &odd, 1);
}

/* A peer that has restarted and says so only when phase 1 is over. */
void run_odd_contact(struct trial *t)
{
	struct odd odd = { .what = ODD_LATE_CONTACT };
	struct emit_N n = { .doi = DOI_ID_IPSEC, .protocol = PROTOCOL_ID_ISAKMP, .type = NOTIFY_TYPE_INITIAL_CONTACT };
	struct out_INF out = { .N = &n, .n_N = 1 };
	struct exchange *x;
	unsigned protocols;

	trial_draw(t);
	protocols = trial_protocols(t);
	trial_describe(t);
	comes_up(t, &odd, 1);
	node_restart(t->a);
	node_connection(t->a, &t->c);
	node_listen(t->a);
	comes_up(t, &odd, 2);
	trial_expect(t, node_sas(t->b, false) == 2 * protocols, "west has %u SAs before it is told", node_sas(t->b, false));
	for (x = engine_first(t->a->ike->engine); x != NULL && (x->machine->phase != 1 || !exchange_final(x));)
		x = engine_next(x);
	if (!trial_expect(t, x != NULL, "no ISAKMP SA"))
		return;
	if (trial_pick(t, 2) == 0)
		n.spi = span_of(x->cookies, sizeof(x->cookies));
	engine_send_oneway(t->a->ike->engine, world_now(t->w), x, &oneway_informational, &message_INF, &out);
	world_run(t->w, 1000);
	trial_check_up(t);
	trial_check_twins(t);
	trial_expect(t, node_sas(t->b, false) == protocols, "west has %u SAs, not %u", node_sas(t->b, false), protocols);
}

/* One that restarts in the very second in which we have brought up SAs, does not say so, and begins itself: that is no crossing of
 * two that began at once, and what only one end has carries nothing from then on. */
void run_odd_restart(struct trial *t)
{
	struct odd odd = { .what = ODD_LATE_CONTACT };

	trial_draw(t);
	trial_describe(t);
	node_initiate(t->b, "net");
	world_run(t->w, 100 + trial_pick(t, 400));
	node_restart(t->a);
	node_connection(t->a, &t->c);
	node_listen(t->a);
	comes_up(t, &odd, 1);
}
