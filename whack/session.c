/* session.c -- the control socket from whack's side. */
#include "whack/session.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/xalloc.h"
#include "generated/control_protocol.h"
#include "generated/names.h"

#define FRAME_MAX (2u << 20)	/* octets of an answer */
#define HELLO_SECONDS 15

struct session {
	int fd;
	struct arena *arena;
	uint8_t *in;
	size_t n, cap;
	size_t used;		/* octets of the frame handed out last */
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

static int64_t milliseconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Waits for the event; deadline 0 = for ever. */
static enum session_end wait_for(struct session *s, short events, int64_t deadline)
{
	struct pollfd p = { .fd = s->fd, .events = events };

	for (;;) {
		int64_t left = deadline == 0 ? -1 : deadline - milliseconds();
		int n;

		if (interrupted)
			return SESSION_INTERRUPTED;
		if (deadline != 0 && left <= 0)
			return SESSION_TIMEOUT;
		n = poll(&p, 1, left > 60000 ? 60000 : (int)left);
		if (n > 0)
			return SESSION_FINISHED;
		if (n < 0 && errno != EINTR)
			return SESSION_CLOSED;
	}
}

static enum session_end send_all(struct session *s, struct span out, int64_t deadline)
{
	while (out.n != 0) {
		ssize_t n = send(s->fd, out.p, out.n, MSG_NOSIGNAL | MSG_DONTWAIT);
		enum session_end end;

		if (n > 0) {
			out = span_from(out, (size_t)n);
			continue;
		}
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return SESSION_CLOSED;
		end = wait_for(s, POLLOUT, deadline);
		if (end != SESSION_FINISHED)
			return end;
	}
	return SESSION_FINISHED;
}

static size_t whole_frame(const struct session *s)
{
	return s->n < 4 ? 0 : (size_t)get_u32(s->in) + 4;
}

/* The next message; what it points to lives until the next call. */
static enum session_end receive(struct session *s, int64_t deadline, struct control_message *m,
				struct text *why)
{
	struct fault f = { 0 };

	if (s->used != 0)
		memmove(s->in, s->in + s->used, s->n - s->used);
	s->n -= s->used;
	s->used = 0;
	while (whole_frame(s) == 0 || s->n < whole_frame(s)) {
		enum session_end end;
		ssize_t n;

		if (whole_frame(s) > FRAME_MAX) {
			text_add(why, "what answers there is not pluto; see --ctlbase");
			return SESSION_BROKEN;
		}
		if (s->n == s->cap) {
			s->cap = s->cap == 0 ? 8192 : s->cap * 2;
			s->in = xrealloc(s->in, s->cap);
		}
		end = wait_for(s, POLLIN, deadline);
		if (end != SESSION_FINISHED)
			return end;
		n = recv(s->fd, s->in + s->n, s->cap - s->n, MSG_DONTWAIT);
		if (n > 0)
			s->n += (size_t)n;
		else if (n == 0 || (errno != EAGAIN && errno != EINTR))
			return SESSION_CLOSED;
	}
	s->used = whole_frame(s);
	arena_reset(s->arena);
	if (control_get(span_of(s->in + 4, s->used - 4), s->arena, m, &f))
		return SESSION_FINISHED;
	text_add(why, "this pluto speaks another version of the control protocol; "
		      "use the whack that was installed with it");
	return SESSION_BROKEN;
}

/* ---- connecting --------------------------------------------------------------- */

static const char *remedy(int error)
{
	switch (error) {
	case ENOENT:
		return "no pluto is running there; start it, or see --ctlbase";
	case ECONNREFUSED:
		return "the pluto that made it has ended; start pluto anew";
	case EACCES:
	case EPERM:
		return "you may not command this pluto; run whack as root";
	case ENAMETOOLONG:
		return "choose a shorter --ctlbase";
	default:
		return "see --ctlbase";
	}
}

static int connected(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd, error;

	if (strlen(path) >= sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(sun.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static bool greet(struct session *s, struct text *why)
{
	uint8_t room[256];
	struct writer w = writer_on(room, sizeof(room));
	struct control_message m;
	int64_t deadline = milliseconds() + HELLO_SECONDS * 1000;
	enum session_end end;

	control_put_hello(&w, &(struct control_hello){ .program = span_str("whack"),
		.version = span_str(PACKAGE_VERSION), .pid = (uint32_t)getpid() });
	end = send_all(s, writer_span(&w), deadline);
	/* A pluto that refuses us says why and hangs up: read what it says in any case. */
	if (end == SESSION_FINISHED || end == SESSION_CLOSED)
		end = receive(s, deadline, &m, why);
	if (end == SESSION_FINISHED && m.id == CONTROL_HELLO)
		return true;
	if (end == SESSION_FINISHED && m.id == CONTROL_REPLY)
		text_escape(why, m.u.reply.text);
	else if (end == SESSION_TIMEOUT)
		text_add(why, "pluto does not answer within %d seconds; look into its log", HELLO_SECONDS);
	else if (end == SESSION_INTERRUPTED)
		text_add(why, "interrupted before pluto answered");
	else if (end != SESSION_BROKEN)
		text_add(why, "pluto hung up without a word; look into its log");
	return false;
}

struct session *session_open(const char *path, struct text *why)
{
	struct sigaction act = { .sa_handler = on_signal };
	struct session *s;
	int fd = connected(path);

	if (fd < 0) {
		text_add(why, "cannot reach pluto at %s: %s; %s", path, strerror(errno), remedy(errno));
		return NULL;
	}
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	s = NEW(struct session);
	s->fd = fd;
	s->arena = arena_new();
	if (greet(s, why))
		return s;
	session_close(s);
	return NULL;
}

void session_close(struct session *s)
{
	if (s == NULL)
		return;
	close(s->fd);
	arena_free(s->arena);
	free(s->in);
	free(s);
}

enum session_end session_request(struct session *s, struct span frame, unsigned seconds,
				 void (*take)(void *ctx, unsigned status, struct span line), void *ctx,
				 struct text *why)
{
	int64_t deadline = seconds == 0 ? 0 : milliseconds() + (int64_t)seconds * 1000;
	enum session_end end = send_all(s, frame, deadline);
	struct control_message m;

	while (end == SESSION_FINISHED) {
		end = receive(s, deadline, &m, why);
		if (end != SESSION_FINISHED || m.id == CONTROL_FINISH)
			break;
		if (m.id == CONTROL_REPLY)
			take(ctx, m.u.reply.status, m.u.reply.text);
	}
	return end;
}
