/* xfrm_rules.c -- eroutes as policies of the kernel.
 *
 * An eroute is a policy for what leaves (out), one for what is for this host (in) and, with a tunnel, one for what is
 * passed on (fwd).  The outgoing one names the SPIs, so that it is pluto that decides when a new SA is used; those
 * for what arrives take any SA of the connection, so that old and new serve side by side.
 *
 * A trap is an outgoing policy whose SA never exists: each has a reqid of its own.  The kernel drops what meets it,
 * reports the first packet, and then keeps quiet about this reqid for /proc/sys/net/core/xfrm_acq_expires seconds;
 * a trap that is set anew reports at once. */
#include "kernel/xfrm_rules.h"

#include <netinet/in.h>
#include <stdlib.h>

#include "base/writer.h"
#include "base/xalloc.h"

static void put_subnet(struct writer *w, const struct subnet *s)
{
	put_u8(w, s->bits);
	put_u8(w, s->addr.len);
	put_bytes(w, addr_bytes(&s->addr));
}

static void make_key(uint8_t key[XFRM_RULE_KEY], const struct kernel_eroute *e)
{
	struct writer w = writer_on(key, XFRM_RULE_KEY);

	memset(key, 0, XFRM_RULE_KEY);
	put_u8(&w, e->client_protocol);
	put_u16(&w, e->src_port);
	put_u16(&w, e->dst_port);
	put_subnet(&w, &e->dst);
	put_subnet(&w, &e->src);
}

struct xfrm_rule_set *xfrm_rules_find(const struct xfrm_rules *r, const struct kernel_eroute *e)
{
	struct xfrm_rule_set *s;
	uint8_t key[XFRM_RULE_KEY];

	make_key(key, e);
	HASH_FIND(hh, r->all, key, sizeof(key), s);
	return s;
}

static struct xfrm_rule_set *find_or_add(struct xfrm_rules *r, const struct kernel_eroute *e)
{
	struct xfrm_rule_set *s = xfrm_rules_find(r, e);

	if (s != NULL)
		return s;
	s = NEW(struct xfrm_rule_set);
	s->is = *e;
	make_key(s->key, e);
	HASH_ADD(hh, r->all, key, sizeof(s->key), s);
	return s;
}

static void drop_if_empty(struct xfrm_rules *r, struct xfrm_rule_set *s)
{
	for (unsigned i = 0; i < XFRM_PLACES; i++)
		if (s->stands[i])
			return;
	HASH_DEL(r->all, s);
	free(s);
}

/* ---- what an eroute means ------------------------------------------------------------ */

static struct xfrm_rule outgoing(struct xfrm_rules *r, const struct kernel_eroute *e)
{
	struct xfrm_rule rule = {
		.dir = XFRM_POLICY_OUT, .src = e->src, .dst = e->dst, .client_protocol = e->client_protocol,
		.src_port = e->src_port, .dst_port = e->dst_port, .from = e->me, .to = e->peer,
		.tunnel = e->tunnel, .reqid = xfrm_sa_reqid(e->reqid),
	};

	if (e->kind == EROUTE_TRAP) {
		rule.reqid = XFRM_REQID_TRAP | (r->traps++ & XFRM_REQID_MASK);
		rule.n = 1;
		rule.sa[0].protocol = IPPROTO_ESP;
	}
	for (unsigned i = 0; e->kind == EROUTE_SA && i < e->n_sas && i < EROUTE_SAS; i++, rule.n++) {
		rule.sa[i].protocol = e->sas[i].protocol;
		rule.sa[i].spi = e->sas[i].spi;
	}
	return rule;
}

/* The same for what comes back. */
static struct xfrm_rule incoming(const struct xfrm_rule *out, enum eroute_kind kind, uint32_t reqid)
{
	struct xfrm_rule rule = *out;

	rule.dir = XFRM_POLICY_IN;
	rule.src = out->dst;
	rule.dst = out->src;
	rule.src_port = out->dst_port;
	rule.dst_port = out->src_port;
	rule.from = out->to;
	rule.to = out->from;
	rule.reqid = reqid;
	rule.block = kind == EROUTE_TRAP;
	for (unsigned i = 0; i < rule.n; i++)
		rule.sa[i].spi = 0;
	return rule;
}

/* ---- changes ------------------------------------------------------------------------- */

static unsigned change(struct xfrm_rule_set *s, enum xfrm_place place, const struct xfrm_rule *rule,
		       struct xfrm_change *out)
{
	*out = (struct xfrm_change){
		.place = place, .rule = *rule,
		.type = s->stands[place] ? XFRM_MSG_UPDPOLICY : XFRM_MSG_NEWPOLICY,
	};
	s->stands[place] = true;
	s->at[place] = *rule;
	return 1;
}

