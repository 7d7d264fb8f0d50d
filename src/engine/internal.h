/* internal.h -- what the files of the engine share. */
#ifndef PLUTO_ENGINE_INTERNAL_H
#define PLUTO_ENGINE_INTERNAL_H

#include "engine/engine.h"
#include "engine/keys.h"
#include "engine/table.h"
#include "generated/limits.h"
#include "generated/payloads.h"
#include "generated/reasons.h"

LIST_HEAD(exchange_list, exchange);

struct engine {
	struct engine_host host;
	struct arena *arena;		/* of the message or command at hand */
	struct table table;
	struct timers timers;
	struct exchange_list all, dead;
	uint64_t now;
	uint64_t serial;		/* of the last exchange made */
	size_t question;		/* octets of the datagram being dealt with, else 0 */
	size_t fragment_sets;		/* messages of which fragments are here */
	unsigned depth;			/* nesting of calls from outside */
	uint8_t hash_key[16];
	struct message message;		/* the one being received */
	uint8_t out[LIMIT_MESSAGE_OCTETS];	/* the one being sent */
};

/* A message on its way in. */
struct incoming {
	struct span datagram;
	struct span plain;		/* the same, decrypted, in the arena */
	uint64_t hash;			/* keyed, of the datagram */
	uint8_t iv_after[BLOCK_MAX];	/* chaining value if the message is accepted */
	bool encrypted;
	const struct endpoint *local;
	const struct endpoint *remote;
};

/* A row on its way from a message to an answer. */
struct step {
	const struct row *row;
	uint32_t variants;		/* what the message matched */
	bool verified;			/* what the row's own action may see */
};

/* What a parked exchange goes on with. */
struct parked {
	struct step step;
	uint64_t deadline;		/* of the timer that was running, 0 = none */
	struct buf plain;		/* the message, decrypted; empty when we begin */
	uint64_t hash;
	uint8_t iv_after[BLOCK_MAX];
	bool encrypted;
	struct endpoint local, remote;	/* where it came to and from */
};

/* engine.c */
void engine_enter(struct engine *e, uint64_t now);
void engine_leave(struct engine *e);
struct exchange *exchange_new(struct engine *e, const struct machine_desc *m, enum role role,
			      struct exchange *parent, const struct endpoint *local,
			      const struct endpoint *remote);
void exchange_enlist(struct exchange *x);	/* findable from now on */
bool exchange_enlisted(const struct exchange *x);
void report(struct engine *e, struct exchange *x, bool serious, const struct refusal *why);
void debug_lines(struct engine *e, const struct exchange *x, enum engine_debug class_,
		 const char *text);
bool debugging(struct engine *e, const struct exchange *x, enum engine_debug class_);

/* What came is authentic: its endpoints are those of x's phase 1 from now on. */
void exchange_follow(struct engine *e, struct exchange *x, const struct endpoint *local,
		     const struct endpoint *remote);

/* debug.c: one line, if that class is wanted; octets in hexadecimal */
void debug_say(struct engine *e, const struct exchange *x, enum engine_debug class_, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void debug_octets(struct engine *e, const struct exchange *x, enum engine_debug class_, const char *what,
		  struct span octets);

/* protect.c: encryption of messages */
/* The chaining value for the next message of x; false when it cannot be computed yet. */
bool protect_chain(struct engine *e, struct exchange *x, uint16_t id, uint8_t iv[BLOCK_MAX]);
size_t protect_block(const struct exchange *x);
/* Decrypt in->plain in place from the header on; sets iv_after. */
const struct refusal *protect_open(struct engine *e, struct exchange *x, uint16_t iv, uint16_t key,
				   struct incoming *in);
/* Pad and encrypt a message of w, advance the chaining value of x. */
bool protect_seal(struct engine *e, struct exchange *x, uint16_t iv, uint16_t key, struct writer *w);

/* verify.c: captured values and hashes */
void capture_message(struct exchange *x, const struct message_desc *d, const struct message *m);
/* Every payload that is a hash of the message is right. */
const struct refusal *verify_hashes(struct engine *e, struct exchange *x,
				    const struct message_desc *d, const struct message *m);

/* receive.c */
/* The message of x is refused and leaves nothing behind; what was begun by it ends. */
enum verdict refuse_message(struct engine *e, struct exchange *x, const struct refusal *why);
/* A new phase 2 or one-way message is authentic: its message ID is used up. */
const struct refusal *use_msgid(struct engine *e, struct exchange *root, uint32_t msgid);

/* transition.c: run a row and do what its action decided */
enum verdict run_row(struct engine *e, struct exchange *x, const struct step *step,
		     const struct message *m, const struct incoming *in, void *resumed);
/* What x holds is changed by a message that is not accepted yet: until the end of the attempt it can be undone. */
void attempt_begin(struct exchange *x);
void attempt_end(struct exchange *x, bool accepted);
void parked_free(struct exchange *x);

/* fragment.c: every datagram leaves by it, in pieces if that was agreed on */
void send_datagram(struct engine *e, const struct exchange *x, struct span datagram);

/* send.c */
/* Write, hash and encrypt a message of x into e->out; an empty span if it cannot be. */
struct span build_message(struct engine *e, struct exchange *x, const struct message_desc *d,
			  uint32_t variants, const void *out, uint16_t iv, uint16_t key);
void keep_sent(struct exchange *x, struct span datagram);
void arm_exchange_timer(struct engine *e, struct exchange *x, const struct row *row);
enum verdict answer_duplicate(struct engine *e, struct exchange *x);

#endif
