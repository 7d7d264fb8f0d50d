/* alive.c -- is the peer there?  Dead peer detection, INITIAL-CONTACT, and what nobody has proved. */
#include "generated/limits.h"
#include "generated/payloads.h"
#include "ike/internal.h"
#include "trial.h"

#define SECONDS(n) ((uint64_t)(n) * 1000)
#define DELAY 30
#define TIMEOUT 120

/* ---- dead peer detection --------------------------------------------------- */

/* East asks; west answers only. */
static void watched(struct trial *t, bool both, uint8_t action)
{
	struct control_connection c = t->c;

	c.dpddelay = DELAY;
	c.dpdtimeout = TIMEOUT;
	c.dpdaction = action;
	node_connection(t->a, &c);
	node_connection(t->b, both ? &c : &t->c);
	node_listen(t->a);
	node_listen(t->b);
	node_initiate(t->a, "net");
	world_run(t->w, 1000);
	trial_check_up(t);
}

/* Every question is answered: nothing is lost, not more is asked than the delay allows. */
void run_dpd_alive(struct trial *t)
{
	bool both = trial_pick(t, 2) == 0;
	size_t sent;

	trial_draw(t);
	t->c.ikelifetime = 28800;
	watched(t, both, DEAD_PEER_ACTION_CLEAR);
	sent = t->a->sent + t->b->sent;
	world_run(t->w, SECONDS(3600));
	sent = t->a->sent + t->b->sent - sent;
	trial_check_up(t);
	trial_expect(t, t->a->lost_cover + t->b->lost_cover == 0, "traffic lost its SA");
	trial_expect(t, sent >= 2 * 3600 / DELAY * 8 / 10 && sent <= (both ? 4u : 2u) * 3600 / DELAY + 4,
		     "%zu datagrams in an hour of silence", sent);
}

/* What sends ESP is not asked, even when the ISAKMP SA that made the IPsec SAs has been replaced. */
void run_dpd_traffic(struct trial *t)
{
	size_t sent = 0;

	t->c.left.client = t->c.right.client = (struct subnet){ 0 };
	t->c.tunnel = true;
	watched(t, false, DEAD_PEER_ACTION_CLEAR);
	for (unsigned s = 0; s < 4 * 3600; s += 10) {
		size_t before = t->a->sent, mains = t->b->sent;

		trial_expect(t, node_traffic(t->b, "192.0.2.1/32", t->a, 1), "traffic does not arrive");
		world_run(t->w, SECONDS(10));
		if (t->b->sent - mains <= 1)		/* else a negotiation */
			sent += t->a->sent - before;
	}
	trial_expect(t, sent <= 6, "%zu questions to a peer that sends", sent);
	trial_check_up(t);
}

/* Most questions are lost, and the peer is still not dead. */
void run_dpd_lost(struct trial *t)
{
	trial_draw(t);
	t->c.ikelifetime = 28800;
	watched(t, trial_pick(t, 2) == 0, DEAD_PEER_ACTION_CLEAR);
	for (unsigned i = 0; i < 20; i++) {
		t->b->deaf = true;
		world_run(t->w, SECONDS(TIMEOUT * 3 / 4));
		t->b->deaf = false;
		world_run(t->w, SECONDS(TIMEOUT / 2));
		trial_expect(t, t->a->lost_cover == 0, "round %u: a lost question killed the peer", i);
	}
	trial_check_up(t);
}

static bool trapped(const struct node *n)
{
	return n->eroutes != NULL && n->eroutes->e.kind == EROUTE_TRAP;
}

/* The peer is gone for good, or for a while. */
void run_dpd_dead(struct trial *t)
{
	static const uint8_t actions[] = { DEAD_PEER_ACTION_CLEAR, DEAD_PEER_ACTION_HOLD,
					   DEAD_PEER_ACTION_RESTART };
	uint8_t action = actions[t->seed % 3];

	trial_draw(t);
	t->c.keyingtries = 0;
	watched(t, false, action);
	t->b->deaf = t->a->deaf = true;
	world_run(t->w, SECONDS(DELAY + TIMEOUT - 5));
	trial_expect(t, t->a->lost_cover == 0 && trial_outbound(t, t->a) != NULL, "buried too early");
	world_run(t->w, SECONDS(DELAY + TIMEOUT / 5 + 5));
	trial_expect(t, node_holdings(t->a).sas == 0, "%zu SAs with a dead peer", node_holdings(t->a).sas);
	trial_expect(t, action == DEAD_PEER_ACTION_CLEAR ? t->a->eroutes == NULL : trapped(t->a),
		     "the wrong eroute after the death of the peer (action %u)", action);
	trial_expect(t, (node_holdings(t->a).exchanges > 0) == (action == DEAD_PEER_ACTION_RESTART),
		     "%zu exchanges after the death of the peer", node_holdings(t->a).exchanges);
	node_restart(t->b);
	node_connection(t->b, &t->c);
	node_listen(t->b);
	t->b->deaf = t->a->deaf = false;
	world_run(t->w, SECONDS(60));
	trial_expect(t, (trial_outbound(t, t->a) != NULL) == (action == DEAD_PEER_ACTION_RESTART),
		     "the peer is back: action %u", action);
	if (action == DEAD_PEER_ACTION_RESTART) {
		trial_check_up(t);
		trial_check_twins(t);
	}
}

