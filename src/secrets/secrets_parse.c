/* secrets_parse.c -- entries of a secrets file: indices, `:`, a preshared secret or an RSA key. */
#include <strings.h>

#include "base/text.h"
#include "crypto/rsa.h"
#include "generated/limits.h"
#include "generated/reasons.h"
#include "ike/identity.h"
#include "secrets/lex.h"
#include "secrets/set.h"

struct parse {
	struct load *load;
	struct token user;	/* the first bare name among the indices: the user of a password; TOKEN_EOF = none */
	const char *file;
	struct lex lex;
	struct token t;		/* the next one, not consumed yet */
};

static void advance(struct parse *p)
{
	p->t = lex_next(&p->lex);
}

/* Never quotes the text: a word out of place may well be a secret. */
static bool fail_at(struct parse *p, unsigned line, unsigned column, const char *what)
{
	load_error(p->load, refuse_secrets_syntax(p->load->a, p->file, line, column, what));
	return false;
}

static bool fail(struct parse *p, const char *what)
{
	return fail_at(p, p->t.line, p->t.column, p->t.kind == TOKEN_BAD ? p->t.why : what);
}

static bool fail_bare(struct parse *p)
{
	return fail_at(p, p->user.line, p->user.column, "a bare name is no index but of a password (XAUTH): write @name for "
		       "an identity, or the address; a colon stands before the secret");
}

static bool at_end(const struct parse *p)
{
	return p->t.kind == TOKEN_END || p->t.kind == TOKEN_EOF;
}

static bool is_word(const struct parse *p, const char *word)
{
	return p->t.kind == TOKEN_WORD && p->t.text.n == strlen(word) &&
	       strncasecmp((const char *)p->t.text.p, word, p->t.text.n) == 0;
}

/* ---- indices -------------------------------------------------------------- */

static bool parse_index(struct parse *p, struct identity *out)
{
	const char *why = "";
	unsigned column = 1;

	switch (identity_parse(p->load->set->mem, p->t.text, out, &why, &column)) {
	case IDENTITY_OK:
		out->name = arena_span(p->load->set->mem, out->name);
		return true;
	case IDENTITY_HOST:	/* good before a password, where it is the same as @name */
		if (p->user.kind == TOKEN_EOF)
			p->user = p->t;
		*out = (struct identity){ .kind = IDENTITY_FQDN,
					  .name = arena_span(p->load->set->mem, p->t.text) };
		return true;
	case IDENTITY_BAD:
		break;
	}
	return fail_at(p, p->t.line, p->t.column + column - 1, why);
}

/* Everything up to the colon. */
static bool parse_indices(struct parse *p, struct entry *e)
{
	struct identity index[LIMIT_SECRETS_INDICES], *kept;
	size_t n = 0;

	p->user = (struct token){ .kind = TOKEN_EOF };
	while (p->t.kind == TOKEN_WORD) {
		if (n == LIMIT_SECRETS_INDICES)
			return fail(p, "too many indices");
		if (!parse_index(p, &index[n++]))
			return false;
		advance(p);
	}
	if (p->t.kind != TOKEN_COLON && p->user.kind != TOKEN_EOF)
		return fail_bare(p);
	if (p->t.kind != TOKEN_COLON)
		return fail(p, "a colon is missing between the indices and the secret");
	advance(p);
	kept = ARENA_ARRAY(p->load->set->mem, struct identity, n);
	if (n != 0)
		memcpy(kept, index, n * sizeof(*kept));
	e->index = kept;
	e->n_index = n;
	return true;
}

/* ---- secrets --------------------------------------------------------------- */

/* A word in one of the data forms. */
static bool parse_data(struct parse *p, struct buf *out)
{
	const char *why = "";
	unsigned column = 1;

	if (p->t.kind != TOKEN_WORD)
		return fail(p, "data is missing: 0x (hexadecimal), 0s (base 64) or 0t (text)");
	if (!data_parse(p->t.text, out, &why, &column))
		return fail_at(p, p->t.line, p->t.column + column - 1, why);
	advance(p);
	return true;
}

static bool parse_text(struct parse *p, enum secret_kind kind, struct entry *e)
{
	struct arena *mem = p->load->set->mem;
	struct buf data = { 0 };

	if (p->t.kind == TOKEN_STRING) {
		if (p->t.text.n == 0)
			return fail(p, kind == SECRET_PSK ? "the preshared secret is empty" : "the password is empty");
		e->secret = arena_span(mem, p->t.text);
		advance(p);
	} else if (p->t.kind == TOKEN_WORD) {
		if (!parse_data(p, &data))
			return false;
		e->secret = arena_span(mem, span_buf(data));
		buf_free(&data);
	} else {
		return fail(p, kind == SECRET_PSK ?
			    "the preshared secret is missing: \"text\" in quotes, or 0x, 0s or 0t data" :
			    "the password is missing: \"text\" in quotes, or 0x, 0s or 0t data");
	}
	e->kind = kind;
	return true;
}

static const char *const rsa_fields[] = {
	"Modulus", "PublicExponent", "PrivateExponent", "Prime1", "Prime2",
	"Exponent1", "Exponent2", "Coefficient",
};

