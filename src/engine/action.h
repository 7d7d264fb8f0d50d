/* action.h -- what an action sees and may do.  An action decides; the engine acts. */
#ifndef PLUTO_ENGINE_ACTION_H
#define PLUTO_ENGINE_ACTION_H

#include "base/arena.h"
#include "base/tables.h"
#include "engine/exchange.h"
#include "generated/keys.h"
#include "generated/messages.h"

struct action {
	struct engine *engine;
	struct exchange *x;
	struct arena *arena;		/* lives until the message is dealt with */
	uint64_t now;			/* milliseconds */
	const struct row *row;
	const struct message *message;	/* NULL when we begin */
	const struct endpoint *from, *to;	/* where it came from and to, which x may not know yet; NULL when we begin */
	void *resumed;			/* result of the job that was waited for, NULL at the first call */
	const struct refusal *refusal;	/* set by action_refuse and action_fail */
};

/* What `selects` is from now on. */
void action_bind(struct action *a, enum variant v);

/* Phase 1 is protected by these from now on. */
void action_protect(struct action *a, enum alg cipher, size_t key_octets, enum alg hash);

/* A message of this exchange is sent `sends` times at most (1 to 20), first again after `interval`
 * milliseconds, then after twice as long, and so on.  0 = as the spec has it. */
void action_repeat(struct action *a, uint32_t sends, uint32_t interval);

/* From now on this phase 1 takes fragments of messages, and what would be longer than `octets` is sent in
 * fragments; 0 = never. */
void action_fragments(struct action *a, bool take, size_t octets);

/* Put a value that the spec says comes from an action into the exchange. */
void action_supply(struct action *a, enum key_value v, struct span s);

/* A value by its formula, with everything that it needs; p == NULL if an input is missing.
 * Lives as long as the arena.  n: octets wanted of a prf_plus or stretch, else 0. */
struct span action_value(struct action *a, enum key_value v, size_t n);

/* Refuse this message and keep the exchange (it may still get a better one). */
enum action_result action_refuse(struct action *a, const struct refusal *why);

/* Refuse, and end the exchange. */
enum action_result action_fail(struct action *a, const struct refusal *why);

#endif
