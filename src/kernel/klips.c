/* klips.c -- the backend that talks to the klips process: requests become frames, answers are
 * matched by their token. */
#include "kernel/klips.h"

#include "base/arena.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "generated/klips_protocol.h"
#include "generated/limits.h"
#include "generated/names.h"
#include "kernel/updown.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <uthash.h>

struct open_request {		/* not answered yet */
	uint32_t number;	/* ours, on the wire: the tokens of ike may repeat */
	uint32_t token;
	bool silent;		/* ike does not want to know */
	UT_hash_handle hh;
};

struct backend {
	struct kernel_events events;
	struct updowns *updowns;
	uv_process_t process;
	uv_pipe_t pipe;
	unsigned open;		/* handles not closed yet */
	bool closing;		/* close was asked: nobody is told */
	bool lost;		/* klips is gone */
	uint32_t number;
	struct open_request *requests;
	struct arena *arena;	/* of one answer */
	uint8_t in[LIMIT_KLIPS_FRAME + 4];
	size_t in_n;
};

struct frame {			/* on its way to klips */
	uv_write_t write;
	size_t n;
	uint8_t octets[];	/* wiped when it is sent: keys */
};

static const char gone[] = "klips is not running; nothing is protected until pluto is started again";

/* ---- the end ----------------------------------------------------------- */

static void on_closed(uv_handle_t *h)
{
	struct backend *b = h->data;

	if (--b->open > 0)
		return;
	arena_free(b->arena);
	wipe(b->in, sizeof b->in);
	free(b);
}

static void answer(struct backend *b, struct open_request *r, const struct kernel_result *result)
{
	uint32_t token = r->token;
	bool silent = r->silent || b->closing;

	HASH_DEL(b->requests, r);
	free(r);
	if (!silent)
		b->events.done(b->events.ctx, token, result);
}

static void answer_all(struct backend *b, const char *why)
{
	const struct kernel_result result = { .ok = false, .why = why };

	while (b->requests != NULL)
		answer(b, b->requests, &result);
}

static void lose(struct backend *b, const char *why)
{
	if (b->lost)
		return;
	b->lost = true;
	uv_read_stop((uv_stream_t *)&b->pipe);
	answer_all(b, gone);
	if (!b->closing)
		b->events.lost(b->events.ctx, why);
}

static void on_exit_(uv_process_t *p, int64_t status, int signal)
{
	char why[128];
	struct text t = text_on(why, sizeof why);

	if (signal != 0)
		text_add(&t, "klips was ended by signal %d", signal);
	else
		text_add(&t, "klips ended with exit status %d", (int)status);
	lose(p->data, why);
}

/* ---- to klips ---------------------------------------------------------- */

static void on_written(uv_write_t *w, int status)
{
	struct frame *f = (struct frame *)w;

	(void)status;		/* a broken pipe is seen by the reader and by the process's end */
	wipe(f->octets, f->n);
	free(f);
}

static void transmit(struct backend *b, const struct writer *w)
{
	struct frame *f = xcalloc(1, sizeof *f + w->n);
	uv_buf_t buf = uv_buf_init((char *)f->octets, (unsigned)w->n);

	f->n = w->n;
	memcpy(f->octets, w->p, w->n);
	if (uv_write(&f->write, (uv_stream_t *)&b->pipe, &buf, 1, on_written) != 0)
		on_written(&f->write, 0);
}

/* Open a request: its number on the wire.  0 when klips is gone and the answer was given already. */
static uint32_t request(struct backend *b, uint32_t token, bool silent)
{
	const struct kernel_result result = { .ok = false, .why = gone };
	struct open_request *r;

	if (b->lost) {
		if (!silent)
			b->events.done(b->events.ctx, token, &result);
		return 0;
	}
	r = NEW(struct open_request);
	if (++b->number == 0)
		b->number = 1;
	r->number = b->number;
	r->token = token;
	r->silent = silent;
	HASH_ADD(hh, b->requests, number, sizeof r->number, r);
	return r->number;
}

static void refuse(struct backend *b, uint32_t number, const char *why)
{
	const struct kernel_result result = { .ok = false, .why = why };
	struct open_request *r;

	HASH_FIND(hh, b->requests, &number, sizeof number, r);
	if (r != NULL)
		answer(b, r, &result);
}

