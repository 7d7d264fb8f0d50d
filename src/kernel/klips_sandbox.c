/* klips_sandbox.c -- giving up privileges. */
#include "kernel/klips_process.h"

#include <cap-ng.h>
#include <errno.h>
#include <linux/if_tun.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define NOBODY 65534		/* the kernel's overflow user: owns no file */

static const int datapath_calls[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(close),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(recvmsg), SCMP_SYS(recvmmsg), SCMP_SYS(recvfrom),
	SCMP_SYS(sendmsg), SCMP_SYS(sendto), SCMP_SYS(setsockopt), SCMP_SYS(getrandom),
	SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(munmap),
	SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(mlock), SCMP_SYS(futex), SCMP_SYS(getpid),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(restart_syscall), SCMP_SYS(sigaltstack), SCMP_SYS(exit), SCMP_SYS(exit_group),
};

static const int opener_calls[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(close), SCMP_SYS(recvmsg), SCMP_SYS(recvfrom),
	SCMP_SYS(sendmsg), SCMP_SYS(sendto), SCMP_SYS(socket), SCMP_SYS(bind), SCMP_SYS(getsockname),
	SCMP_SYS(setsockopt), SCMP_SYS(ioctl), SCMP_SYS(openat), SCMP_SYS(brk), SCMP_SYS(mmap),
	SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(getpid),
	SCMP_SYS(clock_gettime), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall), SCMP_SYS(sigaltstack), SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

/* Every other call gives EPERM: a library that tries one for its comfort goes on without. */
static bool filter(const int *calls, size_t n, bool tun_persist)
{
	scmp_filter_ctx c = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	bool ok = c != NULL;

	for (size_t i = 0; ok && i < n; i++)
		ok = seccomp_rule_add(c, SCMP_ACT_ALLOW, calls[i], 0) == 0;
	if (ok && tun_persist)
		ok = seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				      SCMP_A1(SCMP_CMP_EQ, TUNSETPERSIST, 0)) == 0;
	ok = ok && seccomp_load(c) == 0;
	seccomp_release(c);
	return ok;
}

static void no_core(void)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
}

void sandbox_datapath(const char **why)
{
	struct rlimit no_files = { 64, 64 };

	*why = NULL;
	no_core();
	setrlimit(RLIMIT_NOFILE, &no_files);
	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_change_id(NOBODY, NOBODY, CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING) != 0)
		*why = "klips could not become another user; it goes on with what it has";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    !filter(datapath_calls, sizeof datapath_calls / sizeof datapath_calls[0], true))
		*why = "the system refused the filter of system calls; klips goes on without";
}

void sandbox_opener(const char **why)
{
	*why = NULL;
	no_core();
	capng_clear(CAPNG_SELECT_BOTH);
	capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_ADMIN, CAP_NET_RAW, -1);
	if (capng_apply(CAPNG_SELECT_BOTH) != 0)
		*why = "klips could not give up capabilities; it goes on with what it has";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    !filter(opener_calls, sizeof opener_calls / sizeof opener_calls[0], false))
		*why = "the system refused the filter of system calls; klips goes on without";
}
