/* fuzz_klips.c -- any octets as a packet of IPv4 or IPv6: from the host, from the net, and as what a peer that has the keys
 * puts into ESP. The first octet says which mode and which family the SA has. */
#include <netinet/in.h>
#include <stdlib.h>

#include "kernel/datapath.h"
#include "kernel/fragments.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t room[PACKET_ROOM], key[64];
static const struct ip_addr hosts[2][2] = {
	{ { .len = 4, .b = { 192, 0, 2, 1 } }, { .len = 4, .b = { 192, 0, 2, 2 } } },
	{ { .len = 16, .b = { 0x20, 1, 0xd, 0xb8, [15] = 1 } }, { .len = 16, .b = { 0x20, 1, 0xd, 0xb8, [15] = 2 } } },
};

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void fill(void *ctx, void *p, size_t n)
{
	(void)ctx;
	memset(p, 0x5a, n);
}

static void on_acquire(void *ctx, const struct eroute *e, const struct flow *f)
{
	(void)ctx;
	(void)e;
	(void)f;
}

/* One SA from us to them, whose selectors take everything, and eroutes of both families that lead into it. */
static struct kernel_sa an_sa(uint8_t choice)
{
	const struct ip_addr *h = hosts[choice & 1];
	bool ah = (choice & 4) != 0;

	return (struct kernel_sa){
		.id = { .dst = h[1], .protocol = ah ? IPPROTO_AH : IPPROTO_ESP, .spi = 0x1234 }, .src = h[0],
		.tunnel = (choice & 2) != 0, .cipher = ah ? ALG_NONE : ALG_NULL, .mac = ALG_HMAC_SHA1_96,
		.cipher_key = span_of(NULL, 0), .mac_key = span_of(key, 20), .replay_window = 64,
	};
}

static void open_paths(struct datapath d[2], const struct kernel_sa *sa)
{
	struct kernel_sa in = *sa;
	bool added;

	in.inbound = true;
	for (int i = 0; i < 2; i++) {
		datapath_init(&d[i], NULL, fill, on_acquire);
		d[i].devices[0] = (struct device){ .name = "ipsec0", .mtu = 1500, .n_addrs = 2,
						   .addrs = { hosts[0][i], hosts[1][i] } };
	}
	require(sadb_add(d[0].sas, sa, 0, 1) == REASON_NONE && sadb_add(d[1].sas, &in, 0, 1) == REASON_NONE);
	for (uint8_t len = 4; len <= 16; len += 12)
		require(eroute_set(d[0].eroutes, &(struct kernel_eroute){
			.src = { .addr = { .len = len } }, .dst = { .addr = { .len = len } }, .kind = EROUTE_SA, .n_sas = 1,
			.sas = { sa->id }, .tunnel = sa->tunnel }, 0, &added) == REASON_NONE);
}

static struct packet packet_of(struct span s)
{
	memcpy(room + PACKET_HEAD, s.p, s.n);
	return packet_on(room, s.n);
}

/* What is sent arrives, as it was but for the fields that change on the way; in pieces, too. */
static void from_the_host(struct datapath d[2], const struct kernel_sa *sa, struct span s)
{
	struct packet k = packet_of(s), piece;
	struct path path;
	struct fragments f;
	struct flow flow, one;
	size_t octets, n;
	enum verdict v;

	if (datapath_out(&d[0], 0, &k, &path) != VERDICT_SEND)
		return;
	n = k.n;
	require(packet_flow(packet_span(&k), &flow) && flow.length == n);
	if (!sa->tunnel && (!addr_eq(&flow.src, &sa->src) || !addr_eq(&flow.dst, &sa->id.dst)))
		return;		/* the eroute of transport mode would not have taken it */
	v = datapath_in(&d[1], &k, &path);
	if (!sa->tunnel) {
		/* What carries nothing looks like a packet made to be thrown away (RFC 4303 2.6), and what is protected or
		 * a tunnel itself like a bundle that was not agreed on. */
		if (v == VERDICT_DUMMY || v == VERDICT_NESTED || v == VERDICT_BAD_NEXT)
			return;
	}
	require(v == VERDICT_DELIVER);
	require(packet_flow(packet_span(&k), &flow) && flow.length == k.n && k.n <= s.n);
	if (!fragments_begin(&f, &k, 1280, 7))
		return;
	for (octets = flow.header; fragments_next(&f, &piece); octets += piece.n - n) {
		require(piece.n <= 1280 && packet_flow(packet_span(&piece), &one) && one.length == piece.n);
		n = one.fragment_at != 0 ? one.fragment_at + IP6_FRAGMENT : one.header;
	}
	require(octets == k.n);
}

/* The octets as what ESP carries, of the protocol that the first one says. */
static void from_a_peer(struct datapath d[2], const struct kernel_sa *sa, struct span s)
{
	size_t header = sa->id.dst.len == 16 ? IP6_HEADER : IP4_HEADER;
	struct packet k = packet_on(room, header + s.n);
	struct flow f = { .src = sa->src, .dst = sa->id.dst, .length = k.n, .header = header, .next = s.p[0],
			  .next_at = sa->id.dst.len == 16 ? 6 : 9 };
	struct sa *out = sadb_find(d[0].sas, &sa->id);
	bool tunnel = out->tunnel;
	uint8_t iv[16] = { 0 };
	struct path path;

	if (sa->id.dst.len == 16)
		ip6_write(k.p, &(struct ip6){ .src = sa->src, .dst = sa->id.dst, .next = s.p[0], .length = k.n });
	else
		ip4_write(k.p, &(struct ip4){ .src = sa->src, .dst = sa->id.dst, .protocol = s.p[0], .length = k.n });
	memcpy(k.p + header, s.p, s.n);
	out->tunnel = false;
	require(sa_seal(out, &k, &f, iv, 1) == VERDICT_SEND);
	out->tunnel = tunnel;
	if (datapath_in(&d[1], &k, &path) == VERDICT_DELIVER)
		require(packet_flow(packet_span(&k), &f) && f.length <= k.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct datapath d[2];
	struct kernel_sa sa;
	struct span s;
	struct packet k;
	struct path path;

	if (size < 2 || size > 60000)
		return 0;
	sa = an_sa(data[0]);
	s = span_of(data + 1, size - 1);
	open_paths(d, &sa);
	from_the_host(d, &sa, s);
	k = packet_of(s);
	require(datapath_in(&d[1], &k, &path) != VERDICT_DELIVER);
	from_a_peer(d, &sa, s);
	datapath_free(&d[0]);
	datapath_free(&d[1]);
	return 0;
}
