/* internal.h -- what the files of ike share. */
#ifndef PLUTO_IKE_INTERNAL_H
#define PLUTO_IKE_INTERNAL_H

#include "base/arena.h"
#include "base/text.h"
#include "crypto/dh.h"
#include "engine/engine.h"
#include "generated/control_protocol.h"
#include "generated/limits.h"
#include "generated/names.h"
#include "generated/reasons.h"
#include "generated/vendors.h"
#include "ike/auth.h"
#include "ike/await.h"
#include "ike/connection.h"
#include "ike/identity.h"
#include "ike/ike.h"
#include "ike/proposal.h"
#include "ike/routes.h"

#define NO_WHACK 0		/* client number that stands for nobody */
#define LINE_TEXT 1024		/* octets of a line for the log or whack */

struct ike {
	struct ike_host host;
	struct kernel kernel;
	struct secrets secrets;
	struct engine *engine;
	struct arena *arena;		/* of a command */
	uint64_t now;
	uint32_t debug;
	bool key_logging;		/* secrets may be logged */
	struct ike_ports ports;
	bool listening;
	bool stopping;
	bool told_stopped;
	bool quiet;			/* the peers are not told of deletions */
	bool leaving;			/* what the kernel has stays there */
	size_t n_interfaces;
	struct kernel_interface *interfaces;
	struct connection *connections;	/* hash by name */
	struct connection *by_reqid;	/* hash, with all instances */
	struct family *families;	/* hash by name */
	LIST_HEAD(, joint) joints;	/* requests for several connections under way */
	struct host_pair *pairs;	/* hash by addresses */
	struct place *places;		/* hosts.c: hash by what connections of a pair have in common */
	struct phase2 *received;	/* hash by the inbound ESP SA */
	struct routes *routes;
	struct nets *nets;
	struct errand *errand;		/* the request of whack that is being made, which its plans join */
	struct lane *lanes;		/* plan.c: hash by client of a peer */
	const char *updown;		/* the default command */
	size_t n_plans;			/* under way: shutdown waits for them */
	struct requests requests;
	struct pubkeys *pubkeys;
	struct dnskeys *dnskeys;
	LIST_HEAD(, status) statuses;	/* answers under way */
	uint32_t last_reqid;
	uint64_t demand_second;		/* the last in which packets began negotiations, and how many */
	unsigned demands;
	size_t first_jobs;		/* Diffie-Hellman for first messages, under way */
	uint64_t refused[REASON_COUNT];	/* how often the log had a line with that reason, or left it out as one of many */
	size_t half_open;		/* phase 1 begun by peers, not established */
	TAILQ_HEAD(, phase1) half_opens;	/* oldest first */
	LIST_HEAD(, phase1) behind_nats;	/* established, their peers behind NATs though described at an address; newest first */
};

struct pending {		/* a phase 2 that waits for its phase 1, or for another one under it */
	STAILQ_ENTRY(pending) next;
	struct connection *c;
	uint32_t whack;
	uint32_t try;
};

struct dpd {			/* dead peer detection: dpd.c */
	bool able;			/* the peer answers */
	uint32_t sequence;
	uint64_t asked;			/* since when there is no answer, ms; 0 = not asked */
	uint64_t traffic;		/* when ESP was last seen to come, ms */
	uint64_t packets, sum;		/* counted then, and being counted */
	unsigned pending;
	struct request_list requests;
	struct timer timer;
};

struct natt {			/* NAT traversal: natt.c, natt_path.c */
	enum vendor method;		/* agreed on; VENDOR_NONE = none */
	bool compared;			/* the peer's hashes have come, and told who is behind a NAT */
	bool us, peer;
	bool forced;			/* ESP goes in UDP without any NAT */
	uint64_t spoke;			/* when anything was sent, ms */
	unsigned pending;
	struct request_list requests;
	struct timer timer;		/* of keepalives */
	bool listed;			/* among behind_nats */
	LIST_ENTRY(phase1) in_list;
};

enum followup_step { FOLLOWUP_XAUTH = 1, FOLLOWUP_ADDRESS = 2 };

