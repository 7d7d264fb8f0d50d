/* describe.c -- the connection form of whack: from a description to a connection. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "ike/errand.h"
#include "generated/suites.h"
#include "ike/algorithms.h"
#include "ike/describe.h"
#include "ike/family.h"
#include "ike/internal.h"
#include "ike/pairs.h"
#include "ike/weak.h"

/* Of a description as whack sends it, as long as a request may be; one that is longer is always new. */
#define SAID_OCTETS (64u << 10)

struct description {		/* what is being built, and where it went wrong */
	struct ike *ike;
	struct client_pair *pairs;	/* a connection for each */
	size_t n;
	struct connection *c;
	const struct refusal *why;
};

static bool good_name(struct span s)
{
	if (s.n == 0 || s.n > LIMIT_NAME_OCTETS)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		uint8_t b = s.p[i];
		bool alnum = (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9');

		if (!alnum && (i == 0 || strchr("._-+", b) == NULL || b == '\0'))
			return false;
	}
	return true;
}

static const char *quoted(struct description *d, struct span text)
{
	return arena_str(d->ike->arena, text);
}

static char *copy_text(struct span s)
{
	char *p = xcalloc(1, s.n + 1);

	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return p;
}

/* ---- ends -------------------------------------------------------------- */

static bool describe_id(struct description *d, struct span text, struct end *e)
{
	const char *why = NULL;
	unsigned column = 0;
	enum identity_form form;

	if (text.n == 0)
		return true;
	form = identity_parse(d->ike->arena, text, &e->id, &why, &column);
	if (form != IDENTITY_OK) {
		if (form == IDENTITY_HOST)
			why = "is a name to be resolved: whack does that; give an address or @NAME";
		d->why = refuse_bad_text(d->ike->arena, d->c->name, "--id", quoted(d, text), column, why);
		return false;
	}
	if (identity_is_any(&e->id))	/* as good as none: follows from the address */
		return true;
	e->id_given = true;
	if (e->id.kind != IDENTITY_ADDR) {
		size_t n = e->id.name.n;

		e->id.name = span_of(copy_text(e->id.name), n);
	}
	return true;
}

static bool describe_end(struct description *d, const struct control_end *from, const struct control_end *other,
			 const struct control_selector *protects, struct end *e)
{
	e->host = from->host;
	e->defaultroute = from->defaultroute;
	if (e->defaultroute)		/* that of IPv4 or of IPv6, as the peer is */
		e->host = (struct ip_addr){ .len = other->host.len == 16 ? 16 : 4 };
	e->ikeport = from->ikeport;
	e->nattport = from->nattport != 0 ? from->nattport : LIMIT_NATT_PORT;
	e->nexthop = from->nexthop;
	e->has_client = protects->client.addr.len != 0;
	e->client = protects->client;
	e->protocol = protects->protocol;
	e->port = protects->port;
	if (from->updown.n > 0)
		e->updown = copy_text(from->updown);
	return describe_id(d, from->id, e);
}

/* Octets of the addresses of a host's family, 0 where it is open: %any stands for either, but :: is of IPv6. */
static unsigned host_family(const struct ip_addr *a)
{
	return a->len == 4 && addr_is_any(a) ? 0 : a->len;
}

/* The same of the client, which is the host itself where none is given; the other host tells what an open one is. */
static unsigned client_family(const struct end *e, const struct end *other)
{
	unsigned host = host_family(&e->host);

	return e->has_client ? e->client.addr.len : host != 0 ? host : host_family(&other->host);
}

static const char *client_text(struct description *d, const struct end *e)
{
	char client[SUBNET_TEXT], host[ADDR_TEXT];

	return arena_printf(d->ike->arena, "%s", e->has_client ? subnet_format(&e->client, client)
							       : addr_format(&e->host, host));
}

static const char *host_text(struct description *d, const struct end *e)
{
	char host[ADDR_TEXT];

	return arena_printf(d->ike->arena, "%s", addr_format(&e->host, host));
}

static bool check_link(struct description *d, const struct end *e)
{
	if (addr_is_link_local(&e->host))
		d->why = refuse_link_local(d->ike->arena, d->c->name, "--host", host_text(d, e));
	else if (e->has_client && addr_is_link_local(&e->client.addr))
		d->why = refuse_link_local(d->ike->arena, d->c->name, "--client", client_text(d, e));
	return d->why == NULL;
}

