/* check_payloads.c -- the generated parsers: what others sent, cut off, changed, one thing wrong at a time. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "generated/payloads.h"
#include "generated/reasons.h"
#include "suite.h"

#define HEX_MAX 4096

static const uint8_t cookie[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
static uint8_t octets[400];

/* ---- messages in memory of exactly their size, so that the sanitizer sees each octet too far ------ */

struct sound {
	const char *title;
	uint8_t *p;
	size_t n;
	size_t padding;
};

static struct sound sounds[8];
static size_t n_sounds;

static bool parse(const uint8_t *bytes, size_t n, bool decrypted, struct message *m, struct fault *f)
{
	uint8_t *exact = malloc(n + 1);
	bool good;

	ck_assert_ptr_nonnull(exact);
	memcpy(exact, bytes, n);
	exact = realloc(exact, n == 0 ? 1 : n);
	memset(f, 0, sizeof(*f));
	good = parse_header(span_of(exact, n), 0, &m->header, f) &&
	       parse_chain(m, span_of(exact, n), decrypted, f);
	if (good) {
		char dst[16384];
		struct text t = text_on(dst, sizeof(dst));

		print_header(&t, &m->header);
		for (size_t i = 0; i < m->n; i++)
			print_payload(&t, &m->payloads[i]);
		ck_assert_uint_gt(t.n, 20);
	} else {
		ck_assert_uint_ne(f->reason, REASON_NONE);
		ck_assert_uint_lt(f->reason, REASON_COUNT);
		ck_assert_ptr_nonnull(f->where);
		ck_assert_ptr_nonnull(f->field);
		ck_assert_uint_le(f->offset, n);
	}
	free(exact);
	return good;
}

static void set_length(uint8_t *p, size_t n)
{
	struct writer w = { .p = p, .n = n, .cap = n };

	patch_u32(&w, HEADER_OFFSET_LENGTH, (uint32_t)n);
}

/* The messages of the capture file, each from its header on. */
static void add_sound(const char *title, const uint8_t *p, size_t n, size_t padding)
{
	struct sound *s = &sounds[n_sounds++];

	ck_assert_uint_lt(n_sounds, 8);
	*s = (struct sound){ .title = title, .p = malloc(n), .n = n, .padding = padding };
	ck_assert_ptr_nonnull(s->p);
	memcpy(s->p, p, n);
	memcpy(s->p + HEADER_OFFSET_ICOOKIE, cookie, sizeof(cookie));
	set_length(s->p, n);
}

static size_t unhex(const char *text, uint8_t *out)
{
	size_t n = 0;
	unsigned v;

	while (sscanf(text + 2 * n, "%2x", &v) == 1 && n < HEX_MAX)
		out[n++] = (uint8_t)v;
	return n;
}

static FILE *captures(void)
{
	const char *root = getenv("TESTDATA");
	char path[1024];

	snprintf(path, sizeof(path), "%s/captures/isakmp-bytes.txt", root == NULL ? "tests" : root);
	return fopen(path, "r");
}

/* The lines of the file differ in where they begin: a UDP header, an IP header, a payload. */
static void setup(void)
{
	FILE *f = captures();
	static char line[3 * HEX_MAX];
	uint8_t b[HEX_MAX];

	ck_assert_ptr_nonnull(f);
	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(i + 1);
	while (fgets(line, sizeof(line), f) != NULL) {
		const char *hex = strrchr(line, '|');
		size_t n;

		if (line[0] == '#' || hex == NULL)
			continue;
		n = unhex(hex + 2, b + HEADER_SIZE);
		if (strstr(line, "Phase 1") != NULL)
			add_sound("aggressive", b + HEADER_SIZE + 8, n - 8, 0);
		else if (strstr(line, "Phase 2") != NULL) {
			memset(b, 0, HEADER_SIZE);
			memcpy(b, cookie, sizeof(cookie));
			b[HEADER_OFFSET_NP] = PAYLOAD_TYPE_HASH;
			b[HEADER_OFFSET_MAJOR] = 0x10;
			b[HEADER_OFFSET_XCHG] = EXCHANGE_TYPE_QUICK;
			add_sound("quick", b, n + HEADER_SIZE, 16);
		} else if (strstr(line, "Transform") != NULL) {
			/* It says DOI 0 and no transforms; with what it should say it is sound. */
			b[HEADER_SIZE + 28 + 35] = DOI_ID_IPSEC;
			b[HEADER_SIZE + 28 + 47] = 2;
			add_sound("transforms", b + HEADER_SIZE + 28, n - 28, 0);
		} else if (strstr(line, "Notify") != NULL)
			add_sound("notify", b + HEADER_SIZE, n, 0);
		else if (strstr(line, "delete") != NULL)
			add_sound("delete", b + HEADER_SIZE, n, 0);
	}
	fclose(f);
	ck_assert_uint_eq(n_sounds, 5);
}

