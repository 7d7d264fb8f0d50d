/* udp.c -- UDP in batches, with the details of ICMP errors from the socket's error queue. */
#include "daemon/udp.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "daemon/log.h"
#include "generated/limits.h"
#include "kernel/xfrm.h"

#define BATCH 16		/* datagrams of one system call */
#define BATCHES 4		/* system calls before everybody else has a turn */
#define DATAGRAM 65536
#define PENDING 64		/* send errors that wait to be reported */

struct udp_socket {
	struct udp *udp;
	uv_poll_t poll;
	int fd;
	struct endpoint local;
	enum udp_kind kind;
	struct udp_socket *next;
};

struct udp {
	uv_loop_t *loop;
	struct udp_events events;
	struct udp_socket *sockets;
	size_t open;		/* handles that are not closed yet */
	bool freed;
	uv_async_t async;	/* there are pending send errors */
	struct { struct endpoint remote; int error; } pending[PENDING];
	size_t n_pending;
	uint8_t *room;		/* BATCH datagrams */
};

/* ---- errors ------------------------------------------------------------------- */

/* In words what ICMP says of a destination (RFC 792, RFC 4443). */
static void describe(struct text *t, const struct sock_extended_err *e, const struct sockaddr *from)
{
	struct sockaddr_storage ss = { 0 };
	struct ip_addr offender;
	char room[ADDR_TEXT];

	text_add(t, "%s", strerror((int)e->ee_errno));
	if (e->ee_origin == SO_EE_ORIGIN_LOCAL) {
		text_add(t, " (found by this host)");
		return;
	}
	text_add(t, " (%s type %u code %u", e->ee_origin == SO_EE_ORIGIN_ICMP6 ? "ICMPv6" : "ICMP",
		 e->ee_type, e->ee_code);
	if (from->sa_family == AF_INET || from->sa_family == AF_INET6) {
		memcpy(&ss, from, from->sa_family == AF_INET ? sizeof(struct sockaddr_in) :
							       sizeof(struct sockaddr_in6));
		offender = endpoint_from_sockaddr(&ss).addr;
		text_add(t, " from %s", addr_format(&offender, room));
	}
	text_add(t, ")");
}

