/* check_base.c -- spans, writers, arenas, text and addresses. */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/siphash.h"
#include "base/text.h"
#include "base/writer.h"
#include "base/xalloc.h"
#include "suite.h"

#define NONE ((struct span){ 0 })

/* ---- span --------------------------------------------------------------- */

START_TEST(span_sub_never_points_outside)
{
	struct span s = span_str("abcdef");

	ck_assert(span_eq(span_sub(s, 1, 2), span_str("bc")));
	ck_assert(span_eq(span_sub(s, 4, 100), span_str("ef")));
	ck_assert_uint_eq(span_sub(s, 6, 1).n, 0);
	ck_assert_uint_eq(span_sub(s, 7, SIZE_MAX).n, 0);
	ck_assert_uint_eq(span_sub(s, SIZE_MAX, SIZE_MAX).n, 0);
	ck_assert_ptr_null(span_sub(NONE, 3, 3).p);
	ck_assert(span_eq(span_from(s, 5), span_str("f")));
	ck_assert_uint_eq(span_str(NULL).n, 0);
}
END_TEST

START_TEST(spans_are_compared)
{
	ck_assert(ct_equal(span_str("abc"), span_str("abc")));
	ck_assert(ct_equal(NONE, NONE));
	ck_assert(ct_equal(NONE, span_str("")));
	ck_assert(!ct_equal(span_str("abc"), span_str("abd")));
	ck_assert(!ct_equal(span_str("abc"), span_str("Abc")));
	ck_assert(!ct_equal(span_str("abc"), span_str("abcd")));
	ck_assert(span_eq(NONE, span_str("")));
	ck_assert(!span_eq(span_str("a"), span_str("b")));
}
END_TEST

START_TEST(buf_owns_a_copy)
{
	char text[] = "secret";
	struct buf b = buf_copy(span_str(text)), empty = buf_copy(NONE), zeros = buf_new(3);

	text[0] = 'S';
	ck_assert(span_eq(span_buf(b), span_str("secret")));
	ck_assert(span_eq(span_buf(zeros), span_of("\0\0\0", 3)));
	ck_assert_uint_eq(empty.n, 0);
	buf_free(&b);
	buf_free(&b);
	buf_free(&empty);
	buf_free(&zeros);
	ck_assert_ptr_null(b.p);
	ck_assert_uint_eq(b.n, 0);
}
END_TEST

START_TEST(wipe_leaves_zeros)
{
	char text[] = "secret";

	wipe(text + 1, 4);
	wipe(NULL, 0);
	ck_assert_mem_eq(text, "s\0\0\0\0t", 6);
}
END_TEST

START_TEST(numbers_are_big_endian)
{
	static const uint8_t p[] = { 0x81, 2, 3, 4, 5, 6, 7, 8 };

	ck_assert_uint_eq(get_u16(p), 0x8102);
	ck_assert_uint_eq(get_u32(p), 0x81020304);
	ck_assert_uint_eq(get_u64(p), 0x8102030405060708);
}
END_TEST

/* ---- writer ------------------------------------------------------------- */

START_TEST(writer_puts_and_patches)
{
	uint8_t room[64];
	struct writer w = writer_on(room, sizeof(room));

	put_u8(&w, 1);
	put_u16(&w, 0x0203);
	put_u24(&w, 0x040506);
	put_u32(&w, 0x0708090a);
	put_u64(&w, 0x0b0c0d0e0f101112);
	put_uint(&w, 0xffff1314151617, 5);
	put_bytes(&w, span_str("xyz"));
	put_bytes(&w, NONE);
	put_zero(&w, 2);
	ck_assert(!w.overflow);
	ck_assert(span_eq(writer_span(&w),
			  span_of("\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\xf\x10\x11\x12"
				  "\x13\x14\x15\x16\x17xyz\0\0", 28)));
	patch_u8(&w, 0, 0xff);
	patch_u16(&w, 1, 0xfefd);
	patch_u32(&w, 24, 0xfcfbfaf9);
	ck_assert(!w.overflow);
	ck_assert_mem_eq(room, "\xff\xfe\xfd\4", 4);
	ck_assert_mem_eq(room + 24, "\xfc\xfb\xfa\xf9", 4);
}
END_TEST

