/* check_secrets.c -- what secrets files say: what is read, refused, chosen, and never told. */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/rsa.h"
#include "generated/limits.h"
#include "secrets_keys.h"
#include "secrets_lab.h"
#include "suite.h"

/* ---- forms ------------------------------------------------------------------ */

START_TEST(forms_of_a_psk)
{
	assert_loads("# a comment\n"
		     "\n"
		     "10.0.0.1 10.0.0.2 : PSK \"one\"\n"
		     "10.0.0.1 10.0.0.3: PSK 0x74_776f\n"
		     "10.0.0.1 10.0.0.4 : psk 0sdGhyZWU=\n"
		     "10.0.0.1\t10.0.0.5 :PSK 0tfour # and a comment\n"
		     "10.0.0.1 10.0.0.6 : \"five # \t'5'\"\n"
		     "10.0.0.1 10.0.0.7 : 'six \"6\"'\r\n"
		     "10.0.0.1\n"
		     "# a comment ends nothing\n"
		     "\n"
		     "   # nor does this one, nor a blank line\n"
		     "  \t\n"
		     " 2001:db8::1\n"
		     "\t:\r\n"
		     "\tPSK\n"
		     " \"seven\"\n"
		     "fe80:: 2001:db8::2: PSK \"eight\"\n"
		     "@gw joe@x.org : PSK \"nine\"");
	ck_assert_uint_eq(report.n_psk, 9);
	ck_assert_uint_eq(report.n_files, 1);
	assert_psk("10.0.0.1", "10.0.0.2", false, "one", 3);
	assert_psk("10.0.0.1", "10.0.0.3", false, "two", 4);
	assert_psk("10.0.0.1", "10.0.0.4", false, "three", 5);
	assert_psk("10.0.0.1", "10.0.0.5", false, "four", 6);
	assert_psk("10.0.0.1", "10.0.0.6", false, "five # \t'5'", 7);
	assert_psk("10.0.0.1", "10.0.0.7", false, "six \"6\"", 8);
	assert_psk("10.0.0.1", "2001:db8::1", false, "seven", 9);
	assert_psk("fe80::", "2001:db8::2", false, "eight", 18);
	assert_psk("joe@X.org", "@GW", false, "nine", 19);
}
END_TEST

struct bad_case {
	const char *text, *words;
};

static const struct bad_case bad_cases[] = {
	{ "  10.0.0.1 : PSK \"" CANARY "\"\n", "ipsec.secrets:1:3: an indented line continues an entry" },
	{ "10.0.0.1 \"" CANARY "\"\n", ":1:10: a colon is missing" },
	{ "10.0.0.1 PSK \"" CANARY "\"\n", ":1:10: a bare name is no index" },
	{ "10.0.0.1 :\n", ":1:11: after the colon stands PSK" },
	{ "10.0.0.1 : " CANARY "\n", ":1:12: after the colon stands PSK" },
	{ ": PSK " CANARY "\n", ":1:7: data begins with 0x" },
	{ ": PSK\n: PSK \"x\"\n", ":1:6: the preshared secret is missing" },
	{ ": PSK \"\"\n", ":1:7: the preshared secret is empty" },
	{ ": PSK \"" CANARY "\n\"\n", ":1:7: a string must end on the line" },
	{ ": PSK 0x12g4\n", ":1:11: not a hexadecimal digit" },
	{ ": PSK \"a\" " CANARY "\n", ":1:11: the entry should end here" },
	{ ": PSK \"a\" : PSK \"b\"\n", ":1:11: the entry should end here" },
	{ "10.0.0.256 : PSK \"a\"\n", ":1:8: a part of a dotted address" },
	{ "@ : PSK \"a\"\n", ":1:1: a name is missing after @" },
	{ "\n\ngw.example : PSK \"a\"\n", ":3:1: a bare name is no index" },
	{ ": PSK \"a\x01\"\x02\n", ":1:11: a control character" },
	{ "}\n", ":1:1: a colon is missing" },
	{ ": RSA Modulus: 0x1\n", ":1:7: { is missing after RSA" },
	{ ": RSA { Modulus: 0x11\n}\n", ":1:22: the entry ends before the }" },
	{ ": RSA { Modulus: 0x11 }\n", ":1:23: the RSA key has no PublicExponent" },
	{ ": RSA { Modulus: 0x11 modulus: 0x11 }\n", ":1:23: this field of the RSA key is there already" },
	{ ": RSA { " CANARY ": 0x11 }\n", ":1:9: not a field of an RSA key" },
	{ ": RSA { Modulus 0x11 }\n", ":1:17: a colon and a blank are missing" },
	{ ": RSA { Modulus: " CANARY " }\n", ":1:18: data begins with" },
	{ ": RSA { Modulus: \"" CANARY "\" }\n", ":1:18: data is missing" },
	{ "include\n", ":1:8: the file name after include is missing" },
	{ "include a b\n", ":1:11: the line should end after one file name" },
};

