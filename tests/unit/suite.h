/* suite.h -- how the programs of Check end. */
#ifndef PLUTO_UNIT_SUITE_H
#define PLUTO_UNIT_SUITE_H

#include <check.h>

/* Runs the suite and returns main()'s status. */
static inline int run_suite(Suite *s)
{
	SRunner *r = srunner_create(s);
	int failed;

	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}

#endif
