/* command.c -- the requests of whack. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "ike/errand.h"
#include "ike/family.h"
#include "ike/initiate.h"
#include "ike/internal.h"
#include "ike/joint.h"
#include "ike/pubkeys.h"
#include "ike/routing.h"
#include "ike/upkeep.h"

struct selection {		/* what a name stands for: one connection, or all of a description */
	struct connection **c;
	size_t n;
	const char *name;
};

/* False after saying that there is nothing of that name. */
static bool named(struct ike *ike, uint32_t whack, struct span name, struct selection *out)
{
	out->c = family_select(ike, ike->arena, name, &out->n);
	out->name = arena_str(ike->arena, name);
	if (out->n > 0)
		return true;
	ike_reply_refusal(ike, whack, refuse_unknown_name(ike->arena, out->name));
	ike_finish(ike, whack);
	return false;
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
	struct selection s;

	if (!named(ike, whack, m->name, &s))
		return;
	if (m->asynchronous) {
		ike_finish(ike, whack);
		whack = NO_WHACK;
	}
	joint_begin(ike, whack, s.name, "up", s.n);
	for (size_t i = 0; i < s.n; i++) {
		upkeep_initiated(ike, s.c[i]);
		connection_initiate(ike, s.c[i], whack, 1);
	}
}

static void command_terminate(struct ike *ike, uint32_t whack, const struct control_terminate *m)
{
	struct selection s;

	if (!named(ike, whack, m->name, &s))
		return;
	for (size_t i = 0; i < s.n; i++)
		upkeep_stop(ike, s.c[i]);
	errand_begin(ike, whack, m->asynchronous);
	connections_terminate(ike, s.c, s.n);
	for (size_t i = 0; i < s.n; i++)
		if (s.c[i]->ours >= 0)	/* what an earlier request has begun is waited for, too */
			plan_submit(plan_new(ike, s.c[i]), NULL, NULL);
	errand_end(ike, "\"%s\": its SAs are deleted", s.name);
}

static void command_delete(struct ike *ike, uint32_t whack, const struct control_delete *m)
{
	struct selection s;
	struct family *f = family_find(ike, m->name);

	if (!named(ike, whack, m->name, &s))
		return;
	if (f == NULL) {
		ike_reply_refusal(ike, whack, refuse_one_of_several(ike->arena, s.name, s.c[0]->family->name));
		ike_finish(ike, whack);
		return;
	}
	for (size_t i = 0; i < s.n; i++)
		ike_log(ike, s.c[i], NULL, NO_WHACK, WHACK_STATUS_LOG, "deleting this connection");
	errand_begin(ike, whack, m->asynchronous);
	family_delete(ike, f);
	errand_end(ike, "connection deleted");
}

static void command_shutdown(struct ike *ike, uint32_t whack, const struct control_shutdown *m)
{
	const struct refusal *why;

	if (ike->stopping) {
		ike_reply(ike, whack, WHACK_STATUS_SHUTTING_DOWN, "pluto is shutting down already");
		ike_finish(ike, whack);
		return;
	}
	why = m->leave ? ike_leave(ike) : NULL;
	if (why != NULL) {
		ike_reply_refusal(ike, whack, why);
		ike_finish(ike, whack);
		return;
	}
	errand_begin(ike, whack, m->asynchronous);
	ike_shutdown(ike, ike->now, m->quiet || m->leave);
	errand_end(ike, m->leave ? "pluto is shutting down: its SAs and routes stay" :
		   "pluto is shutting down: its SAs and routes are gone");
}

static void command_debug(struct ike *ike, uint32_t whack, const struct control_debug *m)
{
	struct selection s;

	if ((m->classes & DEBUG_CLASSES_PRIVATE) != 0 && !ike->key_logging) {
		ike_reply_refusal(ike, whack, refuse_keys_in_log(ike->arena));
		ike_finish(ike, whack);
		return;
	}
	if (m->name.n == 0) {
		ike->debug = m->classes;
	} else {
		if (!named(ike, whack, m->name, &s))
			return;
		for (size_t i = 0; i < s.n; i++)
			s.c[i]->debug = m->classes;
	}
	say_success(ike, whack, "debugging output selected");
}

static void command_which_secret(struct ike *ike, uint32_t whack, const struct control_which_secret *m)
{
	struct identity us, peer = { 0 };
	struct secret_found found = { 0 };
	const char *why = NULL;
	unsigned column = 0;

	if (identity_parse(ike->arena, m->us, &us, &why, &column) != IDENTITY_OK ||
	    (m->peer.n > 0 && identity_parse(ike->arena, m->peer, &peer, &why, &column) != IDENTITY_OK)) {
		ike_reply(ike, whack, WHACK_STATUS_BAD_ID, "identity, column %u: %s", column,
			  why == NULL ? "give an address, @FQDN, USER@FQDN, @[TEXT] or @#HEX" : why);
	} else if (ike->secrets.ops->psk(ike->secrets.s, &us, &peer, m->peer.n == 0, &found)) {
		ike_reply(ike, whack, WHACK_STATUS_SUCCESS, "the secret of %s:%u", found.file, found.line);
	} else {
		ike_reply(ike, whack, WHACK_STATUS_NO_KEY, "%s", found.why);
	}
	ike_finish(ike, whack);
}

/* Each is routed, or unrouted, on its own. */
static void command_way(struct ike *ike, uint32_t whack, struct span name, bool route, bool at_once)
{
	struct selection s;

	if (!named(ike, whack, name, &s))
		return;
	if (at_once) {
		ike_finish(ike, whack);
		whack = NO_WHACK;
	}
	joint_begin(ike, whack, s.name, route ? "routed" : "unrouted", s.n);
	for (size_t i = 0; i < s.n; i++) {
		if (s.c[i]->ours < 0 || s.c[i]->leaving) {
			ike_reply_refusal(ike, whack, orientation_refusal(ike, s.c[i]));
			ike_finish(ike, whack);
		} else if (route) {
			command_route(ike, whack, s.c[i], at_once);
		} else {
			command_unroute(ike, whack, s.c[i], at_once);
		}
	}
}

void command_run(struct ike *ike, uint32_t whack, const struct control_message *m)
{
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
		command_way(ike, whack, m->u.route.name, true, m->u.route.asynchronous);
		break;
	case CONTROL_UNROUTE:
		command_way(ike, whack, m->u.unroute.name, false, m->u.unroute.asynchronous);
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
