/* record.h -- a session as lines of text: every input of ike and every output, in order.
 *
 *	pluto-record 3 DEBUG BACKEND		the first line
 *	= secrets PATTERN
 *	= updown COMMAND
 *	= dns on|insecure|off [WHY]
 *	= ports IKE NATT KEEPALIVE
 *	> TIME WHAT ...				an input, with the clock in milliseconds
 *	< WHAT ...				an output of ike
 *	= ...					what ike was answered at once
 *
 * Octets are hexadecimal, texts come last and are escaped.  The lines go to a file (recording) or to a
 * function (replay.h, which compares them with a file).  Every function takes NULL for "not recording" and
 * then does nothing, or gives back what it got. */
#ifndef PLUTO_DAEMON_RECORD_H
#define PLUTO_DAEMON_RECORD_H

#include "base/text.h"
#include "daemon/config.h"
#include "ike/host.h"

struct record;

typedef void (*record_sink)(void *ctx, const char *line);

/* Makes the file, mode 0600.  NULL and why. */
struct record *record_open(const char *path, const struct config *c, const char *backend,
			   struct text *why);
struct record *record_to(record_sink sink, void *ctx);
void record_close(struct record *r);

/* The same tables, with everything that passes through them written down. */
struct ike_host record_host(struct record *r, struct ike_host host);
struct kernel record_kernel(struct record *r, struct kernel kernel);

/* The job that was submitted as number n, counted from 1; NULL when it is not waiting. */
struct ike_job *record_job(const struct record *r, uint32_t n);

/* Inputs, called before ike gets them. */
void record_datagram(struct record *r, uint64_t now, const struct endpoint *local,
		     const struct endpoint *remote, struct span datagram);
void record_unreachable(struct record *r, uint64_t now, const struct endpoint *remote, const char *detail);
void record_command(struct record *r, uint64_t now, uint32_t client, struct span frame);
void record_gone(struct record *r, uint32_t client);
void record_job_done(struct record *r, uint64_t now, const struct ike_job *job);
void record_lookup_done(struct record *r, uint64_t now, uint32_t token, const struct lookup_result *result);
void record_tick(struct record *r, uint64_t now);
void record_shutdown(struct record *r, uint64_t now, bool quiet);
void record_kernel_done(struct record *r, uint64_t now, uint32_t token, const struct kernel_result *result);
void record_acquire(struct record *r, uint64_t now, const struct kernel_acquire *a);
void record_mapping(struct record *r, uint64_t now, const struct sa_id *id, const struct endpoint *from);
void record_expired(struct record *r, uint64_t now, const struct kernel_expiry *e);
void record_kernel_log(struct record *r, uint64_t now, const char *line);
void record_kernel_lost(struct record *r, uint64_t now, const char *why);

#endif