static void teardown(void)
{
	while (n_sounds > 0)
		free(sounds[--n_sounds].p);
}

static const struct sound *sound(const char *title)
{
	for (size_t i = 0; i < n_sounds; i++)
		if (strcmp(sounds[i].title, title) == 0)
			return &sounds[i];
	ck_abort_msg("no message '%s'", title);
	return NULL;
}

/* ---- what others sent ------------------------------------------------------------------------ */

START_TEST(captured)
{
	static struct message m;
	struct fault f;

	for (size_t i = 0; i < n_sounds; i++) {
		bool good = parse(sounds[i].p, sounds[i].n, sounds[i].padding != 0, &m, &f);

		ck_assert_msg(good, "%s: reason %u, %s.%s at %u", sounds[i].title, f.reason, f.where,
			      f.field, f.offset);
		ck_assert_uint_eq(m.padding, sounds[i].padding);
	}
}
END_TEST

START_TEST(captured_fields)
{
	static struct message m;
	const struct sound *s = sound("aggressive");
	struct payload_P p;
	struct payload_T t;
	struct attribute a;
	struct span proposals, transforms, attrs;
	struct fault f;

	ck_assert(parse_header(span_of(s->p, s->n), 0, &m.header, &f));
	ck_assert(parse_chain(&m, span_of(s->p, s->n), false, &f));
	ck_assert_uint_eq(m.header.xchg, EXCHANGE_TYPE_AGGRESSIVE);
	ck_assert_uint_eq(m.n, 9);
	ck_assert_uint_eq(m.payloads[0].type, PAYLOAD_TYPE_SA);
	ck_assert_uint_eq(m.payloads[3].type, PAYLOAD_TYPE_ID);
	ck_assert_uint_eq(m.payloads[8].type, PAYLOAD_TYPE_VID);
	ck_assert_uint_eq(m.payloads[3].u.ID.type, ID_TYPE_IPV4_ADDR);
	proposals = m.payloads[0].u.SA.proposals;
	ck_assert_uint_eq(m.payloads[0].u.SA.n_proposals, 1);
	ck_assert(next_P(&proposals, &p));
	ck_assert_uint_eq(p.protocol, PROTOCOL_ID_ISAKMP);
	transforms = p.transforms;
	ck_assert(next_T(&transforms, p.protocol, &t));
	attrs = t.attrs;
	ck_assert(next_attribute(&attrs, &a));
	ck_assert_uint_eq(a.type, OAKLEY_ATTRIBUTE_ENCRYPTION_ALGORITHM);
	ck_assert_uint_eq(a.number, OAKLEY_ENCRYPTION_AES_CBC);
	while (next_attribute(&attrs, &a))
		continue;
	ck_assert_uint_eq(a.type, OAKLEY_ATTRIBUTE_LIFE_DURATION);
	ck_assert_uint_eq(a.number, 0x84);
	ck_assert(a.basic);
	ck_assert(!next_T(&transforms, p.protocol, &t));
	ck_assert(!next_P(&proposals, &p));
}
END_TEST

