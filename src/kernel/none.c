/* none.c -- the backend that protects nothing. */
#include "kernel/none.h"

#include "base/text.h"
#include "base/xalloc.h"
#include "crypto/hash.h"
#include "kernel/eroute.h"

#include <stdlib.h>
#include <uthash.h>

struct none_key {
	struct ip_addr dst;
	uint8_t protocol;
	uint8_t spi[4];
};

struct none_sa {
	struct none_key key;
	bool larval;
	UT_hash_handle hh;
};

struct none {
	struct kernel_events events;
	struct none_sa *sas;
	struct eroutes *eroutes;
	struct none_record records[NONE_KEPT];	/* a ring */
	size_t n;		/* records made in all */
};

static struct none_record *record(struct none *k, enum none_op op)
{
	struct none_record *r = &k->records[k->n++ % NONE_KEPT];

	*r = (struct none_record){ .op = op, .ok = true };
	return r;
}

const struct none_record *kernel_none_record(struct kernel kernel, size_t i)
{
	const struct none *k = kernel.k;
	size_t first = k->n > NONE_KEPT ? k->n - NONE_KEPT : 0;

	return first + i < k->n ? &k->records[(first + i) % NONE_KEPT] : NULL;
}

static void answer(struct none *k, uint32_t token, struct none_record *r, const char *why)
{
	struct kernel_result result = { .ok = why == NULL, .why = why, .spi = r->sa.spi };

	r->ok = result.ok;
	k->events.done(k->events.ctx, token, &result);
}

/* Octets that the address does not use are zero, so that keys can be compared as octets. */
static struct none_key key_of(const struct sa_id *id)
{
	struct none_key key;

	memset(&key, 0, sizeof key);
	key.dst.len = id->dst.len;
	memcpy(key.dst.b, id->dst.b, addr_bytes(&id->dst).n);
	key.protocol = id->protocol;
	for (unsigned i = 0; i < 4; i++)
		key.spi[i] = (uint8_t)(id->spi >> (24 - 8 * i));
	return key;
}

static struct none_sa *find(struct none *k, const struct sa_id *id)
{
	struct none_key key = key_of(id);
	struct none_sa *sa;

	HASH_FIND(hh, k->sas, &key, sizeof key, sa);
	return sa;
}

static void enter(struct none *k, const struct sa_id *id, bool larval)
{
	struct none_sa *sa = NEW(struct none_sa);

	sa->key = key_of(id);
	sa->larval = larval;
	HASH_ADD(hh, k->sas, key, sizeof sa->key, sa);
}

static void leave(struct none *k, struct none_sa *sa)
{
	HASH_DEL(k->sas, sa);
	free(sa);
}

static void none_attach(void *ctx, uint32_t token, const char *virtual_, const char *real)
{
	struct none *k = ctx;

	(void)virtual_;
	(void)real;
	answer(k, token, record(k, NONE_ATTACH), NULL);
}

static void none_hole(void *ctx, uint16_t port)
{
	(void)ctx;
	(void)port;
}

#define TRIES 1000		/* the range of SPIs is far larger than the SAs of any gateway */

static void none_get_spi(void *ctx, uint32_t token, const struct ip_addr *src, const struct ip_addr *dst,
			 uint8_t protocol, uint32_t lo, uint32_t hi)
{
	struct none *k = ctx;
	struct none_record *r = record(k, NONE_GET_SPI);
	uint64_t range = (uint64_t)hi - lo + 1, draw;

	(void)src;
	r->sa = (struct sa_id){ .dst = *dst, .protocol = protocol };
	for (unsigned i = 0; lo != 0 && lo <= hi && i < TRIES; i++) {
		crypto_random(&draw, sizeof draw);
		r->sa.spi = (uint32_t)(lo + draw % range);
		if (find(k, &r->sa) == NULL) {
			enter(k, &r->sa, true);
			answer(k, token, r, NULL);
			return;
		}
	}
	r->sa.spi = 0;
	answer(k, token, r, reasons[REASON_KLIPS_SPI_USED_UP].template);
}

