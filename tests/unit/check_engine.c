/* check_engine.c -- the parts of the generic machine: timers, tables, message IDs, values, key formulas;
 * and what it does with datagrams that come twice or in between. */
#include <stdlib.h>

#include "../sim/trial.h"
#include "base/arena.h"
#include "base/xalloc.h"
#include "engine/keys.h"
#include "engine/msgids.h"
#include "engine/table.h"
#include "generated/limits.h"
#include "generated/payloads.h"
#include "ike/internal.h"
#include "vectors.h"

#define MANY 5000u

/* ---- timers --------------------------------------------------------------- */

static uint64_t fired[MANY];
static unsigned n_fired;

static void note(void *ctx, uint64_t now)
{
	const struct timer *t = ctx;

	ck_assert_uint_le(t->at, now);
	fired[n_fired++] = t->at;
}

START_TEST(timers_fire_in_order)
{
	static struct timer t[MANY];
	struct timers ts = { 0 };
	unsigned armed = 0;

	srandom(7);
	n_fired = 0;
	for (unsigned i = 0; i < MANY; i++) {
		t[i] = (struct timer){ .fire = note, .ctx = &t[i] };
		timer_arm(&ts, &t[i], (uint64_t)random() % 100000);
	}
	for (unsigned i = 0; i < MANY; i += 3)
		timer_disarm(&ts, &t[i]);
	for (unsigned i = 1; i < MANY; i += 3)
		timer_arm(&ts, &t[i], (uint64_t)random() % 100000);	/* moved */
	for (unsigned i = 0; i < MANY; i++)
		armed += timer_armed(&t[i]);
	ck_assert_uint_eq(armed, MANY - (MANY + 2) / 3);
	ck_assert_uint_eq(ts.n, armed);
	timers_run(&ts, 50000);
	ck_assert_uint_gt(timers_next(&ts), 50000);
	timers_run(&ts, 100000);
	ck_assert_uint_eq(n_fired, armed);
	for (unsigned i = 1; i < n_fired; i++)
		ck_assert_uint_le(fired[i - 1], fired[i]);
	ck_assert_uint_eq(timers_next(&ts), UINT64_MAX);
	timer_disarm(&ts, &t[0]);	/* harmless */
	timers_free(&ts);
}
END_TEST

static struct timers *again_in;

static void again(void *ctx, uint64_t now)
{
	n_fired++;
	timer_arm(again_in, ctx, now - 1);
}

/* A timer that its handler arms in the past does not keep the loop from its turn. */
START_TEST(timer_armed_in_the_past)
{
	struct timers ts = { 0 };
	struct timer t = { .fire = again, .ctx = &t };

	again_in = &ts;
	n_fired = 0;
	timer_arm(&ts, &t, 5);
	timers_run(&ts, 10);
	ck_assert_uint_eq(n_fired, 1);
	timers_run(&ts, 10);
	ck_assert_uint_eq(n_fired, 2);
	timers_free(&ts);
}
END_TEST

/* ---- the table of exchanges ------------------------------------------------ */

static void number(uint8_t *p, uint64_t v)
{
	struct writer w = writer_on(p, COOKIE_SIZE);

	put_u64(&w, v);
}

/* Who does not know the key cannot choose cookies that fall into one bucket. */
START_TEST(table_places_depend_on_the_key)
{
	static struct exchange x[MANY];
	struct exchange **before = NULL;
	unsigned unmoved = 0;

	for (uint8_t round = 0; round < 2; round++) {
		const uint8_t key[16] = { round };
		struct table t;

		table_init(&t, key);
		for (unsigned i = 0; i < MANY; i++) {
			x[i] = (struct exchange){ .serial = i + 1, .remote = { .addr = { .len = 4, .b = { 10 } }, .port = 500 } };
			number(x[i].cookies, i + 1);
			table_add(&t, &x[i]);
		}
		if (before == NULL) {
			before = xcalloc(t.n_buckets, sizeof(struct exchange *));
			memcpy(before, t.cookies, t.n_buckets * sizeof(struct exchange *));
		} else {
			for (size_t i = 0; i < t.n_buckets; i++)
				unmoved += before[i] == t.cookies[i] && before[i] != NULL;
			ck_assert_uint_lt(unmoved, t.n_buckets / 16);
		}
		table_free(&t);
	}
	free(before);
}
END_TEST

