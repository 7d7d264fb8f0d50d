/* install.c -- from negotiated keys to SAs in the kernel, and back. */
#include <netinet/in.h>

#include "base/xalloc.h"
#include "ike/natt.h"
#include "ike/phase2.h"
#include "ike/routing.h"

uint8_t ip_protocol(uint8_t protocol)
{
	switch (protocol) {
	case PROTOCOL_ID_ESP:
		return IPPROTO_ESP;
	case PROTOCOL_ID_AH:
		return IPPROTO_AH;
	default:
		return IPPROTO_COMP;
	}
}

uint32_t phase2_spi(const struct phase2 *p, uint8_t protocol)
{
	for (unsigned i = 0; i < p->n_spi; i++)
		if (p->spi[i].protocol == protocol)
			return p->spi[i].spi;
	return 0;
}

static size_t cipher_octets(const struct chosen *k)
{
	return k->cipher == ALG_NONE ? 0 : (size_t)k->key_octets + alg_table[k->cipher].salt;
}

static size_t mac_octets(const struct chosen *k)
{
	return k->mac == ALG_NONE ? 0 : alg_table[k->mac].keys[0];
}

/* Keying material of one SA (RFC 2409 5.5): that of its destination's SPI. */
static struct span keymat(struct action *a, const struct chosen *k, uint32_t spi)
{
	struct writer w = writer_on(arena_alloc(a->arena, 4), 4);

	put_u32(&w, spi);
	action_supply(a, KEY_PROTOCOL, span_of(&k->protocol, 1));
	action_supply(a, KEY_SPI, writer_span(&w));
	return action_value(a, KEY_KEYMAT, cipher_octets(k) + mac_octets(k));
}

/* The order of a bundle, the innermost first: what is compressed is encrypted, and AH covers all. */
static const uint8_t inside_out[CHOICE_PROTOCOLS] = { PROTOCOL_ID_IPCOMP, PROTOCOL_ID_ESP, PROTOCOL_ID_AH };

static const struct chosen *chosen_of(const struct phase2 *p, uint8_t protocol)
{
	for (unsigned i = 0; i < p->chosen.n; i++)
		if (p->chosen.p[i].protocol == protocol)
			return &p->chosen.p[i];
	return NULL;
}

/* The SAs next to k's in the bundle. */
static void set_place(const struct phase2 *p, const struct chosen *k, struct kernel_sa *sa)
{
	bool passed = false;

	for (unsigned i = 0; i < CHOICE_PROTOCOLS; i++) {
		uint8_t protocol = inside_out[i];

		if (protocol == k->protocol) {
			passed = true;
		} else if (chosen_of(p, protocol) != NULL) {
			if (!passed)
				sa->inwards = ip_protocol(protocol);
			else if (sa->outwards == 0)
				sa->outwards = ip_protocol(protocol);
		}
	}
}

static struct sa_id sa_id(const struct phase2 *p, const struct chosen *k, bool inbound)
{
	return (struct sa_id){
		.dst = inbound ? p->x->local.addr : p->x->remote.addr,
		.protocol = ip_protocol(k->protocol),
		.spi = inbound ? phase2_spi(p, k->protocol) : k->peer_spi,
	};
}

struct sa_id install_sa_id(const struct phase2 *p, unsigned i, bool inbound)
{
	return sa_id(p, &p->chosen.p[i], inbound);
}

/* RFC 3948 2.1: in UDP between the ports that IKE uses. */
static void encapsulate(const struct phase2 *p, struct kernel_sa *sa)
{
	const struct endpoint *from = sa->inbound ? &p->x->remote : &p->x->local;
	const struct endpoint *to = sa->inbound ? &p->x->local : &p->x->remote;

	if (sa->id.protocol != IPPROTO_ESP || !natt_in_udp(p->chosen.mode))
		return;
	sa->encap_sport = from->port;
	sa->encap_dport = to->port;
}

static struct kernel_sa describe(const struct phase2 *p, const struct chosen *k, bool inbound)
{
	const struct connection *c = p->c;
	const struct end *us = our_end(c), *peer = peer_end(c);
	struct kernel_sa sa = {
		.id = sa_id(p, k, inbound),
		.src = inbound ? p->x->remote.addr : p->x->local.addr,
		.inbound = inbound,
		.inner_tunnel = connection_tunnel(c),
		.cipher = k->cipher,
		.mac = k->mac,
		.comp = k->comp,
		.replay_window = LIMIT_REPLAY_WINDOW,
		.src_client = connection_client(c, !inbound),
		.dst_client = connection_client(c, inbound),
		.client_protocol = us->protocol,
		.src_port = inbound ? peer->port : us->port,
		.dst_port = inbound ? us->port : peer->port,
		.reqid = c->reqid,
		.soft = p->soft,
		.hard = p->hard,
		.interface = c->interface->virtual_,
	};

