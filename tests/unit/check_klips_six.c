/* check_klips_six.c -- IPv6 in the datapath: chains of headers, honest and hostile, tunnels between the families, what AH
 * covers, and packets restored from what a raw socket tells. */
#include "base/writer.h"
#include "klips_six_lab.h"
#include "kernel/fragments.h"
#include "kernel/raw6.h"
#include "must.h"
#include "suite.h"

#include <check.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <stdlib.h>
#include <sys/socket.h>

/* ---- chains ------------------------------------------------------------ */

static const struct chain {
	uint8_t first;
	uint8_t octets[64];
	size_t n, body;
	bool good;
	uint8_t protocol, next;
	size_t header;		/* before protection */
} chains[] = {
	{ 17, { 0 }, 0, 20, true, 17, 17, 40 },
	{ 59, { 0 }, 0, 0, true, 59, 59, 40 },			/* no next header */
	{ 0, { 17, 0, PAD6 }, 8, 20, true, 17, 17, 48 },	/* hop-by-hop */
	{ 60, { 17, 0, PAD6 }, 8, 20, true, 17, 60, 40 },	/* destination options are protected */
	{ 60, { 50, 0, PAD6 }, 8, 20, true, 50, 50, 48 },	/* unless they stand before ESP already */
	{ 0, { 60, 0, PAD6, 17, 0, PAD6 }, 16, 20, true, 17, 60, 48 },
	{ 60, { 43, 0, PAD6, 17, 0, 0, 0, 0, 0, 0, 0 }, 16, 20, true, 17, 17, 56 },	/* before a routing header */
	{ 43, { 60, 0, 0, 0, 0, 0, 0, 0, 17, 0, PAD6 }, 16, 20, true, 17, 60, 48 },
	{ 44, { 17, 0, 0, 0, 0, 0, 0, 9 }, 8, 20, true, 17, 17, 48 },	/* whole, in a fragment header */
	{ 44, { 17, 0, 0, 8, 0, 0, 0, 9 }, 8, 20, true, 17, 17, 48 },	/* a later fragment */
	{ 44, { 60, 0, 0, 8, 0, 0, 0, 9, 0xff, 0xff }, 10, 20, true, 60, 60, 48 },	/* whose octets are no header */
	{ 0, { 17, 1, PAD6 }, 8, 7, false, 0, 0, 0 },		/* longer than the packet */
	{ 60, { 17 }, 1, 0, false, 0, 0, 0 },			/* cut off */
	{ 60, { 0, 0, PAD6, 17, 0, PAD6 }, 16, 8, false, 0, 0, 0 },	/* hop-by-hop not at the beginning */
	{ 44, { 44, 0, 0, 0, 0, 0, 0, 1, 17, 0, 0, 0, 0, 0, 0, 2 }, 16, 8, false, 0, 0, 0 },	/* two fragment headers */
	{ 44, { 60, 0, 0, 1, 0, 0, 0, 1, 17, 9 }, 10, 8, false, 0, 0, 0 },	/* the first fragment has not all of the chain */
};

START_TEST(chains_of_headers)
{
	const struct chain *c = &chains[_i];
	struct packet k = six(ME, PEER, c->first, c->octets, c->n, c->body);
	struct flow f;

	ck_assert_int_eq(packet_flow(packet_span(&k), &f), c->good);
	if (!c->good)
		return;
	ck_assert_uint_eq(f.protocol, c->protocol);
	ck_assert_uint_eq(f.next, c->next);
	ck_assert_uint_eq(f.header, c->header);
	ck_assert_uint_eq(k.p[f.next_at], c->next);
	ck_assert_uint_eq(f.length, k.n);
	ck_assert_uint_eq(f.tos, 0xb8);
	ck_assert_uint_eq(f.label, 0x12345);
	if (c->protocol == IPPROTO_UDP && f.offset == 0) {
		ck_assert_uint_eq(f.body, IP6_HEADER + c->n);
		ck_assert_uint_eq(f.sport, 0x0104);
		ck_assert_uint_eq(f.dport, 0x070a);
	} else {
		ck_assert_uint_eq(f.sport | f.dport, 0);
	}
	for (size_t cut = 0; cut < k.n; cut++)
		ck_assert(!packet_flow(span_of(k.p, cut), &f));
}
END_TEST

