/* check_crypto_cipher.c -- CBC for IKE, and the sealing and opening of ESP and AH packets. */
#include "crypto/cipher.h"
#include "crypto/hash.h"
#include "vectors.h"

#define NONE ((struct span){ 0 })

static void assert_cbc(enum alg alg, struct span key, struct span iv, struct span plain,
		       struct span secret)
{
	size_t block = cipher_block(alg), n = plain.n;
	struct span last = span_from(secret, n - block);
	uint8_t *chain = copy_of(iv), *data = copy_of(plain);

	ck_assert(cbc_encrypt(alg, key, chain, data, n));
	assert_span(span_of(data, n), secret);
	assert_span(span_of(chain, block), last);
	chain = copy_of(iv);
	ck_assert(cbc_decrypt(alg, key, chain, data, n));
	assert_span(span_of(data, n), plain);
	assert_span(span_of(chain, block), last);
}

START_TEST(aes_cbc_of_rfc3602)
{
	json_t *all = json_object_get(vectors("rfc3602_aes_cbc_esp.json"), "aes_cbc"), *v;
	size_t i;

	ck_assert_uint_eq(json_array_size(all), 4);
	json_array_foreach(all, i, v)
		assert_cbc(ALG_AES_CBC, member(v, "key"), member(v, "iv"), member(v, "plaintext"),
			   member(v, "ciphertext"));
}
END_TEST

START_TEST(esp_packets_of_rfc3602)
{
	json_t *all = json_object_get(vectors("rfc3602_aes_cbc_esp.json"), "esp"), *v;
	size_t i;

	ck_assert_uint_eq(json_array_size(all), 4);
	json_array_foreach(all, i, v)
		assert_cbc(ALG_AES_CBC, member(v, "key"), member(v, "iv"),
			   member(v, "plaintext_padded"), member(v, "ciphertext"));
}
END_TEST

START_TEST(triple_des_is_that_of_openssl)
{
	/* openssl enc -des-ede3-cbc -nopad */
	assert_cbc(ALG_3DES_CBC, hex("0123456789abcdef23456789abcdef01456789abcdef0123"),
		   hex("f69f2445df4f9b17"), span_str("0123456789abcdef01234567"),
		   hex("2e9752f85bb8aaa562bd7671e64da00f6261f2b38bcb50e5"));
}
END_TEST

START_TEST(iv_chains_messages)
{
	struct span key = fill(1, 16), plain = fill(2, 64);
	uint8_t *whole = copy_of(plain), *pieces = copy_of(plain);
	uint8_t iv_a[16] = { 3 }, iv_b[16] = { 3 };

	ck_assert(cbc_encrypt(ALG_AES_CBC, key, iv_a, whole, 64));
	ck_assert(cbc_encrypt(ALG_AES_CBC, key, iv_b, pieces, 16));
	ck_assert(cbc_encrypt(ALG_AES_CBC, key, iv_b, pieces + 16, 0));
	ck_assert(cbc_encrypt(ALG_AES_CBC, key, iv_b, pieces + 16, 48));
	ck_assert_mem_eq(whole, pieces, 64);
	ck_assert_mem_eq(iv_a, iv_b, 16);
}
END_TEST

START_TEST(cbc_refuses_wrong_sizes)
{
	uint8_t iv[16] = { 0 }, data[32] = { 0 };

	ck_assert(!cbc_encrypt(ALG_AES_CBC, fill(1, 16), iv, data, 15));
	ck_assert(!cbc_decrypt(ALG_AES_CBC, fill(1, 16), iv, data, 17));
	ck_assert(!cbc_encrypt(ALG_AES_CBC, fill(1, 15), iv, data, 16));
	ck_assert(!cbc_decrypt(ALG_AES_CBC, fill(1, 0), iv, data, 16));
	ck_assert(!cbc_encrypt(ALG_3DES_CBC, fill(1, 16), iv, data, 16));
	ck_assert(!cbc_encrypt(ALG_3DES_CBC, hex("0123456789abcdef23456789abcdef01456789abcdef0123"),
			       iv, data, 12));
	ck_assert(!cbc_encrypt(ALG_AES_GCM_16, fill(1, 16), iv, data, 16));
	ck_assert(!cbc_encrypt(ALG_NULL, NONE, iv, data, 16));
	ck_assert(!cbc_encrypt(ALG_SHA1, fill(1, 16), iv, data, 16));
	ck_assert(!cbc_decrypt(ALG_COUNT, fill(1, 16), iv, data, 16));
}
END_TEST

