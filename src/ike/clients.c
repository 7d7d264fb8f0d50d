/* clients.c -- the connection for the identities of a Quick Mode. */
#include "ike/clients.h"
#include "ike/hosts.h"
#include "ike/idpayload.h"
#include "ike/instance.h"
#include "ike/natt.h"
#include "ike/pairs.h"

bool clients_read(const struct exchange *x, const struct payload_ID *theirs, const struct payload_ID *ours,
		  struct clients *out)
{
	if (theirs == NULL) {		/* RFC 2409 5.5: the hosts themselves */
		*out = (struct clients){ .ours = subnet_of_host(&x->local.addr),
					 .theirs = subnet_of_host(&x->remote.addr) };
		return true;
	}
	*out = (struct clients){ .our_protocol = ours->protocol, .their_protocol = theirs->protocol,
				 .our_port = ours->port, .their_port = theirs->port };
	return id_read_client(ours, &out->ours) && id_read_client(theirs, &out->theirs);
}

struct clients clients_of(const struct connection *c)
{
	return (struct clients){ .ours = connection_client(c, true), .theirs = connection_client(c, false),
				 .our_protocol = our_end(c)->protocol, .their_protocol = peer_end(c)->protocol,
				 .our_port = our_end(c)->port, .their_port = peer_end(c)->port };
}

/* In how many members they differ. */
static unsigned distance(const struct clients *k, const struct clients *l)
{
	const bool differs[] = {
		!subnet_eq(&k->ours, &l->ours), !subnet_eq(&k->theirs, &l->theirs),
		k->our_protocol != l->our_protocol, k->their_protocol != l->their_protocol,
		k->our_port != l->our_port, k->their_port != l->their_port,
	};
	unsigned n = 0;

	for (size_t i = 0; i < sizeof(differs) / sizeof(differs[0]); i++)
		n += differs[i];
	return n;
}

/* What a host behind a NAT calls itself in transport mode is not how the other end knows it. */
static struct clients as_known(const struct phase2 *p, const struct clients *k)
{
	struct subnet ours = subnet_of_host(&p->x->local.addr), theirs = subnet_of_host(&p->x->remote.addr);
	struct clients known = *k;

	if (!natt_encapsulates(p->root))
		return known;
	if (p->root->natt.us && k->ours.bits == ours.bits && k->ours.addr.len == ours.addr.len)
		known.ours = ours;
	if (p->root->natt.peer && k->theirs.bits == theirs.bits && k->theirs.addr.len == theirs.addr.len)
		known.theirs = theirs;
	return known;
}

bool clients_served(const struct phase2 *p, const struct connection *c, const struct clients *k)
{
	struct clients own = clients_of(c), known = connection_tunnel(c) ? *k : as_known(p, k);

	return connection_ipsec(c) && distance(&own, &known) == 0;
}

/* The same for an instance that the peer, behind a NAT, has told its own address for. */
static bool served_inside(const struct phase2 *p, struct connection *c, const struct clients *k)
{
	if (!natt_take_inside(p->root, c, &k->theirs))
		return false;
	if (clients_served(p, c, k))
		return true;
	hosts_inside(p->ike, c, NULL);
	return false;
}

/* The same for an instance of a template that leaves the peer's port open: it, and so its SAs, are for the one that the peer
 * names, as L2TP clients do whose port is random. */
static bool served_port(const struct phase2 *p, struct connection *c, const struct clients *k)
{
	const struct end *open = c->template == NULL ? NULL : peer_end(c->template);
	uint16_t *port = &c->end[1 - c->ours].port, before = *port;

	if (open == NULL || !pairs_has_ports(open->protocol) || open->port != 0 || c->routing != UNROUTED)
		return false;
	*port = k->their_port;
	if (clients_served(p, c, k) || served_inside(p, c, k))
		return true;
	*port = before;
	return false;
}

static bool served_anew(const struct phase2 *p, struct connection *c, const struct clients *k)
{
	return served_inside(p, c, k) || served_port(p, c, k);
}

/* An instance of one of these templates, for a Road Warrior's proven identity. */
static struct connection *instance_of(struct phase2 *p, const struct phase1 *proven, const struct clients *k,
				      struct connection *t)
{
	struct connection *c;

	for (; t != NULL; t = hosts_next_clients(t)) {
		if (!connection_admits(t, &peer_end(proven->c)->id, proven->natt.peer ? NULL : &p->x->remote.addr))
			continue;
		c = instance_new(p->ike, t, &p->x->remote.addr);
		natt_name(proven, c, &peer_end(proven->c)->id);
		if (auth_covers(proven, c) && (clients_served(p, c, k) || served_anew(p, c, k)))
			return c;
		instance_release(p->ike, c);
	}
	return NULL;
}

/* The same of any template with these clients: named, or its own address. */
static struct connection *instance_for(struct phase2 *p, const struct phase1 *proven, const struct clients *k)
{
	struct host_pair *templates = templates_at(p->ike, &p->x->local.addr);
	struct connection *c;

