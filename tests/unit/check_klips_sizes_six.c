/* check_klips_sizes_six.c -- packets of IPv6 that are too long for the path, and what is said of them; fragments: cut, put
 * together, protected whole, hostile. */
#include "base/writer.h"
#include "kernel/fragments.h"
#include "klips_six_lab.h"
#include "must.h"
#include "suite.h"

#include <check.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stdlib.h>

START_TEST(path_mtu)
{
	const struct way *w = &ways[_i];
	struct packet k;
	struct path path;
	uint8_t icmp[IP6_TOO_BIG];
	struct sa *out;
	size_t fits;

	begin(&choices[0], w);
	out = sadb_find(us.sas, &sa.id);
	fits = sa_room(out, 1500);
	k = inside(w, fits);
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
	ck_assert_uint_le(k.n, 1500);
	k = inside(w, fits + 1);
	if (w->from == ways[2].from) {	/* IPv4 that may be cut */
		ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
		end();
		return;
	}
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_TOO_BIG);
	ck_assert_uint_eq(path.mtu, fits);
	ck_assert_uint_eq(ip6_too_big(icmp, packet_span(&k), path.mtu), IP6_TOO_BIG);
	ck_assert_uint_eq(icmp[0], ICMP6_PACKET_TOO_BIG);
	ck_assert_uint_eq(get_u32(icmp + 4), fits);
	ck_assert_mem_eq(icmp + 8, k.p, IP6_TOO_BIG - 8);

	/* A narrow path: 1280 octets pass nevertheless, and are cut outside. */
	ck_assert(datapath_path_mtu(&us, &sa.id, 1290));
	ck_assert_int_eq(datapath_path_mtu(&us, &sa.id, 68), true);
	ck_assert_uint_eq(out->pmtu, sa.id.dst.len == 16 ? 1280 : 576);
	k = inside(w, 1280);
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
	ck_assert_uint_eq(path.mtu, out->pmtu);
	ck_assert_uint_gt(k.n, path.mtu);
	k = inside(w, 1281);
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_TOO_BIG);
	ck_assert_uint_eq(path.mtu, 1280);
	end();
}
END_TEST

/* RFC 4443 2.4 (e). */
START_TEST(no_icmp_about_icmp_errors)
{
	uint8_t icmp[IP6_TOO_BIG], chain[8] = { IPPROTO_ICMPV6, 0, PAD6 };
	struct packet k = six(ME, PEER, IPPROTO_ICMPV6, NULL, 0, 60);

	k.p[40] = ICMP6_ECHO_REQUEST;
	ck_assert_uint_gt(ip6_too_big(icmp, packet_span(&k), 1280), 0);
	k.p[40] = ICMP6_TIME_EXCEEDED;
	ck_assert_uint_eq(ip6_too_big(icmp, packet_span(&k), 1280), 0);
	k.p[40] = ND_REDIRECT;
	ck_assert_uint_eq(ip6_too_big(icmp, packet_span(&k), 1280), 0);
	k = six(ME, PEER, IPPROTO_DSTOPTS, chain, sizeof chain, 60);
	k.p[48] = ICMP6_TIME_EXCEEDED;
	ck_assert_uint_eq(ip6_too_big(icmp, packet_span(&k), 1280), 0);
	k = six("::", PEER, IPPROTO_UDP, NULL, 0, 60);
	ck_assert_uint_eq(ip6_too_big(icmp, packet_span(&k), 1280), 0);
	k = six("ff02::1", PEER, IPPROTO_UDP, NULL, 0, 60);
	ck_assert_uint_eq(ip6_too_big(icmp, packet_span(&k), 1280), 0);
}
END_TEST

static const uint8_t hop[8] = { IPPROTO_UDP, 0, PAD6 };
/* Fragment headers: of a whole packet, of a later fragment. */
static const uint8_t whole_in_one[8] = { IPPROTO_UDP, 0, 0, 0, 0, 0, 0, 9 }, later[8] = { IPPROTO_UDP, 0, 0, 8, 0, 0, 0, 9 };

START_TEST(fragments_cover_the_packet)
{
	struct fragments s;
	struct packet k = six(ME, PEER, IPPROTO_HOPOPTS, hop, sizeof hop, 3000), piece;
	static uint8_t whole[3100], again[3100];
	size_t at = 0, pieces = 0;
	struct flow f;

	memcpy(whole, k.p, k.n);
	ck_assert(fragments_begin(&s, &k, 1280, 0x01020304));
	while (fragments_next(&s, &piece)) {
		ck_assert(packet_flow(packet_span(&piece), &f));
		ck_assert_uint_le(piece.n, 1280);
		ck_assert_uint_eq(f.fragment_at, 48);
		ck_assert_uint_eq(f.offset, at);
		ck_assert_uint_eq(f.protocol, IPPROTO_UDP);
		ck_assert_uint_eq(get_u32(piece.p + 52), 0x01020304);
		ck_assert_mem_eq(piece.p + 41, hop + 1, 7);
		memcpy(again + at, piece.p + 56, piece.n - 56);
		at += piece.n - 56;
		ck_assert_int_eq(f.more, at < 3000);
		pieces++;
	}
	ck_assert_uint_eq(at, 3000);
	ck_assert_uint_eq(pieces, 3);
	ck_assert_mem_eq(whole + 48, again, 3000);
	k = six(ME, PEER, IPPROTO_HOPOPTS, hop, sizeof hop, 3000);
	ck_assert(!fragments_begin(&s, &k, 63, 7));
	k = six(ME, PEER, IPPROTO_FRAGMENT, whole_in_one, sizeof whole_in_one, 100);
	ck_assert(!fragments_begin(&s, &k, 1280, 7));
}
END_TEST

