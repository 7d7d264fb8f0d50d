/* check_algorithms.c -- algorithm strings to rows and back, and what is refused with which words. */
#include <check.h>
#include <stdlib.h>

#include "generated/algorithms.h"
#include "generated/limits.h"
#include "generated/names.h"
#include "generated/payloads.h"
#include "generated/reasons.h"
#include "generated/suites.h"
#include "ike/algorithms.h"
#include "suite.h"

static struct arena *arena;

static void setup(void)
{
	arena = arena_new();
}

static void teardown(void)
{
	arena_free(arena);
}

static const struct suite *defaults(uint32_t protocol)
{
	return protocol == PROTOCOL_ID_ISAKMP ? &suite_ike_freeswan :
	       protocol == PROTOCOL_ID_ESP ? &suite_esp_freeswan : &suite_ah_freeswan;
}

struct good_case {
	uint32_t protocol;
	const char *text;
	const char *want;	/* the rows written back, commas between them */
};

static const struct good_case good_cases[] = {
	{ PROTOCOL_ID_ISAKMP, "aes256-sha2_256-modp2048", "aes256-sha256-modp2048" },
	{ PROTOCOL_ID_ISAKMP, "AES256-SHA256-MODP2048", "aes256-sha256-modp2048" },
	{ PROTOCOL_ID_ISAKMP, "modp2048-sha256-aes256", "aes256-sha256-modp2048" },
	{ PROTOCOL_ID_ISAKMP, "3des-md5-modp1536", "3des-md5-modp1536" },
	{ PROTOCOL_ID_ISAKMP, "3des-md5-modp1536,aes128-sha1",
	  "3des-md5-modp1536,aes128-sha1-modp1024,aes128-sha1-modp768" },
	{ PROTOCOL_ID_ISAKMP, "aes-sha512-curve25519",
	  "aes256-sha512-curve25519,aes192-sha512-curve25519,aes128-sha512-curve25519" },
	{ PROTOCOL_ID_ISAKMP, "aes192-sha384-x25519", "aes192-sha384-curve25519" },
	{ PROTOCOL_ID_ISAKMP, "aes128-ecp521", "aes128-md5-ecp521,aes128-sha1-ecp521" },
	{ PROTOCOL_ID_ISAKMP, "3des-sha1-modp1024,3des-sha-modp1024", "3des-sha1-modp1024" },
	{ PROTOCOL_ID_ESP, "aes128gcm16", "aes128gcm16" },
	{ PROTOCOL_ID_ESP, "aes256gcm128", "aes256gcm16" },
	{ PROTOCOL_ID_ESP, "aes128gcm128", "aes128gcm16" },
	{ PROTOCOL_ID_ESP, "aes128gcm8,aes256gcm12", "aes128gcm8,aes256gcm12" },
	{ PROTOCOL_ID_ESP, "aes128-sha256-modp2048", "aes128-sha256-modp2048" },
	{ PROTOCOL_ID_ESP, "aes128gcm16-ecp256,aes128-sha1-ecp256", "aes128gcm16-ecp256,aes128-sha1-ecp256" },
	{ PROTOCOL_ID_ESP, "null-sha1", "null-sha1" },
	{ PROTOCOL_ID_ESP, "3des", "3des-md5,3des-sha1" },
	{ PROTOCOL_ID_AH, "sha1", "sha1" },
	{ PROTOCOL_ID_AH, "md5-modp1024,sha512-modp1024", "md5-modp1024,sha512-modp1024" },
};

static void write_rows(struct text *t, const struct algorithms *a, uint32_t protocol)
{
	for (size_t i = 0; i < a->suite.n; i++) {
		text_add(t, i == 0 ? "" : ",");
		algorithms_format(t, protocol, &a->suite.rows[i], a->group);
	}
}