#define SEND(b, number, name, ...) do {								\
	uint8_t room_[LIMIT_KLIPS_FRAME];							\
	struct writer w_ = writer_on(room_, sizeof room_);					\
	klips_put_##name(&w_, &(struct klips_##name){ .token = (number), __VA_ARGS__ });	\
	if (w_.overflow)									\
		refuse((b), (number), "the request is longer than klips takes");		\
	else											\
		transmit((b), &w_);								\
	wipe(room_, w_.n);									\
} while (0)

static void klips_ask_attach(void *ctx, uint32_t token, const char *virtual_, const char *real)
{
	struct backend *b = ctx;
	uint32_t n = request(b, token, false);

	if (n != 0)
		SEND(b, n, attach, .virtual_ = span_str(virtual_), .real = span_str(real));
}

static void klips_ask_hole(void *ctx, uint16_t port)
{
	struct backend *b = ctx;
	uint32_t n = request(b, 0, true);

	if (n != 0)
		SEND(b, n, hole, .port = port);
}

static void klips_ask_spi(void *ctx, uint32_t token, const struct ip_addr *src, const struct ip_addr *dst,
			  uint8_t protocol, uint32_t lo, uint32_t hi)
{
	struct backend *b = ctx;
	uint32_t n = request(b, token, false);

	(void)src;
	if (n != 0)
		SEND(b, n, get_spi, .dst = *dst, .protocol = protocol, .lo = lo, .hi = hi);
}

static struct span alg_name(enum alg alg)
{
	return alg == ALG_NONE ? span_of(NULL, 0) : span_str(alg_table[alg].name);
}

static void klips_ask_add_sa(void *ctx, uint32_t token, const struct kernel_sa *sa)
{
	struct backend *b = ctx;
	uint32_t n = request(b, token, false);

	if (n == 0)
		return;
	SEND(b, n, add_sa, .dst = sa->id.dst, .protocol = sa->id.protocol, .spi = sa->id.spi, .src = sa->src,
	     .inbound = sa->inbound, .tunnel = sa->tunnel, .cipher = alg_name(sa->cipher),
	     .mac = alg_name(sa->mac), .cipher_key = sa->cipher_key, .mac_key = sa->mac_key,
	     .replay_window = sa->replay_window, .src_client = sa->src_client,
	     .dst_client = sa->dst_client, .client_protocol = sa->client_protocol,
	     .src_port = sa->src_port, .dst_port = sa->dst_port, .encap_sport = sa->encap_sport,
	     .encap_dport = sa->encap_dport, .reqid = sa->reqid, .device = span_str(sa->interface),
	     .comp = alg_name(sa->comp), .outwards = sa->outwards, .inwards = sa->inwards,
	     .inner_tunnel = sa->inner_tunnel, .soft_octets = sa->soft.octets, .hard_octets = sa->hard.octets,
	     .soft_packets = sa->soft.packets);
}

static void klips_ask_del_sa(void *ctx, uint32_t token, const struct sa_id *id)
{
	struct backend *b = ctx;
	uint32_t n = request(b, token, false);

	if (n != 0)
		SEND(b, n, del_sa, .dst = id->dst, .protocol = id->protocol, .spi = id->spi);
}

static void klips_ask_read_sa(void *ctx, uint32_t token, const struct sa_id *id)
{
	struct backend *b = ctx;
	uint32_t n = request(b, token, false);

	if (n != 0)
		SEND(b, n, read_sa, .dst = id->dst, .protocol = id->protocol, .spi = id->spi);
}

static void klips_ask_move_sa(void *ctx, uint32_t token, const struct sa_id *id, bool inbound,
			      const struct endpoint *peer)
{
	struct backend *b = ctx;
	uint32_t n = request(b, token, false);

	if (n != 0)
		SEND(b, n, move_sa, .dst = id->dst, .protocol = id->protocol, .spi = id->spi,
		     .inbound = inbound, .peer = *peer);
}

static const uint8_t kinds[] = {
	[EROUTE_TRAP] = KLIPS_EROUTE_KIND_TRAP,
	[EROUTE_SA] = KLIPS_EROUTE_KIND_SA,
	[EROUTE_PASS] = KLIPS_EROUTE_KIND_PASS,
};

