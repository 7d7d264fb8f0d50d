/* options.re -- words of --optionsfrom files and of the lines of --batch files. */
#include "base/options.h"

#include <stdlib.h>

#include "base/xalloc.h"

/* The inside of double quotes without the backslashes; dst has room for as many octets. */
static struct span unquote(const unsigned char *from, const unsigned char *to, uint8_t *dst)
{
	size_t n = 0;

	for (; from < to; from++) {
		if (*from == '\\' && from + 1 < to)
			from++;
		dst[n++] = *from;
	}
	return span_of(dst, n);
}

struct word_lexer {
	struct words *list;
	const char *file;
	unsigned line;
	uint8_t *word;		/* the word so far: pieces side by side are one word */
	size_t n;
	bool open;		/* there is a word, maybe an empty one */
	unsigned at;		/* line where it began */
};

static void piece(struct word_lexer *x, struct span s)
{
	if (!x->open)
		x->at = x->line;
	x->open = true;
	if (s.n != 0)
		memmove(x->word + x->n, s.p, s.n);
	x->n += s.n;
}

static void word_ends(struct word_lexer *x)
{
	if (x->open)
		words_add(x->list, span_of(x->word, x->n), x->file, x->at);
	x->open = false;
	x->n = 0;
}

static bool lexed_wrong(struct word_lexer *x, struct text *why, const char *what)
{
	text_add(why, "%s:%u: %s", x->file, x->line, what);
	return false;
}

/* text ends with a NUL at text.p[text.n]. */
static bool lex(struct word_lexer *x, struct span text, struct text *why)
{
	const unsigned char *YYCURSOR = text.p;
	const unsigned char *const end = text.p + text.n;
	const unsigned char *YYMARKER, *start;

	for (;;) {
		start = YYCURSOR;
		/*!re2c
		re2c:define:YYCTYPE = "unsigned char";
		re2c:yyfill:enable = 0;
		re2c:flags:case-ranges = 0;

		blank = [ \t\r\f\v]+;
		plain = [^\x00 \t\r\f\v\n"'#\\];
		hash_inside = plain ( plain | "#" )*;
		escaped = "\\" [^\x00\n];
		double = ["] ( [^\x00"\\\n] | escaped )* ["];
		single = ['] [^\x00'\n]* ['];

		"\x00" {
			if (start < end)
				return lexed_wrong(x, why, "a NUL octet; an option file is text");
			word_ends(x);
			return true;
		}
		blank       { word_ends(x); continue; }
		"\n"        { word_ends(x); x->line++; continue; }
		"\\\n"      { x->line++; continue; }
		"#" {
			if (x->open) {	/* after a quoted piece of the same word */
				piece(x, span_of(start, 1));
				continue;
			}
			while (*YYCURSOR != '\n' && *YYCURSOR != '\0')
				YYCURSOR++;
			continue;
		}
		hash_inside { piece(x, span_of(start, (size_t)(YYCURSOR - start))); continue; }
		escaped     { piece(x, span_of(start + 1, 1)); continue; }
		double {
			piece(x, unquote(start + 1, YYCURSOR - 1, x->word + x->n));
			continue;
		}
		single      { piece(x, span_of(start + 1, (size_t)(YYCURSOR - start) - 2)); continue; }
		["']        { return lexed_wrong(x, why, "a quote that is not closed on its line; close it, or write \\ before it"); }
		"\\"        { return lexed_wrong(x, why, "the file ends with a backslash; take it away"); }
		*           { return lexed_wrong(x, why, "an octet that cannot stand here; put it into quotes"); }
		*/
	}
}

bool words_lex(struct words *l, struct span text, const char *file, unsigned line, struct text *why)
{
	struct word_lexer x = { .list = l, .file = words_file(l, file), .line = line };
	bool ok;

	x.word = xcalloc(text.n + 1, 1);
	ok = lex(&x, text, why);
	wipe(x.word, text.n + 1);
	free(x.word);
	return ok;
}
