/* fuzz_control.c -- any octets as a frame of the protocols between our own processes: whack's and klips'. */
#include <stdlib.h>

#include "generated/control_protocol.h"
#include "generated/klips_protocol.h"
#include "generated/reasons.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

/* A fault names what, where and an octet of the frame, and its words are one printable line. */
static void check_fault(const struct fault *f, size_t size, struct arena *a)
{
	const struct refusal *why;

	require(f->reason != REASON_NONE && f->reason < REASON_COUNT);
	require(f->where != NULL && f->field != NULL && f->offset <= size);
	why = refuse_fault(a, f);
	for (const char *p = why->message; *p != '\0'; p++)
		require(*p >= ' ' && *p <= '~');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct control_message control;
	struct klips_message klips;
	struct fault f = { 0 };

	if (!control_get(span_of(data, size), a, &control, &f))
		check_fault(&f, size, a);
	f = (struct fault){ 0 };
	if (!klips_get(span_of(data, size), a, &klips, &f))
		check_fault(&f, size, a);
	arena_free(a);
	return 0;
}
