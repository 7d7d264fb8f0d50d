/* klips_io.c -- packets in and out of the klips process. */
#include "kernel/klips_process.h"

#include "base/text.h"
#include "kernel/fragments.h"
#include "kernel/raw6.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <linux/filter.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 16		/* packets of one recvmmsg() */
#define TURN 64			/* packets from one descriptor before the others have their turn */
#define TELL_AGAIN 10000	/* milliseconds between two lines about drops of one kind */

static uint8_t rooms[BATCH][PACKET_ROOM];

/* Drops that are part of normal work are counted only. */
static bool worth_a_line(enum verdict v)
{
	switch (v) {
	case VERDICT_SEND:
	case VERDICT_PASS:
	case VERDICT_DELIVER:
	case VERDICT_TRAP:
	case VERDICT_HELD:
	case VERDICT_EARLY:
	case VERDICT_TOO_BIG:
	case VERDICT_DUMMY:
	case VERDICT_OF_LINK:
		return false;
	default:
		return true;
	}
}

static void tell(struct klips *k, enum verdict v, const struct path *path, const struct ip_addr *src,
		 const struct ip_addr *dst)
{
	char line[256], sa[SA_TEXT], from[ADDR_TEXT], to[ADDR_TEXT];
	struct text t = text_on(line, sizeof line);

	k->untold[v]++;
	if (!worth_a_line(v) || (k->told[v] != 0 && k->d.now_ms - k->told[v] < TELL_AGAIN))
		return;
	text_add(&t, "dropped %llu packet%s: %s", (unsigned long long)k->untold[v],
		 k->untold[v] == 1 ? "" : "s", verdict_text[v]);
	if (path->sa.spi != 0)
		text_add(&t, ", %s", sa_format(&path->sa, sa));
	if (!addr_is_none(src))
		text_add(&t, ", the last from %s to %s", addr_format(src, from), addr_format(dst, to));
	k->told[v] = k->d.now_ms;
	k->untold[v] = 0;
	wire_log(k, line);
}

static void send_raw(int fd, struct span s)
{
	struct sockaddr_storage to;
	struct endpoint e = { .port = 0 };	/* where the header says */
	unsigned len;

	if (fd < 0 || s.n < IP4_HEADER)
		return;
	e.addr = addr_from_bytes(s.p[0] >> 4 == 4 ? span_sub(s, 16, 4) : span_sub(s, 24, 16));
	if (addr_is_none(&e.addr))
		return;
	len = endpoint_to_sockaddr(&e, &to);
	/* A full queue loses the packet, as any router would. */
	(void)sendto(fd, s.p, s.n, MSG_NOSIGNAL, (struct sockaddr *)&to, len);
}

static void send_out(struct klips *k, const struct path *path, struct packet *p)
{
	const struct port *port = path->device < LIMIT_KLIPS_DEVICES ? &k->ports[path->device] : NULL;
	int fd = port == NULL || p->n == 0 ? -1 : p->p[0] >> 4 == 4 ? port->out : port->out6;
	struct fragments f;
	struct packet piece;
	uint32_t id;

	if (p->n <= path->mtu) {
		send_raw(fd, packet_span(p));
		return;
	}
	k->d.random(k, &id, sizeof id);
	if (!fragments_begin(&f, p, path->mtu, id))
		return;
	while (fragments_next(&f, &piece))
		send_raw(fd, packet_span(&piece));
}

/* The header and the checksum of an ICMPv6 message are the system's, which knows our address on that side. */
static void send_too_big6(struct klips *k, const struct path *path, struct span about, const struct ip_addr *to)
{
	uint8_t icmp[IP6_TOO_BIG];
	size_t n = ip6_too_big(icmp, about, path->mtu);
	struct sockaddr_storage ss;
	unsigned len = endpoint_to_sockaddr(&(struct endpoint){ .addr = *to }, &ss);

	if (n > 0)
		(void)sendto(k->sockets[SOCKET_PLAIN6], icmp, n, MSG_NOSIGNAL, (struct sockaddr *)&ss, len);
}

static void send_too_big(struct klips *k, unsigned device, const struct path *path, struct span about)
{
	const struct device *d = &k->d.devices[device];
	struct ip_addr me = { .len = 4 };	/* without an address of ours the system gives one */
	uint8_t icmp[ICMP_TOO_BIG];
	struct flow f;
	size_t n;

	if (!packet_flow(about, &f))
		return;
	if (f.dst.len == 16) {
		send_too_big6(k, path, about, &f.src);
		return;
	}
	for (size_t i = d->n_addrs; i-- > 0; )
		if (d->addrs[i].len == 4)
			me = d->addrs[i];
	n = icmp_too_big(icmp, about, &me, path->mtu, 0);
	if (n > 0)
		send_raw(k->sockets[SOCKET_PLAIN], span_of(icmp, n));
}

