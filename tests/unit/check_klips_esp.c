/* check_klips_esp.c -- the datapath on packets: every suite there and back, and everything
 * that must be dropped is dropped for its own reason. */
#include "base/writer.h"
#include "klips_esp_lab.h"
#include "kernel/fragments.h"
#include "kernel/ip6.h"
#include "must.h"
#include "suite.h"

#include <check.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <stdio.h>
#include <stdlib.h>

START_TEST(there_and_back)
{
	const struct choice *c = &choices[_i / 2];
	bool tunnel = _i % 2 == 0;
	struct kernel_sa sa = sa_from_me(c, tunnel, false);
	uint8_t copy[1500];

	begin(&sa);
	for (size_t n = 28; n <= 1400; n += n < 100 ? 1 : 97) {
		struct packet k = inside(tunnel, n);
		struct path path;
		size_t sealed = sa_sealed(sadb_find(us.sas, &sa.id), n);

		us.ip_id = UINT16_MAX;	/* the next one must not be 0 */
		memcpy(copy, k.p, n);
		ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
		ck_assert_uint_eq(k.n, sealed);
		ck_assert_uint_ne(get_u16(k.p + offsetof(struct iphdr, id)), 0);
		ck_assert(addr_eq(&path.dst, &sa.id.dst));
		if (c->cipher != ALG_NULL && !IS_AH(c) && n > 60)
			ck_assert_ptr_null(memmem(k.p, k.n, copy + 28, 16));
		ck_assert_int_eq(datapath_in(&them, &k, &path), VERDICT_DELIVER);
		ck_assert_uint_eq(path.device, 0);
		ck_assert_uint_eq(k.n, n);
		ck_assert_mem_eq(k.p, copy, n);
	}
	ck_assert_uint_eq(sadb_find(us.sas, &sa.id)->counts.packets,
			  sadb_find(them.sas, &sa.id)->counts.packets);
	ck_assert_uint_eq(sadb_find(us.sas, &sa.id)->counts.bytes, sadb_find(them.sas, &sa.id)->counts.bytes);
	ck_assert_uint_eq(sadb_find(them.sas, &sa.id)->counts.last_used, 100);
	end();
}
END_TEST

/* Every octet that the ICV covers, flipped once; then the same packet twice. */
START_TEST(forged_and_replayed)
{
	const struct choice *c = &choices[_i];
	struct kernel_sa sa = sa_from_me(c, true, false);
	static uint8_t wire[2000];
	struct packet k;
	struct path path;
	size_t n;
	struct sa *in;

	begin(&sa);
	in = sadb_find(them.sas, &sa.id);
	k = inside(true, 120);
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
	n = k.n;
	memcpy(wire, k.p, n);
	for (size_t i = IP4_HEADER + (IS_AH(c) ? 12 : 4); i < n; i++) {
		k = packet_on(room, n);
		memcpy(k.p, wire, n);
		k.p[i] ^= 0x10;
		ck_assert_int_ne(datapath_in(&them, &k, &path), VERDICT_DELIVER);
	}
	ck_assert_uint_eq(in->replay.top, 0);
	ck_assert_uint_gt(in->counts.bad, 100);
	for (unsigned i = 0; i < 3; i++) {
		k = packet_on(room, n);
		memcpy(k.p, wire, n);
		ck_assert_int_eq(datapath_in(&them, &k, &path), i == 0 ? VERDICT_DELIVER : VERDICT_REPLAY);
	}
	ck_assert_uint_eq(in->counts.replays, 2);
	for (size_t cut = 0; cut < n; cut++) {	/* every length, with and without an honest header */
		k = packet_on(room, cut);
		memcpy(k.p, wire, cut);
		ck_assert_int_ne(datapath_in(&them, &k, &path), VERDICT_DELIVER);
		if (cut < IP4_HEADER)
			continue;
		ip4_retarget(k.p, IP4_HEADER, sa.id.protocol, cut);
		ck_assert_int_ne(datapath_in(&them, &k, &path), VERDICT_DELIVER);
	}
	end();
}
END_TEST

