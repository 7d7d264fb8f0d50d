/* session.h -- a connection to pluto: requests go out, lines come back. */
#ifndef PLUTO_WHACK_SESSION_H
#define PLUTO_WHACK_SESSION_H

#include "base/text.h"

struct session;

enum session_end {
	SESSION_FINISHED,	/* pluto has answered all of it */
	SESSION_CLOSED,		/* pluto hung up before that */
	SESSION_TIMEOUT,
	SESSION_INTERRUPTED,	/* Ctrl-C: pluto goes on alone */
	SESSION_BROKEN,		/* not the protocol; why is filled */
};

/* Connects to the socket and says hello.  NULL with one line in why. */
struct session *session_open(const char *path, struct text *why);
void session_close(struct session *s);

/* Sends one frame and hands each line to take, until the end or for `seconds` (0 = without limit). */
enum session_end session_request(struct session *s, struct span frame, unsigned seconds,
				 void (*take)(void *ctx, unsigned status, struct span line), void *ctx,
				 struct text *why);

#endif
