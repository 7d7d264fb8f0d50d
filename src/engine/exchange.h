/* exchange.h -- one state object: a negotiation in progress, afterwards the SA it made. */
#ifndef PLUTO_ENGINE_EXCHANGE_H
#define PLUTO_ENGINE_EXCHANGE_H

#include <sys/queue.h>

#include "base/addr.h"
#include "base/tables.h"
#include "engine/timer.h"
#include "engine/values.h"
#include "generated/algorithms.h"
#include "generated/machines.h"

#define COOKIE_SIZE 8
#define BLOCK_MAX 16

struct engine;
struct parked;
struct fragments;

enum end_reason {
	END_LOCAL,		/* asked for by the layer above */
	END_REFUSED,		/* a message, or our own part, made it impossible to go on */
	END_NO_RESPONSE,	/* sent as often as allowed, no answer, or none that was accepted */
	END_LARVAL,		/* the peer began and did not go on */
	END_PARENT,		/* the phase 1 above is gone */
	END_SHUTDOWN,
	END_OVER,		/* it has done its work */
};

struct msgid_set;		/* message IDs that were used under a phase 1 */

/* What the two ends have agreed on; a message that is refused leaves nothing of what it would have changed. */
struct agreed {
	uint32_t variants;		/* what `selects` is, as a mask; all of the machine's until bound */
	bool bound;
	enum alg hash, cipher;		/* of phase 1 */
	uint16_t key_octets;
	uint8_t rcookie[8];		/* the responder's, of its first answer */
	bool fragments_taken;		/* of messages to us, of phase 1 */
	size_t fragment_octets;		/* longer datagrams to the peer are sent in fragments; 0 = never */
};

struct exchange {
	struct engine *engine;
	uint64_t serial;
	const struct machine_desc *machine;
	const struct state_desc *state;	/* NULL before the first transition */
	enum role role;
	struct agreed agreed;
	struct agreed before;		/* what it was before the message at hand */
	bool dying;
	bool proven;			/* the peer has answered with our cookie */

	uint8_t cookies[2 * COOKIE_SIZE];	/* initiator's, responder's */
	uint32_t msgid;
	struct exchange *parent;	/* of phase 2 */
	LIST_HEAD(, exchange) children;	/* of phase 1 */
	LIST_ENTRY(exchange) sibling;
	struct endpoint local, remote;
	bool roaming;			/* of phase 1: what is authentic is taken from any endpoint, which is the peer's then */
	bool aliases;			/* of phase 1: payloads are sent under the alias of their number, where there is one */

	struct values values;
	uint8_t iv[BLOCK_MAX];		/* for the next encrypted message */
	bool iv_set;
	struct msgid_set *msgids;

	struct buf sent;		/* last message, kept while it may be sent again */
	uint32_t interval;		/* milliseconds before the first repetition; doubled each time */
	uint8_t sends_max;		/* of one message */
	uint8_t sends;			/* of `sent` by timer */
	uint8_t resends;		/* of `sent` for duplicates */
	bool disliked;			/* an answer to `sent` came and was refused */
	uint8_t garbled;		/* answers to messages that were not authentic, of phase 1 */
	uint64_t heard;			/* when the last acceptable message came, ms; 0 = never */
	uint64_t last_in;		/* keyed hash of the last accepted datagram, 0 = none */
	struct timer timer;		/* retransmission or larval */
	struct parked *parked;
	struct fragments *fragments;	/* of the message that is coming, of phase 1 */
	uint16_t fragments_done;	/* id of the last that was complete */
	struct buf early;		/* what came for a phase 2 while the last step of this phase 1 waits */

	struct exchange *by_cookies, *by_icookie, *by_msgid, *by_serial;	/* hash chains */
	LIST_ENTRY(exchange) all;
	void *user;			/* of the layer above */
};

/* The phase 1 that protects x: its parent, or x itself. */
static inline struct exchange *exchange_root(struct exchange *x)
{
	return x->parent != NULL ? x->parent : x;
}

static inline bool exchange_final(const struct exchange *x)
{
	return x->state != NULL && x->state->final;
}

#endif
