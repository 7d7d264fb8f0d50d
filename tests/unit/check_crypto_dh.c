/* check_crypto_dh.c -- Diffie-Hellman, and the modular exponentiation below it. */
#include <pthread.h>

#include "crypto/dh.h"
#include "crypto/hash.h"
#include "crypto/mpi.h"
#include "vectors.h"

static const enum alg groups[] = {
	ALG_MODP768, ALG_MODP1024, ALG_MODP1536, ALG_MODP2048, ALG_MODP3072, ALG_MODP4096,
	ALG_MODP6144, ALG_MODP8192, ALG_ECP256, ALG_ECP384, ALG_ECP521, ALG_CURVE25519,
};
#define N_GROUPS (sizeof(groups) / sizeof(groups[0]))

static struct span prime_of(enum alg group)
{
	return span_of(alg_table[group].prime, alg_table[group].prime_n);
}

static struct span random_private(enum alg group)
{
	uint8_t priv[DH_PRIVATE_MAX];

	crypto_random(priv, dh_private_size(group));
	return span_of(copy_of(span_of(priv, sizeof(priv))), dh_private_size(group));
}

/* s with `by` added to its last octet, without carry. */
static struct span plus(struct span s, int by)
{
	uint8_t *p = copy_of(s);

	p[s.n - 1] = (uint8_t)(p[s.n - 1] + by);
	return span_of(p, s.n);
}

/* Is the peer's value refused, and with these words in the reason? */
static void assert_refused(enum alg group, struct span peer, const char *words)
{
	uint8_t shared[DH_MAX];
	const char *why = NULL;

	ck_assert(!dh_shared(group, fill(0x55, dh_private_size(group)), peer, shared, &why));
	ck_assert_ptr_nonnull(why);
	ck_assert_msg(strstr(why, words) != NULL, "\"%s\" does not say \"%s\"", why, words);
}

START_TEST(both_sides_agree)
{
	enum alg group = groups[_i];
	struct span a = random_private(group), b = random_private(group);
	uint8_t pub_a[DH_MAX], pub_b[DH_MAX], ab[DH_MAX], ba[DH_MAX];
	size_t n = dh_public_size(group);
	const char *why = "";

	ck_assert_uint_le(n, DH_MAX);
	ck_assert_uint_le(dh_shared_size(group), DH_MAX);
	ck_assert_uint_le(dh_private_size(group), DH_PRIVATE_MAX);
	ck_assert_uint_ge(dh_private_size(group), 32);
	ck_assert(dh_public(group, a, pub_a));
	ck_assert(dh_public(group, b, pub_b));
	ck_assert_mem_ne(pub_a, pub_b, n);
	ck_assert_msg(dh_shared(group, a, span_of(pub_b, n), ab, &why), "%s", why);
	ck_assert_msg(dh_shared(group, b, span_of(pub_a, n), ba, &why), "%s", why);
	ck_assert_mem_eq(ab, ba, dh_shared_size(group));
}
END_TEST

START_TEST(wrong_lengths_are_refused)
{
	enum alg group = groups[_i];
	size_t n = dh_public_size(group);
	uint8_t shared[DH_MAX], pub[DH_MAX];
	struct span priv = fill(0x55, dh_private_size(group));
	const char *why;

	assert_refused(group, span_of(NULL, 0), "length of the group");
	assert_refused(group, fill(2, 1), "length of the group");
	assert_refused(group, fill(2, n - 1), "length of the group");
	assert_refused(group, fill(2, n + 1), "length of the group");
	ck_assert(!dh_public(group, span_from(priv, 1), pub));
	ck_assert(!dh_shared(group, span_from(priv, 1), fill(2, n), shared, &why));
	ck_assert_ptr_nonnull(strstr(why, "private value"));
}
END_TEST

START_TEST(what_is_no_group_is_refused)
{
	static const enum alg others[] = { ALG_NONE, ALG_SHA1, ALG_AES_CBC, ALG_AES_GCM_16,
					   ALG_HMAC_SHA1_96, ALG_COUNT };
	uint8_t out[DH_MAX];

	ck_assert_uint_eq(dh_public_size(others[_i]), 0);
	ck_assert_uint_eq(dh_shared_size(others[_i]), 0);
	ck_assert_uint_eq(dh_private_size(others[_i]), 0);
	ck_assert(!dh_public(others[_i], span_of(NULL, 0), out));
	assert_refused(others[_i], span_of(NULL, 0), "not a Diffie-Hellman group");
}
END_TEST

