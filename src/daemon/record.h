/* record.h -- writing a session down: every input of ike and every output, in order, so that replay.h can run
 * it again.  Every function takes NULL for "not recording" and then does nothing, or gives back what it got. */
#ifndef PLUTO_DAEMON_RECORD_H
#define PLUTO_DAEMON_RECORD_H

#include "base/text.h"
#include "ike/host.h"

struct record;

/* Makes the file, mode 0600.  NULL and why. */
struct record *record_open(const char *path, const char *secretsfile, uint32_t debug, struct text *why);
void record_close(struct record *r);

/* The same tables, with everything that passes through them written down. */
struct ike_host record_host(struct record *r, struct ike_host host);
struct kernel record_kernel(struct record *r, struct kernel kernel);

/* Inputs, called before ike gets them. */
void record_datagram(struct record *r, uint64_t now, const struct ip_addr *local,
		     const struct endpoint *remote, struct span datagram);
void record_unreachable(struct record *r, uint64_t now, const struct endpoint *remote, const char *detail);
void record_command(struct record *r, uint64_t now, uint32_t client, struct span frame);
void record_gone(struct record *r, uint32_t client);
void record_job_done(struct record *r, uint64_t now, const struct ike_job *job);
void record_tick(struct record *r, uint64_t now);
void record_shutdown(struct record *r, uint64_t now, bool quiet);
void record_kernel_done(struct record *r, uint64_t now, uint32_t token, const struct kernel_result *result);
void record_acquire(struct record *r, uint64_t now, const struct ip_addr *src, const struct ip_addr *dst,
		    uint8_t protocol, uint16_t sport, uint16_t dport);
void record_kernel_log(struct record *r, uint64_t now, const char *line);
void record_kernel_lost(struct record *r, uint64_t now, const char *why);

#endif
