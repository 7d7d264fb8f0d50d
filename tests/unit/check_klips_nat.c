/* check_klips_nat.c -- ESP in UDP over IPv4 and IPv6: the checksum of the UDP around, and those of what transport mode
 * carries through an address translator. */
#include "base/writer.h"
#include "klips_lab.h"
#include "kernel/ip6.h"
#include "suite.h"

#include <check.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <stdlib.h>

#define PORT 4500
#define OUTSIDE_PORT 20001	/* what the translator makes of it */
#define SIZE 403		/* octets of a packet; odd, so that the sums have a last octet of their own */

static uint8_t room[PACKET_ROOM], keys[2][64];
static struct datapath us, them;
static struct sa_id outermost;

static struct subnet host(const char *text)
{
	struct ip_addr a = ip(text);

	return subnet_of_host(&a);
}

/* Who sends, as it knows itself and as its translator shows it; who receives, likewise. */
static const struct way { bool tunnel, comp; const char *me, *shown, *peer, *peer_shown; } ways[] = {
	{ true, false, "2001:db8:9::5", "2001:db8::1", "2001:db8::2", "2001:db8::2" },
	{ false, false, "2001:db8:9::5", "2001:db8::1", "2001:db8::2", "2001:db8::2" },
	{ false, false, "2001:db8:9::5", "2001:db8::1", "fd00:8::5", "2001:db8::2" },
	{ false, true, "2001:db8:9::5", "2001:db8::1", "fd00:8::5", "2001:db8::2" },
	{ true, false, "10.9.0.5", "192.0.2.1", "192.0.2.2", "192.0.2.2" },
	{ false, false, "10.9.0.5", "192.0.2.1", "192.0.2.2", "192.0.2.2" },
	{ false, false, "10.9.0.5", "192.0.2.1", "10.8.0.5", "192.0.2.2" },
	{ false, true, "10.9.0.5", "192.0.2.1", "10.8.0.5", "192.0.2.2" },
};

#define N_WAYS ((int)(sizeof ways / sizeof ways[0]))

static bool is_six(const struct way *w)
{
	return ip(w->me).len == 16;
}

static void enter(struct datapath *d, const char *me, const struct kernel_sa *sas, unsigned n, bool inbound)
{
	give_device(d, ip(me));
	for (unsigned i = 0; i < n; i++) {
		struct kernel_sa sa = sas[i];

		sa.inbound = inbound;
		ck_assert_int_eq(sadb_add(d->sas, &sa, 0, 1), REASON_NONE);
	}
}

/* The SAs as seen from one end: ESP in UDP, with IPComp inside. */
static unsigned describe(const struct way *w, bool inbound, struct kernel_sa sas[2])
{
	const char *src = inbound ? w->shown : w->me, *dst = inbound ? w->peer : w->peer_shown;
	struct kernel_sa esp = {
		.id = { .dst = ip(dst), .protocol = IPPROTO_ESP, .spi = 0x1234 }, .src = ip(src),
		.tunnel = w->tunnel, .cipher = ALG_AES_CBC, .mac = ALG_HMAC_SHA2_256_128,
		.cipher_key = span_of(keys[0], 16), .mac_key = span_of(keys[1], 32), .replay_window = 64,
		.encap_sport = inbound ? OUTSIDE_PORT : PORT, .encap_dport = PORT,
		.src_client = host(w->tunnel ? w->me : src), .dst_client = host(w->tunnel ? w->peer : dst),
	};
	struct kernel_sa comp = {
		.id = { .dst = esp.id.dst, .protocol = IPPROTO_COMP, .spi = 0x77 }, .src = esp.src, .comp = ALG_DEFLATE,
		.outwards = IPPROTO_ESP, .src_client = esp.src_client, .dst_client = esp.dst_client,
	};

	if (!w->comp) {
		sas[0] = esp;
		return 1;
	}
	esp.inwards = IPPROTO_COMP;
	sas[0] = comp;
	sas[1] = esp;
	return 2;
}

