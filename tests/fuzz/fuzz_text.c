/* fuzz_text.c -- any octets as an address, subnet, data, identity or algorithm string.  What is read must be
 * read again from what is written. */
#include <stdlib.h>

#include "base/arena.h"
#include "generated/names.h"
#include "generated/suites.h"
#include "ike/algorithms.h"
#include "ike/identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void addresses(struct span text)
{
	struct ip_addr a, again;
	struct subnet s, same;
	const char *why = NULL;
	unsigned column = 0;
	char line[SUBNET_TEXT];

	if (addr_parse(text, &a, &why, &column)) {
		require(addr_parse(span_str(addr_format(&a, line)), &again, &why, &column));
		require(addr_eq(&a, &again));
	} else {
		require(why != NULL && column >= 1 && column <= text.n + 1);
	}
	if (subnet_parse(text, &s, &why, &column)) {
		require(subnet_parse(span_str(subnet_format(&s, line)), &same, &why, &column));
		require(subnet_eq(&s, &same));
	} else {
		require(why != NULL && column >= 1 && column <= text.n + 1);
	}
}

static void data_forms(struct span text)
{
	struct buf b;
	const char *why = NULL;
	unsigned column = 0;

	if (data_parse(text, &b, &why, &column)) {
		require(b.n != 0);
		buf_free(&b);
	} else {
		require(why != NULL && column >= 1 && column <= text.n + 1);
	}
}

static void identities(struct span text)
{
	struct arena *a = arena_new();
	struct identity id, again;
	const char *why = NULL;
	unsigned column = 0;
	char line[256];
	struct text t = text_on(line, sizeof(line));

	switch (identity_parse(a, text, &id, &why, &column)) {
	case IDENTITY_OK:
		require(identity_check(&id, &why) && identity_eq(&id, &id));
		identity_format(&t, &id);
		/* An escaped octet is read as it looks. */
		if (!t.cut && strchr(line, '\\') == NULL) {
			require(identity_parse(a, span_str(line), &again, &why, &column) == IDENTITY_OK);
			require(identity_eq(&id, &again));
		}
		break;
	case IDENTITY_HOST:
		require(addr_is_name(id.name));
		break;
	case IDENTITY_BAD:
		require(why != NULL && column >= 1 && column <= text.n + 1);
		break;
	}
	arena_free(a);
}

static void algorithms(struct span text, uint32_t protocol, const struct suite *defaults)
{
	struct arena *a = arena_new();
	struct algorithms out, again;
	char line[200];

	if (algorithms_parse(protocol, text, defaults, a, &out) == NULL) {
		require(out.suite.n != 0);
		for (size_t i = 0; i < out.suite.n; i++) {
			struct text t = text_on(line, sizeof(line));

			algorithms_format(&t, protocol, &out.suite.rows[i], out.group);
			require(!t.cut);
			require(algorithms_parse(protocol, span_str(line), NULL, a, &again) == NULL);
			require(again.suite.n == 1 && again.group == out.group);
		}
	}
	arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = span_of(data, size);

	addresses(text);
	data_forms(text);
	identities(text);
	algorithms(text, PROTOCOL_ID_ISAKMP, &suite_ike_modern);
	algorithms(text, PROTOCOL_ID_ESP, &suite_esp_modern);
	algorithms(text, PROTOCOL_ID_AH, &suite_ah_modern);
	return 0;
}
