/* check_oracle.c -- the shape tables against the regular expressions of the same shapes, on random sequences. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "generated/names.h"
#include "generated/shape_oracle.h"
#include "suite.h"

#define LONGEST 14
#define SEQUENCES 20000		/* for each shape */

static uint32_t state;

/* xorshift: the same sequences in every run */
static uint32_t random_below(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % n;
}

static uint8_t step(const struct shape *s, uint8_t at, uint8_t type)
{
	for (unsigned c = 0; c < s->n_classes; c++)
		if (s->classes[c] == type)
			return s->next[(size_t)at * s->n_classes + c];
	return 0;
}

static bool accepts(const struct shape *s, const uint8_t *types)
{
	uint8_t at = 1;

	for (; *types != 0 && at != 0; types++)
		at = step(s, at, *types);
	return at != 0 && s->accept[at];
}

/* Mostly along the edges of the table, else it would hardly ever come to an end that is accepted. */
static void make(const struct shape *s, uint8_t types[LONGEST + 1])
{
	unsigned n = random_below(LONGEST + 1);
	uint8_t at = 1;

	for (unsigned i = 0; i < n; i++) {
		types[i] = 0;
		for (unsigned tries = 0; tries < 20 && types[i] == 0; tries++) {
			uint8_t type = s->classes[random_below(s->n_classes)];

			if (random_below(12) == 0)
				type = (uint8_t)(1 + random_below(PAYLOAD_TYPE_NATOA));
			if (step(s, at, type) != 0 || random_below(15) == 0)
				types[i] = type;
		}
		at = step(s, at, types[i]);
		if (types[i] == 0 || (at != 0 && s->accept[at] && random_below(4) == 0)) {
			types[i + (types[i] != 0)] = 0;
			return;
		}
	}
	types[n] = 0;
}

static const char *text_of(const uint8_t *types)
{
	static char text[LONGEST * 12 + 1];
	char name[REGISTRY_TEXT];
	size_t n = 0;

	text[0] = '\0';
	for (; *types != 0; types++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s ",
				      registry_symbol(&registry_payload_type, *types, name));
	return text;
}

START_TEST(agree)
{
	const struct shape_oracle *o = &shape_oracles[_i];
	const struct shape *s = &o->message->shapes[o->shape];
	unsigned accepted = 0, refused = 0;
	uint8_t types[LONGEST + 2] = { 0 };

	state = 2409 + (uint32_t)_i;
	for (unsigned i = 0; i < SEQUENCES; i++) {
		bool fits;

		make(s, types);
		fits = accepts(s, types);
		ck_assert_msg(fits == o->fits(types), "%s shape %u: %s%s", o->message->name, o->shape,
			      text_of(types), fits ? "only the table takes it" : "only the oracle takes it");
		accepted += fits;
		refused += !fits;
	}
	ck_assert_msg(accepted > SEQUENCES / 100 && refused > SEQUENCES / 100, "%s shape %u: %u taken, %u not",
		      o->message->name, o->shape, accepted, refused);
}
END_TEST

START_TEST(every_shape)
{
	size_t n = 0;

	for (size_t i = 0; i < n_shape_oracles; i++)
		if (shape_oracles[i].shape == 0)
			n += shape_oracles[i].message->n_shapes;
	ck_assert_uint_eq(n, n_shape_oracles);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("shape oracle");
	TCase *t = tcase_create("oracle");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, every_shape);
	tcase_add_loop_test(t, agree, 0, (int)n_shape_oracles);
	suite_add_tcase(s, t);
	return run_suite(s);
}
