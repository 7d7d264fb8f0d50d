/* batch.h -- a file of commands, one in each line. */
#ifndef PLUTO_WHACK_BATCH_H
#define PLUTO_WHACK_BATCH_H

#include "base/options.h"

struct batch {
	struct buf *frames;	/* requests, in order */
	unsigned *lines;	/* where each stands */
	size_t n;
};

/* Reads and checks the whole file before anything is sent.  False with one line in why. */
bool batch_read(const char *path, struct batch *b, struct text *why);
void batch_free(struct batch *b);

#endif