START_TEST(selectors_hold)
{
	struct kernel_sa sa = sa_from_me(&choices[0], true, false);
	struct packet k;
	struct path path;

	begin(&sa);
	sadb_find(them.sas, &sa.id)->dst_client = net("10.2.0.0/24");
	k = udp("10.1.0.5", "10.2.1.9", 100);
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
	ck_assert_int_eq(datapath_in(&them, &k, &path), VERDICT_SELECTOR);
	sadb_find(them.sas, &sa.id)->dst_port = 99;
	k = udp("10.1.0.5", "10.2.0.9", 100);
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
	ck_assert_int_eq(datapath_in(&them, &k, &path), VERDICT_SELECTOR);
	k = udp("10.9.0.5", "10.2.0.9", 100);
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_NO_EROUTE);
	end();
}
END_TEST

START_TEST(wrong_peer_or_sa)
{
	struct kernel_sa sa = sa_from_me(&choices[0], true, false);
	struct packet k;
	struct path path;
	struct kernel_counts counts;

	begin(&sa);
	k = inside(true, 100);
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
	k.p[15] ^= 1;
	ck_assert_int_eq(datapath_in(&them, &k, &path), VERDICT_SOURCE);
	ck_assert(sadb_del(them.sas, &sa.id, &counts));
	k = inside(true, 100);
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
	ck_assert_int_eq(datapath_in(&them, &k, &path), VERDICT_NO_SA);
	/* What goes out with an SA may not come back in with it. */
	k = inside(true, 100);
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
	ck_assert_int_eq(datapath_in(&us, &k, &path), VERDICT_NO_SA);
	ck_assert(sadb_del(us.sas, &sa.id, &counts));
	ck_assert_uint_eq(counts.packets, 3);
	k = inside(true, 100);
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_NO_SA);
	end();
}
END_TEST

START_TEST(sequence_numbers_end)
{
	struct kernel_sa sa = sa_from_me(&choices[0], true, false);
	struct packet k;
	struct path path;

	begin(&sa);
	sadb_find(us.sas, &sa.id)->seq = UINT32_MAX - 1;
	k = inside(true, 100);
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
	for (unsigned i = 0; i < 3; i++) {
		k = inside(true, 100);
		ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_EXHAUSTED);
	}
	end();
}
END_TEST

/* RFC 4301 5.1.2.1: TOS and DF go outwards; congestion marked on the way comes inwards. */
START_TEST(outer_header)
{
	struct kernel_sa sa = sa_from_me(&choices[0], true, false);
	struct packet k;
	struct path path;
	struct flow f;

	begin(&sa);
	k = inside(true, 100);
	k.p[offsetof(struct iphdr, tos)] = 0xb8 | IPTOS_ECN_ECT0;
	k.p[offsetof(struct iphdr, frag_off)] = IP_DF >> 8;
	ip4_retarget(k.p, IP4_HEADER, IPPROTO_UDP, 100);
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
	ck_assert(packet_flow(packet_span(&k), &f));
	ck_assert_uint_eq(f.tos, 0xb8 | IPTOS_ECN_ECT0);
	ck_assert(f.df);
	ck_assert_uint_eq(k.p[offsetof(struct iphdr, ttl)], IP4_TTL);
	ck_assert_uint_eq(inet_checksum(k.p, IP4_HEADER), 0);
	k.p[offsetof(struct iphdr, tos)] |= IPTOS_ECN_CE;
	ck_assert_int_eq(datapath_in(&them, &k, &path), VERDICT_DELIVER);
	ck_assert_uint_eq(k.p[offsetof(struct iphdr, tos)], 0xb8 | IPTOS_ECN_CE);
	ck_assert_uint_eq(inet_checksum(k.p, IP4_HEADER), 0);

	k = inside(true, 100);		/* not ECN-capable: stays so */
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
	ck_assert(packet_flow(packet_span(&k), &f) && !f.df);
	k.p[offsetof(struct iphdr, tos)] |= IPTOS_ECN_CE;
	ck_assert_int_eq(datapath_in(&them, &k, &path), VERDICT_DELIVER);
	ck_assert_uint_eq(k.p[offsetof(struct iphdr, tos)], 0);
	end();
}
END_TEST

