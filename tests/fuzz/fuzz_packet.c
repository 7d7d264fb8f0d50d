/* fuzz_packet.c -- any octets as a datagram: header, payloads, the shape of every message, printing, faults in words. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/text.h"
#include "engine/shape.h"
#include "generated/message_index.h"
#include "generated/reasons.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* For replay.c: the groups of tests/vectors whose messages are inputs. */
extern const char fuzz_vectors[];
const char fuzz_vectors[] = "Message";

static void require(bool ok)
{
	if (!ok)
		abort();
}

/* A fault names what, where and an octet of the message, and its words are one printable line. */
static void check_fault(const struct fault *f, size_t size)
{
	struct arena *a = arena_new();
	const struct refusal *why;

	require(f->reason != REASON_NONE && f->reason < REASON_COUNT);
	require(f->where != NULL && f->field != NULL && f->offset <= size);
	why = refuse_fault(a, f);
	for (const char *p = why->message; *p != '\0'; p++)
		require(*p >= ' ' && *p <= '~');
	arena_free(a);
}

/* The payloads stand one behind the other, and nothing of them is outside of the message. */
static void check_payloads(const struct message *m, struct span bytes)
{
	const uint8_t *at = bytes.p + m->header.whole.n;
	static char room[1 << 16];
	struct text t = text_on(room, sizeof(room));

	print_header(&t, &m->header);
	for (uint16_t i = 0; i < m->n; i++) {
		struct span whole = payload_whole(&m->payloads[i]);

		require(whole.p == at);
		at += whole.n;
		print_payload(&t, &m->payloads[i]);
	}
	require(at + m->padding == bytes.p + bytes.n);
}

static void check_shape(const struct message_desc *d, uint32_t variants, struct message *m, size_t size)
{
	char expected[256];
	struct fault f = { 0 };
	uint32_t matched = 0;
	bool fits = shape_match(d, variants, m, &matched, &f, expected, sizeof(expected));

	for (uint16_t i = 0; i < m->n; i++) {
		uint8_t slot = m->payloads[i].slot;

		require(fits ? slot == SLOT_TOLERATED || slot < d->n_slots : slot == SLOT_NONE);
		require(!fits || slot == SLOT_TOLERATED || d->slots[slot].payload == m->payloads[i].type);
	}
	require(fits || f.reason != REASON_NONE);
	if (!fits)
		check_fault(&f, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct message m;
	struct span bytes = span_of(data, size);

	for (int decrypted = 0; decrypted < 2; decrypted++) {
		struct fault f = { 0 };

		if (!parse_header(bytes, 0, &m.header, &f) || !parse_chain(&m, bytes, decrypted == 1, &f)) {
			check_fault(&f, size);
			continue;
		}
		check_payloads(&m, bytes);
		for (size_t i = 0; i < n_message_index; i++) {
			check_shape(message_index[i], 0, &m, size);
			for (unsigned v = 0; v < VARIANT_COUNT; v++)
				check_shape(message_index[i], 1u << v, &m, size);
		}
	}
	return 0;
}
