/* resolve.h -- from what an operator writes to addresses: names are resolved here, never in the daemon. */
#ifndef PLUTO_WHACK_RESOLVE_H
#define PLUTO_WHACK_RESOLVE_H

#include "base/addr.h"
#include "base/options.h"
#include "generated/control_protocol.h"

/* Each takes the text of an option.  False with one line in why: what, where, and the remedy.  A name with addresses of both
 * families is taken for IPv6 where `six` says so, else for IPv4. */
bool resolve_addr(const struct option_value *v, bool six, struct ip_addr *out, struct text *why);
/* As --host says it: an address, a name or %defaultroute. */
bool resolve_host(const struct option_value *v, bool six, struct control_end *e, struct text *why);
/* `one` of the subnets in the option. */
bool resolve_subnet(const struct option_value *v, struct span one, struct subnet *out, struct text *why);
/* A number, or a word of the registry ip_protocol. */
bool resolve_protocol(const struct option_value *v, uint8_t *out, struct text *why);
bool resolve_port(const struct option_value *v, uint16_t *out, struct text *why);

/* An identity as the daemon wants it, into dst: an address, @FQDN, USER@FQDN, @[TEXT] or @#HEX. */
#define ID_TEXT 256
bool resolve_id(const struct option_value *v, bool six, char dst[ID_TEXT], struct text *why);

/* Of an identity that resolve_id has taken: was it a domain name, which had to be resolved? */
bool resolve_was_name(const struct option_value *v);

/* Is it an address of IPv6, in numbers?  NULL is none. */
bool resolve_is_six(const struct option_value *v);

#endif
