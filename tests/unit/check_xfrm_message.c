/* check_xfrm_message.c -- the octets that the kernel's IPsec is told, and which policies an eroute needs. */
#include "kernel/xfrm_rules.h"
#include "suite.h"

#include <check.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>

static const struct ip_addr east = { .len = 4, .b = { 192, 0, 2, 1 } };
static const struct ip_addr west = { .len = 4, .b = { 192, 0, 2, 2 } };
static const struct subnet ours = { .addr = { .len = 4, .b = { 10, 0, 1, 0 } }, .bits = 24 };
static const struct subnet theirs = { .addr = { .len = 4, .b = { 10, 0, 2, 0 } }, .bits = 24 };
static const uint8_t keys[64] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20 };

static struct kernel_sa inbound_sa(void)
{
	return (struct kernel_sa){
		.id = { .dst = east, .protocol = IPPROTO_ESP, .spi = 0x12345678 }, .src = west, .inbound = true,
		.tunnel = true, .cipher = ALG_AES_CBC, .mac = ALG_HMAC_SHA2_256_128,
		.cipher_key = span_of(keys, 16), .mac_key = span_of(keys, 32), .replay_window = 64,
		.src_client = theirs, .dst_client = ours, .reqid = 9, .interface = "",
	};
}

static struct kernel_eroute eroute(enum eroute_kind kind)
{
	return (struct kernel_eroute){
		.src = ours, .dst = theirs, .kind = kind, .n_sas = kind == EROUTE_SA, .me = east, .peer = west,
		.sas = { { .dst = west, .protocol = IPPROTO_ESP, .spi = 0x1000 } }, .tunnel = true, .reqid = 9,
		.interface = "",
	};
}

/* The attribute, which must be there n times. */
static const struct nlattr *attribute(const struct xfrm_message *m, size_t fixed, uint16_t type, unsigned n)
{
	const struct nlattr *a = mnl_nlmsg_get_payload_offset(&m->u.h, fixed), *found = NULL;
	const uint8_t *end = mnl_nlmsg_get_payload_tail(&m->u.h);

	for (; mnl_attr_ok(a, (int)(end - (const uint8_t *)a)); a = mnl_attr_next(a))
		if (mnl_attr_get_type(a) == type) {
			found = a;
			ck_assert_uint_gt(n, 0);
			n--;
		}
	ck_assert_uint_eq(n, 0);
	return found;
}

#define SA_ATTRIBUTE(m, type, n) attribute((m), sizeof(struct xfrm_usersa_info), (type), (n))

