/* gateway.h -- a scripted gateway of Mode Config and XAUTH: what it says under the ISAKMP SA of an ordinary daemon. */
#ifndef PLUTO_SIM_GATEWAY_H
#define PLUTO_SIM_GATEWAY_H

#include "engine/internal.h"
#include "trial.h"

#define GATEWAY_TALKS 64	/* of the newest transactions are remembered */

struct talk {			/* a transaction as the gateway sees it */
	uint32_t msgid;
	uint64_t sa;		/* serial of the phase 1 at the gateway */
	uint64_t last;		/* hash of the last datagram in it */
	struct buf said;	/* the last datagram to the client in it */
	bool heard;		/* the client has answered that, or waits for it no more */
	uint64_t again;		/* when it is repeated, while it is not answered */
	struct exchange x;
};

struct gateway {
	struct trial *t;
	struct control_connection ours;	/* "net" as the client has it */
	struct talk talk[GATEWAY_TALKS];
	unsigned n_talks;
	struct buf offer;	/* body of the SA payload as the client sent it */
	uint64_t served;	/* serial of the newest phase 1 that it has begun to serve */
	bool xauth, push, pull;	/* what the client is described with */
	bool rsa;		/* they prove themselves by RSA signatures, not by a secret */
	unsigned loss;		/* per mille of what the gateway says in transactions; it repeats what is not answered */
	bool begins;		/* the newest phase 1 is one that the gateway has begun */
	bool done;		/* it has told the client all that it waits for */
	bool given;		/* an address, under the newest phase 1 */
	unsigned requests, replies, acks, names;	/* that came; names: replies with the right user and password */
	uint8_t address[4];	/* that it gives */
	size_t from, octets;	/* of the networks that it names */
	/* What it does about a new phase 1, and about a message: NULL = as an honest one. */
	void (*begin)(struct gateway *g);
	void (*trouble)(struct gateway *g);	/* before that */
	void (*heard)(struct gateway *g, struct talk *k, uint8_t type);
};

/* The client, t->a, and the gateway behind which the other end of "net" is, t->b; they listen. */
void gateway_begin(struct gateway *g, struct trial *t, bool xauth, uint8_t modecfg);
void gateway_end(struct gateway *g);

/* Before gateway_begin, and when one of them begins anew: they have RSA keys, and no secret of both. */
void gateway_keys(struct trial *t);

/* Let time go by while the gateway looks after phase 1s that have come up. */
void gateway_run(struct gateway *g, uint64_t ms);

/* A transaction that the gateway begins under its newest ISAKMP SA; NULL = it has none. */
struct talk *gateway_talk(struct gateway *g);

/* Say something in it: config_type, and attributes as octets. */
void gateway_say_raw(struct gateway *g, struct talk *k, uint8_t type, struct span attributes);
void gateway_say(struct gateway *g, struct talk *k, uint8_t type, const struct emit_attribute *at, size_t n);

/* What an honest one says. */
void gateway_ask(struct gateway *g);
void gateway_status(struct gateway *g, uint16_t status);
void gateway_address(struct gateway *g, struct talk *k, uint8_t type);

/* Octets of the message that gateway_say_raw would send, which the caller changes and sends himself. */
struct span gateway_seal(struct gateway *g, struct talk *k, uint8_t type, struct span attributes);
void gateway_send(struct gateway *g, struct span datagram);

#endif
