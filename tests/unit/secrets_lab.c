/* secrets_lab.c -- a folder with secrets files, what is read from them and said of them. */
#include "secrets_lab.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];
char path[96];
struct store *store;
struct arena *arena;
struct store_report report;

void setup(void)
{
	snprintf(dir, sizeof(dir), "/tmp/check_secrets.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
	snprintf(path, sizeof(path), "%s/ipsec.secrets", dir);
	store = store_new();
	arena = arena_new();
}

void teardown(void)
{
	char command[128];

	store_free(store);
	arena_free(arena);
	ck_assert_int_eq(chdir("/"), 0);
	snprintf(command, sizeof(command), "rm -r '%s'", dir);
	ck_assert_int_eq(system(command), 0);
}

void write_bytes(const char *name, const void *p, size_t n, mode_t mode)
{
	int fd;

	unlink(name);	/* it may be read-only from before */
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, p, n), (ssize_t)n);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
}

void write_text(const char *name, const char *text)
{
	write_bytes(name, text, strlen(text), 0600);
}

bool load(const char *pattern)
{
	arena_reset(arena);
	return store_load(store, pattern, arena, &report);
}

/* No message may hold what the files call secret. */
void assert_discreet(void)
{
	for (const struct store_message *m = report.messages; m != NULL; m = m->next) {
		ck_assert_ptr_null(strstr(m->refusal->message, CANARY));
		if (m->refusal->remedy != NULL)
			ck_assert_ptr_null(strstr(m->refusal->remedy, CANARY));
	}
}

void assert_loads(const char *text)
{
	write_text(path, text);
	if (!load(path))
		ck_abort_msg("%s", report.messages->refusal->message);
	assert_discreet();
}

void assert_refused(const char *pattern, enum reason reason, const char *words)
{
	ck_assert(!load(pattern));
	ck_assert_ptr_nonnull(report.messages);
	ck_assert(report.messages->error);
	ck_assert_msg(report.messages->refusal->reason == reason &&
		      strstr(report.messages->refusal->message, words) != NULL,
		      "\"%s\" does not say \"%s\"", report.messages->refusal->message, words);
	ck_assert_ptr_nonnull(report.messages->refusal->remedy);
	assert_discreet();
}

size_t count_warnings(enum reason reason)
{
	size_t n = 0;

	for (const struct store_message *m = report.messages; m != NULL; m = m->next)
		n += !m->error && m->refusal->reason == reason;
	return n;
}

struct identity id(const char *text)
{
	struct identity out = { .kind = IDENTITY_NONE };
	const char *why = "";
	unsigned column;

	if (text != NULL && identity_parse(arena, span_str(text), &out, &why, &column) != IDENTITY_OK)
		ck_abort_msg("%s: %s", text, why);
	return out;
}

bool ask(const char *us, const char *peer, bool unknown, struct secret_found *out)
{
	struct secrets s = store_secrets(store);
	struct identity u = id(us), p = id(peer);

	return s.ops->psk(s.s, &u, &p, unknown, out);
}

void assert_psk(const char *us, const char *peer, bool unknown, const char *want, unsigned line)
{
	struct secret_found f;

	if (!ask(us, peer, unknown, &f))
		ck_abort_msg("%s", f.why);
	ck_assert(span_eq(f.psk, span_str(want)));
	ck_assert_uint_eq(f.line, line);
	ck_assert_str_eq(f.file, path);
	ck_assert_ptr_null(f.rsa);
}

void assert_no_psk(const char *us, const char *peer, bool unknown, enum reason reason)
{
	struct secret_found f;

	ck_assert(!ask(us, peer, unknown, &f));
	ck_assert_uint_eq(f.refusal->reason, reason);
	ck_assert_str_eq(f.why, f.refusal->message);
	ck_assert_ptr_null(f.psk.p);
	ck_assert_ptr_null(strstr(f.why, CANARY));
}

bool ask_rsa(const char *us, struct secret_found *out)
{
	struct secrets s = store_secrets(store);
	struct identity u = id(us);

	return s.ops->rsa(s.s, &u, out);
}
