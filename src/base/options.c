/* options.c -- from words to checked options of one form. */
#include "base/options.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/xalloc.h"

struct source {			/* the files that are being read, innermost first */
	const struct source *outer;
	dev_t dev;
	ino_t ino;
	unsigned depth;
};

struct parse {
	struct options *o;
	const struct word *bare;	/* the word that stands alone, or NULL */
	uint8_t end;
	struct text *why;
};

static bool wrong(struct parse *p, const struct word *w)
{
	word_where(w, p->why);
	text_add(p->why, ": ");
	return false;
}

/* ---- names ----------------------------------------------------------------- */

static const struct option_desc *by_name(const struct program_desc *p, struct span name)
{
	for (size_t i = 0; i < p->n_options; i++) {
		const struct option_desc *d = &p->options[i];

		if (span_eq(span_str(d->name), name) ||
		    (d->alias != NULL && span_eq(span_str(d->alias), name)))
			return d;
	}
	return NULL;
}

/* How many letters must be changed, added or taken away; 99 for names too long to compare. */
static unsigned distance(struct span a, struct span b)
{
	unsigned row[33];

	if (a.n > 32 || b.n > 32)
		return 99;
	for (unsigned j = 0; j <= b.n; j++)
		row[j] = j;
	for (size_t i = 0; i < a.n; i++) {
		unsigned diagonal = row[0]++;

		for (size_t j = 0; j < b.n; j++) {
			unsigned change = diagonal + (a.p[i] != b.p[j]);
			unsigned other = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;

			diagonal = row[j + 1];
			row[j + 1] = change < other ? change : other;
		}
	}
	return row[b.n];
}

static void suggest(const struct program_desc *p, struct span name, struct text *why)
{
	const char *best = NULL;
	unsigned least = 3;

	for (size_t i = 0; i < p->n_options; i++) {
		struct span known = span_str(p->options[i].name);
		unsigned d = distance(name, known);

		if (name.n >= 3 && known.n > name.n && span_eq(span_sub(known, 0, name.n), name))
			d = 1;
		if (d < least) {
			least = d;
			best = p->options[i].name;
		}
	}
	if (best != NULL)
		text_add(why, "; did you mean --%s?", best);
	else
		text_add(why, "; %s --help shows all options", p->name);
}

/* ---- collecting -------------------------------------------------------------- */

static bool collect(struct parse *p, struct words *in, const struct source *from);

static bool read_file(struct parse *p, const struct word *w, const char *path,
		      const struct source *from)
{
	struct source here = { .outer = from, .depth = from == NULL ? 1 : from->depth + 1 };
	char room[256];
	struct text inner = text_on(room, sizeof(room));
	struct words l = { 0 };
	struct buf content = { 0 };
	struct stat st;
	bool ok = false;

	if (here.depth > OPTIONS_DEPTH) {
		wrong(p, w);
		text_add(p->why, "more than %d option files name each other; take one of them out",
			 OPTIONS_DEPTH);
		return false;
	}
	if (stat(path, &st) == 0) {
		here.dev = st.st_dev;
		here.ino = st.st_ino;
		for (const struct source *s = from; s != NULL; s = s->outer)
			if (s->dev == here.dev && s->ino == here.ino) {
				wrong(p, w);
				text_add(p->why, "option file %s reads itself; take this line out", path);
				return false;
			}
	}
	if (!words_read(path, &content, &inner)) {
		wrong(p, w);
		text_add(p->why, "cannot read option file %s: %s", path, room);
		return false;
	}
	ok = words_lex(&l, span_buf(content), path, 1, p->why);
	buf_free(&content);
	if (ok)
		ok = collect(p, &l, &here);
	words_free(&l);
	return ok;
}

/* Moves the word into the options, so that values may point to it. */
static const struct word *keep(struct parse *p, const struct word *w)
{
	const char *file = w->file;
	struct words *l = &p->o->words;

	if (file != NULL && (l->n_files == 0 || strcmp(l->files[l->n_files - 1], file) != 0))
		file = words_file(l, file);
	else if (file != NULL)
		file = l->files[l->n_files - 1];
	words_add(l, span_str(w->text), file, w->at);
	return &l->w[l->n - 1];
}

static void add_value(struct parse *p, const struct option_desc *d, const struct word *w,
		      const char *text)
{
	struct options *o = p->o;
	const struct word *kept = keep(p, w);

	o->values = xrealloc(o->values, (o->n + 1) * sizeof(*o->values));
	o->values[o->n] = (struct option_value){ .option = d, .end = p->end, .word = kept };
	if (text != NULL) {
		words_add(&o->words, span_str(text), kept->file, w->at);
		o->values[o->n].text = o->words.w[o->words.n - 1].text;
	}
	o->n++;
}

