/* handshake.h -- the steps of phase 1 that its exchanges share (RFC 2409 5, 5.1, 5.4): what is chosen,
 * Diffie-Hellman, the secrets, who both ends are.  Steps that answer PARKED are called again, by the same
 * action, when their job is done. */
#ifndef PLUTO_IKE_HANDSHAKE_H
#define PLUTO_IKE_HANDSHAKE_H

#include "ike/internal.h"

/* What an initiator needs before it can offer anything: its methods are in p->n->methods when this is OK.
 * PARKED: a key of the peer is looked up in the DNS. */
enum action_result handshake_methods(struct action *a);

/* Does c accept what the peer offers?  NULL = yes, and *chosen and *answer are set. */
const struct refusal *handshake_judge(struct action *a, const struct connection *c, const struct payload_SA *sa,
				      struct choice *chosen, struct emit_SA *answer);

/* Phase 1 is protected as chosen from here on. */
void handshake_adopt(struct action *a, const struct choice *chosen);

/* ---- Diffie-Hellman and what follows from it ----------------------------- */

/* Make a private value and from it ours for the peer; with a value of the peer also the shared secret. */
enum action_result handshake_dh(struct action *a, struct span peer);

/* The same with a value out of the first message of a peer, which anybody could have sent: counted in
 * ike->first_jobs while it runs. */
enum action_result handshake_dh_first(struct action *a, struct span peer);

/* The shared secret of our value, which has been sent, and the peer's. */
enum action_result handshake_dh_shared(struct action *a, struct span peer);

/* Our value for the peer, in p->n; a nonce, in the arena. */
struct span handshake_public(const struct phase1 *p);
struct span handshake_nonce(struct action *a);

/* Is this our own value, or our own nonce, sent back to us?  NULL = no. */
const struct refusal *handshake_reflected(struct action *a, struct span ke, struct span nonce);

/* Diffie-Hellman is done: give the key formulas what they start from. */
enum action_result handshake_secrets(struct action *a);

/* ---- who the ends are ---------------------------------------------------- */

/* Our identity, and our signature over `hash` where that proves it (a hash is made by the engine).
 * body: the value that our ID payload is in the formulas. */
enum action_result handshake_identify(struct action *a, enum key_value body, enum key_value hash,
				      struct emit_ID *id, struct emit_SIG *sig);

/* The second half of that: our signature, where a signature proves who we are. */
enum action_result handshake_prove(struct action *a, enum key_value hash, struct emit_SIG *sig);

/* What the peer says that it is, and its proof; the engine has checked a hash already.  Afterwards this
 * phase 1 serves the connection that is meant by the identity. */
enum action_result handshake_check_peer(struct action *a, const struct payload_ID *payload, enum key_value hash,
					const struct payload_SIG *sig, unsigned certificates);

/* The same for an identity that was read before. */
enum action_result handshake_check_identity(struct action *a, const struct identity *id, enum key_value hash,
					    const struct payload_SIG *sig, unsigned certificates);

/* Who the peer is has been proved; if it says, in an encrypted message, that it is new, its old SAs are
 * worth nothing. */
void handshake_hear_contact(struct action *a);

#endif
