/* watch.h -- addresses of this host that appear and vanish, and its default routes. */
#ifndef PLUTO_DAEMON_WATCH_H
#define PLUTO_DAEMON_WATCH_H

#include <stdbool.h>
#include <uv.h>

struct watch;

/* From now on changed(ctx) is called a moment after addresses or default routes of this network namespace have changed; a flood of changes
 * is told as one.  NULL when the kernel does not tell (errno). */
struct watch *watch_new(uv_loop_t *loop, void (*changed)(void *ctx), void *ctx);
void watch_close(struct watch *w);	/* NULL is harmless; it frees itself */

#endif
