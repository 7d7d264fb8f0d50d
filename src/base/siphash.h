/* siphash.h -- SipHash-2-4, a keyed hash for tables whose keys a peer chooses. */
#ifndef PLUTO_BASE_SIPHASH_H
#define PLUTO_BASE_SIPHASH_H

#include "base/span.h"

/* 64 bits of hash of s under a 16-octet key. */
uint64_t siphash(const uint8_t key[16], struct span s);

#endif
