/* upkeep.c -- connections that are to be up: negotiated on demand, and again after they went down. */
#include <stdio.h>

#include "generated/limits.h"
#include "ike/internal.h"
#include "trial.h"

#define SECONDS(n) ((uint64_t)(n) * 1000)
#define CLIENT "10.0.2.0/24"
#define ATTEMPT_MS (TIMER_RETRANSMIT_MS[0] + TIMER_RETRANSMIT_MS[1] + TIMER_RETRANSMIT_MS[2])

/* East has the option, west has not. */
static void describe(struct trial *t)
{
	struct control_connection plain = t->c;

	plain.ondemand = plain.revive = false;
	node_connection(t->a, &t->c);
	node_connection(t->b, &plain);
	node_listen(t->a);
	node_listen(t->b);
}

static bool trapped(const struct node *n)
{
	return n->eroutes != NULL && n->eroutes->e.kind == EROUTE_TRAP;
}

/* ---- on demand ------------------------------------------------------------------ */

void run_ondemand(struct trial *t)
{
	bool wanted = t->seed % 4 != 0;

	trial_draw(t);
	t->c.left.client = t->c.right.client = (struct subnet){ 0 };
	t->c.tunnel = true;
	t->c.ondemand = wanted;
	describe(t);
	node_route(t->a, "net");
	world_run(t->w, 100);
	trial_expect(t, trapped(t->a) && t->a->eroutes->e.hold == wanted, "the trap is not as asked for");
	trial_expect(t, t->a->sent == 0, "a route alone began a negotiation");
	for (unsigned i = 0; i < 100; i++) {
		node_packet(t->a, "192.0.2.2/32");
		world_run(t->w, 20);
	}
	if (!wanted) {
		trial_expect(t, t->a->sent == 0, "a packet began a negotiation that nobody asked for");
		return;
	}
	trial_expect(t, node_packet(t->a, "192.0.2.2/32"), "there is no SA for the packets");
	trial_expect(t, node_serial(t->a) == 2, "%llu exchanges", (unsigned long long)node_serial(t->a));
	trial_check_up(t);
	trial_check_twins(t);
	/* The peer takes it away: the next packet brings it back. */
	world_run(t->w, SECONDS(60));
	node_terminate(t->b, "net");
	world_run(t->w, 500);
	trial_expect(t, trapped(t->a), "no trap is left");
	world_run(t->w, SECONDS(60));
	trial_expect(t, trapped(t->a), "negotiated without a packet");
	node_packet(t->a, "192.0.2.2/32");
	world_run(t->w, 500);
	trial_check_up(t);
}

/* A packet begins what it belongs to and nothing else. */
void run_ondemand_several(struct trial *t)
{
	struct control_connection c[3];
	char dst[3][20], names[3][8];

	for (unsigned i = 0; i < 3; i++) {
		snprintf(dst[i], sizeof(dst[i]), "10.9.%u.0/24", i);
		snprintf(names[i], sizeof(names[i]), "c%u", i);
		c[i] = sim_connection(names[i], t->a, "10.0.1.0/24", t->b, dst[i]);
		c[i].ike = span_str(t->ike);
		c[i].ondemand = true;
		node_connection(t->a, &c[i]);
		node_connection(t->b, &c[i]);
	}
	node_listen(t->a);
	node_listen(t->b);
	for (unsigned i = 0; i < 3; i++)
		node_route(t->a, names[i]);
	world_run(t->w, 100);
	for (unsigned n = 0; n < 3; n++) {
		unsigned i = (n + (unsigned)t->seed) % 3;

		node_packet(t->a, dst[i]);
		world_run(t->w, 500);
		trial_expect(t, node_packet(t->a, dst[i]), "%s has no SA", names[i]);
		trial_expect(t, node_sas(t->a, false) == n + 1, "%u SAs after %u packets", node_sas(t->a, false), n + 1);
	}
	trial_expect(t, node_serial(t->a) == 4, "%llu exchanges", (unsigned long long)node_serial(t->a));
	for (unsigned i = 0; i < 3; i++) {
		node_delete(t->a, names[i]);
		node_delete(t->b, names[i]);
	}
}

