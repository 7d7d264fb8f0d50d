/* check_rsa.c -- authentication by RSA signatures between simulated daemons: what must be accepted, and every way of
 * cheating that must not be.  The linker puts the functions __wrap_... below between ike and the real ones. */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/hash.h"
#include "crypto/rsa.h"
#include "generated/payloads.h"
#include "trial.h"

static struct rsa_key *east, *west, *other;	/* keys */

/* ---- a cheat --------------------------------------------------------------- */

enum cheat { HONEST, EMPTY, REUSED, RANDOM, DIGEST_INFO, LONGER, LEADING, SHORTER, NOTHING, HUGE_ONE, N_CHEATS };

static struct {
	enum cheat how;
	const struct rsa_key *who;	/* signs so */
	uint8_t last[RSA_MAX];		/* its first signature */
	bool have_last;
	bool now;			/* the last signature was by `who` */
} cheat;

bool __real_rsa_sign(const struct rsa_key *k, struct span data, uint8_t *sig);
bool __wrap_rsa_sign(const struct rsa_key *k, struct span data, uint8_t *sig);
size_t __real_rsa_size(const struct rsa_key *k);
size_t __wrap_rsa_size(const struct rsa_key *k);
void __real_emit_SIG(struct writer *w, uint8_t next, const struct emit_SIG *a);
void __wrap_emit_SIG(struct writer *w, uint8_t next, const struct emit_SIG *a);

/* The signature is made over an ASN.1 DigestInfo, as every protocol but this one has it. */
static bool sign_info(const struct rsa_key *k, struct span data, uint8_t *sig)
{
	static const uint8_t sha256[] = { 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
					  0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20 };
	uint8_t info[sizeof(sha256) + HASH_MAX];

	memcpy(info, sha256, sizeof(sha256));
	memcpy(info + sizeof(sha256), data.p, data.n);
	return __real_rsa_sign(k, span_of(info, sizeof(sha256) + data.n), sig);
}

bool __wrap_rsa_sign(const struct rsa_key *k, struct span data, uint8_t *sig)
{
	size_t n = __real_rsa_size(k);
	bool ok = __real_rsa_sign(k, data, sig);

	cheat.now = k == cheat.who;
	if (!cheat.now)
		return ok;
	if (!cheat.have_last)
		memcpy(cheat.last, sig, n);
	cheat.have_last = true;
	switch (cheat.how) {
	case REUSED:
		memcpy(sig, cheat.last, n);
		break;
	case RANDOM:
		for (size_t i = 0; i < n; i++)
			sig[i] = (uint8_t)(sig[i] * 7 + i);
		sig[0] = 0;
		break;
	case DIGEST_INFO:
		return sign_info(k, data, sig);
	case LONGER:
		sig[n] = 0;
		break;
	case LEADING:			/* the same number */
		memmove(sig + 1, sig, n);
		sig[0] = 0;
		break;
	case NOTHING:
		memset(sig, 0, n);
		break;
	default:
		break;
	}
	return ok;
}

size_t __wrap_rsa_size(const struct rsa_key *k)
{
	size_t n = __real_rsa_size(k);

	if (k != cheat.who)
		return n;
	return cheat.how == LONGER || cheat.how == LEADING ? n + 1 : cheat.how == SHORTER ? n - 1 : n;
}

/* Our own emitter refuses to write a payload that is empty, and no key makes a signature of that size. */
void __wrap_emit_SIG(struct writer *w, uint8_t next, const struct emit_SIG *a)
{
	static const uint8_t much[4 * RSA_MAX];
	struct emit_SIG huge = { .data = span_of(much, sizeof(much)) };

	if (!cheat.now || cheat.how != EMPTY) {
		__real_emit_SIG(w, next, cheat.now && cheat.how == HUGE_ONE ? &huge : a);
		return;
	}
	put_u16(w, (uint16_t)(next << 8));
	put_u16(w, GENERIC_SIZE);
}

/* ---- the scene --------------------------------------------------------------- */

/* Both ends have a key, know each other's, and take nothing but signatures. */
static void begin(struct trial *t, const char *kind, uint64_t seed)
{
	memset(&cheat, 0, sizeof(cheat));
	trial_begin(t, kind, seed, getenv("VERBOSE") != NULL);
	t->a->secret = t->b->secret = NULL;
	t->a->rsa = t->a->rsa_named = east;
	t->b->rsa = t->b->rsa_named = west;
	t->c.psk = false;
	t->c.rsasig = true;
	t->c.keyingtries = 1;
}

static void exchange_keys(struct trial *t)
{
	node_public_key(t->a, "192.0.2.2", west);
	node_public_key(t->b, "192.0.2.1", east);
}