START_TEST(an_sa)
{
	struct kernel_sa sa = inbound_sa();
	struct xfrm_message m;
	const struct xfrm_usersa_info *i;
	const struct xfrm_algo *crypt;
	const struct xfrm_algo_auth *auth;
	const struct xfrm_replay_state_esn *window;

	ck_assert(xfrm_put_sa(&m, XFRM_MSG_UPDSA, &sa));
	ck_assert_uint_eq(m.u.h.nlmsg_type, XFRM_MSG_UPDSA);
	ck_assert_uint_eq(m.u.h.nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
	i = xfrm_sa_of(&m.u.h);
	ck_assert_uint_eq(ntohl(i->id.spi), 0x12345678);
	ck_assert_uint_eq(ntohl(i->id.daddr.a4), 0xc0000201);
	ck_assert_uint_eq(ntohl(i->saddr.a4), 0xc0000202);
	ck_assert_uint_eq(i->id.proto, 50);
	ck_assert_uint_eq(i->mode, XFRM_MODE_TUNNEL);
	ck_assert_uint_eq(i->reqid, 0x50000009);
	ck_assert_uint_eq(ntohl(i->sel.saddr.a4), 0x0a000200);
	ck_assert_uint_eq(ntohl(i->sel.daddr.a4), 0x0a000100);
	ck_assert_uint_eq(i->sel.prefixlen_s, 24);
	ck_assert_uint_eq(i->sel.family, AF_INET);
	ck_assert(i->lft.hard_byte_limit == XFRM_INF && i->lft.hard_packet_limit == XFRM_INF);
	ck_assert_uint_eq(i->replay_window, 0);		/* the kernel refuses both */
	crypt = mnl_attr_get_payload(SA_ATTRIBUTE(&m, XFRMA_ALG_CRYPT, 1));
	ck_assert_str_eq(crypt->alg_name, "cbc(aes)");
	ck_assert_uint_eq(crypt->alg_key_len, 128);
	ck_assert_mem_eq(crypt->alg_key, keys, 16);
	auth = mnl_attr_get_payload(SA_ATTRIBUTE(&m, XFRMA_ALG_AUTH_TRUNC, 1));
	ck_assert_str_eq(auth->alg_name, "hmac(sha256)");
	ck_assert_uint_eq(auth->alg_key_len, 256);
	ck_assert_uint_eq(auth->alg_trunc_len, 128);
	ck_assert_mem_eq(auth->alg_key, keys, 32);
	window = mnl_attr_get_payload(SA_ATTRIBUTE(&m, XFRMA_REPLAY_ESN_VAL, 1));
	ck_assert_uint_eq(window->replay_window, 64);
	ck_assert_uint_eq(window->bmp_len, 2);
	SA_ATTRIBUTE(&m, XFRMA_ENCAP, 0);
	SA_ATTRIBUTE(&m, XFRMA_ALG_AEAD, 0);
}
END_TEST

/* RFC 4302 3.3.3.2.1: the header's length is a multiple of 4 octets in IPv4; unasked Linux makes it one of 8. */
START_TEST(length_of_ah)
{
	struct kernel_sa sa = inbound_sa();
	struct xfrm_message m;

	ck_assert(xfrm_put_sa(&m, XFRM_MSG_NEWSA, &sa));
	ck_assert_uint_eq(xfrm_sa_of(&m.u.h)->flags & XFRM_STATE_ALIGN4, 0);
	sa.id.protocol = IPPROTO_AH;
	sa.cipher = ALG_NONE;
	ck_assert(xfrm_put_sa(&m, XFRM_MSG_NEWSA, &sa));
	ck_assert_uint_ne(xfrm_sa_of(&m.u.h)->flags & XFRM_STATE_ALIGN4, 0);
}
END_TEST

static const struct {
	enum alg cipher, mac;
	size_t cipher_n, mac_n;
	const char *name, *auth;
	unsigned trunc;
} suites[] = {
	{ ALG_3DES_CBC, ALG_HMAC_MD5_96, 24, 16, "cbc(des3_ede)", "hmac(md5)", 96 },
	{ ALG_NULL, ALG_HMAC_SHA1_96, 0, 20, "ecb(cipher_null)", "hmac(sha1)", 96 },
	{ ALG_AES_CBC, ALG_HMAC_SHA2_384_192, 24, 48, "cbc(aes)", "hmac(sha384)", 192 },
	{ ALG_AES_CBC, ALG_HMAC_SHA2_512_256, 32, 64, "cbc(aes)", "hmac(sha512)", 256 },
	{ ALG_NONE, ALG_HMAC_SHA2_256_128, 0, 32, NULL, "hmac(sha256)", 128 },
};

/* A tunnel of IPv6 with clients of IPv4, and the other way round: the selectors are of the inside. */
START_TEST(families_of_an_sa)
{
	static const struct ip_addr six = { .len = 16, .b = { 0x20, 1, 0xd, 0xb8, [15] = 1 } };
	struct kernel_sa sa = inbound_sa();
	const struct xfrm_usersa_info *i;
	struct xfrm_message m;

	sa.id.dst = sa.src = six;
	ck_assert(xfrm_put_sa(&m, XFRM_MSG_UPDSA, &sa));
	i = xfrm_sa_of(&m.u.h);
	ck_assert_uint_eq(i->family, AF_INET6);
	ck_assert_uint_eq(i->sel.family, AF_INET);
	ck_assert_mem_eq(&i->id.daddr, six.b, 16);
	sa = inbound_sa();
	sa.src_client = sa.dst_client = (struct subnet){ .addr = six, .bits = 128 };
	ck_assert(xfrm_put_sa(&m, XFRM_MSG_UPDSA, &sa));
	i = xfrm_sa_of(&m.u.h);
	ck_assert_uint_eq(i->family, AF_INET);
	ck_assert_uint_eq(i->sel.family, AF_INET6);
	ck_assert_uint_eq(i->sel.prefixlen_d, 128);
	ck_assert_mem_eq(&i->sel.daddr, six.b, 16);
}
END_TEST

START_TEST(neighbours_pass)
{
	const struct xfrm_userpolicy_info *p;
	struct xfrm_message m;

	xfrm_put_neighbours(&m, XFRM_POLICY_OUT, 135);
	p = xfrm_policy_of(&m.u.h);
	ck_assert_uint_eq(p->sel.family, AF_INET6);
	ck_assert_uint_eq(p->sel.prefixlen_d + p->sel.prefixlen_s, 0);
	ck_assert_uint_eq(p->sel.proto, IPPROTO_ICMPV6);
	ck_assert_uint_eq(ntohs(p->sel.sport), 135);
	ck_assert_uint_eq(p->sel.sport_mask, 0xffff);
	ck_assert_uint_eq(p->sel.dport_mask, 0);
	ck_assert_uint_eq(p->action, XFRM_POLICY_ALLOW);
	ck_assert(xfrm_policy_is_ours(&m.u.h));		/* so that it is swept away */
	ck_assert_uint_eq(p->priority, XFRM_PRIORITY_FIRST);
}
END_TEST

START_TEST(algorithms)
{
	struct kernel_sa sa = inbound_sa();
	const struct xfrm_algo_auth *auth;
	const struct xfrm_algo *crypt;
	struct xfrm_message m;

	sa.cipher = suites[_i].cipher;
	sa.mac = suites[_i].mac;
	sa.cipher_key = span_of(keys, suites[_i].cipher_n);
	sa.mac_key = span_of(keys, suites[_i].mac_n);
	ck_assert(xfrm_put_sa(&m, XFRM_MSG_NEWSA, &sa));
	if (suites[_i].name == NULL) {
		SA_ATTRIBUTE(&m, XFRMA_ALG_CRYPT, 0);
	} else {
		crypt = mnl_attr_get_payload(SA_ATTRIBUTE(&m, XFRMA_ALG_CRYPT, 1));
		ck_assert_str_eq(crypt->alg_name, suites[_i].name);
		ck_assert_uint_eq(crypt->alg_key_len, suites[_i].cipher_n * 8);
	}
	auth = mnl_attr_get_payload(SA_ATTRIBUTE(&m, XFRMA_ALG_AUTH_TRUNC, 1));
	ck_assert_str_eq(auth->alg_name, suites[_i].auth);
	ck_assert_uint_eq(auth->alg_trunc_len, suites[_i].trunc);
}
END_TEST

START_TEST(an_aead_in_udp)
{
	struct kernel_sa sa = inbound_sa();
	const struct xfrm_algo_aead *aead;
	const struct xfrm_encap_tmpl *encap;
	struct xfrm_message m;

	sa.cipher = ALG_AES_GCM_12;
	sa.mac = ALG_NONE;
	sa.cipher_key = span_of(keys, 20);
	sa.mac_key = span_of(NULL, 0);
	sa.encap_sport = 4500;
	sa.encap_dport = 4501;
	ck_assert(xfrm_put_sa(&m, XFRM_MSG_NEWSA, &sa));
	aead = mnl_attr_get_payload(SA_ATTRIBUTE(&m, XFRMA_ALG_AEAD, 1));
	ck_assert_str_eq(aead->alg_name, "rfc4106(gcm(aes))");
	ck_assert_uint_eq(aead->alg_key_len, 160);
	ck_assert_uint_eq(aead->alg_icv_len, 96);
	ck_assert_mem_eq(aead->alg_key, keys, 20);
	SA_ATTRIBUTE(&m, XFRMA_ALG_CRYPT, 0);
	SA_ATTRIBUTE(&m, XFRMA_ALG_AUTH_TRUNC, 0);
	encap = mnl_attr_get_payload(SA_ATTRIBUTE(&m, XFRMA_ENCAP, 1));
	ck_assert_uint_eq(encap->encap_type, UDP_ENCAP_ESPINUDP);
	ck_assert_uint_eq(ntohs(encap->encap_sport), 4500);
	ck_assert_uint_eq(ntohs(encap->encap_dport), 4501);
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
	struct kernel_sa sa = inbound_sa();
	static const uint8_t many[200];
	struct xfrm_message m;

	sa.cipher_key = span_of(many, sizeof(many));
	ck_assert(!xfrm_put_sa(&m, XFRM_MSG_NEWSA, &sa));
	sa = inbound_sa();
	sa.cipher = ALG_MODP2048;
	ck_assert(!xfrm_put_sa(&m, XFRM_MSG_NEWSA, &sa));
}
END_TEST

START_TEST(windows_are_never_small)
{
	static const struct { unsigned asked, given; } w[] = { { 0, 32 }, { 31, 32 }, { 33, 33 }, { 99999, 1024 } };
	const struct xfrm_replay_state_esn *s;
	struct kernel_sa sa = inbound_sa();
	struct xfrm_message m;

	for (size_t i = 0; i < sizeof(w) / sizeof(w[0]); i++) {
		sa.replay_window = w[i].asked;
		ck_assert(xfrm_put_sa(&m, XFRM_MSG_NEWSA, &sa));
		s = mnl_attr_get_payload(SA_ATTRIBUTE(&m, XFRMA_REPLAY_ESN_VAL, 1));
		ck_assert_uint_eq(s->replay_window, w[i].given);
		ck_assert_uint_eq(s->bmp_len, (w[i].given + 31) / 32);
	}
}
END_TEST

START_TEST(the_outer_sa_of_a_bundle)
{
	struct kernel_sa sa = inbound_sa();
	struct xfrm_change c[XFRM_PLACES];
	struct xfrm_rules r = { 0 };
	struct xfrm_message m;

	sa.outer = true;
	sa.tunnel = false;
	ck_assert(xfrm_put_sa(&m, XFRM_MSG_NEWSA, &sa));
	ck_assert_uint_eq(xfrm_sa_of(&m.u.h)->mode, XFRM_MODE_TRANSPORT);
	ck_assert_uint_eq(xfrm_rules_admit(&r, &sa, c), 0);
	ck_assert_ptr_null(r.all);
}
END_TEST

START_TEST(a_bundle)
{
	struct xfrm_rule r = {
		.dir = XFRM_POLICY_OUT, .src = ours, .dst = theirs, .client_protocol = 17, .dst_port = 1701, .from = east,
		.to = west, .tunnel = true, .reqid = xfrm_sa_reqid(9), .n = 2,
		.sa = { { IPPROTO_ESP, 0x1000 }, { IPPROTO_AH, 0x2000 } },
	};
	const struct xfrm_userpolicy_info *p;
	const struct xfrm_user_tmpl *t;
	const struct nlattr *a;
	struct xfrm_message m;

	xfrm_put_policy(&m, XFRM_MSG_UPDPOLICY, &r);
	p = xfrm_policy_of(&m.u.h);
	ck_assert_uint_eq(p->dir, XFRM_POLICY_OUT);
	ck_assert_uint_eq(p->action, XFRM_POLICY_ALLOW);
	ck_assert_uint_eq(p->sel.proto, 17);
	ck_assert_uint_eq(ntohs(p->sel.dport), 1701);
	ck_assert_uint_eq(p->sel.dport_mask, 0xffff);
	ck_assert_uint_eq(p->sel.sport_mask, 0);
	a = attribute(&m, sizeof(*p), XFRMA_TMPL, 1);
	ck_assert_uint_eq(mnl_attr_get_payload_len(a), 2 * sizeof(*t));
	t = mnl_attr_get_payload(a);
	ck_assert_uint_eq(t[0].id.proto, IPPROTO_ESP);
	ck_assert_uint_eq(ntohl(t[0].id.spi), 0x1000);
	ck_assert_uint_eq(t[0].mode, XFRM_MODE_TUNNEL);
	ck_assert_uint_eq(ntohl(t[0].saddr.a4), 0xc0000201);
	ck_assert_uint_eq(ntohl(t[0].id.daddr.a4), 0xc0000202);
	ck_assert_uint_eq(t[1].id.proto, IPPROTO_AH);
	ck_assert_uint_eq(t[1].mode, XFRM_MODE_TRANSPORT);
	ck_assert_uint_eq(t[0].reqid, 0x50000009);
	ck_assert(xfrm_policy_is_ours(&m.u.h));
}
END_TEST

START_TEST(of_others)
{
	struct xfrm_rule r = { .src = ours, .dst = theirs, .from = east, .to = west, .reqid = 9, .n = 1 };
	struct xfrm_userpolicy_info *p;
	struct xfrm_message m;

	xfrm_put_policy(&m, XFRM_MSG_NEWPOLICY, &r);
	ck_assert(!xfrm_policy_is_ours(&m.u.h));	/* our priority by chance, but a template of others */
	r.n = 0;
	xfrm_put_policy(&m, XFRM_MSG_NEWPOLICY, &r);
	ck_assert(xfrm_policy_is_ours(&m.u.h));
	p = mnl_nlmsg_get_payload(&m.u.h);
	p->priority = 0;
	ck_assert(!xfrm_policy_is_ours(&m.u.h));
	m.u.h.nlmsg_len = NLMSG_HDRLEN + 8;
	ck_assert(!xfrm_policy_is_ours(&m.u.h));
	ck_assert(xfrm_reqid_is_ours(0x50000000) && xfrm_reqid_is_ours(0x51ffffff));
	ck_assert(!xfrm_reqid_is_ours(0) && !xfrm_reqid_is_ours(16384) && !xfrm_reqid_is_ours(0x52000000));
}
END_TEST

START_TEST(the_most_specific_policy_wins)
{
	struct xfrm_rule wide = { .dir = XFRM_POLICY_OUT }, narrow = wide, port = wide;
	struct xfrm_rule back = { .dir = XFRM_POLICY_IN, .src = theirs, .dst = ours };
	struct xfrm_rule away = { .dir = XFRM_POLICY_OUT, .src = ours, .dst = theirs };

	narrow.dst.bits = 1;
	wide.src.bits = 128;
	port.client_protocol = 6;
	port.src.bits = 128;
	ck_assert_uint_lt(xfrm_priority(&narrow), xfrm_priority(&port));	/* the destination counts first */
	ck_assert_uint_lt(xfrm_priority(&port), xfrm_priority(&wide));
	ck_assert_uint_eq(xfrm_priority(&back), xfrm_priority(&away));
	ck_assert(xfrm_priority_is_ours(xfrm_priority(&(struct xfrm_rule){ .dir = XFRM_POLICY_OUT })));
	away.dst.bits = away.src.bits = 128;
	away.client_protocol = 6;
	away.src_port = away.dst_port = 1;
	ck_assert_uint_eq(xfrm_priority(&away), XFRM_PRIORITY_FIRST);
}
END_TEST

START_TEST(the_life_of_an_eroute)
{
	struct kernel_eroute trap = eroute(EROUTE_TRAP), through = eroute(EROUTE_SA);
	struct kernel_sa sa = inbound_sa();
	struct xfrm_change c[XFRM_PLACES];
	struct xfrm_rules r = { 0 };
	uint32_t first;

	/* A trap drops what comes in clear, and reports what leaves. */
	ck_assert_uint_eq(xfrm_rules_set(&r, &trap, c), 3);
	ck_assert(c[0].place == XFRM_IN && c[0].rule.block && c[0].type == XFRM_MSG_NEWPOLICY);
	ck_assert(c[1].place == XFRM_FWD && c[1].rule.block);
	ck_assert(c[2].place == XFRM_OUT && !c[2].rule.block && c[2].rule.n == 1);
	first = c[2].rule.reqid;
	ck_assert_uint_eq(first & ~XFRM_REQID_MASK, XFRM_REQID_TRAP);
	/* An inbound SA is let in beside the trap, once. */
	ck_assert_uint_eq(xfrm_rules_admit(&r, &sa, c), 2);
	ck_assert(c[0].place == XFRM_IN && !c[0].rule.block && c[0].type == XFRM_MSG_UPDPOLICY);
	ck_assert(c[0].rule.sa[0].spi == 0 && c[0].rule.reqid == 0x50000009 && addr_eq(&c[0].rule.from, &west));
	ck_assert_uint_eq(xfrm_rules_admit(&r, &sa, c), 0);
	/* The SA itself is named. */
	ck_assert_uint_eq(xfrm_rules_set(&r, &through, c), 3);
	ck_assert(c[2].rule.sa[0].spi == 0x1000 && c[2].type == XFRM_MSG_UPDPOLICY);
	/* The next trap reports at once, and what SAs let in stays let in. */
	ck_assert_uint_eq(xfrm_rules_set(&r, &trap, c), 1);
	ck_assert(c[0].place == XFRM_OUT && c[0].rule.reqid != first);
	ck_assert_uint_eq(xfrm_rules_delete(&r, &trap, c), 3);
	ck_assert_uint_eq(xfrm_rules_delete(&r, &trap, c), 0);
	ck_assert_ptr_null(r.all);
}
END_TEST

START_TEST(what_the_kernel_refused_does_not_stand)
{
	struct kernel_eroute trap = eroute(EROUTE_TRAP);
	struct xfrm_change c[XFRM_PLACES];
	struct xfrm_rules r = { 0 };

	xfrm_rules_set(&r, &trap, c);
	for (unsigned i = 0; i < 3; i++)
		xfrm_rules_refused(&r, &c[i].rule);
	ck_assert_ptr_null(r.all);
	trap.tunnel = false;	/* nothing is passed on in transport mode */
	ck_assert_uint_eq(xfrm_rules_set(&r, &trap, c), 2);
	xfrm_rules_free(&r);
}
END_TEST

START_TEST(errors)
{
	static const char said[] = "no such thing";
	struct xfrm_message m = { 0 };
	struct nlmsgerr *e;
	const char *words;

	mnl_nlmsg_put_header(&m);
	m.u.h.nlmsg_type = NLMSG_ERROR;
	ck_assert_int_eq(xfrm_error_of(&m.u.h, &words), -1);
	e = mnl_nlmsg_put_extra_header(&m.u.h, sizeof(*e));
	ck_assert_int_eq(xfrm_error_of(&m.u.h, &words), 0);
	e->error = -EEXIST;
	e->msg.nlmsg_len = 4000;	/* echoed, it says; there is nothing */
	m.u.h.nlmsg_flags = NLM_F_ACK_TLVS;
	ck_assert_int_eq(xfrm_error_of(&m.u.h, &words), EEXIST);
	ck_assert_ptr_null(words);
	m.u.h.nlmsg_flags |= NLM_F_CAPPED;
	mnl_attr_put(&m.u.h, NLMSGERR_ATTR_MSG, sizeof(said) - 1, said);
	ck_assert_int_eq(xfrm_error_of(&m.u.h, &words), EEXIST);
	ck_assert_ptr_null(words);	/* without an end */
	m.u.h.nlmsg_len = NLMSG_HDRLEN + sizeof(*e);
	mnl_attr_put_strz(&m.u.h, NLMSGERR_ATTR_MSG, said);
	ck_assert_int_eq(xfrm_error_of(&m.u.h, &words), EEXIST);
	ck_assert_str_eq(words, said);
}
END_TEST

START_TEST(counts)
{
	struct xfrm_message m = { 0 };
	struct xfrm_usersa_info *i;
	struct kernel_counts c;

	mnl_nlmsg_put_header(&m);
	i = mnl_nlmsg_put_extra_header(&m.u.h, sizeof(*i));
	c = xfrm_counts_of(&m.u.h, 1000, 100);
	ck_assert(c.packets == 0 && c.last_used == 0);
	i->curlft = (struct xfrm_lifetime_cur){ .bytes = 840, .packets = 10, .use_time = 930 };
	i->stats = (struct xfrm_stats){ .replay = 2, .integrity_failed = 3 };
	c = xfrm_counts_of(&m.u.h, 1000, 100);
	ck_assert(c.packets == 10 && c.bytes == 840 && c.replays == 2 && c.bad == 3 && c.last_used == 30);
	mnl_attr_put_u64(&m.u.h, XFRMA_LASTUSED, 990);
	c = xfrm_counts_of(&m.u.h, 1000, 100);
	ck_assert_uint_eq(c.last_used, 90);
	c = xfrm_counts_of(&m.u.h, 900, 100);	/* the clock was set back */
	ck_assert_uint_eq(c.last_used, 0);
}
END_TEST

START_TEST(lifetimes)
{
	struct kernel_sa sa = inbound_sa();
	const struct xfrm_lifetime_cfg *l;
	struct xfrm_message m;

	sa.soft = (struct kernel_life){ .seconds = 100, .octets = 7000, .packets = 9 };
	sa.hard = (struct kernel_life){ .seconds = 120, .octets = 8192 };
	ck_assert(xfrm_put_sa(&m, XFRM_MSG_NEWSA, &sa));
	l = &xfrm_sa_of(&m.u.h)->lft;
	ck_assert(l->soft_add_expires_seconds == 100 && l->hard_add_expires_seconds == 120);
	ck_assert(l->soft_byte_limit == 7000 && l->hard_byte_limit == 8192);
	ck_assert(l->soft_packet_limit == 9 && l->hard_packet_limit == XFRM_INF);
	ck_assert(l->soft_use_expires_seconds == 0 && l->hard_use_expires_seconds == 0);
}
END_TEST

START_TEST(the_end_of_a_lifetime)
{
	struct xfrm_message m = { 0 };
	struct xfrm_user_expire *x;
	struct kernel_expiry e;

	mnl_nlmsg_put_header(&m);
	m.u.h.nlmsg_type = XFRM_MSG_EXPIRE;
	ck_assert(!xfrm_expiry_of(&m.u.h, &e));		/* too short */
	x = mnl_nlmsg_put_extra_header(&m.u.h, sizeof(*x));
	x->state = (struct xfrm_usersa_info){ .family = AF_INET, .reqid = 7 };
	x->state.id.spi = htonl(0x1234);
	x->state.id.proto = IPPROTO_ESP;
	memcpy(&x->state.id.daddr, east.b, 4);
	memcpy(&x->state.saddr, west.b, 4);
	x->hard = 1;
	ck_assert(!xfrm_expiry_of(&m.u.h, &e));		/* of others */
	x->state.reqid = xfrm_sa_reqid(9);
	ck_assert(xfrm_expiry_of(&m.u.h, &e));
	ck_assert(e.hard && e.id.spi == 0x1234 && e.id.protocol == IPPROTO_ESP);
	ck_assert(addr_eq(&e.id.dst, &east) && addr_eq(&e.src, &west));
	x->hard = 0;
	ck_assert(xfrm_expiry_of(&m.u.h, &e) && !e.hard);
	x->state.id.spi = 0;				/* what the kernel began at a trap */
	ck_assert(!xfrm_expiry_of(&m.u.h, &e));
}
END_TEST

/* What arrives need not be compressed, but it must be encrypted: at no moment is IPComp alone enough. */
START_TEST(ipcomp)
{
	struct kernel_sa sa = {
		.id = { .dst = east, .protocol = IPPROTO_COMP, .spi = 0x1234 }, .src = west, .inbound = true,
		.tunnel = true, .comp = ALG_DEFLATE, .src_client = theirs, .dst_client = ours, .reqid = 9,
		.outwards = IPPROTO_ESP, .inner_tunnel = true, .interface = "",
	};
	const struct xfrm_user_tmpl *t;
	const struct xfrm_algo *algo;
	struct xfrm_change c[XFRM_PLACES];
	struct xfrm_rules r = { 0 };
	struct xfrm_message m;

	ck_assert(xfrm_put_sa(&m, XFRM_MSG_UPDSA, &sa));
	ck_assert_uint_eq(ntohl(xfrm_sa_of(&m.u.h)->id.spi), 0x1234);
	ck_assert_uint_eq(xfrm_sa_of(&m.u.h)->id.proto, IPPROTO_COMP);
	algo = mnl_attr_get_payload(SA_ATTRIBUTE(&m, XFRMA_ALG_COMP, 1));
	ck_assert_str_eq(algo->alg_name, "deflate");
	SA_ATTRIBUTE(&m, XFRMA_REPLAY_ESN_VAL, 0);
	ck_assert_uint_eq(xfrm_rules_admit(&r, &sa, c), 2);
	for (unsigned i = 0; i < 2; i++) {
		ck_assert(!c[i].rule.block && c[i].rule.n == 2);
		xfrm_put_policy(&m, c[i].type, &c[i].rule);
		t = mnl_attr_get_payload(attribute(&m, sizeof(struct xfrm_userpolicy_info), XFRMA_TMPL, 1));
		ck_assert(t[0].id.proto == IPPROTO_COMP && t[0].optional && t[0].mode == XFRM_MODE_TUNNEL);
		ck_assert(t[1].id.proto == IPPROTO_ESP && !t[1].optional && t[1].mode == XFRM_MODE_TRANSPORT);
	}
	c[0].rule.dir = XFRM_POLICY_OUT;
	xfrm_put_policy(&m, c[0].type, &c[0].rule);
	t = mnl_attr_get_payload(attribute(&m, sizeof(struct xfrm_userpolicy_info), XFRMA_TMPL, 1));
	ck_assert(!t[0].optional);
	xfrm_rules_free(&r);
}
END_TEST

/* What the kernel reports of a packet at a trap leads back to the eroute. */
START_TEST(an_acquire)
{
	struct kernel_eroute e = eroute(EROUTE_TRAP), trap;
	struct xfrm_change c[XFRM_PLACES];
	struct xfrm_rules r = { 0 };
	struct xfrm_message policy, m = { 0 };
	struct xfrm_user_acquire *a;
	struct kernel_acquire q;
	unsigned n;

	e.client_protocol = IPPROTO_TCP;
	e.dst_port = 80;
	n = xfrm_rules_set(&r, &e, c);
	xfrm_put_policy(&policy, XFRM_MSG_NEWPOLICY, &c[n - 1].rule);
	mnl_nlmsg_put_header(&m);
	m.u.h.nlmsg_type = XFRM_MSG_ACQUIRE;
	ck_assert(!xfrm_acquire_of(&m.u.h, &q, &trap));		/* too short */
	a = mnl_nlmsg_put_extra_header(&m.u.h, sizeof(*a));
	ck_assert(!xfrm_acquire_of(&m.u.h, &q, &trap));		/* not ours */
	a->policy = *xfrm_policy_of(&policy.u.h);
	a->sel = (struct xfrm_selector){ .family = AF_INET, .proto = IPPROTO_TCP, .sport = htons(1025), .dport = htons(80) };
	memcpy(&a->sel.saddr, &(uint8_t[]){ 10, 0, 1, 9 }, 4);
	memcpy(&a->sel.daddr, &(uint8_t[]){ 10, 0, 2, 9 }, 4);
	ck_assert(xfrm_acquire_of(&m.u.h, &q, &trap));
	ck_assert(q.protocol == IPPROTO_TCP && q.sport == 1025 && q.dport == 80);
	ck_assert(q.src.b[3] == 9 && q.dst.b[2] == 2);
	ck_assert_ptr_nonnull(xfrm_rules_find(&r, &trap));
	ck_assert_uint_eq(xfrm_rules_find(&r, &trap)->is.reqid, 9);
	a->sel.proto = IPPROTO_ICMP;				/* type and code are no ports */
	ck_assert(xfrm_acquire_of(&m.u.h, &q, &trap));
	ck_assert(q.sport == 0 && q.dport == 0);
	xfrm_rules_free(&r);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("xfrm_message");
	TCase *t = tcase_create("all");

	tcase_add_test(t, an_sa);
	tcase_add_test(t, length_of_ah);
	tcase_add_test(t, families_of_an_sa);
	tcase_add_test(t, neighbours_pass);
	tcase_add_loop_test(t, algorithms, 0, sizeof(suites) / sizeof(suites[0]));
	tcase_add_test(t, an_aead_in_udp);
	tcase_add_test(t, what_does_not_fit_is_refused);
	tcase_add_test(t, windows_are_never_small);
	tcase_add_test(t, the_outer_sa_of_a_bundle);
	tcase_add_test(t, a_bundle);
	tcase_add_test(t, of_others);
	tcase_add_test(t, the_most_specific_policy_wins);
	tcase_add_test(t, the_life_of_an_eroute);
	tcase_add_test(t, what_the_kernel_refused_does_not_stand);
	tcase_add_test(t, lifetimes);
	tcase_add_test(t, the_end_of_a_lifetime);
	tcase_add_test(t, ipcomp);
	tcase_add_test(t, an_acquire);
	tcase_add_test(t, errors);
	tcase_add_test(t, counts);
	suite_add_tcase(s, t);
	return run_suite(s);
}
