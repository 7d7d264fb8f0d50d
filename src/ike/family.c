/* family.c -- the connections of one description. */
#include <stdlib.h>

#include "base/frame.h"
#include "base/xalloc.h"
#include "ike/family.h"
#include "ike/internal.h"

struct family *family_find(struct ike *ike, struct span name)
{
	struct family *f;

	HASH_FIND(hh, ike->families, name.p, (unsigned)name.n, f);
	return f;
}

void family_join(struct ike *ike, struct connection *c, struct span name)
{
	struct family *f = family_find(ike, name);

	if (f == NULL) {
		f = NEW(struct family);
		f->name = xprintf("%.*s", (int)name.n, (const char *)name.p);
		TAILQ_INIT(&f->members);
		HASH_ADD_KEYPTR(hh, ike->families, f->name, (unsigned)name.n, f);
	}
	TAILQ_INSERT_TAIL(&f->members, c, in_family);
	f->n++;
	c->family = f;
}

void family_leave(struct ike *ike, struct connection *c)
{
	struct family *f = c->family;

	if (f == NULL)
		return;
	TAILQ_REMOVE(&f->members, c, in_family);
	c->family = NULL;
	if (--f->n > 0)
		return;
	HASH_DEL(ike->families, f);
	free(f->name);
	buf_free(&f->said);
	free(f);
}

struct connection **family_select(struct ike *ike, struct arena *a, struct span name, size_t *n)
{
	struct family *f = name.n == 0 ? NULL : family_find(ike, name);
	struct connection *c = f != NULL || name.n == 0 ? NULL : connection_find(ike, name);
	struct connection **list = ARENA_ARRAY(a, struct connection *, f == NULL ? 1 : f->n);

	*n = 0;
	if (f != NULL)
		TAILQ_FOREACH(c, &f->members, in_family)
			list[(*n)++] = c;
	else if (c != NULL)
		list[(*n)++] = c;
	return list;
}

bool family_said(const struct family *f, struct arena *a, struct control_connection *out)
{
	struct control_message m;
	struct fault fault = { 0 };

	if (f->said.n == 0 || !control_get(span_from(span_buf(f->said), FRAME_LENGTH), a, &m, &fault))
		return false;
	*out = m.u.connection;
	return true;
}

void family_delete(struct ike *ike, struct family *f)
{
	unsigned n = f->n;

	while (n-- > 0)		/* f goes with the last one */
		connection_delete(ike, TAILQ_FIRST(&f->members));
}