/* ---- MODP --------------------------------------------------------------- */

START_TEST(primes_are_those_of_the_rfcs)
{
	json_t *all = vectors("modp_primes.json"), *v;
	size_t i, k;

	ck_assert_uint_eq(json_array_size(all), 8);
	json_array_foreach(all, i, v) {
		struct span want = member(v, "prime");

		for (k = 0; k < N_GROUPS; k++)
			if (alg_table[groups[k]].kind == ALG_KIND_MODP &&
			    alg_table[groups[k]].bits == json_integer_value(json_object_get(v, "bits")))
				break;
		ck_assert_uint_lt(k, N_GROUPS);
		assert_span(prime_of(groups[k]), want);
		ck_assert_uint_eq(alg_table[groups[k]].generator,
				  (unsigned)json_integer_value(json_object_get(v, "generator")));
	}
}
END_TEST

START_TEST(modp_values_out_of_range_are_refused)
{
	enum alg group = groups[_i];
	struct span p = prime_of(group);
	static const char words[] = "between 2 and the prime less 2";

	assert_refused(group, fill(0, p.n), words);
	assert_refused(group, plus(fill(0, p.n), 1), words);
	assert_refused(group, plus(p, -1), words);
	assert_refused(group, p, words);
	assert_refused(group, fill(0xff, p.n), words);
}
END_TEST

START_TEST(modp_values_at_the_edge_are_accepted)
{
	enum alg group = groups[_i];
	struct span p = prime_of(group), priv = fill(0x56, dh_private_size(group));
	uint8_t shared[DH_MAX], pub[DH_MAX];
	const char *why;

	/* 2 is the generator: its power is our own public value; p - 2 gives the same, as the
	 * exponent is even. */
	ck_assert(dh_public(group, priv, pub));
	ck_assert(dh_shared(group, priv, plus(fill(0, p.n), 2), shared, &why));
	ck_assert_mem_eq(shared, pub, p.n);
	ck_assert(dh_shared(group, priv, plus(p, -2), shared, &why));
	ck_assert_mem_eq(shared, pub, p.n);
}
END_TEST

START_TEST(zero_as_private_value_is_refused)
{
	enum alg group = groups[_i];
	struct span zero = fill(0, dh_private_size(group));
	uint8_t out[DH_MAX];

	ck_assert_uint_ne(alg_table[group].kind, ALG_KIND_MONTGOMERY);
	ck_assert(!dh_public(group, zero, out));
}
END_TEST

/* ---- exponentiation ----------------------------------------------------- */

START_TEST(powm_of_rfc5114)
{
	json_t *all = vectors("rfc5114_modp_dh.json"), *v;
	bool secret = _i == 1;
	uint8_t out[256];
	size_t i;

	ck_assert_uint_eq(json_array_size(all), 3);
	json_array_foreach(all, i, v) {
		struct span p = member(v, "p");

		ck_assert(mpi_powm(member(v, "g"), member(v, "xA"), p, secret, out, p.n));
		assert_span(span_of(out, p.n), member(v, "yA"));
		ck_assert(mpi_powm(member(v, "g"), member(v, "xB"), p, secret, out, p.n));
		assert_span(span_of(out, p.n), member(v, "yB"));
		ck_assert(mpi_powm(member(v, "yB"), member(v, "xA"), p, secret, out, p.n));
		assert_span(span_of(out, p.n), member(v, "Z"));
		/* the order of the subgroup: 1, in all its octets */
		ck_assert(mpi_powm(member(v, "g"), member(v, "q"), p, secret, out, p.n));
		assert_span(span_of(out, p.n), plus(fill(0, p.n), 1));
	}
}
END_TEST

static bool powm(const char *base, const char *exp, const char *modulus, bool secret)
{
	uint8_t out[4];

	return mpi_powm(hex(base), hex(exp), hex(modulus), secret, out, sizeof(out));
}

