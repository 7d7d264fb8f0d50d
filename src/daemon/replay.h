/* replay.h -- running a recorded session again. */
#ifndef PLUTO_DAEMON_REPLAY_H
#define PLUTO_DAEMON_REPLAY_H

#include <stdio.h>

#include "base/text.h"

/* Feeds a fresh ike with the inputs that record.h wrote into the file and compares every output with the recorded
 * one.  The secrets are read from the recorded place.  Lines of the log go to out.  False with the first difference, or what is wrong with
 * the file, in why. */
bool replay_run(const char *path, FILE *out, struct text *why);

#endif
