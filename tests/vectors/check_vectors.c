/* check_vectors.c -- every test of the JSON files here: the generated parsers must say what it says. */
#include <check.h>
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "generated/names.h"
#include "generated/reasons.h"
#include "verdict.h"
#include "../unit/suite.h"

static size_t n_tests;

static const char *text(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	ck_assert_msg(s != NULL, "a test without \"%s\"", key);
	return s;
}

static unsigned number(const json_t *object, const char *key)
{
	const json_t *n = json_object_get(object, key);

	ck_assert_msg(json_is_integer(n), "a test without \"%s\"", key);
	return (unsigned)json_integer_value(n);
}

static uint32_t variants(const json_t *test, const char *key)
{
	uint32_t mask = 0;
	size_t i;
	json_t *v;

	json_array_foreach(json_object_get(test, key), i, v) {
		ck_assert_msg(variant_by_name(json_string_value(v)) != 0, "no variant %s",
			      json_string_value(v));
		mask |= variant_by_name(json_string_value(v));
	}
	return mask;
}

/* "FILE 17: comment", for messages of this file. */
static const char *name_of(const char *file, const json_t *test)
{
	static char name[300];

	snprintf(name, sizeof(name), "%s %u (%s)", file, number(test, "tcId"), text(test, "comment"));
	return name;
}

static void assert_fault(const char *name, const json_t *test, const struct fault *f)
{
	const char *reason = reasons[f->reason].name;

	ck_assert_msg(strcmp(reason, text(test, "reason")) == 0, "%s: reason %s, expected %s", name, reason,
		      text(test, "reason"));
	ck_assert_msg(strcmp(f->where, text(test, "where")) == 0, "%s: where %s, expected %s", name,
		      f->where, text(test, "where"));
	ck_assert_msg(strcmp(f->field, text(test, "field")) == 0, "%s: field \"%s\", expected \"%s\"", name,
		      f->field, text(test, "field"));
	ck_assert_msg(f->offset == number(test, "offset"), "%s: offset %u, expected %u", name, f->offset,
		      number(test, "offset"));
	ck_assert_msg(f->notify == number(test, "notify"), "%s: notify %u, expected %u", name, f->notify,
		      number(test, "notify"));
}

static bool wants_valid(const json_t *test)
{
	return strcmp(text(test, "result"), "valid") == 0;
}

static void check_message(const char *file, const json_t *group, const json_t *test)
{
	static struct verdict v;
	const struct message_desc *d = message_by_name(text(group, "message"));
	struct buf bytes = unhex(text(test, "msg"));
	const char *name = name_of(file, test);
	size_t i;
	json_t *slot;

	ck_assert_msg(d != NULL, "%s: no message %s", name, text(group, "message"));
	verdict_of(&v, d, variants(test, "variants"), json_is_true(json_object_get(group, "decrypted")),
		   span_buf(bytes));
	if (!wants_valid(test)) {
		ck_assert_msg(!v.valid, "%s: taken, must be refused: %s", name, text(test, "reason"));
		assert_fault(name, test, &v.fault);
	} else {
		ck_assert_msg(v.valid, "%s: refused: %s of %s", name, v.fault.field, v.fault.where);
		ck_assert_msg(v.matched == variants(test, "matched"), "%s: variants %#x", name, v.matched);
		ck_assert_msg(v.message.n == json_array_size(json_object_get(test, "slots")),
			      "%s: %u payloads", name, v.message.n);
		json_array_foreach(json_object_get(test, "slots"), i, slot)
			ck_assert_msg(strcmp(verdict_slot(&v, (uint16_t)i), json_string_value(slot)) == 0,
				      "%s: payload %zu is %s, expected %s", name, i,
				      verdict_slot(&v, (uint16_t)i), json_string_value(slot));
	}
	buf_free(&bytes);
}

/* A payload by itself; the only ones so written are those with a list of attributes. */
static void check_payload(const char *file, const json_t *group, const json_t *test)
{
	struct buf bytes = unhex(text(test, "msg"));
	const char *name = name_of(file, test);
	struct fault f = { 0 };
	const char *payload = text(group, "payload");
	struct payload_ATTR attr;
	struct payload_T t;
	bool valid = false;

	if (strcmp(payload, "T") == 0)
		valid = parse_T(span_buf(bytes), 0, number(group, "parameter"), &t, &f);
	else if (strcmp(payload, "ATTR") == 0)
		valid = parse_ATTR(span_buf(bytes), 0, &attr, &f);
	else
		ck_abort_msg("payload %s", payload);
	ck_assert_msg(valid == wants_valid(test), "%s: %s", name, valid ? "taken" : f.field);
	if (!valid)
		assert_fault(name, test, &f);
	buf_free(&bytes);
}

static void check_file(const char *dir, const char *file)
{
	char path[800];
	json_error_t e;
	size_t i, j, before = n_tests;
	json_t *group, *test, *all;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	all = json_load_file(path, 0, &e);
	ck_assert_msg(all != NULL, "%s:%d: %s", path, e.line, e.text);
	json_array_foreach(json_object_get(all, "testGroups"), i, group) {
		bool message = strcmp(text(group, "type"), "Message") == 0;

		json_array_foreach(json_object_get(group, "tests"), j, test) {
			(message ? check_message : check_payload)(file, group, test);
			n_tests++;
		}
	}
	ck_assert_msg(n_tests - before == number(all, "numberOfTests"), "%s: %zu tests", path,
		      n_tests - before);
	json_decref(all);
}

static int is_vectors(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 5 && strcmp(d->d_name + n - 5, ".json") == 0;
}

START_TEST(vectors)
{
	const char *data = getenv("TESTDATA");
	struct dirent **files;
	char dir[500];
	int n;

	snprintf(dir, sizeof(dir), "%s/vectors", data == NULL ? "tests" : data);
	n = scandir(dir, &files, is_vectors, alphasort);
	/* One for each message, the header and the attributes. */
	ck_assert_msg(n == (int)n_message_index + 2, "%d files in %s", n, dir);
	for (int i = 0; i < n; i++) {
		check_file(dir, files[i]->d_name);
		free(files[i]);
	}
	free(files);
	ck_assert_uint_gt(n_tests, 1000);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vectors");
	TCase *t = tcase_create("vectors");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, vectors);
	suite_add_tcase(s, t);
	return run_suite(s);
}
