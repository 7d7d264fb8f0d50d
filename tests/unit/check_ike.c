/* check_ike.c -- what is chosen from an offer, what of a choice is believed, and what is said when something
 * does not fit; descriptions, claims on routes, lifetimes. */
#include <stdlib.h>

#include "../sim/trial.h"
#include "ike/internal.h"
#include "ike/lifetime.h"
#include "ike/offer.h"
#include "vectors.h"

static struct trial trial;
static struct arena *arena;
static uint8_t bytes[8192];

static void setup(void)
{
	arena = arena_new();
	trial_begin(&trial, "unit", 1, false);
	trial.c.ike = trial.c.esp = span_of(NULL, 0);
}

static void teardown(void)
{
	arena_free(arena);
	trial_end(&trial);
	ck_assert(!trial.failed);
}

#define assert_text(text_, part_) \
	ck_assert_msg(strstr((text_), (part_)) != NULL, "'%s' does not say '%s'", (text_), (part_))

/* The connection as node n describes it now. */
static struct connection *described(struct node *n, const struct control_connection *c)
{
	struct connection *found;

	node_connection(n, c);
	ck_assert_msg(n->last_status == WHACK_STATUS_SUCCESS, "%s", n->answer);
	found = connection_find(n->ike, c->name);
	ck_assert_ptr_nonnull(found);
	return found;
}

static struct connection *with_algorithms(const char *ike, const char *esp)
{
	struct control_connection c = trial.c;

	c.replace = true;
	c.ike = span_str(ike);
	c.esp = span_str(esp);
	return described(trial.a, &c);
}

static void listening(void)
{
	node_listen(trial.a);
	node_listen(trial.b);
}

/* As the other end reads it. */
static struct payload_SA sent(const struct emit_SA *sa)
{
	struct writer w = writer_on(bytes, sizeof(bytes));
	struct payload_SA out;
	struct fault f = { 0 };

	emit_SA(&w, 0, sa);
	ck_assert(!w.overflow);
	ck_assert_msg(parse_SA(writer_span(&w), 0, &out, &f), "reason %u in %s", f.reason, f.field);
	return out;
}

/* ---- choosing ---------------------------------------------------------------- */

#define PSK_ONLY (1u << AUTH_METHOD_PRESHARED_KEY)

static const struct refusal *choose(const char *theirs, const char *ours, struct choice *chosen)
{
	struct emit_SA offer = { 0 }, answer = { 0 };
	struct payload_SA sa;

	offer_ike(arena, with_algorithms(theirs, ""), PSK_ONLY, &offer);
	sa = sent(&offer);
	return choose_ike(arena, with_algorithms(ours, ""), &sa, PSK_ONLY, chosen, &answer);
}

START_TEST(first_acceptable_transform_is_chosen)
{
	struct choice c;

	listening();
	ck_assert_ptr_null(choose("aes256-sha256-modp2048,aes128-sha1-modp1024",
				  "aes128-sha1-modp1024,aes256-sha256-modp2048", &c));
	ck_assert_int_eq(c.p[0].cipher, ALG_AES_CBC);
	ck_assert_uint_eq(c.p[0].key_octets, 32);
	ck_assert_int_eq(c.p[0].hash, ALG_SHA2_256);
	ck_assert_int_eq(group_alg(c.group), ALG_MODP2048);
	ck_assert_uint_eq(c.life.seconds, 3600);
	ck_assert_ptr_null(choose("3des-md5-modp768,aes128-sha256-x25519", "", &c));
	ck_assert_int_eq(group_alg(c.group), ALG_CURVE25519);
	ck_assert_uint_eq(c.p[0].place, 1);
}
END_TEST

static const struct {
	const char *theirs, *ours, *message, *remedy;
} misses[] = {
	{ "aes128-sha256-modp1024", "aes128-sha256-modp2048", "its GROUP_DESCRIPTION is", "--ike aes128-sha256-modp1024" },
	{ "aes128-md5-modp2048", "aes128-sha256-modp2048", "its HASH_ALGORITHM is", "--ike aes128-md5-modp2048" },
	{ "aes192-sha256-modp2048", "aes128-sha256-modp2048", "its KEY_LENGTH is 192, ours is 128",
	  "--ike aes192-sha256-modp2048" },
	{ "3des-md5-modp768,aes256-sha256-modp1536", "aes256-sha256-modp2048", "the 2 transforms offered; the closest is #2",
	  "--ike aes256-sha256-modp1536" },
	{ "3des-sha1-modp1024", "", "allows none of the 1 transforms", "--ike 3des-sha1-modp1024" },
};

START_TEST(nearest_miss_is_told)
{
	struct choice c;
	const struct refusal *why;

	listening();
	why = choose(misses[_i].theirs, misses[_i].ours, &c);
	ck_assert_ptr_nonnull(why);
	ck_assert_uint_eq(why->reason, REASON_NO_COMMON_SUITE);
	ck_assert_uint_eq(why->notify, NOTIFY_TYPE_NO_PROPOSAL_CHOSEN);
	assert_text(why->message, misses[_i].message);
	assert_text(why->message, "\"net\"");
	assert_text(why->remedy, misses[_i].remedy);
}
END_TEST

