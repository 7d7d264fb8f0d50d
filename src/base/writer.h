/* writer.h -- bounded output.  A write that does not fit sets overflow and writes
 * nothing; the caller asks once, at the end. */
#ifndef PLUTO_BASE_WRITER_H
#define PLUTO_BASE_WRITER_H

#include "base/span.h"

struct writer {
	uint8_t *p;
	size_t n;		/* octets written */
	size_t cap;		/* octets there is room for */
	bool overflow;
};

static inline struct writer writer_on(void *p, size_t cap)
{
	return (struct writer){ .p = p, .cap = cap };
}

static inline struct span writer_span(const struct writer *w)
{
	return span_of(w->p, w->n);
}

void put_u8(struct writer *w, uint8_t v);
void put_u16(struct writer *w, uint16_t v);
void put_u24(struct writer *w, uint32_t v);
void put_u32(struct writer *w, uint32_t v);
void put_u64(struct writer *w, uint64_t v);
void put_bytes(struct writer *w, struct span s);
void put_zero(struct writer *w, size_t n);

/* The low `octets` octets of v, big-endian; octets is 1 to 8. */
void put_uint(struct writer *w, uint64_t v, size_t octets);

/* Overwrite what was written at `at`; out of bounds sets overflow. */
void patch_u8(struct writer *w, size_t at, uint8_t v);
void patch_u16(struct writer *w, size_t at, uint16_t v);
void patch_u32(struct writer *w, size_t at, uint32_t v);

#endif
