/* journal.c -- the journal of systemd: a datagram of lines NAME=value for each event. */
#include "daemon/journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/log.h"

#define JOURNAL_PATH "/run/systemd/journal/socket"

static int journal_fd = -1;

bool journal_behind(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;
	char rest;

	return stream != NULL && sscanf(stream, "%llu:%llu%c", &device, &inode, &rest) == 2 && fstat(fd, &st) == 0 &&
	       st.st_dev == device && st.st_ino == inode;
}

static bool connected(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = JOURNAL_PATH };

	if (journal_fd < 0)
		journal_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (journal_fd >= 0 && connect(journal_fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return true;
	journal_close();
	return false;
}

/* A line ends the value. */
static void put(struct text *t, const char *name, const char *value)
{
	if (value == NULL)
		return;
	text_add(t, "%s=", name);
	for (; *value != '\0'; value++)
		text_add(t, "%c", *value == '\n' ? ' ' : *value);
	text_add(t, "\n");
}

static void put_event(struct text *t, const struct log_event *e)
{
	put(t, "PLUTO_CONNECTION", e->connection);
	if (e->serial != 0)
		text_add(t, "PLUTO_SERIAL=%llu\n", (unsigned long long)e->serial);
	put(t, "PLUTO_PEER", e->peer);
	put(t, "PLUTO_REASON", e->reason);
	put(t, "PLUTO_REMEDY", e->remedy);
}

bool journal_write(int severity, const char *line, const struct log_event *e)
{
	char whole[3 * LOG_LINE];
	struct text t = text_on(whole, sizeof(whole));

	text_add(&t, "PRIORITY=%d\nSYSLOG_FACILITY=%d\nSYSLOG_IDENTIFIER=pluto\n", severity, LOG_FACILITY);
	put(&t, "MESSAGE", line);
	if (e != NULL)
		put_event(&t, e);
	for (int tries = 0; tries < 2; tries++) {
		if (journal_fd < 0 && !connected())
			return false;
		if (send(journal_fd, whole, t.n, MSG_NOSIGNAL) >= 0)
			return true;
		if (errno == EAGAIN || errno == ENOBUFS)
			return false;
		journal_close();	/* it was started anew */
	}
	return false;
}

void journal_close(void)
{
	if (journal_fd >= 0)
		close(journal_fd);
	journal_fd = -1;
}