/* Packets all the time for a peer that is dead: fewer and fewer negotiations, and none is lost for good. */
void run_ondemand_dead(struct trial *t)
{
	unsigned began[2] = { 0 }, second;
	size_t before;

	t->c.ondemand = true;
	t->c.keyingtries = 1;
	describe(t);
	node_route(t->a, "net");
	t->b->deaf = true;
	for (unsigned hour = 0; hour < 2; hour++)
		for (unsigned s = 0; s < 3600; s++) {
			before = t->a->sent;
			node_packet(t->a, CLIENT);
			world_run(t->w, 1000);
			began[hour] += t->a->sent > before;
		}
	trial_expect(t, began[0] >= 3 * 10 && began[0] <= 3 * 20, "%u messages in the first hour", began[0]);
	trial_expect(t, began[1] >= 3 * 8 && began[1] <= 3 * 11, "%u messages in the second hour", began[1]);
	t->b->deaf = false;
	for (second = 0; second < 380 && !node_packet(t->a, CLIENT); second++)
		world_run(t->w, 1000);
	trial_expect(t, second < 380, "the peer is back, and nothing is negotiated");
	trial_check_up(t);
}

#define CROWD 60		/* fewer than may stand under one ISAKMP SA */

/* Packets for many peers at the same moment. */
void run_ondemand_crowd(struct trial *t)
{
	static char dst[CROWD][20], names[CROWD][8];
	unsigned up = 0;

	for (unsigned i = 0; i < CROWD; i++) {
		struct control_connection c;

		snprintf(dst[i], sizeof(dst[i]), "10.9.%u.0/24", i);
		snprintf(names[i], sizeof(names[i]), "c%u", i);
		c = sim_connection(names[i], t->a, "10.0.1.0/24", t->b, dst[i]);
		c.ike = span_str(t->ike);
		c.ondemand = true;
		node_connection(t->a, &c);
		node_connection(t->b, &c);
	}
	node_listen(t->a);
	node_listen(t->b);
	for (unsigned i = 0; i < CROWD; i++)
		node_route(t->a, names[i]);
	world_run(t->w, 400);
	for (unsigned i = 0; i < CROWD; i++)
		node_packet(t->a, dst[i]);
	world_run(t->w, 400);
	trial_expect(t, node_sas(t->a, false) <= 2 * LIMIT_ONDEMAND_PER_SECOND, "%u at once", node_sas(t->a, false));
	for (unsigned s = 0; s < 4 * CROWD / LIMIT_ONDEMAND_PER_SECOND + 4; s++) {
		for (unsigned i = 0; i < CROWD; i++)
			node_packet(t->a, dst[i]);
		world_run(t->w, 1000);
	}
	for (unsigned i = 0; i < CROWD; i++)
		up += node_packet(t->a, dst[i]);
	trial_expect(t, up == CROWD, "%u of %u are up", up, CROWD);
	for (unsigned i = 0; i < CROWD; i++) {
		node_delete(t->a, names[i]);
		node_delete(t->b, names[i]);
	}
}

/* ---- again ------------------------------------------------------------------------ */

/* The times at which a begins a Main Mode while its peer hears nothing. */
static unsigned attempts(struct trial *t, uint64_t ms, uint64_t *at, unsigned most)
{
	uint64_t last = node_serial(t->a);
	unsigned n = 0;

	for (uint64_t passed = 0; passed < ms; passed += 50) {
		world_run(t->w, 50);
		if (node_serial(t->a) > last && n < most)
			at[n++] = passed;
		if (node_serial(t->a) > last)
			last = node_serial(t->a);
	}
	return n;
}