/* As many headers as are read, and one more; headers that are too long for the room before ESP; a jumbogram. */
START_TEST(chains_have_an_end)
{
	uint8_t many[8 * (LIMIT_KLIPS_EXTENSIONS + 1)] = { 0 }, jumbo[8] = { 17, 0, 0xc2, 4, 0, 1, 0, 0 };
	uint8_t large[256] = { 17, 31 };
	struct packet k;
	struct flow f;

	for (size_t i = 0; i <= LIMIT_KLIPS_EXTENSIONS; i++)
		many[8 * i] = i == LIMIT_KLIPS_EXTENSIONS ? IPPROTO_UDP : IPPROTO_DSTOPTS;
	k = six(ME, PEER, IPPROTO_DSTOPTS, many + 8, 8 * LIMIT_KLIPS_EXTENSIONS, 8);
	ck_assert(packet_flow(packet_span(&k), &f));
	k = six(ME, PEER, IPPROTO_DSTOPTS, many, sizeof many, 8);
	ck_assert(!packet_flow(packet_span(&k), &f));
	k = six(ME, PEER, IPPROTO_HOPOPTS, large, sizeof large, 8);
	ck_assert(!packet_flow(packet_span(&k), &f));
	k = six(ME, PEER, IPPROTO_DSTOPTS, large, sizeof large, 8);	/* that is protected itself */
	ck_assert(packet_flow(packet_span(&k), &f));
	k = six(ME, PEER, IPPROTO_HOPOPTS, jumbo, sizeof jumbo, 2000);
	memset(k.p + offsetof(struct ip6_hdr, ip6_plen), 0, 2);
	ck_assert(!packet_flow(packet_span(&k), &f));
}
END_TEST

/* ---- there and back ---------------------------------------------------- */

START_TEST(there_and_back)
{
	const struct choice *c = &choices[_i / N_WAYS];
	const struct way *w = &ways[_i % N_WAYS];
	static uint8_t copy[1500];

	begin(c, w);
	for (size_t n = 48; n <= 1320; n += n < 100 ? 1 : 97) {
		struct packet k = inside(w, n);
		struct flow f;
		struct path path;

		memcpy(copy, k.p, n);
		ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
		ck_assert_uint_eq(k.n, sa_sealed(sadb_find(us.sas, &sa.id), n));
		ck_assert(packet_flow(packet_span(&k), &f));
		ck_assert_uint_eq(f.protocol, sa.id.protocol);
		ck_assert_uint_eq(f.tos, 0xb8);
		if (f.dst.len == 16)	/* RFC 4302 3.3.3.2.1: AH keeps what follows at multiples of 8 */
			ck_assert(c->cipher != ALG_NONE || (k.p[f.header + 1] + 2) % 2 == 0);
		ck_assert_uint_eq(f.label, f.dst.len == 16 && ip(w->from).len == 16 ? 0x12345 : 0);
		if (f.dst.len == 4)	/* RFC 4213 3.2: what every link of IPv6 carries may be cut */
			ck_assert_int_eq(f.df, n > 1280);
		if (c->cipher != ALG_NONE && n > 90)
			ck_assert_ptr_null(memmem(k.p, k.n, copy + 48, 16));
		ck_assert_int_eq(datapath_in(&them, &k, &path), VERDICT_DELIVER);
		ck_assert_uint_eq(k.n, n);
		ck_assert_mem_eq(k.p, copy, n);
	}
	end();
}
END_TEST

/* The selectors are those of the inside, whatever family is outside. */
START_TEST(selectors_hold)
{
	const struct way *w = &ways[_i];
	struct packet k;
	struct path path;

	begin(&choices[1], w);
	k = inside(w, 100);
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
	sadb_find(them.sas, &sa.id)->dst_client = ip(w->from).len == 16 ? net("2001:db8:77::/64") : net("10.77.0.0/16");
	ck_assert_int_eq(datapath_in(&them, &k, &path), VERDICT_SELECTOR);
	k = six("2001:db8:1::9", "2001:db8:3::9", IPPROTO_UDP, NULL, 0, 60);
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_NO_EROUTE);
	end();
}
END_TEST

