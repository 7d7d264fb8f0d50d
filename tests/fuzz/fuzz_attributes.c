/* fuzz_attributes.c -- a protocol number and any octets as a transform: its attributes read, printed, written again. */
#include <stdlib.h>

#include "base/text.h"
#include "generated/payloads.h"
#include "generated/names.h"
#include "generated/reasons.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* For replay.c: the groups of tests/vectors whose payloads are inputs. */
extern const char fuzz_vectors[];
const char fuzz_vectors[] = "Payload";

#define MANY 64

static void require(bool ok)
{
	if (!ok)
		abort();
}

/* Written again from its numbers a sound list is sound, and says the same. */
static void write_again(const struct attribute_table *t, struct span list)
{
	static uint8_t room[1 << 17];
	struct writer w = writer_on(room, sizeof(room));
	struct emit_attribute again[MANY];
	struct attribute_trouble bad;
	struct span rest = list, copy;
	struct attribute a, b;
	size_t n = 0;

	while (next_attribute(&rest, &a)) {
		const struct attribute_desc *d = attribute_find(t, a.type);
		/* Octets may come as TV, too, and are written as TLV. */
		bool number = d == NULL ? a.basic : d->basic || d->integer;

		require(n < MANY && a.value.p >= list.p && a.value.p + a.value.n <= list.p + list.n);
		again[n++] = (struct emit_attribute){ .type = a.type, .number = number ? a.number : 0,
						      .value = number ? span_of(NULL, 0) : a.value };
	}
	require(rest.n == 0);
	attributes_emit(&w, t, again, n);
	require(!w.overflow);
	copy = span_of(w.p, w.n);
	require(attributes_check(t, copy, LIMIT_ATTRIBUTES, &bad) == ATTRIBUTE_OK);
	for (rest = list; next_attribute(&rest, &a);)
		require(next_attribute(&copy, &b) && a.type == b.type && a.number == b.number);
	require(copy.n == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t protocol = size == 0 ? 0 : data[0];
	const struct attribute_table *t = attribute_table(protocol);
	struct span transform = size == 0 ? span_of(NULL, 0) : span_of(data + 1, size - 1);
	struct span list = span_from(transform, 8);
	struct attribute_trouble bad = { 0 };
	struct fault f = { 0 };
	struct payload_T out;
	static char room[1 << 16];
	struct text text = text_on(room, sizeof(room));

	if (attributes_check(t, list, LIMIT_ATTRIBUTES, &bad) == ATTRIBUTE_OK)
		write_again(t, list);
	else
		require(bad.name != NULL && bad.offset < list.n);
	attributes_print(&text, t, list, 2);
	if (parse_T(transform, 0, protocol, &out, &f))
		print_T(&text, &out);
	else
		require(f.reason != REASON_NONE && f.offset <= size);
	return 0;
}
