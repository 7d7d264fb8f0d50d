/* fuzz_dns.c -- any octets as the RDATA of a KEY or IPSECKEY record, then as the key in it, and as an identity that is looked up. */
#include <stdlib.h>

#include "crypto/rsa.h"
#include "generated/limits.h"
#include "generated/names.h"
#include "ike/keyrecord.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void record(uint16_t type, struct span rdata)
{
	struct keyrecord k;
	const char *why = NULL;
	struct rsa_key *rsa;

	if (!keyrecord_read(type, rdata, &k, &why)) {
		require(why != NULL);
		return;
	}
	require(k.key.n <= rdata.n);
	require(k.key.n == 0 || (k.key.p >= rdata.p && k.key.p + k.key.n == rdata.p + rdata.n));
	rsa = rsa_from_dns(k.key, &why);
	require(rsa != NULL || why != NULL);
	rsa_free(rsa);
}

static void name(struct span text)
{
	struct identity id = { .kind = IDENTITY_FQDN, .name = text };
	char room[KEYRECORD_NAME];
	const char *why = NULL;
	size_t n;

	if (!keyrecord_name(&id, room, &why)) {
		require(why != NULL);
		return;
	}
	n = strlen(room);
	require(n >= 2 && n + 1 <= LIMIT_DNS_NAME_OCTETS && room[n - 1] == '.' && strstr(room, "..") == NULL);
	require(strspn(room, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	record(DNS_TYPE_KEY, span_of(data, size));
	record(DNS_TYPE_IPSECKEY, span_of(data, size));
	name(span_of(data, size));
	return 0;
}
