/* xfrm_message.c -- netlink messages of the kernel's IPsec. */
#include "kernel/xfrm_message.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <netinet/in.h>
#include <netinet/udp.h>

uint32_t xfrm_sa_reqid(uint32_t connection)
{
	return XFRM_REQID_SA | (connection & XFRM_REQID_MASK);
}

bool xfrm_reqid_is_ours(uint32_t reqid)
{
	uint32_t kind = reqid & ~XFRM_REQID_MASK;

	return kind == XFRM_REQID_SA || kind == XFRM_REQID_TRAP;
}

bool xfrm_priority_is_ours(uint32_t priority)
{
	return priority - XFRM_PRIORITY_FIRST < XFRM_PRIORITY_SPAN;
}

/* Longest destination, then longest source, then protocol and ports: lower wins. */
uint32_t xfrm_priority(const struct xfrm_rule *r)
{
	uint32_t wide = (uint32_t)((r->client_protocol == 0) + (r->src_port == 0) + (r->dst_port == 0));
	const struct subnet *theirs = r->dir == XFRM_POLICY_OUT ? &r->dst : &r->src;
	const struct subnet *ours = r->dir == XFRM_POLICY_OUT ? &r->src : &r->dst;

	return XFRM_PRIORITY_FIRST + ((128u - theirs->bits) * 129 + (128u - ours->bits)) * 4 + wide;
}

/* ---- parts --------------------------------------------------------------------- */

static uint16_t family_of(const struct ip_addr *a)
{
	return a->len == 16 ? AF_INET6 : AF_INET;
}

static xfrm_address_t address(const struct ip_addr *a)
{
	xfrm_address_t x = { 0 };

	memcpy(&x, a->b, a->len <= sizeof(x) ? a->len : sizeof(x));
	return x;
}

struct ip_addr xfrm_addr(const xfrm_address_t *a, uint16_t family)
{
	return addr_from_bytes(span_of(a, family == AF_INET6 ? 16 : 4));
}

static struct xfrm_selector selector(const struct subnet *src, const struct subnet *dst, uint8_t protocol,
				     uint16_t sport, uint16_t dport)
{
	return (struct xfrm_selector){
		.daddr = address(&dst->addr), .saddr = address(&src->addr),
		.dport = htons(dport), .dport_mask = dport == 0 ? 0 : 0xffff,
		.sport = htons(sport), .sport_mask = sport == 0 ? 0 : 0xffff,
		.family = family_of(&dst->addr), .prefixlen_d = dst->bits, .prefixlen_s = src->bits,
		.proto = protocol,
	};
}

static uint64_t limit(uint64_t n)
{
	return n == 0 ? XFRM_INF : n;
}

/* Of seconds 0 is no limit, too.  ike has timers of its own; those of the kernel end what a killed pluto has left. */
static struct xfrm_lifetime_cfg lifetimes(const struct kernel_life *soft, const struct kernel_life *hard)
{
	return (struct xfrm_lifetime_cfg){
		.soft_byte_limit = limit(soft->octets), .hard_byte_limit = limit(hard->octets),
		.soft_packet_limit = limit(soft->packets), .hard_packet_limit = limit(hard->packets),
		.soft_add_expires_seconds = soft->seconds, .hard_add_expires_seconds = hard->seconds,
	};
}

static const struct kernel_life no_end;

static void *begin(struct xfrm_message *m, uint16_t type, uint16_t flags, size_t body)
{
	struct nlmsghdr *h;

	memset(m, 0, sizeof(*m));
	h = mnl_nlmsg_put_header(m->u.p);
	h->nlmsg_type = type;
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	return mnl_nlmsg_put_extra_header(h, body);
}

/* ---- requests ------------------------------------------------------------------ */

void xfrm_put_alloc_spi(struct xfrm_message *m, const struct ip_addr *src, const struct ip_addr *dst,
			uint8_t protocol, uint32_t lo, uint32_t hi)
{
	struct xfrm_userspi_info *i = begin(m, XFRM_MSG_ALLOCSPI, 0, sizeof(*i));

	i->info.saddr = address(src);
	i->info.id.daddr = address(dst);
	i->info.id.proto = protocol;
	i->info.family = family_of(dst);
	i->info.mode = XFRM_MODE_TUNNEL;
	i->info.reqid = XFRM_REQID_SA;
	i->min = lo;
	i->max = hi;
}

