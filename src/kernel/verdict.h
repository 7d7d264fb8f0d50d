/* verdict.h -- what became of a packet. */
#ifndef PLUTO_KERNEL_VERDICT_H
#define PLUTO_KERNEL_VERDICT_H

enum verdict {
	VERDICT_SEND,		/* outwards, sealed */
	VERDICT_PASS,		/* outwards, in clear: an eroute or the hole for IKE says so */
	VERDICT_DELIVER,	/* inwards: goes into the ipsecN */
	VERDICT_MALFORMED,	/* no IP packet, or cut off */
	VERDICT_FAMILY,		/* transport mode between hosts of the other family */
	VERDICT_OF_LINK,	/* IPv6 that belongs to one link, here the ipsecN, which has no neighbours */
	VERDICT_HELD,		/* a fragment of ours: waits for the others */
	VERDICT_NO_EROUTE,	/* came to ipsecN, but nothing says what to do: dropped */
	VERDICT_TRAP,		/* dropped, maybe reported as acquire */
	VERDICT_EARLY,		/* inwards: waits for the keys of its SA, which are being agreed on */
	VERDICT_NO_SA,		/* the SA is not (or no longer) there */
	VERDICT_EXHAUSTED,	/* sequence numbers used up (RFC 4303 3.3.3) */
	VERDICT_TOO_BIG,	/* may not be fragmented and does not fit: ICMP told the sender */
	VERDICT_NO_ROOM,	/* larger than an IP packet may be */
	VERDICT_FRAGMENT,	/* transport mode protects whole datagrams only (RFC 4301 7) */
	VERDICT_ROUTED,		/* neither AH nor the checksum of UDP can cover a routing header that still changes */
	VERDICT_CRYPTO,		/* the cipher library refused */
	VERDICT_REPLAY,		/* seen before, or older than the window */
	VERDICT_BAD_ICV,	/* not authentic */
	VERDICT_BAD_LENGTH,	/* too short, or no whole number of blocks */
	VERDICT_BAD_PADDING,	/* not 1, 2, 3 ... (RFC 4303 2.4) */
	VERDICT_BAD_NEXT,	/* next header does not fit the SA's mode */
	VERDICT_SELECTOR,	/* inner packet outside the SA's selectors */
	VERDICT_SOURCE,		/* outer source is not the SA's */
	VERDICT_ENCAP,		/* UDP encapsulation where the SA has none, or the other way round */
	VERDICT_CHECKSUM,	/* UDP over IPv6 without checksum */
	VERDICT_DUMMY,		/* RFC 4303 2.6: made to be thrown away */
	VERDICT_BUNDLE,		/* not protected by every SA of its bundle */
	VERDICT_COMPRESSION,	/* what was compressed cannot be restored */
	VERDICT_NESTED,		/* more protocols inside each other than a bundle has */
	VERDICT_COUNT
};

extern const char *const verdict_text[VERDICT_COUNT];	/* fit for a log line */

#endif