START_TEST(trap_reports_once)
{
	struct kernel_sa sa = sa_from_me(&choices[0], true, false);
	struct kernel_eroute e = { .src = sa.src_client, .dst = sa.dst_client, .kind = EROUTE_TRAP };
	struct packet k;
	struct path path;
	bool added;

	begin(&sa);
	ck_assert_int_eq(eroute_set(us.eroutes, &e, 0, &added), REASON_NONE);
	ck_assert(!added);
	for (unsigned i = 0; i < 10; i++) {
		k = inside(true, 100);
		ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_TRAP);
	}
	ck_assert_uint_eq(acquires, 1);
	ck_assert_uint_eq(acquired.protocol, IPPROTO_UDP);
	ck_assert(addr_eq(&acquired.dst, &(struct ip_addr){ .len = 4, .b = { 10, 2, 0, 9 } }));
	for (unsigned i = 0; i < 100; i++) {	/* many traps at once are reported up to a bound */
		struct kernel_eroute one = e;
		char text[32];

		snprintf(text, sizeof text, "10.2.1.%u", i);
		one.dst = net(text);
		ck_assert_int_eq(eroute_set(us.eroutes, &one, 0, &added), REASON_NONE);
		k = udp("10.1.0.5", text, 60);
		ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_TRAP);
	}
	ck_assert_uint_eq(acquires, LIMIT_KLIPS_ACQUIRES);
	end();
}
END_TEST

START_TEST(ike_passes)
{
	struct kernel_sa sa = sa_from_me(&choices[0], false, false);
	struct packet k;
	struct path path;

	begin(&sa);
	us.holes[us.n_holes++] = 500;
	k = udp(ME, PEER, 100);
	k.p[IP4_HEADER] = 500 >> 8;
	k.p[IP4_HEADER + 1] = 500 & 255;
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_PASS);
	k = udp("10.1.0.5", PEER, 100);		/* another host's are no IKE of ours */
	k.p[IP4_HEADER] = 500 >> 8;
	k.p[IP4_HEADER + 1] = 500 & 255;
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_NO_EROUTE);
	end();
}
END_TEST

/* ESP in tunnel mode, then AH over it in transport mode. */
START_TEST(bundle)
{
	struct kernel_sa esp = sa_from_me(&choices[0], true, false), ah = sa_from_me(&choices[9], false, false);
	struct kernel_sa in;
	struct kernel_eroute e = { .src = esp.src_client, .dst = esp.dst_client, .kind = EROUTE_SA, .n_sas = 2,
				   .sas = { esp.id, ah.id } };
	struct packet k;
	struct path path;
	uint8_t copy[500];
	bool added;

	esp.outwards = IPPROTO_AH;
	begin(&esp);
	ah.src_client = esp.src_client;
	ah.dst_client = esp.dst_client;
	ah.inner_tunnel = true;
	ah.inwards = IPPROTO_ESP;
	in = ah;
	in.inbound = true;
	ck_assert_int_eq(sadb_add(us.sas, &ah, 0, 1), REASON_NONE);
	ck_assert_int_eq(sadb_add(them.sas, &in, 0, 1), REASON_NONE);
	ck_assert_int_eq(eroute_set(us.eroutes, &e, 0, &added), REASON_NONE);
	k = inside(true, 500);
	memcpy(copy, k.p, 500);
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
	ck_assert_uint_eq(k.p[offsetof(struct iphdr, protocol)], IPPROTO_AH);
	k.p[offsetof(struct iphdr, ttl)] -= 3;	/* as routers do; AH must not mind */
	ck_assert_int_eq(datapath_in(&them, &k, &path), VERDICT_DELIVER);
	ck_assert_uint_eq(k.n, 500);
	ck_assert_mem_eq(k.p, copy, 500);

	e.n_sas = 1;				/* ESP without the AH that was agreed on, or AH without ESP */
	ck_assert_int_eq(eroute_set(us.eroutes, &e, 0, &added), REASON_NONE);
	k = inside(true, 500);
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
	ck_assert_int_eq(datapath_in(&them, &k, &path), VERDICT_BUNDLE);
	e.sas[0] = ah.id;
	ck_assert_int_eq(eroute_set(us.eroutes, &e, 0, &added), REASON_NONE);
	k = inside(true, 500);
	sadb_find(us.sas, &ah.id)->tunnel = true;
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
	ck_assert_int_eq(datapath_in(&them, &k, &path), VERDICT_BUNDLE);
	end();
}
END_TEST

