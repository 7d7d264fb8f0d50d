/* status_json.c -- whack --status --json: the form that docs/status.schema.json describes.
 *
 * Each connection, SA and negotiation is an object on a line of its own. */
#include <jansson.h>
#include <stdlib.h>

#include "ike/family.h"
#include "ike/instance.h"
#include "ike/lease.h"
#include "ike/natt.h"
#include "ike/pubkeys.h"
#include "ike/status.h"
#include "ike/upkeep.h"
#include "ike/weak.h"

#define SCHEMA_VERSION "1.6"	/* additions count up behind the dot, all else before it */
#define DUMP (JSON_COMPACT | JSON_ENSURE_ASCII)

static void line(struct status *s, const char *text)
{
	s->ike->host.reply(s->ike->host.ctx, s->whack, WHACK_STATUS_COMMENT, text);
}

/* The object on a line, without its last brace when `open`; it is freed. */
static void put(struct status *s, json_t *o, const char *separator, bool open)
{
	char *text = json_dumps(o, DUMP);
	struct buf room;
	struct text t;

	json_decref(o);
	if (text == NULL)
		return;
	room = buf_new(strlen(separator) + strlen(text) + 1);
	t = text_on((char *)room.p, room.n);
	text_add(&t, "%s%s", separator, text);
	if (open)
		t.p[t.n - 1] = '\0';
	line(s, t.p);
	buf_free(&room);
	free(text);
}

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

/* Seconds, or null for never. */
static json_t *seconds_or_null(uint64_t at, uint64_t seconds)
{
	return at == 0 ? json_null() : number(seconds);
}

static json_t *text_or_null(const char *s)
{
	return s == NULL ? json_null() : json_string(s);
}

/* ---- head and foot -------------------------------------------------------------- */

static json_t *id_text(const struct identity *id)
{
	char room[512];
	struct text t = text_on(room, sizeof(room));

	identity_format(&t, id);
	return json_string(room);
}

static void tell_key(void *ctx, const struct pubkey *k)
{
	static const char *const sources[] = {
		[FROM_WHACK] = "whack", [FROM_DNS] = "dns", [FROM_UNVALIDATED_DNS] = "dns-not-validated",
	};

	json_array_append_new(ctx, json_pack("{s:o, s:s, s:o, s:s, s:s}", "id", id_text(&k->id), "type", "RSA",
					     "bits", number(rsa_bits(k->rsa)), "fingerprint", k->fingerprint,
					     "source", sources[k->source]));
}

static void head(struct status *s)
{
	struct ike *ike = s->ike;
	json_t *interfaces = json_array(), *keys = json_array();
	char a[ADDR_TEXT];

	for (size_t i = 0; i < ike->n_interfaces; i++) {
		const struct kernel_interface *f = &ike->interfaces[i];

		json_array_append_new(interfaces, json_pack("{s:s, s:o, s:s}", "name", f->real, "virtual",
			text_or_null(f->virtual_[0] != '\0' ? f->virtual_ : NULL), "address",
			addr_format(&f->addr, a)));
	}
	pubkeys_each(ike->pubkeys, tell_key, keys);
	put(s, json_pack("{s:s, s:s, s:s, s:s, s:b, s:o, s:o}", "schema_version", SCHEMA_VERSION,
			 "program", "pluto", "version", PACKAGE_VERSION, "kernel", ike->kernel.ops->name,
			 "listening", ike->listening, "interfaces", interfaces, "public_keys", keys), "", true);
	line(s, ",\"connections\":[");
}

/* Reasons that refused nothing are left out. */
static json_t *refusals(const struct ike *ike)
{
	json_t *o = json_object();

	for (size_t i = REASON_NONE + 1; i < REASON_COUNT; i++)
		if (ike->refused[i] > 0)
			json_object_set_new(o, reasons[i].name, number(ike->refused[i]));
	return o;
}

static void foot(struct status *s)
{
	json_t *o = json_pack("{s:o, s:o, s:o, s:o, s:o}", "connections", number(s->n), "connections_up", number(s->up),
			      "sas", number(s->sas), "weak_sas", number(s->weak), "refusals", refusals(s->ike));

	put(s, o, "],\"totals\":", false);
	line(s, "}");
}

/* ---- a connection --------------------------------------------------------------- */

