/* record.c -- inputs, and the table of the host. */
#include "daemon/record_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/writer.h"
#include "base/xalloc.h"
#include "daemon/resolver.h"

/* ---- lines ------------------------------------------------------------------- */

struct text record_line(struct record *r)
{
	return text_on(r->room, RECORD_LINE);
}

void record_put(struct record *r, const struct text *t)
{
	r->sink(r->ctx, t->p);
	wipe(t->p, t->n);
}

void record_addr(struct text *t, const struct ip_addr *a)
{
	char room[ADDR_TEXT];

	text_add(t, " %s", addr_is_none(a) ? "-" : addr_format(a, room));
}

void record_endpoint(struct text *t, const struct endpoint *e)
{
	record_addr(t, &e->addr);
	text_add(t, " %u", e->port);
}

void record_sa_id(struct text *t, const struct sa_id *id)
{
	record_addr(t, &id->dst);
	text_add(t, " %u %08x", id->protocol, id->spi);
}

void record_subnet(struct text *t, const struct subnet *s)
{
	record_addr(t, &s->addr);
	text_add(t, " %u", s->bits);
}

void record_hex(struct text *t, struct span s)
{
	text_add(t, s.n == 0 ? " -" : " ");
	text_hex(t, s);
}

void record_text(struct text *t, const char *s)
{
	if (s == NULL)
		return;
	text_add(t, " ");
	text_escape(t, span_str(s));
}

static struct text input(struct record *r, uint64_t now, const char *what)
{
	struct text t = record_line(r);

	text_add(&t, "> %llu %s", (unsigned long long)now, what);
	return t;
}

static void to_file(void *ctx, const char *line)
{
	struct record *r = ctx;

	fputs(line, r->file);
	fputc('\n', r->file);
	if (line[0] == '>')	/* what led to a crash is in the file */
		fflush(r->file);
}

/* ---- inputs ------------------------------------------------------------------- */

void record_datagram(struct record *r, uint64_t now, const struct endpoint *local,
		     const struct endpoint *remote, struct span datagram)
{
	struct text t;

	if (r == NULL)
		return;
	t = input(r, now, "datagram");
	record_endpoint(&t, local);
	record_endpoint(&t, remote);
	record_hex(&t, datagram);
	record_put(r, &t);
}

void record_unreachable(struct record *r, uint64_t now, const struct endpoint *remote, const char *detail)
{
	struct text t;

	if (r == NULL)
		return;
	t = input(r, now, "unreachable");
	record_endpoint(&t, remote);
	record_text(&t, detail);
	record_put(r, &t);
}

void record_command(struct record *r, uint64_t now, uint32_t client, struct span frame)
{
	struct text t;

	if (r == NULL)
		return;
	t = input(r, now, "command");
	text_add(&t, " %u", client);
	record_hex(&t, frame);
	record_put(r, &t);
}

void record_gone(struct record *r, uint32_t client)
{
	struct text t;

	if (r == NULL)
		return;
	t = input(r, 0, "gone");
	text_add(&t, " %u", client);
	record_put(r, &t);
}

void record_job_done(struct record *r, uint64_t now, const struct ike_job *job)
{
	struct text t;

	if (r == NULL)
		return;
	for (size_t i = 0; i < r->n_jobs; i++) {
		if (r->jobs[i] != job)
			continue;
		t = input(r, now, "job");
		text_add(&t, " %zu", i + 1);
		r->jobs[i] = NULL;
		record_put(r, &t);
		return;
	}
}

/* The records stand in one row of octets, the length (two octets) before each. */
void record_lookup_done(struct record *r, uint64_t now, uint32_t token, const struct lookup_result *result)
{
	struct text t;
	struct buf all;
	struct writer w;
	size_t octets = 0;

	if (r == NULL)
		return;
	for (size_t i = 0; i < result->n; i++)
		octets += 2 + result->rdata[i].n;
	all = buf_new(octets + 1);
	w = writer_on(all.p, all.n);
	for (size_t i = 0; i < result->n; i++) {
		put_u16(&w, (uint16_t)result->rdata[i].n);
		put_bytes(&w, result->rdata[i]);
	}
	t = input(r, now, "looked-up");
	text_add(&t, " %u %u %u %u", token, result->ok, result->validated, result->ttl);
	record_hex(&t, writer_span(&w));
	record_text(&t, result->why);
	record_put(r, &t);
	buf_free(&all);
}

void record_tick(struct record *r, uint64_t now)
{
	struct text t;

	if (r == NULL)
		return;
	t = input(r, now, "tick");
	record_put(r, &t);
}

void record_shutdown(struct record *r, uint64_t now, bool quiet)
{
	struct text t;

	if (r == NULL)
		return;
	t = input(r, now, "shutdown");
	text_add(&t, " %u", quiet);
	record_put(r, &t);
}