static void begin(const struct way *w)
{
	struct kernel_sa sas[2];
	unsigned n = describe(w, false, sas);
	struct kernel_eroute e = { .src = sas[0].src_client, .dst = sas[0].dst_client, .kind = EROUTE_SA, .n_sas = n,
				   .tunnel = w->tunnel };
	bool added;

	for (unsigned i = 0; i < n; i++)
		e.sas[i] = sas[i].id;
	srandom(1);
	datapath_init(&us, NULL, fill, NULL);
	datapath_init(&them, NULL, fill, NULL);
	enter(&us, w->me, sas, n, false);
	ck_assert_int_eq(eroute_set(us.eroutes, &e, 0, &added), REASON_NONE);
	n = describe(w, true, sas);
	outermost = sas[n - 1].id;
	enter(&them, w->peer, sas, n, true);
}

static void end(void)
{
	datapath_free(&us);
	datapath_free(&them);
}

/* By the letter of RFC 1071, over a copy with the pseudo-header before it: 0 when the checksum that is in it is right. */
static uint16_t sum_of(const struct packet *k, const struct flow *f, uint8_t protocol)
{
	static uint8_t copy[PACKET_MAX + 40];
	struct writer w = writer_on(copy, sizeof copy);
	uint64_t sum = 0;
	size_t n = f->length - f->body;

	put_bytes(&w, addr_bytes(&f->src));
	put_bytes(&w, addr_bytes(&f->dst));
	if (f->dst.len == 4) {
		put_u8(&w, 0);
		put_u8(&w, protocol);
		put_u16(&w, (uint16_t)n);
	} else {
		put_u32(&w, (uint32_t)n);
		put_u32(&w, protocol);
	}
	put_bytes(&w, span_of(k->p + f->body, n));
	put_zero(&w, w.n % 2);
	for (size_t i = 0; i < w.n; i += 2)
		sum += get_u16(copy + i);
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static const struct inner { uint8_t protocol; size_t at; } inners[] = {
	{ IPPROTO_TCP, 16 }, { IPPROTO_UDP, 6 }, { IPPROTO_ICMPV6, 2 }, { IPPROTO_SCTP, 0 },
};

#define N_INNERS ((int)(sizeof inners / sizeof inners[0]))

static void set_u16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* A packet of `me` to its peer with a right checksum; its octets repeat, so that they can be compressed. */
static struct packet inside(const struct way *w, const struct inner *in)
{
	size_t header = is_six(w) ? IP6_HEADER : IP4_HEADER;
	const char *dst = w->tunnel ? w->peer : w->peer_shown;
	struct packet k = packet_on(room, SIZE);
	struct flow f;

	for (size_t i = 0; i < k.n; i++)
		k.p[i] = (uint8_t)(i % 8 + 1);
	if (is_six(w))
		ip6_write(k.p, &(struct ip6){ .src = ip(w->me), .dst = ip(dst), .next = in->protocol, .length = k.n });
	else
		ip4_write(k.p, &(struct ip4){ .src = ip(w->me), .dst = ip(dst), .protocol = in->protocol, .id = 77,
					      .length = k.n });
	if (in->at == 0)
		return k;
	ck_assert(packet_flow(packet_span(&k), &f));
	set_u16(k.p + header + in->at, 0);
	set_u16(k.p + header + in->at, sum_of(&k, &f, in->protocol));
	return k;
}

static void set_addresses(struct packet *k, const char *src, const char *dst)
{
	struct ip_addr s = ip(src), d = ip(dst);
	size_t at = s.len == 4 ? offsetof(struct iphdr, saddr) : 8;

	memcpy(k->p + at, s.b, s.len);
	memcpy(k->p + at + s.len, d.b, d.len);
}

/* What translators make of a packet on its way. */
static void translate(const struct way *w, struct packet *k)
{
	size_t header = is_six(w) ? IP6_HEADER : IP4_HEADER;
	struct flow f;

	set_addresses(k, w->shown, w->peer);
	set_u16(k->p + header, OUTSIDE_PORT);
	if (is_six(w)) {
		ck_assert(packet_flow(packet_span(k), &f));
		set_u16(k->p + header + 6, 0);
		set_u16(k->p + header + 6, sum_of(k, &f, IPPROTO_UDP));
	}
}

START_TEST(checksum_of_the_outside)
{
	const struct way *w = &ways[_i];

	begin(w);
	for (unsigned i = 0; i < 20; i++) {
		struct packet k = inside(w, &inners[0]);
		struct path path;
		struct flow f;

		ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
		ck_assert(packet_flow(packet_span(&k), &f));
		ck_assert_uint_eq(f.protocol, IPPROTO_UDP);
		ck_assert_uint_eq(f.sport, PORT);
		ck_assert_uint_eq(get_u16(k.p + f.body + 4), k.n - f.body);
		ck_assert_uint_eq(f.length, k.n);
		if (is_six(w)) {
			ck_assert_uint_ne(get_u16(k.p + f.body + 6), 0);
			ck_assert_uint_eq(sum_of(&k, &f, IPPROTO_UDP), 0);
		} else {
			ck_assert_uint_eq(get_u16(k.p + f.body + 6), 0);
		}
		translate(w, &k);
		ck_assert_int_eq(datapath_in(&them, &k, &path), VERDICT_DELIVER);
	}
	end();
}
END_TEST

/* Through the translators: in a tunnel everything as it was sent, in transport mode with a checksum for the addresses
 * that the receiver sees. */
START_TEST(checksum_of_the_inside)
{
	const struct way *w = &ways[_i / N_INNERS];
	const struct inner *in = &inners[_i % N_INNERS];
	uint8_t copy[SIZE];
	struct packet k;
	struct path path;
	struct flow f;
	uint16_t sum;

	begin(w);
	k = inside(w, in);
	memcpy(copy, k.p, sizeof copy);
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
	translate(w, &k);
	ck_assert_int_eq(datapath_in(&them, &k, &path), VERDICT_DELIVER);
	ck_assert_uint_eq(k.n, SIZE);
	ck_assert(packet_flow(packet_span(&k), &f));
	if (w->tunnel) {
		ck_assert_mem_eq(k.p, copy, SIZE);
	} else {
		struct ip_addr src = ip(w->shown), dst = ip(w->peer);

		ck_assert(addr_eq(&f.src, &src));
		ck_assert(addr_eq(&f.dst, &dst));
	}
	sum = get_u16(k.p + f.body + in->at);
	if (in->protocol == IPPROTO_UDP && !is_six(w) && !w->tunnel)
		ck_assert_uint_eq(sum, 0);
	else if (in->at != 0)
		ck_assert_uint_eq(sum_of(&k, &f, in->protocol), 0);
	if (in->at != 0)
		set_u16(k.p + f.body + in->at, get_u16(copy + f.body + in->at));
	ck_assert_mem_eq(k.p + f.body, copy + f.body, SIZE - f.body);
	end();
}
END_TEST

/* What was sent without a checksum has none afterwards, and what is too short for one stays as it is. */
START_TEST(without_a_checksum)
{
	const struct way *w = &ways[_i];
	struct packet k;
	struct path path;
	struct flow f;

	begin(w);
	for (unsigned i = 0; i < 2; i++) {
		size_t header = is_six(w) ? IP6_HEADER : IP4_HEADER, n = i == 0 ? SIZE : header + 7;

		k = inside(w, &inners[1]);
		set_u16(k.p + header + 6, i == 0 ? 0 : 0x4711);
		packet_cut(&k, n);
		ck_assert(packet_flow(span_of(k.p, SIZE), &f));
		packet_retarget(k.p, &f, IPPROTO_UDP, n);
		ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
		translate(w, &k);
		ck_assert_int_eq(datapath_in(&them, &k, &path), VERDICT_DELIVER);
		ck_assert_uint_eq(k.n, n);
		ck_assert_uint_eq(k.p[header + 6], i == 0 ? 0 : 0x47);
	}
	end();
}
END_TEST

/* Over IPv6 no UDP without a checksum, none with headers between, and no routing header that is not used up. */
START_TEST(refused_over_six)
{
	static const uint8_t options[8] = { IPPROTO_UDP, 0, 1, 4 };
	static const uint8_t routing[24] = { IPPROTO_UDP, 2, 4, 1 };
	const struct way *w = &ways[1];
	struct sa *sa;
	struct packet k;
	struct path path;

	begin(w);
	sa = sadb_find(them.sas, &outermost);
	k = inside(w, &inners[0]);
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
	translate(w, &k);
	set_u16(k.p + IP6_HEADER + 6, 0);
	ck_assert_int_eq(datapath_in(&them, &k, &path), VERDICT_CHECKSUM);
	ck_assert_uint_eq(path.sa.spi, outermost.spi);
	ck_assert_uint_eq(sa->counts.bad, 1);

	k = inside(w, &inners[0]);
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_SEND);
	translate(w, &k);
	ck_assert(packet_push(&k, sizeof options));
	memmove(k.p, k.p + sizeof options, IP6_HEADER);
	memcpy(k.p + IP6_HEADER, options, sizeof options);
	k.p[6] = IPPROTO_DSTOPTS;
	set_u16(k.p + 4, (uint16_t)(k.n - IP6_HEADER));
	ck_assert_int_ne(datapath_in(&them, &k, &path), VERDICT_DELIVER);
	ck_assert_uint_eq(sa->counts.packets, 0);

	k = inside(w, &inners[1]);
	ck_assert(packet_push(&k, sizeof routing));
	memmove(k.p, k.p + sizeof routing, IP6_HEADER);
	memcpy(k.p + IP6_HEADER, routing, sizeof routing);
	k.p[6] = IPPROTO_ROUTING;
	set_u16(k.p + 4, (uint16_t)(k.n - IP6_HEADER));
	ck_assert_int_eq(datapath_out(&us, 0, &k, &path), VERDICT_ROUTED);
	end();
}
END_TEST

