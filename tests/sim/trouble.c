/* trouble.c -- requests that come in the middle of something, and peers with which nothing can come of it. */
#include "trial.h"

/* Events of a negotiation without faults: about 40 of them. */
#define EVENTS 48

/* Begin, and stop after so many events as the seed says. */
static void half_way(struct trial *t)
{
	trial_draw(t);
	trial_describe(t);
	node_initiate(t->a, "net");
	world_step(t->w, t->seed % EVENTS);
}

void run_terminate(struct trial *t)
{
	struct node *n = t->seed / EVENTS % 2 == 0 ? t->a : t->b;
	struct holdings h;
	uint64_t begun;

	half_way(t);
	begun = world_now(t->w);
	node_terminate(n, "net");
	do
		h = node_holdings(n);
	while (h.unfinished > 0 && world_step(t->w, 1) && world_now(t->w) < begun + 1000);
	trial_expect(t, h.unfinished == 0, "whack still waits after terminate");
	trial_expect(t, n != t->a || (h.sas == 0 && h.eroutes <= 1 && h.plans == 0),
		     "whack is told that all is gone, but %zu SAs and %zu plans are left", h.sas, h.plans);
	world_run(t->w, 200000);
	trial_check_sound(t);
	/* The other end may not know; what is left there can be used again at once. */
	node_initiate(n, "net");
	world_run(t->w, 200000);
	trial_expect(t, n->last_status == WHACK_STATUS_SUCCESS, "after terminate: %u", n->last_status);
	trial_expect(t, trial_outbound(t, t->a) != NULL && trial_outbound(t, t->b) != NULL,
		     "no SA after terminate and initiate");
}

void run_shutdown(struct trial *t)
{
	struct node *n = t->seed / EVENTS % 2 == 0 ? t->a : t->b;
	struct holdings h;
	size_t sent;
	bool quiet;

	half_way(t);
	quiet = trial_pick(t, 4) == 0;
	sent = n->sent;
	node_shutdown(n, quiet);
	world_run(t->w, 1000);
	h = node_holdings(n);
	trial_expect(t, !quiet || n->sent == sent, "%s has told the peer all the same", n->name);
	trial_expect(t, n->stopped, "%s did not stop", n->name);
	trial_expect(t, h.sas == 0 && h.eroutes == 0, "%s left %zu SAs and %zu eroutes", n->name, h.sas,
		     h.eroutes);
	world_run(t->w, trial_pick(t, 2) * 200000);
}

/* --leave-state: the kernel keeps all that it has and the peer is told nothing, so traffic goes on; one that is started anew
 * negotiates anew. */
void run_leave(struct trial *t)
{
	struct node *n = t->seed % 2 == 0 ? t->a : t->b, *peer = n == t->a ? t->b : t->a;
	struct holdings before, h;
	size_t sent;

	trial_draw(t);
	trial_describe(t);
	node_initiate(t->a, "net");
	world_run(t->w, 10000);
	trial_check_up(t);
	if (t->seed / 2 % 2 != 0)		/* while it is at something else */
		node_initiate(n, "net");
	before = node_holdings(n);
	sent = n->sent;
	node_leave(n);
	world_run(t->w, 1000);
	h = node_holdings(n);
	trial_expect(t, n->stopped && n->left && n->last_status == WHACK_STATUS_SUCCESS, "%s did not stop: %u", n->name,
		     n->last_status);
	trial_expect(t, h.sas >= before.sas && h.eroutes == before.eroutes && before.sas > 0, "of %zu SAs and %zu eroutes %zu and %zu are left",
		     before.sas, before.eroutes, h.sas, h.eroutes);
	trial_expect(t, n->sent == sent, "%s has told the peer", n->name);
	trial_expect(t, node_sas(peer, true) > 0 && trial_outbound(t, peer) != NULL && trial_outbound(t, n) != NULL,
		     "the traffic has no SA");
	node_restart(n);
	node_connection(n, &t->c);
	node_listen(n);
	node_initiate(n, "net");
	world_run(t->w, 100000);
	trial_check_up(t);
}

/* The description goes away under the negotiation, or is replaced. */
void run_delete(struct trial *t)
{
	struct node *n = t->seed / EVENTS % 2 == 0 ? t->a : t->b;

	half_way(t);
	if (trial_pick(t, 2) == 0) {
		t->c.replace = true;
		node_connection(n, &t->c);
	} else {
		node_delete(n, "net");
		node_connection(n, &t->c);
	}
	world_run(t->w, 200000);
	node_initiate(n, "net");
	world_run(t->w, 200000);
	trial_expect(t, n->last_status == WHACK_STATUS_SUCCESS, "after delete: %u", n->last_status);
}

void run_wrong_secret(struct trial *t)
{
	trial_draw(t);
	t->b->secret = "another secret";
	trial_describe(t);
	node_initiate(t->a, "net");
	world_run(t->w, 400000);
	trial_expect(t, t->a->added + t->b->added == 0, "SAs in spite of different secrets");
	trial_expect(t, t->a->last_status >= WHACK_STATUS_RETRANSMISSION && node_holdings(t->a).unfinished == 0,
		     "the initiator was told %u", t->a->last_status);
	trial_expect(t, node_holdings(t->a).exchanges + node_holdings(t->b).exchanges == 0, "exchanges are left");
}

