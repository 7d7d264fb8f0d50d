/* check_protocol.c -- frames of the control protocols: written and read again, cut off, damaged, newer than we are. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/frame.h"
#include "base/text.h"
#include "generated/control_protocol.h"
#include "generated/klips_protocol.h"
#include "generated/names.h"
#include "generated/reasons.h"
#include "suite.h"

static struct arena *arena;
static uint8_t room[4096];

static void setup(void)
{
	arena = arena_new();
}

static void teardown(void)
{
	arena_free(arena);
}

/* The frame without its length, in memory of exactly its size, until the arena is freed. */
static struct span frame(const struct writer *w)
{
	struct span s = writer_span(w);

	ck_assert(!w->overflow);
	ck_assert_uint_ge(s.n, FRAME_LENGTH + FRAME_HEAD);
	ck_assert_uint_eq(get_u32(s.p), s.n - FRAME_LENGTH);
	return span_from(s, FRAME_LENGTH);
}

static bool control(struct span s, struct control_message *out, struct fault *f)
{
	uint8_t *exact = malloc(s.n == 0 ? 1 : s.n);
	bool good;

	ck_assert_ptr_nonnull(exact);
	if (s.n > 0)
		memcpy(exact, s.p, s.n);
	good = control_get(span_of(exact, s.n), arena, out, f);
	if (!good) {
		ck_assert_uint_ne(f->reason, REASON_NONE);
		ck_assert_ptr_nonnull(f->field);
		ck_assert_uint_le(f->offset, s.n);
	}
	free(exact);
	return good;
}

static const struct control_connection sample = {
	.left = { .host = { .len = 4, .b = { 192, 0, 2, 1 } }, .ikeport = 500,
		  .client = { .addr = { .len = 4, .b = { 10, 1 } }, .bits = 16 } },
	.right = { .host = { .len = 16, .b = { 0x20, 1, 0x0d, 0xb8 } }, .ikeport = 4500, .protocol = 17, .port = 1701 },
	.psk = true, .tunnel = true, .ikelifetime = 3600, .keyingtries = 0, .dpdaction = DEAD_PEER_ACTION_RESTART,
};

static struct span connection(void)
{
	struct control_connection c = sample;
	struct writer w = writer_on(room, sizeof(room));

	c.name = span_str("road");
	c.left.id = span_str("@west");
	control_put_connection(&w, &c);
	return frame(&w);
}

START_TEST(round_trip)
{
	struct control_message m;
	const struct control_connection *c = &m.u.connection;
	struct fault f;

	ck_assert(control_get(connection(), arena, &m, &f));
	ck_assert_uint_eq(m.id, CONTROL_CONNECTION);
	ck_assert(span_eq(c->name, span_str("road")));
	ck_assert(span_eq(c->left.id, span_str("@west")));
	ck_assert_uint_eq(c->right.id.n, 0);
	ck_assert(addr_eq(&c->left.host, &sample.left.host));
	ck_assert(addr_eq(&c->right.host, &sample.right.host));
	ck_assert(subnet_eq(&c->left.client, &sample.left.client));
	ck_assert_uint_eq(c->right.client.addr.len, 0);
	ck_assert_uint_eq(c->left.ikeport, 500);
	ck_assert_uint_eq(c->right.port, 1701);
	ck_assert(c->psk && c->tunnel && !c->rsasig && !c->pfs);
	ck_assert_uint_eq(c->ikelifetime, 3600);
	ck_assert_uint_eq(c->dpdaction, DEAD_PEER_ACTION_RESTART);
}
END_TEST

START_TEST(repeated)
{
	struct klips_sa_name names[3] = { { .spi = 1, .protocol = 50 }, { .spi = 0 }, { .spi = 0xffffffff, .protocol = 51 } };
	struct klips_set_eroute e = { .token = 7, .sas = names, .n_sas = 3,
				      .src = { .addr = { .len = 4, .b = { 10 } }, .bits = 8 } };
	struct klips_message m;
	struct writer w = writer_on(room, sizeof(room));
	struct fault f;

	klips_put_set_eroute(&w, &e);
	ck_assert(klips_get(frame(&w), arena, &m, &f));
	ck_assert_uint_eq(m.u.set_eroute.n_sas, 3);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(m.u.set_eroute.sas[i].spi, names[i].spi);
		ck_assert_uint_eq(m.u.set_eroute.sas[i].protocol, names[i].protocol);
	}
	ck_assert(subnet_eq(&m.u.set_eroute.src, &e.src));
	e.n_sas = 0;
	w = writer_on(room, sizeof(room));
	klips_put_set_eroute(&w, &e);
	ck_assert(klips_get(frame(&w), arena, &m, &f));
	ck_assert_uint_eq(m.u.set_eroute.n_sas, 0);
}
END_TEST

START_TEST(wide_numbers)
{
	struct klips_done d = { .token = 0x80000001, .ok = true, .packets = UINT64_MAX, .last_used = 1 };
	struct klips_message m;
	struct writer w = writer_on(room, sizeof(room));
	struct fault f;

	klips_put_done(&w, &d);
	ck_assert(klips_get(frame(&w), arena, &m, &f));
	ck_assert_uint_eq(m.u.done.token, 0x80000001);
	ck_assert_uint_eq(m.u.done.packets, UINT64_MAX);
	ck_assert(m.u.done.ok);
}
END_TEST

/* A frame that ends early is sound only where a field ends. */
START_TEST(truncated)
{
	struct span s = connection();
	struct control_message m;
	struct fault f;
	size_t good = 0;

	for (size_t n = 0; n < s.n; n++)
		if (control(span_sub(s, 0, n), &m, &f))
			good++;
	ck_assert_uint_lt(good, 32);
}
END_TEST