START_TEST(method_and_lifetime_are_judged)
{
	struct emit_SA offer = { 0 }, answer = { 0 };
	struct connection *c;
	struct payload_SA sa;
	struct choice chosen;
	const struct refusal *why;

	listening();
	c = with_algorithms("", "");
	offer_ike(arena, c, PSK_ONLY, &offer);
	sa = sent(&offer);
	why = choose_ike(arena, c, &sa, 0, &chosen, &answer);
	ck_assert_uint_eq(why->reason, REASON_AUTH_METHOD);
	c->policy.ike_life = LIMIT_IKE_LIFE_MAX + 1;
	offer_ike(arena, c, PSK_ONLY, &offer);
	sa = sent(&offer);
	why = choose_ike(arena, c, &sa, PSK_ONLY, &chosen, &answer);
	ck_assert_uint_eq(why->reason, REASON_LIFE_TOO_LONG);
	assert_text(why->message, "28801 seconds, at most 28800");
}
END_TEST

static const uint32_t spis[PROTOCOL_ID_IPCOMP + 1] = { 0x1000, 0x1001, 0x1002, 0x1003, 0x1004 };
static const uint16_t mode = ENCAPSULATION_MODE_TUNNEL;

START_TEST(phase_2_is_judged)
{
	struct emit_SA offer = { 0 };
	struct choice chosen;
	struct connection *c;
	struct payload_SA sa;
	const struct refusal *why;

	listening();
	c = with_algorithms("", "aes128-sha256,aes256gcm16");
	offer_ipsec(arena, c, spis, 0, mode, &offer);
	sa = sent(&offer);
	ck_assert_ptr_null(choose_ipsec(arena, c, &sa, false, mode, &chosen));
	ck_assert_uint_eq(chosen.n, 1);
	ck_assert_uint_eq(chosen.p[0].peer_spi, spis[PROTOCOL_ID_ESP]);
	ck_assert_int_eq(chosen.p[0].mac, ALG_HMAC_SHA2_256_128);
	c = with_algorithms("", "aes256gcm16");
	ck_assert_ptr_null(choose_ipsec(arena, c, &sa, false, mode, &chosen));
	ck_assert_int_eq(chosen.p[0].cipher, ALG_AES_GCM_16);
	ck_assert_uint_eq(chosen.p[0].place, 1);
	c = with_algorithms("", "3des-md5");
	why = choose_ipsec(arena, c, &sa, false, mode, &chosen);
	ck_assert_uint_eq(why->reason, REASON_NO_COMMON_SUITE);
	assert_text(why->remedy, "--esp");
	c->policy.pfs = true;
	ck_assert_uint_eq(choose_ipsec(arena, c, &sa, false, mode, &chosen)->reason, REASON_PFS_MISSING);
	c->policy.pfs = false;
	c->policy.authenticate = true;
	c->policy.encrypt = false;		/* ESP may stand for AH: only its algorithms do not fit */
	ck_assert_uint_eq(choose_ipsec(arena, c, &sa, false, mode, &chosen)->reason, REASON_NO_COMMON_SUITE);
}
END_TEST

/* ---- a choice that was not offered (D16) --------------------------------------- */

enum tamper {
	HONEST, SHORTER, TINY, LONGER, UNLIMITED, ADDED, REMOVED, OTHER_NUMBER, OTHER_TRANSFORM, OTHER_PROPOSAL,
	TWO_TRANSFORMS, NOT_OURS, TWO_PROPOSALS, SHORT_SPI, RESERVED_SPI, OTHER_PROTOCOL, N_TAMPERS,
};

/* The answer to `offered` that takes its second transform, made wrong in one way. */
static struct emit_SA answer_of(const struct emit_SA *offered, enum tamper how)
{
	static uint8_t spi[] = { 0, 0, 0x20, 1 }, low[] = { 0, 0, 0, 9 };
	const struct emit_P *op = &offered->proposals[0];
	struct emit_T *t = ARENA_ARRAY(arena, struct emit_T, 2);
	struct emit_P *p = ARENA_ARRAY(arena, struct emit_P, 2);
	struct emit_attribute *at = ARENA_ARRAY(arena, struct emit_attribute, op->transforms[1].n_attrs + 1);
	bool ipsec = op->protocol != PROTOCOL_ID_ISAKMP;

