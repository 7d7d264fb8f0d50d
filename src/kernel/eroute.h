/* eroute.h -- what is to be done with an outgoing packet, by its selectors: the most
 * specific eroute decides (longest destination, then longest source, then protocol and ports). */
#ifndef PLUTO_KERNEL_EROUTE_H
#define PLUTO_KERNEL_EROUTE_H

#include "generated/reasons.h"
#include "ike/kernel.h"
#include "kernel/held.h"

#include <uthash.h>

struct flow;

#define EROUTE_KEY (1 + 16 + 1 + 16 + 1 + 1 + 2 + 2)	/* family, dst/bits, src/bits, protocol, ports */

struct eroute {
	struct kernel_eroute is;	/* is.interface is NULL: see device */
	unsigned device;	/* index of the ipsecN whose traffic it is */
	uint64_t packets;	/* that it decided about */
	uint64_t last_trap;	/* milliseconds: when a packet last met the trap, 0 = never */
	uint64_t reported;	/* milliseconds: last acquire, 0 = never */
	struct held held;	/* packets of a trap that is to keep them */
	uint8_t key[EROUTE_KEY];
	UT_hash_handle hh;
};

struct eroutes;

struct eroutes *eroutes_new(const uint8_t hash_key[16]);
void eroutes_free(struct eroutes *t);	/* NULL is harmless */
size_t eroutes_count(const struct eroutes *t);

/* Add, or replace in one step what has the same selectors.  *added tells which. */
enum reason eroute_set(struct eroutes *t, const struct kernel_eroute *e, unsigned device, bool *added);

/* False when no eroute has exactly these selectors. */
bool eroute_del(struct eroutes *t, const struct kernel_eroute *e);

/* The eroute with exactly these selectors, or NULL. */
struct eroute *eroute_exact(const struct eroutes *t, const struct kernel_eroute *e);

/* The most specific eroute that the flow lies in, or NULL.  One probe for each combination of
 * prefix lengths in use, however many eroutes there are. */
struct eroute *eroute_lookup(const struct eroutes *t, const struct flow *f);

/* Is this the first packet of a burst at a trap, to be reported?  A burst ends with quiet_ms
 * without a packet; a burst that goes on is reported again every again_ms. */
bool eroute_burst(struct eroute *e, uint64_t now_ms, uint64_t quiet_ms, uint64_t again_ms);

/* A packet that met this trap is kept for the SA, if the trap is to do that. */
void eroute_hold(struct eroutes *t, struct eroute *e, struct span packet, uint64_t now_ms);

/* The oldest packet that e still keeps, for the caller to free; NULL when there is none. */
struct held_packet *eroute_release(struct eroutes *t, struct eroute *e, uint64_t now_ms);

#endif
