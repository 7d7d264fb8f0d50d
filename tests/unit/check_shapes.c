/* check_shapes.c -- which payloads each message takes, in which order, and what is said of the others. */
#include <check.h>
#include <regex.h>
#include <stdlib.h>

#include "engine/shape.h"
#include "generated/names.h"
#include "generated/reasons.h"
#include "samples.h"
#include "suite.h"

/* ---- what is taken ------------------------------------------------------ */

static const struct accepted {
	const struct message_desc *d;
	uint32_t allowed;
	const char *payloads, *slots;
	uint32_t matched;
} accepted[] = {
	{ &message_MI1, 0, "SA/ike", "SAi", 0 },
	{ &message_MI1, 0, "SA/ike VID N VID CR", "SAi . . . .", 0 },
	{ &message_MI1, 0, "SA/ike-two-transforms", "SAi", 0 },
	{ &message_MR1, 0, "SA/ike", "SAr", 0 },
	{ &message_MR1, PSK | SIG, "SA/ike VID", "SAr .", PSK | SIG },

	{ &message_MI2, PSK, "KE NONCE", "KEi Ni", PSK },
	{ &message_MI2, SIG, "NONCE KE", "Ni KEi", SIG },
	{ &message_MI2, 0, "KE NONCE", "KEi Ni", PSK | SIG },
	{ &message_MI2, PSK, "VID NONCE CR KE N", ". Ni . KEi .", PSK },
	{ &message_MI2, PSK, "KE NONCE NATD NATD", "KEi Ni NATD NATD", PSK },
	{ &message_MI2, PSK, "KE NONCE NATD NATD NATD VID", "KEi Ni NATD NATD NATD .", PSK },
	{ &message_MI2, PSK, "NATD NATD KE NONCE", "NATD NATD KEi Ni", PSK },
	{ &message_MR2, PSK, "KE NATD NATD NONCE", "KEr NATD NATD Nr", PSK },

	{ &message_MI3, PSK, "ID HASH", "IDii HASH_I", PSK },
	{ &message_MI3, PSK, "HASH ID", "HASH_I IDii", PSK },
	{ &message_MI3, PSK, "ID/500 HASH N", "IDii HASH_I .", PSK },
	{ &message_MI3, PSK, "ID/17 HASH", "IDii HASH_I", PSK },
	{ &message_MI3, 0, "ID HASH", "IDii HASH_I", PSK },
	{ &message_MI3, PSK | SIG, "ID SIG", "IDii SIG_I", SIG },
	{ &message_MI3, SIG, "ID/fqdn SIG", "IDii SIG_I", SIG },
	{ &message_MI3, SIG, "ID CERT CERT SIG", "IDii CERT CERT SIG_I", SIG },
	{ &message_MI3, SIG, "CERT SIG CR CERT ID", "CERT SIG_I . CERT IDii", SIG },
	{ &message_MR3, PSK, "ID HASH", "IDir HASH_R", PSK },
	{ &message_MR3, SIG, "ID CERT SIG", "IDir CERT SIG_R", SIG },

	{ &message_QI1, NOPFS | PFS, "HASH SA NONCE", "HASH_1 SAi Ni", NOPFS },
	{ &message_QI1, NOPFS | PFS, "HASH SA SA NONCE", "HASH_1 SAi SAi Ni", NOPFS },
	{ &message_QI1, NOPFS | PFS, "HASH SA/group NONCE KE", "HASH_1 SAi Ni KEi", PFS },
	{ &message_QI1, NOPFS | PFS, "HASH SA/group KE NONCE", "HASH_1 SAi KEi Ni", PFS },
	{ &message_QI1, NOPFS, "HASH SA NONCE ID ID", "HASH_1 SAi Ni IDci IDcr", NOPFS },
	{ &message_QI1, NOPFS, "HASH SA ID ID NONCE", "HASH_1 SAi IDci IDcr Ni", NOPFS },
	{ &message_QI1, NOPFS, "HASH SA NONCE ID/tcp ID/501", "HASH_1 SAi Ni IDci IDcr", NOPFS },
	{ &message_QI1, NOPFS, "HASH SA NONCE N ID ID N VID", "HASH_1 SAi Ni . IDci IDcr . .", NOPFS },
	{ &message_QI1, NOPFS, "HASH SA NONCE NATOA NATOA", "HASH_1 SAi Ni NATOA NATOA", NOPFS },
	{ &message_QI1, PFS, "HASH SA/group NONCE KE ID ID NATOA NATOA",
	  "HASH_1 SAi Ni KEi IDci IDcr NATOA NATOA", PFS },
	{ &message_QI1, NOPFS, "HASH SA/half-group NONCE", "HASH_1 SAi Ni", NOPFS },
	{ &message_QR1, NOPFS, "HASH SA NONCE ID ID N", "HASH_2 SAr Nr IDci IDcr .", NOPFS },
	{ &message_QR1, PFS, "HASH SA/group NONCE KE", "HASH_2 SAr Nr KEr", PFS },
	{ &message_QI2, NOPFS, "HASH", "HASH_3", NOPFS },
	{ &message_QI2, 0, "HASH N", "HASH_3 .", 0 },

	{ &message_NFY, 0, "N", "N", 0 },
	{ &message_NFY, 0, "N N", "N N", 0 },
	{ &message_INF, 0, "HASH N", "HASH_1 N", 0 },
	{ &message_INF, 0, "HASH D", "HASH_1 D", 0 },
	{ &message_INF, 0, "HASH D N D", "HASH_1 D N D", 0 },
};
#define N_ACCEPTED ((int)(sizeof(accepted) / sizeof(accepted[0])))

