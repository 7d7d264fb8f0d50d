/* fuzz_options.c -- any octets as a file of options, and its words as a command of whack and of pluto.  What is refused is
 * refused with one line of plain text. */
#include <stdlib.h>

#include "base/options.h"
#include "generated/options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void one_line(const struct text *t)
{
	require(t->n != 0);
	for (size_t i = 0; i < t->n; i++)
		require(t->p[i] >= 0x20 && t->p[i] <= 0x7e);
}

/* Files would be read, and those of this host are none of our input. */
static bool names_file(const struct words *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (strstr(l->w[i].text, "optionsfrom") != NULL)
			return true;
	return false;
}

static void command(const struct program_desc *p, struct span text)
{
	char room[1024];
	struct text why = text_on(room, sizeof(room));
	struct words l = { 0 };
	struct options o;

	if (!words_lex(&l, text, "f", 1, &why)) {
		one_line(&why);
		words_free(&l);
		return;
	}
	if (names_file(&l)) {
		words_free(&l);
		return;
	}
	for (size_t i = 0; i < l.n; i++)
		require(l.w[i].at >= 1 && l.w[i].at <= text.n + 1);
	if (options_parse(&o, p, &l, &why)) {
		require(o.form < p->n_forms);
		for (size_t i = 0; i < o.n; i++)
			require((o.values[i].text == NULL) == (o.values[i].option->metavar == NULL));
	} else {
		one_line(&why);
	}
	options_free(&o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf copy = buf_new(size + 1);	/* with the NUL after it */

	if (size != 0)
		memcpy(copy.p, data, size);
	command(&whack_program, span_of(copy.p, size));
	command(&pluto_program, span_of(copy.p, size));
	buf_free(&copy);
	return 0;
}
