/* identity.c -- identities of the two ends: text forms and comparison. */
#include "ike/identity.h"

static enum identity_form bad(const char *what, size_t off, const char **why, unsigned *column)
{
	*why = what;
	*column = off >= UINT32_MAX ? UINT32_MAX : (unsigned)off + 1;
	return IDENTITY_BAD;
}

/* @#hexadecimal: any octets, as many gateways name their groups.  The text is of one length with the data form 0x. */
static enum identity_form parse_octets(struct arena *a, struct span text, struct identity *out, const char **why,
				       unsigned *column)
{
	char *data = arena_str(a, text);
	struct buf octets = { 0 };

	memcpy(data, "0x", 2);
	if (!data_parse(span_of(data, text.n), &octets, why, column))
		return IDENTITY_BAD;
	*out = (struct identity){ .kind = IDENTITY_KEY_ID, .name = arena_span(a, span_buf(octets)) };
	buf_free(&octets);
	return IDENTITY_OK;
}

static bool visible(uint8_t c)
{
	return c > ' ' && c != 0x7f;
}

/* @[text]: the same, for octets that are text. */
static enum identity_form parse_group(struct span text, struct identity *out, const char **why, unsigned *column)
{
	size_t end = text.n - 1;

	if (end < 2 || text.p[end] != ']')
		return bad("a ] is missing behind @[", text.n, why, column);
	if (end == 2)
		return bad("a name is missing between @[ and ]", end, why, column);
	for (size_t i = 2; i < end; i++)
		if (!visible(text.p[i]))
			return bad("a blank or control character: write @# and the octets in hexadecimal", i, why, column);
	*out = (struct identity){ .kind = IDENTITY_KEY_ID, .name = span_sub(text, 2, end - 2) };
	return IDENTITY_OK;
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
		if (!visible(text.p[i]))
			return bad("a blank or control character in a name", i, why, column);
	if (at == 0)
		*out = (struct identity){ .kind = IDENTITY_FQDN, .name = host };
	else
		*out = (struct identity){ .kind = IDENTITY_USER_FQDN, .name = text };
	return IDENTITY_OK;
}

enum identity_form identity_parse(struct arena *a, struct span text, struct identity *out, const char **why,
				  unsigned *column)
{
	const uint8_t *at = text.n == 0 ? NULL : memchr(text.p, '@', text.n);
	struct ip_addr addr;

	if (text.n == 0)
		return bad("an identity is missing", 0, why, column);
	if (at == text.p && text.n > 1 && text.p[1] == '#')
		return parse_octets(a, text, out, why, column);
	if (at == text.p && text.n > 1 && text.p[1] == '[')
		return parse_group(text, out, why, column);
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
	case IDENTITY_KEY_ID:
		break;
	}
	if (id->name.n == 0) {
		*why = "the name is empty";
		return false;
	}
	if (id->kind != IDENTITY_KEY_ID && memchr(id->name.p, '\0', id->name.n) != NULL) {
		*why = "the name has a NUL in it";
		return false;
	}
	return true;
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20u) : c;
}

/* Where the FQDN begins: 0, or after the last @ of user@fqdn; in a KEY_ID there is none. */
static size_t fqdn_at(const struct identity *id)
{
	size_t i = id->name.n;

	if (id->kind == IDENTITY_FQDN)
		return 0;
	if (id->kind == IDENTITY_KEY_ID)
		return id->name.n;
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

/* May it stand between @[ and ], and does nothing of it have to be escaped? */
static bool is_text(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!visible(s.p[i]) || s.p[i] > 0x7e || s.p[i] == '\\')
			return false;
	return true;
}

static void format_key_id(struct text *t, struct span s)
{
	if (is_text(s)) {
		text_add(t, "@[");
		text_escape(t, s);
		text_add(t, "]");
	} else {
		text_add(t, "@#");
		text_hex(t, s);
	}
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
	case IDENTITY_KEY_ID:
		format_key_id(t, id->name);
		return;
	}
	text_escape(t, id->name);
}
