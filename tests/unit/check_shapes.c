/* check_shapes.c -- which payloads each message takes, in which order, and what is said of the others. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "engine/shape.h"
#include "generated/keys.h"
#include "generated/messages.h"
#include "generated/names.h"
#include "generated/reasons.h"

#define PSK (1u << VARIANT_PSK)
#define SIG (1u << VARIANT_SIG)
#define NOPFS (1u << VARIANT_NOPFS)
#define PFS (1u << VARIANT_PFS)

static const uint8_t octets[64] = { 1, 2, 3, 4 };
#define OCTETS(n) span_of(octets, (n))

/* ---- payloads by name --------------------------------------------------- */

static const struct emit_attribute plain[] = {
	{ .type = IPSEC_ATTRIBUTE_ENCAPSULATION_MODE, .number = ENCAPSULATION_MODE_TUNNEL },
};
static const struct emit_attribute with_group[] = {
	{ .type = IPSEC_ATTRIBUTE_GROUP_DESCRIPTION, .number = OAKLEY_GROUP_MODP2048 },
	{ .type = IPSEC_ATTRIBUTE_ENCAPSULATION_MODE, .number = ENCAPSULATION_MODE_TUNNEL },
};
static const struct emit_T transforms[] = {
	{ .number = 1, .id = ESP_TRANSFORM_AES_CBC, .attrs = plain, .n_attrs = 1 },
	{ .number = 2, .id = ESP_TRANSFORM_3DES, .attrs = plain, .n_attrs = 1 },
};
static const struct emit_T group_transforms[] = {
	{ .number = 1, .id = ESP_TRANSFORM_AES_CBC, .attrs = with_group, .n_attrs = 2 },
	{ .number = 2, .id = ESP_TRANSFORM_3DES, .attrs = plain, .n_attrs = 1 },
};

#define PROPOSAL(n_, t_, n_t_) \
	{ .number = (n_), .protocol = PROTOCOL_ID_ESP, .spi = { octets, 4 }, .transforms = (t_), \
	  .n_transforms = (n_t_) }

static const struct emit_P one_proposal[] = { PROPOSAL(1, transforms, 1) };
static const struct emit_P two_proposals[] = { PROPOSAL(1, transforms, 1), PROPOSAL(2, transforms, 1) };
static const struct emit_P two_transforms[] = { PROPOSAL(1, transforms, 2) };
static const struct emit_P group_proposal[] = { PROPOSAL(1, group_transforms, 1) };
static const struct emit_P half_group[] = { PROPOSAL(1, group_transforms, 2) };

static void emit_proposals(struct writer *w, uint8_t np, const struct emit_P *p, size_t n)
{
	const struct emit_SA a = { .proposals = p, .n_proposals = n };

	emit_SA(w, np, &a);
}

static void emit_identity(struct writer *w, uint8_t np, uint8_t type, uint8_t protocol, uint16_t port,
			  size_t n)
{
	const struct emit_ID a = { .type = type, .protocol = protocol, .port = port, .data = OCTETS(n) };

	emit_ID(w, np, &a);
}

/* One payload by the word that the tests use for it; the word begins with its type. */
static void emit_word(struct writer *w, const char *word, uint8_t np)
{
	const struct span spi = OCTETS(4);

	if (strcmp(word, "SA") == 0)
		emit_proposals(w, np, one_proposal, 1);
	else if (strcmp(word, "SA/two-proposals") == 0)
		emit_proposals(w, np, two_proposals, 2);
	else if (strcmp(word, "SA/two-transforms") == 0)
		emit_proposals(w, np, two_transforms, 1);
	else if (strcmp(word, "SA/group") == 0)
		emit_proposals(w, np, group_proposal, 1);
	else if (strcmp(word, "SA/half-group") == 0)
		emit_proposals(w, np, half_group, 1);
	else if (strcmp(word, "KE") == 0)
		emit_KE(w, np, &(struct emit_KE){ .data = OCTETS(32) });
	else if (strcmp(word, "NONCE") == 0)
		emit_NONCE(w, np, &(struct emit_NONCE){ .data = OCTETS(16) });
	else if (strcmp(word, "ID") == 0)
		emit_identity(w, np, ID_TYPE_IPV4_ADDR, 0, 0, 4);
	else if (strcmp(word, "ID/500") == 0)
		emit_identity(w, np, ID_TYPE_IPV4_ADDR, 17, 500, 4);
	else if (strcmp(word, "ID/17") == 0)
		emit_identity(w, np, ID_TYPE_IPV4_ADDR, 17, 0, 4);
	else if (strcmp(word, "ID/501") == 0)
		emit_identity(w, np, ID_TYPE_IPV4_ADDR, 17, 501, 4);
	else if (strcmp(word, "ID/tcp") == 0)
		emit_identity(w, np, ID_TYPE_IPV4_ADDR, 6, 0, 4);
	else if (strcmp(word, "ID/fqdn") == 0)
		emit_identity(w, np, ID_TYPE_FQDN, 0, 0, 9);
	else if (strcmp(word, "HASH") == 0)
		emit_HASH(w, np, &(struct emit_HASH){ .data = OCTETS(20) });
	else if (strcmp(word, "SIG") == 0)
		emit_SIG(w, np, &(struct emit_SIG){ .data = OCTETS(64) });
	else if (strcmp(word, "CERT") == 0)
		emit_CERT(w, np, &(struct emit_CERT){ .encoding = 4, .data = OCTETS(9) });
	else if (strcmp(word, "CR") == 0)
		emit_CR(w, np, &(struct emit_CR){ .encoding = 4 });
	else if (strcmp(word, "VID") == 0)
		emit_VID(w, np, &(struct emit_VID){ .id = OCTETS(16) });
	else if (strcmp(word, "N") == 0)
		emit_N(w, np, &(struct emit_N){ .doi = DOI_ID_IPSEC, .protocol = PROTOCOL_ID_ESP,
						.type = NOTIFY_TYPE_NO_PROPOSAL_CHOSEN });
	else if (strcmp(word, "D") == 0)
		emit_D(w, np, &(struct emit_D){ .doi = DOI_ID_IPSEC, .protocol = PROTOCOL_ID_ESP,
						.spis = &spi, .n_spis = 1 });
	else if (strcmp(word, "NATD") == 0)
		emit_NATD(w, np, &(struct emit_NATD){ .hash = OCTETS(20) });
	else if (strcmp(word, "NATOA") == 0)
		emit_NATOA(w, np, &(struct emit_NATOA){ .type = ID_TYPE_IPV4_ADDR, .address = OCTETS(4) });
	else
		ck_abort_msg("no payload \"%s\"", word);
}

