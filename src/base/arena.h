/* arena.h -- memory that lives as long as one packet (or one command).
 * Freed as a whole; individual pieces are never freed. */
#ifndef PLUTO_BASE_ARENA_H
#define PLUTO_BASE_ARENA_H

#include "base/span.h"

struct arena;

struct arena *arena_new(void);

/* n zeroed octets, aligned for any object.  Never NULL. */
void *arena_alloc(struct arena *a, size_t n);

/* A copy of s that lives as long as the arena. */
struct span arena_span(struct arena *a, struct span s);

/* A NUL-terminated copy of s. */
char *arena_str(struct arena *a, struct span s);

/* printf into the arena. */
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Wipe everything handed out and keep the first chunk for the next packet. */
void arena_reset(struct arena *a);

void arena_free(struct arena *a);

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (n)))

#endif
