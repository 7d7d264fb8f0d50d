/* keyrecord.h -- public keys in DNS records: whose name is asked about, and what a record says. */
#ifndef PLUTO_IKE_KEYRECORD_H
#define PLUTO_IKE_KEYRECORD_H

#include "base/span.h"
#include "ike/secrets.h"

#define KEYRECORD_NAME 256	/* octets of a domain name as text, with NUL */

/* The domain name that has the key of an identity: an FQDN itself, of an address the reverse name
 * (in-addr.arpa, ip6.arpa), in lower case with a dot at the end.  False, with a static *why, for what has none. */
bool keyrecord_name(const struct identity *id, char name[KEYRECORD_NAME], const char **why);

struct keyrecord {
	struct span key;	/* RFC 3110 section 2, borrowed from the record; not looked into */
	unsigned precedence;	/* the lowest is tried first; KEY records, which have none, come last */
};

/* RDATA of a record of this dns_type: is it an RSA key that IPsec may use for authentication?  False with a static
 * *why.  RFC 2535 3, RFC 4025 2. */
bool keyrecord_read(uint16_t type, struct span rdata, struct keyrecord *out, const char **why);

#endif