/* "done!" came before the request that it answers had returned. */
void record_kernel_done(struct record *r, uint64_t now, uint32_t token, const struct kernel_result *k)
{
	struct text t;

	if (r == NULL)
		return;
	t = input(r, now, r->depth > 0 ? "done!" : "done");
	text_add(&t, " %u %u %u %llu %llu %llu %llu %llu %u", token, k->ok, k->spi,
		 (unsigned long long)k->counts.packets, (unsigned long long)k->counts.bytes,
		 (unsigned long long)k->counts.replays, (unsigned long long)k->counts.bad,
		 (unsigned long long)k->counts.last_used, k->exit_status);
	record_text(&t, k->why);
	record_put(r, &t);
}

void record_acquire(struct record *r, uint64_t now, const struct kernel_acquire *a)
{
	struct text t;

	if (r == NULL)
		return;
	t = input(r, now, "acquire");
	text_add(&t, " %u", a->reqid);
	record_addr(&t, &a->src);
	record_addr(&t, &a->dst);
	text_add(&t, " %u %u %u", a->protocol, a->sport, a->dport);
	record_put(r, &t);
}

void record_expired(struct record *r, uint64_t now, const struct kernel_expiry *e)
{
	struct text t;

	if (r == NULL)
		return;
	t = input(r, now, "expired");
	record_addr(&t, &e->id.dst);
	text_add(&t, " %u %u", e->id.protocol, e->id.spi);
	record_addr(&t, &e->src);
	text_add(&t, " %u", e->hard);
	record_put(r, &t);
}

void record_mapping(struct record *r, uint64_t now, const struct sa_id *id, const struct endpoint *from)
{
	struct text t;

	if (r == NULL)
		return;
	t = input(r, now, "mapping");
	record_sa_id(&t, id);
	record_endpoint(&t, from);
	record_put(r, &t);
}

void record_kernel_log(struct record *r, uint64_t now, const char *line)
{
	struct text t;

	if (r == NULL)
		return;
	t = input(r, now, "kernel-log");
	record_text(&t, line);
	record_put(r, &t);
}

void record_kernel_lost(struct record *r, uint64_t now, const char *why)
{
	struct text t;

	if (r == NULL)
		return;
	t = input(r, now, "kernel-lost");
	record_text(&t, why);
	record_put(r, &t);
}

/* ---- the host ------------------------------------------------------------------ */

static void put_word(struct record *r, const char *line)
{
	struct text t = record_line(r);

	text_add(&t, "%s", line);
	record_put(r, &t);
}

static void tap_send(void *ctx, const struct endpoint *local, const struct endpoint *remote,
		     struct span datagram)
{
	struct record *r = ctx;
	struct text t = record_line(r);

	text_add(&t, "< send");
	record_endpoint(&t, local);
	record_endpoint(&t, remote);
	record_hex(&t, datagram);
	record_put(r, &t);
	r->host.send(r->host.ctx, local, remote, datagram);
}

static void tap_keepalive(void *ctx, const struct endpoint *local, const struct endpoint *remote)
{
	struct record *r = ctx;
	struct text t = record_line(r);

	text_add(&t, "< keepalive");
	record_endpoint(&t, local);
	record_endpoint(&t, remote);
	record_put(r, &t);
	r->host.keepalive(r->host.ctx, local, remote);
}

static void tap_submit(void *ctx, struct ike_job *job)
{
	struct record *r = ctx;
	struct text t = record_line(r);

	r->jobs = xrealloc(r->jobs, (r->n_jobs + 1) * sizeof(*r->jobs));
	r->jobs[r->n_jobs++] = job;
	text_add(&t, "< submit %zu", r->n_jobs);
	record_put(r, &t);
	r->host.submit(r->host.ctx, job);
}

static void tap_random(void *ctx, void *p, size_t n)
{
	struct record *r = ctx;
	struct text t = record_line(r);

	text_add(&t, "< random %zu", n);
	record_put(r, &t);
	r->host.random(r->host.ctx, p, n);
	t = record_line(r);
	text_add(&t, "=");
	record_hex(&t, span_of(p, n));
	record_put(r, &t);
}

static void tap_log(void *ctx, const struct log_event *e)
{
	struct record *r = ctx;
	struct text t = record_line(r);

	text_add(&t, "< log %u %u %s %llu %s %s", (unsigned)e->level, e->debug_class,
		 e->connection == NULL ? "-" : e->connection, (unsigned long long)e->serial,
		 e->peer == NULL ? "-" : e->peer, e->reason == NULL ? "-" : e->reason);
	record_text(&t, e->text);
	record_put(r, &t);
	r->host.log(r->host.ctx, e);
}

