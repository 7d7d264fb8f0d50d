/* check_options.c -- command lines: words, forms, values, and what is said of wrong ones. */
#include <check.h>
#include <stdlib.h>

#include "base/options.h"
#include "generated/names.h"
#include "generated/options.h"
#include "suite.h"

#define ARGS 24

static char room[1024];
static struct text why;

static bool parse(struct options *o, const struct program_desc *p, const char *const *args)
{
	char *argv[ARGS + 1] = { NULL };
	int n = 1;

	for (; args[n - 1] != NULL; n++)
		argv[n] = (char *)(uintptr_t)args[n - 1];
	why = text_on(room, sizeof(room));
	return options_argv(o, p, n, argv, &why);
}

/* ---- words ------------------------------------------------------------------ */

struct word_case {
	const char *text;
	const char *want;	/* words with | after each, or the error */
	bool good;
};

static const struct word_case word_cases[] = {
	{ "", "", true },
	{ "  \t\n\n", "", true },
	{ "a", "a|", true },
	{ "a b\tc\nd", "a|b|c|d|", true },
	{ "# all of it", "", true },
	{ "a #b\nc", "a|c|", true },
	{ "a#b", "a#b|", true },
	{ "\"a\"#b", "a#b|", true },
	{ "\"a b\" 'c d'", "a b|c d|", true },
	{ "\"\" ''", "||", true },
	{ "a\"b c\"d", "ab cd|", true },
	{ "\"a\\\"b\\\\c\"", "a\"b\\c|", true },
	{ "'a\\b\"'", "a\\b\"|", true },
	{ "a\\ b", "a b|", true },
	{ "a\\\nb", "ab|", true },
	{ "a \\\n b", "a|b|", true },
	{ "--psk \"x\ty\"", "--psk|x\ty|", true },
	{ "\xc3\xa9", "\xc3\xa9|", true },
	{ "a\n\"b", "f:2: a quote that is not closed on its line; close it, or write \\ before it", false },
	{ "'a\nb'", "f:1: a quote that is not closed on its line; close it, or write \\ before it", false },
	{ "a\\", "f:1: the file ends with a backslash; take it away", false },
};

START_TEST(test_words)
{
	const struct word_case *c = &word_cases[_i];
	char got[256] = "", bytes[64];
	struct text t = text_on(got, sizeof(got));
	struct words l = { 0 };

	memcpy(bytes, c->text, strlen(c->text) + 1);
	why = text_on(room, sizeof(room));
	ck_assert(words_lex(&l, span_of(bytes, strlen(bytes)), "f", 1, &why) == c->good);
	for (size_t i = 0; i < l.n; i++)
		text_add(&t, "%s|", l.w[i].text);
	ck_assert_str_eq(c->good ? got : room, c->want);
	words_free(&l);
}
END_TEST

START_TEST(test_words_lines)
{
	static const char text[] = "a\n\n\"b\" c\\\nd e\n";
	static const unsigned lines[] = { 1, 3, 3, 4 };
	struct words l = { 0 };

	why = text_on(room, sizeof(room));
	ck_assert(words_lex(&l, span_of(text, sizeof(text) - 1), "f", 1, &why));
	ck_assert_uint_eq(l.n, 4);
	for (size_t i = 0; i < l.n; i++)
		ck_assert_uint_eq(l.w[i].at, lines[i]);
	words_free(&l);
	ck_assert(!words_lex(&l, span_of("a\0b", 3), "f", 1, &why));
	ck_assert_str_eq(room, "f:1: a NUL octet; an option file is text");
	words_free(&l);
}
END_TEST

/* ---- forms and values ---------------------------------------------------------- */

