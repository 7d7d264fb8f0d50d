/* check_names.c -- registries, data attributes and reasons: every number printable, every text escaped. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "generated/payloads.h"
#include "generated/reasons.h"
#include "must.h"
#include "suite.h"

/* ---- registries -------------------------------------------------------------------------------- */

static uint32_t greatest(const struct registry *r)
{
	return r->bits >= 32 ? UINT32_MAX : (UINT32_C(1) << r->bits) - 1;
}

START_TEST(every_number)
{
	const struct registry *r = registries[_i];
	uint32_t top = greatest(r) > 65535 ? 65535 : greatest(r);
	char dst[REGISTRY_TEXT];

	for (uint32_t v = 0; v <= top; v++) {
		const struct registry_entry *e = registry_find(r, v);
		const char *name = registry_name(r, v, dst);
		bool named = e != NULL && e->kind == REGISTRY_NAMED;

		if (e != NULL)
			must(e->lo <= v && v <= e->hi, "%u is found as %u to %u", v, e->lo, e->hi);
		if (named)
			must(strcmp(name, e->logged) == 0, "%u is %s, not %s", v, name, e->logged);
		else
			must(strncmp(name, "\?\?", 2) == 0, "%u without a name is %s", v, name);
		must(strlen(registry_symbol(r, v, dst)) > 0, "%u has no symbol", v);
		must(registry_admits(r, v) == (named || !r->closed), "whether %u may be is wrong", v);
	}
	registry_name(r, UINT32_MAX, dst);
}
END_TEST

START_TEST(entries_in_order)
{
	const struct registry *r = registries[_i];

	for (size_t i = 0; i < r->n; i++) {
		const struct registry_entry *e = &r->entries[i];

		ck_assert_uint_le(e->lo, e->hi);
		ck_assert_uint_le(e->hi, greatest(r));
		if (i > 0)
			ck_assert_uint_lt(r->entries[i - 1].hi, e->lo);
		if (e->kind != REGISTRY_NAMED || e->alias)
			continue;
		ck_assert_ptr_eq(registry_by_symbol(r, e->symbol), e);
		ck_assert_uint_eq(registry_canonical(r, e->lo), e->lo);
	}
}
END_TEST

START_TEST(look_up)
{
	const struct registry *r = &registry_payload_type;
	char dst[REGISTRY_TEXT];

	ck_assert_str_eq(registry_name(r, PAYLOAD_TYPE_NATD, dst), "ISAKMP_NEXT_NAT-D");
	ck_assert_str_eq(registry_symbol(r, PAYLOAD_TYPE_NATD, dst), "NATD");
	ck_assert_str_eq(registry_name(r, 77, dst), "\?\?77");
	ck_assert_str_eq(registry_symbol(r, 77, dst), "77");
	ck_assert_str_eq(registry_name(NULL, 77, dst), "\?\?77");
	ck_assert_ptr_null(registry_by_symbol(r, "NAT"));
	ck_assert_ptr_null(registry_by_word(r, span_str("")));
	ck_assert_uint_eq(registry_by_word(&registry_oakley_hash, span_str("sha"))->lo, OAKLEY_HASH_SHA);
	ck_assert_uint_eq(registry_by_word(&registry_oakley_hash, span_str("sha1"))->lo, OAKLEY_HASH_SHA);
	ck_assert_ptr_null(registry_by_word(&registry_oakley_hash, span_str("sh")));
	ck_assert_ptr_null(registry_by_word(&registry_oakley_hash, span_str("sha1,sha")));
	ck_assert_ptr_eq(registry_transform_id(PROTOCOL_ID_AH), &registry_ah_transform);
	ck_assert_ptr_eq(registry_transform_id(PROTOCOL_ID_ESP), &registry_esp_transform);
	for (uint32_t v = PROTOCOL_ID_IPCOMP + 1; v < 256; v++)
		ck_assert_ptr_null(registry_transform_id(v));
}
END_TEST

