/* check_klips_eroute.c -- eroutes: the most specific one decides; replacing is exact. */
#include "generated/limits.h"
#include "kernel/eroute.h"
#include "kernel/packet.h"
#include "suite.h"

#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

static const uint8_t hash_key[16] = "0123456789abcdef";

static struct subnet net(const char *text)
{
	struct subnet s;
	const char *why;
	unsigned column;

	ck_assert_msg(subnet_parse(span_str(text), &s, &why, &column), "%s: %s", text, why);
	return s;
}

static struct flow flow(const char *src, const char *dst, uint8_t protocol, uint16_t sport, uint16_t dport)
{
	return (struct flow){ .src = net(src).addr, .dst = net(dst).addr, .protocol = protocol,
			      .sport = sport, .dport = dport };
}

static struct kernel_eroute trap(const char *src, const char *dst, uint32_t reqid)
{
	return (struct kernel_eroute){ .src = net(src), .dst = net(dst), .kind = EROUTE_TRAP, .reqid = reqid };
}

static void set(struct eroutes *t, const struct kernel_eroute *e, bool added)
{
	bool was;

	ck_assert_int_eq(eroute_set(t, e, 0, &was), REASON_NONE);
	ck_assert_int_eq(was, added);
}

static uint32_t found(struct eroutes *t, struct flow f)
{
	struct eroute *e = eroute_lookup(t, &f);

	return e == NULL ? 0 : e->is.reqid;
}

START_TEST(most_specific_decides)
{
	struct eroutes *t = eroutes_new(hash_key);
	struct kernel_eroute e;

	e = trap("0.0.0.0/0", "0.0.0.0/0", 1), set(t, &e, true);
	e = trap("0.0.0.0/0", "10.2.0.0/16", 2), set(t, &e, true);
	e = trap("10.1.0.0/16", "10.2.0.0/16", 3), set(t, &e, true);
	e = trap("10.1.1.1/32", "10.0.0.0/8", 4), set(t, &e, true);
	e = trap("10.1.0.0/16", "10.2.0.0/16", 5), e.client_protocol = IPPROTO_TCP, set(t, &e, true);
	e.dst_port = 80, e.reqid = 6, set(t, &e, true);

	ck_assert_uint_eq(found(t, flow("10.9.9.9", "192.0.2.1", 1, 0, 0)), 1);
	ck_assert_uint_eq(found(t, flow("10.9.9.9", "10.2.3.4", 1, 0, 0)), 2);
	ck_assert_uint_eq(found(t, flow("10.1.9.9", "10.2.3.4", 1, 0, 0)), 3);
	/* destination before source */
	ck_assert_uint_eq(found(t, flow("10.1.1.1", "10.2.3.4", 1, 0, 0)), 3);
	ck_assert_uint_eq(found(t, flow("10.1.1.1", "10.3.3.4", 1, 0, 0)), 4);
	ck_assert_uint_eq(found(t, flow("10.1.1.1", "10.2.3.4", IPPROTO_TCP, 1234, 81)), 5);
	ck_assert_uint_eq(found(t, flow("10.1.1.1", "10.2.3.4", IPPROTO_TCP, 1234, 80)), 6);
	ck_assert_uint_eq(found(t, flow("10.1.1.1", "10.2.3.4", IPPROTO_UDP, 1234, 80)), 3);
	eroutes_free(t);
}
END_TEST

START_TEST(replacing_is_exact)
{
	struct eroutes *t = eroutes_new(hash_key);
	struct kernel_eroute a = trap("10.1.0.0/16", "10.2.0.0/16", 1), b = a;
	struct flow f = flow("10.1.1.1", "10.2.2.2", 1, 0, 0);

	set(t, &a, true);
	b.kind = EROUTE_SA;
	b.n_sas = 1;
	b.reqid = 2;
	set(t, &b, false);
	ck_assert_uint_eq(eroutes_count(t), 1);
	ck_assert_int_eq(eroute_lookup(t, &f)->is.kind, EROUTE_SA);
	b.src_port = 7;
	ck_assert(!eroute_del(t, &b));
	b.src_port = 0;
	ck_assert(eroute_del(t, &b));
	ck_assert(!eroute_del(t, &b));
	ck_assert_ptr_null(eroute_lookup(t, &f));
	eroutes_free(t);
}
END_TEST