void xfrm_put_name_larval(struct xfrm_message *m, const struct xfrm_usersa_info *larval, uint32_t lo, uint32_t hi)
{
	struct xfrm_userspi_info *i = begin(m, XFRM_MSG_ALLOCSPI, 0, sizeof(*i));

	i->info = *larval;
	i->min = lo;
	i->max = hi;
}

/* The kernel's names of what the spec calls by its own. */
static const char *kernel_name(enum alg alg)
{
	switch (alg) {
	case ALG_AES_CBC:
		return "cbc(aes)";
	case ALG_3DES_CBC:
		return "cbc(des3_ede)";
	case ALG_NULL:
		return "ecb(cipher_null)";
	case ALG_AES_GCM_16:
	case ALG_AES_GCM_12:
	case ALG_AES_GCM_8:
		return "rfc4106(gcm(aes))";
	case ALG_DEFLATE:
		return "deflate";
	case ALG_HMAC_MD5_96:
		return "hmac(md5)";
	case ALG_HMAC_SHA1_96:
		return "hmac(sha1)";
	case ALG_HMAC_SHA2_256_128:
		return "hmac(sha256)";
	case ALG_HMAC_SHA2_384_192:
		return "hmac(sha384)";
	case ALG_HMAC_SHA2_512_256:
		return "hmac(sha512)";
	default:
		return NULL;
	}
}

#define KEY_MAX 128		/* octets */

struct key_room {		/* the head of an algorithm's attribute, then the key */
	union {
		struct xfrm_algo crypt;
		struct xfrm_algo_aead aead;
		struct xfrm_algo_auth auth;
		uint8_t p[sizeof(struct xfrm_algo_aead) + KEY_MAX];
	} u;
};

/* Where in the attribute of an algorithm its key begins. */
static size_t key_offset(uint16_t attribute)
{
	return attribute == XFRMA_ALG_AEAD	? sizeof(struct xfrm_algo_aead) :
	       attribute == XFRMA_ALG_AUTH_TRUNC ? sizeof(struct xfrm_algo_auth) :
						   sizeof(struct xfrm_algo);
}

static bool put_algorithm(struct xfrm_message *m, uint16_t attribute, enum alg alg, struct span key)
{
	const char *name = kernel_name(alg);
	struct key_room room = { 0 };
	uint32_t icv = (uint32_t)alg_table[alg].icv * 8;
	size_t head = key_offset(attribute);

	if (name == NULL || key.n > KEY_MAX)
		return false;
	/* All three begin with the name and the length of the key in bits. */
	memcpy(room.u.crypt.alg_name, name, strlen(name));
	room.u.crypt.alg_key_len = (uint32_t)key.n * 8;
	if (attribute == XFRMA_ALG_AEAD)
		room.u.aead.alg_icv_len = icv;
	else if (attribute == XFRMA_ALG_AUTH_TRUNC)
		room.u.auth.alg_trunc_len = icv;
	if (key.n > 0)
		memcpy(room.u.p + head, key.p, key.n);
	mnl_attr_put(&m->u.h, attribute, head + key.n, &room);
	wipe(&room, sizeof(room));
	return true;
}

static bool put_algorithms(struct xfrm_message *m, const struct kernel_sa *sa)
{
	static const uint8_t none[1];
	bool aead = sa->cipher != ALG_NONE && alg_table[sa->cipher].kind == ALG_KIND_AEAD;

	if (sa->cipher != ALG_NONE &&
	    !put_algorithm(m, aead ? XFRMA_ALG_AEAD : XFRMA_ALG_CRYPT, sa->cipher, sa->cipher_key))
		return false;
	if (sa->comp != ALG_NONE && !put_algorithm(m, XFRMA_ALG_COMP, sa->comp, span_of(none, 0)))
		return false;
	return sa->mac == ALG_NONE || put_algorithm(m, XFRMA_ALG_AUTH_TRUNC, sa->mac, sa->mac_key);
}

#define WINDOW_MIN 32u		/* packets */
#define WINDOW_MAX 1024u

