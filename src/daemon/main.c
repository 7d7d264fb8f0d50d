/* main.c -- pluto: options, the lock, the daemon fork, and then the loop. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/options.h"
#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/fork.h"
#include "daemon/journal.h"
#include "daemon/lock.h"
#include "daemon/log.h"
#include "daemon/notify.h"
#include "daemon/replay.h"
#include "daemon/version.h"
#include "generated/options.h"

#define ERROR_TEXT 1024

/* The manual's exit statuses. */
enum { EXIT_OK = 0, EXIT_WRONG = 1, EXIT_LOCKED = 10 };

struct start {
	const struct config *config;
	int pipe;		/* to the parent that waits, or -1 */
	enum log_sink sink;
};

static int failed(const char *why, int status)
{
	fprintf(stderr, "pluto: %s\n", why);
	return status;
}

static int help(const struct options *o)
{
	const struct program_desc *p = o->program;

	if (option_given(o, PLUTO_OPTION_VERSION)) {
		version_print(option_given(o, PLUTO_OPTION_JSON));
		return EXIT_OK;
	}
	printf("Usage: pluto [OPTIONS]\n\n");
	for (size_t i = 0; i < p->n_forms; i++)
		printf("%s:\n%s\n", p->forms[i].help, p->forms[i].usage);
	printf("in any case:\n%s", p->usage);
	return EXIT_OK;
}

/* Keys are in our memory: no core file, no reading by other processes of the same user. */
static void harden(void)
{
	struct rlimit none = { 0 };

	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
	umask(077);
}

static void ready(void *ctx)
{
	struct start *s = ctx;
	char room[ERROR_TEXT];
	struct text why = text_on(room, sizeof(room));

	fork_ready(s->pipe, EXIT_OK, s->config->stderrlog);
	s->pipe = -1;
	log_open(s->sink);
	if (!notify_ready(&why))
		log_trouble("without it the service manager takes pluto for one that does not start; start it with another Type= than notify",
			    "cannot tell the service manager that pluto is ready: %s", room);
}

static int run(const struct config *c, struct text *why)
{
	/* Seen now: a daemon has no standard error. */
	struct start s = { .config = c, .pipe = -1, .sink = journal_behind(STDERR_FILENO) ? LOG_JOURNAL :
							   c->stderrlog ? LOG_STDERR : LOG_SYSLOG };
	int lock, status;

	switch (lock_take(c->pidfile, &lock, why)) {
	case LOCK_HELD:
		return failed(why->p, EXIT_LOCKED);
	case LOCK_FAILED:
		return failed(why->p, EXIT_WRONG);
	case LOCK_TAKEN:
		break;
	}
	/* Before the fork nothing has a thread.  A service manager that waits to be told wants pluto itself. */
	if (!notify_wanted() && c->fork && (s.pipe = fork_daemon(why)) < 0) {
		lock_release(c->pidfile, lock);
		return failed(why->p, EXIT_WRONG);
	}
	if (lock_write_pid(lock, why))
		status = daemon_run(c, ready, &s, why);
	else
		status = EXIT_WRONG;
	if (why->n != 0)
		failed(why->p, status);
	fork_ready(s.pipe, status, true);
	lock_release(c->pidfile, lock);
	log_close();
	return status;
}

int main(int argc, char **argv)
{
	char room[ERROR_TEXT];
	struct text why = text_on(room, sizeof(room));
	struct config c = { 0 };
	struct options o;
	int status;

	harden();
	if (!options_argv(&o, &pluto_program, argc, argv, &why))
		status = failed(room, EXIT_WRONG);
	else if (o.form == PLUTO_FORM_HELP)
		status = help(&o);
	else if (o.form == PLUTO_FORM_REPLAY)
		status = replay_run(option_text(&o, PLUTO_OPTION_REPLAY, END_LEFT), stdout, &why) ?
			 EXIT_OK : failed(room, EXIT_WRONG);
	else if (!config_make(&c, &o, &why))
		status = failed(room, EXIT_WRONG);
	else
		status = run(&c, &why);
	config_free(&c);
	options_free(&o);
	return status;
}
