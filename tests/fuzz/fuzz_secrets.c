/* fuzz_secrets.c -- any octets as a secrets file: read, checked, asked. */
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "generated/limits.h"
#include "secrets/set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every message is one printable line. */
static void check_messages(const struct store_report *report)
{
	for (const struct store_message *m = report->messages; m != NULL; m = m->next)
		for (const char *p = m->refusal->message; *p != '\0'; p++)
			if (*p < ' ' || *p > '~')
				abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text = buf_new(size + 1);
	struct arena *a = arena_new();
	struct store_report report = { 0 };
	/* So deep that nothing more is included: a fuzzer does not choose which files are opened. */
	struct load l = {
		.set = set_new(), .a = a, .report = &report, .depth = LIMIT_SECRETS_DEPTH + 1,
	};

	if (size != 0)
		memcpy(text.p, data, size);
	load_text(&l, "fuzz", span_of(text.p, size));
	buf_free(&text);	/* nothing in the set may point into the file */
	load_check(&l);
	check_messages(&report);
	for (size_t i = 0; i < l.set->n; i++)
		if (l.set->entries[i].secret.n == 0)
			abort();
	set_unref(l.set);
	arena_free(a);
	return 0;
}