/* Somebody removed the device.  Without it nothing comes from the host; without closing it, poll() would
 * never rest. */
static void lose_device(struct klips *k, unsigned device)
{
	char line[80];
	struct text t = text_on(line, sizeof line);

	close(k->ports[device].tun);
	k->ports[device].tun = -1;
	text_add(&t, "%s was removed; attach it again with whack --listen", k->d.devices[device].name);
	wire_log(k, line);
}

/* A packet of `n` octets in rooms[0], from the host. */
static void outwards(struct klips *k, unsigned device, size_t n)
{
	struct packet p = packet_on(rooms[0], n);
	struct path path;
	struct flow f;
	enum verdict v;

	packet_flow(packet_span(&p), &f);
	v = datapath_out(&k->d, device, &p, &path);
	if (v == VERDICT_SEND || v == VERDICT_PASS)
		send_out(k, &path, &p);
	else if (v == VERDICT_TOO_BIG)
		send_too_big(k, device, &path, packet_span(&p));
	else
		tell(k, v, &path, &f.src, &f.dst);
}

void io_tun(struct klips *k, unsigned device)
{
	for (unsigned i = 0; i < TURN; i++) {
		ssize_t n = read(k->ports[device].tun, rooms[0] + PACKET_HEAD, PACKET_MAX);

		if (n < 0 && errno == EBADFD)
			lose_device(k, device);
		if (n <= 0)
			return;
		outwards(k, device, (size_t)n);
	}
}

void io_release(struct klips *k, struct eroute *e)
{
	struct held_packet *h;

	for (unsigned i = 0; i < LIMIT_KLIPS_HELD && (h = eroute_release(k->d.eroutes, e, k->d.now_ms)) != NULL; i++) {
		memcpy(rooms[0] + PACKET_HEAD, h->octets, h->n);
		outwards(k, e->device, h->n);
		free(h);
	}
}

static void receive(struct klips *k, struct packet p)
{
	struct path path;
	struct flow f;
	enum verdict v;

	packet_flow(packet_span(&p), &f);
	v = datapath_in(&k->d, &p, &path);
	if (v != VERDICT_DELIVER)
		tell(k, v, &path, &f.src, &f.dst);
	else if (path.device < LIMIT_KLIPS_DEVICES && k->ports[path.device].tun >= 0)
		(void)!write(k->ports[path.device].tun, p.p, p.n);	/* down: lost, as on any wire */
}

void io_receive_early(struct klips *k, struct sa *sa)
{
	struct held_packet *h;

	while ((h = sadb_release(k->d.sas, sa, k->d.now_ms)) != NULL) {
		memcpy(rooms[0] + PACKET_HEAD, h->octets, h->n);
		receive(k, packet_on(rooms[0], h->n));
		free(h);
	}
}

static bool is_six(enum klips_socket s)
{
	return s == SOCKET_ESP6 || s == SOCKET_AH6 || s == SOCKET_UDP6;
}

static const uint8_t protocols[SOCKETS] = {
	[SOCKET_ESP] = IPPROTO_ESP, [SOCKET_AH] = IPPROTO_AH, [SOCKET_UDP] = IPPROTO_UDP,
	[SOCKET_ESP6] = IPPROTO_ESP, [SOCKET_AH6] = IPPROTO_AH, [SOCKET_UDP6] = IPPROTO_UDP,
};

/* Of IPv6 the header is missing and has to be made from what is told beside. */
static void take(struct klips *k, enum klips_socket s, uint8_t *room, struct msghdr *m, size_t n)
{
	struct packet p = packet_on(room, n);

	if (!is_six(s) || raw6_restore(m, protocols[s], &p))
		receive(k, p);
}

void io_raw(struct klips *k, enum klips_socket s)
{
	static uint8_t controls[BATCH][RAW6_CONTROL];
	static struct sockaddr_in6 from[BATCH];
	struct mmsghdr m[BATCH];
	struct iovec iov[BATCH];

	for (unsigned turn = 0; turn < TURN / BATCH; turn++) {
		int n;

		memset(m, 0, sizeof m);
		for (unsigned i = 0; i < BATCH; i++) {
			iov[i] = (struct iovec){ .iov_base = rooms[i] + PACKET_HEAD, .iov_len = PACKET_MAX };
			m[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1 };
			if (!is_six(s))
				continue;
			m[i].msg_hdr.msg_name = &from[i];
			m[i].msg_hdr.msg_namelen = sizeof from[i];
			m[i].msg_hdr.msg_control = controls[i];
			m[i].msg_hdr.msg_controllen = sizeof controls[i];
		}
		n = recvmmsg(k->sockets[s], m, BATCH, MSG_DONTWAIT, NULL);
		for (int i = 0; i < n; i++)
			take(k, s, rooms[i], &m[i].msg_hdr, m[i].msg_len);
		if (n < BATCH)
			return;
	}
}

