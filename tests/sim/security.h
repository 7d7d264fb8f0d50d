/* security.h -- what the attacks of check_security have in common. */
#ifndef PLUTO_SIM_SECURITY_H
#define PLUTO_SIM_SECURITY_H

#include "generated/payloads.h"
#include "ike/internal.h"
#include "trial.h"

#define DATAGRAM_MAX 2048

struct endpoint port_500(const struct node *n);

/* A datagram in the name of `from`, dealt with at once and outside the simulated network.  Returns the octets that n
 * answered within the call. */
size_t give(struct trial *t, struct node *n, const struct endpoint *from, struct span bytes);

/* The same in the name of the other node. */
size_t give_as_peer(struct trial *t, struct node *n, struct span bytes);

/* The ISAKMP SA of n, the newest that is established; NULL = none. */
struct exchange *isakmp_sa(const struct node *n);

/* The newest exchange of n that is not established; NULL = none. */
struct exchange *unfinished(const struct node *n);

/* Negotiate "net" and see that it is up. */
bool bring_up(struct trial *t);

/* A message of 28 octets and a body: cookies as those of x (zero without x), its length right. */
size_t make_message(uint8_t *p, const uint8_t cookies[16], uint8_t type, uint8_t flags, uint32_t msgid, uint8_t np,
		    const void *body, size_t n);

/* What an attack may not change. */
#define EXCHANGES_MAX 16

struct picture {		/* of the exchanges of a node */
	size_t n;
	struct { uint64_t serial; const struct state_desc *state; bool parked; } at[EXCHANGES_MAX];
	size_t half_open;
	unsigned added, rekeyed, lost_cover;
};

struct picture look(const struct node *n);
bool same(const struct picture *p, const struct picture *q);

/* What an authenticated peer that is hostile may send: any payloads, with a right hash. */
void hostile_informational(struct trial *t, struct node *n, const struct out_INF *out);
void hostile_informational_as(struct trial *t, struct node *n, uint32_t msgid, const struct out_INF *out);
void hostile_quick(struct trial *t, struct node *n, uint32_t msgid, const struct out_QI1 *out);

/* The same not encrypted, with the right hash. */
void hostile_quick_in_clear(struct trial *t, struct node *n, uint32_t msgid, const struct out_QI1 *out);

/* A Delete for the SPI whose hash has so many octets, the first `right` of them those of the right one. */
void hostile_delete(struct trial *t, struct node *n, uint8_t spi[4], size_t hash_octets, size_t right);

/* A Quick Mode for the clients of "net": what n would offer, with an SPI. */
void offer_of(struct trial *t, struct arena *a, struct node *n, uint32_t spi, struct out_QI1 *out);

trial_run b1_every_type_in_every_state, b4_cookies_of_a_refused_beginning, b5_identities_of_quick_mode,
	  b6_deletes_in_every_order, b9_message_ids_are_used_once,
	  b9_garbage_uses_no_message_ids, b11_commit_bit, b12_cookies_and_types_change, b12_other_addresses,
	  b13_protection_is_that_of_the_row, b14_own_secret_is_missing, b15_nothing_in_clear_counts, b15_hashes_of_any_length,
	  b18_quick_modes_are_capped;					/* security_states.c, security_headers.c */
trial_run a10_the_other_version, c1_no_amplification, c1_copies_are_not_answered_for_ever,
	  c2_half_open_is_bounded, c2_forged_road_warriors, c6_unreachable_ends_nothing,
	  c7_short_lifetimes;							/* security_floods.c */
trial_run b16_only_the_right_secret, d3_values_at_the_edge, d8_reflection, d9_garbage_moves_no_iv,
	  d11_nothing_is_left_in_memory, e4_clients_of_another_peer, e5_spis_of_the_peer,
	  b3_nothing_without_keys, b8_quick_mode_before_the_proof, b13_quick_mode_in_clear, b16_no_key_proves_nothing;						/* security_crypto.c */

#endif
