/* msgids.c -- a set of message IDs, open addressing. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "engine/msgids.h"
#include "generated/limits.h"

#define FIRST_SLOTS 8

struct msgid_set {
	uint32_t n, slots;	/* slots is a power of two; 0 marks an empty slot */
	uint32_t *id;
};

static uint32_t *slot_of(const struct msgid_set *set, uint32_t id)
{
	/* Only an authenticated peer gets IDs in here, so an unkeyed hash will do. */
	uint32_t i = (id * 2654435761u) & (set->slots - 1);

	while (set->id[i] != 0 && set->id[i] != id)
		i = (i + 1) & (set->slots - 1);
	return &set->id[i];
}

static void resize(struct msgid_set *set, uint32_t slots)
{
	struct msgid_set old = *set;

	set->slots = slots;
	set->id = xcalloc(slots, sizeof(uint32_t));
	for (uint32_t i = 0; i < old.slots; i++)
		if (old.id[i] != 0)
			*slot_of(set, old.id[i]) = old.id[i];
	free(old.id);
}

enum msgid_new msgids_add(struct msgid_set **setp, uint32_t id)
{
	if (*setp == NULL) {
		*setp = NEW(struct msgid_set);
		resize(*setp, FIRST_SLOTS);
	}
	struct msgid_set *set = *setp;
	uint32_t *slot = slot_of(set, id);

	if (*slot == id)
		return MSGID_USED;
	if (set->n == LIMIT_MSGIDS)
		return MSGID_FULL;
	*slot = id;
	if (++set->n * 4 > set->slots * 3)
		resize(set, 2 * set->slots);
	return MSGID_FRESH;
}

bool msgids_has(const struct msgid_set *set, uint32_t id)
{
	return set != NULL && *slot_of(set, id) == id;
}

void msgids_free(struct msgid_set *set)
{
	if (set == NULL)
		return;
	free(set->id);
	free(set);
}
