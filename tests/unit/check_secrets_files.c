/* check_secrets_files.c -- secrets files as files: whose they may be and of which kind, includes, reading them anew. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/rsa.h"
#include "generated/limits.h"
#include "secrets_keys.h"
#include "secrets_lab.h"
#include "suite.h"

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

int main(void)
{
	Suite *s = suite_create("secrets_files");
	TCase *t = tcase_create("files");

	tcase_add_checked_fixture(t, setup, teardown);
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
	suite_add_tcase(s, t);
	return run_suite(s);
}