/* The peer is dead for hours: the pauses are doubled up to the limit; when it is back, so is the connection. */
void run_revive_dead(struct trial *t)
{
	uint64_t at[40], pause = TIMER_REVIVE_MS[0];
	unsigned n;

	t->c.revive = true;
	t->c.keyingtries = 1;
	describe(t);
	node_initiate(t->a, "net");
	world_run(t->w, SECONDS(60));
	trial_check_up(t);
	t->a->deaf = false;
	t->b->deaf = true;
	if (t->seed % 2 == 0) {
		node_terminate(t->b, "net");
		world_run(t->w, 50);
	} else {		/* the same, by an end that only says so */
		node_delete(t->b, "net");
		world_run(t->w, 50);
	}
	n = attempts(t, SECONDS(3600), at, 40);
	trial_expect(t, n >= 13 && n <= 20, "%u attempts in an hour", n);
	for (unsigned i = 1; i < n; i++) {
		uint64_t gap = at[i] - at[i - 1] - ATTEMPT_MS;

		pause = 2 * pause < TIMER_REVIVE_MS[1] ? 2 * pause : TIMER_REVIVE_MS[1];
		trial_expect(t, gap + 100 >= pause && gap <= pause * 5 / 4 + 100,
			     "pause %u was %llu ms, not %llu", i, (unsigned long long)gap, (unsigned long long)pause);
	}
	trial_expect(t, trapped(t->a), "traffic leaves in clear meanwhile");
	if (t->seed % 3 == 0) {
		node_terminate(t->a, "net");
		trial_expect(t, attempts(t, SECONDS(3600), at, 40) == 0, "terminated, and negotiated all the same");
		return;
	}
	t->c.revive = false;
	if (t->seed % 2 != 0)
		node_connection(t->b, &t->c);
	t->b->deaf = false;
	world_run(t->w, TIMER_REVIVE_MS[1] * 5 / 4 + SECONDS(30));
	trial_check_up(t);
}

/* The peer deletes the SAs, or restarts and says so: back within seconds. Without --revive it stays down. */
void run_revive_delete(struct trial *t)
{
	bool revive = t->seed % 3 != 0;

	trial_draw(t);
	t->c.revive = revive;
	describe(t);
	node_initiate(t->a, "net");
	world_run(t->w, SECONDS(60));
	trial_check_up(t);
	for (unsigned i = 0; i < 3; i++) {
		node_terminate(t->b, "net");
		world_run(t->w, 200);
		trial_expect(t, trial_outbound(t, t->a) == NULL, "the Delete was not heeded");
		world_run(t->w, 3000);
		trial_expect(t, (trial_outbound(t, t->a) != NULL) == revive, "revive %d, round %u", revive, i);
		if (!revive)
			return;
		trial_check_up(t);
		trial_check_twins(t);
		world_run(t->w, SECONDS(60));
	}
	node_delete(t->a, "net");
	world_run(t->w, SECONDS(600));
	trial_expect(t, node_sas(t->b, false) == 0, "deleted, and there again");
}

/* A peer that takes every SA away as soon as it has it. */
void run_revive_flap(struct trial *t)
{
	unsigned ups = 0;
	bool was_up = false;

	t->c.revive = true;
	describe(t);
	node_initiate(t->a, "net");
	for (unsigned s = 0; s < 3600; s++) {
		world_run(t->w, 1000);
		ups += !was_up && trial_outbound(t, t->a) != NULL;
		was_up = trial_outbound(t, t->a) != NULL;
		if (was_up) {
			node_terminate(t->b, "net");
			was_up = false;
			world_run(t->w, 100);
		}
	}
	trial_expect(t, ups >= 12 && ups <= 22, "up %u times in an hour", ups);
}

/* A rekeying that comes to nothing is begun again while the old SA still serves. */
void run_revive_rekey(struct trial *t)
{
	unsigned lost;

	t->c.revive = true;
	t->c.keyingtries = 1;
	t->c.ipseclifetime = 3000;
	t->c.ikelifetime = 28800;
	t->c.rekeyfuzz = 0;
	describe(t);
	node_initiate(t->a, "net");
	world_run(t->w, SECONDS(3000 - 540 - 5));
	trial_check_up(t);
	t->b->deaf = true;
	world_run(t->w, SECONDS(120));
	trial_expect(t, trial_outbound(t, t->a) != NULL, "the old SA is gone too early");
	t->b->deaf = false;
	world_run(t->w, SECONDS(120));
	lost = t->a->lost_cover;
	trial_expect(t, lost == 0 && t->a->rekeyed >= 1, "not replaced in time (%u times without an SA)", lost);
	trial_check_up(t);
}