START_TEST(powm_refuses_what_has_no_answer)
{
	bool secret = _i == 1;
	uint8_t out[1100];

	ck_assert(powm("02", "03", "0b", secret));
	ck_assert(!powm("02", "03", "", secret));
	ck_assert(!powm("02", "03", "00", secret));
	ck_assert(!powm("00", "03", "01", secret));
	ck_assert(!powm("02", "03", "0a", secret));		/* even */
	ck_assert(!powm("0b", "03", "0b", secret));		/* base = modulus */
	ck_assert(!powm("0c", "03", "0b", secret));
	ck_assert(!powm("02", "00", "0b", secret));
	ck_assert(!powm("02", "", "0b", secret));
	ck_assert(!powm("02", "03", "0100000001", secret));	/* no room for the result */
	ck_assert(!mpi_powm(fill(1, 1), fill(1, 1), fill(0xff, 1025), secret, out, 1025));
	ck_assert(!mpi_powm(fill(1, 1), fill(1, 1025), fill(0xff, 1024), secret, out, 1024));
}
END_TEST

START_TEST(powm_of_small_and_padded_numbers)
{
	bool secret = _i == 1;
	uint8_t out[4];

	ck_assert(mpi_powm(hex("0000000002"), hex("000a"), hex("0003e9"), secret, out, 4));
	assert_span(span_of(out, 4), hex("00000017"));		/* 1024 mod 1001 */
	ck_assert(mpi_powm(hex("00"), hex("05"), hex("0b"), secret, out, 4));
	assert_span(span_of(out, 4), hex("00000000"));
	ck_assert(mpi_powm(hex(""), hex("05"), hex("0b"), secret, out, 4));
	assert_span(span_of(out, 4), hex("00000000"));
}
END_TEST

START_TEST(numbers_are_compared_as_numbers)
{
	ck_assert(mpi_less(hex(""), hex("01")));
	ck_assert(mpi_less(hex("00ff"), hex("0100")));
	ck_assert(mpi_less(hex("ff"), hex("0100")));
	ck_assert(!mpi_less(hex("0000"), hex("")));
	ck_assert(!mpi_less(hex("0002"), hex("01")));
	ck_assert(!mpi_less(hex("01"), hex("0001")));
	ck_assert_uint_eq(mpi_bits(hex("")), 0);
	ck_assert_uint_eq(mpi_bits(hex("0000")), 0);
	ck_assert_uint_eq(mpi_bits(hex("0001")), 1);
	ck_assert_uint_eq(mpi_bits(hex("7f00")), 15);
	ck_assert_uint_eq(mpi_bits(hex("80")), 8);
}
END_TEST

/* ---- ECP ---------------------------------------------------------------- */

static enum alg ecp_group(const json_t *v)
{
	switch (json_integer_value(json_object_get(v, "group"))) {
	case 19:
		return ALG_ECP256;
	case 20:
		return ALG_ECP384;
	default:
		return ALG_ECP521;
	}
}

static struct span point_of(const json_t *v, const char *x_name, const char *y_name)
{
	struct span x = member(v, x_name), y = member(v, y_name);
	uint8_t point[DH_MAX];

	ck_assert_uint_eq(x.n, y.n);
	memcpy(point, x.p, x.n);
	memcpy(point + x.n, y.p, y.n);
	return span_of(copy_of(span_of(point, sizeof(point))), 2 * x.n);
}

START_TEST(ecp_of_rfc5903)
{
	json_t *all = vectors("rfc5903_ecp_dh.json"), *v;
	size_t i;

	ck_assert_uint_eq(json_array_size(all), 3);
	json_array_foreach(all, i, v) {
		enum alg group = ecp_group(v);
		struct span kei = point_of(v, "gix", "giy"), ker = point_of(v, "grx", "gry");
		uint8_t out[DH_MAX];
		const char *why = "";

		ck_assert(dh_public(group, member(v, "i"), out));
		assert_span(span_of(out, dh_public_size(group)), kei);
		ck_assert(dh_public(group, member(v, "r"), out));
		assert_span(span_of(out, dh_public_size(group)), ker);
		ck_assert_msg(dh_shared(group, member(v, "i"), ker, out, &why), "%s", why);
		assert_span(span_of(out, dh_shared_size(group)), member(v, "girx"));
		ck_assert_msg(dh_shared(group, member(v, "r"), kei, out, &why), "%s", why);
		assert_span(span_of(out, dh_shared_size(group)), member(v, "girx"));
	}
}
END_TEST

