/* status.c -- the state of pluto, as lines. */
#include "ike/internal.h"
#include "ike/phase2.h"
#include "ike/pubkeys.h"

static const char *routing_text(enum routing r)
{
	static const char *const text[] = {
		[UNROUTED] = "unrouted",
		[ROUTED_TRAP] = "routed, traffic is dropped until there is an SA",
		[ROUTED_SA] = "routed through an IPsec SA",
	};

	return text[r];
}

/* client===host[id]:port */
static void end_text(struct ike *ike, const struct end *e, struct text *t)
{
	char s[SUBNET_TEXT], a[ADDR_TEXT];

	(void)ike;
	if (e->has_client)
		text_add(t, "%s===", subnet_format(&e->client, s));
	text_add(t, "%s", addr_is_any(&e->host) ? "%any" : addr_format(&e->host, a));
	if (e->id_given) {
		text_add(t, "[");
		identity_format(t, &e->id);
		text_add(t, "]");
	}
	if (e->ikeport != 0)
		text_add(t, ":%u", e->ikeport);
}

static void connection_line(struct ike *ike, uint32_t whack, const struct connection *c)
{
	char line[LINE_TEXT];
	struct text t = text_on(line, sizeof(line));
	const struct policy *p = &c->policy;
	int first = c->ours < 0 ? 0 : c->ours;

	text_add(&t, "\"%s\": ", c->name);
	end_text(ike, &c->end[first], &t);
	text_add(&t, "...");
	end_text(ike, &c->end[1 - first], &t);
	if (c->ours < 0)
		text_add(&t, "; not oriented");
	else
		text_add(&t, "; %s; %s", c->interface->virtual_[0] != '\0' ? c->interface->virtual_
									   : c->interface->real,
			 routing_text(c->routing));
	ike_reply(ike, whack, WHACK_STATUS_COMMENT, "%s", line);
	t = text_on(line, sizeof(line));
	text_add(&t, "\"%s\":   policy%s%s%s%s%s%s; ike_life %us; ipsec_life %us; rekey_margin %us; "
		 "rekey_fuzz %u%%; keyingtries %u", c->name, p->psk ? " PSK" : "",
		 p->rsasig ? " RSASIG" : "", p->encrypt ? " ENCRYPT" : "",
		 p->authenticate ? " AUTHENTICATE" : "", p->tunnel ? " TUNNEL" : "", p->pfs ? " PFS" : "",
		 p->ike_life, p->ipsec_life, p->margin, p->fuzz, p->keyingtries);
	ike_reply(ike, whack, WHACK_STATUS_COMMENT, "%s", line);
}

static unsigned long long seconds_left(const struct ike *ike, uint64_t at)
{
	return at > ike->now ? (at - ike->now) / 1000 : 0;
}

static void state_line(struct ike *ike, uint32_t whack, const struct exchange *x)
{
	char line[LINE_TEXT];
	struct text t = text_on(line, sizeof(line));
	const struct connection *c = exchange_connection(x);

	text_add(&t, "#%llu: \"%s\" %s (%s)", (unsigned long long)x->serial, c == NULL ? "?" : c->name,
		 x->state == NULL ? "beginning" : x->state->name, x->state == NULL ? "" : x->state->text);
	if (x->user != NULL && x->machine->phase == 1) {
		const struct phase1 *p = x->user;

		if (p->established != 0)
			text_add(&t, "; %s; expires in %llus", choice_text(ike->arena, &p->chosen),
				 seconds_left(ike, p->expires));
	} else if (x->user != NULL) {
		phase2_status(x->user, &t);
	}
	ike_reply(ike, whack, WHACK_STATUS_COMMENT, "%s", line);
}

void phase2_status(const struct phase2 *p, struct text *t)
{
	if (p->established == 0)
		return;
	text_add(t, "; %s", choice_text(p->ike->arena, &p->chosen));
	for (unsigned i = 0; i < p->chosen.n; i++)
		text_add(t, "; spi 0x%08x out, 0x%08x in", p->chosen.p[i].peer_spi,
			 phase2_spi(p, p->chosen.p[i].protocol));
	text_add(t, "; expires in %llus%s", seconds_left(p->ike, p->expires),
		 p->uses_eroute ? "; carries the traffic" : "; superseded");
}

void command_status(struct ike *ike, uint32_t whack, const struct control_status *m)
{
	struct connection *c, *next, *only = NULL;
	struct exchange *x;

	if (m->name.n > 0) {
		only = connection_find(ike, m->name);
		if (only == NULL) {
			ike_reply_refusal(ike, whack, refuse_unknown_name(ike->arena,
									  arena_str(ike->arena, m->name)));
			ike_finish(ike, whack);
			return;
		}
	}
	if (only == NULL) {
		ike_reply(ike, whack, WHACK_STATUS_COMMENT, "pluto is %slistening on %zu interface%s; kernel: %s",
			  ike->listening ? "" : "not ", ike->n_interfaces, ike->n_interfaces == 1 ? "" : "s",
			  ike->kernel.ops->name);
		for (size_t i = 0; i < ike->n_interfaces; i++) {
			char a[ADDR_TEXT];

			ike_reply(ike, whack, WHACK_STATUS_COMMENT, "interface %s%s%s %s",
				  ike->interfaces[i].virtual_, ike->interfaces[i].virtual_[0] ? "/" : "",
				  ike->interfaces[i].real, addr_format(&ike->interfaces[i].addr, a));
		}
		pubkeys_status(ike, whack);
	}
	HASH_ITER(by_name, ike->connections, c, next)
		if (only == NULL || c == only)
			connection_line(ike, whack, c);
	for (x = engine_first(ike->engine); x != NULL; x = engine_next(x))
		if (only == NULL || exchange_connection(x) == only)
			state_line(ike, whack, x);
	ike_finish(ike, whack);
}