	if (templates == NULL)
		return NULL;
	c = instance_of(p, proven, k, hosts_first_clients(p->ike, templates, &k->ours, &k->theirs));
	return c != NULL ? c :
	       instance_of(p, proven, k, hosts_first_clients(p->ike, templates, &k->ours, NULL));
}

static struct connection *between_hosts(struct phase2 *p, const struct phase1 *proven, const struct clients *k,
					const struct clients *known)
{
	struct connection *c;

	for (c = hosts_first_clients(p->ike, proven->pair, &known->ours, &known->theirs); c != NULL;
	     c = hosts_next_clients(c))
		if (clients_served(p, c, k) && auth_covers(proven, c))
			return c;
	return NULL;
}

struct connection *clients_find(struct phase2 *p, const struct clients *k)
{
	const struct phase1 *proven = phase1_of(p->x->parent);
	struct clients known = as_known(p, k);
	struct connection *c;

	if (clients_served(p, p->c, k) || (p->c->uses == 1 && served_anew(p, p->c, k)))
		return p->c;
	c = between_hosts(p, proven, k, k);
	if (c == NULL)
		c = between_hosts(p, proven, k, &known);
	if (c != NULL)
		return c;
	return proven->c->template == NULL ? NULL : instance_for(p, proven, k);
}

/* ---- refusals ------------------------------------------------------------ */

static const char *protocol_name(struct arena *a, uint8_t protocol)
{
	char t[REGISTRY_TEXT];

	return protocol == 0 ? "any" : arena_printf(a, "%s", registry_symbol(&registry_ip_protocol, protocol, t));
}

static void differ(struct text *t, bool same, const char *what, const char *says, const char *has)
{
	if (!same)
		text_add(t, "%s%s %s is not %s", t->n > 0 ? ", " : "", what, says, has);
}

static const char *port_name(struct arena *a, uint16_t port)
{
	return port == 0 ? "any" : arena_printf(a, "%u", port);
}

static const char *differences(struct arena *a, const struct clients *k, const struct clients *own)
{
	char *p = arena_alloc(a, 512), net[2][SUBNET_TEXT];
	struct text t = text_on(p, 512);

	differ(&t, subnet_eq(&k->theirs, &own->theirs), "the peer's subnet", subnet_format(&k->theirs, net[0]),
	       subnet_format(&own->theirs, net[1]));
	differ(&t, k->their_protocol == own->their_protocol, "the peer's protocol",
	       protocol_name(a, k->their_protocol), protocol_name(a, own->their_protocol));
	differ(&t, k->their_port == own->their_port, "the peer's port", port_name(a, k->their_port),
	       port_name(a, own->their_port));
	differ(&t, subnet_eq(&k->ours, &own->ours), "our subnet", subnet_format(&k->ours, net[0]),
	       subnet_format(&own->ours, net[1]));
	differ(&t, k->our_protocol == own->our_protocol, "our protocol", protocol_name(a, k->our_protocol),
	       protocol_name(a, own->our_protocol));
	differ(&t, k->our_port == own->our_port, "our port", port_name(a, k->our_port), port_name(a, own->our_port));
	return t.n == 0 ? "it is for an ISAKMP SA only" : p;
}

static const char *our_text(struct arena *a, const struct clients *k)
{
	return selector_text(a, &k->ours, k->our_protocol, k->our_port);
}

static const char *their_text(struct arena *a, const struct clients *k)
{
	return selector_text(a, &k->theirs, k->their_protocol, k->their_port);
}

const struct refusal *clients_unknown(struct arena *a, const struct phase2 *p, const struct clients *k)
{
	const struct phase1 *proven = phase1_of(p->x->parent);
	const struct connection *c, *nearest = p->c;
	struct clients own = clients_of(nearest);
	const struct refusal *taken = natt_taken(a, p->root, p->c, &k->theirs);
	unsigned looked = 0;

	if (taken != NULL)
		return taken;
	LIST_FOREACH(c, &proven->pair->connections, in_pair) {
		struct clients other = clients_of(c);

		if (looked++ == LIMIT_REFUSAL_CANDIDATES)	/* a peer may ask again and again */
			break;

		if (distance(&other, k) < distance(&own, k) && auth_covers(proven, c)) {
			nearest = c;
			own = other;
		}
	}
	return refuse_no_connection_for(a, their_text(a, k), our_text(a, k), nearest->name, their_text(a, &own),
					our_text(a, &own), differences(a, k, &own));
}

const struct refusal *clients_changed(struct arena *a, const struct connection *c, const struct clients *k)
{
	struct clients own = clients_of(c);

	return refuse_clients_changed(a, c->name, their_text(a, k), our_text(a, k), their_text(a, &own),
				      our_text(a, &own), differences(a, k, &own));
}
