/* odd.h -- what peers do otherwise than we do. */
#ifndef PLUTO_SIM_ODD_H
#define PLUTO_SIM_ODD_H

#include "base/writer.h"
#include "trial.h"

enum oddity {
	ODD_VENDORS, ODD_RESERVED,			/* what is in clear */
	ODD_ORDER, ODD_NOTIFICATIONS, ODD_REQUESTS, ODD_CERTIFICATE, ODD_LATE_CONTACT,	/* payloads */
	ODD_PADDING_BLOCK, ODD_PADDING_LENGTH, ODD_PADDING_MUCH,
	ODD_NUMBERS, ODD_SAME_NUMBERS, ODD_BUNDLES, ODD_TWICE, ODD_LONG_LIVES, ODD_PAIRS, ODD_PAIRS_TWICE, ODD_SPI,
	ODD_ID_PORT, ODD_NO_CLIENTS,
	ODD_DRAFT, ODD_DISCOVERY,	/* NAT traversal: drafts.c */
};

#define ODD_LIST_MAX 32

/* The payloads of a message. */
struct odd_list {
	size_t n;
	struct { uint8_t type; struct span body; } at[ODD_LIST_MAX];
};

struct odd {
	enum oddity what;
	unsigned done;			/* times that it was done */
	uint8_t protocol;		/* of ODD_ID_PORT; of ODD_SPI its octets */
	uint16_t port;
	/* Changes the payloads of a message, which is not encrypted yet or never is; of ODD_DRAFT and ODD_DISCOVERY. */
	void (*change)(void *ctx, struct span header, struct odd_list *l);
	void *ctx;
};

/* What every daemon of the world does; NULL = nothing odd. */
extern struct odd *odd_peer;

/* Is it done by odd_payloads? */
bool odd_in_payloads(enum oddity what);

/* Gives every message in clear that passes in the world to odd_payloads; ctx is the struct odd. */
bool odd_rewrite(void *ctx, struct node *to, const struct endpoint *from, struct buf *datagram);

/* a begins, in a world that is odd until odd_over. */
void odd_initiate(struct trial *t, struct odd *odd);
void odd_over(struct trial *t);

/* Write a message again with other payloads; it is not encrypted yet, or never is. */
void odd_payloads(struct span plain, struct writer *w);

#endif