/* The next header says which family is inside; a peer that lies is not believed. */
START_TEST(family_inside_is_as_announced)
{
	struct packet k;
	struct path path;
	struct flow f;
	uint8_t iv[16] = { 0 };

	begin(&choices[2], &ways[0]);
	k = inside(&ways[0], 100);
	k.p[0] = 0x45;		/* what is sealed as IPv6 below */
	f = (struct flow){ .dst = ip(PEER), .src = ip(ME), .length = 100, .header = 40 };
	ck_assert_int_eq(sa_seal(sadb_find(us.sas, &sa.id), &k, &f, iv, 1), VERDICT_SEND);
	ck_assert_int_ne(datapath_in(&them, &k, &path), VERDICT_DELIVER);
	end();
}
END_TEST

/* ---- AH ---------------------------------------------------------------- */

/* Hop-by-hop and destination options, some of which may change on the way. */
static const uint8_t options[24] = { 60, 0, 0x3e, 4, 1, 2, 3, 4, 17, 1, 0x1e, 4, 5, 6, 7, 8, 0x3f, 2, 9, 10, 0, 1, 1, 0 };

static bool may_change(size_t i)
{
	return i < 4 || i == offsetof(struct ip6_hdr, ip6_hlim) || (i >= 44 && i < 48);
}

START_TEST(ah_covers_what_stays)
{
	static uint8_t wire[300];
	struct packet k;
	struct path path;
	size_t n;

	begin(&choices[2 + _i], &ways[3]);
	k = six(ME, PEER, IPPROTO_HOPOPTS, options, sizeof options, 60);
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
	n = k.n;
	memcpy(wire, k.p, n);
	ck_assert_uint_eq(wire[48], 60);	/* AH stands behind the hop-by-hop options, before the others */
	for (size_t i = 0; i < n; i++) {
		enum verdict v;

		k = packet_on(room, n);
		memcpy(k.p, wire, n);
		k.p[i] ^= i == 0 ? 0x08 : 0x10;	/* the version stays */
		sadb_find(them.sas, &sa.id)->replay.top = 0;
		v = datapath_in(&them, &k, &path);
		if (may_change(i))
			ck_assert_msg(v == VERDICT_DELIVER, "octet %zu: %s", i, verdict_text[v]);
		else
			ck_assert_msg(v != VERDICT_DELIVER, "octet %zu", i);
		replay_init(&sadb_find(them.sas, &sa.id)->replay, 64);
	}
	k = packet_on(room, n);
	memcpy(k.p, wire, n);
	ck_assert_int_eq(datapath_in(&them, &k, &path), VERDICT_DELIVER);
	ck_assert_mem_eq(k.p + IP6_HEADER, options, sizeof options);
	end();
}
END_TEST

/* Options that make no sense: both sides count all the rest as changing, and nothing is read beyond it. */
START_TEST(ah_and_options_of_nonsense)
{
	begin(&choices[2], &ways[3]);
	for (unsigned i = 0; i < 20000; i++) {
		uint8_t chain[24];
		struct packet k;
		struct path path;

		fill(NULL, chain, sizeof chain);
		chain[0] = IPPROTO_UDP;
		chain[1] = 2;
		k = six(ME, PEER, i % 2 ? IPPROTO_HOPOPTS : IPPROTO_DSTOPTS, chain, sizeof chain, 20);
		must(datapath_out(&us, 0, &k, &path) == VERDICT_SEND, "round %u is not sent", i);
		must(datapath_in(&them, &k, &path) == VERDICT_DELIVER, "round %u is not delivered", i);
		must(memcmp(k.p + IP6_HEADER, chain, sizeof chain) == 0, "round %u: other options", i);
	}
	end();
}
END_TEST