START_TEST(table_finds_all_while_it_grows)
{
	static struct exchange x[MANY], child[MANY];
	static const uint8_t key[16] = { 9 };
	struct endpoint other;
	struct table t;

	table_init(&t, key);
	for (unsigned i = 0; i < MANY; i++) {
		x[i] = (struct exchange){ .serial = i + 1,
					  .role = i % 2 == 0 ? ROLE_INITIATOR : ROLE_RESPONDER,
					  .remote = { .addr = { .len = 4, .b = { 10 } }, .port = 500 } };
		number(x[i].cookies, i + 1);
		number(x[i].cookies + COOKIE_SIZE, i % 3 == 0 ? 0 : i);
		child[i] = (struct exchange){ .serial = MANY + i + 1, .parent = &x[i],
					      .msgid = 77 };	/* each under another parent */
		table_add(&t, &x[i]);
		table_add(&t, &child[i]);
	}
	ck_assert_uint_eq(t.n, 2 * MANY);
	ck_assert_uint_ge(t.n_buckets, MANY);
	for (unsigned i = 0; i < MANY; i++) {
		ck_assert_ptr_eq(table_by_cookies(&t, x[i].cookies), &x[i]);
		ck_assert_ptr_eq(table_by_serial(&t, MANY + i + 1), &child[i]);
		ck_assert_ptr_eq(table_by_msgid(&t, &x[i], 77), &child[i]);
		ck_assert_ptr_null(table_by_msgid(&t, &x[i], 78));
		ck_assert_ptr_eq(table_by_icookie(&t, x[i].cookies, &x[i].remote), i % 2 == 0 ? NULL : &x[i]);
		other = x[i].remote;
		other.port = 501;
		ck_assert_ptr_null(table_by_icookie(&t, x[i].cookies, &other));
	}
	for (unsigned i = 0; i < MANY; i += 2) {
		table_remove(&t, &x[i]);
		table_remove(&t, &child[i]);
	}
	for (unsigned i = 0; i < MANY; i++) {
		ck_assert_ptr_eq(table_by_cookies(&t, x[i].cookies), i % 2 == 0 ? NULL : &x[i]);
		ck_assert_ptr_eq(table_by_msgid(&t, &x[i], 77), i % 2 == 0 ? NULL : &child[i]);
		ck_assert_ptr_eq(table_by_serial(&t, i + 1), i % 2 == 0 ? NULL : &x[i]);
	}
	table_free(&t);
}
END_TEST

/* ---- message IDs ------------------------------------------------------------ */

START_TEST(msgids_are_used_once)
{
	struct msgid_set *s = NULL;

	for (uint32_t i = 1; i <= LIMIT_MSGIDS; i++)
		ck_assert_int_eq(msgids_add(&s, i * 2654435761u), MSGID_FRESH);
	for (uint32_t i = 1; i <= LIMIT_MSGIDS; i++)
		ck_assert_int_eq(msgids_add(&s, i * 2654435761u), MSGID_USED);
	ck_assert_int_eq(msgids_add(&s, 5), MSGID_FULL);
	msgids_free(s);
	msgids_free(NULL);
}
END_TEST

/* ---- values ------------------------------------------------------------------- */

START_TEST(values_are_copied_and_replaced)
{
	struct values v = { 0 };
	struct span s;

	ck_assert_ptr_null(values_get(&v, KEY_NI_B).p);
	values_set(&v, KEY_NI_B, span_str("nonce"));
	values_set(&v, KEY_NR_B, span_str("another"));
	s = values_get(&v, KEY_NI_B);
	values_set(&v, KEY_NI_B, span_sub(s, 0, 3));	/* out of itself */
	assert_span(values_get(&v, KEY_NI_B), span_str("non"));
	assert_span(values_get(&v, KEY_NR_B), span_str("another"));
	values_set(&v, KEY_SKEYID_D, span_str("kept"));
	ck_assert(key_values[KEY_SKEYID_D].retain && !key_values[KEY_NI_B].retain);
	values_retain(&v);
	ck_assert_ptr_null(values_get(&v, KEY_NI_B).p);
	assert_span(values_get(&v, KEY_SKEYID_D), span_str("kept"));
	values_set(&v, KEY_NI_B, span_of(NULL, 0));	/* empty is not absent */
	ck_assert_ptr_nonnull(values_get(&v, KEY_NI_B).p);
	values_free(&v);
}
END_TEST