START_TEST(test_ends)
{
	static const char *const args[] = { "--name", "silly", "--host", "127.0.0.1", "--ikeport", "8500",
		"--to", "--host", "127.0.0.2", "--ikelifetime=900", "--delete", NULL };
	struct options o;

	ck_assert_msg(parse(&o, &whack_program, args), "%s", room);
	ck_assert_uint_eq(o.form, WHACK_FORM_CONNECTION);
	ck_assert_str_eq(option_text(&o, WHACK_OPTION_NAME, END_LEFT), "silly");
	ck_assert_str_eq(option_text(&o, WHACK_OPTION_HOST, END_LEFT), "127.0.0.1");
	ck_assert_str_eq(option_text(&o, WHACK_OPTION_HOST, END_RIGHT), "127.0.0.2");
	ck_assert_uint_eq(option_number(&o, WHACK_OPTION_IKEPORT, END_LEFT), 8500);
	ck_assert_uint_eq(option_number(&o, WHACK_OPTION_IKEPORT, END_RIGHT), 500);
	ck_assert_uint_eq(option_number(&o, WHACK_OPTION_IKELIFETIME, END_LEFT), 900);
	ck_assert_uint_eq(option_number(&o, WHACK_OPTION_KEYINGTRIES, END_LEFT), 3);
	ck_assert_uint_eq(option_number(&o, WHACK_OPTION_DPDACTION, END_LEFT), DEAD_PEER_ACTION_HOLD);
	ck_assert(option_given(&o, WHACK_OPTION_DELETE));
	ck_assert(!option_given(&o, WHACK_OPTION_PSK));
	ck_assert_ptr_null(option_text(&o, WHACK_OPTION_CLIENT, END_RIGHT));
	options_free(&o);
}
END_TEST

struct form_case {
	const char *args[6];
	int form;
};

static const struct form_case form_cases[] = {
	{ { "--help" }, WHACK_FORM_HELP },
	{ { "--route", "--name", "x", "--help" }, WHACK_FORM_HELP },
	{ { "--delete", "--name", "x" }, WHACK_FORM_DELETE },
	{ { "--delete", "--to", "--name", "x" }, WHACK_FORM_CONNECTION },
	{ { "--route", "secret" }, WHACK_FORM_ROUTE },
	{ { "secret", "--unroute" }, WHACK_FORM_ROUTE },
	{ { "--debug-raw" }, WHACK_FORM_DEBUG },
	{ { "--debug-raw", "--name", "x" }, WHACK_FORM_DEBUG },
	{ { "--status" }, WHACK_FORM_STATUS },
	{ { "--status", "x" }, WHACK_FORM_STATUS },
	{ { "--listen", "--ctlbase", "y", "--label", "z" }, WHACK_FORM_LISTEN },
	{ { "--keyid", "@x" }, WHACK_FORM_KEY },
	{ { "--print-conn" }, WHACK_FORM_PRINT_CONN },
	{ { "--print-conn", "--name", "x" }, WHACK_FORM_PRINT_CONN },
	{ { "print-conn", "x" }, WHACK_FORM_PRINT_CONN },
	{ { "--shutdown", "--quiet" }, WHACK_FORM_SHUTDOWN },
	{ { "--shutdown", "--leave-state", "--asynchronous" }, WHACK_FORM_SHUTDOWN },
};

START_TEST(test_forms)
{
	struct options o;

	ck_assert_msg(parse(&o, &whack_program, form_cases[_i].args), "%s", room);
	ck_assert_int_eq(o.form, form_cases[_i].form);
	if (option_find(&o, WHACK_OPTION_NAME, END_LEFT) != NULL && o.form == WHACK_FORM_ROUTE)
		ck_assert_str_eq(option_text(&o, WHACK_OPTION_NAME, END_LEFT), "secret");
	options_free(&o);
}
END_TEST

struct wrong_case {
	const char *args[8];
	const char *want;
};

