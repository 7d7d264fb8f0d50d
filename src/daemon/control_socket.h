/* control_socket.h -- a UNIX socket that nobody else can take over while it is made. */
#ifndef PLUTO_DAEMON_CONTROL_SOCKET_H
#define PLUTO_DAEMON_CONTROL_SOCKET_H

#include "base/text.h"

/* A bound, not yet listening stream socket at path, mode 0600; -1 and why. */
int control_socket(const char *path, struct text *why);

#endif
