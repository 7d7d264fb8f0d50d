/* daemon.h -- the running daemon: the loop that feeds ike and carries out what it asks. */
#ifndef PLUTO_DAEMON_DAEMON_H
#define PLUTO_DAEMON_DAEMON_H

#include "daemon/config.h"

/* Runs until pluto is told to stop.  ready is called once everything is set up: (0) or, with the reason in
 * why, not at all.  Returns the exit status. */
int daemon_run(const struct config *c, void (*ready)(void *ctx), void *ctx, struct text *why);

#endif
