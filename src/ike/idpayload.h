/* idpayload.h -- identities and clients as Identification payloads (RFC 2407 4.6.2). */
#ifndef PLUTO_IKE_IDPAYLOAD_H
#define PLUTO_IKE_IDPAYLOAD_H

#include "base/arena.h"
#include "generated/payloads.h"
#include "ike/secrets.h"

/* Phase 1.  False for an identity that cannot be written. */
bool id_emit(struct arena *a, const struct identity *id, struct emit_ID *out);

/* Phase 1 identity of a peer; its name borrows from p.  False, with *why, for a type that we do not
 * know or a name that nobody may have. */
bool id_read(const struct payload_ID *p, struct identity *out, const char **why);

/* Phase 2: a client.  A host client is an address, another one a subnet. */
void id_emit_client(struct arena *a, const struct subnet *s, uint8_t protocol, uint16_t port,
		    struct emit_ID *out);

/* False for a mask with holes or bits set beyond it. */
bool id_read_client(const struct payload_ID *p, struct subnet *out);

/* For messages.  In the arena. */
const char *id_text(struct arena *a, const struct identity *id);

#endif