/* What this host sends in fragments is protected whole, in any mode. */
START_TEST(own_fragments)
{
	struct fragments s;
	struct packet k = six(ME, PEER, IPPROTO_HOPOPTS, hop, sizeof hop, 3000), piece, held;
	static uint8_t copy[3100];
	enum verdict v = VERDICT_HELD;
	struct path path;

	begin(&choices[_i], &ways[3]);
	memcpy(copy, k.p, k.n);
	ck_assert(fragments_begin(&s, &k, 1376, 7));
	while (fragments_next(&s, &piece)) {
		ck_assert_int_eq(v, VERDICT_HELD);
		held = packet_on(other, piece.n);
		memcpy(held.p, piece.p, piece.n);
		v = datapath_out(&us, 0, &held, &path);
	}
	ck_assert_int_eq(v, VERDICT_SEND);
	ck_assert_int_eq(datapath_in(&them, &held, &path), VERDICT_DELIVER);
	ck_assert_uint_eq(held.n, 3048);
	ck_assert_mem_eq(held.p, copy, 3048);
	end();
}
END_TEST

/* Inside ESP of a peer that has the keys, transport mode brings no fragments. */
START_TEST(no_fragments_out_of_transport_mode)
{
	uint8_t iv[16] = { 0 };
	struct packet k;
	struct flow f;
	struct path path;

	begin(&choices[1], &ways[3]);
	k = six(ME, PEER, IPPROTO_FRAGMENT, later, sizeof later, 100);
	f = (struct flow){ .dst = ip(PEER), .src = ip(ME), .length = k.n, .header = 40, .next_at = 6, .next = IPPROTO_FRAGMENT };
	ck_assert_int_eq(sa_seal(sadb_find(us.sas, &sa.id), &k, &f, iv, 1), VERDICT_SEND);
	ck_assert_int_eq(datapath_in(&them, &k, &path), VERDICT_FRAGMENT);
	end();
}
END_TEST

/* A piece of one datagram; `at` in units of 8 octets. */
static struct packet piece(size_t at, bool more, size_t body, struct flow *f)
{
	uint8_t header[8] = { IPPROTO_UDP, 0, 0, (uint8_t)(at << 3 | more), 0, 0, 0, 7 };
	struct packet k = six(ME, PEER, IPPROTO_FRAGMENT, header, sizeof(header), body);

	ck_assert(packet_flow(packet_span(&k), f));
	return k;
}

/* RFC 5722 4: what overlaps gives no datagram; nor does what comes in another order, as klips keeps no gaps. */
START_TEST(overlapping_pieces_give_no_datagram)
{
	bool overlap = _i % 2 != 0, backwards = _i / 2 != 0;
	struct reassembly *r = reassembly_new();
	struct packet k, whole;
	struct flow f;

	k = backwards ? piece(1, false, 8, &f) : piece(0, true, overlap ? 16 : 8, &f);
	ck_assert(!reassembly_add(r, &k, &f, &whole));
	k = backwards ? piece(0, true, overlap ? 16 : 8, &f) : piece(1, false, 8, &f);
	ck_assert_int_eq(reassembly_add(r, &k, &f, &whole), !overlap && !backwards);
	if (overlap && !backwards) {	/* what would fit behind the first piece is too late */
		k = piece(2, false, 8, &f);
		ck_assert(!reassembly_add(r, &k, &f, &whole));
	}
	reassembly_free(r);
}
END_TEST

/* Pieces out of order, that overlap, or of too much: never a datagram, never outside the memory. */
START_TEST(fragments_of_nonsense)
{
	struct reassembly *r = reassembly_new();
	unsigned complete = 0;

	for (unsigned i = 0; i < 200000; i++) {
		uint8_t chain[16] = { IPPROTO_FRAGMENT, 0, PAD6, IPPROTO_UDP };
		bool headed = random() % 2 == 0;
		size_t off = random() % 100 == 0 ? 8191 : (size_t)random() % 4;
		size_t body = random() % 50 == 0 ? 60000 : (size_t)(random() % 4) * 8 + 8;
		struct packet k, whole;
		struct flow f;

		chain[10] = (uint8_t)(off >> 5);
		chain[11] = (uint8_t)(off << 3 | (size_t)random() % 2);
		chain[15] = (uint8_t)(random() % 12);
		k = headed ? six(ME, PEER, IPPROTO_HOPOPTS, chain, 16, body)
			   : six(ME, PEER, IPPROTO_FRAGMENT, chain + 8, 8, body);
		must(packet_flow(packet_span(&k), &f), "round %u: no flow", i);
		if (!reassembly_add(r, &k, &f, &whole))
			continue;
		must(packet_flow(packet_span(&whole), &f), "round %u: no flow of the whole", i);
		must(f.fragment_at == 0, "round %u: the whole is a piece", i);
		must(f.length == whole.n, "round %u: %zu octets, told %zu", i, whole.n, (size_t)f.length);
		complete++;
	}
	ck_assert_uint_gt(complete, 0);
	reassembly_free(r);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("klips_sizes_six");
	TCase *c = tcase_create("sizes");

	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, path_mtu, 0, 3);
	tcase_add_test(c, no_icmp_about_icmp_errors);
	tcase_add_test(c, fragments_cover_the_packet);
	tcase_add_loop_test(c, own_fragments, 0, N_CHOICES);
	tcase_add_test(c, no_fragments_out_of_transport_mode);
	tcase_add_loop_test(c, overlapping_pieces_give_no_datagram, 0, 4);
	tcase_add_test(c, fragments_of_nonsense);
	suite_add_tcase(s, c);
	return run_suite(s);
}
