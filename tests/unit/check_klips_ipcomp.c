/* check_klips_ipcomp.c -- IPComp in the datapath: inside ESP and AH, in both modes, and what a peer with the keys
 * may do to it. */
#include "base/writer.h"
#include "klips_lab.h"
#include "kernel/ipcomp.h"
#include "suite.h"

#include <check.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <stdlib.h>
#include <zlib.h>

#define ME "192.0.2.1"
#define PEER "192.0.2.2"
#define CPI 0x4321

static uint8_t keys[2][64];
static uint8_t room[PACKET_ROOM];
static struct datapath us, them;
static struct kernel_sa sas[3];		/* the innermost first */
static unsigned n_sas;

static void describe(bool tunnel, bool ah)
{
	const struct kernel_sa common = {
		.id.dst = ip(PEER), .src = ip(ME), .inner_tunnel = tunnel, .replay_window = 64,
		.src_client = tunnel ? net("10.1.0.0/16") : net(ME "/32"),
		.dst_client = tunnel ? net("10.2.0.0/16") : net(PEER "/32"),
	};

	n_sas = ah ? 3 : 2;
	sas[0] = sas[1] = sas[2] = common;
	sas[0].tunnel = tunnel;
	sas[0].id.protocol = IPPROTO_COMP;
	sas[0].id.spi = CPI;
	sas[0].comp = ALG_DEFLATE;
	sas[0].outwards = IPPROTO_ESP;
	sas[1].id.protocol = IPPROTO_ESP;
	sas[1].id.spi = 0x1001;
	sas[1].cipher = ALG_AES_CBC;
	sas[1].cipher_key = span_of(keys[0], 16);
	sas[1].inwards = IPPROTO_COMP;
	sas[1].outwards = ah ? IPPROTO_AH : 0;
	sas[2].id.protocol = IPPROTO_AH;
	sas[2].id.spi = 0x1002;
	sas[2].inwards = IPPROTO_ESP;
	sas[1].mac = sas[2].mac = ALG_HMAC_SHA2_256_128;
	sas[1].mac_key = sas[2].mac_key = span_of(keys[1], 32);
}

/* Two datapaths, with a bundle from us to them. */
static void begin(bool tunnel, bool ah)
{
	srandom(1);
	fill(NULL, keys, sizeof keys);
	describe(tunnel, ah);
	join(&us, &them, sas, n_sas, on_no_acquire);
}

static void end(void)
{
	datapath_free(&us);
	datapath_free(&them);
}

/* A UDP packet of n octets in all, in `room`: of text, or of noise. */
static struct packet udp(bool tunnel, size_t n, bool noise)
{
	struct packet k = packet_on(room, n);

	memset(k.p, 'a', n);
	if (noise)
		fill(NULL, k.p, n);
	ip4_write(k.p, &(struct ip4){ .src = ip(tunnel ? "10.1.0.5" : ME), .dst = ip(tunnel ? "10.2.0.9" : PEER),
				      .protocol = IPPROTO_UDP, .id = 77, .length = n });
	return k;
}

static uint64_t compressed(const struct datapath *d)
{
	return sadb_find(d->sas, &sas[0].id)->counts.packets;
}

START_TEST(there_and_back)
{
	bool tunnel = (_i & 1) != 0, ah = (_i & 2) != 0;
	static uint8_t copy[PACKET_MAX];
	struct packet k;
	struct path path;
	size_t n;

	begin(tunnel, ah);
	for (n = 28; n <= 1300; n += 53) {
		k = udp(tunnel, n, false);
		memcpy(copy, k.p, n);
		ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
		ck_assert_uint_eq(k.p[offsetof(struct iphdr, protocol)], ah ? IPPROTO_AH : IPPROTO_ESP);
		if (n > 400)
			ck_assert_uint_lt(k.n, n / 2);
		ck_assert_int_eq(datapath_in(&them, &k, &path), VERDICT_DELIVER);
		ck_assert_uint_eq(k.n, n);
		ck_assert_mem_eq(k.p, copy, n);
	}
	ck_assert_uint_gt(compressed(&us), 20);
	ck_assert_uint_eq(compressed(&us), compressed(&them));
	ck_assert_uint_eq(sadb_find(us.sas, &sas[0].id)->counts.bytes, sadb_find(them.sas, &sas[0].id)->counts.bytes);

	/* What does not shrink goes as it is (RFC 3173 2.2), and is taken so. */
	n = compressed(&us);
	k = udp(tunnel, 1300, true);
	memcpy(copy, k.p, 1300);
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
	ck_assert_uint_gt(k.n, 1300);
	ck_assert_int_eq(datapath_in(&them, &k, &path), VERDICT_DELIVER);
	ck_assert_uint_eq(k.n, 1300);
	ck_assert_mem_eq(k.p, copy, 1300);
	ck_assert_uint_eq(compressed(&us), n);
	ck_assert_uint_eq(compressed(&them), n);
	end();
}
END_TEST

/* The largest packet there is. */
START_TEST(largest)
{
	struct packet k;
	struct path path;

	begin(true, false);
	k = udp(true, PACKET_MAX, false);
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
	ck_assert_uint_lt(k.n, 1000);
	ck_assert_int_eq(datapath_in(&them, &k, &path), VERDICT_DELIVER);
	ck_assert_uint_eq(k.n, PACKET_MAX);
	end();
}
END_TEST

