/* retry.c -- attempts that wait for their time. */
#include "ike/retry.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "ike/initiate.h"
#include "ike/instance.h"
#include "ike/internal.h"

struct retry {
	LIST_ENTRY(retry) of_connection;
	struct ike *ike;
	struct connection *c;
	uint32_t whack, try;
	uint64_t newest;	/* IPsec SA of c when the attempt was put off */
	struct timer timer;
};

static void retry_free(struct retry *r)
{
	timer_disarm(engine_timers(r->ike->engine), &r->timer);
	LIST_REMOVE(r, of_connection);
	free(r);
}

static void on_timer(void *ctx, uint64_t now)
{
	struct retry *r = ctx, it = *r;
	bool needed = it.whack != NO_WHACK || it.c->newest_ipsec == it.newest;	/* else the peer has begun one */

	ike_clock(it.ike, now);
	it.c->held++;
	retry_free(r);
	if (needed && !it.ike->stopping)
		connection_initiate(it.ike, it.c, it.whack, it.try);
	it.c->held--;
	instance_release(it.ike, it.c);
}

void retry_later(struct ike *ike, struct connection *c, uint32_t whack, uint32_t try)
{
	const size_t steps = sizeof(TIMER_REFUSED_MS) / sizeof(TIMER_REFUSED_MS[0]);
	struct retry *r = NEW(struct retry);
	uint32_t step = try >= 2 ? try - 2 : 0;
	uint64_t pause = TIMER_REFUSED_MS[step < steps ? step : steps - 1];

	r->ike = ike;
	r->c = c;
	r->whack = whack;
	r->try = try;
	r->newest = c->newest_ipsec;
	r->timer.fire = on_timer;
	r->timer.ctx = r;
	LIST_INSERT_HEAD(&c->retries, r, of_connection);
	timer_arm(engine_timers(ike->engine), &r->timer, ike->now + pause);
	ike_log(ike, c, NULL, whack, WHACK_STATUS_RETRANSMISSION, "keying attempt %u%s begins in %llu s", try,
		keying_limit(ike, c), (unsigned long long)(pause / 1000));
}

void retries_end(struct ike *ike, struct connection *c)
{
	while (!LIST_EMPTY(&c->retries)) {
		struct retry *r = LIST_FIRST(&c->retries);

		initiate_failed(ike, c, r->whack, WHACK_STATUS_TERMINATED);
		retry_free(r);
	}
}
