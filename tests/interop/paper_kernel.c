// Preloaded into charon on a kernel without ESP or AH: lets it believe that its SAs are installed, and writes them down in
// the file PAPER_SAS names, one on a line, "SPI DESTINATION PROTOCOL cipher NAME KEY auth NAME KEY ...", keys in hex. So
// Quick Mode ends well on any machine and both ends' keys can be compared; no packet is ever encrypted.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void write_hex(FILE *f, const unsigned char *p, unsigned bits)
{
	for (unsigned i = 0; i < bits / 8; i++)
		fprintf(f, "%02x", p[i]);
}

static void write_attribute(FILE *f, const struct nlattr *a)
{
	const void *data = a + 1;
	switch (a->nla_type & NLA_TYPE_MASK) {
	case XFRMA_ALG_CRYPT: {
		const struct xfrm_algo *alg = data;
		fprintf(f, " cipher %s ", alg->alg_name);
		write_hex(f, (const unsigned char *)alg->alg_key, alg->alg_key_len);
		break;
	}
	case XFRMA_ALG_AUTH_TRUNC: {
		const struct xfrm_algo_auth *alg = data;
		fprintf(f, " auth %s ", alg->alg_name);
		write_hex(f, (const unsigned char *)alg->alg_key, alg->alg_key_len);
		break;
	}
	case XFRMA_ALG_AEAD: {
		const struct xfrm_algo_aead *alg = data;
		fprintf(f, " aead %s ", alg->alg_name);
		write_hex(f, (const unsigned char *)alg->alg_key, alg->alg_key_len);
		break;
	}
	default:
		break;
	}
}

static void write_sa(const struct nlmsghdr *h)
{
	const char *name = getenv("PAPER_SAS");
	FILE *f = name == NULL ? NULL : fopen(name, "a");
	if (f == NULL)
		return;
	const struct xfrm_usersa_info *sa = NLMSG_DATA(h);
	char to[INET6_ADDRSTRLEN] = "?";
	inet_ntop(sa->family, &sa->id.daddr, to, sizeof to);
	fprintf(f, "0x%08x %s %u", ntohl(sa->id.spi), to, sa->id.proto);
	const char *p = (const char *)sa + NLMSG_ALIGN(sizeof *sa), *end = (const char *)h + h->nlmsg_len;
	while (p + sizeof(struct nlattr) <= end) {
		const struct nlattr *a = (const struct nlattr *)(const void *)p;
		if (a->nla_len < sizeof *a)
			break;
		write_attribute(f, a);
		p += NLA_ALIGN(a->nla_len);
	}
	fputc('\n', f);
	fclose(f);
}

// What the kernel cannot do for want of the protocol or a cipher is reported as done.
static void settle(int fd, void *data, ssize_t n)
{
	int protocol = -1;
	socklen_t size = sizeof protocol;
	if (n < (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)) ||
	    getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) != 0 || protocol != NETLINK_XFRM)
		return;
	struct nlmsghdr *h = data;
	struct nlmsgerr *e = NLMSG_DATA(h);
	if (h->nlmsg_type != NLMSG_ERROR)
		return;
	if (e->error == -EPROTONOSUPPORT || e->error == -ENOSYS || e->error == -ESRCH) {
		int type = e->msg.nlmsg_type;
		if (type == XFRM_MSG_NEWSA || type == XFRM_MSG_UPDSA || type == XFRM_MSG_DELSA)
			e->error = 0;
	}
}

ssize_t recv(int fd, void *data, size_t n, int flags)
{
	static ssize_t (*next)(int, void *, size_t, int);
	if (next == NULL)
		next = (ssize_t (*)(int, void *, size_t, int))dlsym(RTLD_NEXT, "recv");
	ssize_t r = next(fd, data, n, flags);
	settle(fd, data, r);
	return r;
}

ssize_t recvfrom(int fd, void *data, size_t n, int flags, struct sockaddr *from, socklen_t *from_n)
{
	static ssize_t (*next)(int, void *, size_t, int, struct sockaddr *, socklen_t *);
	if (next == NULL)
		next = (ssize_t (*)(int, void *, size_t, int, struct sockaddr *, socklen_t *))dlsym(RTLD_NEXT, "recvfrom");
	ssize_t r = next(fd, data, n, flags, from, from_n);
	settle(fd, data, r);
	return r;
}

ssize_t sendto(int fd, const void *data, size_t n, int flags, const struct sockaddr *to, socklen_t to_n)
{
	static ssize_t (*next)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
	if (next == NULL)
		next = (ssize_t (*)(int, const void *, size_t, int, const struct sockaddr *, socklen_t))dlsym(RTLD_NEXT, "sendto");
	const struct nlmsghdr *h = data;
	if (to != NULL && to->sa_family == AF_NETLINK && n >= NLMSG_LENGTH(sizeof(struct xfrm_usersa_info))) {
		int protocol = -1;
		socklen_t size = sizeof protocol;
		if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 && protocol == NETLINK_XFRM &&
		    (h->nlmsg_type == XFRM_MSG_NEWSA || h->nlmsg_type == XFRM_MSG_UPDSA) && h->nlmsg_len <= n)
			write_sa(h);
	}
	return next(fd, data, n, flags, to, to_n);
}