/* Cut at every octet, with the header's length as it was and as it then should be. */
START_TEST(truncated)
{
	static struct message m;
	struct fault f;
	uint8_t b[HEX_MAX];

	for (size_t i = 0; i < n_sounds; i++) {
		const struct sound *s = &sounds[i];

		for (size_t n = 0; n < s->n; n++) {
			ck_assert(!parse(s->p, n, true, &m, &f));
			ck_assert_uint_eq(f.reason, n < HEADER_SIZE ? REASON_FIELD_TRUNCATED
								    : REASON_LENGTH_MISMATCH);
			if (n < HEADER_SIZE)
				continue;
			memcpy(b, s->p, n);
			set_length(b, n);
			ck_assert_int_eq(parse(b, n, true, &m, &f), n >= s->n - s->padding);
		}
	}
}
END_TEST

/* Every octet with values that are near an edge: nothing is read outside, faults are complete. */
START_TEST(mutated)
{
	static const uint8_t values[] = { 0, 1, 2, 3, 4, 0x10, 0x7f, 0x80, 0xfe, 0xff };
	static struct message m;
	struct fault f;
	uint8_t b[HEX_MAX];
	size_t good = 0, bad = 0;

	for (size_t i = 0; i < n_sounds; i++)
		for (size_t at = 0; at < sounds[i].n; at++)
			for (size_t v = 0; v < sizeof(values) + 2; v++) {
				memcpy(b, sounds[i].p, sounds[i].n);
				b[at] = v < sizeof(values) ? values[v]
							   : (uint8_t)(b[at] + (v == sizeof(values) ? 1 : -1));
				if (parse(b, sounds[i].n, true, &m, &f))
					good++;
				else
					bad++;
			}
	ck_assert_uint_gt(good, 1000);
	ck_assert_uint_gt(bad, 500);
}
END_TEST

/* ---- one thing wrong at a time ------------------------------------------------------------------ */

struct wrong {
	const char *title;
	size_t at;
	uint8_t value;
	enum reason reason;
	uint16_t notify;
	const char *where, *field;
	uint32_t offset;
	uint64_t got, want;
};

