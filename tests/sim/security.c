/* security.c -- the means of an attacker: datagrams of any kind, and those of a peer that has been authenticated. */
#include "engine/internal.h"
#include "security.h"

struct endpoint port_500(const struct node *n)
{
	return (struct endpoint){ .addr = n->addr, .port = 500 };
}

size_t give(struct trial *t, struct node *n, const struct endpoint *from, struct span bytes)
{
	size_t before = n->sent_octets;
	struct endpoint local = port_500(n);

	ike_clock(n->ike, world_now(t->w));
	ike_datagram(n->ike, world_now(t->w), &local, from, bytes);
	return n->sent_octets - before;
}

size_t give_as_peer(struct trial *t, struct node *n, struct span bytes)
{
	struct endpoint from = port_500(n == t->a ? t->b : t->a);

	return give(t, n, &from, bytes);
}

static struct exchange *first_of(const struct node *n, bool final)
{
	struct exchange *x = engine_first(n->ike->engine);

	while (x != NULL && (exchange_final(x) != final || (final && x->machine->phase != 1)))
		x = engine_next(x);
	return x;
}

struct exchange *isakmp_sa(const struct node *n)
{
	return first_of(n, true);
}

struct exchange *unfinished(const struct node *n)
{
	return first_of(n, false);
}

bool bring_up(struct trial *t)
{
	node_initiate(t->a, "net");
	world_run(t->w, 2000);
	trial_check_up(t);
	return trial_expect(t, isakmp_sa(t->a) != NULL && isakmp_sa(t->b) != NULL, "no ISAKMP SA");
}

size_t make_message(uint8_t *p, const uint8_t cookies[16], uint8_t type, uint8_t flags, uint32_t msgid, uint8_t np,
		    const void *body, size_t n)
{
	struct writer w = writer_on(p, DATAGRAM_MAX);

	w.n = HEADER_SIZE;
	memset(p, 0, HEADER_SIZE);
	memcpy(p + HEADER_OFFSET_ICOOKIE, cookies, 16);
	patch_u8(&w, HEADER_OFFSET_NP, np);
	patch_u8(&w, HEADER_OFFSET_MAJOR, 0x10);
	patch_u8(&w, HEADER_OFFSET_XCHG, type);
	patch_u8(&w, HEADER_OFFSET_FLAGS, flags);
	patch_u32(&w, HEADER_OFFSET_MSGID, msgid);
	put_bytes(&w, span_of(body, n));
	patch_u32(&w, HEADER_OFFSET_LENGTH, (uint32_t)w.n);
	return w.n;
}

/* Under the ISAKMP SA of n, as its engine would send it. */
static void send_under(struct trial *t, struct node *n, uint32_t msgid, const struct message_desc *m,
		       uint32_t variants, uint16_t iv, uint16_t key, const void *out)
{
	struct exchange *x = isakmp_sa(n);
	struct node *to = n == t->a ? t->b : t->a;
	struct exchange one = { 0 };
	struct engine *e = n->ike->engine;
	struct span bytes;

	if (!trial_expect(t, x != NULL, "no ISAKMP SA to attack under"))
		return;
	one = (struct exchange){ .engine = e, .parent = x, .local = x->local, .remote = x->remote,
				 .msgid = msgid };
	memcpy(one.cookies, x->cookies, sizeof(one.cookies));
	engine_enter(e, world_now(t->w));
	bytes = build_message(e, &one, m, variants, out, iv, key);
	trial_expect(t, bytes.n > 0, "the attack cannot be written");
	if (m->protection == PROTECTION_CLEAR && bytes.n > 0)
		e->out[HEADER_OFFSET_FLAGS] &= (uint8_t)~HEADER_FLAGS_ENCRYPTION;
	if (bytes.n > 0)
		give_as_peer(t, to, bytes);
	values_free(&one.values);
	engine_leave(e);
}

struct picture look(const struct node *n)
{
	struct picture p = { .half_open = n->ike->half_open, .added = n->added, .rekeyed = n->rekeyed,
			     .lost_cover = n->lost_cover };

	for (struct exchange *x = engine_first(n->ike->engine); x != NULL && p.n < EXCHANGES_MAX; x = engine_next(x)) {
		p.at[p.n].serial = x->serial;
		p.at[p.n].state = x->state;
		p.at[p.n++].parked = x->parked != NULL;
	}
	return p;
}