static void assert_accepted(const struct accepted *a, size_t padding)
{
	struct message *m = &sample_of(a->payloads, padding)->message;
	struct fault f = { 0 };
	uint32_t matched = ~0u;
	char expected[200] = "?";

	ck_assert_msg(shape_match(a->d, a->allowed, m, &matched, &f, expected, sizeof(expected)),
		      "%s \"%s\": %s at %u, expected %s", a->d->name, a->payloads, f.field, f.offset,
		      expected);
	ck_assert_str_eq(slots_of(a->d, m), a->slots);
	ck_assert_uint_eq(matched, a->matched);
	ck_assert_str_eq(expected, "");
}

START_TEST(payloads_find_their_slots)
{
	assert_accepted(&accepted[_i], 0);
}
END_TEST

START_TEST(padding_is_no_payload)
{
	assert_accepted(&accepted[_i], 7);
}
END_TEST

/* ---- what is refused ---------------------------------------------------- */

static const struct refused {
	const struct message_desc *d;
	uint32_t allowed;
	const char *payloads;
	uint16_t reason;
	int at;			/* index of the payload to blame; -1 = the end */
	const char *expected;	/* the list, or for shape_where the rule */
} refused[] = {
	{ &message_MI1, 0, "", REASON_SHAPE_MISSING, -1, "SAi" },
	{ &message_MI1, 0, "VID SA/ike", REASON_SHAPE_UNEXPECTED, 0, "SAi" },
	{ &message_MI1, 0, "SA/ike SA", REASON_SHAPE_UNEXPECTED, 1, "the end of the message" },
	{ &message_MI1, 0, "SA/ike KE", REASON_SHAPE_UNEXPECTED, 1, "the end of the message" },
	{ &message_MI1, 0, "SA/two-proposals", REASON_SHAPE_WHERE, 0, "count(SAi.proposals)" },
	{ &message_MR1, 0, "SA/two-proposals", REASON_SHAPE_WHERE, 0, "count(SAr.proposals)" },
	{ &message_MR1, 0, "SA/two-transforms", REASON_SHAPE_WHERE, 0, "count(SAr.proposals.transforms)" },

	{ &message_MI2, PSK, "KE", REASON_SHAPE_MISSING, -1, "Ni or NATD" },
	{ &message_MI2, PSK, "NONCE", REASON_SHAPE_MISSING, -1, "KEi or NATD" },
	{ &message_MI2, PSK, "VID", REASON_SHAPE_MISSING, -1, "KEi, Ni or NATD" },
	{ &message_MI2, PSK, "KE KE NONCE", REASON_SHAPE_UNEXPECTED, 1, "Ni or NATD" },
	{ &message_MI2, PSK, "KE NONCE NONCE", REASON_SHAPE_UNEXPECTED, 2, "NATD or the end of the message" },
	{ &message_MI2, PSK, "KE NONCE NATD", REASON_SHAPE_MISSING, -1, "NATD" },
	{ &message_MI2, PSK, "NATD KE NONCE", REASON_SHAPE_UNEXPECTED, 1, "NATD" },
	{ &message_MI2, PSK, "KE NONCE NATD VID NATD", REASON_SHAPE_UNEXPECTED, 3, "NATD" },
	{ &message_MI2, PSK, "KE NONCE HASH", REASON_SHAPE_UNEXPECTED, 2, "NATD or the end of the message" },
	{ &message_MI2, NOPFS, "KE NONCE", REASON_SHAPE_UNEXPECTED, 0, "" },

	{ &message_MI3, PSK, "ID SIG", REASON_SHAPE_UNEXPECTED, 1, "HASH_I" },
	{ &message_MI3, SIG, "ID HASH", REASON_SHAPE_UNEXPECTED, 1, "CERT or SIG_I" },
	{ &message_MI3, PSK | SIG, "ID", REASON_SHAPE_MISSING, -1, "HASH_I, CERT or SIG_I" },
	{ &message_MI3, PSK | SIG, "ID CERT", REASON_SHAPE_MISSING, -1, "CERT or SIG_I" },
	{ &message_MI3, PSK | SIG, "ID CERT HASH", REASON_SHAPE_UNEXPECTED, 2, "CERT or SIG_I" },
	{ &message_MI3, PSK, "HASH", REASON_SHAPE_MISSING, -1, "IDii" },
	{ &message_MI3, PSK, "ID HASH HASH", REASON_SHAPE_UNEXPECTED, 2, "the end of the message" },
	{ &message_MI3, PSK, "ID ID HASH", REASON_SHAPE_UNEXPECTED, 1, "HASH_I" },
	{ &message_MI3, SIG, "ID SIG SIG", REASON_SHAPE_UNEXPECTED, 2, "CERT or the end of the message" },
	{ &message_MI3, PSK, "ID/501 HASH", REASON_SHAPE_WHERE, 0, "port" },
	{ &message_MI3, PSK, "ID/tcp HASH", REASON_SHAPE_WHERE, 0, "protocol" },
	{ &message_MR3, PSK, "HASH ID/501", REASON_SHAPE_WHERE, 1, "port" },

	{ &message_QI1, NOPFS, "SA NONCE", REASON_SHAPE_UNEXPECTED, 0, "HASH_1" },
	{ &message_QI1, NOPFS, "N HASH SA NONCE", REASON_SHAPE_UNEXPECTED, 0, "HASH_1" },
	{ &message_QI1, NOPFS, "HASH NONCE SA", REASON_SHAPE_UNEXPECTED, 1, "SAi" },
	{ &message_QI1, NOPFS, "HASH VID SA NONCE", REASON_SHAPE_UNEXPECTED, 1, "SAi" },
	{ &message_QI1, NOPFS, "HASH SA", REASON_SHAPE_MISSING, -1, "SAi, Ni, IDci or NATOA" },
	{ &message_QI1, NOPFS, "HASH SA NONCE SA", REASON_SHAPE_UNEXPECTED, 3,
	  "IDci, NATOA or the end of the message" },
	{ &message_QI1, NOPFS, "HASH SA NONCE ID", REASON_SHAPE_MISSING, -1, "IDcr" },
	{ &message_QI1, NOPFS, "HASH SA ID NONCE ID", REASON_SHAPE_UNEXPECTED, 3, "IDcr" },
	{ &message_QI1, NOPFS, "HASH SA NONCE ID ID ID", REASON_SHAPE_UNEXPECTED, 5,
	  "NATOA or the end of the message" },
	{ &message_QI1, NOPFS, "HASH SA NONCE KE", REASON_SHAPE_UNEXPECTED, 3,
	  "IDci, NATOA or the end of the message" },
	{ &message_QI1, PFS, "HASH SA/group NONCE", REASON_SHAPE_MISSING, -1, "KEi, IDci or NATOA" },
	{ &message_QI1, NOPFS | PFS, "HASH SA NONCE KE", REASON_SHAPE_WHERE, 1,
	  "has(KEi) == each(SAi.proposals.transforms, GROUP_DESCRIPTION)" },
	{ &message_QI1, NOPFS | PFS, "HASH SA/group NONCE", REASON_SHAPE_WHERE, 1,
	  "has(KEi) == each(SAi.proposals.transforms, GROUP_DESCRIPTION)" },
	{ &message_QI1, NOPFS | PFS, "HASH SA/half-group NONCE KE", REASON_SHAPE_WHERE, 1,
	  "has(KEi) == each(SAi.proposals.transforms, GROUP_DESCRIPTION)" },
	{ &message_QI1, NOPFS | PFS, "HASH SA/group SA NONCE KE", REASON_SHAPE_WHERE, 2,
	  "has(KEi) == each(SAi.proposals.transforms, GROUP_DESCRIPTION)" },
	{ &message_QI1, NOPFS, "HASH SA NONCE ID/fqdn ID", REASON_SHAPE_WHERE, 3, "type" },
	{ &message_QI1, NOPFS, "HASH SA NONCE ID ID/fqdn", REASON_SHAPE_WHERE, 4, "type" },
	{ &message_QR1, NOPFS, "HASH SA NONCE ID ID/fqdn", REASON_SHAPE_WHERE, 4, "type" },
	{ &message_QR1, NOPFS, "HASH SA/two-transforms NONCE", REASON_SHAPE_WHERE, 1,
	  "count(SAr.proposals.transforms)" },
	{ &message_QI2, NOPFS, "N HASH", REASON_SHAPE_UNEXPECTED, 0, "HASH_3" },
	{ &message_QI2, NOPFS, "HASH HASH", REASON_SHAPE_UNEXPECTED, 1, "the end of the message" },

	{ &message_NFY, 0, "", REASON_SHAPE_MISSING, -1, "N" },
	{ &message_NFY, 0, "D", REASON_SHAPE_UNEXPECTED, 0, "N" },
	{ &message_NFY, 0, "N D", REASON_SHAPE_UNEXPECTED, 1, "N or the end of the message" },
	{ &message_INF, 0, "N", REASON_SHAPE_UNEXPECTED, 0, "HASH_1" },
	{ &message_INF, 0, "HASH HASH", REASON_SHAPE_UNEXPECTED, 1, "N, D or the end of the message" },
	{ &message_INF, 0, "D HASH", REASON_SHAPE_UNEXPECTED, 0, "HASH_1" },
};
#define N_REFUSED ((int)(sizeof(refused) / sizeof(refused[0])))

