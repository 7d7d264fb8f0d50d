/* world.h -- a world of IKE daemons on a virtual clock: a faulty network, a kernel that remembers,
 * everything drawn from one seed. */
#ifndef PLUTO_SIM_WORLD_H
#define PLUTO_SIM_WORLD_H

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
	bool inbound;
	enum alg cipher, mac;
	uint8_t key[256];
	size_t key_octets;
};

struct sim_eroute {
	struct sim_eroute *next;
	struct kernel_eroute e;
};

struct node {
	struct world *world;
	struct ike *ike;
	const char *name;
	struct ip_addr addr;
	const char *secret;	/* the preshared one */
	struct sim_sa *sas;
	struct sim_eroute *eroutes;
	unsigned status[1000];	/* lines that whack got, by number */
	uint16_t last_status;	/* of the last line that was neither log nor comment */
	unsigned finished;	/* requests */
	unsigned lost_cover;	/* times that an eroute fell from SA to trap or away */
	unsigned rekeyed;	/* times that an eroute went from one SA to another */
	size_t sent, received;
	bool stopped;
};

struct world *world_new(uint64_t seed, const struct faults *faults);
void world_free(struct world *w);

/* Print what the nodes log. */
void world_verbose(struct world *w, bool on);

/* Random numbers of the world: reproducible from the seed. */
uint64_t world_random(struct world *w);

/* A daemon at an address, with one preshared secret for everybody. */
struct node *world_node(struct world *w, const char *name, const char *addr, const char *secret);

/* Give a node a request of whack, encoded.  Its answers go to the counters of the node. */
void node_connection(struct node *n, const struct control_connection *m);
void node_listen(struct node *n);
void node_initiate(struct node *n, const char *name);
void node_terminate(struct node *n, const char *name);
void node_shutdown(struct node *n, bool quiet);

/* A description with the defaults of whack, tunnel between 10.<x>.0.0/16 nets; change it as wanted. */
struct control_connection sim_connection(const char *name, const struct node *left,
					 const char *left_client, const struct node *right,
					 const char *right_client);

/* Run until nothing is left to happen or `ms` milliseconds have gone by.  Returns the events handled. */
size_t world_run(struct world *w, uint64_t ms);

/* The outbound SA that the eroute to a client uses; NULL when traffic would be dropped. */
const struct sim_sa *node_outbound(const struct node *n, const char *client);

/* Every outbound SA of a has its twin in b, with the same keys.  False names the difference on stderr. */
bool world_keys_agree(const struct node *a, const struct node *b);

uint64_t world_now(const struct world *w);

#endif
