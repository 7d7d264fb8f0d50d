/* must.h -- an assertion for loops of many rounds.
 *
 * Those of check write down every one that holds, in a system call of its own: a hundred times what most of our checks cost. */
#ifndef PLUTO_UNIT_MUST_H
#define PLUTO_UNIT_MUST_H

#include <check.h>

/* Fails the test with a message as for printf, unless ok. */
#define must(ok, ...) do { if (!(ok)) ck_abort_msg(__VA_ARGS__); } while (0)

#endif
