/* secrets_match.c -- which entry is chosen for us and the peer, and how that is explained.
 *
 * PSK: an entry without indices fits anyone; a single index must be our identity; of several
 * one must be ours and another the peer's, for whom %any stands when his address
 * was not configured.  RSA: one index must be ours.  XAUTH: one index must be the user's name, and another one,
 * if there are several, the gateway.  The more indices fit, the better. */
#include <stdlib.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "crypto/rsa.h"
#include "generated/reasons.h"
#include "ike/identity.h"
#include "secrets/set.h"

struct store {
	struct set *set;
	struct arena *answer;	/* what the last question got as `why` */
};

enum rank { FITS_NOT, FITS_ANYONE, FITS_US, FITS_US_AND_ANY, FITS_BOTH };

static const char *const rank_text[] = {
	[FITS_NOT] = "does not fit",
	[FITS_ANYONE] = "has no index, fits anyone",
	[FITS_US] = "our identity fits",
	[FITS_US_AND_ANY] = "our identity fits, and %any for the peer",
	[FITS_BOTH] = "our identity and the peer's fit",
};

struct question {
	enum secret_kind kind;
	const struct identity *us, *peer;
	bool any;		/* %any stands for the peer */
};

static const struct identity nobody = { .kind = IDENTITY_NONE };

static struct question psk_question(const struct identity *us, const struct identity *peer,
				    bool peer_unknown)
{
	bool any = peer_unknown || identity_is_any(peer);

	/* An address that the configuration did not know may not be asked for in the file. */
	if (any && (identity_is_any(peer) || peer->kind == IDENTITY_ADDR))
		peer = &nobody;
	return (struct question){ .kind = SECRET_PSK, .us = us, .peer = peer, .any = any };
}

static enum rank rank_of(const struct entry *e, const struct question *q)
{
	bool us = false, peer = false, any = false;

	if (e->kind != q->kind)
		return FITS_NOT;
	if (e->n_index == 0)
		return FITS_ANYONE;
	for (size_t i = 0; i < e->n_index; i++) {
		const struct identity *id = &e->index[i];

		if (identity_is_any(id)) {
			any = any || q->any;
		} else {
			us = us || (q->kind == SECRET_XAUTH ? ct_equal(id->name, q->us->name) : identity_eq(id, q->us));
			peer = peer || identity_eq(id, q->peer);
		}
	}
	if (!us)
		return FITS_NOT;
	if (e->kind == SECRET_RSA || e->n_index == 1)
		return FITS_US;
	return peer ? FITS_BOTH : any ? FITS_US_AND_ANY : FITS_NOT;
}

/* ---- answers ---------------------------------------------------------------- */

const char *secret_kind_name(enum secret_kind kind)
{
	static const char *const names[] = {
		[SECRET_PSK] = "preshared secret", [SECRET_RSA] = "RSA key", [SECRET_XAUTH] = "password",
	};

	return names[kind];
}

const char *entry_where(const struct entry *e, struct arena *a)
{
	return arena_printf(a, "%s:%u", e->file, e->line);
}

const char *identity_text(const struct identity *id, struct arena *a)
{
	char line[600];
	struct text t = text_on(line, sizeof(line));

	if (identity_is_any(id))
		return "%any";
	identity_format(&t, id);
	return arena_str(a, span_of(line, t.n));
}

/* A user's name, without the @ of an identity. */
static const char *user_text(const struct identity *id, struct arena *a)
{
	size_t size = 4 * id->name.n + 1;
	char *p = arena_alloc(a, size);
	struct text t = text_on(p, size);

	text_escape(&t, id->name);
	return p;
}

static const char *whom(const struct question *q, struct arena *a)
{
	if (q->kind == SECRET_RSA)
		return identity_text(q->us, a);
	if (q->kind == SECRET_XAUTH)
		return user_text(q->us, a);
	return arena_printf(a, "%s and %s", identity_text(q->us, a), identity_text(q->peer, a));
}

/* The entry to use, or NULL and the reason, in a. */
static const struct entry *choose(const struct set *set, const struct question *q,
				  struct arena *a, const struct refusal **why)
{
	const struct entry *best = NULL, *rival = NULL;
	enum rank best_rank = FITS_NOT;