START_TEST(ah_and_a_routing_header)
{
	uint8_t chain[24] = { IPPROTO_UDP, 2, 4, 1 };
	struct packet k;
	struct path path;

	begin(&choices[2], &ways[3]);
	k = six(ME, PEER, IPPROTO_ROUTING, chain, sizeof chain, 20);
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_ROUTED);
	chain[3] = 0;		/* at its end it does not change any more */
	k = six(ME, PEER, IPPROTO_ROUTING, chain, sizeof chain, 20);
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
	ck_assert_int_eq(datapath_in(&them, &k, &path), VERDICT_DELIVER);
	end();
}
END_TEST

/* ---- what no eroute is for --------------------------------------------- */

START_TEST(traffic_of_a_link)
{
	static const struct { const char *src, *dst; bool of_link; } list[] = {
		{ "fe80::1", "2001:db8:2::9", true }, { "2001:db8:1::9", "fe80::1", true },
		{ "::", "ff02::1:ff00:9", true }, { "2001:db8:1::9", "ff02::1", true }, { "2001:db8:1::9", "ff01::1", true },
		{ "2001:db8:1::9", "ff0e::1", false }, { "2001:db8:1::9", "2001:db8:2::9", false },
		{ "fd00::1", "2001:db8:2::9", false },
	};
	const struct way all = { true, ME, PEER, "::/0", "::/0", "::", "::" };
	struct path path;

	begin(&choices[1], &all);
	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
		struct packet k = six(list[i].src, list[i].dst, IPPROTO_ICMPV6, NULL, 0, 60);
		enum verdict v = datapath_out(&us, 0, &k, &path);

		ck_assert_msg(v == (list[i].of_link ? VERDICT_OF_LINK : VERDICT_SEND), "%s to %s", list[i].src, list[i].dst);
	}
	end();
}
END_TEST

START_TEST(ike_passes)
{
	struct packet k;
	struct path path;

	begin(&choices[1], &ways[3]);
	us.holes[us.n_holes++] = 0x0104;
	k = six(ME, PEER, IPPROTO_UDP, NULL, 0, 100);
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_PASS);
	us.devices[0].n_addrs = 1;
	k = six(ME, PEER, IPPROTO_UDP, NULL, 0, 100);
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
	end();
}
END_TEST

START_TEST(families_of_an_sa)
{
	struct kernel_sa mixed;

	begin(&choices[1], &ways[0]);
	mixed = sa;
	mixed.src = ip("192.0.2.1");
	mixed.id.spi++;
	ck_assert_int_eq(sadb_add(us.sas, &mixed, 0, 1), REASON_KLIPS_SA_FAMILY);
	end();
}
END_TEST

/* ---- raw sockets ------------------------------------------------------- */

struct told {
	_Alignas(struct cmsghdr) uint8_t control[512];
	size_t n;
};

static void tell(struct told *t, int type, const void *p, size_t n)
{
	struct cmsghdr *c = (struct cmsghdr *)(void *)(t->control + t->n);

	*c = (struct cmsghdr){ .cmsg_level = IPPROTO_IPV6, .cmsg_type = type, .cmsg_len = CMSG_LEN(n) };
	memcpy(CMSG_DATA(c), p, n);
	t->n += CMSG_SPACE(n);
}

static bool restore(struct told *t, struct packet *k)
{
	struct sockaddr_in6 from = { .sin6_family = AF_INET6 };
	struct msghdr m = { .msg_name = &from, .msg_namelen = sizeof from, .msg_control = &t->control,
			    .msg_controllen = t->n };

	memcpy(&from.sin6_addr, ip(ME).b, 16);
	*k = packet_on(room, 100);
	memset(k->p, 0x5a, 100);
	return raw6_restore(&m, IPPROTO_AH, k);
}

