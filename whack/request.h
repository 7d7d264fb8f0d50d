/* request.h -- from the options of whack to a message for pluto. */
#ifndef PLUTO_WHACK_REQUEST_H
#define PLUTO_WHACK_REQUEST_H

#include "base/options.h"
#include "base/writer.h"

/* One frame of the control protocol.  False with one line in why. */
bool request_write(const struct options *o, struct writer *w, struct text *why);

#endif
