/* xfrm_sync.c -- the kernel probed for ESP, swept of what is ours, and told to leave IKE alone. */
#include "kernel/xfrm_sync.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "crypto/hash.h"
#include "kernel/xfrm.h"

#define DUMP_OCTETS 32768

struct mnl_socket *xfrm_socket(unsigned groups)
{
	struct mnl_socket *s = mnl_socket_open2(NETLINK_XFRM, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int one = 1;

	if (s == NULL)
		return NULL;
	mnl_socket_setsockopt(s, NETLINK_EXT_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(s, NETLINK_CAP_ACK, &one, sizeof(one));
	if (mnl_socket_bind(s, groups, MNL_SOCKET_AUTOPID) < 0) {
		int error = errno;

		mnl_socket_close(s);
		errno = error;
		return NULL;
	}
	return s;
}

/* ---- one pluto for each network namespace ----------------------------------------- */

int xfrm_lock(struct text *why)
{
	char path[200];
	struct stat st;
	int fd;

	if (stat("/proc/self/ns/net", &st) != 0)
		st.st_ino = 0;
	snprintf(path, sizeof(path), PLUTO_RUNDIR "/pluto-xfrm-%lu.lock", (unsigned long)st.st_ino);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		text_add(why, "cannot make %s: %s", path, strerror(errno));
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	close(fd);
	text_add(why, "another pluto has the kernel's IPsec in hand; end that one");
	return -1;
}

/* ---- one request after the other ------------------------------------------------- */

struct exchange {
	struct mnl_socket *socket;
	uint32_t seq;
	uint8_t *room;		/* DUMP_OCTETS */
	void (*see)(void *ctx, const struct nlmsghdr *h);	/* what the answer is made of */
	void *ctx;
	const char *words;	/* of the kernel, about the last error */
};

/* One datagram of the answer.  True when the answer goes on; else *error is its end. */
static bool take(struct exchange *x, size_t n, int *error)
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)x->room;
	int left = (int)n;

	for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
		bool part = (h->nlmsg_flags & NLM_F_MULTI) != 0;

		if (h->nlmsg_seq != x->seq)
			continue;
		*error = 0;
		if (h->nlmsg_type == NLMSG_DONE)
			return false;
		if (h->nlmsg_type == NLMSG_ERROR) {
			*error = xfrm_error_of(h, &x->words);
			return false;
		}
		if (x->see != NULL)
			x->see(x->ctx, h);
		if (!part)
			return false;
	}
	return true;
}

/* The kernel answers within the call that asks, so there is nothing to wait for.  0 or an errno. */
static int ask(struct exchange *x, struct xfrm_message *m)
{
	int error = EBADMSG;
	ssize_t n;

	m->u.h.nlmsg_seq = ++x->seq;
	n = mnl_socket_sendto(x->socket, m, m->u.h.nlmsg_len);
	wipe(m, sizeof(*m));
	if (n < 0)
		return errno;
	do {
		n = mnl_socket_recvfrom(x->socket, x->room, DUMP_OCTETS);
		if (n < 0)
			return errno;
	} while (take(x, (size_t)n, &error));
	return error;
}

static bool begin(struct exchange *x)
{
	*x = (struct exchange){ .socket = xfrm_socket(0) };
	if (x->socket == NULL)
		return false;
	x->room = xcalloc(1, DUMP_OCTETS);
	return true;
}

static void end(struct exchange *x)
{
	mnl_socket_close(x->socket);
	free(x->room);
}

/* ---- sweeping ---------------------------------------------------------------------- */

struct found {			/* what a dump showed of ours */
	struct xfrm_usersa_info *sas;
	struct xfrm_userpolicy_info *policies;
	size_t n_sas, n_policies;
};

static void see_any(void *ctx, const struct nlmsghdr *h)
{
	struct found *f = ctx;
	const struct xfrm_usersa_info *sa = xfrm_sa_of(h);
	const struct xfrm_userpolicy_info *p = xfrm_policy_of(h);

	if (h->nlmsg_type == XFRM_MSG_NEWSA && sa != NULL && xfrm_reqid_is_ours(sa->reqid)) {
		f->sas = xrealloc(f->sas, (f->n_sas + 1) * sizeof(*sa));
		f->sas[f->n_sas++] = *sa;
	} else if (h->nlmsg_type == XFRM_MSG_NEWPOLICY && p != NULL && xfrm_policy_is_ours(h)) {
		f->policies = xrealloc(f->policies, (f->n_policies + 1) * sizeof(*p));
		f->policies[f->n_policies++] = *p;
	}
}

static void see_spi(void *ctx, const struct nlmsghdr *h)
{
	struct sa_id *id = ctx;
	const struct xfrm_usersa_info *sa = xfrm_sa_of(h);

	if (h->nlmsg_type == XFRM_MSG_NEWSA && sa != NULL)
		*id = xfrm_id_of(sa);
}

/* SPIs of IKE begin at 256 (RFC 4303 2.1). */
#define SPI_FIRST 256u
#define SPI_LAST 0xffffffffu

/* One that the kernel began for a trap has no SPI by which it could be deleted: it is given one. */
static bool delete_sa(struct exchange *x, const struct xfrm_usersa_info *sa)
{
	struct sa_id id = xfrm_id_of(sa);
	struct xfrm_message m;

	if (id.spi == 0) {
		xfrm_put_name_larval(&m, sa, SPI_FIRST, SPI_LAST);
		x->see = see_spi;
		x->ctx = &id;
		if (ask(x, &m) != 0 || id.spi == 0)
			return false;
	}
	x->see = NULL;
	xfrm_put_sa_id(&m, XFRM_MSG_DELSA, &id);
	return ask(x, &m) == 0;
}

