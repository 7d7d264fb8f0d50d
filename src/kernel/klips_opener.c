/* klips_opener.c -- the small process that opens devices and sockets for the datapath.
 *
 * It keeps the privileges that the datapath gives up, and does two things only: open the raw sockets, and
 * make an ipsecN on an interface that exists.  Whatever the datapath asks is checked here. */
#include "kernel/klips_process.h"

#include "kernel/interfaces.h"
#include "kernel/ip6.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <linux/if_tun.h>
#include <linux/ipv6.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum attach_place { ATTACH_OUT, ATTACH_OUT6, ATTACH_TUN };

enum ask { ASK_SOCKETS, ASK_ATTACH };

struct question {
	enum ask ask;
	bool have_tun;
	char virtual_[IFNAMSIZ], real[IFNAMSIZ];
};

#define FDS_MAX SOCKETS
#define RECEIVE_BUFFER (4 << 20)	/* octets: a burst while the datapath is busy */

/* ---- in the opener ----------------------------------------------------- */

static bool refuse(struct opened *o, enum reason bad)
{
	o->error = errno;
	o->bad = bad;
	return false;
}

/* The next descriptor of those that were asked for, in their order. */
static bool take_fd(struct opened *o, unsigned place, int fd)
{
	if (fd < 0)
		return refuse(o, REASON_KLIPS_DEVICE_RAW);
	o->have[place] = true;
	o->fds[o->n++] = fd;
	return true;
}

/* What the system takes off with the header is told beside the packet. */
static void ask_for_headers(int fd)
{
	static const int options[] = {
		IPV6_RECVPKTINFO, IPV6_RECVTCLASS, IPV6_RECVHOPLIMIT, IPV6_RECVHOPOPTS, IPV6_RECVRTHDR,
		IPV6_RECVDSTOPTS,
	};
	int on = 1;

	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
		setsockopt(fd, IPPROTO_IPV6, options[i], &on, sizeof on);
}

static int raw_socket(int family, int protocol)
{
	int fd = socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	int on = 1, size = RECEIVE_BUFFER;
	struct icmp6_filter none;

	if (fd < 0)
		return -1;
	if (protocol == IPPROTO_ICMPV6) {	/* it only sends */
		ICMP6_FILTER_SETBLOCKALL(&none);
		setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &none, sizeof none);
		return fd;
	}
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	/* What ICMP says comes to those that receive; a sender has nobody to read it. */
	if (protocol == IPPROTO_RAW)
		return fd;
	if (family == AF_INET) {
		setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
	} else {
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
		ask_for_headers(fd);
	}
	return fd;
}

/* IPv6 may be missing; without IPv4 nothing goes. */
static bool open_sockets(struct opened *o)
{
	static const struct { int family, protocol; } all[SOCKETS] = {
		[SOCKET_ESP] = { AF_INET, IPPROTO_ESP }, [SOCKET_AH] = { AF_INET, IPPROTO_AH },
		[SOCKET_UDP] = { AF_INET, IPPROTO_UDP }, [SOCKET_PLAIN] = { AF_INET, IPPROTO_RAW },
		[SOCKET_ESP6] = { AF_INET6, IPPROTO_ESP }, [SOCKET_AH6] = { AF_INET6, IPPROTO_AH },
		[SOCKET_UDP6] = { AF_INET6, IPPROTO_UDP },
		[SOCKET_PLAIN6] = { AF_INET6, IPPROTO_ICMPV6 },
	};

	for (unsigned i = 0; i < SOCKETS; i++) {
		int fd = raw_socket(all[i].family, all[i].protocol);

		if (!(fd < 0 && all[i].family == AF_INET6) && !take_fd(o, i, fd))
			return false;
	}
	return true;
}

static bool has_six(const struct opened *o)
{
	for (size_t i = 0; i < o->n_addrs; i++)
		if (o->addrs[i].len == 16)
			return true;
	return false;
}

static int overhead(const struct opened *o)
{
	return has_six(o) ? LIMIT_KLIPS_OVERHEAD_SIX : LIMIT_KLIPS_OVERHEAD;
}

/* The addresses and the MTU that the ipsecN is to have. */
static bool look_at_real(struct opened *o, const char *real, int fd)
{
	struct ifreq ifr = { .ifr_mtu = 0 };

	o->n_addrs = interface_addresses(real, o->addrs, LIMIT_KLIPS_ADDRESSES);
	snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", real);
	if (o->n_addrs == 0 || ioctl(fd, SIOCGIFMTU, &ifr) != 0 || ifr.ifr_mtu <= overhead(o))
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
	take_fd(o, ATTACH_TUN, fd);
	snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", name);
	if (ioctl(fd, TUNSETIFF, &ifr) != 0)
		return refuse(o, errno == EBUSY ? REASON_KLIPS_DEVICE_BUSY : REASON_KLIPS_DEVICE_TUN);
	if (ioctl(fd, TUNSETPERSIST, 1) != 0)
		return refuse(o, REASON_KLIPS_DEVICE_TUN);
	return true;
}

