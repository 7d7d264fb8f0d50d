/* check_xfrm_move.c -- what the kernel's IPsec is told when the peer of an SA has another endpoint. */
#include "suite.h"
#include "xfrm_seen.h"

#include <errno.h>

static const struct endpoint other_port = { .addr = { .len = 4, .b = { 192, 0, 2, 2 } }, .port = 4600 };
static const struct endpoint elsewhere = { .addr = { .len = 4, .b = { 192, 0, 2, 77 } }, .port = 4700 };

static void ports_are(const struct xfrm_message *m, unsigned sport, unsigned dport)
{
	const struct xfrm_encap_tmpl *e = attribute(m, XFRMA_ENCAP);

	ck_assert_ptr_nonnull(e);
	ck_assert_uint_eq(ntohs(e->encap_sport), sport);
	ck_assert_uint_eq(ntohs(e->encap_dport), dport);
}

/* The port is changed in place. */
START_TEST(another_port)
{
	bool inbound = _i != 0;
	struct xfrm_message was = seen(inbound, true, span_of(keys, 16)), m;
	struct sa_id id;

	ck_assert_int_eq(xfrm_put_moved(&m, &was.u.h, inbound, &other_port), 0);
	ck_assert_uint_eq(m.u.h.nlmsg_type, XFRM_MSG_UPDSA);
	id = xfrm_id_of(xfrm_sa_of(&m.u.h));
	ck_assert(addr_eq(&id.dst, inbound ? &east : &west));
	ports_are(&m, inbound ? 4600 : 4500, inbound ? 4500 : 4600);
}
END_TEST

/* With another address it is another SA, but for that the same: keys, sequence numbers, window, counts, age, limits. */
START_TEST(another_address)
{
	bool inbound = _i != 0;
	struct xfrm_message was = seen(inbound, true, span_of(keys, 16)), m;
	const struct xfrm_usersa_info *i;
	const struct xfrm_replay_state_esn *r;
	const struct xfrm_lifetime_cur *c;
	struct ip_addr src, dst;

	ck_assert_int_eq(xfrm_put_moved(&m, &was.u.h, inbound, &elsewhere), 0);
	ck_assert_uint_eq(m.u.h.nlmsg_type, XFRM_MSG_NEWSA);
	ck_assert_uint_eq(m.u.h.nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
	i = xfrm_sa_of(&m.u.h);
	src = xfrm_addr(&i->saddr, i->family);
	dst = xfrm_addr(&i->id.daddr, i->family);
	ck_assert(addr_eq(&src, inbound ? &elsewhere.addr : &east));
	ck_assert(addr_eq(&dst, inbound ? &east : &elsewhere.addr));
	ck_assert_uint_eq(ntohl(i->id.spi), 0x12345678);
	ck_assert_uint_eq(i->mode, XFRM_MODE_TUNNEL);
	ck_assert_uint_eq(i->reqid, 0x50000009);
	ck_assert_uint_eq(i->lft.hard_add_expires_seconds, 3600);
	ck_assert_uint_eq(i->lft.hard_packet_limit, 1000000);
	ports_are(&m, inbound ? 4700 : 4500, inbound ? 4500 : 4700);
	ck_assert_mem_eq(((const struct xfrm_algo *)attribute(&m, XFRMA_ALG_CRYPT))->alg_key, keys, 16);
	ck_assert_mem_eq(((const struct xfrm_algo_auth *)attribute(&m, XFRMA_ALG_AUTH_TRUNC))->alg_key, keys, 32);
	r = attribute(&m, XFRMA_REPLAY_ESN_VAL);
	ck_assert(r->oseq == 11 && r->seq == 12 && r->replay_window == 64 && r->bmp[1] == 0xf0);
	c = attribute(&m, XFRMA_LTIME_VAL);
	ck_assert(c->bytes == 840 && c->packets == 10 && c->add_time == 900 && c->use_time == 930);
}
END_TEST

START_TEST(what_cannot_be)
{
	static const struct endpoint six = { .addr = { .len = 16, .b = { 0x20, 1, 0xd, 0xb8 } }, .port = 4500 };
	static const uint8_t zeros[16];
	struct xfrm_message was = seen(true, true, span_of(keys, 16)), m;

	ck_assert_int_eq(xfrm_put_moved(&m, &was.u.h, true, &six), EAFNOSUPPORT);
	was.u.h.nlmsg_len = sizeof(was.u.h) + 8;
	ck_assert_int_eq(xfrm_put_moved(&m, &was.u.h, true, &elsewhere), EINVAL);
	/* There is no port to be changed; the address of an SA within one in UDP can be. */
	was = seen(true, false, span_of(keys, 16));
	ck_assert_int_eq(xfrm_put_moved(&m, &was.u.h, true, &other_port), EINVAL);
	ck_assert_int_eq(xfrm_put_moved(&m, &was.u.h, true, &elsewhere), 0);
	ck_assert_ptr_null(attribute(&m, XFRMA_ENCAP));
	/* A kernel that is locked down shows zeros. */
	was = seen(true, true, span_of(zeros, sizeof(zeros)));
	ck_assert_int_eq(xfrm_put_moved(&m, &was.u.h, true, &elsewhere), ENOKEY);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("xfrm_move");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, another_port, 0, 2);
	tcase_add_loop_test(t, another_address, 0, 2);
	tcase_add_test(t, what_cannot_be);
	suite_add_tcase(s, t);
	return run_suite(s);
}
