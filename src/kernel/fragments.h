/* fragments.h -- cutting a packet into fragments (RFC 791 3.2, RFC 8200 4.5).  No I/O. */
#ifndef PLUTO_KERNEL_FRAGMENTS_H
#define PLUTO_KERNEL_FRAGMENTS_H

#include "generated/limits.h"
#include "kernel/ip6.h"

/* Each piece is made in place, its header over octets of the piece before: use it before asking for the next. */
struct fragments {
	struct packet whole;
	uint8_t header[LIMIT_KLIPS_HEADER + IP6_FRAGMENT];	/* of the later pieces; of IPv6: of all */
	size_t header_n;
	bool six;
	size_t first;		/* octets of the whole packet's header */
	size_t room;		/* octets of payload for each piece, a multiple of 8 */
	size_t at;		/* octets of payload done */
};

/* Cut k into pieces of at most mtu octets; id names the datagram in the fragment headers of IPv6.  False when mtu has
 * no room for anything, or the packet is a fragment of IPv6 itself. */
bool fragments_begin(struct fragments *s, const struct packet *k, size_t mtu, uint32_t id);
bool fragments_next(struct fragments *s, struct packet *piece);	/* false at the end */

#endif