static unsigned let_in(struct xfrm_rule_set *s, const struct xfrm_rule *in, struct xfrm_change *out)
{
	struct xfrm_rule fwd = *in;
	unsigned n = change(s, XFRM_IN, in, out);

	fwd.dir = XFRM_POLICY_FWD;
	if (in->tunnel || s->stands[XFRM_FWD])
		n += change(s, XFRM_FWD, &fwd, out + n);
	return n;
}

unsigned xfrm_rules_set(struct xfrm_rules *r, const struct kernel_eroute *e, struct xfrm_change out[XFRM_PLACES])
{
	struct xfrm_rule_set *s = find_or_add(r, e);
	struct xfrm_rule away = outgoing(r, e), in = incoming(&away, e->kind, xfrm_sa_reqid(e->reqid));
	unsigned n = 0;

	s->is = *e;
	s->is.interface = NULL;
	/* What SAs let in already they let in beside a trap, too: the peer may use them first. */
	if (e->kind != EROUTE_TRAP || !s->stands[XFRM_IN] || s->at[XFRM_IN].reqid != in.reqid)
		n = let_in(s, &in, out);
	return n + change(s, XFRM_OUT, &away, out + n);
}

unsigned xfrm_rules_admit(struct xfrm_rules *r, const struct kernel_sa *sa, struct xfrm_change out[XFRM_PLACES])
{
	struct kernel_eroute e = {
		.src = sa->dst_client, .dst = sa->src_client, .client_protocol = sa->client_protocol,
		.src_port = sa->dst_port, .dst_port = sa->src_port, .kind = EROUTE_SA, .n_sas = 1,
		.sas = { sa->id }, .me = sa->id.dst, .peer = sa->src, .tunnel = sa->tunnel, .reqid = sa->reqid,
	};
	struct xfrm_rule_set *s;
	struct xfrm_rule away, in;
	const struct xfrm_rule *has;

	if (sa->outer)		/* its eroute asks for it; what is within is asked for by then */
		return 0;
	if (sa->id.protocol == IPPROTO_COMP && sa->outwards != 0)	/* alone it would protect nothing */
		e.sas[e.n_sas++] = (struct sa_id){ .dst = sa->id.dst, .protocol = sa->outwards };
	s = xfrm_rules_find(r, &e);
	away = outgoing(r, &e);
	in = incoming(&away, EROUTE_SA, away.reqid);
	if (s == NULL) {
		s = find_or_add(r, &e);
		return let_in(s, &in, out);
	}
	has = &s->at[XFRM_IN];
	if (s->stands[XFRM_IN] && !has->block && has->reqid == in.reqid && has->tunnel == in.tunnel && has->n > 0 &&
	    has->sa[0].protocol == in.sa[0].protocol && addr_eq(&has->from, &in.from) && addr_eq(&has->to, &in.to))
		return 0;
	return let_in(s, &in, out);
}

unsigned xfrm_rules_delete(struct xfrm_rules *r, const struct kernel_eroute *e,
			   struct xfrm_change out[XFRM_PLACES])
{
	struct xfrm_rule_set *s = xfrm_rules_find(r, e);
	unsigned n = 0;

	if (s == NULL)
		return 0;
	for (unsigned i = 0; i < XFRM_PLACES; i++)
		if (s->stands[i]) {
			out[n++] = (struct xfrm_change){ .place = (enum xfrm_place)i, .type = XFRM_MSG_DELPOLICY,
							 .rule = s->at[i] };
			s->stands[i] = false;
		}
	drop_if_empty(r, s);
	return n;
}

void xfrm_rules_refused(struct xfrm_rules *r, const struct xfrm_rule *rule)
{
	bool away = rule->dir == XFRM_POLICY_OUT;
	struct kernel_eroute e = {
		.src = away ? rule->src : rule->dst, .dst = away ? rule->dst : rule->src,
		.client_protocol = rule->client_protocol,
		.src_port = away ? rule->src_port : rule->dst_port,
		.dst_port = away ? rule->dst_port : rule->src_port,
	};
	struct xfrm_rule_set *s = xfrm_rules_find(r, &e);

	if (s == NULL)
		return;
	s->stands[away ? XFRM_OUT : rule->dir == XFRM_POLICY_FWD ? XFRM_FWD : XFRM_IN] = false;
	drop_if_empty(r, s);
}

void xfrm_rules_free(struct xfrm_rules *r)
{
	struct xfrm_rule_set *s, *next;

	HASH_ITER(hh, r->all, s, next) {
		HASH_DEL(r->all, s);
		free(s);
	}
}
