/* klips_lab.h -- what the tests of the datapath begin with: addresses, random octets, a device. */
#ifndef PLUTO_UNIT_KLIPS_LAB_H
#define PLUTO_UNIT_KLIPS_LAB_H

#include "kernel/datapath.h"

#include <check.h>
#include <stdlib.h>

static inline void fill(void *ctx, void *p, size_t n)
{
	uint8_t *b = p;

	(void)ctx;
	for (size_t i = 0; i < n; i++)
		b[i] = (uint8_t)random();
}

/* For tests without traps. */
static inline void on_no_acquire(void *ctx, const struct eroute *e, const struct flow *f)
{
	(void)ctx;
	(void)e;
	(void)f;
}

static inline struct ip_addr ip(const char *text)
{
	struct ip_addr a;
	const char *why;
	unsigned column;

	ck_assert(addr_parse(span_str(text), &a, &why, &column));
	return a;
}

static inline struct subnet net(const char *text)
{
	struct subnet s;
	const char *why;
	unsigned column;

	ck_assert(subnet_parse(span_str(text), &s, &why, &column));
	return s;
}

/* ipsec0 above an interface with that address. */
static inline void give_device(struct datapath *d, struct ip_addr addr)
{
	d->devices[0] = (struct device){ .name = "ipsec0", .real = "eth0", .addrs = { addr }, .n_addrs = 1, .mtu = 1500 };
	d->now_ms = 100000;
}

/* Two datapaths, ours and the peer's, with n SAs from us to them, the innermost first, and an eroute of ours to these. */
static inline void join(struct datapath *us, struct datapath *them, const struct kernel_sa *sas, unsigned n,
			void (*on_acquire)(void *ctx, const struct eroute *e, const struct flow *f))
{
	struct kernel_eroute e = { .src = sas[0].src_client, .dst = sas[0].dst_client, .kind = EROUTE_SA,
				   .tunnel = sas[0].tunnel };
	bool added;

	srandom(1);
	datapath_init(us, NULL, fill, on_acquire);
	datapath_init(them, NULL, fill, on_acquire);
	give_device(us, sas[n - 1].src);
	give_device(them, sas[n - 1].id.dst);
	for (unsigned i = 0; i < n; i++) {
		struct kernel_sa in = sas[i];

		in.inbound = true;
		ck_assert_int_eq(sadb_add(us->sas, &sas[i], 0, 1), REASON_NONE);
		ck_assert_int_eq(sadb_add(them->sas, &in, 0, 1), REASON_NONE);
		e.sas[e.n_sas++] = sas[i].id;
	}
	ck_assert_int_eq(eroute_set(us->eroutes, &e, 0, &added), REASON_NONE);
}

#endif