static const struct wrong_case wrong_cases[] = {
	{ { "--frob" }, "argument 1: unknown option --frob; whack --help shows all options" },
	{ { "--nmae", "x" }, "argument 1: unknown option --nmae; did you mean --name?" },
	{ { "--init" }, "argument 1: unknown option --init; did you mean --initiate?" },
	{ { "--name" }, "argument 1: --name needs a value; write --name NAME" },
	{ { "--name", "--to" }, "argument 1: --name needs a value; write --name NAME" },
	{ { "--name=", "--to" }, "argument 1: --name is empty; write --name NAME" },
	{ { "--status=yes" }, "argument 1: --status takes no value; leave out what follows the =" },
	{ { "--debug", "raw,hex" },
	  "argument 1: --debug raw,hex: \"hex\" is not one of none all raw crypt parsing emitting control klips private" },
	{ { "--debug", "raw," },
	  "argument 1: --debug raw,: \"\" is not one of none all raw crypt parsing emitting control klips private" },
	{ { "--debug", "--name", "x" }, "argument 1: --debug needs a value; write --debug CLASSES" },
	{ { "--to", "--name", "x", "--rekeyfuzz", "10001" },
	  "argument 4: --rekeyfuzz 10001 is not a number from 0 to 10000, in per cent" },
	{ { "--to", "--name", "x", "--rekeyfuzz", "99999999999999999999" },
	  "argument 4: --rekeyfuzz 99999999999999999999 is not a number from 0 to 10000, in per cent" },
	{ { "--to", "--name", "x", "--ikelifetime", "0" },
	  "argument 4: --ikelifetime 0 is not a number from 1 to 28800, in seconds" },
	{ { "--to", "--name", "x", "--ikelifetime", " 1" },
	  "argument 4: --ikelifetime  1 is not a number from 1 to 28800, in seconds" },
	{ { "--to" }, "--to needs --name NAME as well: name of the connection" },
	{ { "--to", "x", "y" },
	  "argument 3: y stands alone, and so does x; options begin with --, and a value with blanks needs quotes" },
	{ { "--to", "--name", "x", "y" }, "argument 4: --name is given twice, first as argument 2; keep one of them" },
	{ { "--listen", "x" }, "argument 2: x stands alone; options begin with --" },
	{ { "--listen", "--asynchronous" },
	  "argument 2: --asynchronous does not go with --listen; leave it out, or see whack --help listen" },
	{ { "--host", "1.2.3.4" },
	  "nothing to do: give one of --to --keyid --listen --route --initiate --delete --debug --status "
	  "--print-conn --which-secret --genpsk --batch --shutdown; whack --help explains them" },
	{ { "-h" }, "argument 1: -h is not an option; options begin with --" },
	{ { "--optionsfrom", "/nonexistent/file" },
	  "argument 1: cannot read option file /nonexistent/file: No such file or directory" },
};

START_TEST(test_wrong)
{
	struct options o;

	ck_assert(!parse(&o, &whack_program, wrong_cases[_i].args));
	ck_assert_str_eq(room, wrong_cases[_i].want);
	options_free(&o);
}
END_TEST

START_TEST(test_debug)
{
	static const char *const all[] = { "--debug-all", NULL };
	static const char *const some[] = { "--debug-raw", "--debug-none", "--debug-crypt", "--debug-klips", NULL };
	static const char *const more[] = { "--debug-all", "--debug-private", NULL };
	static const char *const lists[] = { "--debug-emitting", "--debug", "raw,none,crypt", "--debug=klips", NULL };
	static const char *const secrets[] = { "--debug", "private", "--debug", "all", NULL };
	const uint32_t everything = DEBUG_CLASSES_RAW | DEBUG_CLASSES_CRYPT | DEBUG_CLASSES_PARSING |
				    DEBUG_CLASSES_EMITTING | DEBUG_CLASSES_CONTROL | DEBUG_CLASSES_KLIPS;
	struct options o;

	ck_assert(parse(&o, &pluto_program, all));
	ck_assert_uint_eq(o.form, PLUTO_FORM_RUN);
	ck_assert_uint_eq(options_debug(&o), everything);
	options_free(&o);
	ck_assert(parse(&o, &whack_program, some));
	ck_assert_uint_eq(options_debug(&o), DEBUG_CLASSES_CRYPT | DEBUG_CLASSES_KLIPS);
	options_free(&o);
	ck_assert(parse(&o, &pluto_program, more));
	ck_assert_uint_eq(options_debug(&o), everything | DEBUG_CLASSES_PRIVATE);
	options_free(&o);
	ck_assert(parse(&o, &whack_program, lists));
	ck_assert_uint_eq(o.form, WHACK_FORM_DEBUG);
	ck_assert_uint_eq(options_debug(&o), DEBUG_CLASSES_CRYPT | DEBUG_CLASSES_KLIPS);
	ck_assert_ptr_null(options_debug_by(&o, DEBUG_CLASSES_PRIVATE));
	options_free(&o);
	ck_assert(parse(&o, &pluto_program, secrets));
	ck_assert_uint_eq(options_debug(&o), everything | DEBUG_CLASSES_PRIVATE);
	ck_assert_str_eq(options_debug_by(&o, DEBUG_CLASSES_PRIVATE)->text, "private");
	options_free(&o);
}
END_TEST

