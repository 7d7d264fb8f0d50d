/* replay.c -- the recorded inputs again, and every output compared. */
#include "daemon/replay_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "daemon/log.h"
#include "daemon/replay.h"
#include "generated/limits.h"

/* Everything that passes the recorder again is compared with the next line. */
static void compare(void *ctx, const char *line)
{
	struct replay *p = ctx;

	if (p->different)
		return;
	if (p->line == NULL || strcmp(p->line, line) != 0)
		replay_differs(p, line);
	else
		replay_next(p);
}

/* ---- what ike asks: answers from the file ------------------------------------------------ */

static void re_send(void *ctx, const struct endpoint *local, const struct endpoint *remote,
		    struct span datagram)
{
	(void)ctx;
	(void)local;
	(void)remote;
	(void)datagram;
}

static void re_keepalive(void *ctx, const struct endpoint *local, const struct endpoint *remote)
{
	(void)ctx, (void)local, (void)remote;
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
	if (!replay_begins(p, "= "))
		return;
	l = replay_split(p, 2);
	s = replay_octets(p, &l, 1);
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
	struct line l = replay_split(p, 7);

	*k = (struct kernel_interface){ .addr = replay_addr(&l, 4), .natt = replay_num(&l, 5) != 0,
					.defaultroute = replay_num(&l, 6) != 0 };
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
	for (; replay_begins(p, "= interface "); replay_next(p))
		if (out->n_interfaces < 64)
			read_interface(p, &p->interfaces[out->n_interfaces++]);
	for (; replay_begins(p, "= line"); replay_next(p))
		if (n < 255)
			p->lines[n++] = replay_split(p, 2).rest;
	p->lines[n] = NULL;
	if (replay_begins(p, "= listening ")) {
		struct line l = replay_split(p, 3);

		out->ok = replay_num(&l, 2) != 0;
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
	(void)ctx, (void)client, (void)status, (void)line;
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

/* ---- inputs ------------------------------------------------------------------------ */

static void replay_job(struct replay *p, struct line *l, uint64_t now)
{
	struct ike_job *job = record_job(p->record, (uint32_t)replay_num(l, 3));

	if (job == NULL) {
		replay_differs(p, "no such job was submitted");
		return;
	}
	record_job_done(p->record, now, job);
	job->run(job);
	ike_job_done(p->ike, now, job);
}

static void replay_lookup(struct replay *p, struct line *l, uint64_t now)
{
	struct span rdata[LIMIT_DNS_RECORDS], all = replay_octets(p, l, 7);
	struct lookup_result r = { .ok = replay_num(l, 4) != 0, .validated = replay_num(l, 5) != 0, .ttl = (uint32_t)replay_num(l, 6),
				   .why = l->rest, .rdata = rdata };
	uint32_t token = (uint32_t)replay_num(l, 3);

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
		struct endpoint local = { .addr = replay_addr(l, 3), .port = (uint16_t)replay_num(l, 4) };
		struct endpoint remote = { .addr = replay_addr(l, 5), .port = (uint16_t)replay_num(l, 6) };
		struct span bytes = replay_octets(p, l, 7);

		record_datagram(p->record, now, &local, &remote, bytes);
		ike_datagram(p->ike, now, &local, &remote, bytes);
	} else {
		struct endpoint remote = { .addr = replay_addr(l, 3), .port = (uint16_t)replay_num(l, 4) };

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
	return 12;
}

static void replay_input(struct replay *p)
{
	struct line l = replay_split(p, 3);
	const char *what = l.words[2];
	uint64_t now = replay_num(&l, 1);

	l = replay_split(p, words_of(what));
	if (strcmp(what, "datagram") == 0 || strcmp(what, "unreachable") == 0) {
		replay_network(p, what, &l, now);
	} else if (strcmp(what, "command") == 0) {
		struct span frame = replay_octets(p, &l, 4);

		record_command(p->record, now, (uint32_t)replay_num(&l, 3), frame);
		ike_command(p->ike, now, (uint32_t)replay_num(&l, 3), frame);
	} else if (strcmp(what, "gone") == 0) {
		record_gone(p->record, (uint32_t)replay_num(&l, 3));
		ike_client_gone(p->ike, (uint32_t)replay_num(&l, 3));
	} else if (strcmp(what, "job") == 0) {
		replay_job(p, &l, now);
	} else if (strcmp(what, "looked-up") == 0) {
		replay_lookup(p, &l, now);
	} else if (strcmp(what, "tick") == 0) {
		record_tick(p->record, now);
		ike_tick(p->ike, now);
	} else if (strcmp(what, "shutdown") == 0) {
		record_shutdown(p->record, now, replay_num(&l, 3) != 0);
		ike_shutdown(p->ike, now, replay_num(&l, 3) != 0);
	} else {
		replay_kernel_event(p, what, &l, now);
	}
}

/* ---- the run ------------------------------------------------------------------------ */

static void make_ike(struct replay *p, uint32_t debug)
{
	struct ike_host host = {
		.ctx = p, .send = re_send, .keepalive = re_keepalive, .submit = re_submit, .random = re_random, .log = re_log,
		.listen = re_listen, .unlisten = re_unlisten, .reply = re_reply, .finish = re_finish,
		.lookup = p->no_dns == NULL ? re_lookup : NULL, .no_lookup = p->no_dns, .stopped = re_stopped,
	};
	struct ike_config c = { .debug = debug, .key_logging = p->keys_in_log, .updown = p->updown, .insecure_dnskeys = p->insecure_dns,
				.ports = p->ports };

	p->record = record_to(compare, p);
	p->store = store_new();
	c.host = record_host(p->record, host);
	c.secrets = store_secrets(p->store);
	p->ike = ike_new(&c);
	ike_set_kernel(p->ike, record_kernel(p->record, replay_kernel(p)));
}

/* A line "= what PATH"; owned, empty when it is missing. */
static char *read_path(struct replay *p, const char *begin)
{
	char *path;

	if (!replay_begins(p, begin))
		return xstrdup("");
	path = replay_split(p, 2).rest;
	path = xstrdup(path == NULL ? "" : path);
	replay_next(p);
	return path;
}

static void read_dns(struct replay *p)
{
	struct line l;

	if (!replay_begins(p, "= dns "))
		return;
	l = replay_split(p, 3);
	p->insecure_dns = strcmp(l.words[2], "insecure") == 0;
	if (strcmp(l.words[2], "off") == 0)
		p->no_dns = xstrdup(l.rest == NULL ? "" : l.rest);
	replay_next(p);
}

static void read_ports(struct replay *p)
{
	struct line l;

	if (!replay_begins(p, "= ports "))
		return;
	l = replay_split(p, 5);
	p->ports = (struct ike_ports){ .ike = (uint16_t)replay_num(&l, 2), .natt = (uint16_t)replay_num(&l, 3),
				       .keepalive = (uint32_t)replay_num(&l, 4) };
	replay_next(p);
}

static bool read_head(struct replay *p, const char *path, uint32_t *debug)
{
	struct line l;

	replay_next(p);
	if (!replay_begins(p, "pluto-record 3 ")) {
		text_add(p->why, "%s is no recording of pluto --record", path);
		return false;
	}
	l = replay_split(p, 4);
	*debug = (uint32_t)replay_num(&l, 2);
	p->backend = xstrdup(l.words[3]);
	p->keys_in_log = l.rest != NULL;
	replay_next(p);
	p->secretsfile = read_path(p, "= secrets ");
	p->updown = read_path(p, "= updown ");
	read_dns(p);
	read_ports(p);
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
			if (replay_begins(&p, "> "))
				replay_input(&p);
			else
				replay_differs(&p, "nothing");
		}
		ok = !p.different;
		if (ok)
			fprintf(out, "%s: %u lines, no difference\n", path, p.number - 1);
	}
	free_replay(&p);
	return ok;
}