	encapsulate(p, &sa);
	set_place(p, k, &sa);
	sa.outer = sa.inwards != 0;
	sa.tunnel = sa.inner_tunnel && !sa.outer;	/* one tunnel for all (RFC 2401 4.3) */
	return sa;
}

static void tell_keys(const struct phase2 *p, const struct kernel_sa *sa)
{
	if (p->ike->host.keys == NULL)
		return;
	struct sa_keys k = { .cipher_key = sa->cipher_key, .mac_key = sa->mac_key, .cipher = sa->cipher,
			     .mac = sa->mac, .src = sa->src, .dst = sa->id.dst,
			     .protocol = sa->id.protocol, .spi = sa->id.spi };

	p->ike->host.keys(p->ike->host.ctx, &k);
}

static bool add_direction(struct action *a, struct phase2 *p, struct plan *plan, bool inbound)
{
	for (unsigned i = 0; i < p->chosen.n; i++) {
		const struct chosen *k = &p->chosen.p[i];
		struct kernel_sa sa = describe(p, k, inbound);
		struct span keys;

		if (k->comp != ALG_NONE) {
			plan_add_sa(plan, &sa);
			continue;
		}
		keys = keymat(a, k, sa.id.spi);
		if (keys.p == NULL)
			return false;
		sa.cipher_key = span_sub(keys, 0, cipher_octets(k));
		sa.mac_key = span_from(keys, cipher_octets(k));
		plan_add_sa(plan, &sa);
		tell_keys(p, &sa);
	}
	return true;
}

/* The eroute of p's connection through p's outbound SAs. */
static struct kernel_eroute eroute_of(const struct phase2 *p)
{
	struct kernel_eroute e = routing_trap(p->c);

	e.kind = EROUTE_SA;
	e.me = p->x->local.addr;	/* which a peer that moves changes before its connection is told */
	e.peer = p->x->remote.addr;
	for (unsigned i = 0; i < CHOICE_PROTOCOLS; i++) {
		const struct chosen *k = chosen_of(p, inside_out[i]);

		if (k != NULL)
			e.sas[e.n_sas++] = sa_id(p, k, false);
	}
	return e;
}

static void installed(struct ike *ike, void *ctx, const struct plan *plan)
{
	struct phase2 *p = ctx;
	struct kernel_result r = { .ok = !plan->failed, .why = plan->why };

	if (plan->failed) {
		p->failed_verb = plan->verb;
		p->status = plan_refusal(ike->arena, plan)->status;
	}
	await_answer(&p->await, &r);
}

/* The SA of the same connection that outgoing traffic used so far is superseded. */
static void take_over(struct phase2 *p)
{
	struct phase2 *q;

	LIST_FOREACH(q, &p->c->phase2s, of_connection)
		q->uses_eroute = false;
	p->uses_eroute = true;
	p->c->newest_ipsec = p->x->serial;
}

/* ---- who receives by an SA ------------------------------------------------ */

static struct sa_key key_of(const struct sa_id *id)
{
	struct sa_key key;

	memset(&key, 0, sizeof(key));	/* hashed as bytes */
	key.dst.len = id->dst.len;
	memcpy(key.dst.b, id->dst.b, id->dst.len);
	key.spi = id->spi;
	return key;
}

static void enlist(struct phase2 *p)
{
	const struct chosen *esp = chosen_of(p, PROTOCOL_ID_ESP);
	struct sa_id id;

	p->installed = true;
	p->c->n_installed++;
	if (esp == NULL)
		return;
	id = sa_id(p, esp, true);
	p->key = key_of(&id);
	HASH_ADD(by_key, p->ike->received, key, sizeof(p->key), p);
}

static void delist(struct phase2 *p)
{
	p->installed = false;
	p->c->n_installed--;
	if (p->key.spi != 0)
		HASH_DELETE(by_key, p->ike->received, p);
	p->key.spi = 0;
}

struct phase2 *phase2_by_id(struct ike *ike, const struct sa_id *id)
{
	struct sa_key key = key_of(id);
	struct phase2 *p;

	if (id->protocol != IPPROTO_ESP)
		return NULL;
	HASH_FIND(by_key, ike->received, &key, sizeof(key), p);
	return p;
}

/* Both directions into the kernel, and the route; nothing uses them yet. */
static const struct refusal *add_sas(struct action *a, struct phase2 *p, struct plan *plan)
{
	if (!add_direction(a, p, plan, true) || !add_direction(a, p, plan, false))
		return refuse_keymat_missing(a->arena, p->c->name);
	return routing_up(p->ike, p->c, plan, p->x->role == ROLE_RESPONDER ? ROUTING_FOR_RESPONDER
									: ROUTING_FOR_INITIATOR);
}