static void go(struct trial *t, struct node *n)
{
	trial_describe(t);
	node_initiate(n, "net");
	world_run(t->w, 100000);
}

static void expect_up(struct trial *t)
{
	trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS || t->b->last_status == WHACK_STATUS_SUCCESS,
		     "not established");
	trial_check_sound(t);
	trial_check_up(t);
}

/* Nothing was installed, and n has said why. */
static void expect_refused(struct trial *t, const struct node *n, const char *reason)
{
	trial_expect(t, t->a->added + t->b->added == 0, "SAs without proof of identity");
	trial_expect(t, node_said(n, reason), "%s did not say %s", n->name, reason);
	trial_check_sound(t);
}

/* ---- what must work ------------------------------------------------------------ */

static void plain(struct trial *t)
{
	trial_draw(t);
	exchange_keys(t);
	go(t, trial_pick(t, 2) == 0 ? t->a : t->b);
	expect_up(t);
}

static void aggressive(struct trial *t)
{
	t->c.aggressive = true;
	exchange_keys(t);
	world_faults(t->w, &faulty);
	t->c.keyingtries = 0;
	go(t, t->a);
	world_faults(t->w, &fair);
	world_run(t->w, 100000);
	expect_up(t);
}

static void aggressive_wrong_key(struct trial *t)
{
	bool initiator = trial_pick(t, 2) == 0;

	t->c.aggressive = true;
	node_public_key(t->a, "192.0.2.2", initiator ? other : west);
	node_public_key(t->b, "192.0.2.1", initiator ? east : other);
	go(t, t->a);
	expect_refused(t, initiator ? t->a : t->b, "rsa_bad_signature");
}

static void lossy(struct trial *t)
{
	exchange_keys(t);
	t->c.keyingtries = 0;
	world_faults(t->w, &faulty);
	go(t, t->a);
	world_faults(t->w, &fair);
	world_run(t->w, 100000);
	expect_up(t);
}

static void names(struct trial *t)
{
	t->c.left.id = span_str("@East.Example");
	t->c.right.id = span_str("west@Example");
	node_public_key(t->a, "west@eXample", west);
	node_public_key(t->b, "@east.example", east);
	go(t, t->a);
	expect_up(t);
}

/* Of several keys of an identity any will do. */
static void several(struct trial *t)
{
	node_public_key(t->b, "192.0.2.1", other);
	node_public_key(t->b, "192.0.2.1", west);
	exchange_keys(t);
	exchange_keys(t);
	go(t, t->a);
	expect_up(t);
}

/* Neither method is named: what there are keys for is used. */
static void either(struct trial *t)
{
	bool keys = trial_pick(t, 2) == 0;

	t->c.rsasig = false;
	if (keys)
		exchange_keys(t);
	else
		t->a->secret = t->b->secret = "a secret";
	go(t, trial_pick(t, 2) == 0 ? t->a : t->b);
	expect_up(t);
}

/* The connection that the responder begins with is for somebody else; the right one has the same key. */
static void switched(struct trial *t)
{
	struct control_connection wrong = t->c, right = t->c;

	exchange_keys(t);
	node_public_key(t->b, "@east.example", east);
	wrong.name = span_str("wrong");
	wrong.left.client = wrong.right.client = (struct subnet){ 0 };
	right.left.id = span_str("@east.example");
	node_connection(t->a, &right);
	node_connection(t->b, trial_pick(t, 2) == 0 ? &wrong : &right);
	node_connection(t->b, &wrong);
	node_connection(t->b, &right);
	node_listen(t->a);
	node_listen(t->b);
	node_initiate(t->a, "net");
	world_run(t->w, 100000);
	expect_up(t);
}

/* ---- what must not --------------------------------------------------------------- */

static void wrong_key(struct trial *t)
{
	bool initiator = trial_pick(t, 2) == 0;

	node_public_key(t->a, "192.0.2.2", initiator ? west : other);
	node_public_key(t->b, "192.0.2.1", initiator ? other : east);
	go(t, t->a);
	expect_refused(t, initiator ? t->b : t->a, "rsa_bad_signature");
}

/* A good key, of an identity that the connection does not name. */
static void wrong_id(struct trial *t)
{
	struct control_connection mine = t->c;

	exchange_keys(t);
	node_public_key(t->b, "@mallory", east);
	mine.left.id = span_str("@mallory");
	node_connection(t->a, &mine);
	node_connection(t->b, &t->c);
	node_listen(t->a);
	node_listen(t->b);
	node_initiate(t->a, "net");
	world_run(t->w, 100000);
	expect_refused(t, t->b, "rsa_wrong_id");
}