START_TEST(mutated)
{
	static const uint8_t values[] = { 0, 1, 3, 4, 5, 0x7f, 0x80, 0xff };
	struct span s = connection();
	struct control_message m;
	struct fault f;
	uint8_t b[sizeof(room)];

	for (size_t at = 0; at < s.n; at++)
		for (size_t v = 0; v < sizeof(values); v++) {
			memcpy(b, s.p, s.n);
			b[at] = values[v];
			control(span_of(b, s.n), &m, &f);
			arena_reset(arena);
		}
}
END_TEST

/* Fields that a newer whack may send are passed over. */
START_TEST(unknown_field)
{
	struct control_hello h = { .pid = 77 };
	struct control_message m;
	struct writer w = writer_on(room, sizeof(room));
	struct fault f;
	size_t at;

	at = frame_begin(&w, CONTROL_VERSION, CONTROL_HELLO);
	frame_put_uint(&w, 200, 5, 8);
	frame_put_uint(&w, 3, h.pid, 4);
	frame_put_bytes(&w, 0, span_str("x"));
	frame_end(&w, at);
	ck_assert(control_get(frame(&w), arena, &m, &f));
	ck_assert_uint_eq(m.u.hello.pid, 77);
	ck_assert_uint_eq(m.u.hello.program.n, 0);
}
END_TEST

static void one_field(uint8_t version, uint8_t message, uint8_t number, struct span value, struct fault *f)
{
	struct control_message m;
	struct writer w = writer_on(room, sizeof(room));
	size_t at = frame_begin(&w, version, message);

	frame_put_bytes(&w, number, value);
	frame_end(&w, at);
	ck_assert(!control(frame(&w), &m, f));
}

START_TEST(refused)
{
	struct control_message m;
	struct fault f;

	one_field(CONTROL_VERSION + 1, CONTROL_HELLO, 1, span_str("x"), &f);
	ck_assert_uint_eq(f.reason, REASON_FIELD_VALUE);
	ck_assert_str_eq(f.field, "version");
	one_field(CONTROL_VERSION, 255, 1, span_str("x"), &f);
	ck_assert_uint_eq(f.reason, REASON_FIELD_UNKNOWN);
	ck_assert_str_eq(f.field, "message");
	one_field(CONTROL_VERSION, CONTROL_HELLO, 3, span_str("12345"), &f);
	ck_assert_uint_eq(f.reason, REASON_FIELD_VALUE);
	ck_assert_str_eq(f.field, "pid");
	ck_assert_uint_eq(f.offset, FRAME_HEAD + FRAME_FIELD_HEAD);
	ck_assert_uint_eq(f.got, 5);
	ck_assert_uint_eq(f.want, 4);
	ck_assert(!control(span_of(NULL, 0), &m, &f));
	ck_assert_uint_eq(f.reason, REASON_FIELD_TRUNCATED);
}
END_TEST

START_TEST(field_values)
{
	static const uint8_t b[20] = { 10, 1, 2, 0, 24, 10, 1, 2, 3, 24, 10, 0, 0, 0, 33 };
	struct subnet s;
	struct endpoint e;
	struct ip_addr a;
	uint64_t v;

	ck_assert(frame_get_subnet(span_of(b, 5), &s));
	ck_assert(!frame_get_subnet(span_of(b + 5, 5), &s));	/* bits beyond the mask */
	ck_assert(!frame_get_subnet(span_of(b + 10, 5), &s));	/* a mask of 33 bits */
	ck_assert(!frame_get_subnet(span_of(b, 0), &s));
	ck_assert(!frame_get_subnet(span_of(b, 4), &s));
	ck_assert(frame_get_endpoint(span_of(b, 6), &e));
	ck_assert_uint_eq(e.port, 24 << 8 | 10);
	ck_assert(!frame_get_endpoint(span_of(b, 1), &e));
	ck_assert(!frame_get_endpoint(span_of(b, 5), &e));
	ck_assert(frame_get_addr(span_of(b, 0), &a));
	ck_assert(addr_is_none(&a));
	ck_assert(!frame_get_addr(span_of(b, 5), &a));
	ck_assert(frame_get_uint(span_of(b, 2), 2, &v));
	ck_assert_uint_eq(v, 10 << 8 | 1);
	ck_assert(!frame_get_uint(span_of(b, 2), 3, &v));
}
END_TEST

/* A frame that does not fit is reported, and nothing is written behind the end. */
START_TEST(overflow)
{
	struct control_reply r = { .status = 4, .text = span_of(room, 100) };
	uint8_t small[64];

	for (size_t cap = 0; cap < sizeof(small); cap++) {
		struct writer w = writer_on(small, cap);

		memset(small, 0x5a, sizeof(small));
		control_put_reply(&w, &r);
		ck_assert(w.overflow);
		for (size_t i = cap; i < sizeof(small); i++)
			ck_assert_uint_eq(small[i], 0x5a);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("protocol");
	TCase *c = tcase_create("protocol");

	suite_add_tcase(s, c);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, round_trip);
	tcase_add_test(c, repeated);
	tcase_add_test(c, wide_numbers);
	tcase_add_test(c, truncated);
	tcase_add_test(c, mutated);
	tcase_add_test(c, unknown_field);
	tcase_add_test(c, refused);
	tcase_add_test(c, field_values);
	tcase_add_test(c, overflow);
	return run_suite(s);
}