static bool bare_word(struct parse *p, const struct word *w)
{
	if (p->bare != NULL) {
		wrong(p, w);
		text_escape(p->why, span_str(w->text));
		text_add(p->why, " stands alone, and so does ");
		text_escape(p->why, span_str(p->bare->text));
		text_add(p->why, "; options begin with --, and a value with blanks needs quotes");
		return false;
	}
	p->bare = keep(p, w);
	return true;
}

static bool selects(const struct form_desc *f, unsigned id)
{
	for (const uint16_t *s = f->selectors; *s != OPTION_NO_ID; s++)
		if (*s == id)
			return true;
	return false;
}

/* --name, --name=value or --name value; *i is moved past what was used. */
static bool one_option(struct parse *p, struct words *in, size_t *i, const struct source *from)
{
	const struct program_desc *program = p->o->program;
	const struct word *w = &in->w[*i];
	struct span name = span_str(w->text + 2);
	const char *equals = strchr(w->text + 2, '=');
	const struct option_desc *d;
	const char *value = NULL;

	if (equals != NULL)
		name.n = (size_t)(equals - w->text) - 2;
	d = by_name(program, name);
	if (d == NULL) {
		wrong(p, w);
		text_add(p->why, "unknown option --");
		text_escape(p->why, name);
		suggest(program, name, p->why);
		return false;
	}
	if (equals != NULL && selects(&program->forms[0], d->id)) {	/* --help=FORM */
		struct word form = { .text = (char *)equals + 1, .file = w->file, .at = w->at };

		add_value(p, d, w, NULL);
		return bare_word(p, &form);
	}
	if (d->metavar == NULL && equals != NULL) {
		wrong(p, w);
		text_add(p->why, "--%s takes no value; leave out what follows the =", d->name);
		return false;
	}
	if (d->metavar != NULL && equals != NULL) {
		value = equals + 1;
	} else if (d->metavar != NULL) {
		if (*i + 1 == in->n || strncmp(in->w[*i + 1].text, "--", 2) == 0) {
			wrong(p, w);
			text_add(p->why, "--%s needs a value; write --%s %s", d->name, d->name,
				 d->metavar);
			return false;
		}
		value = in->w[++*i].text;
	}
	if (d->id == program->options_from)
		return read_file(p, w, value, from);
	add_value(p, d, w, value);
	if (d->id == program->separator)
		p->end = END_RIGHT;
	return true;
}

static bool selects_any(const struct program_desc *program, uint16_t id)
{
	for (size_t i = 0; i < program->n_forms; i++)
		if (selects(&program->forms[i], id))
			return true;
	return false;
}

/* An option that chooses a form may be written without its dashes, as long as no other one was given. */
static const struct option_desc *command_of(const struct options *o, const char *word)
{
	const struct option_desc *d = by_name(o->program, span_str(word));

	for (size_t i = 0; i < o->n; i++)
		if (selects_any(o->program, o->values[i].option->id))
			return NULL;
	return d != NULL && d->metavar == NULL && selects_any(o->program, d->id) ? d : NULL;
}

static bool collect(struct parse *p, struct words *in, const struct source *from)
{
	for (size_t i = 0; i < in->n; i++) {
		const struct word *w = &in->w[i];
		bool ok;

		if (p->o->words.n > 2 * OPTIONS_WORDS) {
			wrong(p, w);
			text_add(p->why, "one command has more than %d words; split it", OPTIONS_WORDS);
			return false;
		}
		if (strncmp(w->text, "--", 2) == 0 && w->text[2] != '\0') {
			ok = one_option(p, in, &i, from);
		} else if (w->text[0] == '-') {
			wrong(p, w);
			text_escape(p->why, span_str(w->text));
			text_add(p->why, " is not an option; options begin with --");
			ok = false;
		} else if (p->bare == NULL && command_of(p->o, w->text) != NULL) {
			add_value(p, command_of(p->o, w->text), w, NULL);
			ok = true;
		} else {
			ok = bare_word(p, w);
		}
		if (!ok)
			return false;
	}
	return true;
}

/* ---- forms -------------------------------------------------------------------- */

static const struct option_desc *in_form(const struct program_desc *p, unsigned id, unsigned form)
{
	for (size_t i = 0; i < p->n_options; i++)
		if (p->options[i].id == id &&
		    (p->options[i].form == form || p->options[i].form == OPTION_COMMON))
			return &p->options[i];
	return NULL;
}

