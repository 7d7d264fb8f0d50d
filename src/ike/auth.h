/* auth.h -- how the ends of phase 1 prove who they are: what can be done, and the jobs of RSA. */
#ifndef PLUTO_IKE_AUTH_H
#define PLUTO_IKE_AUTH_H

#include "base/arena.h"
#include "base/tables.h"
#include "crypto/rsa.h"
#include "generated/limits.h"
#include "ike/await.h"
#include "ike/connection.h"

#define PROOF_KEYS_TEXT (LIMIT_KEYS_PER_IDENTITY * (RSA_FINGERPRINT_TEXT + 1))

/* The RSA signatures of one negotiation. */
struct proof {
	enum { PROOF_NONE, PROOF_LOOKUP, PROOF_VERIFYING, PROOF_SIGNING } step;	/* what is waited for */
	uint8_t sig[RSA_MAX];		/* ours */
	size_t sig_octets;
	bool fits;			/* the peer's fits a key that is known */
	char keys[PROOF_KEYS_TEXT];	/* fingerprints: of that key, else of those tried */
};

/* The preshared secret for c, or our RSA private key; false when there is none, with found->why. */
bool auth_psk(struct ike *ike, const struct connection *c, struct secret_found *found);
bool auth_rsa(struct ike *ike, const struct connection *c, struct secret_found *found);

/* The password of c's user (in found->psk), where c has one. */
bool auth_xauth(struct ike *ike, const struct connection *c, struct secret_found *found);

/* How c offers a method (auth_method): as it is, or with XAUTH of the initiator after it; and back. */
uint16_t auth_offered(const struct connection *c, uint16_t method);
uint16_t auth_base(uint16_t method);

/* May a peer of c that begins offer it, where c has `methods` (as from auth_methods)?  A gateway that knows us by XAUTH, and
 * begins phase 1 anew, offers one with XAUTH of the responder, who is the user (draft-beaulieu-ike-xauth-02 7). */
bool auth_allowed(const struct connection *c, uint32_t methods, uint64_t method);

/* Why a method is not allowed.  In the arena. */
const struct refusal *auth_refusal(struct arena *a, const struct connection *c, uint64_t method);

/* The methods that c allows and has the secrets and keys for, as bits 1 << auth_method.  An
 * initiator needs the peer's public key, too; a responder learns only later who the peer is.  The DNS is
 * hoped for only where there is nothing else. */
uint32_t auth_methods(struct ike *ike, const struct connection *c, enum role role);

/* Has c, as an initiator, no method only for want of the peer's public key, which may be in the DNS? */
bool auth_needs_lookup(struct ike *ike, const struct connection *c);

/* Why c, as an initiator, has no method; NULL when it has one, or may get
 * one from the DNS. */
const struct refusal *auth_obstacle(struct ike *ike, struct arena *a, const struct connection *c);

/* Why c, as a responder, can do none of the methods that it was offered. */
const struct refusal *auth_no_method(struct ike *ike, struct arena *a, const struct connection *c);

/* Did p prove what c asks for: the same identities at both ends, by a method and under a suite that c allows? */
bool auth_covers(const struct phase1 *p, const struct connection *c);

/* Would `other` have used the secret or private key that c uses with this auth_method? */
bool auth_same(struct ike *ike, uint16_t method, const struct connection *c, const struct connection *other);

/* A job that signs hash with c's private key into proof->sig.  False without a key, with found->why. */
bool await_sign(struct await *w, const struct connection *c, struct span hash, struct proof *proof,
		struct secret_found *found);

/* A job that tries all public keys of id on sig over hash; the result is in proof.  False when no key
 * of id is known. */
bool await_verify(struct await *w, const struct identity *id, struct span hash, struct span sig,
		  struct proof *proof);

#endif