START_TEST(bad_files)
{
	const struct bad_case *c = &bad_cases[_i];

	write_text(path, c->text);
	assert_refused(path, REASON_SECRETS_SYNTAX, c->words);
}
END_TEST

START_TEST(every_bad_entry_is_told)
{
	write_text(path, "@ : PSK \"a\"\n: PSK \"good one\"\n: PSK 0x1\n10.0.0.1\n : " CANARY "\n");
	ck_assert(!load(path));
	ck_assert_uint_eq(report.n_errors, 3);
	ck_assert_ptr_nonnull(strstr(report.messages->next->refusal->message, ":3:10: the number of"));
	ck_assert_ptr_nonnull(strstr(report.messages->next->next->refusal->message, ":5:4: after the colon"));
	assert_discreet();
}
END_TEST

static const char *password(const char *user, const char *gateway)
{
	struct secrets s = store_secrets(store);
	struct identity g = id(gateway);
	struct secret_found f;
	static char text[64];

	if (!s.ops->xauth(s.s, span_str(user), &g, &f))
		return f.why;
	snprintf(text, sizeof(text), "%.*s", (int)f.psk.n, (const char *)f.psk.p);
	return text;
}

START_TEST(passwords)
{
	assert_loads("alice : XAUTH \"one\"\n"
		     "@gw alice : XAUTH \"two\"\n"
		     "@bob : xauth 0x74687265_65\n"
		     ": PSK \"none of these, and long enough\"\n");
	ck_assert_uint_eq(report.n_xauth, 3);
	ck_assert_uint_eq(report.n_psk, 1);
	ck_assert_str_eq(password("alice", "10.0.0.1"), "one");
	ck_assert_str_eq(password("alice", "@gw"), "two");
	ck_assert_str_eq(password("bob", "@gw"), "three");
	ck_assert_ptr_nonnull(strstr(password("Alice", "@gw"), "no password fits user Alice"));
	write_text(path, "alice : XAUTH \"\"\n");
	assert_refused(path, REASON_SECRETS_SYNTAX, ":1:15: the password is empty");
	write_text(path, "alice : XAUTH\n");
	assert_refused(path, REASON_SECRETS_SYNTAX, "the password is missing");
}
END_TEST

START_TEST(errors_are_bounded)
{
	char text[4000] = "";

	for (size_t i = 0; i < 500; i++)
		strcat(text, "x\n");
	write_text(path, text);
	ck_assert(!load(path));
	ck_assert_uint_eq(report.n_errors, LIMIT_SECRETS_ERRORS);
}
END_TEST

START_TEST(nul_in_a_file)
{
	static const char text[] = ": PSK \"a\0b\"\n";

	write_bytes(path, text, sizeof(text) - 1, 0600);
	assert_refused(path, REASON_SECRETS_SYNTAX, ":1:");
	write_bytes(path, "@a\0b : PSK \"x\"\n", 15, 0600);
	assert_refused(path, REASON_SECRETS_SYNTAX, ":1:3: a control character");
	write_bytes(path, "", 0, 0600);
	ck_assert(load(path));
	ck_assert_uint_eq(report.n_psk, 0);
}
END_TEST

START_TEST(too_many_indices)
{
	char text[600] = "";

	for (size_t i = 0; i <= LIMIT_SECRETS_INDICES; i++)
		strcat(text, "@a ");
	strcat(text, ": PSK \"a\"\n");
	write_text(path, text);
	assert_refused(path, REASON_SECRETS_SYNTAX, "too many indices");
}
END_TEST