START_TEST(others_are_refused_with_what_was_expected)
{
	const struct refused *r = &refused[_i];
	struct message *m = &sample_of(r->payloads, 0)->message;
	struct fault f = { 0 };
	uint32_t matched;
	char expected[200] = "?";

	ck_assert_msg(!shape_match(r->d, r->allowed, m, &matched, &f, expected, sizeof(expected)),
		      "%s takes \"%s\"", r->d->name, r->payloads);
	ck_assert_uint_eq(f.reason, r->reason);
	ck_assert_ptr_nonnull(f.where);
	ck_assert_ptr_nonnull(strstr(f.where, r->d->name));
	ck_assert_str_eq(f.field, r->expected);
	if (f.reason == REASON_SHAPE_WHERE)
		ck_assert_str_eq(expected, "");
	else
		ck_assert_ptr_eq(f.field, expected);
	for (uint16_t i = 0; i < m->n; i++)
		ck_assert_uint_eq(m->payloads[i].slot, SLOT_NONE);
	if (r->at == -1)
		ck_assert_uint_eq(f.offset, m->bytes.n);
	if (r->at >= 0) {
		const struct payload_common *p = &m->payloads[r->at].u.common;

		ck_assert_uint_ge(f.offset, p->offset);
		ck_assert_uint_lt(f.offset, p->offset + p->whole.n);
	}
	if (f.reason == REASON_SHAPE_UNEXPECTED) {
		ck_assert_uint_eq(f.offset, m->payloads[r->at].u.common.offset);
		ck_assert_uint_eq(f.got, m->payloads[r->at].type);
	}
}
END_TEST

