/* drafts.c -- NAT traversal as others write it: peers that know only a draft of RFC 3947, with its numbers, and every way to
 * say who is behind a NAT. */
#include <stdio.h>

#include "crypto/hash.h"
#include "generated/limits.h"
#include "generated/vendors.h"
#include "ike/internal.h"
#include "odd.h"

/* The numbers of the drafts (draft-ietf-ipsec-nat-t-ike-02 and -03, 3.2, 5.1, 5.2), which the specification calls aliases. */
#define DRAFT_NATD 130
#define DRAFT_NATOA 131
#define DRAFT_UDP_TUNNEL 61443
#define DRAFT_UDP_TRANSPORT 61444

static const struct subnet office = { { 4, { 10, 0, 1 } }, 24 }, branch = { { 4, { 10, 0, 2 } }, 24 };

/* East, which begins, is behind a NAT, and in half of the runs west, too, to whose ports its NAT forwards. */
static void begin(struct trial *t, bool transport, bool aggressive, bool both)
{
	struct control_connection c = t->c;
	struct sim_nat *nat = world_nat(t->w, "192.0.2.99"), *other = world_nat(t->w, "192.0.2.98");

	t->a->nat = nat;
	c.aggressive = aggressive;
	c.encrypt = c.psk = true;
	c.authenticate = c.compress = c.pfs = false;
	c.tunnel = !transport;
	c.left = (struct control_end){ .host = t->a->addr, .ikeport = 500, .nattport = 4500, .id = span_str("@east") };
	c.right = (struct control_end){ .host = t->b->addr, .ikeport = 500, .nattport = 4500, .id = span_str("@west") };
	if (!transport) {
		c.left.client = branch;
		c.right.client = office;
	}
	if (both) {
		t->b->nat = other;
		nat_forward(other, t->b, 500);
		nat_forward(other, t->b, 4500);
		c.right.host = other->addr;
	}
	node_connection(t->a, &c);
	c.right.host = t->b->addr;
	c.left.host = (struct ip_addr){ 0 };
	node_connection(t->b, &c);
	node_listen(t->a);
	node_listen(t->b);
}

static const struct phase1 *established(const struct node *n)
{
	for (struct exchange *x = engine_first(n->ike->engine); x != NULL; x = engine_next(x))
		if (x->machine->phase == 1 && exchange_final(x))
			return phase1_of(x);
	return NULL;
}

/* ---- a peer that knows only a draft ------------------------------------------------ */

static const enum vendor drafts[] = { VENDOR_NAT_T_02, VENDOR_NAT_T_02N, VENDOR_NAT_T_03 };

struct draft {
	enum vendor knows;
	unsigned vendors[2];		/* in the first messages: of the draft, of anything else of NAT traversal */
	unsigned discoveries, originals, modes;	/* by numbers of the drafts */
	unsigned standard;		/* by those of RFC 3947 */
};

static bool is_natt(enum vendor v)
{
	return v >= VENDOR_NAT_T_02 && v <= VENDOR_NAT_T;
}

/* Of what says that NAT traversal is known only the draft's stays. */
static void keep_draft(struct draft *d, struct odd_list *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		enum vendor v = l->at[i].type == PAYLOAD_TYPE_VID ? vendor_find(l->at[i].body) : VENDOR_NONE;

		if (is_natt(v) && v != d->knows) {
			d->vendors[1]++;
			continue;
		}
		d->vendors[0] += v == d->knows;
		l->at[n++] = l->at[i];
	}
	l->n = n;
}

/* The encapsulation modes in the transforms of an SA, as they stand on the wire. */
static void count_modes(struct draft *d, struct span sa)
{
	for (size_t i = 0; i + 4 <= sa.n; i++) {
		uint16_t mode = get_u16(sa.p + i + 2);

		if (get_u16(sa.p + i) != (0x8000 | IPSEC_ATTRIBUTE_ENCAPSULATION_MODE))
			continue;
		d->modes += mode == DRAFT_UDP_TUNNEL || mode == DRAFT_UDP_TRANSPORT;
		d->standard += mode == ENCAPSULATION_MODE_UDP_TUNNEL || mode == ENCAPSULATION_MODE_UDP_TRANSPORT;
	}
}

