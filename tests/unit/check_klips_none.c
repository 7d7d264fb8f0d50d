/* check_klips_none.c -- the backend that only remembers, and the protocol between pluto and klips. */
#include "generated/klips_protocol.h"
#include "kernel/interfaces.h"
#include "kernel/none.h"
#include "suite.h"

#include <check.h>
#include <netinet/in.h>
#include <stdlib.h>

static uint32_t token;
static struct kernel_result result;
static unsigned answers;

static void on_done(void *ctx, uint32_t t, const struct kernel_result *r)
{
	(void)ctx;
	token = t;
	result = *r;
	answers++;
}

static struct kernel open_none(void)
{
	answers = 0;
	return kernel_none_open(&(struct kernel_events){ .done = on_done });
}

static const struct ip_addr here = { .len = 4, .b = { 192, 0, 2, 1 } };

START_TEST(spis_are_in_range_and_differ)
{
	struct kernel k = open_none();
	struct sa_id id = { .dst = here, .protocol = IPPROTO_ESP };
	uint32_t first;

	k.ops->get_spi(k.k, 7, &here, &here, IPPROTO_ESP, 0x1000, 0x1001);
	ck_assert(result.ok);
	ck_assert_uint_eq(token, 7);
	first = result.spi;
	k.ops->get_spi(k.k, 8, &here, &here, IPPROTO_ESP, 0x1000, 0x1001);
	ck_assert(result.ok);
	ck_assert_uint_eq(first + result.spi, 0x2001);
	k.ops->get_spi(k.k, 9, &here, &here, IPPROTO_ESP, 0x1000, 0x1001);
	ck_assert(!result.ok);
	ck_assert_ptr_nonnull(result.why);
	id.spi = first;
	k.ops->del_sa(k.k, 10, &id);
	ck_assert(result.ok);
	k.ops->get_spi(k.k, 11, &here, &here, IPPROTO_ESP, 0x1000, 0x1001);
	ck_assert_uint_eq(result.spi, first);
	ck_assert_uint_eq(answers, 5);
	k.ops->close(k.k);
}
END_TEST

START_TEST(remembers)
{
	struct kernel k = open_none();
	struct kernel_sa sa = { .id = { .dst = here, .protocol = IPPROTO_ESP, .spi = 0x1234 }, .interface = "" };
	struct kernel_eroute e = { .src = { .addr = here, .bits = 32 }, .dst = { .addr = here, .bits = 32 },
				   .kind = EROUTE_TRAP, .interface = "" };
	const char *argv[] = { "/nonexistent", NULL }, *env[] = { "A=b", "PLUTO_VERB=up-client", NULL };

	k.ops->add_sa(k.k, 1, &sa);
	ck_assert(result.ok);
	k.ops->add_sa(k.k, 2, &sa);
	ck_assert(!result.ok);
	k.ops->set_eroute(k.k, 3, &e);
	ck_assert(result.ok);
	k.ops->updown(k.k, 4, &(struct updown_request){ .argv = argv, .env = env });
	ck_assert(result.ok);
	k.ops->del_eroute(k.k, 5, &e);
	ck_assert(result.ok);
	k.ops->del_eroute(k.k, 6, &e);
	ck_assert(!result.ok);
	k.ops->read_sa(k.k, 7, &sa.id);
	ck_assert(result.ok);
	ck_assert_int_eq(kernel_none_record(k, 0)->op, NONE_ADD_SA);
	ck_assert_uint_eq(kernel_none_record(k, 0)->sa.spi, 0x1234);
	ck_assert(!kernel_none_record(k, 1)->ok);
	ck_assert_int_eq(kernel_none_record(k, 2)->eroute.kind, EROUTE_TRAP);
	ck_assert_str_eq(kernel_none_record(k, 3)->verb, "up-client");
	ck_assert_ptr_null(kernel_none_record(k, 7));
	for (unsigned i = 0; i < 2 * NONE_KEPT; i++)
		k.ops->read_sa(k.k, i, &sa.id);
	ck_assert_int_eq(kernel_none_record(k, 0)->op, NONE_READ_SA);
	ck_assert_ptr_null(kernel_none_record(k, NONE_KEPT));
	k.ops->close(k.k);
}
END_TEST