START_TEST(writer_keeps_within_its_room)
{
	uint8_t room[4] = { 0, 0, 0, 0xee };
	struct writer w = writer_on(room, 3);

	put_u16(&w, 0x0102);
	put_u16(&w, 0x0304);
	ck_assert(w.overflow);
	ck_assert_uint_eq(w.n, 2);
	put_u8(&w, 5);			/* would fit, but the output is broken already */
	ck_assert_uint_eq(w.n, 2);
	ck_assert_mem_eq(room, "\1\2\0\xee", 4);

	w = writer_on(room, 3);
	put_zero(&w, SIZE_MAX);
	ck_assert(w.overflow);
	w = writer_on(room, 3);
	put_u8(&w, 1);
	put_bytes(&w, span_of(room, 3));
	ck_assert(w.overflow);
	ck_assert_uint_eq(w.n, 1);
	w = writer_on(NULL, 0);
	put_zero(&w, 0);
	put_bytes(&w, NONE);
	ck_assert(!w.overflow);
	put_u8(&w, 1);
	ck_assert(w.overflow);
}
END_TEST

START_TEST(patch_keeps_within_what_was_written)
{
	uint8_t room[8] = { 0 };
	static const size_t bad[] = { 1, 3, 4, 5, SIZE_MAX };
	struct writer w;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		w = writer_on(room, sizeof(room));
		put_zero(&w, 4);
		patch_u32(&w, bad[i], 0xffffffff);
		ck_assert(w.overflow);
		ck_assert_mem_eq(room, "\0\0\0\0\0\0\0\0", 8);
	}
}
END_TEST

/* ---- arena and xalloc --------------------------------------------------- */

static bool all_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != 0)
			return false;
	return true;
}

/* The vectors of the authors: key 00 01 .. 0f, of the octets 00 01 .. the first n. */
START_TEST(siphash_is_that_of_its_authors)
{
	static const struct { size_t n; uint64_t hash; } known[] = {
		{ 0, UINT64_C(0x726fdb47dd0e0e31) }, { 1, UINT64_C(0x74f839c593dc67fd) },
		{ 8, UINT64_C(0x93f5f5799a932462) }, { 15, UINT64_C(0xa129ca6149be45e5) },
	};
	uint8_t key[16], text[16];

	for (uint8_t i = 0; i < 16; i++)
		key[i] = text[i] = i;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		ck_assert_uint_eq(siphash(key, span_of(text, known[i].n)), known[i].hash);
	key[0] ^= 1;
	ck_assert_uint_ne(siphash(key, span_of(text, 15)), known[3].hash);
}
END_TEST

START_TEST(arena_gives_zeroed_aligned_memory)
{
	struct arena *a = arena_new();

	for (int round = 0; round < 3; round++) {
		for (size_t n = 0; n < 40000; n = n * 3 + 1) {
			uint8_t *p = arena_alloc(a, n), *q = arena_alloc(a, n);

			ck_assert_uint_eq((uintptr_t)p % 16, 0);
			ck_assert(all_zero(p, n));
			ck_assert(all_zero(q, n));
			memset(p, 0xaa, n);
			ck_assert(all_zero(q, n));
			memset(q, 0xbb, n);
			ck_assert(n == 0 || (p[0] == 0xaa && p[n - 1] == 0xaa));
		}
		arena_reset(a);
	}
	arena_free(a);
	arena_free(NULL);
}
END_TEST

START_TEST(arena_gives_pieces_of_their_own)
{
	struct arena *a = arena_new();

	ck_assert_ptr_ne(arena_alloc(a, 0), arena_alloc(a, 0));
	arena_free(a);
}
END_TEST

