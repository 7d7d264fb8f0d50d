/* xfrm_message.h -- netlink messages of the kernel's IPsec, and what they say in return.
 *
 * Nothing here does I/O.  What is installed can be told from what others installed: each SA and each template of a
 * policy has a reqid of ours, and each policy a priority of ours (see below).  The numbers are made up; no other
 * program is known that uses them. */
#ifndef PLUTO_KERNEL_XFRM_MESSAGE_H
#define PLUTO_KERNEL_XFRM_MESSAGE_H

#include "ike/kernel.h"

#include <linux/netlink.h>
#include <linux/xfrm.h>

/* Reqids of ours: one of a connection for its SAs and for the policies that they serve, and one that no SA has
 * for each trap that is set. */
#define XFRM_REQID_SA 0x50000000u
#define XFRM_REQID_TRAP 0x51000000u
#define XFRM_REQID_MASK 0x00ffffffu

/* Priorities of ours, [FIRST, FIRST + SPAN): the most specific selectors come first, as among eroutes. */
#define XFRM_PRIORITY_FIRST 0x504c0000u
#define XFRM_PRIORITY_SPAN 0x00030000u

#define XFRM_MESSAGE_OCTETS 1024

struct xfrm_message {
	union {
		struct nlmsghdr h;
		uint8_t p[XFRM_MESSAGE_OCTETS];
	} u;
};

struct xfrm_rule {		/* a policy; selectors and tunnel as the direction sees them */
	uint8_t dir;		/* XFRM_POLICY_OUT, _IN, _FWD */
	bool block;		/* drop, whatever SAs there are */
	struct subnet src, dst;
	uint8_t client_protocol;
	uint16_t src_port, dst_port;
	struct ip_addr from, to;	/* ends of the tunnel */
	bool tunnel;		/* of the innermost SA; those around it are in transport mode */
	uint32_t reqid;		/* complete: ours */
	unsigned n;		/* templates; 0 = let through in clear */
	struct { uint8_t protocol; uint32_t spi; /* 0 = any */ } sa[EROUTE_SAS];
};

uint32_t xfrm_sa_reqid(uint32_t connection);
bool xfrm_reqid_is_ours(uint32_t reqid);
bool xfrm_priority_is_ours(uint32_t priority);
uint32_t xfrm_priority(const struct xfrm_rule *r);

/* Each makes one request; the sender sets the sequence number. */
void xfrm_put_alloc_spi(struct xfrm_message *m, const struct ip_addr *src, const struct ip_addr *dst,
			uint8_t protocol, uint32_t lo, uint32_t hi);

/* The same for an SA that the kernel itself began when a packet met a trap: it has no SPI, only a number. */
void xfrm_put_name_larval(struct xfrm_message *m, const struct xfrm_usersa_info *larval, uint32_t lo, uint32_t hi);

/* XFRM_MSG_NEWSA, or XFRM_MSG_UPDSA to complete one whose SPI was allocated.  False when the kernel has no name
 * for the algorithm, or a key has not the size that a message can carry.  The message holds keys: wipe it. */
bool xfrm_put_sa(struct xfrm_message *m, uint16_t type, const struct kernel_sa *sa);

/* The SA that `seen`, an answer to XFRM_MSG_GETSA, describes, with another endpoint of the peer: XFRM_MSG_UPDSA if it
 * is only another port, in which case Linux changes that and nothing else; XFRM_MSG_NEWSA if it is another address,
 * which Linux cannot change.  The new SA has the keys, sequence numbers, replay window, counts and age of the old one,
 * which is to be deleted first.  0, or an errno: EINVAL if the port alone changes and the SA is not in UDP, EAFNOSUPPORT
 * for an address of the other family, ENOKEY if the kernel does not show the keys, EMSGSIZE.  The message holds keys:
 * wipe it. */
int xfrm_put_moved(struct xfrm_message *m, const struct nlmsghdr *seen, bool inbound, const struct endpoint *peer);

/* XFRM_MSG_GETSA or XFRM_MSG_DELSA. */
void xfrm_put_sa_id(struct xfrm_message *m, uint16_t type, const struct sa_id *id);

/* XFRM_MSG_NEWPOLICY fails where there is a policy with these selectors, XFRM_MSG_UPDPOLICY replaces it in one
 * step, XFRM_MSG_DELPOLICY looks at the selectors and the direction alone. */
void xfrm_put_policy(struct xfrm_message *m, uint16_t type, const struct xfrm_rule *r);

/* Lets ICMPv6 of that type pass in clear between any two hosts, before all other policies of ours. */
void xfrm_put_neighbours(struct xfrm_message *m, uint8_t dir, uint8_t type);

/* Deletes the policy that the kernel described. */
void xfrm_put_del_seen_policy(struct xfrm_message *m, const struct xfrm_userpolicy_info *p);

/* XFRM_MSG_GETSA or XFRM_MSG_GETPOLICY for all there are. */
void xfrm_put_dump(struct xfrm_message *m, uint16_t type);

/* What the kernel says: NULL when the message is too short for what it should hold. */
const struct xfrm_usersa_info *xfrm_sa_of(const struct nlmsghdr *h);
const struct xfrm_userpolicy_info *xfrm_policy_of(const struct nlmsghdr *h);
bool xfrm_policy_is_ours(const struct nlmsghdr *h);
struct sa_id xfrm_id_of(const struct xfrm_usersa_info *sa);
struct ip_addr xfrm_addr(const xfrm_address_t *a, uint16_t family);

/* XFRM_MSG_MAPPING: an SA of ours, and where its packets come from.  False: it is none, or of others. */
bool xfrm_mapping_of(const struct nlmsghdr *h, struct sa_id *id, struct endpoint *from);

/* Counts of an SA from an answer to XFRM_MSG_GETSA.  real and monotonic: the two clocks in seconds, now. */
struct kernel_counts xfrm_counts_of(const struct nlmsghdr *h, uint64_t real, uint64_t monotonic);

/* A packet that met a trap of ours, and the selectors of the trap, as in the eroute; the reqid is not told.  False
 * when the policy is not ours or the message too short. */
bool xfrm_acquire_of(const struct nlmsghdr *h, struct kernel_acquire *a, struct kernel_eroute *trap);

/* The end of a lifetime of an SA; false when it is none of ours, or none that ever had an SPI. */
bool xfrm_expiry_of(const struct nlmsghdr *h, struct kernel_expiry *e);

/* The error of an NLMSG_ERROR (0 = acknowledgement) as a positive errno, and the kernel's own words for it in
 * *words, or NULL.  -1 when the message is cut short. */
int xfrm_error_of(const struct nlmsghdr *h, const char **words);

#endif
