/* rsasigkey.c -- makes RSA keys for ipsec.secrets, and prints the public halves of those that are there. */
#include <stdio.h>
#include <stdlib.h>

#include "base/options.h"
#include "base/xalloc.h"
#include "crypto/hash.h"
#include "crypto/rsa.h"
#include "generated/options.h"
#include "ike/identity.h"
#include "secrets/set.h"

#define ERROR_TEXT 1024

static int failed(const char *why)
{
	fprintf(stderr, "rsasigkey: %s\n", why);
	return 1;
}

/* ---- printing ------------------------------------------------------------- */

/* Data in base64, the 0s form. */
static void print_base64(struct span s)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	fputs("0s", stdout);
	for (size_t i = 0; i < s.n; i += 3) {
		size_t n = s.n - i < 3 ? s.n - i : 3;
		uint32_t group = (uint32_t)s.p[i] << 16 | (n > 1 ? (uint32_t)s.p[i + 1] << 8 : 0) |
				 (n > 2 ? s.p[i + 2] : 0);

		for (size_t k = 0; k < 4; k++)
			putchar(k <= n ? digits[group >> (18 - 6 * k) & 63] : '=');
	}
}

static void print_public(const struct rsa_key *k)
{
	struct buf dns = rsa_to_dns(k);

	print_base64(span_buf(dns));
	buf_free(&dns);
}

static void print_command(const struct rsa_key *k, const char *id)
{
	printf("whack --keyid %s --pubkeyrsa ", id);
	print_public(k);
	putchar('\n');
}

static void print_part(const char *name, struct span s)
{
	printf("\t%s: 0x", name);
	for (size_t i = 0; i < s.n; i++)
		printf("%02x", s.p[i]);
	putchar('\n');
}

static void print_summary(const char *before, const struct rsa_key *k)
{
	char fingerprint[RSA_FINGERPRINT_TEXT];

	printf("%sRSA key of %zu bits, fingerprint %s\n", before, rsa_bits(k), rsa_fingerprint(k, fingerprint));
}

/* An entry of ipsec.secrets; what a peer needs stands before it as comments. */
static void print_entry(const struct rsa_key *k, const char *id)
{
	const struct rsa_parts parts = rsa_parts_of(k);

	print_summary("# ", k);
	fputs("# pubkey=", stdout);
	print_public(k);
	putchar('\n');
	if (id != NULL) {
		fputs("# ", stdout);
		print_command(k, id);
	}
	printf("%s%s: RSA {\n", id == NULL ? "" : id, id == NULL ? "" : " ");
	print_part("Modulus", parts.n);
	print_part("PublicExponent", parts.e);
	print_part("PrivateExponent", parts.d);
	print_part("Prime1", parts.p);
	print_part("Prime2", parts.q);
	print_part("Exponent1", parts.dp);
	print_part("Exponent2", parts.dq);
	print_part("Coefficient", parts.qinv);
	puts("\t}");
}

/* ---- forms ---------------------------------------------------------------- */

static int make(const struct options *o, const char *id)
{
	uint32_t bits = option_number(o, RSASIGKEY_OPTION_BITS, END_LEFT);
	const char *why;
	struct rsa_key *k = rsa_make(bits, &why);

	if (k == NULL)
		return failed(why);
	if (rsa_weakness(k) != NULL)
		fprintf(stderr, "rsasigkey: warning: the key is weak: %s\n", rsa_weakness(k));
	print_entry(k, id);
	rsa_free(k);
	return 0;
}

static void print_known(const struct entry *e, const char *id, struct arena *a)
{
	printf("# %s:", entry_where(e, a));
	for (size_t i = 0; i < e->n_index; i++)
		printf(" %s", identity_text(&e->index[i], a));
	print_summary(": ", e->rsa);
	if (id != NULL) {
		print_command(e->rsa, id);
		return;
	}
	print_public(e->rsa);
	putchar('\n');
}

/* Is the entry for this identity of ours? */
static bool wanted(const struct entry *e, const struct identity *id)
{
	if (e->kind != SECRET_RSA)
		return false;
	for (size_t i = 0; i < e->n_index && id->kind != IDENTITY_NONE; i++)
		if (identity_eq(&e->index[i], id))
			return true;
	return e->n_index == 0 || id->kind == IDENTITY_NONE;
}

static int show(const struct options *o, const struct identity *id, const char *id_text)
{
	const char *file = option_text(o, RSASIGKEY_OPTION_PUBKEY, END_LEFT);
	struct store_report report;
	struct arena *a = arena_new();
	struct set *set = set_load(file, a, &report);
	size_t n = 0;
	int status;

	for (const struct store_message *m = report.messages; m != NULL; m = m->next)
		fprintf(stderr, "rsasigkey: %s%s\n", m->error ? "" : "warning: ", m->refusal->message);
	for (size_t i = 0; set != NULL && i < set->n; i++) {
		if (!wanted(&set->entries[i], id))
			continue;
		print_known(&set->entries[i], id_text, a);
		n++;
	}
	status = set == NULL ? 1 : n == 0 ? failed("no RSA key there fits") : 0;
	set_unref(set);
	arena_free(a);
	return status;
}

static int help(const struct options *o)
{
	const struct program_desc *p = o->program;

	if (option_given(o, RSASIGKEY_OPTION_VERSION)) {
		printf("rsasigkey %s\n", PACKAGE_VERSION);
		return 0;
	}
	printf("Usage: rsasigkey OPTIONS, those of one of these forms:\n\n");
	for (size_t i = 0; i < p->n_forms; i++)
		printf("%s -- %s:\n%s\n", p->forms[i].name, p->forms[i].help, p->forms[i].usage);
	return 0;
}

/* The identity of --id; false with why. */
static bool read_id(struct arena *a, const struct options *o, struct identity *id, const char **text, struct text *why)
{
	const struct option_value *v = option_find(o, RSASIGKEY_OPTION_ID, END_LEFT);
	const char *fault = "a bare name stands for an address: write the address, @name or @[text]";
	unsigned column = 1;

	*id = (struct identity){ .kind = IDENTITY_NONE };
	*text = NULL;
	if (v == NULL)
		return true;
	if (identity_parse(a, span_str(v->text), id, &fault, &column) == IDENTITY_OK && !identity_is_any(id)) {
		*text = v->text;
		return true;
	}
	option_where(v, why);
	text_add(why, ": --id, column %u: %s", column, identity_is_any(id) && id->kind == IDENTITY_ADDR ?
		 "anyone cannot have a key" : fault);
	return false;
}

int main(int argc, char **argv)
{
	char room[ERROR_TEXT];
	struct text why = text_on(room, sizeof(room));
	struct options o;
	struct arena *a = arena_new();
	struct identity id;
	const char *id_text, *fault;
	int status;

	if (!options_argv(&o, &rsasigkey_program, argc, argv, &why) || !read_id(a, &o, &id, &id_text, &why))
		status = failed(room);
	else if (o.form == RSASIGKEY_FORM_HELP)
		status = help(&o);
	else if (!crypto_start(&fault))
		status = failed(fault);
	else
		status = o.form == RSASIGKEY_FORM_PUBLIC ? show(&o, &id, id_text) : make(&o, id_text);
	options_free(&o);
	arena_free(a);
	if (fflush(stdout) != 0 || ferror(stdout))
		status = failed("the output could not be written");
	return status;
}
