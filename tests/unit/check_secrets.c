/* check_secrets.c -- secrets files: what is read, refused, chosen, and never told. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "crypto/rsa.h"
#include "generated/limits.h"
#include "generated/reasons.h"
#include "ike/identity.h"
#include "secrets/store.h"
#include "secrets_keys.h"

#define CANARY "Canary-7291-never-told"

static char dir[64], path[96];
static struct store *store;
static struct arena *arena;
static struct store_report report;

static void setup(void)
{
	snprintf(dir, sizeof(dir), "/tmp/check_secrets.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
	snprintf(path, sizeof(path), "%s/ipsec.secrets", dir);
	store = store_new();
	arena = arena_new();
}

static void teardown(void)
{
	char command[128];

	store_free(store);
	arena_free(arena);
	ck_assert_int_eq(chdir("/"), 0);
	snprintf(command, sizeof(command), "rm -r '%s'", dir);
	ck_assert_int_eq(system(command), 0);
}

static void write_bytes(const char *name, const void *p, size_t n, mode_t mode)
{
	int fd;

	unlink(name);	/* it may be read-only from before */
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, p, n), (ssize_t)n);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
}

static void write_text(const char *name, const char *text)
{
	write_bytes(name, text, strlen(text), 0600);
}

static bool load(const char *pattern)
{
	arena_reset(arena);
	return store_load(store, pattern, arena, &report);
}

/* No message may hold what the files call secret. */
static void assert_discreet(void)
{
	for (const struct store_message *m = report.messages; m != NULL; m = m->next) {
		ck_assert_ptr_null(strstr(m->refusal->message, CANARY));
		if (m->refusal->remedy != NULL)
			ck_assert_ptr_null(strstr(m->refusal->remedy, CANARY));
	}
}

static void assert_loads(const char *text)
{
	write_text(path, text);
	if (!load(path))
		ck_abort_msg("%s", report.messages->refusal->message);
	assert_discreet();
}

static void assert_refused(const char *pattern, enum reason reason, const char *words)
{
	ck_assert(!load(pattern));
	ck_assert_ptr_nonnull(report.messages);
	ck_assert(report.messages->error);
	ck_assert_msg(report.messages->refusal->reason == reason &&
		      strstr(report.messages->refusal->message, words) != NULL,
		      "\"%s\" does not say \"%s\"", report.messages->refusal->message, words);
	ck_assert_ptr_nonnull(report.messages->refusal->remedy);
	assert_discreet();
}

static size_t count_warnings(enum reason reason)
{
	size_t n = 0;

	for (const struct store_message *m = report.messages; m != NULL; m = m->next)
		n += !m->error && m->refusal->reason == reason;
	return n;
}

static struct identity id(const char *text)
{
	struct identity out = { .kind = IDENTITY_NONE };
	const char *why = "";
	unsigned column;

	if (text != NULL && identity_parse(arena, span_str(text), &out, &why, &column) != IDENTITY_OK)
		ck_abort_msg("%s: %s", text, why);
	return out;
}

static bool ask(const char *us, const char *peer, bool unknown, struct secret_found *out)
{
	struct secrets s = store_secrets(store);
	struct identity u = id(us), p = id(peer);

	return s.ops->psk(s.s, &u, &p, unknown, out);
}

static void assert_psk(const char *us, const char *peer, bool unknown, const char *want, unsigned line)
{
	struct secret_found f;

	if (!ask(us, peer, unknown, &f))
		ck_abort_msg("%s", f.why);
	ck_assert(span_eq(f.psk, span_str(want)));
	ck_assert_uint_eq(f.line, line);
	ck_assert_str_eq(f.file, path);
	ck_assert_ptr_null(f.rsa);
}

static void assert_no_psk(const char *us, const char *peer, bool unknown, enum reason reason)
{
	struct secret_found f;

	ck_assert(!ask(us, peer, unknown, &f));
	ck_assert_uint_eq(f.refusal->reason, reason);
	ck_assert_str_eq(f.why, f.refusal->message);
	ck_assert_ptr_null(f.psk.p);
	ck_assert_ptr_null(strstr(f.why, CANARY));
}

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

static bool ask_rsa(const char *us, struct secret_found *out)
{
	struct secrets s = store_secrets(store);
	struct identity u = id(us);

	return s.ops->rsa(s.s, &u, out);
}

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