/* ---- RSA --------------------------------------------------------------------- */

START_TEST(rsa_keys)
{
	struct secret_found f;
	uint8_t sig[RSA_MAX];

	assert_loads("@gw : " RSA_KEY_2048 "@other 10.0.0.9 : " RSA_KEY_1024 ": PSK \"x\"\n");
	ck_assert_uint_eq(report.n_rsa, 2);
	ck_assert(ask_rsa("@gw", &f));
	ck_assert_uint_eq(rsa_size(f.rsa), 256);
	ck_assert_uint_eq(f.line, 1);
	ck_assert_ptr_null(f.psk.p);
	ck_assert(rsa_sign(f.rsa, span_str("a hash"), sig));
	ck_assert(rsa_verify(f.rsa, span_str("a hash"), span_of(sig, 256)));
	/* Any index, however many there are. */
	ck_assert(ask_rsa("10.0.0.9", &f));
	ck_assert_uint_eq(rsa_size(f.rsa), 128);
	ck_assert(!ask_rsa("@nobody", &f));
	ck_assert_uint_eq(f.refusal->reason, REASON_SECRETS_NO_RSA);
	ck_assert_str_eq(f.why, "no RSA private key fits our identity @nobody");
	assert_psk("@gw", "10.0.0.9", false, "x", 21);
}
END_TEST

START_TEST(rsa_choice)
{
	struct secret_found f;

	assert_loads(": " RSA_KEY_2048 "@gw : " RSA_KEY_1024);
	ck_assert(ask_rsa("@gw", &f));
	ck_assert_uint_eq(rsa_size(f.rsa), 128);
	ck_assert(ask_rsa("@else", &f));
	ck_assert_uint_eq(rsa_size(f.rsa), 256);

	assert_loads("@gw : " RSA_KEY_2048 "@gw @x : " RSA_KEY_1024);
	ck_assert_uint_eq(count_warnings(REASON_SECRETS_CONFLICT), 1);
	ck_assert(!ask_rsa("@gw", &f));
	ck_assert_uint_eq(f.refusal->reason, REASON_SECRETS_AMBIGUOUS);
	ck_assert_ptr_null(f.rsa);

	assert_loads("@gw : " RSA_KEY_1024 "@gw @x : " RSA_KEY_1024);
	ck_assert_uint_eq(count_warnings(REASON_SECRETS_DUPLICATE), 1);
	ck_assert(ask_rsa("@gw", &f));
	ck_assert_uint_eq(f.line, 1);
}
END_TEST

START_TEST(rsa_refused)
{
	write_text(path, ": RSA { Modulus: 0x0f PublicExponent: 0x03 PrivateExponent: 0x03 Prime1: 0x05\n"
			 " Prime2: 0x03 Exponent1: 0x03 Exponent2: 0x01 Coefficient: 0x02 }\n");
	assert_refused(path, REASON_SECRETS_RSA, "ipsec.secrets:1: the RSA key is refused: the modulus has less");
}
END_TEST

/* ---- choice ------------------------------------------------------------------- */

START_TEST(the_more_indices_the_better)
{
	assert_loads(": PSK \"anyone\"\n"
		     "10.0.0.1 : PSK \"us\"\n"
		     "10.0.0.1 %any : PSK \"warrior\"\n"
		     "10.0.0.2 10.0.0.1 : PSK \"both\"\n"
		     "10.0.0.5 10.0.0.6 10.0.0.7 : PSK \"three\"\n");
	assert_psk("10.0.0.1", "10.0.0.2", false, "both", 4);
	assert_psk("10.0.0.2", "10.0.0.1", false, "both", 4);
	assert_psk("10.0.0.1", "10.0.0.9", false, "us", 2);
	assert_psk("10.0.0.9", "10.0.0.8", false, "anyone", 1);
	/* A single index is ours, never the peer's. */
	assert_psk("10.0.0.9", "10.0.0.1", false, "anyone", 1);
	assert_psk("10.0.0.7", "10.0.0.5", false, "three", 5);
	/* Several must include both. */
	assert_psk("10.0.0.7", "10.0.0.8", false, "anyone", 1);
	/* A peer whose address was not configured: even if it is known now. */
	assert_psk("10.0.0.1", "10.0.0.2", true, "warrior", 3);
	assert_psk("10.0.0.1", NULL, true, "warrior", 3);
	assert_psk("10.0.0.1", "%any", false, "warrior", 3);
	assert_psk("10.0.0.2", "%any", false, "anyone", 1);
}
END_TEST

