/* check_lifetime.c -- limits of SAs: as attributes of all forms, agreed between two ends, told in notifications. */
#include <check.h>
#include <stdlib.h>

#include "generated/limits.h"
#include "generated/names.h"
#include "ike/lifetime.h"
#include "suite.h"

static struct arena *arena;

static void setup(void)
{
	arena = arena_new();
}

static void teardown(void)
{
	arena_free(arena);
}

#define ESP PROTOCOL_ID_ESP
#define LIST(...) { sizeof((uint8_t[]){ __VA_ARGS__ }), { __VA_ARGS__ } }

static const struct {
	uint8_t protocol;
	struct { size_t n; uint8_t b[40]; } list;
	uint64_t seconds, kilobytes;
} lists[] = {
	{ ESP, LIST(0x80, 1, 0, 1, 0x80, 2, 0x0e, 0x10), 3600, 0 },			/* TV */
	{ ESP, LIST(0x80, 1, 0, 1, 0, 2, 0, 4, 0, 0, 0x70, 0x80), 28800, 0 },		/* TLV of 4 octets */
	{ ESP, LIST(0x80, 1, 0, 1, 0, 2, 0, 2, 0x0e, 0x10), 3600, 0 },			/* ... of 2 */
	{ ESP, LIST(0x80, 1, 0, 1, 0, 2, 0, 8, 0, 0, 0, 0, 0, 0, 0x0e, 0x10), 3600, 0 },	/* ... of 8 */
	{ ESP, LIST(0x80, 1, 0, 2, 0, 2, 0, 4, 0, 0x46, 0x50, 0), 0, 4608000 },
	{ ESP, LIST(0x80, 1, 0, 1, 0x80, 2, 0x0e, 0x10, 0x80, 1, 0, 2, 0, 2, 0, 4, 0, 0x46, 0x50, 0), 3600, 4608000 },
	{ ESP, LIST(0x80, 1, 0, 2, 0x80, 2, 0, 99, 0x80, 1, 0, 1, 0x80, 2, 0, 88), 88, 99 },
	{ ESP, LIST(0x80, 1, 0, 1, 0x80, 2, 0, 0), 0, 0 },				/* 0: no limit */
	{ ESP, LIST(0x80, 4, 0, 1), 0, 0 },						/* none at all */
	{ ESP, LIST(0x80, 1, 0, 3, 0x80, 2, 0, 7), 0, 0 },				/* of a type that is not known */
	{ PROTOCOL_ID_ISAKMP, LIST(0x80, 11, 0, 1, 0, 12, 0, 4, 0, 1, 0x51, 0x80), 86400, 0 },
	{ PROTOCOL_ID_ISAKMP, LIST(0x80, 1, 0, 1, 0x80, 2, 0x0e, 0x10), 0, 0 },	/* those are other attributes there */
};

START_TEST(durations_are_read_in_all_forms)
{
	struct span list = span_of(lists[_i].list.b, lists[_i].list.n);
	struct life life = life_read(lists[_i].protocol, list);

	ck_assert_uint_eq(life.seconds, lists[_i].seconds);
	ck_assert_uint_eq(life.kilobytes, lists[_i].kilobytes);
}
END_TEST

static struct connection own(uint32_t seconds, uint32_t kilobytes)
{
	return (struct connection){ .policy = { .ike_life = seconds, .ipsec_life = seconds,
						.ipsec_kilobytes = kilobytes } };
}

static struct choice theirs(uint8_t protocol, uint64_t seconds, uint64_t kilobytes)
{
	return (struct choice){ .n = 1, .p = { { .protocol = protocol } },
				.life = { .seconds = seconds, .kilobytes = kilobytes } };
}