/* Takes the vendor IDs out of a first message and its answer, in which they stand behind the SA. */
static bool strip(void *ctx, struct node *to, const struct endpoint *from, struct buf *d)
{
	struct writer w = writer_on(d->p, d->n);
	size_t sa;

	(void)ctx;
	(void)to;
	(void)from;
	if (d->n < HEADER_SIZE + GENERIC_SIZE || d->p[HEADER_OFFSET_NP] != PAYLOAD_TYPE_SA)
		return true;
	sa = get_u16(d->p + HEADER_SIZE + 2);
	w.n = d->n;
	patch_u8(&w, HEADER_SIZE, PAYLOAD_TYPE_NONE);
	patch_u32(&w, HEADER_OFFSET_LENGTH, (uint32_t)(HEADER_SIZE + sa));
	d->n = HEADER_SIZE + sa;
	return true;
}

void run_dpd_unable(struct trial *t)
{
	size_t sent;

	t->c.ikelifetime = 28800;
	world_middle(t->w, &(struct man_in_the_middle){ .pass = strip });
	watched(t, true, DEAD_PEER_ACTION_CLEAR);
	sent = t->a->sent + t->b->sent;
	world_run(t->w, SECONDS(3600));
	trial_expect(t, t->a->sent + t->b->sent == sent, "a peer was asked that had not said that it answers");
	trial_check_up(t);
}

/* ---- INITIAL-CONTACT --------------------------------------------------------- */

/* Who has lost its memory says so, and the other end forgets at once. */
void run_contact_restart(struct trial *t)
{
	struct node *n = trial_pick(t, 2) == 0 ? t->a : t->b, *other = n == t->a ? t->b : t->a;
	unsigned protocols;

	trial_draw(t);
	protocols = trial_protocols(t);
	trial_describe(t);
	node_initiate(t->a, "net");
	world_run(t->w, 1000);
	trial_check_up(t);
	for (unsigned i = 0; i < 3; i++) {
		node_restart(n);
		node_connection(n, &t->c);
		node_listen(n);
		node_initiate(n, "net");
		world_run(t->w, 2000);
		trial_check_up(t);
		trial_check_twins(t);
		trial_expect(t, node_sas(other, false) == protocols && node_sas(other, true) == protocols,
			     "restart %u: %u and %u SAs instead of %u", i, node_sas(other, false),
			     node_sas(other, true), protocols);
		trial_expect(t, node_holdings(other).exchanges == 2, "restart %u: %zu exchanges", i,
			     node_holdings(other).exchanges);
	}
}

/* Both begin at once, each for the first time: neither may take the other's fresh SAs away. */
void run_contact_both(struct trial *t)
{
	trial_draw(t);
	trial_describe(t);
	node_initiate(t->a, "net");
	world_run(t->w, t->seed % 40);
	node_initiate(t->b, "net");
	world_run(t->w, 10000);	/* a Quick Mode that comes before the last Main Mode message is sent again */
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS && t->b->last_status == WHACK_STATUS_SUCCESS,
		     "ended with %u and %u", t->a->last_status, t->b->last_status);
	trial_check_up(t);
	trial_check_twins(t);
	trial_expect(t, t->a->lost_cover + t->b->lost_cover == 0, "traffic was without an SA");
	world_run(t->w, SECONDS(300));
	trial_check_up(t);
	trial_check_twins(t);
}

