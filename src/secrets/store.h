/* store.h -- the store of preshared secrets and RSA private keys (ipsec.secrets). */
#ifndef PLUTO_SECRETS_STORE_H
#define PLUTO_SECRETS_STORE_H

#include "base/arena.h"
#include "base/tables.h"
#include "ike/secrets.h"

struct store;

/* What one reading has to say, in the order of its finding. */
struct store_message {
	bool error;		/* else a warning: the secrets are used all the same */
	const struct refusal *refusal;
	const struct store_message *next;
};

struct store_report {
	const struct store_message *messages;
	size_t n_errors, n_warnings;
	size_t n_files, n_psk, n_rsa, n_xauth;	/* of what was read, whether it is used or not */
};

struct store *store_new(void);

/* Wipes every secret, except those that are held. */
void store_free(struct store *s);

/* Read the files that the shell pattern matches, with all that they include, and put them in the
 * place of what the store held.  False when anything was wrong: then nothing has changed.  No
 * file at all is no error but a warning, and empties the store.  A file must be a regular one, of
 * limited size, owned by root or by us, and neither readable nor writable for group or others;
 * a symbolic link must belong to root or to us.  The report lives in the arena and never
 * quotes what might be a secret. */
bool store_load(struct store *s, const char *pattern, struct arena *a, struct store_report *report);

/* What ike asks.  secret_found.why and .refusal live until the next question. */
struct secrets store_secrets(struct store *s);

#endif
