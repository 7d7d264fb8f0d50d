/* proposal.h -- SA payloads: what we offer, what we choose of an offer, whether a choice was offered. */
#ifndef PLUTO_IKE_PROPOSAL_H
#define PLUTO_IKE_PROPOSAL_H

#include "base/arena.h"
#include "generated/payloads.h"
#include "ike/connection.h"

#define CHOICE_PROTOCOLS 3	/* IPComp, ESP, AH */
#define OFFER_ATTRIBUTES LIMIT_ATTRIBUTES

struct life {			/* limits of an SA; 0 = not stated, or none */
	uint64_t seconds, kilobytes;
};

/* One transform as it stands in a message. */
struct offer {
	uint8_t protocol, transform, number;
	uint8_t n;
	struct { uint16_t type; uint64_t number; } attribute[OFFER_ATTRIBUTES];
	struct life life;
};

/* What was agreed for one protocol. */
struct chosen {
	uint8_t protocol;		/* protocol_id */
	uint8_t transform;		/* transform id on the wire */
	uint8_t place;			/* of the transform within its proposal, from 0: numbers need not differ */
	enum alg cipher, mac, hash, comp;
	uint16_t key_octets;		/* of the cipher, without a salt */
	uint32_t peer_spi;		/* phase 2; of IPComp the CPI */
};

/* What was agreed. */
struct choice {
	uint8_t proposal;		/* its number */
	uint8_t n;
	struct chosen p[CHOICE_PROTOCOLS];
	uint16_t auth;			/* auth_method, phase 1, without XAUTH */
	bool xauth;			/* XAUTH of the initiator follows */
	uint16_t group;			/* oakley_group, 0 = none */
	uint16_t mode;			/* encapsulation_mode, phase 2 */
	struct life life;
};

/* Which protocols a connection asks for in phase 2, as bits of 1 << protocol_id.  IPComp is offered, and
 * may be left out by the peer. */
uint32_t connection_protocols(const struct connection *c);

/* The SA payload that c offers, with methods (bits 1 << auth_method) of authentication.  In the arena. */
void offer_ike(struct arena *a, const struct connection *c, uint32_t methods, struct emit_SA *sa);
/* Aggressive Mode cannot offer a choice of groups: its group is the first that c names. */
uint16_t offer_group(const struct connection *c);
/* spis: ours, by protocol_id.  group: 0 = no PFS.  mode: the encapsulation_mode, maybe by an alias of its number. */
void offer_ipsec(struct arena *a, const struct connection *c, const uint32_t *spis, uint16_t group,
		 uint16_t mode, struct emit_SA *sa);

/* Choose the first acceptable transform of the peer's offer and write the answer.
 * methods: bits 1 << auth_method that we can do.  NULL = chosen; else why not, naming the closest. */
const struct refusal *choose_ike(struct arena *a, const struct connection *c,
				 const struct payload_SA *sa, uint32_t methods, struct choice *out,
				 struct emit_SA *answer);
/* The answer's SPIs are to be filled in afterwards: spis as in offer_ipsec. */
const struct refusal *choose_ipsec(struct arena *a, const struct connection *c,
				   const struct payload_SA *sa, bool has_ke, uint16_t mode, struct choice *out);
void answer_ipsec(struct arena *a, const struct payload_SA *sa, const struct choice *chosen,
		  const uint32_t *spis, struct emit_SA *answer);

/* Is the peer's choice exactly one of what we offered?  NULL = yes. */
const struct refusal *check_ike(struct arena *a, const struct connection *c, uint32_t methods,
				const struct payload_SA *sa, struct choice *out);
const struct refusal *check_ipsec(struct arena *a, const struct connection *c, uint16_t group, uint16_t mode,
				  const struct payload_SA *sa, struct choice *out);

/* Would rows have allowed what was chosen in phase 1? */
bool rows_allow(const struct rows *rows, const struct choice *c);

/* "aes256-sha2_256-modp2048", for people.  In the arena. */
const char *choice_text(struct arena *a, const struct choice *c);

/* The Diffie-Hellman group behind an oakley_group number; ALG_NONE if it is none of ours. */
enum alg group_alg(uint16_t group);

#endif
