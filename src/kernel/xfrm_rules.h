/* xfrm_rules.h -- eroutes as policies of the kernel: which stand, and which have to be set for what is asked. */
#ifndef PLUTO_KERNEL_XFRM_RULES_H
#define PLUTO_KERNEL_XFRM_RULES_H

#include <uthash.h>

#include "kernel/xfrm_message.h"

enum xfrm_place { XFRM_IN, XFRM_FWD, XFRM_OUT, XFRM_PLACES };	/* in the order in which they are set */

#define XFRM_RULE_KEY 48		/* protocol, ports, two subnets */

struct xfrm_rule_set {		/* of one eroute */
	struct kernel_eroute is;	/* selectors, and what it is now; interface is NULL */
	bool stands[XFRM_PLACES];	/* the kernel has it, or is being asked */
	struct xfrm_rule at[XFRM_PLACES];
	uint8_t key[XFRM_RULE_KEY];
	UT_hash_handle hh;
};

struct xfrm_rules {
	struct xfrm_rule_set *all;
	uint32_t traps;		/* that were set so far */
};

/* A policy to be set or deleted. */
struct xfrm_change {
	enum xfrm_place place;
	uint16_t type;		/* of the message */
	struct xfrm_rule rule;
};

/* The set with exactly these selectors, or NULL. */
struct xfrm_rule_set *xfrm_rules_find(const struct xfrm_rules *r, const struct kernel_eroute *e);

/* What has to be asked of the kernel so that the eroute is e; the set says at once that it stands. */
unsigned xfrm_rules_set(struct xfrm_rules *r, const struct kernel_eroute *e, struct xfrm_change out[XFRM_PLACES]);

/* So that what arrives by this inbound SA is let in, though the eroute is still a trap or uses other SAs. */
unsigned xfrm_rules_admit(struct xfrm_rules *r, const struct kernel_sa *sa, struct xfrm_change out[XFRM_PLACES]);

/* So that there is no such eroute.  0 when there was none. */
unsigned xfrm_rules_delete(struct xfrm_rules *r, const struct kernel_eroute *e,
			   struct xfrm_change out[XFRM_PLACES]);

/* The kernel refused to add this policy: it does not stand. */
void xfrm_rules_refused(struct xfrm_rules *r, const struct xfrm_rule *rule);

void xfrm_rules_free(struct xfrm_rules *r);

#endif
