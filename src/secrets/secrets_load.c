/* secrets_load.c -- finding, checking and reading secrets files, and the swap of whole sets. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "generated/limits.h"
#include "generated/reasons.h"
#include "secrets/set.h"

struct seen_file {
	dev_t dev;
	ino_t ino;
	bool open;		/* being read: including it again would never end */
};

/* ---- messages -------------------------------------------------------------- */

static void message(struct load *l, bool error, const struct refusal *r)
{
	struct store_message *m = ARENA_NEW(l->a, struct store_message);

	*m = (struct store_message){ .error = error, .refusal = r };
	if (l->last == NULL)
		l->report->messages = m;
	else
		l->last->next = m;
	l->last = m;
}

void load_error(struct load *l, const struct refusal *r)
{
	if (l->report->n_errors == LIMIT_SECRETS_ERRORS)
		return;
	message(l, true, r);
	if (++l->report->n_errors == LIMIT_SECRETS_ERRORS)
		l->full = true;
}

void load_warning(struct load *l, const struct refusal *r)
{
	if (l->report->n_warnings == LIMIT_SECRETS_ERRORS)
		return;
	message(l, false, r);
	l->report->n_warnings++;
}

/* ---- one file -------------------------------------------------------------- */

/* Who owns a file decides what is in it. */
static bool trusted(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

/* Opened without waiting for the other end of a FIFO.  A link is followed only when root or we
 * made it, so that nobody else chooses which of our files is taken for secrets. */
static int open_file(struct load *l, const char *file)
{
	const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	int fd = open(file, flags | O_NOFOLLOW);
	struct stat st;

	if (fd < 0 && errno == ELOOP) {
		if (lstat(file, &st) == 0 && S_ISLNK(st.st_mode) && !trusted(st.st_uid)) {
			load_error(l, refuse_secrets_link(l->a, file, st.st_uid));
			return -1;
		}
		fd = open(file, flags);
	}
	if (fd < 0 && errno == ENXIO)	/* a socket, or a device that is not there */
		load_error(l, refuse_secrets_irregular(l->a, file));
	else if (fd < 0)
		load_error(l, refuse_secrets_unreadable(l->a, file, strerror(errno)));
	return fd;
}

static bool check_file(struct load *l, const char *file, const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		load_error(l, refuse_secrets_irregular(l->a, file));
	else if (!trusted(st->st_uid))
		load_error(l, refuse_secrets_owner(l->a, file, st->st_uid));
	else if ((st->st_mode & (S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH)) != 0)
		load_error(l, refuse_secrets_mode(l->a, file,
						  arena_printf(l->a, "%04o", st->st_mode & 07777)));
	else if (st->st_size > LIMIT_SECRETS_OCTETS)
		load_error(l, refuse_secrets_too_long(l->a, file, LIMIT_SECRETS_OCTETS));
	else
		return true;
	return false;
}

/* The whole file, with room for the sentinel behind it. */
static bool read_file(struct load *l, const char *file, int fd, size_t size, struct buf *out)
{
	struct buf b = buf_new(size + 1);
	size_t n = 0;
	ssize_t got = 1;

	while (n < b.n && got > 0) {
		got = read(fd, b.p + n, b.n - n);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			n += (size_t)got;
	}
	if (got >= 0 && n == size) {
		*out = b;
		return true;
	}
	load_error(l, got < 0 ? refuse_secrets_unreadable(l->a, file, strerror(errno)) :
				refuse_secrets_changed(l->a, file));
	buf_free(&b);
	return false;
}

static void read_entries(struct load *l, const char *file, int fd, size_t size)
{
	struct buf text;

	if (!read_file(l, file, fd, size, &text))
		return;
	l->report->n_files++;
	l->depth++;
	load_text(l, file, span_of(text.p, size));
	l->depth--;
	buf_free(&text);
}

/* The place of the file among those seen; NULL when there is nothing (more) to do with it. */
static struct seen_file *see_file(struct load *l, const char *file, const char *from,
				  unsigned line, const struct stat *st)
{
	for (size_t i = 0; i < l->n_seen; i++) {
		const struct seen_file *f = &l->seen[i];

		if (f->dev != st->st_dev || f->ino != st->st_ino)
			continue;
		if (f->open && from != NULL)
			load_error(l, refuse_secrets_cycle(l->a, from, line, file));
		return NULL;	/* two patterns match it: once is enough */
	}
	if (l->n_seen == LIMIT_SECRETS_FILES) {
		load_error(l, refuse_secrets_too_many(l->a, "files", LIMIT_SECRETS_FILES));
		l->full = true;
		return NULL;
	}
	l->seen[l->n_seen] = (struct seen_file){ .dev = st->st_dev, .ino = st->st_ino, .open = true };
	return &l->seen[l->n_seen++];
}

static void load_file(struct load *l, const char *file, const char *from, unsigned line)
{
	int fd = open_file(l, file);
	struct seen_file *seen;
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) != 0) {
		load_error(l, refuse_secrets_unreadable(l->a, file, strerror(errno)));
	} else if (check_file(l, file, &st)) {
		seen = see_file(l, file, from, line, &st);
		if (seen != NULL) {
			read_entries(l, file, fd, (size_t)st.st_size);
			seen->open = false;
		}
	}
	close(fd);
}

