/* writer.c -- bounded output of big-endian numbers and bytes. */
#include "base/writer.h"

/* Room for n more octets, or NULL and overflow for good. */
static uint8_t *claim(struct writer *w, size_t n)
{
	uint8_t *at;

	if (w->overflow || n > w->cap - w->n) {
		w->overflow = true;
		return NULL;
	}
	at = w->p + w->n;
	w->n += n;
	return at;
}

static void store(uint8_t *at, uint64_t v, size_t octets)
{
	while (octets-- != 0) {
		at[octets] = (uint8_t)v;
		v >>= 8;
	}
}

void put_uint(struct writer *w, uint64_t v, size_t octets)
{
	uint8_t *at = claim(w, octets);

	if (at != NULL)
		store(at, v, octets);
}

void put_u8(struct writer *w, uint8_t v)
{
	put_uint(w, v, 1);
}

void put_u16(struct writer *w, uint16_t v)
{
	put_uint(w, v, 2);
}

void put_u24(struct writer *w, uint32_t v)
{
	put_uint(w, v, 3);
}

void put_u32(struct writer *w, uint32_t v)
{
	put_uint(w, v, 4);
}

void put_u64(struct writer *w, uint64_t v)
{
	put_uint(w, v, 8);
}

void put_bytes(struct writer *w, struct span s)
{
	uint8_t *at;

	if (s.n == 0)
		return;
	at = claim(w, s.n);
	if (at != NULL)
		memcpy(at, s.p, s.n);
}

void put_zero(struct writer *w, size_t n)
{
	uint8_t *at;

	if (n == 0)
		return;
	at = claim(w, n);
	if (at != NULL)
		memset(at, 0, n);
}

static void patch(struct writer *w, size_t at, uint32_t v, size_t octets)
{
	if (at > w->n || octets > w->n - at)
		w->overflow = true;
	else
		store(w->p + at, v, octets);
}

void patch_u8(struct writer *w, size_t at, uint8_t v)
{
	patch(w, at, v, 1);
}

void patch_u16(struct writer *w, size_t at, uint16_t v)
{
	patch(w, at, v, 2);
}

void patch_u32(struct writer *w, size_t at, uint32_t v)
{
	patch(w, at, v, 4);
}