START_TEST(restored_from_a_socket)
{
	struct told t = { .n = 0 };
	struct in6_pktinfo info = { .ipi6_ifindex = 1 };
	int class = 0xbb, limit = 9;
	struct packet k;
	struct flow f;

	ck_assert(!restore(&t, &k));	/* nobody said whom it was for */
	memcpy(&info.ipi6_addr, ip(PEER).b, 16);
	tell(&t, IPV6_PKTINFO, &info, sizeof info);
	tell(&t, IPV6_TCLASS, &class, sizeof class);
	tell(&t, IPV6_HOPLIMIT, &limit, sizeof limit);
	tell(&t, IPV6_HOPOPTS, options, 8);
	tell(&t, IPV6_DSTOPTS, options + 8, 16);
	ck_assert(restore(&t, &k));
	ck_assert_uint_eq(k.n, 164);
	ck_assert(packet_flow(packet_span(&k), &f));
	ck_assert_uint_eq(f.protocol, IPPROTO_AH);
	ck_assert_uint_eq(f.header, 64);
	ck_assert_uint_eq(f.tos, 0xbb);
	ck_assert_uint_eq(k.p[7], 9);
	ck_assert_uint_eq(k.p[6], IPPROTO_HOPOPTS);
	ck_assert_uint_eq(k.p[40], IPPROTO_DSTOPTS);
	ck_assert_uint_eq(k.p[48], IPPROTO_AH);
	ck_assert(addr_eq(&f.src, &(struct ip_addr){ .len = 16, .b = { 0x20, 1, 0xd, 0xb8, [15] = 1 } }));
	tell(&t, IPV6_DSTOPTS, options, 7);	/* no whole header */
	ck_assert(!restore(&t, &k));
}
END_TEST

START_TEST(too_many_headers_to_restore)
{
	struct told t = { .n = 0 };
	struct in6_pktinfo info = { .ipi6_ifindex = 1 };
	uint8_t large[200] = { 0, 24 };
	struct packet k;

	memcpy(&info.ipi6_addr, ip(PEER).b, 16);
	tell(&t, IPV6_PKTINFO, &info, sizeof info);
	tell(&t, IPV6_HOPOPTS, large, sizeof large);
	ck_assert(!restore(&t, &k));
}
END_TEST

/* ---- rubbish ----------------------------------------------------------- */

START_TEST(rubbish_is_dropped)
{
	begin(&choices[_i], &ways[3]);
	for (unsigned i = 0; i < 100000; i++) {
		static const uint8_t likely[] = { 0, 43, 44, 60, 50, 51, 108, 17, 6, 59 };
		size_t n = (size_t)random() % 200;
		struct packet k = packet_on(room, n);
		struct path path;

		fill(NULL, k.p, n);
		if (n >= IP6_HEADER) {
			ip6_write(k.p, &(struct ip6){ .src = ip(ME), .dst = ip(PEER), .length = n - (size_t)random() % 2,
						      .next = likely[random() % 10] });
			for (size_t at = IP6_HEADER; at + 8 < n && random() % 4 != 0; at += 8) {
				k.p[at] = likely[random() % 10];
				k.p[at + 1] = (uint8_t)(random() % 3);
			}
		}
		if (i % 2 == 0)
			must(datapath_in(&them, &k, &path) != VERDICT_DELIVER, "round %u is delivered", i);
		else
			datapath_out(&us, 0, &k, &path);
	}
	end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("klips_six");
	TCase *c = tcase_create("six");

	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, chains_of_headers, 0, sizeof chains / sizeof chains[0]);
	tcase_add_test(c, chains_have_an_end);
	tcase_add_loop_test(c, there_and_back, 0, N_CHOICES * N_WAYS);
	tcase_add_loop_test(c, selectors_hold, 0, 3);
	tcase_add_test(c, family_inside_is_as_announced);
	tcase_add_loop_test(c, ah_covers_what_stays, 0, N_CHOICES - 2);
	tcase_add_test(c, ah_and_options_of_nonsense);
	tcase_add_test(c, ah_and_a_routing_header);
	tcase_add_test(c, traffic_of_a_link);
	tcase_add_test(c, ike_passes);
	tcase_add_test(c, families_of_an_sa);
	tcase_add_test(c, restored_from_a_socket);
	tcase_add_test(c, too_many_headers_to_restore);
	tcase_add_loop_test(c, rubbish_is_dropped, 0, N_CHOICES);
	suite_add_tcase(s, c);
	return run_suite(s);
}
