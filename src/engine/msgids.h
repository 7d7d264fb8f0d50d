/* msgids.h -- the message IDs that were used under one phase 1: a replayed first message must
 * not begin a second exchange with the same keys (RFC 2409 5.5). */
#ifndef PLUTO_ENGINE_MSGIDS_H
#define PLUTO_ENGINE_MSGIDS_H

#include <stdbool.h>
#include <stdint.h>

struct msgid_set;

enum msgid_new { MSGID_FRESH, MSGID_USED, MSGID_FULL };

/* Enter id, unless it is there; makes the set at the first call.  FULL: LIMIT_MSGIDS are in. */
enum msgid_new msgids_add(struct msgid_set **set, uint32_t id);

/* Is id, which is not 0, in it?  An empty set may be NULL. */
bool msgids_has(const struct msgid_set *set, uint32_t id);

void msgids_free(struct msgid_set *set);

#endif
