/* eroute.c -- the eroute table.
 *
 * All eroutes stand in one hash table under their exact selectors.  The combinations of prefix
 * lengths (and of protocol and ports given or not) that are in use are kept as `patterns`, the
 * most specific first: a lookup masks the packet's fields to each pattern in turn and probes. */
#include "kernel/eroute.h"

#include "base/siphash.h"
#include "base/writer.h"
#include "base/xalloc.h"
#include "generated/limits.h"
#include "kernel/packet.h"

struct pattern {
	uint8_t family;		/* octets of an address */
	uint8_t dst_bits, src_bits;
	bool protocol, sport, dport;	/* given by the eroute */
	size_t users;
};

struct eroutes {
	struct eroute *head;
	struct pattern *patterns;	/* most specific first */
	size_t n_patterns;
	unsigned held;		/* packets, of all traps */
	uint8_t hash_key[16];
};

struct eroutes *eroutes_new(const uint8_t hash_key[16])
{
	struct eroutes *t = NEW(struct eroutes);

	memcpy(t->hash_key, hash_key, sizeof t->hash_key);
	return t;
}

void eroutes_free(struct eroutes *t)
{
	struct eroute *e, *next;

	if (t == NULL)
		return;
	HASH_ITER(hh, t->head, e, next) {
		HASH_DEL(t->head, e);
		held_drop(&e->held, &t->held);
		free(e);
	}
	free(t->patterns);
	free(t);
}

size_t eroutes_count(const struct eroutes *t)
{
	return HASH_COUNT(t->head);
}

static struct pattern pattern_of(const struct kernel_eroute *e)
{
	return (struct pattern){ .family = e->dst.addr.len, .dst_bits = e->dst.bits, .src_bits = e->src.bits,
			       .protocol = e->client_protocol != 0, .sport = e->src_port != 0,
			       .dport = e->dst_port != 0 };
}

static int given(const struct pattern *s)
{
	return s->protocol + s->sport + s->dport;
}

/* Negative when a is the more specific one; 0 only for the same pattern. */
static int pattern_order(const struct pattern *a, const struct pattern *b)
{
	if (a->dst_bits != b->dst_bits)
		return b->dst_bits - a->dst_bits;
	if (a->src_bits != b->src_bits)
		return b->src_bits - a->src_bits;
	if (given(a) != given(b))
		return given(b) - given(a);
	if (a->dport != b->dport)
		return b->dport - a->dport;
	if (a->sport != b->sport)
		return b->sport - a->sport;
	return b->family - a->family;
}

static void pattern_use(struct eroutes *t, struct pattern s)
{
	size_t i = 0;

	while (i < t->n_patterns && pattern_order(&t->patterns[i], &s) < 0)
		i++;
	if (i == t->n_patterns || pattern_order(&t->patterns[i], &s) != 0) {
		t->patterns = xrealloc(t->patterns, (t->n_patterns + 1) * sizeof *t->patterns);
		memmove(&t->patterns[i + 1], &t->patterns[i], (t->n_patterns - i) * sizeof *t->patterns);
		t->patterns[i] = s;
		t->n_patterns++;
	}
	t->patterns[i].users++;
}

static void pattern_leave(struct eroutes *t, struct pattern s)
{
	for (size_t i = 0; i < t->n_patterns; i++) {
		if (pattern_order(&t->patterns[i], &s) != 0)
			continue;
		if (--t->patterns[i].users == 0) {
			t->n_patterns--;
			memmove(&t->patterns[i], &t->patterns[i + 1],
				(t->n_patterns - i) * sizeof *t->patterns);
		}
		return;
	}
}

/* The first `bits` bits of a, and zeros up to 16 octets. */
static void put_masked(struct writer *w, const struct ip_addr *a, uint8_t bits)
{
	uint8_t b[16] = { 0 };
	size_t whole = bits / 8;

	memcpy(b, a->b, whole);
	if (bits % 8 != 0)
		b[whole] = (uint8_t)(a->b[whole] & 0xff << (8 - bits % 8));
	put_bytes(w, span_of(b, sizeof b));
	put_u8(w, bits);
}

static void make_key(uint8_t key[EROUTE_KEY], const struct pattern *s, const struct ip_addr *src,
		     const struct ip_addr *dst, uint8_t protocol, uint16_t sport, uint16_t dport)
{
	struct writer w = writer_on(key, EROUTE_KEY);

	put_u8(&w, s->family);
	put_masked(&w, dst, s->dst_bits);
	put_masked(&w, src, s->src_bits);
	put_u8(&w, s->protocol ? protocol : 0);
	put_u16(&w, s->sport ? sport : 0);
	put_u16(&w, s->dport ? dport : 0);
}