static bool one_error(struct udp_socket *s)
{
	union {
		char room[512];
		struct cmsghdr align;
	} control;
	struct sockaddr_storage to = { 0 };
	struct msghdr m = {
		.msg_name = &to, .msg_namelen = sizeof(to),
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct endpoint remote;
	char room[160];
	struct text t = text_on(room, sizeof(room));

	if (recvmsg(s->fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return false;
	remote = endpoint_from_sockaddr(&to);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c)) {
		struct sock_extended_err e;
		struct sockaddr_storage from = { 0 };
		size_t have = c->cmsg_len - CMSG_LEN(0);

		if (!(c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) &&
		    !(c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
			continue;
		if (have < sizeof(e))
			continue;
		memcpy(&e, CMSG_DATA(c), sizeof(e));
		have -= sizeof(e);
		memcpy(&from, (const uint8_t *)CMSG_DATA(c) + sizeof(e),
		       have < sizeof(from) ? have : sizeof(from));
		describe(&t, &e, (struct sockaddr *)&from);
	}
	if (!addr_is_none(&remote.addr))
		s->udp->events.unreachable(s->udp->events.ctx, &remote, room);
	return true;
}

static void read_errors(struct udp_socket *s)
{
	int error;
	socklen_t n = sizeof(error);

	for (int i = 0; i < BATCH * BATCHES && one_error(s); i++)
		;
	getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &n);	/* takes it from the socket */
}

/* ---- input -------------------------------------------------------------------- */

static const uint8_t marker[LIMIT_NATT_MARKER];

/* What else comes there is not for us: the filter lets it through only if it could not be attached. */
static bool take_marker(struct span *datagram)
{
	if (!span_eq(span_sub(*datagram, 0, sizeof(marker)), span_of(marker, sizeof(marker))))
		return false;
	*datagram = span_from(*datagram, sizeof(marker));
	return true;
}

static int read_batch(struct udp_socket *s)
{
	struct sockaddr_storage from[BATCH];
	struct iovec iov[BATCH];
	struct mmsghdr m[BATCH];
	struct udp *u = s->udp;
	int n;

	memset(m, 0, sizeof(m));
	for (size_t i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ .iov_base = u->room + i * DATAGRAM, .iov_len = DATAGRAM };
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
		m[i].msg_hdr.msg_name = &from[i];
		m[i].msg_hdr.msg_namelen = sizeof(from[i]);
	}
	n = recvmmsg(s->fd, m, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		struct endpoint remote = endpoint_from_sockaddr(&from[i]);
		struct endpoint local = s->local;
		struct span datagram = span_of(iov[i].iov_base, m[i].msg_len);

		if (s->kind != UDP_PLAIN && !take_marker(&datagram))
			continue;
		u->events.datagram(u->events.ctx, &local, &remote, datagram);
		if (s->fd < 0)
			return 0;	/* closed by what the datagram did */
	}
	return n;
}

static void readable(uv_poll_t *poll, int status, int events)
{
	struct udp_socket *s = poll->data;

	if (status < 0) {	/* an error waits; libuv has stopped looking */
		read_errors(s);
		if (s->fd >= 0)
			uv_poll_start(poll, UV_READABLE, readable);
		return;
	}
	if ((events & UV_READABLE) == 0)
		return;
	for (int i = 0; i < BATCHES; i++)
		if (read_batch(s) < BATCH)
			break;
	if (s->fd >= 0)
		read_errors(s);
}

/* ---- output ------------------------------------------------------------------- */

static void report_pending(uv_async_t *async)
{
	struct udp *u = async->data;
	char room[160];

	while (u->n_pending != 0) {
		struct endpoint remote = u->pending[--u->n_pending].remote;

		snprintf(room, sizeof(room), "%s (found by this host)",
			 strerror(u->pending[u->n_pending].error));
		u->events.unreachable(u->events.ctx, &remote, room);
	}
}

static struct udp_socket *find(const struct udp *u, const struct endpoint *local)
{
	struct udp_socket *s = u->sockets;

	while (s != NULL && !endpoint_eq(&s->local, local))
		s = s->next;
	return s;
}

/* The parts one after the other in one datagram. */
static void transmit(struct udp_socket *s, const struct endpoint *remote, struct iovec *parts, size_t n)
{
	struct udp *u = s->udp;
	struct sockaddr_storage to;
	socklen_t len = endpoint_to_sockaddr(remote, &to);
	struct msghdr m = { .msg_name = &to, .msg_namelen = len, .msg_iov = parts, .msg_iovlen = n };

	/* An error of an earlier datagram may be in the way once; it stays in the error queue. */
	for (int tries = 0; tries < 2; tries++) {
		if (sendmsg(s->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			return;
		if (errno != ECONNREFUSED && errno != EHOSTUNREACH && errno != EINTR)
			break;
	}
	if (errno == EAGAIN || errno == ENOBUFS || u->n_pending == PENDING)
		return;		/* as if lost on the way: it will be sent again */
	u->pending[u->n_pending].remote = *remote;
	u->pending[u->n_pending++].error = errno;
	uv_async_send(&u->async);
}

void udp_send(struct udp *u, const struct endpoint *local, const struct endpoint *remote,
	      struct span datagram)
{
	struct udp_socket *s = find(u, local);
	struct iovec parts[2] = {
		{ .iov_base = (void *)marker, .iov_len = sizeof(marker) },
		{ .iov_base = (void *)datagram.p, .iov_len = datagram.n },
	};

	if (s == NULL)
		return;		/* the interface went away; --listen says so */
	if (s->kind == UDP_PLAIN)
		transmit(s, remote, parts + 1, 1);
	else
		transmit(s, remote, parts, 2);
}

void udp_keepalive(struct udp *u, const struct endpoint *local, const struct endpoint *remote)
{
	struct udp_socket *s = find(u, local);
	uint8_t octet = LIMIT_NATT_KEEPALIVE;
	struct iovec part = { .iov_base = &octet, .iov_len = 1 };

	if (s != NULL && s->kind != UDP_PLAIN)
		transmit(s, remote, &part, 1);
}

/* ---- sockets ------------------------------------------------------------------ */

#define UDP_HEADER 8

/* Only what has the marker is for us.  ESP, of which klips takes a copy elsewhere, and keepalives end here. */
static void let_only_ike_in(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, UDP_HEADER),	/* what is shorter is dropped */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
}

static int bound(const struct endpoint *local)
{
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(local, &ss);
	int one = 1, fd;

	fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (ss.ss_family == AF_INET6) {
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &one, sizeof(one));
	} else {
		setsockopt(fd, IPPROTO_IP, IP_RECVERR, &one, sizeof(one));
	}
	kernel_xfrm_bypass(fd, ss.ss_family == AF_INET6);
	/* No SO_REUSEADDR: for UDP it would let a second daemon take our datagrams. */
	if (bind(fd, (struct sockaddr *)&ss, len) != 0) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

static void explain(struct text *why, const struct endpoint *local, enum udp_kind kind, int error)
{
	const char *option = kind == UDP_PLAIN ? "--ikeport" : "--nattport";
	char room[ADDR_TEXT];

	text_add(why, "cannot listen on %s, UDP port %u: %s", addr_format(&local->addr, room), local->port,
		 strerror(error));
	if (error == EADDRINUSE)
		text_add(why, "; end the other IKE daemon, or start pluto with another %s", option);
	else if (error == EACCES || error == EPERM)
		text_add(why, "; run pluto as root, or with %s 8500 or another above 1023", option);
	else if (error == EADDRNOTAVAIL && local->addr.len == 16)
		text_add(why, "; it is no address of this host, or is still being checked for duplicates: "
			      "repeat whack --listen in a moment");
	else if (error == EADDRNOTAVAIL)
		text_add(why, "; it is no address of this host: set the interface up first");
}

bool udp_allowed(uint16_t port, struct text *why)
{
	static const uint8_t loopback[] = { 127, 0, 0, 1 };
	struct endpoint a = { .addr = addr_from_bytes(span_of(loopback, sizeof(loopback))), .port = port };
	int fd = bound(&a);

	if (fd >= 0)
		close(fd);
	else if (errno == EACCES || errno == EPERM) {
		text_add(why, "pluto may not use UDP port %u: %s; run it as root, or with "
			      "--ikeport 8500 or another above 1023", port, strerror(errno));
		return false;
	}
	return true;
}

static void closed(uv_handle_t *h)
{
	struct udp_socket *s = h->data;
	struct udp *u = s->udp;

	free(s);
	u->open--;
	if (u->freed && u->open == 0) {
		free(u->room);
		free(u);
	}
}

static void async_closed(uv_handle_t *h)
{
	struct udp *u = h->data;

	u->open--;
	if (u->freed && u->open == 0) {
		free(u->room);
		free(u);
	}
}

static void close_socket(struct udp_socket *s)
{
	uv_poll_stop(&s->poll);
	close(s->fd);
	s->fd = -1;
	uv_close((uv_handle_t *)&s->poll, closed);
}

/* ESP is taken off the socket by the kernel, or nobody takes it. */
static bool prepare(int fd, const struct endpoint *local, enum udp_kind kind, struct text *why)
{
	if (kind != UDP_PLAIN)
		let_only_ike_in(fd);
	if (kind != UDP_MARKED_KERNEL || kernel_xfrm_encap(fd))
		return true;
	text_add(why, "the kernel takes no ESP in UDP on port %u: %s; use --kernel klips",
		 local->port, strerror(errno));
	return false;
}

bool udp_open(struct udp *u, const struct endpoint *local, enum udp_kind kind, struct text *why)
{
	struct udp_socket *s;
	int fd;

	if (find(u, local) != NULL)
		return true;
	fd = bound(local);
	if (fd < 0) {
		explain(why, local, kind, errno);
		return false;
	}
	if (!prepare(fd, local, kind, why)) {
		close(fd);
		return false;
	}
	s = NEW(struct udp_socket);
	*s = (struct udp_socket){ .udp = u, .fd = fd, .local = *local, .kind = kind, .next = u->sockets };
	if (uv_poll_init(u->loop, &s->poll, fd) != 0) {
		explain(why, local, kind, EMFILE);
		close(fd);
		free(s);
		return false;
	}
	s->poll.data = s;
	u->sockets = s;
	u->open++;
	uv_poll_start(&s->poll, UV_READABLE, readable);
	return true;
}

void udp_keep(struct udp *u, const struct endpoint *locals, size_t n)
{
	struct udp_socket **link = &u->sockets;

	while (*link != NULL) {
		struct udp_socket *s = *link;
		bool keep = false;

		for (size_t i = 0; i < n && !keep; i++)
			keep = endpoint_eq(&locals[i], &s->local);
		if (keep) {
			link = &s->next;
			continue;
		}
		*link = s->next;
		close_socket(s);
	}
}

struct udp *udp_new(uv_loop_t *loop, struct udp_events events)
{
	struct udp *u = NEW(struct udp);

	u->loop = loop;
	u->events = events;
	u->room = xcalloc(BATCH, DATAGRAM);
	u->open = 1;
	uv_async_init(loop, &u->async, report_pending);
	u->async.data = u;
	return u;
}

void udp_free(struct udp *u)
{
	if (u == NULL)
		return;
	udp_keep(u, NULL, 0);
	u->freed = true;
	uv_close((uv_handle_t *)&u->async, async_closed);
}
