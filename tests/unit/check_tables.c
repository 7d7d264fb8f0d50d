/* check_tables.c -- do the tables of machines, keys and suites agree with themselves and with the RFCs? */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/attribute.h"
#include "base/text.h"
#include "generated/actions.h"
#include "generated/algorithms.h"
#include "generated/keys.h"
#include "generated/machines.h"
#include "generated/names.h"
#include "generated/payloads.h"
#include "generated/suites.h"
#include "suite.h"

/* ---- actions: only who was called, and with which slots ------------------ */

static const char *called;
static const void *got_in, *got_out;

#define ACTION(fn_, I, O) \
	enum action_result fn_(struct action *a, const struct in_##I *in, struct out_##O *out) \
	{ (void)a; called = #fn_; got_in = in->message; got_out = out; return ACTION_OK; }
#define ACTION_START(fn_, O) \
	enum action_result fn_(struct action *a, struct out_##O *out) \
	{ (void)a; called = #fn_; got_in = NULL; got_out = out; return ACTION_OK; }
#define ACTION_END(fn_, I) \
	enum action_result fn_(struct action *a, const struct in_##I *in) \
	{ (void)a; called = #fn_; got_in = in->message; got_out = NULL; return ACTION_OK; }

ACTION_START(aggressive_outI1, AI1)
ACTION(aggressive_inI1_outR1, AI1, AR1)
ACTION_END(aggressive_keysR1, AR1)
ACTION(aggressive_inR1_outI2, AR1, AI2)
ACTION_END(aggressive_inI2, AI2)
ACTION_START(main_outI1, MI1)
ACTION(main_inI1_outR1, MI1, MR1)
ACTION(main_inR1_outI2, MR1, MI2)
ACTION(main_inI2_outR2, MI2, MR2)
ACTION(main_inR2_outI3, MR2, MI3)
ACTION(main_inI3_outR3, MI3, MR3)
ACTION_END(main_inR3, MR3)
ACTION_START(quick_outI1, QI1)
ACTION(quick_inI1_outR1, QI1, QR1)
ACTION(quick_inR1_outI2, QR1, QI2)
ACTION_END(quick_inI2, QI2)
ACTION_START(transaction_outQ, TQ)
ACTION(transaction_inQ_outA, TQ, TA)
ACTION_END(transaction_inA, TA)
ACTION_END(info_clear, NFY)
ACTION_END(info_protected, INF)

/* ---- machines ----------------------------------------------------------- */

static bool has_state(const struct machine_desc *m, const struct state_desc *s)
{
	return s >= m->states && s < m->states + m->n_states;
}

static void assert_row(const struct row *row)
{
	static const struct message empty;
	static uint64_t out[64];

	ck_assert_ptr_nonnull(row->action_name);
	ck_assert_ptr_nonnull(row->run);
	ck_assert_uint_gt(row->line, 0);
	ck_assert_ptr_nonnull(strstr(row->file, ".spec"));
	if (row->send != NULL)
		ck_assert_uint_le(row->send->out_size, sizeof(out));
	called = NULL;
	ck_assert_int_eq(row->run(NULL, row->recv == NULL ? NULL : &empty, row->send == NULL ? NULL : out),
			 ACTION_OK);
	ck_assert_str_eq(called, row->action_name);
	ck_assert_ptr_eq(got_in, row->recv == NULL ? NULL : &empty);
	ck_assert_ptr_eq(got_out, row->send == NULL ? NULL : (const void *)out);
}

/* What a row of a machine must hold beside that: its place among the states, and that what it
 * sends comes again when it is lost. */
static void assert_transition(const struct machine_desc *m, const struct row *row, enum role role)
{
	assert_row(row);
	ck_assert(has_state(m, row->next));
	ck_assert_int_eq(row->next->role, role);
	ck_assert_uint_eq(row->variants & ~m->variants, 0);
	if (row->send != NULL)
		ck_assert_msg(row->timer == TIMER_RETRANSMIT || row->next->resend,
			      "%s: if %s is lost nobody sends it again", row->action_name, row->send->name);
	else
		ck_assert_int_ne(row->timer, TIMER_RETRANSMIT);
	if (row->next->final)
		ck_assert_int_eq(row->timer, row->next->over ? TIMER_LINGER : TIMER_REPLACE);
}

START_TEST(machines_hold_together)
{
	const struct machine_desc *m = machines[_i];
	unsigned starts = 0;

	ck_assert_ptr_eq(machine_by_exchange(m->exchange_type), m);
	ck_assert_uint_eq(m->id, (unsigned)_i + 1);
	ck_assert_uint_eq(key_values[m->iv].source, VALUE_FORMULA);
	ck_assert_uint_eq(key_values[m->cipher_key].source, VALUE_FORMULA);
	ck_assert(key_values[m->cipher_key].retain);
	ck_assert_ptr_nonnull(m->initiate);
	assert_transition(m, m->initiate, ROLE_INITIATOR);
	ck_assert(has_state(m, m->start));
	ck_assert(m->start->start && m->start->role == ROLE_RESPONDER);
	for (unsigned i = 0; i < m->n_states; i++) {
		const struct state_desc *s = &m->states[i];

		ck_assert_ptr_eq(s->machine, m);
		starts += s->start;
		ck_assert_msg(s->final || s->n_rows > 0, "%s leads nowhere", s->name);
		for (unsigned k = 0; k < s->n_rows; k++)
			assert_transition(m, &s->rows[k], s->role);
	}
	ck_assert_uint_eq(starts, 1);
}
END_TEST

START_TEST(states_have_numbers_of_their_own)
{
	bool seen[100] = { false };	/* whack's numbers from 200 on are something else */

	for (size_t i = 0; i < n_machines; i++)
		for (unsigned k = 0; k < machines[i]->n_states; k++) {
			uint16_t id = machines[i]->states[k].id;

			ck_assert(id > STATE_NONE && id < 100 && !seen[id]);
			seen[id] = true;
		}
	/* What scripts read does not shift when states are added. */
	ck_assert_uint_eq(STATE_MAIN_R0, 1);
	ck_assert_uint_eq(STATE_MAIN_I1, 2);
	ck_assert_uint_eq(STATE_MAIN_I4, 8);
	ck_assert_uint_eq(STATE_QUICK_I1, 10);
	ck_assert_uint_eq(STATE_QUICK_R2, 13);
}
END_TEST

static const struct row *row_for(const struct state_desc *s, const struct message_desc *d, uint32_t variant)
{
	const struct row *found = NULL;

	for (unsigned i = 0; i < s->n_rows; i++) {
		if (s->rows[i].recv != d || (s->rows[i].variants != 0 && !(s->rows[i].variants & variant)))
			continue;
		ck_assert_msg(found == NULL, "two rows of %s take %s", s->name, d->name);
		found = &s->rows[i];
	}
	return found;
}

/* Both ends, message by message, until nobody has an answer: both are established then. */
static const char *play(const struct machine_desc *m, uint32_t variant)
{
	static char story[256];
	struct text t = text_on(story, sizeof(story));
	const struct state_desc *at[2] = { m->initiate->next, m->start };
	const struct message_desc *d = m->initiate->send;

	for (unsigned turn = 1; d != NULL; turn ^= 1) {
		const struct row *row = row_for(at[turn], d, variant);

		ck_assert_msg(row != NULL, "%s: %s cannot take %s", story, at[turn]->name, d->name);
		text_add(&t, "%s ", d->name);
		at[turn] = row->next;
		d = row->send;
	}
	ck_assert(at[0]->final && at[1]->final);
	return story;
}

START_TEST(both_ends_come_to_their_end)
{
	for (size_t i = 0; i < n_machines; i++)
		for (uint32_t v = 1; v != 0; v <<= 1)
			if ((machines[i]->variants & v) != 0)
				play(machines[i], v);
	ck_assert_str_eq(play(&machine_main, 1u << VARIANT_PSK), "MI1 MR1 MI2 MR2 MI3 MR3 ");
	ck_assert_str_eq(play(&machine_quick, 1u << VARIANT_PFS), "QI1 QR1 QI2 ");
}
END_TEST

/* An address that has proved nothing gets one answer to one question. */
START_TEST(nothing_is_repeated_to_a_stranger)
{
	const struct row *first = &machine_main.start->rows[0];

	ck_assert_int_eq(first->timer, TIMER_LARVAL);
	ck_assert(first->next->resend);
	ck_assert(!first->next->final);
}
END_TEST

START_TEST(oneways_hold_together)
{
	ck_assert_uint_eq(n_oneways, 1);
	for (size_t i = 0; i < n_oneways; i++) {
		const struct oneway_desc *o = oneways[i];

		ck_assert_ptr_eq(oneway_by_exchange(o->exchange_type), o);
		ck_assert_ptr_null(machine_by_exchange(o->exchange_type));
		for (unsigned k = 0; k < o->n_rows; k++) {
			assert_row(&o->rows[k]);
			ck_assert_ptr_nonnull(o->rows[k].recv);
			ck_assert_ptr_null(o->rows[k].send);
		}
	}
	ck_assert_uint_eq(oneway_informational.n_rows, 2);
}
END_TEST

START_TEST(exchange_types_without_a_machine)
{
	unsigned known = 0;

	for (unsigned i = 0; i < 256; i++) {
		known += machine_by_exchange((uint8_t)i) != NULL;
		known += oneway_by_exchange((uint8_t)i) != NULL;
	}
	ck_assert_uint_eq(known, n_machines + n_oneways);
	ck_assert_ptr_eq(machine_by_exchange(2), &machine_main);
	ck_assert_ptr_eq(machine_by_exchange(32), &machine_quick);
	ck_assert_ptr_eq(oneway_by_exchange(5), &oneway_informational);
}
END_TEST

START_TEST(what_a_method_stands_for)
{
	enum variant v = VARIANT_COUNT;

	ck_assert(auth_variant(AUTH_METHOD_PRESHARED_KEY, &v) && v == VARIANT_PSK);
	ck_assert(auth_variant(AUTH_METHOD_RSA_SIG, &v) && v == VARIANT_SIG);
	ck_assert(auth_variant(AUTH_METHOD_XAUTH_INIT_PRESHARED_KEY, &v) && v == VARIANT_PSK);
	ck_assert(auth_variant(AUTH_METHOD_XAUTH_INIT_RSA, &v) && v == VARIANT_SIG);
	ck_assert(!auth_variant(AUTH_METHOD_RSA_ENC, &v));
	ck_assert(auth_variant(AUTH_METHOD_XAUTH_RESP_PRESHARED_KEY, &v) && v == VARIANT_PSK);
	ck_assert(auth_variant(AUTH_METHOD_XAUTH_RESP_RSA, &v) && v == VARIANT_SIG);
	ck_assert(!auth_variant(AUTH_METHOD_XAUTH_RESP_RSA_ENC, &v));
	ck_assert_uint_eq(auth_value(VARIANT_PSK), 1);
	ck_assert_uint_eq(auth_value(VARIANT_SIG), 3);
	ck_assert_uint_eq(auth_value(VARIANT_PFS), 0);
	ck_assert_str_eq(variant_name(VARIANT_NOPFS), "nopfs");
}
END_TEST

/* ---- keys --------------------------------------------------------------- */

/* A formula as the table has it, in the notation of the spec. */
static const char *formula_text(const struct key_formula *f, char dst[200])
{
	static const char *const names[] = {
		[KEY_PRF] = "prf", [KEY_PRF_PLUS] = "prf_plus", [KEY_STRETCH] = "stretch",
		[KEY_HASH] = "hash", [KEY_SIGN] = "sign", [KEY_CONCAT] = "",
	};
	struct text t = text_on(dst, 200);

	if (f->fn != KEY_CONCAT)
		text_add(&t, "%s(", names[f->fn]);
	if (f->key != KEY_NONE) {
		const struct key_formula *key = key_formula(f->key, 0);

		text_add(&t, "%s", key != NULL && key->fn == KEY_CONCAT ? key->text
								       : key_values[f->key].name);
	}
	for (unsigned i = 0; i < f->n_terms; i++) {
		text_add(&t, "%s", i > 0 ? " | " : f->key != KEY_NONE ? ", " : "");
		if (f->terms[i].value == KEY_NONE)
			text_add(&t, "0x%02x", f->terms[i].literal);
		else
			text_add(&t, "%s", key_values[f->terms[i].value].name);
	}
	if (f->fn != KEY_CONCAT)
		text_add(&t, ")");
	return dst;
}

/* RFC 2409 5 and 5.5 and appendix B, g^xi written as KEi_b. */
static const struct {
	enum key_value v;
	enum variant variant;
	const char *text;
} rfc2409[] = {
	{ KEY_SKEYID, VARIANT_PSK, "prf(preshared_key, Ni_b | Nr_b)" },
	{ KEY_SKEYID, VARIANT_SIG, "prf(Ni_b | Nr_b, g_xy)" },
	{ KEY_SKEYID_D, VARIANT_PSK, "prf(SKEYID, g_xy | CKY_I | CKY_R | 0x00)" },
	{ KEY_SKEYID_A, VARIANT_PSK, "prf(SKEYID, SKEYID_d | g_xy | CKY_I | CKY_R | 0x01)" },
	{ KEY_SKEYID_E, VARIANT_PSK, "prf(SKEYID, SKEYID_a | g_xy | CKY_I | CKY_R | 0x02)" },
	{ KEY_HASH_I, VARIANT_PSK, "prf(SKEYID, KEi_b | KEr_b | CKY_I | CKY_R | SAi_b | IDii_b)" },
	{ KEY_HASH_R, VARIANT_PSK, "prf(SKEYID, KEr_b | KEi_b | CKY_R | CKY_I | SAi_b | IDir_b)" },
	{ KEY_SIG_I, VARIANT_SIG, "sign(HASH_I)" },
	{ KEY_SIG_R, VARIANT_SIG, "sign(HASH_R)" },
	{ KEY_HASH_1, VARIANT_NOPFS, "prf(SKEYID_a, M_ID | rest)" },
	{ KEY_HASH_2, VARIANT_NOPFS, "prf(SKEYID_a, M_ID | Ni_b | rest)" },
	{ KEY_HASH_3, VARIANT_NOPFS, "prf(SKEYID_a, 0x00 | M_ID | Ni_b | Nr_b)" },
	{ KEY_KEYMAT, VARIANT_NOPFS, "prf_plus(SKEYID_d, protocol | SPI | Ni_b | Nr_b)" },
	{ KEY_KEYMAT, VARIANT_PFS, "prf_plus(SKEYID_d, g_qm_xy | protocol | SPI | Ni_b | Nr_b)" },
	{ KEY_IV_1, VARIANT_PSK, "hash(KEi_b | KEr_b)" },
	{ KEY_IV_2, VARIANT_NOPFS, "hash(last_block | M_ID)" },
	{ KEY_CIPHER_KEY, VARIANT_PSK, "stretch(SKEYID_e)" },
};

START_TEST(formulas_are_those_of_rfc2409)
{
	const struct key_formula *f = key_formula(rfc2409[_i].v, 1u << rfc2409[_i].variant);
	char text[200];

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(f->result, rfc2409[_i].v);
	ck_assert_str_eq(formula_text(f, text), rfc2409[_i].text);
	ck_assert_str_eq(f->text, rfc2409[_i].text);
}
END_TEST

START_TEST(formulas_are_found)
{
	for (size_t i = 0; i < n_key_formulas; i++) {
		const struct key_formula *f = &key_formulas[i];
		uint32_t variants = f->variants;

		ck_assert_int_eq(key_values[f->result].source, VALUE_FORMULA);
		ck_assert_ptr_eq(key_formula(f->result, variants), f);
		for (unsigned k = 0; k < f->n_terms; k++)
			ck_assert_uint_lt(f->terms[k].value, KEY_VALUE_COUNT);
	}
	ck_assert_ptr_null(key_formula(KEY_SKEYID, 0));
	ck_assert_ptr_null(key_formula(KEY_SKEYID, 1u << VARIANT_PFS));
	ck_assert_ptr_null(key_formula(KEY_NONE, ~0u));
	ck_assert_ptr_null(key_formula(KEY_G_XY, ~0u));
	ck_assert_ptr_null(key_formula(KEY_NI_B, ~0u));
	ck_assert_ptr_null(key_formula(KEY_VALUE_COUNT, ~0u));
}
END_TEST

/* Longest chain of formulas below v; a circle would have no end. */
static unsigned depth_of(enum key_value v, uint32_t variants, unsigned depth)
{
	const struct key_formula *f = key_formula(v, variants);
	unsigned most = 0;

	ck_assert_uint_lt(depth, KEY_VALUE_COUNT);
	if (f == NULL) {
		ck_assert_int_ne(key_values[v].source, VALUE_FORMULA);
		return 0;
	}
	if (f->key != KEY_NONE)
		most = depth_of(f->key, variants, depth + 1);
	for (unsigned i = 0; i < f->n_terms; i++) {
		uint16_t term = f->terms[i].value;
		unsigned d = term == KEY_NONE ? 0 : depth_of(term, variants, depth + 1);

		most = d > most ? d : most;
	}
	return most + 1;
}

START_TEST(no_value_needs_itself)
{
	for (int v = 1; v < KEY_VALUE_COUNT; v++) {
		depth_of((enum key_value)v, 1u << VARIANT_PSK | 1u << VARIANT_NOPFS, 0);
		depth_of((enum key_value)v, 1u << VARIANT_SIG | 1u << VARIANT_PFS, 0);
		ck_assert_ptr_nonnull(key_values[v].name);
	}
	ck_assert_uint_eq(depth_of(KEY_CIPHER_KEY, 1u << VARIANT_PSK, 0), 5);
}
END_TEST

START_TEST(secrets_are_marked)
{
	static const enum key_value secret[] = {
		KEY_PRESHARED_KEY, KEY_G_XY, KEY_G_QM_XY, KEY_SKEYID, KEY_SKEYID_D, KEY_SKEYID_A,
		KEY_SKEYID_E, KEY_CIPHER_KEY, KEY_KEYMAT,
	};
	static const enum key_value kept[] = { KEY_SKEYID_D, KEY_SKEYID_A, KEY_CIPHER_KEY };
	unsigned n_kept = 0;

	for (size_t i = 0; i < sizeof(secret) / sizeof(secret[0]); i++)
		ck_assert_msg(key_values[secret[i]].secret, "%s", key_values[secret[i]].name);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		ck_assert(key_values[kept[i]].retain);
	for (int v = 1; v < KEY_VALUE_COUNT; v++)
		n_kept += key_values[v].retain;
	ck_assert_uint_eq(n_kept, sizeof(kept) / sizeof(kept[0]));
}
END_TEST

/* ---- messages ------------------------------------------------------------ */

static void assert_message(const struct message_desc *d)
{
	ck_assert_uint_gt(d->n_shapes, 0);
	ck_assert_uint_lt(d->n_slots, SLOT_NONE);
	for (unsigned i = 0; i < d->n_slots; i++) {
		const struct slot_desc *s = &d->slots[i];
		char body[64];

		snprintf(body, sizeof(body), "%s_b", s->name);
		if (s->capture != KEY_NONE)
			ck_assert_str_eq(key_values[s->capture].name, body);
		if (s->hash != KEY_NONE && !s->signature)
			ck_assert_str_eq(key_values[s->hash].name, s->name);
		for (int v = 1; v < KEY_VALUE_COUNT; v++)
			if (strcmp(key_values[v].name, body) == 0)
				ck_assert(s->repeated || s->capture == v);
	}
	for (unsigned i = 0; i < d->n_shapes; i++) {
		const struct shape *s = &d->shapes[i];

		ck_assert(!s->accept[0]);
		for (unsigned e = 0; e < (unsigned)s->n_states * s->n_classes; e++) {
			ck_assert_uint_lt(s->next[e], s->n_states);
			ck_assert((s->next[e] == 0) == (s->slot[e] == SLOT_NONE));
			ck_assert(s->slot[e] >= SLOT_NONE || s->slot[e] < d->n_slots);
			ck_assert(s->slot[e] >= SLOT_NONE ||
				  d->slots[s->slot[e]].payload == s->classes[e % s->n_classes]);
		}
		for (unsigned c = 0; c < s->n_classes; c++)
			ck_assert_uint_eq(s->next[c], 0);
	}
}

START_TEST(messages_hold_together)
{
	for (size_t i = 0; i < n_machines; i++) {
		assert_message(machines[i]->initiate->send);
		for (unsigned k = 0; k < machines[i]->n_states; k++)
			for (unsigned r = 0; r < machines[i]->states[k].n_rows; r++)
				assert_message(machines[i]->states[k].rows[r].recv);
	}
	for (unsigned r = 0; r < oneway_informational.n_rows; r++)
		assert_message(oneway_informational.rows[r].recv);
}
END_TEST

/* ---- suites ------------------------------------------------------------- */

/* The algorithm behind a transform or a cell; NULL when the number names none. */
static const struct alg_desc *alg_of(const struct registry *r, uint32_t value)
{
	const struct registry_entry *e = r == NULL ? NULL : registry_find(r, value);

	return e == NULL || e->alg == ALG_NONE ? NULL : &alg_table[e->alg];
}

/* Every cell is an attribute of the protocol, with a value that has a name and an algorithm; the
 * key length is one that the cipher has. */
static void assert_suite_row(const struct suite *s, const struct suite_row *row)
{
	const struct alg_desc *cipher = alg_of(registry_transform_id(s->protocol), row->transform);
	uint32_t key_length = 0;

	ck_assert_ptr_nonnull(registry_find(registry_transform_id(s->protocol), row->transform));
	for (unsigned i = 0; i < row->n; i++) {
		const struct attribute_desc *d = attribute_desc(s->protocol, row->cells[i].attribute);
		const struct alg_desc *alg;

		ck_assert_ptr_nonnull(d);
		if (d->registry == NULL) {
			key_length = row->cells[i].value;
			continue;
		}
		alg = alg_of(d->registry, row->cells[i].value);
		ck_assert_msg(alg != NULL, "%s: %s %u", s->name, d->name, row->cells[i].value);
		if (alg->kind == ALG_KIND_CIPHER)
			cipher = alg;
	}
	if (key_length != 0) {
		bool has = false;

		ck_assert_ptr_nonnull(cipher);
		for (unsigned i = 0; i < cipher->n_keys; i++)
			has = has || cipher->keys[i] * 8 == key_length;
		ck_assert(has);
	} else if (cipher != NULL && cipher->kind != ALG_KIND_MAC && cipher->kind != ALG_KIND_COMPRESSION) {
		ck_assert_uint_eq(cipher->n_keys, 1);
	}
}

static bool rows_eq(const struct suite_row *a, const struct suite_row *b)
{
	if (a->transform != b->transform || a->n != b->n)
		return false;
	for (unsigned i = 0; i < a->n; i++)
		if (a->cells[i].attribute != b->cells[i].attribute || a->cells[i].value != b->cells[i].value)
			return false;
	return true;
}

START_TEST(suites_hold_together)
{
	for (size_t i = 0; i < n_suites; i++) {
		const struct suite *s = suites[i];

		ck_assert_ptr_eq(suite_by_name(s->name), s);
		ck_assert_uint_gt(s->n, 0);
		ck_assert_uint_le(s->n, LIMIT_TRANSFORMS);
		for (unsigned k = 0; k < s->n; k++) {
			assert_suite_row(s, &s->rows[k]);
			for (unsigned j = 0; j < k; j++)
				ck_assert_msg(!rows_eq(&s->rows[j], &s->rows[k]), "%s: rows %u and %u",
					      s->name, j, k);
		}
	}
	ck_assert_ptr_null(suite_by_name("ike_"));
	ck_assert_ptr_null(suite_by_name(""));
}
END_TEST

START_TEST(defaults_are_of_today)
{
	static const struct suite *const modern[] = {
		&suite_ike_modern, &suite_esp_modern, &suite_ah_modern,
	};

	ck_assert_uint_le(suite_ike_modern.n, 12);
	for (size_t i = 0; i < 3; i++)
		for (unsigned k = 0; k < modern[i]->n; k++) {
			const struct suite_row *row = &modern[i]->rows[k];

			for (unsigned j = 0; j < row->n; j++) {
				const struct attribute_desc *d = attribute_desc(modern[i]->protocol,
										row->cells[j].attribute);
				const struct alg_desc *a = alg_of(d->registry, row->cells[j].value);

				if (a == NULL)
					continue;
				ck_assert(a != &alg_table[ALG_MD5] && a != &alg_table[ALG_SHA1]);
				ck_assert(a != &alg_table[ALG_3DES_CBC]);
				ck_assert(a->hash != ALG_MD5 && a->hash != ALG_SHA1);
				ck_assert(a->kind != ALG_KIND_MODP || a->bits >= 2048);
			}
		}
}
END_TEST

START_TEST(first_offers)
{
	const struct suite_row *ike = &suite_ike_modern.rows[0], *esp = &suite_esp_modern.rows[0];

	ck_assert_uint_eq(suite_ike_modern.protocol, PROTOCOL_ID_ISAKMP);
	ck_assert_uint_eq(ike->transform, 1);
	ck_assert_uint_eq(ike->n, 4);
	ck_assert_uint_eq(ike->cells[0].value, OAKLEY_ENCRYPTION_AES_CBC);
	ck_assert_uint_eq(ike->cells[1].attribute, OAKLEY_ATTRIBUTE_KEY_LENGTH);
	ck_assert_uint_eq(ike->cells[1].value, 256);
	ck_assert_uint_eq(ike->cells[2].value, OAKLEY_HASH_SHA2_256);
	ck_assert_uint_eq(ike->cells[3].value, OAKLEY_GROUP_MODP2048);
	ck_assert_uint_eq(esp->transform, ESP_TRANSFORM_AES_GCM_16);
	ck_assert_uint_eq(esp->n, 1);
	ck_assert_uint_eq(suite_ike_freeswan.n, 4);
	ck_assert_uint_eq(suite_ike_freeswan.rows[1].cells[1].value, OAKLEY_HASH_MD5);
	ck_assert_uint_eq(suite_ike_freeswan.rows[1].cells[2].value, OAKLEY_GROUP_MODP768);
	ck_assert_uint_eq(suite_esp_freeswan.n, 2);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("generated/tables");
	TCase *t = tcase_create("tables");

	suite_add_tcase(s, t);
	tcase_add_loop_test(t, machines_hold_together, 0, (int)n_machines);
	tcase_add_test(t, states_have_numbers_of_their_own);
	tcase_add_test(t, both_ends_come_to_their_end);
	tcase_add_test(t, nothing_is_repeated_to_a_stranger);
	tcase_add_test(t, oneways_hold_together);
	tcase_add_test(t, exchange_types_without_a_machine);
	tcase_add_test(t, what_a_method_stands_for);
	tcase_add_loop_test(t, formulas_are_those_of_rfc2409, 0, (int)(sizeof(rfc2409) / sizeof(rfc2409[0])));
	tcase_add_test(t, formulas_are_found);
	tcase_add_test(t, no_value_needs_itself);
	tcase_add_test(t, secrets_are_marked);
	tcase_add_test(t, messages_hold_together);
	tcase_add_test(t, suites_hold_together);
	tcase_add_test(t, defaults_are_of_today);
	tcase_add_test(t, first_offers);
	return run_suite(s);
}