START_TEST(malformed_is_refused)
{
	struct eroutes *t = eroutes_new(hash_key);
	struct kernel_eroute e = trap("10.1.0.0/16", "10.2.0.0/16", 1);
	bool added;

	e.kind = EROUTE_SA;	/* without SAs it would be a hole in nothing */
	ck_assert_int_eq(eroute_set(t, &e, 0, &added), REASON_KLIPS_EROUTE_MALFORMED);
	e = trap("10.1.0.0/16", "10.2.0.0/16", 1);
	e.dst.bits = 33;
	ck_assert_int_eq(eroute_set(t, &e, 0, &added), REASON_KLIPS_EROUTE_MALFORMED);
	e = trap("10.1.0.0/16", "10.2.0.0/16", 1);
	e.src = net("2001:db8::/32");
	ck_assert_int_eq(eroute_set(t, &e, 0, &added), REASON_KLIPS_EROUTE_MALFORMED);
	e = trap("10.1.0.0/16", "10.2.0.0/16", 1);
	e.n_sas = EROUTE_SAS + 1;
	ck_assert_int_eq(eroute_set(t, &e, 0, &added), REASON_KLIPS_EROUTE_MALFORMED);
	ck_assert_uint_eq(eroutes_count(t), 0);
	eroutes_free(t);
}
END_TEST

START_TEST(ipv6_fits)
{
	struct eroutes *t = eroutes_new(hash_key);
	struct kernel_eroute e;

	e = trap("2001:db8:1::/48", "2001:db8:2::/48", 1), set(t, &e, true);
	e = trap("2001:db8:1::/48", "2001:db8:2::/61", 2), set(t, &e, true);
	e = trap("0.0.0.0/0", "0.0.0.0/0", 9), set(t, &e, true);
	ck_assert_uint_eq(found(t, flow("2001:db8:1::1", "2001:db8:2::1", 1, 0, 0)), 2);
	ck_assert_uint_eq(found(t, flow("2001:db8:1::1", "2001:db8:2:8::1", 1, 0, 0)), 1);
	ck_assert_uint_eq(found(t, flow("2001:db8:3::1", "2001:db8:2:8::1", 1, 0, 0)), 0);
	eroutes_free(t);
}
END_TEST

/* A plain search over a list, the order of preference written out again. */
static const struct kernel_eroute *search(const struct kernel_eroute *list, const bool *in, size_t n,
					  const struct flow *f)
{
	const struct kernel_eroute *best = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct kernel_eroute *e = &list[i];

		if (!in[i] || !subnet_has(&e->src, &f->src) || !subnet_has(&e->dst, &f->dst) ||
		    (e->client_protocol != 0 && e->client_protocol != f->protocol))
			continue;
		if (best == NULL || e->dst.bits > best->dst.bits ||
		    (e->dst.bits == best->dst.bits && e->src.bits > best->src.bits) ||
		    (e->dst.bits == best->dst.bits && e->src.bits == best->src.bits &&
		     e->client_protocol > best->client_protocol))
			best = e;
	}
	return best;
}

static struct subnet random_net(void)
{
	struct subnet s = { .addr = { .len = 4, .b = { 10, (uint8_t)(random() & 3), (uint8_t)(random() & 3),
						       (uint8_t)(random() & 255) } },
			    .bits = (uint8_t)(random() % 33) };
	struct ip_addr mask = subnet_mask(&s);

	for (unsigned i = 0; i < 4; i++)
		s.addr.b[i] &= mask.b[i];
	return s;
}

START_TEST(agrees_with_a_list)
{
	enum { N = 300 };
	static struct kernel_eroute list[N];
	static bool in[N];
	struct eroutes *t = eroutes_new(hash_key);

	srandom(3);
	for (unsigned i = 0; i < N; i++) {
		bool added;

		list[i] = (struct kernel_eroute){ .src = random_net(), .dst = random_net(), .reqid = i + 1,
						  .client_protocol = random() % 4 == 0 ? 6 : 0 };
		in[i] = eroute_exact(t, &list[i]) == NULL;
		if (in[i])
			ck_assert_int_eq(eroute_set(t, &list[i], 0, &added), REASON_NONE);
	}
	for (unsigned i = 0; i < 20000; i++) {
		struct flow f = { .src = { .len = 4, .b = { 10, (uint8_t)(random() & 3), (uint8_t)(random() & 3), 7 } },
				  .dst = { .len = 4, .b = { 10, (uint8_t)(random() & 3), (uint8_t)(random() & 3), 9 } },
				  .protocol = random() % 2 == 0 ? 6 : 17 };
		const struct kernel_eroute *want = search(list, in, N, &f);
		unsigned victim = (unsigned)random() % N;

		ck_assert_uint_eq(found(t, f), want == NULL ? 0 : want->reqid);
		if (i % 50 == 0 && in[victim]) {
			ck_assert(eroute_del(t, &list[victim]));
			in[victim] = false;
		}
	}
	eroutes_free(t);
}
END_TEST

