/* signals.h -- which thread takes signals. */
#ifndef PLUTO_DAEMON_SIGNALS_H
#define PLUTO_DAEMON_SIGNALS_H

#include <stdbool.h>

#include "base/text.h"

/* From now on a thread of its own takes all signals that come from outside; to be called before there are other threads,
 * which are then as little disturbed as the caller.  Handlers may run at any time.  False, and `why`: there can be no thread. */
bool signals_apart(struct text *why);

#endif