/* The identity is right, but its key is not known; that of another identity is the right one. */
static void other_id(struct trial *t)
{
	node_public_key(t->a, "192.0.2.2", west);
	node_public_key(t->b, "@mallory", east);
	go(t, t->a);
	expect_refused(t, t->b, "rsa_no_key");
}

/* An identity that has a key claims to be another one that has a key, too. */
static void borrowed_id(struct trial *t)
{
	node_public_key(t->a, "192.0.2.2", west);
	node_public_key(t->b, "192.0.2.1", other);
	node_public_key(t->b, "@mallory", east);
	go(t, t->a);
	expect_refused(t, t->b, "rsa_bad_signature");
}

/* user@domain: the user's case counts. */
static void other_case(struct trial *t)
{
	t->c.left.id = span_str("East@example.org");
	node_public_key(t->a, "192.0.2.2", west);
	node_public_key(t->b, "east@example.org", east);
	go(t, t->a);
	expect_refused(t, t->b, "rsa_no_key");
}

/* The right connection would have used another private key than the one that was chosen first. */
static void not_switched(struct trial *t)
{
	struct control_connection wrong = t->c, right = t->c;

	exchange_keys(t);
	node_public_key(t->b, "@east.example", east);
	t->b->rsa_named = other;
	wrong.name = span_str("wrong");
	right.left.id = span_str("@east.example");
	right.right.id = span_str("@west.example");
	node_connection(t->b, &right);
	node_connection(t->b, &wrong);		/* the newest is looked at first */
	t->c.left.id = right.left.id;
	node_connection(t->a, &t->c);
	node_listen(t->a);
	node_listen(t->b);
	node_initiate(t->a, "net");
	world_run(t->w, 100000);
	expect_refused(t, t->b, "rsa_wrong_id");
}

/* The right connection has the same key, but its policy does not allow what was negotiated for the one that was chosen first. */
static void not_weakened(struct trial *t)
{
	struct control_connection weak = t->c, strict = t->c;
	bool allows = trial_pick(t, 2) == 0;

	exchange_keys(t);
	node_public_key(t->b, "@east.example", east);
	weak.name = span_str("weak");
	weak.ike = span_str("3des-md5-modp768");
	strict.left.id = span_str("@east.example");
	strict.ike = span_str(allows ? "aes256-sha512-modp1024,3des-md5-modp768" : "aes256-sha512-modp1024");
	node_connection(t->b, &strict);
	node_connection(t->b, &weak);
	t->c.left.id = strict.left.id;
	t->c.ike = weak.ike;
	node_connection(t->a, &t->c);
	node_listen(t->a);
	node_listen(t->b);
	node_initiate(t->a, "net");
	world_run(t->w, 100000);
	if (allows)
		trial_expect(t, t->a->last_status == WHACK_STATUS_SUCCESS && t->b->added > 0, "not switched: %s", t->b->refusal);
	else
		expect_refused(t, t->b, "rsa_wrong_id");
}

/* The same with a preshared secret: it proves that the peer has the secret, not that it is anybody. */
static void secret_wrong_id(struct trial *t)
{
	struct control_connection mine = t->c;
	bool initiator = trial_pick(t, 2) == 0;

	t->a->secret = t->b->secret = "a secret";
	t->c.psk = mine.psk = true;
	t->c.rsasig = mine.rsasig = false;
	if (initiator)
		mine.left.id = span_str("@mallory");
	else
		mine.right.id = span_str("@mallory");
	node_connection(t->a, initiator ? &mine : &t->c);
	node_connection(t->b, initiator ? &t->c : &mine);
	node_listen(t->a);
	node_listen(t->b);
	node_initiate(t->a, "net");
	world_run(t->w, 100000);
	expect_refused(t, initiator ? t->b : t->a, "id_mismatch");
}

static void not_begun(struct trial *t)
{
	bool key = trial_pick(t, 2) == 0;

	if (key)
		node_public_key(t->a, "192.0.2.2", west);
	if (key)
		t->a->rsa = NULL;
	go(t, t->a);
	expect_refused(t, t->a, key ? "no_private_key" : "no_public_key");
	trial_expect(t, t->a->sent == 0, "a negotiation that cannot succeed was begun");
}

/* The responder can do nothing of what is offered. */
static void no_method(struct trial *t)
{
	struct control_connection mine = t->c;

	t->a->secret = t->b->secret = "a secret";
	exchange_keys(t);
	if (trial_pick(t, 2) == 0)
		t->b->rsa = NULL;
	else
		mine.rsasig = false, mine.psk = true;
	node_connection(t->a, &t->c);
	node_connection(t->b, &mine);
	node_listen(t->a);
	node_listen(t->b);
	node_initiate(t->a, "net");
	world_run(t->w, 100000);
	expect_refused(t, t->b, "no_method");
}