static void none_add_sa(void *ctx, uint32_t token, const struct kernel_sa *sa)
{
	struct none *k = ctx;
	struct none_record *r = record(k, NONE_ADD_SA);
	struct none_sa *old = find(k, &sa->id);

	r->sa = sa->id;
	if (old != NULL && !old->larval) {
		answer(k, token, r, reasons[REASON_KLIPS_SA_EXISTS].template);
		return;
	}
	if (old != NULL)
		leave(k, old);
	enter(k, &sa->id, false);
	answer(k, token, r, NULL);
}

static void none_del_sa(void *ctx, uint32_t token, const struct sa_id *id)
{
	struct none *k = ctx;
	struct none_record *r = record(k, NONE_DEL_SA);
	struct none_sa *sa = find(k, id);

	r->sa = *id;
	if (sa != NULL)
		leave(k, sa);
	answer(k, token, r, sa != NULL ? NULL : reasons[REASON_KLIPS_SA_UNKNOWN].template);
}

static void none_read_sa(void *ctx, uint32_t token, const struct sa_id *id)
{
	struct none *k = ctx;
	struct none_record *r = record(k, NONE_READ_SA);

	r->sa = *id;
	answer(k, token, r, find(k, id) != NULL ? NULL : reasons[REASON_KLIPS_SA_UNKNOWN].template);
}

static void none_move_sa(void *ctx, uint32_t token, const struct sa_id *id, bool inbound,
			 const struct endpoint *peer)
{
	struct none *k = ctx;
	struct none_record *r = record(k, NONE_MOVE_SA);
	struct none_sa *sa = find(k, id);

	r->sa = *id;
	if (sa == NULL) {
		answer(k, token, r, reasons[REASON_KLIPS_SA_UNKNOWN].template);
		return;
	}
	if (!inbound) {
		r->sa.dst = peer->addr;
		leave(k, sa);
		enter(k, &r->sa, false);
	}
	answer(k, token, r, NULL);
}

static struct none_record *record_eroute(struct none *k, enum none_op op, const struct kernel_eroute *e)
{
	struct none_record *r = record(k, op);

	r->eroute = *e;
	r->eroute.interface = NULL;
	return r;
}

static void none_set_eroute(void *ctx, uint32_t token, const struct kernel_eroute *e)
{
	struct none *k = ctx;
	struct none_record *r = record_eroute(k, NONE_SET_EROUTE, e);
	bool added;
	enum reason bad = eroute_set(k->eroutes, e, 0, &added);

	answer(k, token, r, bad == REASON_NONE ? NULL : reasons[bad].template);
}

static void none_del_eroute(void *ctx, uint32_t token, const struct kernel_eroute *e)
{
	struct none *k = ctx;
	struct none_record *r = record_eroute(k, NONE_DEL_EROUTE, e);

	answer(k, token, r, eroute_del(k->eroutes, e) ? NULL :
			    reasons[REASON_KLIPS_EROUTE_UNKNOWN].template);
}

static void none_updown(void *ctx, uint32_t token, const struct updown_request *u)
{
	static const char name[] = "PLUTO_VERB=";
	struct none *k = ctx;
	struct none_record *r = record(k, NONE_UPDOWN);
	struct text verb = text_on(r->verb, sizeof r->verb);

	for (const char *const *e = u->env; *e != NULL; e++)
		if (strncmp(*e, name, sizeof name - 1) == 0)
			text_add(&verb, "%s", *e + sizeof name - 1);
	answer(k, token, r, NULL);
}

static void none_close(void *ctx)
{
	struct none *k = ctx;
	struct none_sa *sa, *next;

	HASH_ITER(hh, k->sas, sa, next)
		leave(k, sa);
	eroutes_free(k->eroutes);
	free(k);
}

static const struct kernel_ops ops = {
	.name = "none", .compresses = true, .encapsulates = true,
	.attach = none_attach, .hole = none_hole,
	.get_spi = none_get_spi, .add_sa = none_add_sa, .del_sa = none_del_sa, .read_sa = none_read_sa,
	.move_sa = none_move_sa,
	.set_eroute = none_set_eroute, .del_eroute = none_del_eroute,
	.updown = none_updown, .close = none_close,
};

struct kernel kernel_none_open(const struct kernel_events *events)
{
	struct none *k = NEW(struct none);
	uint8_t hash_key[16];

	k->events = *events;
	crypto_random(hash_key, sizeof hash_key);
	k->eroutes = eroutes_new(hash_key);
	return (struct kernel){ .ops = &ops, .k = k };
}
