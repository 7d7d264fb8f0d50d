/* resolve.c -- addresses, subnets and identities. */
#include "whack/resolve.h"

#include "generated/names.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static bool wrong(const struct option_value *v, struct text *why)
{
	option_where(v, why);
	text_add(why, ": --%s ", v->option->name);
	text_escape(why, span_str(v->text));
	text_add(why, ": ");
	return false;
}

/* Whether the text can only be meant as an address in numbers, so that no name server is asked. */
static bool numeric(struct span s)
{
	bool digits = true;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == ':')
			return true;
		if ((s.p[i] < '0' || s.p[i] > '9') && s.p[i] != '.')
			digits = false;
	}
	return digits || (s.n > 2 && s.p[0] == '0' && (s.p[1] == 'x' || s.p[1] == 'X'));
}

/* IPv4 first, as that is what most peers of IKEv1 speak, unless the context is IPv6. */
static bool look_up(const struct option_value *v, struct span name, bool six, struct ip_addr *out,
		    struct text *why)
{
	int first = six ? AF_INET6 : AF_INET;
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *list, *best = NULL;
	struct sockaddr_storage ss = { 0 };
	char room[256];
	int error;

	if (name.n == 0 || name.n >= sizeof(room)) {
		wrong(v, why);
		text_add(why, "there is no name of that length; write an address");
		return false;
	}
	memcpy(room, name.p, name.n);
	room[name.n] = '\0';
	error = getaddrinfo(room, NULL, &hints, &list);
	if (error != 0) {
		wrong(v, why);
		text_add(why, "the name does not resolve (%s); check it, or write an address",
			 gai_strerror(error));
		return false;
	}
	for (struct addrinfo *i = list; i != NULL; i = i->ai_next)
		if (best == NULL || (best->ai_family != first && i->ai_family == first))
			best = i;
	memcpy(&ss, best->ai_addr, best->ai_addrlen < sizeof(ss) ? best->ai_addrlen : sizeof(ss));
	*out = endpoint_from_sockaddr(&ss).addr;
	freeaddrinfo(list);
	return true;
}

static bool address(const struct option_value *v, struct span s, bool six, struct ip_addr *out,
		    struct text *why)
{
	const char *reason;
	unsigned column;

	if (addr_parse(s, out, &reason, &column))
		return true;
	if (!numeric(s))
		return look_up(v, s, six, out, why);
	wrong(v, why);
	text_add(why, "%s (column %u); write four numbers with dots, as 192.0.2.1, or IPv6, as 2001:db8::1", reason, column);
	return false;
}

bool resolve_is_six(const struct option_value *v)
{
	const char *reason;
	struct ip_addr a;
	unsigned column;

	return v != NULL && addr_parse(span_str(v->text), &a, &reason, &column) && a.len == 16;
}

bool resolve_addr(const struct option_value *v, bool six, struct ip_addr *out, struct text *why)
{
	if (strcmp(v->text, "%direct") == 0) {
		*out = (struct ip_addr){ .len = 4 };
		return true;
	}
	return address(v, span_str(v->text), six, out, why);
}

bool resolve_host(const struct option_value *v, bool six, struct control_end *e, struct text *why)
{
	e->defaultroute = strcmp(v->text, "%defaultroute") == 0;
	if (e->defaultroute) {
		e->host = (struct ip_addr){ .len = 4 };
		return true;
	}
	return resolve_addr(v, six, &e->host, why);
}

bool resolve_subnet(const struct option_value *v, struct span whole, struct subnet *out, struct text *why)
{
	struct span host = whole;
	const uint8_t *slash = whole.n == 0 ? NULL : memchr(whole.p, '/', whole.n);
	const char *reason;
	char room[ADDR_TEXT + 32], number[ADDR_TEXT];
	struct ip_addr a;
	unsigned column;

	if (slash != NULL)
		host.n = (size_t)(slash - whole.p);
	if (subnet_parse(whole, out, &reason, &column))
		return true;
	if (numeric(host) || whole.n == 0 || whole.p[0] == '%') {
		wrong(v, why);
		text_add(why, "%s (column %u); write it as 10.0.1.0/24 or 2001:db8:1::/64", reason, column);
		return false;
	}
	if (!look_up(v, host, false, &a, why))
		return false;
	snprintf(room, sizeof(room), "%s%.*s", addr_format(&a, number),
		 (int)(whole.n - host.n < 30 ? whole.n - host.n : 30), (const char *)whole.p + host.n);
	if (subnet_parse(span_str(room), out, &reason, &column))
		return true;
	wrong(v, why);
	text_add(why, "%s in %s; write it as 10.0.1.0/24", reason, room);
	return false;
}

/* A decimal number up to max. */
static bool decimal(const char *s, uint32_t max, uint32_t *out)
{
	uint32_t n = 0;

	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9')
			return false;
		n = 10 * n + (uint32_t)(*s - '0');
		if (n > max)
			return false;
	}
	*out = n;
	return true;
}

bool resolve_protocol(const struct option_value *v, uint8_t *out, struct text *why)
{
	const struct registry_entry *e = registry_by_word(&registry_ip_protocol, span_str(v->text));
	uint32_t n = 0;

	if (e == NULL && !decimal(v->text, UINT8_MAX, &n)) {
		wrong(v, why);
		text_add(why, "this is no IP protocol; write a number up to 255, or a name such as tcp, udp or icmp");
		return false;
	}
	*out = (uint8_t)(e != NULL ? e->lo : n);
	return true;
}

static bool no_port(const struct option_value *v, struct text *why)
{
	wrong(v, why);
	if (strpbrk(v->text, "-:") != NULL)
		text_add(why, "IKEv1 cannot carry a range of ports; name one port in each pair of clients, or 0 for all");
	else if (strchr(v->text, ',') != NULL)
		text_add(why, "this is more than one port; give the --client again for each, followed by its --clientport");
	else
		text_add(why, "this is no port; write a number up to 65535");
	return false;
}

bool resolve_port(const struct option_value *v, uint16_t *out, struct text *why)
{
	uint32_t n;

	if (strcmp(v->text, "%any") == 0)
		n = 0;
	else if (!decimal(v->text, UINT16_MAX, &n))
		return no_port(v, why);
	*out = (uint16_t)n;
	return true;
}

bool resolve_id(const struct option_value *v, bool six, char dst[ID_TEXT], struct text *why)
{
	const char *at = strchr(v->text, '@');
	char number[ADDR_TEXT];
	struct ip_addr a;

	if (at != NULL || strcmp(v->text, "%any") == 0 || strcmp(v->text, "%any6") == 0) {
		if (strlen(v->text) < ID_TEXT && (at == NULL || at[1] != '\0')) {
			memcpy(dst, v->text, strlen(v->text) + 1);
			return true;
		}
		wrong(v, why);
		text_add(why, "this is no identity; write an address, @FQDN, USER@FQDN, @[TEXT] or @#HEX of at most %d octets",
			 ID_TEXT - 1);
		return false;
	}
	if (!address(v, span_str(v->text), six, &a, why))
		return false;
	snprintf(dst, ID_TEXT, "%s", addr_format(&a, number));
	return true;
}

bool resolve_was_name(const struct option_value *v)
{
	const char *reason;
	struct ip_addr a;
	unsigned column;

	return strchr(v->text, '@') == NULL && v->text[0] != '%' && !addr_parse(span_str(v->text), &a, &reason, &column);
}