START_TEST(weak_keys_of_triple_des_are_refused)
{
	uint8_t iv[8] = { 0 }, data[8] = { 0 };

	ck_assert(!cbc_encrypt(ALG_3DES_CBC, fill(0x01, 24), iv, data, 8));
	ck_assert(!cbc_encrypt(ALG_3DES_CBC, fill(0xfe, 24), iv, data, 8));
}
END_TEST

START_TEST(sizes_of_ciphers)
{
	ck_assert_uint_eq(cipher_block(ALG_AES_CBC), 16);
	ck_assert_uint_eq(cipher_block(ALG_3DES_CBC), 8);
	ck_assert_uint_eq(cipher_block(ALG_NULL), 0);
	ck_assert_uint_eq(cipher_block(ALG_AES_GCM_16), 0);
	ck_assert_uint_eq(cipher_block(ALG_COUNT), 0);
	ck_assert(cipher_key_ok(ALG_AES_CBC, 16));
	ck_assert(cipher_key_ok(ALG_AES_CBC, 24));
	ck_assert(cipher_key_ok(ALG_AES_CBC, 32));
	ck_assert(cipher_key_ok(ALG_AES_GCM_8, 32));
	ck_assert(cipher_key_ok(ALG_NULL, 0));
	ck_assert(!cipher_key_ok(ALG_NULL, 16));
	ck_assert(!cipher_key_ok(ALG_AES_CBC, 0));
	ck_assert(!cipher_key_ok(ALG_AES_CBC, 20));
	ck_assert(!cipher_key_ok(ALG_HMAC_SHA1_96, 20));
	ck_assert(!cipher_key_ok(ALG_COUNT, 0));
}
END_TEST

/* ---- transforms --------------------------------------------------------- */

static const struct {
	enum alg cipher, mac;
	size_t key, mac_key;		/* octets; key with the salt */
	size_t iv, icv, align;
} suites[] = {
	{ ALG_AES_CBC, ALG_HMAC_SHA2_256_128, 16, 32, 16, 16, 16 },
	{ ALG_AES_CBC, ALG_HMAC_SHA2_384_192, 24, 48, 16, 24, 16 },
	{ ALG_AES_CBC, ALG_HMAC_SHA2_512_256, 32, 64, 16, 32, 16 },
	{ ALG_3DES_CBC, ALG_HMAC_MD5_96, 24, 16, 8, 12, 8 },
	{ ALG_NULL, ALG_HMAC_SHA1_96, 0, 20, 0, 12, 4 },
	{ ALG_AES_GCM_16, ALG_NONE, 20, 0, 8, 16, 4 },
	{ ALG_AES_GCM_12, ALG_NONE, 28, 0, 8, 12, 4 },
	{ ALG_AES_GCM_8, ALG_NONE, 36, 0, 8, 8, 4 },
	{ ALG_NONE, ALG_HMAC_SHA1_96, 0, 20, 0, 12, 4 },
	{ ALG_NONE, ALG_HMAC_SHA2_256_128, 0, 32, 0, 16, 4 },
};
#define N_SUITES (int)(sizeof(suites) / sizeof(suites[0]))

/* Octets that are no weak key. */
static struct span pattern(uint8_t start, size_t n)
{
	uint8_t *p = copy_of(fill(0, n));

	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(start + 29 * i);
	return span_of(p, n);
}

static struct transform *transform_of(int i)
{
	const char *why = NULL;
	struct transform *t = transform_new(suites[i].cipher, pattern(1, suites[i].key), suites[i].mac,
					    pattern(2, suites[i].mac_key), &why);

	ck_assert_msg(t != NULL, "%s", why);
	return t;
}

