/* log.c -- the log and its sinks. */
#include "daemon/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "daemon/journal.h"

#define SYSLOG_PATH "/dev/log"

#define BUCKETS 64

static struct {
	enum log_sink sink;
	int fd;			/* of syslog, -1 = not connected */
	uint64_t lost;		/* lines that the sink would not take */
	struct bucket {
		uint32_t key;	/* of the reason; 0 = free */
		unsigned left;	/* lines that may pass */
		uint64_t second;	/* when left was filled last */
		uint64_t cut;	/* lines left out since */
		char reason[40];
	} buckets[BUCKETS];
} log_state = { .fd = -1 };

/* ---- sinks ------------------------------------------------------------------ */

static void syslog_connect(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = SYSLOG_PATH };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		close(fd);
		fd = -1;
	}
	log_state.fd = fd;
}

static bool syslog_write(int severity, const char *line)
{
	char head[96], stamp[32];
	char whole[LOG_LINE + sizeof(head)];
	time_t now = time(NULL);
	struct tm tm;
	int n;

	localtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%b %e %H:%M:%S", &tm);
	n = snprintf(whole, sizeof(whole), "<%d>%s pluto[%ld]: %s", LOG_FACILITY * 8 + severity,
		     stamp, (long)getpid(), line);
	if (n >= (int)sizeof(whole))
		n = (int)sizeof(whole) - 1;
	for (int tries = 0; tries < 2; tries++) {
		if (log_state.fd < 0)
			syslog_connect();
		if (log_state.fd < 0)
			return false;
		if (send(log_state.fd, whole, (size_t)n, MSG_NOSIGNAL) >= 0)
			return true;
		if (errno == EAGAIN || errno == ENOBUFS)
			return false;
		close(log_state.fd);	/* syslogd was started anew */
		log_state.fd = -1;
	}
	return false;
}

static bool stderr_write(const char *line)
{
	struct pollfd ready = { .fd = STDERR_FILENO, .events = POLLOUT };
	char whole[LOG_LINE];
	struct timeval tv;
	struct tm tm;
	size_t n;

	if (poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0)
		return false;
	gettimeofday(&tv, NULL);
	localtime_r(&tv.tv_sec, &tm);
	n = strftime(whole, sizeof(whole), "%b %e %H:%M:%S", &tm);
	n += (size_t)snprintf(whole + n, sizeof(whole) - n, ".%03ld %s", tv.tv_usec / 1000, line);
	if (n > sizeof(whole) - 2)
		n = sizeof(whole) - 2;
	whole[n++] = '\n';
	return write(STDERR_FILENO, whole, n) == (ssize_t)n;
}

/* e: where it comes from, or NULL. */
static bool sink_write(enum log_level level, const char *line, const struct log_event *e)
{
	/* RFC 5424 6.2.1: debug, notice, error */
	static const int severity[] = {
		[LOG_DEBUG_LINE] = 7, [LOG_PLAIN] = 5, [LOG_SERIOUS] = 3,
	};

	switch (log_state.sink) {
	case LOG_SYSLOG:
		return syslog_write(severity[level], line);
	case LOG_JOURNAL:
		return journal_write(severity[level], line, e);
	case LOG_STDERR:
		break;
	}
	return stderr_write(line);
}

static void write_line(enum log_level level, const char *line, const struct log_event *e)
{
	char note[64];

	if (log_state.lost != 0) {
		snprintf(note, sizeof(note), "%llu lines lost: the log was not read",
			 (unsigned long long)log_state.lost);
		if (sink_write(LOG_SERIOUS, note, NULL))
			log_state.lost = 0;
	}
	if (!sink_write(level, line, e))
		log_state.lost++;
}

/* ---- floods ----------------------------------------------------------------- */

static uint64_t seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec;
}

