/* pairs.c -- pairing what the two ends of a description protect. */
#include <netinet/in.h>

#include "base/text.h"
#include "generated/limits.h"
#include "generated/names.h"
#include "generated/reasons.h"
#include "ike/pairs.h"

static const char *protocol_text(uint8_t protocol, char dst[REGISTRY_TEXT])
{
	const struct registry_entry *e = registry_find(&registry_ip_protocol, protocol);
	struct text t = text_on(dst, REGISTRY_TEXT);

	if (e == NULL || e->word == NULL)
		text_add(&t, "protocol %u", protocol);
	else
		text_add(&t, "%.*s", (int)strcspn(e->word, " ,"), e->word);
	return dst;
}

const char *selector_text(struct arena *a, const struct subnet *client, uint8_t protocol, uint16_t port)
{
	char *p = arena_alloc(a, SUBNET_TEXT + REGISTRY_TEXT + 16);
	struct text t = text_on(p, SUBNET_TEXT + REGISTRY_TEXT + 16);
	char subnet[SUBNET_TEXT], name[REGISTRY_TEXT];

	text_add(&t, "%s", client->addr.len == 0 ? "the host" : subnet_format(client, subnet));
	if (protocol != 0)
		text_add(&t, " %s", protocol_text(protocol, name));
	if (port != 0)
		text_add(&t, ":%u", port);
	return p;
}

bool pairs_has_ports(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_DCCP:
	case IPPROTO_SCTP:
	case IPPROTO_UDPLITE:
		return true;
	default:
		return false;
	}
}

struct side {			/* what one end protects */
	const struct control_selector *at;
	size_t n;
	unsigned host;		/* octets of an address of the host, 0 = not known */
};

static struct side side_of(struct arena *a, const struct control_end *e, const struct control_end *other)
{
	const struct ip_addr *host = addr_is_any(&e->host) && e->host.len == 4 ? &other->host : &e->host;
	struct control_selector *at = ARENA_ARRAY(a, struct control_selector, e->n_further + 1);

	at[0] = (struct control_selector){ .client = e->client, .protocol = e->protocol, .port = e->port };
	for (size_t i = 0; i < e->n_further; i++)
		at[i + 1] = e->further[i];
	return (struct side){ .at = at, .n = e->n_further + 1, .host = host->len };
}

/* A host without a client is its own. */
static unsigned address_octets(const struct side *s, size_t i)
{
	return s->at[i].client.addr.len != 0 ? s->at[i].client.addr.len : s->host;
}

/* Of one protocol and one family; where there is nothing to choose from, who describes the connection refuses it. */
static bool match(const struct side *l, size_t i, const struct side *r, size_t j)
{
	uint8_t p = l->at[i].protocol, q = r->at[j].protocol;

	return (p == q || p == 0 || q == 0) &&
	       ((l->n == 1 && r->n == 1) || address_octets(l, i) == address_octets(r, j));
}

static const struct refusal *check_partners(struct arena *a, const char *name, const struct side *s,
					    const struct side *other, const char *which)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct control_selector *k = &s->at[i];
		bool found = false;

		for (size_t j = 0; j < other->n && !found; j++)
			found = match(s, i, other, j);
		if (!found)
			return refuse_no_partner(a, name, selector_text(a, &k->client, k->protocol, k->port), which);
	}
	return NULL;
}

static const struct refusal *check_ports(struct arena *a, const char *name, const struct client_pair *p)
{
	char t[REGISTRY_TEXT];

	for (int i = 0; i < 2; i++)
		if (p->end[i].port != 0 && !pairs_has_ports(p->end[i].protocol))
			return refuse_port_alone(a, name, p->end[i].port, p->end[i].protocol == 0 ? "any" :
						 protocol_text(p->end[i].protocol, t));
	return NULL;
}

static bool same_selector(const struct control_selector *p, const struct control_selector *q)
{
	return subnet_eq(&p->client, &q->client) && p->protocol == q->protocol && p->port == q->port;
}

static const struct refusal *check_new(struct arena *a, const char *name, const struct client_pair *all,
				       const struct client_pair *p)
{
	for (const struct client_pair *q = all; q < p; q++)
		if (same_selector(&p->end[0], &q->end[0]) && same_selector(&p->end[1], &q->end[1]))
			return refuse_same_pair(a, name,
				selector_text(a, &p->end[0].client, p->end[0].protocol, p->end[0].port),
				selector_text(a, &p->end[1].client, p->end[1].protocol, p->end[1].port));
	return NULL;
}

static size_t count(const struct side *l, const struct side *r)
{
	size_t n = 0;

	if (l->n > LIMIT_PAIRS_OF_CLIENTS || r->n > LIMIT_PAIRS_OF_CLIENTS)	/* each has a partner, or is refused */
		return l->n > r->n ? l->n : r->n;
	for (size_t i = 0; i < l->n; i++)
		for (size_t j = 0; j < r->n; j++)
			n += match(l, i, r, j);
	return n;
}

static const struct refusal *judge(struct arena *a, const char *name, const struct side *l, const struct side *r,
				   size_t n)
{
	const struct refusal *why;

	if (n > LIMIT_PAIRS_OF_CLIENTS)
		return refuse_too_many_pairs(a, name, (uint32_t)n, LIMIT_PAIRS_OF_CLIENTS);
	why = check_partners(a, name, l, r, "left");
	return why != NULL ? why : check_partners(a, name, r, l, "right");
}

const struct refusal *pairs_find(struct arena *a, const struct control_connection *m, struct client_pair **out,
				 size_t *n)
{
	struct side l = side_of(a, &m->left, &m->right), r = side_of(a, &m->right, &m->left);
	const char *name = arena_str(a, m->name);
	size_t most = count(&l, &r);
	const struct refusal *why = judge(a, name, &l, &r, most);

	*n = 0;
	*out = ARENA_ARRAY(a, struct client_pair, most + 1);
	for (size_t i = 0; i < l.n && why == NULL; i++) {
		for (size_t j = 0; j < r.n && why == NULL; j++) {
			struct client_pair *p = *out + *n;

			if (!match(&l, i, &r, j))
				continue;
			*p = (struct client_pair){ .number = { (unsigned)i + 1, (unsigned)j + 1 },
						   .end = { l.at[i], r.at[j] } };
			p->end[0].protocol = p->end[1].protocol = l.at[i].protocol | r.at[j].protocol;
			why = check_ports(a, name, p);
			if (why == NULL)
				why = check_new(a, name, *out, p);
			++*n;
		}
	}
	return why;
}