struct followup {		/* what follows phase 1 before phase 2: followup.c */
	uint32_t awaited;	/* mask of steps */
	bool moved;		/* the message at hand has brought one */
	bool unity;		/* the peer knows the attributes of Unity */
	unsigned asked;		/* the password was given so often without word whether it was accepted */
	const struct refusal *why;	/* it ends when the answer to the message at hand is sent; else NULL */
	uint16_t status;	/* for whack, 0 = by how the exchange ended */
	struct lease *lease;	/* NULL = none */
	struct timer timer;
};

/* The user of a phase 1 exchange. */
struct phase1 {
	struct ike *ike;
	struct exchange *x;
	struct connection *c;
	uint32_t whack;			/* who is told how it goes */
	uint32_t try;			/* from 1 */
	struct host_pair *pair;
	LIST_ENTRY(phase1) in_pair;
	bool half_open;			/* counted and listed as such */
	TAILQ_ENTRY(phase1) in_half_opens;	/* of all */
	LIST_ENTRY(phase1) half_in_pair;
	STAILQ_HEAD(, pending) pending;
	struct await await;
	struct negotiation *n;		/* what only the negotiation needs; NULL when established */
	struct choice chosen;
	unsigned n_phase2;		/* under it */
	unsigned n_begun;		/* of those, by us and still under way */
	uint64_t begun, established, expires;	/* milliseconds; 0 = not yet */
	struct timer timer;
	struct dpd dpd;
	struct natt natt;
	struct followup follow;
	uint64_t suspected;		/* when the peer did not answer a Quick Mode under it, ms; 0 = never */
	uint16_t told;			/* the error that the peer named in clear, a notify_type; 0 = none */
	bool told_lifetime;		/* the peer, of ours */
	bool fragments_able;		/* the peer takes fragments */
	bool retired;			/* over, but IPsec SAs that it made live on */
};

struct negotiation {
	uint8_t priv[DH_PRIVATE_MAX];
	uint8_t pub[DH_MAX];
	uint8_t shared[DH_MAX];
	const char *secret_file;	/* where the preshared secret stands */
	unsigned secret_line;
	uint32_t methods;		/* offered, as bits 1 << auth_method */
	struct proof proof;
};

/* Everything of a phase 2: the user of its exchange. */
struct phase2;

