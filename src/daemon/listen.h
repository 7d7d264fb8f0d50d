/* listen.h -- whack --listen: the public interfaces and the secrets, as they are now. */
#ifndef PLUTO_DAEMON_LISTEN_H
#define PLUTO_DAEMON_LISTEN_H

#include "daemon/backend.h"
#include "daemon/udp.h"
#include "ike/host.h"
#include "secrets/store.h"

struct listening;

struct listening *listening_new(const struct config *c, struct backend backend, struct udp *udp,
				struct store *store);
void listening_free(struct listening *l);

/* Opens a socket on each public interface that has none, closes those that are gone, attaches virtual
 * interfaces, reads the secrets.  What out points to lives until the next call. */
void listening_start(struct listening *l, struct listen_result *out);

/* Nothing is listened on any more, whatever addresses there are. */
void listening_stop(struct listening *l);

/* Does pluto listen, and are the public addresses others than those it listens on?  Then text says which have appeared
 * or vanished. */
bool listening_outdated(const struct listening *l, struct text *text);

/* Requests to the kernel that are ours, not ike's, have such tokens. */
static inline bool listening_token(uint32_t token)
{
	return (token & 0x80000000u) != 0;
}
void listening_done(struct listening *l, uint32_t token, const struct kernel_result *r);

#endif
