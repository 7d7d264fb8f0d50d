/* layout.c -- do the parsers and emitters of layout.spec agree with bytes written by hand? */
#include <assert.h>
#include <stdio.h>

#include "generated/payloads.h"
#include "generated/reasons.h"

static const uint8_t mix[] = {
	PAYLOAD_TYPE_NONE, 0, 0, 24,
	3, 'a', 'b', 'c',
	2,
	0, 0, 0, 0, 0, 0, 1, 2,
	0x11, 0x94,
	0, 0,
	KIND_SMALL,
	7, 8,
};

/* Is MIX with one octet changed refused for that reason? */
static bool refused(size_t at, uint8_t value, enum reason reason, const char *field)
{
	struct payload_MIX m;
	struct fault f = { 0 };
	uint8_t b[sizeof(mix)];

	memcpy(b, mix, sizeof(b));
	b[at] = value;
	return !parse_MIX(span_of(b, sizeof(b)), 0, &m, &f) && f.reason == reason &&
	       strcmp(f.field, field) == 0;
}

static void check_offset(size_t at, uint8_t value, uint32_t offset)
{
	struct payload_MIX m;
	struct fault f = { 0 };
	uint8_t b[sizeof(mix)];

	memcpy(b, mix, sizeof(b));
	b[at] = value;
	assert(!parse_MIX(span_of(b, sizeof(b)), 100, &m, &f));
	assert(f.offset == 100 + offset);
}

static void check_mix(void)
{
	struct payload_MIX m;
	struct fault f;
	struct emit_MIX e;
	uint8_t b[64];
	struct writer w = writer_on(b, sizeof(b));

	assert(parse_MIX(span_of(mix, sizeof(mix)), 0, &m, &f));
	assert(m.n == 3 && m.marks == MARKS_SECOND && m.wide == 0x102 && m.port == 4500);
	assert(m.kind == KIND_SMALL && m.rest.n == 2 && m.rest.p[1] == 8 && !m.lax);
	e = (struct emit_MIX){ .name = m.name, .marks = m.marks, .wide = m.wide, .port = m.port,
			       .kind = m.kind, .rest = m.rest };
	emit_MIX(&w, PAYLOAD_TYPE_NONE, &e);
	assert(!w.overflow && span_eq(writer_span(&w), span_of(mix, sizeof(mix))));
	assert(refused(1, 1, REASON_FIELD_VALUE, "reserved"));
	assert(refused(4, 0, REASON_FIELD_RANGE, "n"));
	assert(refused(4, 7, REASON_FIELD_RANGE, "n"));
	assert(refused(4, 6, REASON_FIELD_TRUNCATED, "marks"));
	assert(refused(8, 6, REASON_FIELD_UNKNOWN, "marks"));
	assert(refused(21, 3, REASON_FIELD_VALUE, "kind"));
	assert(refused(21, KIND_LARGE, REASON_RULE_BROKEN, "rest"));
	assert(refused(3, 23, REASON_FIELD_RANGE, "rest"));
	assert(!refused(19, 1, REASON_FIELD_VALUE, "pad"));
	check_offset(8, 6, 8);
	check_offset(21, 3, 21);
	check_offset(21, KIND_LARGE, 22);
	for (size_t n = 0; n < sizeof(mix); n++)
		assert(!parse_MIX(span_of(mix, n), 0, &m, &f) && f.offset <= n);
}

static void check_list(void)
{
	const struct emit_ITEM items[3] = { { .value = 5 }, { .value = 4000000000u }, { .value = 5 } };
	struct emit_LIST e = { .items = items };
	struct payload_LIST list;
	struct payload_ITEM item;
	struct fault f;
	uint8_t b[64];

	for (e.n_items = 0; e.n_items <= 3; e.n_items++) {
		struct writer w = writer_on(b, sizeof(b));
		struct span rest;
		size_t n = 0;

		emit_LIST(&w, PAYLOAD_TYPE_NONE, &e);
		assert(w.overflow == (e.n_items > 2));
		if (w.overflow)
			continue;
		assert(parse_LIST(writer_span(&w), 0, &list, &f));
		assert(list.count == e.n_items && list.n_items == e.n_items);
		rest = list.items;
		while (next_ITEM(&rest, &item))
			assert(item.value == items[n++].value);
		assert(n == e.n_items);
		b[4]++;
		assert(!parse_LIST(writer_span(&w), 0, &list, &f));
		assert(f.reason == REASON_COUNT_MISMATCH);
	}
}

static void check_message(void)
{
	uint8_t b[] = { 0, 0, 9, PAYLOAD_TYPE_PAIR, 0x21, 0, 16,  0, 0, 0, 9, 2, 1, 2, 3, 4 };
	struct message m;
	struct fault f;
	struct span all = span_of(b, sizeof(b));

	assert(HEADER_SIZE == 7 && HEADER_OFFSET_LENGTH == 5);
	assert(parse_header(all, 0, &m.header, &f));
	assert(m.header.high == 2 && m.header.low == 1);
	assert(parse_chain(&m, all, false, &f));
	assert(m.n == 1 && m.payloads[0].u.PAIR.n_pairs == 2);
	b[11] = 0;
	assert(!parse_chain(&m, all, false, &f) && f.reason == REASON_FIELD_ZERO);
	b[11] = 3;
	assert(!parse_chain(&m, all, false, &f) && f.reason == REASON_LENGTH_MISMATCH);
	b[2] = 0;
	assert(!parse_header(all, 0, &m.header, &f) && f.reason == REASON_FIELD_ZERO && f.offset == 0);
}

int main(void)
{
	check_mix();
	check_list();
	check_message();
	return 0;
}
