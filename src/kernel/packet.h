/* packet.h -- IP packets as the datapath sees them: a buffer with room at both ends, the
 * fields that select an eroute, and the few headers that are built here.  No I/O. */
#ifndef PLUTO_KERNEL_PACKET_H
#define PLUTO_KERNEL_PACKET_H

#include "base/addr.h"

#define PACKET_HEAD 256		/* room in front for every header that a bundle adds */
#define PACKET_TAIL 384		/* room behind for padding, trailers and ICVs */
#define PACKET_MAX 65535	/* octets of one IP packet */
#define PACKET_ROOM (PACKET_HEAD + PACKET_MAX + PACKET_TAIL)

/* n octets at p inside a larger buffer that the caller owns. */
struct packet {
	uint8_t *p;
	size_t n;
	size_t head, tail;	/* free octets before and behind */
};

/* A packet of n octets that stand at room + PACKET_HEAD, in a buffer of PACKET_ROOM. */
struct packet packet_on(uint8_t *room, size_t n);

/* Grow at the front or the end; false when there is no room (nothing is changed). */
bool packet_push(struct packet *k, size_t n);
bool packet_append(struct packet *k, size_t n);

/* Drop n octets at the front, or cut to n octets; never more than there are. */
void packet_pull(struct packet *k, size_t n);
void packet_cut(struct packet *k, size_t n);

static inline struct span packet_span(const struct packet *k)
{
	return span_of(k->p, k->n);
}

/* What the header says. */
struct flow {
	struct ip_addr src, dst;
	uint8_t protocol;
	uint16_t sport, dport;	/* 0 where the packet shows none */
	size_t body;		/* where that protocol's own header begins */
	size_t length;		/* octets of the packet; what follows is not part of it */
	/* Transport mode leaves so many octets in front: the header with its options, or with those extension headers
	 * that routers look at.  What follows is of protocol `next`, which the octet at next_at names. */
	size_t header, next_at;
	uint8_t next;
	uint8_t tos;		/* DSCP and ECN */
	uint32_t label;		/* of IPv6 */
	bool df;		/* never cut on the way; so is all IPv6 */
	bool fragment;		/* not a whole datagram */
	bool more;		/* fragments follow */
	size_t offset;		/* octets of the datagram before this fragment */
	size_t fragment_at;	/* where the fragment header of IPv6 stands, 0 = none */
	size_t fragment_named;	/* the octet that names it */
	bool routed;		/* has a routing header of IPv6 with somewhere to go yet */
};

/* Read the IP header at the start of s.  False when it is cut off or makes no sense. */
bool packet_flow(struct span s, struct flow *f);

/* The ports in `body`, of f->protocol. */
void packet_read_ports(struct span body, struct flow *f);

/* Change the headers at p, which f describes: another protocol after f->header octets, and another length of the whole. */
void packet_retarget(uint8_t *p, const struct flow *f, uint8_t protocol, size_t length);

/* The ECN field of the inner packet on leaving a tunnel (RFC 4301 5.1.2.1 note 6). */
void packet_merge_ecn(uint8_t *inner, const struct flow *f, uint8_t outer_tos);

#define IP4_HEADER 20		/* without options */
#define UDP_HEADER 8

struct ip4 {			/* an IPv4 header to be written */
	struct ip_addr src, dst;
	uint8_t protocol, tos;
	bool df;
	uint16_t id;
	size_t length;		/* of the whole packet */
};

#define IP4_TTL 64		/* of packets that begin here (RFC 4301 5.1.2.1 note 3) */

void ip4_write(uint8_t *p, const struct ip4 *h);	/* IP4_HEADER octets, with checksum */

/* Change protocol and length of the header at p (header octets long) and its checksum. */
void ip4_retarget(uint8_t *p, size_t header, uint8_t protocol, size_t length);

/* Give the header at p an identification if it has none (0).  The checksum is not renewed. */
void ip4_identify(uint8_t *p, uint16_t id);

/* The Internet checksum (RFC 1071), in host order. */
uint16_t inet_checksum(const uint8_t *p, size_t n);

#define ICMP_TOO_BIG (IP4_HEADER + 8 + 60 + 8)	/* octets at most */

/* The checksum of n octets of a transport protocol at p, with the pseudo-header of IPv4 (RFC 793 3.1) or IPv6 (RFC 8200
 * 8.1), in host order.  0 when the one that stands in p is right. */
uint16_t transport_checksum(const uint8_t *p, size_t n, uint8_t protocol, const struct ip_addr *src,
			    const struct ip_addr *dst);

/* The packet k, which f describes, has other addresses than when its TCP, UDP or ICMPv6 was sent: give that a checksum
 * which fits, or none where it may be without (RFC 3948 3.1.2).  Whoever calls has another proof that it came whole. */
void packet_renew_checksum(struct packet *k, const struct flow *f);

/* "Fragmentation needed" (RFC 1191 4) about the packet s, from me, into out
 * (ICMP_TOO_BIG octets).  Octets written; 0 when no ICMP may be sent about s. */
size_t icmp_too_big(uint8_t *out, struct span s, const struct ip_addr *me, size_t mtu, uint16_t id);

#endif
