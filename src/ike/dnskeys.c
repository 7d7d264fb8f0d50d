/* dnskeys.c -- searches for public keys: one for each identity, with all who wait for it.
 *
 * Each search asks for KEY and IPSECKEY records.  Who waits gives up after a while; the search itself lasts until both
 * questions are answered, so that a DNS that does not answer has no more than LIMIT_DNS_SEARCHES of them open. */
#include "ike/dnskeys.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "ike/idpayload.h"
#include "ike/internal.h"
#include "ike/keyrecord.h"
#include "ike/pubkeys.h"

#define SAID_TEXT 120

static const uint16_t types[] = { DNS_TYPE_IPSECKEY, DNS_TYPE_KEY };
#define N_TYPES (sizeof(types) / sizeof(types[0]))

struct found {
	struct rsa_key *rsa;
	unsigned precedence;
	bool validated;
};

struct tokens {
	uint32_t *at;
	size_t n;
};

/* A search; afterwards, what is kept of it while its keys are good. */
struct search {
	LIST_ENTRY(search) next;
	struct dnskeys *d;
	struct identity id;		/* its name is owned */
	uint32_t token[N_TYPES];	/* of the questions, 0 = answered */
	char said[N_TYPES][SAID_TEXT];	/* why an answer brought no key; empty = it did */
	struct found found[LIMIT_KEYS_PER_IDENTITY];	/* by precedence */
	size_t n_found;
	uint32_t ttl;
	struct timer timer;
	struct tokens requests, whacks;	/* who waits */
};

LIST_HEAD(searches, search);

struct dnskeys {
	struct ike *ike;
	bool insecure;
	uint32_t last_token;
	struct searches open, kept;
	size_t n_open;
};

struct dnskeys *dnskeys_new(struct ike *ike, bool insecure)
{
	struct dnskeys *d = NEW(struct dnskeys);

	d->ike = ike;
	d->insecure = insecure;
	LIST_INIT(&d->open);
	LIST_INIT(&d->kept);
	return d;
}

static void search_free(struct search *s)
{
	timer_disarm(engine_timers(s->d->ike->engine), &s->timer);
	LIST_REMOVE(s, next);
	for (size_t i = 0; i < s->n_found; i++)
		rsa_free(s->found[i].rsa);
	free(s->requests.at);
	free(s->whacks.at);
	free((void *)s->id.name.p);
	free(s);
}

void dnskeys_free(struct dnskeys *d)
{
	while (!LIST_EMPTY(&d->open))
		search_free(LIST_FIRST(&d->open));
	while (!LIST_EMPTY(&d->kept))
		search_free(LIST_FIRST(&d->kept));
	free(d);
}

bool dnskeys_insecure(const struct dnskeys *d)
{
	return d->insecure;
}

const char *dnskeys_obstacle(const struct dnskeys *d, const struct identity *id)
{
	const struct ike_host *host = &d->ike->host;
	char name[KEYRECORD_NAME];
	const char *why = NULL;

	if (host->lookup == NULL)
		return host->no_lookup == NULL ? "this pluto does not ask the DNS" : host->no_lookup;
	keyrecord_name(id, name, &why);
	return why;
}

/* ---- who waits ---------------------------------------------------------------- */

static void tokens_add(struct tokens *t, uint32_t token)
{
	t->at = xrealloc(t->at, (t->n + 1) * sizeof(*t->at));
	t->at[t->n++] = token;
}

static void tell_whack(struct ike *ike, uint32_t whack, const struct identity *id, const char *why)
{
	struct pubkey *keys[LIMIT_KEYS_PER_IDENTITY];
	size_t n = why == NULL ? pubkeys_of(ike->pubkeys, id, keys) : 0;
	const char *text = id_text(ike->arena, id);

	if (why != NULL)
		ike_reply_refusal(ike, whack, refuse_key_not_found(ike->arena, text, why));
	for (size_t i = 0; i < n; i++)
		ike_reply(ike, whack, WHACK_STATUS_SUCCESS, "RSA public key of %s%s: %zu bits, fingerprint %s", text,
			  pubkey_source_text(keys[i]), rsa_bits(keys[i]->rsa), keys[i]->fingerprint);
	ike_finish(ike, whack);
}

