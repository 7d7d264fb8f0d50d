/* check_crypto_hash.c -- hashes, HMAC and the key expansions of RFC 2409. */
#include <pthread.h>

#include "crypto/hash.h"
#include "vectors.h"

static const struct {
	enum alg alg;
	const char *hmac;	/* as in the data of RFC 2202 and RFC 4231 */
	const char *name;	/* as in the data of IKEv1 */
	const char *abc;	/* RFC 1321, FIPS 180-4: the hash of "abc" */
} hashes[] = {
	{ ALG_MD5, "hmac-md5", "md5", "900150983cd24fb0d6963f7d28e17f72" },
	{ ALG_SHA1, "hmac-sha1", "sha1", "a9993e364706816aba3e25717850c26c9cd0d89d" },
	{ ALG_SHA2_256, "hmac-sha256", "sha256",
	  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ ALG_SHA2_384, "hmac-sha384", "sha384",
	  "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
	  "8086072ba1e7cc2358baeca134c825a7" },
	{ ALG_SHA2_512, "hmac-sha512", "sha512",
	  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	  "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
};
#define N_HASHES (sizeof(hashes) / sizeof(hashes[0]))

START_TEST(hash_of_abc_in_pieces)
{
	struct span abc = span_str("abc");
	struct span pieces[] = { span_sub(abc, 0, 1), span_of(NULL, 0), span_from(abc, 1) };
	uint8_t out[HASH_MAX];

	ck_assert_uint_eq(hash_spans(hashes[_i].alg, pieces, 3, out), hash_size(hashes[_i].alg));
	assert_span(span_of(out, hash_size(hashes[_i].alg)), hex(hashes[_i].abc));
}
END_TEST

START_TEST(what_is_no_hash_is_refused)
{
	uint8_t out[HASH_MAX];
	struct span abc = span_str("abc");

	ck_assert_uint_eq(hash_size(ALG_NONE), 0);
	ck_assert_uint_eq(hash_size(ALG_AES_CBC), 0);
	ck_assert_uint_eq(hash_size(ALG_COUNT), 0);
	ck_assert_uint_eq(hash_spans(ALG_AES_CBC, &abc, 1, out), 0);
	ck_assert_uint_eq(hmac_spans(ALG_HMAC_SHA1_96, abc, &abc, 1, out), 0);
	ck_assert_ptr_null(hmac_new(ALG_MODP2048, abc));
	hmac_free(NULL);
}
END_TEST

static bool alg_of(const json_t *v, enum alg *alg)
{
	for (size_t i = 0; i < N_HASHES; i++)
		if (is_text(v, "alg", hashes[i].hmac) || is_text(v, "hash", hashes[i].name)) {
			*alg = hashes[i].alg;
			return true;
		}
	return false;	/* SHA-224 is not ours */
}

/* Every vector through both doors, the data in two pieces. */
static size_t check_hmacs(const char *file)
{
	size_t done = 0, i;
	json_t *all = vectors(file), *v;

	json_array_foreach(all, i, v) {
		struct span key = member(v, "key"), data = member(v, "data");
		struct span want = member(v, "digest");
		struct span pieces[] = { span_sub(data, 0, data.n / 3), span_from(data, data.n / 3) };
		uint8_t out[HASH_MAX];
		struct hmac *h;
		enum alg alg;

		if (!alg_of(v, &alg))
			continue;
		ck_assert_uint_eq(hmac_spans(alg, key, pieces, 2, out), hash_size(alg));
		assert_span(span_of(out, want.n), want);	/* some are published truncated */
		h = hmac_new(alg, key);
		for (int twice = 0; twice < 2; twice++) {
			memset(out, 0, sizeof(out));
			hmac_begin(h);
			hmac_add(h, pieces[0]);
			hmac_add(h, pieces[1]);
			ck_assert_uint_eq(hmac_end(h, out), hash_size(alg));
			assert_span(span_of(out, want.n), want);
		}
		hmac_free(h);
		done++;
	}
	return done;
}

START_TEST(hmac_of_rfc2202)
{
	ck_assert_uint_eq(check_hmacs("rfc2202_hmac.json"), 15);
}
END_TEST

START_TEST(hmac_of_rfc4231)
{
	ck_assert_uint_eq(check_hmacs("rfc4231_hmac_sha2.json"), 18);
}
END_TEST

START_TEST(hmac_with_empty_key_and_data)
{
	uint8_t out[HASH_MAX];

	ck_assert_uint_eq(hmac_spans(ALG_SHA2_256, span_of(NULL, 0), NULL, 0, out), 32);
	assert_span(span_of(out, 32),
		    hex("b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"));
}
END_TEST

/* RFC 2409 5: SKEYID = prf(psk, Ni | Nr), and the three keys from it. */
START_TEST(skeyid_of_rfc2409)
{
	size_t done = 0, i;
	json_t *all = vectors("ikev1_skeyid_psk.json"), *v;

	json_array_foreach(all, i, v) {
		static const uint8_t digits[] = { 0, 1, 2 };
		static const char *const names[] = { "skeyid_d", "skeyid_a", "skeyid_e" };
		struct span nonces[] = { member(v, "ni"), member(v, "nr") };
		uint8_t skeyid[HASH_MAX], out[3][HASH_MAX];
		enum alg alg;
		size_t n;

		if (!alg_of(v, &alg))
			continue;
		n = hmac_spans(alg, member(v, "psk"), nonces, 2, skeyid);
		assert_span(span_of(skeyid, n), member(v, "skeyid"));
		for (size_t k = 0; k < 3; k++) {
			struct span in[] = { span_of(out[k == 0 ? 0 : k - 1], k == 0 ? 0 : n),
					     member(v, "gxy"), member(v, "cky_i"), member(v, "cky_r"),
					     span_of(&digits[k], 1) };

			ck_assert_uint_eq(hmac_spans(alg, span_of(skeyid, n), in, 5, out[k]), n);
			assert_span(span_of(out[k], n), member(v, names[k]));
		}
		done++;
	}
	ck_assert_uint_eq(done, 5);
}
END_TEST

START_TEST(key_material_longer_than_the_hash)
{
	struct span key = hex("000102030405060708090a0b0c0d0e0f10111213");
	struct span want = hex("479222a3e8a632f165f1389fef98a3cfbbceff9115248417e23af5dd3fdf29a4"
			       "a3bd9c3ca9e8566a766efe4eff1ef53315e7ede5ef38333a732f2c415b44f89b"
			       "ed316db8faca");
	uint8_t out[128];

	/* Every length gives the start of the same octets, and writes no more. */
	for (size_t n = 0; n <= want.n; n++) {
		memset(out, 0xee, sizeof(out));
		prf_plus(ALG_SHA1, key, span_str("seed of the material"), out, n);
		assert_span(span_of(out, n), span_sub(want, 0, n));
		ck_assert_uint_eq(out[n], 0xee);
	}
}
END_TEST

START_TEST(short_cipher_key_is_stretched)
{
	struct span key = hex("000102030405060708090a0b0c0d0e0f10111213");
	uint8_t out[64];

	/* RFC 2409 appendix B: AES-256 from SHA1, 3DES from MD5 */
	prf_stretch(ALG_SHA1, key, out, 32);
	assert_span(span_of(out, 32),
		    hex("1e5fd6a5cbc98bd4c1fe20d5e5fb2ed1df330c93a33c043ca850a65fd7aeae17"));
	prf_stretch(ALG_MD5, span_sub(key, 0, 16), out, 24);
	assert_span(span_of(out, 24), hex("5d76401b50b90caee409473960c04a9614b5f3b70b892097"));
}
END_TEST

START_TEST(long_cipher_key_is_cut)
{
	struct span key = hex("000102030405060708090a0b0c0d0e0f10111213");
	uint8_t out[21] = { [16] = 0xee, [20] = 0xee };

	prf_stretch(ALG_SHA1, key, out, 16);
	assert_span(span_of(out, 16), span_sub(key, 0, 16));
	ck_assert_uint_eq(out[16], 0xee);
	prf_stretch(ALG_SHA1, key, out, 20);
	assert_span(span_of(out, 20), key);
	ck_assert_uint_eq(out[20], 0xee);
}
END_TEST

START_TEST(random_octets_differ)
{
	uint8_t a[32] = { 0 }, b[32] = { 0 };

	crypto_random(a, sizeof(a));
	crypto_random(b, sizeof(b));
	crypto_random(NULL, 0);
	ck_assert_mem_ne(a, b, sizeof(a));
}
END_TEST

static void *worker(void *arg)
{
	size_t *wrong = arg;
	struct span data = span_str("what do ya want for nothing?");
	uint8_t out[HASH_MAX];

	for (int i = 0; i < 500; i++) {
		hmac_spans(ALG_MD5, span_str("Jefe"), &data, 1, out);
		if (memcmp(out, "\x75\x0c\x78\x3e\x6a\xb0\xb5\x03", 8) != 0)
			(*wrong)++;
	}
	return NULL;
}

START_TEST(threads_do_not_disturb_each_other)
{
	pthread_t threads[4];
	size_t wrong[4] = { 0 };

	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, worker, &wrong[i]), 0);
	for (size_t i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		ck_assert_uint_eq(wrong[i], 0);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("crypto/hash");
	TCase *t = tcase_create("hash");

	vectors_start();
	suite_add_tcase(s, t);
	tcase_add_loop_test(t, hash_of_abc_in_pieces, 0, N_HASHES);
	tcase_add_test(t, what_is_no_hash_is_refused);
	tcase_add_test(t, hmac_of_rfc2202);
	tcase_add_test(t, hmac_of_rfc4231);
	tcase_add_test(t, hmac_with_empty_key_and_data);
	tcase_add_test(t, skeyid_of_rfc2409);
	tcase_add_test(t, key_material_longer_than_the_hash);
	tcase_add_test(t, short_cipher_key_is_stretched);
	tcase_add_test(t, long_cipher_key_is_cut);
	tcase_add_test(t, random_octets_differ);
	tcase_add_test(t, threads_do_not_disturb_each_other);
	return run_suite(s);
}