/* An alias is found and named as what it stands for, and is never sent. */
START_TEST(aliases)
{
	static const struct registry_entry entries[] = {
		{ 3, 3, REGISTRY_NAMED, "B", "X_B", NULL, NULL, 0, true },
		{ 5, 5, REGISTRY_NAMED, "A", "X_A", NULL, "a,aa", 0, false },
		{ 9, 9, REGISTRY_NAMED, "B", "X_B", NULL, NULL, 0, false },
		{ 10, 20, REGISTRY_RESERVED, NULL, NULL, NULL, NULL, 0, false },
	};
	static const struct registry r = { .name = "x", .bits = 8, .closed = true, .n = 4, .entries = entries };
	char dst[REGISTRY_TEXT];

	ck_assert_str_eq(registry_name(&r, 3, dst), "X_B");
	ck_assert_uint_eq(registry_by_symbol(&r, "B")->lo, 9);
	ck_assert_uint_eq(registry_canonical(&r, 3), 9);
	ck_assert_uint_eq(registry_canonical(&r, 5), 5);
	ck_assert_uint_eq(registry_canonical(&r, 15), 15);
	ck_assert_uint_eq(registry_canonical(&r, 99), 99);
	ck_assert(registry_admits(&r, 3));
	ck_assert(!registry_admits(&r, 15));
	ck_assert(!registry_admits(&r, 21));
	ck_assert(!registry_admits(NULL, 1));
	ck_assert_uint_eq(registry_alias(&r, 9), 3);
	ck_assert_uint_eq(registry_alias(&r, 3), 3);
	ck_assert_uint_eq(registry_alias(&r, 5), 5);
	ck_assert_uint_eq(registry_alias(&r, 99), 99);
}
END_TEST

/* The numbers of draft-ietf-ipsec-nat-t-ike-02 and -03 (3.2, 5.1, 5.2), and no others. */
START_TEST(draft_numbers)
{
	static const struct { const struct registry *r; uint32_t number, draft; } all[] = {
		{ &registry_payload_type, PAYLOAD_TYPE_NATD, 130 }, { &registry_payload_type, PAYLOAD_TYPE_NATOA, 131 },
		{ &registry_encapsulation_mode, ENCAPSULATION_MODE_UDP_TUNNEL, 61443 },
		{ &registry_encapsulation_mode, ENCAPSULATION_MODE_UDP_TRANSPORT, 61444 },
	};
	unsigned others = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		ck_assert_uint_eq(registry_alias(all[i].r, all[i].number), all[i].draft);
		ck_assert_uint_eq(registry_canonical(all[i].r, all[i].draft), all[i].number);
		ck_assert(registry_admits(all[i].r, all[i].draft));
	}
	for (uint32_t v = 0; v <= UINT16_MAX; v++)
		others += registry_canonical(&registry_encapsulation_mode, v) != v;
	for (uint32_t v = 0; v <= UINT8_MAX; v++)
		others += registry_canonical(&registry_payload_type, v) != v;
	ck_assert_uint_eq(others, sizeof(all) / sizeof(all[0]));
	ck_assert_uint_eq(registry_alias(&registry_encapsulation_mode, ENCAPSULATION_MODE_TUNNEL), ENCAPSULATION_MODE_TUNNEL);
	ck_assert_uint_eq(registry_alias(&registry_payload_type, PAYLOAD_TYPE_VID), PAYLOAD_TYPE_VID);
}
END_TEST

START_TEST(flags)
{
	char dst[256];

	for (uint32_t v = 0; v < 256; v++) {
		struct text t = text_on(dst, sizeof(dst));

		header_flags_text(&t, v);
		ck_assert_uint_gt(t.n, 0);
		ck_assert_int_eq(strstr(dst, "ISAKMP_FLAG_ENCRYPTION") != NULL, (v & HEADER_FLAGS_ENCRYPTION) != 0);
		ck_assert_int_eq(strstr(dst, "\?\?") != NULL, v > 7);
		if (v == 0)
			ck_assert_str_eq(dst, "none");
		if (v == 0x43)
			ck_assert_str_eq(dst, "ISAKMP_FLAG_ENCRYPTION+ISAKMP_FLAG_COMMIT+\?\?0x40");
	}
}
END_TEST