/* Everybody who waits for these goes on; they may begin new searches. */
static void release(struct dnskeys *d, const struct identity *id, struct tokens requests, struct tokens whacks,
		    const char *why)
{
	struct kernel_result r = { .ok = why == NULL, .why = why };

	for (size_t i = 0; i < whacks.n; i++)
		tell_whack(d->ike, whacks.at[i], id, why);
	for (size_t i = 0; i < requests.n; i++)
		request_answer(d->ike, requests.at[i], &r);
	free(whacks.at);
	free(requests.at);
}

/* ---- the end of a search ------------------------------------------------------- */

static void expire(void *ctx, uint64_t now)
{
	struct search *s = ctx;
	struct ike *ike = s->d->ike;

	ike_clock(ike, now);
	ike_log(ike, NULL, NULL, NO_WHACK, WHACK_STATUS_LOG,
		"RSA public keys of %s from the DNS: their time is over", id_text(ike->arena, &s->id));
	pubkeys_drop_dns(ike->pubkeys, &s->id);
	search_free(s);
}

void dnskeys_forget(struct dnskeys *d, const struct identity *id)
{
	struct pubkey *keys[LIMIT_KEYS_PER_IDENTITY];
	size_t n = pubkeys_of(d->ike->pubkeys, id, keys), from_dns = 0;
	struct search *k, *next;

	for (size_t i = 0; i < n; i++)
		from_dns += keys[i]->source != FROM_WHACK;
	if (from_dns == 0)
		return;
	pubkeys_drop_dns(d->ike->pubkeys, id);
	for (k = LIST_FIRST(&d->kept); k != NULL; k = next) {
		next = LIST_NEXT(k, next);
		if (identity_eq(&k->id, id))
			search_free(k);
	}
}

static const struct refusal *enter_keys(struct search *s)
{
	struct ike *ike = s->d->ike;
	const char *text = id_text(ike->arena, &s->id);
	const struct refusal *why = NULL;
	bool known;

	for (size_t i = 0; i < s->n_found; i++) {
		struct found *f = &s->found[i];
		struct pubkey *k = pubkeys_enter(ike, &s->id, f->rsa,
						 f->validated ? FROM_DNS : FROM_UNVALIDATED_DNS, &known, &why);

		if (k != NULL && !known)
			ike_log(ike, NULL, NULL, NO_WHACK, f->validated ? WHACK_STATUS_LOG : WHACK_STATUS_LOG_SERIOUS,
				"RSA public key of %s%s: %zu bits, fingerprint %s", text, pubkey_source_text(k),
				rsa_bits(k->rsa), k->fingerprint);
		if (k != NULL && rsa_weakness(k->rsa) != NULL)
			ike_log(ike, NULL, NULL, NO_WHACK, WHACK_STATUS_LOG, "the RSA key of %s is weak: %s", text,
				rsa_weakness(k->rsa));
	}
	s->n_found = 0;
	return why;
}

/* Why nothing was found, of both questions.  In the arena. */
static const char *findings(const struct search *s)
{
	if (strcmp(s->said[0], s->said[1]) == 0)
		return arena_printf(s->d->ike->arena, "IPSECKEY and KEY records: %s", s->said[0]);
	return arena_printf(s->d->ike->arena, "IPSECKEY records: %s; KEY records: %s", s->said[0], s->said[1]);
}

/* Both answers are here. */
static void complete(struct search *s)
{
	struct dnskeys *d = s->d;
	struct ike *ike = d->ike;
	struct tokens requests = s->requests, whacks = s->whacks;
	const struct refusal *refused = NULL;
	const char *why = s->n_found == 0 ? findings(s) : NULL;
	struct buf name = buf_copy(s->id.name);
	struct identity id = s->id;
	char line[4 * N_TYPES * SAID_TEXT];
	struct text t = text_on(line, sizeof(line));

	id.name = span_buf(name);
	s->requests = s->whacks = (struct tokens){ 0 };
	timer_disarm(engine_timers(ike->engine), &s->timer);
	d->n_open--;
	if (why != NULL) {
		text_escape(&t, span_str(why));
		ike_log(ike, NULL, NULL, NO_WHACK, WHACK_STATUS_LOG, "no RSA public key of %s in the DNS: %s",
			id_text(ike->arena, &id), line);
		search_free(s);
	} else {
		LIST_REMOVE(s, next);
		dnskeys_forget(d, &id);
		refused = enter_keys(s);
		LIST_INSERT_HEAD(&d->kept, s, next);
		s->timer.fire = expire;
		timer_arm(engine_timers(ike->engine), &s->timer, ike->now + 1000 * (uint64_t)s->ttl);
	}
	release(d, &id, requests, whacks, refused != NULL ? refused->message : why);
	buf_free(&name);
}

