/* natt.c -- NAT traversal: agreeing on it, and finding out who is behind a NAT. */
#include "generated/vendors.h"
#include "ike/hosts.h"
#include "ike/natt.h"
#include "ike/nets.h"

/* ---- agreeing ---------------------------------------------------------------- */

/* Is the port of NAT traversal open at that address of ours? */
static bool port_open(const struct ike *ike, const struct ip_addr *local)
{
	for (size_t i = 0; i < ike->n_interfaces; i++)
		if (addr_eq(&ike->interfaces[i].addr, local))
			return ike->interfaces[i].natt;
	return false;
}

static bool wanted_by(const struct phase1 *p, const struct connection *c)
{
	return p->ike->ports.natt != 0 && c->policy.encapsulation != UDP_ENCAPSULATION_NO &&
	       port_open(p->ike, &p->x->local.addr);
}

static bool wanted(const struct phase1 *p)
{
	return wanted_by(p, p->c);
}

size_t natt_vendors(const struct phase1 *p, struct emit_VID *v)
{
	size_t n = 0;

	if (!wanted(p))
		return 0;
	if (p->x->role == ROLE_RESPONDER && p->natt.method == VENDOR_NONE)
		return 0;
	for (enum vendor m = VENDOR_NAT_T; m >= VENDOR_NAT_T_02; m--)
		if (p->x->role == ROLE_INITIATOR || m == p->natt.method)
			v[n++] = (struct emit_VID){ .id = vendor_table[m].data };
	return n;
}

/* The best that the peer says it knows. */
static enum vendor best_of(const struct message *m)
{
	enum vendor best = VENDOR_NONE;

	for (size_t i = 0; i < m->n; i++) {
		enum vendor v = m->payloads[i].type != PAYLOAD_TYPE_VID ? VENDOR_NONE :
				vendor_find(m->payloads[i].u.VID.id);

		if (v >= VENDOR_NAT_T_02 && v <= VENDOR_NAT_T && v > best)
			best = v;
	}
	return best;
}

bool natt_possible(const struct phase1 *p, const struct connection *c, const struct message *m)
{
	return wanted_by(p, c) && best_of(m) != VENDOR_NONE;
}

void natt_learn(struct phase1 *p, const struct message *m)
{
	p->natt.method = VENDOR_NONE;	/* the message may be another one than the first time */
	if (!wanted(p))
		return;
	p->natt.method = best_of(m);
	p->x->aliases = p->natt.method != VENDOR_NONE && p->natt.method != VENDOR_NAT_T;
}

const char *natt_method(const struct phase1 *p)
{
	switch (p->natt.method) {
	case VENDOR_NAT_T:
		return "RFC 3947";
	case VENDOR_NAT_T_03:
		return "draft-ietf-ipsec-nat-t-ike-03";
	case VENDOR_NAT_T_02:
	case VENDOR_NAT_T_02N:
		return "draft-ietf-ipsec-nat-t-ike-02";
	default:
		return NULL;
	}
}

/* ---- finding ------------------------------------------------------------------- */

/* A NAT was found, or is to be believed in. */
static bool crosses(const struct phase1 *p)
{
	return p->natt.compared && (p->natt.us || p->natt.peer || p->natt.forced);
}

static struct span hash_of(struct action *a, const struct endpoint *e)
{
	uint8_t port[2];
	struct writer w = writer_on(port, sizeof(port));

	put_u16(&w, e->port);
	action_supply(a, KEY_NATD_ADDRESS, addr_bytes(&e->addr));
	action_supply(a, KEY_NATD_PORT, writer_span(&w));
	return action_value(a, KEY_NATD_HASH, 0);
}

