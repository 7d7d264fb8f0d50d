/* keys.c -- an interpreter for the generated key formulas. */
#include "crypto/hash.h"
#include "engine/internal.h"
#include "engine/keys.h"

#define DEPTH_MAX 16		/* formulas nest 5 deep; the compiler refuses loops */
#define TERMS_MAX 12

struct eval {
	struct exchange *x;
	const struct key_context *c;
	bool of_message;	/* something of this message went in: not to be kept */
};

static struct span value(struct eval *e, uint16_t v, size_t n, unsigned depth);

static struct span msgid_bytes(struct eval *e)
{
	uint8_t *p = arena_alloc(e->c->arena, 4);
	struct writer w = writer_on(p, 4);

	put_u32(&w, e->x->msgid);
	return writer_span(&w);
}

static struct span given(struct eval *e, uint16_t v)
{
	struct exchange *x = e->x, *root = exchange_root(x);

	switch (key_values[v].source) {
	case VALUE_HEADER_ICOOKIE:
		return span_of(x->cookies, COOKIE_SIZE);
	case VALUE_HEADER_RCOOKIE:
		return span_of(get_u64(x->cookies + COOKIE_SIZE) != 0 ? x->cookies + COOKIE_SIZE
								      : x->agreed.rcookie, COOKIE_SIZE);
	case VALUE_HEADER_MSGID:
		e->of_message = true;
		return msgid_bytes(e);
	case VALUE_REST:
		e->of_message = true;
		return e->c->rest;
	case VALUE_LAST_BLOCK:
		return root->iv_set ? span_of(root->iv, alg_table[root->agreed.cipher].iv)
				    : span_of(NULL, 0);
	default:
		break;
	}
	struct span s = values_get(&x->values, v);

	return s.p == NULL && x != root ? values_get(&root->values, v) : s;
}

/* Collect the terms of a formula; false when one is missing. */
static bool terms(struct eval *e, const struct key_formula *f, struct span out[TERMS_MAX],
		  unsigned depth)
{
	if (f->n_terms > TERMS_MAX)
		return false;
	for (size_t i = 0; i < f->n_terms; i++) {
		const struct key_term *t = &f->terms[i];

		out[i] = t->value == KEY_NONE ? span_of(&t->literal, 1)
					      : value(e, t->value, 0, depth + 1);
		if (out[i].p == NULL)
			return false;
	}
	return true;
}

/* The terms one after the other. */
static struct span concat(struct eval *e, const struct key_formula *f, const struct span *in)
{
	size_t total = 0;

	for (size_t i = 0; i < f->n_terms; i++)
		total += in[i].n;
	struct writer w = writer_on(arena_alloc(e->c->arena, total + 1), total);

	for (size_t i = 0; i < f->n_terms; i++)
		put_bytes(&w, in[i]);
	return writer_span(&w);
}

static struct span expand(struct eval *e, const struct key_formula *f, struct span key,
			  const struct span *in, size_t n)
{
	enum alg hash = exchange_root(e->x)->agreed.hash;
	uint8_t *out = arena_alloc(e->c->arena, n == 0 ? 1 : n);

	if (f->fn == KEY_STRETCH) {
		prf_stretch(hash, key, out, n);
		return span_of(out, n);
	}
	prf_plus(hash, key, concat(e, f, in), out, n);
	return span_of(out, n);
}

static struct span compute(struct eval *e, const struct key_formula *f, size_t n, unsigned depth)
{
	enum alg hash = exchange_root(e->x)->agreed.hash;
	struct span in[TERMS_MAX], key = span_of(NULL, 0);

	if (hash == ALG_NONE || !terms(e, f, in, depth))
		return key;
	if (f->key != KEY_NONE) {
		key = value(e, f->key, 0, depth + 1);
		if (key.p == NULL)
			return key;
	}
	if (f->fn == KEY_CONCAT)
		return concat(e, f, in);
	if (f->fn == KEY_PRF_PLUS || f->fn == KEY_STRETCH)
		return expand(e, f, key, in, n);
	uint8_t *out = arena_alloc(e->c->arena, HASH_MAX);

	if (f->fn == KEY_HASH)
		return span_of(out, hash_spans(hash, in, f->n_terms, out));
	if (f->fn == KEY_PRF)
		return span_of(out, hmac_spans(hash, key, in, f->n_terms, out));
	return key;		/* KEY_SIGN: what is signed */
}

/* Secret values only for who may see private keys.  Beside an engine there is nobody to look on. */
static void show(const struct eval *e, uint16_t v, struct span s)
{
	if (e->x->engine == NULL)
		return;
	debug_octets(e->x->engine, e->x, key_values[v].secret ? ENGINE_DEBUG_PRIVATE : ENGINE_DEBUG_CRYPT,
		     key_values[v].name, s);
}

static struct span value(struct eval *e, uint16_t v, size_t n, unsigned depth)
{
	struct span s = given(e, v);

	if (s.p != NULL || depth > DEPTH_MAX || key_values[v].source != VALUE_FORMULA)
		return s;
	const struct key_formula *f = key_formula(v, e->x->agreed.variants | exchange_root(e->x)->agreed.variants);

	if (f == NULL)
		return s;
	bool before = e->of_message;	/* of a neighbour, not of this value */

	e->of_message = false;
	s = compute(e, f, n, depth);
	if (s.p != NULL)
		show(e, v, s);
	if (s.p != NULL && depth > 0 && !e->of_message)
		values_set(&e->x->values, v, s);
	e->of_message |= before;
	return s;
}

struct span keys_value(struct exchange *x, const struct key_context *c, uint16_t v, size_t n)
{
	struct eval e = { .x = x, .c = c };

	return value(&e, v, n, 0);
}
