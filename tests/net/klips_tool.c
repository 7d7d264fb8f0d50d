/* klips_tool.c -- manual keying for tests: lines on standard input become requests to the klips
 * backend, the answers and events lines on standard output.
 *
 *	klips_tool PATH-OF-KLIPS
 *	attach ipsec0 eth0
 *	hole 500
 *	spi PROTO DST
 *	sa in|out tunnel|transport PROTO SRC DST SPI CIPHER KEY MAC KEY SRCNET DSTNET [UDPPORT]
 *	eroute SRCNET DSTNET trap|pass|sa [PROTO DST SPI]...
 *	del_eroute SRCNET DSTNET
 *	read|del PROTO DST SPI
 *	updown SECONDS PROGRAM [ARGUMENT]... [NAME=VALUE]...
 *	interfaces
 *	quit
 *
 * PROTO is esp or ah; a KEY is hexadecimal; "-" stands for none.  Answers: "N ok ..." or "N failed: why", N the
 * number of the line. */
#include "base/text.h"
#include "kernel/interfaces.h"
#include "kernel/klips.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#define WORDS 32

static struct kernel kernel;
static uv_pipe_t input;
static char line[4096];
static size_t line_n;
static uint32_t number;

static void usage(const char *what)
{
	printf("%" PRIu32 " failed: %s\n", number, what);
	fflush(stdout);
}

static bool parse_addr(const char *s, struct ip_addr *a)
{
	const char *why;
	unsigned column;

	return addr_parse(span_str(s), a, &why, &column);
}

static bool parse_net(const char *s, struct subnet *n)
{
	const char *why;
	unsigned column;

	return subnet_parse(span_str(s), n, &why, &column);
}

static bool parse_protocol(const char *s, uint8_t *p)
{
	*p = strcmp(s, "ah") == 0 ? IPPROTO_AH : IPPROTO_ESP;
	return strcmp(s, "ah") == 0 || strcmp(s, "esp") == 0;
}

static bool parse_id(char **w, struct sa_id *id)
{
	id->spi = (uint32_t)strtoul(w[2], NULL, 0);
	return parse_protocol(w[0], &id->protocol) && parse_addr(w[1], &id->dst);
}

static enum alg parse_alg(const char *s)
{
	for (unsigned i = ALG_NONE + 1; i < ALG_COUNT; i++)
		if (strcmp(alg_table[i].name, s) == 0)
			return (enum alg)i;
	return ALG_NONE;
}

static struct span parse_key(const char *s, uint8_t key[128])
{
	size_t n = 0;
	unsigned octet;

	if (strcmp(s, "-") == 0)
		return span_of(NULL, 0);
	while (n < 128 && sscanf(s + 2 * n, "%2x", &octet) == 1)
		key[n++] = (uint8_t)octet;
	return span_of(key, n);
}

static void do_sa(char **w, size_t n)
{
	struct kernel_sa sa = { .interface = "", .replay_window = 64 };
	uint8_t keys[2][128];
	char *id[3];

	if (n < 13 || n > 14) {
		usage("sa takes 12 or 13 words");
		return;
	}
	id[0] = w[3];
	id[1] = w[5];
	id[2] = w[6];
	sa.inbound = strcmp(w[1], "in") == 0;
	sa.tunnel = strcmp(w[2], "tunnel") == 0;
	sa.cipher = parse_alg(w[7]);
	sa.cipher_key = parse_key(w[8], keys[0]);
	sa.mac = parse_alg(w[9]);
	sa.mac_key = parse_key(w[10], keys[1]);
	if (n == 14)
		sa.encap_sport = sa.encap_dport = (uint16_t)atoi(w[13]);
	if (!parse_id(id, &sa.id) || !parse_addr(w[4], &sa.src) || !parse_net(w[11], &sa.src_client) ||
	    !parse_net(w[12], &sa.dst_client))
		usage("sa: not understood");
	else
		kernel.ops->add_sa(kernel.k, number, &sa);
}

static void do_eroute(char **w, size_t n)
{
	struct kernel_eroute e = { .interface = "" };

	if (n < 3 || !parse_net(w[1], &e.src) || !parse_net(w[2], &e.dst)) {
		usage("eroute: not understood");
		return;
	}
	if (strcmp(w[0], "del_eroute") == 0) {
		kernel.ops->del_eroute(kernel.k, number, &e);
		return;
	}
	if (n < 4) {
		usage("eroute: trap, pass or sa?");
		return;
	}
	e.kind = strcmp(w[3], "sa") == 0 ? EROUTE_SA : strcmp(w[3], "pass") == 0 ? EROUTE_PASS : EROUTE_TRAP;
	for (size_t i = 4; i + 3 <= n && e.n_sas < EROUTE_SAS; i += 3)
		if (!parse_id(w + i, &e.sas[e.n_sas++]))
			usage("eroute: SA not understood");
	kernel.ops->set_eroute(kernel.k, number, &e);
}

static void do_id(char **w, size_t n)
{
	struct sa_id id;

	if (n < 4 || !parse_id(w + 1, &id)) {
		usage("which SA?");
		return;
	}
	if (strcmp(w[0], "read") == 0)
		kernel.ops->read_sa(kernel.k, number, &id);
	else
		kernel.ops->del_sa(kernel.k, number, &id);
}

static void do_spi(char **w, size_t n)
{
	struct ip_addr dst;
	uint8_t protocol;

	if (n < 3 || !parse_protocol(w[1], &protocol) || !parse_addr(w[2], &dst))
		usage("spi: not understood");
	else
		kernel.ops->get_spi(kernel.k, number, &dst, &dst, protocol, 0x1000, UINT32_MAX);
}

