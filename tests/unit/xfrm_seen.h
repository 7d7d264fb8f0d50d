/* xfrm_seen.h -- an SA between two hosts, east and west, as the kernel describes it. */
#ifndef PLUTO_TESTS_XFRM_SEEN_H
#define PLUTO_TESTS_XFRM_SEEN_H

#include "kernel/xfrm_message.h"

#include <check.h>
#include <libmnl/libmnl.h>
#include <netinet/in.h>

static const struct ip_addr east = { .len = 4, .b = { 192, 0, 2, 1 } };
static const struct ip_addr west = { .len = 4, .b = { 192, 0, 2, 2 } };
static const uint8_t keys[64] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20 };

static void *attribute(const struct xfrm_message *m, uint16_t type)
{
	const struct nlattr *a = mnl_nlmsg_get_payload_offset(&m->u.h, sizeof(struct xfrm_usersa_info));
	const uint8_t *end = mnl_nlmsg_get_payload_tail(&m->u.h);

	for (; mnl_attr_ok(a, (int)(end - (const uint8_t *)a)); a = mnl_attr_next(a))
		if (mnl_attr_get_type(a) == type)
			return mnl_attr_get_payload(a);
	return NULL;
}

/* What the kernel says of an SA that has been in use. */
static struct xfrm_message seen(bool inbound, bool in_udp, struct span key)
{
	struct kernel_sa sa = {
		.id = { .dst = inbound ? east : west, .protocol = IPPROTO_ESP, .spi = 0x12345678 },
		.src = inbound ? west : east, .inbound = inbound, .tunnel = true, .cipher = ALG_AES_CBC,
		.mac = ALG_HMAC_SHA2_256_128, .cipher_key = key, .mac_key = span_of(keys, 32), .replay_window = 64,
		.hard = { .seconds = 3600, .packets = 1000000 }, .reqid = 9, .interface = "",
		.encap_sport = in_udp ? 4500 : 0, .encap_dport = in_udp ? 4500 : 0,
	};
	struct xfrm_message m;
	struct xfrm_replay_state_esn *r;

	ck_assert(xfrm_put_sa(&m, XFRM_MSG_NEWSA, &sa));
	((struct xfrm_usersa_info *)mnl_nlmsg_get_payload(&m.u.h))->curlft =
		(struct xfrm_lifetime_cur){ .bytes = 840, .packets = 10, .add_time = 900, .use_time = 930 };
	r = attribute(&m, XFRMA_REPLAY_ESN_VAL);
	r->oseq = 11;
	r->seq = 12;
	r->bmp[1] = 0xf0;
	return m;
}

#endif
