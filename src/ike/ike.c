/* ike.c -- the whole of IKE behind one object: its life and what comes in. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "ike/dnskeys.h"
#include "ike/initiate.h"
#include "ike/internal.h"
#include "ike/joint.h"
#include "ike/natt.h"
#include "ike/nets.h"
#include "ike/phase2.h"
#include "ike/plan.h"
#include "ike/pubkeys.h"
#include "ike/upkeep.h"

struct ike *ike_new(const struct ike_config *config)
{
	struct ike *ike = NEW(struct ike);
	struct engine_config engine = { .host = ike_engine_host(ike) };

	ike->host = config->host;
	ike->kernel = config->kernel;
	ike->secrets = config->secrets;
	ike->debug = config->debug;
	ike->key_logging = config->key_logging;
	ike->updown = config->updown;
	ike->ports = config->ports;
	ike->arena = arena_new();
	TAILQ_INIT(&ike->half_opens);
	LIST_INIT(&ike->behind_nats);
	ike->routes = routes_new();
	ike->nets = nets_new();
	ike->pubkeys = pubkeys_new();
	ike->dnskeys = dnskeys_new(ike, config->insecure_dnskeys);
	ike->engine = engine_new(&engine);
	return ike;
}

void ike_set_kernel(struct ike *ike, struct kernel kernel)
{
	ike->kernel = kernel;
}

static void drop_connections(struct ike *ike)
{
	struct connection *c, *next;

	HASH_ITER(by_name, ike->connections, c, next)
		connection_delete(ike, c);
}

void ike_free(struct ike *ike)
{
	if (ike == NULL)
		return;
	ike->stopping = true;
	ike->quiet = true;
	statuses_free(ike);
	joints_free(ike);
	drop_connections(ike);
	dnskeys_free(ike->dnskeys);
	engine_free(ike->engine);
	plans_free(ike);
	requests_free(ike);
	routes_free(ike->routes);
	nets_free(ike->nets);
	pubkeys_free(ike->pubkeys);
	arena_free(ike->arena);
	free(ike->interfaces);
	free(ike);
}

void ike_clock(struct ike *ike, uint64_t now)
{
	if (now > ike->now)
		ike->now = now;
}

/* Has everything come to rest that shutdown waits for? */
static void check_stopped(struct ike *ike)
{
	if (!ike->stopping || ike->n_plans > 0 || ike->told_stopped)
		return;
	ike->told_stopped = true;
	ike->host.stopped(ike->host.ctx);
}

void ike_datagram(struct ike *ike, uint64_t now, const struct endpoint *local,
		  const struct endpoint *remote, struct span datagram)
{
	ike_clock(ike, now);
	if (!ike->listening)
		return;
	arena_reset(ike->arena);
	engine_receive(ike->engine, now, local, remote, datagram);
}

void ike_unreachable(struct ike *ike, uint64_t now, const struct endpoint *remote, const char *detail)
{
	char t[ENDPOINT_TEXT];

	ike_clock(ike, now);
	/* A forged ICMP message must not end anything: it is told, and retransmission decides. */
	ike_log(ike, NULL, NULL, NO_WHACK, WHACK_STATUS_LOG, "a message to %s was not delivered: %s",
		endpoint_format(remote, t), detail);
}

void ike_command(struct ike *ike, uint64_t now, uint32_t client, struct span frame)
{
	struct control_message m;
	struct fault f = { 0 };

	ike_clock(ike, now);
	arena_reset(ike->arena);
	if (control_get(frame, ike->arena, &m, &f)) {
		command_run(ike, client, &m);
	} else {
		ike_reply_refusal(ike, client,
				  refuse_bad_request(ike->arena, refuse_fault(ike->arena, &f)->message));
		ike_finish(ike, client);
	}
	check_stopped(ike);
}

static void forget(uint32_t *whack, uint32_t client)
{
	if (*whack == client)
		*whack = NO_WHACK;
}

void ike_client_gone(struct ike *ike, uint32_t client)
{
	struct exchange *x;

	status_gone(ike, client);
	joint_gone(ike, client);
	dnskeys_gone(ike->dnskeys, client);
	for (x = engine_first(ike->engine); x != NULL; x = engine_next(x)) {
		if (x->user == NULL)
			continue;
		if (x->machine->phase == 1) {
			struct phase1 *p = x->user;
			struct pending *q;

			forget(&p->whack, client);
			STAILQ_FOREACH(q, &p->pending, next)
				forget(&q->whack, client);
		} else if (phase2_of(x) != NULL) {
			phase2_forget_whack(x->user, client);
		}
	}
}

void ike_job_done(struct ike *ike, uint64_t now, struct ike_job *job)
{
	ike_clock(ike, now);
	request_answer(ike, job->token, NULL);
	check_stopped(ike);
}

void ike_lookup_done(struct ike *ike, uint64_t now, uint32_t token, const struct lookup_result *r)
{
	ike_clock(ike, now);
	arena_reset(ike->arena);
	dnskeys_answer(ike->dnskeys, token, r);
	check_stopped(ike);
}

uint64_t ike_deadline(const struct ike *ike)
{
	return timers_next(engine_timers(ike->engine));
}

void ike_tick(struct ike *ike, uint64_t now)
{
	ike_clock(ike, now);
	arena_reset(ike->arena);
	timers_run(engine_timers(ike->engine), now);
	check_stopped(ike);
}

static void on_done(void *ctx, uint32_t token, const struct kernel_result *r)
{
	request_answer(ctx, token, r);
	check_stopped(ctx);
}

static void on_acquire(void *ctx, const struct kernel_acquire *a)
{
	struct ike *ike = ctx;

	arena_reset(ike->arena);
	upkeep_acquire(ike, a);
}

static void on_expired(void *ctx, const struct kernel_expiry *e)
{
	struct ike *ike = ctx;

	arena_reset(ike->arena);
	phase2_used_up(ike, e);
}

static void on_mapping(void *ctx, const struct sa_id *id, const struct endpoint *from)
{
	natt_mapping(ctx, id, from);
	check_stopped(ctx);
}

static void on_line(void *ctx, const char *line)
{
	ike_log(ctx, NULL, NULL, NO_WHACK, WHACK_STATUS_LOG, "%s", line);
}

static void on_lost(void *ctx, const char *why)
{
	struct ike *ike = ctx;

	ike_log(ike, NULL, NULL, NO_WHACK, WHACK_STATUS_LOG_SERIOUS,
		"the kernel backend is gone (%s): nothing is protected any more, restart pluto", why);
}

struct kernel_events ike_kernel_events(struct ike *ike)
{
	return (struct kernel_events){ .ctx = ike, .done = on_done, .acquire = on_acquire, .mapping = on_mapping,
				       .expired = on_expired,
				       .log = on_line, .lost = on_lost };
}

const struct refusal *ike_leave(struct ike *ike)
{
	const struct kernel *k = &ike->kernel;

	if (k->ops->leave == NULL)
		return refuse_leave_nothing(ike->arena, k->ops->name);
	ike->leaving = true;
	k->ops->leave(k->k);
	return NULL;
}

void ike_shutdown(struct ike *ike, uint64_t now, bool quiet)
{
	ike_clock(ike, now);
	if (ike->stopping)
		return;
	ike->stopping = true;
	ike->quiet = quiet;
	ike_log(ike, NULL, NULL, NO_WHACK, WHACK_STATUS_LOG, "shutting down%s%s",
		quiet ? ", without telling the peers" : "", ike->leaving ? "; SAs and routes stay" : "");
	drop_connections(ike);
	dnskeys_stop(ike->dnskeys);
	check_stopped(ike);
}
