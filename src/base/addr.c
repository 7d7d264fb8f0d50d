/* addr.c -- comparison of addresses and subnets, and their text and system forms. */
#include "base/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

bool addr_eq(const struct ip_addr *a, const struct ip_addr *b)
{
	return span_eq(addr_bytes(a), addr_bytes(b));
}

bool addr_is_none(const struct ip_addr *a)
{
	return a->len == 0;
}

bool addr_is_any(const struct ip_addr *a)
{
	for (size_t i = 0; i < a->len; i++)
		if (a->b[i] != 0)
			return false;
	return true;
}

bool addr_is_link_local(const struct ip_addr *a)
{
	return a->len == 16 && a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

bool endpoint_eq(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && addr_eq(&a->addr, &b->addr);
}

bool subnet_eq(const struct subnet *a, const struct subnet *b)
{
	return a->bits == b->bits && addr_eq(&a->addr, &b->addr);
}

struct ip_addr subnet_mask(const struct subnet *s)
{
	struct ip_addr mask = { .len = s->addr.len };
	unsigned bits = s->bits;

	for (size_t i = 0; i < mask.len && bits != 0; i++) {
		unsigned here = bits < 8 ? bits : 8;

		mask.b[i] = (uint8_t)(0xff << (8 - here));
		bits -= here;
	}
	return mask;
}

bool subnet_has(const struct subnet *s, const struct ip_addr *a)
{
	struct ip_addr mask = subnet_mask(s);

	if (a->len == 0 || a->len != s->addr.len)
		return false;
	for (size_t i = 0; i < a->len; i++)
		if ((a->b[i] & mask.b[i]) != s->addr.b[i])
			return false;
	return true;
}

struct ip_addr addr_from_bytes(struct span s)
{
	struct ip_addr a = { 0 };

	if (s.n == 4 || s.n == 16) {
		a.len = (uint8_t)s.n;
		memcpy(a.b, s.p, s.n);
	}
	return a;
}

struct span addr_bytes(const struct ip_addr *a)
{
	return span_of(a->b, a->len);
}

struct subnet subnet_of_host(const struct ip_addr *a)
{
	return (struct subnet){ .addr = *a, .bits = (uint8_t)(a->len * 8) };
}

char *addr_format(const struct ip_addr *a, char dst[ADDR_TEXT])
{
	if (a->len == 0 ||
	    inet_ntop(a->len == 4 ? AF_INET : AF_INET6, a->b, dst, ADDR_TEXT) == NULL)
		memcpy(dst, "none", sizeof("none"));
	return dst;
}

char *endpoint_format(const struct endpoint *e, char dst[ENDPOINT_TEXT])
{
	char host[ADDR_TEXT];

	snprintf(dst, ENDPOINT_TEXT, e->addr.len == 16 ? "[%.46s]:%u" : "%.46s:%u",
		 addr_format(&e->addr, host), (unsigned)e->port);
	return dst;
}

char *subnet_format(const struct subnet *s, char dst[SUBNET_TEXT])
{
	char host[ADDR_TEXT];

	snprintf(dst, SUBNET_TEXT, "%.46s/%u", addr_format(&s->addr, host), (unsigned)s->bits);
	return dst;
}

struct endpoint endpoint_from_sockaddr(const struct sockaddr_storage *ss)
{
	struct endpoint e = { 0 };

	/* Copied, not cast: the storage may have come from anywhere. */
	if (ss->ss_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, ss, sizeof(in));
		e.addr = addr_from_bytes(span_of(&in.sin_addr, 4));
		e.port = ntohs(in.sin_port);
	} else if (ss->ss_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, ss, sizeof(in6));
		e.addr = addr_from_bytes(span_of(&in6.sin6_addr, 16));
		e.port = ntohs(in6.sin6_port);
	}
	return e;
}

unsigned endpoint_to_sockaddr(const struct endpoint *e, struct sockaddr_storage *ss)
{
	memset(ss, 0, sizeof(*ss));
	if (e->addr.len == 16) {
		struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(e->port) };

		memcpy(&in6.sin6_addr, e->addr.b, 16);
		memcpy(ss, &in6, sizeof(in6));
		return sizeof(in6);
	}
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(e->port) };

	memcpy(&in.sin_addr, e->addr.b, 4);
	memcpy(ss, &in, sizeof(in));
	return sizeof(in);
}
