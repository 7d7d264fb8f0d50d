/* phase2.h -- one Quick Mode and the pair of IPsec SAs that it makes. */
#ifndef PLUTO_IKE_PHASE2_H
#define PLUTO_IKE_PHASE2_H

#include "ike/internal.h"
#include "ike/plan.h"
#include "ike/volume.h"

struct quick_scratch {		/* needed until the keys are made */
	uint8_t priv[DH_PRIVATE_MAX];
	uint8_t pub[DH_MAX];
	uint8_t shared[DH_MAX];
};

struct spi_slot {		/* an SPI that the kernel is asked for */
	struct phase2 *p;
	uint8_t protocol;	/* protocol_id */
	uint32_t spi;		/* 0 = not there yet */
};

struct clients {		/* as the peer, or we, name them */
	struct subnet ours, theirs;
	uint8_t our_protocol, their_protocol;
	uint16_t our_port, their_port;
};

struct phase2 {
	struct ike *ike;
	struct exchange *x;
	struct phase1 *root;		/* outlives it */
	struct connection *c;
	uint32_t whack;
	uint32_t try;
	uint64_t begun;			/* when the first message came or went, ms */
	LIST_ENTRY(phase2) of_connection;
	struct await await;
	struct quick_scratch *n;	/* NULL once established */
	uint16_t group;			/* of PFS, 0 = none */
	uint32_t inherited;		/* protocols of the SA that is replaced, 1 << protocol_id; 0 = none is */
	unsigned stage;			/* of the action that waits */
	struct choice chosen;
	struct spi_slot spi[CHOICE_PROTOCOLS];	/* ours */
	unsigned n_spi;
	struct clients named;		/* by the peer that began; it is answered with the same */
	bool under_way;			/* a negotiation of ours that counts for its root */
	bool installed;			/* its SAs are in the kernel, or on their way */
	bool uses_eroute;		/* outgoing traffic takes this SA */
	struct sa_key { struct ip_addr dst; uint32_t spi; } key;	/* of the inbound ESP SA, zeroed around */
	UT_hash_handle by_key;		/* while it is installed */
	bool announced;			/* that it is established */
	bool lost;			/* its SAs could not follow the peer: it is about to be replaced and ended */
	const char *failed_verb;	/* of the updown command that has failed */
	bool refused;			/* by the peer, who has proved that it is the peer */
	uint8_t offered_protocol;	/* of the peer's first proposal, and its SPI; 0 = we began */
	uint32_t offered_spi;
	uint16_t status;		/* for whack when the installation failed, 0 = it did not */
	uint64_t answered;		/* when the answer to the first message came or went, ms; 0 = not yet */
	uint64_t established, expires;	/* milliseconds; 0 = not yet */
	struct kernel_life soft, hard;	/* when it is replaced, and its end; counted from its installation on */
	struct timer timer;		/* replacement, then expiry */
	struct {			/* of the traffic to p */
		struct timer timer;
		struct request_list requests;
		bool asked;		/* by whack, maybe since the old SA carries nothing */
	} switching;
	struct volume volume;
};

struct phase2 *phase2_new(struct phase1 *root, struct connection *c, uint32_t whack, uint32_t try);

/* The connection of p with the policy that p negotiates by: that of the SA which it replaces, which may be
 * stricter than the connection's own (the manual, "Rekeying"). */
struct connection phase2_policy(const struct phase2 *p);

/* The first message of p, which we began, had to be sent again.  The peer may have forgotten the ISAKMP SA, if
 * nothing came under it for a while: another one is negotiated beside. */
void phase2_unanswered(struct phase2 *p);

/* Quick Modes of ours that were not answered under older ISAKMP SAs with the same peer begin again under p. */
void phase2s_begin_again(struct phase1 *p);

/* Give p, whose SPIs are known, its place among those of the connection.  The newest is the best, except that
 * of two which both ends began at once both must take the same one: it is told by the SPIs. */
void phase2_rank(struct phase2 *p);

/* Is p, established or about to be, better than all that are? */
bool phase2_best(const struct phase2 *p);

/* The SA of c that outgoing traffic takes now; NULL = none. */
const struct phase2 *switch_current(const struct connection *c);

/* p is established: outgoing traffic takes it at once, or when the peer surely has its keys.  The initiator sends the
 * last message of a Quick Mode, which nobody confirms, so that an SA which the peer still knows serves until a packet comes
 * by p, but only for a moment.  Without such an SA traffic begins at once, or in a moment when packets wait that the peer is to answer. */
void switch_begin(struct phase2 *p);
void switch_init(struct phase2 *p);
void switch_stop(struct phase2 *p);

/* How long p, of which is known what was agreed on, will live. */
void phase2_set_life(struct phase2 *p);

/* The kernel says that an SA has carried all that it may, or is close to that, or too old. */
void phase2_used_up(struct ike *ike, const struct kernel_expiry *e);

/* An SA of p is not in the kernel any more, because it could not follow the peer.  Where p carries the traffic it is
 * negotiated anew, as at the end of its time; then p ends, and the peer is told. */
void phase2_lost(struct phase2 *p);

/* Our SPI for a protocol, 0 if there is none. */
uint32_t phase2_spi(const struct phase2 *p, uint8_t protocol);

/* What of the SAs is to be installed. */
enum install {
	INSTALL_SAS = 1,	/* both directions, and the route */
	INSTALL_EROUTE = 2,	/* outgoing traffic uses them */
};

/* Make the keys and hand the SAs to the kernel, or switch the eroute to them; the answer comes to
 * p->await.  NULL, or why it cannot even be tried. */
const struct refusal *install_start(struct action *a, struct phase2 *p, unsigned what);

/* Outgoing traffic takes p, which is installed, from now on; done(ike, p, plan) when the kernel has it. */
void install_switch(struct phase2 *p, plan_done *done);

/* The peer, which was at `before`, is elsewhere: the SAs of p and the eroute follow. */
void install_move(struct phase2 *p, const struct endpoint *before);

/* The name of the SA of the i-th protocol that was agreed on. */
struct sa_id install_sa_id(const struct phase2 *p, unsigned i, bool inbound);

/* The phase 2 that receives ESP by this SA; NULL = none. */
struct phase2 *phase2_by_id(struct ike *ike, const struct sa_id *id);

/* Take away whatever of p is installed; p may go right after this. */
void install_remove(struct phase2 *p);

/* The number of IP for a protocol_id. */
uint8_t ip_protocol(uint8_t protocol);

#endif
