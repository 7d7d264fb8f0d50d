/* version.c -- pluto --version. */
#include "daemon/version.h"

#include <stdio.h>
#include <string.h>

#include "daemon/backend.h"
#include "daemon/config.h"
#include "daemon/resolver.h"
#include "generated/algorithms.h"

/* The names of the algorithms of some kinds, as a member of the object. */
static void print_kinds(const char *member, enum alg_kind first, enum alg_kind last)
{
	const char *comma = "";

	printf(",\n  \"%s\": [", member);
	for (size_t i = ALG_NONE + 1; i < ALG_COUNT; i++)
		if (alg_table[i].kind >= first && alg_table[i].kind <= last) {
			printf("%s\"%s\"", comma, alg_table[i].name);
			comma = ", ";
		}
	printf("]");
}

/* Names with blanks between them, as an array. */
static void print_words(const char *words)
{
	printf("[");
	while (*words != '\0') {
		size_t n = strcspn(words, " ");

		printf("\"%.*s\"", (int)n, words);
		words += n + strspn(words + n, " ");
		if (*words != '\0')
			printf(", ");
	}
	printf("]");
}

static void print_json(bool dns)
{
	printf("{\n  \"program\": \"pluto\",\n  \"version\": \"%s\",\n  \"protocol\": \"IKEv1\",\n  \"kernel_backends\": ",
	       PACKAGE_VERSION);
	print_words(backend_names());
	printf(",\n  \"keys_from_dns\": %s", dns ? "true" : "false");
	print_kinds("hashes", ALG_KIND_HASH, ALG_KIND_HASH);
	print_kinds("ciphers", ALG_KIND_CIPHER, ALG_KIND_CIPHER);
	print_kinds("aeads", ALG_KIND_AEAD, ALG_KIND_AEAD);
	print_kinds("macs", ALG_KIND_MAC, ALG_KIND_MAC);
	print_kinds("groups", ALG_KIND_MODP, ALG_KIND_MONTGOMERY);
	printf("\n}\n");
}

void version_print(bool json)
{
	const char *no_dns = resolver_obstacle(&(struct config){ 0 });

	if (json)
		print_json(no_dns == NULL);
	else
		printf("pluto %s\nkernel backends: %s\nkeys from the DNS: %s\n", PACKAGE_VERSION, backend_names(),
		       no_dns == NULL ? "with DNSSEC, by libunbound" : no_dns);
}