/* The interface goes and comes back. */
void run_revive_away(struct trial *t)
{
	t->c.revive = t->seed % 2 == 0;
	describe(t);
	node_initiate(t->a, "net");
	world_run(t->w, SECONDS(5));
	trial_check_up(t);
	t->a->away = true;
	node_listen(t->a);
	world_run(t->w, SECONDS(100));
	trial_expect(t, node_sas(t->a, false) == 0, "SAs without an interface");
	t->a->away = false;
	node_listen(t->a);
	world_run(t->w, SECONDS(5));
	trial_expect(t, (trial_outbound(t, t->a) != NULL) == t->c.revive, "its interface is back (revive %d)",
		     t->c.revive);
}

/* Its SAs are for the address that it has now, all of them. */
static bool ends_at_its_address(const struct node *n)
{
	unsigned any = 0;

	for (const struct sim_sa *sa = n->sas; sa != NULL; sa = sa->next) {
		if (sa->inbound && !addr_eq(&sa->id.dst, &n->addr))
			return false;
		any += sa->inbound;
	}
	return any > 0;
}

/* Its address is that of the default route, which is another one at any moment, none for a while, and the first again. */
void run_defaultroute(struct trial *t)
{
	struct control_connection road = t->c;

	t->c.left.id = road.left.id = span_str("@laptop");
	t->c.left.client = road.left.client = sim_subnet("10.0.1.0/24");
	t->c.left.host = road.left.host = (struct ip_addr){ .len = 4 };
	t->c.left.defaultroute = true;
	t->c.revive = true;
	node_connection(t->a, &t->c);
	node_connection(t->b, &road);
	node_listen(t->b);
	node_initiate(t->a, "net");
	trial_expect(t, t->a->last_status == WHACK_STATUS_NOT_LISTENING, "begun without an address (%u)", t->a->last_status);
	node_listen(t->a);
	node_initiate(t->a, "net");
	world_run(t->w, trial_pick(t, 2000));
	node_renumber(t->a, "192.0.2.77");
	node_listen(t->a);
	world_run(t->w, SECONDS(180));
	trial_expect(t, ends_at_its_address(t->a), "no SA from the new address");
	trial_check_up(t);
	t->a->away = true;
	node_listen(t->a);
	world_run(t->w, SECONDS(5));
	trial_expect(t, node_sas(t->a, false) == 0, "SAs without a default route");
	node_initiate(t->a, "net");
	trial_expect(t, t->a->last_status == WHACK_STATUS_NO_ORIENTATION, "begun without a default route (%u)", t->a->last_status);
	t->a->away = false;
	node_renumber(t->a, "192.0.2.1");
	node_listen(t->a);
	world_run(t->w, SECONDS(180));
	trial_expect(t, ends_at_its_address(t->a), "no SA from the first address again");
	trial_check_up(t);
}

/* --dpdaction restart needs no --revive, and tries until the peer is back; then it is content. */
void run_dpd_restart(struct trial *t)
{
	struct control_connection plain = t->c;
	uint64_t at[40];

	t->c.keyingtries = 1;
	t->c.dpddelay = 10;
	t->c.dpdtimeout = 30;
	t->c.dpdaction = DEAD_PEER_ACTION_RESTART;
	node_connection(t->a, &t->c);
	node_connection(t->b, &plain);
	node_listen(t->a);
	node_listen(t->b);
	node_initiate(t->a, "net");
	world_run(t->w, SECONDS(60));
	t->b->deaf = true;
	world_run(t->w, SECONDS(50));
	trial_expect(t, node_sas(t->a, false) == 0, "the peer is not dead yet");
	trial_expect(t, attempts(t, SECONDS(600), at, 40) >= 5, "given up");
	node_restart(t->b);
	node_connection(t->b, &plain);
	node_listen(t->b);
	t->b->deaf = false;
	world_run(t->w, TIMER_REVIVE_MS[1] * 5 / 4 + SECONDS(30));
	trial_check_up(t);
	trial_check_twins(t);
	node_terminate(t->b, "net");
	trial_expect(t, attempts(t, SECONDS(1000), at, 40) == 0, "up once, and negotiated again without --revive");
}

