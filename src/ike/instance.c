/* instance.c -- making and dropping the temporary connections of Road Warriors. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "ike/initiate.h"
#include "ike/instance.h"
#include "ike/internal.h"
#include "ike/hosts.h"
#include "ike/routing.h"

bool connection_is_template(const struct connection *c)
{
	return c->ours >= 0 && addr_is_any(&peer_end(c)->host);
}

struct host_pair *templates_at(struct ike *ike, const struct ip_addr *us)
{
	static const struct ip_addr anybody;

	return host_pair_find(ike, us, &anybody);
}

bool connection_admits(const struct connection *c, const struct identity *id, const struct ip_addr *peer)
{
	struct identity address;

	if (connection_is_template(c) && !peer_end(c)->id_given) {
		if (peer == NULL)
			return id->kind == IDENTITY_ADDR;
		address = identity_of_addr(peer);
		return identity_eq(&address, id);
	}
	return identity_eq(&peer_end(c)->id, id);
}

static struct end copy_end(const struct end *from)
{
	struct end e = *from;

	if (e.id_given && e.id.kind != IDENTITY_ADDR)
		e.id.name = span_buf(buf_copy(e.id.name));
	if (e.updown != NULL)
		e.updown = xstrdup(e.updown);
	return e;
}

static struct rows borrow(const struct rows *from)
{
	return (struct rows){ .all = from->all, .n = from->n };
}

struct connection *instance_new(struct ike *ike, struct connection *template, const struct ip_addr *peer)
{
	struct connection *c = NEW(struct connection);
	struct end *theirs = &c->end[1 - template->ours];

	c->name = xprintf("%s[%u]", template->name, ++template->last_instance);
	c->template = template;
	c->end[0] = copy_end(&template->end[0]);
	c->end[1] = copy_end(&template->end[1]);
	c->policy = template->policy;
	c->policy.ike = borrow(&template->policy.ike);
	c->policy.esp = borrow(&template->policy.esp);
	c->policy.ah = borrow(&template->policy.ah);
	c->xauth_name = template->xauth_name == NULL ? NULL : xstrdup(template->xauth_name);
	c->debug = template->debug;
	connection_number(ike, c);
	c->ours = template->ours;
	c->interface = NEW(struct kernel_interface);
	*c->interface = *template->interface;
	theirs->host = *peer;
	if (!theirs->id_given)
		theirs->id = identity_of_addr(peer);
	LIST_INIT(&c->phase2s);
	LIST_INIT(&c->retries);
	LIST_INIT(&c->instances);
	LIST_INSERT_HEAD(&template->instances, c, of_template);
	connection_enter_pair(ike, c);
	return c;
}

static bool used(const struct connection *c)
{
	const struct phase1 *p;

	if (c->held > 0 || !LIST_EMPTY(&c->phase2s) || !LIST_EMPTY(&c->retries) || c->pair == NULL)
		return true;
	LIST_FOREACH(p, &c->pair->phase1s, in_pair)
		if (p->c == c)
			return true;
	return false;
}

void instance_release(struct ike *ike, struct connection *c)
{
	if (c->template != NULL && !c->deleted && !used(c))
		connection_delete(ike, c);
}

void instances_end(struct ike *ike, struct connection *template)
{
	while (!LIST_EMPTY(&template->instances))
		connection_delete(ike, LIST_FIRST(&template->instances));
}
