/* algorithms.re -- algorithm strings of --ike, --esp and --ah, to rows of a suite and back. */
#include "ike/algorithms.h"

#include "base/attribute.h"
#include "generated/algorithms.h"
#include "generated/limits.h"
#include "generated/names.h"
#include "generated/payloads.h"
#include "generated/reasons.h"

#define WORD_MAX 32
#define MARK ".."		/* in a word: where the key length stands */

enum part { PART_CIPHER, PART_HASH, PART_GROUP, PART_COUNT };

static const char *const part_names[PART_COUNT] = { "cipher", "hash", "group" };

/* How a protocol says a part. */
struct column {
	bool there;
	bool transform;		/* the part decides the number of the transform */
	uint16_t attribute;	/* and / or an attribute */
};

struct columns {
	uint8_t protocol;
	uint8_t transform;	/* when no part decides it */
	uint16_t key_length;
	uint16_t group;		/* attribute whose registry has the groups */
	struct column part[PART_COUNT];
};

static const struct columns all_columns[] = {
	{ PROTOCOL_ID_ISAKMP, ISAKMP_TRANSFORM_IKE, OAKLEY_ATTRIBUTE_KEY_LENGTH,
	  OAKLEY_ATTRIBUTE_GROUP_DESCRIPTION,
	  { { true, false, OAKLEY_ATTRIBUTE_ENCRYPTION_ALGORITHM },
	    { true, false, OAKLEY_ATTRIBUTE_HASH_ALGORITHM },
	    { true, false, OAKLEY_ATTRIBUTE_GROUP_DESCRIPTION } } },
	/* The group of phase 2 belongs to the exchange, not to the row. */
	{ PROTOCOL_ID_ESP, 0, IPSEC_ATTRIBUTE_KEY_LENGTH, IPSEC_ATTRIBUTE_GROUP_DESCRIPTION,
	  { { true, true, 0 }, { true, false, IPSEC_ATTRIBUTE_AUTH_ALGORITHM }, { false, false, 0 } } },
	{ PROTOCOL_ID_AH, 0, 0, IPSEC_ATTRIBUTE_GROUP_DESCRIPTION,
	  { { false, false, 0 }, { true, true, IPSEC_ATTRIBUTE_AUTH_ALGORITHM }, { false, false, 0 } } },
	/* There is nothing to choose: no string, only the word in what was agreed on. */
	{ PROTOCOL_ID_IPCOMP, 0, 0, IPSEC_ATTRIBUTE_GROUP_DESCRIPTION,
	  { { true, true, 0 }, { false, false, 0 }, { false, false, 0 } } },
};

static const struct columns *columns_of(uint32_t protocol)
{
	for (size_t i = 0; i < sizeof(all_columns) / sizeof(all_columns[0]); i++)
		if (all_columns[i].protocol == protocol)
			return &all_columns[i];
	return NULL;
}

/* The registry with the words of a part; NULL when the protocol does not have the part. */
static const struct registry *words_of(const struct columns *c, enum part part)
{
	const struct column *col = &c->part[part];
	uint16_t attribute = part == PART_GROUP ? c->group : col->attribute;
	const struct attribute_desc *d;

	if (col->transform)
		return registry_transform_id(c->protocol);
	if (!col->there && part != PART_GROUP)
		return NULL;
	d = attribute_desc(c->protocol, attribute);
	return d == NULL ? NULL : d->registry;
}

/* ---- words ------------------------------------------------------------------ */

static struct span first_word(const struct registry_entry *e)
{
	return span_of(e->word, e->word == NULL ? 0 : strcspn(e->word, ","));
}

/* The word of e with its key length, bits 0 = none. */
static void add_word(struct text *t, const struct registry_entry *e, uint32_t bits)
{
	struct span w = first_word(e);
	const char *mark = strstr(e->word, MARK);
	size_t before = mark == NULL ? w.n : (size_t)(mark - e->word);

	if (before >= w.n) {
		mark = NULL;
		before = w.n;
	}
	text_add(t, "%.*s", (int)before, e->word);
	if (bits != 0)
		text_add(t, "%u", bits);
	if (mark != NULL)
		text_add(t, "%.*s", (int)(w.n - before - strlen(MARK)), mark + strlen(MARK));
}