static bool check_ends(struct description *d)
{
	const struct end *l = &d->c->end[0], *r = &d->c->end[1];
	unsigned left = host_family(&l->host), right = host_family(&r->host);

	if (l->defaultroute && r->defaultroute)
		d->why = refuse_two_default_routes(d->ike->arena, d->c->name);
	else if (addr_is_any(&l->host) && addr_is_any(&r->host) && !l->defaultroute && !r->defaultroute)
		d->why = refuse_two_wildcards(d->ike->arena, d->c->name);
	else if (left != 0 && right != 0 && left != right)
		d->why = refuse_families(d->ike->arena, d->c->name, "hosts", host_text(d, l), host_text(d, r));
	else if (client_family(l, r) != client_family(r, l))
		d->why = refuse_families(d->ike->arena, d->c->name, "clients", client_text(d, l), client_text(d, r));
	return d->why == NULL && check_link(d, l) && check_link(d, r);
}

/* ---- suites ------------------------------------------------------------ */

/* An owned copy of rows that live in the arena: one allocation for rows and cells. */
static struct rows copy_rows(const struct suite *s)
{
	size_t cells = 0, at = 0;
	struct rows rows = { .n = s->n };

	for (size_t i = 0; i < s->n; i++)
		cells += s->rows[i].n;
	rows.row = xcalloc(1, s->n * sizeof(struct suite_row) + cells * sizeof(struct suite_cell));
	struct suite_cell *cell = (struct suite_cell *)(rows.row + s->n);

	for (size_t i = 0; i < s->n; i++) {
		rows.row[i] = s->rows[i];
		rows.row[i].cells = memcpy(cell + at, s->rows[i].cells,
					   s->rows[i].n * sizeof(struct suite_cell));
		at += s->rows[i].n;
	}
	rows.all = rows.row;
	return rows;
}

static const struct suite *policy_suite(struct description *d, const char *kind, struct span policy)
{
	const char *name = policy.n == 0 ? "modern" : quoted(d, policy);
	const struct suite *s = suite_by_name(arena_printf(d->ike->arena, "%s_%s", kind, name));

	if (s == NULL && d->why == NULL)
		d->why = refuse_unknown_policy(d->ike->arena, d->c->name, name, "modern, freeswan");
	return s;
}

static bool describe_rows(struct description *d, const char *kind, uint8_t protocol, struct span policy,
			  struct span strings, struct rows *out)
{
	const struct suite *s = policy_suite(d, kind, policy);
	struct algorithms algorithms = { 0 };

	if (s == NULL)
		return false;
	if (strings.n == 0) {
		*out = (struct rows){ .all = s->rows, .n = s->n };
		return true;
	}
	d->why = algorithms_parse(protocol, strings, s, d->ike->arena, &algorithms);
	if (d->why != NULL)
		return false;
	*out = copy_rows(&algorithms.suite);
	if (algorithms.group != 0)
		d->c->policy.pfs_group = (uint16_t)algorithms.group;
	return true;
}

static bool describe_pfs_group(struct description *d, struct span text)
{
	const struct registry_entry *e;

	if (text.n == 0)
		return true;
	e = registry_by_word(&registry_oakley_group, text);
	if (e == NULL || group_alg((uint16_t)e->lo) == ALG_NONE) {
		d->why = refuse_bad_text(d->ike->arena, d->c->name, "--pfsgroup", quoted(d, text), 1,
					 "is no group that pluto can do, such as modp2048 or ecp256");
		return false;
	}
	d->c->policy.pfs_group = (uint16_t)e->lo;
	return true;
}

static bool describe_suites(struct description *d, const struct control_connection *m)
{
	struct policy *p = &d->c->policy;

	p->ipcomp = (struct rows){ .all = suite_ipcomp_any.rows, .n = suite_ipcomp_any.n };
	return describe_rows(d, "ike", PROTOCOL_ID_ISAKMP, m->policy, m->ike, &p->ike) &&
	       describe_rows(d, "esp", PROTOCOL_ID_ESP, m->policy, m->esp, &p->esp) &&
	       describe_rows(d, "ah", PROTOCOL_ID_AH, m->policy, m->ah, &p->ah) &&
	       describe_pfs_group(d, m->pfsgroup);
}