static const struct wrong wrongs[] = {
	{ "delete", 17, 0x20, REASON_FIELD_VALUE, NOTIFY_TYPE_INVALID_MAJOR_VERSION, "header", "major", 17, 2, 1 },
	{ "delete", 17, 0x11, REASON_FIELD_VALUE, NOTIFY_TYPE_INVALID_MINOR_VERSION, "header", "minor", 17, 1, 0 },
	{ "delete", 18, 77, REASON_FIELD_UNKNOWN, NOTIFY_TYPE_INVALID_EXCHANGE_TYPE, "header", "xchg", 18, 77, 0 },
	{ "delete", 19, 0x41, REASON_FIELD_UNKNOWN, NOTIFY_TYPE_INVALID_FLAGS, "header", "flags", 19, 0x41, 7 },
	{ "delete", 27, 71, REASON_LENGTH_MISMATCH, NOTIFY_TYPE_UNEQUAL_PAYLOAD_LENGTHS,
	  "header", "length", 24, 71, 72 },
	{ "delete", 27, 27, REASON_LENGTH_MISMATCH, NOTIFY_TYPE_UNEQUAL_PAYLOAD_LENGTHS, "header", "length", 24, 27, 72 },
	{ "delete", 24, 0xff, REASON_LENGTH_MISMATCH, NOTIFY_TYPE_UNEQUAL_PAYLOAD_LENGTHS,
	  "header", "length", 24, 0xff000048, 72 },
	{ "delete", 16, PAYLOAD_TYPE_P, REASON_PAYLOAD_UNKNOWN, NOTIFY_TYPE_INVALID_PAYLOAD_TYPE,
	  "message", "np", 16, 2, 0 },
	{ "delete", 28, 15, REASON_PAYLOAD_UNKNOWN, NOTIFY_TYPE_INVALID_PAYLOAD_TYPE, "message", "np", 28, 15, 0 },
	{ "delete", 31, 3, REASON_LENGTH_MISMATCH, NOTIFY_TYPE_PAYLOAD_MALFORMED, "D", "length", 30, 3, 4 },
	{ "delete", 31, 45, REASON_LENGTH_MISMATCH, NOTIFY_TYPE_PAYLOAD_MALFORMED, "D", "length", 30, 45, 44 },
	{ "delete", 31, 11, REASON_FIELD_TRUNCATED, NOTIFY_TYPE_PAYLOAD_MALFORMED, "D", "doi", 32, 7, 8 },
	{ "delete", 35, 9, REASON_FIELD_VALUE, NOTIFY_TYPE_DOI_NOT_SUPPORTED, "D", "doi", 32, 9, DOI_ID_ISAKMP },
	{ "delete", 36, 0, REASON_FIELD_UNKNOWN, NOTIFY_TYPE_INVALID_PROTOCOL_ID, "D", "protocol", 36, 0, 0 },
	{ "delete", 36, PROTOCOL_ID_ESP, REASON_RULE_BROKEN, NOTIFY_TYPE_INVALID_SPI, "D", "spi_size", 37, 16, 4 },
	{ "delete", 37, 0, REASON_FIELD_RANGE, NOTIFY_TYPE_INVALID_SPI, "D", "spi_size", 37, 0, 1 },
	{ "delete", 37, 17, REASON_FIELD_RANGE, NOTIFY_TYPE_INVALID_SPI, "D", "spi_size", 37, 17, 16 },
	{ "delete", 37, 5, REASON_LENGTH_MISMATCH, NOTIFY_TYPE_INVALID_SPI, "D", "spis", 40, 32, 30 },
	{ "delete", 38, 0xff, REASON_COUNT_MISMATCH, NOTIFY_TYPE_PAYLOAD_MALFORMED, "D", "n_spis", 38, 0xff02, 2 },
	{ "notify", 38, 17, REASON_FIELD_RANGE, NOTIFY_TYPE_INVALID_SPI, "N", "spi_size", 37, 17, 16 },
	{ "transforms", 35, 0, REASON_FIELD_VALUE, NOTIFY_TYPE_DOI_NOT_SUPPORTED, "SA", "doi", 32, 0, 1 },
	{ "transforms", 39, 3, REASON_FIELD_VALUE, NOTIFY_TYPE_SITUATION_NOT_SUPPORTED, "SA", "situation", 36, 3, 1 },
	{ "transforms", 40, PAYLOAD_TYPE_T, REASON_FIELD_VALUE, NOTIFY_TYPE_INVALID_PAYLOAD_TYPE, "P", "np", 40, 3, 2 },
	{ "transforms", 40, PAYLOAD_TYPE_P, REASON_FIELD_TRUNCATED, NOTIFY_TYPE_BAD_PROPOSAL_SYNTAX,
	  "P", "np", 122, 0, 4 },
	{ "transforms", 45, 99, REASON_FIELD_UNKNOWN, NOTIFY_TYPE_INVALID_PROTOCOL_ID, "P", "protocol", 45, 99, 0 },
	{ "transforms", 45, PROTOCOL_ID_ESP, REASON_RULE_BROKEN, NOTIFY_TYPE_INVALID_SPI, "P", "spi_size", 46, 0, 4 },
	{ "transforms", 46, 17, REASON_FIELD_RANGE, NOTIFY_TYPE_INVALID_SPI, "P", "spi_size", 46, 17, 16 },
	{ "transforms", 47, 65, REASON_LIMIT_EXCEEDED, NOTIFY_TYPE_BAD_PROPOSAL_SYNTAX,
	  "P", "n_transforms", 47, 65, LIMIT_TRANSFORMS },
	{ "transforms", 47, 1, REASON_COUNT_MISMATCH, NOTIFY_TYPE_BAD_PROPOSAL_SYNTAX, "P", "n_transforms", 47, 1, 2 },
	{ "transforms", 48, 0, REASON_TRAILING_OCTETS, NOTIFY_TYPE_BAD_PROPOSAL_SYNTAX, "T", "T", 87, 35, 0 },
	{ "transforms", 56, 0, REASON_ATTRIBUTE_FORM, NOTIFY_TYPE_ATTRIBUTES_NOT_SUPPORTED,
	  "T", "ENCRYPTION_ALGORITHM", 56, 7, 2 },
	{ "transforms", 61, 1, REASON_ATTRIBUTE_TWICE, NOTIFY_TYPE_ATTRIBUTES_NOT_SUPPORTED,
	  "T", "ENCRYPTION_ALGORITHM", 60, 1, 1 },
	{ "transforms", 77, 13, REASON_RULE_BROKEN, NOTIFY_TYPE_ATTRIBUTES_NOT_SUPPORTED,
	  "T", "LIFE_DURATION", 80, 12, 11 },
	{ "transforms", 83, 4, REASON_FIELD_TRUNCATED, NOTIFY_TYPE_ATTRIBUTES_NOT_SUPPORTED,
	  "T", "LIFE_DURATION", 80, 3, 4 },
};