static void do_updown(char **w, size_t n)
{
	const char *argv[WORDS + 1] = { NULL }, *env[WORDS + 1] = { NULL };
	size_t a = 0, e = 0;

	for (size_t i = 2; i < n; i++)
		if (strchr(w[i], '=') != NULL)
			env[e++] = w[i];
		else
			argv[a++] = w[i];
	if (a == 0)
		usage("updown: which program?");
	else
		kernel.ops->updown(kernel.k, number, &(struct updown_request){
				   .argv = argv, .env = env, .timeout = (unsigned)atoi(w[1]) });
}

/* "interface REAL VIRTUAL ADDRESS" for each, then the answer. */
static void do_interfaces(void)
{
	struct kernel_interface *list;
	const char *why;
	size_t n = interfaces_list(&list, &why);
	char addr[ADDR_TEXT];

	for (size_t i = 0; i < n; i++)
		printf("interface %s %s %s\n", list[i].real, list[i].virtual_[0] == '\0' ? "-" : list[i].virtual_,
		       addr_format(&list[i].addr, addr));
	printf("%" PRIu32 " ok\n", number);
	fflush(stdout);
	free(list);
}

static void quit(void)
{
	kernel.ops->close(kernel.k);
	uv_close((uv_handle_t *)&input, NULL);
}

static void command(char *s)
{
	char *w[WORDS], *save = NULL;
	size_t n = 0;

	for (char *p = strtok_r(s, " \t", &save); p != NULL && n < WORDS; p = strtok_r(NULL, " \t", &save))
		w[n++] = p;
	number++;
	if (n == 0)
		return;
	if (strcmp(w[0], "attach") == 0 && n == 3)
		kernel.ops->attach(kernel.k, number, w[1], w[2]);
	else if (strcmp(w[0], "hole") == 0 && n == 2)
		kernel.ops->hole(kernel.k, (uint16_t)atoi(w[1]));
	else if (strcmp(w[0], "sa") == 0)
		do_sa(w, n);
	else if (strcmp(w[0], "eroute") == 0 || strcmp(w[0], "del_eroute") == 0)
		do_eroute(w, n);
	else if (strcmp(w[0], "read") == 0 || strcmp(w[0], "del") == 0)
		do_id(w, n);
	else if (strcmp(w[0], "spi") == 0)
		do_spi(w, n);
	else if (strcmp(w[0], "updown") == 0)
		do_updown(w, n);
	else if (strcmp(w[0], "interfaces") == 0)
		do_interfaces();
	else if (strcmp(w[0], "quit") == 0)
		quit();
	else
		usage("no such command");
}

static void on_done(void *ctx, uint32_t token, const struct kernel_result *r)
{
	(void)ctx;
	if (r->ok)
		printf("%" PRIu32 " ok spi=%" PRIu32 " packets=%" PRIu64 " bytes=%" PRIu64 " replays=%" PRIu64
		       " bad=%" PRIu64 "\n", token, r->spi, r->counts.packets, r->counts.bytes,
		       r->counts.replays, r->counts.bad);
	else
		printf("%" PRIu32 " failed: %s\n", token, r->why);
	fflush(stdout);
}

static void on_acquire(void *ctx, const struct kernel_acquire *q)
{
	char a[ADDR_TEXT], b[ADDR_TEXT];

	(void)ctx;
	printf("acquire %s %s %u %u %u\n", addr_format(&q->src, a), addr_format(&q->dst, b), q->protocol, q->sport,
	       q->dport);
	fflush(stdout);
}

static void on_mapping(void *ctx, const struct sa_id *id, const struct endpoint *from)
{
	char to[ADDR_TEXT], f[ENDPOINT_TEXT];

	(void)ctx;
	printf("mapping %08" PRIx32 " %s %s\n", id->spi, addr_format(&id->dst, to), endpoint_format(from, f));
	fflush(stdout);
}

static void on_log(void *ctx, const char *text)
{
	(void)ctx;
	printf("log %s\n", text);
	fflush(stdout);
}

static void on_lost(void *ctx, const char *why)
{
	(void)ctx;
	printf("lost %s\n", why);
	fflush(stdout);
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
	(void)h;
	(void)hint;
	*buf = uv_buf_init(line + line_n, (unsigned)(sizeof line - line_n));
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	char *end;

	(void)buf;
	if (n < 0) {
		if (!uv_is_closing((uv_handle_t *)s))
			quit();
		return;
	}
	line_n += (size_t)n;
	while (!uv_is_closing((uv_handle_t *)s) && (end = memchr(line, '\n', line_n)) != NULL) {
		size_t used = (size_t)(end - line) + 1;

		*end = '\0';
		command(line);
		memmove(line, line + used, line_n - used);
		line_n -= used;
	}
}

int main(int argc, char **argv)
{
	struct kernel_events events = { .done = on_done, .acquire = on_acquire, .mapping = on_mapping, .log = on_log,
					.lost = on_lost };
	uv_loop_t *loop = uv_default_loop();
	const char *why;

	if (argc != 2) {
		fprintf(stderr, "usage: klips_tool PATH-OF-KLIPS\n");
		return 2;
	}
	kernel = kernel_klips_open(loop, argv[1], &events, &why);
	if (kernel.ops == NULL) {
		fprintf(stderr, "klips_tool: %s\n", why);
		return 1;
	}
	uv_pipe_init(loop, &input, 0);
	uv_pipe_open(&input, 0);
	uv_read_start((uv_stream_t *)&input, on_alloc, on_read);
	uv_run(loop, UV_RUN_DEFAULT);
	uv_loop_close(loop);
	return 0;
}
