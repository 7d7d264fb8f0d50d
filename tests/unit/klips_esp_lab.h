/* klips_esp_lab.h -- two datapaths over IPv4 with one SA from us to the peer. */
#ifndef PLUTO_UNIT_KLIPS_ESP_LAB_H
#define PLUTO_UNIT_KLIPS_ESP_LAB_H

#include "klips_lab.h"

#define ME "192.0.2.1"
#define PEER "192.0.2.2"

struct choice { enum alg cipher; size_t key; enum alg mac; };

#define N_CHOICES 11
extern const struct choice choices[N_CHOICES];
#define IS_AH(c) ((c)->cipher == ALG_NONE)

extern uint8_t room[PACKET_ROOM];	/* of the packet that a test is about */
extern struct datapath us, them;

/* The last flow that a trap reported, and how many it did since begin. */
extern struct flow acquired;
extern unsigned acquires;
void on_acquire(void *ctx, const struct eroute *e, const struct flow *f);

/* An SA from us to the peer; its keys are the same each time. */
struct kernel_sa sa_from_me(const struct choice *c, bool tunnel, bool inbound);

/* Us and them, joined by the SA. */
void begin(const struct kernel_sa *sa);
void end(void);

/* A UDP packet of n octets in all, in `room`; inside: between the clients, or in transport mode the hosts. */
struct packet udp(const char *src, const char *dst, size_t n);
struct packet inside(bool tunnel, size_t n);

#endif