/* An SA follows its peer, or it is gone: to where the peer was nothing is sent any more. */
START_TEST(peer_elsewhere)
{
	const struct way *w = &ways[_i];
	struct endpoint there = { .addr = ip(is_six(w) ? "2001:db8::77" : "192.0.2.77"), .port = 4700 };
	struct endpoint other_family = { .addr = ip(is_six(w) ? "192.0.2.77" : "2001:db8::77"), .port = 4700 };
	struct kernel_sa sas[2];
	unsigned n = describe(w, false, sas);
	struct sa_id before = sas[n - 1].id, after = before;
	struct kernel_sa taken = sas[n - 1];

	after.dst = there.addr;
	begin(w);
	ck_assert_int_eq(sadb_move(us.sas, &before, true, &there), REASON_KLIPS_SA_UNKNOWN);
	ck_assert_int_eq(sadb_move(us.sas, &before, false, &there), REASON_NONE);
	ck_assert_ptr_null(sadb_find(us.sas, &before));
	ck_assert_ptr_nonnull(sadb_find(us.sas, &after));
	ck_assert_int_eq(sadb_move(us.sas, &after, false, &other_family), REASON_KLIPS_SA_FAMILY);
	ck_assert_ptr_null(sadb_find(us.sas, &after));
	end();
	begin(w);
	taken.id = after;
	ck_assert_int_eq(sadb_add(us.sas, &taken, 0, 1), REASON_NONE);
	ck_assert_int_eq(sadb_move(us.sas, &before, false, &there), REASON_KLIPS_SA_EXISTS);
	ck_assert_ptr_null(sadb_find(us.sas, &before));
	ck_assert_ptr_nonnull(sadb_find(us.sas, &after));
	end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("klips: ESP in UDP");
	TCase *c = tcase_create("checksums");

	for (size_t i = 0; i < sizeof keys[0]; i++)
		keys[0][i] = keys[1][i] = (uint8_t)(i * 7 + 1);
	tcase_add_loop_test(c, checksum_of_the_outside, 0, N_WAYS);
	tcase_add_loop_test(c, checksum_of_the_inside, 0, N_WAYS * N_INNERS);
	tcase_add_loop_test(c, without_a_checksum, 0, N_WAYS);
	tcase_add_test(c, refused_over_six);
	tcase_add_loop_test(c, peer_elsewhere, 0, N_WAYS);
	suite_add_tcase(s, c);
	return run_suite(s);
}
