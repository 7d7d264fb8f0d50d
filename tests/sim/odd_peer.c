/* odd_peer.c -- what another implementation would write where ours does not: payloads before they are encrypted, numbers of
 * proposals, forms of attributes.
 *
 * Stands in the way of what writes our messages by the linker's --wrap, and does nothing unless odd_peer says so. */
#include "engine/internal.h"
#include "generated/actions.h"
#include "ike/idpayload.h"
#include "ike/internal.h"
#include "odd.h"

struct odd *odd_peer;

bool __real_protect_seal(struct engine *e, struct exchange *x, uint16_t iv, uint16_t key, struct writer *w);
bool __wrap_protect_seal(struct engine *e, struct exchange *x, uint16_t iv, uint16_t key, struct writer *w);
bool __real_id_emit(struct arena *a, const struct identity *id, struct emit_ID *out);
bool __wrap_id_emit(struct arena *a, const struct identity *id, struct emit_ID *out);
void __real_offer_ike(struct arena *a, const struct connection *c, uint32_t methods, struct emit_SA *sa);
void __wrap_offer_ike(struct arena *a, const struct connection *c, uint32_t methods, struct emit_SA *sa);
void __real_offer_ipsec(struct arena *a, const struct connection *c, const uint32_t *spis, uint16_t group, uint16_t mode,
			struct emit_SA *sa);
void __wrap_offer_ipsec(struct arena *a, const struct connection *c, const uint32_t *spis, uint16_t group, uint16_t mode,
			struct emit_SA *sa);
void __real_attributes_emit(struct writer *w, const struct attribute_table *t, const struct emit_attribute *a, size_t n);
void __wrap_attributes_emit(struct writer *w, const struct attribute_table *t, const struct emit_attribute *a, size_t n);
enum action_result __real_quick_inI1_outR1(struct action *a, const struct in_QI1 *in, struct out_QR1 *out);
enum action_result __wrap_quick_inI1_outR1(struct action *a, const struct in_QI1 *in, struct out_QR1 *out);

/* ---- payloads of a message in plain ------------------------------------------ */

static struct odd_list split(struct span bytes)
{
	struct odd_list l = { 0 };
	uint8_t np = bytes.p[HEADER_OFFSET_NP];

	for (size_t at = HEADER_SIZE; np != 0 && at + GENERIC_SIZE <= bytes.n && l.n < ODD_LIST_MAX;) {
		size_t n = get_u16(bytes.p + at + 2);

		l.at[l.n].type = np;
		l.at[l.n++].body = span_sub(bytes, at + GENERIC_SIZE, n - GENERIC_SIZE);
		np = bytes.p[at];
		at += n;
	}
	return l;
}

static void join(const struct odd_list *l, struct writer *w)
{
	w->n = HEADER_SIZE;
	patch_u8(w, HEADER_OFFSET_NP, l->at[0].type);
	for (size_t i = 0; i < l->n; i++) {
		put_u8(w, i + 1 < l->n ? l->at[i + 1].type : 0);
		put_u8(w, 0);
		put_u16(w, (uint16_t)(GENERIC_SIZE + l->at[i].body.n));
		put_bytes(w, l->at[i].body);
	}
	patch_u32(w, HEADER_OFFSET_LENGTH, (uint32_t)w->n);
}

static void swap(struct odd_list *l, size_t i, size_t k)
{
	struct odd_list before = *l;

	l->at[i] = before.at[k];
	l->at[k] = before.at[i];
}

/* Another order that RFC 2409 allows: SA comes first, in Quick Mode HASH and SA; the two identities of Quick Mode stay
 * beside each other, and so do the payloads of NAT-D. */
static void reorder(struct odd_list *l, uint8_t type)
{
	size_t first = type == EXCHANGE_TYPE_QUICK ? 2 : l->at[0].type == PAYLOAD_TYPE_SA;

	if (type == EXCHANGE_TYPE_INFORMATIONAL || l->n < first + 2 || l->at[first].type == PAYLOAD_TYPE_NATD)
		return;
	swap(l, first, first + 1);
	if (type == EXCHANGE_TYPE_QUICK && l->at[first].type == PAYLOAD_TYPE_ID)
		swap(l, first + 1, first + 2);
}

