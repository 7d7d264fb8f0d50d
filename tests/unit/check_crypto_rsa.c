/* check_crypto_rsa.c -- RSA keys and signatures: what is made, and above all what is refused. */
#include "base/arena.h"
#include "base/writer.h"
#include "crypto/hash.h"
#include "crypto/mpi.h"
#include "crypto/rsa.h"
#include "rsa_keys.h"
#include "vectors.h"

static const struct key_text *const keys[] = { &rsa_2048, &rsa_1024_e3, &rsa_long_p, &rsa_long_q };
#define N_KEYS 4

static struct rsa_parts parts_of(const struct key_text *k)
{
	return (struct rsa_parts){
		.n = hex(k->n), .e = hex(k->e), .d = hex(k->d), .p = hex(k->p), .q = hex(k->q),
		.dp = hex(k->dp), .dq = hex(k->dq), .qinv = hex(k->qinv),
	};
}

static struct rsa_parts public_of(const struct key_text *k)
{
	return (struct rsa_parts){ .n = hex(k->n), .e = hex(k->e) };
}

static struct rsa_key *key_of(struct rsa_parts parts)
{
	const char *why = NULL;
	struct rsa_key *k = rsa_new(&parts, &why);

	ck_assert_msg(k != NULL, "%s", why);
	return k;
}

static void assert_no_key(struct rsa_parts parts, const char *words)
{
	const char *why = NULL;

	ck_assert_ptr_null(rsa_new(&parts, &why));
	ck_assert_msg(why != NULL && strstr(why, words) != NULL, "\"%s\" does not say \"%s\"", why,
		      words);
}

/* s with one bit turned; bit 0 is the lowest. */
static struct span flip(struct span s, size_t bit)
{
	uint8_t *p = copy_of(s);

	p[s.n - 1 - bit / 8] ^= (uint8_t)(1 << bit % 8);
	return span_of(p, s.n);
}

/* ---- signatures --------------------------------------------------------- */

START_TEST(signature_is_verified_by_the_public_key)
{
	struct rsa_key *secret = key_of(parts_of(keys[_i])), *public = key_of(public_of(keys[_i]));
	uint8_t sig[RSA_MAX];

	for (uint8_t size = 1; size <= HASH_MAX; size = (uint8_t)(size + 21)) {
		struct span hash = fill(size, size);

		ck_assert(rsa_sign(secret, hash, sig));
		ck_assert(rsa_verify(public, hash, span_of(sig, rsa_size(public))));
		ck_assert(!rsa_verify(public, flip(hash, 0), span_of(sig, rsa_size(public))));
		ck_assert(!rsa_verify(public, span_from(hash, 1), span_of(sig, rsa_size(public))));
	}
	rsa_free(secret);
	rsa_free(public);
}
END_TEST

START_TEST(signature_is_that_of_openssl)
{
	/* openssl pkeyutl -sign -pkeyopt rsa_padding_mode:pkcs1, over bare data */
	struct span want = hex(
		"3436466e9d7c1b8aaf877ec74c5616440e992a9ebb931ca4e4e8874c707ba79950dc65b7"
		"240a2b07743b78114d46a3b52251b5be62b195ec109041c5262b6548d8c9c0589518cd97"
		"3f6fec48a3583e38ef5849c2c946ff333280e5e3222b356a10a82b5beb46dc469af7dc14"
		"300edf3df7eadca54d1fddf2cbe2915c6e101e2f517d637a5441eb57ea39a5c3dd8545a8"
		"50b32ac5ed72714ba068f71eb3daed278c17828edec2e5b140345e346e801cf15987316c"
		"3ee4ee8d626518494e1c0c7b23b80802c51ab74b63b17ecdfb5490ff82d8be229b3ebbb4"
		"9d5d600c7559ba5af6cc0a16983b301abcd949a2e945eec2b0955ff4f7d879636208fea1"
		"8dd725cf");
	struct rsa_key *k = key_of(parts_of(&rsa_2048));
	uint8_t sig[RSA_MAX];

	ck_assert(rsa_sign(k, span_str("0123456789abcdefghij"), sig));
	assert_span(span_of(sig, 256), want);
	rsa_free(k);
}
END_TEST

