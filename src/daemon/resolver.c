/* resolver.c -- libunbound, its thread and its file descriptor in our loop. */
#include "daemon/resolver.h"

#include <stdlib.h>
#include <unbound.h>
#include <unistd.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "daemon/log.h"
#include "generated/limits.h"
#include "generated/names.h"

#define WHY_TEXT 200
#define RCODE_NOERROR 0		/* as libunbound has them */
#define RCODE_NXDOMAIN 3

struct query {
	struct query *next;		/* of those that failed at once */
	struct resolver *r;
	uint32_t token;
	const char *why;
};

struct resolver {
	uv_loop_t *loop;
	const struct config *config;
	struct resolver_events events;
	struct ub_ctx *ub;		/* NULL before the first question */
	bool anchored;			/* there is something to prove answers with */
	uv_poll_t poll;
	uv_timer_t timer;		/* tells of those that failed at once */
	struct query *failed;
	unsigned closing;		/* handles still open */
};

const char *resolver_obstacle(const struct config *c)
{
	return c->no_dnskeys ? "pluto was started with --no-dnskeys" : NULL;
}

struct resolver *resolver_new(uv_loop_t *loop, const struct config *c, struct resolver_events events)
{
	struct resolver *r = NEW(struct resolver);

	r->loop = loop;
	r->config = c;
	r->events = events;
	uv_timer_init(loop, &r->timer);
	r->timer.data = r;
	return r;
}

static void readable(uv_poll_t *poll, int status, int events)
{
	struct resolver *r = poll->data;

	(void)status;
	(void)events;
	ub_process(r->ub);
}

/* ---- the first question ---------------------------------------------------------- */

static const char *const settings[][2] = {
	/* A name server of this host, and private addresses, are what closed networks have. */
	{ "do-not-query-localhost:", "no" },
	{ "unblock-lan-zones:", "yes" },
	{ "msg-cache-size:", "1m" },
	{ "rrset-cache-size:", "2m" },
	{ "key-cache-size:", "1m" },
	{ "neg-cache-size:", "256k" },
};

static const char *set_anchor(struct resolver *r)
{
	const char *file = r->config->dns_anchor != NULL ? r->config->dns_anchor : PLUTO_DNS_ANCHOR;
	int e;

	if (access(file, R_OK) != 0) {
		log_trouble("install dns-root-data, or give --dns-anchor",
			    "%s cannot be read: no answer of the DNS can be proved by DNSSEC", file);
		return NULL;
	}
	e = ub_ctx_add_ta_file(r->ub, file);
	r->anchored = e == UB_NOERROR;
	return e == UB_NOERROR ? NULL : ub_strerror(e);
}

static const char *configure(struct resolver *r)
{
	const char *server = r->config->dns_server;
	int e;

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		e = ub_ctx_set_option(r->ub, settings[i][0], settings[i][1]);
		if (e != UB_NOERROR)
			return ub_strerror(e);
	}
	ub_ctx_debugout(r->ub, NULL);
	e = server != NULL ? ub_ctx_set_fwd(r->ub, server) : ub_ctx_resolvconf(r->ub, NULL);
	if (e == UB_NOERROR)
		e = ub_ctx_async(r->ub, 1);
	return e == UB_NOERROR ? set_anchor(r) : ub_strerror(e);
}

/* NULL, or why nothing can be asked; then it is tried again with the next question. */
static const char *open_context(struct resolver *r)
{
	const char *why;

	r->ub = ub_ctx_create();
	if (r->ub == NULL)
		return "libunbound cannot be started";
	why = configure(r);
	if (why == NULL && uv_poll_init(r->loop, &r->poll, ub_fd(r->ub)) != 0)
		why = "libunbound has no file descriptor";
	if (why != NULL) {
		ub_ctx_delete(r->ub);
		r->ub = NULL;
		return why;
	}
	r->poll.data = r;
	uv_poll_start(&r->poll, UV_READABLE, readable);
	return NULL;
}

/* ---- answers ------------------------------------------------------------------------ */

static void tell(struct query *q, const struct lookup_result *result)
{
	struct resolver *r = q->r;
	uint32_t token = q->token;

	free(q);
	r->events.answer(r->events.ctx, token, result);
}

static void tell_failed(uv_timer_t *timer)
{
	struct resolver *r = timer->data;

	while (r->failed != NULL) {
		struct query *q = r->failed;
		struct lookup_result result = { .why = q->why };

		r->failed = q->next;
		tell(q, &result);
	}
}

static void fail_later(struct query *q, const char *why)
{
	q->why = why;
	q->next = q->r->failed;
	q->r->failed = q;
	uv_timer_start(&q->r->timer, tell_failed, 0, 0);
}

/* Why there are no records that could be used; NULL = there may be some. */
static const char *fault_of(const struct ub_result *u, int error, struct text *room)
{
	if (error != UB_NOERROR)
		return ub_strerror(error);
	if (u->bogus) {
		text_add(room, "the answer is bogus, DNSSEC proves it wrong%s%s", u->why_bogus == NULL ? "" : ": ",
			 u->why_bogus == NULL ? "" : u->why_bogus);
		return room->p;
	}
	if (u->rcode != RCODE_NOERROR && u->rcode != RCODE_NXDOMAIN) {
		text_add(room, "the name servers do not answer (code %d)", u->rcode);
		return room->p;
	}
	return NULL;
}

static void answered(void *ctx, int error, struct ub_result *u)
{
	struct query *q = ctx;
	char room[WHY_TEXT];
	struct text t = text_on(room, sizeof(room));
	struct span rdata[LIMIT_DNS_RECORDS];
	struct lookup_result result = { .rdata = rdata };

	result.why = u == NULL ? ub_strerror(error) : fault_of(u, error, &t);
	result.ok = result.why == NULL;
	if (result.ok) {
		result.validated = u->secure;
		result.ttl = u->ttl < 0 ? 0 : (uint32_t)u->ttl;
		if (!u->secure)
			result.why = q->r->anchored ? "the zone is not signed" : "there is no trust anchor";
		while (u->havedata && u->data[result.n] != NULL && result.n < LIMIT_DNS_RECORDS) {
			rdata[result.n] = span_of(u->data[result.n], (size_t)u->len[result.n]);
			result.n++;
		}
	}
	tell(q, &result);
	ub_resolve_free(u);
}

/* ---- questions ----------------------------------------------------------------------- */

void resolver_ask(struct resolver *r, uint32_t token, const char *name, uint16_t type)
{
	struct query *q = NEW(struct query);
	const char *why = r->ub == NULL ? open_context(r) : NULL;
	int e;

	q->r = r;
	q->token = token;
	if (why != NULL) {
		fail_later(q, why);
		return;
	}
	e = ub_resolve_async(r->ub, name, type, DNS_CLASS_IN, q, answered, NULL);
	if (e != UB_NOERROR)
		fail_later(q, ub_strerror(e));
}

/* ---- the end -------------------------------------------------------------------------- */

static void closed(uv_handle_t *handle)
{
	struct resolver *r = handle->data;

	if (--r->closing == 0)
		free(r);
}

void resolver_close(struct resolver *r)
{
	if (r == NULL)
		return;
	while (r->failed != NULL) {
		struct query *q = r->failed;

		r->failed = q->next;
		free(q);
	}
	r->closing = 1;
	uv_close((uv_handle_t *)&r->timer, closed);
	if (r->ub == NULL)
		return;
	r->closing = 2;
	uv_close((uv_handle_t *)&r->poll, closed);
	ub_ctx_delete(r->ub);
	r->ub = NULL;
}