static void append(struct odd_list *l, uint8_t type, const void *body, size_t n)
{
	if (l->n == ODD_LIST_MAX)
		return;
	l->at[l->n].type = type;
	l->at[l->n++].body = span_of(body, n);
}

/* Notifications that mean nothing to us, of any kind: an error, one of a DOI, a private one; with and without an SPI. */
static void append_unknown(struct odd_list *l)
{
	append(l, PAYLOAD_TYPE_N, "\0\0\0\1\0\0\x1f\x40" "text", 12);
	append(l, PAYLOAD_TYPE_N, "\0\0\0\1\1\0\x60\x64", 8);
	append(l, PAYLOAD_TYPE_N, "\0\0\0\1\3\4\x9c\x45SPI!\1\2\3", 15);
}

/* Without INITIAL-CONTACT. */
static void keep_quiet(struct odd_list *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		if (l->at[i].type != PAYLOAD_TYPE_N || get_u16(l->at[i].body.p + 6) != NOTIFY_TYPE_INITIAL_CONTACT)
			l->at[n++] = l->at[i];
	odd_peer->done += n < l->n;
	l->n = n;
}

bool odd_in_payloads(enum oddity what)
{
	return what == ODD_ORDER || what == ODD_NOTIFICATIONS || what == ODD_REQUESTS || what == ODD_CERTIFICATE ||
	       what == ODD_LATE_CONTACT || what == ODD_DRAFT || what == ODD_DISCOVERY;
}

void odd_payloads(struct span plain, struct writer *w)
{
	struct odd_list l = split(plain);
	uint8_t type = plain.p[HEADER_OFFSET_XCHG];
	bool phase1 = type == EXCHANGE_TYPE_IDENTITY_PROTECT || type == EXCHANGE_TYPE_AGGRESSIVE;
	bool secret = (plain.p[HEADER_OFFSET_FLAGS] & HEADER_FLAGS_ENCRYPTION) != 0;

	if (odd_peer->what == ODD_ORDER)
		reorder(&l, type);
	else if (odd_peer->what == ODD_NOTIFICATIONS && type != EXCHANGE_TYPE_INFORMATIONAL)
		append_unknown(&l);
	else if (odd_peer->what == ODD_REQUESTS && phase1)
		append(&l, PAYLOAD_TYPE_CR, "\4any authority", 14);
	else if (odd_peer->what == ODD_CERTIFICATE && phase1 && secret)
		append(&l, PAYLOAD_TYPE_CERT, "\4a certificate", 14);
	else if (odd_peer->what == ODD_LATE_CONTACT && phase1 && secret)
		keep_quiet(&l);
	else if (odd_peer->change != NULL)
		odd_peer->change(odd_peer->ctx, plain, &l);
	odd_peer->done += odd_peer->what != ODD_LATE_CONTACT;
	join(&l, w);
}

/* ---- what is encrypted -------------------------------------------------------- */

/* HASH_1 and HASH_2 are of all that follows them. */
static void hash_again(struct engine *e, struct exchange *x, struct writer *w)
{
	struct key_context c = { .arena = e->arena };
	struct span hash;

	if (w->p[HEADER_OFFSET_XCHG] != EXCHANGE_TYPE_QUICK || w->p[HEADER_SIZE] != PAYLOAD_TYPE_SA)
		return;
	c.rest = span_from(writer_span(w), HEADER_SIZE + get_u16(w->p + HEADER_SIZE + 2));
	hash = keys_value(x, &c, x->role == ROLE_INITIATOR ? KEY_HASH_1 : KEY_HASH_2, 0);
	if (hash.p != NULL)
		memcpy(w->p + HEADER_SIZE + GENERIC_SIZE, hash.p, hash.n);
}