START_TEST(public_key_does_not_sign)
{
	struct rsa_key *k = key_of(public_of(&rsa_2048));
	uint8_t sig[RSA_MAX];

	ck_assert(!rsa_sign(k, fill(1, 20), sig));
	rsa_free(k);
}
END_TEST

START_TEST(data_of_impossible_size_is_not_signed)
{
	struct rsa_key *k = key_of(parts_of(&rsa_1024_e3));
	uint8_t sig[RSA_MAX];

	ck_assert(rsa_sign(k, fill(1, 128 - 11), sig));
	ck_assert(rsa_verify(k, fill(1, 128 - 11), span_of(sig, 128)));
	ck_assert(!rsa_sign(k, fill(1, 128 - 10), sig));
	ck_assert(!rsa_sign(k, fill(1, 4000), sig));
	ck_assert(!rsa_sign(k, span_of(NULL, 0), sig));
	ck_assert(!rsa_verify(k, span_of(NULL, 0), fill(1, 128)));
	ck_assert(!rsa_verify(k, fill(1, 4000), fill(1, 128)));
	rsa_free(k);
}
END_TEST

START_TEST(any_bit_of_the_signature_counts)
{
	struct rsa_key *k = key_of(parts_of(&rsa_1024_e3));
	struct span hash = fill(7, 20);
	uint8_t sig[RSA_MAX];

	ck_assert(rsa_sign(k, hash, sig));
	for (size_t bit = 0; bit < 1024; bit++)
		ck_assert(!rsa_verify(k, hash, flip(span_of(sig, 128), bit)));
	rsa_free(k);
}
END_TEST

START_TEST(signatures_of_wrong_length_or_value_are_refused)
{
	struct rsa_key *k = key_of(parts_of(&rsa_2048));
	struct span hash = fill(7, 20), n = hex(rsa_2048.n);
	uint8_t sig[RSA_MAX] = { 0 };

	ck_assert(rsa_sign(k, hash, sig + 1));
	ck_assert(rsa_verify(k, hash, span_of(sig + 1, 256)));
	ck_assert(!rsa_verify(k, hash, span_of(sig, 257)));	/* a zero in front */
	ck_assert(!rsa_verify(k, hash, span_of(sig + 2, 255)));
	ck_assert(!rsa_verify(k, hash, span_of(sig + 1, 255)));
	ck_assert(!rsa_verify(k, hash, span_of(NULL, 0)));
	ck_assert(!rsa_verify(k, hash, fill(0, 256)));
	ck_assert(!rsa_verify(k, hash, flip(fill(0, 256), 0)));	/* 1 */
	ck_assert(!rsa_verify(k, hash, n));
	ck_assert(!rsa_verify(k, hash, flip(n, 0)));		/* n - 1 */
	ck_assert(!rsa_verify(k, hash, fill(0xff, 256)));
	rsa_free(k);
}
END_TEST

/* The same signature with n added is the same number to a careless verifier. */
START_TEST(signature_not_below_the_modulus_is_refused)
{
	struct rsa_key *k = key_of(parts_of(&rsa_long_q));	/* 2043 bits: there is room */
	struct span hash = fill(7, 32), n = hex(rsa_long_q.n);
	uint8_t sig[RSA_MAX];
	unsigned carry = 0;

	ck_assert(rsa_sign(k, hash, sig));
	for (size_t i = n.n; i-- != 0; carry >>= 8) {
		carry += (unsigned)sig[i] + n.p[i];
		sig[i] = (uint8_t)carry;
	}
	ck_assert_uint_eq(carry, 0);
	ck_assert(!rsa_verify(k, hash, span_of(sig, n.n)));
	rsa_free(k);
}
END_TEST

/* ---- padding ------------------------------------------------------------ */

#define SIZE 256

/* 00 type fill.. 00 info hash garbage; `fill` stretches as far as it must. */
static struct span block_of(uint8_t type, uint8_t filling, size_t zero_at, const char *info,
			    struct span hash, size_t garbage)
{
	uint8_t block[SIZE];
	struct writer w = writer_on(block, SIZE);
	struct span pre = hex(info);

