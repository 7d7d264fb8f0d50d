/* samples.h -- messages made of payloads by name, written and read by generated code. */
#ifndef PLUTO_TESTS_SAMPLES_H
#define PLUTO_TESTS_SAMPLES_H

#include "generated/messages.h"

#define PSK (1u << VARIANT_PSK)
#define SIG (1u << VARIANT_SIG)
#define NOPFS (1u << VARIANT_NOPFS)
#define PFS (1u << VARIANT_PFS)

extern const uint8_t octets[64];
#define OCTETS(n) span_of(octets, (n))

/* Of ESP, each with one transform; the second with a GROUP_DESCRIPTION. */
extern const struct emit_P one_proposal[1];
extern const struct emit_P group_proposal[1];

/* Of ISAKMP, with one transform. */
extern const struct emit_P ike_proposal[1];

struct sample {
	uint8_t bytes[8192];
	struct message message;
};

/* Parse the n octets of s; they must be sound. */
void read_sample(struct sample *s, size_t n, bool decrypted);

/* A message of payloads named by words with blanks between them ("SA/two-transforms VID"), then
 * padding.  Valid until the next call. */
struct sample *sample_of(const char *payloads, size_t padding);

/* The slots of a message in one line; "." is a tolerated payload, "?" none.  Until the next call. */
const char *slots_of(const struct message_desc *d, const struct message *m);

#endif
