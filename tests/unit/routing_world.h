/* routing_world.h -- connections, IPsec SAs and a kernel for check_routing, all in one process.
 *
 * The parts under test are routes.c, routing.c, plan.c and install.c.  The kernel is played here: it says what it was
 * asked, remembers what is in place, fails when told to.  An IPsec SA is a struct phase2 without protocols. */
#ifndef PLUTO_ROUTING_WORLD_H
#define PLUTO_ROUTING_WORLD_H

#include "ike/phase2.h"
#include "must.h"

#define CONNECTIONS 4
#define SAS 2			/* of one connection at a time */
#define TRACE 4096
#define WAITING 256

struct kind { int ours, theirs, way; };		/* of a connection: indices; ways 0 and 1 differ in the gateway,
						 * 2 in the interface */

enum op { ROUTE, UNROUTE, INITIATE, RESPOND_EVICT, RESPOND_REJECT, SA_DOWN, DELETE, OPS };

struct waiting { uint32_t token; int theirs; bool fails; };

struct world {
	struct ike *ike;
	struct connection *c[CONNECTIONS];
	uint32_t reqid[CONNECTIONS];
	struct kind kind[CONNECTIONS];
	struct phase2 *sa[CONNECTIONS][SAS];	/* oldest first */
	char trace[TRACE];			/* what was asked */
	/* in place: by our and the peer's client */
	int eroute[2][2];			/* 0 none, 1 trap, 2 SA */
	int carrier[2][2];
	int told[2][2];				/* up without down */
	int way[2];				/* by the peer's client, -1 = no route */
	int bare[WAITING][2][2];		/* eroute there after each request */
	unsigned asked;
	unsigned fail_at;			/* the request that fails, from 1; 0 = none */
	bool later;				/* answers are given by answer_one() */
	unsigned fail_per_mille;
	int hangs;				/* no answer for updown commands of this client; -1 = none */
	struct waiting waiting[WAITING];
	unsigned n_waiting;
	uint64_t random;
	uint16_t status;			/* whack's */
	unsigned finished;
};
extern struct world k;

/* Connections c0, c1, ... of these kinds, not routed. */
void universe(const struct kind *kinds, int n);

/* End everything; whatever waits is answered.  Nothing may be in place after it. */
void close_universe(void);

/* May this be done to a connection with so many SAs?  Do it to connection i. */
bool applies(enum op op, int sas);
void perform(enum op op, int i);

/* Whatever negotiation can go on does. */
void settle(void);

/* Answer request n of those that wait. */
void answer(unsigned n);

/* Append "what i; ". */
void trace(char *into, const char *what, int i);
unsigned draw(unsigned n);	/* a random number below n */

#endif
