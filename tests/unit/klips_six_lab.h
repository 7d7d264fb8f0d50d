/* klips_six_lab.h -- two datapaths with one SA from us to the peer, with IPv6 outside, inside or both. */
#ifndef PLUTO_UNIT_KLIPS_SIX_LAB_H
#define PLUTO_UNIT_KLIPS_SIX_LAB_H

#include "klips_lab.h"

#define ME "2001:db8::1"
#define PEER "2001:db8::2"
#define PAD6 1, 4, 0, 0, 0, 0	/* options that fill a header of 8 octets */

struct choice { enum alg cipher; size_t key; enum alg mac; };

#define N_CHOICES 6
extern const struct choice choices[N_CHOICES];

/* What is inside and what is outside. */
struct way { bool tunnel; const char *me, *peer, *ours, *theirs, *from, *to; };

#define N_WAYS 4
extern const struct way ways[N_WAYS];

extern uint8_t room[PACKET_ROOM], other[PACKET_ROOM];	/* of packets; six() and inside() write to the first */
extern struct datapath us, them;
extern struct kernel_sa sa;				/* the one from us to them */

void begin(const struct choice *c, const struct way *w);
void end(void);

/* A packet of IPv6: the extension headers of `chain` (n octets, the first of type `first`), then `body` octets. */
struct packet six(const char *src, const char *dst, uint8_t first, const uint8_t *chain, size_t n, size_t body);

/* n octets in all, of UDP. */
struct packet inside(const struct way *w, size_t n);

#endif