START_TEST(one_wrong)
{
	static struct message m;
	const struct wrong *w = &wrongs[_i];
	const struct sound *s = sound(w->title);
	struct fault f;
	uint8_t b[HEX_MAX];

	memcpy(b, s->p, s->n);
	b[w->at] = w->value;
	if (strcmp(w->title, "notify") == 0) {	/* its SPI size stands one octet before */
		b[w->at] = s->p[w->at];
		b[w->at - 1] = w->value;
	}
	ck_assert(!parse(b, s->n, false, &m, &f));
	ck_assert_uint_eq(f.reason, w->reason);
	ck_assert_uint_eq(f.notify, w->notify);
	ck_assert_str_eq(f.where, w->where);
	ck_assert_str_eq(f.field, w->field);
	ck_assert_uint_eq(f.offset, w->offset);
	ck_assert_uint_eq(f.got, w->got);
	ck_assert_uint_eq(f.want, w->want);
}
END_TEST

/* Reserved octets are observed, an unknown type or value of an open registry is kept. */
START_TEST(let_pass)
{
	static struct message m;
	const struct sound *s = sound("transforms");
	struct fault f;
	struct payload_P p;
	struct payload_T t;
	struct attribute a;
	struct span proposals, transforms, attrs;
	uint8_t b[HEX_MAX];

	memcpy(b, s->p, s->n);
	b[29] = 0x55;			/* reserved of the SA */
	b[57] = 99;			/* ENCRYPTION_ALGORITHM becomes an unknown type */
	b[63] = 200;			/* a hash that nobody knows */
	ck_assert(parse_header(span_of(b, s->n), 0, &m.header, &f));
	ck_assert(parse_chain(&m, span_of(b, s->n), false, &f));
	ck_assert(m.payloads[0].u.SA.lax);
	proposals = m.payloads[0].u.SA.proposals;
	ck_assert(next_P(&proposals, &p));
	ck_assert(!p.lax);
	transforms = p.transforms;
	ck_assert(next_T(&transforms, p.protocol, &t));
	attrs = t.attrs;
	ck_assert(next_attribute(&attrs, &a));
	ck_assert_uint_eq(a.type, 99);
	ck_assert(next_attribute(&attrs, &a));
	ck_assert_uint_eq(a.number, 200);
}
END_TEST

/* ---- limits ------------------------------------------------------------------------------------ */

static struct emit_attribute many_attributes[LIMIT_ATTRIBUTES + 1];
static struct emit_T many_transforms[LIMIT_TRANSFORMS + 1];
static struct emit_P many_proposals[LIMIT_PROPOSALS + 1];
static uint8_t room[65536];

static bool sa_of(size_t proposals, size_t transforms, size_t attributes, struct fault *f)
{
	struct emit_SA sa = { .proposals = many_proposals, .n_proposals = proposals };
	struct writer w = writer_on(room, sizeof(room));
	struct payload_SA out;

	for (size_t i = 0; i < attributes; i++)
		many_attributes[i] = (struct emit_attribute){ .type = (uint16_t)(1000 + i), .number = i };
	for (size_t i = 0; i < transforms; i++)
		many_transforms[i] = (struct emit_T){ .number = (uint8_t)i, .id = ISAKMP_TRANSFORM_IKE,
						      .attrs = many_attributes, .n_attrs = attributes };
	for (size_t i = 0; i < proposals; i++)
		many_proposals[i] = (struct emit_P){ .number = (uint8_t)i, .protocol = PROTOCOL_ID_ISAKMP,
						     .transforms = many_transforms, .n_transforms = transforms };
	emit_SA(&w, PAYLOAD_TYPE_NONE, &sa);
	ck_assert(!w.overflow);
	memset(f, 0, sizeof(*f));
	return parse_SA(writer_span(&w), 0, &out, f);
}