/* The search goes on, but nobody waits for it any more. */
static void give_up(void *ctx, uint64_t now)
{
	struct search *s = ctx;
	struct ike *ike = s->d->ike;
	struct tokens requests = s->requests, whacks = s->whacks;
	struct buf name = buf_copy(s->id.name);
	struct identity id = s->id;

	ike_clock(ike, now);
	id.name = span_buf(name);
	s->requests = s->whacks = (struct tokens){ 0 };
	ike_log(ike, NULL, NULL, NO_WHACK, WHACK_STATUS_LOG, "the DNS does not tell the key of %s: no answer within %u s",
		id_text(ike->arena, &id), TIMER_DNS_ANSWER_MS[0] / 1000);
	release(s->d, &id, requests, whacks,
		arena_printf(ike->arena, "no answer within %u s", TIMER_DNS_ANSWER_MS[0] / 1000));
	buf_free(&name);
}

/* ---- answers ------------------------------------------------------------------- */

static void keep(struct search *s, struct rsa_key *rsa, unsigned precedence, bool validated)
{
	size_t at = s->n_found;

	if (at == LIMIT_KEYS_PER_IDENTITY) {	/* the last to be tried gives way */
		if (s->found[--at].precedence <= precedence) {
			rsa_free(rsa);
			return;
		}
		rsa_free(s->found[at].rsa);
	} else {
		s->n_found++;
	}
	for (; at > 0 && s->found[at - 1].precedence > precedence; at--)
		s->found[at] = s->found[at - 1];
	s->found[at] = (struct found){ .rsa = rsa, .precedence = precedence, .validated = validated };
}

static bool read_record(struct search *s, uint16_t type, struct span rdata, bool validated, const char **why)
{
	struct keyrecord record;
	struct rsa_key *rsa;

	if (!keyrecord_read(type, rdata, &record, why))
		return false;
	rsa = rsa_from_dns(record.key, why);
	if (rsa != NULL)
		keep(s, rsa, record.precedence, validated);
	return rsa != NULL;
}

static uint32_t within(uint32_t ttl)
{
	return ttl < LIMIT_DNS_SECONDS_MIN ? LIMIT_DNS_SECONDS_MIN :
	       ttl > LIMIT_DNS_SECONDS_MAX ? LIMIT_DNS_SECONDS_MAX : ttl;
}

/* What one answer brings; said tells why nothing, in words that are not printed before they are escaped. */
static void take(struct search *s, size_t i, const struct lookup_result *r)
{
	struct text said = text_on(s->said[i], SAID_TEXT);
	const char *why = NULL;
	bool any = false;

	if (!r->ok) {
		text_add(&said, "%s", r->why == NULL ? "no reason given" : r->why);
		return;
	}
	if (r->n == 0) {
		text_add(&said, "none");
		return;
	}
	if (!r->validated && !s->d->insecure) {
		text_add(&said, "not used, DNSSEC does not prove them%s%s", r->why == NULL ? "" : ": ",
			 r->why == NULL ? "" : r->why);
		return;
	}
	for (size_t k = 0; k < r->n && k < LIMIT_DNS_RECORDS; k++)
		any |= read_record(s, types[i], r->rdata[k], r->validated, &why);
	if (!any)
		text_add(&said, "%zu, of no use: %s", r->n, why);
	else if (s->ttl == 0 || within(r->ttl) < s->ttl)
		s->ttl = within(r->ttl);
}

