/* lease.c -- what a gateway gives us by Mode Config: reading it, and making it our client. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "generated/payloads.h"
#include "ike/family.h"
#include "ike/lease.h"

#define V4 4			/* octets of an address */

bool lease_attribute(struct span *list, uint16_t type, struct attribute *out)
{
	while (next_attribute(list, out))
		if (out->type == type)
			return true;
	return false;
}

void lease_words(struct span s, struct lease_text *out)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n && n < sizeof(out->p) - 1; i++) {
		bool blank = s.p[i] == '\n' || s.p[i] == '\r' || s.p[i] == '\t';

		if (blank || (s.p[i] >= ' ' && s.p[i] < 0x7f))
			out->p[n++] = blank ? ' ' : (char)s.p[i];
	}
	while (n > 0 && out->p[n - 1] == ' ')
		n--;
	out->p[n] = '\0';
}

/* A domain goes into configuration files of scripts: letters, digits, dots and hyphens, or nothing. */
static void read_domain(struct span s, struct lease_text *out)
{
	lease_words(s, out);
	for (const char *p = out->p; *p != '\0'; p++)
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-", *p) == NULL)
			out->p[0] = '\0';
}

static void add_address(const struct attribute *at, struct ip_addr *list, size_t *n)
{
	if (at->value.n == V4 && *n < LIMIT_LEASE_SERVERS)
		list[(*n)++] = addr_from_bytes(at->value);
}

/* What begins with an address and a mask; a mask that is not straight is no subnet. */
static void add_subnet(struct lease *l, struct span pair)
{
	struct config_subnet read;
	struct fault f;
	struct subnet s = { 0 };
	struct ip_addr mask, straight;

	if (l->n_subnets == LIMIT_LEASE_SUBNETS ||
	    !parse_config_subnet(span_sub(pair, 0, CONFIG_SUBNET_SIZE), 0, &read, &f))
		return;
	s.addr = addr_from_bytes(read.address);
	mask = addr_from_bytes(read.mask);
	while (s.bits < 8 * V4 && (mask.b[s.bits / 8] & 0x80 >> s.bits % 8) != 0)
		s.bits++;
	straight = subnet_mask(&s);
	if (!addr_eq(&straight, &mask))
		return;
	for (size_t i = 0; i < V4; i++)
		s.addr.b[i] &= mask.b[i];
	l->subnets[l->n_subnets++] = s;
}

/* Subnets one after the other: each has its mask behind it, and from most gateways a protocol and two ports. */
static void add_subnets(struct lease *l, struct span list)
{
	size_t each = list.n % UNITY_SELECTOR_SIZE == 0 ? UNITY_SELECTOR_SIZE : CONFIG_SUBNET_SIZE;

	for (size_t i = 0; i + each <= list.n; i += each)
		add_subnet(l, span_sub(list, i, each));
}

static void read_one(struct lease *l, const struct attribute *at)
{
	switch (at->type) {
	case CONFIG_ATTRIBUTE_INTERNAL_IP4_ADDRESS:
		if (at->value.n == V4 && l->address.len == 0)
			l->address = addr_from_bytes(at->value);
		break;
	case CONFIG_ATTRIBUTE_INTERNAL_ADDRESS_EXPIRY:
		l->expiry = (uint32_t)at->number;
		break;
	case CONFIG_ATTRIBUTE_INTERNAL_IP4_DNS:
		add_address(at, l->dns, &l->n_dns);
		break;
	case CONFIG_ATTRIBUTE_INTERNAL_IP4_NBNS:
		add_address(at, l->nbns, &l->n_nbns);
		break;
	case CONFIG_ATTRIBUTE_INTERNAL_IP4_SUBNET:
		add_subnet(l, at->value);
		break;
	case CONFIG_ATTRIBUTE_UNITY_SPLIT_INCLUDE:
		add_subnets(l, at->value);
		break;
	case CONFIG_ATTRIBUTE_UNITY_DEF_DOMAIN:
		read_domain(at->value, &l->domain);
		break;
	case CONFIG_ATTRIBUTE_UNITY_BANNER:
		lease_words(at->value, &l->banner);
		break;
	case CONFIG_ATTRIBUTE_APPLICATION_VERSION:
		lease_words(at->value, &l->version);
		break;
	default:
		break;
	}
}

