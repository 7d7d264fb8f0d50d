/* klips_esp_lab.c -- two datapaths over IPv4 with one SA from us to the peer. */
#include "klips_esp_lab.h"

#include <netinet/in.h>
#include <stdlib.h>

const struct choice choices[N_CHOICES] = {
	{ ALG_AES_CBC, 16, ALG_HMAC_SHA1_96 },
	{ ALG_AES_CBC, 24, ALG_HMAC_SHA2_256_128 },
	{ ALG_AES_CBC, 32, ALG_HMAC_SHA2_512_256 },
	{ ALG_AES_CBC, 16, ALG_HMAC_SHA2_384_192 },
	{ ALG_3DES_CBC, 24, ALG_HMAC_MD5_96 },
	{ ALG_NULL, 0, ALG_HMAC_SHA2_256_128 },
	{ ALG_AES_GCM_16, 20, ALG_NONE },
	{ ALG_AES_GCM_12, 28, ALG_NONE },
	{ ALG_AES_GCM_8, 36, ALG_NONE },
	{ ALG_NONE, 0, ALG_HMAC_SHA1_96 },		/* AH */
	{ ALG_NONE, 0, ALG_HMAC_SHA2_512_256 },
};

struct datapath us, them;
static uint8_t keys[2][64];
uint8_t room[PACKET_ROOM];
struct flow acquired;
unsigned acquires;

void on_acquire(void *ctx, const struct eroute *e, const struct flow *f)
{
	(void)ctx;
	(void)e;
	acquired = *f;
	acquires++;
}

struct kernel_sa sa_from_me(const struct choice *c, bool tunnel, bool inbound)
{
	size_t mac_key = c->mac == ALG_NONE ? 0 : alg_table[c->mac].keys[0];

	for (size_t i = 0; i < sizeof keys[0]; i++) {
		keys[0][i] = (uint8_t)(i * 7 + 1);
		keys[1][i] = (uint8_t)(i * 11 + 5);
	}
	return (struct kernel_sa){
		.id = { .dst = ip(PEER), .protocol = IS_AH(c) ? IPPROTO_AH : IPPROTO_ESP, .spi = 0x1234 },
		.src = ip(ME), .inbound = inbound, .tunnel = tunnel, .cipher = c->cipher, .mac = c->mac,
		.cipher_key = span_of(keys[0], c->key), .mac_key = span_of(keys[1], mac_key),
		.replay_window = 64,
		.src_client = tunnel ? net("10.1.0.0/16") : net(ME "/32"),
		.dst_client = tunnel ? net("10.2.0.0/16") : net(PEER "/32"),
	};
}

void begin(const struct kernel_sa *sa)
{
	acquires = 0;
	join(&us, &them, sa, 1, on_acquire);
}

void end(void)
{
	datapath_free(&us);
	datapath_free(&them);
}

struct packet udp(const char *src, const char *dst, size_t n)
{
	struct packet k = packet_on(room, n);

	for (size_t i = 0; i < n; i++)
		k.p[i] = (uint8_t)(i * 3);
	ip4_write(k.p, &(struct ip4){ .src = ip(src), .dst = ip(dst), .protocol = IPPROTO_UDP, .id = 77,
				      .length = n });
	return k;
}

struct packet inside(bool tunnel, size_t n)
{
	return tunnel ? udp("10.1.0.5", "10.2.0.9", n) : udp(ME, PEER, n);
}