/* ---- patterns -------------------------------------------------------------- */

/* The pattern as glob(3) wants it: a relative one is meant from the folder of `from`, whose name
 * is taken literally. */
static char *full_pattern(struct load *l, struct span pattern, const char *from)
{
	const char *slash = from == NULL ? NULL : strrchr(from, '/');
	size_t dir = slash == NULL ? 0 : (size_t)(slash - from) + 1;
	char *full, *at;

	if (pattern.n != 0 && pattern.p[0] == '/')
		dir = 0;
	at = full = arena_alloc(l->a, 2 * dir + pattern.n + 1);
	for (size_t i = 0; i < dir; i++) {
		if (strchr("*?[]\\", from[i]) != NULL)
			*at++ = '\\';
		*at++ = from[i];
	}
	memcpy(at, pattern.p, pattern.n);
	return full;
}

void load_pattern(struct load *l, struct span pattern, const char *from, unsigned line)
{
	char *full = full_pattern(l, pattern, from);
	glob_t found;
	int rc;

	if (l->depth > LIMIT_SECRETS_DEPTH) {
		load_error(l, refuse_secrets_too_deep(l->a, from, line, LIMIT_SECRETS_DEPTH));
		return;
	}
	rc = glob(full, GLOB_ERR, NULL, &found);
	if (rc == 0) {
		for (size_t i = 0; i < found.gl_pathc && !l->full; i++)
			load_file(l, found.gl_pathv[i], from, line);
	} else if (rc != GLOB_NOMATCH) {
		load_error(l, refuse_secrets_pattern(l->a, full, rc == GLOB_ABORTED ?
						     strerror(errno) : "out of memory"));
	} else if (strpbrk(full, "*?[") == NULL) {
		load_warning(l, refuse_secrets_no_file(l->a, full));
	}
	globfree(&found);
}

/* ---- the store ------------------------------------------------------------- */

struct set *set_new(void)
{
	struct set *set = NEW(struct set);

	set->refs = 1;
	set->mem = arena_new();
	return set;
}

void set_add(struct set *set, const struct entry *e)
{
	if (set->n == set->cap) {
		set->cap = set->cap == 0 ? 16 : 2 * set->cap;
		set->entries = xrealloc(set->entries, set->cap * sizeof(*set->entries));
	}
	set->entries[set->n++] = *e;
}

static void count(struct load *l)
{
	for (size_t i = 0; i < l->set->n; i++) {
		if (l->set->entries[i].kind == SECRET_PSK)
			l->report->n_psk++;
		else if (l->set->entries[i].kind == SECRET_RSA)
			l->report->n_rsa++;
		else
			l->report->n_xauth++;
	}
}

struct set *set_load(const char *pattern, struct arena *a, struct store_report *report)
{
	struct load l = { .set = set_new(), .a = a, .report = report };

	*report = (struct store_report){ 0 };
	l.seen = xcalloc(LIMIT_SECRETS_FILES, sizeof(*l.seen));
	load_pattern(&l, span_str(pattern), NULL, 0);
	count(&l);
	if (report->n_errors == 0)
		load_check(&l);
	free(l.seen);
	if (report->n_errors == 0)
		return l.set;
	set_unref(l.set);
	return NULL;
}
