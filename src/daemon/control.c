/* control.c -- the whacks: their hello, their requests one after the other, their answers. */
#include "daemon/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/xalloc.h"
#include "daemon/control_socket.h"
#include "daemon/log.h"
#include "generated/control_protocol.h"
#include "generated/names.h"

#define BACKLOG CONTROL_CLIENTS

struct client {
	uv_pipe_t pipe;
	struct control *control;
	struct client *next;
	uint32_t request;	/* in work, 0 = none */
	bool greeted, closing;
	bool last;		/* closed when everything is written */
	bool full;		/* its queue overflowed: closed at once */
	uint8_t *in;
	size_t n_in, cap;
	size_t queued;		/* octets in the system's hands at the last look */
	uint64_t since;		/* when it did something that it owes us, ms */
	long pid;
};

struct control {
	uv_loop_t *loop;
	uv_pipe_t listener;
	uv_timer_t sweep;
	uv_async_t wake;	/* requests wait behind one that is finished now */
	struct control_events events;
	struct client *clients;
	size_t n_clients, open;	/* open: handles of the control itself */
	uint32_t last_request;
	bool closing;
	char *path;
	struct arena *arena;	/* of hello */
};

/* ---- ends ------------------------------------------------------------------- */

static void free_if_done(struct control *k)
{
	if (!k->closing || k->open != 0 || k->clients != NULL)
		return;
	arena_free(k->arena);
	free(k->path);
	free(k);
}

static void client_closed(uv_handle_t *h)
{
	struct client *c = h->data;
	struct control *k = c->control;
	struct client **link = &k->clients;

	while (*link != c)
		link = &(*link)->next;
	*link = c->next;
	k->n_clients--;
	wipe(c->in, c->n_in);
	free(c->in);
	free(c);
	free_if_done(k);
}

static void close_client(struct client *c)
{
	uint32_t request = c->request;

	if (c->closing)
		return;
	c->closing = true;
	c->request = 0;
	uv_close((uv_handle_t *)&c->pipe, client_closed);
	if (request != 0)
		c->control->events.gone(c->control->events.ctx, request);
}

/* ---- output ----------------------------------------------------------------- */

struct output {
	uv_write_t req;
	struct client *client;
	uint8_t bytes[];
};

static size_t queue_of(const struct client *c)
{
	return uv_stream_get_write_queue_size((const uv_stream_t *)&c->pipe);
}

static void written(uv_write_t *req, int status)
{
	struct output *o = req->data;
	struct client *c = o->client;

	free(o);
	if (c->closing)
		return;
	c->since = uv_now(c->control->loop);
	if (status < 0 || (c->last && queue_of(c) == 0))
		close_client(c);
	else if (c->n_in != 0 && !c->control->closing && queue_of(c) <= CONTROL_PAUSE)
		uv_async_send(&c->control->wake);
}

static void drop(struct client *c, const char *what)
{
	log_trouble("look why that whack does not read its answers", "whack (pid %ld) %s; connection dropped",
		    c->pid, what);
	close_client(c);
}

/* May be called from within ike, so it never calls back: a whack that is too slow is closed by the sweep. */
static void write_frame(struct client *c, const struct writer *w)
{
	struct output *o;
	uv_buf_t buf;

	if (c->closing || w->overflow)
		return;
	if (queue_of(c) > CONTROL_QUEUE) {
		c->full = c->last = true;
		return;
	}
	o = xcalloc(1, sizeof(*o) + w->n);
	memcpy(o->bytes, w->p, w->n);
	o->client = c;
	o->req.data = o;
	buf = uv_buf_init((char *)o->bytes, (unsigned)w->n);
	if (queue_of(c) == 0)
		c->since = uv_now(c->control->loop);
	if (uv_write(&o->req, (uv_stream_t *)&c->pipe, &buf, 1, written) != 0)
		free(o);
}

static void reply(struct client *c, uint16_t status, const char *line)
{
	struct control_reply m = { .status = status, .text = span_sub(span_str(line), 0, CONTROL_LINE) };
	struct buf room = buf_new(m.text.n + 64);
	struct writer w = writer_on(room.p, room.n);

	control_put_reply(&w, &m);
	write_frame(c, &w);
	buf_free(&room);
}

static struct client *of_request(struct control *k, uint32_t request)
{
	struct client *c = k->clients;

	while (c != NULL && (c->request != request || c->closing))
		c = c->next;
	return request == 0 ? NULL : c;
}