START_TEST(any_is_the_peer_alone)
{
	assert_loads("%any : PSK \"one\"\n"
		     "%any 0.0.0.0 : PSK \"two\"\n"
		     "@gw @rw : PSK \"named\"\n"
		     "@gw %any : PSK \"warrior\"\n");
	ck_assert_uint_eq(count_warnings(REASON_SECRETS_NEVER), 2);
	assert_no_psk("10.0.0.1", "%any", false, REASON_SECRETS_NO_PSK);
	assert_no_psk("%any", "%any", true, REASON_SECRETS_NO_PSK);
	/* The configuration names the peer, though not its address. */
	assert_psk("@gw", "@rw", true, "named", 3);
	assert_psk("@gw", "@other", true, "warrior", 4);
	assert_no_psk("@gw", "@other", false, REASON_SECRETS_NO_PSK);
}
END_TEST

START_TEST(nothing_fits)
{
	struct secret_found f;

	assert_no_psk("10.0.0.1", "10.0.0.2", false, REASON_SECRETS_NO_PSK);
	assert_loads("@a @b : PSK \"x\"\n");
	ck_assert(!ask("@a", "@c\xff", false, &f));
	ck_assert_ptr_nonnull(strstr(f.why, "our identity @a and the peer @c\\"));
	ck_assert_ptr_null(strchr(f.why, '\xff'));
}
END_TEST

START_TEST(ambiguous)
{
	struct secret_found f;

	assert_loads("@a @b : PSK \"" CANARY "\"\n@c : PSK \"x\"\n@b @a @z : PSK \"else\"\n");
	ck_assert(!ask("@a", "@b", false, &f));
	ck_assert_uint_eq(f.refusal->reason, REASON_SECRETS_AMBIGUOUS);
	ck_assert_ptr_nonnull(strstr(f.why, "ipsec.secrets:1 and "));
	ck_assert_ptr_nonnull(strstr(f.why, "ipsec.secrets:3 hold different"));
	ck_assert_ptr_null(strstr(f.why, CANARY));
	assert_psk("@a", "@z", false, "else", 3);
	/* The same secret twice is no contradiction. */
	assert_loads("@a @b : PSK \"same\"\n@b @a : PSK 0x73616d65\n");
	assert_psk("@a", "@b", false, "same", 1);
	/* A better entry settles what worse ones leave open. */
	assert_loads(": PSK \"x\"\n: PSK \"y\"\n@a : PSK \"best\"\n");
	assert_psk("@a", "@b", false, "best", 3);
	assert_no_psk("@b", "@a", false, REASON_SECRETS_AMBIGUOUS);
}
END_TEST

/* ---- warnings ------------------------------------------------------------------ */

static const char *warning(enum reason reason)
{
	for (const struct store_message *m = report.messages; m != NULL; m = m->next)
		if (!m->error && m->refusal->reason == reason)
			return m->refusal->message;
	ck_abort_msg("no such warning");
	return "";
}

START_TEST(warnings)
{
	assert_loads("@a @B : PSK \"" CANARY "\"\n@b @A @x : PSK \"else\"\n@c : PSK \"else\"\n@C : PSK \"else\"\n"
		     ": PSK \"1\"\n: PSK \"2\"\n");
	ck_assert_uint_eq(count_warnings(REASON_SECRETS_CONFLICT), 2);
	ck_assert_uint_eq(count_warnings(REASON_SECRETS_DUPLICATE), 1);
	ck_assert_ptr_nonnull(strstr(warning(REASON_SECRETS_CONFLICT), "for anyone"));
	ck_assert_ptr_nonnull(strstr(warning(REASON_SECRETS_DUPLICATE), "ipsec.secrets:4 repeats"));
	ck_assert_ptr_nonnull(strstr(warning(REASON_SECRETS_DUPLICATE), "for @c"));
	assert_loads("@a @b : PSK \"x\"\n@a @c : PSK \"y\"\n@a : PSK \"z\"\n: PSK \"u\"\n@b : PSK \"v\"\n");
	ck_assert_uint_eq(count_warnings(REASON_SECRETS_CONFLICT), 0);
	ck_assert_uint_eq(count_warnings(REASON_SECRETS_DUPLICATE), 0);
}
END_TEST