struct lease *lease_read(struct span attributes)
{
	struct lease *l = NEW(struct lease);
	struct attribute at;

	l->refs = 1;
	while (next_attribute(&attributes, &at))
		read_one(l, &at);
	return l;
}

struct lease *lease_ref(struct lease *l)
{
	l->refs++;
	return l;
}

void lease_unref(struct lease *l)
{
	if (l != NULL && --l->refs == 0)
		free(l);
}

bool lease_usable(const struct ip_addr *a)
{
	return a->len == V4 && a->b[0] != 0 && a->b[0] != 127 && a->b[0] < 224;
}

void lease_take(struct connection *c, struct lease *l)
{
	struct end *us = &c->end[c->ours];

	lease_ref(l);
	lease_unref(c->lease);
	c->lease = l;
	us->client = subnet_of_host(&l->address);
	us->has_client = true;
}

const char *lease_addresses(struct arena *a, const struct ip_addr *list, size_t n)
{
	size_t size = (n + 1) * (ADDR_TEXT + 1);
	char *p = arena_alloc(a, size), one[ADDR_TEXT];
	struct text t = text_on(p, size);

	for (size_t i = 0; i < n; i++)
		text_add(&t, "%s%s", i > 0 ? " " : "", addr_format(&list[i], one));
	return p;
}

const char *lease_subnets(struct arena *a, const struct lease *l)
{
	size_t size = (l->n_subnets + 1) * (SUBNET_TEXT + 1);
	char *p = arena_alloc(a, size), one[SUBNET_TEXT];
	struct text t = text_on(p, size);

	for (size_t i = 0; i < l->n_subnets; i++)
		text_add(&t, "%s%s", i > 0 ? " " : "", subnet_format(&l->subnets[i], one));
	return p;
}

/* Is s within what c, or another of its family, has at the gateway? */
static bool covered(const struct connection *c, const struct subnet *s)
{
	const struct connection *m = c->family == NULL ? c : TAILQ_FIRST(&c->family->members);

	for (; m != NULL; m = c->family == NULL ? NULL : TAILQ_NEXT(m, in_family)) {
		struct subnet client = connection_client(m, false);

		if (client.bits <= s->bits && subnet_has(&client, &s->addr))
			return true;
	}
	return false;
}

const char *lease_uncovered(struct arena *a, const struct lease *l, const struct connection *c)
{
	size_t size = (l->n_subnets + 1) * (SUBNET_TEXT + 1);
	char *p = arena_alloc(a, size), one[SUBNET_TEXT];
	struct text t = text_on(p, size);

	for (size_t i = 0; i < l->n_subnets; i++)
		if (!covered(c, &l->subnets[i]))
			text_add(&t, "%s%s", t.n > 0 ? "," : "", subnet_format(&l->subnets[i], one));
	return p;
}

const char *lease_text(struct arena *a, const struct lease *l)
{
	size_t size = 2048;
	char *p = arena_alloc(a, size), one[ADDR_TEXT];
	struct text t = text_on(p, size);

	text_add(&t, "address %s", addr_format(&l->address, one));
	if (l->n_dns > 0)
		text_add(&t, ", DNS %s", lease_addresses(a, l->dns, l->n_dns));
	if (l->n_nbns > 0)
		text_add(&t, ", NBNS %s", lease_addresses(a, l->nbns, l->n_nbns));
	if (l->domain.p[0] != '\0')
		text_add(&t, ", domain %s", l->domain.p);
	if (l->n_subnets > 0)
		text_add(&t, ", subnets %s", lease_subnets(a, l));
	return p;
}
