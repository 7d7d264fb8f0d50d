/* xalloc.h -- allocation that does not fail: without memory a keying daemon can only stop. */
#ifndef PLUTO_BASE_XALLOC_H
#define PLUTO_BASE_XALLOC_H

#include <stddef.h>

void *xcalloc(size_t n, size_t size);	/* zeroed */
void *xrealloc(void *p, size_t n);
char *xstrdup(const char *s);
char *xprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define NEW(type) ((type *)xcalloc(1, sizeof(type)))

#endif
