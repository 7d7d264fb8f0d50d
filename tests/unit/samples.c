/* samples.c -- messages made of payloads by name, written and read by generated code. */
#include <check.h>
#include <stdio.h>

#include "base/text.h"
#include "generated/names.h"
#include "samples.h"

const uint8_t octets[64] = { 1, 2, 3, 4 };
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

static const struct emit_attribute of_phase_1[] = {
	{ .type = OAKLEY_ATTRIBUTE_ENCRYPTION_ALGORITHM, .number = OAKLEY_ENCRYPTION_AES_CBC },
	{ .type = OAKLEY_ATTRIBUTE_KEY_LENGTH, .number = 256 },
};
static const struct emit_T ike_transforms[] = {
	{ .number = 1, .id = ISAKMP_TRANSFORM_IKE, .attrs = of_phase_1, .n_attrs = 2 },
	{ .number = 2, .id = ISAKMP_TRANSFORM_IKE, .attrs = of_phase_1, .n_attrs = 1 },
};

const struct emit_P ike_proposal[1] = {
	{ .number = 1, .protocol = PROTOCOL_ID_ISAKMP, .transforms = ike_transforms, .n_transforms = 1 },
};
static const struct emit_P ike_two[] = {
	{ .number = 1, .protocol = PROTOCOL_ID_ISAKMP, .transforms = ike_transforms, .n_transforms = 2 },
};

#define PROPOSAL(n_, t_, n_t_) \
	{ .number = (n_), .protocol = PROTOCOL_ID_ESP, .spi = { octets, 4 }, .transforms = (t_), \
	  .n_transforms = (n_t_) }

const struct emit_P one_proposal[1] = { PROPOSAL(1, transforms, 1) };
static const struct emit_P two_proposals[] = { PROPOSAL(1, transforms, 1), PROPOSAL(2, transforms, 1) };
static const struct emit_P two_transforms[] = { PROPOSAL(1, transforms, 2) };
const struct emit_P group_proposal[1] = { PROPOSAL(1, group_transforms, 1) };
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
	else if (strcmp(word, "SA/ike") == 0)
		emit_proposals(w, np, ike_proposal, 1);
	else if (strcmp(word, "SA/ike-two-transforms") == 0)
		emit_proposals(w, np, ike_two, 1);
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

void read_sample(struct sample *s, size_t n, bool decrypted)
{
	struct fault f = { 0 };

	ck_assert_msg(parse_header(span_of(s->bytes, n), 0, &s->message.header, &f) &&
		      parse_chain(&s->message, span_of(s->bytes, n), decrypted, &f),
		      "%s: %s at %u: reason %u", f.where, f.field, f.offset, f.reason);
}

struct sample *sample_of(const char *payloads, size_t padding)
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

const char *slots_of(const struct message_desc *d, const struct message *m)
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
