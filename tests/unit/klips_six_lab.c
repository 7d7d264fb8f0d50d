/* klips_six_lab.c -- two datapaths with one SA from us to the peer, with IPv6 outside, inside or both. */
#include "klips_six_lab.h"
#include "kernel/ip6.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

uint8_t room[PACKET_ROOM], other[PACKET_ROOM];
struct datapath us, them;
struct kernel_sa sa;
static uint8_t keys[2][64];

struct packet six(const char *src, const char *dst, uint8_t first, const uint8_t *chain, size_t n, size_t body)
{
	struct packet k = packet_on(room, IP6_HEADER + n + body);

	ip6_write(k.p, &(struct ip6){ .src = ip(src), .dst = ip(dst), .next = first, .traffic_class = 0xb8,
				      .label = 0x12345, .length = k.n });
	if (n > 0)
		memcpy(k.p + IP6_HEADER, chain, n);
	for (size_t i = 0; i < body; i++)
		k.p[IP6_HEADER + n + i] = (uint8_t)(i * 3 + 1);
	return k;
}

const struct choice choices[N_CHOICES] = {
	{ ALG_AES_CBC, 32, ALG_HMAC_SHA2_256_128 }, { ALG_AES_GCM_16, 20, ALG_NONE },
	{ ALG_NONE, 0, ALG_HMAC_SHA1_96 }, { ALG_NONE, 0, ALG_HMAC_SHA2_256_128 },
	{ ALG_NONE, 0, ALG_HMAC_SHA2_384_192 }, { ALG_NONE, 0, ALG_HMAC_SHA2_512_256 },
};

const struct way ways[N_WAYS] = {
	{ true, ME, PEER, "2001:db8:1::/64", "2001:db8:2::/64", "2001:db8:1::9", "2001:db8:2::9" },
	{ true, "192.0.2.1", "192.0.2.2", "2001:db8:1::/64", "2001:db8:2::/64", "2001:db8:1::9", "2001:db8:2::9" },
	{ true, ME, PEER, "10.0.1.0/24", "10.0.2.0/24", "10.0.1.9", "10.0.2.9" },
	{ false, ME, PEER, ME, PEER, ME, PEER },
};

/* The device has an address of the other family, too. */
static void also(struct datapath *d)
{
	d->devices[0].addrs[1] = d->devices[0].addrs[0];
	d->devices[0].addrs[0] = ip("192.0.2.77");
	d->devices[0].n_addrs = 2;
}

void begin(const struct choice *c, const struct way *w)
{
	sa = (struct kernel_sa){
		.id = { .dst = ip(w->peer), .protocol = c->cipher == ALG_NONE ? IPPROTO_AH : IPPROTO_ESP, .spi = 0x1234 },
		.src = ip(w->me), .tunnel = w->tunnel, .cipher = c->cipher, .mac = c->mac,
		.cipher_key = span_of(keys[0], c->key),
		.mac_key = span_of(keys[1], c->mac == ALG_NONE ? 0 : alg_table[c->mac].keys[0]),
		.replay_window = 64, .src_client = net(w->ours), .dst_client = net(w->theirs),
	};
	for (size_t i = 0; i < sizeof keys[0]; i++)
		keys[0][i] = keys[1][i] = (uint8_t)(i * 7 + 1);
	join(&us, &them, &sa, 1, on_no_acquire);
	also(&us);
	also(&them);
}

void end(void)
{
	datapath_free(&us);
	datapath_free(&them);
}

struct packet inside(const struct way *w, size_t n)
{
	struct packet k;

	if (ip(w->from).len == 16)
		return six(w->from, w->to, IPPROTO_UDP, NULL, 0, n - IP6_HEADER);
	k = packet_on(room, n);
	for (size_t i = 0; i < n; i++)
		k.p[i] = (uint8_t)(i * 3);
	ip4_write(k.p, &(struct ip4){ .src = ip(w->from), .dst = ip(w->to), .protocol = IPPROTO_UDP, .id = 77,
				      .tos = 0xb8, .length = n });
	return k;
}
