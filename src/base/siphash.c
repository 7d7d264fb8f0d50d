/* siphash.c -- SipHash-2-4 (Aumasson and Bernstein, 2012). */
#include "base/siphash.h"

struct sip { uint64_t v0, v1, v2, v3; };

static uint64_t little(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

static uint64_t rotl(uint64_t v, unsigned n)
{
	return v << n | v >> (64 - n);
}

static void rounds(struct sip *s, unsigned n)
{
	while (n-- > 0) {
		s->v0 += s->v1;
		s->v2 += s->v3;
		s->v1 = rotl(s->v1, 13) ^ s->v0;
		s->v3 = rotl(s->v3, 16) ^ s->v2;
		s->v0 = rotl(s->v0, 32);
		s->v2 += s->v1;
		s->v0 += s->v3;
		s->v1 = rotl(s->v1, 17) ^ s->v2;
		s->v3 = rotl(s->v3, 21) ^ s->v0;
		s->v2 = rotl(s->v2, 32);
	}
}

static void absorb(struct sip *s, uint64_t m)
{
	s->v3 ^= m;
	rounds(s, 2);
	s->v0 ^= m;
}

uint64_t siphash(const uint8_t key[16], struct span in)
{
	uint64_t k0 = little(key, 8), k1 = little(key + 8, 8);
	struct sip s = {
		.v0 = k0 ^ 0x736f6d6570736575, .v1 = k1 ^ 0x646f72616e646f6d,
		.v2 = k0 ^ 0x6c7967656e657261, .v3 = k1 ^ 0x7465646279746573,
	};
	size_t i = 0;

	for (; i + 8 <= in.n; i += 8)
		absorb(&s, little(in.p + i, 8));
	absorb(&s, (uint64_t)in.n << 56 | (in.n == i ? 0 : little(in.p + i, in.n - i)));
	s.v2 ^= 0xff;
	rounds(&s, 4);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
