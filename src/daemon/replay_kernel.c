/* replay_kernel.c -- the kernel of a recorded session: it answers what it answered. */
#include "daemon/replay_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- the kernel: it answered at once, or later ------------------------------------------- */

static void done(struct replay *p, struct line *l)
{
	struct kernel_events e = ike_kernel_events(p->ike);
	uint64_t now = replay_num(l, 1);
	struct kernel_result r = {
		.ok = replay_num(l, 4) != 0, .spi = (uint32_t)replay_num(l, 5), .why = l->rest,
		.counts = { replay_num(l, 6), replay_num(l, 7), replay_num(l, 8), replay_num(l, 9), replay_num(l, 10) },
		.exit_status = (uint8_t)replay_num(l, 11),
	};
	uint32_t token = (uint32_t)replay_num(l, 3);

	record_kernel_done(p->record, now, token, &r);
	ike_clock(p->ike, now);
	e.done(e.ctx, token, &r);
}

static void answered(struct replay *p)
{
	struct line l;

	if (!replay_begins(p, "> "))
		return;
	l = replay_split(p, 12);
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

static void re_move_sa(void *k, uint32_t token, const struct sa_id *id, bool inbound, const struct endpoint *peer)
{
	(void)token, (void)id, (void)inbound, (void)peer;
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

static void re_leave(void *k)
{
	(void)k;
}

static void re_close(void *k)
{
	(void)k;
}

struct kernel replay_kernel(struct replay *p)
{
	static struct kernel_ops ops = {
		.attach = re_attach, .hole = re_hole, .get_spi = re_get_spi, .add_sa = re_add_sa,
		.del_sa = re_sa, .read_sa = re_sa, .move_sa = re_move_sa, .encapsulates = true, .set_eroute = re_eroute, .del_eroute = re_eroute,
		.updown = re_updown, .close = re_close, .compresses = true,
	};

	ops.name = p->backend;
	ops.bundles_alike = strcmp(p->backend, "xfrm") == 0;
	ops.leave = strcmp(p->backend, "xfrm") == 0 ? re_leave : NULL;	/* the others cannot */
	return (struct kernel){ .ops = &ops, .k = p };
}

/* ---- events ------------------------------------------------------------------------ */

void replay_kernel_event(struct replay *p, const char *what, struct line *l, uint64_t now)
{
	struct kernel_events e = ike_kernel_events(p->ike);

	if (strcmp(what, "done") == 0) {
		done(p, l);
	} else if (strcmp(what, "acquire") == 0) {
		struct kernel_acquire a = {
			.reqid = (uint32_t)replay_num(l, 3), .src = replay_addr(l, 4), .dst = replay_addr(l, 5),
			.protocol = (uint8_t)replay_num(l, 6), .sport = (uint16_t)replay_num(l, 7),
			.dport = (uint16_t)replay_num(l, 8),
		};

		record_acquire(p->record, now, &a);
		ike_clock(p->ike, now);
		e.acquire(e.ctx, &a);
	} else if (strcmp(what, "expired") == 0) {
		struct kernel_expiry x = {
			.id = { .dst = replay_addr(l, 3), .protocol = (uint8_t)replay_num(l, 4),
				.spi = (uint32_t)replay_num(l, 5) },
			.src = replay_addr(l, 6), .hard = replay_num(l, 7) != 0,
		};

		record_expired(p->record, now, &x);
		ike_clock(p->ike, now);
		e.expired(e.ctx, &x);
	} else if (strcmp(what, "mapping") == 0) {
		struct sa_id id = { .dst = replay_addr(l, 3), .protocol = (uint8_t)replay_num(l, 4),
				    .spi = (uint32_t)strtoul(l->words[5], NULL, 16) };
		struct endpoint from = { .addr = replay_addr(l, 6), .port = (uint16_t)replay_num(l, 7) };

		record_mapping(p->record, now, &id, &from);
		ike_clock(p->ike, now);
		e.mapping(e.ctx, &id, &from);
	} else if (strcmp(what, "kernel-log") == 0) {
		record_kernel_log(p->record, now, l->rest);
		ike_clock(p->ike, now);
		e.log(e.ctx, l->rest == NULL ? "" : l->rest);
	} else if (strcmp(what, "kernel-lost") == 0) {
		record_kernel_lost(p->record, now, l->rest);
		ike_clock(p->ike, now);
		e.lost(e.ctx, l->rest == NULL ? "" : l->rest);
	} else {
		replay_differs(p, "an input that this pluto does not know");
	}
}
