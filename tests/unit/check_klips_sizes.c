/* check_klips_sizes.c -- packets of IPv4 that are too long for the path, and what is said of them; fragments: cut, put together,
 * protected whole, hostile. */
#include "kernel/fragments.h"
#include "klips_esp_lab.h"
#include "must.h"
#include "suite.h"

#include <check.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <stdlib.h>

START_TEST(path_mtu)
{
	const struct choice *c = &choices[_i];
	struct kernel_sa sa = sa_from_me(c, true, false);
	uint8_t icmp[ICMP_TOO_BIG];
	struct packet k;
	struct path path;
	struct sa *out;
	size_t fits, n;

	begin(&sa);
	out = sadb_find(us.sas, &sa.id);
	fits = sa_room(out, 1500);
	ck_assert_uint_le(sa_sealed(out, fits), 1500);
	ck_assert_uint_gt(sa_sealed(out, fits + 1), 1500);
	for (n = fits; n <= fits + 1; n++) {
		k = inside(true, n);
		k.p[offsetof(struct iphdr, frag_off)] = IP_DF >> 8;
		ck_assert_int_eq(datapath_out(&us, 0, &k, &path), n == fits ? VERDICT_SEND : VERDICT_TOO_BIG);
	}
	ck_assert_uint_eq(path.mtu, fits);
	k = inside(true, 1450);
	n = icmp_too_big(icmp, packet_span(&k), &us.devices[0].addrs[0], path.mtu, 1);
	ck_assert_uint_eq(n, IP4_HEADER + 8 + IP4_HEADER + 8);
	ck_assert_uint_eq(inet_checksum(icmp + IP4_HEADER, n - IP4_HEADER), 0);
	ck_assert_uint_eq(get_u16(icmp + IP4_HEADER + 6), fits);

	ck_assert(!datapath_path_mtu(&us, &sa.id, 1500));
	ck_assert(datapath_path_mtu(&us, &sa.id, 1200));
	ck_assert(!datapath_path_mtu(&us, &sa.id, 1400));
	ck_assert(datapath_path_mtu(&us, &sa.id, 68));	/* not below what is reasonable */
	ck_assert_uint_eq(out->pmtu, 576);
	k = inside(true, 1000);
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
	ck_assert_uint_eq(path.mtu, 576);
	us.now_ms += 601000;		/* forgotten after ten minutes */
	k = inside(true, 1000);
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
	ck_assert_uint_eq(path.mtu, 1500);
	end();
}
END_TEST

START_TEST(no_icmp_about_icmp_errors)
{
	uint8_t icmp[ICMP_TOO_BIG], about[ICMP_TOO_BIG];
	struct packet k = udp("10.1.0.5", "10.2.0.9", 200);
	struct ip_addr me = ip(ME);
	size_t n = icmp_too_big(icmp, packet_span(&k), &me, 1000, 1);

	ck_assert_uint_eq(icmp_too_big(about, span_of(icmp, n), &me, 1000, 1), 0);
	k = udp("10.1.0.5", "224.0.0.1", 200);
	ck_assert_uint_eq(icmp_too_big(about, packet_span(&k), &me, 1000, 1), 0);
	k.p[offsetof(struct iphdr, frag_off) + 1] = 5;
	ck_assert_uint_eq(icmp_too_big(about, packet_span(&k), &me, 1000, 1), 0);
}
END_TEST

START_TEST(fragments_cover_the_packet)
{
	struct fragments s;
	struct packet k = udp(ME, PEER, 3000), piece;
	uint8_t whole[3000], again[3000];
	size_t at = 0, pieces = 0;
	struct flow f;

	memcpy(whole, k.p, 3000);
	ck_assert(fragments_begin(&s, &k, 1000, 7));
	while (fragments_next(&s, &piece)) {
		uint16_t off = get_u16(piece.p + offsetof(struct iphdr, frag_off));

		ck_assert(packet_flow(packet_span(&piece), &f));
		ck_assert_uint_le(piece.n, 1000);
		ck_assert_uint_eq(inet_checksum(piece.p, f.header), 0);
		ck_assert_uint_eq((off & IP_OFFMASK) * 8u, at);
		memcpy(again + IP4_HEADER + at, piece.p + f.header, piece.n - f.header);
		at += piece.n - f.header;
		ck_assert_int_eq((off & IP_MF) != 0, at < 2980);
		pieces++;
	}
	ck_assert_uint_eq(at, 2980);
	ck_assert_uint_eq(pieces, 4);
	ck_assert_mem_eq(whole + IP4_HEADER, again + IP4_HEADER, 2980);
	ck_assert(!fragments_begin(&s, &k, 20, 7));
}
END_TEST

