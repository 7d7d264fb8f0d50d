/* sadb.c -- the table of security associations, hashed by destination, protocol and SPI. */
#include "kernel/sadb.h"

#include "base/siphash.h"
#include "base/text.h"
#include "base/writer.h"
#include "base/xalloc.h"
#include "generated/limits.h"
#include "kernel/ipcomp.h"
#include "kernel/packet.h"

#include <inttypes.h>
#include <netinet/in.h>

struct sadb {
	struct sa *head;
	uint8_t hash_key[16];
	unsigned early;		/* packets, of all larval SAs */
	struct ipcomp *comp;	/* shared by all SAs of IPComp; NULL until there is one */
};

struct sadb *sadb_new(const uint8_t hash_key[16])
{
	struct sadb *db = NEW(struct sadb);

	memcpy(db->hash_key, hash_key, sizeof db->hash_key);
	return db;
}

static void sa_free(struct sa *sa)
{
	transform_free(sa->transform);
	wipe(sa, sizeof *sa);
	free(sa);
}

static void drop(struct sadb *db, struct sa *sa)
{
	HASH_DEL(db->head, sa);
	held_drop(&sa->early, &db->early);
	sa_free(sa);
}

void sadb_free(struct sadb *db)
{
	struct sa *sa, *next;

	if (db == NULL)
		return;
	HASH_ITER(hh, db->head, sa, next)
		drop(db, sa);
	ipcomp_free(db->comp);
	wipe(db, sizeof *db);
	free(db);
}

size_t sadb_count(const struct sadb *db)
{
	return HASH_COUNT(db->head);
}

/* Unused octets of the address are zero whatever the caller left in them. */
static void make_key(uint8_t key[SADB_KEY], const struct sa_id *id)
{
	struct writer w = writer_on(key, SADB_KEY);
	struct span dst = addr_bytes(&id->dst);

	put_bytes(&w, dst);
	put_zero(&w, sizeof id->dst.b - dst.n);
	put_u8(&w, id->dst.len);
	put_u8(&w, id->protocol);
	put_u32(&w, id->spi);
}

static unsigned hash_of(const struct sadb *db, const uint8_t key[SADB_KEY])
{
	return (unsigned)siphash(db->hash_key, span_of(key, SADB_KEY));
}

struct sa *sadb_find(const struct sadb *db, const struct sa_id *id)
{
	uint8_t key[SADB_KEY];
	struct sa *sa;

	make_key(key, id);
	HASH_FIND_BYHASHVALUE(hh, db->head, key, SADB_KEY, hash_of(db, key), sa);
	return sa;
}

static void enter(struct sadb *db, struct sa *sa)
{
	make_key(sa->key, &sa->id);
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, db->head, sa->key, SADB_KEY, hash_of(db, sa->key), sa);
}

enum reason sadb_reserve(struct sadb *db, const struct ip_addr *dst, uint8_t protocol, uint32_t lo,
			 uint32_t hi, uint32_t draw, uint64_t now, uint32_t *spi)
{
	uint64_t range = (uint64_t)hi - lo + 1;
	struct sa_id id = { .dst = *dst, .protocol = protocol };
	struct sa *sa;

	if (lo == 0 || hi < lo)
		return REASON_KLIPS_SPI_RANGE;
	if (sadb_count(db) >= LIMIT_KLIPS_SAS)
		return REASON_KLIPS_SA_FULL;
	for (uint64_t i = 0; i < range; i++) {
		id.spi = (uint32_t)(lo + (draw + i) % range);
		if (sadb_find(db, &id) != NULL)
			continue;
		sa = NEW(struct sa);
		sa->id = id;
		sa->larval = true;
		sa->inbound = true;
		sa->born = now;
		enter(db, sa);
		*spi = id.spi;
		return REASON_NONE;
	}
	return REASON_KLIPS_SPI_USED_UP;
}

static enum reason check_comp(const struct kernel_sa *sa)
{
	if (sa->cipher != ALG_NONE || sa->mac != ALG_NONE || alg_table[sa->comp].kind != ALG_KIND_COMPRESSION)
		return REASON_KLIPS_SA_ALGORITHM;
	return sa->id.spi > UINT16_MAX ? REASON_KLIPS_SPI_RANGE : REASON_NONE;
}

/* An SA that would not protect what passes is refused here, whoever asks for it. */
static enum reason check(const struct kernel_sa *sa)
{
	bool aead = alg_table[sa->cipher].kind == ALG_KIND_AEAD;

	if (sa->id.protocol != IPPROTO_ESP && sa->id.protocol != IPPROTO_AH && sa->id.protocol != IPPROTO_COMP)
		return REASON_KLIPS_SA_PROTOCOL;
	if (sa->id.spi == 0 || addr_is_none(&sa->id.dst))
		return REASON_KLIPS_SPI_RANGE;
	if (sa->id.dst.len != sa->src.len)
		return REASON_KLIPS_SA_FAMILY;
	if (sa->id.protocol == IPPROTO_COMP)
		return check_comp(sa);
	if (sa->comp != ALG_NONE)
		return REASON_KLIPS_SA_ALGORITHM;
	if (!aead && sa->mac == ALG_NONE)
		return REASON_KLIPS_SA_NO_AUTH;
	if (sa->id.protocol == IPPROTO_AH ? sa->cipher != ALG_NONE : sa->cipher == ALG_NONE)
		return REASON_KLIPS_SA_ALGORITHM;
	return REASON_NONE;
}

