/* set.h -- one reading of the secrets files: what the parts of the store share. */
#ifndef PLUTO_SECRETS_SET_H
#define PLUTO_SECRETS_SET_H

#include "secrets/store.h"

enum secret_kind { SECRET_PSK, SECRET_RSA, SECRET_XAUTH };

struct entry {
	enum secret_kind kind;
	const char *file;
	unsigned line;
	const struct identity *index;
	size_t n_index;
	struct span secret;	/* the PSK or password; of an RSA key its public half, to tell keys apart */
	struct rsa_key *rsa;	/* owned */
};

/* Counted: the store has one reference, each job that was promised a secret another. */
struct set {
	unsigned refs;
	struct entry *entries;	/* in the order of the files */
	size_t n, cap;
	struct arena *mem;	/* whatever the entries point to; wiped when freed */
};

struct set *set_new(void);
void set_unref(struct set *set);	/* harmless on NULL */
void set_add(struct set *set, const struct entry *e);

/* "preshared secret", "RSA key" or "password". */
const char *secret_kind_name(enum secret_kind kind);

/* "file:line", in the arena. */
const char *entry_where(const struct entry *e, struct arena *a);

/* Text of an identity, in the arena; "%any" for a wildcard. */
const char *identity_text(const struct identity *id, struct arena *a);

/* ---- reading (secrets_load.c, secrets_parse.c) --------------------------- */

/* The files of a pattern as a new set; NULL when anything was wrong. */
struct set *set_load(const char *pattern, struct arena *a, struct store_report *report);

struct seen_file;

struct load {
	struct set *set;
	struct arena *a;	/* of the report */
	struct store_report *report;
	struct store_message *last;
	struct seen_file *seen;
	size_t n_seen;
	unsigned depth;
	bool full;		/* a limit was met: stop reading */
};

void load_error(struct load *l, const struct refusal *r);
void load_warning(struct load *l, const struct refusal *r);

/* Read the files of a pattern; relative names are meant from the folder of file `from`, NULL =
 * the working folder.  line: where it is included. */
void load_pattern(struct load *l, struct span pattern, const char *from, unsigned line);

/* Add the entries of a file.  text.p[text.n] is 0. */
void load_text(struct load *l, const char *file, struct span text);

/* ---- warnings (secrets_check.c) ------------------------------------------ */

/* Entries that get into each other's way, can never be chosen, or are easily guessed. */
void load_check(struct load *l);

#endif
