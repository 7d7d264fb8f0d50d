/* connection.h -- the connection database: what may be negotiated, with whom, and how. */
#ifndef PLUTO_IKE_CONNECTION_H
#define PLUTO_IKE_CONNECTION_H

#include <sys/queue.h>
#include <uthash.h>

#include "base/addr.h"
#include "base/tables.h"
#include "engine/timer.h"
#include "ike/kernel.h"
#include "ike/secrets.h"

struct ike;
struct phase1;
struct phase2;
struct retry;
struct plan;
struct family;
struct move;
struct lease;

struct end {			/* one end, as described */
	struct identity id;	/* its name is owned by the end */
	bool id_given;		/* else it follows from the host */
	struct ip_addr host;
	bool defaultroute;	/* it is us, and the host whatever the default route says; any while there is none */
	struct ip_addr inside;	/* the address that a peer behind a NAT has itself, where it is its client; else none */
	uint16_t ikeport, nattport;
	struct ip_addr nexthop;	/* none: the peer's host */
	bool has_client;
	struct subnet client;	/* the host itself when there is none */
	uint8_t protocol;
	uint16_t port;
	char *updown;		/* NULL: the default */
};

struct rows {			/* what is proposed and accepted for one protocol, best first */
	struct suite_row *row;	/* owned, with its cells; NULL when borrowed from a suite */
	const struct suite_row *all;
	size_t n;
};

struct policy {
	bool psk, rsasig, encrypt, authenticate, compress, tunnel, pfs, aggressive, weak;
	struct rows ike, esp, ah, ipcomp;
	uint16_t pfs_group;	/* 0: that of phase 1 */
	uint32_t ike_life, ipsec_life, margin, fuzz;	/* seconds; per cent */
	uint32_t ipsec_kilobytes;	/* 0: no limit */
	uint32_t keyingtries;
	uint32_t sends, interval;	/* of one message; milliseconds before the first repetition */
	bool evict;		/* the responder's exception */
	uint32_t dpd_delay, dpd_timeout;	/* seconds; a delay of 0: never ask */
	uint32_t dpd_action;	/* dead_peer_action */
	uint8_t fragmentation;	/* ike_fragmentation */
	uint32_t fragment_octets;	/* of a datagram that is sent whole */
	bool ondemand, revive;
	uint8_t encapsulation;	/* udp_encapsulation */
	bool xauth;		/* the gateway is given xauth_name and its password */
	uint32_t modecfg;	/* config_mode */
	bool split;		/* for the networks that the gateway names */
	const char *single;	/* the kernel backend that can have no SA beside another for these clients; NULL = it can */
};

struct upkeep {			/* negotiating again what went down: upkeep.c */
	bool wanted;		/* it is to be up, until it is terminated */
	bool once;		/* ... or until it is up again */
	bool barred;		/* its user was not let in: only whack begins again */
	unsigned failures;	/* in a row */
	uint64_t up;		/* since when it is up, ms; 0 = it is not */
	struct timer timer;	/* armed: nothing is begun before that */
	struct ike *ike;	/* of the timer */
};

struct updown_failure {		/* of the updown command, the last one */
	const char *verb;	/* static */
	uint8_t exit_status;	/* 0: it was killed, or could not be started */
	uint64_t at;		/* ms */
	char why[160];
};

enum routing { UNROUTED, ROUTED_TRAP, ROUTED_SA };

struct place;
struct host_pair;		/* all connections between two addresses */