static bool sized(const struct registry_entry *e)
{
	return alg_table[e->alg].n_keys > 1;
}

/* Is e a word that this program can also do? */
static bool usable(const struct registry_entry *e)
{
	return e->kind == REGISTRY_NAMED && !e->alias && e->word != NULL && e->alg != ALG_NONE;
}

static const char *known_words(const struct columns *c, struct arena *a)
{
	char *line = arena_alloc(a, 1024);
	struct text t = text_on(line, 1024);

	for (enum part part = 0; part < PART_COUNT; part++) {
		const struct registry *r = words_of(c, part);

		for (size_t i = 0; r != NULL && i < r->n; i++) {
			const struct registry_entry *e = &r->entries[i];

			if (!usable(e))
				continue;
			for (size_t k = 0; k < alg_table[e->alg].n_keys || k == 0; k++) {
				text_add(&t, t.n == 0 ? "" : " ");
				add_word(&t, e, sized(e) ? alg_table[e->alg].keys[k] * 8u : 0);
				if (!sized(e))
					break;
			}
		}
	}
	return line;
}

/* ---- one string -------------------------------------------------------------- */

struct named {
	const struct registry_entry *entry;	/* NULL = left out */
	uint32_t bits;		/* key length, 0 = not said */
	unsigned column;
};

struct parse {
	const struct columns *c;
	const struct suite *defaults;
	struct arena *a;
	const char *text;	/* for messages */
	const uint8_t *begin, *at, *end;
	const struct refusal *refusal;
	struct named part[PART_COUNT];	/* of the proposal being read */
	bool group_set;		/* an earlier proposal has settled the group */
	uint32_t group;
	struct suite_row *rows;
	uint16_t n;
};

static unsigned column_of(const struct parse *p, const uint8_t *at)
{
	return (unsigned)(at - p->begin) + 1;
}

static bool misplaced(struct parse *p, const uint8_t *at, const char *what)
{
	p->refusal = refuse_algorithm_misplaced(p->a, p->text, column_of(p, at), what);
	return false;
}

static bool key_length_ok(const struct registry_entry *e, uint32_t bits)
{
	const struct alg_desc *d = &alg_table[e->alg];

	for (size_t i = 0; i < d->n_keys; i++)
		if (d->keys[i] * 8u == bits)
			return sized(e);
	return false;
}

/* Look for word with one of its runs of digits taken for the key length. */
static const struct registry_entry *sized_word(const struct registry *r, struct span word,
					       uint32_t *bits)
{
	char name[WORD_MAX + sizeof(MARK)];
	const struct registry_entry *e = NULL;
	size_t to;

	for (size_t from = 0; from < word.n && e == NULL; from = to) {
		uint32_t v = 0;

		for (to = from; to < word.n && to - from < 5 && word.p[to] >= '0' && word.p[to] <= '9'; to++)
			v = v * 10 + (uint32_t)(word.p[to] - '0');
		if (to == from || word.p[from] == '0') {
			to = to == from ? to + 1 : to;
			continue;
		}
		size_t mark = to == word.n ? 0 : strlen(MARK);

		memcpy(name, word.p, from);
		memcpy(name + from, MARK, mark);
		memcpy(name + from + mark, word.p + to, word.n - to);
		e = registry_by_word(r, span_of(name, from + mark + word.n - to));
		*bits = v;
	}
	return e;
}

static bool wrong_length(struct parse *p, const struct registry_entry *e, struct span word,
			 uint32_t bits)
{
	const struct alg_desc *d = &alg_table[e->alg];
	char allowed[64];
	struct text t = text_on(allowed, sizeof(allowed));

	for (size_t i = 0; i < d->n_keys; i++)
		text_add(&t, "%s%u", i == 0 ? "" : ", ", d->keys[i] * 8u);
	p->refusal = refuse_algorithm_key_length(p->a, p->text, column_of(p, word.p),
						 arena_str(p->a, word), bits, allowed);
	return false;
}

