/* status_text.c -- whack --status as lines for people. */
#include <stdarg.h>
#include <stdio.h>

#include "ike/dnskeys.h"
#include "ike/followup.h"
#include "ike/instance.h"
#include "ike/natt.h"
#include "ike/pairs.h"
#include "ike/pubkeys.h"
#include "ike/status.h"
#include "ike/upkeep.h"
#include "ike/weak.h"

static void say(struct status *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(struct status *s, const char *fmt, ...)
{
	char line[STATUS_LINE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	s->ike->host.reply(s->ike->host.ctx, s->whack, WHACK_STATUS_COMMENT, line);
}

/* ---- head and foot -------------------------------------------------------------- */

static void tell_key(void *ctx, const struct pubkey *k)
{
	struct status *s = ctx;
	char id[512];
	struct text t = text_on(id, sizeof(id));

	identity_format(&t, &k->id);
	say(s, "  RSA public key of %s%s: %zu bits, fingerprint %s", id, pubkey_source_text(k), rsa_bits(k->rsa),
	    k->fingerprint);
}

static void head(struct status *s)
{
	struct ike *ike = s->ike;
	char a[ADDR_TEXT];

	if (s->named)
		return;
	say(s, "pluto %s, kernel %s; %s; %zu connection%s, %zu up", PACKAGE_VERSION, ike->kernel.ops->name,
	    ike->listening ? "listening" : "NOT LISTENING (whack --listen)", s->n, s->n == 1 ? "" : "s", s->up);
	for (size_t i = 0; i < ike->n_interfaces; i++)
		say(s, "  interface %s%s%s %s", ike->interfaces[i].virtual_,
		    ike->interfaces[i].virtual_[0] ? "/" : "", ike->interfaces[i].real,
		    addr_format(&ike->interfaces[i].addr, a));
	if (dnskeys_insecure(ike->dnskeys))
		say(s, "  --insecure-dnskeys: public keys from the DNS are used although DNSSEC does not prove them");
	pubkeys_each(ike->pubkeys, tell_key, s);
}

#define REASONS_SHOWN 3

/* The reason that refused most of those that are not shown yet. */
static enum reason most_frequent(const struct ike *ike, const bool shown[REASON_COUNT])
{
	enum reason most = REASON_NONE;

	for (unsigned i = REASON_NONE + 1; i < REASON_COUNT; i++)
		if (!shown[i] && ike->refused[i] > ike->refused[most])
			most = i;
	return most;
}

/* One line, when there is anything to count. */
static void tell_counts(struct status *s)
{
	bool shown[REASON_COUNT] = { false };
	char line[512];
	struct text t = text_on(line, sizeof(line));
	unsigned others = 0;
	enum reason r;

	if (s->weak > 0)
		text_add(&t, "%zu SA%s up %s WEAK", s->weak, s->weak == 1 ? "" : "s", s->weak == 1 ? "is" : "are");
	for (unsigned n = 0; (r = most_frequent(s->ike, shown)) != REASON_NONE; n++) {
		shown[r] = true;
		if (n >= REASONS_SHOWN)
			others++;
		else
			text_add(&t, "%s%s %llu", n > 0 ? ", " : t.n > 0 ? "; refused: " : "refused: ", reasons[r].name,
				 (unsigned long long)s->ike->refused[r]);
	}
	if (others > 0)
		text_add(&t, ", %u more reason%s (--json)", others, others == 1 ? "" : "s");
	if (t.n > 0)
		say(s, "%s", line);
}

static void foot(struct status *s)
{
	if (!s->named && s->n == 0)
		say(s, "no connection is described; see whack --help connection");
	if (!s->named)
		tell_counts(s);
}

static void brief_head(struct status *s)
{
	(void)s;
}

/* ---- a connection --------------------------------------------------------------- */

/* host[id]:port */
static void host_text(const struct end *e, struct text *t)
{
	char a[ADDR_TEXT];

	bool port = e->ikeport != LIMIT_IKE_PORT && e->ikeport != 0;

	if (addr_is_any(&e->host) && e->defaultroute)
		text_add(t, "%%defaultroute");
	else if (addr_is_any(&e->host))
		text_add(t, e->host.len == 16 ? "%%any6" : "%%any");
	else
		text_add(t, port && e->host.len == 16 ? "[%s]" : "%s", addr_format(&e->host, a));
	if (e->id_given) {
		text_add(t, "[");
		identity_format(t, &e->id);
		text_add(t, "]");
	}
	if (port)
		text_add(t, ":%u", e->ikeport);
}

/* The subnet, and what of it when not all. */
static void client_text(struct ike *ike, const struct end *e, struct text *t)
{
	struct subnet client;
	bool given = connection_end_client(e, &client);

	if (!given)
		client = addr_is_any(&e->host) ? (struct subnet){ 0 } : subnet_of_host(&e->host);
	if (given || e->protocol != 0)
		text_add(t, "%s", selector_text(ike->arena, &client, e->protocol, e->port));
}

static const char *fence(const struct end *e)
{
	return e->has_client || !addr_is_none(&e->inside) || e->protocol != 0 ? "===" : "";
}

/* client===host...host===client, ours to the left. */
static void ends_text(struct ike *ike, const struct connection *c, struct text *t)
{
	int first = c->ours < 0 ? 0 : c->ours;
	const struct end *l = &c->end[first], *r = &c->end[1 - first];

	client_text(ike, l, t);
	text_add(t, "%s", fence(l));
	host_text(l, t);
	text_add(t, "...");
	host_text(r, t);
	text_add(t, "%s", fence(r));
	client_text(ike, r, t);
}

static void tell_way(struct status *s, const struct connection *c)
{
	char nexthop[ADDR_TEXT];
	const struct ip_addr *hop;

	if (c->ours < 0 || c->leaving) {
		const struct refusal *why = orientation_refusal(s->ike, c);

		say(s, "    not usable: %s", why->message);
		if (why->remedy != NULL)
			say(s, "    remedy: %s", why->remedy);
		return;
	}
	hop = addr_is_any(&our_end(c)->nexthop) ? &peer_end(c)->host : &our_end(c)->nexthop;
	if (c->routing == ROUTED_SA)
		say(s, "    routed on %s via %s: traffic goes through #%llu", c->interface->virtual_[0] != '\0'
		    ? c->interface->virtual_ : c->interface->real, addr_format(hop, nexthop),
		    (unsigned long long)c->newest_ipsec);
	else if (c->routing == ROUTED_TRAP)
		say(s, "    routed on %s via %s: traffic is dropped until there is an IPsec SA%s",
		    c->interface->virtual_[0] != '\0' ? c->interface->virtual_ : c->interface->real,
		    addr_format(hop, nexthop), c->policy.ondemand ? ", and asks for one" : "");
	else
		say(s, "    not routed; our interface is %s", c->interface->real);
}

static void add_sign(const struct status *s, struct text *t, const char *what, uint64_t at)
{
	if (at != 0)
		text_add(t, "%s%s %llu s ago", t->n > 0 ? ", " : "", what, (unsigned long long)seconds_since(s->ike, at));
}

/* Why the peer is thought to be alive, what came last first. */
static void tell_signs(struct status *s, const struct connection *c)
{
	const char *const message = "message of IKE", *const packet = "packet through an IPsec SA";
	struct signs_of_life signs = status_signs(s, c);
	bool by_traffic = dpd_signs_by_traffic(&signs);
	char line[256];
	struct text t = text_on(line, sizeof(line));

	add_sign(s, &t, by_traffic ? packet : message, by_traffic ? signs.traffic : signs.ike);
	add_sign(s, &t, by_traffic ? message : packet, by_traffic ? signs.ike : signs.traffic);
	if (t.n == 0)
		return;
	if (signs.asked != 0)
		text_add(&t, "; asked %llu s ago, no answer yet", (unsigned long long)seconds_since(s->ike, signs.asked));
	say(s, "    peer thought alive by: %s", line);
}

static void tell_updown(struct status *s, const struct connection *c)
{
	const struct updown_failure *f = c->updown_failure;

	if (f != NULL)
		say(s, "    updown FAILED at %s, %llu s ago: %s", f->verb, (unsigned long long)seconds_since(s->ike, f->at), f->why);
}

/* What happens by itself, and when. */
static void tell_upkeep(struct status *s, const struct connection *c)
{
	const struct upkeep *u = &c->upkeep;
	unsigned long long seconds = (seconds_until(s->ike, upkeep_due(c) + 999));

	if (upkeep_due(c) == 0)
		return;
	if (u->wanted)
		say(s, "    retry in %llu s, number %u in a row; whack --terminate ends that", seconds, u->failures);
	else
		say(s, "    packets ask in vain for %llu s more: number %u in a row failed", seconds, u->failures);
}

/* Spelled out when they are the connection's own, or when only this connection was asked for. */
static void add_rows(struct status *s, struct text *t, const char *option, const struct rows *rows,
		     uint8_t protocol)
{
	const char *policy = policy_of(rows), *text;

	if (policy != NULL && !s->named) {
		text_add(t, "%s%s by policy %s", t->n > 0 ? ", " : "", option, policy);
		return;
	}
	text = rows_text(s, rows, protocol);
	if (policy != NULL)
		say(s, "    %s %s (policy %s)", option, text, policy);
	else
		say(s, "    %s %s", option, text);
}

static void tell_rows(struct status *s, const struct connection *c)
{
	uint32_t wanted = connection_protocols(c);
	char line[256];
	struct text t = text_on(line, sizeof(line));

	add_rows(s, &t, "--ike", &c->policy.ike, PROTOCOL_ID_ISAKMP);
	if ((wanted & 1u << PROTOCOL_ID_ESP) != 0)
		add_rows(s, &t, "--esp", &c->policy.esp, PROTOCOL_ID_ESP);
	if ((wanted & 1u << PROTOCOL_ID_AH) != 0)
		add_rows(s, &t, "--ah", &c->policy.ah, PROTOCOL_ID_AH);
	if (t.n > 0)
		say(s, "    %s", line);
}

/* What the gateway knows us by, and what it gave us. */
static void tell_lease(struct status *s, const struct connection *c)
{
	char line[LINE_TEXT];
	struct text t = text_on(line, sizeof(line));
	char mode[REGISTRY_TEXT];

	if (!c->policy.xauth && c->policy.modecfg == CONFIG_MODE_NO)
		return;
	if (c->policy.xauth) {
		text_add(&t, "XAUTH as ");
		text_escape(&t, span_str(c->xauth_name));
		text_add(&t, "; ");
	}
	if (c->policy.split)
		text_add(&t, "of what the gateway names (--split); ");
	if (c->lease != NULL)
		text_add(&t, "%s", lease_text(s->ike->arena, c->lease));
	else
		text_add(&t, "Mode Config: %s", registry_symbol(&registry_config_mode, c->policy.modecfg, mode));
	say(s, "    %s", line);
}

static void tell_policy(struct status *s, const struct connection *c)
{
	const struct policy *p = &c->policy;
	const char *weak = status_weakness(s, c);
	bool tunnel = p->tunnel || c->end[0].has_client || c->end[1].has_client;

	say(s, "    policy%s%s%s%s%s%s%s%s%s%s%s; ikelifetime %u s, ipseclifetime %u s, rekeymargin %u s, rekeyfuzz %u%%, "
	    "keyingtries %u", p->psk ? " PSK" : "", p->rsasig ? " RSASIG" : "",
	    p->encrypt ? " ENCRYPT" : "", p->authenticate ? " AUTHENTICATE" : "",
	    p->compress ? " COMPRESS" : "", tunnel ? " TUNNEL" : "", p->pfs ? " PFS" : "",
	    p->aggressive ? " AGGRESSIVE" : "",
	    p->ondemand ? " ONDEMAND" : "", p->revive ? " REVIVE" : "",
	    p->encapsulation == UDP_ENCAPSULATION_YES ? " IN-UDP" : p->encapsulation == UDP_ENCAPSULATION_NO ? " NEVER-IN-UDP" : "",
	    p->ike_life, p->ipsec_life, p->margin, p->fuzz, p->keyingtries);
	tell_rows(s, c);
	tell_lease(s, c);
	if (weak != NULL)
		say(s, "    WEAK: %s may be agreed on; leave it out when the peer knows better", weak);
}

/* ---- its SAs -------------------------------------------------------------------- */

static void add_life(const struct ike *ike, struct text *t, uint64_t replaced, uint64_t expires)
{
	text_add(t, "%llu s left", (unsigned long long)seconds_until(ike, expires));
	if (replaced != 0)
		text_add(t, ", rekeyed in %llu s", (unsigned long long)seconds_until(ike, replaced));
}

static void tell_negotiation(struct status *s, const struct exchange *x, unsigned try)
{
	char peer[ENDPOINT_TEXT], line[512];
	struct text t = text_on(line, sizeof(line));

	text_add(&t, "    #%llu negotiating with %s as %s, try %u: %s", (unsigned long long)x->serial,
		 endpoint_format(&x->remote, peer), x->role == ROLE_INITIATOR ? "initiator" : "responder", try,
		 x->state == NULL ? "beginning" : x->state->name);
	if (x->state != NULL && x->state->text != NULL)
		text_add(&t, ", %s", x->state->text);
	if (x->sends > 0)
		text_add(&t, "; sent %u time%s", x->sends, x->sends == 1 ? "" : "s");
	if (timer_armed(&x->timer))
		text_add(&t, "; next step in %llu s",
			 (unsigned long long)seconds_until(s->ike, x->timer.at));
	say(s, "%s", line);
}

/* A NAT, and ESP without UDP: the last that is to be read where packets do not come. */
static void tell_unserved(struct status *s, const struct phase1 *p)
{
	const struct refusal *why = p->retired ? NULL : natt_unserved(s->ike->arena, p);

	if (why == NULL)
		return;
	say(s, "       NAT: %s", why->message);
	say(s, "       remedy: %s", why->remedy);
}

static void tell_phase1(struct status *s, const struct phase1 *p)
{
	const struct exchange *x = p->x;
	char peer[ENDPOINT_TEXT], method[REGISTRY_TEXT], line[1024];
	struct text t = text_on(line, sizeof(line));

	if (x == NULL)
		return;
	if (p->established == 0) {
		tell_negotiation(s, x, p->try);
		return;
	}
	const char *weak = phase1_weakness(s->ike->arena, p);

	s->weak += weak != NULL && !p->retired;
	text_add(&t, "    #%llu ISAKMP SA with %s: ", (unsigned long long)x->serial,
		 endpoint_format(&x->remote, peer));
	if (p->retired)
		text_add(&t, "over, kept for the IPsec SAs it made; ");
	else
		add_life(s->ike, &t, phase1_replaced_at(p), p->expires);
	text_add(&t, "; %s, %s%s, %s", choice_text(s->ike->arena, &p->chosen),
		 registry_symbol(&registry_auth_method, p->chosen.auth, method), p->chosen.xauth ? " and XAUTH" : "",
		 x->role == ROLE_INITIATOR ? "initiator" : "responder");
	if (!phase1_is_ready(p))
		text_add(&t, "; waits for %s", followup_awaited(p));
	if (x->heard != 0)
		text_add(&t, "; peer heard %llu s ago", (unsigned long long)seconds_since(s->ike, x->heard));
	if (p->natt.compared)
		text_add(&t, "; NAT traversal by %s: %s, our port %u%s", natt_method(p), natt_situation(p), x->local.port,
			 natt_encapsulates(p) ? ", ESP in UDP" : "");
	if (phase1_suspect(p))
		text_add(&t, "; the peer may have forgotten it");
	if (weak != NULL)
		text_add(&t, "; WEAK: %s", weak);
	say(s, "%s", line);
	tell_unserved(s, p);
}

static void add_counts(const struct status *s, struct text *t, const struct phase2 *p, uint8_t protocol,
		       bool inbound)
{
	const struct kernel_counts *k = status_counts(s, p, protocol, inbound);

	if (k == NULL) {
		text_add(t, " (traffic not known)");
		return;
	}
	text_add(t, " %llu packet%s, %llu octets", (unsigned long long)k->packets, k->packets == 1 ? "" : "s",
		 (unsigned long long)k->bytes);
	if (k->last_used != 0)
		text_add(t, ", last %llu s ago",
			 (unsigned long long)seconds_since(s->ike, 1000 * k->last_used));
	if (k->replays > 0)
		text_add(t, ", %llu replayed", (unsigned long long)k->replays);
	if (k->bad > 0)
		text_add(t, ", %llu not authentic", (unsigned long long)k->bad);
}

static void tell_sas(struct status *s, const struct phase2 *p)
{
	for (unsigned i = 0; i < p->chosen.n; i++) {
		uint8_t protocol = p->chosen.p[i].protocol;
		char line[512];
		struct text t = text_on(line, sizeof(line));

		text_add(&t, "       %s in 0x%08x:", protocol_word(protocol), phase2_spi(p, protocol));
		add_counts(s, &t, p, protocol, true);
		text_add(&t, "; out 0x%08x:", p->chosen.p[i].peer_spi);
		add_counts(s, &t, p, protocol, false);
		say(s, "%s", line);
	}
}

static void tell_phase2(struct status *s, const struct phase2 *p)
{
	const char *weak = choice_weakness(s->ike->arena, &p->chosen);
	char line[1024];
	struct text t = text_on(line, sizeof(line));

	if (p->x == NULL)
		return;
	if (p->established == 0) {
		tell_negotiation(s, p->x, p->try);
		return;
	}
	s->weak += weak != NULL;
	text_add(&t, "    #%llu IPsec SA under #%llu, %s: ", (unsigned long long)p->x->serial,
		 (unsigned long long)p->root->x->serial,
		 p->uses_eroute ? "carries the traffic" : "superseded, still receives");
	add_life(s->ike, &t, phase2_replaced_at(p), p->expires);
	if (p->volume.limit != 0)
		text_add(&t, ", %llu of %llu kilobytes carried", (unsigned long long)p->volume.most / KILOBYTE,
			 (unsigned long long)p->volume.limit / KILOBYTE);
	text_add(&t, "; %s, %s, %s", choice_text(s->ike->arena, &p->chosen),
		 natt_in_udp(p->chosen.mode) ? connection_tunnel(p->c) ? "tunnel in UDP" : "transport in UDP" :
		 connection_tunnel(p->c) ? "tunnel" : "transport", p->x->role == ROLE_INITIATOR ? "initiator" : "responder");
	if (weak != NULL)
		text_add(&t, "; WEAK: %s", weak);
	say(s, "%s", line);
	tell_sas(s, p);
}

static void connection(struct status *s, const struct connection *c)
{
	char line[1024];
	struct text t = text_on(line, sizeof(line));
	const struct phase1 *p;
	const struct phase2 *q;

	ends_text(s->ike, c, &t);
	say(s, "\"%s\" %s: %s", c->name, condition_word(connection_condition(c)), line);
	tell_way(s, c);
	tell_updown(s, c);
	tell_upkeep(s, c);
	if (c->template == NULL)
		tell_policy(s, c);
	tell_signs(s, c);
	if (c->pair != NULL)
		LIST_FOREACH(p, &c->pair->phase1s, in_pair)
			if (p->c == c)
				tell_phase1(s, p);
	LIST_FOREACH(q, &c->phase2s, of_connection)
		tell_phase2(s, q);
}

/* ---- one line for each connection ------------------------------------------------ */

static void brief_connection(struct status *s, const struct connection *c)
{
	char line[1024];
	struct text t = text_on(line, sizeof(line));
	const struct phase2 *q;

	text_add(&t, "%-12s \"%s\" ", condition_word(connection_condition(c)), c->name);
	ends_text(s->ike, c, &t);
	LIST_FOREACH(q, &c->phase2s, of_connection)
		if (q->established != 0 && q->uses_eroute)
			text_add(&t, " #%llu %llu s left", (unsigned long long)q->x->serial,
				 (unsigned long long)seconds_until(s->ike, q->expires));
	say(s, "%s", line);
}

static void brief_foot(struct status *s)
{
	(void)s;
}

const struct status_form status_text = { .counts = true, .head = head, .connection = connection, .foot = foot };
const struct status_form status_brief = { .head = brief_head, .connection = brief_connection, .foot = brief_foot };