static void look(void *ctx, struct span header, struct odd_list *l)
{
	struct draft *d = ctx;

	keep_draft(d, l);
	for (size_t i = 0; i < l->n; i++) {
		d->discoveries += l->at[i].type == DRAFT_NATD;
		d->originals += l->at[i].type == DRAFT_NATOA;
		d->standard += l->at[i].type == PAYLOAD_TYPE_NATD || l->at[i].type == PAYLOAD_TYPE_NATOA;
		if (header.p[HEADER_OFFSET_XCHG] == EXCHANGE_TYPE_QUICK && l->at[i].type == PAYLOAD_TYPE_SA)
			count_modes(d, l->at[i].body);
	}
}

/* Who begins has its other vendor IDs taken away, so that who answers sees a peer with the draft's alone, and answers with
 * that alone: both roles meet such a peer, and both must write by its numbers. */
void run_nat_drafts(struct trial *t)
{
	struct draft d = { .knows = drafts[t->seed % 3] };
	struct odd odd = { .what = ODD_DRAFT, .change = look, .ctx = &d };
	bool transport = t->seed / 3 % 2 != 0, both = t->seed / 6 % 2 != 0, aggressive = t->seed / 12 % 2 != 0;
	const struct phase1 *p[2];
	const struct sim_sa *there, *back;

	begin(t, transport, aggressive, both);
	odd_initiate(t, &odd);
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS, "ended with %u: %s (west: %s)", t->a->last_status,
		     t->a->answer, t->b->refusal);
	trial_expect(t, d.vendors[0] == 2 && d.vendors[1] == 3, "%u vendor IDs of the draft, %u others", d.vendors[0], d.vendors[1]);
	trial_expect(t, d.discoveries == 4 && d.modes >= 2 && d.originals == (transport ? 2 : 0),
		     "%u NAT-D, %u NAT-OA, %u modes by the numbers of the drafts", d.discoveries, d.originals, d.modes);
	trial_expect(t, d.standard == 0, "%u numbers of RFC 3947", d.standard);
	p[0] = established(t->a);
	p[1] = established(t->b);
	for (unsigned i = 0; i < 2; i++)
		trial_expect(t, p[i] != NULL && p[i]->natt.method == d.knows && p[i]->natt.us == (both || i == 0) &&
				p[i]->natt.peer == (both || i == 1), "%s has found something else", i == 0 ? "east" : "west");
	there = node_outbound(t->a, transport ? (both ? "192.0.2.98/32" : "192.0.2.2/32") : "10.0.1.0/24");
	back = node_outbound(t->b, transport ? "192.0.2.99/32" : "10.0.2.0/24");
	trial_expect(t, there != NULL && there->in_udp && there->tunnel == !transport, "east does not send in UDP");
	trial_expect(t, back != NULL && back->in_udp && back->tunnel == !transport, "west does not send in UDP");
	odd_over(t);
	trial_check_sound(t);
}

/* ---- a connection without NAT traversal --------------------------------------------- */

struct refrained { unsigned vendors[2], discoveries; };	/* of the initiator, of the responder */

static void count(void *ctx, struct span header, struct odd_list *l)
{
	static const uint8_t none[8];
	struct refrained *r = ctx;
	bool answer = !span_eq(span_sub(header, HEADER_OFFSET_RCOOKIE, 8), span_of(none, 8));

	for (size_t i = 0; i < l->n; i++) {
		r->vendors[answer] += l->at[i].type == PAYLOAD_TYPE_VID && is_natt(vendor_find(l->at[i].body));
		r->discoveries += l->at[i].type == PAYLOAD_TYPE_NATD || l->at[i].type == DRAFT_NATD;
	}
}