static json_t *end_object(const struct end *e)
{
	char client[SUBNET_TEXT], host[ADDR_TEXT], nexthop[ADDR_TEXT];
	struct subnet net;

	return json_pack("{s:o, s:b, s:o, s:o, s:i, s:o, s:i, s:i, s:i, s:o}",
		"host", text_or_null(addr_is_any(&e->host) ? NULL : addr_format(&e->host, host)),
		"defaultroute", e->defaultroute,
		"id", e->id_given ? id_text(&e->id) : json_null(),
		"client", text_or_null(connection_end_client(e, &net) ? subnet_format(&net, client) : NULL),
		"client_protocol", e->protocol,
		"nexthop", text_or_null(addr_is_any(&e->nexthop) ? NULL : addr_format(&e->nexthop, nexthop)),
		"client_port", e->port, "ikeport", e->ikeport, "nattport", e->nattport, "updown", text_or_null(e->updown));
}

static json_t *suites(struct status *s, const struct rows *rows, uint8_t protocol, bool wanted)
{
	if (!wanted)
		return json_null();
	return json_pack("{s:s, s:o}", "algorithms", rows_text(s, rows, protocol), "policy",
			 text_or_null(policy_of(rows)));
}

static json_t *policy_object(struct status *s, const struct connection *c)
{
	const struct policy *p = &c->policy;
	uint32_t wanted = connection_protocols(c);

	return json_pack("{s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:o, s:o, s:o, s:o}",
		"psk", p->psk, "rsasig", p->rsasig, "encrypt", p->encrypt, "authenticate", p->authenticate,
		"compress", p->compress, "tunnel", p->tunnel, "pfs", p->pfs, "aggressive", p->aggressive,
		"ondemand", p->ondemand, "revive", p->revive, "split", p->split,
		"ikelifetime", (json_int_t)p->ike_life, "ipseclifetime", (json_int_t)p->ipsec_life,
		"ipseckilobytes", (json_int_t)p->ipsec_kilobytes,
		"rekeymargin", (json_int_t)p->margin, "rekeyfuzz", (json_int_t)p->fuzz,
		"keyingtries", (json_int_t)p->keyingtries, "encapsulation", encapsulation_word(p->encapsulation),
		"ike", suites(s, &p->ike, PROTOCOL_ID_ISAKMP, true),
		"esp", suites(s, &p->esp, PROTOCOL_ID_ESP, (wanted & 1u << PROTOCOL_ID_ESP) != 0),
		"ah", suites(s, &p->ah, PROTOCOL_ID_AH, (wanted & 1u << PROTOCOL_ID_AH) != 0),
		"weak", text_or_null(status_weakness(s, c)));
}

static const char *routing_word(enum routing r)
{
	static const char *const words[] = { [UNROUTED] = "unrouted", [ROUTED_TRAP] = "trap", [ROUTED_SA] = "sa" };

	return words[r];
}

/* What a gateway knows us by, and what it gave us. */
static void add_user(struct status *s, json_t *o, const struct connection *c)
{
	const struct lease *l = c->lease;
	char a[ADDR_TEXT];

	json_object_set_new(o, "xauth_user", text_or_null(c->xauth_name));
	json_object_set_new(o, "lease", l == NULL ? json_null() :
		json_pack("{s:s, s:s, s:s, s:s, s:s}", "address", addr_format(&l->address, a),
			  "dns", lease_addresses(s->ike->arena, l->dns, l->n_dns), "domain", l->domain.p,
			  "subnets", lease_subnets(s->ike->arena, l), "banner", l->banner.p));
}

/* A reason with what to do; null: none. */
static json_t *reason_object(const struct refusal *why)
{
	return why == NULL ? json_null() :
	       json_pack("{s:s, s:s, s:o}", "reason", reasons[why->reason].name, "message", why->message, "remedy",
			 text_or_null(why->remedy));
}

/* Null: the peer gave no sign of life, or there is no SA with it. */
static json_t *alive_object(struct status *s, const struct connection *c)
{
	struct signs_of_life signs = status_signs(s, c);
	bool by_traffic = dpd_signs_by_traffic(&signs);

	if (signs.ike == 0 && signs.traffic == 0)
		return json_null();
	return json_pack("{s:s, s:o, s:o, s:o}", "by", by_traffic ? "traffic" : "ike",
			 "ike", seconds_or_null(signs.ike, seconds_since(s->ike, signs.ike)),
			 "traffic", seconds_or_null(signs.traffic, seconds_since(s->ike, signs.traffic)),
			 "asked", seconds_or_null(signs.asked, seconds_since(s->ike, signs.asked)));
}

