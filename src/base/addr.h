/* addr.h -- IP addresses, endpoints and subnets, and their text forms. */
#ifndef PLUTO_BASE_ADDR_H
#define PLUTO_BASE_ADDR_H

#include "base/span.h"

struct sockaddr_storage;

struct ip_addr {
	uint8_t len;		/* 4 or 16 octets; 0 = none */
	uint8_t b[16];		/* network order */
};

struct endpoint {
	struct ip_addr addr;
	uint16_t port;		/* host order */
};

struct subnet {
	struct ip_addr addr;	/* bits beyond the mask are zero */
	uint8_t bits;		/* length of the mask */
};

#define ADDR_TEXT 48		/* octets for the longest address text, with NUL */
#define ENDPOINT_TEXT 56
#define SUBNET_TEXT 56

bool addr_eq(const struct ip_addr *a, const struct ip_addr *b);
bool addr_is_none(const struct ip_addr *a);	/* len == 0 */
bool addr_is_any(const struct ip_addr *a);	/* none, 0.0.0.0 or :: : the wildcard */
bool addr_is_link_local(const struct ip_addr *a);	/* fe80::/10: means nothing without its link */
bool endpoint_eq(const struct endpoint *a, const struct endpoint *b);
bool subnet_eq(const struct subnet *a, const struct subnet *b);
bool subnet_has(const struct subnet *s, const struct ip_addr *a);
struct ip_addr addr_from_bytes(struct span s);	/* 4 or 16 octets; else none */
struct span addr_bytes(const struct ip_addr *a);
struct subnet subnet_of_host(const struct ip_addr *a);
struct ip_addr subnet_mask(const struct subnet *s);	/* as an address, 255.255.255.0 */

/* Text into dst; returns dst.  An IPv6 endpoint is [addr]:port; a host subnet keeps its /32. */
char *addr_format(const struct ip_addr *a, char dst[ADDR_TEXT]);
char *endpoint_format(const struct endpoint *e, char dst[ENDPOINT_TEXT]);
char *subnet_format(const struct subnet *s, char dst[SUBNET_TEXT]);

/* To and from the system's form. */
struct endpoint endpoint_from_sockaddr(const struct sockaddr_storage *ss);
unsigned endpoint_to_sockaddr(const struct endpoint *e, struct sockaddr_storage *ss);	/* its length */

/* Parsing (addr.re).  No name is resolved here.  On failure false, *why is a static
 * string that says what is wrong and *column (from 1) where. */
bool addr_parse(struct span text, struct ip_addr *out, const char **why, unsigned *column);
bool subnet_parse(struct span text, struct subnet *out, const char **why, unsigned *column);

/* Text in the form of a domain name (RFC 1123), which a caller may resolve. */
bool addr_is_name(struct span text);

#endif
