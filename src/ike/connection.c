/* connection.c -- the connection database: names, orientation, pairs of hosts. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "ike/family.h"
#include "ike/initiate.h"
#include "ike/instance.h"
#include "ike/hosts.h"
#include "ike/internal.h"
#include "ike/lease.h"
#include "ike/nets.h"
#include "ike/routing.h"
#include "ike/upkeep.h"

struct connection *connection_find(struct ike *ike, struct span name)
{
	struct connection *c;

	HASH_FIND(by_name, ike->connections, name.p, (unsigned)name.n, c);
	return c;
}

struct connection *connection_by_reqid(struct ike *ike, uint32_t reqid)
{
	struct connection *c;

	HASH_FIND(by_reqid, ike->by_reqid, &reqid, sizeof(reqid), c);
	return c;
}

void connection_number(struct ike *ike, struct connection *c)
{
	c->reqid = ++ike->last_reqid;
	HASH_ADD(by_reqid, ike->by_reqid, reqid, sizeof(c->reqid), c);
}

bool connection_end_client(const struct end *e, struct subnet *client)
{
	*client = e->has_client ? e->client : addr_is_none(&e->inside) ? (struct subnet){ 0 } : subnet_of_host(&e->inside);
	return e->has_client || !addr_is_none(&e->inside);
}

struct subnet connection_client(const struct connection *c, bool ours)
{
	const struct end *e = ours ? our_end(c) : peer_end(c);
	struct subnet client;

	return connection_end_client(e, &client) ? client : subnet_of_host(&e->host);
}

bool connection_tunnel(const struct connection *c)
{
	return c->policy.tunnel || our_end(c)->has_client || peer_end(c)->has_client;
}

bool connection_ipsec(const struct connection *c)
{
	return c->policy.encrypt || c->policy.authenticate || c->policy.pfs;
}

/* ---- orientation ------------------------------------------------------- */

static const struct kernel_interface *interface_of(const struct ike *ike, const struct ip_addr *a)
{
	for (size_t i = 0; i < ike->n_interfaces; i++)
		if (addr_eq(&ike->interfaces[i].addr, a))
			return &ike->interfaces[i];
	return NULL;
}

/* The one with the default route for addresses of so many octets. */
static const struct kernel_interface *interface_by_default(const struct ike *ike, unsigned octets)
{
	for (size_t i = 0; i < ike->n_interfaces; i++)
		if (ike->interfaces[i].defaultroute && ike->interfaces[i].addr.len == octets)
			return &ike->interfaces[i];
	return NULL;
}

/* Where that end would be, were it us. */
static const struct kernel_interface *interface_of_end(const struct ike *ike, const struct end *e)
{
	return e->defaultroute ? interface_by_default(ike, e->host.len) : interface_of(ike, &e->host);
}

static const char *interface_list(struct ike *ike)
{
	char *p = arena_alloc(ike->arena, 512);
	struct text t = text_on(p, 512);
	char a[ADDR_TEXT];

	for (size_t i = 0; i < ike->n_interfaces; i++)
		text_add(&t, "%s%s %s", i > 0 ? ", " : "", ike->interfaces[i].real,
			 addr_format(&ike->interfaces[i].addr, a));
	return t.n == 0 ? "no public interface" : p;
}

const struct refusal *orientation_refusal(struct ike *ike, const struct connection *c)
{
	const struct ip_addr *left = &c->end[0].host, *right = &c->end[1].host;

	if (!ike->listening)
		return refuse_not_oriented_yet(ike->arena, c->name);
	if (interface_of(ike, left) != NULL && interface_of(ike, right) != NULL)
		return refuse_both_ends(ike->arena, c->name, left, right);
	if (c->end[0].defaultroute || c->end[1].defaultroute)
		return refuse_no_default_route(ike->arena, c->name, interface_list(ike));
	return refuse_neither_end(ike->arena, c->name, left, right, interface_list(ike));
}

/* Identities that follow from the hosts. */
static void fill_identities(struct connection *c)
{
	for (int i = 0; i < 2; i++)
		if (!c->end[i].id_given)
			c->end[i].id = identity_of_addr(&c->end[i].host);
}

/* The end with the address of the default route has it, or none; c is in no pair of hosts. */
static void take_default_route(struct ike *ike, struct connection *c)
{
	for (int i = 0; i < 2; i++) {
		struct end *e = &c->end[i];
		const struct kernel_interface *k;

		if (!e->defaultroute)
			continue;
		k = interface_of_end(ike, e);
		e->host = k != NULL ? k->addr : (struct ip_addr){ .len = e->host.len };
		nets_enter(ike->nets, c);
	}
}

