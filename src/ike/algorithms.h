/* algorithms.h -- algorithm strings of --ike, --esp and --ah, such as aes256-sha256-modp2048.
 *
 * Proposals are separated by commas, their parts by "-": a cipher with its key length, a hash, a group.
 * The words are those of the spec's registries. */
#ifndef PLUTO_IKE_ALGORITHMS_H
#define PLUTO_IKE_ALGORITHMS_H

#include "base/arena.h"
#include "base/tables.h"
#include "base/text.h"

struct algorithms {
	struct suite suite;	/* rows in the order of the string; cells in the order of a suite's columns */
	uint32_t group;		/* of an ESP or AH string: the group for perfect forward secrecy, 0 = not named */
};

/* Parse text for `protocol` (ISAKMP, ESP or AH of protocol_id).  A cipher without key length takes each
 * length, longest first; a hash, or an ISAKMP group, that is left out takes each value that `defaults`
 * (a suite of that protocol) has.  All of *out lives in the arena.  On failure the refusal, with
 * the column, the word and the words that are known; NULL on success. */
const struct refusal *algorithms_parse(uint32_t protocol, struct span text,
				       const struct suite *defaults, struct arena *a,
				       struct algorithms *out);

/* A row as algorithms_parse reads it; group as in struct algorithms.  What has no word appears as a
 * number. */
void algorithms_format(struct text *t, uint32_t protocol, const struct suite_row *row,
		       uint32_t group);

#endif
