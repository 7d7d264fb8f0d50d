/* bench_klips.c -- what the klips datapath (eroute, SA, replay window, headers) costs over the bare
 * cipher and MAC of the same packets, and how lookups bear many entries. */
#define GCRYPT_NO_MPI_MACROS
#include <gcrypt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "crypto/hash.h"
#include "kernel/datapath.h"

#define SECONDS 0.3		/* per measurement */

static double cost(void (*what)(void *arg), void *arg)
{
	return cost_of(what, arg, 64, SECONDS);
}

static void must(bool ok)
{
	if (!ok) {
		fputs("bench_klips: an operation failed\n", stderr);
		exit(1);
	}
}

static void fill(void *ctx, void *p, size_t n)
{
	(void)ctx;
	crypto_random(p, n);
}

static void on_acquire(void *ctx, const struct eroute *e, const struct flow *f)
{
	(void)ctx;
	(void)e;
	(void)f;
}

struct choice {
	const char *name;
	enum alg cipher, mac;
	size_t key;
	int gcry_cipher, gcry_mode, gcry_mac;
};

static const struct choice choices[] = {
	{ "aes128gcm16", ALG_AES_GCM_16, ALG_NONE, 20, GCRY_CIPHER_AES128, GCRY_CIPHER_MODE_GCM, 0 },
	{ "aes256gcm16", ALG_AES_GCM_16, ALG_NONE, 36, GCRY_CIPHER_AES256, GCRY_CIPHER_MODE_GCM, 0 },
	{ "aes128-sha1", ALG_AES_CBC, ALG_HMAC_SHA1_96, 16, GCRY_CIPHER_AES128, GCRY_CIPHER_MODE_CBC,
	  GCRY_MD_SHA1 },
	{ "aes128-sha256", ALG_AES_CBC, ALG_HMAC_SHA2_256_128, 16, GCRY_CIPHER_AES128,
	  GCRY_CIPHER_MODE_CBC, GCRY_MD_SHA256 },
	{ "aes256-sha512", ALG_AES_CBC, ALG_HMAC_SHA2_512_256, 32, GCRY_CIPHER_AES256,
	  GCRY_CIPHER_MODE_CBC, GCRY_MD_SHA512 },
	{ "3des-md5", ALG_3DES_CBC, ALG_HMAC_MD5_96, 24, GCRY_CIPHER_3DES, GCRY_CIPHER_MODE_CBC, GCRY_MD_MD5 },
	{ "null-sha256", ALG_NULL, ALG_HMAC_SHA2_256_128, 0, 0, 0, GCRY_MD_SHA256 },
};

struct bench {
	struct datapath us, them;
	size_t n;		/* octets of the inner packet */
	gcry_cipher_hd_t cipher;
	gcry_md_hd_t mac;
	bool gcm;
	size_t iv;		/* octets that libgcrypt wants */
	uint8_t room[PACKET_ROOM];
};

static const uint8_t key_octets[64] = { 1, 35, 69, 103, 137, 171, 205, 239, 16, 50, 84, 118, 152, 186, 220, 254,
					9, 8, 7, 6, 5, 4, 3, 2, 1 };

/* What libgcrypt alone does for one packet, sealed and opened. */
static void run_raw(void *arg)
{
	struct bench *b = arg;
	uint8_t *p = b->room + PACKET_HEAD, tag[16];
	size_t n = b->n & ~(size_t)15;

	for (int open = 0; open < 2; open++) {
		if (b->mac != NULL) {
			gcry_md_reset(b->mac);
			gcry_md_write(b->mac, p, n + 24);
			(void)gcry_md_read(b->mac, 0);
		}
		if (b->cipher == NULL)
			continue;
		must(gcry_cipher_setiv(b->cipher, key_octets, b->iv) == 0);
		if (b->gcm)
			gcry_cipher_authenticate(b->cipher, key_octets, 8);
		if (open == 0)
			gcry_cipher_encrypt(b->cipher, p, n, NULL, 0);
		else
			gcry_cipher_decrypt(b->cipher, p, n, NULL, 0);
		if (b->gcm)
			gcry_cipher_gettag(b->cipher, tag, sizeof tag);
	}
}

static const struct ip_addr here = { .len = 4, .b = { 192, 0, 2, 1 } }, there = { .len = 4, .b = { 192, 0, 2, 2 } };
static const struct subnet near_net = { .addr = { .len = 4, .b = { 10, 1, 0, 0 } }, .bits = 16 };
static const struct subnet far_net = { .addr = { .len = 4, .b = { 10, 2, 0, 0 } }, .bits = 16 };

static struct packet make_packet(struct bench *b)
{
	struct packet k = packet_on(b->room, b->n);

	ip4_write(k.p, &(struct ip4){ .src = { .len = 4, .b = { 10, 1, 0, 1 } }, .length = b->n,
				      .dst = { .len = 4, .b = { 10, 2, 0, 1 } }, .protocol = IPPROTO_UDP });
	return k;
}

