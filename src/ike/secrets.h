/* secrets.h -- what ike asks of the store of secrets (src/secrets/). */
#ifndef PLUTO_IKE_SECRETS_H
#define PLUTO_IKE_SECRETS_H

#include "base/addr.h"

struct arena;
struct refusal;			/* base/tables.h */
struct rsa_key;			/* crypto/rsa.h */

enum identity_kind { IDENTITY_NONE, IDENTITY_ADDR, IDENTITY_FQDN, IDENTITY_USER_FQDN, IDENTITY_KEY_ID };

struct identity {
	enum identity_kind kind;
	struct ip_addr addr;
	struct span name;	/* without the '@' of an FQDN; user@host for USER_FQDN; any octets for KEY_ID */
};

struct secret_found {
	struct span psk;	/* borrowed until the store is reloaded */
	const struct rsa_key *rsa;	/* borrowed likewise */
	const char *file;	/* where it stands */
	unsigned line;
	const char *why;	/* when nothing was found or the choice is ambiguous: the whole reason */
	const struct refusal *refusal;	/* the same with its code and remedy, or NULL; until the next question */
};

struct secrets_ops {
	/* The best PSK for us and the peer; false with why.  peer_unknown: the peer's address
	 * was not in the configuration, %any stands for it. */
	bool (*psk)(void *s, const struct identity *us, const struct identity *peer,
		    bool peer_unknown, struct secret_found *out);
	/* Our RSA private key. */
	bool (*rsa)(void *s, const struct identity *us, struct secret_found *out);
	/* The password of a user (XAUTH), in out->psk; gateway: who asks for it. */
	bool (*xauth)(void *s, struct span user, const struct identity *gateway, struct secret_found *out);
	/* Optional (may be NULL): keep what was found alive over a reload, for a job that is
	 * running with it.  hold gives a token for release.  Both in the loop's thread. */
	void *(*hold)(void *s);
	void (*release)(void *token);
	/* Optional: the entries that fit, best first, and what would be chosen, one line each, NULL at
	 * the end, in the arena. */
	const char *const *(*which)(void *s, const struct identity *us, const struct identity *peer,
				    bool peer_unknown, struct arena *a);
};

struct secrets {
	const struct secrets_ops *ops;
	void *s;
};

#endif