static void describe(struct sa *sa, const struct kernel_sa *from)
{
	sa->soft = from->soft;
	sa->hard = from->hard;
	sa->id = from->id;
	sa->src = from->src;
	sa->inbound = from->inbound;
	sa->tunnel = from->tunnel;
	sa->src_client = from->src_client;
	sa->dst_client = from->dst_client;
	sa->client_protocol = from->client_protocol;
	sa->src_port = from->src_port;
	sa->dst_port = from->dst_port;
	sa->encap_sport = from->encap_sport;
	sa->encap_dport = from->encap_dport;
	sa->reqid = from->reqid;
	sa->inner_tunnel = from->tunnel || from->inner_tunnel;
	sa->outwards = from->outwards;
	sa->inwards = from->inwards;
	replay_init(&sa->replay, from->replay_window);
}

/* What its packets are worked on with. */
static enum reason equip(struct sadb *db, struct sa *sa, const struct kernel_sa *from)
{
	struct transform *t;
	const char *why;

	if (from->comp != ALG_NONE) {
		if (db->comp == NULL)
			db->comp = ipcomp_new(from->comp);
		sa->comp = db->comp;
		return db->comp == NULL ? REASON_KLIPS_SA_ALGORITHM : REASON_NONE;
	}
	t = transform_new(from->cipher, from->cipher_key, from->mac, from->mac_key, &why);
	if (t == NULL)
		return REASON_KLIPS_SA_ALGORITHM;
	sa->transform = t;
	sa->iv = transform_iv(t);
	sa->icv = transform_icv(t);
	sa->align = transform_align(t);
	sa->counter_iv = alg_table[from->cipher].kind == ALG_KIND_AEAD;
	return REASON_NONE;
}

enum reason sadb_add(struct sadb *db, const struct kernel_sa *from, unsigned device, uint64_t now)
{
	struct sa *old = sadb_find(db, &from->id), *sa;
	enum reason bad = check(from);

	if (bad != REASON_NONE)
		return bad;
	if (old != NULL && !old->larval)
		return REASON_KLIPS_SA_EXISTS;
	if (old == NULL && sadb_count(db) >= LIMIT_KLIPS_SAS)
		return REASON_KLIPS_SA_FULL;
	sa = NEW(struct sa);
	bad = equip(db, sa, from);
	if (bad != REASON_NONE) {
		free(sa);
		return bad;
	}
	if (old != NULL) {
		held_move(&sa->early, &old->early);
		drop(db, old);
	}
	describe(sa, from);
	sa->device = device;
	sa->born = now;
	enter(db, sa);
	return REASON_NONE;
}

void sadb_hold(struct sadb *db, struct sa *sa, struct span packet, uint64_t now_ms)
{
	held_add(&sa->early, LIMIT_KLIPS_EARLY, &db->early, packet, now_ms);
}

struct held_packet *sadb_release(struct sadb *db, struct sa *sa, uint64_t now_ms)
{
	return held_take(&sa->early, &db->early, now_ms);
}

enum reason sadb_move(struct sadb *db, const struct sa_id *id, bool inbound, const struct endpoint *peer)
{
	struct sa *sa = sadb_find(db, id);
	struct sa_id to = *id;

	if (sa == NULL || sa->larval || sa->inbound != inbound)
		return REASON_KLIPS_SA_UNKNOWN;
	if (peer->addr.len != id->dst.len) {
		drop(db, sa);
		return REASON_KLIPS_SA_FAMILY;
	}
	if (inbound) {
		sa->src = peer->addr;
		if (sa->encap_sport != 0)
			sa->encap_sport = peer->port;
		return REASON_NONE;
	}
	to.dst = peer->addr;
	if (!addr_eq(&to.dst, &id->dst) && sadb_find(db, &to) != NULL) {
		drop(db, sa);
		return REASON_KLIPS_SA_EXISTS;
	}
	HASH_DELETE(hh, db->head, sa);
	sa->id = to;
	sa->pmtu = 0;			/* another path */
	enter(db, sa);
	if (sa->encap_dport != 0)
		sa->encap_dport = peer->port;
	return REASON_NONE;
}

bool sadb_del(struct sadb *db, const struct sa_id *id, struct kernel_counts *counts)
{
	struct sa *sa = sadb_find(db, id);

	if (sa == NULL)
		return false;
	*counts = sa->counts;
	drop(db, sa);
	return true;
}

void sadb_expire_larval(struct sadb *db, uint64_t now, uint64_t age)
{
	struct sa *sa, *next;

	HASH_ITER(hh, db->head, sa, next)
		if (sa->larval && now - sa->born >= age)
			drop(db, sa);
}

/* A selector "none" (no length) admits any address. */
static bool admits(const struct subnet *s, const struct ip_addr *a)
{
	return addr_is_none(&s->addr) || subnet_has(s, a);
}

bool sa_selects(const struct sa *sa, const struct flow *f)
{
	return admits(&sa->src_client, &f->src) && admits(&sa->dst_client, &f->dst) &&
	       (sa->client_protocol == 0 || sa->client_protocol == f->protocol) &&
	       (sa->src_port == 0 || sa->src_port == f->sport) &&
	       (sa->dst_port == 0 || sa->dst_port == f->dport);
}

char *sa_format(const struct sa_id *id, char dst[SA_TEXT])
{
	char addr[ADDR_TEXT];
	struct text t = text_on(dst, SA_TEXT);

	switch (id->protocol) {
	case IPPROTO_ESP:
		text_add(&t, "esp");
		break;
	case IPPROTO_AH:
		text_add(&t, "ah");
		break;
	case IPPROTO_COMP:
		text_add(&t, "comp");
		break;
	default:
		text_add(&t, "proto%u", id->protocol);
	}
	text_add(&t, ".%08" PRIx32 "@%s", id->spi, addr_format(&id->dst, addr));
	return dst;
}
