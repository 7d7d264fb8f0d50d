/* world.h -- a world of IKE daemons on a virtual clock: a faulty network, a kernel that remembers,
 * everything drawn from one seed. */
#ifndef PLUTO_SIM_WORLD_H
#define PLUTO_SIM_WORLD_H

#include <uthash.h>

#include "ike/ike.h"
#include "generated/control_protocol.h"
#include "generated/names.h"

struct world;
struct node;

struct faults {			/* of the network, in per mille of the datagrams */
	unsigned loss, duplicate, reorder;
	unsigned delay_min, delay_max;	/* milliseconds */
};

struct sim_sa {			/* an SA in the kernel of a node */
	struct sim_sa *next;
	struct sa_id id;
	bool inbound, tunnel, in_udp;
	struct endpoint peer;	/* the other end; port 0 without UDP */
	unsigned moved;		/* times that it followed the peer */
	enum alg cipher, mac;
	uint8_t key[256];
	size_t key_octets;
	uint64_t packets;	/* of ESP or AH that came or went */
	uint64_t last_used;	/* seconds */
};

struct sim_eroute {
	struct sim_eroute *next;
	struct kernel_eroute e;
	bool reported;		/* a trap tells of the first packet, until it is set anew */
};

struct sim_dns {		/* what the DNS says about any name; looked at when the answer is due */
	const struct rsa_key *key;	/* in a KEY record; NULL = there is none */
	struct span rdata;		/* instead of that */
	const char *why;		/* the question fails */
	bool validated, silent;
	uint32_t ttl;			/* seconds */
	unsigned delay;			/* milliseconds */
	unsigned asked;			/* questions */
};

#define SIM_NAT_MAPPINGS 1024

/* A NAT that gives each endpoint behind it a port of its own address, and forgets those that were not used for
 * `timeout` milliseconds; 0: none. */
struct sim_nat {
	struct ip_addr addr;
	uint16_t next_port;
	uint64_t timeout;
	struct { struct node *node; uint16_t port, outside; uint64_t used; bool forwarded; } map[SIM_NAT_MAPPINGS];
	unsigned n;
};

struct node {
	struct world *world;
	struct ike *ike;
	const char *name;
	size_t index;		/* in the world */
	struct ip_addr addr;
	UT_hash_handle hh;	/* by its address */
	struct sim_nat *nat;	/* it is behind that; NULL = behind none */
	struct ike_ports ports;	/* of it, from its next restart on */
	unsigned keepalives;	/* sent */
	const char *secret;	/* the preshared one */
	const char *password;	/* of any user; NULL = none */
	const struct rsa_key *rsa, *rsa_named;	/* ours: for our address, and for names; NULL = none */
	const char *said[64];	/* reasons of the refusals that it logged, in a circle */
	unsigned n_said;
	char refusal[512];	/* the last one in words, and its remedy */
	char answer[512];	/* the last line that whack got, without comments */
	struct sim_dns *dns;	/* that it asks, from its next restart on; NULL = none */
	bool insecure_dnskeys;
	bool away;		/* its interface is gone at the next listen */
	bool deaf;		/* datagrams to it are lost */
	unsigned kernel_refuses;	/* requests, in per mille */
	bool immovable;		/* its kernel gives no SA another endpoint */
	struct sim_sa *sas;
	struct sim_eroute *eroutes;
	unsigned status[1000];	/* lines that whack got, by number */
	uint16_t last_status;	/* of the last line that was neither log nor comment */
	unsigned asked, finished;	/* requests of whack */
	uint8_t *pending;	/* by request: 1 = asked, 2 = finished */
	unsigned lost_cover;	/* times that an eroute fell from SA to trap or away */
	unsigned rekeyed;	/* times that an eroute went from one SA to another */
	unsigned added;		/* SAs, ever */
	unsigned premature;	/* SAs added while no exchange had verified its hash */
	size_t sent, received;	/* datagrams */
	size_t sent_octets, received_octets;
	bool stopped;
	bool left;		/* its kernel was told that all stays */
};

/* Somebody on the path: may read and change a datagram, or take it away (false). */
struct man_in_the_middle {
	void *ctx;
	bool (*pass)(void *ctx, struct node *to, const struct endpoint *from, struct buf *datagram);
};

struct world *world_new(uint64_t seed, const struct faults *faults);
void world_free(struct world *w);