START_TEST(what_is_missing_is_missed_before_the_padding)
{
	struct message *m = &sample_of("ID", 7)->message;
	struct fault f = { 0 };
	uint32_t matched;
	char expected[64];

	ck_assert(!shape_match(&message_MI3, PSK, m, &matched, &f, expected, sizeof(expected)));
	ck_assert_uint_eq(f.reason, REASON_SHAPE_MISSING);
	ck_assert_uint_eq(f.offset, m->bytes.n - 7);
}
END_TEST

START_TEST(numbers_of_a_broken_rule)
{
	struct fault f = { 0 };
	uint32_t matched;
	char expected[8];

	ck_assert(!shape_match(&message_MI1, 0, &sample_of("SA/two-proposals", 0)->message, &matched, &f,
			       expected, sizeof(expected)));
	ck_assert_uint_eq(f.got, 2);
	ck_assert_uint_eq(f.want, 1);
	ck_assert(!shape_match(&message_MI3, PSK, &sample_of("HASH ID/tcp", 0)->message, &matched, &f,
			       expected, sizeof(expected)));
	ck_assert_str_eq(f.where, "IDii of MI3");
	ck_assert_uint_eq(f.got, 6);
	ck_assert_uint_eq(f.want, 0);
}
END_TEST

START_TEST(expected_is_cut_to_its_room)
{
	struct fault f = { 0 };
	uint32_t matched;

	for (size_t cap = 1; cap < 40; cap++) {
		char *expected = malloc(cap);

		ck_assert(!shape_match(&message_QI1, NOPFS, &sample_of("HASH SA", 0)->message, &matched,
				       &f, expected, cap));
		ck_assert_uint_lt(strlen(expected), cap);
		ck_assert_uint_eq(f.reason, REASON_SHAPE_MISSING);
		free(expected);
	}
}
END_TEST

