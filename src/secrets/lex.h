/* lex.h -- the words of a secrets file. */
#ifndef PLUTO_SECRETS_LEX_H
#define PLUTO_SECRETS_LEX_H

#include "base/span.h"

enum token_kind {
	TOKEN_EOF,		/* ends the last entry too */
	TOKEN_END,		/* of an entry: the next line begins in column 1 */
	TOKEN_WORD,
	TOKEN_STRING,		/* text without the quotes */
	TOKEN_COLON,
	TOKEN_OPEN,		/* { */
	TOKEN_CLOSE,		/* } */
	TOKEN_BAD,		/* why says what is wrong */
};

struct token {
	enum token_kind kind;
	struct span text;	/* borrowed from the file */
	unsigned line, column;	/* from 1, columns in octets */
	const char *why;	/* static; of TOKEN_BAD */
};

struct lex {
	const uint8_t *at, *end;
	const uint8_t *line_start;
	unsigned line;
	unsigned last_line, last_column;	/* where the last token ended: END and EOF are told there */
	bool begun;		/* an entry has begun */
};

/* file.p[file.n] must be readable and 0: it is the sentinel of the scanner. */
void lex_init(struct lex *l, struct span file);

struct token lex_next(struct lex *l);

#endif
