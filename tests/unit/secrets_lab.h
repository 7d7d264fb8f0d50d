/* secrets_lab.h -- a folder with secrets files, what is read from them and said of them. */
#ifndef PLUTO_UNIT_SECRETS_LAB_H
#define PLUTO_UNIT_SECRETS_LAB_H

#include <check.h>
#include <sys/types.h>

#include "base/arena.h"
#include "generated/reasons.h"
#include "ike/identity.h"
#include "secrets/store.h"

#define CANARY "Canary-7291-never-told"	/* stands in files as a secret, and must be in no message */

extern char path[96];			/* of ipsec.secrets in the folder, which is the working directory */
extern struct store *store;
extern struct arena *arena;
extern struct store_report report;	/* of the last reading */

/* Checked fixture. */
void setup(void);
void teardown(void);

void write_bytes(const char *name, const void *p, size_t n, mode_t mode);
void write_text(const char *name, const char *text);
bool load(const char *pattern);

/* No message may hold what the files call secret. */
void assert_discreet(void);
/* This is read from `path` without an error. */
void assert_loads(const char *text);
/* The first error has that reason and those words. */
void assert_refused(const char *pattern, enum reason reason, const char *words);
size_t count_warnings(enum reason reason);

/* NULL: nobody. */
struct identity id(const char *text);
bool ask(const char *us, const char *peer, bool unknown, struct secret_found *out);
bool ask_rsa(const char *us, struct secret_found *out);
void assert_psk(const char *us, const char *peer, bool unknown, const char *want, unsigned line);
void assert_no_psk(const char *us, const char *peer, bool unknown, enum reason reason);

#endif
