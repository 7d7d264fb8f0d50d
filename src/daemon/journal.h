/* journal.h -- the journal of systemd, in its own protocol: each event with its fields. */
#ifndef PLUTO_DAEMON_JOURNAL_H
#define PLUTO_DAEMON_JOURNAL_H

#include "ike/host.h"

/* Does what is written to fd go to the journal, as JOURNAL_STREAM says? */
bool journal_behind(int fd);

/* A line of that severity (RFC 5424 6.2.1) with the fields of e, which may be NULL; never waits.  False: the journal did not
 * take it. */
bool journal_write(int severity, const char *line, const struct log_event *e);

void journal_close(void);

#endif
