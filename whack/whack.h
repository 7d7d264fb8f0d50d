/* whack.h -- what the files of whack share. */
#ifndef PLUTO_WHACK_WHACK_H
#define PLUTO_WHACK_WHACK_H

#define WHACK_FRAME 65536	/* octets of a request, what pluto takes */

#endif
