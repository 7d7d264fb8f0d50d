/* daemon.c -- the loop: sockets, timers, jobs, whacks and the kernel on one side, ike on the other. */
#include "daemon/daemon.h"

#include <signal.h>
#include <stdlib.h>
#include <uv.h>

#include "base/arena.h"
#include "base/frame.h"
#include "base/xalloc.h"
#include "crypto/hash.h"
#include "daemon/backend.h"
#include "daemon/control.h"
#include "daemon/keylog.h"
#include "daemon/listen.h"
#include "daemon/log.h"
#include "daemon/record.h"
#include "daemon/resolver.h"
#include "daemon/signals.h"
#include "daemon/udp.h"
#include "daemon/watch.h"
#include "generated/control_protocol.h"
#include "ike/ike.h"
#include "secrets/store.h"

#define SIGNALS 3

struct daemon {
	const struct config *config;
	uv_loop_t loop;
	uv_timer_t timer;	/* the next ike_tick */
	uv_prepare_t prepare;	/* arms it before each wait */
	uv_timer_t ticks;	/* of the log */
	uv_signal_t signals[SIGNALS];
	struct udp *udp;
	struct control *control;
	struct listening *listening;
	struct watch *watch;	/* or NULL */
	struct store *store;
	struct keylog *keylog;
	struct resolver *resolver;	/* or NULL */
	struct record *record;	/* or NULL */
	struct backend backend;
	struct ike_host host;	/* ours, or the recording one around it */
	struct ike *ike;
	bool stopping, stopped;
	size_t jobs;		/* in the thread pool */
};

/* Milliseconds of a clock that never goes back. */
static uint64_t now(void)
{
	return uv_hrtime() / 1000000;
}

/* ---- what ike asks ---------------------------------------------------------- */

static void host_send(void *ctx, const struct endpoint *local, const struct endpoint *remote,
		      struct span datagram)
{
	struct daemon *d = ctx;

	udp_send(d->udp, local, remote, datagram);
}

static void host_keepalive(void *ctx, const struct endpoint *local, const struct endpoint *remote)
{
	struct daemon *d = ctx;

	udp_keepalive(d->udp, local, remote);
}

struct work {
	uv_work_t req;
	struct daemon *daemon;
	struct ike_job *job;
};

static void work_run(uv_work_t *req)
{
	struct work *w = req->data;

	w->job->run(w->job);
}

static void work_done(uv_work_t *req, int status)
{
	struct work *w = req->data;
	struct daemon *d = w->daemon;
	struct ike_job *job = w->job;
	uint64_t t = now();

	(void)status;		/* never cancelled */
	free(w);
	d->jobs--;
	record_job_done(d->record, t, job);
	ike_job_done(d->ike, t, job);
}

static void host_submit(void *ctx, struct ike_job *job)
{
	struct daemon *d = ctx;
	struct work *w = NEW(struct work);

	w->req.data = w;
	w->daemon = d;
	w->job = job;
	d->jobs++;
	uv_queue_work(&d->loop, &w->req, work_run, work_done);
}

static void host_random(void *ctx, void *p, size_t n)
{
	(void)ctx;
	crypto_random(p, n);
}

static void host_log(void *ctx, const struct log_event *e)
{
	(void)ctx;
	log_event(e);
}

static void host_listen(void *ctx, struct listen_result *out)
{
	struct daemon *d = ctx;

	listening_start(d->listening, out);
}

static void host_unlisten(void *ctx)
{
	struct daemon *d = ctx;

	listening_stop(d->listening);
}

static void host_reply(void *ctx, uint32_t client, uint16_t status, const char *line)
{
	struct daemon *d = ctx;

	control_reply(d->control, client, status, line);
}

static void host_finish(void *ctx, uint32_t client)
{
	struct daemon *d = ctx;

	control_finish(d->control, client);
}

static void host_keys(void *ctx, const struct sa_keys *keys)
{
	struct daemon *d = ctx;

	keylog_add(d->keylog, keys);
}

