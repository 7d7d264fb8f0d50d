/* udp.h -- the UDP sockets of IKE: one for each public address and port. */
#ifndef PLUTO_DAEMON_UDP_H
#define PLUTO_DAEMON_UDP_H

#include <uv.h>

#include "base/addr.h"
#include "base/text.h"

struct udp;

struct udp_events {
	void *ctx;
	void (*datagram)(void *ctx, const struct endpoint *local, const struct endpoint *remote,
			 struct span datagram);
	/* The error queue: a datagram to remote did not arrive. */
	void (*unreachable)(void *ctx, const struct endpoint *remote, const char *detail);
};

struct udp *udp_new(uv_loop_t *loop, struct udp_events events);

enum udp_kind {
	UDP_PLAIN,		/* nothing but IKE */
	UDP_MARKED,		/* IKE behind a marker, among ESP and keepalives, which never come up here (RFC 3948 2) */
	UDP_MARKED_KERNEL,	/* the same, and the kernel takes ESP off that socket */
};

/* A socket on this address and port; nothing happens when there is one already.  False with the reason and the remedy. */
bool udp_open(struct udp *u, const struct endpoint *local, enum udp_kind kind, struct text *why);

/* Close the sockets whose address and port are not among the n given; n 0 closes all. */
void udp_keep(struct udp *u, const struct endpoint *locals, size_t n);

/* Never waits.  What the system refuses is reported by `unreachable`, later. */
void udp_send(struct udp *u, const struct endpoint *local, const struct endpoint *remote,
	      struct span datagram);

/* A NAT-keepalive (RFC 3948 2.3). */
void udp_keepalive(struct udp *u, const struct endpoint *local, const struct endpoint *remote);

/* Closes everything; the loop must run once more before u is gone. */
void udp_free(struct udp *u);

/* Whether this process may bind the port at all: false with the reason and the remedy. */
bool udp_allowed(uint16_t port, struct text *why);

#endif