START_TEST(good_strings)
{
	const struct good_case *c = &good_cases[_i];
	struct algorithms a, again;
	const struct refusal *r = algorithms_parse(c->protocol, span_str(c->text),
						   defaults(c->protocol), arena, &a);
	char line[400];
	struct text t = text_on(line, sizeof(line));

	ck_assert_msg(r == NULL, "%s", r == NULL ? "" : r->message);
	ck_assert_uint_eq(a.suite.protocol, c->protocol);
	write_rows(&t, &a, c->protocol);
	ck_assert_str_eq(line, c->want);
	/* What is written means the same. */
	ck_assert_ptr_null(algorithms_parse(c->protocol, span_str(line), NULL, arena, &again));
	ck_assert_uint_eq(again.suite.n, a.suite.n);
	ck_assert_uint_eq(again.group, a.group);
}
END_TEST

struct bad_case {
	uint32_t protocol;
	const char *text;
	enum reason reason;
	const char *words;
	const char *remedy;
};

static const struct bad_case bad_cases[] = {
	{ PROTOCOL_ID_ISAKMP, "aes128-sha257-modp2048", REASON_ALGORITHM_UNKNOWN,
	  "'aes128-sha257-modp2048', column 8: the algorithm 'sha257' is unknown",
	  "known are 3des aes128 aes192 aes256 md5 sha1 sha256 sha384 sha512 modp768 modp1024" },
	{ PROTOCOL_ID_ESP, "blowfish-sha1", REASON_ALGORITHM_UNKNOWN, "column 1: the algorithm 'blowfish'",
	  "aes128gcm16 aes192gcm16 aes256gcm16 md5" },
	{ PROTOCOL_ID_AH, "aes128-sha1", REASON_ALGORITHM_UNKNOWN, "column 1: the algorithm 'aes128'",
	  "known are md5 sha1 sha256" },
	{ PROTOCOL_ID_ESP, "aes128-sha1,serpent", REASON_ALGORITHM_UNKNOWN, "column 13: the algorithm 'serpent'", "" },
	{ PROTOCOL_ID_ISAKMP, "aes512-sha1-modp2048", REASON_ALGORITHM_KEY_LENGTH,
	  "column 1: 'aes512' asks for a key of 512 bits", "128, 192, 256 bits" },
	{ PROTOCOL_ID_ISAKMP, "aes0-sha1-modp2048", REASON_ALGORITHM_UNKNOWN, "'aes0'", "" },
	{ PROTOCOL_ID_ISAKMP, "3des192-sha1", REASON_ALGORITHM_KEY_LENGTH, "'3des192' asks for", "192 bits" },
	{ PROTOCOL_ID_ESP, "aes64gcm16", REASON_ALGORITHM_KEY_LENGTH, "'aes64gcm16' asks for a key of 64 bits", "" },
	{ PROTOCOL_ID_ISAKMP, "", REASON_ALGORITHM_MISPLACED, "column 1: an algorithm is missing at the end", "" },
	{ PROTOCOL_ID_ISAKMP, "-aes128", REASON_ALGORITHM_MISPLACED, "column 1: an algorithm is missing before the -", "" },
	{ PROTOCOL_ID_ISAKMP, "aes128-", REASON_ALGORITHM_MISPLACED, "column 8: an algorithm is missing at the end", "" },
	{ PROTOCOL_ID_ISAKMP, "aes128--sha1", REASON_ALGORITHM_MISPLACED, "column 8: an algorithm is missing before the -", "" },
	{ PROTOCOL_ID_ISAKMP, ",aes128", REASON_ALGORITHM_MISPLACED, "column 1: an algorithm is missing before the comma", "" },
	{ PROTOCOL_ID_ISAKMP, "aes128,", REASON_ALGORITHM_MISPLACED, "column 8: an algorithm is missing at the end", "" },
	{ PROTOCOL_ID_ISAKMP, "aes128 sha1", REASON_ALGORITHM_MISPLACED, "column 7: a character that no algorithm has", "" },
	{ PROTOCOL_ID_ISAKMP, "aes128-aes256-sha1", REASON_ALGORITHM_MISPLACED, "column 8: a second cipher", "commas" },
	{ PROTOCOL_ID_ISAKMP, "aes128-sha1-md5", REASON_ALGORITHM_MISPLACED, "column 13: a second hash", "commas" },
	{ PROTOCOL_ID_ISAKMP, "sha1-modp2048", REASON_ALGORITHM_MISPLACED, "column 1: the proposal names no cipher", "" },
	{ PROTOCOL_ID_ISAKMP, "3des-md5,sha1", REASON_ALGORITHM_MISPLACED, "column 10: the proposal names no cipher", "" },
	{ PROTOCOL_ID_AH, "modp2048", REASON_ALGORITHM_MISPLACED, "column 1: the proposal names no hash", "" },
	{ PROTOCOL_ID_ESP, "aes128gcm16-sha256", REASON_ALGORITHM_MISPLACED, "column 13: this cipher authenticates by itself", "" },
	{ PROTOCOL_ID_ESP, "aes128-sha1-modp2048,3des-sha1", REASON_ALGORITHM_GROUPS, "column 22", "Quick Mode" },
	{ PROTOCOL_ID_ESP, "3des-sha1,aes128-sha1-modp2048", REASON_ALGORITHM_GROUPS, "column 23", "Quick Mode" },
	{ PROTOCOL_ID_ESP, "3des-modp1536,aes128-modp2048", REASON_ALGORITHM_GROUPS, "column 22", "Quick Mode" },
	{ PROTOCOL_ID_ISAKMP, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", REASON_ALGORITHM_MISPLACED, "too long", "" },
	{ PROTOCOL_ID_IPCOMP, "deflate", REASON_ALGORITHM_MISPLACED, "no algorithm strings for this protocol", "" },
};

START_TEST(bad_strings)
{
	const struct bad_case *c = &bad_cases[_i];
	struct algorithms a;
	const struct refusal *r = algorithms_parse(c->protocol, span_str(c->text),
						   defaults(c->protocol), arena, &a);

	ck_assert_ptr_nonnull(r);
	ck_assert_msg(r->reason == c->reason && strstr(r->message, c->words) != NULL,
		      "\"%s\" does not say \"%s\"", r->message, c->words);
	ck_assert_msg(strstr(r->remedy, c->remedy) != NULL, "\"%s\" does not say \"%s\"", r->remedy, c->remedy);
}
END_TEST

/* The cells stand where those of a suite stand: the chooser treats both alike. */
START_TEST(rows_are_those_of_a_suite)
{
	struct algorithms a;
	const struct suite *s = &suite_ike_modern;
	char line[100];

	for (size_t i = 0; i < s->n; i++) {
		struct text t = text_on(line, sizeof(line));

		algorithms_format(&t, s->protocol, &s->rows[i], 0);
		ck_assert_ptr_null(algorithms_parse(s->protocol, span_str(line), NULL, arena, &a));
		ck_assert_uint_eq(a.suite.n, 1);
		ck_assert_uint_eq(a.suite.rows[0].transform, s->rows[i].transform);
		ck_assert_uint_eq(a.suite.rows[0].n, s->rows[i].n);
		for (size_t j = 0; j < s->rows[i].n; j++) {
			ck_assert_uint_eq(a.suite.rows[0].cells[j].attribute, s->rows[i].cells[j].attribute);
			ck_assert_uint_eq(a.suite.rows[0].cells[j].value, s->rows[i].cells[j].value);
		}
	}
}
END_TEST

START_TEST(phase_two_suites)
{
	static const struct suite *const all[] = { &suite_esp_modern, &suite_esp_freeswan, &suite_ah_modern,
						   &suite_ah_freeswan };
	struct algorithms a;
	char line[100];

	for (size_t k = 0; k < 4; k++) {
		for (size_t i = 0; i < all[k]->n; i++) {
			const struct suite_row *row = &all[k]->rows[i];
			struct text t = text_on(line, sizeof(line));

			algorithms_format(&t, all[k]->protocol, row, OAKLEY_GROUP_MODP2048);
			ck_assert_ptr_null(algorithms_parse(all[k]->protocol, span_str(line), NULL, arena, &a));
			ck_assert_uint_eq(a.group, OAKLEY_GROUP_MODP2048);
			ck_assert_uint_eq(a.suite.rows[0].transform, row->transform);
			ck_assert_uint_eq(a.suite.rows[0].n, row->n);
			for (size_t j = 0; j < row->n; j++)
				ck_assert_uint_eq(a.suite.rows[0].cells[j].value, row->cells[j].value);
		}
	}
}
END_TEST

START_TEST(what_has_no_word_is_a_number)
{
	static const struct suite_cell cells[] = {
		{ OAKLEY_ATTRIBUTE_ENCRYPTION_ALGORITHM, 65001 }, { OAKLEY_ATTRIBUTE_KEY_LENGTH, 128 },
		{ OAKLEY_ATTRIBUTE_HASH_ALGORITHM, OAKLEY_HASH_TIGER },
		{ OAKLEY_ATTRIBUTE_GROUP_DESCRIPTION, OAKLEY_GROUP_MODP768 },
	};
	const struct suite_row row = { .transform = ISAKMP_TRANSFORM_IKE, .n = 4, .cells = cells };
	char line[100];
	struct text t = text_on(line, sizeof(line));

	text_add(&t, "peer: ");
	algorithms_format(&t, PROTOCOL_ID_ISAKMP, &row, 0);
	ck_assert_str_eq(line, "peer: 65001_128-3-modp768");
}
END_TEST

START_TEST(a_part_without_default)
{
	struct algorithms a;
	const struct refusal *r = algorithms_parse(PROTOCOL_ID_ISAKMP, span_str("aes128-sha1"), NULL, arena, &a);

	ck_assert_ptr_nonnull(r);
	ck_assert_ptr_nonnull(strstr(r->message, "names no group, and there is no default"));
}
END_TEST

/* 3 key lengths x 25 pairs of hash and group: more than a proposal may hold. */
START_TEST(too_many_rows)
{
	char text[600] = "";
	struct algorithms a;
	const struct refusal *r;
	static const char *const hash[] = { "md5", "sha1", "sha256", "sha384", "sha512" };
	static const char *const group[] = { "modp1024", "modp1536", "modp2048", "modp3072", "modp4096" };

	for (size_t i = 0; i < 25; i++) {
		strcat(strcat(text, i == 0 ? "aes-" : ",aes-"), hash[i / 5]);
		strcat(strcat(text, "-"), group[i % 5]);
	}
	r = algorithms_parse(PROTOCOL_ID_ISAKMP, span_str(text), NULL, arena, &a);
	ck_assert_ptr_nonnull(r);
	ck_assert_uint_eq(r->reason, REASON_ALGORITHM_ROWS);
}
END_TEST

/* A span ends where it says. */
START_TEST(spans_end)
{
	struct algorithms a;

	ck_assert_ptr_null(algorithms_parse(PROTOCOL_ID_ESP, span_of("aes128gcm16x", 11), NULL, arena, &a));
	ck_assert_ptr_nonnull(algorithms_parse(PROTOCOL_ID_ESP, span_of("aes128gcm16\0", 12), NULL, arena, &a));
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

int main(void)
{
	Suite *s = suite_create("algorithms");
	TCase *t = tcase_create("strings");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, good_strings, 0, COUNT(good_cases));
	tcase_add_loop_test(t, bad_strings, 0, COUNT(bad_cases));
	tcase_add_test(t, rows_are_those_of_a_suite);
	tcase_add_test(t, phase_two_suites);
	tcase_add_test(t, what_has_no_word_is_a_number);
	tcase_add_test(t, a_part_without_default);
	tcase_add_test(t, too_many_rows);
	tcase_add_test(t, spans_end);
	suite_add_tcase(s, t);
	return run_suite(s);
}