START_TEST(test_pluto)
{
	static const char *const none[] = { NULL };
	static const char *const several[] = { "--listen", "127.0.0.1", "--listen=127.0.0.2", "--kernel", "none", NULL };
	const struct option_value *v = NULL;
	struct options o;

	ck_assert(parse(&o, &pluto_program, none));
	ck_assert_uint_eq(o.form, PLUTO_FORM_RUN);
	ck_assert_str_eq(option_text(&o, PLUTO_OPTION_CTLBASE, END_LEFT), "/var/run/pluto");
	ck_assert_str_eq(option_text(&o, PLUTO_OPTION_SECRETSFILE, END_LEFT), "/etc/ipsec.secrets");
	ck_assert_uint_eq(option_number(&o, PLUTO_OPTION_IKEPORT, END_LEFT), 500);
	ck_assert_uint_eq(option_number(&o, PLUTO_OPTION_KERNEL, END_LEFT), PLUTO_OPTION_KERNEL_AUTO);
	options_free(&o);
	ck_assert(parse(&o, &pluto_program, several));
	v = option_next(&o, PLUTO_OPTION_LISTEN, v);
	ck_assert_str_eq(v->text, "127.0.0.1");
	v = option_next(&o, PLUTO_OPTION_LISTEN, v);
	ck_assert_str_eq(v->text, "127.0.0.2");
	ck_assert_ptr_null(option_next(&o, PLUTO_OPTION_LISTEN, v));
	ck_assert_uint_eq(option_number(&o, PLUTO_OPTION_KERNEL, END_LEFT), PLUTO_OPTION_KERNEL_NONE);
	options_free(&o);
}
END_TEST

/* The tables themselves: what the parser takes for granted. */
static void check_table(const struct program_desc *p)
{
	for (size_t i = 0; i < p->n_options; i++) {
		const struct option_desc *d = &p->options[i];

		ck_assert(d->form == OPTION_COMMON || d->form < p->n_forms);
		ck_assert((d->type == OPTION_FLAG) == (d->metavar == NULL));
		ck_assert((d->type == OPTION_ENUM || d->type == OPTION_CLASSES) == (d->choices != NULL));
		ck_assert(d->help[0] != '\0');
		if (d->type == OPTION_U32 || d->type == OPTION_PORT)
			ck_assert(d->min <= d->max && (d->text == NULL || (d->min <= d->number && d->number <= d->max)));
		/* A name takes a value in all forms, or in none. */
		for (size_t k = 0; k < p->n_options; k++)
			if (strcmp(p->options[k].name, d->name) == 0)
				ck_assert((p->options[k].metavar == NULL) == (d->metavar == NULL) &&
					  p->options[k].id == d->id);
	}
}

START_TEST(test_tables)
{
	check_table(&whack_program);
	check_table(&pluto_program);
	ck_assert_str_eq(whack_program.forms[0].name, "help");
	ck_assert_str_eq(pluto_program.forms[0].name, "help");
	ck_assert_uint_eq(whack_program.separator, WHACK_OPTION_TO);
	ck_assert_uint_eq(whack_program.positional, WHACK_OPTION_NAME);
	ck_assert_uint_eq(pluto_program.separator, OPTION_NO_ID);
}
END_TEST

#define N(a) ((int)(sizeof(a) / sizeof((a)[0])))

int main(void)
{
	Suite *s = suite_create("options");
	TCase *c = tcase_create("options");

	tcase_add_loop_test(c, test_words, 0, N(word_cases));
	tcase_add_test(c, test_words_lines);
	tcase_add_test(c, test_ends);
	tcase_add_loop_test(c, test_forms, 0, N(form_cases));
	tcase_add_loop_test(c, test_wrong, 0, N(wrong_cases));
	tcase_add_test(c, test_debug);
	tcase_add_test(c, test_pluto);
	tcase_add_test(c, test_tables);
	suite_add_tcase(s, c);
	return run_suite(s);
}
