/* options.h -- command lines: one parser for the option tables that spec/options.spec gives
 * to pluto and whack.  It knows no option by name, except through those tables. */
#ifndef PLUTO_BASE_OPTIONS_H
#define PLUTO_BASE_OPTIONS_H

#include "base/text.h"

/* ---- tables (generated/options.c) --------------------------------------- */

enum option_type {
	OPTION_FLAG,		/* no value */
	OPTION_U32, OPTION_PORT,	/* a decimal number within min and max */
	OPTION_STRING, OPTION_PATH, OPTION_DATA, OPTION_ALG,	/* text that is not empty */
	OPTION_ADDR, OPTION_ID, OPTION_SUBNET,	/* text; the program resolves and checks it */
	OPTION_ENUM,		/* one of choices; the number is its index */
	OPTION_CLASSES,		/* some of choices with commas between: what the flags NAME-CHOICE select */
};

#define OPTION_COMMON 0xff	/* form of options that go with every form */
#define OPTION_NO_ID 0xffff

struct option_desc {
	uint16_t id;		/* enum whack_option or pluto_option; shared by its forms */
	uint8_t form;		/* enum whack_form ..., OPTION_COMMON */
	enum option_type type;
	const char *name;	/* without the dashes */
	const char *alias;	/* another name, or NULL */
	const char *metavar;	/* NULL for a flag */
	const char *const *choices;	/* of ENUM and CLASSES, NULL at the end */
	const char *text;	/* default as text, NULL = none */
	uint32_t number;	/* default as number or index of the choice */
	uint32_t min, max;	/* of U32 and PORT */
	const char *unit;	/* or NULL */
	bool debug;		/* a flag that selects debugging output: number is its mask */
	bool repeat;		/* may be given again */
	bool end;		/* describes one end: before or after the separator */
	bool required;		/* in its form */
	const char *help;
};

struct form_desc {
	const char *name, *help;
	const uint16_t *selectors;	/* options that choose the form, OPTION_NO_ID at the end */
	const char *usage;	/* the form's part of --help, lines */
};

struct program_desc {
	const char *name;
	const struct option_desc *options;	/* in the order of the spec, form by form */
	size_t n_options;
	const struct form_desc *forms;
	size_t n_forms;
	uint8_t fallback;	/* the form without selectors, OPTION_COMMON = none */
	uint16_t separator;	/* the option between the two ends, OPTION_NO_ID = none */
	uint16_t positional;	/* the option that a bare word stands for, OPTION_NO_ID = none */
	uint16_t options_from;	/* the option that names a file of further options */
	const char *usage;	/* the common part of --help, lines */
};

/* ---- words --------------------------------------------------------------- */

struct word {
	char *text;		/* owned */
	const char *file;	/* owned by the list; NULL: the command line */
	unsigned at;		/* argument number, or line of the file */
};

struct words {
	struct word *w;
	size_t n, cap;
	char **files;		/* names that words refer to */
	size_t n_files;
};

#define OPTIONS_WORDS 4096	/* of one command, all files together */
#define OPTIONS_DEPTH 8		/* files within files */
#define OPTIONS_FILE_SIZE (16u << 20)	/* octets of an option file, or of a file of commands */

void words_add(struct words *l, struct span text, const char *file, unsigned at);
const char *words_file(struct words *l, const char *name);	/* a copy that lives with l */
void words_free(struct words *l);	/* wipes: a command line may hold keys */

/* Words of text that stands in `file` from line `line` on: separated by blanks and line ends; "..." (with
 * backslash before " and backslash) and '...' quote; # up to the line end is a comment.  A NUL follows the text.
 * On failure false with the line and a sentence in why. */
bool words_lex(struct words *l, struct span text, const char *file, unsigned line, struct text *why);

/* A whole file of at most OPTIONS_FILE_SIZE octets, NUL appended, into *out (owned). */
bool words_read(const char *path, struct buf *out, struct text *why);

/* ---- parsed -------------------------------------------------------------- */

enum option_end { END_LEFT, END_RIGHT };

struct option_value {
	const struct option_desc *option;
	uint8_t end;		/* enum option_end; END_LEFT for options of no end */
	const char *text;	/* NULL for a flag; lives with the words */
	uint32_t number;	/* of U32, PORT, ENUM */
	const struct word *word;	/* where it was said */
};

struct options {
	const struct program_desc *program;
	uint8_t form;
	struct words words;
	struct option_value *values;
	size_t n;
	const char *positional;	/* a bare word that no option of the form took, or NULL */
};

/* Parses a command.  On failure false and one line in why: what, where, and what to write instead.
 * o must be freed in either case. */
bool options_parse(struct options *o, const struct program_desc *p, struct words *take, struct text *why);
bool options_argv(struct options *o, const struct program_desc *p, int argc, char **argv,
		  struct text *why);
void options_free(struct options *o);

bool option_given(const struct options *o, unsigned id);
const struct option_value *option_find(const struct options *o, unsigned id, enum option_end end);
/* The next value of a repeated option after `last`, NULL = first. */
const struct option_value *option_next(const struct options *o, unsigned id,
				       const struct option_value *last);
/* What was given, else the default; 0 or NULL without one. */
uint32_t option_number(const struct options *o, unsigned id, enum option_end end);
const char *option_text(const struct options *o, unsigned id, enum option_end end);

/* The mask of all flags for debugging output and of CLASSES, in their order; one with an empty mask undoes those before it. */
uint32_t options_debug(const struct options *o);
/* The last value that selects any of the classes; NULL = none. */
const struct option_value *options_debug_by(const struct options *o, uint32_t classes);
/* Is every word of a value of CLASSES one of its choices?  If not, one line in why.  For options_parse. */
bool options_debug_value(const struct program_desc *p, const struct option_value *v, struct text *why);

/* "argument 3" or "file:12". */
void option_where(const struct option_value *v, struct text *t);
void word_where(const struct word *w, struct text *t);

#endif
