/* fuzz_attributes.c -- a protocol number and any octets as a transform: its attributes read, printed, written again.  Behind 0
 * they are what a gateway tells in a transaction, and what it gives is read, too. */
#include <stdlib.h>

#include "base/text.h"
#include "generated/payloads.h"
#include "generated/names.h"
#include "generated/reasons.h"
#include "ike/lease.h"

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

/* Its text is for people: one line. */
static void read_lease(struct span list)
{
	struct lease *l = lease_read(list);
	struct arena *a = arena_new();

	require(l->n_dns <= LIMIT_LEASE_SERVERS && l->n_subnets <= LIMIT_LEASE_SUBNETS);
	for (const char *p = lease_text(a, l); *p != '\0'; p++)
		require(*p >= ' ' && *p <= '~');
	for (const char *p = l->banner.p; *p != '\0'; p++)
		require(*p >= ' ' && *p <= '~');
	arena_free(a);
	lease_unref(l);
}

static bool parse_config(struct text *text, struct span payload, struct fault *f)
{
	struct payload_ATTR out;

	if (!parse_ATTR(payload, 0, &out, f))
		return false;
	print_ATTR(text, &out);
	read_lease(out.attrs);
	return true;
}

static bool parse_transform(struct text *text, struct span payload, uint32_t protocol, struct fault *f)
{
	struct payload_T out;

	if (!parse_T(payload, 0, protocol, &out, f))
		return false;
	print_T(text, &out);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t protocol = size == 0 ? 0 : data[0];
	const struct attribute_table *t = protocol == 0 ? &attributes_of_config : attribute_table(protocol);
	struct span payload = size == 0 ? span_of(NULL, 0) : span_of(data + 1, size - 1);
	struct span list = span_from(payload, 8);	/* as far in both */
	struct attribute_trouble bad = { 0 };
	struct fault f = { 0 };
	static char room[1 << 16];
	struct text text = text_on(room, sizeof(room));

	if (attributes_check(t, list, LIMIT_ATTRIBUTES, &bad) == ATTRIBUTE_OK)
		write_again(t, list);
	else
		require(bad.name != NULL && bad.offset < list.n);
	attributes_print(&text, t, list, 2);
	if (!(protocol == 0 ? parse_config(&text, payload, &f) : parse_transform(&text, payload, protocol, &f)))
		require(f.reason != REASON_NONE && f.offset <= size);
	return 0;
}