void control_reply(struct control *k, uint32_t request, uint16_t status, const char *line)
{
	struct client *c = of_request(k, request);

	if (c != NULL && !c->last)
		reply(c, status, line);
}

static void send_finish(struct client *c)
{
	uint8_t room[64];
	struct writer w = writer_on(room, sizeof(room));

	control_put_finish(&w, &(struct control_finish){ 0 });
	write_frame(c, &w);
}

void control_finish(struct control *k, uint32_t request)
{
	struct client *c = of_request(k, request);

	if (c == NULL)
		return;
	c->request = 0;
	c->since = uv_now(k->loop);
	send_finish(c);
	if (k->closing)
		c->last = true;
	else
		uv_async_send(&k->wake);
}

/* ---- input ------------------------------------------------------------------ */

/* A whack that cannot go on: one line, then the end. */
static void refuse(struct client *c, const char *line)
{
	reply(c, WHACK_STATUS_BAD_REQUEST, line);
	send_finish(c);
	c->last = true;
	if (!c->closing && queue_of(c) == 0)
		close_client(c);
}

static void greet(struct client *c, struct span frame)
{
	struct control *k = c->control;
	struct control_message m;
	struct fault f = { 0 };
	uint8_t room[256];
	struct writer w = writer_on(room, sizeof(room));
	struct control_hello hello = { .pid = (uint32_t)getpid() };

	arena_reset(k->arena);
	if (!control_get(frame, k->arena, &m, &f) || m.id != CONTROL_HELLO) {
		refuse(c, "this whack does not speak the protocol of this pluto (version " PACKAGE_VERSION
			  "); use the whack that was installed with it");
		return;
	}
	hello.program = span_str("pluto");
	hello.version = span_str(PACKAGE_VERSION);
	control_put_hello(&w, &hello);
	write_frame(c, &w);
	c->greeted = true;
}

/* The length of the first frame with its own four octets; 0 = not all there. */
static size_t first_frame(struct client *c)
{
	size_t n;

	if (c->n_in < 4)
		return 0;
	n = get_u32(c->in);
	if (n < 2 || n > CONTROL_FRAME) {
		refuse(c, "this is no request of the control protocol; use whack");
		return 0;
	}
	return c->n_in - 4 < n ? 0 : n + 4;
}

/* One frame: everybody else has a turn before the next one.  A whack that does not read its answers waits. */
static void take_input(struct client *c)
{
	struct control *k = c->control;
	struct span frame;
	size_t n;

	if (c->request != 0 || c->closing || c->last || queue_of(c) > CONTROL_PAUSE ||
	    (n = first_frame(c)) == 0)
		return;
	frame = span_of(c->in + 4, n - 4);
	c->since = uv_now(k->loop);
	if (!c->greeted) {
		greet(c, frame);
	} else {
		if (++k->last_request == 0)
			k->last_request = 1;
		c->request = k->last_request;
		k->events.command(k->events.ctx, c->request, frame);
	}
	wipe(c->in, n);
	memmove(c->in, c->in + n, c->n_in - n);
	c->n_in -= n;
	if (c->n_in != 0)
		uv_async_send(&k->wake);
}

static void room_for(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	struct client *c = h->data;

	(void)suggested;
	if (c->n_in == c->cap && c->cap < CONTROL_FRAME + 4) {
		uint8_t *more = xcalloc(1, c->cap == 0 ? 4096 : CONTROL_FRAME + 4);

		if (c->n_in != 0)
			memcpy(more, c->in, c->n_in);
		wipe(c->in, c->n_in);
		free(c->in);
		c->in = more;
		c->cap = c->cap == 0 ? 4096 : CONTROL_FRAME + 4;
	}
	*buf = uv_buf_init((char *)c->in + c->n_in, (unsigned)(c->cap - c->n_in));
}

static void received(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct client *c = stream->data;

	(void)buf;
	if (n == UV_ENOBUFS) {	/* it sends requests faster than they are carried out */
		uv_read_stop(stream);
		return;
	}
	if (n < 0) {
		close_client(c);
		return;
	}
	c->n_in += (size_t)n;
	take_input(c);
}

/* Reading stops while a request is in work and the next ones fill the room. */
static void read_on(struct client *c)
{
	if (!c->closing && !c->last && (c->n_in < c->cap || c->cap == 0))
		uv_read_start((uv_stream_t *)&c->pipe, room_for, received);
}