	t[0] = op->transforms[1];
	memcpy(at, t[0].attrs, t[0].n_attrs * sizeof(*at));
	t[0].attrs = at;
	p[0] = (struct emit_P){ .number = op->number, .protocol = op->protocol, .transforms = t, .n_transforms = 1 };
	if (ipsec)
		p[0].spi = span_of(how == RESERVED_SPI ? low : spi, how == SHORT_SPI ? 2 : 4);
	for (size_t i = 0; i < t[0].n_attrs; i++)
		if (at[i].type == (ipsec ? IPSEC_ATTRIBUTE_SA_LIFE_DURATION : OAKLEY_ATTRIBUTE_LIFE_DURATION))
			at[i].number = how == SHORTER ? 600 : how == TINY ? 1 : how == LONGER ? 90000 :
				       how == UNLIMITED ? 0 : at[i].number;
	if (how == ADDED)
		at[t[0].n_attrs++] = (struct emit_attribute){
			.type = ipsec ? IPSEC_ATTRIBUTE_KEY_ROUNDS : OAKLEY_ATTRIBUTE_FIELD_SIZE, .number = 1 };
	if (how == REMOVED)
		t[0].n_attrs--;
	t[0].number = (uint8_t)(t[0].number + (how == OTHER_NUMBER));
	if (how == OTHER_TRANSFORM)
		t[0].id = ipsec ? ESP_TRANSFORM_3DES : 2;
	p[0].number = (uint8_t)(p[0].number + (how == OTHER_PROPOSAL));
	if (how == TWO_TRANSFORMS) {
		t[1] = op->transforms[0];
		p[0].n_transforms = 2;
	}
	if (how == NOT_OURS)
		at[0].number = 99;
	if (how == OTHER_PROTOCOL)
		p[0].protocol = PROTOCOL_ID_AH;
	p[1] = p[0];
	return (struct emit_SA){ .proposals = p, .n_proposals = how == TWO_PROPOSALS ? 2 : 1 };
}

/* Some are refused by the parser already: that is as good. */
static bool parses(const struct emit_SA *sa, struct payload_SA *out)
{
	struct writer w = writer_on(bytes, sizeof(bytes));
	struct fault f = { 0 };

	emit_SA(&w, 0, sa);
	return parse_SA(writer_span(&w), 0, out, &f);
}

/* What becomes of one; life: what was offered. */
static void judged(enum tamper how, const struct refusal *why, const struct choice *chosen, uint32_t life)
{
	char both[80];

	ck_assert_msg((why == NULL) == (how <= TINY), "case %d, %u seconds", (int)how, life);
	if (why == NULL) {
		ck_assert_uint_eq(chosen->life.seconds, how == SHORTER ? 600 : how == TINY ? LIMIT_LIFE_TOLD_MIN : life);
	} else if (how == LONGER || how == UNLIMITED) {
		ck_assert_uint_eq(why->reason, REASON_CHOICE_LIVES_LONGER);
		snprintf(both, sizeof(both), "%s, %u seconds were offered", how == LONGER ? "90000 seconds" : "no limit", life);
		assert_text(why->message, both);
	} else {
		ck_assert(why->reason == REASON_CHOICE_NOT_OFFERED || why->reason == REASON_PEER_SPI);
	}
}

START_TEST(only_an_offered_choice_is_believed)
{
	struct emit_SA offered = { 0 }, answer;
	struct payload_SA sa;
	struct choice chosen;
	struct connection *c;
	const struct refusal *why;

	listening();
	c = with_algorithms("aes256-sha256-modp2048,aes128-sha1-modp1536", "aes256-sha256,aes128-sha1");
	offer_ike(arena, c, PSK_ONLY, &offered);
	answer = answer_of(&offered, (enum tamper)_i);
	if (parses(&answer, &sa) && _i != SHORT_SPI && _i != RESERVED_SPI && _i != TWO_PROPOSALS) {
		why = check_ike(arena, c, PSK_ONLY, &sa, &chosen);
		judged((enum tamper)_i, why, &chosen, c->policy.ike_life);
	}
	if (_i == HONEST)
		ck_assert_int_eq(group_alg(chosen.group), ALG_MODP1536);
	offer_ipsec(arena, c, spis, 0, mode, &offered);
	answer = answer_of(&offered, (enum tamper)_i);
	if (!parses(&answer, &sa)) {
		ck_assert_int_ne(_i, HONEST);
		return;
	}
	why = check_ipsec(arena, c, 0, mode, &sa, &chosen);
	judged((enum tamper)_i, why, &chosen, c->policy.ipsec_life);
	if (_i == HONEST)
		ck_assert_uint_eq(chosen.p[0].peer_spi, 0x2001);
}
END_TEST

/* ---- bundles ------------------------------------------------------------------- */

static struct connection *with_protocols(bool encrypt, bool authenticate, bool compress)
{
	struct control_connection c = trial.c;

	c.replace = true;
	c.ah = span_of(NULL, 0);
	c.encrypt = encrypt;
	c.authenticate = authenticate;
	c.compress = compress;
	return described(trial.a, &c);
}

/* What a connection for (encrypt, authenticate, compress) makes of the offer of another: the protocols chosen. */
static const struct {
	bool ours[3], theirs[3];
	unsigned n;		/* 0 = refused */
	uint8_t proposal;
	enum reason reason;
} bundles[] = {
	{ { 1, 0, 1 }, { 1, 0, 1 }, 2, 1, REASON_NONE },
	{ { 1, 0, 0 }, { 1, 0, 1 }, 1, 2, REASON_NONE },	/* passed over */
	{ { 1, 0, 1 }, { 1, 0, 0 }, 1, 1, REASON_NONE },
	{ { 1, 1, 1 }, { 1, 1, 1 }, 3, 1, REASON_NONE },
	{ { 0, 1, 1 }, { 0, 1, 1 }, 2, 1, REASON_NONE },
	{ { 1, 1, 0 }, { 1, 1, 0 }, 2, 1, REASON_NONE },
	{ { 0, 1, 0 }, { 1, 0, 0 }, 1, 1, REASON_NONE },	/* ESP with authentication stands for AH */
	{ { 1, 1, 0 }, { 1, 0, 0 }, 1, 1, REASON_NONE },
	{ { 1, 0, 0 }, { 1, 1, 0 }, 2, 1, REASON_NONE },	/* more than is asked for */
	{ { 1, 0, 0 }, { 0, 1, 0 }, 0, 0, REASON_PROTOCOLS },
	{ { 1, 1, 0 }, { 0, 1, 0 }, 0, 0, REASON_PROTOCOLS },
};

