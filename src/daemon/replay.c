/* replay.c -- the recorded inputs again, and every output compared. */
#include "daemon/replay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/xalloc.h"
#include "daemon/log.h"
#include "daemon/record.h"
#include "generated/limits.h"
#include "ike/ike.h"
#include "secrets/store.h"

#define WORDS 16

struct replay {
	FILE *in, *out;
	char *line;		/* the next line, without its end; NULL = end of the file */
	size_t cap;
	unsigned number;	/* of that line */
	struct text *why;
	bool different;		/* why says where */
	bool stopped;
	struct record *record;
	struct ike *ike;
	struct store *store;
	char *secretsfile;
	char *backend, *updown;
	char *no_dns;		/* why the DNS was not asked; NULL = it was */
	bool insecure_dns, keys_in_log;
	struct arena *arena;	/* of one input */
	const char *lines[256];	/* of a listen result */
	struct kernel_interface interfaces[64];
};

/* ---- the file ------------------------------------------------------------------ */

static void next_line(struct replay *p)
{
	ssize_t n = getline(&p->line, &p->cap, p->in);

	p->number++;
	if (n > 0 && p->line[n - 1] == '\n')
		p->line[n - 1] = '\0';
	if (n < 0) {
		free(p->line);
		p->line = NULL;
		p->cap = 0;
	}
}

static bool differs(struct replay *p, const char *is)
{
	if (p->different)
		return false;
	p->different = true;
	text_add(p->why, "line %u differs: recorded \"%.600s\", now \"%.600s\"", p->number,
		 p->line == NULL ? "(end)" : p->line, is);
	return false;
}

/* Everything that passes the recorder again is compared with the next line. */
static void compare(void *ctx, const char *line)
{
	struct replay *p = ctx;

	if (p->different)
		return;
	if (p->line == NULL || strcmp(p->line, line) != 0)
		differs(p, line);
	else
		next_line(p);
}

static bool begins(const struct replay *p, const char *with)
{
	return !p->different && p->line != NULL && strncmp(p->line, with, strlen(with)) == 0;
}

/* ---- words of a line --------------------------------------------------------------- */

