/* check_emit.c -- the generated emitters: each payload written and read again. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "generated/payloads.h"
#include "suite.h"

static uint8_t octets[400];
static uint8_t room[65536];

static void setup(void)
{
	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)(i + 1);
}

#define READ(NAME, ...) \
	struct payload_##NAME out; \
	struct emit_##NAME in = __VA_ARGS__; \
	struct writer w = writer_on(room, sizeof(room)); \
	struct fault f = { 0 }; \
	char dst[4096]; \
	struct text t = text_on(dst, sizeof(dst)); \
	put_zero(&w, 5); /* that it does not stand at the start changes nothing */ \
	emit_##NAME(&w, PAYLOAD_TYPE_VID, &in); \
	ck_assert(!w.overflow); \
	ck_assert_msg(parse_##NAME(span_from(writer_span(&w), 5), 5, &out, &f), "%s", f.field); \
	ck_assert_uint_eq(out.np, PAYLOAD_TYPE_VID); \
	ck_assert_uint_eq(out.offset, 5); \
	ck_assert_uint_eq(out.whole.n, w.n - 5); \
	ck_assert_uint_eq(out.body.n, w.n - 9); \
	ck_assert(!out.lax); \
	print_##NAME(&t, &out); \
	ck_assert_ptr_nonnull(strstr(dst, #NAME ", ")); \
	for (size_t n = 0; n < out.whole.n; n++) { \
		struct payload_##NAME cut; \
		ck_assert(!parse_##NAME(span_sub(out.whole, 0, n), 0, &cut, &f)); \
		ck_assert_uint_le(f.offset, n); \
	}

#define SAME(field) ck_assert(span_eq(out.field, in.field))
#define EQUAL(field) ck_assert_uint_eq(out.field, in.field)
#define BYTES(n) span_of(octets, (n))

START_TEST(round_KE) { READ(KE, { .data = BYTES(256) }) SAME(data); } END_TEST
START_TEST(round_HASH) { READ(HASH, { .data = BYTES(20) }) SAME(data); } END_TEST
START_TEST(round_SIG) { READ(SIG, { .data = BYTES(128) }) SAME(data); } END_TEST
START_TEST(round_NONCE) { READ(NONCE, { .data = BYTES(16) }) SAME(data); } END_TEST
START_TEST(round_VID) { READ(VID, { .id = BYTES(16) }) SAME(id); } END_TEST
START_TEST(round_NATD) { READ(NATD, { .hash = BYTES(20) }) SAME(hash); } END_TEST

START_TEST(round_ID)
{
	READ(ID, { .type = ID_TYPE_IPV4_ADDR_SUBNET, .protocol = 17, .port = 500, .data = BYTES(8) })
	EQUAL(type); EQUAL(protocol); EQUAL(port); SAME(data);
}
END_TEST

START_TEST(round_CERT)
{
	READ(CERT, { .encoding = CERT_ENCODING_X509_SIGNATURE, .data = BYTES(300) })
	EQUAL(encoding); SAME(data);
}
END_TEST

START_TEST(round_CR)
{
	READ(CR, { .encoding = CERT_ENCODING_X509_SIGNATURE })
	EQUAL(encoding);
	ck_assert_uint_eq(out.data.n, 0);
}
END_TEST

START_TEST(round_N)
{
	READ(N, { .doi = DOI_ID_IPSEC, .protocol = PROTOCOL_ID_ESP, .type = NOTIFY_TYPE_INVALID_SPI,
		  .spi = BYTES(4), .data = BYTES(9) })
	EQUAL(doi); EQUAL(protocol); EQUAL(type); SAME(spi); SAME(data);
	ck_assert_uint_eq(out.spi_size, 4);
}
END_TEST

START_TEST(round_D)
{
	struct span spis[3] = { BYTES(4), span_of(octets + 9, 4), span_of(octets + 77, 4) };

	READ(D, { .doi = DOI_ID_IPSEC, .protocol = PROTOCOL_ID_AH, .spis = spis, .n_spis = 3 })
	EQUAL(doi); EQUAL(protocol); EQUAL(n_spis);
	ck_assert_uint_eq(out.spi_size, 4);
	for (size_t i = 0; i < 3; i++)
		ck_assert(span_eq(span_sub(out.spis, 4 * i, 4), spis[i]));
}
END_TEST

START_TEST(round_NATOA)
{
	READ(NATOA, { .type = ID_TYPE_IPV6_ADDR, .address = BYTES(16) })
	EQUAL(type); SAME(address);
}
END_TEST

START_TEST(round_SA)
{
	static const struct emit_attribute attrs[] = {
		{ .type = IPSEC_ATTRIBUTE_ENCAPSULATION_MODE, .number = ENCAPSULATION_MODE_TUNNEL },
		{ .type = IPSEC_ATTRIBUTE_SA_LIFE_TYPE, .number = LIFE_TYPE_SECONDS },
		{ .type = IPSEC_ATTRIBUTE_SA_LIFE_DURATION, .number = 28800 },
		{ .type = IPSEC_ATTRIBUTE_SA_LIFE_TYPE, .number = LIFE_TYPE_KILOBYTES },
		{ .type = IPSEC_ATTRIBUTE_SA_LIFE_DURATION, .number = 0x123456789a },
	};
	static const struct emit_T transforms[] = {
		{ .number = 1, .id = ESP_TRANSFORM_AES_CBC, .attrs = attrs, .n_attrs = 5 },
		{ .number = 2, .id = ESP_TRANSFORM_3DES, .attrs = attrs, .n_attrs = 1 },
	};
	const struct emit_P proposals[] = {
		{ .number = 7, .protocol = PROTOCOL_ID_ESP, .spi = BYTES(4), .transforms = transforms, .n_transforms = 2 },
		{ .number = 8, .protocol = PROTOCOL_ID_AH, .spi = BYTES(4), .transforms = transforms + 1, .n_transforms = 1 },
	};
	struct payload_P p;
	struct payload_T one;
	struct attribute a;
	struct span rest, list;

	READ(SA, { .proposals = proposals, .n_proposals = 2 })
	ck_assert_uint_eq(out.n_proposals, 2);
	ck_assert_uint_eq(out.doi, DOI_ID_IPSEC);
	rest = out.proposals;
	ck_assert(next_P(&rest, &p));
	ck_assert_uint_eq(p.number, 7);
	ck_assert_uint_eq(p.n_transforms, 2);
	ck_assert(span_eq(p.spi, BYTES(4)));
	list = p.transforms;
	ck_assert(next_T(&list, p.protocol, &one));
	ck_assert_uint_eq(one.id, ESP_TRANSFORM_AES_CBC);
	list = one.attrs;
	for (size_t i = 0; i < 5; i++) {
		ck_assert(next_attribute(&list, &a));
		ck_assert_uint_eq(a.type, attrs[i].type);
		ck_assert_uint_eq(a.number, attrs[i].number);
		ck_assert_uint_eq(a.value.n, i == 4 ? 5 : 2);
		ck_assert_int_eq(a.basic, i != 4);
	}
	ck_assert(!next_attribute(&list, &a));
	ck_assert_ptr_nonnull(strstr(dst, "ESP_AES"));
	ck_assert_ptr_nonnull(strstr(dst, "SA_LIFE_DURATION: 28800"));
	ck_assert_ptr_nonnull(strstr(dst, "ENCAPSULATION_MODE_TUNNEL"));
}
END_TEST

/* What a payload cannot hold makes the output void, it is not cut down. */
START_TEST(emit_refuses)
{
	struct span uneven[2] = { BYTES(4), BYTES(5) };
	struct emit_NONCE nonce = { .data = BYTES(7) };
	struct emit_D d = { .doi = DOI_ID_IPSEC, .protocol = PROTOCOL_ID_ESP, .spis = uneven, .n_spis = 2 };
	struct emit_N n = { .spi = BYTES(17) };
	struct emit_KE big = { .data = span_of(room, sizeof(room)) };
	struct emit_header h = { .icookie = BYTES(7) };
	static uint8_t dst[2 * sizeof(room)];
	struct writer w;

#define VOID(call) w = writer_on(dst, sizeof(dst)); call; ck_assert(w.overflow)
	VOID(emit_NONCE(&w, 0, &nonce));
	nonce.data = BYTES(257);
	VOID(emit_NONCE(&w, 0, &nonce));
	VOID(emit_D(&w, 0, &d));
	d.n_spis = 0;
	VOID(emit_D(&w, 0, &d));
	VOID(emit_N(&w, 0, &n));
	VOID(emit_KE(&w, 0, &big));
	VOID(emit_header(&w, 0, &h));
}
END_TEST

#define ROUNDS(X) X(KE) X(HASH) X(SIG) X(NONCE) X(VID) X(NATD) X(ID) X(CERT) X(CR) X(N) X(D) X(NATOA) X(SA)

int main(void)
{
	Suite *s = suite_create("emit");
	TCase *c = tcase_create("emit");

	suite_add_tcase(s, c);
	tcase_add_checked_fixture(c, setup, NULL);
#define ADD(NAME) tcase_add_test(c, round_##NAME);
	ROUNDS(ADD)
	tcase_add_test(c, emit_refuses);
	return run_suite(s);
}