static uint8_t type_of(const char *word)
{
	char name[32];
	const struct registry_entry *e;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word, "/"), word);
	e = registry_by_symbol(&registry_payload_type, name);
	ck_assert_msg(e != NULL, "no payload type \"%s\"", name);
	return (uint8_t)e->lo;
}

#define WORDS_MAX LIMIT_PAYLOADS_PER_MESSAGE

/* Cut text at blanks; the words lie in room. */
static size_t words_of(const char *text, char *room, const char *words[WORDS_MAX])
{
	size_t n = 0;

	strcpy(room, text);
	for (char *w = strtok(room, " "); w != NULL; w = strtok(NULL, " ")) {
		ck_assert_uint_lt(n, WORDS_MAX);
		words[n++] = w;
	}
	return n;
}

/* A message of these payloads, written and read back by the generated code. */
struct sample {
	uint8_t bytes[8192];
	struct message message;
};

static void read_sample(struct sample *s, size_t n, bool decrypted)
{
	struct fault f = { 0 };

	ck_assert_msg(parse_header(span_of(s->bytes, n), 0, &s->message.header, &f) &&
		      parse_chain(&s->message, span_of(s->bytes, n), decrypted, &f),
		      "%s: %s at %u: reason %u", f.where, f.field, f.offset, f.reason);
}

static struct sample *sample_of(const char *payloads, size_t padding)
{
	static struct sample s;
	static const uint8_t cookie[8] = { 7 };
	const struct emit_header header = { .icookie = { cookie, 8 },
					    .xchg = EXCHANGE_TYPE_IDENTITY_PROTECT };
	struct writer w = writer_on(s.bytes, sizeof(s.bytes));
	char room[1024];
	const char *words[WORDS_MAX];
	size_t n = words_of(payloads, room, words);

	memset(&s.message, 0, sizeof(s.message));
	emit_header(&w, n == 0 ? PAYLOAD_TYPE_NONE : type_of(words[0]), &header);
	for (size_t i = 0; i < n; i++)
		emit_word(&w, words[i], i + 1 < n ? type_of(words[i + 1]) : PAYLOAD_TYPE_NONE);
	put_zero(&w, padding);
	patch_u32(&w, HEADER_OFFSET_LENGTH, (uint32_t)w.n);
	ck_assert(!w.overflow);
	read_sample(&s, w.n, padding > 0);
	return &s;
}

/* The slots of a message in one line; "." is a tolerated payload, "?" none. */
static const char *slots_of(const struct message_desc *d, const struct message *m)
{
	static char line[1024];
	struct text t = text_on(line, sizeof(line));

	for (uint16_t i = 0; i < m->n; i++) {
		uint8_t slot = m->payloads[i].slot;

		text_add(&t, "%s%s", i == 0 ? "" : " ", slot == SLOT_TOLERATED ? "."
			 : slot < d->n_slots ? d->slots[slot].name : "?");
	}
	return line;
}

/* ---- what is taken ------------------------------------------------------ */