/* Outgoing traffic takes p from now on. */
static void switch_eroute(struct phase2 *p, struct plan *plan)
{
	struct kernel_eroute e = eroute_of(p);

	plan_carry(plan, &e, false);
	p->c->routing = ROUTED_SA;
	take_over(p);
}

void install_switch(struct phase2 *p, plan_done *done)
{
	struct plan *plan = plan_new(p->ike, p->c);

	switch_eroute(p, plan);
	plan_submit(plan, done, p);
}

const struct refusal *install_start(struct action *a, struct phase2 *p, unsigned what)
{
	struct plan *plan = plan_new(p->ike, p->c);
	const struct refusal *why;

	if ((what & INSTALL_SAS) != 0)
		phase2_set_life(p);
	why = (what & INSTALL_SAS) != 0 ? add_sas(a, p, plan) : NULL;
	if (why != NULL) {
		plan_drop(plan);
		p->status = why->status;
		return why;
	}
	if ((what & INSTALL_SAS) != 0 && !p->installed)
		enlist(p);
	if ((what & INSTALL_EROUTE) != 0)
		switch_eroute(p, plan);
	await_begin(&p->await, p->x->serial);
	p->await.pending = 1;
	plan_submit(plan, installed, p);
	return NULL;
}

/* The newest other SA of the connection that can carry its traffic. */
static struct phase2 *successor(const struct phase2 *p)
{
	struct phase2 *q;

	LIST_FOREACH(q, &p->c->phase2s, of_connection)
		if (q != p && q->installed && q->established != 0)
			return q;
	return NULL;
}

/* Outgoing traffic loses p: another SA takes it, or the trap does. */
static void remove_eroute(struct phase2 *p, struct plan *plan)
{
	struct connection *c = p->c;
	struct phase2 *next = successor(p);
	struct kernel_eroute e;

	if (next != NULL) {
		e = eroute_of(next);
		plan_carry(plan, &e, true);
		take_over(next);
		if (next->timer.at == next->expires)	/* it has been replaced once, by p */
			phase2_replace_in(next, TIMER_FALL_BACK_MS[0]);
		return;
	}
	c->newest_ipsec = 0;
	if (c->routing != ROUTED_SA)
		return;
	plan_trap(plan);
	c->routing = ROUTED_TRAP;
}

/* Nothing carries the traffic of c any more, after the SAs are gone.  A route that was only made for an SA
 * which then did not come about goes, too. */
static void come_down(struct phase2 *p, struct plan *plan)
{
	struct connection *c = p->c;

	if (c->routing == ROUTED_TRAP)
		plan_down(plan);
	if (c->n_installed == 0 && !c->keeps_route)
		routing_down(p->ike, c, plan);
}

void install_remove(struct phase2 *p)
{
	struct connection *c = p->c;
	struct plan *plan = plan_new(p->ike, c);

	plans_forget(p->ike, c, p);
	if (p->uses_eroute)
		remove_eroute(p, plan);
	for (unsigned i = 0; i < p->chosen.n; i++) {
		struct sa_id in = sa_id(p, &p->chosen.p[i], true);
		struct sa_id out = sa_id(p, &p->chosen.p[i], false);

		if (p->installed) {
			plan_del_sa(plan, &in);
			plan_del_sa(plan, &out);
		}
	}
	if (p->installed) {
		delist(p);
		come_down(p, plan);
	}
	p->uses_eroute = false;
	plan_submit(plan, NULL, NULL);
}

static void moved(struct ike *ike, void *ctx, const struct plan *plan)
{
	(void)ike;
	if (plan->lost)
		phase2_lost(ctx);
}

void install_move(struct phase2 *p, const struct endpoint *before)
{
	struct plan *plan = plan_new(p->ike, p->c);
	bool elsewhere = !addr_eq(&before->addr, &p->x->remote.addr);
	struct kernel_eroute e;

	for (unsigned i = 0; i < p->chosen.n; i++) {
		struct sa_id in = install_sa_id(p, i, true), out = install_sa_id(p, i, false);

		if (p->chosen.p[i].protocol != PROTOCOL_ID_ESP && !elsewhere)
			continue;
		out.dst = before->addr;
		plan_move_sa(plan, &in, true, &p->x->remote);
		plan_move_sa(plan, &out, false, &p->x->remote);
	}
	if (p->uses_eroute && elsewhere) {
		e = eroute_of(p);
		plan_carry(plan, &e, true);
	}
	plan_submit(plan, moved, p);
}