START_TEST(values_that_are_tried_can_be_undone)
{
	struct values v = { 0 };

	values_set(&v, KEY_NI_B, span_str("settled"));
	values_try(&v);
	values_set(&v, KEY_NI_B, span_str("forged"));
	values_set(&v, KEY_NR_B, span_str("forged, too"));
	assert_span(values_get(&v, KEY_NI_B), span_str("forged"));
	values_undo(&v);
	assert_span(values_get(&v, KEY_NI_B), span_str("settled"));
	ck_assert_ptr_null(values_get(&v, KEY_NR_B).p);

	values_try(&v);
	values_set(&v, KEY_NI_B, span_str("better"));
	values_set(&v, KEY_NI_B, span_str("better still"));
	values_set(&v, KEY_NR_B, span_str("new"));
	values_keep(&v);
	assert_span(values_get(&v, KEY_NI_B), span_str("better still"));
	values_try(&v);
	values_undo(&v);		/* nothing is left to undo */
	assert_span(values_get(&v, KEY_NI_B), span_str("better still"));
	assert_span(values_get(&v, KEY_NR_B), span_str("new"));
	values_set(&v, KEY_NR_B, span_str("replaced"));
	values_try(&v);
	values_undo(&v);
	assert_span(values_get(&v, KEY_NR_B), span_str("replaced"));
	values_free(&v);
}
END_TEST

/* ---- the formulas of the spec against published keys ----------------------------- */

static enum alg hash_of(const json_t *o)
{
	static const struct { const char *name; enum alg alg; } hashes[] = {
		{ "sha1", ALG_SHA1 }, { "sha256", ALG_SHA2_256 }, { "sha384", ALG_SHA2_384 },
		{ "sha512", ALG_SHA2_512 },
	};

	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
		if (is_text(o, "hash", hashes[i].name))
			return hashes[i].alg;
	return ALG_NONE;
}

static void check_formulas(const json_t *o, enum alg hash)
{
	struct exchange x = { .machine = &machine_main, .agreed = { .hash = hash, .variants = 1u << VARIANT_PSK } };
	struct key_context c = { .arena = arena_new() };

	memcpy(x.cookies, member(o, "cky_i").p, COOKIE_SIZE);
	memcpy(x.cookies + COOKIE_SIZE, member(o, "cky_r").p, COOKIE_SIZE);
	values_set(&x.values, KEY_PRESHARED_KEY, member(o, "psk"));
	ck_assert_ptr_null(keys_value(&x, &c, KEY_SKEYID, 0).p);	/* the nonces are missing */
	values_set(&x.values, KEY_NI_B, member(o, "ni"));
	values_set(&x.values, KEY_NR_B, member(o, "nr"));
	ck_assert_ptr_null(keys_value(&x, &c, KEY_SKEYID_E, 0).p);
	/* where the vector was made with a value of the group's size, that one */
	values_set(&x.values, KEY_G_XY, member(o, json_object_get(o, "gxy_effective") != NULL ? "gxy_effective" : "gxy"));
	assert_span(keys_value(&x, &c, KEY_SKEYID_E, 0), member(o, "skeyid_e"));
	assert_span(keys_value(&x, &c, KEY_SKEYID, 0), member(o, "skeyid"));
	assert_span(keys_value(&x, &c, KEY_SKEYID_D, 0), member(o, "skeyid_d"));
	assert_span(keys_value(&x, &c, KEY_SKEYID_A, 0), member(o, "skeyid_a"));
	values_free(&x.values);
	arena_free(c.arena);
}

START_TEST(formulas_give_the_published_keys)
{
	const json_t *all = vectors("ikev1_skeyid_psk.json");
	size_t i, checked = 0;
	const json_t *o;

	json_array_foreach(all, i, o) {
		enum alg hash = hash_of(o);

		if (hash == ALG_NONE) {		/* not one of IKEv1's */
			ck_assert(is_text(o, "hash", "sha224"));
			continue;
		}
		check_formulas(o, hash);
		checked++;
	}
	ck_assert_uint_eq(checked, 5);
}
END_TEST