struct line {
	char *words[WORDS];
	size_t n;
	char *rest;		/* after the words asked for, unescaped */
};

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void unescape(char *s)
{
	char *to = s;

	for (; *s != '\0'; s++) {
		if (s[0] == '\\' && s[1] == 'x' && digit(s[2]) >= 0 && digit(s[3]) >= 0) {
			*to++ = (char)(digit(s[2]) << 4 | digit(s[3]));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

/* At most `words` words of the current line, and what is left after them. */
static struct line split(struct replay *p, size_t words)
{
	struct line l = { 0 };
	char *s = arena_str(p->arena, span_str(p->line));

	while (l.n < words && l.n < WORDS && s != NULL && *s != '\0') {
		l.words[l.n++] = s;
		s = strchr(s, ' ');
		if (s != NULL)
			*s++ = '\0';
	}
	l.rest = s;
	if (s != NULL)
		unescape(s);
	while (l.n < WORDS)
		l.words[l.n++] = arena_str(p->arena, span_str("0"));
	return l;
}

static uint64_t num(const struct line *l, size_t i)
{
	return strtoull(l->words[i], NULL, 10);
}

static struct ip_addr addr(const struct line *l, size_t i)
{
	struct ip_addr a = { 0 };
	const char *why;
	unsigned column;

	if (!addr_parse(span_str(l->words[i]), &a, &why, &column))
		a.len = 0;
	return a;
}

static struct span octets(struct replay *p, const struct line *l, size_t i)
{
	const char *s = l->words[i];
	size_t n = strlen(s) / 2;
	uint8_t *to = arena_alloc(p->arena, n + 1);

	for (size_t k = 0; k < n; k++) {
		int hi = digit(s[2 * k]), lo = digit(s[2 * k + 1]);

		if (hi < 0 || lo < 0)
			return span_of(to, k);
		to[k] = (uint8_t)(hi << 4 | lo);
	}
	return span_of(to, n);
}

/* ---- what ike asks: answers from the file ------------------------------------------------ */

static void re_send(void *ctx, const struct ip_addr *local, const struct endpoint *remote,
		    struct span datagram)
{
	(void)ctx;
	(void)local;
	(void)remote;
	(void)datagram;
}

static void re_submit(void *ctx, struct ike_job *job)
{
	(void)ctx;
	(void)job;		/* runs when its end was recorded */
}

static void re_random(void *ctx, void *to, size_t n)
{
	struct replay *p = ctx;
	struct line l;
	struct span s = { 0 };

	memset(to, 0, n);
	if (!begins(p, "= "))
		return;
	l = split(p, 2);
	s = octets(p, &l, 1);
	if (s.n == n && n != 0)
		memcpy(to, s.p, n);
}

static void re_log(void *ctx, const struct log_event *e)
{
	struct replay *p = ctx;
	char room[2048];
	struct text t = text_on(room, sizeof(room));

	log_text(&t, e);
	fprintf(p->out, "%s\n", room);
}

static void read_interface(struct replay *p, struct kernel_interface *k)
{
	struct line l = split(p, 5);

	*k = (struct kernel_interface){ .addr = addr(&l, 4) };
	if (strcmp(l.words[2], "-") != 0)
		snprintf(k->real, sizeof(k->real), "%s", l.words[2]);
	if (strcmp(l.words[3], "-") != 0)
		snprintf(k->virtual_, sizeof(k->virtual_), "%s", l.words[3]);
}

/* The answer is several lines; they are looked at here and compared when the recorder writes them, so the file is
 * read twice. */
static void re_listen(void *ctx, struct listen_result *out)
{
	struct replay *p = ctx;
	long here = ftell(p->in);
	unsigned number = p->number;
	char *first = p->line == NULL ? NULL : xstrdup(p->line);
	struct store_report report;
	size_t n = 0;

	*out = (struct listen_result){ .interfaces = p->interfaces, .lines = p->lines };
	for (; begins(p, "= interface "); next_line(p))
		if (out->n_interfaces < 64)
			read_interface(p, &p->interfaces[out->n_interfaces++]);
	for (; begins(p, "= line"); next_line(p))
		if (n < 255)
			p->lines[n++] = split(p, 2).rest;
	p->lines[n] = NULL;
	if (begins(p, "= listening ")) {
		struct line l = split(p, 3);

		out->ok = num(&l, 2) != 0;
		out->why = l.rest;
	}
	fseek(p->in, here, SEEK_SET);
	free(p->line);
	p->line = first;
	p->cap = first == NULL ? 0 : strlen(first) + 1;
	p->number = number;
	store_load(p->store, p->secretsfile, p->arena, &report);
}

static void re_unlisten(void *ctx)
{
	(void)ctx;
}

static void re_reply(void *ctx, uint32_t client, uint16_t status, const char *line)
{
	(void)ctx;
	(void)client;
	(void)status;
	(void)line;
}

static void re_finish(void *ctx, uint32_t client)
{
	(void)ctx;
	(void)client;
}

static void re_lookup(void *ctx, uint32_t token, const char *name, uint16_t type)
{
	(void)ctx, (void)token, (void)name, (void)type;
}

static void re_stopped(void *ctx)
{
	struct replay *p = ctx;

	p->stopped = true;
}

/* ---- the kernel: it answered at once, or later ------------------------------------------- */

static void done(struct replay *p, struct line *l)
{
	struct kernel_events e = ike_kernel_events(p->ike);
	uint64_t now = num(l, 1);
	struct kernel_result r = {
		.ok = num(l, 4) != 0, .spi = (uint32_t)num(l, 5), .why = l->rest,
		.counts = { num(l, 6), num(l, 7), num(l, 8), num(l, 9), num(l, 10) },
	};
	uint32_t token = (uint32_t)num(l, 3);

	record_kernel_done(p->record, now, token, &r);
	ike_clock(p->ike, now);
	e.done(e.ctx, token, &r);
}

static void answered(struct replay *p)
{
	struct line l;

	if (!begins(p, "> "))
		return;
	l = split(p, 11);
	if (strcmp(l.words[2], "done!") == 0)
		done(p, &l);
}

static void re_attach(void *k, uint32_t token, const char *virtual_, const char *real)
{
	(void)token;
	(void)virtual_;
	(void)real;
	answered(k);
}

static void re_hole(void *k, uint16_t port)
{
	(void)k;
	(void)port;
}

static void re_get_spi(void *k, uint32_t token, const struct ip_addr *src, const struct ip_addr *dst,
		       uint8_t protocol, uint32_t lo, uint32_t hi)
{
	(void)token;
	(void)src;
	(void)dst;
	(void)protocol;
	(void)lo;
	(void)hi;
	answered(k);
}

static void re_add_sa(void *k, uint32_t token, const struct kernel_sa *sa)
{
	(void)token;
	(void)sa;
	answered(k);
}

static void re_sa(void *k, uint32_t token, const struct sa_id *id)
{
	(void)token;
	(void)id;
	answered(k);
}

static void re_eroute(void *k, uint32_t token, const struct kernel_eroute *e)
{
	(void)token;
	(void)e;
	answered(k);
}

static void re_updown(void *k, uint32_t token, const struct updown_request *u)
{
	(void)token;
	(void)u;
	answered(k);
}

static void re_close(void *k)
{
	(void)k;
}

/* ---- inputs ------------------------------------------------------------------------ */

static void replay_kernel_event(struct replay *p, const char *what, struct line *l, uint64_t now)
{
	struct kernel_events e = ike_kernel_events(p->ike);

	if (strcmp(what, "done") == 0) {
		done(p, l);
	} else if (strcmp(what, "acquire") == 0) {
		struct kernel_acquire a = {
			.reqid = (uint32_t)num(l, 3), .src = addr(l, 4), .dst = addr(l, 5),
			.protocol = (uint8_t)num(l, 6), .sport = (uint16_t)num(l, 7), .dport = (uint16_t)num(l, 8),
		};

		record_acquire(p->record, now, &a);
		ike_clock(p->ike, now);
		e.acquire(e.ctx, &a);
	} else if (strcmp(what, "kernel-log") == 0) {
		record_kernel_log(p->record, now, l->rest);
		ike_clock(p->ike, now);
		e.log(e.ctx, l->rest == NULL ? "" : l->rest);
	} else if (strcmp(what, "kernel-lost") == 0) {
		record_kernel_lost(p->record, now, l->rest);
		ike_clock(p->ike, now);
		e.lost(e.ctx, l->rest == NULL ? "" : l->rest);
	} else {
		differs(p, "an input that this pluto does not know");
	}
}

static void replay_job(struct replay *p, struct line *l, uint64_t now)
{
	struct ike_job *job = record_job(p->record, (uint32_t)num(l, 3));

	if (job == NULL) {
		differs(p, "no such job was submitted");
		return;
	}
	record_job_done(p->record, now, job);
	job->run(job);
	ike_job_done(p->ike, now, job);
}

static void replay_lookup(struct replay *p, struct line *l, uint64_t now)
{
	struct span rdata[LIMIT_DNS_RECORDS], all = octets(p, l, 7);
	struct lookup_result r = { .ok = num(l, 4) != 0, .validated = num(l, 5) != 0, .ttl = (uint32_t)num(l, 6),
				   .why = l->rest, .rdata = rdata };
	uint32_t token = (uint32_t)num(l, 3);

	while (all.n >= 2 && r.n < LIMIT_DNS_RECORDS) {
		size_t n = get_u16(all.p);

		rdata[r.n++] = span_sub(all, 2, n);
		all = span_from(all, 2 + n);
	}
	record_lookup_done(p->record, now, token, &r);
	ike_lookup_done(p->ike, now, token, &r);
}

static void replay_network(struct replay *p, const char *what, struct line *l, uint64_t now)
{
	if (strcmp(what, "datagram") == 0) {
		struct ip_addr local = addr(l, 3);
		struct endpoint remote = { .addr = addr(l, 4), .port = (uint16_t)num(l, 5) };
		struct span bytes = octets(p, l, 6);

		record_datagram(p->record, now, &local, &remote, bytes);
		ike_datagram(p->ike, now, &local, &remote, bytes);
	} else {
		struct endpoint remote = { .addr = addr(l, 3), .port = (uint16_t)num(l, 4) };

		record_unreachable(p->record, now, &remote, l->rest);
		ike_unreachable(p->ike, now, &remote, l->rest == NULL ? "" : l->rest);
	}
}

/* How many words come before the text at the end. */
static size_t words_of(const char *what)
{
	if (strcmp(what, "unreachable") == 0)
		return 5;
	if (strcmp(what, "kernel-log") == 0 || strcmp(what, "kernel-lost") == 0)
		return 3;
	if (strcmp(what, "looked-up") == 0)
		return 8;
	return 11;
}

static void replay_input(struct replay *p)
{
	struct line l = split(p, 3);
	const char *what = l.words[2];
	uint64_t now = num(&l, 1);

	l = split(p, words_of(what));
	if (strcmp(what, "datagram") == 0 || strcmp(what, "unreachable") == 0) {
		replay_network(p, what, &l, now);
	} else if (strcmp(what, "command") == 0) {
		struct span frame = octets(p, &l, 4);

		record_command(p->record, now, (uint32_t)num(&l, 3), frame);
		ike_command(p->ike, now, (uint32_t)num(&l, 3), frame);
	} else if (strcmp(what, "gone") == 0) {
		record_gone(p->record, (uint32_t)num(&l, 3));
		ike_client_gone(p->ike, (uint32_t)num(&l, 3));
	} else if (strcmp(what, "job") == 0) {
		replay_job(p, &l, now);
	} else if (strcmp(what, "looked-up") == 0) {
		replay_lookup(p, &l, now);
	} else if (strcmp(what, "tick") == 0) {
		record_tick(p->record, now);
		ike_tick(p->ike, now);
	} else if (strcmp(what, "shutdown") == 0) {
		record_shutdown(p->record, now, num(&l, 3) != 0);
		ike_shutdown(p->ike, now, num(&l, 3) != 0);
	} else {
		replay_kernel_event(p, what, &l, now);
	}
}

/* ---- the run ------------------------------------------------------------------------ */

static void make_ike(struct replay *p, uint32_t debug)
{
	static struct kernel_ops ops = {
		.attach = re_attach, .hole = re_hole, .get_spi = re_get_spi, .add_sa = re_add_sa,
		.del_sa = re_sa, .read_sa = re_sa, .set_eroute = re_eroute, .del_eroute = re_eroute,
		.updown = re_updown, .close = re_close, .compresses = true,
	};
	struct ike_host host = {
		.ctx = p, .send = re_send, .submit = re_submit, .random = re_random, .log = re_log,
		.listen = re_listen, .unlisten = re_unlisten, .reply = re_reply, .finish = re_finish,
		.lookup = p->no_dns == NULL ? re_lookup : NULL, .no_lookup = p->no_dns, .stopped = re_stopped,
	};
	struct ike_config c = { .debug = debug, .key_logging = p->keys_in_log, .updown = p->updown, .insecure_dnskeys = p->insecure_dns };

	ops.name = p->backend;
	p->record = record_to(compare, p);
	p->store = store_new();
	c.host = record_host(p->record, host);
	c.secrets = store_secrets(p->store);
	p->ike = ike_new(&c);
	ike_set_kernel(p->ike, record_kernel(p->record, (struct kernel){ .ops = &ops, .k = p }));
}

/* A line "= what PATH"; owned, empty when it is missing. */
static char *read_path(struct replay *p, const char *begin)
{
	char *path;

	if (!begins(p, begin))
		return xstrdup("");
	path = split(p, 2).rest;
	path = xstrdup(path == NULL ? "" : path);
	next_line(p);
	return path;
}

static void read_dns(struct replay *p)
{
	struct line l;

	if (!begins(p, "= dns "))
		return;
	l = split(p, 3);
	p->insecure_dns = strcmp(l.words[2], "insecure") == 0;
	if (strcmp(l.words[2], "off") == 0)
		p->no_dns = xstrdup(l.rest == NULL ? "" : l.rest);
	next_line(p);
}

static bool read_head(struct replay *p, const char *path, uint32_t *debug)
{
	struct line l;

	next_line(p);
	if (!begins(p, "pluto-record 1 ")) {
		text_add(p->why, "%s is no recording of pluto --record", path);
		return false;
	}
	l = split(p, 4);
	*debug = (uint32_t)num(&l, 2);
	p->backend = xstrdup(l.words[3]);
	p->keys_in_log = l.rest != NULL;
	next_line(p);
	p->secretsfile = read_path(p, "= secrets ");
	p->updown = read_path(p, "= updown ");
	read_dns(p);
	return true;
}

static void free_replay(struct replay *p)
{
	if (p->ike != NULL)
		ike_free(p->ike);
	record_close(p->record);
	if (p->store != NULL)
		store_free(p->store);
	arena_free(p->arena);
	free(p->line);
	free(p->secretsfile);
	free(p->backend);
	free(p->updown);
	free(p->no_dns);
	fclose(p->in);
}

bool replay_run(const char *path, FILE *out, struct text *why)
{
	struct replay p = { .in = fopen(path, "re"), .out = out, .why = why };
	uint32_t debug;
	bool ok = false;

	if (p.in == NULL) {
		text_add(why, "cannot read the recording %s: %s; see --replay", path, strerror(errno));
		return false;
	}
	p.arena = arena_new();
	if (read_head(&p, path, &debug)) {
		make_ike(&p, debug);
		while (!p.different && p.line != NULL) {
			arena_reset(p.arena);
			if (begins(&p, "> "))
				replay_input(&p);
			else
				differs(&p, "nothing");
		}
		ok = !p.different;
		if (ok)
			fprintf(out, "%s: %u lines, no difference\n", path, p.number - 1);
	}
	free_replay(&p);
	return ok;
}