/* Some pad with a block more than they must, some with anything and its length in the last octet. */
static void pad(struct exchange *x, struct writer *w)
{
	size_t block = protect_block(x), n = block - (w->n - HEADER_SIZE) % block;

	if (odd_peer->what == ODD_PADDING_BLOCK)
		put_zero(w, n % block + block);
	else if (odd_peer->what == ODD_PADDING_MUCH)
		put_zero(w, n % block + 3 * 16);
	else
		for (size_t i = 1; i <= n; i++)
			put_u8(w, (uint8_t)(i < n ? 0xa0 + i : n - 1));
}

bool __wrap_protect_seal(struct engine *e, struct exchange *x, uint16_t iv, uint16_t key, struct writer *w)
{
	if (odd_peer != NULL && (odd_peer->what == ODD_PADDING_BLOCK || odd_peer->what == ODD_PADDING_LENGTH ||
				 odd_peer->what == ODD_PADDING_MUCH)) {
		pad(x, w);
		odd_peer->done++;
	} else if (odd_peer != NULL && odd_in_payloads(odd_peer->what)) {
		odd_payloads(arena_span(e->arena, writer_span(w)), w);
		hash_again(e, x, w);
	}
	return __real_protect_seal(e, x, iv, key, w);
}

/* ---- what an offer and an answer say ------------------------------------------- */

static uint8_t number_of(size_t i)
{
	static const uint8_t numbers[] = { 0, 5, 200 };

	if (odd_peer->what == ODD_SAME_NUMBERS)
		return 1;
	return i < 3 ? numbers[i] : (uint8_t)(200 + i);
}

static struct emit_P *renumber(struct arena *a, const struct emit_SA *sa)
{
	struct emit_P *p = ARENA_ARRAY(a, struct emit_P, 2 * sa->n_proposals + 2);

	for (size_t i = 0; i < sa->n_proposals; i++) {
		struct emit_T *t = ARENA_ARRAY(a, struct emit_T, sa->proposals[i].n_transforms + 1);

		p[i] = sa->proposals[i];
		for (size_t k = 0; k < p[i].n_transforms; k++) {
			t[k] = p[i].transforms[k];
			t[k].number = number_of(k);
		}
		p[i].transforms = t;
		p[i].number--;
	}
	odd_peer->done++;
	return p;
}

static bool odd_numbers(void)
{
	return odd_peer != NULL && (odd_peer->what == ODD_NUMBERS || odd_peer->what == ODD_SAME_NUMBERS);
}

/* One pair of life type and duration more for each transform: of kilobytes, or of seconds again. */
static struct emit_P *add_pairs(struct arena *a, const struct emit_SA *sa)
{
	struct emit_P *p = ARENA_ARRAY(a, struct emit_P, sa->n_proposals);

	for (size_t i = 0; i < sa->n_proposals; i++) {
		struct emit_T *t = ARENA_ARRAY(a, struct emit_T, sa->proposals[i].n_transforms);
		bool ike = sa->proposals[i].protocol == PROTOCOL_ID_ISAKMP;

		p[i] = sa->proposals[i];
		for (size_t k = 0; k < p[i].n_transforms; k++) {
			size_t n = p[i].transforms[k].n_attrs;
			struct emit_attribute *at = ARENA_ARRAY(a, struct emit_attribute, n + 2);

			memcpy(at, p[i].transforms[k].attrs, n * sizeof(*at));
			at[n].type = ike ? OAKLEY_ATTRIBUTE_LIFE_TYPE : IPSEC_ATTRIBUTE_SA_LIFE_TYPE;
			at[n].number = odd_peer->what == ODD_PAIRS ? LIFE_TYPE_KILOBYTES : LIFE_TYPE_SECONDS;
			at[n + 1].type = ike ? OAKLEY_ATTRIBUTE_LIFE_DURATION : IPSEC_ATTRIBUTE_SA_LIFE_DURATION;
			at[n + 1].number = 50000 + 100000 * (k % 2);
			t[k] = p[i].transforms[k];
			t[k].attrs = at;
			t[k].n_attrs = n + 2;
		}
		p[i].transforms = t;
	}
	odd_peer->done++;
	return p;
}

