/* check_rsa_make.c -- making RSA keys, and telling them apart: fingerprints, weakness. */
#include "base/text.h"
#include "crypto/hash.h"
#include "crypto/rsa.h"
#include "rsa_keys.h"
#include "vectors.h"

static struct rsa_key *public_of(const struct key_text *k)
{
	struct rsa_parts parts = { .n = hex(k->n), .e = hex(k->e) };
	const char *why = NULL;
	struct rsa_key *key = rsa_new(&parts, &why);

	ck_assert_msg(key != NULL, "%s", why);
	return key;
}

static struct rsa_key *made(size_t bits)
{
	const char *why = NULL;
	struct rsa_key *k = rsa_make(bits, &why);

	ck_assert_msg(k != NULL, "%zu bits: %s", bits, why);
	return k;
}

START_TEST(new_keys_sign)
{
	static const size_t sizes[] = { 1024, 1040, 2048, 3072 };
	struct rsa_key *k = made(sizes[_i]), *other;
	struct span data = span_str("what is signed");
	struct buf dns = rsa_to_dns(k);
	const char *why;
	uint8_t sig[RSA_MAX];

	ck_assert_uint_eq(rsa_bits(k), sizes[_i]);
	ck_assert_uint_eq(rsa_size(k), sizes[_i] / 8);
	ck_assert(rsa_sign(k, data, sig));
	other = rsa_from_dns(span_buf(dns), &why);
	ck_assert_ptr_nonnull(other);
	ck_assert(rsa_verify(other, data, span_of(sig, rsa_size(k))));
	ck_assert(rsa_same(k, other));
	buf_free(&dns);
	rsa_free(other);
	rsa_free(k);
}
END_TEST

START_TEST(parts_make_the_same_key)
{
	struct rsa_key *k = made(1024), *again;
	struct rsa_parts parts = rsa_parts_of(k);
	const char *why = NULL;

	again = rsa_new(&parts, &why);
	ck_assert_msg(again != NULL, "%s", why);
	ck_assert(rsa_same(k, again));
	rsa_free(again);
	rsa_free(k);
}
END_TEST

START_TEST(new_keys_differ)
{
	struct rsa_key *a = made(1024), *b = made(1024);
	char x[RSA_FINGERPRINT_TEXT], y[RSA_FINGERPRINT_TEXT];

	ck_assert(!rsa_same(a, b));
	ck_assert_str_ne(rsa_fingerprint(a, x), rsa_fingerprint(b, y));
	rsa_free(a);
	rsa_free(b);
}
END_TEST

START_TEST(sizes_that_are_not_made)
{
	static const size_t sizes[] = { 0, 512, 1008, 1025, 2040, 8208, SIZE_MAX };
	const char *why = NULL;

	ck_assert_ptr_null(rsa_make(sizes[_i], &why));
	ck_assert_ptr_nonnull(why);
}
END_TEST

/* Computed by another program: SHA2-256 over 03 010001 and the modulus. */
START_TEST(fingerprint_is_of_the_dns_form)
{
	struct rsa_key *k = public_of(&rsa_2048);
	char dst[RSA_FINGERPRINT_TEXT];

	ck_assert_str_eq(rsa_fingerprint(k, dst), "1e045a90a261e002a87be91fcab49c24");
	rsa_free(k);
}
END_TEST

START_TEST(weak_keys)
{
	struct rsa_key *good = public_of(&rsa_2048), *small = public_of(&rsa_1024_e3);
	struct key_text low = { .n = rsa_2048.n, .e = "03" };
	struct rsa_key *exponent = public_of(&low);

	ck_assert_ptr_null(rsa_weakness(good));
	ck_assert_ptr_nonnull(strstr(rsa_weakness(small), "2048"));
	ck_assert_ptr_nonnull(strstr(rsa_weakness(exponent), "65537"));
	ck_assert(!rsa_same(good, exponent));
	rsa_free(good);
	rsa_free(small);
	rsa_free(exponent);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("crypto/rsa_make");
	TCase *t = tcase_create("rsa_make");

	vectors_start();
	suite_add_tcase(s, t);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, new_keys_sign, 0, 4);
	tcase_add_test(t, parts_make_the_same_key);
	tcase_add_test(t, new_keys_differ);
	tcase_add_loop_test(t, sizes_that_are_not_made, 0, 7);
	tcase_add_test(t, fingerprint_is_of_the_dns_form);
	tcase_add_test(t, weak_keys);
	return run_suite(s);
}