START_TEST(points_off_the_curve_are_refused)
{
	json_t *all = vectors("rfc5903_ecp_dh.json"), *v;
	size_t i;

	json_array_foreach(all, i, v) {
		enum alg group = ecp_group(v);
		struct span kei = point_of(v, "gix", "giy");
		size_t n = kei.n;

		assert_refused(group, plus(kei, 1), "not a point of the curve");
		for (size_t bit = 0; bit < n * 8; bit += 37) {
			uint8_t *bad = copy_of(kei);

			bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_refused(group, span_of(bad, n), "not a point of the curve");
		}
		/* all the forms that the point at infinity might be given */
		assert_refused(group, fill(0, n), "not a point of the curve");
		assert_refused(group, plus(fill(0, n), 1), "not a point of the curve");
		assert_refused(group, fill(0xff, n), "not a point of the curve");
	}
}
END_TEST

START_TEST(coordinates_are_reduced)
{
	/* (0, sqrt b) is on P-256; with p instead of 0 it is the same point badly written */
	struct span y = hex("66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4");
	struct span p = hex("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff");
	uint8_t good[64] = { 0 }, bad[64], shared[32];
	const char *why;

	memcpy(good + 32, y.p, 32);
	memcpy(bad, p.p, 32);
	memcpy(bad + 32, y.p, 32);
	ck_assert(dh_shared(ALG_ECP256, fill(0x55, 32), span_of(good, 64), shared, &why));
	assert_refused(ALG_ECP256, span_of(bad, 64), "not a point of the curve");
}
END_TEST

START_TEST(private_value_above_the_order_is_reduced)
{
	struct span order = hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
	uint8_t a[64], b[64];

	ck_assert(dh_public(ALG_ECP256, plus(order, 5), a));
	ck_assert(dh_public(ALG_ECP256, plus(fill(0, 32), 5), b));
	ck_assert_mem_eq(a, b, 64);
	ck_assert(!dh_public(ALG_ECP256, order, a));
}
END_TEST

/* ---- Curve25519 --------------------------------------------------------- */

static void assert_x25519(const char *scalar, const char *u, const char *want)
{
	uint8_t out[32];
	const char *why = "";

	ck_assert_msg(dh_shared(ALG_CURVE25519, hex(scalar), hex(u), out, &why), "%s", why);
	assert_span(span_of(out, 32), hex(want));
}

