/* udp.h -- the UDP sockets of IKE: one for each public address. */
#ifndef PLUTO_DAEMON_UDP_H
#define PLUTO_DAEMON_UDP_H

#include <uv.h>

#include "base/addr.h"
#include "base/text.h"

struct udp;

struct udp_events {
	void *ctx;
	void (*datagram)(void *ctx, const struct ip_addr *local, const struct endpoint *remote,
			 struct span datagram);
	/* The error queue: a datagram to remote did not arrive. */
	void (*unreachable)(void *ctx, const struct endpoint *remote, const char *detail);
};

struct udp *udp_new(uv_loop_t *loop, uint16_t port, struct udp_events events);

/* A socket on this address; nothing happens when there is one already.  False with the reason and the remedy. */
bool udp_open(struct udp *u, const struct ip_addr *local, struct text *why);

/* Close the sockets whose address is not among the n given; n 0 closes all. */
void udp_keep(struct udp *u, const struct ip_addr *locals, size_t n);

/* Never waits.  What the system refuses is reported by `unreachable`, later. */
void udp_send(struct udp *u, const struct ip_addr *local, const struct endpoint *remote,
	      struct span datagram);

/* Closes everything; the loop must run once more before u is gone. */
void udp_free(struct udp *u);

/* Whether this process may bind the port at all: false with the reason and the remedy. */
bool udp_allowed(uint16_t port, struct text *why);

#endif