START_TEST(limits)
{
	struct fault f;

	ck_assert(sa_of(1, 1, LIMIT_ATTRIBUTES, &f));
	ck_assert(!sa_of(1, 1, LIMIT_ATTRIBUTES + 1, &f));
	ck_assert_uint_eq(f.reason, REASON_LIMIT_EXCEEDED);
	ck_assert(sa_of(1, LIMIT_TRANSFORMS, 1, &f));
	ck_assert(!sa_of(1, LIMIT_TRANSFORMS + 1, 1, &f));
	ck_assert_uint_eq(f.reason, REASON_LIMIT_EXCEEDED);
	ck_assert_str_eq(f.field, "n_transforms");
	ck_assert(sa_of(LIMIT_PROPOSALS, 1, 1, &f));
	ck_assert(!sa_of(LIMIT_PROPOSALS + 1, 1, 1, &f));
	ck_assert_uint_eq(f.reason, REASON_LIMIT_EXCEEDED);
}
END_TEST

START_TEST(payloads_per_message)
{
	static struct message m;
	struct emit_header h = { .icookie = span_of(cookie, 8), .xchg = EXCHANGE_TYPE_INFORMATIONAL };
	struct emit_VID vid = { .id = span_of(octets, 4) };
	struct fault f;

	for (size_t n = LIMIT_PAYLOADS_PER_MESSAGE - 1; n <= LIMIT_PAYLOADS_PER_MESSAGE + 1; n++) {
		struct writer w = writer_on(room, sizeof(room));

		emit_header(&w, PAYLOAD_TYPE_VID, &h);
		for (size_t i = 1; i <= n; i++)
			emit_VID(&w, i < n ? PAYLOAD_TYPE_VID : PAYLOAD_TYPE_NONE, &vid);
		patch_u32(&w, HEADER_OFFSET_LENGTH, (uint32_t)w.n);
		ck_assert_int_eq(parse(w.p, w.n, false, &m, &f), n <= LIMIT_PAYLOADS_PER_MESSAGE);
	}
	ck_assert_uint_eq(f.reason, REASON_LIMIT_EXCEEDED);
	ck_assert_uint_eq(f.notify, NOTIFY_TYPE_PAYLOAD_MALFORMED);
}
END_TEST

START_TEST(padding)
{
	static struct message m;
	const struct sound *s = sound("notify");
	struct fault f;
	uint8_t b[HEX_MAX] = { 0 };

	memcpy(b, s->p, s->n);
	for (size_t extra = 0; extra <= LIMIT_PADDING_OCTETS + 1; extra++) {
		set_length(b, s->n + extra);
		ck_assert_int_eq(parse(b, s->n + extra, true, &m, &f), extra <= LIMIT_PADDING_OCTETS);
		ck_assert_int_eq(parse(b, s->n + extra, false, &m, &f), extra == 0);
		if (extra == 0)
			continue;
		ck_assert_uint_eq(f.reason, REASON_TRAILING_OCTETS);
		ck_assert_uint_eq(f.offset, s->n);
		ck_assert_uint_eq(f.got, extra);
	}
}
END_TEST

int main(void)
{
	FILE *f = captures();
	Suite *s;
	TCase *c;

	if (f == NULL) {
		printf("SKIP: no captures/isakmp-bytes.txt: set TESTDATA to the directory tests/ of the source\n");
		return 77;
	}
	fclose(f);
	s = suite_create("payloads");
	c = tcase_create("payloads");
	suite_add_tcase(s, c);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_set_timeout(c, 120);
	tcase_add_test(c, captured);
	tcase_add_test(c, captured_fields);
	tcase_add_test(c, truncated);
	tcase_add_test(c, mutated);
	tcase_add_loop_test(c, one_wrong, 0, (int)(sizeof(wrongs) / sizeof(wrongs[0])));
	tcase_add_test(c, let_pass);
	tcase_add_test(c, limits);
	tcase_add_test(c, payloads_per_message);
	tcase_add_test(c, padding);
	return run_suite(s);
}
