/* replay_internal.h -- what the files of the replay share: the file as lines, and the kernel that it tells of. */
#ifndef PLUTO_DAEMON_REPLAY_INTERNAL_H
#define PLUTO_DAEMON_REPLAY_INTERNAL_H

#include <stdio.h>

#include "base/arena.h"
#include "daemon/record.h"
#include "ike/ike.h"
#include "secrets/store.h"

#define REPLAY_WORDS 16

struct replay {
	FILE *in, *out;
	char *line;		/* the next line, without its end; NULL = end of the file */
	size_t cap;
	unsigned number;	/* of that line */
	struct text *why;
	bool different;		/* why says where */
	bool stopped;
	struct record *record;
	struct ike *ike;
	struct store *store;
	char *secretsfile;
	char *backend, *updown;
	char *no_dns;		/* why the DNS was not asked; NULL = it was */
	bool insecure_dns, keys_in_log;
	struct ike_ports ports;
	struct arena *arena;	/* of one input */
	const char *lines[256];	/* of a listen result */
	struct kernel_interface interfaces[64];
};

struct line {
	char *words[REPLAY_WORDS];
	size_t n;
	char *rest;		/* after the words asked for, unescaped */
};

/* ---- replay_lines.c ---- */

void replay_next(struct replay *p);

/* The output `is` is not what was recorded; always false. */
bool replay_differs(struct replay *p, const char *is);

/* Does the current line begin so, and was there no difference yet? */
bool replay_begins(const struct replay *p, const char *with);

/* At most `words` words of the current line, and what is left after them. */
struct line replay_split(struct replay *p, size_t words);

/* The i-th word as a number, an address, or octets in the arena. */
uint64_t replay_num(const struct line *l, size_t i);
struct ip_addr replay_addr(const struct line *l, size_t i);
struct span replay_octets(struct replay *p, const struct line *l, size_t i);

/* ---- replay_kernel.c ---- */

/* The backend that answers as the recorded one did. */
struct kernel replay_kernel(struct replay *p);

/* An event of the kernel, in the current line. */
void replay_kernel_event(struct replay *p, const char *what, struct line *l, uint64_t now);

#endif