START_TEST(bundles_are_chosen)
{
	struct emit_SA offer = { 0 }, answer = { 0 };
	const struct refusal *why;
	struct choice chosen, checked;
	struct payload_SA sa;

	listening();
	offer_ipsec(arena, with_protocols(bundles[_i].theirs[0], bundles[_i].theirs[1], bundles[_i].theirs[2]), spis,
		    0, mode, &offer);
	sa = sent(&offer);
	why = choose_ipsec(arena, with_protocols(bundles[_i].ours[0], bundles[_i].ours[1], bundles[_i].ours[2]), &sa,
			   false, mode, &chosen);
	ck_assert_int_eq(why == NULL ? REASON_NONE : why->reason, bundles[_i].reason);
	if (why != NULL)
		return;
	ck_assert_uint_eq(chosen.n, bundles[_i].n);
	ck_assert_uint_eq(chosen.proposal, bundles[_i].proposal);
	for (unsigned i = 0; i < chosen.n; i++)
		ck_assert_uint_eq(chosen.p[i].peer_spi, spis[chosen.p[i].protocol]);
	answer_ipsec(arena, &sa, &chosen, spis, &answer);
	sa = sent(&answer);
	why = check_ipsec(arena, with_protocols(bundles[_i].theirs[0], bundles[_i].theirs[1], bundles[_i].theirs[2]), 0,
			  mode, &sa, &checked);
	ck_assert_ptr_null(why);
	ck_assert_uint_eq(checked.n, chosen.n);
	for (unsigned i = 0; i < chosen.n; i++)
		ck_assert_int_eq(checked.p[i].comp, chosen.p[i].comp);
}
END_TEST

/* The offer of a peer that compresses: its IPComp is what the tests change. */
static struct emit_SA compressing(struct emit_P **comp)
{
	struct emit_SA offer = { 0 };

	offer_ipsec(arena, with_protocols(true, false, true), spis, 0, mode, &offer);
	ck_assert_uint_eq(offer.n_proposals, 3);
	*comp = (struct emit_P *)&offer.proposals[1];
	ck_assert_uint_eq((*comp)->protocol, PROTOCOL_ID_IPCOMP);
	ck_assert_uint_eq((*comp)->spi.n, 2);
	return offer;
}

static const struct refusal *choose_compressing(const struct emit_SA *offer, bool compress, struct choice *chosen)
{
	struct payload_SA sa = sent(offer);

	return choose_ipsec(arena, with_protocols(true, false, compress), &sa, false, mode, chosen);
}

/* RFC 3173 4.1: two octets or four, of which the first two mean nothing; and only what is negotiated. */
START_TEST(cpi_of_either_size)
{
	static const uint8_t wide[] = { 0xff, 0xff, 0x12, 0x34 }, known[] = { 0, 2 }, private_[] = { 0xf0, 0 };
	struct emit_P *comp;
	struct emit_SA offer;
	struct choice chosen;

	listening();
	offer = compressing(&comp);
	comp->spi = span_of(wide, sizeof(wide));
	ck_assert_ptr_null(choose_compressing(&offer, true, &chosen));
	ck_assert_uint_eq(chosen.n, 2);
	ck_assert_uint_eq(chosen.p[1].peer_spi, 0x1234);
	offer.n_proposals = 2;			/* without the one that does not compress */
	comp->spi = span_of(known, sizeof(known));
	ck_assert_uint_eq(choose_compressing(&offer, true, &chosen)->reason, REASON_PEER_SPI);
	comp->spi = span_of(private_, sizeof(private_));
	ck_assert_uint_eq(choose_compressing(&offer, true, &chosen)->reason, REASON_PEER_SPI);
}
END_TEST

START_TEST(compression_is_not_forced)
{
	struct emit_P *comp;
	struct emit_SA offer;
	struct choice chosen;
	const struct refusal *why;
	struct emit_T *t;

	listening();
	offer = compressing(&comp);
	t = (struct emit_T *)comp->transforms;
	t->n_attrs = 0;				/* some peers name nothing there */
	ck_assert_ptr_null(choose_compressing(&offer, true, &chosen));
	ck_assert_uint_eq(chosen.n, 2);
	t->id = IPCOMP_TRANSFORM_LZS;
	ck_assert_ptr_null(choose_compressing(&offer, true, &chosen));
	ck_assert_uint_eq(chosen.n, 1);
	offer.n_proposals = 2;
	why = choose_compressing(&offer, true, &chosen);
	ck_assert_uint_eq(why->reason, REASON_COMPRESSION);
	assert_text(why->message, "every proposal asks for compression that connection \"net\" does not allow");
	t->id = IPCOMP_TRANSFORM_DEFLATE;
	ck_assert_uint_eq(choose_compressing(&offer, false, &chosen)->reason, REASON_COMPRESSION);
}
END_TEST

