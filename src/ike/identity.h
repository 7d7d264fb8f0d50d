/* identity.h -- identities of the two ends: text forms, comparison, what may come from a peer.
 *
 * The struct is in ike/secrets.h.  An identity borrows the octets of its name. */
#ifndef PLUTO_IKE_IDENTITY_H
#define PLUTO_IKE_IDENTITY_H

#include "base/arena.h"
#include "base/text.h"
#include "ike/secrets.h"

enum identity_form {
	IDENTITY_BAD,		/* *why and *column say what is wrong */
	IDENTITY_OK,
	IDENTITY_HOST,		/* a bare domain name: the caller resolves it and makes an address of it */
};

/* `192.0.2.1`, an IPv6 address, `%any` (0.0.0.0), `@fqdn`, `user@fqdn`, `@[text]` and `@#hexadecimal` (KEY_ID, RFC 2407
 * 4.6.2.12: octets without meaning, as the names of groups), or a bare name.  out->name borrows from text, or from a;
 * for IDENTITY_HOST it is the name to resolve.  *why is static, *column counts from 1. */
enum identity_form identity_parse(struct arena *a, struct span text, struct identity *out, const char **why,
				  unsigned *column);

struct identity identity_of_addr(const struct ip_addr *a);

/* False, with a static *why, for a name that nobody may have: empty, or, unless it is a KEY_ID, with a NUL in it
 * (which would end the name early for whoever reads it as a string).  Addresses pass when they
 * have 4 or 16 octets.  For identities from a peer as well as from text. */
bool identity_check(const struct identity *id, const char **why);

/* The same identity: same kind and same octets; only the FQDN (all of an FQDN, what follows
 * the last @ of a USER_FQDN) is compared without regard to ASCII case.  A trailing dot counts, nothing is
 * decoded.  IDENTITY_NONE equals nothing, nor does a name that identity_check refuses. */
bool identity_eq(const struct identity *a, const struct identity *b);

/* No address, or the wildcard 0.0.0.0 / :: . */
bool identity_is_any(const struct identity *id);

/* As identity_parse reads it; octets that do not print are escaped, or the KEY_ID is shown in hexadecimal. */
void identity_format(struct text *t, const struct identity *id);

#endif