static const struct accepted {
	const struct message_desc *d;
	uint32_t allowed;
	const char *payloads, *slots;
	uint32_t matched;
} accepted[] = {
	{ &message_MI1, 0, "SA", "SAi", 0 },
	{ &message_MI1, 0, "SA VID N VID CR", "SAi . . . .", 0 },
	{ &message_MI1, 0, "SA/two-transforms", "SAi", 0 },
	{ &message_MR1, 0, "SA", "SAr", 0 },
	{ &message_MR1, PSK | SIG, "SA VID", "SAr .", PSK | SIG },

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
	{ &message_QI1, NOPFS, "HASH SA NONCE NATOA NATOA", "HASH_1 SAi Ni NATOAi NATOAr", NOPFS },
	{ &message_QI1, PFS, "HASH SA/group NONCE KE ID ID NATOA NATOA",
	  "HASH_1 SAi Ni KEi IDci IDcr NATOAi NATOAr", PFS },
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
	int at;			/* index of the payload to blame; -1 = the end, -2 = unsaid */
	const char *expected;	/* the list, or for shape_where the rule */
} refused[] = {
	{ &message_MI1, 0, "", REASON_SHAPE_MISSING, -1, "SAi" },
	{ &message_MI1, 0, "VID SA", REASON_SHAPE_UNEXPECTED, 0, "SAi" },
	{ &message_MI1, 0, "SA SA", REASON_SHAPE_UNEXPECTED, 1, "the end of the message" },
	{ &message_MI1, 0, "SA KE", REASON_SHAPE_UNEXPECTED, 1, "the end of the message" },
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
	{ &message_QI1, NOPFS, "HASH SA", REASON_SHAPE_MISSING, -1, "SAi, Ni, IDci or NATOAi" },
	{ &message_QI1, NOPFS, "HASH SA NONCE SA", REASON_SHAPE_UNEXPECTED, 3,
	  "IDci, NATOAi or the end of the message" },
	{ &message_QI1, NOPFS, "HASH SA NONCE ID", REASON_SHAPE_MISSING, -1, "IDcr" },
	{ &message_QI1, NOPFS, "HASH SA ID NONCE ID", REASON_SHAPE_UNEXPECTED, 3, "IDcr" },
	{ &message_QI1, NOPFS, "HASH SA NONCE ID ID ID", REASON_SHAPE_UNEXPECTED, 5,
	  "NATOAi or the end of the message" },
	{ &message_QI1, NOPFS, "HASH SA NONCE NATOA", REASON_SHAPE_MISSING, -1, "NATOAr" },
	{ &message_QI1, NOPFS, "HASH SA NONCE KE", REASON_SHAPE_UNEXPECTED, 3,
	  "IDci, NATOAi or the end of the message" },
	{ &message_QI1, PFS, "HASH SA/group NONCE", REASON_SHAPE_MISSING, -1, "KEi, IDci or NATOAi" },
	{ &message_QI1, NOPFS | PFS, "HASH SA NONCE KE", REASON_SHAPE_WHERE, -2,
	  "has(KEi) == each(SAi.proposals.transforms, GROUP_DESCRIPTION)" },
	{ &message_QI1, NOPFS | PFS, "HASH SA/group NONCE", REASON_SHAPE_WHERE, -2,
	  "has(KEi) == each(SAi.proposals.transforms, GROUP_DESCRIPTION)" },
	{ &message_QI1, NOPFS | PFS, "HASH SA/half-group NONCE KE", REASON_SHAPE_WHERE, -2,
	  "has(KEi) == each(SAi.proposals.transforms, GROUP_DESCRIPTION)" },
	{ &message_QI1, NOPFS | PFS, "HASH SA/group SA NONCE KE", REASON_SHAPE_WHERE, -2,
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
	ck_assert_ptr_null(in.NATOAi);
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
	struct out_MI1 mi1 = { .SAi = { one_proposal, 1 }, .VID = vids, .n_VID = 2 };
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
	const struct emit_D d = { .doi = DOI_ID_IPSEC, .protocol = PROTOCOL_ID_ESP, .spis = &spi, .n_spis = 1 };
	struct out_NFY nfy = { .N = &n, .n_N = 1 };
	struct out_INF inf = { .N = &n, .n_N = 1, .D = &d, .n_D = 1 };

	written(&message_NFY, 0, &nfy, "N");
	written(&message_INF, 0, &inf, "HASH_1 N D");
}
END_TEST

START_TEST(too_much_overflows)
{
	struct emit_VID many[65];
	struct out_MI1 out = { .SAi = { one_proposal, 1 }, .VID = many, .n_VID = 63 };
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
	Suite *s = suite_create("engine/shape");
	TCase *t = tcase_create("shapes");
	SRunner *r;
	int failed;

	suite_add_tcase(s, t);
	tcase_add_loop_test(t, payloads_find_their_slots, 0, N_ACCEPTED);
	tcase_add_loop_test(t, padding_is_no_payload, 0, N_ACCEPTED);
	tcase_add_loop_test(t, others_are_refused_with_what_was_expected, 0, N_REFUSED);
	tcase_add_test(t, numbers_of_a_broken_rule);
	tcase_add_test(t, expected_is_cut_to_its_room);
	tcase_add_test(t, as_many_payloads_as_there_may_be);
	tcase_add_test(t, second_identity_is_the_responders);
	tcase_add_test(t, one_name_twice_is_one_array);
	tcase_add_test(t, messages_of_main_mode);
	tcase_add_test(t, messages_of_quick_mode);
	tcase_add_test(t, messages_of_informational);
	tcase_add_test(t, too_much_overflows);
	tcase_add_test(t, values_that_a_message_gives);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
