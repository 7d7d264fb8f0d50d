/* defaultroute.c -- the kernel's routes, asked for over rtnetlink. */
#include "daemon/defaultroute.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <string.h>

struct search {
	unsigned octets;
	uint32_t oif, metric;	/* of the best so far; 0 = none */
	struct ip_addr source;	/* that the route names, or none */
};

static uint8_t family(unsigned octets)
{
	return octets == 4 ? AF_INET : AF_INET6;
}

static uint32_t number(const struct nlattr *a)
{
	return mnl_attr_get_payload_len(a) < sizeof(uint32_t) ? 0 : mnl_attr_get_u32(a);
}

/* Of several ways at once the first. */
static uint32_t first_way(const struct nlattr *a)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(a);

	return mnl_attr_get_payload_len(a) < sizeof(*hop) ? 0 : (uint32_t)hop->rtnh_ifindex;
}

static int read_attribute(const struct nlattr *a, void *data)
{
	struct search *route = data;

	switch (mnl_attr_get_type(a)) {
	case RTA_OIF:
		route->oif = number(a);
		break;
	case RTA_MULTIPATH:
		route->oif = first_way(a);
		break;
	case RTA_PRIORITY:
		route->metric = number(a);
		break;
	case RTA_PREFSRC:
		if (mnl_attr_get_payload_len(a) == route->octets) {
			route->source.len = (uint8_t)route->octets;
			memcpy(route->source.b, mnl_attr_get_payload(a), route->octets);
		}
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static void read_route(const struct nlmsghdr *h, struct search *route)
{
	mnl_attr_parse(h, sizeof(struct rtmsg), read_attribute, route);
}

static int take_better(const struct nlmsghdr *h, void *data)
{
	struct search *best = data, route = { .octets = best->octets };
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);

	if (h->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(h) < sizeof(*m) || m->rtm_dst_len != 0 ||
	    m->rtm_table != RT_TABLE_MAIN || m->rtm_type != RTN_UNICAST || (m->rtm_flags & RTNH_F_DEAD) != 0)
		return MNL_CB_OK;
	read_route(h, &route);
	if (route.oif != 0 && (best->oif == 0 || route.metric < best->metric))
		*best = route;
	return MNL_CB_OK;
}

static int take_source(const struct nlmsghdr *h, void *data)
{
	struct search *s = data, route = { .octets = s->octets };

	if (h->nlmsg_type == RTM_NEWROUTE && mnl_nlmsg_get_payload_len(h) >= sizeof(struct rtmsg))
		read_route(h, &route);
	s->source = route.source;
	return MNL_CB_OK;
}

static bool ask(struct mnl_socket *socket, struct nlmsghdr *h, mnl_cb_t take, struct search *s)
{
	_Alignas(struct nlmsghdr) uint8_t room[16384];
	int more;

	if (mnl_socket_sendto(socket, h, h->nlmsg_len) < 0)
		return false;
	do {
		ssize_t n = mnl_socket_recvfrom(socket, room, sizeof(room));

		if (n < 0)
			return false;
		more = mnl_cb_run(room, (size_t)n, h->nlmsg_seq, mnl_socket_get_portid(socket), take, s);
	} while (more == MNL_CB_OK && (h->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP);
	return more >= 0;
}

static struct rtmsg *request(uint8_t *room, uint32_t sequence, uint16_t flags, unsigned octets)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(room);
	struct rtmsg *m;

	h->nlmsg_type = RTM_GETROUTE;
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	h->nlmsg_seq = sequence;
	m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
	m->rtm_family = family(octets);
	return m;
}

/* The route names no source: which one the kernel takes for an address far away, on the way of this route. */
static bool ask_source(struct mnl_socket *socket, struct search *s)
{
	static const uint8_t far[16] = { 0x20 };	/* 32.0.0.0 and 2000:: */
	_Alignas(struct nlmsghdr) uint8_t room[256];
	struct nlmsghdr *h = (struct nlmsghdr *)room;
	struct rtmsg *m = request(room, 2, 0, s->octets);

	m->rtm_dst_len = (uint8_t)(8 * s->octets);
	mnl_attr_put(h, RTA_DST, s->octets, far);
	mnl_attr_put_u32(h, RTA_OIF, s->oif);
	return ask(socket, h, take_source, s);
}

bool defaultroute_address(unsigned octets, struct ip_addr *out)
{
	_Alignas(struct nlmsghdr) uint8_t room[256];
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	struct search s = { .octets = octets };
	bool ok;

	if (socket == NULL)
		return false;
	request(room, 1, NLM_F_DUMP, octets);
	ok = mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) == 0 &&
	     ask(socket, (struct nlmsghdr *)room, take_better, &s) && s.oif != 0 &&
	     (s.source.len != 0 || ask_source(socket, &s)) && s.source.len != 0;
	mnl_socket_close(socket);
	if (ok)
		*out = s.source;
	return ok;
}