/* ---- data attributes --------------------------------------------------------------------------- */

static enum attribute_status check(uint32_t protocol, const char *hex, struct attribute_trouble *bad)
{
	static uint8_t dst[256];
	size_t n = 0;
	unsigned v;
	uint8_t *exact;
	enum attribute_status status;

	for (; sscanf(hex, " %2x", &v) == 1; hex += 2 + (hex[2] == ' '))
		dst[n++] = (uint8_t)v;
	exact = malloc(n == 0 ? 1 : n);
	ck_assert_ptr_nonnull(exact);
	memcpy(exact, dst, n);
	status = attributes_check(attribute_table(protocol), span_of(exact, n), LIMIT_ATTRIBUTES, bad);
	free(exact);
	return status;
}

static const struct {
	uint32_t protocol;
	const char *hex;
	enum attribute_status status;
	uint32_t offset;
	uint64_t got, want;
} lists[] = {
	{ PROTOCOL_ID_ISAKMP, "", ATTRIBUTE_OK, 0, 0, 0 },
	{ PROTOCOL_ID_ISAKMP, "80010007 800e0100", ATTRIBUTE_OK, 0, 0, 0 },
	{ PROTOCOL_ID_ISAKMP, "800b0001 000c0001 05", ATTRIBUTE_OK, 0, 0, 0 },
	{ PROTOCOL_ID_ISAKMP, "800b0001 000c0008 0102030405060708", ATTRIBUTE_OK, 0, 0, 0 },
	{ PROTOCOL_ID_ISAKMP, "800b0001 000c0009 010203040506070809", ATTRIBUTE_FORM, 4, 9, 8 },
	{ PROTOCOL_ID_ISAKMP, "800b0001 000c0000", ATTRIBUTE_FORM, 4, 0, 1 },
	{ PROTOCOL_ID_ISAKMP, "800b0001 800c0005 800b0002 800c0005", ATTRIBUTE_OK, 0, 0, 0 },
	{ PROTOCOL_ID_ISAKMP, "800b0001 800c0005 800b0001 800c0005", ATTRIBUTE_TWICE, 8, 1, 1 },
	{ PROTOCOL_ID_ISAKMP, "800b0001 800c0005 800c0005", ATTRIBUTE_ORDER, 8, 12, 11 },
	{ PROTOCOL_ID_ISAKMP, "800c0005", ATTRIBUTE_ORDER, 0, 12, 11 },
	{ PROTOCOL_ID_ISAKMP, "80010007 80010007", ATTRIBUTE_TWICE, 4, 1, 1 },
	{ PROTOCOL_ID_ISAKMP, "00010002 0007", ATTRIBUTE_FORM, 0, 2, 2 },
	{ PROTOCOL_ID_ISAKMP, "00010000", ATTRIBUTE_FORM, 0, 0, 2 },
	{ PROTOCOL_ID_ISAKMP, "00060000", ATTRIBUTE_FORM, 0, 0, 1 },
	{ PROTOCOL_ID_ISAKMP, "00060003 010203", ATTRIBUTE_OK, 0, 0, 0 },
	{ PROTOCOL_ID_ISAKMP, "80010007 80", ATTRIBUTE_CUT, 4, 1, 4 },
	{ PROTOCOL_ID_ISAKMP, "80010007 000c0004 0102", ATTRIBUTE_CUT, 4, 2, 4 },
	{ PROTOCOL_ID_ISAKMP, "00ffffff", ATTRIBUTE_CUT, 0, 0, 65535 },
	{ PROTOCOL_ID_ISAKMP, "80630001 80630001 00630000", ATTRIBUTE_OK, 0, 0, 0 },
	{ PROTOCOL_ID_ESP, "80010001 00020004 00007080 80040001", ATTRIBUTE_OK, 0, 0, 0 },
	{ 250, "80010001 80010001", ATTRIBUTE_OK, 0, 0, 0 },
};

