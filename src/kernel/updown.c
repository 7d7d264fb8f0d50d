/* updown.c -- running updown scripts as children of the loop. */
#include "kernel/updown.h"

#include "base/text.h"
#include "base/xalloc.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

#define LINE_MAX_OCTETS 512	/* of the script's output; longer ones are cut */
#define LINES_MAX 200		/* of one script; the rest is counted, not logged */

struct run {
	LIST_ENTRY(run) all;
	struct updowns *owner;	/* NULL when closed: nobody is told */
	uint32_t token;
	char *name;		/* of the program, for log lines */
	uv_process_t process;
	uv_pipe_t output;
	uv_timer_t timer;
	unsigned open;		/* handles not closed yet */
	bool exited, drained, late;
	int64_t status;
	int signal;
	unsigned timeout;
	size_t lines;
	size_t n;		/* octets of the line so far */
	bool cut;
	char line[LINE_MAX_OCTETS];
	char chunk[4096];
};

struct updowns {
	uv_loop_t *loop;
	struct kernel_events events;
	LIST_HEAD(, run) runs;
};

struct updowns *updowns_new(uv_loop_t *loop, const struct kernel_events *events)
{
	struct updowns *u = NEW(struct updowns);

	u->loop = loop;
	u->events = *events;
	LIST_INIT(&u->runs);
	return u;
}

static void say(struct run *r, const char *text)
{
	char line[LINE_MAX_OCTETS * 4 + 300];
	struct text t = text_on(line, sizeof line);

	if (r->owner == NULL)
		return;
	text_add(&t, "%s: %s", r->name, text);
	r->owner->events.log(r->owner->events.ctx, line);
}

static void end_line(struct run *r)
{
	char escaped[LINE_MAX_OCTETS * 4 + 8];
	struct text t = text_on(escaped, sizeof escaped);

	if (++r->lines <= LINES_MAX && r->n > 0) {
		text_escape(&t, span_of(r->line, r->n));
		if (r->cut)
			text_add(&t, "...");
		say(r, escaped);
	}
	r->n = 0;
	r->cut = false;
}

static void take_output(struct run *r, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\n')
			end_line(r);
		else if (r->n < sizeof r->line)
			r->line[r->n++] = p[i];
		else
			r->cut = true;
	}
}

static void run_free(struct run *r)
{
	free(r->name);
	free(r);
}

static void on_closed(uv_handle_t *h)
{
	struct run *r = h->data;

	if (--r->open == 0)
		run_free(r);
}

static void close_handle(void *h)
{
	if (!uv_is_closing(h))
		uv_close(h, on_closed);
}

static void describe_end(const struct run *r, struct text *t)
{
	if (r->late)
		text_add(t, "%s took longer than %u s and was killed", r->name, r->timeout);
	else if (r->signal != 0)
		text_add(t, "%s was ended by signal %d", r->name, r->signal);
	else
		text_add(t, "%s ended with exit status %d", r->name, (int)r->status);
}

/* Told when the process has ended and no more output can come. */
static void finish_if_done(struct run *r)
{
	char why[300], suppressed[64];
	struct text t = text_on(why, sizeof why), s = text_on(suppressed, sizeof suppressed);
	struct kernel_result result = { .ok = r->status == 0 && r->signal == 0 && !r->late };
	struct updowns *u = r->owner;

	if (!r->exited || !r->drained || u == NULL)
		return;
	end_line(r);
	if (r->lines > LINES_MAX + 1) {
		text_add(&s, "%zu more lines", r->lines - LINES_MAX - 1);
		say(r, suppressed);
	}
	describe_end(r, &t);
	if (!result.ok)
		result.why = why;
	if (r->signal == 0 && !r->late)
		result.exit_status = (uint8_t)r->status;
	LIST_REMOVE(r, all);
	r->owner = NULL;
	close_handle(&r->timer);
	close_handle(&r->output);
	close_handle(&r->process);
	u->events.done(u->events.ctx, r->token, &result);
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
	struct run *r = h->data;

	(void)hint;
	*buf = uv_buf_init(r->chunk, sizeof r->chunk);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	struct run *r = s->data;

	if (n > 0)
		take_output(r, buf->base, (size_t)n);
	if (n >= 0)
		return;
	uv_read_stop(s);
	r->drained = true;
	finish_if_done(r);
}