/* lower: the word in lower case. */
static bool take_word(struct parse *p, struct span word, struct span lower)
{
	for (enum part part = 0; part < PART_COUNT; part++) {
		const struct registry *r = words_of(p->c, part);
		const struct registry_entry *e = r == NULL ? NULL : registry_by_word(r, lower);
		uint32_t bits = 0;

		if (e == NULL && r != NULL && part == PART_CIPHER)
			e = sized_word(r, lower, &bits);
		if (e == NULL || !usable(e))
			continue;
		if (bits != 0 && !key_length_ok(e, bits))
			return wrong_length(p, e, word, bits);
		if (p->part[part].entry != NULL)
			return misplaced(p, word.p, arena_printf(p->a,
				"a second %s in one proposal: proposals are separated by commas",
				part_names[part]));
		p->part[part] = (struct named){ .entry = e, .bits = bits, .column = column_of(p, word.p) };
		return true;
	}
	p->refusal = refuse_algorithm_unknown(p->a, p->text, column_of(p, word.p),
					      arena_str(p->a, word), known_words(p->c, p->a));
	return false;
}

static bool word(struct parse *p, const uint8_t *from, const uint8_t *to)
{
	struct span w = span_of(from, (size_t)(to - from));
	uint8_t lower[WORD_MAX];

	if (w.n > WORD_MAX)
		return misplaced(p, from, "this word is too long for an algorithm");
	for (size_t i = 0; i < w.n; i++)
		lower[i] = from[i] >= 'A' && from[i] <= 'Z' ? (uint8_t)(from[i] | 0x20u) : from[i];
	return take_word(p, w, span_of(lower, w.n));
}

/* ---- rows --------------------------------------------------------------------- */

/* The values of a part: the one that is named, else those of the default suite. */
struct values {
	uint32_t v[16];
	size_t n;
};

static void add_value(struct values *vs, uint32_t v)
{
	for (size_t i = 0; i < vs->n; i++)
		if (vs->v[i] == v)
			return;
	if (vs->n < sizeof(vs->v) / sizeof(vs->v[0]))
		vs->v[vs->n++] = v;
}

static struct values values_of(const struct parse *p, enum part part)
{
	const struct suite *d = p->defaults;
	struct values vs = { .n = 0 };

	if (p->part[part].entry != NULL) {
		add_value(&vs, p->part[part].entry->lo);
		return vs;
	}
	for (size_t i = 0; d != NULL && i < d->n; i++)
		for (size_t j = 0; j < d->rows[i].n; j++)
			if (d->rows[i].cells[j].attribute == p->c->part[part].attribute)
				add_value(&vs, d->rows[i].cells[j].value);
	return vs;
}

static bool same_row(const struct suite_row *x, const struct suite_row *y)
{
	if (x->transform != y->transform || x->n != y->n)
		return false;
	for (size_t i = 0; i < x->n; i++)
		if (x->cells[i].attribute != y->cells[i].attribute ||
		    x->cells[i].value != y->cells[i].value)
			return false;
	return true;
}

static bool add_row(struct parse *p, uint8_t transform, const struct suite_cell *cells, uint8_t n)
{
	const struct span bytes = span_of(cells, n * sizeof(*cells));
	struct suite_row row = { .transform = transform, .n = n, .cells = cells };

	for (size_t i = 0; i < p->n; i++)
		if (same_row(&p->rows[i], &row))
			return true;
	if (p->n == LIMIT_TRANSFORMS) {
		p->refusal = refuse_algorithm_rows(p->a, p->text, LIMIT_TRANSFORMS);
		return false;
	}
	row.cells = (const void *)arena_span(p->a, bytes).p;
	p->rows[p->n++] = row;
	return true;
}

/* The authentication algorithm that an AH transform stands for. */
static uint32_t same_algorithm(const struct columns *c, const struct registry_entry *e)
{
	const struct attribute_desc *d = attribute_desc(c->protocol, c->part[PART_HASH].attribute);

	for (size_t i = 0; d != NULL && d->registry != NULL && i < d->registry->n; i++)
		if (d->registry->entries[i].alg == e->alg)
			return d->registry->entries[i].lo;
	return 0;
}