/* --encapsulation no at either end: it does not offer NAT traversal, and takes no notice when the other end does. */
void run_nat_forbidden(struct trial *t)
{
	struct refrained r = { .discoveries = 0 };
	struct odd odd = { .what = ODD_DRAFT, .change = count, .ctx = &r };
	bool by_initiator = t->seed % 2 != 0;
	const struct sim_sa *out;

	t->c.left.client = branch;
	t->c.right.client = office;
	t->c.tunnel = t->c.psk = t->c.encrypt = true;
	t->c.authenticate = t->c.compress = t->c.pfs = false;
	t->c.aggressive = t->seed / 2 % 2 != 0;
	t->c.encapsulation = by_initiator ? UDP_ENCAPSULATION_NO : UDP_ENCAPSULATION_YES;
	node_connection(t->a, &t->c);
	t->c.encapsulation = by_initiator ? UDP_ENCAPSULATION_YES : UDP_ENCAPSULATION_NO;
	node_connection(t->b, &t->c);
	node_listen(t->a);
	node_listen(t->b);
	odd_initiate(t, &odd);
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS, "ended with %u: %s", t->a->last_status, t->b->refusal);
	trial_expect(t, r.vendors[0] == (by_initiator ? 0 : 4) && r.vendors[1] == 0 && r.discoveries == 0,
		     "%u and %u vendor IDs, %u NAT-D", r.vendors[0], r.vendors[1], r.discoveries);
	out = node_outbound(t->a, "10.0.1.0/24");
	trial_expect(t, out != NULL && !out->in_udp, "ESP goes in UDP");
	trial_expect(t, !node_said(t->a, "natt_forbidden") && !node_said(t->b, "natt_forbidden") &&
			!node_said(t->a, "natt_unused") && !node_said(t->b, "natt_unused"), "warned of a NAT that is not there");
	odd_over(t);
	trial_check_sound(t);
}

/* There is a NAT, and at one end or at both --encapsulation no: ESP goes without UDP, and who sees the NAT warns of it. */
void run_nat_unserved(struct trial *t)
{
	bool both = t->seed % 2 != 0;
	const struct sim_sa *out;

	t->c.encapsulation = UDP_ENCAPSULATION_NO;
	begin(t, false, t->seed / 2 % 2 != 0, false);
	if (!both) {
		struct control_connection c = t->c;

		c.encapsulation = UDP_ENCAPSULATION_AUTO;
		c.tunnel = c.psk = c.encrypt = c.replace = true;
		c.authenticate = c.compress = c.pfs = false;
		c.aggressive = t->seed / 2 % 2 != 0;
		c.left = (struct control_end){ .ikeport = 500, .nattport = 4500, .id = span_str("@east"), .client = branch };
		c.right = (struct control_end){ .host = t->b->addr, .ikeport = 500, .nattport = 4500,
						.id = span_str("@west"), .client = office };
		node_connection(t->b, &c);
	}
	node_initiate(t->a, "net");
	world_run(t->w, 60000);
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS, "ended with %u: %s", t->a->last_status, t->b->refusal);
	out = node_outbound(t->a, "10.0.1.0/24");
	trial_expect(t, out != NULL && !out->in_udp, "ESP goes in UDP");
	trial_expect(t, node_said(t->b, "natt_forbidden") == both && node_said(t->b, "natt_unused") == !both,
		     "west does not warn: %s", t->b->refusal);
	trial_expect(t, strstr(t->b->refusal, "the peer sends from port 20000, not 500") != NULL &&
			strstr(t->b->refusal, both ? "leave --encapsulation no out" : "let both ends do NAT traversal") != NULL,
		     "west warns of something else: %s", t->b->refusal);
	trial_expect(t, !node_said(t->a, "natt_forbidden"), "east warns of what it cannot see");
	trial_check_sound(t);
}

/* ---- who is behind a NAT ----------------------------------------------------------- */

enum { DEST, SOURCES, WRONG_DEST, SWAPPED, NO_SOURCE, LAST_SOURCE, TOO_LATE, SHORTER, NOTHING, CASES };

/* What a peer says of itself and of us, by case, and what is to be made of it. */
static const struct { bool us, peer, none; } found[CASES] = {
	[DEST] = { .us = false }, [SOURCES] = { .us = false }, [WRONG_DEST] = { .us = true },
	[SWAPPED] = { .us = true, .peer = true }, [NO_SOURCE] = { .peer = true }, [LAST_SOURCE] = { .peer = false },
	[TOO_LATE] = { .peer = true }, [SHORTER] = { .us = true, .peer = true }, [NOTHING] = { .none = true },
};

struct discovery {
	unsigned what;
	struct endpoint east, west;
	uint8_t hashes[LIMIT_NATT_SOURCES + 2][HASH_MAX];
	unsigned wrong;			/* hashes of east that are not those of RFC 3947 3.2 */
};

/* HASH(CKY-I | CKY-R | IP | port), computed without what the specification says of it. */
static struct span hash_of(const struct endpoint *e, struct span header, uint8_t out[HASH_MAX])
{
	uint8_t port[2] = { (uint8_t)(e->port >> 8), (uint8_t)e->port };
	struct span in[] = { span_sub(header, 0, 16), addr_bytes(&e->addr), span_of(port, 2) };

