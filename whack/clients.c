/* clients.c -- a protocol or port belongs to the --client before it, or to all when it comes first. */
#include "whack/clients.h"

#include <string.h>

#include "generated/options.h"
#include "whack/resolve.h"

struct reading {
	struct control_selector all;	/* what came before any client */
	struct clients_room *room;
	size_t first, n;		/* [first, n) are those of the last --client */
	struct text *why;
};

/* The subnets of one --client, with commas between. */
static bool read_client(struct reading *r, const struct option_value *v)
{
	const char *at = v->text;

	r->first = r->n;
	for (;;) {
		struct span one = span_of(at, strcspn(at, ","));

		if (r->n == CLIENTS_MAX) {
			option_where(v, r->why);
			text_add(r->why, ": more than %d clients of one end; describe several connections", CLIENTS_MAX);
			return false;
		}
		r->room->at[r->n] = r->all;
		if (!resolve_subnet(v, one, &r->room->at[r->n++].client, r->why))
			return false;
		if (at[one.n] == '\0')
			return true;
		at += one.n + 1;
	}
}

static bool read_value(struct reading *r, const struct option_value *v)
{
	uint8_t protocol = 0;
	uint16_t port = 0;
	bool is_port = v->option->id == WHACK_OPTION_CLIENTPORT;

	if (v->option->id == WHACK_OPTION_CLIENT)
		return read_client(r, v);
	if (is_port ? !resolve_port(v, &port, r->why) : !resolve_protocol(v, &protocol, r->why))
		return false;
	for (size_t i = r->first; i < (r->n == 0 ? 1 : r->n); i++) {
		struct control_selector *s = r->n == 0 ? &r->all : &r->room->at[i];

		if (is_port)
			s->port = port;
		else
			s->protocol = protocol;
	}
	return true;
}

bool clients_read(const struct options *o, enum option_end side, struct control_end *e, struct clients_room *room,
		  struct text *why)
{
	struct reading r = { .room = room, .why = why };

	for (size_t i = 0; i < o->n; i++) {
		const struct option_value *v = &o->values[i];
		uint16_t id = v->option->id;

		if (v->end == side && (id == WHACK_OPTION_CLIENT || id == WHACK_OPTION_CLIENTPROTO ||
				       id == WHACK_OPTION_CLIENTPORT) && !read_value(&r, v))
			return false;
	}
	if (r.n == 0)			/* the host */
		room->at[r.n++] = r.all;
	e->client = room->at[0].client;
	e->protocol = room->at[0].protocol;
	e->port = room->at[0].port;
	e->further = &room->at[1];
	e->n_further = r.n - 1;
	return true;
}
