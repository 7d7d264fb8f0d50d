/* datapath.h -- from a packet to what is to be done with it: the eroutes and SAs put together.
 * Pure: packets, time and random octets come in; what is to be sent goes out by the caller. */
#ifndef PLUTO_KERNEL_DATAPATH_H
#define PLUTO_KERNEL_DATAPATH_H

#include "generated/limits.h"
#include "kernel/eroute.h"
#include "kernel/esp.h"
#include "kernel/reassembly.h"

#define DEVICE_NONE UINT32_MAX

struct device {			/* an ipsecN and the interface below it */
	char name[16];		/* "" = not in use */
	char real[16];
	struct ip_addr addrs[LIMIT_KLIPS_ADDRESSES];	/* of the real interface, of both families */
	size_t n_addrs;
	size_t mtu;		/* of the real interface */
};

struct datapath {
	struct sadb *sas;
	struct eroutes *eroutes;
	struct reassembly *reassembly;	/* of what this host sends */
	struct device devices[LIMIT_KLIPS_DEVICES];
	uint16_t holes[LIMIT_KLIPS_HOLES];	/* UDP ports of IKE: our own packets from them pass */
	size_t n_holes;
	uint64_t now_ms;	/* monotonic; set by the caller before a batch */
	uint64_t counts[VERDICT_COUNT];
	uint16_t ip_id;
	uint64_t acquire_second;
	unsigned acquires;	/* reported in that second */
	uint8_t pool[1024];	/* random octets for IVs */
	size_t pool_left;
	void *ctx;
	void (*random)(void *ctx, void *p, size_t n);
	void (*acquire)(void *ctx, const struct eroute *e, const struct flow *f);
	void (*mapping)(void *ctx, const struct sa_id *id, const struct endpoint *from);	/* or NULL */
	void (*expired)(void *ctx, const struct sa *sa, bool hard);	/* NULL = nobody asks */
};

struct path {			/* where a packet goes */
	unsigned device;
	struct ip_addr dst;	/* of the outermost header */
	size_t mtu;		/* SEND, PASS: fragment to this; TOO_BIG: what the inside may send */
	struct sa_id sa;	/* the SA that a drop was about; spi 0 = none */
};

void datapath_init(struct datapath *d, void *ctx, void (*random)(void *ctx, void *p, size_t n),
		   void (*acquire)(void *ctx, const struct eroute *e, const struct flow *f));
void datapath_free(struct datapath *d);

/* The index of the device with that name, or DEVICE_NONE. */
unsigned datapath_device(const struct datapath *d, const char *name);

/* A packet that the host sent into an ipsecN.  VERDICT_SEND or VERDICT_PASS: k goes out; it may then stand
 * in memory of d. */
enum verdict datapath_out(struct datapath *d, unsigned device, struct packet *k, struct path *path);

/* A packet with ESP, AH or ESP in UDP that came for us.  VERDICT_DELIVER: k goes into path->device. */
enum verdict datapath_in(struct datapath *d, struct packet *k, struct path *path);

/* A router says that packets of this SA must be smaller (RFC 4301 8.2.1).  It proves nothing of itself,
 * so it is believed only within bounds.  False when there is no such SA or nothing changed. */
bool datapath_path_mtu(struct datapath *d, const struct sa_id *id, size_t mtu);

#endif
