/* klips_process.h -- the klips process: what its parts know of each other. */
#ifndef PLUTO_KERNEL_KLIPS_PROCESS_H
#define PLUTO_KERNEL_KLIPS_PROCESS_H

#include "base/arena.h"
#include "kernel/datapath.h"

#define KLIPS_CONTROL_FD 3	/* the stream socket to pluto */

struct port {			/* the descriptors of one device; -1 = none */
	int tun;
	int out;		/* raw, bound to the real interface: what is sent there is not routed anew */
	int out6;		/* the same for IPv6 */
};

/* Raw sockets; those of IPv6 are -1 where the system has none. */
enum klips_socket {
	SOCKET_ESP, SOCKET_AH, SOCKET_UDP,	/* on which protected packets come in */
	SOCKET_PLAIN,				/* bound to nothing: for ICMP to the inside */
	SOCKET_ESP6, SOCKET_AH6, SOCKET_UDP6,
	SOCKET_PLAIN6,				/* takes ICMPv6 alone, to which the system adds the header */
	SOCKETS
};

struct klips {
	struct datapath d;
	struct port ports[LIMIT_KLIPS_DEVICES];
	int control, opener;
	int sockets[SOCKETS];
	unsigned natt_port;	/* UDP port that the filters of SOCKET_UDP and SOCKET_UDP6 let through, 0 = none */
	bool natt_any;		/* several are in use: the filters let all through */
	struct arena *arena;	/* of one request */
	uint8_t in[LIMIT_KLIPS_FRAME + 4];	/* octets of requests not complete yet */
	size_t in_n;
	uint8_t *out;		/* answers that the socket did not take yet */
	size_t out_n, out_cap;
	uint64_t told[VERDICT_COUNT];	/* milliseconds: last log line about drops of that kind */
	uint64_t untold[VERDICT_COUNT];	/* drops since */
	uint64_t larval_checked;	/* seconds */
	bool quit;		/* pluto ended the process in order */
	bool gone;		/* pluto is gone */
	bool nonsense;		/* it could not be understood */
};

/* ---- klips_wire.c: requests and answers ---- */

void wire_readable(struct klips *k);
void wire_writable(struct klips *k);
void wire_log(struct klips *k, const char *line);
void wire_acquire(struct klips *k, const struct eroute *e, const struct flow *f);
void wire_mapping(struct klips *k, const struct sa_id *id, const struct endpoint *from);
void wire_expired(struct klips *k, const struct sa *sa, bool hard);
bool wire_full(const struct klips *k);	/* no more requests until answers are read */

/* ---- klips_io.c: packets ---- */

void io_tun(struct klips *k, unsigned device);		/* packets from the host */
void io_release(struct klips *k, struct eroute *e);	/* packets that waited for an SA */
void io_receive_early(struct klips *k, struct sa *sa);	/* ... for its keys */
void io_raw(struct klips *k, enum klips_socket s);		/* packets from the net */
void io_errors(struct klips *k, enum klips_socket s);		/* what ICMP said of ours */
bool io_filter(struct klips *k, uint16_t port);		/* let ESP in UDP to that port in */

/* ---- klips_opener.c: the only part that keeps privileges ---- */

struct opened {
	enum reason bad;	/* REASON_NONE = done */
	int error;		/* errno behind it, 0 = none */
	struct ip_addr addrs[LIMIT_KLIPS_ADDRESSES];
	size_t n_addrs;
	size_t mtu;
	unsigned n;		/* descriptors */
	int fds[SOCKETS];
	bool have[SOCKETS];	/* which of those that were asked for they are, in this order */
};

/* Start the process that opens devices and sockets; the descriptor to ask it, or -1. */
int opener_start(void);

/* The raw sockets, in the order of enum klips_socket. */
bool opener_sockets(int opener, struct opened *out);

/* An ipsecN on a real interface: fds are out, out6 and, unless have_tun, tun. */
bool opener_attach(int opener, const char *virtual_, const char *real, bool have_tun,
		   struct opened *out);

/* The descriptors that came, to their places; -1 for those that did not. */
void opened_take(const struct opened *o, int *fds, size_t n);

/* ---- klips_sandbox.c: giving up privileges ---- */

/* The datapath keeps nothing: another user, no capability, few system calls.  What could not be given
 * up is told by *why (a line for the log), which is NULL when all is well. */
void sandbox_datapath(const char **why);

/* The opener keeps CAP_NET_ADMIN and CAP_NET_RAW. */
void sandbox_opener(const char **why);

#endif