/* What a secret has proved does not serve a connection that asks for a signature. */
static void not_by_secret(struct trial *t)
{
	struct control_connection weak = t->c;
	unsigned added;

	t->a->secret = t->b->secret = "a secret";
	weak.name = span_str("weak");
	weak.rsasig = false;
	weak.psk = true;
	weak.left.client = weak.right.client = (struct subnet){ 0 };
	node_public_key(t->a, "192.0.2.2", west);
	node_public_key(t->b, "192.0.2.1", other);	/* so that no signature of a is good */
	node_connection(t->a, &weak);
	node_connection(t->b, &weak);
	trial_describe(t);
	node_initiate(t->a, "weak");
	world_run(t->w, 20000);
	added = t->a->added + t->b->added;
	trial_expect(t, added == 4, "%u SAs by secret", added);
	node_initiate(t->a, "net");
	world_run(t->w, 100000);
	trial_expect(t, t->a->added + t->b->added == added, "a secret was enough");
	trial_expect(t, node_said(t->b, "rsa_bad_signature"), "the signature was not looked at");
}

/* The one who cheats has the right key, the right identity, but not a signature of this negotiation. */
static void cheating(struct trial *t, enum cheat how, bool initiator)
{
	static const char *const reason[N_CHEATS] = {
		[EMPTY] = "field_range", [REUSED] = "rsa_bad_signature", [RANDOM] = "rsa_bad_signature",
		[DIGEST_INFO] = "rsa_bad_signature", [LONGER] = "rsa_bad_signature",
		[LEADING] = "rsa_bad_signature", [SHORTER] = "rsa_bad_signature",
		[NOTHING] = "rsa_bad_signature", [HUGE_ONE] = "rsa_bad_signature",
	};
	struct node *honest = initiator ? t->b : t->a;
	unsigned added;

	exchange_keys(t);
	cheat.who = initiator ? east : west;
	go(t, t->a);
	expect_up(t);
	node_terminate(t->a, "net");
	node_terminate(t->b, "net");
	world_run(t->w, 100000);
	cheat.how = how;
	added = t->a->added + t->b->added;
	node_initiate(t->a, "net");
	world_run(t->w, 100000);
	trial_expect(t, t->a->added + t->b->added == added, "cheat %d (%s) got SAs", how,
		     initiator ? "initiator" : "responder");
	trial_expect(t, node_said(honest, reason[how]), "cheat %d: not %s", how, reason[how]);
	trial_expect(t, node_holdings(t->a).unfinished == 0, "a request was not finished");
	cheat.how = HONEST;
	node_initiate(t->a, "net");
	world_run(t->w, 100000);
	trial_check_up(t);
}

/* -------------------------------------------------------------------------------------- */

static const struct trial_kind kinds[] = {
	{ "plain", plain, 40 }, { "lossy", lossy, 40 }, { "aggressive", aggressive, 40 },
	{ "aggressive, wrong key", aggressive_wrong_key, 8 }, { "names", names, 2 }, { "several", several, 2 },
	{ "either", either, 8 }, { "switched", switched, 8 }, { "wrong key", wrong_key, 8 },
	{ "wrong id", wrong_id, 2 }, { "other id", other_id, 2 }, { "borrowed id", borrowed_id, 2 },
	{ "other case", other_case, 2 }, { "not switched", not_switched, 2 }, { "not weakened", not_weakened, 8 },
	{ "secret, wrong id", secret_wrong_id, 8 }, { "not begun", not_begun, 8 }, { "no method", no_method, 8 }, { "not by secret", not_by_secret, 2 },
};

int main(void)
{
	struct trial_count count = { 0 };
	struct trial t;
	const char *why;

	if (!crypto_start(&why))
		return 1;
	east = short_key();
	west = short_key();
	other = short_key();
	trial_kinds(kinds, sizeof(kinds) / sizeof(kinds[0]), begin, &count);
	for (enum cheat how = HONEST + 1; how < N_CHEATS; how++) {
		for (int initiator = 0; initiator < 2; initiator++, count.runs++) {
			begin(&t, "cheating", how);
			cheating(&t, how, initiator);
			trial_end(&t);
			count.failed += t.failed;
		}
	}
	rsa_free(east);
	rsa_free(west);
	rsa_free(other);
	printf("%u runs, %u failed\n", count.runs, count.failed);
	return count.failed != 0;
}
