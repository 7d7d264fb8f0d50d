/* text.c -- text made safe and text of bounded length. */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

struct text text_on(char *p, size_t cap)
{
	if (cap != 0)
		p[0] = '\0';
	return (struct text){ .p = p, .cap = cap };
}

/* The room is used up: end with "...", as far as there is room for it. */
static void mark_cut(struct text *t)
{
	size_t room = t->cap == 0 ? 0 : t->cap - 1;
	size_t dots = room < 3 ? room : 3;

	t->cut = true;
	t->n = room;
	if (t->cap == 0)
		return;
	memset(t->p + room - dots, '.', dots);
	t->p[room] = '\0';
}

void text_add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (t->cut)
		return;
	va_start(ap, fmt);
	n = vsnprintf(t->cap == 0 ? NULL : t->p + t->n, t->cap - t->n, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= t->cap - t->n)
		mark_cut(t);
	else
		t->n += (size_t)n;
}

/* n characters (at most 4), whole or not at all; the dots of a cut cover what stays free. */
static void add_chars(struct text *t, const char *s, size_t n)
{
	if (t->cut)
		return;
	if (t->cap - t->n <= n) {
		mark_cut(t);
		return;
	}
	memcpy(t->p + t->n, s, n);
	t->n += n;
	t->p[t->n] = '\0';
}

static const char digits[] = "0123456789abcdef";

void text_escape(struct text *t, struct span s)
{
	for (size_t i = 0; i < s.n && !t->cut; i++) {
		uint8_t c = s.p[i];

		if (c >= 0x20 && c <= 0x7e && c != '\\')
			add_chars(t, (const char[]){ (char)c }, 1);
		else
			add_chars(t, (const char[]){ '\\', 'x', digits[c >> 4], digits[c & 15] }, 4);
	}
}

void text_hex(struct text *t, struct span s)
{
	for (size_t i = 0; i < s.n && !t->cut; i++)
		add_chars(t, (const char[]){ digits[s.p[i] >> 4], digits[s.p[i] & 15] }, 2);
}