static uint32_t key_of(const char *reason)
{
	uint32_t h = 2166136261u;	/* FNV-1a; reasons are our own words */

	for (; *reason != '\0'; reason++)
		h = (h ^ (uint8_t)*reason) * 16777619u;
	return h == 0 ? 1 : h;
}

static void tell_cut(struct bucket *b)
{
	char line[128];

	if (b->cut == 0)
		return;
	snprintf(line, sizeof(line), "%llu more lines of reason %s left out",
		 (unsigned long long)b->cut, b->reason);
	b->cut = 0;
	write_line(LOG_PLAIN, line, NULL);
}

static struct bucket *bucket_of(const char *reason, uint64_t now)
{
	uint32_t key = key_of(reason);
	struct bucket *b = &log_state.buckets[key % BUCKETS];

	if (b->key == key)
		return b;
	tell_cut(b);
	*b = (struct bucket){ .key = key, .left = LOG_BURST, .second = now };
	snprintf(b->reason, sizeof(b->reason), "%s", reason);
	return b;
}

static bool may_pass(const struct log_event *e)
{
	uint64_t now = seconds();
	struct bucket *b;

	if (e->level == LOG_DEBUG_LINE || e->reason == NULL)
		return true;
	b = bucket_of(e->reason, now);
	if (now > b->second) {
		uint64_t more = now - b->second;

		b->left = more + b->left > LOG_BURST ? LOG_BURST : b->left + (unsigned)more;
		b->second = now;
	}
	if (b->left == 0) {
		b->cut++;
		return false;
	}
	b->left--;
	tell_cut(b);
	return true;
}

void log_tick(uint64_t now)
{
	static uint64_t last;

	if (now - last < 10000)
		return;
	last = now;
	for (size_t i = 0; i < BUCKETS; i++)
		tell_cut(&log_state.buckets[i]);
}

/* ---- events ----------------------------------------------------------------- */

void log_text(struct text *t, const struct log_event *e)
{
	size_t start;

	if (e->level == LOG_DEBUG_LINE)
		text_add(t, "| ");
	start = t->n;
	if (e->connection != NULL)
		text_add(t, "\"%s\"", e->connection);
	if (e->serial != 0)
		text_add(t, "%s#%llu", t->n == start ? "" : " ", (unsigned long long)e->serial);
	if (e->peer != NULL)
		text_add(t, "%s%s", t->n == start ? "" : " ", e->peer);
	if (t->n != start)
		text_add(t, ": ");
	text_add(t, "%s", e->text);
}

void log_event(const struct log_event *e)
{
	char room[LOG_LINE - 64], remedy[LOG_LINE / 2];
	struct text t = text_on(room, sizeof(room));

	if (!may_pass(e))
		return;
	log_text(&t, e);
	if (e->remedy != NULL && log_state.sink != LOG_STDERR)
		text_add(&t, "; remedy: %s", e->remedy);
	write_line(e->level, room, e);
	if (e->remedy != NULL && log_state.sink == LOG_STDERR) {
		snprintf(remedy, sizeof(remedy), "    remedy: %s", e->remedy);
		write_line(e->level, remedy, e);
	}
}

static void say(enum log_level level, const char *remedy, const char *fmt, va_list ap)
{
	char room[LOG_LINE / 2];
	struct log_event e = { .level = level, .text = room, .remedy = remedy };

	vsnprintf(room, sizeof(room), fmt, ap);
	log_event(&e);
}

void log_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(LOG_PLAIN, NULL, fmt, ap);
	va_end(ap);
}

void log_trouble(const char *remedy, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(LOG_SERIOUS, remedy, fmt, ap);
	va_end(ap);
}

void log_open(enum log_sink sink)
{
	log_state.sink = sink;
	if (sink == LOG_SYSLOG)
		syslog_connect();
}

void log_close(void)
{
	for (size_t i = 0; i < BUCKETS; i++)
		tell_cut(&log_state.buckets[i]);
	if (log_state.fd >= 0)
		close(log_state.fd);
	log_state.fd = -1;
	journal_close();
}
