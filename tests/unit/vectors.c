/* vectors.c -- what the tests of crypto/ share. */
#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "crypto/hash.h"

static struct arena *kept;		/* reachable to the end, so not a leak */
static json_t *loaded[16];
static size_t n_loaded;

static struct arena *arena(void)
{
	if (kept == NULL)
		kept = arena_new();
	return kept;
}

static char *path_of(const char *name)
{
	const char *root = getenv("TESTDATA");

	return arena_printf(arena(), "%s/vectors/third-party/%s", root == NULL ? "tests" : root, name);
}

void vectors_start(void)
{
	const char *why, *readme = path_of("README");

	if (access(readme, R_OK) != 0) {
		printf("SKIP: no %s: set TESTDATA to the directory tests/ of the source\n", readme);
		exit(77);
	}
	if (!crypto_start(&why)) {
		printf("FAIL: %s\n", why);
		exit(1);
	}
}

json_t *vectors(const char *name)
{
	json_error_t error;
	json_t *j = json_load_file(path_of(name), 0, &error);

	ck_assert_msg(j != NULL, "%s:%d: %s", name, error.line, error.text);
	ck_assert_uint_lt(n_loaded, sizeof(loaded) / sizeof(loaded[0]));
	loaded[n_loaded++] = j;
	return j;
}

static unsigned digit(char c)
{
	ck_assert_msg((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'), "'%c' in test data", c);
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a' + 10);
}

struct span hex(const char *text)
{
	size_t n = strlen(text) / 2;
	uint8_t *p = arena_alloc(arena(), n);

	ck_assert_uint_eq(strlen(text) % 2, 0);
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
	return span_of(p, n);
}

struct span member(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	ck_assert_msg(text != NULL, "test data has no \"%s\"", name);
	return hex(text);
}

struct span fill(uint8_t v, size_t n)
{
	uint8_t *p = arena_alloc(arena(), n);

	memset(p, v, n);
	return span_of(p, n);
}

uint8_t *copy_of(struct span s)
{
	uint8_t *p = arena_alloc(arena(), s.n);

	if (s.n != 0)
		memcpy(p, s.p, s.n);
	return p;
}

bool is_text(const json_t *object, const char *name, const char *value)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL && strcmp(text, value) == 0;
}
