/* sim_internal.h -- what the files of the simulation share. */
#ifndef PLUTO_SIM_INTERNAL_H
#define PLUTO_SIM_INTERNAL_H

#include "agenda.h"
#include "world.h"

enum event_kind { EVENT_DATAGRAM, EVENT_JOB, EVENT_ANSWER, EVENT_LOOKUP };

struct event {
	enum event_kind kind;
	uint64_t at, order;
	struct node *node;
	struct endpoint from, to;
	struct buf bytes;
	struct ike_job *job;
	uint32_t token;
	uint16_t type;		/* dns_type */
	struct kernel_result result;
};

struct world {
	uint64_t now;
	uint64_t random;
	struct faults faults;
	struct man_in_the_middle middle;
	bool verbose;
	struct event **events;		/* heap */
	size_t n_events, cap;
	uint64_t order;
	struct node **nodes;
	size_t n_nodes;
	struct node *by_addr;		/* hash */
	struct agenda agenda;		/* of the nodes, by their index */
	struct sim_nat **nats;
	size_t n_nats;
};

/* An event `delay` milliseconds from now, to be filled in. */
struct event *world_event(struct world *w, enum event_kind kind, struct node *n, uint64_t delay);

/* The way of a datagram through NATs, from an endpoint of n: *from becomes what is seen outside, *to an endpoint of the
 * node that gets it, which is returned; NULL: nobody gets it. */
struct node *nat_way(struct node *n, struct endpoint *from, struct endpoint *to);

struct kernel sim_kernel(struct node *n);
void sim_kernel_free(struct node *n);

#endif
