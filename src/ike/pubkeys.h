/* pubkeys.h -- the RSA public keys of identities, as whack gave them or the DNS. */
#ifndef PLUTO_IKE_PUBKEYS_H
#define PLUTO_IKE_PUBKEYS_H

#include "crypto/rsa.h"
#include "generated/control_protocol.h"
#include "generated/limits.h"
#include "ike/secrets.h"

struct ike;
struct pubkeys;
struct refusal;

enum pubkey_source { FROM_WHACK, FROM_DNS, FROM_UNVALIDATED_DNS };

/* One key of one identity.  Counted: the store has a reference, and each job that tries the key. */
struct pubkey {
	struct pubkey *next;		/* of the same hash */
	struct identity id;		/* its name is owned */
	struct rsa_key *rsa;
	enum pubkey_source source;
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

/* Enter a key of id; one that is there already stays, and is whack's if whack gave it once.  Takes over rsa.  The key
 * as it is in the store, or NULL and *why; *known: it was there. */
struct pubkey *pubkeys_enter(struct ike *ike, const struct identity *id, struct rsa_key *rsa,
			     enum pubkey_source source, bool *known, const struct refusal **why);

/* Forget the keys of id that are from the DNS. */
void pubkeys_drop_dns(struct pubkeys *ks, const struct identity *id);

/* ", from the DNS" and how good that is; empty for a key that whack gave. */
const char *pubkey_source_text(const struct pubkey *k);

struct pubkey *pubkey_ref(struct pubkey *k);
void pubkey_unref(struct pubkey *k);

/* whack --keyid ID --pubkeyrsa KEY: one more key of ID; the same key again is no error.  With --delete the keys that
 * ID has are forgotten first. */
void command_public_key(struct ike *ike, uint32_t whack, const struct control_public_key *m);

/* Calls tell for each key; it must not change the store. */
void pubkeys_each(const struct pubkeys *ks, void (*tell)(void *ctx, const struct pubkey *k), void *ctx);

#endif
