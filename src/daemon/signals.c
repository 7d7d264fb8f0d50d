/* signals.c -- a thread that takes the signals and has nothing to hide.
 *
 * The kernel saves the registers of whoever takes a signal on the stack, where they stay: a key that was just being
 * copied would outlive its SA there. */
#include "daemon/signals.h"

#include <signal.h>
#include <unistd.h>
#include <uv.h>

static void wait_for_signals(void *before)
{
	pthread_sigmask(SIG_SETMASK, before, NULL);
	for (;;)
		pause();
}

bool signals_apart(struct text *why)
{
	/* What a thread does to itself is its own. */
	static const int own[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS };
	static sigset_t before;		/* outlives the call: the thread reads it */
	uv_thread_t thread;
	sigset_t all;
	int error;

	sigfillset(&all);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		sigdelset(&all, own[i]);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	error = uv_thread_create(&thread, wait_for_signals, &before);
	if (error == 0)
		return true;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	text_add(why, "cannot start a thread for signals: %s", uv_strerror(error));
	return false;
}
