/* control.h -- the socket on which whack commands pluto.
 *
 * Every whack has its own bounded queues; one that does not read, or says nothing, is dropped and delays
 * nobody.  A request gets a number of its own, which is never used again. */
#ifndef PLUTO_DAEMON_CONTROL_H
#define PLUTO_DAEMON_CONTROL_H

#include <uv.h>

#include "base/text.h"

struct control;

struct control_events {
	void *ctx;
	void (*command)(void *ctx, uint32_t client, struct span frame);	/* without its length */
	void (*gone)(void *ctx, uint32_t client);	/* the whack of an unfinished request hung up */
};

#define CONTROL_CLIENTS 256	/* at the same time */
#define CONTROL_FRAME 65536	/* octets of a request */
#define CONTROL_LINE (1u << 20)	/* octets of one line of an answer; what is more is cut */
#define CONTROL_PAUSE (256u << 10)	/* octets unread by a whack, then its next request waits */
#define CONTROL_QUEUE (16u << 20)	/* octets unread by a whack, then it is dropped */
#define CONTROL_IDLE 60		/* seconds that a whack may say nothing when it should */
#define CONTROL_STUCK 30	/* seconds that a whack may read nothing */

/* Makes the socket, mode 0600, in the place of one that was left behind: the caller holds the lock.  NULL with
 * the reason and the remedy in why. */
struct control *control_open(uv_loop_t *loop, const char *path, struct control_events events,
			     struct text *why);

/* A line for the request `client`, and its end; a number that is no longer known is ignored. */
void control_reply(struct control *c, uint32_t client, uint16_t status, const char *line);
void control_finish(struct control *c, uint32_t client);

/* No new requests; what is queued is still written for some seconds.  Removes the socket.  c frees itself when
 * the loop has closed everything. */
void control_close(struct control *c);

#endif
