/* lock.h -- one pluto for each control base: the lock on PATH.pid. */
#ifndef PLUTO_DAEMON_LOCK_H
#define PLUTO_DAEMON_LOCK_H

#include "base/text.h"

enum lock_result { LOCK_TAKEN, LOCK_HELD, LOCK_FAILED };

/* Takes the lock; *fd holds it over a fork.  Otherwise one line in why.  A file that was left behind by a
 * pluto that is gone does not hinder. */
enum lock_result lock_take(const char *path, int *fd, struct text *why);

/* Writes our pid into the file, for scripts. */
bool lock_write_pid(int fd, struct text *why);

/* Removes the file and gives the lock up. */
void lock_release(const char *path, int fd);

#endif
