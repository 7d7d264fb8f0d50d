/* span.c -- owned bytes, and the comparisons and erasures that secrets need. */
#include "base/span.h"

#include <stdlib.h>

#include "base/xalloc.h"

bool ct_equal(struct span a, struct span b)
{
	volatile uint8_t differs = 0;	/* volatile: no early exit may be invented */

	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		differs = (uint8_t)(differs | (a.p[i] ^ b.p[i]));
	return differs == 0;
}

void wipe(void *p, size_t n)
{
	if (n != 0)
		explicit_bzero(p, n);
}

struct buf buf_new(size_t n)
{
	return (struct buf){ .p = n == 0 ? NULL : xcalloc(n, 1), .n = n };
}

struct buf buf_copy(struct span s)
{
	struct buf b = buf_new(s.n);

	if (s.n != 0)
		memcpy(b.p, s.p, s.n);
	return b;
}

void buf_free(struct buf *b)
{
	wipe(b->p, b->n);
	free(b->p);
	*b = (struct buf){ 0 };
}