/* A setting of the device; what cannot be set stays. */
static void set_six(const char *name, const char *setting, const char *value)
{
	char path[80];
	int fd;

	snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/%s", name, setting);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)!write(fd, value, strlen(value));
	close(fd);
}

static bool among(const struct ip_addr *list, size_t n, const struct ip_addr *a)
{
	for (size_t i = 0; i < n; i++)
		if (addr_eq(&list[i], a))
			return true;
	return false;
}

static bool change_six(int fd, unsigned long request, int index, const struct ip_addr *a)
{
	struct in6_ifreq r = { .ifr6_prefixlen = 128, .ifr6_ifindex = index };

	memcpy(&r.ifr6_addr, a->b, sizeof r.ifr6_addr);
	return ioctl(fd, request, &r) == 0 || errno == EEXIST;
}

/* All addresses of the real interface and no others, each without a network. */
static bool configure_six(struct opened *o, const char *name)
{
	struct ip_addr has[LIMIT_KLIPS_ADDRESSES];
	size_t n = interface_addresses(name, has, LIMIT_KLIPS_ADDRESSES);
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { .ifr_ifindex = 0 };
	bool ok = fd >= 0;

	snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", name);
	ok = ok && ioctl(fd, SIOCGIFINDEX, &ifr) == 0;
	for (size_t i = 0; ok && i < n; i++)
		if (has[i].len == 16 && !among(o->addrs, o->n_addrs, &has[i]))
			change_six(fd, SIOCDIFADDR, ifr.ifr_ifindex, &has[i]);
	for (size_t i = 0; ok && i < o->n_addrs; i++)
		if (o->addrs[i].len == 16)
			ok = change_six(fd, SIOCSIFADDR, ifr.ifr_ifindex, &o->addrs[i]);
	if (!ok)
		refuse(o, REASON_KLIPS_DEVICE_SIX);
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool configure_four(struct opened *o, struct ifreq *ifr, int fd)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };

	for (size_t i = 0; i < o->n_addrs; i++) {
		if (o->addrs[i].len != 4)
			continue;
		memcpy(&sin.sin_addr, o->addrs[i].b, 4);
		memcpy(&ifr->ifr_addr, &sin, sizeof sin);
		return ioctl(fd, SIOCSIFADDR, ifr) == 0 || refuse(o, REASON_KLIPS_DEVICE_TUN);
	}
	return true;
}

/* tncfg and ifconfig in one: the addresses of the real interface (alone: no route to its network
 * may lead into the ipsecN), its MTU less what protection adds, and up. */
static bool configure(struct opened *o, const char *name, int fd)
{
	int mtu = (int)o->mtu - overhead(o);
	struct ifreq ifr = { .ifr_mtu = mtu };

	if (has_six(o) && mtu < IP6_MTU_LEAST)
		ifr.ifr_mtu = IP6_MTU_LEAST;	/* with less there is no IPv6 on it: klips cuts what does not fit */
	snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", name);
	if (ioctl(fd, SIOCSIFMTU, &ifr) != 0)
		return refuse(o, REASON_KLIPS_DEVICE_TUN);
	set_six(name, "addr_gen_mode", "1");	/* it is no link: no address of it, no search for routers */
	if (has_six(o))
		set_six(name, "disable_ipv6", "0");
	if (!configure_four(o, &ifr, fd))
		return false;
	if (ioctl(fd, SIOCGIFFLAGS, &ifr) != 0)
		return refuse(o, REASON_KLIPS_DEVICE_TUN);
	ifr.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &ifr) != 0)
		return refuse(o, REASON_KLIPS_DEVICE_TUN);
	return !has_six(o) || configure_six(o, name);
}

static bool bind_to(struct opened *o, int fd, const char *real)
{
	int size = RECEIVE_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) != 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, real, (socklen_t)strlen(real)) != 0)
		return refuse(o, errno == ENODEV ? REASON_KLIPS_DEVICE_REAL : REASON_KLIPS_DEVICE_RAW);
	return true;
}

static bool open_out(struct opened *o, const char *real)
{
	int fd = raw_socket(AF_INET, IPPROTO_RAW), six = raw_socket(AF_INET6, IPPROTO_RAW);

	return take_fd(o, ATTACH_OUT, fd) && bind_to(o, fd, real) &&
	       (six < 0 || (take_fd(o, ATTACH_OUT6, six) && bind_to(o, six, real)));
}

static bool do_attach(struct opened *o, struct question *q)
{
	q->virtual_[IFNAMSIZ - 1] = q->real[IFNAMSIZ - 1] = '\0';
	if (!interface_is_virtual(q->virtual_) || interface_is_virtual(q->real))
		return refuse(o, REASON_KLIPS_DEVICE_NAME);
	return open_out(o, q->real) && look_at_real(o, q->real, o->fds[0]) &&
	       (q->have_tun || open_tun(o, q->virtual_)) && configure(o, q->virtual_, o->fds[0]);
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

void opened_take(const struct opened *o, int *fds, size_t n)
{
	unsigned at = 0;

	for (size_t i = 0; i < n && i < SOCKETS; i++)
		fds[i] = o->have[i] && at < o->n ? o->fds[at++] : -1;
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