/* Half of a bundle, one part twice, parts of two proposals: none is what was offered. */
START_TEST(half_a_bundle_is_not_believed)
{
	struct connection *c;
	struct emit_SA offer = { 0 }, answer;
	struct payload_SA sa;
	struct choice chosen;
	struct emit_P p[4];

	listening();
	c = with_protocols(true, true, true);
	offer_ipsec(arena, c, spis, 0, mode, &offer);
	for (unsigned i = 0; i < 3; i++) {	/* AH, ESP, IPCOMP */
		p[i] = offer.proposals[i];
		p[i].n_transforms = 1;
	}
	answer = (struct emit_SA){ .proposals = p, .n_proposals = 3 };
	sa = sent(&answer);
	ck_assert_ptr_null(check_ipsec(arena, c, 0, mode, &sa, &chosen));
	p[3] = offer.proposals[4];		/* the same again without compression, as strongSwan does */
	p[3].n_transforms = 1;
	answer.n_proposals = 4;
	sa = sent(&answer);
	ck_assert_ptr_null(check_ipsec(arena, c, 0, mode, &sa, &chosen));
	ck_assert(chosen.proposal == 1 && chosen.n == 3);
	answer.n_proposals = 2;
	sa = sent(&answer);
	ck_assert_uint_eq(check_ipsec(arena, c, 0, mode, &sa, &chosen)->reason, REASON_CHOICE_NOT_OFFERED);
	p[0].number = p[1].number = 2;
	sa = sent(&answer);
	ck_assert_ptr_null(check_ipsec(arena, c, 0, mode, &sa, &chosen));
	p[0] = p[1];				/* ESP twice, and no AH */
	sa = sent(&answer);
	ck_assert_uint_eq(check_ipsec(arena, c, 0, mode, &sa, &chosen)->reason, REASON_CHOICE_NOT_OFFERED);
	p[0] = offer.proposals[0];
	p[0].n_transforms = 1;			/* AH of the first, ESP of the second */
	sa = sent(&answer);
	ck_assert_uint_eq(check_ipsec(arena, c, 0, mode, &sa, &chosen)->reason, REASON_CHOICE_NOT_OFFERED);
}
END_TEST

/* ---- identities ------------------------------------------------------------------- */

START_TEST(other_identity_is_told)
{
	struct control_connection theirs = trial.c;

	trial.c.ike = theirs.ike = span_str("aes128-sha256-x25519");
	trial.c.left.id = span_str("@east.example");
	theirs.left.id = span_str("@other.example");
	node_connection(trial.a, &trial.c);
	node_connection(trial.b, &theirs);
	listening();
	node_initiate(trial.a, "net");
	world_run(trial.w, 3000);
	ck_assert(node_said(trial.b, "id_mismatch"));
	assert_text(trial.b->refusal, "the peer says that it is @east.example, connection \"net\" expects @other.example");
	assert_text(trial.b->refusal, "--id @east.example");
	ck_assert_uint_eq(trial.a->added + trial.b->added, 0);
	world_run(trial.w, 200000);
	ck_assert_uint_ge(trial.a->last_status, WHACK_STATUS_RETRANSMISSION);
}
END_TEST

START_TEST(other_clients_are_told)
{
	struct control_connection theirs = trial.c;

	trial.c.ike = theirs.ike = span_str("aes128-sha256-x25519");
	theirs.left.client.bits = 25;
	node_connection(trial.a, &trial.c);
	node_connection(trial.b, &theirs);
	listening();
	node_initiate(trial.a, "net");
	world_run(trial.w, 3000);
	ck_assert(node_said(trial.b, "no_connection_for"));
	assert_text(trial.b->refusal, "the peer asks for 10.0.1.0/24 to 10.0.2.0/24; the nearest, connection \"net\", has "
		    "10.0.1.0/25 to 10.0.2.0/24: the peer's subnet 10.0.1.0/24 is not 10.0.1.0/25");
	ck_assert_uint_eq(trial.a->added + trial.b->added, 0);
}
END_TEST

/* ---- descriptions ------------------------------------------------------------------ */