/* ---- policy ------------------------------------------------------------ */

static bool check_life(struct description *d, const char *option, uint32_t seconds, uint32_t limit)
{
	if (seconds <= limit)
		return true;
	d->why = refuse_life_over_max(d->ike->arena, d->c->name, option, seconds, limit);
	return false;
}

static bool describe_policy(struct description *d, const struct control_connection *m)
{
	struct policy *p = &d->c->policy;

	p->psk = m->psk || !m->rsasig;		/* neither is both: what there are keys for */
	p->rsasig = m->rsasig || !m->psk;
	p->encrypt = m->encrypt;
	p->authenticate = m->authenticate;
	p->compress = m->compress;
	p->tunnel = m->tunnel;
	p->pfs = m->pfs;
	p->aggressive = m->aggressive;
	p->ike_life = m->ikelifetime;
	p->ipsec_life = m->ipseclifetime;
	p->ipsec_kilobytes = m->ipseckilobytes;
	p->margin = m->rekeymargin;
	p->fuzz = m->rekeyfuzz;
	p->keyingtries = m->keyingtries;
	p->sends = m->sends;
	p->interval = m->sendinterval;
	p->dpd_delay = m->dpddelay;
	p->dpd_timeout = m->dpdtimeout;
	p->dpd_action = m->dpdaction;
	p->evict = m->onconflict == ROUTE_CONFLICT_EVICT;
	p->ondemand = m->ondemand;
	p->revive = m->revive;
	p->fragmentation = m->fragmentation;
	p->fragment_octets = m->fragmentsize;
	p->encapsulation = m->encapsulation;
	if (m->tunnel && !m->encrypt && !m->authenticate)
		d->why = refuse_tunnel_alone(d->ike->arena, d->c->name);
	else if (m->compress && !d->ike->kernel.ops->compresses)
		d->why = refuse_not_supported(d->ike->arena, "IPComp with this --kernel");
	else if (m->compress && !m->encrypt && !m->authenticate)
		d->why = refuse_compress_alone(d->ike->arena, d->c->name);
	else if (m->encapsulation == UDP_ENCAPSULATION_YES && d->ike->ports.natt == 0)
		d->why = refuse_natt_refused(d->ike->arena, d->c->name);
	else if (m->encapsulation == UDP_ENCAPSULATION_YES && m->authenticate)
		d->why = refuse_natt_ah_in_udp(d->ike->arena, d->c->name);
	return d->why == NULL &&
	       check_life(d, "--ikelifetime", m->ikelifetime, LIMIT_IKE_LIFE_MAX) &&
	       check_life(d, "--ipseclifetime", m->ipseclifetime, LIMIT_IPSEC_LIFE_MAX);
}

/* SAs beside each other: not every kernel has them carry one family of addresses in the other. */
static bool check_bundle(struct description *d)
{
	const struct kernel_ops *ops = d->ike->kernel.ops;
	const struct end *l = &d->c->end[0], *r = &d->c->end[1];
	unsigned left = host_family(&l->host), hosts = left != 0 ? left : host_family(&r->host);
	struct policy *p = &d->c->policy;

	if (!ops->bundles_alike || hosts == client_family(l, r))
		return true;
	p->single = ops->name;
	if (p->encrypt + p->authenticate + p->compress > 1)
		d->why = refuse_bundle_families(d->ike->arena, d->c->name, p->single);
	return d->why == NULL;
}

/* The user whom the gateway asks for, and how our address comes. */
static bool describe_user(struct description *d, const struct control_connection *m)
{
	struct arena *a = d->ike->arena;

	d->c->policy.xauth = m->xauth;
	d->c->policy.modecfg = m->modecfg;
	d->c->policy.split = m->split;
	if (m->xauth && m->xauthname.n == 0)
		d->why = refuse_xauth_no_name(a, d->c->name);
	else if (!m->xauth && m->xauthname.n > 0)
		d->why = refuse_xauth_name_alone(a, d->c->name);
	else if (m->xauthname.n > LIMIT_XAUTH_NAME)
		d->why = refuse_xauth_name_long(a, d->c->name, LIMIT_XAUTH_NAME);
	else if (m->modecfg != CONFIG_MODE_NO && d->c->end[0].has_client && d->c->end[1].has_client)
		d->why = refuse_config_client(a, d->c->name);
	else if (m->split && (m->modecfg == CONFIG_MODE_NO || m->left.n_further + m->right.n_further > 0))
		d->why = refuse_split_alone(a, d->c->name);
	if (d->why == NULL && m->xauth)
		d->c->xauth_name = copy_text(m->xauthname);
	return d->why == NULL;
}