const struct emit_NATD *natt_discover(struct action *a, size_t *n)
{
	struct phase1 *p = phase1_of(a->x);
	struct emit_NATD *d = ARENA_ARRAY(a->arena, struct emit_NATD, 2);

	*n = 0;
	if (p->natt.method == VENDOR_NONE)
		return NULL;
	d[0].hash = hash_of(a, &a->x->remote);
	d[1].hash = hash_of(a, &a->x->local);
	if (p->c->policy.encapsulation == UDP_ENCAPSULATION_YES) {
		/* An address that nobody has: the peer believes in a NAT before us. */
		uint8_t *nobody = arena_alloc(a->arena, d[1].hash.n);

		p->ike->host.random(p->ike->host.ctx, nobody, d[1].hash.n);
		d[1].hash = span_of(nobody, d[1].hash.n);
		p->natt.forced = true;
	}
	/* Until phase 1 is complete the initiator may change its port, if it has found a NAT. */
	a->x->roaming = a->x->role == ROLE_RESPONDER && (!p->natt.compared || crosses(p));
	*n = 2;
	return d;
}

static void report_nat(const struct phase1 *p, const struct exchange *x)
{
	ike_log(p->ike, p->c, x, NO_WHACK, WHACK_STATUS_LOG, "NAT traversal by %s: %s%s", natt_method(p),
		natt_situation(p), p->natt.forced ? "; ESP goes in UDP all the same (--encapsulation yes)" : "");
}

void natt_compare(struct action *a, const struct payload_NATD *const *theirs, size_t n)
{
	struct phase1 *p = phase1_of(a->x);

	if (p->natt.method == VENDOR_NONE)
		return;
	if (n < 2) {			/* it does not know that it was agreed on */
		ike_log(p->ike, p->c, a->x, NO_WHACK, WHACK_STATUS_LOG,
			"the peer sends no NAT-D payloads: no NAT traversal with it");
		p->natt.method = VENDOR_NONE;
		a->x->aliases = a->x->roaming = false;
		return;
	}
	p->natt.us = !ct_equal(theirs[0]->hash, hash_of(a, a->to));
	p->natt.peer = true;
	for (size_t i = 1; i < n && i <= LIMIT_NATT_SOURCES; i++)
		if (ct_equal(theirs[i]->hash, hash_of(a, a->from)))
			p->natt.peer = false;
	p->natt.compared = true;
	a->x->roaming = crosses(p) || a->to->port == p->ike->ports.natt;
	report_nat(p, a->x);
}

const char *natt_situation(const struct phase1 *p)
{
	return p->natt.us && p->natt.peer ? "both ends are behind NATs" : p->natt.us ? "we are behind a NAT" :
	       p->natt.peer ? "the peer is behind a NAT" : "no NAT found";
}

void natt_float(struct action *a)
{
	struct phase1 *p = phase1_of(a->x);
	struct endpoint local = a->x->local, remote = a->x->remote;

	if (!crosses(p) || local.port == p->ike->ports.natt)
		return;
	local.port = p->ike->ports.natt;
	remote.port = peer_end(p->c)->nattport;
	ike_log(p->ike, p->c, a->x, NO_WHACK, WHACK_STATUS_LOG, "going on from our port %u to port %u of the peer",
		local.port, remote.port);
	engine_relocate(a->x, &local, &remote);
}

/* ---- what it means for phase 2 --------------------------------------------------- */

bool natt_encapsulates(const struct phase1 *p)
{
	return crosses(p) && p->x->local.port == p->ike->ports.natt;
}

bool natt_could_encapsulate(const struct phase1 *p)
{
	return p->natt.compared && p->x->local.port == p->ike->ports.natt;
}

bool natt_in_udp(uint16_t mode)
{
	uint32_t canonical = registry_canonical(&registry_encapsulation_mode, mode);

	return canonical == ENCAPSULATION_MODE_UDP_TUNNEL || canonical == ENCAPSULATION_MODE_UDP_TRANSPORT;
}

uint16_t natt_mode(const struct phase1 *p, bool tunnel, bool in_udp)
{
	uint16_t mode = tunnel ? ENCAPSULATION_MODE_UDP_TUNNEL : ENCAPSULATION_MODE_UDP_TRANSPORT;

	if (!in_udp)
		return tunnel ? ENCAPSULATION_MODE_TUNNEL : ENCAPSULATION_MODE_TRANSPORT;
	return p->x->aliases ? (uint16_t)registry_alias(&registry_encapsulation_mode, mode) : mode;
}

static bool asks_for_ah(const struct connection *c)
{
	return (connection_protocols(c) & 1u << PROTOCOL_ID_AH) != 0;
}

