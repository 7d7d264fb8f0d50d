/* command.c -- what whack asks of the simulated daemons, and what they have said. */
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "crypto/rsa.h"
#include "ike/internal.h"
#include "sim_internal.h"

static uint8_t frame[65536];

static void give(struct node *n, struct writer *w)
{
	n->pending = xrealloc(n->pending, n->asked + 2);
	n->pending[++n->asked] = 1;
	ike_command(n->ike, n->world->now, n->asked, span_from(writer_span(w), 4));
}

void node_connection(struct node *n, const struct control_connection *m)
{
	struct writer w = writer_on(frame, sizeof(frame));

	control_put_connection(&w, m);
	give(n, &w);
}

void node_public_key(struct node *n, const char *id, const struct rsa_key *key)
{
	struct writer w = writer_on(frame, sizeof(frame));
	struct buf dns = key == NULL ? (struct buf){ 0 } : rsa_to_dns(key);

	control_put_public_key(&w, &(struct control_public_key){ .id = span_str(id), .key = span_buf(dns) });
	give(n, &w);
	buf_free(&dns);
}

void node_listen(struct node *n)
{
	struct writer w = writer_on(frame, sizeof(frame));

	control_put_listen(&w, &(struct control_listen){ 0 });
	give(n, &w);
}

void node_initiate(struct node *n, const char *name)
{
	struct writer w = writer_on(frame, sizeof(frame));

	control_put_initiate(&w, &(struct control_initiate){ .name = span_str(name) });
	give(n, &w);
}

void node_route(struct node *n, const char *name)
{
	struct writer w = writer_on(frame, sizeof(frame));

	control_put_route(&w, &(struct control_route){ .name = span_str(name) });
	give(n, &w);
}

void node_terminate(struct node *n, const char *name)
{
	struct writer w = writer_on(frame, sizeof(frame));

	control_put_terminate(&w, &(struct control_terminate){ .name = span_str(name) });
	give(n, &w);
}

void node_delete(struct node *n, const char *name)
{
	struct writer w = writer_on(frame, sizeof(frame));

	control_put_delete(&w, &(struct control_delete){ .name = span_str(name) });
	give(n, &w);
}

void node_shutdown(struct node *n, bool quiet)
{
	struct writer w = writer_on(frame, sizeof(frame));

	control_put_shutdown(&w, &(struct control_shutdown){ .quiet = quiet });
	give(n, &w);
}

void node_leave(struct node *n)
{
	struct writer w = writer_on(frame, sizeof(frame));

	control_put_shutdown(&w, &(struct control_shutdown){ .leave = true });
	give(n, &w);
}

bool node_said(const struct node *n, const char *reason)
{
	for (size_t i = 0; i < sizeof(n->said) / sizeof(n->said[0]); i++)
		if (n->said[i] != NULL && strcmp(n->said[i], reason) == 0)
			return true;
	return false;
}

struct subnet sim_subnet(const char *text)
{
	struct subnet s = { 0 };
	const char *why;
	unsigned column;

	if (text != NULL && !subnet_parse(span_str(text), &s, &why, &column)) {
		fprintf(stderr, "%s: %s\n", text, why);
		exit(1);
	}
	return s;
}

struct control_connection sim_connection(const char *name, const struct node *left,
					 const char *left_client, const struct node *right,
					 const char *right_client)
{
	return (struct control_connection){
		.name = span_str(name),
		.left = { .host = left->addr, .ikeport = 500, .client = sim_subnet(left_client) },
		.right = { .host = right->addr, .ikeport = 500, .client = sim_subnet(right_client) },
		.psk = true, .encrypt = true, .ikelifetime = 3600, .ipseclifetime = 28800,
		.rekeymargin = 540, .rekeyfuzz = 100, .keyingtries = 3,
	};
}