/* What depends on the message is computed anew for each, what does not is kept. */
START_TEST(hashes_of_messages_are_not_kept)
{
	struct exchange root = { .machine = &machine_main,
				 .agreed = { .hash = ALG_SHA2_256, .variants = 1u << VARIANT_PSK } };
	struct exchange x = { .machine = &machine_quick, .parent = &root, .msgid = 1 };
	struct key_context c = { .arena = arena_new(), .rest = span_str("one") };
	struct span one, two;

	values_set(&root.values, KEY_SKEYID_A, span_str("a key of the phase above"));
	one = keys_value(&x, &c, KEY_HASH_1, 0);
	c.rest = span_str("two");
	two = keys_value(&x, &c, KEY_HASH_1, 0);
	ck_assert_uint_eq(one.n, 32);
	ck_assert(!span_eq(one, two));
	x.msgid = 2;
	ck_assert(!span_eq(two, keys_value(&x, &c, KEY_HASH_1, 0)));
	ck_assert_ptr_null(values_get(&x.values, KEY_HASH_1).p);
	values_free(&x.values);
	values_free(&root.values);
	arena_free(c.arena);
}
END_TEST

/* ---- datagrams ----------------------------------------------------------------------- */

static struct trial trial;

/* West, which answers what east has begun; both are listening, everything that passes is on the tape. */
static void begin(struct tape *tape)
{
	trial_begin(&trial, "unit", 1, false);
	trial_describe(&trial);
	tape_start(&trial, tape);
	node_initiate(trial.a, "net");
}

static void end(struct tape *tape)
{
	world_middle(trial.w, &(struct man_in_the_middle){ 0 });
	trial_end(&trial);
	ck_assert(!trial.failed);
	tape_free(tape);
}

static void repeat(const struct tape *tape, size_t i)
{
	world_inject(trial.w, tape->at[i].to, &tape->at[i].from, span_buf(tape->at[i].bytes));
	world_run(trial.w, 0);
}

START_TEST(duplicates_get_the_same_answer_for_a_while)
{
	struct tape tape;

	begin(&tape);
	trial.a->deaf = true;
	while (trial.b->sent < 1)
		world_step(trial.w, 1);
	ck_assert_uint_eq(trial.b->sent, 1);
	for (unsigned i = 0; i < LIMIT_RESENDS + 5; i++)
		repeat(&tape, 0);
	ck_assert_uint_eq(trial.b->sent, 1 + LIMIT_RESENDS);
	ck_assert_uint_eq(engine_count(trial.b->ike->engine), 1);
	end(&tape);
}
END_TEST

START_TEST(duplicates_are_answered_alike)
{
	struct tape tape;

	begin(&tape);
	while (trial.b->sent < 1)
		world_step(trial.w, 1);
	size_t answer = tape.n - 1, before = tape.n;

	repeat(&tape, 0);
	ck_assert_uint_eq(tape.n, before + 1);
	assert_span(span_buf(tape.at[before].bytes), span_buf(tape.at[answer].bytes));
	world_run(trial.w, 10000);
	ck_assert_uint_eq(trial.a->last_status, WHACK_STATUS_SUCCESS);
	end(&tape);
}
END_TEST

static struct exchange *parked(struct node *n)
{
	struct exchange *x = engine_first(n->ike->engine);

	return x != NULL && x->parked != NULL ? x : NULL;
}

/* While Diffie-Hellman runs, copies of the message are dropped, changed ones too, and nothing is lost. */
START_TEST(parked_exchange_ignores_others)
{
	struct tape tape;
	struct buf changed;
	size_t sent;

	begin(&tape);
	while (parked(trial.b) == NULL)
		ck_assert(world_step(trial.w, 1));
	const struct recorded *r = &tape.at[tape.n - 1];
	uint64_t serial = parked(trial.b)->serial;

	sent = trial.b->sent;
	changed = buf_copy(span_buf(r->bytes));
	changed.p[changed.n - 1] ^= 1;		/* of the nonce */
	world_inject(trial.w, r->to, &r->from, span_buf(changed));
	world_inject(trial.w, r->to, &r->from, span_buf(r->bytes));
	world_run(trial.w, 0);
	ck_assert_ptr_nonnull(parked(trial.b));
	ck_assert_uint_eq(parked(trial.b)->serial, serial);
	ck_assert_uint_eq(trial.b->sent, sent);
	ck_assert_uint_eq(engine_count(trial.b->ike->engine), 1);
	buf_free(&changed);
	world_run(trial.w, 3000);		/* before anything is sent again */
	ck_assert_uint_eq(trial.a->last_status, WHACK_STATUS_SUCCESS);
	end(&tape);
}
END_TEST