/* ---- files: security case F5 ---------------------------------------------------- */

START_TEST(modes)
{
	static const mode_t bad[] = { 0640, 0620, 0604, 0602, 0666, 0777, 0644 };
	static const char canary[] = ": PSK \"" CANARY "\"\n";
	static const mode_t good[] = { 0600, 0400, 0700, 0711 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_bytes(path, canary, sizeof(canary) - 1, bad[i]);
		assert_refused(path, REASON_SECRETS_MODE, "read or written by others");
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		write_text(path, ": PSK \"x\"\n");
		ck_assert_int_eq(chmod(path, good[i]), 0);
		ck_assert(load(path));
	}
}
END_TEST

START_TEST(irregular_files)
{
	write_text(path, ": PSK \"x\"\n");
	ck_assert_int_eq(mkdir("d", 0700), 0);
	assert_refused("d", REASON_SECRETS_IRREGULAR, "d is not a regular file");
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	assert_refused("fifo", REASON_SECRETS_IRREGULAR, "fifo is not");
	assert_refused("/dev/zero", REASON_SECRETS_IRREGULAR, "/dev/zero is not");
	assert_refused("/dev/nul[l]", REASON_SECRETS_IRREGULAR, "/dev/null is not");
	/* One bad file among good ones spoils the whole reading. */
	assert_refused("*", REASON_SECRETS_IRREGULAR, "d is not");
}
END_TEST

START_TEST(links)
{
	write_text("real", ": PSK \"x\"\n");
	ck_assert_int_eq(symlink("real", "link"), 0);
	ck_assert(load("link"));
	ck_assert_int_eq(chmod("real", 0644), 0);
	assert_refused("link", REASON_SECRETS_MODE, "link may be read");
	ck_assert_int_eq(chmod("real", 0600), 0);
	ck_assert_int_eq(symlink("loop", "loop"), 0);
	assert_refused("loop", REASON_SECRETS_UNREADABLE, "loop cannot be read");
}
END_TEST

/* What belongs to somebody else; only root can make such files. */
START_TEST(owners)
{
	write_text(path, ": PSK \"x\"\n");
	ck_assert_int_eq(chown(path, 12345, 12345), 0);
	assert_refused(path, REASON_SECRETS_OWNER, "belongs to user 12345");
	ck_assert_int_eq(chown(path, 0, 0), 0);
	ck_assert(load(path));
	ck_assert_int_eq(symlink(path, "link"), 0);
	ck_assert_int_eq(lchown("link", 12345, 12345), 0);
	assert_refused("link", REASON_SECRETS_LINK, "symbolic link of user 12345");
}
END_TEST

START_TEST(huge_file)
{
	write_text(path, "#");
	ck_assert_int_eq(truncate(path, LIMIT_SECRETS_OCTETS), 0);
	ck_assert(load(path));
	ck_assert_int_eq(truncate(path, LIMIT_SECRETS_OCTETS + 1), 0);
	assert_refused(path, REASON_SECRETS_TOO_LONG, "longer than 1048576 octets");
}
END_TEST

START_TEST(missing_files)
{
	assert_loads(": PSK \"x\"\n");
	ck_assert(load("/nowhere/ipsec.secrets"));
	ck_assert_uint_eq(count_warnings(REASON_SECRETS_NO_FILE), 1);
	assert_no_psk("@a", "@b", false, REASON_SECRETS_NO_PSK);
	ck_assert(load("nothing*"));
	ck_assert_uint_eq(report.n_warnings, 0);
}
END_TEST

/* ---- includes -------------------------------------------------------------------- */

