/* check_choice.c -- what is chosen from an offer, what is said when nothing fits, and what of a choice is believed. */
#include <stdlib.h>

#include "ike/offer.h"
#include "ike_lab.h"
#include "vectors.h"

static uint8_t bytes[8192];

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
	/* What we would propose ourselves does not matter. */
	c->policy.ike_life = LIMIT_IKE_LIFE_MAX;
	offer = (struct emit_SA){ 0 };
	offer_ike(arena, c, PSK_ONLY, &offer);
	sa = sent(&offer);
	c->policy.ike_life = 60;
	ck_assert_ptr_null(choose_ike(arena, c, &sa, PSK_ONLY, &chosen, &answer));
	ck_assert_uint_eq(chosen.life.seconds, LIMIT_IKE_LIFE_MAX);
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

START_TEST(lifetime_of_phase_2_is_judged)
{
	static const uint32_t offered[] = { LIMIT_IPSEC_LIFE_MAX, LIMIT_IPSEC_LIFE_MAX + 1 };
	struct choice chosen;
	struct connection *c;
	struct payload_SA sa;
	const struct refusal *why;

	listening();
	for (unsigned i = 0; i < 2; i++) {
		struct emit_SA offer = { 0 };

		c = with_algorithms("", "aes256gcm16");
		c->policy.ipsec_life = offered[i];
		offer_ipsec(arena, c, spis, 0, mode, &offer);
		sa = sent(&offer);
		c->policy.ipsec_life = 60;		/* what we would propose ourselves does not matter */
		why = choose_ipsec(arena, c, &sa, false, mode, &chosen);
		if (i == 0) {
			ck_assert_ptr_null(why);
			ck_assert_uint_eq(chosen.life.seconds, LIMIT_IPSEC_LIFE_MAX);
		} else {
			ck_assert_ptr_nonnull(why);
			ck_assert_uint_eq(why->reason, REASON_LIFE_TOO_LONG);
			assert_text(why->message, "86401 seconds, at most 86400");
		}
	}
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

/* Where the kernel takes no bundle for the clients, none is chosen, though the peer may offer more than is asked for. */
START_TEST(single_is_single)
{
	struct emit_SA offer = { 0 };
	struct connection *c;
	struct payload_SA sa;
	struct choice chosen;
	const struct refusal *why;

	listening();
	offer_ipsec(arena, with_protocols(true, _i != 0, _i == 0), spis, 0, mode, &offer);
	sa = sent(&offer);
	c = with_protocols(true, false, false);
	c->policy.single = "xfrm";
	why = choose_ipsec(arena, c, &sa, false, mode, &chosen);
	if (_i == 0) {			/* the proposal without IPComp */
		ck_assert_ptr_null(why);
		ck_assert_uint_eq(chosen.n, 1);
		return;
	}
	ck_assert_ptr_nonnull(why);
	ck_assert_int_eq(why->reason, REASON_BUNDLE_FAMILIES);
	assert_text(why->message, "the backend xfrm carries such packets by one SA alone");
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

int main(void)
{
	Suite *s = suite_create("choice");
	TCase *t = tcase_create("choice");

	vectors_start();
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, first_acceptable_transform_is_chosen);
	tcase_add_loop_test(t, nearest_miss_is_told, 0, sizeof(misses) / sizeof(misses[0]));
	tcase_add_test(t, method_and_lifetime_are_judged);
	tcase_add_test(t, phase_2_is_judged);
	tcase_add_test(t, lifetime_of_phase_2_is_judged);
	tcase_add_loop_test(t, only_an_offered_choice_is_believed, 0, N_TAMPERS);
	tcase_add_loop_test(t, bundles_are_chosen, 0, sizeof(bundles) / sizeof(bundles[0]));
	tcase_add_loop_test(t, single_is_single, 0, 2);
	tcase_add_test(t, cpi_of_either_size);
	tcase_add_test(t, compression_is_not_forced);
	tcase_add_test(t, half_a_bundle_is_not_believed);
	suite_add_tcase(s, t);
	return run_suite(s);
}
