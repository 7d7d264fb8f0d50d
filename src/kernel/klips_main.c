/* klips_main.c -- the klips program: started by pluto with a stream socket as descriptor 3, it carries
 * the protected packets of the host in place of a kernel that cannot. */
#include "kernel/klips_process.h"

#include "base/xalloc.h"
#include "crypto/hash.h"

#include <linux/if_tun.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define FIXED (1 + SOCKETS)	/* control and the raw sockets: before the devices in the list to poll */
#define IDLE_MS 30000

static void fill_random(void *ctx, void *p, size_t n)
{
	uint8_t *at = p;

	(void)ctx;
	while (n > 0) {
		ssize_t got = getrandom(at, n, 0);

		if (got < 0)
			abort();	/* no packet without an IV that nobody can guess */
		at += got;
		n -= (size_t)got;
	}
}

static void on_expired(void *ctx, const struct sa *sa, bool hard)
{
	wire_expired(ctx, sa, hard);
}

static void on_acquire(void *ctx, const struct eroute *e, const struct flow *f)
{
	wire_acquire(ctx, e, f);
}

static void on_mapping(void *ctx, const struct sa_id *id, const struct endpoint *from)
{
	wire_mapping(ctx, id, from);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static bool open_all(struct klips *k, const char **why)
{
	struct opened o;

	k->opener = opener_start();
	if (k->opener < 0 || !opener_sockets(k->opener, &o) || o.bad != REASON_NONE) {
		*why = "klips cannot open raw sockets; start it as root, or with CAP_NET_RAW and CAP_NET_ADMIN";
		return false;
	}
	opened_take(&o, k->sockets, SOCKETS);
	if (!io_filter(k, 0)) {
		*why = "klips cannot filter what its raw socket receives; the kernel has no socket filters";
		return false;
	}
	return true;
}

static void attend(struct klips *k, const struct pollfd *p)
{
	for (unsigned i = 0; i < SOCKETS; i++) {
		if (p[1 + i].revents & POLLERR)
			io_errors(k, (enum klips_socket)i);
		if (p[1 + i].revents & POLLIN)
			io_raw(k, (enum klips_socket)i);
	}
	for (unsigned i = 0; i < LIMIT_KLIPS_DEVICES; i++)
		if (p[FIXED + i].revents & (POLLIN | POLLERR))
			io_tun(k, i);
	if (p[0].revents & POLLOUT)
		wire_writable(k);
	if (p[0].revents & (POLLIN | POLLHUP | POLLERR))
		wire_readable(k);
}

static void run(struct klips *k)
{
	struct pollfd p[FIXED + LIMIT_KLIPS_DEVICES];

	while (!k->quit && !k->gone) {
		int wanted = (wire_full(k) ? 0 : POLLIN) | (k->out_n > 0 ? POLLOUT : 0);

		p[0] = (struct pollfd){ .fd = k->control, .events = (short)wanted };
		for (unsigned i = 0; i < SOCKETS; i++) {
			bool receives = i != SOCKET_PLAIN && i != SOCKET_PLAIN6;

			p[1 + i] = (struct pollfd){ .fd = receives ? k->sockets[i] : -1, .events = POLLIN };
		}
		for (unsigned i = 0; i < LIMIT_KLIPS_DEVICES; i++)
			p[FIXED + i] = (struct pollfd){ .fd = k->ports[i].tun, .events = POLLIN };
		if (poll(p, FIXED + LIMIT_KLIPS_DEVICES, IDLE_MS) < 0)
			continue;
		k->d.now_ms = now_ms();
		attend(k, p);
		if (k->d.now_ms / 1000 - k->larval_checked >= IDLE_MS / 1000) {
			k->larval_checked = k->d.now_ms / 1000;
			sadb_expire_larval(k->d.sas, k->larval_checked, LIMIT_KLIPS_LARVAL_AGE);
		}
	}
}

/* In order: the devices go.  Otherwise they stay, and nothing routed there leaves in clear. */
static void close_all(struct klips *k)
{
	for (unsigned i = 0; i < LIMIT_KLIPS_DEVICES; i++)
		if (k->quit && k->ports[i].tun >= 0)
			ioctl(k->ports[i].tun, TUNSETPERSIST, 0);
	datapath_free(&k->d);
	arena_free(k->arena);
	free(k->out);
	wipe(k, sizeof *k);
	free(k);
}

int main(int argc, char **argv)
{
	struct klips *k;
	const char *why;
	bool ok;

	(void)argv;
	if (argc > 1) {
		fprintf(stderr, "klips is started by pluto and takes no arguments\n");
		return 1;
	}
	close_range(KLIPS_CONTROL_FD + 1, ~0u, 0);	/* whatever pluto had open is not for us */
	signal(SIGPIPE, SIG_IGN);
	if (!crypto_start(&why)) {
		fprintf(stderr, "klips: %s\n", why);
		return 1;
	}
	k = NEW(struct klips);
	k->control = KLIPS_CONTROL_FD;
	k->arena = arena_new();
	for (unsigned i = 0; i < LIMIT_KLIPS_DEVICES; i++)
		k->ports[i] = (struct port){ .tun = -1, .out = -1, .out6 = -1 };
	datapath_init(&k->d, k, fill_random, on_acquire);
	k->d.mapping = on_mapping;
	k->d.expired = on_expired;
	k->d.now_ms = now_ms();
	ok = open_all(k, &why);
	if (!ok) {
		wire_log(k, why);
		close_all(k);
		return 1;
	}
	sandbox_datapath(&why);
	if (why != NULL)
		wire_log(k, why);
	run(k);
	ok = !k->nonsense;
	close_all(k);
	return ok ? 0 : 1;
}
