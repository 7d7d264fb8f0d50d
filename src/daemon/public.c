/* public.c -- the choice of public interfaces. */
#include "daemon/public.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "daemon/defaultroute.h"
#include "kernel/interfaces.h"

#define VIRTUALS 10		/* ipsec0 to ipsec9 */

static bool is_loopback(const struct ip_addr *a)
{
	static const uint8_t six[16] = { [15] = 1 };

	return a->len == 4 ? a->b[0] == 127 : memcmp(a->b, six, sizeof(six)) == 0;
}

static bool asked_for(const struct config *c, const struct ip_addr *a)
{
	for (size_t i = 0; i < c->n_listen; i++)
		if (addr_eq(&c->listen[i], a))
			return true;
	return false;
}

static const struct attach *attach_of(const struct config *c, const char *real)
{
	for (size_t i = 0; i < c->n_attach; i++)
		if (strcmp(c->attach[i].real, real) == 0)
			return &c->attach[i];
	return NULL;
}

static bool wanted(const struct config *c, enum public_rule rule, const struct kernel_interface *k)
{
	for (size_t i = 0; i < c->n_attach; i++)
		if (strcmp(c->attach[i].virtual_, k->real) == 0)
			return false;	/* a virtual interface of another name */
	if (c->n_listen != 0)
		return asked_for(c, &k->addr);
	if (rule != PUBLIC_ALL && is_loopback(&k->addr))
		return false;
	/* With --attach only the interfaces it names are public. */
	return rule != PUBLIC_VIRTUAL || c->n_attach == 0 || attach_of(c, k->real) != NULL;
}

static bool known(const struct public *p, const struct ip_addr *a)
{
	for (size_t i = 0; i < p->n; i++)
		if (addr_eq(&p->at[i].addr, a))
			return true;
	return false;
}

static bool taken(const struct public *p, const char *virtual_)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->at[i].virtual_, virtual_) == 0)
			return true;
	return false;
}

/* Addresses of one real interface share one virtual interface: that of --attach, the one that stands there
 * already, or the first that is free. */
static void give_virtual(const struct public *p, const struct config *c, struct kernel_interface *k)
{
	const struct attach *a = attach_of(c, k->real);

	if (a != NULL)
		memcpy(k->virtual_, a->virtual_, sizeof(k->virtual_));
	for (size_t i = 0; i < p->n && k->virtual_[0] == '\0'; i++)
		if (strcmp(p->at[i].real, k->real) == 0)
			memcpy(k->virtual_, p->at[i].virtual_, sizeof(k->virtual_));
	for (unsigned n = 0; n < VIRTUALS && k->virtual_[0] == '\0'; n++) {
		char name[16];

		snprintf(name, sizeof(name), "ipsec%u", n);
		if (!taken(p, name))
			memcpy(k->virtual_, name, sizeof(name));
	}
}

/* Those that have a virtual interface keep it, so they come first. */
static void add_virtuals(struct public *p, const struct config *c)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->at[i].virtual_[0] == '\0')
			give_virtual(p, c, &p->at[i]);
}

static void mark_default(struct public *p, unsigned octets)
{
	struct ip_addr a;

	if (!defaultroute_address(octets, &a))
		return;
	for (size_t i = 0; i < p->n; i++)
		p->at[i].defaultroute = p->at[i].defaultroute || addr_eq(&p->at[i].addr, &a);
}

bool public_find(struct public *out, const struct config *c, enum public_rule rule, struct text *why)
{
	struct kernel_interface *all;
	const char *trouble;
	size_t n = interfaces_list(&all, &trouble);

	*out = (struct public){ 0 };
	if (n == 0 && trouble != NULL) {
		text_add(why, "cannot find the public interfaces: %s", trouble);
		return false;
	}
	out->at = xcalloc(n + c->n_listen, sizeof(*out->at));
	for (size_t i = 0; i < n; i++)
		if (wanted(c, rule, &all[i]) && !known(out, &all[i].addr))
			out->at[out->n++] = all[i];
	free(all);
	for (size_t i = 0; i < c->n_listen && rule == PUBLIC_ALL; i++)
		if (!known(out, &c->listen[i]))
			out->at[out->n++] = (struct kernel_interface){ .addr = c->listen[i] };
	if (rule == PUBLIC_VIRTUAL)
		add_virtuals(out, c);
	mark_default(out, 4);
	mark_default(out, 16);
	return true;
}

void public_free(struct public *p)
{
	free(p->at);
	*p = (struct public){ 0 };
}