static void bad_name(struct control_connection *c) { c->name = span_str("a name"); }
static void no_name(struct control_connection *c) { c->name = span_str(""); }
static void dash(struct control_connection *c) { c->name = span_str("-rf"); }
static void wildcards(struct control_connection *c) { c->left.host = c->right.host = (struct ip_addr){ 0 }; }
static void families(struct control_connection *c) { c->left.host = (struct ip_addr){ .len = 16, .b = { 0x20 } }; }
static void any6(struct control_connection *c) { c->left.host = (struct ip_addr){ .len = 16 }; }
static void client_families(struct control_connection *c)
{
	c->right.client = (struct subnet){ .addr = { .len = 16, .b = { 0x20 } }, .bits = 8 };
}
static void host_is_client(struct control_connection *c)
{
	client_families(c);
	c->left.client = (struct subnet){ .bits = 0 };
}
static void six_hosts(struct control_connection *c)
{
	c->left.host = (struct ip_addr){ .len = 16, .b = { 0x20 } };
	c->right.host = (struct ip_addr){ .len = 16, .b = { 0x30 } };
}
static void six_clients(struct control_connection *c)
{
	client_families(c);
	c->left.client = (struct subnet){ .addr = { .len = 16, .b = { 0x30 } }, .bits = 8 };
}
static void link_local(struct control_connection *c)
{
	six_hosts(c);
	c->right.host = (struct ip_addr){ .len = 16, .b = { 0xfe, 0xbf } };
}
static void link_client(struct control_connection *c)
{
	six_clients(c);
	c->left.client = (struct subnet){ .addr = { .len = 16, .b = { 0xfe, 0x80 } }, .bits = 10 };
}
static void bad_id(struct control_connection *c) { c->right.id = span_str("a@b@c"); }
static void name_id(struct control_connection *c) { c->right.id = span_str("peer.example"); }
static void policy(struct control_connection *c) { c->policy = span_str("ancient"); }
static void alone(struct control_connection *c) { c->tunnel = true; c->encrypt = false; }
static void ike_life(struct control_connection *c) { c->ikelifetime = LIMIT_IKE_LIFE_MAX + 1; }
static void ipsec_life(struct control_connection *c) { c->ipseclifetime = LIMIT_IPSEC_LIFE_MAX + 1; }
static void ike_word(struct control_connection *c) { c->ike = span_str("rot13-sha1"); }
static void esp_word(struct control_connection *c) { c->esp = span_str("aes100-sha1"); }
static void group(struct control_connection *c) { c->pfsgroup = span_str("modp1000"); }
static void compress(struct control_connection *c) { c->compress = true; c->encrypt = c->tunnel = false; }

static const struct {
	void (*spoil)(struct control_connection *c);
	uint16_t status;
	const char *text;
} descriptions[] = {
	{ bad_name, WHACK_STATUS_BAD_DESCRIPTION, "\"a name\" cannot be the name" },
	{ no_name, WHACK_STATUS_BAD_DESCRIPTION, "cannot be the name" },
	{ dash, WHACK_STATUS_BAD_DESCRIPTION, "\"-rf\" cannot be the name" },
	{ wildcards, WHACK_STATUS_BAD_DESCRIPTION, "neither end of \"net\" has an address" },
	{ families, WHACK_STATUS_BAD_DESCRIPTION, "mixes IPv4 and IPv6 between its two hosts: 2000:: and " },
	{ any6, WHACK_STATUS_BAD_DESCRIPTION, "mixes IPv4 and IPv6 between its two hosts: :: and " },
	{ client_families, WHACK_STATUS_BAD_DESCRIPTION, "mixes IPv4 and IPv6 between its two clients: 10." },
	{ host_is_client, WHACK_STATUS_BAD_DESCRIPTION, "mixes IPv4 and IPv6 between its two clients: 192." },
	{ link_local, WHACK_STATUS_BAD_DESCRIPTION, "--host febf:: is a link-local address" },
	{ link_client, WHACK_STATUS_BAD_DESCRIPTION, "--client fe80::/10 is a link-local address" },
	{ bad_id, WHACK_STATUS_BAD_DESCRIPTION, "--id a@b@c of \"net\", column" },
	{ name_id, WHACK_STATUS_BAD_DESCRIPTION, "name to be resolved" },
	{ policy, WHACK_STATUS_BAD_DESCRIPTION, "no policy \"ancient\"" },
	{ alone, WHACK_STATUS_BAD_DESCRIPTION, "--tunnel means nothing" },
	{ ike_life, WHACK_STATUS_BAD_DESCRIPTION, "--ikelifetime 28801 is over the maximum of 28800" },
	{ ipsec_life, WHACK_STATUS_BAD_DESCRIPTION, "--ipseclifetime 86401 is over the maximum of 86400" },
	{ ike_word, WHACK_STATUS_BAD_DESCRIPTION, "'rot13-sha1', column 1: the algorithm 'rot13' is unknown" },
	{ esp_word, WHACK_STATUS_BAD_DESCRIPTION, "'aes100-sha1', column 1: 'aes100' asks for a key of 100 bits" },
	{ group, WHACK_STATUS_BAD_DESCRIPTION, "--pfsgroup modp1000 of \"net\"" },
	{ compress, WHACK_STATUS_BAD_DESCRIPTION, "--compress means nothing without --encrypt or --authenticate" },
};

START_TEST(bad_descriptions_are_refused)
{
	descriptions[_i].spoil(&trial.c);
	node_connection(trial.a, &trial.c);
	assert_text(trial.a->answer, descriptions[_i].text);
	ck_assert_uint_eq(trial.a->last_status, descriptions[_i].status);
	ck_assert_uint_eq(node_holdings(trial.a).connections, 0);
	ck_assert_uint_eq(node_holdings(trial.a).unfinished, 0);
}
END_TEST