/* The whole group: what the script started goes with it.  A group of its own is there since the
 * child leads a session. */
static void kill_group(struct run *r)
{
	if (r->process.pid > 0)
		kill(-r->process.pid, SIGKILL);
}

/* A background process that keeps the output open does not hold up the negotiation. */
#define DRAIN_MS 200

static void on_drain(uv_timer_t *t)
{
	struct run *r = t->data;

	uv_read_stop((uv_stream_t *)&r->output);
	r->drained = true;
	finish_if_done(r);
}

static void on_exit_(uv_process_t *p, int64_t status, int signal)
{
	struct run *r = p->data;

	r->exited = true;
	r->status = status;
	r->signal = signal;
	if (r->owner != NULL && !r->drained)
		uv_timer_start(&r->timer, on_drain, DRAIN_MS, 0);
	finish_if_done(r);
}

static void on_timeout(uv_timer_t *t)
{
	struct run *r = t->data;

	r->late = true;
	kill_group(r);
}

/* Not one file of ours goes to the script, not even one that we got without knowing. */
static void keep_files_to_ourselves(void)
{
	close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
}

/* Standard output and error are one pipe, so that lines stay in order. */
static int spawn(struct run *r, uv_loop_t *loop, const struct updown_request *request)
{
	uv_stdio_container_t stdio[3] = { { .flags = UV_IGNORE } };
	uv_process_options_t o = {
		.exit_cb = on_exit_, .file = request->argv[0], .cwd = "/", .flags = UV_PROCESS_DETACHED,
		.args = (char **)(uintptr_t)request->argv, .env = (char **)(uintptr_t)request->env,
		.stdio = stdio, .stdio_count = 3,
	};
	uv_file ends[2];
	int e = uv_pipe(ends, UV_NONBLOCK_PIPE, 0);

	if (e != 0)
		return e;
	keep_files_to_ourselves();
	e = uv_pipe_open(&r->output, ends[0]);
	if (e != 0)
		close(ends[0]);
	for (unsigned i = 1; i < 3; i++) {
		stdio[i].flags = UV_INHERIT_FD;
		stdio[i].data.fd = ends[1];
	}
	if (e == 0) {
		r->open++;	/* uv_spawn() sets the handle up even when it fails */
		e = uv_spawn(loop, &r->process, &o);
	}
	close(ends[1]);
	return e;
}

static void could_not_start(struct run *r, const char *argv0, int e)
{
	char why[300];
	struct text t = text_on(why, sizeof why);
	struct kernel_result result = { .ok = false, .why = why };
	struct updowns *u = r->owner;

	text_add(&t, "%s could not be started: %s", argv0, uv_strerror(e));
	r->owner = NULL;
	if (r->open == 3)
		close_handle(&r->process);
	close_handle(&r->timer);
	close_handle(&r->output);
	u->events.done(u->events.ctx, r->token, &result);
}

void updown_run(struct updowns *u, uint32_t token, const struct updown_request *request)
{
	struct run *r = NEW(struct run);
	const char *slash = strrchr(request->argv[0], '/');
	int e;

	r->owner = u;
	r->token = token;
	r->name = xstrdup(slash == NULL ? request->argv[0] : slash + 1);
	r->timeout = request->timeout;
	r->open = 2;
	uv_pipe_init(u->loop, &r->output, 0);
	uv_timer_init(u->loop, &r->timer);
	r->output.data = r->timer.data = r->process.data = r;
	e = spawn(r, u->loop, request);
	if (e != 0) {
		could_not_start(r, request->argv[0], e);
		return;
	}
	LIST_INSERT_HEAD(&u->runs, r, all);
	uv_read_start((uv_stream_t *)&r->output, on_alloc, on_read);
	uv_timer_start(&r->timer, on_timeout, (uint64_t)request->timeout * 1000, 0);
}

void updowns_close(struct updowns *u)
{
	struct run *r;

	if (u == NULL)
		return;
	while ((r = LIST_FIRST(&u->runs)) != NULL) {
		LIST_REMOVE(r, all);
		r->owner = NULL;
		kill_group(r);
		close_handle(&r->timer);
		close_handle(&r->output);
		close_handle(&r->process);
	}
	free(u);
}
