/* check_nets.c -- whose an address is: against a walk over all connections, while they come, change and go. */
#include <check.h>
#include <stdlib.h>

#include "ike/connection.h"
#include "ike/nets.h"
#include "suite.h"

#define CONNECTIONS 40

static struct nets *n;
static struct connection c[CONNECTIONS];
static bool entered[CONNECTIONS];
static unsigned state;

static unsigned pick(unsigned below)
{
	state = state * 1664525u + 1013904223u;
	return (state >> 12) % below;
}

static void setup(void)
{
	n = nets_new();
	memset(c, 0, sizeof(c));
	memset(entered, 0, sizeof(entered));
}

static void teardown(void)
{
	nets_free(n);
}

/* Few values, so that subnets meet and contain each other. */
static struct ip_addr some_address(void)
{
	struct ip_addr a = { .len = pick(2) == 0 ? 4 : 16 };

	a.b[0] = 10;
	for (size_t i = 1; i < a.len; i++)
		a.b[i] = (uint8_t)(i == 1 || i + 1 >= a.len ? pick(4) : 0);
	return a;
}

static struct subnet some_subnet(void)
{
	struct subnet s = { .addr = some_address() };
	struct ip_addr mask;

	s.bits = (uint8_t)(pick(8) == 0 ? 0 : 8 * s.addr.len - pick(20));
	mask = subnet_mask(&s);
	for (size_t i = 0; i < s.addr.len; i++)
		s.addr.b[i] &= mask.b[i];
	return s;
}

static void draw_end(struct end *e)
{
	static const struct ip_addr any4 = { .len = 4 }, none;
	unsigned kind = pick(4);

	e->host = kind == 0 ? any4 : kind == 1 ? none : some_address();
	e->has_client = pick(2) == 0;
	e->client = some_subnet();
}

static bool end_has(const struct end *e, const struct ip_addr *a)
{
	return (!addr_is_any(&e->host) && addr_eq(&e->host, a)) ||
	       (e->has_client && e->client.bits > 0 && subnet_has(&e->client, a));
}

static bool walk(const struct ip_addr *a)
{
	for (size_t i = 0; i < CONNECTIONS; i++)
		if (entered[i] && (end_has(&c[i].end[0], a) || end_has(&c[i].end[1], a)))
			return true;
	return false;
}

START_TEST(it_agrees_with_a_walk)
{
	unsigned held = 0, free_ = 0;

	state = (unsigned)_i;
	for (int step = 0; step < 2000; step++) {
		size_t i = pick(step < 1000 ? 4 : CONNECTIONS);
		struct ip_addr a = some_address();
		const struct subnet *found;

		if (pick(2) == 0) {
			nets_leave(n, &c[i]);
			entered[i] = false;
		} else {
			draw_end(&c[i].end[0]);
			draw_end(&c[i].end[1]);
			nets_enter(n, &c[i]);
			entered[i] = true;
		}
		found = nets_find(n, &a);
		ck_assert_int_eq(found != NULL, walk(&a));
		ck_assert(found == NULL || subnet_has(found, &a));
		held += walk(&a);
		free_ += !walk(&a);
	}
	ck_assert_uint_gt(held, 100);
	ck_assert_uint_gt(free_, 100);
	for (size_t i = 0; i < CONNECTIONS; i++)
		nets_leave(n, &c[i]);
	for (int step = 0; step < 200; step++) {
		struct ip_addr a = some_address();

		ck_assert_ptr_null(nets_find(n, &a));
	}
}
END_TEST

START_TEST(no_address_is_in_nothing)
{
	struct ip_addr none = { 0 };

	draw_end(&c[0].end[0]);
	nets_enter(n, &c[0]);
	ck_assert_ptr_null(nets_find(n, &none));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("nets");
	TCase *t = tcase_create("nets");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, it_agrees_with_a_walk, 0, 8);
	tcase_add_test(t, no_address_is_in_nothing);
	suite_add_tcase(s, t);
	return run_suite(s);
}
