/* fork.h -- the daemon fork: the parent stays until the child is ready, so that its exit status means something. */
#ifndef PLUTO_DAEMON_FORK_H
#define PLUTO_DAEMON_FORK_H

#include "base/text.h"

/* In the parent this never returns: it exits with the status that the child reports, or 1 when the child dies.
 * In the child it gives the pipe to report on; -1 and why when there is no child. */
int fork_daemon(struct text *why);

/* The child is ready (status 0), or cannot be: the parent exits.  Standard streams then go to /dev/null, standard
 * error only unless it is kept for the log.  fd -1: there was no fork, nothing happens. */
void fork_ready(int fd, int status, bool keep_stderr);

#endif