/* A window of any size; the field in the SA itself is for 32 packets at most. */
static void put_window(struct xfrm_message *m, unsigned window)
{
	union {
		struct xfrm_replay_state_esn s;
		uint8_t p[sizeof(struct xfrm_replay_state_esn) + WINDOW_MAX / 8];
	} room = { 0 };

	window = window < WINDOW_MIN ? WINDOW_MIN : window > WINDOW_MAX ? WINDOW_MAX : window;
	room.s.replay_window = window;
	room.s.bmp_len = (window + 31) / 32;
	mnl_attr_put(&m->u.h, XFRMA_REPLAY_ESN_VAL, sizeof(room.s) + room.s.bmp_len * sizeof(uint32_t), &room);
}

bool xfrm_put_sa(struct xfrm_message *m, uint16_t type, const struct kernel_sa *sa)
{
	struct xfrm_usersa_info *i = begin(m, type, NLM_F_ACK, sizeof(*i));

	i->sel = selector(&sa->src_client, &sa->dst_client, sa->client_protocol, sa->src_port, sa->dst_port);
	i->id.daddr = address(&sa->id.dst);
	i->id.spi = htonl(sa->id.spi);
	i->id.proto = sa->id.protocol;
	i->saddr = address(&sa->src);
	i->lft = lifetimes(&sa->soft, &sa->hard);
	i->reqid = xfrm_sa_reqid(sa->reqid);
	i->family = family_of(&sa->id.dst);
	i->mode = sa->tunnel ? XFRM_MODE_TUNNEL : XFRM_MODE_TRANSPORT;
	/* Linux would pad the header to 8 octets, as IPv6 has it; peers drop what has not the length of RFC 4302, 3.3.3.2.1. */
	if (sa->id.protocol == IPPROTO_AH && i->family == AF_INET)
		i->flags |= XFRM_STATE_ALIGN4;
	if (!put_algorithms(m, sa))
		return false;
	if (sa->id.protocol != IPPROTO_COMP)	/* which numbers nothing */
		put_window(m, sa->replay_window);
	if (sa->encap_sport != 0) {
		struct xfrm_encap_tmpl e = {
			.encap_type = UDP_ENCAP_ESPINUDP,
			.encap_sport = htons(sa->encap_sport), .encap_dport = htons(sa->encap_dport),
		};

		mnl_attr_put(&m->u.h, XFRMA_ENCAP, sizeof(e), &e);
	}
	return true;
}

/* What makes up an algorithm begins alike, and a kernel that is locked down gives zeros for the key. */
static bool key_is_shown(const struct nlattr *a)
{
	const struct xfrm_algo *algorithm = mnl_attr_get_payload(a);
	size_t n = mnl_attr_get_payload_len(a);
	uint8_t any = 0;

	if (n < sizeof(*algorithm))
		return false;
	if (algorithm->alg_key_len == 0)
		return true;
	for (size_t i = key_offset(mnl_attr_get_type(a)); i < n; i++)
		any |= ((const uint8_t *)mnl_attr_get_payload(a))[i];
	return any != 0;
}

/* One attribute of the SA that moves.  0 or an errno. */
static int copy(struct xfrm_message *m, const struct nlattr *a, bool *in_udp, bool inbound, uint16_t port)
{
	uint16_t type = mnl_attr_get_type(a), n = mnl_attr_get_payload_len(a);
	struct xfrm_encap_tmpl e;

	switch (type) {
	case XFRMA_ENCAP:
		if (n < sizeof(e))
			return EINVAL;
		memcpy(&e, mnl_attr_get_payload(a), sizeof(e));
		*(inbound ? &e.encap_sport : &e.encap_dport) = htons(port);
		mnl_attr_put(&m->u.h, type, sizeof(e), &e);
		*in_udp = true;
		return 0;
	case XFRMA_ALG_AEAD:
	case XFRMA_ALG_CRYPT:
	case XFRMA_ALG_AUTH_TRUNC:
		if (!key_is_shown(a))
			return ENOKEY;
		break;
	case XFRMA_ALG_COMP:
	case XFRMA_REPLAY_ESN_VAL:
		break;
	default:
		return 0;
	}
	return mnl_attr_put_check(&m->u.h, sizeof(*m), type, n, mnl_attr_get_payload(a)) ? 0 : EMSGSIZE;
}