/* The peer has restarted and says nothing: the ISAKMP SA that only we have still is not relied on for long,
 * whether whack, a packet for another client or rekeying wants a Quick Mode under it. */
void run_forgotten(struct trial *t)
{
	static const char *const ways[] = { "initiated", "on demand", "rekeyed" };
	unsigned way = (unsigned)t->seed % 3;
	struct control_connection other = t->c;

	other.name = span_str("other");
	other.right.client.addr.b[2] = 3;
	other.ondemand = true;
	t->c.ipseclifetime = way == 2 ? 1000 : 28800;
	t->c.ikelifetime = 28800;
	t->c.rekeyfuzz = 0;
	describe(t);
	node_connection(t->a, &other);
	node_route(t->a, "other");
	node_initiate(t->a, "net");
	world_run(t->w, SECONDS(1000 - 540 - 5));
	trial_check_up(t);
	node_restart(t->b);
	node_connection(t->b, &t->c);
	node_connection(t->b, &other);
	node_listen(t->b);
	if (way == 0)
		node_initiate(t->a, "net");
	else if (way == 1)
		node_packet(t->a, "10.0.3.0/24");
	world_run(t->w, SECONDS(way == 2 ? 5 : 0) + TIMER_RETRANSMIT_MS[0] + 300);
	if (way == 1)
		trial_expect(t, node_packet(t->a, "10.0.3.0/24"), "%s: the peer that forgot has no SA", ways[way]);
	else
		trial_expect(t, trial_arrives(t, t->a), "%s: the peer that forgot has no SA", ways[way]);
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS && node_holdings(t->a).unfinished == 0,
		     "%s: whack got %u", ways[way], t->a->last_status);
}

/* The kernel says that an SA has carried what it may: replaced at the first word, gone at the second. */
void run_used_up(struct trial *t)
{
	struct node *n = t->seed % 2 == 0 ? t->a : t->b;
	struct sim_sa old, stranger;
	uint64_t serial;

	trial_draw(t);
	t->c.ipseckilobytes = 1000;
	describe(t);
	node_initiate(t->a, "net");
	world_run(t->w, SECONDS(10));
	trial_check_up(t);
	old = stranger = *trial_outbound(t, n);
	stranger.id.spi ^= 1;
	node_expire(n, &stranger, true);
	for (unsigned i = 0; i < 5; i++)	/* each SA of a bundle, and each direction, may say so */
		node_expire(n, &old, false);
	world_run(t->w, SECONDS(2));
	trial_expect(t, trial_outbound(t, n)->id.spi != old.id.spi, "the SA was not replaced");
	trial_expect(t, t->a->rekeyed + t->b->rekeyed == 2, "replaced %u times", t->a->rekeyed + t->b->rekeyed);
	trial_expect(t, t->a->lost_cover + t->b->lost_cover == 0, "traffic was without an SA");
	trial_check_up(t);
	serial = node_serial(n);
	node_expire(n, &old, false);		/* it is superseded: nothing to do */
	world_run(t->w, SECONDS(60));
	trial_expect(t, node_serial(n) == serial, "a superseded SA was replaced");
	node_expire(n, &old, true);
	world_run(t->w, SECONDS(2));
	trial_expect(t, node_sas(n, false) == trial_protocols(t), "%u SAs are left", node_sas(n, false));
	old = *trial_outbound(t, n);
	node_expire(n, &old, true);
	world_run(t->w, SECONDS(2));
	trial_expect(t, node_sas(t->a, false) + node_sas(t->b, false) == 0, "used up, and still there");
	trial_expect(t, trapped(n), "traffic leaves in clear");
}