START_TEST(as_many_payloads_as_there_may_be)
{
	char text[1024] = "N";
	struct in_NFY in;
	struct fault f = { 0 };
	uint32_t matched;
	char expected[64];
	struct message *m;

	for (int i = 1; i < LIMIT_PAYLOADS_PER_MESSAGE; i++)
		strcat(text, " N");
	m = &sample_of(text, 0)->message;
	ck_assert(shape_match(&message_NFY, 0, m, &matched, &f, expected, sizeof(expected)));
	bind_NFY(m, &in);
	ck_assert_uint_eq(in.n_N, LIMIT_PAYLOADS_PER_MESSAGE);
	ck_assert_ptr_eq(in.N[LIMIT_PAYLOADS_PER_MESSAGE - 1], &m->payloads[m->n - 1].u.N);
}
END_TEST

/* ---- every short sequence, against regular expressions -------------------- */

/* One letter for each payload type. */
static const struct { char letter; uint8_t type; } letters[] = {
	{ 'S', PAYLOAD_TYPE_SA }, { 'K', PAYLOAD_TYPE_KE }, { 'O', PAYLOAD_TYPE_NONCE },
	{ 'I', PAYLOAD_TYPE_ID }, { 'H', PAYLOAD_TYPE_HASH }, { 'G', PAYLOAD_TYPE_SIG },
	{ 'C', PAYLOAD_TYPE_CERT }, { 'R', PAYLOAD_TYPE_CR }, { 'V', PAYLOAD_TYPE_VID },
	{ 'N', PAYLOAD_TYPE_N }, { 'D', PAYLOAD_TYPE_D }, { 'A', PAYLOAD_TYPE_NATD },
	{ 'B', PAYLOAD_TYPE_NATOA },
};

/* Two, three and four parts in any order. */
#define ANY2(a, b) "(" a b "|" b a ")"
#define ANY3(a, b, c) "(" a ANY2(b, c) "|" b ANY2(a, c) "|" c ANY2(a, b) ")"
#define ANY4(a, b, c, d) "(" a ANY3(b, c, d) "|" b ANY3(a, c, d) "|" c ANY3(a, b, d) "|" d ANY3(a, b, c) ")"

#define T "[VNR]*"		/* what phase 1 tolerates */
#define C "[VNRC]*"		/* ... and certificates */
#define U "[VN]*"		/* what Quick Mode tolerates */
#define B "[VNB]*"		/* ... and original addresses, which stand anywhere in its last group */