	memset(block, filling, SIZE);
	block[0] = 0;
	block[1] = type;
	w.n = SIZE - garbage - hash.n - pre.n - 1;
	put_u8(&w, 0);
	put_bytes(&w, pre);
	put_bytes(&w, hash);
	put_bytes(&w, fill(0xab, garbage));
	if (zero_at != 0)
		block[zero_at] = 0;
	return span_of(copy_of(span_of(block, SIZE)), SIZE);
}

/* Does the key accept the block, signed with its own private exponent? */
static bool accepted(struct span block, struct span hash)
{
	struct rsa_parts parts = parts_of(&rsa_2048);
	struct rsa_key *k = key_of(public_of(&rsa_2048));
	uint8_t sig[SIZE];
	bool ok;

	ck_assert_uint_eq(block.n, SIZE);
	ck_assert(mpi_powm(block, parts.d, parts.n, true, sig, SIZE));
	ok = rsa_verify(k, hash, span_of(sig, SIZE));
	rsa_free(k);
	return ok;
}

START_TEST(only_the_exact_block_is_accepted)
{
	struct span hash = fill(0x5a, 20);
	static const char sha1_info[] = "3021300906052b0e03021a05000414";

	ck_assert(accepted(block_of(1, 0xff, 0, "", hash, 0), hash));
	ck_assert(!accepted(block_of(2, 0xff, 0, "", hash, 0), hash));
	ck_assert(!accepted(block_of(0, 0xff, 0, "", hash, 0), hash));
	ck_assert(!accepted(block_of(0, 0x00, 0, "", hash, 0), hash));
	ck_assert(!accepted(block_of(1, 0xfe, 0, "", hash, 0), hash));
	ck_assert(!accepted(block_of(1, 0x00, 0, "", hash, 0), hash));
	ck_assert(!accepted(block_of(1, 0xff, 0, sha1_info, hash, 0), hash));
	ck_assert(!accepted(block_of(1, 0xff, 0, "00", hash, 0), hash));
	ck_assert(!accepted(block_of(1, 0xff, 0, "", span_from(hash, 1), 0), hash));
	ck_assert(!accepted(block_of(1, 0xff, 0, "", fill(0x5a, 21), 0), hash));
	for (size_t garbage = 1; garbage < SIZE - 30; garbage += 16)
		ck_assert(!accepted(block_of(1, 0xff, 0, "", hash, garbage), hash));
	for (size_t at = 2; at < SIZE - 21; at += 13)
		ck_assert(!accepted(block_of(1, 0xff, at, "", hash, 0), hash));
}
END_TEST

/* What looks at the data behind the first zero would accept these of anybody. */
START_TEST(forgeries_for_exponent_three_are_refused)
{
	static const char *const forgeries[] = { forged_garbage, forged_short_padding,
						 forged_digest_info };
	struct rsa_key *k = key_of(public_of(&rsa_1024_e3));
	struct span text = span_str("forged");
	uint8_t hash[HASH_MAX], sig[128] = { 0 }, block[128];
	struct span root = hex(forgeries[_i]);

	ck_assert_uint_eq(hash_spans(ALG_SHA1, &text, 1, hash), 20);
	memcpy(sig + sizeof(sig) - root.n, root.p, root.n);
	/* it is a good forgery: its cube does begin as a block should */
	ck_assert(mpi_powm(span_of(sig, 128), hex("03"), hex(rsa_1024_e3.n), false, block, 128));
	ck_assert_uint_eq(get_u16(block), 1);
	ck_assert(!rsa_verify(k, span_of(hash, 20), span_of(sig, 128)));
	ck_assert(!rsa_verify(k, span_of(hash, 12), span_of(sig, 128)));
	rsa_free(k);
}
END_TEST

/* ---- keys --------------------------------------------------------------- */