static const struct option_value *selector_of(const struct options *o, unsigned form)
{
	for (size_t i = 0; i < o->n; i++)
		if (selects(&o->program->forms[form], o->values[i].option->id))
			return &o->values[i];
	return NULL;
}

static const struct option_value *stranger_to(const struct options *o, unsigned form)
{
	for (size_t i = 0; i < o->n; i++)
		if (in_form(o->program, o->values[i].option->id, form) == NULL)
			return &o->values[i];
	return NULL;
}

static bool no_form(struct parse *p)
{
	const struct program_desc *program = p->o->program;

	text_add(p->why, "nothing to do: give one of");
	for (size_t i = 1; i < program->n_forms; i++)
		if (program->forms[i].selectors[0] != OPTION_NO_ID)
			for (size_t k = 0; k < program->n_options; k++)
				if (program->options[k].id == program->forms[i].selectors[0]) {
					text_add(p->why, " --%s", program->options[k].name);
					break;
				}
	text_add(p->why, "; %s --help explains them", program->name);
	return false;
}

static bool does_not_fit(struct parse *p, unsigned form)
{
	const struct options *o = p->o;
	const struct option_value *chosen = selector_of(o, form), *odd = stranger_to(o, form);

	wrong(p, odd->word);
	if (chosen == NULL) {
		text_add(p->why, "--%s goes with another form; see %s --help",
			 odd->option->name, o->program->name);
		return false;
	}
	for (size_t i = 0; i < o->program->n_forms; i++)
		if (selects(&o->program->forms[i], odd->option->id)) {
			text_add(p->why, "--%s and --%s are two requests; use two commands",
				 chosen->option->name, odd->option->name);
			return false;
		}
	text_add(p->why, "--%s does not go with --%s; leave it out, or see %s --help %s",
		 odd->option->name, chosen->option->name, o->program->name,
		 o->program->forms[form].name);
	return false;
}

static bool choose_form(struct parse *p)
{
	struct options *o = p->o;
	unsigned first = OPTION_COMMON;

	for (unsigned f = 0; f < o->program->n_forms; f++) {
		if (selector_of(o, f) == NULL)
			continue;
		if (f == 0 || stranger_to(o, f) == NULL) {
			o->form = (uint8_t)f;	/* help wins */
			return true;
		}
		if (first == OPTION_COMMON)
			first = f;
	}
	if (first == OPTION_COMMON)
		first = o->program->fallback;
	if (first == OPTION_COMMON)
		return no_form(p);
	if (stranger_to(o, first) != NULL)
		return does_not_fit(p, first);
	o->form = (uint8_t)first;
	return true;
}

/* ---- values ------------------------------------------------------------------- */

static bool number_value(struct parse *p, struct option_value *v)
{
	const struct option_desc *d = v->option;
	uint64_t n = 0;
	const char *c = v->text;

	for (; *c >= '0' && *c <= '9' && n <= UINT32_MAX; c++)
		n = n * 10 + (uint64_t)(*c - '0');
	if (*c == '\0' && c != v->text && n >= d->min && n <= d->max) {
		v->number = (uint32_t)n;
		return true;
	}
	wrong(p, v->word);
	text_add(p->why, "--%s ", d->name);
	text_escape(p->why, span_str(v->text));
	text_add(p->why, " is not a number from %u to %u%s%s", d->min, d->max,
		 d->unit == NULL ? "" : ", in ", d->unit == NULL ? "" : d->unit);
	return false;
}

static bool choice_value(struct parse *p, struct option_value *v)
{
	for (uint32_t i = 0; v->option->choices[i] != NULL; i++)
		if (strcmp(v->option->choices[i], v->text) == 0) {
			v->number = i;
			return true;
		}
	wrong(p, v->word);
	text_add(p->why, "--%s ", v->option->name);
	text_escape(p->why, span_str(v->text));
	text_add(p->why, " is not one of");
	for (uint32_t i = 0; v->option->choices[i] != NULL; i++)
		text_add(p->why, " %s", v->option->choices[i]);
	return false;
}

static bool check_value(struct parse *p, struct option_value *v)
{
	switch (v->option->type) {
	case OPTION_FLAG:
		return true;
	case OPTION_U32:
	case OPTION_PORT:
		return number_value(p, v);
	case OPTION_ENUM:
		return choice_value(p, v);
	case OPTION_CLASSES:
		return options_debug_value(p->o->program, v, p->why);
	default:
		break;
	}
	if (v->text[0] != '\0')
		return true;
	wrong(p, v->word);
	text_add(p->why, "--%s is empty; write --%s %s", v->option->name, v->option->name,
		 v->option->metavar);
	return false;
}