static const struct {
	const struct message_desc *d;
	uint32_t variant;
	const char *prefix;	/* of each sequence that is tried */
	const char *alphabet;
	unsigned length;	/* of what follows the prefix */
	const char *regex;
} sequences[] = {
	{ &message_MI1, PSK, "", "SVNRKH", 5, "^S" T "$" },
	{ &message_MR1, SIG, "", "SVNRKH", 5, "^S" T "$" },
	{ &message_MI2, PSK, "", "KOAVHR", 6, "^" T ANY3("K" T, "O" T, "(AAA*" T ")?") "$" },
	{ &message_MR2, SIG, "", "KOAVSN", 6, "^" T ANY3("K" T, "O" T, "(AAA*" T ")?") "$" },
	{ &message_MI3, PSK, "", "IHGCVA", 5, "^" T ANY2("I" T, "H" T) "$" },
	{ &message_MI3, SIG, "", "IHGCVA", 6, "^" C ANY2("I" C, "G" C) "$" },
	{ &message_MR3, PSK, "", "IHGCRK", 5, "^" T ANY2("I" T, "H" T) "$" },
	{ &message_MR3, SIG, "", "IHGCRK", 6, "^" C ANY2("I" C, "G" C) "$" },
	{ &message_QI1, NOPFS, "", "HSOKIBN", 5, "^HS+" B ANY2("O" B, "(II" B ")?") "$" },
	{ &message_QI1, NOPFS, "HS", "SOKIBN", 6, "^HS+" B ANY2("O" B, "(II" B ")?") "$" },
	{ &message_QI1, PFS, "HS", "SOKIBV", 6, "^HS+" B ANY3("O" B, "K" B, "(II" B ")?") "$" },
	{ &message_QR1, NOPFS, "HS", "SOKIBN", 5, "^HS+" B ANY2("O" B, "(II" B ")?") "$" },
	{ &message_QR1, PFS, "HS", "SOKIBV", 6, "^HS+" B ANY3("O" B, "K" B, "(II" B ")?") "$" },
	{ &message_QI2, PFS, "", "HSNVDO", 5, "^H" U "$" },
	{ &message_NFY, 0, "", "NDHV", 5, "^N+$" },
	{ &message_INF, 0, "", "NDHVS", 5, "^H[ND]*$" },
};
#define N_SEQUENCES ((int)(sizeof(sequences) / sizeof(sequences[0])))

static uint8_t type_of_letter(char letter)
{
	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		if (letters[i].letter == letter)
			return letters[i].type;
	ck_abort_msg("no payload for '%c'", letter);
}

/* Does the shape take these letters?  The rules of their contents are left out. */
static bool takes(const struct message_desc *d, uint32_t variant, const char *text)
{
	static struct message m;
	static uint8_t bytes[16];
	struct message_desc order = *d;
	struct fault f;
	uint32_t matched;
	char expected[64];

	order.where = NULL;
	m.bytes = span_of(bytes, sizeof(bytes));
	for (m.n = 0; text[m.n] != '\0'; m.n++) {
		m.payloads[m.n].type = type_of_letter(text[m.n]);
		m.payloads[m.n].u.common.whole = span_of(bytes + m.n, 1);
	}
	return shape_match(&order, variant, &m, &matched, &f, expected, sizeof(expected));
}

/* All sequences that begin with text, which has n letters. */
static void try_from(int test, regex_t *re, char *text, size_t n, unsigned left)
{
	bool want = regexec(re, text, 0, NULL, 0) == 0;

	ck_assert_msg(takes(sequences[test].d, sequences[test].variant, text) == want, "%s %s \"%s\"",
		      sequences[test].d->name, want ? "refuses" : "takes", text);
	for (const char *c = sequences[test].alphabet; left > 0 && *c != '\0'; c++) {
		text[n] = *c;
		text[n + 1] = '\0';
		try_from(test, re, text, n + 1, left - 1);
	}
	text[n] = '\0';
}

START_TEST(sequences_are_those_of_a_regular_expression)
{
	char text[16];
	regex_t re;

	ck_assert_int_eq(regcomp(&re, sequences[_i].regex, REG_EXTENDED | REG_NOSUB), 0);
	strcpy(text, sequences[_i].prefix);
	try_from(_i, &re, text, strlen(text), sequences[_i].length);
	regfree(&re);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("engine/shape");
	TCase *t = tcase_create("shapes");

	suite_add_tcase(s, t);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, payloads_find_their_slots, 0, N_ACCEPTED);
	tcase_add_loop_test(t, padding_is_no_payload, 0, N_ACCEPTED);
	tcase_add_loop_test(t, sequences_are_those_of_a_regular_expression, 0, N_SEQUENCES);
	tcase_add_loop_test(t, others_are_refused_with_what_was_expected, 0, N_REFUSED);
	tcase_add_test(t, what_is_missing_is_missed_before_the_padding);
	tcase_add_test(t, numbers_of_a_broken_rule);
	tcase_add_test(t, expected_is_cut_to_its_room);
	tcase_add_test(t, as_many_payloads_as_there_may_be);
	return run_suite(s);
}
