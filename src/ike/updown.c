/* updown.c -- what the updown script is told.  Values are passed as environment of an exec, never
 * through a shell; of what a peer chose only the address and texts of a lease occur in them. */
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "ike/internal.h"
#include "ike/lease.h"
#include "ike/updown.h"

#define ARGUMENTS_MAX 32
#define VARIABLES_MAX 32

struct variables {
	struct arena *arena;
	const char *at[VARIABLES_MAX];
	size_t n;
};

static void set(struct variables *v, const char *name, const char *value)
{
	if (v->n < VARIABLES_MAX - 1)
		v->at[v->n++] = arena_printf(v->arena, "%s=%s", name, value);
}

static void set_addr(struct variables *v, const char *name, const struct ip_addr *addr)
{
	char t[ADDR_TEXT];

	set(v, name, addr_format(addr, t));
}

/* PREFIX, PREFIX_NET and PREFIX_MASK of a client. */
static void set_client(struct variables *v, const char *prefix, const struct subnet *s)
{
	char t[SUBNET_TEXT];
	struct ip_addr mask = subnet_mask(s);

	set(v, prefix, subnet_format(s, t));
	set_addr(v, arena_printf(v->arena, "%s_NET", prefix), &s->addr);
	set_addr(v, arena_printf(v->arena, "%s_MASK", prefix), &mask);
}

/* Words of the command; white space separates, nothing is special. */
static size_t split(struct arena *a, const char *command, const char **argv)
{
	size_t n = 0;

	while (n < ARGUMENTS_MAX - 1) {
		command += strspn(command, " \t");
		size_t len = strcspn(command, " \t");

		if (len == 0)
			break;
		argv[n++] = arena_str(a, span_of(command, len));
		command += len;
	}
	argv[n] = NULL;
	return n;
}

/* What the gateway gave us.  Texts of the gateway are printable ASCII, and reach no shell. */
static void set_lease(struct variables *v, const struct connection *c)
{
	const struct lease *l = c->lease;

	if (l == NULL)
		return;
	set_addr(v, "PLUTO_MY_SOURCEIP", &l->address);
	set(v, "PLUTO_DNS_SERVERS", lease_addresses(v->arena, l->dns, l->n_dns));
	set(v, "PLUTO_NBNS_SERVERS", lease_addresses(v->arena, l->nbns, l->n_nbns));
	set(v, "PLUTO_DOMAIN", l->domain.p);
	set(v, "PLUTO_BANNER", l->banner.p);
	set(v, "PLUTO_SPLIT_INCLUDE", lease_subnets(v->arena, l));
}

void updown_answered(const struct ike *ike, struct connection *c, const char *verb, const struct kernel_result *r)
{
	struct updown_failure *f = c->updown_failure;

	if (r->ok) {
		if (f != NULL && (strcmp(verb, f->verb) == 0 || strcmp(verb, "up") == 0)) {
			free(f);
			c->updown_failure = NULL;
		}
		return;
	}
	if (f == NULL)
		f = c->updown_failure = NEW(struct updown_failure);
	f->verb = verb;
	f->exit_status = r->exit_status;
	f->at = ike->now;
	snprintf(f->why, sizeof(f->why), "%s", r->why == NULL ? "no reason given" : r->why);
}

void updown_ask(struct ike *ike, const struct connection *c, const char *verb, uint32_t token)
{
	struct arena *a = arena_new();
	struct variables v = { .arena = a };
	const char *argv[ARGUMENTS_MAX];
	const struct end *us = our_end(c), *peer = peer_end(c);
	struct subnet ours = connection_client(c, true), theirs = connection_client(c, false);
	struct updown_request r = { .argv = argv, .env = v.at, .timeout = LIMIT_UPDOWN_SECONDS };
	const char *command = us->updown != NULL ? us->updown : ike->updown;

	if (split(a, command, argv) == 0)
		argv[0] = ike->updown;
	set_lease(&v, c);
	set(&v, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	set(&v, "PLUTO_VERSION", "1.0");
	set(&v, "PLUTO_VERB", arena_printf(a, "%s-%s", verb, us->has_client ? "client" : "host"));
	set(&v, "PLUTO_CONNECTION", c->name);
	set_addr(&v, "PLUTO_NEXT_HOP", addr_is_any(&us->nexthop) ? &peer->host : &us->nexthop);
	set(&v, "PLUTO_INTERFACE", c->interface->virtual_[0] != '\0' ? c->interface->virtual_
								      : c->interface->real);
	set_addr(&v, "PLUTO_ME", &us->host);
	set_client(&v, "PLUTO_MY_CLIENT", &ours);
	set_addr(&v, "PLUTO_PEER", &peer->host);
	set_client(&v, "PLUTO_PEER_CLIENT", &theirs);
	if (us->protocol != 0) {
		set(&v, "PLUTO_PROTOCOL", arena_printf(a, "%u", us->protocol));
		set(&v, "PLUTO_MY_PORT", arena_printf(a, "%u", us->port));
		set(&v, "PLUTO_PEER_PORT", arena_printf(a, "%u", peer->port));
	}
	v.at[v.n] = NULL;
	ike->kernel.ops->updown(ike->kernel.k, token, &r);
	arena_free(a);
}