static void orient(struct ike *ike, struct connection *c)
{
	take_default_route(ike, c);

	const struct kernel_interface *left = interface_of(ike, &c->end[0].host);
	const struct kernel_interface *right = interface_of(ike, &c->end[1].host);

	if ((left == NULL) == (right == NULL))
		return;
	c->ours = left != NULL ? 0 : 1;
	c->interface = NEW(struct kernel_interface);
	*c->interface = left != NULL ? *left : *right;
	fill_identities(c);
	connection_enter_pair(ike, c);
	upkeep_resume(ike, c);
}

/* The last plan that needed to know which end is ours has run. */
static void disoriented(struct ike *ike, void *ctx, const struct plan *p)
{
	struct connection *c = ctx;

	(void)p;
	c->leaving = false;
	if (c->deleted)
		return;
	c->ours = -1;
	free(c->interface);
	c->interface = NULL;
	orient(ike, c);		/* the interface may be back, or another one have the address */
}

static void disorient(struct ike *ike, struct connection *c)
{
	struct plan *p;

	c->leaving = true;
	upkeep_pause(ike, c);
	instances_end(ike, c);
	connections_terminate(ike, &c, 1);
	phase1s_hand_over(ike, c);
	p = plan_new(ike, c);
	routing_down(ike, c, p);
	connection_leave_pair(ike, c);
	plan_submit(p, disoriented, c);
}

void connections_orient(struct ike *ike)
{
	struct connection *c, *next;

	HASH_ITER(by_name, ike->connections, c, next) {
		const struct kernel_interface *now = c->ours < 0 ? NULL :
						     interface_of_end(ike, our_end(c));

		/* What is oriented and still right is left alone, with all its SAs. */
		if (c->ours >= 0 && now != NULL && addr_eq(&now->addr, &c->interface->addr) && strcmp(now->real, c->interface->real) == 0 &&
		    strcmp(now->virtual_, c->interface->virtual_) == 0)
			continue;
		if (c->ours < 0)
			orient(ike, c);
		else if (!c->leaving)
			disorient(ike, c);
	}
}

/* ---- life -------------------------------------------------------------- */

void connection_add(struct ike *ike, struct connection *c, struct span described)
{
	c->ours = -1;
	connection_number(ike, c);
	LIST_INIT(&c->phase2s);
	LIST_INIT(&c->retries);
	LIST_INIT(&c->instances);
	HASH_ADD_KEYPTR(by_name, ike->connections, c->name, (unsigned)strlen(c->name), c);
	nets_enter(ike->nets, c);
	family_join(ike, c, described);
	if (ike->listening)
		orient(ike, c);
}

static void free_end(struct end *e)
{
	if (e->id_given && e->id.kind != IDENTITY_ADDR)
		free((void *)e->id.name.p);
	free(e->updown);
}

void connection_free(struct connection *c)
{
	free_end(&c->end[0]);
	free_end(&c->end[1]);
	free(c->policy.ike.row);
	free(c->policy.esp.row);
	free(c->policy.ah.row);
	free(c->interface);
	free(c->xauth_name);
	lease_unref(c->lease);
	free(c->updown_failure);
	free(c->name);
	free(c);
}

void connection_settled(struct ike *ike, struct connection *c)
{
	(void)ike;
	if (c->deleted && c->held == 0 && c->n_plans == 0)
		connection_free(c);
}

void connection_delete(struct ike *ike, struct connection *c)
{
	struct plan *p;

	if (c->template != NULL)
		LIST_REMOVE(c, of_template);
	else
		HASH_DELETE(by_name, ike->connections, c);
	nets_leave(ike->nets, c);
	family_leave(ike, c);
	HASH_DELETE(by_reqid, ike->by_reqid, c);
	c->held++;
	c->deleted = true;
	upkeep_stop(ike, c);
	instances_end(ike, c);
	if (c->ours >= 0) {
		connections_terminate(ike, &c, 1);
		phase1s_hand_over(ike, c);
		p = plan_new(ike, c);
		routing_down(ike, c, p);
		plan_submit(p, NULL, NULL);
		connection_leave_pair(ike, c);
	}
	c->held--;
	connection_settled(ike, c);
}