static struct eroute *probe(const struct eroutes *t, const uint8_t key[EROUTE_KEY])
{
	unsigned hash = (unsigned)siphash(t->hash_key, span_of(key, EROUTE_KEY));
	struct eroute *e;

	HASH_FIND_BYHASHVALUE(hh, t->head, key, EROUTE_KEY, hash, e);
	return e;
}

static void exact_key(uint8_t key[EROUTE_KEY], const struct kernel_eroute *e)
{
	struct pattern s = pattern_of(e);

	make_key(key, &s, &e->src.addr, &e->dst.addr, e->client_protocol, e->src_port, e->dst_port);
}

static bool well_formed(const struct kernel_eroute *e)
{
	size_t bits = e->dst.addr.len * 8u;

	return (e->dst.addr.len == 4 || e->dst.addr.len == 16) && e->src.addr.len == e->dst.addr.len &&
	       e->src.bits <= bits && e->dst.bits <= bits && e->n_sas <= EROUTE_SAS &&
	       (e->kind == EROUTE_SA) == (e->n_sas > 0);
}

struct eroute *eroute_exact(const struct eroutes *t, const struct kernel_eroute *e)
{
	uint8_t key[EROUTE_KEY];

	if (!well_formed(e))
		return NULL;
	exact_key(key, e);
	return probe(t, key);
}

enum reason eroute_set(struct eroutes *t, const struct kernel_eroute *is, unsigned device, bool *added)
{
	struct eroute *e;
	unsigned hash;

	if (!well_formed(is))
		return REASON_KLIPS_EROUTE_MALFORMED;
	e = eroute_exact(t, is);
	*added = e == NULL;
	if (e == NULL) {
		if (eroutes_count(t) >= LIMIT_KLIPS_EROUTES)
			return REASON_KLIPS_EROUTE_FULL;
		e = NEW(struct eroute);
		exact_key(e->key, is);
		hash = (unsigned)siphash(t->hash_key, span_of(e->key, EROUTE_KEY));
		HASH_ADD_KEYPTR_BYHASHVALUE(hh, t->head, e->key, EROUTE_KEY, hash, e);
		pattern_use(t, pattern_of(is));
	}
	e->is = *is;
	e->is.interface = NULL;
	e->device = device;
	e->last_trap = e->reported = 0;
	if (is->kind == EROUTE_PASS || (is->kind == EROUTE_TRAP && !is->hold))
		held_drop(&e->held, &t->held);
	return REASON_NONE;
}

bool eroute_del(struct eroutes *t, const struct kernel_eroute *is)
{
	struct eroute *e = eroute_exact(t, is);

	if (e == NULL)
		return false;
	HASH_DEL(t->head, e);
	pattern_leave(t, pattern_of(&e->is));
	held_drop(&e->held, &t->held);
	free(e);
	return true;
}

struct eroute *eroute_lookup(const struct eroutes *t, const struct flow *f)
{
	uint8_t key[EROUTE_KEY];
	struct eroute *e;

	for (size_t i = 0; i < t->n_patterns; i++) {
		const struct pattern *s = &t->patterns[i];

		if (s->family != f->dst.len)
			continue;
		make_key(key, s, &f->src, &f->dst, f->protocol, f->sport, f->dport);
		e = probe(t, key);
		if (e != NULL)
			return e;
	}
	return NULL;
}

bool eroute_burst(struct eroute *e, uint64_t now_ms, uint64_t quiet_ms, uint64_t again_ms)
{
	bool first = e->reported == 0 || now_ms - e->last_trap >= quiet_ms ||
		     now_ms - e->reported >= again_ms;

	e->last_trap = now_ms;
	if (first)
		e->reported = now_ms;
	return first;
}

void eroute_hold(struct eroutes *t, struct eroute *e, struct span packet, uint64_t now_ms)
{
	if (e->is.kind == EROUTE_TRAP && e->is.hold)
		held_add(&e->held, LIMIT_KLIPS_HELD, &t->held, packet, now_ms);
}

struct held_packet *eroute_release(struct eroutes *t, struct eroute *e, uint64_t now_ms)
{
	return held_take(&e->held, &t->held, now_ms);
}
