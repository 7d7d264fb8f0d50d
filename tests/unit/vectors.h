/* vectors.h -- what the tests of crypto/ share: published data, hexadecimal, comparisons. */
#ifndef PLUTO_TESTS_VECTORS_H
#define PLUTO_TESTS_VECTORS_H

#include <check.h>
#include <jansson.h>

#include "base/span.h"
#include "suite.h"

/* Before the suite runs: is the data there ($TESTDATA, or ./tests)?  If not, says so and
 * ends with 77.  Also starts crypto. */
void vectors_start(void);

/* The array or object in vectors/third-party/name.  Kept until the process ends. */
json_t *vectors(const char *name);

/* Octets of a hexadecimal literal, of a member, and of a buffer of n octets all equal to v.
 * Kept until the process ends. */
struct span hex(const char *text);
struct span member(const json_t *object, const char *name);
struct span fill(uint8_t v, size_t n);

/* A copy that may be written to. */
uint8_t *copy_of(struct span s);

bool is_text(const json_t *object, const char *name, const char *value);

#define assert_span(got_, want_) do { \
	struct span got__ = (got_), want__ = (want_); \
	ck_assert_uint_eq(got__.n, want__.n); \
	ck_assert_mem_eq(got__.p, want__.p, want__.n); \
} while (0)

#endif