static void six_all(struct control_connection *c)
{
	six_hosts(c);
	six_clients(c);
}

/* The warrior's family is that of the host he comes to. */
static void six_warrior(struct control_connection *c)
{
	six_hosts(c);
	c->right.host = (struct ip_addr){ .len = 4 };
	c->right.client = (struct subnet){ .bits = 0 };
	c->left.client = (struct subnet){ .addr = { .len = 16, .b = { 0x30 } }, .bits = 8 };
}

static void six_warrior_by_name(struct control_connection *c)
{
	six_warrior(c);
	c->right.host = (struct ip_addr){ .len = 16 };
}

static void (*const families_that_fit[])(struct control_connection *c) = {
	six_hosts, six_clients, six_all, six_warrior, six_warrior_by_name,
};

START_TEST(families_are_independent)
{
	families_that_fit[_i](&trial.c);
	node_connection(trial.a, &trial.c);
	ck_assert_uint_eq(trial.a->last_status, WHACK_STATUS_SUCCESS);
	ck_assert_uint_eq(node_holdings(trial.a).connections, 1);
}
END_TEST

START_TEST(requests_at_the_wrong_time)
{
	node_connection(trial.a, &trial.c);
	node_connection(trial.a, &trial.c);
	ck_assert_uint_eq(trial.a->last_status, WHACK_STATUS_DUPLICATE_NAME);
	node_initiate(trial.a, "net");
	ck_assert_uint_eq(trial.a->last_status, WHACK_STATUS_NOT_LISTENING);
	trial.a->away = true;
	node_listen(trial.a);
	node_initiate(trial.a, "net");
	ck_assert_uint_eq(trial.a->last_status, WHACK_STATUS_NO_ORIENTATION);
	assert_text(trial.a->answer, "neither 192.0.2.1 nor 192.0.2.2 is an address of this host");
	trial.a->away = false;
	node_listen(trial.a);
	trial.a->secret = NULL;
	node_initiate(trial.a, "net");
	ck_assert_uint_eq(trial.a->last_status, WHACK_STATUS_NO_KEY);
	ck_assert_uint_eq(node_holdings(trial.a).unfinished, 0);
}
END_TEST

/* ---- routes and eroutes -------------------------------------------------------------- */

static struct kernel_interface eth0 = { .real = "eth0" }, eth1 = { .real = "eth1" };

static struct connection between(const char *ours, const char *theirs, struct kernel_interface *on)
{
	struct control_connection c = sim_connection("x", trial.a, ours, trial.b, theirs);
	struct connection out = { .ours = 0, .interface = on };

	out.end[0].host = c.left.host;
	out.end[1].host = c.right.host;
	out.end[0].has_client = out.end[1].has_client = true;
	out.end[0].client = c.left.client;
	out.end[1].client = c.right.client;
	return out;
}

START_TEST(routes_are_shared_taken_or_busy)
{
	struct connection a = between("10.1.0.0/16", "10.9.0.0/16", &eth0);
	struct connection same = between("10.2.0.0/16", "10.9.0.0/16", &eth0);
	struct connection other_way = between("10.3.0.0/16", "10.9.0.0/16", &eth1);
	struct connection gateway = same, elsewhere = between("10.1.0.0/16", "10.8.0.0/16", &eth1), *who;
	struct routes *r = routes_new();

	gateway.end[0].nexthop = trial.a->addr;
	ck_assert_int_eq(routes_judge(r, &a, true, &who), CLAIM_FREE);
	routes_claim(r, &a);
	ck_assert_ptr_null(routes_sharer(&a));
	ck_assert_int_eq(routes_judge(r, &same, true, &who), CLAIM_FREE);
	ck_assert_int_eq(routes_judge(r, &elsewhere, true, &who), CLAIM_FREE);
	ck_assert_int_eq(routes_judge(r, &other_way, true, &who), CLAIM_TAKES);
	ck_assert_ptr_eq(who, &a);
	ck_assert_int_eq(routes_judge(r, &gateway, false, &who), CLAIM_TAKES);
	a.n_installed = 1;
	ck_assert_int_eq(routes_judge(r, &other_way, false, &who), CLAIM_ROUTE_BUSY);
	ck_assert_ptr_eq(who, &a);
	routes_claim(r, &same);
	ck_assert_ptr_eq(routes_sharer(&a), &same);
	ck_assert(routes_want_route(r, &same));
	routes_routed(r, &a, THERE);
	ck_assert(!routes_want_route(r, &same));
	routes_release(r, &a);
	ck_assert(!routes_want_unroute(r, &a));		/* the other one still needs it */
	ck_assert_int_eq(routes_judge(r, &other_way, true, &who), CLAIM_TAKES);
	ck_assert_ptr_eq(who, &same);
	routes_release(r, &same);
	ck_assert(routes_want_unroute(r, &same));
	ck_assert_int_eq(routes_judge(r, &other_way, true, &who), CLAIM_FREE);
	routes_routed(r, &same, NOT_THERE);
	ck_assert(!routes_want_unroute(r, &same));
	routes_free(r);
}
END_TEST

