/* raw6.c -- the headers of an IPv6 packet, restored from what the system tells. */
#include "kernel/raw6.h"

#include "base/writer.h"
#include "generated/limits.h"
#include "kernel/ip6.h"

#include <netinet/in.h>
#include <netinet/ip6.h>
#include <sys/socket.h>

struct told {
	struct ip6 ip;
	uint8_t hop_limit;
	uint8_t extensions[LIMIT_KLIPS_HEADER - IP6_HEADER];
	struct writer w;	/* on them */
	size_t named_at;	/* in extensions: the octet that names the next header; SIZE_MAX = that of the IP header */
	bool bad;
};

static uint8_t small_number(const struct cmsghdr *c)
{
	int n = 0;

	if (c->cmsg_len >= CMSG_LEN(sizeof n))
		memcpy(&n, CMSG_DATA(c), sizeof n);
	return (uint8_t)n;
}

static void name_next(struct told *t, uint8_t type)
{
	if (t->named_at == SIZE_MAX)
		t->ip.next = type;
	else
		t->extensions[t->named_at] = type;
}

static void add_extension(struct told *t, uint8_t type, const struct cmsghdr *c)
{
	struct span s = span_of(CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));

	if (s.n < 8 || s.n % 8 != 0 || s.n != (s.p[1] + (size_t)1) * 8 || s.n > sizeof t->extensions - t->w.n) {
		t->bad = true;
		return;
	}
	name_next(t, type);
	t->named_at = t->w.n;
	put_bytes(&t->w, s);
}

static void one(struct told *t, const struct cmsghdr *c)
{
	struct in6_pktinfo info;

	if (c->cmsg_level != IPPROTO_IPV6)
		return;
	switch (c->cmsg_type) {
	case IPV6_PKTINFO:
		if (c->cmsg_len < CMSG_LEN(sizeof info))
			return;
		memcpy(&info, CMSG_DATA(c), sizeof info);
		t->ip.dst = addr_from_bytes(span_of(&info.ipi6_addr, 16));
		break;
	case IPV6_TCLASS:
		t->ip.traffic_class = small_number(c);
		break;
	case IPV6_HOPLIMIT:
		t->hop_limit = small_number(c);
		break;
	case IPV6_HOPOPTS:
		add_extension(t, IPPROTO_HOPOPTS, c);
		break;
	case IPV6_RTHDR:
		add_extension(t, IPPROTO_ROUTING, c);
		break;
	case IPV6_DSTOPTS:
		add_extension(t, IPPROTO_DSTOPTS, c);
		break;
	}
}

bool raw6_restore(struct msghdr *m, uint8_t next, struct packet *k)
{
	struct told t = { .named_at = SIZE_MAX, .hop_limit = IP6_HOP_LIMIT };
	struct sockaddr_in6 from;

	if (m->msg_namelen < sizeof from || (m->msg_flags & (MSG_CTRUNC | MSG_TRUNC)) != 0)
		return false;
	memcpy(&from, m->msg_name, sizeof from);
	t.ip.src = addr_from_bytes(span_of(&from.sin6_addr, 16));
	t.w = writer_on(t.extensions, sizeof t.extensions);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c))
		one(&t, c);
	if (t.bad || addr_is_none(&t.ip.dst))
		return false;
	name_next(&t, next);
	if (!packet_push(k, IP6_HEADER + t.w.n) || k->n > PACKET_MAX)
		return false;
	t.ip.length = k->n;
	ip6_write(k->p, &t.ip);
	k->p[offsetof(struct ip6_hdr, ip6_hlim)] = t.hop_limit;
	memcpy(k->p + IP6_HEADER, t.extensions, t.w.n);
	return true;
}