START_TEST(attribute_lists)
{
	struct attribute_trouble bad;

	ck_assert_uint_eq(check(lists[_i].protocol, lists[_i].hex, &bad), lists[_i].status);
	if (lists[_i].status == ATTRIBUTE_OK)
		return;
	ck_assert_uint_eq(bad.offset, lists[_i].offset);
	ck_assert_uint_eq(bad.got, lists[_i].got);
	ck_assert_uint_eq(bad.want, lists[_i].want);
	ck_assert_ptr_nonnull(bad.name);
}
END_TEST

/* Each type in each form: known or not, it is printed, and so is what is cut off. */
START_TEST(attribute_types)
{
	char dst[512];

	for (uint32_t type = 0; type < 65536; type++)
		for (uint32_t protocol = 0; protocol < 6; protocol++) {
			uint8_t b[8] = { (uint8_t)(type >> 8), (uint8_t)type, 0, 2, 1, 2, 3 };
			struct text t = text_on(dst, sizeof(dst));

			attributes_print(&t, attribute_table(protocol), span_of(b, 7), 4);
			must(t.n > 8, "attribute %u of protocol %u is not printed", type, protocol);
		}
}
END_TEST

static size_t emitted(uint32_t protocol, struct emit_attribute a, uint8_t *dst, bool *overflow)
{
	struct writer w = writer_on(dst, 64);

	attributes_emit(&w, attribute_table(protocol), &a, 1);
	*overflow = w.overflow;
	return w.n;
}

START_TEST(attribute_forms)
{
	static const uint8_t tv[] = { 0x80, 0x0c, 0xff, 0xff }, tlv4[] = { 0, 12, 0, 4, 0, 1, 0, 0 };
	static const uint8_t tlv5[] = { 0, 12, 0, 5, 0x12, 0x34, 0x56, 0x78, 0x9a };
	struct emit_attribute a = { .type = OAKLEY_ATTRIBUTE_LIFE_DURATION, .number = 0xffff };
	uint8_t b[64];
	bool overflow;
	size_t n;

	n = emitted(PROTOCOL_ID_ISAKMP, a, b, &overflow);
	ck_assert(!overflow && span_eq(span_of(b, n), span_of(tv, sizeof(tv))));
	a.number = 0x10000;
	n = emitted(PROTOCOL_ID_ISAKMP, a, b, &overflow);
	ck_assert(!overflow && span_eq(span_of(b, n), span_of(tlv4, sizeof(tlv4))));
	a.number = UINT64_C(0x123456789a);
	n = emitted(PROTOCOL_ID_ISAKMP, a, b, &overflow);
	ck_assert(!overflow && span_eq(span_of(b, n), span_of(tlv5, sizeof(tlv5))));
	a.number = UINT64_MAX;
	ck_assert_uint_eq(emitted(PROTOCOL_ID_ISAKMP, a, b, &overflow), 12);
	a = (struct emit_attribute){ .type = OAKLEY_ATTRIBUTE_KEY_LENGTH, .number = 0x10000 };
	emitted(PROTOCOL_ID_ISAKMP, a, b, &overflow);
	ck_assert(overflow);
	a = (struct emit_attribute){ .type = OAKLEY_ATTRIBUTE_GROUP_PRIME, .value = span_of(b, 5) };
	ck_assert_uint_eq(emitted(PROTOCOL_ID_ISAKMP, a, b + 8, &overflow), 9);
	ck_assert(!overflow);
}
END_TEST

/* ---- reasons ----------------------------------------------------------------------------------- */

START_TEST(reason_table)
{
	for (size_t i = REASON_NONE + 1; i < REASON_COUNT; i++) {
		ck_assert_uint_gt(strlen(reasons[i].name), 0);
		ck_assert_uint_gt(strlen(reasons[i].template), 0);
	}
}
END_TEST