START_TEST(arena_copies_and_prints)
{
	struct arena *a = arena_new();
	char text[] = "abc";
	struct span copy = arena_span(a, span_str(text));
	char *str = arena_str(a, span_str(text));

	text[0] = 'x';
	ck_assert(span_eq(copy, span_str("abc")));
	ck_assert_str_eq(str, "abc");
	ck_assert_str_eq(arena_str(a, NONE), "");
	ck_assert_uint_eq(arena_span(a, NONE).n, 0);
	ck_assert_str_eq(arena_printf(a, "%s-%d", "x", 7), "x-7");
	ck_assert_str_eq(arena_printf(a, "%s", ""), "");
	ck_assert_uint_eq(strlen(arena_printf(a, "%50000d", 1)), 50000);
	arena_free(a);
}
END_TEST

START_TEST(arena_reset_wipes)
{
	struct arena *a = arena_new();
	uint8_t *p = arena_alloc(a, 100);

	memset(p, 0xaa, 100);
	arena_alloc(a, 100000);		/* a second chunk, freed by the reset */
	arena_reset(a);
	ck_assert_ptr_eq(arena_alloc(a, 100), p);
	ck_assert(all_zero(p, 100));
	arena_free(a);
}
END_TEST

/* AddressSanitizer would else end the process in its own way. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

START_TEST(memory_that_cannot_be_had_stops_the_process)
{
	if (_i == 0)
		xcalloc(SIZE_MAX / 2, 3);
	else
		arena_alloc(arena_new(), SIZE_MAX - 5);
}
END_TEST

START_TEST(xalloc_family)
{
	char *s = xstrdup("abc"), *t = xprintf("%s/%d", s, 5);
	void *none = xcalloc(0, 8);

	ck_assert_str_eq(t, "abc/5");
	ck_assert_ptr_nonnull(none);
	s = xrealloc(s, 100);
	ck_assert_str_eq(s, "abc");
	s = xrealloc(s, 0);
	ck_assert_ptr_nonnull(s);
	free(s);
	free(t);
	free(none);
}
END_TEST

/* ---- text --------------------------------------------------------------- */

START_TEST(text_is_bounded)
{
	char room[9] = "########";
	struct text t = text_on(room, 8);

	text_add(&t, "%s", "1234567");
	ck_assert_str_eq(room, "1234567");
	ck_assert(!t.cut);
	text_add(&t, "%s", "");
	ck_assert(!t.cut);
	text_add(&t, "8");
	ck_assert(t.cut);
	ck_assert_str_eq(room, "1234...");
	text_add(&t, "more");
	text_hex(&t, span_str("more"));
	ck_assert_str_eq(room, "1234...");
	ck_assert_uint_eq(t.n, 7);
}
END_TEST

START_TEST(text_in_no_room_at_all)
{
	char room[4];
	struct text t = text_on(NULL, 0);

	text_add(&t, "abc");
	text_escape(&t, span_str("abc"));
	ck_assert(t.cut);
	for (size_t cap = 1; cap <= sizeof(room); cap++) {
		memset(room, '#', sizeof(room));
		t = text_on(room, cap);
		text_escape(&t, span_str("\x1b[31m"));
		ck_assert(t.cut);
		ck_assert_uint_eq(strlen(room), cap - 1);
		ck_assert_uint_eq(strspn(room, "."), cap - 1);
	}
}
END_TEST

START_TEST(text_escapes_what_could_do_harm)
{
	char room[64];
	struct text t = text_on(room, sizeof(room));

	text_escape(&t, span_of("a\\b\n\x1b\0\x7f\xff~ \"", 11));
	ck_assert_str_eq(room, "a\\x5cb\\x0a\\x1b\\x00\\x7f\\xff~ \"");
}
END_TEST

START_TEST(text_shows_every_octet_as_printable)
{
	char room[5];

	for (unsigned c = 0; c < 256; c++) {
		uint8_t octet = (uint8_t)c;
		struct text t = text_on(room, sizeof(room));

		text_escape(&t, span_of(&octet, 1));
		ck_assert(!t.cut);
		for (size_t i = 0; i < t.n; i++)
			ck_assert(room[i] >= 0x20 && room[i] <= 0x7e);
	}
}
END_TEST

START_TEST(text_in_hexadecimal)
{
	char room[8];
	struct text t = text_on(room, sizeof(room));

	text_hex(&t, span_of("\x00\x9f\xab", 3));
	ck_assert_str_eq(room, "009fab");
	text_hex(&t, span_of("\x01", 1));
	ck_assert_str_eq(room, "009f...");
}
END_TEST