static void run_ours(void *arg)
{
	struct bench *b = arg;
	struct packet k = make_packet(b);
	struct path path;

	must(datapath_out(&b->us, 0, &k, &path) == VERDICT_SEND);
	must(datapath_in(&b->them, &k, &path) == VERDICT_DELIVER);
}

static void setup(struct bench *b, const struct choice *c)
{
	struct kernel_sa sa = {
		.id = { .dst = there, .protocol = IPPROTO_ESP, .spi = 0x1000 }, .src = here, .tunnel = true,
		.cipher = c->cipher, .mac = c->mac, .cipher_key = span_of(key_octets, c->key),
		.mac_key = span_of(key_octets, c->mac == ALG_NONE ? 0 : alg_table[c->mac].keys[0]),
		.src_client = near_net, .dst_client = far_net, .replay_window = 64,
	};
	struct kernel_eroute e = { .src = near_net, .dst = far_net, .kind = EROUTE_SA, .n_sas = 1,
				   .sas = { sa.id } };
	bool added;

	datapath_init(&b->us, NULL, fill, on_acquire);
	datapath_init(&b->them, NULL, fill, on_acquire);
	b->us.devices[0].mtu = b->them.devices[0].mtu = 1500;
	must(sadb_add(b->us.sas, &sa, 0, 0) == REASON_NONE);
	sa.inbound = true;
	must(sadb_add(b->them.sas, &sa, 0, 0) == REASON_NONE);
	must(eroute_set(b->us.eroutes, &e, 0, &added) == REASON_NONE);
}

static void setup_raw(struct bench *b, const struct choice *c)
{
	b->cipher = NULL;
	b->mac = NULL;
	b->gcm = c->gcry_mode == GCRY_CIPHER_MODE_GCM;
	b->iv = alg_table[c->cipher].iv + alg_table[c->cipher].salt;
	if (c->gcry_cipher != 0) {
		must(gcry_cipher_open(&b->cipher, c->gcry_cipher, c->gcry_mode, 0) == 0);
		must(gcry_cipher_setkey(b->cipher, key_octets, c->key - (b->gcm ? 4 : 0)) == 0);
	}
	if (c->gcry_mac != 0) {
		must(gcry_md_open(&b->mac, c->gcry_mac, GCRY_MD_FLAG_HMAC) == 0);
		must(gcry_md_setkey(b->mac, key_octets, alg_table[c->mac].keys[0]) == 0);
	}
}

static void bench_suite(struct bench *b, const struct choice *c, size_t n)
{
	double ours, raw;

	b->n = n;
	setup(b, c);
	setup_raw(b, c);
	raw = cost(run_raw, b);
	ours = cost(run_ours, b);
	printf("  %-14s %5zu octets: libgcrypt %7.2f us, klips %7.2f us, ratio %.2f, %7.0f Mbit/s each way\n",
	       c->name, n, raw * 1e6, ours * 1e6, ours / raw, (double)n * 8 / (ours / 2) / 1e6);
	if (b->cipher != NULL)
		gcry_cipher_close(b->cipher);
	if (b->mac != NULL)
		gcry_md_close(b->mac);
	datapath_free(&b->us);
	datapath_free(&b->them);
}

/* ---- lookups ------------------------------------------------------------ */

struct lookups {
	struct eroutes *t;
	uint32_t i;
};

static void run_lookup(void *arg)
{
	struct lookups *l = arg;
	uint32_t i = l->i++ % 256;
	struct flow f = { .src = near_net.addr, .dst = { .len = 4, .b = { 10, 2, (uint8_t)i, 7 } } };

	must(eroute_lookup(l->t, &f) != NULL);
}

static double lookup_cost(unsigned n)
{
	struct lookups l = { .t = eroutes_new(key_octets) };
	double seconds;

	for (unsigned i = 0; i < n; i++) {
		struct kernel_eroute e = { .src = near_net, .kind = EROUTE_TRAP,
					   .dst = { .addr = { .len = 4, .b = { (uint8_t)(10 + (i >> 16)), 2, 0, 0 } },
						    .bits = 24 } };
		bool added;

		e.dst.addr.b[2] = (uint8_t)i;
		e.dst.addr.b[1] = (uint8_t)(2 + (i >> 8));
		must(eroute_set(l.t, &e, 0, &added) == REASON_NONE);
	}
	seconds = cost(run_lookup, &l);
	eroutes_free(l.t);
	return seconds;
}

int main(void)
{
	static struct bench b;
	const char *why;
	double few, many;

	must(crypto_start(&why));
	puts("a packet sealed and opened, next to the bare cipher and MAC:");
	for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++) {
		bench_suite(&b, &choices[i], 1400);
		if (i < 2)
			bench_suite(&b, &choices[i], 64);
	}
	few = lookup_cost(256);
	many = lookup_cost(60000);
	printf("an eroute found among 256: %.0f ns; among 60000: %.0f ns, ratio %.2f\n", few * 1e9, many * 1e9,
	       many / few);
	return 0;
}