static void take_all(uv_async_t *wake)
{
	struct control *k = wake->data;

	for (struct client *c = k->clients; c != NULL; c = c->next)
		if (!c->closing) {
			take_input(c);
			read_on(c);
		}
}

/* ---- connections -------------------------------------------------------------- */

/* Root and our own user command us; the mode of the socket keeps others away already. */
static bool allowed(struct client *c)
{
	struct ucred who = { 0 };
	socklen_t n = sizeof(who);
	uv_os_fd_t fd;
	char line[160];

	if (uv_fileno((uv_handle_t *)&c->pipe, &fd) != 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) != 0)
		return false;
	c->pid = who.pid;
	if (who.uid == 0 || who.uid == geteuid())
		return true;
	log_trouble("run whack as root", "whack (pid %ld) of user %ld may not command this pluto",
		    (long)who.pid, (long)who.uid);
	snprintf(line, sizeof(line), "user %ld may not command this pluto; run whack as root",
		 (long)who.uid);
	refuse(c, line);
	return false;
}

static void accepted(uv_stream_t *listener, int status)
{
	struct control *k = listener->data;
	struct client *c;

	if (status < 0)
		return;
	c = NEW(struct client);
	c->control = k;
	c->since = uv_now(k->loop);
	uv_pipe_init(k->loop, &c->pipe, 0);
	c->pipe.data = c;
	c->next = k->clients;
	k->clients = c;
	k->n_clients++;
	if (uv_accept(listener, (uv_stream_t *)&c->pipe) != 0) {
		close_client(c);
		return;
	}
	if (k->n_clients > CONTROL_CLIENTS) {
		refuse(c, "too many whacks at the same time; wait until some have ended");
		return;
	}
	if (allowed(c))
		uv_read_start((uv_stream_t *)&c->pipe, room_for, received);
	else if (!c->last)
		close_client(c);
}

/* Every second: whacks that owe something for too long. */
static void sweep(uv_timer_t *timer)
{
	struct control *k = timer->data;
	uint64_t now = uv_now(k->loop);

	for (struct client *c = k->clients; c != NULL; c = c->next) {
		size_t queue = queue_of(c);

		if (c->closing)
			continue;
		if (queue < c->queued)
			c->since = now;
		c->queued = queue;
		if (c->full || (queue > 0 && now - c->since > (k->closing ? 3u : CONTROL_STUCK) * 1000u))
			drop(c, "does not read");
		else if (queue == 0 && (c->last || k->closing))
			close_client(c);
		else if (queue == 0 && c->request == 0 && now - c->since > CONTROL_IDLE * 1000u)
			close_client(c);
	}
}

/* ---- open and close ------------------------------------------------------------- */

static void handle_closed(uv_handle_t *h)
{
	struct control *k = h->data;

	k->open--;
	free_if_done(k);
}

struct control *control_open(uv_loop_t *loop, const char *path, struct control_events events,
			     struct text *why)
{
	struct control *k;
	int fd = control_socket(path, why);

	if (fd < 0)
		return NULL;
	k = NEW(struct control);
	k->loop = loop;
	k->events = events;
	k->path = xstrdup(path);
	k->arena = arena_new();
	k->open = 3;
	uv_pipe_init(loop, &k->listener, 0);
	uv_timer_init(loop, &k->sweep);
	uv_async_init(loop, &k->wake, take_all);
	k->listener.data = k->sweep.data = k->wake.data = k;
	if (uv_pipe_open(&k->listener, fd) != 0 ||
	    uv_listen((uv_stream_t *)&k->listener, BACKLOG, accepted) != 0) {
		text_add(why, "cannot listen on the control socket %s: %s", path, strerror(errno));
		control_close(k);
		return NULL;
	}
	uv_timer_start(&k->sweep, sweep, 1000, 1000);
	return k;
}

static void close_sweep(uv_timer_t *timer)
{
	struct control *k = timer->data;

	sweep(timer);
	if (k->clients == NULL && !uv_is_closing((uv_handle_t *)timer))
		uv_close((uv_handle_t *)timer, handle_closed);
}

void control_close(struct control *k)
{
	if (k == NULL || k->closing)
		return;
	k->closing = true;
	unlink(k->path);
	uv_close((uv_handle_t *)&k->listener, handle_closed);
	uv_close((uv_handle_t *)&k->wake, handle_closed);
	for (struct client *c = k->clients; c != NULL; c = c->next)
		if (!c->closing && queue_of(c) == 0)
			close_client(c);
	uv_timer_start(&k->sweep, close_sweep, 10, 100);
}