bool same(const struct picture *p, const struct picture *q)
{
	bool ok = p->n == q->n && p->half_open == q->half_open && p->added == q->added &&
		  p->rekeyed == q->rekeyed && p->lost_cover == q->lost_cover;

	for (size_t i = 0; ok && i < p->n; i++)
		ok = p->at[i].serial == q->at[i].serial && p->at[i].state == q->at[i].state &&
		     p->at[i].parked == q->at[i].parked;
	return ok;
}

void hostile_informational_as(struct trial *t, struct node *n, uint32_t msgid, const struct out_INF *out)
{
	send_under(t, n, msgid, &message_INF, 0, oneway_informational.iv, oneway_informational.cipher_key, out);
}

void hostile_informational(struct trial *t, struct node *n, const struct out_INF *out)
{
	hostile_informational_as(t, n, 1 + trial_pick(t, 0x7fffffff), out);
}

void hostile_quick(struct trial *t, struct node *n, uint32_t msgid, const struct out_QI1 *out)
{
	send_under(t, n, msgid, &message_QI1, 1u << VARIANT_NOPFS, machine_quick.iv,
		   machine_quick.cipher_key, out);
}

void hostile_quick_in_clear(struct trial *t, struct node *n, uint32_t msgid, const struct out_QI1 *out)
{
	struct message_desc clear = message_QI1;

	clear.protection = PROTECTION_CLEAR;
	send_under(t, n, msgid, &clear, 1u << VARIANT_NOPFS, KEY_NONE, KEY_NONE, out);
}

void hostile_delete(struct trial *t, struct node *n, uint8_t spi[4], size_t hash_octets, size_t right)
{
	struct exchange *x = isakmp_sa(n);
	struct exchange one = { .engine = n->ike->engine, .parent = x, .msgid = 1 + trial_pick(t, 0x7fffffff) };
	struct arena *a = arena_new();
	struct key_context c = { .arena = a };
	struct span own = span_of(spi, 4), hash;
	struct emit_D d = { .doi = DOI_ID_IPSEC, .protocol = PROTOCOL_ID_ESP, .spis = &own, .n_spis = 1 };
	uint8_t p[DATAGRAM_MAX], rest[64], bytes[64] = { 0 };
	struct writer r = writer_on(rest, sizeof(rest)), w = writer_on(p, sizeof(p));

	memcpy(one.cookies, x->cookies, sizeof(one.cookies));
	emit_D(&r, PAYLOAD_TYPE_NONE, &d);
	c.rest = writer_span(&r);
	hash = keys_value(&one, &c, message_INF.slots[SLOT_INF_HASH_1].hash, 0);
	if (trial_expect(t, hash.n >= right, "the hash cannot be computed") && right > 0)
		memcpy(bytes, hash.p, right);
	w.n = make_message(p, x->cookies, EXCHANGE_TYPE_INFORMATIONAL, 1, one.msgid, PAYLOAD_TYPE_HASH, NULL, 0);
	put_u8(&w, PAYLOAD_TYPE_D);
	put_u8(&w, 0);
	put_u16(&w, (uint16_t)(GENERIC_SIZE + hash_octets));
	put_bytes(&w, span_of(bytes, hash_octets));
	put_bytes(&w, writer_span(&r));
	if (trial_expect(t, protect_seal(n->ike->engine, &one, oneway_informational.iv, oneway_informational.cipher_key, &w),
			 "the attack cannot be encrypted"))
		give_as_peer(t, n == t->a ? t->b : t->a, writer_span(&w));
	values_free(&one.values);
	arena_free(a);
}

void offer_of(struct trial *t, struct arena *a, struct node *n, uint32_t spi, struct out_QI1 *out)
{
	uint32_t spis[PROTOCOL_ID_IPCOMP + 1] = { 0 };
	struct emit_SA *sa = ARENA_NEW(a, struct emit_SA);
	uint8_t *nonce = arena_alloc(a, 16);

	for (unsigned i = 0; i < 16; i++)
		nonce[i] = (uint8_t)trial_pick(t, 256);
	spis[PROTOCOL_ID_ESP] = spi;
	offer_ipsec(a, phase1_of(isakmp_sa(n))->c, spis, 0, ENCAPSULATION_MODE_TUNNEL, sa);
	*out = (struct out_QI1){ .SAi = sa, .n_SAi = 1, .Ni.data = span_of(nonce, 16), .has_IDci = true };
	out->IDci = (struct emit_ID){ .type = ID_TYPE_IPV4_ADDR_SUBNET, .data = span_of("\12\0\1\0\377\377\377\0", 8) };
	out->IDcr = (struct emit_ID){ .type = ID_TYPE_IPV4_ADDR_SUBNET, .data = span_of("\12\0\2\0\377\377\377\0", 8) };
}