/* Any reason may be in a fault, even one that no parser gives. */
START_TEST(faults)
{
	struct arena *a = arena_new();
	const struct refusal *r;
	struct fault f;

	for (uint16_t i = 0; i < REASON_COUNT + 2; i++) {
		fault_at(&f, i, 0, "SA", "doi", 32, 99, 1);
		r = refuse_fault(a, &f);
		ck_assert_uint_eq(r->reason, i);
		ck_assert_ptr_nonnull(r->message);
	}
	fault_at(&f, REASON_FIELD_VALUE, NOTIFY_TYPE_DOI_NOT_SUPPORTED, "SA", "doi", 32, 99, 1);
	r = refuse_fault(a, &f);
	ck_assert_str_eq(r->message, "doi of SA at octet 32 is 99, it must be 1");
	ck_assert_uint_eq(r->notify, NOTIFY_TYPE_DOI_NOT_SUPPORTED);
	ck_assert_ptr_null(r->remedy);
	fault_at(&f, REASON_FIELD_RANGE, 0, "N", "spi", UINT32_MAX, UINT64_MAX, 16);
	ck_assert_str_eq(refuse_fault(a, &f)->message,
			 "spi of N at octet 4294967295 is 18446744073709551615, the limit is 16");
	arena_free(a);
}
END_TEST

START_TEST(escaped)
{
	struct arena *a = arena_new();
	char big[5000];
	const struct refusal *r;

	r = refuse_field_value(a, "a\nb", "\x1b[2J%s%n", 1, 2, 3);
	ck_assert_str_eq(r->message, "\\x1b[2J%s%n of a\\x0ab at octet 1 is 2, it must be 3");
	r = refuse_field_value(a, NULL, NULL, 1, 2, 3);
	ck_assert_str_eq(r->message, "? of ? at octet 1 is 2, it must be 3");
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	r = refuse_field_value(a, big, big, 1, 2, 3);
	ck_assert_uint_lt(strlen(r->message), 2048);
	ck_assert_ptr_nonnull(strstr(r->message, "..."));
	arena_free(a);
}
END_TEST

/* Scripts know these numbers; they may not change. */
START_TEST(numbers_before_the_lines_of_whack)
{
	static const struct { uint32_t have, want; } codes[] = {
		{ WHACK_STATUS_COMMENT, 0 }, { WHACK_STATUS_WHACK_PROBLEM, 1 }, { WHACK_STATUS_LOG, 2 },
		{ WHACK_STATUS_LOG_SERIOUS, 3 }, { WHACK_STATUS_SUCCESS, 4 }, { WHACK_STATUS_RETRANSMISSION, 10 },
		{ WHACK_STATUS_DUPLICATE_NAME, 20 }, { WHACK_STATUS_UNKNOWN_NAME, 21 }, { WHACK_STATUS_NO_ORIENTATION, 22 },
		{ WHACK_STATUS_CLASH, 23 }, { WHACK_STATUS_NOT_LISTENING, 24 }, { WHACK_STATUS_NO_ROUTE, 25 },
		{ WHACK_STATUS_ROUTE_BUSY, 26 }, { WHACK_STATUS_BAD_ID, 27 }, { WHACK_STATUS_NO_KEY, 28 },
		{ WHACK_STATUS_NO_PEER_ADDRESS, 29 }, { WHACK_STATUS_NO_RESPONSE, 30 },
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		must(codes[i].have == codes[i].want, "%u has become %u", codes[i].want, codes[i].have);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("names");
	TCase *c = tcase_create("names");

	suite_add_tcase(s, c);
	tcase_set_timeout(c, 120);
	tcase_add_loop_test(c, every_number, 0, (int)n_registries);
	tcase_add_loop_test(c, entries_in_order, 0, (int)n_registries);
	tcase_add_test(c, look_up);
	tcase_add_test(c, aliases);
	tcase_add_test(c, draft_numbers);
	tcase_add_test(c, flags);
	tcase_add_loop_test(c, attribute_lists, 0, (int)(sizeof(lists) / sizeof(lists[0])));
	tcase_add_test(c, attribute_types);
	tcase_add_test(c, attribute_forms);
	tcase_add_test(c, reason_table);
	tcase_add_test(c, faults);
	tcase_add_test(c, escaped);
	tcase_add_test(c, numbers_before_the_lines_of_whack);
	return run_suite(s);
}