static void host_lookup(void *ctx, uint32_t token, const char *name, uint16_t type)
{
	struct daemon *d = ctx;

	resolver_ask(d->resolver, token, name, type);
}

/* ike may be in the middle of a call: the handles are closed from the loop. */
static void host_stopped(void *ctx)
{
	struct daemon *d = ctx;

	d->stopped = true;
}

static struct ike_host host_of(struct daemon *d)
{
	return (struct ike_host){
		.ctx = d,
		.send = host_send,
		.keepalive = host_keepalive,
		.submit = host_submit,
		.random = host_random,
		.log = host_log,
		.listen = host_listen,
		.unlisten = host_unlisten,
		.reply = host_reply,
		.finish = host_finish,
		.keys = d->keylog == NULL ? NULL : host_keys,
		.lookup = d->resolver == NULL ? NULL : host_lookup,
		.no_lookup = resolver_obstacle(d->config),
		.stopped = host_stopped,
	};
}

/* ---- what ike is told ------------------------------------------------------- */

static void got_datagram(void *ctx, const struct endpoint *local, const struct endpoint *remote,
			 struct span datagram)
{
	struct daemon *d = ctx;
	uint64_t t = now();

	record_datagram(d->record, t, local, remote, datagram);
	ike_datagram(d->ike, t, local, remote, datagram);
}

static void got_unreachable(void *ctx, const struct endpoint *remote, const char *detail)
{
	struct daemon *d = ctx;
	uint64_t t = now();

	record_unreachable(d->record, t, remote, detail);
	ike_unreachable(d->ike, t, remote, detail);
}

static void got_command(void *ctx, uint32_t client, struct span frame)
{
	struct daemon *d = ctx;
	uint64_t t = now();

	record_command(d->record, t, client, frame);
	ike_command(d->ike, t, client, frame);
}

static void got_answer(void *ctx, uint32_t token, const struct lookup_result *r)
{
	struct daemon *d = ctx;
	uint64_t t = now();

	record_lookup_done(d->record, t, token, r);
	ike_lookup_done(d->ike, t, token, r);
}

/* The addresses are others than those pluto listens on: the same as a whack --listen that nobody waits for, or a word
 * that one is needed. */
static void addresses_changed(void *ctx)
{
	struct daemon *d = ctx;
	char room[400];
	struct text t = text_on(room, sizeof(room));
	uint8_t frame[16];
	struct writer w = writer_on(frame, sizeof(frame));

	if (d->stopping || !listening_outdated(d->listening, &t))
		return;
	if (!d->config->auto_listen) {
		log_trouble("run whack --listen, or start pluto with --auto-listen", "%s: nothing is done about that", room);
		return;
	}
	log_say("%s: listening anew", room);
	control_put_listen(&w, &(struct control_listen){ 0 });
	got_command(d, 0, span_from(writer_span(&w), FRAME_LENGTH));
}

static void whack_gone(void *ctx, uint32_t client)
{
	struct daemon *d = ctx;

	record_gone(d->record, client);
	ike_client_gone(d->ike, client);
}

static void stop(struct daemon *d, const char *who)
{
	uint64_t t = now();

	if (d->stopping)
		return;
	d->stopping = true;
	log_say("%s: shutting down", who);
	record_shutdown(d->record, t, false);
	ike_shutdown(d->ike, t, false);
}

static void got_signal(uv_signal_t *s, int number)
{
	struct daemon *d = s->data;

	if (number == SIGHUP) {
		log_say("SIGHUP does nothing; whack --listen reads the secrets and the interfaces anew");
		return;
	}
	if (d->stopping) {
		log_say("second signal: ending without more ado");
		d->stopped = true;
		return;
	}
	stop(d, number == SIGTERM ? "SIGTERM" : "SIGINT");
}

/* Kernel events come from the backend's own handles; ike must know the time first. */
static void kernel_done(void *ctx, uint32_t token, const struct kernel_result *r)
{
	struct daemon *d = ctx;
	uint64_t t = now();

	if (listening_token(token)) {
		listening_done(d->listening, token, r);
		return;
	}
	record_kernel_done(d->record, t, token, r);
	ike_clock(d->ike, t);
	ike_kernel_events(d->ike).done(ike_kernel_events(d->ike).ctx, token, r);
}

