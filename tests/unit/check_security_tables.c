/* check_security_tables.c -- what the tables must never allow, whatever is added to the spec (docs/security-coverage.md). */
#include <check.h>
#include <stdlib.h>

#include "generated/keys.h"
#include "generated/machines.h"
#include "generated/messages.h"
#include "generated/names.h"
#include "suite.h"

/* ---- what is proved ------------------------------------------------------- */

/* Is there a message of this shape that lacks a payload which proves who wrote it? */
static bool unproved(const struct message_desc *d, const struct shape *s)
{
	bool reached[256] = { [1] = true };	/* state 1 is the start, 0 is dead */

	for (unsigned round = 0; round < s->n_states; round++)
		for (unsigned state = 1; state < s->n_states; state++)
			for (unsigned class_ = 0; reached[state] && class_ < s->n_classes; class_++) {
				unsigned at = state * s->n_classes + class_, slot = s->slot[at];

				if (slot < d->n_slots && d->slots[slot].hash != KEY_NONE)
					continue;
				reached[s->next[at]] = true;
			}
	for (unsigned state = 1; state < s->n_states; state++)
		if (reached[state] && s->accept[state])
			return true;
	return false;
}

static void assert_proved(const struct message_desc *d)
{
	ck_assert_uint_gt(d->n_shapes, 0);
	for (unsigned i = 0; i < d->n_shapes; i++)
		ck_assert_msg(!unproved(d, &d->shapes[i]), "%s of shape %u need not prove anything", d->name, i);
}

/* B8: nothing is established by a message that proves nothing. */
START_TEST(b8_established_means_verified)
{
	unsigned finals = 0;

	for (size_t m = 0; m < n_machines; m++)
		for (unsigned s = 0; s < machines[m]->n_states; s++) {
			const struct state_desc *state = &machines[m]->states[s];

			for (unsigned r = 0; r < state->n_rows; r++) {
				ck_assert_msg(!state->final || state->over, "%s is final and goes on", state->name);
				if (!state->rows[r].next->final)
					continue;
				finals++;
				assert_proved(state->rows[r].recv);
			}
			if (machines[m]->initiate != NULL)
				ck_assert(!machines[m]->initiate->next->final);
		}
	ck_assert_uint_ge(finals, 4);
	ck_assert(unproved(&message_MI2, &message_MI2.shapes[0]));
}
END_TEST

/* B13, B15: under an ISAKMP SA every message is encrypted and carries a hash, deletes nowhere else. */
START_TEST(b15_everything_under_keys_is_verified)
{
	for (size_t m = 0; m < n_machines; m++)
		for (unsigned s = 0; machines[m]->phase == 2 && s < machines[m]->n_states; s++)
			for (unsigned r = 0; r < machines[m]->states[s].n_rows; r++)
				assert_proved(machines[m]->states[s].rows[r].recv);
	for (size_t o = 0; o < n_oneways; o++)
		for (unsigned r = 0; r < oneways[o]->n_rows; r++) {
			const struct message_desc *d = oneways[o]->rows[r].recv;

			if (d->protection == PROTECTION_ENCRYPTED) {
				assert_proved(d);
				continue;
			}
			for (unsigned i = 0; i < d->n_slots; i++)
				ck_assert_msg(d->slots[i].payload == PAYLOAD_TYPE_N, "%s in clear carries more than notifications",
					      d->name);
		}
}
END_TEST

/* C1: somebody whose address is not proved gets one answer, and never by a timer. */
START_TEST(c1_the_unproved_are_not_repeated_to)
{
	for (size_t m = 0; m < n_machines; m++) {
		if (machines[m]->phase != 1 || machines[m]->start == NULL)
			continue;
		for (unsigned r = 0; r < machines[m]->start->n_rows; r++) {
			ck_assert_int_ne(machines[m]->start->rows[r].timer, TIMER_RETRANSMIT);
			ck_assert(!machines[m]->start->rows[r].next->final);
		}
	}
}
END_TEST

/* ---- what is offered -------------------------------------------------------- */

/* D7: no authentication by public key encryption; what has no variant is neither offered nor chosen. */
START_TEST(d7_only_signatures_and_shared_secrets)
{
	unsigned n = 0;

	for (uint32_t method = 0; method <= UINT16_MAX; method++) {
		enum variant v;

		if (!auth_variant(method, &v))
			continue;
		n++;
		ck_assert_msg(method == AUTH_METHOD_PRESHARED_KEY || method == AUTH_METHOD_RSA_SIG ||
			      method == AUTH_METHOD_XAUTH_INIT_PRESHARED_KEY || method == AUTH_METHOD_XAUTH_INIT_RSA ||
			      method == AUTH_METHOD_XAUTH_RESP_PRESHARED_KEY || method == AUTH_METHOD_XAUTH_RESP_RSA,
			      "method %u", method);
	}
	ck_assert_uint_eq(n, 6);	/* without XAUTH, with that of the initiator, with that of the responder */
}
END_TEST

int main(void)
{
	Suite *s = suite_create("security/tables");
	TCase *t = tcase_create("tables");

	suite_add_tcase(s, t);
	tcase_add_test(t, b8_established_means_verified);
	tcase_add_test(t, b15_everything_under_keys_is_verified);
	tcase_add_test(t, c1_the_unproved_are_not_repeated_to);
	tcase_add_test(t, d7_only_signatures_and_shared_secrets);
	return run_suite(s);
}