/* log.c */
void ike_log(struct ike *ike, const struct connection *c, const struct exchange *x, uint32_t whack,
	     uint16_t status, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
void ike_refusal(struct ike *ike, const struct connection *c, const struct exchange *x,
		 uint32_t whack, bool serious, const struct refusal *why);
void ike_reply(struct ike *ike, uint32_t whack, uint16_t status, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void ike_reply_refusal(struct ike *ike, uint32_t whack, const struct refusal *why);
void ike_finish(struct ike *ike, uint32_t whack);
bool ike_debugging(struct ike *ike, const struct connection *c, uint32_t class_);
void ike_debug(struct ike *ike, const struct connection *c, uint32_t class_, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* One line that is wanted, however long. */
void ike_debug_line(struct ike *ike, const struct connection *c, uint32_t class_, const char *line);
struct connection *exchange_connection(const struct exchange *x);
uint32_t exchange_whack(const struct exchange *x);

/* engine_host.c: what the engine asks */
struct engine_host ike_engine_host(struct ike *ike);

/* phase1.c */
/* Both were proved to be between the same two identities. */
bool phase1_same_ends(const struct phase1 *p, const struct phase1 *q);

struct phase1 *phase1_new(struct ike *ike, struct connection *c, uint32_t whack, uint32_t try);
/* Begin Main or Aggressive Mode; NULL when that failed at once (already said). */
struct exchange *phase1_start(struct ike *ike, struct connection *c, uint32_t whack, uint32_t try);
/* A peer begins: NULL, and x->user is set, or why it may not. */
const struct refusal *phase1_admit(struct ike *ike, struct exchange *x, struct arena *arena);
/* It is established or ends: p no longer counts as half open, if it did. */
void phase1_half_open_end(struct phase1 *p);
/* The pair of p is about to be another: if p is half open it counts there. */
void phase1_half_open_follow(struct phase1 *p, struct host_pair *to);
/* Responder: tell our lifetime if it is shorter than what the peer proposed, once.  The peer should have shown that it
 * has our last message: what overtakes that is lost. */
void phase1_tell_lifetime(struct phase1 *p);
/* The peer has told that p lives shorter. */
void phase1_shorten(struct phase1 *p, const struct life *life);
/* p is for c from now on, or for a new instance of it when c is a template. */
void phase1_serve(struct phase1 *p, struct connection *c);
/* Is c the instance of somebody else than who speaks from there?  Behind one NAT there may be several. */
bool phase1_other_peer(const struct phase1 *p, const struct connection *c, const struct endpoint *from);
/* The connection of p has another pair now. */
void phase1_follow_pair(struct phase1 *p);
void phase1_established(struct phase1 *p);
/* Nothing has to come before phase 2 any more: what waited begins. */
void phase1_ready(struct phase1 *p);
bool phase1_is_ready(const struct phase1 *p);
void phase1_ended(struct phase1 *p, enum end_reason why);
/* The peer may have forgotten it: a Quick Mode was not answered, and nothing authentic came since. */
bool phase1_suspect(const struct phase1 *p);
/* The newest ISAKMP SA that serves c, or the newest that we are negotiating. */
struct phase1 *phase1_usable(struct ike *ike, const struct connection *c, bool established);
struct phase1 *phase1_of(const struct exchange *x);
void phase1_add_pending(struct phase1 *p, struct connection *c, uint32_t whack, uint32_t try);
void pending_free(struct pending *q);
/* What waits for p begins, as far as it is its turn. */
void phase1_release(struct phase1 *p);
/* Its time is over.  IPsec SAs outlive the ISAKMP SA that made them: it stays as their parent until the
 * last of them is gone, is not used for anything new, and its keys are wiped after a while, in which
 * what the peer sent before (a Delete of any IPsec SA) may still arrive. */
void phase1_retire(struct phase1 *p);
/* An IPsec SA under p is gone: p goes, too, if it was only kept for that. */
void phase1_bereft(struct phase1 *p);
/* c is going away: its ISAKMP SAs serve another connection of the pair, or end. */
void phase1s_hand_over(struct ike *ike, struct connection *c);

/* phase2.c */
/* The user of a Quick Mode; NULL for any other exchange, and for one that has let go of it. */
struct phase2 *phase2_of(const struct exchange *x);
void phase2_start(struct ike *ike, struct connection *c, struct exchange *parent, uint32_t whack,
		  uint32_t try);
const struct refusal *phase2_admit(struct ike *ike, struct exchange *x);
void phase2_established(struct phase2 *p);
void phase2_ended(struct phase2 *p, enum end_reason why);
/* The peer has told that p has narrower limits. */
void phase2_shorten(struct phase2 *p, const struct life *life);
struct connection *phase2_connection(const struct phase2 *p);
uint32_t phase2_whack(const struct phase2 *p);
/* p carries the traffic and is to be replaced in `ms` milliseconds, if not sooner. */
void phase2_replace_in(struct phase2 *p, uint64_t ms);
void phase2_forget_whack(struct phase2 *p, uint32_t whack);
/* The IPsec SA that the peer of this phase 1 receives on that SPI, made under any ISAKMP SA with the same
 * peer; NULL = none. */
struct exchange *phase2_by_spi(struct ike *ike, const struct phase1 *p, uint8_t protocol, uint32_t spi);

/* command.c */
void command_run(struct ike *ike, uint32_t whack, const struct control_message *m);

/* describe.c: the connection form */
void command_connection(struct ike *ike, uint32_t whack, const struct control_connection *m);

/* status.c: the answer is made in later turns of the loop */
void command_status(struct ike *ike, uint32_t whack, const struct control_status *m);
void status_gone(struct ike *ike, uint32_t whack);	/* nobody reads that answer any more */
void statuses_free(struct ike *ike);

/* informational.c */
void send_delete(struct ike *ike, struct exchange *x);
/* Responder of a phase 1: our lifetime, where it is shorter than what the peer proposed. */
void send_lifetime(struct ike *ike, struct exchange *x);
void send_notify(struct ike *ike, struct exchange *x, uint16_t type);

#endif
