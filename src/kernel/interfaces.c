/* interfaces.c -- the system's interfaces, the virtual ones paired with the real ones. */
#include "kernel/interfaces.h"

#include "base/xalloc.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

bool interface_is_virtual(const char *name)
{
	return strncmp(name, "ipsec", 5) == 0 && name[5] >= '0' && name[5] <= '9' && name[6] == '\0';
}

static struct ip_addr address_of(const struct sockaddr *sa)
{
	struct sockaddr_storage ss = { .ss_family = AF_UNSPEC };

	if (sa->sa_family == AF_INET)
		memcpy(&ss, sa, sizeof(struct sockaddr_in));
	else if (sa->sa_family == AF_INET6)
		memcpy(&ss, sa, sizeof(struct sockaddr_in6));
	return endpoint_from_sockaddr(&ss).addr;
}

/* An IPv6 link-local address means nothing without its link: IKE is not spoken there. */
static bool usable(const struct ifaddrs *i, struct ip_addr *addr)
{
	if (i->ifa_addr == NULL || (i->ifa_flags & IFF_UP) == 0)
		return false;
	if (i->ifa_addr->sa_family != AF_INET && i->ifa_addr->sa_family != AF_INET6)
		return false;
	*addr = address_of(i->ifa_addr);
	return !addr_is_none(addr) && !addr_is_link_local(addr);
}

/* The first real interface with that address: the manual says there should be only one. */
static void pair(struct kernel_interface *list, size_t n, const char *virtual_, const struct ip_addr *addr)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i].virtual_[0] != '\0' || !addr_eq(&list[i].addr, addr))
			continue;
		snprintf(list[i].virtual_, sizeof list[i].virtual_, "%s", virtual_);
		return;
	}
}

size_t interfaces_list(struct kernel_interface **out, const char **why)
{
	struct ifaddrs *all, *i;
	struct kernel_interface *list = NULL;
	struct ip_addr addr;
	size_t n = 0;

	*out = NULL;
	*why = NULL;
	if (getifaddrs(&all) != 0) {
		*why = "the system does not tell its interfaces";
		return 0;
	}
	for (i = all; i != NULL; i = i->ifa_next) {
		if (interface_is_virtual(i->ifa_name) || !usable(i, &addr))
			continue;
		list = xrealloc(list, (n + 1) * sizeof *list);
		list[n] = (struct kernel_interface){ .addr = addr };
		snprintf(list[n].real, sizeof list[n].real, "%s", i->ifa_name);
		n++;
	}
	for (i = all; i != NULL; i = i->ifa_next)
		if (interface_is_virtual(i->ifa_name) && usable(i, &addr))
			pair(list, n, i->ifa_name, &addr);
	freeifaddrs(all);
	*out = list;
	return n;
}

size_t interface_addresses(const char *name, struct ip_addr *out, size_t max)
{
	struct ifaddrs *all;
	struct ip_addr addr;
	size_t n = 0;

	if (getifaddrs(&all) != 0)
		return 0;
	for (const struct ifaddrs *i = all; i != NULL && n < max; i = i->ifa_next)
		if (strcmp(i->ifa_name, name) == 0 && usable(i, &addr))
			out[n++] = addr;
	freeifaddrs(all);
	return n;
}
