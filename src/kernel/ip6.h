/* ip6.h -- IPv6 packets (RFC 8200): reading the chain of headers, and building what the datapath adds.  No I/O. */
#ifndef PLUTO_KERNEL_IP6_H
#define PLUTO_KERNEL_IP6_H

#include "kernel/packet.h"

#define IP6_HEADER 40		/* without extension headers */
#define IP6_FRAGMENT 8		/* octets of the fragment header */
#define IP6_MTU_LEAST 1280	/* every link carries so much (RFC 8200 5) */
#define IP6_HOP_LIMIT 64	/* of packets that begin here */

/* Read the header at the start of s and the extension headers after it, as packet_flow() does.  A chain that is cut
 * off, out of order or longer than LIMIT_KLIPS_EXTENSIONS gives false; so does a jumbogram (RFC 2675). */
bool ip6_read(struct span s, struct flow *f);

struct ip6 {			/* a header to be written */
	struct ip_addr src, dst;
	uint8_t next, traffic_class;
	uint32_t label;		/* 20 bits */
	size_t length;		/* of the whole packet */
};

void ip6_write(uint8_t *p, const struct ip6 *h);	/* IP6_HEADER octets */

/* What may change on the way becomes zero in the headers at p, f->header octets (RFC 4302 3.3.3.1.2). */
void ip6_clear_mutable(uint8_t *p, const struct flow *f);

/* The ECN field of the inner packet on leaving a tunnel (RFC 4301 5.1.2.2 note 6). */
void ip6_merge_ecn(uint8_t *inner, uint8_t outer_class);

/* Traffic that belongs to one link, such as neighbour discovery: it is never forwarded, and no eroute is meant for it. */
bool ip6_is_of_link(const struct flow *f);

/* "Packet too big" (RFC 4443 3.2) about the packet s into out, IP6_TOO_BIG octets; without the IP header and checksum,
 * which the system adds.  Octets written; 0 when no ICMPv6 may be sent about s. */
#define IP6_TOO_BIG (IP6_MTU_LEAST - IP6_HEADER)
size_t ip6_too_big(uint8_t *out, struct span s, size_t mtu);

#endif
