/* lease.h -- what a gateway gives us by Mode Config: an address of its network, and what belongs to it. */
#ifndef PLUTO_IKE_LEASE_H
#define PLUTO_IKE_LEASE_H

#include "base/arena.h"
#include "base/attribute.h"
#include "base/text.h"
#include "generated/limits.h"
#include "ike/connection.h"

struct lease_text {
	char p[LIMIT_CONFIG_TEXT];	/* printable ASCII; empty = not given */
};

/* Counted: an ISAKMP SA and the connections that use the address have a reference each. */
struct lease {
	unsigned refs;
	struct ip_addr address;
	uint32_t expiry;		/* seconds from when it was given, 0 = not said */
	size_t n_dns, n_nbns, n_subnets;
	struct ip_addr dns[LIMIT_LEASE_SERVERS], nbns[LIMIT_LEASE_SERVERS];
	struct subnet subnets[LIMIT_LEASE_SUBNETS];	/* behind the gateway */
	struct lease_text domain, banner, version;
};

/* Take the next attribute of that type (config_attribute) off a list that was checked; false at the end. */
bool lease_attribute(struct span *list, uint16_t type, struct attribute *out);

/* Text of a peer, cut at LIMIT_CONFIG_TEXT octets, without what does not print. */
void lease_words(struct span s, struct lease_text *out);

/* Read the attributes of a REPLY or SET.  More servers and subnets than there is room for are left out. */
struct lease *lease_read(struct span attributes);
struct lease *lease_ref(struct lease *l);
void lease_unref(struct lease *l);	/* harmless on NULL */

/* Could a host have this address? */
bool lease_usable(const struct ip_addr *a);

/* The address of l becomes the client of our end, in place of one of an earlier lease. */
void lease_take(struct connection *c, struct lease *l);

/* Text for the log and status: address, DNS servers, domain, subnets.  In the arena. */
const char *lease_text(struct arena *a, const struct lease *l);

/* Addresses with blanks between them; in the arena. */
const char *lease_addresses(struct arena *a, const struct ip_addr *list, size_t n);

/* Subnets likewise. */
const char *lease_subnets(struct arena *a, const struct lease *l);

/* Those of them that neither c nor another of its family is for, with commas between them as for --client. */
const char *lease_uncovered(struct arena *a, const struct lease *l, const struct connection *c);

#endif
