/* identity.c -- identities of the two ends: text forms and comparison. */
#include "ike/identity.h"

static enum identity_form bad(const char *what, size_t off, const char **why, unsigned *column)
{
	*why = what;
	*column = off >= UINT32_MAX ? UINT32_MAX : (unsigned)off + 1;
	return IDENTITY_BAD;
}

/* Text has an @ at `at`: @fqdn or user@fqdn. */
static enum identity_form parse_name(struct span text, size_t at, struct identity *out,
				     const char **why, unsigned *column)
{
	struct span host = span_from(text, at + 1);

	if (host.n == 0)
		return bad("a name is missing after @", at, why, column);
	if (memchr(host.p, '@', host.n) != NULL)
		return bad("more than one @: write @fqdn or user@fqdn", at, why, column);
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] <= ' ' || text.p[i] == 0x7f)
			return bad("a blank or control character in a name", i, why, column);
	if (at == 0)
		*out = (struct identity){ .kind = IDENTITY_FQDN, .name = host };
	else
		*out = (struct identity){ .kind = IDENTITY_USER_FQDN, .name = text };
	return IDENTITY_OK;
}

enum identity_form identity_parse(struct span text, struct identity *out, const char **why,
				  unsigned *column)
{
	const uint8_t *at = text.n == 0 ? NULL : memchr(text.p, '@', text.n);
	struct ip_addr addr;

	if (text.n == 0)
		return bad("an identity is missing", 0, why, column);
	if (at != NULL)
		return parse_name(text, (size_t)(at - text.p), out, why, column);
	if (addr_parse(text, &addr, why, column)) {
		*out = identity_of_addr(&addr);
		return IDENTITY_OK;
	}
	if (!addr_is_name(text))
		return IDENTITY_BAD;
	*out = (struct identity){ .kind = IDENTITY_NONE, .name = text };
	return IDENTITY_HOST;
}

struct identity identity_of_addr(const struct ip_addr *a)
{
	return (struct identity){ .kind = IDENTITY_ADDR, .addr = *a };
}

bool identity_check(const struct identity *id, const char **why)
{
	switch (id->kind) {
	case IDENTITY_NONE:
		*why = "there is no identity";
		return false;
	case IDENTITY_ADDR:
		*why = "an address has 4 or 16 octets";
		return id->addr.len == 4 || id->addr.len == 16;
	case IDENTITY_FQDN:
	case IDENTITY_USER_FQDN:
		break;
	}
	if (id->name.n == 0) {
		*why = "the name is empty";
		return false;
	}
	if (memchr(id->name.p, '\0', id->name.n) != NULL) {
		*why = "the name has a NUL in it";
		return false;
	}
	return true;
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20u) : c;
}

/* Where the FQDN begins: 0, or after the last @ of user@fqdn. */
static size_t fqdn_at(const struct identity *id)
{
	size_t i = id->name.n;

	if (id->kind == IDENTITY_FQDN)
		return 0;
	while (i > 0 && id->name.p[i - 1] != '@')
		i--;
	/* No @ at all: then nothing of it is known to be a domain name. */
	return i == 0 ? id->name.n : i;
}

bool identity_eq(const struct identity *a, const struct identity *b)
{
	const char *why;
	size_t at;

	if (a->kind != b->kind || !identity_check(a, &why) || !identity_check(b, &why))
		return false;
	if (a->kind == IDENTITY_ADDR)
		return addr_eq(&a->addr, &b->addr);
	at = fqdn_at(a);
	if (a->name.n != b->name.n || at != fqdn_at(b) ||
	    !span_eq(span_sub(a->name, 0, at), span_sub(b->name, 0, at)))
		return false;
	for (size_t i = at; i < a->name.n; i++)
		if (lower(a->name.p[i]) != lower(b->name.p[i]))
			return false;
	return true;
}

bool identity_is_any(const struct identity *id)
{
	return id->kind == IDENTITY_NONE ||
	       (id->kind == IDENTITY_ADDR && addr_is_any(&id->addr));
}

void identity_format(struct text *t, const struct identity *id)
{
	char addr[ADDR_TEXT];

	switch (id->kind) {
	case IDENTITY_NONE:
		text_add(t, "%%none");
		return;
	case IDENTITY_ADDR:
		if (addr_is_any(&id->addr))
			text_add(t, id->addr.len == 16 ? "%%any6" : "%%any");
		else
			text_add(t, "%s", addr_format(&id->addr, addr));
		return;
	case IDENTITY_FQDN:
		text_add(t, "@");
		break;
	case IDENTITY_USER_FQDN:
		break;
	}
	text_escape(t, id->name);
}