START_TEST(x25519_of_rfc7748)
{
	assert_x25519("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
		      "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
		      "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
	/* its highest bit is set, and to be ignored */
	assert_x25519("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
		      "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
		      "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
}
END_TEST

START_TEST(x25519_iterated)
{
	uint8_t k[32] = { 9 }, u[32] = { 9 }, out[32];
	const char *why;

	for (int i = 1; i <= 1000; i++) {
		ck_assert(dh_shared(ALG_CURVE25519, span_of(k, 32), span_of(u, 32), out, &why));
		memcpy(u, k, 32);
		memcpy(k, out, 32);
		if (i == 1)
			assert_span(span_of(k, 32), hex("422c8e7a6227d7bca1350b3e2bb7279f"
							"7897b87bb6854b783c60e80311ae3079"));
	}
	assert_span(span_of(k, 32), hex("684cf59ba83309552800ef566f2f4d3c"
					"1c3887c49360e3875f2eb94d99532c51"));
}
END_TEST

START_TEST(x25519_of_rfc8031)
{
	/* private values as drawn: the fixed bits are set on use */
	struct span di = hex("701fb4308655b476b6789b7325f9ea8cddd16a58533ff6d9e60009464a5f9d54");
	struct span dr = hex("0854645253290d60ddadd0e030bacd9e5501efdc220755a1e978f1b839a05648");
	struct span want = hex("c74950607a12327f3204d94b6825bfb068b7f8319a9e3708ed3d43ce8130c950");
	uint8_t pi[32], pr[32], out[32];
	const char *why = "";

	ck_assert(dh_public(ALG_CURVE25519, di, pi));
	assert_span(span_of(pi, 32), hex("48d5ddd4061257ba166fa3f9bbdb74f1"
					 "a4e81c089384fa77f790709f0dfbc766"));
	ck_assert(dh_public(ALG_CURVE25519, dr, pr));
	assert_span(span_of(pr, 32), hex("0be7c1f5aad87d7e448662673298a443"
					 "478b859745179eaf564c79c0ef6eee25"));
	ck_assert_msg(dh_shared(ALG_CURVE25519, di, span_of(pr, 32), out, &why), "%s", why);
	assert_span(span_of(out, 32), want);
	ck_assert_msg(dh_shared(ALG_CURVE25519, dr, span_of(pi, 32), out, &why), "%s", why);
	assert_span(span_of(out, 32), want);
}
END_TEST

START_TEST(x25519_points_of_small_order_are_refused)
{
	static const char *const points[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"0000000000000000000000000000000000000000000000000000000000000080",
	};

	assert_refused(ALG_CURVE25519, hex(points[_i]), "small order");
}
END_TEST

/* ---- threads ------------------------------------------------------------ */

static void *worker(void *arg)
{
	enum alg group = *(const enum alg *)arg;
	uint8_t a[DH_PRIVATE_MAX], b[DH_PRIVATE_MAX], pub[2][DH_MAX], shared[2][DH_MAX];
	size_t n = dh_public_size(group), x = dh_private_size(group);
	struct span priv[2] = { span_of(a, x), span_of(b, x) };
	const char *why;

	for (int i = 0; i < 8; i++) {
		crypto_random(a, priv[0].n);
		crypto_random(b, priv[1].n);
		if (!dh_public(group, priv[0], pub[0]) || !dh_public(group, priv[1], pub[1]) ||
		    !dh_shared(group, priv[0], span_of(pub[1], n), shared[0], &why) ||
		    !dh_shared(group, priv[1], span_of(pub[0], n), shared[1], &why) ||
		    memcmp(shared[0], shared[1], dh_shared_size(group)) != 0)
			return arg;
	}
	return NULL;
}

START_TEST(threads_do_not_disturb_each_other)
{
	static enum alg some[] = { ALG_MODP1024, ALG_ECP256, ALG_CURVE25519, ALG_ECP256 };
	pthread_t threads[4];
	void *wrong;

	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, worker, &some[i]), 0);
	for (size_t i = 0; i < 4; i++) {
		pthread_join(threads[i], &wrong);
		ck_assert_ptr_null(wrong);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("crypto/dh");
	TCase *t = tcase_create("dh");

	vectors_start();
	suite_add_tcase(s, t);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, both_sides_agree, 0, N_GROUPS);
	tcase_add_loop_test(t, wrong_lengths_are_refused, 0, N_GROUPS);
	tcase_add_loop_test(t, what_is_no_group_is_refused, 0, 6);
	tcase_add_test(t, primes_are_those_of_the_rfcs);
	tcase_add_loop_test(t, modp_values_out_of_range_are_refused, 0, 8);
	tcase_add_loop_test(t, modp_values_at_the_edge_are_accepted, 0, 8);
	tcase_add_loop_test(t, zero_as_private_value_is_refused, 0, 11);
	tcase_add_loop_test(t, powm_of_rfc5114, 0, 2);
	tcase_add_loop_test(t, powm_refuses_what_has_no_answer, 0, 2);
	tcase_add_loop_test(t, powm_of_small_and_padded_numbers, 0, 2);
	tcase_add_test(t, numbers_are_compared_as_numbers);
	tcase_add_test(t, ecp_of_rfc5903);
	tcase_add_test(t, points_off_the_curve_are_refused);
	tcase_add_test(t, coordinates_are_reduced);
	tcase_add_test(t, private_value_above_the_order_is_reduced);
	tcase_add_test(t, x25519_of_rfc7748);
	tcase_add_test(t, x25519_iterated);
	tcase_add_test(t, x25519_of_rfc8031);
	tcase_add_loop_test(t, x25519_points_of_small_order_are_refused, 0, 8);
	tcase_add_test(t, threads_do_not_disturb_each_other);
	return run_suite(s);
}
