/* debug.c -- lines for whoever looks on: one call of the host for each, and only when somebody does. */
#include <stdarg.h>
#include <stdio.h>

#include "engine/internal.h"

#define DEBUG_TEXT 512

void debug_say(struct engine *e, const struct exchange *x, enum engine_debug class_, const char *fmt, ...)
{
	char line[DEBUG_TEXT];
	va_list ap;

	if (!debugging(e, x, class_))
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	e->host.debug(e->host.ctx, x, class_, line);
}

void debug_octets(struct engine *e, const struct exchange *x, enum engine_debug class_, const char *what,
		  struct span octets)
{
	char *p;
	struct text t;

	if (!debugging(e, x, class_))
		return;
	p = arena_alloc(e->arena, 2 * octets.n + DEBUG_TEXT);
	t = text_on(p, 2 * octets.n + DEBUG_TEXT);
	text_add(&t, "%s, %zu octets: ", what, octets.n);
	text_hex(&t, octets);
	e->host.debug(e->host.ctx, x, class_, p);
}