/* ---- addresses ---------------------------------------------------------- */

static struct ip_addr v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	return (struct ip_addr){ .len = 4, .b = { a, b, c, d } };
}

static struct ip_addr v6(uint8_t first, uint8_t last)
{
	return (struct ip_addr){ .len = 16, .b = { [0] = first, [15] = last } };
}

START_TEST(addresses_are_compared)
{
	struct ip_addr a = v4(10, 1, 2, 3), b = v4(10, 1, 2, 3), none = { 0 };
	struct ip_addr any4 = v4(0, 0, 0, 0), any6 = v6(0, 0), zero_start = v6(0, 1);

	b.b[9] = 7;			/* beyond its four octets: no matter */
	ck_assert(addr_eq(&a, &b));
	b.b[3] = 4;
	ck_assert(!addr_eq(&a, &b));
	ck_assert(!addr_eq(&any4, &any6));
	ck_assert(!addr_eq(&any4, &none));
	ck_assert(addr_is_none(&none));
	ck_assert(!addr_is_none(&any4));
	ck_assert(addr_is_any(&none));
	ck_assert(addr_is_any(&any4));
	ck_assert(addr_is_any(&any6));
	ck_assert(!addr_is_any(&a));
	ck_assert(!addr_is_any(&zero_start));
}
END_TEST

START_TEST(addresses_from_bytes)
{
	struct ip_addr a = addr_from_bytes(span_of("\x0a\1\2\3", 4)), want = v4(10, 1, 2, 3);
	static const uint8_t long6[17] = { 0x20, [15] = 1 };
	struct ip_addr b = addr_from_bytes(span_of(long6, 16)), want6 = v6(0x20, 1);

	ck_assert(addr_eq(&a, &want));
	ck_assert(span_eq(addr_bytes(&a), span_of("\x0a\1\2\3", 4)));
	ck_assert(addr_eq(&b, &want6));
	for (size_t n = 0; n <= 17; n++) {
		a = addr_from_bytes(span_of(long6, n));
		ck_assert_uint_eq(a.len, n == 4 || n == 16 ? n : 0);
	}
}
END_TEST

START_TEST(subnet_masks)
{
	static const struct { uint8_t bits; const char *mask; } masks[] = {
		{ 0, "0.0.0.0" }, { 1, "128.0.0.0" }, { 8, "255.0.0.0" }, { 17, "255.255.128.0" },
		{ 31, "255.255.255.254" }, { 32, "255.255.255.255" }, { 255, "255.255.255.255" },
	};
	struct subnet s = { .addr = v4(0, 0, 0, 0), .bits = masks[_i].bits };
	struct subnet s6 = { .addr = v6(0x20, 0), .bits = 33 };
	struct ip_addr mask = subnet_mask(&s);
	char text[ADDR_TEXT];

	ck_assert_str_eq(addr_format(&mask, text), masks[_i].mask);
	mask = subnet_mask(&s6);
	ck_assert_str_eq(addr_format(&mask, text), "ffff:ffff:8000::");
}
END_TEST

START_TEST(subnet_membership)
{
	struct subnet net = { .addr = v4(10, 1, 128, 0), .bits = 17 }, all = { .addr = v4(0, 0, 0, 0) };
	struct subnet none = { 0 };
	struct ip_addr in = v4(10, 1, 255, 255), out = v4(10, 1, 127, 255), six = v6(0, 0), no = { 0 };
	struct subnet host = subnet_of_host(&in), host6 = subnet_of_host(&six);

	ck_assert(subnet_has(&net, &in));
	ck_assert(!subnet_has(&net, &out));
	ck_assert(subnet_has(&all, &out));
	ck_assert(!subnet_has(&all, &six));
	ck_assert(!subnet_has(&all, &no));
	ck_assert(!subnet_has(&none, &no));
	ck_assert(subnet_has(&host, &in));
	ck_assert(!subnet_has(&host, &out));
	ck_assert_uint_eq(host.bits, 32);
	ck_assert_uint_eq(host6.bits, 128);
	ck_assert(subnet_eq(&host, &host));
	ck_assert(!subnet_eq(&host, &net));
	ck_assert(!subnet_eq(&all, &none));
}
END_TEST

