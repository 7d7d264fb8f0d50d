/* volume.c -- counting what IPsec SAs have carried. */
#include "ike/phase2.h"

static void on_timer(void *ctx, uint64_t now);

void volume_init(struct phase2 *p)
{
	LIST_INIT(&p->volume.requests);
	p->volume.timer.fire = on_timer;
	p->volume.timer.ctx = p;
}

static void rearm(struct phase2 *p, uint64_t ms)
{
	timer_arm(engine_timers(p->ike->engine), &p->volume.timer, p->ike->now + ms);
}

uint64_t volume_octets(uint64_t kilobytes)
{
	return kilobytes > UINT64_MAX / KILOBYTE / 100 ? 0 : KILOBYTE * kilobytes;	/* nobody ever gets there */
}

uint64_t volume_replace(const struct phase2 *p, uint64_t limit)
{
	return limit * (p->x->role == ROLE_INITIATOR ? LIMIT_VOLUME_REPLACE : LIMIT_VOLUME_REPLACE_RESPONDER) / 100;
}

void volume_watch(struct phase2 *p, uint64_t kilobytes)
{
	struct volume *v = &p->volume;

	v->limit = volume_octets(kilobytes);
	v->replace = volume_replace(p, v->limit);
	if (v->limit == 0)
		return;
	v->at = p->ike->now;
	rearm(p, TIMER_VOLUME_MS[0]);
}

void volume_stop(struct phase2 *p)
{
	requests_abandon(&p->volume.requests);
	timer_disarm(engine_timers(p->ike->engine), &p->volume.timer);
}

/* When the next count is due: half-way to the next mark at the speed since the last count. */
static uint64_t pause_for(const struct volume *v)
{
	uint64_t mark = v->counted < v->replace ? v->replace : v->limit;
	uint64_t octets = v->counted - v->most, ms = TIMER_VOLUME_MS[1];

	if (octets > 0 && (mark - v->counted) / octets < 2 * ms / v->since)
		ms = (mark - v->counted) / octets * v->since / 2;
	return ms < TIMER_VOLUME_MS[0] ? TIMER_VOLUME_MS[0] : ms;
}

static void decide(struct phase2 *p)
{
	struct volume *v = &p->volume;
	struct ike *ike = p->ike;

	if (v->counted < v->most)		/* not all was told */
		v->counted = v->most;
	if (v->counted >= v->limit) {
		ike_log(ike, p->c, p->x, NO_WHACK, WHACK_STATUS_LOG,
			"IPsec SA expired: it has carried its %llu kilobytes", (unsigned long long)v->limit / KILOBYTE);
		send_delete(ike, p->x);
		engine_end(ike->engine, p->x, END_LOCAL);
		return;
	}
	if (v->counted >= v->replace && !v->replaced) {
		v->replaced = true;
		phase2_replace_in(p, 0);
	}
	rearm(p, pause_for(v));
	v->most = v->counted;
}

static void counted(struct ike *ike, void *ctx, const struct kernel_result *r)
{
	struct phase2 *p = ctx;
	struct volume *v = &p->volume;

	(void)ike;
	if (r->ok && r->counts.bytes > v->counted)
		v->counted = r->counts.bytes;
	if (--v->pending == 0)
		decide(p);
}

static void ask(struct phase2 *p, const struct chosen *k, bool inbound)
{
	const struct kernel *kernel = &p->ike->kernel;
	struct sa_id id = {
		.dst = inbound ? p->x->local.addr : p->x->remote.addr, .protocol = ip_protocol(k->protocol),
		.spi = inbound ? phase2_spi(p, k->protocol) : k->peer_spi,
	};

	p->volume.pending++;
	kernel->ops->read_sa(kernel->k, request_new(p->ike, &p->volume.requests, counted, p)->token, &id);
}

static void on_timer(void *ctx, uint64_t now)
{
	struct phase2 *p = ctx;
	struct volume *v = &p->volume;

	ike_clock(p->ike, now);
	v->since = p->ike->now > v->at ? p->ike->now - v->at : 1;
	v->at = p->ike->now;
	v->counted = 0;
	v->pending = 1;			/* ours, so that early answers do not decide */
	for (unsigned i = 0; p->installed && i < p->chosen.n; i++) {
		ask(p, &p->chosen.p[i], true);
		ask(p, &p->chosen.p[i], false);
	}
	counted(p->ike, p, &(struct kernel_result){ .ok = false });
}
