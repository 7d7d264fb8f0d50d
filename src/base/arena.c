/* arena.c -- memory that lives as long as one packet. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"

#define FIRST_CHUNK ((size_t)16384)	/* enough for nearly every packet */

struct chunk {
	struct chunk *next;
	size_t used, cap;
	alignas(max_align_t) uint8_t mem[];	/* zero beyond `used` */
};

/* The chunk in use comes first; the one that reset keeps comes last. */
struct arena {
	struct chunk *chunks;
};

static struct chunk *chunk_new(size_t cap, struct chunk *next)
{
	struct chunk *c = xcalloc(1, sizeof(*c) + cap);

	c->cap = cap;
	c->next = next;
	return c;
}

static void chunk_free(struct chunk *c)
{
	wipe(c->mem, c->used);
	free(c);
}

struct arena *arena_new(void)
{
	struct arena *a = NEW(struct arena);

	a->chunks = chunk_new(FIRST_CHUNK, NULL);
	return a;
}

void *arena_alloc(struct arena *a, size_t n)
{
	struct chunk *c = a->chunks;
	void *p;

	/* Nobody asks for half the address space but by a wrapped multiplication: let
	 * xcalloc refuse it. */
	if (n > SIZE_MAX / 2)
		return xcalloc(SIZE_MAX, n);
	n = n == 0 ? 1 : n;
	n = (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (n > c->cap - c->used) {
		size_t cap = c->cap < SIZE_MAX / 4 ? c->cap * 2 : c->cap;

		c = a->chunks = chunk_new(n > cap ? n : cap, c);
	}
	p = c->mem + c->used;
	c->used += n;
	return p;
}

struct span arena_span(struct arena *a, struct span s)
{
	uint8_t *p = arena_alloc(a, s.n);

	if (s.n != 0)
		memcpy(p, s.p, s.n);
	return span_of(p, s.n);
}

char *arena_str(struct arena *a, struct span s)
{
	char *p = arena_alloc(a, s.n + 1);

	if (s.n != 0)
		memcpy(p, s.p, s.n);
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	p = arena_alloc(a, n < 0 ? 1 : (size_t)n + 1);
	if (n > 0) {
		va_start(ap, fmt);
		vsnprintf(p, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	return p;
}

void arena_reset(struct arena *a)
{
	struct chunk *c = a->chunks;

	while (c->next != NULL) {
		struct chunk *next = c->next;

		chunk_free(c);
		c = next;
	}
	wipe(c->mem, c->used);
	c->used = 0;
	a->chunks = c;
}

void arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	arena_reset(a);
	free(a->chunks);
	free(a);
}