/* A margin that leaves nothing of the lifetime is cut down, with a word about it. */
static void warn_margin(struct ike *ike, uint32_t whack, const struct connection *c)
{
	uint64_t most = (uint64_t)c->policy.margin * (100 + c->policy.fuzz) / 100;
	uint32_t life = c->policy.ike_life < c->policy.ipsec_life || !connection_ipsec(c)
			? c->policy.ike_life : c->policy.ipsec_life;

	if (most >= life && life != 0)
		ike_reply(ike, whack, WHACK_STATUS_LOG, "\"%s\": a lifetime of %u seconds is shorter than "
			  "rekeymargin and rekeyfuzz (up to %llu): rekeying may begin at half the lifetime",
			  c->name, life, (unsigned long long)most);
}

static void warn_weak(struct ike *ike, uint32_t whack, const struct connection *c)
{
	const char *weak = connection_weakness(ike->arena, c);

	if (weak != NULL)
		ike_log(ike, c, NULL, whack, WHACK_STATUS_LOG, "%s may be agreed on, which is weak; "
			"leave it out of --ike, --esp and --ah, or drop --policy, when the peer knows better", weak);
	if (connection_exposure(c) != NULL)
		ike_log(ike, c, NULL, whack, WHACK_STATUS_LOG, "whoever poses as the peer in Aggressive Mode, or "
			"listens, can search for the preshared secret with a dictionary; use one of whack --genpsk, or --rsasig");
}

/* An address that the name had at the moment is seldom what is meant by a name as identity. */
static void warn_named(struct ike *ike, uint32_t whack, const struct connection *c, const struct control_end *e)
{
	char name[256], id[256];
	struct text name_text = text_on(name, sizeof(name)), id_text = text_on(id, sizeof(id));

	if (e->named.n == 0)
		return;
	text_escape(&name_text, e->named);
	text_escape(&id_text, e->id);
	ike_log(ike, c, NULL, whack, WHACK_STATUS_LOG, "--id %s was resolved just now: the identity is %s, and stays so when the "
		"name gets another address; write @%s for the name itself, or the address", name, id, name);
}

/* What the load can already tell that initiating would stumble over. */
static void warn_secret(struct ike *ike, uint32_t whack, const struct connection *c)
{
	const struct refusal *why;

	if (c->ours < 0 || addr_is_any(&peer_end(c)->host))
		return;
	why = auth_obstacle(ike, ike->arena, c);
	if (why != NULL)
		ike_reply(ike, whack, WHACK_STATUS_LOG, "\"%s\": %s", c->name, why->message);
}

static const struct refusal *check_name(struct ike *ike, const struct control_connection *m)
{
	char *name = arena_str(ike->arena, m->name);

	if (!good_name(m->name))
		return refuse_bad_name(ike->arena, name, LIMIT_NAME_OCTETS);
	if (!m->replace && family_find(ike, m->name) != NULL)
		return refuse_duplicate_name(ike->arena, name);
	if (HASH_CNT(by_name, ike->connections) >= LIMIT_CONNECTIONS)
		return refuse_too_many_connections(ike->arena, LIMIT_CONNECTIONS);
	return NULL;
}

/* The connection of one pair of clients; NULL, and d->why. */
static struct connection *describe_pair(struct description *d, const struct control_connection *m,
					const struct client_pair *p)
{
	struct connection *c = NEW(struct connection);

	d->c = c;
	c->name = d->n == 1 ? copy_text(m->name) : xprintf("%.*s/%ux%u", (int)m->name.n, (const char *)m->name.p,
							   p->number[0], p->number[1]);
	if (describe_end(d, &m->left, &m->right, &p->end[0], &c->end[0]) &&
	    describe_end(d, &m->right, &m->left, &p->end[1], &c->end[1]) &&
	    check_ends(d) && describe_policy(d, m) && check_bundle(d) && describe_user(d, m))
		describe_suites(d, m);
	if (d->why == NULL)
		return c;
	connection_free(c);
	return NULL;
}