const struct refusal *natt_obstacle(const struct phase1 *p, const struct connection *c)
{
	struct arena *a = p->ike->arena;

	if (crosses(p) && asks_for_ah(c))
		return refuse_natt_ah(a, c->name);
	if (natt_encapsulates(p) && p->natt.peer && !connection_tunnel(c) && !addr_eq(&peer_end(c)->host, &p->x->remote.addr))
		return refuse_natt_transport_moved(a, c->name, &peer_end(c)->host, &p->x->remote);
	if (natt_encapsulates(p) && !p->ike->kernel.ops->encapsulates)
		return refuse_natt_backend(a, c->name, p->ike->kernel.ops->name);
	return NULL;
}

/* ---- a NAT, and ESP without UDP ----------------------------------------------------- */

/* Addresses that sites give away by themselves: RFC 1918, RFC 6598, RFC 4193. */
static bool is_private(const struct ip_addr *a)
{
	static const struct subnet nets[] = {
		{ { 4, { 10 } }, 8 }, { { 4, { 172, 16 } }, 12 }, { { 4, { 192, 168 } }, 16 },
		{ { 4, { 100, 64 } }, 10 }, { { 16, { 0xfc } }, 7 },
	};

	for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++)
		if (nets[i].addr.len == a->len && subnet_has(&nets[i], a))
			return true;
	return false;
}

/* What shows that there is a NAT; NULL: nothing does.  Who does not agree on NAT traversal gets no NAT-D payloads (RFC 3947
 * 3.2), but for the port that a NAT has changed, and addresses that are none of the network between. */
static const char *sign_of_nat(struct arena *a, const struct phase1 *p)
{
	const struct endpoint *us = &p->x->local, *them = &p->x->remote;
	const struct identity *id = &peer_end(p->c)->id;
	uint16_t port = peer_end(p->c)->ikeport != 0 ? peer_end(p->c)->ikeport : LIMIT_IKE_PORT;
	char one[ADDR_TEXT], other[ADDR_TEXT];

	if (p->natt.compared)
		return p->natt.us || p->natt.peer ? natt_situation(p) : NULL;
	if (p->x->role == ROLE_RESPONDER && them->port != port)
		return arena_printf(a, "the peer sends from port %u, not %u", them->port, port);
	if (id->kind == IDENTITY_ADDR && !addr_eq(&id->addr, &them->addr) && is_private(&id->addr))
		return arena_printf(a, "the peer, at %s, calls itself %s", addr_format(&them->addr, one),
				    addr_format(&id->addr, other));
	if (is_private(&us->addr) != is_private(&them->addr))
		return arena_printf(a, "of our address, %s, and the peer's, %s, one is private", addr_format(&us->addr, one),
				    addr_format(&them->addr, other));
	return NULL;
}

const struct refusal *natt_unserved(struct arena *a, const struct phase1 *p)
{
	const struct ike *ike = p->ike;
	const char *sign = natt_encapsulates(p) || !connection_ipsec(p->c) ? NULL : sign_of_nat(a, p);

	if (sign == NULL)
		return NULL;
	if (asks_for_ah(p->c))
		return refuse_natt_ah_doubtful(a, p->c->name, sign);
	if (p->c->policy.encapsulation == UDP_ENCAPSULATION_NO)
		return refuse_natt_forbidden(a, p->c->name, sign, "--encapsulation no");
	if (ike->ports.natt == 0)
		return refuse_natt_forbidden(a, p->c->name, sign, "--no-nat-traversal");
	return refuse_natt_unused(a, p->c->name, sign, !port_open(ike, &p->x->local.addr) ?
				  "our port for it is not open" : !p->natt.compared ? "the peer does no NAT traversal" :
				  "the peer goes on without it");
}

void natt_warn(const struct phase1 *p)
{
	const struct refusal *why = natt_unserved(p->ike->arena, p);

	if (why != NULL)
		ike_refusal(p->ike, p->c, p->x, p->whack, true, why);
}

static struct emit_NATOA original(struct arena *a, const struct ip_addr *addr)
{
	return (struct emit_NATOA){ .type = addr->len == 4 ? ID_TYPE_IPV4_ADDR : ID_TYPE_IPV6_ADDR,
				    .address = arena_span(a, addr_bytes(addr)) };
}