START_TEST(bad_public_keys_are_refused)
{
	struct span n = hex(rsa_2048.n), e = hex("010001");

	assert_no_key((struct rsa_parts){ .n = fill(0, 0), .e = e }, "less than 1024 bits");
	assert_no_key((struct rsa_parts){ .n = fill(0, 256), .e = e }, "less than 1024 bits");
	assert_no_key((struct rsa_parts){ .n = hex("0f"), .e = e }, "less than 1024 bits");
	assert_no_key((struct rsa_parts){ .n = flip(fill(0xff, 128), 1023), .e = e },
		      "less than 1024 bits");
	assert_no_key((struct rsa_parts){ .n = fill(0xff, 1025), .e = e }, "more than 8192 bits");
	assert_no_key((struct rsa_parts){ .n = flip(n, 0), .e = e }, "modulus is even");
	assert_no_key((struct rsa_parts){ .n = n, .e = hex("") }, "exponent is even");
	assert_no_key((struct rsa_parts){ .n = n, .e = hex("00") }, "exponent is even");
	assert_no_key((struct rsa_parts){ .n = n, .e = hex("010000") }, "exponent is even");
	assert_no_key((struct rsa_parts){ .n = n, .e = hex("0001") }, "under 3");
	assert_no_key((struct rsa_parts){ .n = n, .e = n }, "more than 256 bits");
}
END_TEST

START_TEST(largest_modulus_is_accepted)
{
	struct rsa_key *k = key_of((struct rsa_parts){ .n = fill(0xff, 1024), .e = hex("03") });

	ck_assert_uint_eq(rsa_size(k), RSA_MAX);
	ck_assert(!rsa_verify(k, fill(1, 20), fill(0x7f, 1024)));
	rsa_free(k);
}
END_TEST

START_TEST(leading_zeros_do_not_matter)
{
	struct span n = hex(rsa_1024_e3.n);
	uint8_t *padded = copy_of(fill(0, 130));
	struct rsa_key *k;

	memcpy(padded + 2, n.p, 128);
	k = key_of((struct rsa_parts){ .n = span_of(padded, 130), .e = hex("000003") });
	ck_assert_uint_eq(rsa_size(k), 128);
	rsa_free(k);
}
END_TEST

START_TEST(parts_that_do_not_belong_together_are_refused)
{
	const size_t at[] = {
		offsetof(struct rsa_parts, d), offsetof(struct rsa_parts, p),
		offsetof(struct rsa_parts, q), offsetof(struct rsa_parts, dp),
		offsetof(struct rsa_parts, dq), offsetof(struct rsa_parts, qinv),
	};
	struct rsa_parts good = parts_of(keys[_i]), bad;

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		struct span *part = (struct span *)(void *)((char *)&bad + at[i]);

		bad = good;
		*part = flip(*part, 3);
		assert_no_key(bad, "");
		bad = good;
		*part = span_of(NULL, 0);
		assert_no_key(bad, "missing or zero");
		*part = fill(0, 20);
		assert_no_key(bad, "missing or zero");
		*part = fill(0xff, good.n.n + 1);
		assert_no_key(bad, "longer than the modulus");
	}
	bad = good;
	bad.p = good.q;
	bad.q = good.p;
	assert_no_key(bad, "exponent");
	bad = good;
	bad.e = hex("010003");
	assert_no_key(bad, "inverse of the public exponent");
	bad = public_of(keys[_i]);
	bad.d = fill(0, 4);
	assert_no_key(bad, "private parts are zero");
}
END_TEST

START_TEST(modulus_times_one_is_refused)
{
	struct rsa_parts bad = parts_of(&rsa_2048);

	bad.p = bad.n;
	bad.q = hex("01");
	assert_no_key(bad, "product of two different primes");
}
END_TEST

/* Whatever the numbers are: refused or used, never a crash, never a valid signature. */
START_TEST(random_keys_and_signatures)
{
	uint8_t n[160], e[3], sig[160];

	for (int i = 0; i < 2000; i++) {
		size_t size = 120 + (size_t)i % 40;
		struct rsa_parts parts = { .n = span_of(n, size), .e = span_of(e, (size_t)i % 4) };
		struct rsa_key *k;
		const char *why;

		crypto_random(n, sizeof(n));
		crypto_random(e, sizeof(e));
		crypto_random(sig, sizeof(sig));
		k = rsa_new(&parts, &why);
		if (k == NULL)
			continue;
		ck_assert(!rsa_verify(k, span_of(sig, 20), span_of(sig, size)));
		ck_assert(!rsa_verify(k, span_of(sig, 20), span_of(n, size)));
		ck_assert(!rsa_sign(k, span_of(sig, 20), sig));
		rsa_free(k);
	}
}
END_TEST

/* ---- keys in DNS -------------------------------------------------------- */

