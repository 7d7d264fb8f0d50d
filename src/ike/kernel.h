/* kernel.h -- what ike asks of whatever carries the protected packets.
 *
 * Backends in src/kernel/ implement struct kernel_ops.  Every request is asynchronous:
 * it takes a token and is answered by exactly one kernel_done with that token, maybe
 * before the call returns, unless it says "no answer".  Nothing here blocks. */
#ifndef PLUTO_IKE_KERNEL_H
#define PLUTO_IKE_KERNEL_H

#include "base/addr.h"
#include "generated/algorithms.h"

struct sa_id {			/* names one SA, RFC 4301 4.1 */
	struct ip_addr dst;
	uint8_t protocol;	/* IP protocol number: ESP, AH or IPCOMP */
	uint32_t spi;		/* host order; for IPComp the CPI */
};

struct kernel_life { uint64_t seconds, octets, packets; };	/* 0 = without end */

struct kernel_sa {
	struct sa_id id;
	struct ip_addr src;
	bool inbound;
	bool tunnel;		/* else transport mode */
	bool outer;		/* around another SA of a bundle, in transport mode */
	enum alg cipher;	/* cipher or aead; ALG_NONE for AH */
	enum alg mac;		/* ALG_NONE with an aead */
	enum alg comp;		/* of IPComp; ALG_NONE for the others */
	struct span cipher_key;	/* an aead's salt follows its key (RFC 4106 8.1) */
	struct span mac_key;
	unsigned replay_window;	/* packets; at least 32 */
	struct kernel_life soft, hard;	/* the end of the one is reported, that of the other is the SA's */
	struct subnet src_client, dst_client;	/* selectors: inner packets outside are dropped */
	uint8_t client_protocol;	/* 0 = any */
	uint16_t src_port, dst_port;	/* 0 = any */
	uint16_t encap_sport, encap_dport;	/* UDP encapsulation, 0 = none */
	uint32_t reqid;		/* of the connection: groups the SAs of a bundle */
	/* Its place in a bundle: IP protocols of the SAs next to it, 0 = none.  What comes in must have come
	 * through `outwards` and go on to `inwards`; IPComp alone may be missing, as not every packet shrinks (RFC 3173 2.2). */
	uint8_t outwards, inwards;
	bool inner_tunnel;	/* the innermost SA of the bundle is in tunnel mode */
	const char *interface;	/* "ipsec0", or "" where the backend has none */
};

enum eroute_kind {
	EROUTE_TRAP,		/* drop, or hold, and report one acquire for each burst */
	EROUTE_SA,		/* protect with the SAs named, first one innermost */
	EROUTE_PASS,		/* let through in clear */
};

#define EROUTE_SAS 3		/* IPComp, ESP, AH */

struct kernel_eroute {
	struct subnet src, dst;	/* our client, the peer's client */
	uint8_t client_protocol;
	uint16_t src_port, dst_port;
	enum eroute_kind kind;
	unsigned n_sas;
	struct sa_id sas[EROUTE_SAS];
	struct ip_addr me, peer;	/* outer addresses */
	bool tunnel;
	bool hold;		/* of a trap: its last packets are kept for the SA, where the backend can */
	uint32_t reqid;
	const char *interface;
};

struct kernel_counts { uint64_t packets, bytes, replays, bad; uint64_t last_used; /* seconds of the monotonic clock, 0 = never */ };

struct kernel_result {
	bool ok;
	const char *why;	/* when not ok: what failed, fit for a log line; valid during the call */
	uint32_t spi;		/* of get_spi */
	uint8_t exit_status;	/* of an updown command that failed; 0: it was killed, or could not be started */
	struct kernel_counts counts;	/* of read_sa and del_sa */
};

/* updown: argv and environment are complete; nothing passes through a shell. */
struct updown_request {
	const char *const *argv;	/* NULL at the end */
	const char *const *env;		/* "NAME=value", NULL at the end; the only environment */
	unsigned timeout;		/* seconds, then the process group is killed */
};

struct kernel_interface {	/* a public interface on which pluto may listen */
	char real[16];		/* "eth0" */
	char virtual_[16];	/* "ipsec0", "" = none */
	struct ip_addr addr;
	bool natt;		/* the port of NAT traversal is open there */
	bool defaultroute;	/* what leaves by the default route of its family comes from there; one of a family at most */
};

struct kernel_ops {
	const char *name;
	bool compresses;	/* can do IPComp */
	bool encapsulates;	/* can do ESP in UDP */
	bool bundles_alike;	/* SAs beside each other carry only clients of the family of the hosts */
	/* Make the virtual interface stand on the real one; where there are none, just answered. */
	void (*attach)(void *k, uint32_t token, const char *virtual_, const char *real);
	/* A UDP port of IKE: what this host sends from there is never protected.  No answer. */
	void (*hole)(void *k, uint16_t port);
	void (*get_spi)(void *k, uint32_t token, const struct ip_addr *src, const struct ip_addr *dst,
			uint8_t protocol, uint32_t lo, uint32_t hi);
	void (*add_sa)(void *k, uint32_t token, const struct kernel_sa *sa);
	void (*del_sa)(void *k, uint32_t token, const struct sa_id *id);
	void (*read_sa)(void *k, uint32_t token, const struct sa_id *id);
	/* The peer at the other end of an SA with UDP encapsulation has another address or port: the destination
	 * of what goes out, which names the SA, or the source of what comes in.  One that cannot be moved is deleted. */
	void (*move_sa)(void *k, uint32_t token, const struct sa_id *id, bool inbound, const struct endpoint *peer);
	/* Adds, or atomically replaces, the eroute with the same selectors. */
	void (*set_eroute)(void *k, uint32_t token, const struct kernel_eroute *e);
	void (*del_eroute)(void *k, uint32_t token, const struct kernel_eroute *e);
	void (*updown)(void *k, uint32_t token, const struct updown_request *u);
	/* From now on what is there stays there, also when the backend is closed.  NULL: that cannot be.  No answer. */
	void (*leave)(void *k);
	void (*close)(void *k);	/* removes everything of ours; no answer */
};

struct kernel {
	const struct kernel_ops *ops;
	void *k;
};

struct kernel_acquire {
	uint32_t reqid;		/* of the eroute that is the trap */
	struct ip_addr src, dst;	/* what the packet says */
	uint8_t protocol;
	uint16_t sport, dport;	/* 0 where it shows none */
};

struct kernel_expiry {
	struct sa_id id;
	struct ip_addr src;
	bool hard;		/* nothing passes through it any more; else it is to be replaced */
};

/* What a backend calls; implemented by ike, given to the backend when it is opened. */
struct kernel_events {
	void *ctx;
	void (*done)(void *ctx, uint32_t token, const struct kernel_result *r);
	/* A packet met a trap. */
	void (*acquire)(void *ctx, const struct kernel_acquire *a);
	/* An authentic packet of an inbound SA with UDP encapsulation came from elsewhere than the SA says. */
	void (*mapping)(void *ctx, const struct sa_id *id, const struct endpoint *from);
	/* A lifetime that the SA was given has ended. */
	void (*expired)(void *ctx, const struct kernel_expiry *e);
	/* A line of an updown script, or of the backend itself. */
	void (*log)(void *ctx, const char *line);
	/* The backend is gone (its process died): nothing is protected any more. */
	void (*lost)(void *ctx, const char *why);
};

#endif
