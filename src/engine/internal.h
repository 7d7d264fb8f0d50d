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
	const struct ip_addr *local;
	const struct endpoint *remote;
};

/* What a parked exchange goes on with. */
struct parked {
	struct buf plain;		/* the message, decrypted; empty when we begin */
	uint64_t hash;
	uint8_t iv_after[BLOCK_MAX];
	bool encrypted;
	const struct row *row;
	uint32_t variants;		/* what the message matched */
};

/* engine.c */
void engine_enter(struct engine *e, uint64_t now);
void engine_leave(struct engine *e);
struct exchange *exchange_new(struct engine *e, const struct machine_desc *m, enum role role,
			      struct exchange *parent, const struct ip_addr *local,
			      const struct endpoint *remote);
void exchange_enlist(struct exchange *x);	/* findable from now on */
bool exchange_enlisted(const struct exchange *x);
void report(struct engine *e, struct exchange *x, bool serious, const struct refusal *why);
void debug_lines(struct engine *e, const struct exchange *x, enum engine_debug class_,
		 const char *text);
bool debugging(struct engine *e, const struct exchange *x, enum engine_debug class_);

/* protect.c: encryption of messages */
size_t protect_block(const struct exchange *x);
/* Decrypt in->plain in place from the header on; sets iv_after. */
const struct refusal *protect_open(struct engine *e, struct exchange *x, uint16_t iv, uint16_t key,
				   struct incoming *in);
/* Pad and encrypt a message of w, advance the chaining value of x. */
bool protect_seal(struct engine *e, struct exchange *x, uint16_t iv, uint16_t key, struct writer *w);

/* verify.c: captured values and hashes */
#define CAPTURES_MAX 16
struct captures {
	uint8_t n;
	uint16_t id[CAPTURES_MAX];
};
void capture_message(struct exchange *x, const struct message_desc *d, const struct message *m,
		     struct captures *c);
void capture_undo(struct exchange *x, const struct captures *c);
/* Every payload that is a hash of the message is right. */
const struct refusal *verify_hashes(struct engine *e, struct exchange *x,
				    const struct message_desc *d, const struct message *m);

/* transition.c: run a row and do what its action decided */
enum verdict run_row(struct engine *e, struct exchange *x, const struct row *row,
		     const struct message *m, uint32_t variants, const struct incoming *in,
		     const struct captures *c, void *resumed);
void parked_free(struct exchange *x);

/* send.c */
/* Write, hash and encrypt a message of x into e->out; an empty span if it cannot be. */
struct span build_message(struct engine *e, struct exchange *x, const struct message_desc *d,
			  uint32_t variants, const void *out, uint16_t iv, uint16_t key);
void keep_sent(struct exchange *x, struct span datagram);
void arm_exchange_timer(struct engine *e, struct exchange *x, const struct row *row);
enum verdict answer_duplicate(struct engine *e, struct exchange *x);

#endif
