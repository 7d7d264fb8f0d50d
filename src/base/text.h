/* text.h -- text made safe and text of bounded length. */
#ifndef PLUTO_BASE_TEXT_H
#define PLUTO_BASE_TEXT_H

#include "base/span.h"

/* A bounded, always terminated string under construction.  What does not fit is cut
 * and the text then ends with "...". */
struct text {
	char *p;
	size_t n;		/* length without the NUL */
	size_t cap;		/* room including the NUL */
	bool cut;
};

struct text text_on(char *p, size_t cap);
void text_add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Bytes from a peer or a file: printable ASCII as it is, backslash and everything
 * else as \xNN. */
void text_escape(struct text *t, struct span s);

/* Lower-case hexadecimal without separators. */
void text_hex(struct text *t, struct span s);

/* Data forms (data.re): 0x hex (with _ between digits), 0s base64, 0t text.
 * On success *out owns the octets.  On failure false, *why (static) and *column. */
bool data_parse(struct span text, struct buf *out, const char **why, unsigned *column);

#endif