/* Nobody proved it: in clear, with the right cookies and the right address. */
void run_contact_forged(struct trial *t)
{
	struct endpoint from = { .addr = t->b->addr, .port = 500 };
	struct exchange *x;
	uint8_t d[128];
	unsigned exchanges;

	trial_draw(t);
	trial_describe(t);
	node_initiate(t->a, "net");
	for (unsigned i = 0; i < 60; i++) {
		for (x = engine_first(t->a->ike->engine); x != NULL; x = engine_next(x)) {
			struct writer w = writer_on(d, sizeof(d));
			struct emit_N n = { .doi = DOI_ID_IPSEC, .protocol = PROTOCOL_ID_ISAKMP,
					    .type = NOTIFY_TYPE_INITIAL_CONTACT,
					    .spi = span_of(x->cookies, sizeof(x->cookies)) };

			put_bytes(&w, span_of(x->cookies, sizeof(x->cookies)));
			put_u8(&w, PAYLOAD_TYPE_N);
			put_u8(&w, 0x10);
			put_u8(&w, EXCHANGE_TYPE_INFORMATIONAL);
			put_u8(&w, 0);
			put_u32(&w, 0x1234u + i);
			put_u32(&w, 0);
			emit_N(&w, PAYLOAD_TYPE_NONE, &n);
			patch_u32(&w, HEADER_OFFSET_LENGTH, (uint32_t)w.n);
			world_inject(t->w, t->a, &from, writer_span(&w));
		}
		world_step(t->w, 2);
	}
	world_run(t->w, 2000);
	exchanges = (unsigned)node_holdings(t->a).exchanges;
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS && exchanges == 2,
		     "forged notifications: %u, %u exchanges", t->a->last_status, exchanges);
	trial_check_up(t);
	trial_check_twins(t);
	trial_expect(t, t->a->lost_cover + t->b->lost_cover == 0, "a forged notification took an SA away");
}

/* Two pairs of identities between the same hosts: what one says is not about the other. */
void run_contact_other(struct trial *t)
{
	struct control_connection second = t->c, first;

	t->c.left.id = span_str("@east");
	t->c.right.id = span_str("@west");
	first = t->c;
	second.name = span_str("second");
	second.left.id = span_str("@east");
	second.right.id = span_str("@other");
	second.left.client = subnet_of_host(&(struct ip_addr){ .len = 4, .b = { 10, 7, 0, 1 } });
	second.right.client = subnet_of_host(&(struct ip_addr){ .len = 4, .b = { 10, 7, 0, 2 } });
	trial_describe(t);
	node_connection(t->a, &second);
	node_connection(t->b, &second);
	node_initiate(t->b, "net");		/* only who begins can say which identity is meant */
	node_initiate(t->b, "second");
	world_run(t->w, 2000);
	trial_check_up(t);
	trial_expect(t, node_holdings(t->a).exchanges == 4, "%zu exchanges for two identities",
		     node_holdings(t->a).exchanges);
	node_restart(t->b);
	node_connection(t->b, &first);
	node_connection(t->b, &second);
	node_listen(t->b);
	node_initiate(t->b, "net");
	world_run(t->w, 2000);
	trial_check_up(t);
	trial_expect(t, node_outbound(t->a, "10.7.0.2/32") != NULL, "the SA of another identity is gone");
	trial_expect(t, node_sas(t->a, false) == 2, "%u outbound SAs", node_sas(t->a, false));
	node_initiate(t->b, "second");
	world_run(t->w, 2000);
	trial_expect(t, node_outbound(t->a, "10.7.0.2/32") != NULL && node_sas(t->a, false) == 2,
		     "%u outbound SAs after the second", node_sas(t->a, false));
	trial_check_twins(t);
}

/* ---- an ISAKMP SA that was doubted -------------------------------------------- */

/* A Quick Mode is not answered because the network is down for a while.  What the peer sends afterwards
 * under that ISAKMP SA shows that it still has it, and the next Quick Mode uses it. */
void run_suspect(struct trial *t)
{
	bool heard = t->seed % 2 == 0;
	size_t before;

	t->c.keyingtries = 1;
	trial_describe(t);
	node_initiate(t->a, "net");
	world_run(t->w, 1000);
	t->b->deaf = true;
	node_initiate(t->a, "net");
	world_run(t->w, SECONDS(40));
	trial_expect(t, t->a->last_status == WHACK_STATUS_NO_RESPONSE, "a deaf peer: %u", t->a->last_status);
	t->b->deaf = false;
	if (heard) {			/* a Quick Mode of the peer's, under the same ISAKMP SA */
		node_initiate(t->b, "net");
		world_run(t->w, 1000);
	}
	before = t->a->sent;
	node_initiate(t->a, "net");
	world_run(t->w, 1000);
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS, "afterwards: %u", t->a->last_status);
	before = t->a->sent - before;
	trial_expect(t, before == (heard ? 2 : 5), "%zu datagrams to get an SA", before);
	t->redundant = 2;
	trial_check_up(t);
}