static void klips_ask_set_eroute(void *ctx, uint32_t token, const struct kernel_eroute *e)
{
	struct backend *b = ctx;
	uint32_t n = request(b, token, false);
	struct klips_sa_name sas[EROUTE_SAS];
	unsigned n_sas = e->n_sas < EROUTE_SAS ? e->n_sas : EROUTE_SAS;

	if (n == 0)
		return;
	for (unsigned i = 0; i < n_sas; i++)
		sas[i] = (struct klips_sa_name){ .dst = e->sas[i].dst, .protocol = e->sas[i].protocol,
						 .spi = e->sas[i].spi };
	SEND(b, n, set_eroute, .src = e->src, .dst = e->dst, .client_protocol = e->client_protocol,
	     .src_port = e->src_port, .dst_port = e->dst_port, .kind = kinds[e->kind], .sas = sas,
	     .n_sas = n_sas, .me = e->me, .peer = e->peer, .tunnel = e->tunnel, .reqid = e->reqid,
	     .device = span_str(e->interface), .hold = e->hold);
}

static void klips_ask_del_eroute(void *ctx, uint32_t token, const struct kernel_eroute *e)
{
	struct backend *b = ctx;
	uint32_t n = request(b, token, false);

	if (n != 0)
		SEND(b, n, del_eroute, .src = e->src, .dst = e->dst, .client_protocol = e->client_protocol,
		     .src_port = e->src_port, .dst_port = e->dst_port);
}

static void klips_ask_updown(void *ctx, uint32_t token, const struct updown_request *u)
{
	struct backend *b = ctx;

	updown_run(b->updowns, token, u);
}

/* "quit" goes out before the pipe is shut: only then does klips remove its devices. */
static void on_shutdown(uv_shutdown_t *s, int status)
{
	struct backend *b = s->data;

	(void)status;
	free(s);
	uv_close((uv_handle_t *)&b->pipe, on_closed);
}

static void klips_ask_close(void *ctx)
{
	struct backend *b = ctx;
	uint8_t room[64];
	struct writer w = writer_on(room, sizeof room);
	uv_shutdown_t *s = NEW(uv_shutdown_t);

	b->closing = true;
	answer_all(b, gone);
	updowns_close(b->updowns);
	if (!b->lost) {
		klips_put_quit(&w, &(struct klips_quit){ 0 });
		transmit(b, &w);
	}
	uv_read_stop((uv_stream_t *)&b->pipe);
	uv_close((uv_handle_t *)&b->process, on_closed);
	s->data = b;
	if (uv_shutdown(s, (uv_stream_t *)&b->pipe, on_shutdown) != 0) {
		free(s);
		uv_close((uv_handle_t *)&b->pipe, on_closed);
	}
}

/* ---- from klips -------------------------------------------------------- */

static void take_done(struct backend *b, const struct klips_done *m)
{
	struct kernel_result result = {
		.ok = m->ok, .spi = m->spi,
		.counts = { .packets = m->packets, .bytes = m->bytes, .replays = m->replays, .bad = m->bad,
			    .last_used = m->last_used },
	};
	struct open_request *r;

	HASH_FIND(hh, b->requests, &m->token, sizeof m->token, r);
	if (r == NULL)
		return;
	if (!m->ok)
		result.why = arena_str(b->arena, m->why);
	answer(b, r, &result);
}

/* klips has read packets of strangers: what it says is made printable again. */
static void take_log(struct backend *b, const struct klips_log *m)
{
	char line[1024];
	struct text t = text_on(line, sizeof line);

	text_add(&t, "klips: ");
	text_escape(&t, m->line);
	b->events.log(b->events.ctx, line);
}

static void take(struct backend *b, const struct klips_message *m)
{
	struct sa_id id;

	if (b->closing)
		return;
	switch (m->id) {
	case KLIPS_DONE:
		take_done(b, &m->u.done);
		break;
	case KLIPS_ACQUIRE:
		b->events.acquire(b->events.ctx, &(struct kernel_acquire){
			.reqid = m->u.acquire.reqid, .src = m->u.acquire.src, .dst = m->u.acquire.dst,
			.protocol = m->u.acquire.protocol, .sport = m->u.acquire.sport, .dport = m->u.acquire.dport });
		break;
	case KLIPS_EXPIRED:
		b->events.expired(b->events.ctx, &(struct kernel_expiry){
			.id = { .dst = m->u.expired.dst, .protocol = m->u.expired.protocol, .spi = m->u.expired.spi },
			.src = m->u.expired.src, .hard = m->u.expired.hard });
		break;
	case KLIPS_MAPPING:
		id = (struct sa_id){ .dst = m->u.mapping.dst, .protocol = m->u.mapping.protocol,
				     .spi = m->u.mapping.spi };
		b->events.mapping(b->events.ctx, &id, &m->u.mapping.from);
		break;
	case KLIPS_LOG:
		take_log(b, &m->u.log);
		break;
	default:
		break;
	}
}

