/* command.c -- the requests of whack. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "ike/errand.h"
#include "ike/initiate.h"
#include "ike/internal.h"
#include "ike/pubkeys.h"
#include "ike/routing.h"
#include "ike/upkeep.h"

/* The named connection, or NULL after saying that there is none. */
static struct connection *named(struct ike *ike, uint32_t whack, struct span name)
{
	struct connection *c = connection_find(ike, name);

	if (c == NULL) {
		ike_reply_refusal(ike, whack, refuse_unknown_name(ike->arena, arena_str(ike->arena, name)));
		ike_finish(ike, whack);
	}
	return c;
}

static void say_success(struct ike *ike, uint32_t whack, const char *text)
{
	ike_reply(ike, whack, WHACK_STATUS_SUCCESS, "%s", text);
	ike_finish(ike, whack);
}

static void command_listen(struct ike *ike, uint32_t whack)
{
	struct listen_result r = { 0 };

	ike->host.listen(ike->host.ctx, &r);
	for (const char *const *line = r.lines; line != NULL && *line != NULL; line++)
		ike_reply(ike, whack, WHACK_STATUS_LOG, "%s", *line);
	if (!r.ok) {
		ike_reply_refusal(ike, whack, refuse_listen_failed(ike->arena, r.why));
		ike_finish(ike, whack);
		return;
	}
	free(ike->interfaces);
	ike->interfaces = xcalloc(r.n_interfaces + 1, sizeof(struct kernel_interface));
	memcpy(ike->interfaces, r.interfaces, r.n_interfaces * sizeof(struct kernel_interface));
	ike->n_interfaces = r.n_interfaces;
	ike->listening = true;
	errand_begin(ike, whack, false);
	connections_orient(ike);
	errand_end(ike, "listening for IKE messages");
}

static void command_unlisten(struct ike *ike, uint32_t whack)
{
	ike->host.unlisten(ike->host.ctx);
	ike->listening = false;
	say_success(ike, whack, "no longer listening for IKE messages");
}

static void command_initiate(struct ike *ike, uint32_t whack, const struct control_initiate *m)
{
	struct connection *c = named(ike, whack, m->name);

	if (c == NULL)
		return;
	if (m->asynchronous) {
		ike_finish(ike, whack);
		whack = NO_WHACK;
	}
	upkeep_initiated(ike, c);
	connection_initiate(ike, c, whack, 1);
}

static void command_terminate(struct ike *ike, uint32_t whack, const struct control_terminate *m)
{
	struct connection *c = named(ike, whack, m->name);

	if (c == NULL)
		return;
	upkeep_stop(ike, c);
	errand_begin(ike, whack, m->asynchronous);
	connection_terminate(ike, c);
	if (c->ours >= 0)	/* what an earlier request has begun is waited for, too */
		plan_submit(plan_new(ike, c), NULL, NULL);
	errand_end(ike, "\"%s\": its SAs are deleted", c->name);
}

static void command_delete(struct ike *ike, uint32_t whack, const struct control_delete *m)
{
	struct connection *c = named(ike, whack, m->name);

	if (c == NULL)
		return;
	ike_log(ike, c, NULL, NO_WHACK, WHACK_STATUS_LOG, "deleting this connection");
	errand_begin(ike, whack, m->asynchronous);
	connection_delete(ike, c);
	errand_end(ike, "connection deleted");
}

static void command_shutdown(struct ike *ike, uint32_t whack, const struct control_shutdown *m)
{
	if (ike->stopping) {
		ike_reply(ike, whack, WHACK_STATUS_SHUTTING_DOWN, "pluto is shutting down already");
		ike_finish(ike, whack);
		return;
	}
	errand_begin(ike, whack, m->asynchronous);
	ike_shutdown(ike, ike->now, m->quiet);
	errand_end(ike, "pluto is shutting down: its SAs and routes are gone");
}

static void command_debug(struct ike *ike, uint32_t whack, const struct control_debug *m)
{
	struct connection *c;

	if (m->name.n == 0) {
		ike->debug = m->classes;
	} else {
		c = named(ike, whack, m->name);
		if (c == NULL)
			return;
		c->debug = m->classes;
	}
	say_success(ike, whack, "debugging output selected");
}

static void command_which_secret(struct ike *ike, uint32_t whack, const struct control_which_secret *m)
{
	struct identity us, peer = { 0 };
	struct secret_found found = { 0 };
	const char *why = NULL;
	unsigned column = 0;

	if (identity_parse(m->us, &us, &why, &column) != IDENTITY_OK ||
	    (m->peer.n > 0 && identity_parse(m->peer, &peer, &why, &column) != IDENTITY_OK)) {
		ike_reply(ike, whack, WHACK_STATUS_BAD_ID, "identity, column %u: %s", column,
			  why == NULL ? "give an address, @FQDN or USER@FQDN" : why);
	} else if (ike->secrets.ops->psk(ike->secrets.s, &us, &peer, m->peer.n == 0, &found)) {
		ike_reply(ike, whack, WHACK_STATUS_SUCCESS, "the secret of %s:%u", found.file, found.line);
	} else {
		ike_reply(ike, whack, WHACK_STATUS_NO_KEY, "%s", found.why);
	}
	ike_finish(ike, whack);
}

static struct connection *route_target(struct ike *ike, uint32_t whack, struct span name)
{
	struct connection *c = named(ike, whack, name);
	const struct refusal *why = c != NULL && (c->ours < 0 || c->leaving) ?
				    orientation_refusal(ike, c) : NULL;

	if (why == NULL)
		return c;
	ike_reply_refusal(ike, whack, why);
	ike_finish(ike, whack);
	return NULL;
}

void command_run(struct ike *ike, uint32_t whack, const struct control_message *m)
{
	struct connection *c;

	switch (m->id) {
	case CONTROL_CONNECTION:
		command_connection(ike, whack, &m->u.connection);
		break;
	case CONTROL_DELETE:
		command_delete(ike, whack, &m->u.delete);
		break;
	case CONTROL_PUBLIC_KEY:
		command_public_key(ike, whack, &m->u.public_key);
		break;
	case CONTROL_LISTEN:
		command_listen(ike, whack);
		break;
	case CONTROL_UNLISTEN:
		command_unlisten(ike, whack);
		break;
	case CONTROL_ROUTE:
		c = route_target(ike, whack, m->u.route.name);
		if (c != NULL)
			command_route(ike, whack, c, m->u.route.asynchronous);
		break;
	case CONTROL_UNROUTE:
		c = route_target(ike, whack, m->u.unroute.name);
		if (c != NULL)
			command_unroute(ike, whack, c, m->u.unroute.asynchronous);
		break;
	case CONTROL_INITIATE:
		command_initiate(ike, whack, &m->u.initiate);
		break;
	case CONTROL_TERMINATE:
		command_terminate(ike, whack, &m->u.terminate);
		break;
	case CONTROL_DEBUG:
		command_debug(ike, whack, &m->u.debug);
		break;
	case CONTROL_STATUS:
		command_status(ike, whack, &m->u.status);
		break;
	case CONTROL_WHICH_SECRET:
		command_which_secret(ike, whack, &m->u.which_secret);
		break;
	case CONTROL_SHUTDOWN:
		command_shutdown(ike, whack, &m->u.shutdown);
		break;
	default:
		ike_reply_refusal(ike, whack, refuse_not_supported(ike->arena, "this request"));
		ike_finish(ike, whack);
	}
}
