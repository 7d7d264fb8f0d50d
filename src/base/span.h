/* span.h -- borrowed bytes (span) and owned bytes (buf).
 *
 * A span never owns what it points to; whoever made it keeps the bytes alive.
 * A buf owns its bytes and wipes them when freed. */
#ifndef PLUTO_BASE_SPAN_H
#define PLUTO_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const uint8_t *p;
	size_t n;		/* octets */
};

struct buf {
	uint8_t *p;
	size_t n;		/* octets */
};

static inline struct span span_of(const void *p, size_t n)
{
	return (struct span){ .p = p, .n = n };
}

static inline struct span span_str(const char *s)
{
	return span_of(s, s == NULL ? 0 : strlen(s));
}

static inline struct span span_buf(struct buf b)
{
	return span_of(b.p, b.n);
}

/* The n octets of s from off on; cut to what s has, so it never points outside. */
static inline struct span span_sub(struct span s, size_t off, size_t n)
{
	if (off > s.n)
		off = s.n;
	if (n > s.n - off)
		n = s.n - off;
	return span_of(s.p == NULL ? NULL : s.p + off, n);
}

static inline struct span span_from(struct span s, size_t off)
{
	return span_sub(s, off, s.n);
}

/* Equality of public data.  Hashes and secrets are compared with ct_equal(). */
static inline bool span_eq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Equality in time that depends on the lengths alone. */
bool ct_equal(struct span a, struct span b);

/* Overwrite n octets with zero in a way that the compiler keeps. */
void wipe(void *p, size_t n);

/* An owned copy of s.  When memory ends the process ends: see xalloc.h. */
struct buf buf_copy(struct span s);

/* A buf of n zero octets. */
struct buf buf_new(size_t n);

/* Wipe and free; *b becomes empty.  Harmless on an empty buf. */
void buf_free(struct buf *b);

/* Big-endian reads; the caller has checked that the octets are there. */
static inline uint16_t get_u16(const uint8_t *p)
{
	return (uint16_t)((unsigned)p[0] << 8 | p[1]);
}

static inline uint32_t get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t get_u64(const uint8_t *p)
{
	return (uint64_t)get_u32(p) << 32 | get_u32(p + 4);
}

#endif