/* Null: it has succeeded since, or not failed. */
static json_t *updown_object(struct status *s, const struct updown_failure *f)
{
	if (f == NULL)
		return json_null();
	return json_pack("{s:s, s:o, s:o, s:s}", "verb", f->verb, "exit_status",
			 f->exit_status == 0 ? json_null() : number(f->exit_status), "ago",
			 number(seconds_since(s->ike, f->at)), "message", f->why);
}

static json_t *connection_object(struct status *s, const struct connection *c)
{
	bool oriented = c->ours >= 0 && !c->leaving;
	const struct refusal *why = oriented ? NULL : orientation_refusal(s->ike, c);
	const struct family *family = c->template != NULL ? c->template->family : c->family;

	json_t *o = json_pack("{s:s, s:o, s:s, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:s, s:o, s:o, s:b, s:o, s:I}",
		"name", c->name, "description", text_or_null(family == NULL ? NULL : family->name),
		"condition", condition_word(connection_condition(c)),
		"template", text_or_null(c->template == NULL ? NULL : c->template->name),
		"left", end_object(&c->end[0]), "right", end_object(&c->end[1]),
		"ours", !oriented ? "none" : c->ours == 0 ? "left" : "right",
		"interface", text_or_null(oriented ? c->interface->real : NULL),
		"not_oriented", reason_object(why),
		"policy", policy_object(s, c), "routing", routing_word(c->routing),
		"newest_ipsec_sa", c->newest_ipsec == 0 ? json_null() : number(c->newest_ipsec),
		"reqid", number(c->reqid), "wanted", c->upkeep.wanted,
		"retry_in", seconds_or_null(upkeep_due(c), seconds_until(s->ike, upkeep_due(c))),
		"failures", (json_int_t)c->upkeep.failures);

	json_object_set_new(o, "updown_failure", updown_object(s, c->updown_failure));
	json_object_set_new(o, "alive", alive_object(s, c));
	add_user(s, o, c);
	return o;
}

/* ---- its SAs -------------------------------------------------------------------- */

static json_t *exchange_object(const struct exchange *x, const char *kind, const char *status)
{
	char peer[ENDPOINT_TEXT];

	return json_pack("{s:s, s:s, s:o, s:o, s:s, s:s}", "kind", kind, "status", status,
		"serial", number(x->serial),
		"parent", x->parent == NULL ? json_null() : number(x->parent->serial),
		"role", x->role == ROLE_INITIATOR ? "initiator" : "responder",
		"peer", endpoint_format(&x->remote, peer));
}

static void add_negotiation(struct ike *ike, json_t *o, const struct exchange *x, unsigned try)
{
	json_object_set_new(o, "state", text_or_null(x->state == NULL ? NULL : x->state->name));
	json_object_set_new(o, "try", json_integer((json_int_t)try));
	json_object_set_new(o, "sent", json_integer((json_int_t)x->sends));
	json_object_set_new(o, "next_step_in", timer_armed(&x->timer) ?
			    number(seconds_until(ike, x->timer.at)) : json_null());
}

static void add_sa(struct ike *ike, json_t *o, const struct choice *chosen, const char *weak, uint64_t established,
		   uint64_t replaced, uint64_t expires)
{
	json_object_set_new(o, "algorithms", json_string(choice_text(ike->arena, chosen)));
	json_object_set_new(o, "weak", text_or_null(weak));
	json_object_set_new(o, "age", number(seconds_since(ike, established)));
	json_object_set_new(o, "rekey_in", seconds_or_null(replaced, seconds_until(ike, replaced)));
	json_object_set_new(o, "expires_in", number(seconds_until(ike, expires)));
}

/* Null before it is known. */
static json_t *nat_object(const struct phase1 *p)
{
	if (!p->natt.compared)
		return json_null();
	return json_pack("{s:s, s:b, s:b, s:b, s:i}", "method", natt_method(p), "us", p->natt.us, "peer", p->natt.peer,
			 "encapsulated", natt_encapsulates(p), "local_port", p->x->local.port);
}