START_TEST(udp_encapsulation)
{
	const struct choice *c = &choices[0];
	bool tunnel = _i == 0;
	struct kernel_sa sa = sa_from_me(c, tunnel, false);
	struct packet k;
	struct path path;
	uint8_t copy[400];

	sa.encap_sport = sa.encap_dport = 4500;
	begin(&sa);
	k = inside(tunnel, 400);
	memset(k.p + IP4_HEADER + 6, 0, 2);	/* no UDP checksum: nothing to renew */
	memcpy(copy, k.p, 400);
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
	ck_assert_uint_eq(k.p[offsetof(struct iphdr, protocol)], IPPROTO_UDP);
	ck_assert_uint_eq(get_u16(k.p + IP4_HEADER + 2), 4500);
	ck_assert_uint_eq(get_u16(k.p + IP4_HEADER + 4), k.n - IP4_HEADER);
	if (tunnel)
		k.p[15] = 99;			/* a NAT on the way */
	k.p[IP4_HEADER] = 200;
	ck_assert_int_eq(datapath_in(&them, &k, &path), VERDICT_DELIVER);
	if (tunnel)
		ck_assert_mem_eq(k.p, copy, 400);
	else
		ck_assert_mem_eq(k.p + IP4_HEADER, copy + IP4_HEADER, 380);
	sadb_find(us.sas, &sa.id)->encap_dport = 0;	/* bare ESP for an SA in UDP */
	k = inside(tunnel, 400);
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
	ck_assert_int_eq(datapath_in(&them, &k, &path), VERDICT_ENCAP);
	end();
}
END_TEST

