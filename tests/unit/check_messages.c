/* check_messages.c -- what an action reads of a message and what is written of its answer. */
#include <check.h>
#include <stdlib.h>

#include "engine/shape.h"
#include "generated/keys.h"
#include "samples.h"
#include "suite.h"

/* ---- binding ------------------------------------------------------------ */

static struct message *matched_sample(const struct message_desc *d, uint32_t allowed, const char *text)
{
	struct message *m = &sample_of(text, 0)->message;
	struct fault f = { 0 };
	uint32_t matched;
	char expected[64];

	ck_assert(shape_match(d, allowed, m, &matched, &f, expected, sizeof(expected)));
	return m;
}

START_TEST(second_identity_is_the_responders)
{
	struct message *m = matched_sample(&message_QI1, NOPFS, "HASH SA NONCE N ID/tcp ID/500");
	struct in_QI1 in;

	bind_QI1(m, &in);
	ck_assert_ptr_eq(in.message, m);
	ck_assert_ptr_eq(in.HASH_1, &m->payloads[0].u.HASH);
	ck_assert_uint_eq(in.n_SAi, 1);
	ck_assert_ptr_eq(in.SAi[0], &m->payloads[1].u.SA);
	ck_assert_ptr_eq(in.Ni, &m->payloads[2].u.NONCE);
	ck_assert_ptr_null(in.KEi);
	ck_assert_ptr_eq(in.IDci, &m->payloads[4].u.ID);
	ck_assert_ptr_eq(in.IDcr, &m->payloads[5].u.ID);
	ck_assert_uint_eq(in.IDci->protocol, 6);
	ck_assert_uint_eq(in.IDcr->port, 500);
	ck_assert_uint_eq(in.n_NATOA, 0);
}
END_TEST

START_TEST(one_name_twice_is_one_array)
{
	struct message *m = matched_sample(&message_MI2, PSK, "NATD NATD NATD NONCE KE");
	struct in_MI2 in;

	bind_MI2(m, &in);
	ck_assert_uint_eq(in.n_NATD, 3);
	for (int i = 0; i < 3; i++)
		ck_assert_ptr_eq(in.NATD[i], &m->payloads[i].u.NATD);
	ck_assert_ptr_eq(in.Ni, &m->payloads[3].u.NONCE);
	ck_assert_ptr_eq(in.KEi, &m->payloads[4].u.KE);
}
END_TEST

/* ---- emission ----------------------------------------------------------- */

/* Write a message, read it back, match it with its own shape; emitted says where each payload is. */
static struct message *written(const struct message_desc *d, uint32_t variant, const void *out,
			       const char *slots)
{
	static struct sample s;
	struct writer w = writer_on(s.bytes, sizeof(s.bytes));
	struct emitted e = { .n = 99 };
	struct fault f = { 0 };
	uint32_t matched;
	char expected[64];

	d->emit(&w, variant, out, 32, &e);
	ck_assert(!w.overflow);
	w.p[HEADER_OFFSET_ICOOKIE] = 1;
	memset(&s.message, 0, sizeof(s.message));
	read_sample(&s, w.n, false);
	ck_assert_uint_eq(s.message.header.length, w.n);
	ck_assert_uint_eq(s.message.header.flags,
			  d->protection == PROTECTION_CLEAR ? 0 : HEADER_FLAGS_ENCRYPTION);
	ck_assert_msg(shape_match(d, variant, &s.message, &matched, &f, expected, sizeof(expected)),
		      "%s: %s", d->name, f.field);
	ck_assert_uint_eq(matched, variant);
	ck_assert_str_eq(slots_of(d, &s.message), slots);
	ck_assert_uint_eq(e.n, s.message.n);
	for (uint16_t i = 0; i < e.n; i++) {
		ck_assert_uint_eq(e.at[i].slot, s.message.payloads[i].slot);
		ck_assert_uint_eq(e.at[i].offset, s.message.payloads[i].u.common.offset);
		ck_assert_uint_eq(e.at[i].length, s.message.payloads[i].u.common.whole.n);
	}
	return &s.message;
}

static const struct emit_VID vids[2] = { { .id = { octets, 16 } }, { .id = { octets, 8 } } };
static const struct emit_NATD natds[2] = { { .hash = { octets, 20 } }, { .hash = { octets, 20 } } };

START_TEST(messages_of_main_mode)
{
	struct out_MI1 mi1 = { .SAi = { ike_proposal, 1 }, .VID = vids, .n_VID = 2 };
	struct out_MI2 mi2 = { .KEi.data = OCTETS(32), .Ni.data = OCTETS(16), .NATD = natds, .n_NATD = 2 };
	struct out_MR2 mr2 = { .KEr.data = OCTETS(32), .Nr.data = OCTETS(16) };
	struct out_MI3 mi3 = { .IDii = { .type = ID_TYPE_FQDN, .data = OCTETS(9) },
			       .SIG_I.data = OCTETS(64) };
	const struct emit_CERT cert = { .encoding = 4, .data = OCTETS(9) };

	ck_assert_uint_eq(written(&message_MI1, 0, &mi1, "SAi . .")->header.xchg,
			  EXCHANGE_TYPE_IDENTITY_PROTECT);
	written(&message_MI2, PSK, &mi2, "KEi Ni NATD NATD");
	written(&message_MR2, SIG, &mr2, "KEr Nr");
	ck_assert_uint_eq(written(&message_MI3, PSK, &mi3, "IDii HASH_I")->payloads[1].u.HASH.data.n, 32);
	written(&message_MI3, SIG, &mi3, "IDii SIG_I");
	mi3.CERT = &cert;
	mi3.n_CERT = 1;
	written(&message_MI3, SIG, &mi3, "IDii CERT SIG_I");
}
END_TEST