START_TEST(weak_secrets)
{
	assert_loads(": PSK \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"\n");
	ck_assert_uint_eq(count_warnings(REASON_SECRETS_WEAK), 1);
	assert_loads(": PSK \"secret\"\n");
	ck_assert_uint_eq(count_warnings(REASON_SECRETS_WEAK), 1);
	ck_assert_ptr_nonnull(strstr(warning(REASON_SECRETS_WEAK), "ipsec.secrets:1 is weak"));
	assert_loads(": PSK 0sM7fP0oY4u2kQ9wT1xVb6Lg==\n");
	ck_assert_uint_eq(count_warnings(REASON_SECRETS_WEAK), 0);
	assert_loads(": PSK \"hT3k.p8Zr+Wq0sVd5yKm\"\n");
	ck_assert_uint_eq(count_warnings(REASON_SECRETS_WEAK), 0);
}
END_TEST

/* ---- whack --which-secret ------------------------------------------------------------ */

START_TEST(which_secret)
{
	struct secrets s = store_secrets(store);
	struct identity us = id("@a"), peer = id("@b"), none = id(NULL);
	const char *const *line;
	char want[200];

	assert_loads(": PSK \"" CANARY "\"\n@a : PSK \"2\"\n@b @a : PSK \"3\"\n@c : PSK \"4\"\n");
	line = s.ops->which(s.s, &us, &peer, false, arena);
	snprintf(want, sizeof(want), "%s:3: preshared secret: our identity and the peer's fit (chosen)", path);
	ck_assert_str_eq(line[0], want);
	snprintf(want, sizeof(want), "%s:2: preshared secret: our identity fits", path);
	ck_assert_str_eq(line[1], want);
	snprintf(want, sizeof(want), "%s:1: preshared secret: has no index, fits anyone", path);
	ck_assert_str_eq(line[2], want);
	ck_assert_ptr_nonnull(strstr(line[3], "no RSA private key fits our identity @a; add"));
	ck_assert_ptr_null(line[4]);
	/* A Road Warrior, and nothing at all. */
	line = s.ops->which(s.s, &us, &none, true, arena);
	ck_assert_ptr_nonnull(strstr(line[0], ":2: preshared secret: our identity fits (chosen)"));
	assert_loads("");
	line = s.ops->which(s.s, &us, &none, true, arena);
	ck_assert_ptr_nonnull(strstr(line[0], "no preshared secret fits our identity @a and the peer %any; add"));
	ck_assert_ptr_nonnull(line[1]);
	ck_assert_ptr_null(line[2]);
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

int main(void)
{
	Suite *s = suite_create("secrets");
	TCase *t = tcase_create("files");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, forms_of_a_psk);
	tcase_add_loop_test(t, bad_files, 0, COUNT(bad_cases));
	tcase_add_test(t, every_bad_entry_is_told);
	tcase_add_test(t, passwords);
	tcase_add_test(t, errors_are_bounded);
	tcase_add_test(t, nul_in_a_file);
	tcase_add_test(t, too_many_indices);
	tcase_add_test(t, rsa_keys);
	tcase_add_test(t, rsa_choice);
	tcase_add_test(t, rsa_refused);
	tcase_add_test(t, the_more_indices_the_better);
	tcase_add_test(t, any_is_the_peer_alone);
	tcase_add_test(t, nothing_fits);
	tcase_add_test(t, ambiguous);
	tcase_add_test(t, warnings);
	tcase_add_test(t, weak_secrets);
	tcase_add_test(t, which_secret);
	suite_add_tcase(s, t);
	return run_suite(s);
}