START_TEST(addresses_as_text)
{
	struct endpoint e4 = { v4(192, 0, 2, 1), 4500 }, e6 = { v6(0x20, 1), 500 };
	struct subnet s4 = { v4(10, 0, 0, 0), 8 }, s6 = { v6(0x20, 0), 128 };
	struct ip_addr none = { 0 }, longest = { .len = 16 };
	char addr[ADDR_TEXT], endpoint[ENDPOINT_TEXT], subnet[SUBNET_TEXT];

	memset(longest.b, 0xff, 16);
	ck_assert_str_eq(addr_format(&none, addr), "none");
	ck_assert_str_eq(addr_format(&e4.addr, addr), "192.0.2.1");
	ck_assert_str_eq(addr_format(&e6.addr, addr), "2000::1");
	ck_assert_str_eq(endpoint_format(&e4, endpoint), "192.0.2.1:4500");
	ck_assert_str_eq(endpoint_format(&e6, endpoint), "[2000::1]:500");
	ck_assert_str_eq(subnet_format(&s4, subnet), "10.0.0.0/8");
	ck_assert_str_eq(subnet_format(&s6, subnet), "2000::/128");
	e6 = (struct endpoint){ longest, 65535 };
	ck_assert_str_eq(endpoint_format(&e6, endpoint),
			 "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}
END_TEST

START_TEST(endpoints_of_the_system)
{
	struct endpoint e[] = { { v4(192, 0, 2, 1), 4500 }, { v6(0x20, 1), 500 } }, back;
	struct sockaddr_storage ss;

	for (size_t i = 0; i < 2; i++) {
		ck_assert_uint_eq(endpoint_to_sockaddr(&e[i], &ss),
				  i == 0 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
		ck_assert_int_eq(ss.ss_family, i == 0 ? AF_INET : AF_INET6);
		back = endpoint_from_sockaddr(&ss);
		ck_assert(endpoint_eq(&back, &e[i]));
		back.port++;
		ck_assert(!endpoint_eq(&back, &e[i]));
	}
	ss.ss_family = AF_UNIX;
	back = endpoint_from_sockaddr(&ss);
	ck_assert(addr_is_none(&back.addr));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("base");
	TCase *t = tcase_create("base");

	suite_add_tcase(s, t);
	tcase_add_test(t, span_sub_never_points_outside);
	tcase_add_test(t, spans_are_compared);
	tcase_add_test(t, buf_owns_a_copy);
	tcase_add_test(t, wipe_leaves_zeros);
	tcase_add_test(t, numbers_are_big_endian);
	tcase_add_test(t, writer_puts_and_patches);
	tcase_add_test(t, writer_keeps_within_its_room);
	tcase_add_test(t, patch_keeps_within_what_was_written);
	tcase_add_test(t, siphash_is_that_of_its_authors);
	tcase_add_test(t, arena_gives_zeroed_aligned_memory);
	tcase_add_test(t, arena_gives_pieces_of_their_own);
	tcase_add_test(t, arena_copies_and_prints);
	tcase_add_test(t, arena_reset_wipes);
	tcase_add_loop_test_raise_signal(t, memory_that_cannot_be_had_stops_the_process, SIGABRT, 0, 2);
	tcase_add_test(t, xalloc_family);
	tcase_add_test(t, text_is_bounded);
	tcase_add_test(t, text_in_no_room_at_all);
	tcase_add_test(t, text_escapes_what_could_do_harm);
	tcase_add_test(t, text_shows_every_octet_as_printable);
	tcase_add_test(t, text_in_hexadecimal);
	tcase_add_test(t, addresses_are_compared);
	tcase_add_test(t, addresses_from_bytes);
	tcase_add_loop_test(t, subnet_masks, 0, 7);
	tcase_add_test(t, subnet_membership);
	tcase_add_test(t, addresses_as_text);
	tcase_add_test(t, endpoints_of_the_system);
	return run_suite(s);
}