static bool take_frames(struct backend *b)
{
	struct klips_message m;
	struct fault f;
	size_t at = 0, n;

	while (b->in_n - at >= 4) {
		n = (size_t)get_u32(b->in + at) + 4;
		if (n > sizeof b->in)
			return false;
		if (b->in_n - at < n)
			break;
		if (!klips_get(span_of(b->in + at + 4, n - 4), b->arena, &m, &f))
			return false;
		take(b, &m);
		arena_reset(b->arena);
		at += n;
	}
	memmove(b->in, b->in + at, b->in_n - at);
	b->in_n -= at;
	return true;
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
	struct backend *b = h->data;

	(void)hint;
	*buf = uv_buf_init((char *)b->in + b->in_n, (unsigned)(sizeof b->in - b->in_n));
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	struct backend *b = s->data;

	(void)buf;
	if (n > 0)
		b->in_n += (size_t)n;
	if (n < 0) {		/* its end follows, and says why; should it not, it is made to */
		uv_read_stop(s);
		uv_process_kill(&b->process, SIGKILL);
	} else if (!take_frames(b)) {
		uv_process_kill(&b->process, SIGKILL);
		lose(b, "klips sent what is no message of the protocol, and was ended; "
			"are pluto and klips of one version?");
	}
}

/* ---- the beginning ----------------------------------------------------- */

static const struct kernel_ops ops = {
	.name = "klips", .compresses = true, .encapsulates = true,
	.attach = klips_ask_attach, .hole = klips_ask_hole,
	.get_spi = klips_ask_spi, .add_sa = klips_ask_add_sa, .del_sa = klips_ask_del_sa,
	.read_sa = klips_ask_read_sa, .move_sa = klips_ask_move_sa, .set_eroute = klips_ask_set_eroute,
	.del_eroute = klips_ask_del_eroute, .updown = klips_ask_updown, .close = klips_ask_close,
};

static int spawn(struct backend *b, uv_loop_t *loop, const char *path)
{
	char *argv[] = { (char[]){ "klips" }, NULL }, *env[] = { NULL };
	uv_stdio_container_t stdio[4] = {
		{ .flags = UV_IGNORE },
		{ .flags = UV_INHERIT_FD, .data.fd = 1 },
		{ .flags = UV_INHERIT_FD, .data.fd = 2 },
		{ .flags = UV_CREATE_PIPE | UV_READABLE_PIPE | UV_WRITABLE_PIPE,
		  .data.stream = (uv_stream_t *)&b->pipe },
	};
	uv_process_options_t o = { .exit_cb = on_exit_, .file = path, .args = argv, .env = env, .cwd = "/",
				   .stdio = stdio, .stdio_count = 4, .flags = UV_PROCESS_DETACHED };

	return uv_spawn(loop, &b->process, &o);
}

struct kernel kernel_klips_open(uv_loop_t *loop, const char *klips_path, const struct kernel_events *events,
				const char **why)
{
	static char trouble[300];
	struct backend *b = NEW(struct backend);
	int e;

	b->events = *events;
	b->arena = arena_new();
	b->open = 2;
	uv_pipe_init(loop, &b->pipe, 0);
	b->pipe.data = b->process.data = b;
	e = spawn(b, loop, klips_path);
	if (e == 0)
		e = uv_read_start((uv_stream_t *)&b->pipe, on_alloc, on_read);
	if (e != 0) {
		snprintf(trouble, sizeof trouble, "%s could not be started: %s", klips_path, uv_strerror(e));
		*why = trouble;
		uv_close((uv_handle_t *)&b->process, on_closed);
		uv_close((uv_handle_t *)&b->pipe, on_closed);
		return (struct kernel){ .ops = NULL };
	}
	b->updowns = updowns_new(loop, events);
	return (struct kernel){ .ops = &ops, .k = b };
}
