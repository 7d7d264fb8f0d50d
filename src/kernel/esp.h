/* esp.h -- ESP, AH and IPComp: working on one packet with one SA, and undoing it (RFC 4303, 4302, 3173).
 * Pure: no I/O, no clock, no allocation. */
#ifndef PLUTO_KERNEL_ESP_H
#define PLUTO_KERNEL_ESP_H

#include "kernel/packet.h"
#include "kernel/sadb.h"
#include "kernel/verdict.h"

#define ESP_HEADER 8		/* SPI and sequence number */
#define ESP_TRAILER 2		/* pad length and next header */
#define AH_HEADER 12		/* without the ICV */

/* Protect the IP packet in k, whose header f describes: in tunnel mode the innermost SA of a bundle puts a
 * new header from sa->src to sa->id.dst before it, with TOS and DF of the inner one (RFC 4301 5.1.2.1).
 * random: octets for the IV, at least sa->iv.  id: the header's identification if it has none; not 0.
 * VERDICT_SEND, or why not; k is unspecified then. */
enum verdict sa_seal(struct sa *sa, struct packet *k, const struct flow *f, const uint8_t *random,
		     uint16_t id);

/* Undo it: k holds the whole IP packet, f describes its header, whose protocol (after UDP
 * encapsulation) is the SA's.  VERDICT_DELIVER: k holds the inner packet (tunnel) or the packet as
 * it was (transport).  *more: what k holds now is for the next SA of the bundle, sa->inwards.  The caller checks
 * selectors.  Counts replays and forgeries in the SA. */
enum verdict sa_open(struct sa *sa, struct packet *k, const struct flow *f, bool *more);

/* Octets of the largest packet that sealed is at most limit octets; 0 = none fits. */
size_t sa_room(const struct sa *sa, size_t limit);

/* Octets that a packet of n octets has when sealed. */
size_t sa_sealed(const struct sa *sa, size_t n);

/* The SPI of the ESP or AH header at the start of s, or IPComp's CPI; 0 when it is cut off. */
uint32_t sa_read_spi(struct span s, uint8_t protocol);

#endif
