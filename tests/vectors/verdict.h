/* verdict.h -- what the generated parsers and the shape tables say of one message. */
#ifndef PLUTO_TESTS_VERDICT_H
#define PLUTO_TESTS_VERDICT_H

#include "generated/message_index.h"

struct verdict {
	bool valid;
	struct fault fault;	/* unless valid */
	uint32_t matched;	/* variants, when valid */
	const struct message_desc *desc;
	struct message message;
	char expected[512];	/* fault.field may point here */
};

/* NULL when the spec has no such message. */
const struct message_desc *message_by_name(const char *name);

/* The mask of one variant; 0 when there is none of that name. */
uint32_t variant_by_name(const char *name);

/* Header, chain of payloads, shape.  v points into bytes. */
void verdict_of(struct verdict *v, const struct message_desc *d, uint32_t variants, bool decrypted,
		struct span bytes);

/* The name of the slot of payload i, "-" for a tolerated one. */
const char *verdict_slot(const struct verdict *v, uint16_t i);

/* The octets that hex tells, exactly as many allocated; none when it is no hex. */
struct buf unhex(const char *hex);

#endif
