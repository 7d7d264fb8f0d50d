/* status_said.c -- whack --print-conn: connections as they were described, as options of whack in the order of its manual, with
 * the defaults left out.  Read again they describe the same. */
#include <stddef.h>
#include <stdio.h>

#include "generated/options.h"
#include "ike/family.h"
#include "ike/status.h"

#define ROOM 4096		/* octets of all names of options, and of numbers */

/* ---- words -------------------------------------------------------------------- */

static const struct option_desc *option_of(uint16_t id)
{
	for (size_t i = 0; i < whack_program.n_options; i++)
		if (whack_program.options[i].id == id && whack_program.options[i].form == WHACK_FORM_CONNECTION)
			return &whack_program.options[i];
	return NULL;
}

static void add_flag(struct text *t, uint16_t id)
{
	text_add(t, "%s--%s", t->n > 0 ? " " : "", option_of(id)->name);
}

static bool plain(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t b = s.p[i];

		if (!((b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9') ||
		      (b != '\0' && strchr("@%._+-:,/=", b) != NULL)))
			return false;
	}
	return s.n > 0;
}

/* In quotes that mean the same to a shell and to --batch. */
static void add_text(struct text *t, uint16_t id, struct span s)
{
	bool bare = plain(s);

	add_flag(t, id);
	text_add(t, "%s", bare ? " " : " '");
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\'')
			text_add(t, "'\"'\"'");
		else
			text_add(t, "%c", s.p[i]);
	if (!bare)
		text_add(t, "'");
}

static void add_number(struct text *t, uint16_t id, uint32_t n)
{
	char number[16];

	snprintf(number, sizeof(number), "%u", n);
	add_text(t, id, span_str(number));
}

/* ---- ends --------------------------------------------------------------------- */

static void add_address(struct text *t, uint16_t id, const struct ip_addr *a, const char *any)
{
	char room[ADDR_TEXT];

	if (a->len != 0)
		add_text(t, id, span_str(addr_is_any(a) && any != NULL ? any : addr_format(a, room)));
}

static void add_selector(struct text *t, const struct control_selector *s)
{
	char room[SUBNET_TEXT];

	if (s->client.addr.len != 0)
		add_text(t, WHACK_OPTION_CLIENT, span_str(subnet_format(&s->client, room)));
	if (s->protocol != 0)
		add_number(t, WHACK_OPTION_CLIENTPROTO, s->protocol);
	if (s->port != 0)
		add_number(t, WHACK_OPTION_CLIENTPORT, s->port);
}

static void add_end(struct text *t, const struct control_end *e)
{
	const struct control_selector first = { .client = e->client, .protocol = e->protocol, .port = e->port };

	if (e->id.n > 0)
		add_text(t, WHACK_OPTION_ID, e->id);
	if (e->defaultroute)
		add_text(t, WHACK_OPTION_HOST, span_str("%defaultroute"));
	else
		add_address(t, WHACK_OPTION_HOST, &e->host, e->host.len == 16 ? "%any6" : "%any");
	if (e->ikeport != option_of(WHACK_OPTION_IKEPORT)->number)
		add_number(t, WHACK_OPTION_IKEPORT, e->ikeport);
	if (e->nattport != 0 && e->nattport != option_of(WHACK_OPTION_NATTPORT)->number)
		add_number(t, WHACK_OPTION_NATTPORT, e->nattport);
	add_address(t, WHACK_OPTION_NEXTHOP, &e->nexthop, e->nexthop.len == 4 ? "%direct" : NULL);
	add_selector(t, &first);
	for (size_t i = 0; i < e->n_further; i++)
		add_selector(t, &e->further[i]);
	if (e->updown.n > 0)
		add_text(t, WHACK_OPTION_UPDOWN, e->updown);
}

/* ---- what both have in common --------------------------------------------------- */

#define SAID(type, option, member) { type, option, offsetof(struct control_connection, member) }