int xfrm_put_moved(struct xfrm_message *m, const struct nlmsghdr *seen, bool inbound, const struct endpoint *peer)
{
	struct xfrm_usersa_info *i = begin(m, XFRM_MSG_UPDSA, NLM_F_ACK, sizeof(*i));
	const struct xfrm_usersa_info *sa = xfrm_sa_of(seen);
	const uint8_t *end = mnl_nlmsg_get_payload_tail(seen);
	const struct nlattr *a = mnl_nlmsg_get_payload_offset(seen, sizeof(*sa));
	bool in_udp = false;
	xfrm_address_t *theirs;
	int error = 0;

	if (sa == NULL)
		return EINVAL;
	if (family_of(&peer->addr) != sa->family)
		return EAFNOSUPPORT;
	*i = *sa;
	theirs = inbound ? &i->saddr : &i->id.daddr;
	for (; error == 0 && (const uint8_t *)a < end && mnl_attr_ok(a, (int)(end - (const uint8_t *)a)); a = mnl_attr_next(a))
		error = copy(m, a, &in_udp, inbound, peer->port);
	if (error != 0)
		return error;
	if (memcmp(theirs, peer->addr.b, peer->addr.len) == 0)
		return in_udp ? 0 : EINVAL;
	*theirs = address(&peer->addr);
	m->u.h.nlmsg_type = XFRM_MSG_NEWSA;
	return mnl_attr_put_check(&m->u.h, sizeof(*m), XFRMA_LTIME_VAL, sizeof(sa->curlft), &sa->curlft) ? 0 : EMSGSIZE;
}

void xfrm_put_sa_id(struct xfrm_message *m, uint16_t type, const struct sa_id *id)
{
	struct xfrm_usersa_id *i = begin(m, type, type == XFRM_MSG_GETSA ? 0 : NLM_F_ACK, sizeof(*i));

	i->daddr = address(&id->dst);
	i->spi = htonl(id->spi);
	i->family = family_of(&id->dst);
	i->proto = id->protocol;
}

/* What does not become smaller comes without IPComp (RFC 3173 2.2). */
static bool sa_is_optional(const struct xfrm_rule *r, unsigned i)
{
	return r->dir != XFRM_POLICY_OUT && r->sa[i].protocol == IPPROTO_COMP;
}

static void put_templates(struct xfrm_message *m, const struct xfrm_rule *r)
{
	struct xfrm_user_tmpl t[EROUTE_SAS] = { 0 };

	for (unsigned i = 0; i < r->n; i++) {
		bool tunnel = i == 0 && r->tunnel;

		t[i].id.proto = r->sa[i].protocol;
		t[i].id.spi = htonl(r->sa[i].spi);
		t[i].id.daddr = address(&r->to);
		t[i].saddr = address(&r->from);
		t[i].family = family_of(&r->to);
		t[i].reqid = r->reqid;
		t[i].mode = tunnel ? XFRM_MODE_TUNNEL : XFRM_MODE_TRANSPORT;
		t[i].optional = sa_is_optional(r, i);
		t[i].aalgos = t[i].ealgos = t[i].calgos = ~0u;
	}
	mnl_attr_put(&m->u.h, XFRMA_TMPL, r->n * sizeof(t[0]), t);
}

void xfrm_put_policy(struct xfrm_message *m, uint16_t type, const struct xfrm_rule *r)
{
	struct xfrm_selector sel = selector(&r->src, &r->dst, r->client_protocol, r->src_port, r->dst_port);
	struct xfrm_userpolicy_info *i;

	if (type == XFRM_MSG_DELPOLICY) {
		struct xfrm_userpolicy_id *id = begin(m, type, NLM_F_ACK, sizeof(*id));

		id->sel = sel;
		id->dir = r->dir;
		return;
	}
	i = begin(m, type, NLM_F_ACK, sizeof(*i));
	i->sel = sel;
	i->lft = lifetimes(&no_end, &no_end);
	i->priority = xfrm_priority(r);
	i->dir = r->dir;
	i->action = r->block ? XFRM_POLICY_BLOCK : XFRM_POLICY_ALLOW;
	if (r->n > 0)
		put_templates(m, r);
}

