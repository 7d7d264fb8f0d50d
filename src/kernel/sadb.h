/* sadb.h -- the security associations that the datapath holds (RFC 4301 4.4.2). */
#ifndef PLUTO_KERNEL_SADB_H
#define PLUTO_KERNEL_SADB_H

#include "crypto/cipher.h"
#include "generated/reasons.h"
#include "ike/kernel.h"
#include "kernel/held.h"
#include "kernel/replay.h"

#include <uthash.h>

#define SADB_KEY (16 + 1 + 1 + 4)	/* address, its length, protocol, SPI */

struct sa {
	struct sa_id id;
	struct ip_addr src;
	bool larval;		/* only the SPI is taken: no keys yet */
	struct held early;	/* inbound packets that came before the keys */
	bool inbound, tunnel;
	bool exhausted;		/* the sequence numbers or octets are used up */
	bool aged;		/* ... nearly: that was told */
	struct kernel_life soft, hard;	/* of these, octets and packets count here */
	bool inner_tunnel;	/* of the innermost of its bundle, maybe itself */
	uint8_t outwards, inwards;	/* protocols of its neighbours in a bundle, 0 = none */
	struct transform *transform;	/* owned; NULL while larval, and of IPComp */
	struct ipcomp *comp;	/* of IPComp: the table's */
	size_t iv, icv, align;
	bool counter_iv;	/* IV is the sequence number, else random */
	uint32_t seq;		/* last one sent */
	struct replay replay;
	struct subnet src_client, dst_client;
	uint8_t client_protocol;
	uint16_t src_port, dst_port;
	uint16_t encap_sport, encap_dport;
	uint32_t reqid;
	unsigned device;	/* index of the ipsecN that inbound packets come out of */
	uint16_t pmtu;		/* octets of the path as told by ICMP, 0 = not told */
	uint64_t born, pmtu_at;	/* seconds */
	uint64_t mapping_told;	/* milliseconds: when pluto was told that packets come from elsewhere */
	struct kernel_counts counts;
	uint8_t key[SADB_KEY];
	UT_hash_handle hh;
};

struct sadb;

/* An empty table; hash_key keeps peers from choosing SPIs that share a bucket. */
struct sadb *sadb_new(const uint8_t hash_key[16]);
void sadb_free(struct sadb *db);	/* with all its SAs; NULL is harmless */

size_t sadb_count(const struct sadb *db);

/* The SA, maybe larval; NULL when there is none.  O(1). */
struct sa *sadb_find(const struct sadb *db, const struct sa_id *id);

/* Take an unused SPI from lo to hi for a larval SA, beginning the search at `draw`, a random number.
 * REASON_NONE and *spi, or why not. */
enum reason sadb_reserve(struct sadb *db, const struct ip_addr *dst, uint8_t protocol, uint32_t lo,
			 uint32_t hi, uint32_t draw, uint64_t now, uint32_t *spi);

/* Keep a packet that came for a larval SA: a peer may use the SA before its answer, which the keys follow from, is here. */
void sadb_hold(struct sadb *db, struct sa *sa, struct span packet, uint64_t now_ms);

/* The oldest of those packets, for the caller to free; NULL when there is none. */
struct held_packet *sadb_release(struct sadb *db, struct sa *sa, uint64_t now_ms);

/* Enter an SA; a larval one with the same id gives way, and leaves it what was kept.  Keys are copied.  now in seconds.
 * REASON_NONE, or why not (nothing is changed then). */
enum reason sadb_add(struct sadb *db, const struct kernel_sa *sa, unsigned device, uint64_t now);

/* The peer of an SA is elsewhere: the source of what comes in, the destination (and with it the name of the SA) of what
 * goes out, and the port there if the SA has UDP encapsulation.  REASON_NONE, or why not: then it is deleted. */
enum reason sadb_move(struct sadb *db, const struct sa_id *id, bool inbound, const struct endpoint *peer);

/* False when there is no such SA.  *counts takes its last counts. */
bool sadb_del(struct sadb *db, const struct sa_id *id, struct kernel_counts *counts);

/* Forget larval SAs that nobody completed for so many seconds. */
void sadb_expire_larval(struct sadb *db, uint64_t now, uint64_t age);

/* Does an inner packet's flow lie within the SA's selectors (RFC 4301 5.2 step 4)? */
struct flow;
bool sa_selects(const struct sa *sa, const struct flow *f);

/* "esp.00001000@192.0.2.1" into dst. */
#define SA_TEXT (ADDR_TEXT + 24)
char *sa_format(const struct sa_id *id, char dst[SA_TEXT]);

#endif