static const struct said { enum { FLAG, TEXT, NUMBER, CHOICE } type; uint16_t option; size_t at; } said[] = {
	SAID(FLAG, WHACK_OPTION_PSK, psk), SAID(FLAG, WHACK_OPTION_RSASIG, rsasig), SAID(FLAG, WHACK_OPTION_ENCRYPT, encrypt),
	SAID(FLAG, WHACK_OPTION_AUTHENTICATE, authenticate), SAID(FLAG, WHACK_OPTION_COMPRESS, compress),
	SAID(FLAG, WHACK_OPTION_TUNNEL, tunnel), SAID(CHOICE, WHACK_OPTION_ENCAPSULATION, encapsulation),
	SAID(FLAG, WHACK_OPTION_PFS, pfs), SAID(FLAG, WHACK_OPTION_AGGRESSIVE, aggressive),
	SAID(FLAG, WHACK_OPTION_XAUTH, xauth), SAID(TEXT, WHACK_OPTION_XAUTHNAME, xauthname),
	SAID(CHOICE, WHACK_OPTION_MODECFG, modecfg), SAID(FLAG, WHACK_OPTION_SPLIT, split), SAID(TEXT, WHACK_OPTION_POLICY, policy), SAID(TEXT, WHACK_OPTION_IKE, ike),
	SAID(TEXT, WHACK_OPTION_ESP, esp), SAID(TEXT, WHACK_OPTION_AH, ah), SAID(TEXT, WHACK_OPTION_PFSGROUP, pfsgroup),
	SAID(NUMBER, WHACK_OPTION_IKELIFETIME, ikelifetime), SAID(NUMBER, WHACK_OPTION_IPSECLIFETIME, ipseclifetime),
	SAID(NUMBER, WHACK_OPTION_IPSECKILOBYTES, ipseckilobytes), SAID(NUMBER, WHACK_OPTION_REKEYMARGIN, rekeymargin),
	SAID(NUMBER, WHACK_OPTION_REKEYFUZZ, rekeyfuzz), SAID(NUMBER, WHACK_OPTION_KEYINGTRIES, keyingtries),
	SAID(NUMBER, WHACK_OPTION_SENDS, sends), SAID(NUMBER, WHACK_OPTION_SENDINTERVAL, sendinterval),
	SAID(NUMBER, WHACK_OPTION_DPDDELAY, dpddelay), SAID(NUMBER, WHACK_OPTION_DPDTIMEOUT, dpdtimeout),
	SAID(CHOICE, WHACK_OPTION_DPDACTION, dpdaction), SAID(CHOICE, WHACK_OPTION_FRAGMENTATION, fragmentation),
	SAID(NUMBER, WHACK_OPTION_FRAGMENTSIZE, fragmentsize), SAID(CHOICE, WHACK_OPTION_ONCONFLICT, onconflict),
	SAID(FLAG, WHACK_OPTION_ONDEMAND, ondemand), SAID(FLAG, WHACK_OPTION_REVIVE, revive),
};

static void add_said(struct text *t, const struct said *k, const struct control_connection *m)
{
	const void *at = (const char *)m + k->at;
	const struct option_desc *d = option_of(k->option);

	switch (k->type) {
	case FLAG:
		if (*(const bool *)at)
			add_flag(t, k->option);
		break;
	case TEXT:
		if (((const struct span *)at)->n > 0)
			add_text(t, k->option, *(const struct span *)at);
		break;
	case NUMBER:
		if (*(const uint32_t *)at != d->number)
			add_number(t, k->option, *(const uint32_t *)at);
		break;
	case CHOICE:
		if (*(const uint8_t *)at != d->number)
			add_text(t, k->option, span_str(d->choices[*(const uint8_t *)at]));
		break;
	}
}

static const char *line_of(struct arena *a, const struct control_connection *m, size_t octets)
{
	size_t size = 8 * octets + ROOM;
	char *p = arena_alloc(a, size);
	struct text t = text_on(p, size);

	add_text(&t, WHACK_OPTION_NAME, m->name);
	add_end(&t, &m->left);
	add_flag(&t, WHACK_OPTION_TO);
	add_end(&t, &m->right);
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
		add_said(&t, &said[i], m);
	return p;
}

/* ---- the form ------------------------------------------------------------------- */

/* Octets that no line can show would be read as others. */
static bool printable(const char *line)
{
	while (*line >= ' ' && *line <= '~')
		line++;
	return *line == '\0';
}

static void say(struct status *s, const char *line)
{
	s->ike->host.reply(s->ike->host.ctx, s->whack, WHACK_STATUS_COMMENT, line);
}

static void connection(struct status *s, const struct connection *c)
{
	struct arena *a = s->ike->arena;
	struct control_connection m;
	const char *line;

	if (c->family == NULL || c->family == s->told)	/* an instance, or another pair of the same clients */
		return;
	s->told = c->family;
	if (!family_said(c->family, a, &m))
		return;
	line = line_of(a, &m, c->family->said.n);
	say(s, printable(line) ? line : arena_printf(a, "# \"%s\" has octets that are not printable ASCII: it cannot be written as a line",
						     c->family->name));
}

static void nothing(struct status *s)
{
	(void)s;
}

const struct status_form status_said = { .head = nothing, .connection = connection, .foot = nothing };