START_TEST(eroute_has_one_owner)
{
	struct connection a = between("10.1.0.0/16", "10.9.0.0/16", &eth0), b = a, *who;
	struct connection other = between("10.1.0.0/17", "10.9.0.0/16", &eth0), port = a;
	struct routes *r = routes_new();

	port.end[0].protocol = port.end[1].protocol = 17;
	routes_claim(r, &a);
	ck_assert(routes_want_cover(r, &a));
	routes_covered(r, &a, EROUTE_SA);
	a.n_installed = 1;
	ck_assert_int_eq(routes_judge(r, &b, true, &who), CLAIM_EROUTE_BUSY);
	ck_assert_ptr_eq(who, &a);
	ck_assert_int_eq(routes_judge(r, &b, false, &who), CLAIM_FREE);	/* without an SA it may share */
	ck_assert_int_eq(routes_judge(r, &other, true, &who), CLAIM_FREE);
	ck_assert_int_eq(routes_judge(r, &port, true, &who), CLAIM_FREE);
	routes_claim(r, &b);
	ck_assert(!routes_want_cover(r, &b));
	ck_assert(routes_carry(r, &a) && !routes_carry(r, &b));
	ck_assert_int_eq(routes_want_uncover(r, &b, &who), UNCOVER_NOTHING);	/* not its own */
	routes_release(r, &a);
	ck_assert_int_eq(routes_want_uncover(r, &a, &who), UNCOVER_HAND_OVER);
	ck_assert_ptr_eq(who, &b);
	routes_covered(r, &b, EROUTE_TRAP);
	ck_assert_int_eq(routes_want_uncover(r, &a, &who), UNCOVER_NOTHING);
	routes_release(r, &b);
	ck_assert_int_eq(routes_want_uncover(r, &b, &who), UNCOVER_DELETE);
	routes_uncovered(r, &b);
	ck_assert_int_eq(routes_want_uncover(r, &b, &who), UNCOVER_NOTHING);
	routes_free(r);
}
END_TEST

/* ---- lifetimes ----------------------------------------------------------------------- */

START_TEST(rekeying_is_spread_over_the_fuzz)
{
	const struct policy p = { .margin = 540, .fuzz = 100 }, exact = { .margin = 540, .fuzz = 0 },
			    wide = { .margin = 100, .fuzz = 300 };
	const uint64_t life = 3600;
	unsigned quarter[4] = { 0 };

	for (unsigned i = 0; i < 4000; i++) {
		uint64_t at = life_until_rekey(trial.a->ike, &p, ROLE_INITIATOR, life);

		ck_assert_uint_ge(at, life - 1080);
		ck_assert_uint_le(at, life - 540);
		quarter[(at - (life - 1080)) * 4 / 541]++;
		at = life_until_rekey(trial.a->ike, &wide, ROLE_INITIATOR, life);
		ck_assert_uint_ge(at, life - 400);
		ck_assert_uint_le(at, life - 100);
	}
	for (unsigned i = 0; i < 4; i++) {	/* a thousand each, give or take six sigma */
		ck_assert_uint_ge(quarter[i], 830);
		ck_assert_uint_le(quarter[i], 1170);
	}
	ck_assert_uint_eq(life_until_rekey(trial.a->ike, &exact, ROLE_INITIATOR, life), life - 540);
	ck_assert_uint_eq(life_until_rekey(trial.a->ike, &p, ROLE_RESPONDER, life), life - 270);
	ck_assert_uint_eq(life_until_rekey(trial.a->ike, &exact, ROLE_INITIATOR, 500), 250);
	ck_assert_uint_eq(life_until_rekey(trial.a->ike, &exact, ROLE_INITIATOR, 540), 270);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ike");
	TCase *t = tcase_create("ike");

	vectors_start();
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, first_acceptable_transform_is_chosen);
	tcase_add_loop_test(t, nearest_miss_is_told, 0, sizeof(misses) / sizeof(misses[0]));
	tcase_add_test(t, method_and_lifetime_are_judged);
	tcase_add_test(t, phase_2_is_judged);
	tcase_add_loop_test(t, only_an_offered_choice_is_believed, 0, N_TAMPERS);
	tcase_add_loop_test(t, bundles_are_chosen, 0, sizeof(bundles) / sizeof(bundles[0]));
	tcase_add_test(t, cpi_of_either_size);
	tcase_add_test(t, compression_is_not_forced);
	tcase_add_test(t, half_a_bundle_is_not_believed);
	tcase_add_test(t, other_identity_is_told);
	tcase_add_test(t, other_clients_are_told);
	tcase_add_loop_test(t, bad_descriptions_are_refused, 0, sizeof(descriptions) / sizeof(descriptions[0]));
	tcase_add_loop_test(t, families_are_independent, 0,
			    sizeof(families_that_fit) / sizeof(families_that_fit[0]));
	tcase_add_test(t, requests_at_the_wrong_time);
	tcase_add_test(t, routes_are_shared_taken_or_busy);
	tcase_add_test(t, eroute_has_one_owner);
	tcase_add_test(t, rekeying_is_spread_over_the_fuzz);
	suite_add_tcase(s, t);
	return run_suite(s);
}