static void kernel_acquire(void *ctx, const struct kernel_acquire *a)
{
	struct daemon *d = ctx;
	struct kernel_events e = ike_kernel_events(d->ike);
	uint64_t t = now();

	record_acquire(d->record, t, a);
	ike_clock(d->ike, t);
	e.acquire(e.ctx, a);
}

static void kernel_expired(void *ctx, const struct kernel_expiry *x)
{
	struct daemon *d = ctx;
	struct kernel_events e = ike_kernel_events(d->ike);
	uint64_t t = now();

	record_expired(d->record, t, x);
	ike_clock(d->ike, t);
	e.expired(e.ctx, x);
}

static void kernel_mapping(void *ctx, const struct sa_id *id, const struct endpoint *from)
{
	struct daemon *d = ctx;
	struct kernel_events e = ike_kernel_events(d->ike);
	uint64_t t = now();

	record_mapping(d->record, t, id, from);
	ike_clock(d->ike, t);
	e.mapping(e.ctx, id, from);
}

static void kernel_log(void *ctx, const char *line)
{
	struct daemon *d = ctx;
	struct kernel_events e;
	uint64_t t = now();

	if (d->ike == NULL) {	/* the backend speaks before there is anybody to listen */
		log_say("%s", line);
		return;
	}
	e = ike_kernel_events(d->ike);
	record_kernel_log(d->record, t, line);
	ike_clock(d->ike, t);
	e.log(e.ctx, line);
}

static void kernel_lost(void *ctx, const char *why)
{
	struct daemon *d = ctx;
	struct kernel_events e;
	uint64_t t = now();

	if (d->ike == NULL) {
		log_trouble("nothing is protected; see --kernel", "the kernel backend is lost: %s", why);
		return;
	}
	e = ike_kernel_events(d->ike);
	record_kernel_lost(d->record, t, why);
	ike_clock(d->ike, t);
	e.lost(e.ctx, why);
}

/* ---- time ------------------------------------------------------------------- */

static void tick(uv_timer_t *timer)
{
	struct daemon *d = timer->data;
	uint64_t t = now();

	record_tick(d->record, t);
	ike_tick(d->ike, t);
}

static void ticks(uv_timer_t *timer)
{
	(void)timer;
	log_tick(now());
}

static void close_handles(struct daemon *d);

/* Before each wait: when ike wants to be called next; and whether all is done. */
static void before_wait(uv_prepare_t *prepare)
{
	struct daemon *d = prepare->data;
	uint64_t deadline, t;

	if (d->stopped && d->jobs == 0) {
		close_handles(d);
		return;
	}
	deadline = ike_deadline(d->ike);
	t = now();
	uv_update_time(&d->loop);
	if (deadline == UINT64_MAX)
		uv_timer_stop(&d->timer);
	else
		uv_timer_start(&d->timer, tick, deadline > t ? deadline - t : 0, 0);
}

/* ---- setting up and taking down --------------------------------------------------- */

static void close_handles(struct daemon *d)
{
	if (uv_is_closing((uv_handle_t *)&d->prepare))
		return;
	uv_close((uv_handle_t *)&d->prepare, NULL);
	uv_close((uv_handle_t *)&d->timer, NULL);
	uv_close((uv_handle_t *)&d->ticks, NULL);
	for (size_t i = 0; i < SIGNALS; i++)
		uv_close((uv_handle_t *)&d->signals[i], NULL);
	control_close(d->control);
	resolver_close(d->resolver);
	watch_close(d->watch);
	udp_free(d->udp);
	if (d->backend.kernel.ops != NULL)
		d->backend.kernel.ops->close(d->backend.kernel.k);
	d->control = NULL;
	d->resolver = NULL;
	d->watch = NULL;
	d->udp = NULL;
	d->backend.kernel.ops = NULL;
}