struct connection {
	char *name;
	struct end end[2];	/* left and right */
	int ours;		/* 0 or 1: which end is us; -1 = not oriented */
	struct kernel_interface *interface;	/* of our end, owned; NULL when not oriented */
	struct policy policy;
	char *xauth_name;	/* NULL without XAUTH */
	struct lease *lease;	/* whose address is the client of our end; NULL = none */
	uint32_t reqid;
	uint32_t debug;
	struct route *route;	/* shared with others to the same client; NULL when not routed */
	TAILQ_ENTRY(connection) in_route, in_eroute;	/* routes.c: those that claim the same */
	struct host_pair *pair;	/* NULL when not oriented or the peer is unknown */
	LIST_ENTRY(connection) in_pair;
	struct { struct place *at; LIST_ENTRY(connection) next; } by_peer, by_clients;	/* hosts.c */
	struct net *nets[4];	/* nets.c: hosts and clients that are entered; not of instances */
	UT_hash_handle by_name;	/* not of instances */
	UT_hash_handle by_reqid;
	struct move *move;	/* it comes down for a new address (followup.c); NULL = it does not */
	struct family *family;	/* of one description; NULL: an instance, or deleted */
	TAILQ_ENTRY(connection) in_family;
	struct connection *template;	/* of an instance, which lives no longer than it */
	LIST_HEAD(, connection) instances;	/* of a template */
	LIST_ENTRY(connection) of_template;
	unsigned last_instance;	/* number of the newest */
	enum routing routing;
	uint64_t newest_ipsec;	/* serial of the SA that outgoing traffic uses, 0 = none */
	bool leaving;		/* its interface is gone: not oriented any more once its last plan has run */
	bool deleted;		/* out of the database, waits for its last plan */
	bool mourning;		/* its SAs with a dead peer are being forgotten */
	unsigned held;		/* somebody on the stack still looks at it */
	unsigned uses;		/* IPsec SAs that name it */
	unsigned n_installed;	/* of those, in the kernel or on their way */
	bool keeps_route;	/* whack asked for it, or an SA had it: it stays without SAs */
	LIST_HEAD(, phase2) phase2s;	/* newest first */
	LIST_HEAD(, retry) retries;	/* attempts that wait for their time */
	unsigned n_plans;	/* work with the kernel that is under way */
	struct upkeep upkeep;
	struct updown_failure *updown_failure;	/* owned; NULL = none, or it has succeeded since */
};

struct host_pair {
	struct { struct ip_addr us, peer; } key;
	LIST_HEAD(, connection) connections;
	LIST_HEAD(, phase1) phase1s;	/* newest first */
	LIST_HEAD(, phase1) half_opens;	/* ... of them those that the peer began, not established */
	unsigned half_open;		/* so many */
	UT_hash_handle hh;
};

static inline const struct end *our_end(const struct connection *c)
{
	return &c->end[c->ours];
}

static inline const struct end *peer_end(const struct connection *c)
{
	return &c->end[1 - c->ours];
}

struct connection *connection_find(struct ike *ike, struct span name);

/* The connection or instance whose SAs and eroute have that reqid; NULL = none. */
struct connection *connection_by_reqid(struct ike *ike, uint32_t reqid);

/* c, or an instance, gets its reqid, by which it is found from then on. */
void connection_number(struct ike *ike, struct connection *c);

/* Enter a connection of the description of that name (owned by the database from then on) and orient it. */
void connection_add(struct ike *ike, struct connection *c, struct span described);

/* Remove it with everything that uses it.  Its memory goes when its last plan has run. */
void connection_delete(struct ike *ike, struct connection *c);
void connection_free(struct connection *c);

/* No plan of c is left: if c was deleted, its memory goes now. */
void connection_settled(struct ike *ike, struct connection *c);

/* After the interfaces have changed: which end is us? */
void connections_orient(struct ike *ike);

/* Says what was compared when c is not oriented. */
const struct refusal *orientation_refusal(struct ike *ike, const struct connection *c);

/* The subnets whose traffic c protects: ours and the peer's. */
struct subnet connection_client(const struct connection *c, bool ours);

/* The client that an end has, described or its own address behind a NAT; false: it is the host. */
bool connection_end_client(const struct end *e, struct subnet *client);

/* Tunnel mode is implied by a client. */
bool connection_tunnel(const struct connection *c);

/* Anything to negotiate in phase 2? */
bool connection_ipsec(const struct connection *c);

#endif