static void tell_phase1(struct status *s, const struct phase1 *p, const char *separator)
{
	const struct exchange *x = p->x;
	const char *weak = p->established == 0 ? NULL : phase1_weakness(s->ike->arena, p);
	char method[REGISTRY_TEXT];
	json_t *o;

	if (p->established == 0) {
		o = exchange_object(x, "isakmp", "negotiating");
		add_negotiation(s->ike, o, x, p->try);
	} else {
		o = exchange_object(x, "isakmp", p->retired ? "retired" : "established");
		add_sa(s->ike, o, &p->chosen, weak, p->established, phase1_replaced_at(p), p->expires);
		s->weak += weak != NULL && !p->retired;
		json_object_set_new(o, "auth", json_string(registry_symbol(&registry_auth_method, p->chosen.auth,
									   method)));
		json_object_set_new(o, "peer_heard", seconds_or_null(x->heard, seconds_since(s->ike, x->heard)));
		json_object_set_new(o, "suspect", json_boolean(phase1_suspect(p)));
		json_object_set_new(o, "nat_unserved", reason_object(p->retired ? NULL : natt_unserved(s->ike->arena, p)));
	}
	json_object_set_new(o, "nat", nat_object(p));
	put(s, o, separator, false);
}

static json_t *counts_object(const struct status *s, const struct phase2 *p, uint8_t protocol, bool inbound)
{
	const struct kernel_counts *k = status_counts(s, p, protocol, inbound);

	if (k == NULL)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "packets", number(k->packets), "octets", number(k->bytes),
		"replayed", number(k->replays), "not_authentic", number(k->bad), "last_used",
		seconds_or_null(k->last_used, seconds_since(s->ike, 1000 * k->last_used)));
}

static json_t *directions(const struct status *s, const struct phase2 *p)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < p->chosen.n; i++) {
		uint8_t protocol = p->chosen.p[i].protocol;
		char in[16], out[16];
		struct text t_in = text_on(in, sizeof(in)), t_out = text_on(out, sizeof(out));

		text_add(&t_in, "0x%08x", phase2_spi(p, protocol));
		text_add(&t_out, "0x%08x", p->chosen.p[i].peer_spi);
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:o, s:o}", "protocol", protocol_word(protocol),
			"spi_in", in, "spi_out", out, "in", counts_object(s, p, protocol, true), "out",
			counts_object(s, p, protocol, false)));
	}
	return list;
}

static void tell_phase2(struct status *s, const struct phase2 *p, const char *separator)
{
	const char *weak = p->established == 0 ? NULL : choice_weakness(s->ike->arena, &p->chosen);
	json_t *o;

	if (p->established == 0) {
		o = exchange_object(p->x, "ipsec", "negotiating");
		add_negotiation(s->ike, o, p->x, p->try);
	} else {
		o = exchange_object(p->x, "ipsec", "established");
		s->weak += weak != NULL;
		add_sa(s->ike, o, &p->chosen, weak, p->established,
		       phase2_replaced_at(p), p->expires);
		json_object_set_new(o, "mode", json_string(connection_tunnel(p->c) ? "tunnel" : "transport"));
		json_object_set_new(o, "kilobytes", p->volume.limit == 0 ? json_null() : number(p->volume.limit / KILOBYTE));
		json_object_set_new(o, "in_udp", json_boolean(natt_in_udp(p->chosen.mode)));
		json_object_set_new(o, "carries_traffic", json_boolean(p->uses_eroute));
		json_object_set_new(o, "protocols", directions(s, p));
	}
	put(s, o, separator, false);
}

static void connection(struct status *s, const struct connection *c)
{
	const struct phase1 *p;
	const struct phase2 *q;
	size_t n = 0;

	put(s, connection_object(s, c), s->printed++ > 0 ? "," : "", true);
	line(s, ",\"sas\":[");
	if (c->pair != NULL)
		LIST_FOREACH(p, &c->pair->phase1s, in_pair)
			if (p->c == c && p->x != NULL)
				tell_phase1(s, p, n++ > 0 ? "," : "");
	LIST_FOREACH(q, &c->phase2s, of_connection)
		if (q->x != NULL)
			tell_phase2(s, q, n++ > 0 ? "," : "");
	s->sas += n;
	line(s, "]}");
}

const struct status_form status_json = { .counts = true, .head = head, .connection = connection, .foot = foot };