/* n has another address, in place of its own; its pluto learns that at the next listen. */
void node_renumber(struct node *n, const char *addr);

/* Print what the nodes log. */
void world_verbose(struct world *w, bool on);

void world_middle(struct world *w, const struct man_in_the_middle *m);
void world_faults(struct world *w, const struct faults *faults);

/* A datagram that pretends to come from `from`; it arrives at once. */
void world_inject(struct world *w, struct node *to, const struct endpoint *from, struct span bytes);

/* Random numbers of the world: reproducible from the seed. */
uint64_t world_random(struct world *w);

/* A daemon at an address, with one preshared secret for everybody. */
struct node *world_node(struct world *w, const char *name, const char *addr, const char *secret);

/* A NAT with that address; the caller puts nodes behind it (node.nat). */
struct sim_nat *world_nat(struct world *w, const char *addr);

/* What comes to that port of the NAT goes to the same port of n, and n is seen from outside with it. */
void nat_forward(struct sim_nat *nat, struct node *n, uint16_t port);

/* Every mapping is lost, and the address is another one if `addr` is not NULL. */
void nat_rebind(struct sim_nat *nat, const char *addr);

/* ESP in UDP of n by its SA to a client: it goes through the NATs, and the kernel of who gets it tells ike where it came
 * from, if that is another place than the SA says.  False: it did not arrive. */
bool node_esp(struct node *n, const char *client);

/* The daemon of n loses everything it knows and starts anew; its kernel is emptied. */
void node_restart(struct node *n);

/* Give a node a request of whack, encoded.  Its answers go to the counters of the node. */
void node_connection(struct node *n, const struct control_connection *m);
/* Without a key: look it up. */
void node_public_key(struct node *n, const char *id, const struct rsa_key *key);
void node_listen(struct node *n);
void node_initiate(struct node *n, const char *name);
void node_route(struct node *n, const char *name);
void node_terminate(struct node *n, const char *name);
void node_delete(struct node *n, const char *name);
void node_shutdown(struct node *n, bool quiet);
void node_leave(struct node *n);	/* --shutdown --leave-state */

/* The number of the newest exchange of n: how many it has begun or taken part in, as long as it lives. */
uint64_t node_serial(const struct node *n);

/* Has it logged this reason, lately? */
bool node_said(const struct node *n, const char *reason);

/* A subnet from its text; none for NULL. */
struct subnet sim_subnet(const char *text);

/* A description with the defaults of whack, tunnel between 10.<x>.0.0/16 nets; change it as wanted. */
struct control_connection sim_connection(const char *name, const struct node *left,
					 const char *left_client, const struct node *right,
					 const char *right_client);

/* Run until nothing is left to happen or `ms` milliseconds have gone by.  Returns the events handled. */
size_t world_run(struct world *w, uint64_t ms);

/* The same for at most `events` events.  False: there was nothing left to do. */
bool world_step(struct world *w, size_t events);

/* What a daemon still holds; all zero when it is shut down. */
struct holdings {
	size_t exchanges, requests, plans, timers, half_open, connections, instances, pairs, sas, eroutes,
	       unfinished;
};
struct holdings node_holdings(const struct node *n);
bool holdings_none(const struct holdings *h);

/* A packet for a client: protected by an SA (true), or it meets a trap, which may be reported. */
bool node_packet(struct node *n, const char *client);

/* The kernel of n says that an outbound SA has carried all that it may (hard), or nearly. */
void node_expire(struct node *n, const struct sim_sa *s, bool hard);

/* The outbound SA that the eroute to a client uses; NULL when traffic would be dropped. */
const struct sim_sa *node_outbound(const struct node *n, const char *client);

/* Every outbound SA of a that b has, too, has the same keys there; *lonely counts those that b has not.
 * False names the difference on stderr. */
bool world_keys_agree(const struct node *a, const struct node *b, unsigned *lonely);

/* Packets of `from` to a client: they take its outbound SAs, and count at `to` if that has them, too.  False: dropped. */
bool node_traffic(struct node *from, const char *client, struct node *to, unsigned packets);

/* n receives on s, an outbound SA of its peer. */
bool node_has_twin(const struct node *n, const struct sim_sa *s);

/* SAs in one direction in the kernel of n. */
unsigned node_sas(const struct node *n, bool inbound);

uint64_t world_now(const struct world *w);

#endif