START_TEST(burst_is_reported_once)
{
	struct eroute e = { .packets = 0 };
	unsigned n = 0;

	for (uint64_t ms = 5000; ms < 9000; ms += 10)
		n += eroute_burst(&e, ms, 2000, 10000);
	ck_assert_uint_eq(n, 1);
	ck_assert(eroute_burst(&e, 20000, 2000, 10000));
	n = 0;
	for (uint64_t ms = 20010; ms < 50000; ms += 10)
		n += eroute_burst(&e, ms, 2000, 10000);
	ck_assert_uint_eq(n, 2);
}
END_TEST

/* Puts down as many packets as there are, each of its number. */
static unsigned released(struct eroutes *t, struct eroute *e, uint64_t ms, uint8_t first)
{
	struct held_packet *k;
	unsigned n = 0;

	while ((k = eroute_release(t, e, ms)) != NULL) {
		ck_assert_uint_eq(k->octets[0], first + n);
		ck_assert_uint_eq(k->n, 100);
		n++;
		free(k);
	}
	return n;
}

static void hold(struct eroutes *t, struct eroute *e, uint8_t number, size_t octets, uint64_t ms)
{
	static uint8_t packet[LIMIT_KLIPS_HELD_OCTETS + 1];

	packet[0] = number;
	eroute_hold(t, e, span_of(packet, octets), ms);
}

START_TEST(a_trap_keeps_its_last_packets)
{
	struct eroutes *t = eroutes_new(hash_key);
	struct kernel_eroute is = trap("10.1.0.0/16", "10.2.0.0/16", 1);
	struct eroute *e;

	set(t, &is, true);
	e = eroute_exact(t, &is);
	hold(t, e, 1, 100, 1000);
	ck_assert_ptr_null(eroute_release(t, e, 1000));	/* it was not asked to */
	is.hold = true;
	set(t, &is, false);
	for (uint8_t i = 0; i < 10; i++)
		hold(t, e, i, 100, 1000);
	hold(t, e, 99, LIMIT_KLIPS_HELD_OCTETS + 1, 1000);
	ck_assert_uint_eq(released(t, e, 1000, 10 - LIMIT_KLIPS_HELD), LIMIT_KLIPS_HELD);
	ck_assert_uint_eq(released(t, e, 1000, 0), 0);
	hold(t, e, 1, 100, 1000);
	hold(t, e, 2, 100, 20000);
	ck_assert_uint_eq(released(t, e, 1001 + LIMIT_KLIPS_HELD_MS, 2), 1);	/* the other is too old */
	hold(t, e, 1, 100, 1000);
	is.hold = false;
	set(t, &is, false);
	ck_assert_uint_eq(released(t, e, 1000, 0), 0);
	is.hold = true;
	set(t, &is, false);
	hold(t, e, 1, 100, 1000);
	ck_assert(eroute_del(t, &is));
	eroutes_free(t);
}
END_TEST

START_TEST(all_traps_together_keep_not_too_much)
{
	struct eroutes *t = eroutes_new(hash_key);
	unsigned kept = 0;
	char dst[32];

	for (unsigned i = 0; i < 200; i++) {
		struct kernel_eroute is;

		snprintf(dst, sizeof dst, "10.2.%u.0/24", i);
		is = trap("10.1.0.0/16", dst, i + 1);
		is.hold = true;
		set(t, &is, true);
		for (uint8_t k = 0; k < LIMIT_KLIPS_HELD; k++)
			hold(t, eroute_exact(t, &is), k, 100, 1000);
	}
	for (unsigned i = 0; i < 200; i++) {
		struct kernel_eroute is;

		snprintf(dst, sizeof dst, "10.2.%u.0/24", i);
		is = trap("10.1.0.0/16", dst, i + 1);
		kept += released(t, eroute_exact(t, &is), 1000, 0);
	}
	ck_assert_uint_eq(kept, LIMIT_KLIPS_HELD_ALL);
	eroutes_free(t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("klips_eroute");
	TCase *c = tcase_create("eroute");

	tcase_add_test(c, most_specific_decides);
	tcase_add_test(c, replacing_is_exact);
	tcase_add_test(c, malformed_is_refused);
	tcase_add_test(c, ipv6_fits);
	tcase_add_test(c, agrees_with_a_list);
	tcase_add_test(c, burst_is_reported_once);
	tcase_add_test(c, a_trap_keeps_its_last_packets);
	tcase_add_test(c, all_traps_together_keep_not_too_much);
	suite_add_tcase(s, c);
	return run_suite(s);
}
