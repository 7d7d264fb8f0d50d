/* version.h -- what this pluto is and was built with. */
#ifndef PLUTO_DAEMON_VERSION_H
#define PLUTO_DAEMON_VERSION_H

#include <stdbool.h>

/* To standard output; json: one object, for programs. */
void version_print(bool json);

#endif