/* One row: the cells in the order of a suite's columns; 0 = no such cell. */
static bool make_row(struct parse *p, uint32_t bits, uint32_t hash, uint32_t group)
{
	const struct columns *c = p->c;
	const struct registry_entry *cipher = p->part[PART_CIPHER].entry;
	uint32_t transform = c->transform;
	struct suite_cell cells[4];
	uint8_t n = 0;

	if (c->part[PART_CIPHER].transform)
		transform = cipher->lo;
	else if (c->part[PART_CIPHER].there)
		cells[n++] = (struct suite_cell){ c->part[PART_CIPHER].attribute, cipher->lo };
	if (bits != 0)
		cells[n++] = (struct suite_cell){ c->key_length, bits };
	if (c->part[PART_HASH].transform) {
		transform = hash;
		hash = same_algorithm(c, p->part[PART_HASH].entry);
	}
	if (hash != 0)
		cells[n++] = (struct suite_cell){ c->part[PART_HASH].attribute, hash };
	if (group != 0)
		cells[n++] = (struct suite_cell){ c->part[PART_GROUP].attribute, group };
	return add_row(p, (uint8_t)transform, cells, n);
}

/* The parts multiplied out, the last one running fastest.  A part without values counts once. */
static bool make_rows(struct parse *p, const struct values *bits, const struct values *hash,
		      const struct values *group)
{
	for (size_t i = 0; i < bits->n || i == 0; i++)
		for (size_t j = 0; j < hash->n || j == 0; j++)
			for (size_t k = 0; k < group->n || k == 0; k++)
				if (!make_row(p, bits->n == 0 ? 0 : bits->v[i],
					      hash->n == 0 ? 0 : hash->v[j],
					      group->n == 0 ? 0 : group->v[k]))
					return false;
	return true;
}

/* The group of phase 2: one for all proposals, or none. */
static bool settle_group(struct parse *p, const uint8_t *at)
{
	const struct named *g = &p->part[PART_GROUP];
	uint32_t group = g->entry == NULL ? 0 : g->entry->lo;

	if (p->group_set && group != p->group) {
		p->refusal = refuse_algorithm_groups(p->a, p->text,
						     g->entry == NULL ? column_of(p, at) : g->column);
		return false;
	}
	p->group_set = true;
	p->group = group;
	return true;
}

/* A proposal from `from` on is complete: add its rows. */
static bool finish(struct parse *p, const uint8_t *from)
{
	const struct columns *c = p->c;
	const struct named *cipher = &p->part[PART_CIPHER], *hash = &p->part[PART_HASH];
	struct values bits = { .n = 0 }, hashes = { .n = 0 }, groups = { .n = 0 };
	enum alg alg = cipher->entry == NULL ? ALG_NONE : cipher->entry->alg;

	if (c->part[PART_CIPHER].there && cipher->entry == NULL)
		return misplaced(p, from, "the proposal names no cipher");
	if (!c->part[PART_CIPHER].there && hash->entry == NULL)
		return misplaced(p, from, "the proposal names no hash");
	if (alg_table[alg].kind == ALG_KIND_AEAD && hash->entry != NULL)
		return misplaced(p, p->begin + hash->column - 1,
				 "this cipher authenticates by itself: leave the hash out");
	if (cipher->bits != 0)
		add_value(&bits, cipher->bits);
	else if (cipher->entry != NULL && sized(cipher->entry))
		for (size_t i = alg_table[alg].n_keys; i > 0; i--)
			add_value(&bits, alg_table[alg].keys[i - 1] * 8u);
	if (alg_table[alg].kind != ALG_KIND_AEAD) {
		hashes = values_of(p, PART_HASH);
		if (hashes.n == 0)
			return misplaced(p, from, "the proposal names no hash, and there is no default");
	}
	if (c->part[PART_GROUP].there) {
		groups = values_of(p, PART_GROUP);
		if (groups.n == 0)
			return misplaced(p, from, "the proposal names no group, and there is no default");
	} else if (!settle_group(p, from)) {
		return false;
	}
	if (!make_rows(p, &bits, &hashes, &groups))
		return false;
	memset(p->part, 0, sizeof(p->part));
	return true;
}

