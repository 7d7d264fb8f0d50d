/* klips_opener.c -- the small process that opens devices and sockets for the datapath.
 *
 * It keeps the privileges that the datapath gives up, and does two things only: open the raw sockets, and
 * make an ipsecN on an interface that exists.  Whatever the datapath asks is checked here. */
#include "kernel/klips_process.h"

#include "kernel/interfaces.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum ask { ASK_SOCKETS, ASK_ATTACH };

struct question {
	enum ask ask;
	bool have_tun;
	char virtual_[IFNAMSIZ], real[IFNAMSIZ];
};

#define FDS_MAX 4
#define RECEIVE_BUFFER (4 << 20)	/* octets: a burst while the datapath is busy */

/* ---- in the opener ----------------------------------------------------- */

static bool refuse(struct opened *o, enum reason bad)
{
	o->error = errno;
	o->bad = bad;
	return false;
}

static bool take_fd(struct opened *o, int fd)
{
	if (fd < 0)
		return refuse(o, REASON_KLIPS_DEVICE_RAW);
	o->fds[o->n++] = fd;
	return true;
}

static int raw_socket(int protocol)
{
	int fd = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	int on = 1, size = RECEIVE_BUFFER;

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	/* What ICMP says comes to those that receive; a sender has nobody to read it. */
	if (protocol != IPPROTO_RAW)
		setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
	return fd;
}

static bool open_sockets(struct opened *o)
{
	return take_fd(o, raw_socket(IPPROTO_ESP)) && take_fd(o, raw_socket(IPPROTO_AH)) &&
	       take_fd(o, raw_socket(IPPROTO_UDP)) && take_fd(o, raw_socket(IPPROTO_RAW));
}

/* The addresses and the MTU that the ipsecN is to have. */
static bool look_at_real(struct opened *o, const char *real, int fd)
{
	struct kernel_interface *list;
	const char *why;
	size_t n = interfaces_list(&list, &why);
	struct ifreq ifr = { .ifr_mtu = 0 };

	o->addr = interface_address(list, n, real);
	free(list);
	snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", real);
	if (addr_is_none(&o->addr) || ioctl(fd, SIOCGIFMTU, &ifr) != 0 ||
	    ifr.ifr_mtu <= LIMIT_KLIPS_OVERHEAD)
		return refuse(o, REASON_KLIPS_DEVICE_REAL);
	o->mtu = (size_t)ifr.ifr_mtu;
	return true;
}

/* The device outlives the process, so that what is routed into it is dropped, not sent in clear, when
 * klips dies. */
static bool open_tun(struct opened *o, const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return refuse(o, REASON_KLIPS_DEVICE_TUN);
	o->fds[o->n++] = fd;
	snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", name);
	if (ioctl(fd, TUNSETIFF, &ifr) != 0)
		return refuse(o, errno == EBUSY ? REASON_KLIPS_DEVICE_BUSY : REASON_KLIPS_DEVICE_TUN);
	if (ioctl(fd, TUNSETPERSIST, 1) != 0)
		return refuse(o, REASON_KLIPS_DEVICE_TUN);
	return true;
}

/* tncfg and ifconfig in one: the address of the real interface (alone: no route to its network
 * may lead into the ipsecN), its MTU less what protection adds, and up. */
static bool configure(struct opened *o, const char *name, int fd)
{
	struct ifreq ifr = { .ifr_mtu = (int)o->mtu - LIMIT_KLIPS_OVERHEAD };
	struct sockaddr_in sin = { .sin_family = AF_INET };

	snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", name);
	if (ioctl(fd, SIOCSIFMTU, &ifr) != 0)
		return refuse(o, REASON_KLIPS_DEVICE_TUN);
	memcpy(&sin.sin_addr, o->addr.b, 4);
	memcpy(&ifr.ifr_addr, &sin, sizeof sin);
	if (ioctl(fd, SIOCSIFADDR, &ifr) != 0)
		return refuse(o, REASON_KLIPS_DEVICE_TUN);
	if (ioctl(fd, SIOCGIFFLAGS, &ifr) != 0)
		return refuse(o, REASON_KLIPS_DEVICE_TUN);
	ifr.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &ifr) != 0)
		return refuse(o, REASON_KLIPS_DEVICE_TUN);
	return true;
}

static bool bind_to(struct opened *o, const char *real)
{
	int fd = o->fds[0], size = RECEIVE_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) != 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, real, (socklen_t)strlen(real)) != 0)
		return refuse(o, errno == ENODEV ? REASON_KLIPS_DEVICE_REAL : REASON_KLIPS_DEVICE_RAW);
	return true;
}