START_TEST(sa_rules)
{
	struct kernel_sa sa = sa_from_me(&choices[0], true, true);
	struct datapath *d = &us;
	uint32_t spi = 0;
	struct kernel_counts counts;

	datapath_init(d, NULL, fill, on_acquire);
	sa.mac = ALG_NONE;
	ck_assert_int_eq(sadb_add(d->sas, &sa, 0, 1), REASON_KLIPS_SA_NO_AUTH);
	sa = sa_from_me(&choices[5], true, true);
	sa.cipher = ALG_NONE;			/* ESP without even NULL */
	ck_assert_int_eq(sadb_add(d->sas, &sa, 0, 1), REASON_KLIPS_SA_ALGORITHM);
	sa = sa_from_me(&choices[0], true, true);
	sa.cipher_key.n = 15;
	ck_assert_int_eq(sadb_add(d->sas, &sa, 0, 1), REASON_KLIPS_SA_ALGORITHM);
	sa = sa_from_me(&choices[0], true, true);
	sa.id.spi = 0;
	ck_assert_int_eq(sadb_add(d->sas, &sa, 0, 1), REASON_KLIPS_SPI_RANGE);
	sa = sa_from_me(&choices[0], true, true);
	sa.id.protocol = IPPROTO_IPIP;
	ck_assert_int_eq(sadb_add(d->sas, &sa, 0, 1), REASON_KLIPS_SA_PROTOCOL);
	sa = sa_from_me(&choices[0], true, true);
	ck_assert_int_eq(sadb_add(d->sas, &sa, 0, 1), REASON_NONE);
	ck_assert_int_eq(sadb_add(d->sas, &sa, 0, 1), REASON_KLIPS_SA_EXISTS);
	ck_assert_int_eq(sadb_reserve(d->sas, &sa.id.dst, sa.id.protocol, 0x1234, 0x1235, 0, 1, &spi),
			 REASON_NONE);
	ck_assert_uint_eq(spi, 0x1235);
	ck_assert_int_eq(sadb_reserve(d->sas, &sa.id.dst, sa.id.protocol, 0x1234, 0x1235, 0, 1, &spi),
			 REASON_KLIPS_SPI_USED_UP);
	ck_assert_int_eq(sadb_reserve(d->sas, &sa.id.dst, sa.id.protocol, 0, 5, 0, 1, &spi),
			 REASON_KLIPS_SPI_RANGE);
	sa.id.spi = 0x1235;			/* takes the larval one's place */
	ck_assert_int_eq(sadb_add(d->sas, &sa, 0, 1), REASON_NONE);
	ck_assert_uint_eq(sadb_count(d->sas), 2);
	ck_assert_int_eq(sadb_reserve(d->sas, &sa.id.dst, sa.id.protocol, 0x1236, 0x1236, 9, 10, &spi),
			 REASON_NONE);
	sadb_expire_larval(d->sas, 20, 600);
	ck_assert_uint_eq(sadb_count(d->sas), 3);
	sadb_expire_larval(d->sas, 610, 600);
	ck_assert_uint_eq(sadb_count(d->sas), 2);
	sa.id.spi = 0x9999;
	ck_assert(!sadb_del(d->sas, &sa.id, &counts));
	datapath_free(d);
}
END_TEST

/* D15: whatever window is asked for, at least 64 packets are remembered. */
START_TEST(replay_window_is_never_off)
{
	struct kernel_sa sa = sa_from_me(&choices[0], true, true);

	sa.replay_window = 0;
	datapath_init(&us, NULL, fill, on_acquire);
	ck_assert_int_eq(sadb_add(us.sas, &sa, 0, 1), REASON_NONE);
	ck_assert_uint_ge(sadb_find(us.sas, &sa.id)->replay.window, 64);
	datapath_free(&us);
}
END_TEST

START_TEST(rubbish_is_dropped)
{
	struct kernel_sa sa = sa_from_me(&choices[_i], true, false);
	struct path path;

	begin(&sa);
	for (unsigned i = 0; i < 50000; i++) {
		size_t n = (size_t)random() % 200;
		struct packet k = packet_on(room, n);

		fill(NULL, k.p, n);
		if (n >= IP4_HEADER + 8 && i % 2 == 0) {	/* far enough to reach the SA */
			ip4_write(k.p, &(struct ip4){ .src = sa.src, .dst = sa.id.dst,
						      .protocol = sa.id.protocol, .length = n });
			k.p[IP4_HEADER + (IS_AH(&choices[_i]) ? 4 : 0)] = 0;
			memcpy(k.p + IP4_HEADER + (IS_AH(&choices[_i]) ? 4 : 0), "\0\0\x12\x34", 4);
		}
		must(datapath_in(&them, &k, &path) != VERDICT_DELIVER, "round %u is delivered", i);
		k = packet_on(room, n);
		fill(NULL, k.p, n);
		if (n > 0 && i % 2 == 0)
			k.p[0] = 0x45;
		must(datapath_out(&us, 0, &k, &path) != VERDICT_PASS, "round %u passes", i);
	}
	end();
}
END_TEST