void xfrm_put_neighbours(struct xfrm_message *m, uint8_t dir, uint8_t type)
{
	struct xfrm_userpolicy_info *i = begin(m, XFRM_MSG_NEWPOLICY, NLM_F_ACK, sizeof(*i));

	i->sel = (struct xfrm_selector){ .family = AF_INET6, .proto = IPPROTO_ICMPV6,
					 .sport = htons(type), .sport_mask = 0xffff };
	i->lft = lifetimes(&no_end, &no_end);
	i->priority = XFRM_PRIORITY_FIRST;
	i->dir = dir;
	i->action = XFRM_POLICY_ALLOW;
}

void xfrm_put_del_seen_policy(struct xfrm_message *m, const struct xfrm_userpolicy_info *p)
{
	struct xfrm_userpolicy_id *id = begin(m, XFRM_MSG_DELPOLICY, NLM_F_ACK, sizeof(*id));

	id->sel = p->sel;
	id->index = p->index;
	id->dir = p->dir;
}

void xfrm_put_dump(struct xfrm_message *m, uint16_t type)
{
	begin(m, type, NLM_F_DUMP, type == XFRM_MSG_GETSA ? sizeof(struct xfrm_usersa_id) :
							    sizeof(struct xfrm_userpolicy_id));
}

/* ---- answers ------------------------------------------------------------------- */

static const void *body(const struct nlmsghdr *h, size_t n)
{
	return mnl_nlmsg_get_payload_len(h) < n ? NULL : mnl_nlmsg_get_payload(h);
}

/* The attribute of that type after `fixed` octets of payload, if it has at least n octets. */
static const struct nlattr *attribute(const struct nlmsghdr *h, size_t fixed, uint16_t type, size_t n)
{
	const uint8_t *end = mnl_nlmsg_get_payload_tail(h);
	const struct nlattr *a = mnl_nlmsg_get_payload_offset(h, fixed);

	for (; (const uint8_t *)a < end && mnl_attr_ok(a, (int)(end - (const uint8_t *)a)); a = mnl_attr_next(a))
		if (mnl_attr_get_type(a) == type)
			return mnl_attr_get_payload_len(a) < n ? NULL : a;
	return NULL;
}

const struct xfrm_usersa_info *xfrm_sa_of(const struct nlmsghdr *h)
{
	return body(h, sizeof(struct xfrm_usersa_info));
}

const struct xfrm_userpolicy_info *xfrm_policy_of(const struct nlmsghdr *h)
{
	return body(h, sizeof(struct xfrm_userpolicy_info));
}

/* Our priority, and no template of anybody else's. */
bool xfrm_policy_is_ours(const struct nlmsghdr *h)
{
	const struct xfrm_userpolicy_info *p = xfrm_policy_of(h);
	const struct xfrm_user_tmpl *t;
	const struct nlattr *a;

	if (p == NULL || !xfrm_priority_is_ours(p->priority))
		return false;
	a = attribute(h, sizeof(*p), XFRMA_TMPL, sizeof(*t));
	if (a == NULL)
		return true;
	t = mnl_attr_get_payload(a);
	for (size_t i = 0; i < mnl_attr_get_payload_len(a) / sizeof(*t); i++)
		if (!xfrm_reqid_is_ours(t[i].reqid))
			return false;
	return true;
}

struct sa_id xfrm_id_of(const struct xfrm_usersa_info *sa)
{
	return (struct sa_id){ .dst = xfrm_addr(&sa->id.daddr, sa->family), .protocol = sa->id.proto,
			       .spi = ntohl(sa->id.spi) };
}

bool xfrm_expiry_of(const struct nlmsghdr *h, struct kernel_expiry *e)
{
	const struct xfrm_user_expire *m = body(h, sizeof(*m));

	if (m == NULL || !xfrm_reqid_is_ours(m->state.reqid) || m->state.id.spi == 0)
		return false;
	*e = (struct kernel_expiry){ .id = xfrm_id_of(&m->state),
				     .src = xfrm_addr(&m->state.saddr, m->state.family), .hard = m->hard != 0 };
	return true;
}