static bool do_attach(struct opened *o, struct question *q)
{
	q->virtual_[IFNAMSIZ - 1] = q->real[IFNAMSIZ - 1] = '\0';
	if (!interface_is_virtual(q->virtual_) || interface_is_virtual(q->real))
		return refuse(o, REASON_KLIPS_DEVICE_NAME);
	return take_fd(o, raw_socket(IPPROTO_RAW)) && bind_to(o, q->real) &&
	       look_at_real(o, q->real, o->fds[0]) && (q->have_tun || open_tun(o, q->virtual_)) &&
	       configure(o, q->virtual_, o->fds[0]);
}

/* One message with the descriptors; they are closed here, the receiver has its own. */
static bool send_opened(int fd, struct opened *o)
{
	union { struct cmsghdr h; char room[CMSG_SPACE(sizeof(int) * FDS_MAX)]; } c = { .room = { 0 } };
	struct iovec iov = { .iov_base = o, .iov_len = sizeof *o };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	bool ok;

	if (o->n > 0 && o->bad == REASON_NONE) {
		m.msg_control = c.room;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * o->n);
		c.h = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
					.cmsg_len = CMSG_LEN(sizeof(int) * o->n) };
		memcpy(CMSG_DATA(&c.h), o->fds, sizeof(int) * o->n);
	}
	ok = sendmsg(fd, &m, MSG_NOSIGNAL) == (ssize_t)sizeof *o;
	for (unsigned i = 0; i < o->n; i++)
		close(o->fds[i]);
	return ok;
}

static void serve(int fd)
{
	struct question q;
	struct opened o;
	const char *why;

	sandbox_opener(&why);	/* what could not be given up, the datapath finds out for itself too */
	while (recv(fd, &q, sizeof q, 0) == (ssize_t)sizeof q) {
		memset(&o, 0, sizeof o);
		errno = 0;
		switch (q.ask) {
		case ASK_SOCKETS:
			open_sockets(&o);
			break;
		case ASK_ATTACH:
			do_attach(&o, &q);
			break;
		default:
			refuse(&o, REASON_KLIPS_DEVICE_NAME);
		}
		if (!send_opened(fd, &o))
			break;
	}
}

int opener_start(void)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return -1;
	signal(SIGCHLD, SIG_IGN);
	switch (fork()) {
	case -1:
		close(ends[0]);
		close(ends[1]);
		return -1;
	case 0:
		close(ends[0]);
		close(KLIPS_CONTROL_FD);	/* pluto's end must see the datapath's death */
		serve(ends[1]);
		_exit(0);
	}
	close(ends[1]);
	return ends[0];
}

/* ---- in the datapath --------------------------------------------------- */

static bool receive_opened(int fd, struct opened *o)
{
	union { struct cmsghdr h; char room[CMSG_SPACE(sizeof(int) * FDS_MAX)]; } c;
	struct iovec iov = { .iov_base = o, .iov_len = sizeof *o };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = c.room,
			    .msg_controllen = sizeof c.room };
	struct cmsghdr *h;

	if (recvmsg(fd, &m, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof *o)
		return false;
	h = CMSG_FIRSTHDR(&m);
	if (o->bad != REASON_NONE)
		return true;
	if (h == NULL || h->cmsg_type != SCM_RIGHTS || o->n > FDS_MAX ||
	    h->cmsg_len != CMSG_LEN(sizeof(int) * o->n))
		return false;
	memcpy(o->fds, CMSG_DATA(h), sizeof(int) * o->n);
	return true;
}

static bool question(int fd, const struct question *q, struct opened *o)
{
	memset(o, 0, sizeof *o);
	return send(fd, q, sizeof *q, MSG_NOSIGNAL) == (ssize_t)sizeof *q && receive_opened(fd, o);
}

bool opener_sockets(int opener, struct opened *out)
{
	struct question q;

	memset(&q, 0, sizeof q);
	q.ask = ASK_SOCKETS;
	return question(opener, &q, out);
}

bool opener_attach(int opener, const char *virtual_, const char *real, bool have_tun, struct opened *out)
{
	struct question q;

	memset(&q, 0, sizeof q);
	q.ask = ASK_ATTACH;
	q.have_tun = have_tun;
	snprintf(q.virtual_, sizeof q.virtual_, "%s", virtual_);
	snprintf(q.real, sizeof q.real, "%s", real);
	return question(opener, &q, out);
}