	return span_of(out, hash_spans(ALG_SHA2_256, in, 3, out));
}

static void put(struct odd_list *l, struct span hash)
{
	l->at[l->n].type = PAYLOAD_TYPE_NATD;
	l->at[l->n++].body = hash;
}

/* The hash of nobody's address. */
static struct span nobody(struct discovery *d, unsigned i)
{
	memset(d->hashes[i], 0x5a + (int)i, HASH_MAX);
	return span_of(d->hashes[i], hash_size(ALG_SHA2_256));
}

static void write_anew(struct discovery *d, struct odd_list *l, struct span dest, struct span source)
{
	struct span first = d->what == WRONG_DEST ? nobody(d, 2) : d->what == SWAPPED ? source : dest;
	unsigned before = d->what == SOURCES ? 1 : d->what == LAST_SOURCE ? LIMIT_NATT_SOURCES - 1 :
			  d->what == TOO_LATE ? LIMIT_NATT_SOURCES : 0;

	if (d->what == NOTHING)
		return;
	if (d->what == SHORTER) {
		first = span_sub(first, 0, first.n - 1);
		source = span_sub(source, 0, source.n - 1);
	}
	put(l, first);
	for (unsigned i = 0; i < before; i++)
		put(l, nobody(d, 3 + i % 4));
	put(l, d->what == SWAPPED ? dest : d->what == NO_SOURCE ? nobody(d, 2) : source);
}

/* MI2 and MR2 have them; what stands in the other messages is left alone. */
static void discover(void *ctx, struct span header, struct odd_list *l)
{
	struct discovery *d = ctx;
	struct span dest, source;
	bool from_east;
	size_t n = 0, had = 0;

	for (size_t i = 0; i < l->n; i++)
		had += l->at[i].type == PAYLOAD_TYPE_NATD;
	if (had == 0)
		return;
	dest = hash_of(&d->west, header, d->hashes[0]);
	source = hash_of(&d->east, header, d->hashes[1]);
	from_east = had == 2 && span_eq(l->at[l->n - 2].body, dest) && span_eq(l->at[l->n - 1].body, source);
	if (!from_east) {
		d->wrong += !span_eq(l->at[l->n - 2].body, source) || !span_eq(l->at[l->n - 1].body, dest);
		return;
	}
	for (size_t i = 0; i < l->n; i++)
		if (l->at[i].type != PAYLOAD_TYPE_NATD)
			l->at[n++] = l->at[i];
	l->n = n;
	write_anew(d, l, dest, source);
}

/* No NAT between them; east says this and that, and west draws its conclusions. */
void run_nat_discovery(struct trial *t)
{
	struct discovery d = { .what = (unsigned)t->seed % CASES, .east = { .addr = t->a->addr, .port = LIMIT_IKE_PORT },
			       .west = { .addr = t->b->addr, .port = LIMIT_IKE_PORT } };
	struct odd odd = { .what = ODD_DISCOVERY, .change = discover, .ctx = &d };
	const struct phase1 *p;

	t->c.ike = span_str("aes128-sha256-modp768");
	t->c.left.client = branch;
	t->c.right.client = office;
	t->c.tunnel = t->c.psk = t->c.encrypt = true;
	t->c.authenticate = t->c.compress = t->c.pfs = t->c.aggressive = false;
	trial_describe(t);
	odd_initiate(t, &odd);
	p = established(t->b);
	trial_expect(t, d.wrong == 0, "%u hashes are not those of RFC 3947", d.wrong);
	if (trial_expect(t, p != NULL, "case %u: no ISAKMP SA: %s", d.what, t->b->refusal)) {
		trial_expect(t, (p->natt.method == VENDOR_NONE) == found[d.what].none, "case %u: NAT traversal %s", d.what,
			     p->natt.method == VENDOR_NONE ? "given up" : "agreed on");
		trial_expect(t, p->natt.us == found[d.what].us && p->natt.peer == found[d.what].peer, "case %u: %s, %s", d.what,
			     p->natt.us ? "west is behind a NAT" : "west is behind none",
			     p->natt.peer ? "east, too" : "east is behind none");
	}
	odd_over(t);
	trial_check_sound(t);
}
