/* lock.c -- flock(2) on PATH.pid. */
#include "daemon/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *remedy(int error)
{
	switch (error) {
	case EACCES:
	case EPERM:
	case EROFS:
		return "run pluto as root, or choose another place with --ctlbase";
	case ENOENT:
	case ENOTDIR:
		return "make its directory, or choose another place with --ctlbase";
	case ELOOP:
		return "it is a symbolic link, which pluto does not follow; remove it";
	default:
		return "choose another place with --ctlbase";
	}
}

static enum lock_result failed(struct text *why, const char *path, const char *what, int error)
{
	text_add(why, "%s lock file %s: %s; %s", what, path, strerror(error), remedy(error));
	return LOCK_FAILED;
}

static enum lock_result held(int fd, const char *path, struct text *why)
{
	char pid[24] = "";
	ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);

	pid[n < 0 ? 0 : n] = '\0';
	text_add(why, "another pluto (pid %ld) holds the lock file %s; "
		      "end it with whack --shutdown, or use another --ctlbase",
		 strtol(pid, NULL, 10), path);
	close(fd);
	return LOCK_HELD;
}

/* Whether path still names the file behind fd: its former owner may have removed it. */
static bool still_named(const char *path, const struct stat *st)
{
	struct stat now;

	return lstat(path, &now) == 0 && now.st_dev == st->st_dev && now.st_ino == st->st_ino;
}

enum lock_result lock_take(const char *path, int *out, struct text *why)
{
	for (int tries = 0; tries < 10; tries++) {
		int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0644);
		struct stat st;

		if (fd < 0)
			return failed(why, path, "cannot open", errno);
		if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_nlink > 1 ||
		    (st.st_uid != geteuid() && geteuid() != 0)) {
			text_add(why, "lock file %s is not a plain file of our own; remove it", path);
			close(fd);
			return LOCK_FAILED;
		}
		if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
			int error = errno;

			if (error == EWOULDBLOCK)
				return held(fd, path, why);
			close(fd);
			return failed(why, path, "cannot lock", error);
		}
		if (still_named(path, &st)) {
			*out = fd;
			return LOCK_TAKEN;
		}
		close(fd);
	}
	text_add(why, "lock file %s keeps being replaced; another pluto starts and ends all the time",
		 path);
	return LOCK_FAILED;
}

bool lock_write_pid(int fd, struct text *why)
{
	char pid[24];
	int n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());

	/* Scripts of other users may look who runs, whatever our umask is. */
	if (fchmod(fd, 0644) == 0 && ftruncate(fd, 0) == 0 && pwrite(fd, pid, (size_t)n, 0) == n)
		return true;
	text_add(why, "cannot write the lock file: %s; make room on its file system", strerror(errno));
	return false;
}

void lock_release(const char *path, int fd)
{
	unlink(path);
	close(fd);
}
