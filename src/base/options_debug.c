/* options_debug.c -- which debugging output the options select: by flags, and by lists of the names of these flags. */
#include "base/options.h"

/* The flag that `word` in a value of the option d stands for: NAME-WORD; NULL = none. */
static const struct option_desc *flag_of(const struct program_desc *p, const struct option_desc *d, struct span word)
{
	size_t n = strlen(d->name);

	for (size_t i = 0; i < p->n_options; i++) {
		const struct option_desc *flag = &p->options[i];

		if (flag->debug && strncmp(flag->name, d->name, n) == 0 && flag->name[n] == '-' &&
		    span_eq(span_str(flag->name + n + 1), word))
			return flag;
	}
	return NULL;
}

/* The first word of a list with commas, which is taken off it. */
static struct span take_word(const char **list)
{
	struct span word = span_of(*list, strcspn(*list, ","));

	*list += word.n;
	if (**list == ',')
		(*list)++;
	return word;
}

bool options_debug_value(const struct program_desc *p, const struct option_value *v, struct text *why)
{
	const struct option_desc *d = v->option;
	const char *list = v->text;
	struct span word;

	do {
		bool more = strchr(list, ',') != NULL;

		word = take_word(&list);
		if (flag_of(p, d, word) == NULL)
			break;
		if (!more)
			return true;
	} while (true);
	word_where(v->word, why);
	text_add(why, ": --%s ", d->name);
	text_escape(why, span_str(v->text));
	text_add(why, ": \"");
	text_escape(why, word);
	text_add(why, "\" is not one of");
	for (size_t i = 0; d->choices[i] != NULL; i++)
		text_add(why, " %s", d->choices[i]);
	return false;
}

static uint32_t selected(uint32_t mask, const struct option_desc *flag)
{
	return flag->number == 0 ? 0 : mask | flag->number;
}

/* What is selected after v, when mask was before it. */
static uint32_t after(const struct options *o, const struct option_value *v, uint32_t mask)
{
	const char *list = v->text;

	if (v->option->debug)
		return selected(mask, v->option);
	if (v->option->type != OPTION_CLASSES)
		return mask;
	while (*list != '\0')	/* all its words have been looked at */
		mask = selected(mask, flag_of(o->program, v->option, take_word(&list)));
	return mask;
}

uint32_t options_debug(const struct options *o)
{
	uint32_t mask = 0;

	for (size_t i = 0; i < o->n; i++)
		mask = after(o, &o->values[i], mask);
	return mask;
}

const struct option_value *options_debug_by(const struct options *o, uint32_t classes)
{
	const struct option_value *last = NULL;

	for (size_t i = 0; i < o->n; i++)
		if ((after(o, &o->values[i], 0) & classes) != 0)
			last = &o->values[i];
	return last;
}