/* IPComp alone, or one that is not of the bundle, protects nothing. */
START_TEST(alone)
{
	struct kernel_eroute e = { .src = net("10.1.0.0/16"), .dst = net("10.2.0.0/16"), .kind = EROUTE_SA, .n_sas = 1 };
	struct packet k;
	struct path path;
	bool added;

	begin(true, false);
	e.sas[0] = sas[0].id;
	ck_assert_int_eq(eroute_set(us.eroutes, &e, 0, &added), REASON_NONE);
	k = udp(true, 1000, false);
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
	ck_assert_int_eq(datapath_in(&them, &k, &path), VERDICT_BUNDLE);
	e.n_sas = 2;
	e.sas[1] = sas[1].id;
	ck_assert_int_eq(eroute_set(us.eroutes, &e, 0, &added), REASON_NONE);
	sadb_find(them.sas, &sas[1].id)->inwards = 0;	/* there no compression was agreed on */
	k = udp(true, 1000, false);
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
	ck_assert_int_eq(datapath_in(&them, &k, &path), VERDICT_BAD_NEXT);
	end();
}
END_TEST

/* n octets of zeros, compressed, as the content of an IPComp packet in `room`. */
static struct packet bomb(size_t n)
{
	struct packet k = packet_on(room, PACKET_MAX);
	uint8_t *zeros = calloc(1, n);
	z_stream z = { .next_in = zeros, .avail_in = (uInt)n, .next_out = k.p + IPCOMP_HEADER,
		       .avail_out = PACKET_MAX - IPCOMP_HEADER };

	ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
	ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	memset(k.p, 0, IPCOMP_HEADER);
	k.p[0] = IPPROTO_UDP;
	packet_cut(&k, IPCOMP_HEADER + z.total_out);
	deflateEnd(&z);
	free(zeros);
	return k;
}

START_TEST(bombs)
{
	struct ipcomp *c = ipcomp_new(ALG_DEFLATE);
	uint8_t next;
	struct packet k = bomb(PACKET_MAX - IP4_HEADER);

	ck_assert_int_eq(ipcomp_unwrap(c, &k, IP4_HEADER, &next), VERDICT_DELIVER);
	ck_assert_uint_eq(k.n, PACKET_MAX - IP4_HEADER);
	ck_assert_uint_eq(next, IPPROTO_UDP);
	ck_assert(packet_push(&k, IP4_HEADER));
	k = bomb(PACKET_MAX - IP4_HEADER + 1);
	ck_assert_int_eq(ipcomp_unwrap(c, &k, IP4_HEADER, &next), VERDICT_COMPRESSION);
	k = bomb(10 << 20);
	ck_assert_int_eq(ipcomp_unwrap(c, &k, IP4_HEADER, &next), VERDICT_COMPRESSION);
	ipcomp_free(c);
	ck_assert_ptr_null(ipcomp_new(ALG_AES_CBC));
}
END_TEST

/* Cut, changed and made up: an end, and never outside the memory. */
START_TEST(nonsense)
{
	struct ipcomp *c = ipcomp_new(ALG_DEFLATE);
	static uint8_t good[2000];
	struct packet k = packet_on(room, 1000);
	unsigned restored = 0;
	uint8_t next;
	size_t n;

	for (size_t i = 0; i < k.n; i++)
		k.p[i] = (uint8_t)(i % 10 + i / 100);
	ck_assert(ipcomp_wrap(c, &k, IPPROTO_UDP, CPI));
	ck_assert_uint_eq(get_u16(k.p + 2), CPI);
	n = k.n;
	memcpy(good, k.p, n);
	for (size_t cut = 0; cut < n; cut++) {
		k = packet_on(room, cut);
		memcpy(k.p, good, cut);
		ck_assert_int_ne(ipcomp_unwrap(c, &k, IP4_HEADER, &next), VERDICT_DELIVER);
	}
	for (unsigned i = 0; i < 20000; i++) {
		k = packet_on(room, n);
		memcpy(k.p, good, n);
		if (i % 2 == 0)
			k.p[IPCOMP_HEADER + (size_t)random() % (n - IPCOMP_HEADER)] ^= (uint8_t)(1 << random() % 8);
		else
			fill(NULL, k.p + IPCOMP_HEADER, n - IPCOMP_HEADER);
		restored += ipcomp_unwrap(c, &k, IP4_HEADER, &next) == VERDICT_DELIVER;
		ck_assert(i % 2 != 0 || k.n <= PACKET_MAX);
	}
	ck_assert_uint_lt(restored, 20000);
	ipcomp_free(c);
}
END_TEST

START_TEST(sa_rules)
{
	struct kernel_sa sa;

	describe(true, false);
	datapath_init(&us, NULL, fill, on_no_acquire);
	sa = sas[0];
	sa.comp = ALG_NONE;
	ck_assert_int_eq(sadb_add(us.sas, &sa, 0, 1), REASON_KLIPS_SA_ALGORITHM);
	sa = sas[0];
	sa.id.spi = 0x10000;
	ck_assert_int_eq(sadb_add(us.sas, &sa, 0, 1), REASON_KLIPS_SPI_RANGE);
	sa = sas[0];
	sa.cipher = ALG_AES_CBC;
	ck_assert_int_eq(sadb_add(us.sas, &sa, 0, 1), REASON_KLIPS_SA_ALGORITHM);
	sa = sas[1];
	sa.comp = ALG_DEFLATE;
	ck_assert_int_eq(sadb_add(us.sas, &sa, 0, 1), REASON_KLIPS_SA_ALGORITHM);
	datapath_free(&us);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("klips_ipcomp");
	TCase *c = tcase_create("ipcomp");

	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, there_and_back, 0, 4);
	tcase_add_test(c, largest);
	tcase_add_test(c, alone);
	tcase_add_test(c, bombs);
	tcase_add_test(c, nonsense);
	tcase_add_test(c, sa_rules);
	suite_add_tcase(s, c);
	return run_suite(s);
}