START_TEST(key_to_dns_and_back)
{
	struct rsa_key *k = key_of(parts_of(keys[_i])), *back;
	struct buf dns = rsa_to_dns(k), again;
	uint8_t sig[RSA_MAX];
	const char *why = NULL;

	back = rsa_from_dns(span_buf(dns), &why);
	ck_assert_msg(back != NULL, "%s", why);
	again = rsa_to_dns(back);
	assert_span(span_buf(again), span_buf(dns));
	ck_assert(rsa_sign(k, fill(1, 20), sig));
	ck_assert(rsa_verify(back, fill(1, 20), span_of(sig, rsa_size(back))));
	ck_assert(!rsa_sign(back, fill(1, 20), sig));
	buf_free(&dns);
	buf_free(&again);
	rsa_free(k);
	rsa_free(back);
}
END_TEST

/* A key in DNS form from pieces. */
static struct span dns_of(const char *head, const char *e, struct span n)
{
	uint8_t text[2048];
	struct writer w = writer_on(text, sizeof(text));

	put_bytes(&w, hex(head));
	put_bytes(&w, hex(e));
	put_bytes(&w, n);
	return span_of(copy_of(writer_span(&w)), w.n);
}

static void assert_no_dns(struct span dns, const char *words)
{
	const char *why = NULL;

	ck_assert_ptr_null(rsa_from_dns(dns, &why));
	ck_assert_msg(why != NULL && strstr(why, words) != NULL, "\"%s\" does not say \"%s\"", why,
		      words);
}

START_TEST(dns_forms)
{
	struct span n = hex(rsa_1024_e3.n), good = dns_of("01", "03", n);
	struct rsa_key *k;
	const char *why;

	/* the long form of the exponent's length is read, too */
	k = rsa_from_dns(dns_of("000001", "03", n), &why);
	ck_assert_ptr_nonnull(k);
	rsa_free(k);
	for (size_t cut = 0; cut < good.n; cut++) {
		ck_assert_ptr_null(rsa_from_dns(span_sub(good, 0, cut), &why));
		ck_assert_ptr_nonnull(why);
	}
	assert_no_dns(span_of(NULL, 0), "empty");
	assert_no_dns(dns_of("00", "", span_of(NULL, 0)), "does not fit");
	assert_no_dns(dns_of("0000", "", span_of(NULL, 0)), "does not fit");
	assert_no_dns(dns_of("000000", "", n), "does not fit");
	assert_no_dns(dns_of("00ffff", "03", n), "does not fit");
	assert_no_dns(dns_of("ff", "03", n), "does not fit");
	assert_no_dns(dns_of("01", "03", span_of(NULL, 0)), "does not fit");
	assert_no_dns(dns_of("02", "0003", n), "leading zero");
	assert_no_dns(dns_of("01", "0300", n), "leading zero");
	assert_no_dns(dns_of("01", "02", n), "even");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("crypto/rsa");
	TCase *t = tcase_create("rsa");

	vectors_start();
	rsa_free(NULL);
	suite_add_tcase(s, t);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, signature_is_verified_by_the_public_key, 0, N_KEYS);
	tcase_add_test(t, signature_is_that_of_openssl);
	tcase_add_test(t, public_key_does_not_sign);
	tcase_add_test(t, data_of_impossible_size_is_not_signed);
	tcase_add_test(t, any_bit_of_the_signature_counts);
	tcase_add_test(t, signatures_of_wrong_length_or_value_are_refused);
	tcase_add_test(t, signature_not_below_the_modulus_is_refused);
	tcase_add_test(t, only_the_exact_block_is_accepted);
	tcase_add_loop_test(t, forgeries_for_exponent_three_are_refused, 0, 3);
	tcase_add_test(t, bad_public_keys_are_refused);
	tcase_add_test(t, largest_modulus_is_accepted);
	tcase_add_test(t, leading_zeros_do_not_matter);
	tcase_add_loop_test(t, parts_that_do_not_belong_together_are_refused, 0, N_KEYS);
	tcase_add_test(t, modulus_times_one_is_refused);
	tcase_add_test(t, random_keys_and_signatures);
	tcase_add_loop_test(t, key_to_dns_and_back, 0, N_KEYS);
	tcase_add_test(t, dns_forms);
	return run_suite(s);
}
