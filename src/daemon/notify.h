/* notify.h -- telling the service manager that has started pluto when it is ready (sd_notify(3)). */
#ifndef PLUTO_DAEMON_NOTIFY_H
#define PLUTO_DAEMON_NOTIFY_H

#include <stdbool.h>

#include "base/text.h"

/* Does one wait to be told?  NOTIFY_SOCKET says where, and is taken out of the environment: it is for no process
 * of ours.  Asked once, before there are threads. */
bool notify_wanted(void);

/* Ready to take commands.  Does nothing when nobody waits; on failure false, and why. */
bool notify_ready(struct text *why);

#endif