static bool check_once(struct parse *p, const struct option_value *v)
{
	const struct option_value *before = option_find(p->o, v->option->id, v->end);

	if (before == v || v->option->repeat)
		return true;
	if (v->option->type == OPTION_FLAG && v->option->id != p->o->program->separator)
		return true;
	wrong(p, v->word);
	text_add(p->why, "--%s is given twice, first as ", v->option->name);
	option_where(before, p->why);
	text_add(p->why, "%s", v->option->end ? " for the same end; keep one of them" :
					       "; keep one of them");
	return false;
}

static bool check_required(struct parse *p)
{
	const struct options *o = p->o;
	const struct option_value *chosen = selector_of(o, o->form);

	for (size_t i = 0; i < o->program->n_options; i++) {
		const struct option_desc *d = &o->program->options[i];

		if (d->form != o->form || !d->required || option_given(o, d->id))
			continue;
		if (chosen != NULL)
			text_add(p->why, "--%s needs --%s %s as well: %s", chosen->option->name,
				 d->name, d->metavar == NULL ? "" : d->metavar, d->help);
		else
			text_add(p->why, "--%s is missing: %s", d->name, d->help);
		return false;
	}
	return true;
}

/* A bare word is the value of the positional option, where the form has it. */
static bool place_bare(struct parse *p)
{
	struct options *o = p->o;
	const struct option_desc *d = in_form(o->program, o->program->positional, o->form);

	if (p->bare == NULL)
		return true;
	if (d != NULL) {
		struct word w = *p->bare;

		p->end = END_LEFT;
		add_value(p, d, &w, w.text);
	} else if (o->form == 0) {
		o->positional = p->bare->text;
	} else {
		wrong(p, p->bare);
		text_escape(p->why, span_str(p->bare->text));
		text_add(p->why, " stands alone; options begin with --");
		return false;
	}
	return true;
}

static bool bind_values(struct parse *p)
{
	struct options *o = p->o;

	for (size_t i = 0; i < o->n; i++) {
		struct option_value *v = &o->values[i];

		if (o->form == 0 && in_form(o->program, v->option->id, 0) == NULL)
			continue;	/* beside --help nothing matters */
		v->option = in_form(o->program, v->option->id, o->form);
		if (!v->option->end)
			v->end = END_LEFT;
		if (!check_value(p, v) || !check_once(p, v))
			return false;
	}
	return true;
}

bool options_parse(struct options *o, const struct program_desc *program, struct words *take,
		   struct text *why)
{
	struct parse p = { .o = o, .end = END_LEFT, .why = why };
	bool ok;

	*o = (struct options){ .program = program };
	/* Values point to words: the list must not move while it grows. */
	o->words.cap = 4 * OPTIONS_WORDS;
	o->words.w = xcalloc(o->words.cap, sizeof(*o->words.w));
	ok = collect(&p, take, NULL) && choose_form(&p) && place_bare(&p) && bind_values(&p) &&
	     (o->form == 0 || check_required(&p));
	words_free(take);
	return ok;
}

bool options_argv(struct options *o, const struct program_desc *program, int argc, char **argv,
		  struct text *why)
{
	struct words l = { 0 };

	for (int i = 1; i < argc; i++)
		words_add(&l, span_str(argv[i]), NULL, (unsigned)i);
	return options_parse(o, program, &l, why);
}

void options_free(struct options *o)
{
	words_free(&o->words);
	free(o->values);
	*o = (struct options){ 0 };
}

/* ---- asking ------------------------------------------------------------------- */

bool option_given(const struct options *o, unsigned id)
{
	return option_next(o, id, NULL) != NULL;
}

const struct option_value *option_find(const struct options *o, unsigned id, enum option_end end)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->values[i].option->id == id && o->values[i].end == end)
			return &o->values[i];
	return NULL;
}

const struct option_value *option_next(const struct options *o, unsigned id,
				       const struct option_value *last)
{
	size_t i = last == NULL ? 0 : (size_t)(last - o->values) + 1;

	for (; i < o->n; i++)
		if (o->values[i].option->id == id)
			return &o->values[i];
	return NULL;
}

uint32_t option_number(const struct options *o, unsigned id, enum option_end end)
{
	const struct option_value *v = option_find(o, id, end);
	const struct option_desc *d = in_form(o->program, id, o->form);

	return v != NULL ? v->number : d == NULL ? 0 : d->number;
}

const char *option_text(const struct options *o, unsigned id, enum option_end end)
{
	const struct option_value *v = option_find(o, id, end);
	const struct option_desc *d = in_form(o->program, id, o->form);

	return v != NULL ? v->text : d == NULL ? NULL : d->text;
}
