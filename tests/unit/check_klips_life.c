/* check_klips_life.c -- SAs that end by themselves: told in time, and then shut; and packets that waited for one. */
#include "klips_lab.h"
#include "suite.h"

#include <check.h>
#include <netinet/in.h>
#include <stdlib.h>

static const uint8_t keys[64] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
static const struct ip_addr me = { .len = 4, .b = { 192, 0, 2, 1 } }, peer = { .len = 4, .b = { 192, 0, 2, 2 } };
static const struct subnet ours = { .addr = { .len = 4, .b = { 10, 1, 0, 0 } }, .bits = 16 };
static const struct subnet theirs = { .addr = { .len = 4, .b = { 10, 2, 0, 0 } }, .bits = 16 };

static uint8_t room[PACKET_ROOM];
static struct datapath us, them;

static struct kernel_sa outbound(void)
{
	return (struct kernel_sa){
		.id = { .dst = peer, .protocol = IPPROTO_ESP, .spi = 0x1234 }, .src = me, .tunnel = true,
		.inner_tunnel = true, .cipher = ALG_AES_CBC, .mac = ALG_HMAC_SHA1_96,
		.cipher_key = span_of(keys, 16), .mac_key = span_of(keys, 20), .replay_window = 64,
		.src_client = ours, .dst_client = theirs,
	};
}

/* We send through the SA, they receive by it. */
static void begin(const struct kernel_sa *sa)
{
	join(&us, &them, sa, 1, on_no_acquire);
}

static void end(void)
{
	datapath_free(&us);
	datapath_free(&them);
}

/* A UDP packet of 100 octets from our client to theirs. */
static struct packet inside(void)
{
	struct packet k = packet_on(room, 100);

	memset(k.p, 0, k.n);
	ip4_write(k.p, &(struct ip4){ .src = { .len = 4, .b = { 10, 1, 0, 5 } }, .dst = { .len = 4, .b = { 10, 2, 0, 9 } },
				      .protocol = IPPROTO_UDP, .id = 77, .length = k.n });
	return k;
}

static unsigned softs, hards;

static void on_expired(void *ctx, const struct sa *sa, bool hard)
{
	(void)ctx;
	(void)sa;
	softs += !hard;
	hards += hard;
}

/* Both ends count the same octets: at three quarters it is told, at the end nothing passes. */
START_TEST(octets_end)
{
	struct kernel_sa sa = outbound();
	struct packet k;
	struct path path;
	unsigned sent = 0;

	sa.soft.octets = 750;
	sa.hard.octets = 1000;
	begin(&sa);
	us.expired = them.expired = on_expired;
	softs = hards = 0;
	for (unsigned i = 0; i < 20; i++) {
		k = inside();
		if (datapath_out(&us, 0, &k, &path) != VERDICT_SEND)
			break;
		sent++;
		ck_assert_int_eq(datapath_in(&them, &k, &path), VERDICT_DELIVER);
	}
	ck_assert_uint_eq(sent, 10);
	ck_assert(softs == 2 && hards == 2);		/* once at each end */
	k = inside();
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_EXHAUSTED);
	ck_assert(softs == 2 && hards == 2);
	end();
}
END_TEST

START_TEST(packets_are_told_before_sequence_numbers_end)
{
	struct kernel_sa sa = outbound();
	struct packet k;
	struct path path;

	sa.soft.packets = 3;
	begin(&sa);
	us.expired = on_expired;
	softs = hards = 0;
	for (unsigned i = 1; i <= 5; i++) {
		k = inside();
		ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
		ck_assert_uint_eq(softs, i >= 3);
	}
	ck_assert_uint_eq(hards, 0);
	end();
}
END_TEST

/* A packet that met a trap is the same, and in time, when there is an SA. */
START_TEST(what_waited_goes_through_the_sa)
{
	struct kernel_sa sa = outbound();
	struct kernel_eroute trap = { .src = ours, .dst = theirs, .kind = EROUTE_TRAP, .hold = true }, through = trap;
	struct eroute *e;
	struct held_packet *h;
	struct packet k;
	struct path path;
	bool added;

	begin(&sa);
	ck_assert_int_eq(eroute_set(us.eroutes, &trap, 0, &added), REASON_NONE);
	k = inside();
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_TRAP);
	through.kind = EROUTE_SA;
	through.n_sas = 1;
	through.sas[0] = sa.id;
	ck_assert_int_eq(eroute_set(us.eroutes, &through, 0, &added), REASON_NONE);
	e = eroute_exact(us.eroutes, &through);
	h = eroute_release(us.eroutes, e, us.now_ms);
	ck_assert_ptr_nonnull(h);
	k = inside();
	ck_assert_mem_eq(h->octets, k.p, h->n);
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
	ck_assert_int_eq(datapath_in(&them, &k, &path), VERDICT_DELIVER);
	free(h);
	ck_assert_ptr_null(eroute_release(us.eroutes, e, us.now_ms));
	end();
}
END_TEST

/* A peer may send before we have the answer that the keys follow from: the last packets of that time are not lost. */
START_TEST(what_came_before_the_keys_is_taken_later)
{
	struct kernel_sa sa = outbound();
	struct kernel_counts counts;
	struct held_packet *h;
	struct packet k;
	struct path path;
	struct sa *in;
	uint32_t spi;
	unsigned n = 0;

	begin(&sa);
	sa.inbound = true;
	ck_assert(sadb_del(them.sas, &sa.id, &counts));
	ck_assert_int_eq(sadb_reserve(them.sas, &peer, IPPROTO_ESP, sa.id.spi, sa.id.spi, 0, 1, &spi), REASON_NONE);
	for (unsigned i = 0; i < LIMIT_KLIPS_EARLY + 2; i++) {
		k = inside();
		ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
		ck_assert_int_eq(datapath_in(&them, &k, &path), VERDICT_EARLY);
	}
	ck_assert_int_eq(sadb_add(them.sas, &sa, 0, 1), REASON_NONE);
	in = sadb_find(them.sas, &sa.id);
	while ((h = sadb_release(them.sas, in, them.now_ms)) != NULL) {
		k = packet_on(room, h->n);
		memcpy(k.p, h->octets, h->n);
		ck_assert_int_eq(datapath_in(&them, &k, &path), VERDICT_DELIVER);
		free(h);
		n++;
	}
	ck_assert_uint_eq(n, LIMIT_KLIPS_EARLY);
	end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("klips_life");
	TCase *c = tcase_create("life");

	tcase_add_test(c, octets_end);
	tcase_add_test(c, packets_are_told_before_sequence_numbers_end);
	tcase_add_test(c, what_waited_goes_through_the_sa);
	tcase_add_test(c, what_came_before_the_keys_is_taken_later);
	suite_add_tcase(s, c);
	return run_suite(s);
}