/* A peer that has the keys and sends what it likes: inner packets, trailers and padding of every kind. */
START_TEST(authentic_nonsense)
{
	const struct choice *c = &choices[_i % 2 == 0 ? 6 : 0];
	struct kernel_sa sa = sa_from_me(c, _i < 2, true);
	size_t iv = alg_table[c->cipher].iv, icv = c->mac == ALG_NONE ? 16 : alg_table[c->mac].icv;
	const char *why;
	struct transform *t = transform_new(sa.cipher, sa.cipher_key, sa.mac, sa.mac_key, &why);
	unsigned delivered = 0, padding = 0;
	enum verdict v;
	struct path path;

	begin(&sa);
	for (uint32_t i = 1; i <= 20000; i++) {
		size_t text = 16 * (1 + (size_t)random() % 8), n = IP4_HEADER + ESP_HEADER + iv + text + icv;
		struct packet k = packet_on(room, n);
		uint8_t *esp = k.p + IP4_HEADER, *inner = esp + ESP_HEADER + iv;
		struct writer w = writer_on(esp, ESP_HEADER);
		size_t pad = (size_t)random() % 20;
		struct flow f;

		fill(NULL, k.p, n);
		put_u32(&w, sa.id.spi);
		put_u32(&w, i);
		ip4_write(k.p, &(struct ip4){ .src = sa.src, .dst = sa.id.dst, .protocol = IPPROTO_ESP, .length = n });
		if (i % 4 != 0 && text >= 32) {		/* nearly right */
			ip4_write(inner, &(struct ip4){ .src = ip("10.1.0.5"), .dst = ip("10.2.0.9"),
				  .protocol = IPPROTO_UDP, .length = (size_t)random() % 150 });
			for (size_t j = 0; j < pad; j++)
				inner[text - 2 - pad + j] = (uint8_t)(j + 1);
			inner[text - 2] = (uint8_t)pad;
			inner[text - 1] = i % 3 == 0 ? IPPROTO_UDP : i % 3 == 1 ? IPPROTO_IPIP : (uint8_t)random();
		}
		must(transform_seal(t, span_of(esp, ESP_HEADER), span_of(esp + ESP_HEADER, iv), inner, text,
				    span_of(NULL, 0), inner + text), "round %u is not sealed", i);
		v = datapath_in(&them, &k, &path);
		padding += v == VERDICT_BAD_PADDING;
		must(v != VERDICT_BAD_ICV, "round %u is not authentic", i);
		if (v != VERDICT_DELIVER)
			continue;
		delivered++;
		must(packet_flow(packet_span(&k), &f), "round %u: no flow", i);
		must(f.length == k.n, "round %u: %zu octets, told %zu", i, k.n, (size_t)f.length);
		must(subnet_has(&sa.src_client, &f.src) && subnet_has(&sa.dst_client, &f.dst), "round %u: foreign clients", i);
	}
	ck_assert_uint_gt(delivered, 0);
	ck_assert_uint_gt(padding, 0);
	transform_free(t);
	end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("klips_esp");
	TCase *c = tcase_create("esp");

	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, there_and_back, 0, 2 * N_CHOICES);
	tcase_add_loop_test(c, forged_and_replayed, 0, N_CHOICES);
	tcase_add_test(c, selectors_hold);
	tcase_add_test(c, wrong_peer_or_sa);
	tcase_add_test(c, sequence_numbers_end);
	tcase_add_test(c, outer_header);
	tcase_add_test(c, trap_reports_once);
	tcase_add_test(c, ike_passes);
	tcase_add_test(c, bundle);
	tcase_add_loop_test(c, udp_encapsulation, 0, 2);
	tcase_add_test(c, sa_rules);
	tcase_add_test(c, replay_window_is_never_off);
	tcase_add_loop_test(c, rubbish_is_dropped, 0, N_CHOICES);
	tcase_add_loop_test(c, authentic_nonsense, 0, 4);
	suite_add_tcase(s, c);
	return run_suite(s);
}
