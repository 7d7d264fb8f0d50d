/* table.h -- where exchanges are found: by cookies, by first message, by message ID, by serial.
 * Each lookup is O(1); the hash is keyed since peers choose the keys. */
#ifndef PLUTO_ENGINE_TABLE_H
#define PLUTO_ENGINE_TABLE_H

#include "engine/exchange.h"

struct table {
	struct exchange **cookies, **icookie, **msgid, **serial;
	size_t n_buckets;	/* the same for all four, a power of two */
	size_t n;		/* exchanges */
	uint8_t key[16];
};

void table_init(struct table *t, const uint8_t key[16]);
void table_free(struct table *t);

/* Enter x in every index that applies; x's keys must not change while it is in. */
void table_add(struct table *t, struct exchange *x);
void table_remove(struct table *t, struct exchange *x);

/* Phase 1 by both cookies (an initiator that has no answer yet has a zero responder cookie). */
struct exchange *table_by_cookies(const struct table *t, const uint8_t cookies[2 * COOKIE_SIZE]);

/* Phase 1 of ours as responder that the same peer began with this cookie. */
struct exchange *table_by_icookie(const struct table *t, const uint8_t icookie[COOKIE_SIZE],
				  const struct endpoint *remote);

struct exchange *table_by_msgid(const struct table *t, const struct exchange *parent, uint32_t msgid);
struct exchange *table_by_serial(const struct table *t, uint64_t serial);

#endif
