/* batch.c -- reading a file of commands. */
#include "whack/batch.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "generated/options.h"
#include "whack/request.h"
#include "whack/whack.h"

/* "ipsec whack --listen" means "--listen". */
static void drop_program(struct words *l)
{
	static const char *const names[] = { "ipsec", "whack" };

	for (size_t i = 0; i < 2; i++)
		if (l->n != 0 && strcmp(l->w[0].text, names[i]) == 0) {
			free(l->w[0].text);
			memmove(l->w, l->w + 1, --l->n * sizeof(*l->w));
		}
}

static void add(struct batch *b, struct span frame, unsigned line)
{
	b->frames = xrealloc(b->frames, (b->n + 1) * sizeof(*b->frames));
	b->lines = xrealloc(b->lines, (b->n + 1) * sizeof(*b->lines));
	b->frames[b->n] = buf_copy(frame);
	b->lines[b->n++] = line;
}

static bool command(const char *path, struct words *l, unsigned line, struct batch *b, struct text *why)
{
	uint8_t room[WHACK_FRAME];
	struct writer w = writer_on(room, sizeof(room));
	struct options o;
	size_t start = why->n;
	bool ok = options_parse(&o, &whack_program, l, why);

	if (ok && (o.form == WHACK_FORM_HELP || o.form == WHACK_FORM_GENPSK ||
		   o.form == WHACK_FORM_BATCH)) {
		text_add(why, "%s:%u: this is no request to pluto; take it out", path, line);
		ok = false;
	} else if (ok && (option_given(&o, WHACK_OPTION_CTLBASE) || option_given(&o, WHACK_OPTION_LABEL) ||
			  option_given(&o, WHACK_OPTION_TIMEOUT))) {
		text_add(why, "%s:%u: --ctlbase, --label and --timeout belong on the command line, "
			      "beside --batch", path, line);
		ok = false;
	} else if (ok) {
		ok = request_write(&o, &w, why);
	}
	if (ok)
		add(b, writer_span(&w), line);
	else if (strncmp(why->p + start, path, strlen(path)) != 0)
		text_add(why, " (%s:%u)", path, line);
	wipe(room, sizeof(room));
	options_free(&o);
	return ok;
}

/* One command: up to a line end that no backslash hides. */
static size_t command_length(struct span s)
{
	size_t n = 0;

	while (n < s.n && !(s.p[n] == '\n' && (n == 0 || s.p[n - 1] != '\\')))
		n++;
	return n;
}

static bool one_command(const char *path, struct span s, unsigned line, struct batch *b, struct text *why)
{
	struct buf copy = buf_new(s.n + 1);
	struct words l = { 0 };
	bool ok;

	if (s.n != 0)
		memcpy(copy.p, s.p, s.n);
	ok = words_lex(&l, span_of(copy.p, s.n), path, line, why);
	buf_free(&copy);
	if (ok)
		drop_program(&l);
	if (ok && l.n != 0)
		ok = command(path, &l, line, b, why);
	words_free(&l);
	return ok;
}

bool batch_read(const char *path, struct batch *b, struct text *why)
{
	char room[128];
	struct text reason = text_on(room, sizeof(room));
	struct buf file = { 0 };
	struct span rest;
	unsigned line = 1;
	bool ok = true;

	*b = (struct batch){ 0 };
	if (!words_read(path, &file, &reason)) {
		text_add(why, "cannot read the commands of %s: %s; see --batch", path, room);
		return false;
	}
	rest = span_buf(file);
	while (ok && rest.n != 0) {
		size_t n = command_length(rest);

		ok = one_command(path, span_sub(rest, 0, n), line, b, why);
		for (size_t i = 0; i <= n && i < rest.n; i++)
			line += rest.p[i] == '\n';
		rest = span_from(rest, n + 1);
	}
	buf_free(&file);
	return ok;
}

void batch_free(struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		buf_free(&b->frames[i]);
	free(b->frames);
	free(b->lines);
	*b = (struct batch){ 0 };
}
