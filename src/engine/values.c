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
	uint8_t bytes[];
};

static struct value **find(const struct values *vs, uint16_t id)
{
	struct value **v = (struct value **)&vs->head;

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

void values_drop(struct values *vs, uint16_t id)
{
	struct value **v = find(vs, id);

	if (*v != NULL)
		drop(v);
}

void values_set(struct values *vs, uint16_t id, struct span s)
{
	struct value *v = xcalloc(1, sizeof(*v) + s.n);

	v->id = id;
	v->n = (uint16_t)s.n;
	if (s.n > 0)
		memcpy(v->bytes, s.p, s.n);
	values_drop(vs, id);	/* after the copy: s may be the old value */
	v->next = vs->head;
	vs->head = v;
}

struct span values_get(const struct values *vs, uint16_t id)
{
	const struct value *v = *find(vs, id);

	return v == NULL ? span_of(NULL, 0) : span_of(v->bytes, v->n);
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
