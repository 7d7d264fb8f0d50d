/* record_internal.h -- what record.c and record_kernel.c share. */
#ifndef PLUTO_DAEMON_RECORD_INTERNAL_H
#define PLUTO_DAEMON_RECORD_INTERNAL_H

#include <stdio.h>

#include "daemon/record.h"

#define RECORD_LINE (512u << 10)	/* room for the longest line: a datagram in hexadecimal */

struct record {
	record_sink sink;
	void *ctx;
	FILE *file;		/* when the sink is a file */
	char *room;		/* RECORD_LINE octets */
	struct ike_host host;	/* inside */
	struct kernel kernel;
	unsigned depth;		/* requests to the kernel that have not returned yet */
	struct ike_job **jobs;	/* submitted, NULL when done */
	size_t n_jobs;
};

struct text record_line(struct record *r);
void record_put(struct record *r, const struct text *t);	/* t is wiped */

void record_addr(struct text *t, const struct ip_addr *a);	/* " 192.0.2.1", " -" for none */
void record_endpoint(struct text *t, const struct endpoint *e);	/* " 192.0.2.1 500" */
void record_sa_id(struct text *t, const struct sa_id *id);	/* " 192.0.2.1 50 00001000" */
void record_subnet(struct text *t, const struct subnet *s);
void record_hex(struct text *t, struct span s);			/* " 00ff", " -" for nothing */
void record_text(struct text *t, const char *s);		/* " words", nothing for NULL */

#endif