struct kernel_counts xfrm_counts_of(const struct nlmsghdr *h, uint64_t real, uint64_t monotonic)
{
	const struct xfrm_usersa_info *sa = xfrm_sa_of(h);
	struct kernel_counts c = { 0 };
	const struct nlattr *a;
	uint64_t last;

	if (sa == NULL)
		return c;
	c.packets = sa->curlft.packets;
	c.bytes = sa->curlft.bytes;
	c.replays = sa->stats.replay;
	c.bad = sa->stats.integrity_failed;
	last = sa->curlft.use_time;	/* of the first packet: what older kernels tell */
	a = attribute(h, sizeof(*sa), XFRMA_LASTUSED, sizeof(last));
	if (a != NULL)
		memcpy(&last, mnl_attr_get_payload(a), sizeof(last));
	if (last != 0 && last <= real && real - last < monotonic)
		c.last_used = monotonic - (real - last);
	return c;
}

static struct subnet subnet_of(const xfrm_address_t *a, uint16_t family, uint8_t bits)
{
	return (struct subnet){ .addr = xfrm_addr(a, family), .bits = bits };
}

bool xfrm_acquire_of(const struct nlmsghdr *h, struct kernel_acquire *a, struct kernel_eroute *trap)
{
	const struct xfrm_user_acquire *m = body(h, sizeof(*m));
	const struct xfrm_selector *sel;
	bool ports;

	if (m == NULL || !xfrm_priority_is_ours(m->policy.priority))
		return false;
	/* Of ICMP the kernel gives type and code as if they were ports. */
	ports = m->sel.proto != IPPROTO_ICMP && m->sel.proto != IPPROTO_ICMPV6;
	*a = (struct kernel_acquire){
		.src = xfrm_addr(&m->sel.saddr, m->sel.family), .dst = xfrm_addr(&m->sel.daddr, m->sel.family),
		.protocol = m->sel.proto, .sport = ports ? ntohs(m->sel.sport) : 0,
		.dport = ports ? ntohs(m->sel.dport) : 0,
	};
	sel = &m->policy.sel;
	*trap = (struct kernel_eroute){
		.src = subnet_of(&sel->saddr, sel->family, sel->prefixlen_s),
		.dst = subnet_of(&sel->daddr, sel->family, sel->prefixlen_d), .client_protocol = sel->proto,
		.src_port = ntohs(sel->sport), .dst_port = ntohs(sel->dport),
	};
	return true;
}

int xfrm_error_of(const struct nlmsghdr *h, const char **words)
{
	const struct nlmsgerr *e = body(h, sizeof(*e));
	size_t echoed = 0;
	const struct nlattr *a;

	*words = NULL;
	if (e == NULL)
		return -1;
	if ((h->nlmsg_flags & NLM_F_CAPPED) == 0 && e->error != 0 && e->msg.nlmsg_len >= sizeof(e->msg))
		echoed = ((size_t)e->msg.nlmsg_len + 3) / 4 * 4 - sizeof(e->msg);
	if ((h->nlmsg_flags & NLM_F_ACK_TLVS) != 0 && mnl_nlmsg_get_payload_len(h) >= sizeof(*e) + echoed) {
		a = attribute(h, sizeof(*e) + echoed, NLMSGERR_ATTR_MSG, 1);
		if (a != NULL && mnl_attr_validate(a, MNL_TYPE_NUL_STRING) == 0)
			*words = mnl_attr_get_str(a);
	}
	return e->error <= 0 ? -e->error : -1;
}

bool xfrm_mapping_of(const struct nlmsghdr *h, struct sa_id *id, struct endpoint *from)
{
	const struct xfrm_user_mapping *m = mnl_nlmsg_get_payload(h);

	if (mnl_nlmsg_get_payload_len(h) < sizeof(*m) || !xfrm_reqid_is_ours(m->reqid))
		return false;
	*id = (struct sa_id){ .dst = xfrm_addr(&m->id.daddr, m->id.family), .protocol = m->id.proto,
			      .spi = ntohl(m->id.spi) };
	*from = (struct endpoint){ .addr = xfrm_addr(&m->new_saddr, m->id.family), .port = ntohs(m->new_sport) };
	return true;
}