START_TEST(includes)
{
	ck_assert_int_eq(mkdir("s[1]", 0700), 0);
	ck_assert_int_eq(mkdir("s[1]/more", 0700), 0);
	write_text("s[1]/main", "include more/*.secrets\n@m : PSK \"main\"\ninclude \"more/with blank\"\n");
	write_text("s[1]/more/a.secrets", "@a : PSK \"a\"\ninclude c\n");
	write_text("s[1]/more/b.secrets", "@b : PSK \"b\"\ninclude none*\ninclude c\n");
	write_text("s[1]/more/c", "@c : PSK \"c\"");
	write_text("s[1]/more/with blank", "@d : PSK \"d\"");
	ck_assert(load("s\\[1]/main"));
	ck_assert_uint_eq(report.n_files, 5);
	ck_assert_uint_eq(report.n_psk, 5);
	ck_assert(load("s?1]/mai[n]"));
	ck_assert_uint_eq(report.n_psk, 5);
	write_text("top", "include 's\\[1]/main'\ninclude missing\n");
	ck_assert(load("top"));
	ck_assert_uint_eq(report.n_psk, 5);
	ck_assert_uint_eq(count_warnings(REASON_SECRETS_NO_FILE), 1);
	/* What is included is checked like the rest. */
	ck_assert_int_eq(chmod("s[1]/more/c", 0644), 0);
	assert_refused("top", REASON_SECRETS_MODE, "more/c may be read");
	write_text("s[1]/more/c", "oops\n");
	assert_refused("top", REASON_SECRETS_SYNTAX, "more/c:1:1: a bare name");
}
END_TEST

START_TEST(include_cycles)
{
	write_text("a", ": PSK \"x\"\ninclude b\n");
	write_text("b", "include ./c\n");
	write_text("c", "\n\ninclude a\n");
	assert_refused("a", REASON_SECRETS_CYCLE, "c:3: includes ./a, which is being read");
	write_text("a", "include *\n");
	assert_refused("a", REASON_SECRETS_CYCLE, "a:1: includes a");
}
END_TEST

START_TEST(include_depth)
{
	char name[16], text[32];

	for (int i = 0; i <= LIMIT_SECRETS_DEPTH + 1; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		snprintf(text, sizeof(text), "include f%d\n", i + 1);
		write_text(name, i <= LIMIT_SECRETS_DEPTH ? text : "");
	}
	ck_assert(load("f1"));
	assert_refused("f0", REASON_SECRETS_TOO_DEEP, "more than 10 deep");
}
END_TEST

START_TEST(too_many_files)
{
	char name[16];

	for (int i = 0; i <= LIMIT_SECRETS_FILES; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		write_text(name, "");
	}
	assert_refused("f*", REASON_SECRETS_TOO_MANY, "more than 256 files");
}
END_TEST

/* ---- reading anew ------------------------------------------------------------------ */

START_TEST(a_bad_file_changes_nothing)
{
	assert_loads("@a @b : PSK \"old\"\n");
	write_text(path, "@a @b : PSK \"new\"\n: PSK 0x1\n");
	ck_assert(!load(path));
	assert_psk("@a", "@b", false, "old", 1);
	ck_assert_int_eq(chmod(path, 0644), 0);
	ck_assert(!load(path));
	assert_psk("@a", "@b", false, "old", 1);
	assert_loads("@a @b : PSK \"new\"\n");
	assert_psk("@a", "@b", false, "new", 1);
}
END_TEST

START_TEST(held_secrets_outlive_a_reload)
{
	struct secrets s = store_secrets(store);
	struct secret_found f;
	uint8_t sig[RSA_MAX];
	void *token;

	assert_loads("@gw : " RSA_KEY_1024);
	ck_assert(ask_rsa("@gw", &f));
	token = s.ops->hold(s.s);
	assert_loads("@a : PSK \"new\"\n");
	ck_assert(rsa_sign(f.rsa, span_str("hash"), sig));
	s.ops->release(token);
	ck_assert(!ask_rsa("@gw", &f));
	/* The token may even outlive the store. */
	token = s.ops->hold(s.s);
	store_free(store);
	s.ops->release(token);
	store = store_new();
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

static Suite *secrets_suite(void)
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
	tcase_add_test(t, modes);
	tcase_add_test(t, irregular_files);
	tcase_add_test(t, links);
	if (geteuid() == 0)
		tcase_add_test(t, owners);
	else
		fputs("not root: files of other owners are not tested here\n", stderr);
	tcase_add_test(t, huge_file);
	tcase_add_test(t, missing_files);
	tcase_add_test(t, includes);
	tcase_add_test(t, include_cycles);
	tcase_add_test(t, include_depth);
	tcase_add_test(t, too_many_files);
	tcase_add_test(t, a_bad_file_changes_nothing);
	tcase_add_test(t, held_secrets_outlive_a_reload);
	tcase_add_test(t, which_secret);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	SRunner *r = srunner_create(secrets_suite());
	int failed;

	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