/* What this host sends in fragments is protected whole, in any mode, and cut again outside. */
START_TEST(own_fragments)
{
	struct kernel_sa sa = sa_from_me(&choices[0], false, false);
	static uint8_t other[PACKET_ROOM];
	struct fragments s;
	struct packet k = udp(ME, PEER, 3000), piece, held;
	uint8_t copy[3000];
	enum verdict v = VERDICT_HELD;
	struct path path;
	unsigned pieces = 0;

	begin(&sa);
	memcpy(copy, k.p, 3000);
	ck_assert(fragments_begin(&s, &k, 1396, 7));
	while (fragments_next(&s, &piece)) {
		ck_assert_int_eq(v, VERDICT_HELD);
		held = packet_on(other, piece.n);
		memcpy(held.p, piece.p, piece.n);
		v = datapath_out(&us, 0, &held, &path);
		pieces++;
	}
	ck_assert_uint_eq(pieces, 3);
	ck_assert_int_eq(v, VERDICT_SEND);
	ck_assert_uint_eq(path.mtu, 1500);
	ck_assert_int_eq(datapath_in(&them, &held, &path), VERDICT_DELIVER);
	ck_assert_uint_eq(held.n, 3000);
	ck_assert_mem_eq(held.p, copy, 3000);

	/* Another host's stay fragments: transport mode is not for them. */
	sadb_find(us.sas, &sa.id)->src_client = net("10.1.0.0/16");
	k = udp("10.1.0.5", PEER, 3000);
	k.p[offsetof(struct iphdr, frag_off)] = IP_MF >> 8;
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_NO_EROUTE);
	end();
}
END_TEST

/* Pieces out of order, too many, or of too much: never a datagram, never outside the memory. */
START_TEST(fragments_of_nonsense)
{
	struct reassembly *r = reassembly_new();
	struct packet k, whole;
	struct flow f;
	unsigned complete = 0;

	for (unsigned i = 0; i < 200000; i++) {
		size_t n = IP4_HEADER + (size_t)(random() % 4) * 8 + 8, off = (size_t)random() % 4;

		if (random() % 100 == 0)
			off = 8191;
		if (random() % 50 == 0)
			n = 60000;
		k = udp(ME, PEER, n);
		k.p[offsetof(struct iphdr, id) + 1] = (uint8_t)(random() % 12);
		k.p[offsetof(struct iphdr, frag_off)] = (uint8_t)((random() % 2 ? IP_MF >> 8 : 0) | off >> 8);
		k.p[offsetof(struct iphdr, frag_off) + 1] = (uint8_t)off;
		must(packet_flow(packet_span(&k), &f), "round %u: no flow", i);
		if (!reassembly_add(r, &k, &f, &whole))
			continue;
		must(packet_flow(packet_span(&whole), &f), "round %u: no flow of the whole", i);
		must(!f.fragment, "round %u: the whole is a piece", i);
		must(f.length == whole.n, "round %u: %zu octets, told %zu", i, whole.n, (size_t)f.length);
		complete++;
	}
	ck_assert_uint_gt(complete, 0);
	reassembly_free(r);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("klips_sizes");
	TCase *c = tcase_create("sizes");

	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, path_mtu, 0, N_CHOICES);
	tcase_add_test(c, no_icmp_about_icmp_errors);
	tcase_add_test(c, fragments_cover_the_packet);
	tcase_add_test(c, own_fragments);
	tcase_add_test(c, fragments_of_nonsense);
	suite_add_tcase(s, c);
	return run_suite(s);
}
