/* ike.h -- the whole of IKE behind one object: connections, exchanges, rekeying. */
#ifndef PLUTO_IKE_IKE_H
#define PLUTO_IKE_IKE_H

#include "ike/host.h"

struct ike;

struct ike_ports {		/* of UDP, ours */
	uint16_t ike;
	uint16_t natt;			/* of IKE and ESP behind NATs; 0 = no NAT traversal */
	uint32_t keepalive;		/* seconds of silence after which a NAT is reminded of us; 0 = never */
};

struct ike_config {
	struct ike_host host;
	struct kernel kernel;		/* may be replaced by ike_set_kernel before the first use */
	struct secrets secrets;
	uint32_t debug;			/* mask of debug classes */
	bool key_logging;		/* whack may select the class private */
	const char *updown;		/* default updown command */
	bool insecure_dnskeys;		/* keys from the DNS are good without proof by DNSSEC */
	struct ike_ports ports;
};

/* now: milliseconds of a clock that never goes back; wall: seconds since 1970, for lines of status. */
struct ike *ike_new(const struct ike_config *config);
void ike_set_kernel(struct ike *ike, struct kernel kernel);
void ike_free(struct ike *ike);

/* A datagram that arrived on one of our sockets. */
void ike_datagram(struct ike *ike, uint64_t now, const struct endpoint *local,
		  const struct endpoint *remote, struct span datagram);

/* The kernel's error queue says a datagram of ours was not delivered. */
void ike_unreachable(struct ike *ike, uint64_t now, const struct endpoint *remote, const char *detail);

/* A command of whack: one frame of the control protocol without its length.
 * client names the whack in replies; it is answered until host.finish. */
void ike_command(struct ike *ike, uint64_t now, uint32_t client, struct span frame);

/* The whack hung up: nothing more is sent to it, what it started goes on. */
void ike_client_gone(struct ike *ike, uint32_t client);

/* A job given to host.submit has run (called from the loop's thread). */
void ike_job_done(struct ike *ike, uint64_t now, struct ike_job *job);

/* The answer to a host.lookup. */
void ike_lookup_done(struct ike *ike, uint64_t now, uint32_t token, const struct lookup_result *r);

/* When ike_tick is wanted: a time of the clock `now`, UINT64_MAX = never. */
uint64_t ike_deadline(const struct ike *ike);
void ike_tick(struct ike *ike, uint64_t now);

/* The events that a kernel backend reports; pass as struct kernel_events with ctx = ike.
 * ike_clock(now) must be called first in each turn of the loop that may deliver events. */
struct kernel_events ike_kernel_events(struct ike *ike);
void ike_clock(struct ike *ike, uint64_t now);

/* Before ike_shutdown: what the kernel has stays there, and nobody but it is told.  NULL, or why that cannot be (in ike's
 * arena). */
const struct refusal *ike_leave(struct ike *ike);

/* Tear everything down: Delete to the peers unless quiet, SAs, eroutes, routes; then host.stopped. */
void ike_shutdown(struct ike *ike, uint64_t now, bool quiet);

#endif