const struct emit_NATOA *natt_originals(struct action *a, const struct phase1 *p, uint16_t mode, size_t *n)
{
	struct emit_NATOA *oa = ARENA_ARRAY(a->arena, struct emit_NATOA, 2);
	bool initiator = a->x->role == ROLE_INITIATOR;

	*n = 0;
	if (registry_canonical(&registry_encapsulation_mode, mode) != ENCAPSULATION_MODE_UDP_TRANSPORT)
		return NULL;
	if (p->natt.method != VENDOR_NAT_T) {	/* the drafts, 5.2: that of the sender alone */
		oa[(*n)++] = original(a->arena, &a->x->local.addr);
		return oa;
	}
	oa[(*n)++] = original(a->arena, initiator ? &a->x->local.addr : &a->x->remote.addr);
	oa[(*n)++] = original(a->arena, initiator ? &a->x->remote.addr : &a->x->local.addr);
	return oa;
}

/* ---- a peer that has an address of its own ------------------------------------------ */

void natt_name(const struct phase1 *p, struct connection *c, const struct identity *id)
{
	const struct end *theirs = peer_end(c);

	if ((p->natt.peer || !p->natt.compared) && c->template != NULL && !theirs->id_given && id->kind == IDENTITY_ADDR)
		hosts_rename(p->ike, c, id);
}

bool natt_explains(const struct phase1 *p)
{
	const struct end *theirs = peer_end(p->c);

	return p->natt.peer || p->c->template == NULL || theirs->id_given || theirs->id.kind != IDENTITY_ADDR ||
	       addr_eq(&theirs->id.addr, &p->x->remote.addr);
}

/* Whose is the address already: in our client, or another peer's or its client's?  False: nobody's. */
static bool taken(const struct ike *ike, const struct connection *c, const struct ip_addr *a, struct subnet *whose)
{
	struct subnet ours = connection_client(c, true);
	const struct subnet *other = nets_find(ike->nets, a);

	*whose = subnet_has(&ours, a) || other == NULL ? ours : *other;
	return subnet_has(&ours, a) || other != NULL;
}

/* Is it an address that the peer of p can have itself, and c an instance that can be for it? */
static bool may_be_inside(const struct phase1 *p, const struct connection *c, const struct subnet *client)
{
	const struct end *theirs = peer_end(c);
	const struct identity *id = &peer_end(p->c)->id;
	bool itself = id->kind == IDENTITY_ADDR && addr_eq(&id->addr, &client->addr);

	if (!natt_encapsulates(p) || !p->natt.peer || c->template == NULL || theirs->has_client ||
	    !connection_tunnel(c) || client->bits != 8 * client->addr.len || c->routing != UNROUTED)
		return false;
	return itself || (id->kind != IDENTITY_ADDR && is_private(&client->addr));
}

bool natt_take_inside(const struct phase1 *p, struct connection *c, const struct subnet *client)
{
	struct subnet whose;

	if (!may_be_inside(p, c, client) || taken(p->ike, c, &client->addr, &whose))
		return false;
	hosts_inside(p->ike, c, &client->addr);
	return true;
}

const struct refusal *natt_taken(struct arena *a, const struct phase1 *p, const struct connection *c,
				 const struct subnet *client)
{
	char address[ADDR_TEXT], net[SUBNET_TEXT];
	struct subnet whose;

	if (!may_be_inside(p, c, client) || !taken(p->ike, c, &client->addr, &whose))
		return NULL;
	return refuse_natt_taken(a, addr_format(&client->addr, address), subnet_format(&whose, net), c->template->name);
}

const struct refusal *natt_shared(struct arena *a, const struct connection *c, const struct connection *other)
{
	const struct end *theirs = peer_end(c), *others = peer_end(other);

	if (connection_tunnel(c) || connection_tunnel(other) || !addr_eq(&theirs->host, &others->host) ||
	    identity_eq(&theirs->id, &others->id))
		return NULL;
	return refuse_natt_shared(a, c->name, other->name, &theirs->host);
}
