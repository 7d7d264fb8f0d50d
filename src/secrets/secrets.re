/* secrets.re -- the words of a secrets file.  An entry begins in column 1 and goes on in
 * indented lines; blank lines and comments end nothing. */
#include "secrets/lex.h"

void lex_init(struct lex *l, struct span file)
{
	*l = (struct lex){
		.at = file.p, .end = file.p + file.n, .line_start = file.p, .line = 1,
		.last_line = 1, .last_column = 1,
	};
}

static struct token token_of(struct lex *l, enum token_kind kind, const uint8_t *from,
			     const uint8_t *to)
{
	struct token t = {
		.kind = kind, .text = span_of(from, (size_t)(to - from)),
		.line = l->line, .column = (unsigned)(from - l->line_start) + 1,
	};

	l->at = to;
	return t;
}

static struct token bad(struct lex *l, const uint8_t *from, const uint8_t *to, const char *why)
{
	struct token t = token_of(l, TOKEN_BAD, from, to);

	t.why = why;
	return t;
}

/* A colon belongs to a word (fe80::1), except a single one at its end or beginning. */
static struct token word(struct lex *l, const uint8_t *from, const uint8_t *to)
{
	size_t n = (size_t)(to - from);

	if (from[0] == ':' && (n == 1 || from[1] != ':'))
		return token_of(l, TOKEN_COLON, from, from + 1);
	if (n > 1 && to[-1] == ':' && to[-2] != ':')
		return token_of(l, TOKEN_WORD, from, to - 1);
	return token_of(l, TOKEN_WORD, from, to);
}

static struct token scan(struct lex *l)
{
	const uint8_t *at = l->at, *end = l->end, *marker, *from;

	for (;;) {
		from = marker = at;
		/*!re2c
			re2c:eof = 0;
			re2c:yyfill:enable = 0;
			re2c:define:YYCTYPE = uint8_t;
			re2c:define:YYCURSOR = at;
			re2c:define:YYMARKER = marker;
			re2c:define:YYLIMIT = end;

			ws	= [ \t];
			nl	= "\r"? "\n";
			first	= [^\x00-\x20\x7f"'{}#];
			more	= [^\x00-\x20\x7f"'{}];
			inside	= [^\x00\r\n];

			ws+			{ continue; }
			"#" [^\r\n]*		{ continue; }
			nl			{ l->line++; l->line_start = at; continue; }
			nl ws			{ l->line++; l->line_start = at - 1; continue; }
			nl first		{ goto entry; }
			nl ["'{}]		{ goto entry; }
			first more*		{ return word(l, from, at); }
			"{"			{ return token_of(l, TOKEN_OPEN, from, at); }
			"}"			{ return token_of(l, TOKEN_CLOSE, from, at); }
			["] (inside\["])* ["]	{ goto string; }
			['] (inside\['])* [']	{ goto string; }
			["] (inside\["])* | ['] (inside\['])*	{ return bad(l, from, at, "a string must end on the line where it begins"); }
			$			{ return token_of(l, TOKEN_EOF, from, from); }
			*			{ return bad(l, from, at, "a control character outside of a string"); }
		*/
	}
entry:
	/* The end of an entry is told where it is seen; the line then begins anew. */
	if (!l->begun) {
		l->line++;
		l->line_start = l->at = at - 1;
		return scan(l);
	}
	struct token t = token_of(l, TOKEN_END, from, at - 1);

	l->line++;
	l->line_start = l->at;
	return t;
string:
	t = token_of(l, TOKEN_STRING, from, at);
	t.text = span_sub(t.text, 1, t.text.n - 2);
	return t;
}

struct token lex_next(struct lex *l)
{
	struct token t = scan(l);

	if (t.kind == TOKEN_END || t.kind == TOKEN_EOF) {
		t.line = l->last_line;
		t.column = l->last_column;
	} else {
		l->last_line = t.line;
		l->last_column = (unsigned)(l->at - l->line_start) + 1;
	}
	if (t.kind == TOKEN_END) {
		l->begun = false;
	} else if (t.kind != TOKEN_EOF && !l->begun) {
		l->begun = true;
		if (t.column != 1 && t.kind != TOKEN_BAD) {
			t.kind = TOKEN_BAD;
			t.why = "an indented line continues an entry, and none has begun: "
				"an entry begins in column 1";
		}
	}
	return t;
}
