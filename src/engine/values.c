/* values.c -- named values of an exchange, a list of few nodes. */
#include <stdlib.h>

#include "base/tables.h"
#include "base/xalloc.h"
#include "engine/values.h"
#include "generated/keys.h"

struct value {
	struct value *next;
	uint16_t id;
	uint16_t n;
	bool tentative;
	uint8_t bytes[];
};

/* Tentative values stand before the others, so the newest of a name is found first. */
static struct value **find(struct value **v, uint16_t id)
{
	while (*v != NULL && (*v)->id != id)
		v = &(*v)->next;
	return v;
}

static void drop(struct value **at)
{
	struct value *v = *at;

	*at = v->next;
	wipe(v->bytes, v->n);
	free(v);
}

void values_set(struct values *vs, uint16_t id, struct span s)
{
	struct value *v = xcalloc(1, sizeof(*v) + s.n), **old;

	v->id = id;
	v->n = (uint16_t)s.n;
	v->tentative = vs->tentative;
	if (s.n > 0)
		memcpy(v->bytes, s.p, s.n);
	old = find(&vs->head, id);	/* dropped after the copy: s may be the old value */
	if (*old != NULL && (*old)->tentative == vs->tentative)
		drop(old);
	v->next = vs->head;
	vs->head = v;
}

struct span values_get(const struct values *vs, uint16_t id)
{
	struct value *head = vs->head;
	const struct value *v = *find(&head, id);

	return v == NULL ? span_of(NULL, 0) : span_of(v->bytes, v->n);
}

void values_try(struct values *vs)
{
	vs->tentative = true;
}

void values_keep(struct values *vs)
{
	for (struct value *v = vs->head; v != NULL && v->tentative; v = v->next) {
		struct value **old = find(&v->next, v->id);

		v->tentative = false;
		if (*old != NULL)
			drop(old);
	}
	vs->tentative = false;
}

void values_undo(struct values *vs)
{
	while (vs->head != NULL && vs->head->tentative)
		drop(&vs->head);
	vs->tentative = false;
}

void values_retain(struct values *vs)
{
	struct value **v = &vs->head;

	while (*v != NULL) {
		if (key_values[(*v)->id].retain)
			v = &(*v)->next;
		else
			drop(v);
	}
}

void values_free(struct values *vs)
{
	while (vs->head != NULL)
		drop(&vs->head);
}