/* Does the system tell of a packet that was too big?  Its size goes to *mtu. */
static bool too_big(const struct cmsghdr *c, uint32_t *mtu)
{
	struct sock_extended_err e;

	if (c->cmsg_len < CMSG_LEN(sizeof e) ||
	    !((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
	      (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR)))
		return false;
	memcpy(&e, CMSG_DATA(c), sizeof e);
	*mtu = e.ee_info;
	return (e.ee_origin == SO_EE_ORIGIN_ICMP && e.ee_type == ICMP_DEST_UNREACH && e.ee_code == ICMP_FRAG_NEEDED) ||
	       (e.ee_origin == SO_EE_ORIGIN_ICMP6 && e.ee_type == ICMP6_PACKET_TOO_BIG);
}

/* What a router says of a packet of ours: the MTU is the only thing believed, within bounds. */
static void one_error(struct klips *k, struct msghdr *m, struct span about, uint8_t protocol)
{
	struct sa_id id = { .protocol = protocol == IPPROTO_UDP ? IPPROTO_ESP : protocol };
	struct sockaddr_storage to = { 0 };
	uint32_t mtu;

	memcpy(&to, m->msg_name, m->msg_namelen < sizeof to ? m->msg_namelen : sizeof to);
	id.dst = endpoint_from_sockaddr(&to).addr;
	if (protocol == IPPROTO_UDP)
		about = span_from(about, UDP_HEADER);
	id.spi = sa_read_spi(about, id.protocol);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		char line[160], sa[SA_TEXT];
		struct text t = text_on(line, sizeof line);

		if (!too_big(c, &mtu) || !datapath_path_mtu(&k->d, &id, mtu))
			continue;
		text_add(&t, "a router says that packets of %s may have %u octets", sa_format(&id, sa), mtu);
		wire_log(k, line);
	}
}

void io_errors(struct klips *k, enum klips_socket s)
{
	uint8_t about[128];
	char control[512];
	struct sockaddr_storage to;

	for (unsigned i = 0; i < TURN; i++) {
		struct iovec iov = { .iov_base = about, .iov_len = sizeof about };
		struct msghdr m = { .msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &iov,
				    .msg_iovlen = 1, .msg_control = control,
				    .msg_controllen = sizeof control };
		ssize_t n = recvmsg(k->sockets[s], &m, MSG_ERRQUEUE | MSG_DONTWAIT);

		if (n < 0)
			return;
		one_error(k, &m, span_of(about, (size_t)n), protocols[s]);
	}
}

/* Of all UDP that comes in, ESP alone: to our port (0 = to any), longer than a keepalive, and without the four zero
 * octets that mark IKE (RFC 3948 2.2).  A raw socket of IPv4 shows the IP header first, one of IPv6 does not. */
static bool filter_udp(int fd, bool six, uint16_t port)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),			/* x = octets of the IP header */
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),			/* destination port */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, port == 0 ? 0 : 5),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 4),			/* UDP length */
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, UDP_HEADER + ESP_HEADER, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_IND, UDP_HEADER),		/* SPI, or 0 */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = { .len = sizeof code / sizeof code[0], .filter = code };

	if (six)
		code[0] = (struct sock_filter)BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 0);
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof prog) == 0;
}

static bool filter_nothing(int fd)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
	struct sock_fprog prog = { .len = 1, .filter = code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof prog) == 0;
}

bool io_filter(struct klips *k, uint16_t port)
{
	static const enum klips_socket both[] = { SOCKET_UDP, SOCKET_UDP6 };

	if (port != 0 && (k->natt_any || k->natt_port == port))
		return true;
	k->natt_any = k->natt_port != 0;	/* a second port: look at all */
	for (unsigned i = 0; i < sizeof both / sizeof both[0]; i++) {
		int fd = k->sockets[both[i]];

		if (fd < 0)		/* no IPv6 */
			continue;
		if (port == 0 ? !filter_nothing(fd) : !filter_udp(fd, is_six(both[i]), k->natt_any ? 0 : port))
			return false;
	}
	k->natt_port = port;
	return true;
}