static void start_handles(struct daemon *d)
{
	static const int numbers[SIGNALS] = { SIGTERM, SIGINT, SIGHUP };

	uv_loop_init(&d->loop);
	uv_timer_init(&d->loop, &d->timer);
	uv_timer_init(&d->loop, &d->ticks);
	uv_prepare_init(&d->loop, &d->prepare);
	d->timer.data = d->ticks.data = d->prepare.data = d;
	for (size_t i = 0; i < SIGNALS; i++) {
		uv_signal_init(&d->loop, &d->signals[i]);
		d->signals[i].data = d;
		uv_signal_start(&d->signals[i], got_signal, numbers[i]);
	}
	uv_timer_start(&d->ticks, ticks, 10000, 10000);
	signal(SIGPIPE, SIG_IGN);
}

static bool open_files(struct daemon *d, struct text *why)
{
	const struct config *c = d->config;

	if (c->keys_dir != NULL && (d->keylog = keylog_open(c->keys_dir, why)) == NULL)
		return false;
	if (c->record != NULL)
		d->record = record_open(c->record, c, d->backend.kernel.ops->name, why);
	return c->record == NULL || d->record != NULL;
}

static bool set_up(struct daemon *d, struct text *why)
{
	const struct config *c = d->config;
	struct kernel_events events = {
		.ctx = d, .done = kernel_done, .acquire = kernel_acquire, .mapping = kernel_mapping,
		.expired = kernel_expired, .log = kernel_log, .lost = kernel_lost,
	};
	struct ike_config ic = {
		.debug = c->debug, .key_logging = c->keys_in_log, .updown = c->updown, .insecure_dnskeys = c->insecure_dnskeys,
		.ports = { .ike = c->ikeport, .natt = c->natt_port, .keepalive = c->keepalive },
	};

	if (!udp_allowed(c->ikeport, why) || !backend_open(&d->backend, &d->loop, c, &events, why) ||
	    !open_files(d, why))
		return false;
	d->udp = udp_new(&d->loop, (struct udp_events){
		.ctx = d, .datagram = got_datagram, .unreachable = got_unreachable });
	d->store = store_new();
	d->control = control_open(&d->loop, c->socket, (struct control_events){
		.ctx = d, .command = got_command, .gone = whack_gone }, why);
	if (d->control == NULL)
		return false;
	if (resolver_obstacle(c) == NULL)
		d->resolver = resolver_new(&d->loop, c, (struct resolver_events){ .ctx = d, .answer = got_answer });
	d->host = host_of(d);
	ic.host = record_host(d->record, d->host);
	ic.secrets = store_secrets(d->store);
	ic.kernel = record_kernel(d->record, d->backend.kernel);
	d->ike = ike_new(&ic);
	d->listening = listening_new(c, d->backend, d->udp, d->store);
	d->watch = watch_new(&d->loop, addresses_changed, d);
	return true;
}

static void take_down(struct daemon *d)
{
	ike_free(d->ike);
	listening_free(d->listening);
	store_free(d->store);
	keylog_close(d->keylog);
	record_close(d->record);
	uv_loop_close(&d->loop);
}

int daemon_run(const struct config *c, void (*ready)(void *ctx), void *ctx, struct text *why)
{
	struct daemon *d = NEW(struct daemon);
	int status = 1;

	d->config = c;
	start_handles(d);
	if (signals_apart(why) && set_up(d, why)) {
		uv_prepare_start(&d->prepare, before_wait);
		ready(ctx);
		log_say("pluto %s is ready: control socket %s, UDP port %u, kernel %s", PACKAGE_VERSION,
			c->socket, c->ikeport, d->backend.kernel.ops->name);
		if (c->insecure_dnskeys)
			log_trouble("publish the keys in a zone that is signed, and leave the option out",
				    "--insecure-dnskeys: whoever can forge an answer of the DNS can pose as a peer");
		status = 0;
	} else {
		close_handles(d);
	}
	uv_run(&d->loop, UV_RUN_DEFAULT);
	if (status == 0)
		log_say("pluto has ended");
	take_down(d);
	free(d);
	return status;
}
