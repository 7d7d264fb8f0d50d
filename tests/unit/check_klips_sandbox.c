/* check_klips_sandbox.c -- a klips that was taken over can open nothing, run nothing, send no signal. */
#include "kernel/klips_process.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Which of the forbidden things worked: bits, for the exit status. */
static int try_everything(void)
{
	char *argv[] = { (char[]){ "true" }, NULL };
	int bad = 0;
	pid_t child;

	if (open("/etc/passwd", O_RDONLY) >= 0)
		bad |= 1;
	if (open("/dev/net/tun", O_RDWR) >= 0)
		bad |= 2;
	if (socket(AF_INET, SOCK_DGRAM, 0) >= 0 || socket(AF_UNIX, SOCK_STREAM, 0) >= 0)
		bad |= 4;
	child = fork();
	if (child == 0)
		_exit(0);
	if (child > 0)
		bad |= 8;
	if (kill(getppid(), 0) == 0)
		bad |= 16;
	if (ioctl(0, FIONREAD, &child) == 0 || errno != EPERM)
		bad |= 32;
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0)
		bad |= 64;
	execv("/bin/true", argv);
	if (errno != EPERM)
		bad |= 128;
	return bad;
}

START_TEST(datapath_can_do_nothing)
{
	int status, told[2];
	const char *why;
	char refused = 0;
	pid_t child;

	ck_assert_int_eq(pipe(told), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		sandbox_datapath(&why);
		refused = why != NULL;
		if (write(told[1], &refused, 1) != 1)
			_exit(255);
		_exit(try_everything());
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(read(told[0], &refused, 1), 1);
	if (refused) {
		fprintf(stderr, "SKIP: the system refuses the filter, or this is not root\n");
		exit(77);
	}
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("klips_sandbox");
	TCase *c = tcase_create("sandbox");
	SRunner *r;
	int failed;

	if (geteuid() != 0) {
		fprintf(stderr, "SKIP: only root can become another user\n");
		return 77;
	}
	r = srunner_create(s);
	srunner_set_fork_status(r, CK_NOFORK);
	tcase_add_test(c, datapath_can_do_nothing);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
