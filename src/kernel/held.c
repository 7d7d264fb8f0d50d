/* held.c -- a few packets that wait for an SA. */
#include "kernel/held.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "generated/limits.h"

static struct held_packet *unlink_first(struct held *h, unsigned *all)
{
	struct held_packet *k = h->n == 0 ? NULL : TAILQ_FIRST(&h->list);

	if (k != NULL) {
		TAILQ_REMOVE(&h->list, k, next);
		h->n--;
		--*all;
	}
	return k;
}

void held_add(struct held *h, unsigned most, unsigned *all, struct span packet, uint64_t now_ms)
{
	struct held_packet *k;

	if (packet.n == 0 || packet.n > LIMIT_KLIPS_HELD_OCTETS)
		return;
	if (h->n >= most || (*all >= LIMIT_KLIPS_HELD_ALL && h->n > 0))
		free(unlink_first(h, all));
	if (*all >= LIMIT_KLIPS_HELD_ALL)
		return;
	if (h->n == 0)
		TAILQ_INIT(&h->list);
	k = xcalloc(1, sizeof *k + packet.n);
	k->at = now_ms;
	k->n = packet.n;
	memcpy(k->octets, packet.p, packet.n);
	TAILQ_INSERT_TAIL(&h->list, k, next);
	h->n++;
	++*all;
}

struct held_packet *held_take(struct held *h, unsigned *all, uint64_t now_ms)
{
	struct held_packet *k;

	while ((k = unlink_first(h, all)) != NULL && now_ms - k->at > LIMIT_KLIPS_HELD_MS)
		free(k);
	return k;
}

void held_move(struct held *to, struct held *from)
{
	if (from->n == 0)
		return;
	TAILQ_INIT(&to->list);
	TAILQ_CONCAT(&to->list, &from->list, next);
	to->n = from->n;
	from->n = 0;
}

void held_drop(struct held *h, unsigned *all)
{
	struct held_packet *k;

	while ((k = unlink_first(h, all)) != NULL)
		free(k);
}