	for (size_t i = 0; i < set->n; i++) {
		const struct entry *e = &set->entries[i];
		enum rank rank = rank_of(e, q);

		if (rank > best_rank) {
			best = e;
			best_rank = rank;
			rival = NULL;
		} else if (best != NULL && rank == best_rank && rival == NULL &&
			   !ct_equal(e->secret, best->secret)) {
			rival = e;
		}
	}
	if (rival != NULL)
		*why = refuse_secrets_ambiguous(a, secret_kind_name(q->kind), whom(q, a),
						entry_where(best, a), entry_where(rival, a));
	else if (best == NULL && q->kind == SECRET_PSK)
		*why = refuse_secrets_no_psk(a, identity_text(q->us, a), identity_text(q->peer, a));
	else if (best == NULL && q->kind == SECRET_XAUTH)
		*why = refuse_secrets_no_xauth(a, user_text(q->us, a), identity_text(q->peer, a));
	else if (best == NULL)
		*why = refuse_secrets_no_rsa(a, identity_text(q->us, a));
	return rival == NULL ? best : NULL;
}

static bool answer(struct store *s, const struct question *q, struct secret_found *out)
{
	const struct entry *e;

	arena_reset(s->answer);
	*out = (struct secret_found){ 0 };
	e = choose(s->set, q, s->answer, &out->refusal);
	if (e == NULL) {
		out->why = out->refusal->message;
		return false;
	}
	if (e->kind != SECRET_RSA)
		out->psk = e->secret;
	out->rsa = e->rsa;
	out->file = e->file;
	out->line = e->line;
	return true;
}

static bool find_psk(void *s, const struct identity *us, const struct identity *peer,
		     bool peer_unknown, struct secret_found *out)
{
	struct question q = psk_question(us, peer, peer_unknown);

	return answer(s, &q, out);
}

static bool find_rsa(void *s, const struct identity *us, struct secret_found *out)
{
	struct question q = { .kind = SECRET_RSA, .us = us, .peer = &nobody };

	return answer(s, &q, out);
}

static bool find_xauth(void *s, struct span user, const struct identity *gateway, struct secret_found *out)
{
	struct identity us = { .kind = IDENTITY_FQDN, .name = user };
	struct question q = { .kind = SECRET_XAUTH, .us = &us, .peer = gateway };

	return answer(s, &q, out);
}

/* ---- whack --which-secret ---------------------------------------------------- */

struct lines {
	const char **line;
	size_t n;
};

/* Candidates of one kind, best first, then what is chosen. */
static void explain(const struct set *set, const struct question *q, struct arena *a,
		    struct lines *out)
{
	const struct refusal *why = NULL;
	const struct entry *chosen = choose(set, q, a, &why);

	for (int rank = FITS_BOTH; rank > FITS_NOT; rank--) {
		for (size_t i = 0; i < set->n; i++) {
			const struct entry *e = &set->entries[i];

			if (rank_of(e, q) != (enum rank)rank)
				continue;
			out->line[out->n++] = arena_printf(a, "%s: %s: %s%s", entry_where(e, a),
							   secret_kind_name(e->kind), rank_text[rank],
							   e == chosen ? " (chosen)" : "");
		}
	}
	if (why != NULL)
		out->line[out->n++] = arena_printf(a, "%s; %s", why->message, why->remedy);
}

static const char *const *which(void *store, const struct identity *us, const struct identity *peer,
				bool peer_unknown, struct arena *a)
{
	const struct set *set = ((struct store *)store)->set;
	struct question psk = psk_question(us, peer, peer_unknown);
	struct question rsa = { .kind = SECRET_RSA, .us = us, .peer = &nobody };
	struct lines out = { .line = ARENA_ARRAY(a, const char *, set->n + 3) };

	explain(set, &psk, a, &out);
	explain(set, &rsa, a, &out);
	return out.line;
}

/* ---- the store ---------------------------------------------------------------- */

void set_unref(struct set *set)
{
	if (set == NULL || --set->refs != 0)
		return;
	for (size_t i = 0; i < set->n; i++)
		rsa_free(set->entries[i].rsa);
	free(set->entries);
	arena_free(set->mem);
	free(set);
}

static void *hold(void *s)
{
	struct set *set = ((struct store *)s)->set;

	set->refs++;
	return set;
}

static void release(void *token)
{
	set_unref(token);
}

struct store *store_new(void)
{
	struct store *s = NEW(struct store);

	s->set = set_new();
	s->answer = arena_new();
	return s;
}

void store_free(struct store *s)
{
	if (s == NULL)
		return;
	set_unref(s->set);
	arena_free(s->answer);
	free(s);
}

bool store_load(struct store *s, const char *pattern, struct arena *a, struct store_report *report)
{
	struct set *set = set_load(pattern, a, report);

	if (set == NULL)
		return false;
	set_unref(s->set);
	s->set = set;
	return true;
}

struct secrets store_secrets(struct store *s)
{
	static const struct secrets_ops ops = {
		.psk = find_psk, .rsa = find_rsa, .xauth = find_xauth, .hold = hold, .release = release, .which = which,
	};

	return (struct secrets){ .ops = &ops, .s = s };
}