int xfrm_sweep(struct xfrm_swept *swept)
{
	struct exchange x;
	struct found f = { 0 };
	struct xfrm_message m;
	int error;

	*swept = (struct xfrm_swept){ 0 };
	if (!begin(&x))
		return errno;
	x.see = see_any;
	x.ctx = &f;
	xfrm_put_dump(&m, XFRM_MSG_GETSA);
	error = ask(&x, &m);
	xfrm_put_dump(&m, XFRM_MSG_GETPOLICY);
	if (error == 0)
		error = ask(&x, &m);
	/* The policies go last: as long as they stand nothing leaves in clear. */
	for (size_t i = 0; i < f.n_sas && error == 0; i++)
		swept->sas += delete_sa(&x, &f.sas[i]);
	x.see = NULL;
	for (size_t i = 0; i < f.n_policies && error == 0; i++) {
		xfrm_put_del_seen_policy(&m, &f.policies[i]);
		swept->policies += ask(&x, &m) == 0;
	}
	free(f.sas);
	free(f.policies);
	end(&x);
	return error;
}

int xfrm_pass_neighbours(void)
{
	static const uint8_t types[] = { ND_NEIGHBOR_SOLICIT, ND_NEIGHBOR_ADVERT };
	static const uint8_t directions[] = { XFRM_POLICY_IN, XFRM_POLICY_OUT };
	struct xfrm_message m;
	struct exchange x;
	int error = 0;

	if (!begin(&x))
		return errno;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		for (size_t j = 0; j < sizeof(directions) / sizeof(directions[0]) && error == 0; j++) {
			xfrm_put_neighbours(&m, directions[j], types[i]);
			error = ask(&x, &m);
			if (error == EEXIST)	/* somebody else's does the same */
				error = 0;
		}
	end(&x);
	return error == EAFNOSUPPORT ? 0 : error;	/* no IPv6, no neighbours of it */
}

/* ---- probing ----------------------------------------------------------------------- */

static const char *make_one(struct exchange *x, struct text *t)
{
	static const uint8_t octets[4] = { 127, 0, 0, 1 };
	uint8_t keys[16 + 32];
	struct ip_addr here = addr_from_bytes(span_of(octets, sizeof(octets)));
	struct kernel_sa sa = {
		.id = { .dst = here, .protocol = IPPROTO_ESP }, .src = here, .tunnel = true,
		.cipher = ALG_AES_CBC, .mac = ALG_HMAC_SHA2_256_128,
		.cipher_key = span_of(keys, 16), .mac_key = span_of(keys + 16, 32),
		.src_client = subnet_of_host(&here), .dst_client = subnet_of_host(&here),
	};
	struct xfrm_message m;
	int error;

	crypto_random(keys, sizeof(keys));
	x->see = see_spi;
	x->ctx = &sa.id;
	xfrm_put_alloc_spi(&m, &here, &here, IPPROTO_ESP, SPI_FIRST, SPI_LAST);
	error = ask(x, &m);
	x->see = NULL;
	if (error == 0) {
		xfrm_put_sa(&m, XFRM_MSG_UPDSA, &sa);
		error = ask(x, &m);
	}
	if (error == ESRCH) {	/* the SPI was forgotten while modules were loaded */
		xfrm_put_sa(&m, XFRM_MSG_NEWSA, &sa);
		error = ask(x, &m);
	}
	if (error != 0)
		text_add(t, "it refuses an ESP SA: %s%s%s; load the modules esp4 and xfrm_user, or use --kernel klips",
			 strerror(error), x->words == NULL ? "" : ", ", x->words == NULL ? "" : x->words);
	if (sa.id.spi != 0) {
		xfrm_put_sa_id(&m, XFRM_MSG_DELSA, &sa.id);
		ask(x, &m);
	}
	wipe(keys, sizeof(keys));
	return error == 0 ? NULL : t->p;
}

bool kernel_xfrm_probe(const char **why)
{
	static char trouble[300];
	struct text t = text_on(trouble, sizeof(trouble));
	struct exchange x;

	if (!begin(&x)) {
		text_add(&t, "it does not talk of IPsec: %s; use --kernel klips", strerror(errno));
		*why = trouble;
		return false;
	}
	*why = make_one(&x, &t);
	end(&x);
	return *why == NULL;
}

void kernel_xfrm_bypass(int fd, bool ipv6)
{
	struct xfrm_userpolicy_info p = {
		.sel = { .family = ipv6 ? AF_INET6 : AF_INET }, .action = XFRM_POLICY_ALLOW,
		.lft = { .soft_byte_limit = XFRM_INF, .hard_byte_limit = XFRM_INF,
			 .soft_packet_limit = XFRM_INF, .hard_packet_limit = XFRM_INF },
	};
	static const uint8_t directions[] = { XFRM_POLICY_IN, XFRM_POLICY_OUT };

	for (size_t i = 0; i < sizeof(directions); i++) {
		p.dir = directions[i];
		if (ipv6)
			setsockopt(fd, IPPROTO_IPV6, IPV6_XFRM_POLICY, &p, sizeof(p));
		else
			setsockopt(fd, IPPROTO_IP, IP_XFRM_POLICY, &p, sizeof(p));
	}
}

bool kernel_xfrm_encap(int fd)
{
	int type = UDP_ENCAP_ESPINUDP;

	return setsockopt(fd, IPPROTO_UDP, UDP_ENCAP, &type, sizeof(type)) == 0;
}
