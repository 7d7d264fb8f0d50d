/* updown.h -- running updown scripts. */
#ifndef PLUTO_KERNEL_UPDOWN_H
#define PLUTO_KERNEL_UPDOWN_H

#include "ike/kernel.h"

#include <uv.h>

struct updowns;

/* What runs scripts on that loop for one backend.  events is copied: log takes the script's lines,
 * done its end. */
struct updowns *updowns_new(uv_loop_t *loop, const struct kernel_events *events);

/* Start the script; events.done(token) when it has ended and its output is read.  ok when its
 * exit status is 0.  It gets the request's argv and environment and nothing else: no shell, directory /,
 * standard input empty, no other file, default signals, its own session; it is killed with its process group
 * when the time is up.  Standard output and error go to events.log line by line, escaped and cut. */
void updown_run(struct updowns *u, uint32_t token, const struct updown_request *request);

/* Kill what still runs and free everything; nobody is told any more.  The loop must run on until
 * the handles are closed. */
void updowns_close(struct updowns *u);

#endif