/* One packet in pieces that may be written to. */
struct packet {
	struct span aad, iv, text, tail, icv;
};

static bool opens(struct transform *t, struct packet p)
{
	uint8_t *text = copy_of(p.text);

	return transform_open(t, p.aad, p.iv, text, p.text.n, p.tail, p.icv);
}

static struct packet sealed(struct transform *t, struct span plain, struct span tail)
{
	struct packet p = { .aad = pattern(3, 8), .iv = pattern(4, transform_iv(t)), .tail = tail };
	uint8_t *text = copy_of(plain), icv[HASH_MAX];

	ck_assert(transform_seal(t, p.aad, p.iv, text, plain.n, tail, icv));
	p.text = span_of(text, plain.n);
	p.icv = span_of(copy_of(span_of(icv, sizeof(icv))), transform_icv(t));
	return p;
}

START_TEST(sealed_packet_opens_again)
{
	struct transform *t = transform_of(_i), *peer = transform_of(_i);

	ck_assert_uint_eq(transform_iv(t), suites[_i].iv);
	ck_assert_uint_eq(transform_icv(t), suites[_i].icv);
	ck_assert_uint_eq(transform_align(t), suites[_i].align);
	for (size_t n = 0; n <= 1440; n += 48) {
		struct span plain = pattern((uint8_t)n, n);
		struct packet p = sealed(t, plain, n % 32 == 0 ? NONE : pattern(5, 4));
		uint8_t *text = copy_of(p.text);

		if (n != 0 && suites[_i].iv != 0)
			ck_assert_mem_ne(p.text.p, plain.p, n);
		ck_assert(transform_open(peer, p.aad, p.iv, text, n, p.tail, p.icv));
		assert_span(span_of(text, n), plain);
	}
	transform_free(t);
	transform_free(peer);
}
END_TEST

/* Turn every bit of *piece, which is one of *p, in turn. */
static void assert_all_bits_count(struct transform *t, struct packet *p, struct span *piece)
{
	struct span was = *piece;

	for (size_t bit = 0; bit < was.n * 8; bit++) {
		uint8_t *bad = copy_of(was);

		bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
		*piece = span_of(bad, was.n);
		ck_assert_msg(!opens(t, *p), "bit %zu", bit);
	}
	*piece = was;
	ck_assert(opens(t, *p));
}

START_TEST(any_turned_bit_is_noticed)
{
	struct transform *t = transform_of(_i);
	bool aead = suites[_i].mac == ALG_NONE;
	struct packet p = sealed(t, pattern(9, 32), aead ? NONE : pattern(5, 4));

	assert_all_bits_count(t, &p, &p.aad);
	assert_all_bits_count(t, &p, &p.iv);
	assert_all_bits_count(t, &p, &p.text);
	assert_all_bits_count(t, &p, &p.tail);
	assert_all_bits_count(t, &p, &p.icv);
	transform_free(t);
}
END_TEST

START_TEST(cut_and_longer_pieces_are_refused)
{
	struct transform *t = transform_of(_i);
	struct packet p = sealed(t, pattern(9, 48), NONE), q;
	uint8_t icv[HASH_MAX];

	q = p, q.icv = span_sub(p.icv, 0, p.icv.n - 1);
	ck_assert(!opens(t, q));
	q = p, q.icv = NONE;
	ck_assert(!opens(t, q));
	q = p, q.icv = pattern(1, p.icv.n + 1);
	ck_assert(!opens(t, q));
	q = p, q.text = span_sub(p.text, 0, 32);
	ck_assert(!opens(t, q));
	q = p, q.text = span_sub(p.text, 0, 47);
	ck_assert(!opens(t, q));
	q = p, q.text = NONE;
	ck_assert(!opens(t, q));
	q = p, q.aad = span_sub(p.aad, 0, 7);
	ck_assert(!opens(t, q));
	q = p, q.iv = pattern(4, p.iv.n + 1);
	ck_assert(!opens(t, q));
	ck_assert(!transform_seal(t, p.aad, q.iv, copy_of(p.text), p.text.n, NONE, icv));
	transform_free(t);
}
END_TEST

