/* xalloc.c -- allocation that does not fail. */
#include "base/xalloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *p)
{
	if (p == NULL) {
		fputs("out of memory: stopping\n", stderr);
		abort();
	}
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	/* A size of zero gives a pointer too, so that NULL always means "nothing there". */
	return checked(n == 0 || size == 0 ? calloc(1, 1) : calloc(n, size));
}

void *xrealloc(void *p, size_t n)
{
	return checked(realloc(p, n == 0 ? 1 : n));
}

char *xstrdup(const char *s)
{
	return checked(strdup(s));
}

char *xprintf(const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	return checked(s);
}