void run_no_suite(struct trial *t)
{
	struct control_connection other = t->c;

	other.ike = span_str("3des-sha1-modp1024");
	if (trial_pick(t, 2) == 0) {
		other.ike = t->c.ike;
		other.esp = span_str("3des-sha1");
	}
	node_connection(t->a, &t->c);
	node_connection(t->b, &other);
	node_listen(t->a);
	node_listen(t->b);
	node_initiate(t->a, "net");
	world_run(t->w, 400000);
	trial_expect(t, t->a->added + t->b->added == 0, "SAs without a common suite");
	trial_expect(t, t->a->last_status >= WHACK_STATUS_RETRANSMISSION && node_holdings(t->a).unfinished == 0,
		     "the initiator was told %u", t->a->last_status);
}

/* Between the same two hosts there are connections with different algorithms: the first message means one that allows its offer. */
void run_suits(struct trial *t)
{
	struct control_connection second = t->c;
	bool other = t->seed % 2 == 0, reversed = t->seed / 2 % 2 == 0;

	second.name = span_str("second");
	second.ike = span_str("aes256-sha512-modp1024");
	second.left.client = sim_subnet("10.7.1.0/24");
	second.right.client = sim_subnet("10.7.2.0/24");
	t->c.ike = span_str("aes128-sha256-x25519");
	node_connection(t->a, other ? &second : &t->c);
	node_connection(t->b, reversed ? &second : &t->c);
	node_connection(t->b, reversed ? &t->c : &second);
	node_listen(t->a);
	node_listen(t->b);
	node_initiate(t->a, other ? "second" : "net");
	world_run(t->w, 2000);
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS, "ended with %u: %s", t->a->last_status, t->b->refusal);
	trial_expect(t, node_outbound(t->b, other ? "10.7.1.0/24" : "10.0.1.0/24") != NULL, "it was for another connection");
}

void run_silent(struct trial *t)
{
	trial_draw(t);
	t->c.keyingtries = 1 + trial_pick(t, 4);
	trial_describe(t);
	t->b->deaf = true;
	node_initiate(t->a, "net");
	world_run(t->w, (t->c.keyingtries - 1) * 28000ull + 27000);
	trial_expect(t, node_holdings(t->a).unfinished == 1, "gave up too early");
	world_run(t->w, 2000);
	trial_expect(t, node_holdings(t->a).unfinished == 0 && t->a->last_status == WHACK_STATUS_NO_RESPONSE,
		     "a silent peer: %u", t->a->last_status);
	trial_expect(t, t->a->sent == 3 * t->c.keyingtries, "%zu datagrams for %u attempts", t->a->sent,
		     t->c.keyingtries);
	trial_expect(t, node_holdings(t->a).exchanges == 0, "exchanges are left");
}

void run_unknown(struct trial *t)
{
	trial_describe(t);
	node_initiate(t->a, "nothing");
	trial_expect(t, t->a->last_status == WHACK_STATUS_UNKNOWN_NAME, "initiate: %u", t->a->last_status);
	node_terminate(t->a, "nothing");
	trial_expect(t, t->a->last_status == WHACK_STATUS_UNKNOWN_NAME, "terminate: %u", t->a->last_status);
	node_delete(t->a, "nothing");
	trial_expect(t, t->a->last_status == WHACK_STATUS_UNKNOWN_NAME, "delete: %u", t->a->last_status);
	trial_expect(t, node_holdings(t->a).unfinished == 0, "requests are left");
	node_connection(t->a, &t->c);
	trial_expect(t, t->a->last_status == WHACK_STATUS_DUPLICATE_NAME, "twice: %u", t->a->last_status);
}

/* Somebody begins for whom nothing is described, not even as a Road Warrior. */
void run_stranger(struct trial *t)
{
	struct node *n = world_node(t->w, "south", "192.0.2.3", t->b->secret);
	struct control_connection theirs = sim_connection("theirs", n, "10.0.3.0/24", t->b, "10.0.2.0/24");

	trial_describe(t);
	theirs.ike = t->c.ike;
	theirs.keyingtries = 1;
	node_connection(n, &theirs);
	node_listen(n);
	node_initiate(n, "theirs");
	world_run(t->w, 1000);
	trial_expect(t, node_said(t->b, "no_connection"), "a stranger is not refused but: %s", t->b->refusal);
	trial_expect(t, node_holdings(t->b).exchanges == 0, "%zu exchanges with a stranger", node_holdings(t->b).exchanges);
	world_run(t->w, 100000);
	trial_expect(t, n->last_status != WHACK_STATUS_SUCCESS && node_holdings(n).unfinished == 0, "the stranger was told %u",
		     n->last_status);
	trial_expect(t, t->b->added + n->added == 0, "SAs with a stranger");
	node_initiate(t->a, "net");
	world_run(t->w, 2000);
	trial_check_up(t);
	node_shutdown(n, false);
	world_run(t->w, 2000);
}