START_TEST(another_key_does_not_open)
{
	struct transform *t = transform_of(_i), *other;
	struct packet p = sealed(t, pattern(9, 48), NONE);
	const char *why;

	other = transform_new(suites[_i].cipher, pattern(1, suites[_i].key), suites[_i].mac,
			      pattern(3, suites[_i].mac_key), &why);
	if (suites[_i].mac != ALG_NONE)
		ck_assert(!opens(other, p));
	transform_free(other);
	if (suites[_i].mac == ALG_NONE) {
		other = transform_new(suites[_i].cipher, pattern(7, suites[_i].key), ALG_NONE, NONE,
				      &why);
		ck_assert(!opens(other, p));
		transform_free(other);
	}
	transform_free(t);
}
END_TEST

/* The test cases 4, 10 and 16 of the specification of GCM: salt | iv is their IV. */
START_TEST(gcm_of_its_specification)
{
	static const char key[] = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
	static const struct { size_t key; const char *text, *tag; } cases[] = {
		{ 16, "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
		      "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
		  "5bc94fbc3221a5db94fae95ae7121a47" },
		{ 24, "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c"
		      "7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9ccda2710",
		  "2519498e80f1478f37ba55bd6d27618c" },
		{ 32, "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
		      "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
		  "76fc6ece0f4e1768cddf8853bb2d551b" },
	};
	static const enum alg algs[] = { ALG_AES_GCM_16, ALG_AES_GCM_12, ALG_AES_GCM_8 };
	struct span plain = hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
				"1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
	struct span aad = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
	struct span iv = hex("facedbaddecaf888");

	for (size_t c = 0; c < 3; c++) {
		uint8_t *with_salt = copy_of(fill(0, cases[c].key + 4)), *text = copy_of(plain);
		uint8_t icv[16];
		struct transform *t;
		const char *why;

		memcpy(with_salt, hex(key).p, cases[c].key);
		memcpy(with_salt + cases[c].key, hex("cafebabe").p, 4);
		t = transform_new(algs[_i], span_of(with_salt, cases[c].key + 4), ALG_NONE, NONE, &why);
		ck_assert_ptr_nonnull(t);
		ck_assert(transform_seal(t, aad, iv, text, plain.n, NONE, icv));
		assert_span(span_of(text, plain.n), hex(cases[c].text));
		assert_span(span_of(icv, transform_icv(t)),
			    span_sub(hex(cases[c].tag), 0, transform_icv(t)));
		transform_free(t);
	}
}
END_TEST

/* Truncated HMACs, by way of AH: RFC 2202 case 1 (cut), RFC 4868 2.7.2 case 1. */
START_TEST(truncated_macs)
{
	static const struct { enum alg mac; size_t key; const char *icv; } cases[] = {
		{ ALG_HMAC_MD5_96, 16, "9294727a3638bb1c13f48ef8" },
		{ ALG_HMAC_SHA1_96, 20, "b617318655057264e28bc0b6" },
		{ ALG_HMAC_SHA2_256_128, 32, "198a607eb44bfbc69903a0f1cf2bbdc5" },
		{ ALG_HMAC_SHA2_384_192, 48, "b6a8d5636f5c6a7224f9977dcf7ee6c7fb6d0c48cbdee973" },
		{ ALG_HMAC_SHA2_512_256, 64,
		  "637edc6e01dce7e6742a99451aae82df23da3e92439e590e43e761b33e910fb8" },
	};
	struct span text = span_str("Hi There");
	const char *why;
	struct transform *t = transform_new(ALG_NONE, NONE, cases[_i].mac,
					    fill(0x0b, cases[_i].key), &why);
	uint8_t icv[HASH_MAX];

	ck_assert_ptr_nonnull(t);
	/* the pieces are hashed in their order */
	ck_assert(transform_seal(t, span_sub(text, 0, 3), NONE, copy_of(span_sub(text, 3, 2)), 2,
				 span_from(text, 5), icv));
	assert_span(span_of(icv, transform_icv(t)), hex(cases[_i].icv));
	transform_free(t);
}
END_TEST

