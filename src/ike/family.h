/* family.h -- what one description makes: a connection for each pair of clients.
 *
 * Each of them has SAs, an eroute and routes of its own, as if it had been described alone; whack names them all by
 * the name of the description, or one by its own: that of the description itself if it is the only one, else
 * NAME/LEFTxRIGHT with the numbers of the clients as they were given. */
#ifndef PLUTO_IKE_FAMILY_H
#define PLUTO_IKE_FAMILY_H

#include "ike/connection.h"

struct arena;
struct control_connection;

struct family {
	char *name;		/* owned */
	unsigned n;
	size_t described;	/* so many pairs of clients were; split.c makes others of them */
	unsigned last_split;	/* number of the newest of these */
	struct buf said;	/* the description, as describe.c compares it */
	TAILQ_HEAD(, connection) members;	/* as described */
	UT_hash_handle hh;
};

/* NULL if nothing of that name was described. */
struct family *family_find(struct ike *ike, struct span name);

/* c, which has none yet, is of the family of that name from now on; it leaves it when it is deleted. */
void family_join(struct ike *ike, struct connection *c, struct span name);
void family_leave(struct ike *ike, struct connection *c);

/* All that the name stands for, a family or one of its members, in an array in the arena; *n == 0: nothing. */
struct connection **family_select(struct ike *ike, struct arena *a, struct span name, size_t *n);

/* The description; what it points to is in the family or in the arena.  False: it was too long to be kept. */
bool family_said(const struct family *f, struct arena *a, struct control_connection *out);

/* Delete all its members, and so itself. */
void family_delete(struct ike *ike, struct family *f);

#endif
