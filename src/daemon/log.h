/* log.h -- the log: one line for each event, to syslog(3), standard error or the journal; never waits for its reader.
 *
 * Floods are cut down: lines of one reason beyond LOG_BURST are left out, at most one a second
 * passes, and "N more of these left out" says so.  Debug lines were asked for and are not counted. */
#ifndef PLUTO_DAEMON_LOG_H
#define PLUTO_DAEMON_LOG_H

#include "base/text.h"
#include "ike/host.h"

#define LOG_BURST 20
#define LOG_LINE 4096		/* octets of a line, PIPE_BUF: written whole or not at all */

#define LOG_FACILITY 10		/* authpriv (RFC 5424 6.2.1) */

enum log_sink { LOG_STDERR, LOG_SYSLOG, LOG_JOURNAL };

void log_open(enum log_sink sink);
void log_close(void);

void log_event(const struct log_event *e);

/* Lines of the daemon itself. */
void log_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_trouble(const char *remedy, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Says what was left out; called about every ten seconds with the time in milliseconds. */
void log_tick(uint64_t now);

/* The text of an event as it is printed: `"conn" #7 192.0.2.1:500: text`, debug lines after "| ". */
void log_text(struct text *t, const struct log_event *e);

#endif