void dnskeys_answer(struct dnskeys *d, uint32_t token, const struct lookup_result *r)
{
	struct search *s;

	LIST_FOREACH(s, &d->open, next) {
		for (size_t i = 0; i < N_TYPES; i++) {
			if (token == 0 || s->token[i] != token)
				continue;
			s->token[i] = 0;
			take(s, i, r);
			if (s->token[1 - i] == 0)
				complete(s);
			return;
		}
	}
}

/* ---- questions ------------------------------------------------------------------ */

static struct search *open_search(struct dnskeys *d, const struct identity *id, const char *name)
{
	struct search *s = NEW(struct search);

	s->d = d;
	s->id = *id;
	s->id.name = id->kind == IDENTITY_ADDR ? span_of(NULL, 0) : span_buf(buf_copy(id->name));
	s->timer.fire = give_up;
	s->timer.ctx = s;
	LIST_INSERT_HEAD(&d->open, s, next);
	d->n_open++;
	for (size_t i = 0; i < N_TYPES; i++) {
		if (++d->last_token == 0)
			d->last_token = 1;
		s->token[i] = d->last_token;
	}
	ike_log(d->ike, NULL, NULL, NO_WHACK, WHACK_STATUS_LOG, "looking up the RSA public key of %s in the DNS: %s",
		id_text(d->ike->arena, id), name);
	for (size_t i = 0; i < N_TYPES; i++)
		d->ike->host.lookup(d->ike->host.ctx, s->token[i], name, types[i]);
	return s;
}

/* The search for the keys of id, begun if there is none; NULL and why. */
static struct search *search_for(struct dnskeys *d, const struct identity *id, const char **why)
{
	char name[KEYRECORD_NAME];
	struct search *s;

	*why = dnskeys_obstacle(d, id);
	if (*why != NULL || !keyrecord_name(id, name, why))
		return NULL;
	LIST_FOREACH(s, &d->open, next)
		if (identity_eq(&s->id, id))
			break;
	if (s == NULL && d->n_open >= LIMIT_DNS_SEARCHES) {
		*why = "too many questions to the DNS are without an answer";
		return NULL;
	}
	if (s == NULL)
		s = open_search(d, id, name);
	if (!timer_armed(&s->timer))
		timer_arm(engine_timers(d->ike->engine), &s->timer, d->ike->now + TIMER_DNS_ANSWER_MS[0]);
	return s;
}

static void answered(struct ike *ike, void *ctx, const struct kernel_result *r)
{
	(void)ike;
	await_answer(ctx, r);
}

void await_public_keys(struct await *w, const struct identity *id)
{
	struct dnskeys *d = w->ike->dnskeys;
	struct request *r = await_request(w, answered, w);
	const char *why;
	struct search *s = search_for(d, id, &why);

	if (s != NULL)
		tokens_add(&s->requests, r->token);
	else
		request_answer(w->ike, r->token, &(struct kernel_result){ .why = why });
}

void dnskeys_command(struct dnskeys *d, uint32_t whack, const struct identity *id)
{
	const char *why;
	struct search *s = search_for(d, id, &why);

	if (s != NULL) {
		tokens_add(&s->whacks, whack);
		return;
	}
	ike_reply_refusal(d->ike, whack, refuse_key_lookup(d->ike->arena, id_text(d->ike->arena, id), why));
	ike_finish(d->ike, whack);
}

void dnskeys_gone(struct dnskeys *d, uint32_t whack)
{
	struct search *s;

	LIST_FOREACH(s, &d->open, next)
		for (size_t i = 0; i < s->whacks.n; i++)
			if (s->whacks.at[i] == whack)
				s->whacks.at[i] = NO_WHACK;
}

void dnskeys_stop(struct dnskeys *d)
{
	while (!LIST_EMPTY(&d->open)) {
		struct search *s = LIST_FIRST(&d->open);
		struct tokens requests = s->requests, whacks = s->whacks;

		s->requests = s->whacks = (struct tokens){ 0 };
		release(d, &s->id, requests, whacks, "pluto is shutting down");
		search_free(s);
	}
	d->n_open = 0;
	while (!LIST_EMPTY(&d->kept))
		search_free(LIST_FIRST(&d->kept));
}
