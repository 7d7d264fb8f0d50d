/* host.h -- what ike asks of the program it runs in: the daemon, a test, a simulation, a replay.
 *
 * ike owns no socket, clock, file, thread or random source.  Every call into ike carries
 * the time; every effect leaves through this table.  Nothing here may call back into ike
 * before it returns, except where it says so. */
#ifndef PLUTO_IKE_HOST_H
#define PLUTO_IKE_HOST_H

#include "base/addr.h"
#include "ike/kernel.h"
#include "ike/secrets.h"

struct ike_job {		/* slow work without side effects, fit for a worker thread */
	void (*run)(struct ike_job *job);
	uint32_t token;		/* for ike_job_done */
};

enum log_level {		/* in the order of urgency */
	LOG_DEBUG_LINE,		/* of one of the debug classes; printed after "| " */
	LOG_PLAIN,		/* what an operator reads */
	LOG_SERIOUS,		/* needs an operator */
};

struct log_event {
	enum log_level level;
	uint32_t debug_class;	/* bit of debug_classes, 0 for other levels */
	const char *connection;	/* "name" or "name[3]"; NULL = none */
	uint64_t serial;	/* of the state object, 0 = none */
	const char *peer;	/* "192.0.2.2:500"; NULL = none */
	const char *reason;	/* stable name of the reason, or NULL */
	const char *text;	/* one line, already safe to print */
	const char *remedy;	/* or NULL */
};

struct listen_result {
	size_t n_interfaces;
	const struct kernel_interface *interfaces;	/* valid during the call */
	const char *const *lines;	/* what to tell whack (secrets read, trouble), NULL at the end */
	bool ok;
	const char *why;		/* when not ok */
};

/* Keys of an SA, for a reader of captures; given only when the operator asked for it. */
struct sa_keys {
	bool ike;			/* an ISAKMP SA, else an IPsec SA */
	struct span icookie;
	struct span cipher_key;
	struct span mac_key;
	enum alg cipher, mac;
	struct ip_addr src, dst;
	uint8_t protocol;
	uint32_t spi;
};

/* The records of one name and type in the DNS. */
struct lookup_result {
	bool ok;			/* there was an answer, maybe without records */
	bool validated;			/* DNSSEC proves it */
	const char *why;		/* when not ok, or not validated */
	uint32_t ttl;			/* seconds that it may be used for */
	size_t n;
	const struct span *rdata;	/* of each record; valid during the call */
};

struct ike_host {
	void *ctx;
	/* On a port of NAT traversal the octets that tell IKE from ESP are added, as they are taken off what comes. */
	void (*send)(void *ctx, const struct endpoint *local, const struct endpoint *remote,
		     struct span datagram);
	/* One octet that reminds a NAT of us (RFC 3948 2.3). */
	void (*keepalive)(void *ctx, const struct endpoint *local, const struct endpoint *remote);
	void (*submit)(void *ctx, struct ike_job *job);	/* runs it, then calls ike_job_done */
	void (*random)(void *ctx, void *p, size_t n);
	void (*log)(void *ctx, const struct log_event *event);
	/* Open sockets on the public interfaces and read the secrets anew; close them. */
	void (*listen)(void *ctx, struct listen_result *out);
	void (*unlisten)(void *ctx);
	/* A line for the whack `client`, and the end of its request. */
	void (*reply)(void *ctx, uint32_t client, uint16_t status, const char *line);
	void (*finish)(void *ctx, uint32_t client);
	void (*keys)(void *ctx, const struct sa_keys *keys);	/* NULL = not wanted */
	/* Ask the DNS for records of a dns_type; answered later by exactly one ike_lookup_done.
	 * NULL = cannot be done, and no_lookup says why. */
	void (*lookup)(void *ctx, uint32_t token, const char *name, uint16_t type);
	const char *no_lookup;
	void (*stopped)(void *ctx);	/* shutdown is complete: the loop may end */
};

#endif