/* The same cookies from elsewhere, or for another exchange, harm nothing. */
START_TEST(others_cannot_interfere)
{
	struct tape tape;
	struct endpoint elsewhere;
	struct buf other;

	begin(&tape);
	while (trial.b->sent < 1)
		world_step(trial.w, 1);
	elsewhere = tape.at[0].from;
	elsewhere.port = 4711;
	other = buf_copy(span_buf(tape.at[1].bytes));
	other.p[HEADER_OFFSET_XCHG] = EXCHANGE_TYPE_QUICK;
	world_inject(trial.w, trial.a, &elsewhere, span_buf(tape.at[1].bytes));
	world_inject(trial.w, trial.a, &tape.at[1].from, span_buf(other));
	world_run(trial.w, 0);
	other.p[HEADER_OFFSET_XCHG] = EXCHANGE_TYPE_INFORMATIONAL;
	other.p[HEADER_OFFSET_FLAGS] = HEADER_FLAGS_ENCRYPTION;
	world_inject(trial.w, trial.a, &tape.at[1].from, span_buf(other));
	world_run(trial.w, 3000);
	ck_assert_uint_eq(trial.a->last_status, WHACK_STATUS_SUCCESS);
	ck_assert(node_said(trial.a, "peer_address"));
	buf_free(&other);
	end(&tape);
}
END_TEST

static bool add_forgery(void *ctx, struct node *to, const struct endpoint *from, struct buf *d)
{
	unsigned *seen = ctx;
	struct buf forged;

	if (to != trial.a || ++*seen != 2)
		return true;
	forged = buf_copy(span_buf(*d));	/* MR2: its KE comes first */
	memset(forged.p + HEADER_SIZE + GENERIC_SIZE, 0, dh_public_size(ALG_CURVE25519));
	world_inject(trial.w, to, from, span_buf(forged));
	buf_free(&forged);
	return false;
}

/* A forged answer comes in place of the genuine one.  It is refused only after Diffie-Hellman was tried;
 * then our message is sent again in its time, and the genuine answer comes again. */
START_TEST(forged_answer_does_not_end_it)
{
	unsigned seen = 0;

	trial_begin(&trial, "unit", 1, false);
	trial_describe(&trial);
	world_middle(trial.w, &(struct man_in_the_middle){ .ctx = &seen, .pass = add_forgery });
	node_initiate(trial.a, "net");
	world_run(trial.w, 12000);
	ck_assert(node_said(trial.a, "dh_failed"));
	ck_assert_uint_eq(trial.a->last_status, WHACK_STATUS_SUCCESS);
	trial_end(&trial);
	ck_assert(!trial.failed);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("engine");
	TCase *parts = tcase_create("parts"), *keys = tcase_create("keys"), *io = tcase_create("datagrams");

	vectors_start();
	tcase_add_test(parts, timers_fire_in_order);
	tcase_add_test(parts, timer_armed_in_the_past);
	tcase_add_test(parts, table_places_depend_on_the_key);
	tcase_add_test(parts, table_finds_all_while_it_grows);
	tcase_add_test(parts, msgids_are_used_once);
	tcase_add_test(parts, values_are_copied_and_replaced);
	tcase_add_test(parts, values_that_are_tried_can_be_undone);
	tcase_add_test(keys, formulas_give_the_published_keys);
	tcase_add_test(keys, hashes_of_messages_are_not_kept);
	tcase_add_test(io, duplicates_get_the_same_answer_for_a_while);
	tcase_add_test(io, duplicates_are_answered_alike);
	tcase_add_test(io, parked_exchange_ignores_others);
	tcase_add_test(io, others_cannot_interfere);
	tcase_add_test(io, forged_answer_does_not_end_it);
	suite_add_tcase(s, parts);
	suite_add_tcase(s, keys);
	suite_add_tcase(s, io);
	return run_suite(s);
}
