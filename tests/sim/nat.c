/* nat.c -- address translators of the simulated network, and ESP in UDP through them. */
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "generated/limits.h"
#include "ike/ike.h"
#include "sim_internal.h"

#define FIRST_PORT 20000

static struct ip_addr address(const char *text)
{
	struct ip_addr a = { 0 };
	const char *why;
	unsigned column;

	if (!addr_parse(span_str(text), &a, &why, &column)) {
		fprintf(stderr, "%s: %s\n", text, why);
		exit(1);
	}
	return a;
}

struct sim_nat *world_nat(struct world *w, const char *addr)
{
	struct sim_nat *nat = NEW(struct sim_nat);

	nat->addr = address(addr);
	nat->next_port = FIRST_PORT;
	w->nats = xrealloc(w->nats, (w->n_nats + 1) * sizeof(struct sim_nat *));
	w->nats[w->n_nats++] = nat;
	return nat;
}

static bool alive(const struct sim_nat *nat, unsigned i, uint64_t now)
{
	return nat->map[i].forwarded || nat->timeout == 0 || now - nat->map[i].used < nat->timeout;
}

/* The mapping of an endpoint inside, made if there is none. */
static unsigned outwards(struct sim_nat *nat, struct node *n, uint16_t port)
{
	unsigned i;

	for (i = 0; i < nat->n; i++)
		if (nat->map[i].node == n && nat->map[i].port == port && alive(nat, i, n->world->now))
			break;
	if (i == nat->n) {
		i = nat->n < SIM_NAT_MAPPINGS ? nat->n++ : 0;
		nat->map[i].node = n;
		nat->map[i].port = port;
		nat->map[i].outside = nat->next_port++;
		nat->map[i].forwarded = false;
	}
	nat->map[i].used = n->world->now;
	return i;
}

void nat_forward(struct sim_nat *nat, struct node *n, uint16_t port)
{
	unsigned i = outwards(nat, n, port);

	nat->map[i].outside = port;
	nat->map[i].forwarded = true;
}

void nat_rebind(struct sim_nat *nat, const char *addr)
{
	nat->n = 0;
	if (addr != NULL)
		nat->addr = address(addr);
}

static struct node *inwards(struct world *w, struct sim_nat *nat, struct endpoint *to)
{
	for (unsigned i = 0; i < nat->n; i++)
		if (nat->map[i].outside == to->port && alive(nat, i, w->now)) {
			nat->map[i].used = w->now;
			*to = (struct endpoint){ .addr = nat->map[i].node->addr, .port = nat->map[i].port };
			return nat->map[i].node;
		}
	return NULL;
}

struct node *nat_way(struct node *n, struct endpoint *from, struct endpoint *to)
{
	struct world *w = n->world;
	struct node *there;

	if (n->nat != NULL) {
		unsigned i = outwards(n->nat, n, from->port);

		*from = (struct endpoint){ .addr = n->nat->addr, .port = n->nat->map[i].outside };
	}
	for (size_t i = 0; i < w->n_nats; i++)
		if (addr_eq(&w->nats[i]->addr, &to->addr))
			return inwards(w, w->nats[i], to);
	HASH_FIND(hh, w->by_addr, to->addr.b, to->addr.len, there);
	return there != NULL && there->nat == NULL && (to->port == there->ports.ike || to->port == there->ports.natt)
	       ? there : NULL;
}

bool node_esp(struct node *n, const char *client)
{
	struct sim_sa *out = (struct sim_sa *)node_outbound(n, client);
	struct endpoint from = { .addr = n->addr, .port = LIMIT_NATT_PORT }, to;
	struct node *there;

	if (out == NULL || !out->in_udp)
		return false;
	to = out->peer;
	out->packets++;
	out->last_used = n->world->now / 1000;
	there = nat_way(n, &from, &to);
	if (there == NULL || to.port != LIMIT_NATT_PORT)
		return false;
	for (struct sim_sa *in = there->sas; in != NULL; in = in->next) {
		if (!in->inbound || in->id.spi != out->id.spi)
			continue;
		in->packets++;
		if (!endpoint_eq(&in->peer, &from)) {
			ike_clock(there->ike, there->world->now);
			ike_kernel_events(there->ike).mapping(there->ike, &in->id, &from);
		}
		return true;
	}
	return false;
}