/* RFC 4303 3.3.2: the ICV is over the ciphertext. */
START_TEST(mac_is_over_the_ciphertext)
{
	struct transform *t = transform_of(0);
	struct packet p = sealed(t, pattern(9, 32), pattern(5, 4));
	struct span in[] = { p.aad, p.iv, p.text, p.tail };
	uint8_t *plain = copy_of(pattern(9, 32)), *iv = copy_of(p.iv), mac[HASH_MAX];

	ck_assert_uint_eq(hmac_spans(ALG_SHA2_256, pattern(2, 32), in, 4, mac), 32);
	assert_span(p.icv, span_of(mac, 16));
	ck_assert(cbc_encrypt(ALG_AES_CBC, pattern(1, 16), iv, plain, 32));
	assert_span(p.text, span_of(plain, 32));
	transform_free(t);
}
END_TEST

static void assert_no_transform(enum alg cipher, size_t key, enum alg mac, size_t mac_key,
				const char *words)
{
	const char *why = NULL;

	ck_assert_ptr_null(transform_new(cipher, pattern(1, key), mac, pattern(2, mac_key), &why));
	ck_assert_msg(why != NULL && strstr(why, words) != NULL, "\"%s\" does not say \"%s\"", why,
		      words);
}

START_TEST(unsound_transforms_are_refused)
{
	static const char no_mac[] = "without authentication";

	assert_no_transform(ALG_AES_CBC, 16, ALG_NONE, 0, no_mac);
	assert_no_transform(ALG_NULL, 0, ALG_NONE, 0, no_mac);
	assert_no_transform(ALG_NONE, 0, ALG_NONE, 0, no_mac);
	assert_no_transform(ALG_AES_GCM_16, 20, ALG_HMAC_SHA1_96, 20, "authenticates by itself");
	assert_no_transform(ALG_SHA1, 20, ALG_HMAC_SHA1_96, 20, "no cipher");
	assert_no_transform(ALG_AES_CBC, 16, ALG_SHA1, 20, "no MAC");
	assert_no_transform(ALG_AES_CBC, 17, ALG_HMAC_SHA1_96, 20, "encryption key");
	assert_no_transform(ALG_AES_CBC, 0, ALG_HMAC_SHA1_96, 20, "encryption key");
	assert_no_transform(ALG_AES_GCM_16, 16, ALG_NONE, 0, "encryption key");
	assert_no_transform(ALG_AES_GCM_16, 3, ALG_NONE, 0, "encryption key");
	assert_no_transform(ALG_NULL, 8, ALG_HMAC_SHA1_96, 20, "encryption key");
	assert_no_transform(ALG_AES_CBC, 16, ALG_HMAC_SHA1_96, 16, "authentication key");
	assert_no_transform(ALG_NONE, 0, ALG_HMAC_SHA2_256_128, 0, "authentication key");
	transform_free(NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("crypto/cipher");
	TCase *t = tcase_create("cipher");

	vectors_start();
	suite_add_tcase(s, t);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, aes_cbc_of_rfc3602);
	tcase_add_test(t, esp_packets_of_rfc3602);
	tcase_add_test(t, triple_des_is_that_of_openssl);
	tcase_add_test(t, iv_chains_messages);
	tcase_add_test(t, cbc_refuses_wrong_sizes);
	tcase_add_test(t, weak_keys_of_triple_des_are_refused);
	tcase_add_test(t, sizes_of_ciphers);
	tcase_add_loop_test(t, sealed_packet_opens_again, 0, N_SUITES);
	tcase_add_loop_test(t, any_turned_bit_is_noticed, 0, N_SUITES);
	tcase_add_loop_test(t, cut_and_longer_pieces_are_refused, 0, N_SUITES);
	tcase_add_loop_test(t, another_key_does_not_open, 0, N_SUITES);
	tcase_add_loop_test(t, gcm_of_its_specification, 0, 3);
	tcase_add_loop_test(t, truncated_macs, 0, 5);
	tcase_add_test(t, mac_is_over_the_ciphertext);
	tcase_add_test(t, unsound_transforms_are_refused);
	return run_suite(s);
}