/* All or none.  In the arena. */
static struct connection **describe_pairs(struct description *d, const struct control_connection *m)
{
	struct connection **all = ARENA_ARRAY(d->ike->arena, struct connection *, d->n + 1);
	size_t n = 0;

	while (n < d->n && (all[n] = describe_pair(d, m, &d->pairs[n])) != NULL)
		n++;
	if (d->why == NULL)
		return all;
	while (n > 0)
		connection_free(all[--n]);
	return NULL;
}

/* What whack said, in a form that can be compared; in the arena, empty if it is too long. */
static struct span as_said(struct ike *ike, const struct control_connection *m)
{
	struct control_connection plain = *m;
	struct writer w = writer_on(arena_alloc(ike->arena, SAID_OCTETS), SAID_OCTETS);

	plain.replace = false;
	plain.left.named = plain.right.named = span_of(NULL, 0);	/* of no consequence but a warning */
	control_put_connection(&w, &plain);
	return w.overflow ? span_of(NULL, 0) : writer_span(&w);
}

/* The same again: nobody loses an SA because a list of connections is loaded once more. */
static bool unchanged(struct ike *ike, const struct family *old, const struct control_connection *m, size_t n)
{
	struct span said = as_said(ike, m);

	return old != NULL && old->described == n && said.n > 0 && span_eq(span_buf(old->said), said);
}

static void enter(struct ike *ike, const struct control_connection *m, struct connection *const *all, size_t n)
{
	struct family *old = family_find(ike, m->name);

	if (old != NULL)
		family_delete(ike, old);
	for (size_t i = 0; i < n; i++) {
		connection_add(ike, all[i], m->name);
		ike_log(ike, all[i], NULL, NO_WHACK, WHACK_STATUS_LOG, "connection described");
	}
	old = family_find(ike, m->name);
	old->said = buf_copy(as_said(ike, m));
	old->described = n;
}

struct connection *describe_further(struct ike *ike, const struct connection *like, const struct subnet *net,
				    const struct refusal **why)
{
	struct description d = { .ike = ike };
	struct control_connection m;
	struct control_end *theirs = like->ours == 0 ? &m.right : &m.left;
	struct connection *c;
	size_t n;

	if (HASH_CNT(by_name, ike->connections) >= LIMIT_CONNECTIONS)
		*why = refuse_too_many_connections(ike->arena, LIMIT_CONNECTIONS);
	if (*why != NULL || !family_said(like->family, ike->arena, &m))
		return NULL;
	theirs->client = *net;
	*why = pairs_find(ike->arena, &m, &d.pairs, &n);
	if (*why != NULL)
		return NULL;
	d.n = 2;			/* it is named as one of several */
	d.pairs[0].number[1 - like->ours] = ++like->family->last_split;
	c = describe_pair(&d, &m, &d.pairs[0]);
	if (c == NULL)
		*why = d.why;
	else
		connection_add(ike, c, m.name);
	return c;
}

void command_connection(struct ike *ike, uint32_t whack, const struct control_connection *m)
{
	struct description d = { .ike = ike, .why = check_name(ike, m) };
	struct connection **all = NULL;
	char *name = arena_str(ike->arena, m->name);

	if (d.why == NULL)
		d.why = pairs_find(ike->arena, m, &d.pairs, &d.n);
	if (d.why == NULL && unchanged(ike, family_find(ike, m->name), m, d.n)) {
		ike_reply(ike, whack, WHACK_STATUS_SUCCESS, "\"%s\": described like this already, its SAs stay", name);
		ike_finish(ike, whack);
		return;
	}
	if (d.why == NULL)
		all = describe_pairs(&d, m);
	if (d.why != NULL) {
		ike_reply_refusal(ike, whack, d.why);
		ike_finish(ike, whack);
		return;
	}
	errand_begin(ike, whack, false);
	enter(ike, m, all, d.n);
	warn_margin(ike, whack, all[0]);	/* what all have in common */
	warn_weak(ike, whack, all[0]);
	warn_secret(ike, whack, all[0]);
	warn_named(ike, whack, all[0], &m->left);
	warn_named(ike, whack, all[0], &m->right);
	if (d.n == 1)
		errand_end(ike, "\"%s\": connection described", name);
	else
		errand_end(ike, "\"%s\": connection described, %zu pairs of clients", name, d.n);
}