START_TEST(names_of_virtual_interfaces)
{
	ck_assert(interface_is_virtual("ipsec0"));
	ck_assert(interface_is_virtual("ipsec9"));
	ck_assert(!interface_is_virtual("ipsec10"));
	ck_assert(!interface_is_virtual("ipsec"));
	ck_assert(!interface_is_virtual("ipsec-"));
	ck_assert(!interface_is_virtual("eth0"));
	ck_assert(!interface_is_virtual(""));
}
END_TEST

START_TEST(loopback_is_listed)
{
	struct kernel_interface *list;
	const char *why;
	size_t n = interfaces_list(&list, &why);
	struct ip_addr a[4];

	ck_assert_ptr_null(why);
	ck_assert_uint_gt(n, 0);
	ck_assert_uint_gt(interface_addresses("lo", a, 4), 0);
	ck_assert_uint_eq(a[0].len, 4);
	ck_assert_uint_eq(a[0].b[0], 127);
	ck_assert_uint_eq(interface_addresses("lo", a, 0), 0);
	ck_assert_uint_eq(interface_addresses("nosuch0", a, 4), 0);
	free(list);
}
END_TEST

/* Every frame of the protocol with an octet changed, or cut: read or refused, never worse. */
START_TEST(frames_of_nonsense)
{
	uint8_t room[1024], key[32] = { 1, 2, 3 };
	struct writer w = writer_on(room, sizeof room);
	struct klips_sa_name names[2] = { { .dst = here, .protocol = 50, .spi = 1 },
					  { .dst = here, .protocol = 51, .spi = 2 } };
	struct arena *a = arena_new();
	struct klips_message m;
	struct fault f;
	size_t half;

	klips_put_add_sa(&w, &(struct klips_add_sa){ .token = 5, .dst = here, .src = here, .protocol = 50,
			 .spi = 0x1000, .inbound = true, .cipher = span_str("aes_cbc"),
			 .cipher_key = span_of(key, sizeof key) });
	half = w.n;
	klips_put_set_eroute(&w, &(struct klips_set_eroute){ .token = 6, .src = { .addr = here, .bits = 32 },
			     .sas = names, .n_sas = 2, .kind = 1 });
	ck_assert(!w.overflow);
	ck_assert(klips_get(span_of(room + 4, half - 4), a, &m, &f));
	ck_assert_int_eq(m.id, KLIPS_ADD_SA);
	ck_assert(m.u.add_sa.inbound);
	ck_assert(!m.u.add_sa.tunnel);
	ck_assert_uint_eq(m.u.add_sa.cipher_key.n, sizeof key);
	ck_assert(klips_get(span_of(room + half + 4, w.n - half - 4), a, &m, &f));
	ck_assert_uint_eq(m.u.set_eroute.n_sas, 2);
	ck_assert_uint_eq(m.u.set_eroute.sas[1].protocol, 51);
	for (unsigned i = 0; i < 100000; i++) {
		struct span s = i % 2 ? span_of(room + 4, half - 4) : span_of(room + half + 4, w.n - half - 4);
		uint8_t *copy = malloc(s.n);

		memcpy(copy, s.p, s.n);
		copy[(size_t)random() % s.n] = (uint8_t)random();
		(void)klips_get(span_of(copy, 1 + (size_t)random() % s.n), a, &m, &f);
		(void)klips_get(span_of(copy, s.n), a, &m, &f);
		arena_reset(a);
		free(copy);
	}
	arena_free(a);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("klips_none");
	TCase *c = tcase_create("none");

	tcase_set_timeout(c, 60);
	tcase_add_test(c, spis_are_in_range_and_differ);
	tcase_add_test(c, remembers);
	tcase_add_test(c, names_of_virtual_interfaces);
	tcase_add_test(c, loopback_is_listed);
	tcase_add_test(c, frames_of_nonsense);
	suite_add_tcase(s, c);
	return run_suite(s);
}
