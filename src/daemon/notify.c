/* notify.c -- telling the service manager that pluto is ready: one datagram to the socket that NOTIFY_SOCKET names. */
#include "daemon/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define READY "READY=1\n"

static struct sockaddr_un manager = { .sun_family = AF_UNIX };
static size_t name_octets;	/* 0: nobody waits */

bool notify_wanted(void)
{
	const char *name = getenv("NOTIFY_SOCKET");
	size_t n = name == NULL ? 0 : strlen(name);

	if (n == 0)
		return false;
	name_octets = n;
	if (n < sizeof(manager.sun_path))
		memcpy(manager.sun_path, name, n);
	if (name[0] == '@')	/* not in the file system */
		manager.sun_path[0] = '\0';
	unsetenv("NOTIFY_SOCKET");
	return true;
}

bool notify_ready(struct text *why)
{
	socklen_t octets = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name_octets);
	ssize_t n;
	int fd;

	if (name_octets == 0)
		return true;
	if (name_octets >= sizeof(manager.sun_path)) {
		text_add(why, "the name in NOTIFY_SOCKET is longer than that of any socket");
		return false;
	}
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	n = fd < 0 ? -1 : sendto(fd, READY, strlen(READY), MSG_NOSIGNAL, (const struct sockaddr *)&manager, octets);
	if (n < 0)
		text_add(why, "the socket that NOTIFY_SOCKET names: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return n >= 0;
}