#define RSA_FIELDS (sizeof(rsa_fields) / sizeof(rsa_fields[0]))

static bool parse_rsa_field(struct parse *p, struct buf part[RSA_FIELDS])
{
	size_t i = 0;

	while (i < RSA_FIELDS && !is_word(p, rsa_fields[i]))
		i++;
	if (i == RSA_FIELDS)
		return fail(p, at_end(p) ?
			    "the entry ends before the } of the RSA key: its lines, the last one too, must be indented" :
			    "not a field of an RSA key: Modulus, PublicExponent, PrivateExponent, Prime1, "
			    "Prime2, Exponent1, Exponent2 and Coefficient are");
	if (part[i].n != 0)
		return fail(p, "this field of the RSA key is there already");
	advance(p);
	if (p->t.kind != TOKEN_COLON)
		return fail(p, "a colon and a blank are missing after the name of the field");
	advance(p);
	return parse_data(p, &part[i]);
}

static bool rsa_complete(struct parse *p, const struct buf part[RSA_FIELDS])
{
	for (size_t i = 0; i < RSA_FIELDS; i++)
		if (part[i].n == 0)
			return fail(p, arena_printf(p->load->a, "the RSA key has no %s", rsa_fields[i]));
	return true;
}

static bool make_rsa(struct parse *p, const struct buf part[RSA_FIELDS], struct entry *e)
{
	const struct rsa_parts parts = {
		.n = span_buf(part[0]), .e = span_buf(part[1]), .d = span_buf(part[2]),
		.p = span_buf(part[3]), .q = span_buf(part[4]), .dp = span_buf(part[5]),
		.dq = span_buf(part[6]), .qinv = span_buf(part[7]),
	};
	const char *why = NULL;
	struct buf public;

	e->rsa = rsa_new(&parts, &why);
	if (e->rsa == NULL) {
		load_error(p->load, refuse_secrets_rsa(p->load->a, p->file, e->line, why));
		return false;
	}
	public = rsa_to_dns(e->rsa);
	e->secret = arena_span(p->load->set->mem, span_buf(public));
	buf_free(&public);
	e->kind = SECRET_RSA;
	return true;
}

static bool parse_rsa(struct parse *p, struct entry *e)
{
	struct buf part[RSA_FIELDS] = { 0 };
	bool ok = true;

	if (p->t.kind != TOKEN_OPEN)
		return fail(p, "{ is missing after RSA");
	advance(p);
	while (ok && p->t.kind != TOKEN_CLOSE)
		ok = parse_rsa_field(p, part);
	ok = ok && rsa_complete(p, part) && make_rsa(p, part, e);
	for (size_t i = 0; i < RSA_FIELDS; i++)
		buf_free(&part[i]);
	if (ok)
		advance(p);
	return ok;
}

static bool parse_secret(struct parse *p, struct entry *e)
{
	if (is_word(p, "XAUTH")) {
		advance(p);
		return parse_text(p, SECRET_XAUTH, e);
	}
	if (p->user.kind != TOKEN_EOF)
		return fail_bare(p);
	if (is_word(p, "RSA")) {
		advance(p);
		return parse_rsa(p, e);
	}
	if (is_word(p, "PSK")) {
		advance(p);
		return parse_text(p, SECRET_PSK, e);
	}
	if (p->t.kind == TOKEN_STRING)
		return parse_text(p, SECRET_PSK, e);
	return fail(p, "after the colon stands PSK, RSA, XAUTH or a preshared secret in quotes");
}

/* ---- entries --------------------------------------------------------------- */

static void parse_entry(struct parse *p)
{
	struct entry e = { .file = p->file, .line = p->t.line };

	if (!parse_indices(p, &e) || !parse_secret(p, &e))
		return;
	if (!at_end(p)) {
		rsa_free(e.rsa);
		fail(p, "the entry should end here: each entry begins in column 1 of a line of its own");
		return;
	}
	if (p->load->set->n == LIMIT_SECRETS_ENTRIES) {
		rsa_free(e.rsa);
		load_error(p->load, refuse_secrets_too_many(p->load->a, "entries",
							    LIMIT_SECRETS_ENTRIES));
		p->load->full = true;
		return;
	}
	set_add(p->load->set, &e);
}

static void parse_include(struct parse *p)
{
	struct span pattern;
	unsigned line = p->t.line;

	advance(p);
	if (p->t.kind != TOKEN_WORD && p->t.kind != TOKEN_STRING) {
		fail(p, "the file name after include is missing");
		return;
	}
	pattern = p->t.text;
	advance(p);
	if (at_end(p))
		load_pattern(p->load, pattern, p->file, line);
	else
		fail(p, "the line should end after one file name");
}

void load_text(struct load *l, const char *file, struct span text)
{
	struct parse p = { .load = l, .file = arena_str(l->set->mem, span_str(file)) };

	lex_init(&p.lex, text);
	advance(&p);
	while (p.t.kind != TOKEN_EOF && !l->full) {
		if (is_word(&p, "include"))
			parse_include(&p);
		else
			parse_entry(&p);
		while (!at_end(&p))
			advance(&p);
		if (p.t.kind == TOKEN_END)
			advance(&p);
	}
}