START_TEST(the_narrower_limit_counts)
{
	struct connection c = own(3600, 0), d = own(3600, 500);
	struct choice longer = theirs(ESP, 86400, 1000), shorter = theirs(ESP, 600, 100), none = theirs(ESP, 0, 0);
	struct choice ike = theirs(PROTOCOL_ID_ISAKMP, 86400, 1000);

	ck_assert_uint_eq(life_agreed(&c, &longer).seconds, 3600);
	ck_assert_uint_eq(life_agreed(&c, &longer).kilobytes, 1000);
	ck_assert_uint_eq(life_agreed(&d, &longer).kilobytes, 500);
	ck_assert_uint_eq(life_agreed(&d, &shorter).seconds, 600);
	ck_assert_uint_eq(life_agreed(&d, &shorter).kilobytes, 100);
	ck_assert_uint_eq(life_agreed(&c, &none).seconds, 3600);	/* a peer without a limit */
	ck_assert_uint_eq(life_agreed(&d, &none).kilobytes, 500);
	ck_assert_uint_eq(life_agreed(&d, &ike).seconds, 3600);
	ck_assert_uint_eq(life_agreed(&d, &ike).kilobytes, 0);
}
END_TEST

static struct payload_N received(const struct emit_N *n)
{
	static uint8_t bytes[256];
	struct writer w = writer_on(bytes, sizeof(bytes));
	struct payload_N out;
	struct fault f = { 0 };

	emit_N(&w, 0, n);
	ck_assert(!w.overflow);
	ck_assert(parse_N(writer_span(&w), 0, &out, &f));
	return out;
}

START_TEST(narrower_limits_are_told)
{
	static const uint8_t spi[] = { 1, 2, 3, 4 };
	struct span spis[CHOICE_PROTOCOLS] = { span_of(spi, 4), span_of(spi, 4), span_of(spi, 4) };
	struct connection c = own(3600, 100000);
	struct choice longer = theirs(ESP, 86400, 0), same = theirs(ESP, 600, 100000), none = theirs(ESP, 0, 0);
	struct emit_N n[CHOICE_PROTOCOLS];
	struct payload_N got;
	struct life life;

	ck_assert_uint_eq(life_notify(arena, &c, &same, spis, n), 0);
	ck_assert_uint_eq(life_notify(arena, &c, &none, spis, n), 1);
	longer.n = 2;
	longer.p[1].protocol = PROTOCOL_ID_IPCOMP;
	ck_assert_uint_eq(life_notify(arena, &c, &longer, spis, n), 1);
	got = received(&n[0]);
	ck_assert_uint_eq(got.type, NOTIFY_TYPE_RESPONDER_LIFETIME);
	ck_assert_uint_eq(got.protocol, ESP);
	ck_assert_uint_eq(got.doi, DOI_ID_IPSEC);
	ck_assert(span_eq(got.spi, spis[0]));
	ck_assert(life_notified(&got, &life));
	ck_assert_uint_eq(life.seconds, 3600);
	ck_assert_uint_eq(life.kilobytes, 100000);
}
END_TEST

START_TEST(what_cannot_be_read_is_not_honoured)
{
	static const uint8_t cut[] = { 0x80, 1, 0, 1, 0, 2, 0, 4, 0, 0 }, alone[] = { 0x80, 2, 0, 9 };
	static const uint8_t second[] = { 0x80, 1, 0, 1, 0x80, 2, 0, 1 };
	struct payload_N n = { .protocol = ESP, .type = NOTIFY_TYPE_RESPONDER_LIFETIME, .data = span_of(cut, sizeof(cut)) };
	struct life life;

	ck_assert(!life_notified(&n, &life));
	n.data = span_of(alone, sizeof(alone));
	ck_assert(!life_notified(&n, &life));
	n.data = span_of(NULL, 0);
	ck_assert(!life_notified(&n, &life));
	n.data = span_of(second, sizeof(second));
	ck_assert(life_notified(&n, &life));
	ck_assert_uint_eq(life.seconds, LIMIT_LIFE_TOLD_MIN);	/* not one second */
	n.protocol = 200;
	ck_assert(!life_notified(&n, &life));
	n.protocol = ESP;
	n.type = NOTIFY_TYPE_REPLAY_STATUS;
	ck_assert(!life_notified(&n, &life));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("lifetime");
	TCase *t = tcase_create("lifetime");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, durations_are_read_in_all_forms, 0, sizeof(lists) / sizeof(lists[0]));
	tcase_add_test(t, the_narrower_limit_counts);
	tcase_add_test(t, narrower_limits_are_told);
	tcase_add_test(t, what_cannot_be_read_is_not_honoured);
	suite_add_tcase(s, t);
	return run_suite(s);
}