START_TEST(messages_of_quick_mode)
{
	const struct emit_SA sa = { one_proposal, 1 }, group = { group_proposal, 1 };
	const struct emit_ID id = { .type = ID_TYPE_IPV4_ADDR, .data = OCTETS(4) };
	struct out_QI1 qi1 = { .SAi = &sa, .n_SAi = 1, .Ni.data = OCTETS(16), .KEi.data = OCTETS(32),
			       .IDci = id, .IDcr = id };
	struct out_QI2 qi2 = { 0 };

	ck_assert_uint_eq(written(&message_QI1, NOPFS, &qi1, "HASH_1 SAi Ni")->header.xchg,
			  EXCHANGE_TYPE_QUICK);
	qi1.has_IDci = true;
	written(&message_QI1, NOPFS, &qi1, "HASH_1 SAi Ni IDci IDcr");
	qi1.SAi = &group;
	written(&message_QI1, PFS, &qi1, "HASH_1 SAi Ni KEi IDci IDcr");
	written(&message_QI2, NOPFS, &qi2, "HASH_3");
}
END_TEST

START_TEST(messages_of_informational)
{
	const struct emit_N n = { .doi = DOI_ID_IPSEC, .protocol = PROTOCOL_ID_ESP,
				  .type = NOTIFY_TYPE_INVALID_SPI, .spi = OCTETS(4) };
	const struct span spi = OCTETS(4);
	const struct emit_D d = { .doi = DOI_ID_IPSEC, .protocol = PROTOCOL_ID_ESP,
				  .spis = &spi, .n_spis = 1 };
	struct out_NFY nfy = { .N = &n, .n_N = 1 };
	struct out_INF inf = { .N = &n, .n_N = 1, .D = &d, .n_D = 1 };

	written(&message_NFY, 0, &nfy, "N");
	written(&message_INF, 0, &inf, "HASH_1 N D");
}
END_TEST

START_TEST(too_much_overflows)
{
	struct emit_VID many[65];
	struct out_MI1 out = { .SAi = { ike_proposal, 1 }, .VID = many, .n_VID = 63 };
	uint8_t room[8192];
	struct writer w = writer_on(room, sizeof(room));
	struct emitted e;
	size_t full;

	for (size_t i = 0; i < 65; i++)
		many[i] = vids[0];
	message_MI1.emit(&w, 0, &out, 0, &e);
	ck_assert(!w.overflow);
	ck_assert_uint_eq(e.n, 64);
	out.n_VID = 65;
	w = writer_on(room, sizeof(room));
	message_MI1.emit(&w, 0, &out, 0, &e);
	ck_assert(w.overflow);
	out.n_VID = 1;
	w = writer_on(room, sizeof(room));
	message_MI1.emit(&w, 0, &out, 0, &e);
	full = w.n;
	for (size_t cap = 0; cap < full; cap++) {
		w = writer_on(room, cap);
		message_MI1.emit(&w, 0, &out, 0, &e);
		ck_assert(w.overflow);
		ck_assert_uint_le(w.n, cap);
	}
}
END_TEST

/* ---- what the tables say ------------------------------------------------- */

START_TEST(values_that_a_message_gives)
{
	ck_assert_uint_eq(message_MI1.slots[SLOT_MI1_SAi].capture, KEY_SAI_B);
	ck_assert_uint_eq(message_MI2.slots[SLOT_MI2_KEi].capture, KEY_KEI_B);
	ck_assert_uint_eq(message_MR2.slots[SLOT_MR2_Nr].capture, KEY_NR_B);
	ck_assert_uint_eq(message_MI3.slots[SLOT_MI3_IDii].capture, KEY_IDII_B);
	ck_assert_uint_eq(message_MI3.slots[SLOT_MI3_HASH_I].hash, KEY_HASH_I);
	ck_assert(!message_MI3.slots[SLOT_MI3_HASH_I].signature);
	ck_assert_uint_eq(message_MR3.slots[SLOT_MR3_SIG_R].hash, KEY_HASH_R);
	ck_assert(message_MR3.slots[SLOT_MR3_SIG_R].signature);
	ck_assert_uint_eq(message_QI1.slots[SLOT_QI1_SAi].capture, KEY_NONE);
	ck_assert(message_QI1.slots[SLOT_QI1_SAi].repeated);
	ck_assert_uint_eq(message_QI2.slots[SLOT_QI2_HASH_3].hash, KEY_HASH_3);
	ck_assert_int_eq(message_NFY.protection, PROTECTION_CLEAR);
	ck_assert_int_eq(message_INF.protection, PROTECTION_ENCRYPTED);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("generated/messages");
	TCase *t = tcase_create("shapes");

	suite_add_tcase(s, t);
	tcase_add_test(t, second_identity_is_the_responders);
	tcase_add_test(t, one_name_twice_is_one_array);
	tcase_add_test(t, messages_of_main_mode);
	tcase_add_test(t, messages_of_quick_mode);
	tcase_add_test(t, messages_of_informational);
	tcase_add_test(t, too_much_overflows);
	tcase_add_test(t, values_that_a_message_gives);
	return run_suite(s);
}
