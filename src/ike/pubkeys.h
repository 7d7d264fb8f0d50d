/* pubkeys.h -- the RSA public keys of identities, as whack gave them. */
#ifndef PLUTO_IKE_PUBKEYS_H
#define PLUTO_IKE_PUBKEYS_H

#include "crypto/rsa.h"
#include "generated/control_protocol.h"
#include "generated/limits.h"
#include "ike/secrets.h"

struct ike;
struct pubkeys;

/* One key of one identity.  Counted: the store has a reference, and each job that tries the key. */
struct pubkey {
	struct pubkey *next;		/* of the same hash */
	struct identity id;		/* its name is owned */
	struct rsa_key *rsa;
	char fingerprint[RSA_FINGERPRINT_TEXT];
	unsigned refs;
};

struct pubkeys *pubkeys_new(void);
void pubkeys_free(struct pubkeys *ks);
size_t pubkeys_count(const struct pubkeys *ks);

/* The keys of an identity, oldest first; how many.  They stay while the caller does not add keys,
 * longer with a reference. */
size_t pubkeys_of(const struct pubkeys *ks, const struct identity *id,
		  struct pubkey *out[LIMIT_KEYS_PER_IDENTITY]);

struct pubkey *pubkey_ref(struct pubkey *k);
void pubkey_unref(struct pubkey *k);

/* whack --keyid ID --pubkeyrsa KEY: one more key of ID; the same key again is no error. */
void command_public_key(struct ike *ike, uint32_t whack, const struct control_public_key *m);

/* Calls tell for each key; it must not change the store. */
void pubkeys_each(const struct pubkeys *ks, void (*tell)(void *ctx, const struct pubkey *k), void *ctx);

#endif
