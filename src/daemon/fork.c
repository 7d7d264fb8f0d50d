/* fork.c -- becoming a daemon, with a pipe that tells the parent when. */
#include "daemon/fork.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void parent(int fd, pid_t child)
{
	uint8_t status = 1;
	ssize_t n;
	int wait_status;

	do
		n = read(fd, &status, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1 && waitpid(child, &wait_status, 0) == child && WIFEXITED(wait_status) &&
	    WEXITSTATUS(wait_status) != 0)
		status = (uint8_t)WEXITSTATUS(wait_status);
	_exit(n == 1 ? status : status == 0 ? 1 : status);
}

int fork_daemon(struct text *why)
{
	int fds[2];
	pid_t child;

	if (pipe2(fds, O_CLOEXEC) != 0) {
		text_add(why, "cannot make a pipe: %s", strerror(errno));
		return -1;
	}
	child = fork();
	if (child < 0) {
		text_add(why, "cannot fork: %s; use --nofork, or allow more processes", strerror(errno));
		close(fds[0]);
		close(fds[1]);
		return -1;
	}
	if (child > 0) {
		close(fds[1]);
		parent(fds[0], child);
	}
	close(fds[0]);
	setsid();
	return fds[1];
}

void fork_ready(int fd, int status, bool keep_stderr)
{
	uint8_t octet = (uint8_t)status;
	int null;

	if (fd < 0)
		return;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		if (!keep_stderr)
			dup2(null, STDERR_FILENO);
		close(null);
	}
	while (write(fd, &octet, 1) < 0 && errno == EINTR)
		;
	close(fd);
	if (chdir("/") != 0)
		return;		/* then it holds the directory it was started in: no harm */
}
