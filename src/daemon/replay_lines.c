/* replay_lines.c -- a recording as lines of words. */
#include "daemon/replay_internal.h"

#include <stdlib.h>

/* ---- the file ------------------------------------------------------------------ */

void replay_next(struct replay *p)
{
	ssize_t n = getline(&p->line, &p->cap, p->in);

	p->number++;
	if (n > 0 && p->line[n - 1] == '\n')
		p->line[n - 1] = '\0';
	if (n < 0) {
		free(p->line);
		p->line = NULL;
		p->cap = 0;
	}
}

bool replay_differs(struct replay *p, const char *is)
{
	if (p->different)
		return false;
	p->different = true;
	text_add(p->why, "line %u differs: recorded \"%.600s\", now \"%.600s\"", p->number,
		 p->line == NULL ? "(end)" : p->line, is);
	return false;
}

bool replay_begins(const struct replay *p, const char *with)
{
	return !p->different && p->line != NULL && strncmp(p->line, with, strlen(with)) == 0;
}

/* ---- words of a line --------------------------------------------------------------- */

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void unescape(char *s)
{
	char *to = s;

	for (; *s != '\0'; s++) {
		if (s[0] == '\\' && s[1] == 'x' && digit(s[2]) >= 0 && digit(s[3]) >= 0) {
			*to++ = (char)(digit(s[2]) << 4 | digit(s[3]));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

struct line replay_split(struct replay *p, size_t words)
{
	struct line l = { 0 };
	char *s = arena_str(p->arena, span_str(p->line));

	while (l.n < words && l.n < REPLAY_WORDS && s != NULL && *s != '\0') {
		l.words[l.n++] = s;
		s = strchr(s, ' ');
		if (s != NULL)
			*s++ = '\0';
	}
	l.rest = s;
	if (s != NULL)
		unescape(s);
	while (l.n < REPLAY_WORDS)
		l.words[l.n++] = arena_str(p->arena, span_str("0"));
	return l;
}

uint64_t replay_num(const struct line *l, size_t i)
{
	return strtoull(l->words[i], NULL, 10);
}

struct ip_addr replay_addr(const struct line *l, size_t i)
{
	struct ip_addr a = { 0 };
	const char *why;
	unsigned column;

	if (!addr_parse(span_str(l->words[i]), &a, &why, &column))
		a.len = 0;
	return a;
}

struct span replay_octets(struct replay *p, const struct line *l, size_t i)
{
	const char *s = l->words[i];
	size_t n = strlen(s) / 2;
	uint8_t *to = arena_alloc(p->arena, n + 1);

	for (size_t k = 0; k < n; k++) {
		int hi = digit(s[2 * k]), lo = digit(s[2 * k + 1]);

		if (hi < 0 || lo < 0)
			return span_of(to, k);
		to[k] = (uint8_t)(hi << 4 | lo);
	}
	return span_of(to, n);
}
