/* engine.h -- the generic machine that the tables drive.  It knows no exchange by name and does no I/O:
 * datagrams, time and completions come in, everything else leaves through struct engine_host. */
#ifndef PLUTO_ENGINE_ENGINE_H
#define PLUTO_ENGINE_ENGINE_H

#include "engine/action.h"
#include "engine/exchange.h"

enum engine_debug {		/* classes of the lines given to host.debug */
	ENGINE_DEBUG_RAW, ENGINE_DEBUG_CRYPT, ENGINE_DEBUG_PARSING,
	ENGINE_DEBUG_EMITTING, ENGINE_DEBUG_CONTROL, ENGINE_DEBUG_PRIVATE,
};

/* What became of a datagram; for tests, counters and log levels. */
enum verdict {
	VERDICT_ACCEPTED, VERDICT_PARKED, VERDICT_DUPLICATE, VERDICT_IGNORED, VERDICT_REFUSED,
};

struct engine_host {
	void *ctx;
	void (*send)(void *ctx, const struct exchange *x, struct span datagram);
	void (*random)(void *ctx, void *p, size_t n);
	/* x may be NULL in each of these. */
	void (*log)(void *ctx, const struct exchange *x, bool serious, const struct refusal *why);
	bool (*debugging)(void *ctx, const struct exchange *x, enum engine_debug class_);
	void (*debug)(void *ctx, const struct exchange *x, enum engine_debug class_, const char *line);

	/* A peer begins an exchange: take it (set x->user) or refuse.  x->parent is set for phase 2.
	 * NULL = go on. */
	const struct refusal *(*admit)(void *ctx, struct exchange *x, struct arena *arena);
	/* An encrypted message cannot be read, or a hash of one in clear is wrong: what does that mean
	 * here?  NULL = the fault itself. */
	const struct refusal *(*garbled)(void *ctx, struct exchange *x, struct arena *arena);
	/* A message of x was refused.  May send a notification. */
	void (*refused)(void *ctx, struct exchange *x, const struct refusal *why);
	/* x has moved to x->state and its answer is sent. */
	void (*moved)(void *ctx, struct exchange *x);
	/* An authentic message of the phase 1 x came from elsewhere than before: x and what is below it have the
	 * new endpoints already. */
	void (*relocated)(void *ctx, struct exchange *x, const struct endpoint *before);
	/* The last message of x was sent once more (by timer, or for a duplicate). */
	void (*resent)(void *ctx, struct exchange *x, bool by_timer);
	/* x is about to be freed: let go of x->user. */
	void (*ended)(void *ctx, struct exchange *x, enum end_reason why);
};

struct engine_config {
	struct engine_host host;
};

struct engine *engine_new(const struct engine_config *config);
void engine_free(struct engine *e);	/* ends every exchange first, with END_SHUTDOWN */

enum verdict engine_receive(struct engine *e, uint64_t now, const struct endpoint *local,
			    const struct endpoint *remote, struct span datagram);

/* Begin an exchange; parent is NULL for phase 1.  NULL when its action refused (already logged). */
struct exchange *engine_initiate(struct engine *e, uint64_t now, const struct machine_desc *machine,
				 struct exchange *parent, const struct endpoint *local,
				 const struct endpoint *remote, void *user);

/* Go on with a parked exchange: its action is called again with a->resumed = result. */
void engine_resume(struct engine *e, uint64_t now, uint64_t serial, void *result);

/* The phase 1 x and everything below it is spoken from `local` to `remote` from now on. */
void engine_relocate(struct exchange *x, const struct endpoint *local, const struct endpoint *remote);

/* Send a one-way message under the phase 1 x (which has its keys).  False when x cannot. */
bool engine_send_oneway(struct engine *e, uint64_t now, struct exchange *x,
			const struct oneway_desc *d, const struct message_desc *m, const void *out);

/* Send a one-way message in clear, about a message that was refused before there were keys. */
bool engine_send_clear(struct engine *e, struct exchange *x, const struct message_desc *m,
		       const void *out);

/* End x (and all below it).  It is freed when the present call into the engine returns. */
void engine_end(struct engine *e, struct exchange *x, enum end_reason why);

struct exchange *engine_first(struct engine *e);	/* all exchanges, newest first */
struct exchange *engine_next(struct exchange *x);
size_t engine_count(const struct engine *e);

/* The heap of deadlines; the layer above keeps its own timers there too. */
struct timers *engine_timers(struct engine *e);

#endif