static bool odd_pairs(void)
{
	return odd_peer != NULL && (odd_peer->what == ODD_PAIRS || odd_peer->what == ODD_PAIRS_TWICE);
}

void __wrap_offer_ike(struct arena *a, const struct connection *c, uint32_t methods, struct emit_SA *sa)
{
	struct emit_P *p;

	__real_offer_ike(a, c, methods, sa);
	if (odd_numbers()) {
		sa->proposals = renumber(a, sa);
	} else if (odd_pairs()) {
		sa->proposals = add_pairs(a, sa);
	} else if (odd_peer != NULL && odd_peer->what == ODD_SPI) {	/* RFC 2408 3.5: of 0 to 16 octets, and ignored */
		p = ARENA_NEW(a, struct emit_P);
		*p = sa->proposals[0];
		p->spi = span_of("the cookies of it", odd_peer->protocol);
		sa->proposals = p;
		odd_peer->done++;
	}
}

/* AH for itself; then both, not beside each other; then ESP for itself. */
static struct emit_P *bundles(struct arena *a, const struct emit_SA *sa)
{
	struct emit_P *p = ARENA_ARRAY(a, struct emit_P, 4);

	p[0] = p[2] = sa->proposals[0];
	p[1] = p[3] = sa->proposals[1];
	p[0].number = 9;
	p[1].number = p[2].number = 4;
	p[3].number = 2;
	odd_peer->done++;
	return p;
}

void __wrap_offer_ipsec(struct arena *a, const struct connection *c, const uint32_t *spis, uint16_t group, uint16_t mode,
			struct emit_SA *sa)
{
	struct emit_P *p;

	__real_offer_ipsec(a, c, spis, group, mode, sa);
	if (odd_numbers()) {
		sa->proposals = renumber(a, sa);
	} else if (odd_pairs()) {
		sa->proposals = add_pairs(a, sa);
	} else if (odd_peer != NULL && odd_peer->what == ODD_BUNDLES) {
		sa->proposals = bundles(a, sa);
		sa->n_proposals = 4;
	} else if (odd_peer != NULL && odd_peer->what == ODD_TWICE) {
		p = ARENA_ARRAY(a, struct emit_P, 2);
		p[0] = p[1] = sa->proposals[0];
		sa->proposals = p;
		sa->n_proposals = 2;
		odd_peer->done++;
	}
}

bool __wrap_id_emit(struct arena *a, const struct identity *id, struct emit_ID *out)
{
	bool ok = __real_id_emit(a, id, out);

	if (odd_peer != NULL && odd_peer->what == ODD_ID_PORT) {
		out->protocol = odd_peer->protocol;
		out->port = odd_peer->port;
		odd_peer->done++;
	}
	return ok;
}

/* A duration that two octets could hold, in four, or in eight. */
static void put_long(struct writer *w, const struct emit_attribute *a)
{
	size_t octets = a->number % 2 == 0 ? 4 : 8;

	put_u16(w, a->type);
	put_u16(w, (uint16_t)octets);
	put_uint(w, a->number, octets);
	odd_peer->done++;
}

void __wrap_attributes_emit(struct writer *w, const struct attribute_table *t, const struct emit_attribute *a, size_t n)
{
	const struct attribute_desc *d;

	for (size_t i = 0; i < n; i++) {
		d = attribute_find(t, a[i].type);
		if (odd_peer != NULL && odd_peer->what == ODD_LONG_LIVES && d != NULL && d->after != 0)
			put_long(w, &a[i]);
		else
			__real_attributes_emit(w, t, &a[i], 1);
	}
}

enum action_result __wrap_quick_inI1_outR1(struct action *a, const struct in_QI1 *in, struct out_QR1 *out)
{
	enum action_result r = __real_quick_inI1_outR1(a, in, out);

	if (r == ACTION_OK && odd_peer != NULL && odd_peer->what == ODD_NO_CLIENTS) {
		out->has_IDci = false;
		odd_peer->done++;
	}
	return r;
}
