/* odd.c -- peers whose messages are unlike ours, but allowed: more vendor IDs, octets in reserved places. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "generated/limits.h"
#include "trial.h"

#define HEADER 28

enum oddity { MANY_VENDORS, RESERVED_OCTETS };

struct odd {
	enum oddity what;
	unsigned done;		/* messages that were rewritten */
};

static void grow(struct buf *b, size_t more)
{
	struct buf n = buf_new(b->n + more);

	memcpy(n.p, b->p, b->n);
	buf_free(b);
	*b = n;
}

/* Vendor IDs that nobody knows, after the last payload. */
static void add_vendors(struct buf *b, unsigned n)
{
	size_t at = HEADER, end = b->n;
	uint8_t *np = &b->p[16];
	uint32_t length;

	while (*np != 0 && at + 4 <= end) {
		np = &b->p[at];
		at += get_u16(b->p + at + 2);
	}
	*np = PAYLOAD_TYPE_VID;
	grow(b, 20u * n);
	for (unsigned i = 0; i < n; i++) {
		uint8_t *v = b->p + end + 20u * i;

		memset(v, (int)(0x40 + i), 20);
		v[0] = i + 1 < n ? PAYLOAD_TYPE_VID : 0;
		v[1] = v[2] = 0;
		v[3] = 20;
	}
	length = (uint32_t)b->n;
	for (unsigned i = 0; i < 4; i++)
		b->p[24 + i] = (uint8_t)(length >> (24 - 8 * i));
}

static bool rewrite(void *ctx, struct node *to, const struct endpoint *from, struct buf *datagram)
{
	struct odd *odd = ctx;
	bool clear = (datagram->p[19] & 1) == 0;

	(void)to;
	(void)from;
	if (!clear)
		return true;
	if (odd->what == RESERVED_OCTETS)
		datagram->p[HEADER + 1] = 0x5a;		/* of the first payload */
	else
		add_vendors(datagram, LIMIT_PAYLOADS_PER_MESSAGE - 20);
	odd->done++;
	return true;
}

static void negotiate(struct trial *t, enum oddity what)
{
	struct odd odd = { .what = what };

	world_middle(t->w, &(struct man_in_the_middle){ .ctx = &odd, .pass = rewrite });
	trial_draw(t);
	trial_describe(t);
	node_initiate(t->a, "net");
	world_run(t->w, 60000);
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS, "ended with %u: %s", t->a->last_status, t->a->answer);
	trial_expect(t, odd.done >= 4, "%u messages were odd", odd.done);
	trial_check_up(t);
}

void run_odd_vendors(struct trial *t)
{
	negotiate(t, MANY_VENDORS);
}

void run_odd_reserved(struct trial *t)
{
	negotiate(t, RESERVED_OCTETS);
}