/* ---- the string ---------------------------------------------------------------- */

static bool scan(struct parse *p)
{
	const uint8_t *at = p->begin, *end = p->end, *from, *proposal = at;
	bool want = true;	/* a word must come now */

	for (;;) {
		from = at;
		/*!re2c
			re2c:api = custom;
			re2c:api:style = free-form;
			re2c:eof = 0;
			re2c:yyfill:enable = 0;
			re2c:define:YYCTYPE = uint8_t;
			re2c:define:YYPEEK = "(at < end ? *at : 0)";
			re2c:define:YYSKIP = "++at;";
			re2c:define:YYLESSTHAN = "at >= end";

			[a-zA-Z0-9_]+	{
				if (!want)
					return misplaced(p, from, "a word out of place");
				if (!word(p, from, at))
					return false;
				want = false;
				continue;
			}
			"-"	{
				if (want)
					return misplaced(p, from, "an algorithm is missing before the -");
				want = true;
				continue;
			}
			","	{
				if (want)
					return misplaced(p, from, "an algorithm is missing before the comma");
				if (!finish(p, proposal))
					return false;
				proposal = at;
				want = true;
				continue;
			}
			$	{ break; }
			*	{ return misplaced(p, from, "a character that no algorithm has"); }
		*/
	}
	if (want)
		return misplaced(p, end, "an algorithm is missing at the end");
	return finish(p, proposal);
}

const struct refusal *algorithms_parse(uint32_t protocol, struct span text,
				       const struct suite *defaults, struct arena *a,
				       struct algorithms *out)
{
	struct parse p = {
		.c = columns_of(protocol), .defaults = defaults, .a = a,
		.text = arena_str(a, span_sub(text, 0, 200)),
		.begin = text.p, .end = text.n == 0 ? text.p : text.p + text.n,
	};

	if (p.c == NULL || protocol == PROTOCOL_ID_IPCOMP)
		return refuse_algorithm_misplaced(a, p.text, 1, "there are no algorithm strings for this protocol");
	p.rows = ARENA_ARRAY(a, struct suite_row, LIMIT_TRANSFORMS);
	if (!scan(&p))
		return p.refusal;
	*out = (struct algorithms){
		.suite = { .name = p.text, .protocol = p.c->protocol, .n = p.n, .rows = p.rows },
		.group = p.group,
	};
	return NULL;
}

/* ---- and back -------------------------------------------------------------------- */

static const uint32_t *cell(const struct suite_row *row, uint16_t attribute)
{
	for (size_t i = 0; attribute != 0 && i < row->n; i++)
		if (row->cells[i].attribute == attribute)
			return &row->cells[i].value;
	return NULL;
}

static void add_part(struct text *t, const struct registry *r, uint32_t value, uint32_t bits)
{
	const struct registry_entry *e = r == NULL ? NULL : registry_find(r, value);

	if (t->n != 0)
		text_add(t, "-");
	if (e != NULL && e->word != NULL)
		add_word(t, e, bits);
	else if (bits != 0)
		text_add(t, "%u_%u", value, bits);
	else
		text_add(t, "%u", value);
}

void algorithms_format(struct text *t, uint32_t protocol, const struct suite_row *row,
		       uint32_t group)
{
	const struct columns *c = columns_of(protocol);
	const uint32_t *bits = c == NULL ? NULL : cell(row, c->key_length);
	char line[160] = "";
	struct text own = text_on(line, sizeof(line));	/* t may hold something already */

	for (enum part part = 0; c != NULL && part < PART_COUNT; part++) {
		const struct column *col = &c->part[part];
		const uint32_t *value = cell(row, col->attribute);

		if (col->transform)
			add_part(&own, words_of(c, part), row->transform,
				 part == PART_CIPHER && bits != NULL ? *bits : 0);
		else if (value != NULL)
			add_part(&own, words_of(c, part), *value,
				 part == PART_CIPHER && bits != NULL ? *bits : 0);
	}
	if (c != NULL && group != 0)
		add_part(&own, words_of(c, PART_GROUP), group, 0);
	text_add(t, "%s", line);
}