static void tap_listen(void *ctx, struct listen_result *out)
{
	struct record *r = ctx;
	struct text t;

	put_word(r, "< listen");
	r->host.listen(r->host.ctx, out);
	for (size_t i = 0; i < out->n_interfaces; i++) {
		const struct kernel_interface *k = &out->interfaces[i];

		t = record_line(r);
		text_add(&t, "= interface %s %s", k->real[0] == '\0' ? "-" : k->real,
			 k->virtual_[0] == '\0' ? "-" : k->virtual_);
		record_addr(&t, &k->addr);
		text_add(&t, " %u %u", k->natt, k->defaultroute);
		record_put(r, &t);
	}
	for (size_t i = 0; out->lines != NULL && out->lines[i] != NULL; i++) {
		t = record_line(r);
		text_add(&t, "= line");
		record_text(&t, out->lines[i]);
		record_put(r, &t);
	}
	t = record_line(r);
	text_add(&t, "= listening %u", out->ok);
	record_text(&t, out->why);
	record_put(r, &t);
}

static void tap_unlisten(void *ctx)
{
	struct record *r = ctx;

	put_word(r, "< unlisten");
	r->host.unlisten(r->host.ctx);
}

static void tap_reply(void *ctx, uint32_t client, uint16_t status, const char *line)
{
	struct record *r = ctx;
	struct text t = record_line(r);

	text_add(&t, "< reply %u %u", client, status);
	record_text(&t, line);
	record_put(r, &t);
	r->host.reply(r->host.ctx, client, status, line);
}

static void tap_finish(void *ctx, uint32_t client)
{
	struct record *r = ctx;
	struct text t = record_line(r);

	text_add(&t, "< finish %u", client);
	record_put(r, &t);
	r->host.finish(r->host.ctx, client);
}

static void tap_keys(void *ctx, const struct sa_keys *keys)
{
	struct record *r = ctx;

	if (r->host.keys != NULL)	/* no output of the protocol: not compared */
		r->host.keys(r->host.ctx, keys);
}

static void tap_lookup(void *ctx, uint32_t token, const char *name, uint16_t type)
{
	struct record *r = ctx;
	struct text t = record_line(r);

	text_add(&t, "< lookup %u %u %s", token, type, name);
	record_put(r, &t);
	r->host.lookup(r->host.ctx, token, name, type);
}

static void tap_stopped(void *ctx)
{
	struct record *r = ctx;

	put_word(r, "< stopped");
	r->host.stopped(r->host.ctx);
}

struct ike_host record_host(struct record *r, struct ike_host host)
{
	if (r == NULL)
		return host;
	r->host = host;
	return (struct ike_host){
		.ctx = r,
		.send = tap_send,
		.keepalive = tap_keepalive,
		.submit = tap_submit,
		.random = tap_random,
		.log = tap_log,
		.listen = tap_listen,
		.unlisten = tap_unlisten,
		.reply = tap_reply,
		.finish = tap_finish,
		.keys = host.keys == NULL ? NULL : tap_keys,
		.lookup = host.lookup == NULL ? NULL : tap_lookup,
		.no_lookup = host.no_lookup,
		.stopped = tap_stopped,
	};
}

struct ike_job *record_job(const struct record *r, uint32_t n)
{
	return n == 0 || n > r->n_jobs ? NULL : r->jobs[n - 1];
}

/* ---- open and close -------------------------------------------------------------- */

struct record *record_to(record_sink sink, void *ctx)
{
	struct record *r = NEW(struct record);

	r->sink = sink;
	r->ctx = ctx;
	r->room = xcalloc(1, RECORD_LINE);
	return r;
}

static void put_path(struct record *r, const char *what, const char *path)
{
	struct text t = record_line(r);

	text_add(&t, "= %s", what);
	record_text(&t, path);
	record_put(r, &t);
}

struct record *record_open(const char *path, const struct config *c, const char *backend, struct text *why)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	struct record *r;
	struct text t;

	if (file == NULL || fchmod(fd, 0600) != 0) {
		text_add(why, "cannot write the recording %s: %s; see --record", path, strerror(errno));
		if (file != NULL)
			fclose(file);
		return NULL;
	}
	r = record_to(to_file, NULL);
	r->ctx = r;
	r->file = file;
	t = record_line(r);
	text_add(&t, "pluto-record 3 %u %s%s", c->debug, backend, c->keys_in_log ? " private" : "");
	record_put(r, &t);
	put_path(r, "secrets", c->secretsfile);
	put_path(r, "updown", c->updown);
	put_path(r, resolver_obstacle(c) != NULL ? "dns off" : c->insecure_dnskeys ? "dns insecure" : "dns on",
		 resolver_obstacle(c));
	t = record_line(r);
	text_add(&t, "= ports %u %u %u", c->ikeport, c->natt_port, c->keepalive);
	record_put(r, &t);
	return r;
}

void record_close(struct record *r)
{
	if (r == NULL)
		return;
	if (r->file != NULL)
		fclose(r->file);
	wipe(r->room, RECORD_LINE);
	free(r->room);
	free(r->jobs);
	free(r);
}
