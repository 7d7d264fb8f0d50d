/* control_socket.c -- making PATH.ctl. */
#include "daemon/control_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/xalloc.h"

/* A directory in which anybody may rename our socket is no place for it. */
static bool safe_directory(const char *path, struct text *why)
{
	char *dir = xstrdup(path), *slash = strrchr(dir, '/');
	struct stat st;
	bool ok = true;

	if (slash != NULL)
		slash[slash == dir ? 1 : 0] = '\0';
	if (stat(slash == NULL ? "." : dir, &st) != 0) {
		text_add(why, "cannot make the control socket %s: directory %s: %s; make the directory, or "
			      "choose another place with --ctlbase", path, dir, strerror(errno));
		ok = false;
	} else if ((st.st_mode & S_IWOTH) != 0 && (st.st_mode & S_ISVTX) == 0) {
		text_add(why, "cannot make the control socket %s: anybody may write into %s; "
			      "chmod o-w it, or choose another place with --ctlbase", path, dir);
		ok = false;
	}
	free(dir);
	return ok;
}

static bool remove_old(const char *path, struct text *why)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return true;
	if (!S_ISSOCK(st.st_mode) || (st.st_uid != geteuid() && geteuid() != 0)) {
		text_add(why, "control socket %s: something else than a socket of ours has that name; "
			      "remove it, or choose another place with --ctlbase", path);
		return false;
	}
	if (unlink(path) == 0)
		return true;
	text_add(why, "cannot remove the old control socket %s: %s; remove it", path, strerror(errno));
	return false;
}

int control_socket(const char *path, struct text *why)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	mode_t mask;
	int fd, error;

	if (strlen(path) >= sizeof(sun.sun_path)) {
		text_add(why, "control socket %s: the name is longer than %zu octets; "
			      "choose a shorter --ctlbase", path, sizeof(sun.sun_path) - 1);
		return -1;
	}
	if (!safe_directory(path, why) || !remove_old(path, why))
		return -1;
	memcpy(sun.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0) {
		mask = umask(0177);	/* the socket never has another mode than 0600 */
		error = bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0 ? 0 : errno;
		umask(mask);
		if (error == 0)
			return fd;
		close(fd);
		errno = error;
	}
	text_add(why, "cannot make the control socket %s: %s; %s", path, strerror(errno),
		 errno == EACCES || errno == EPERM ? "run pluto as root, or choose another place with --ctlbase" :
						     "choose another place with --ctlbase");
	return -1;
}
