/* message_tool.c -- reads messages as lines of standard input and prints a verdict line for each.
 *
 *   m MESSAGE VARIANTS DECRYPTED HEX   VARIANTS: names with commas, or -; DECRYPTED: 0 or 1
 *       ok MATCHED SLOT SLOT ...
 *       refused REASON NOTIFY OFFSET GOT WANT WHERE|FIELD
 *   d ALGORITHM KEY IV HEX             CBC decryption
 *       plain HEX IV                   IV: for the message after it */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/cipher.h"
#include "crypto/hash.h"
#include "generated/reasons.h"
#include "verdict.h"

static void fail(const char *why, const char *what)
{
	fprintf(stderr, "message_tool: %s: %s\n", why, what);
	exit(2);
}

static char *word(char **rest)
{
	char *w = strsep(rest, " \n");

	if (w == NULL)
		fail("line", "too few words");
	return w;
}

static void put_hex(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		printf("%02x", s.p[i]);
}

static uint32_t variants_of(char *names)
{
	uint32_t mask = 0;

	if (strcmp(names, "-") == 0)
		return 0;
	for (char *v; (v = strsep(&names, ",")) != NULL;) {
		if (variant_by_name(v) == 0)
			fail("no such variant", v);
		mask |= variant_by_name(v);
	}
	return mask;
}

static void put_variants(uint32_t mask)
{
	const char *before = "";

	for (unsigned v = 0; v < VARIANT_COUNT; v++) {
		if ((mask & 1u << v) == 0)
			continue;
		printf("%s%s", before, variant_name((enum variant)v));
		before = ",";
	}
	if (mask == 0)
		printf("-");
}

static void judge(char *rest)
{
	static struct verdict v;
	const char *name = word(&rest);
	const struct message_desc *d = message_by_name(name);
	uint32_t variants = variants_of(word(&rest));
	bool decrypted = strcmp(word(&rest), "1") == 0;
	struct buf bytes = unhex(word(&rest));

	if (d == NULL)
		fail("no such message", name);
	verdict_of(&v, d, variants, decrypted, span_buf(bytes));
	if (v.valid) {
		printf("ok ");
		put_variants(v.matched);
		for (uint16_t i = 0; i < v.message.n; i++)
			printf(" %s", verdict_slot(&v, i));
		printf("\n");
	} else {
		printf("refused %s %u %u %" PRIu64 " %" PRIu64 " %s|%s\n", reasons[v.fault.reason].name,
		       v.fault.notify, v.fault.offset, v.fault.got, v.fault.want, v.fault.where,
		       v.fault.field);
	}
	buf_free(&bytes);
}

static enum alg algorithm(const char *name)
{
	for (unsigned a = 1; a < ALG_COUNT; a++)
		if (strcmp(alg_table[a].name, name) == 0)
			return (enum alg)a;
	fail("no such algorithm", name);
	return ALG_NONE;
}

static void decrypt(char *rest)
{
	enum alg alg = algorithm(word(&rest));
	struct buf key = unhex(word(&rest)), iv = unhex(word(&rest)), data = unhex(word(&rest));

	if (iv.n != cipher_block(alg) || !cbc_decrypt(alg, span_buf(key), iv.p, data.p, data.n))
		fail("cannot decrypt", alg_table[alg].name);
	printf("plain ");
	put_hex(span_buf(data));
	printf(" ");
	put_hex(span_buf(iv));
	printf("\n");
	buf_free(&key);
	buf_free(&iv);
	buf_free(&data);
}

int main(void)
{
	char *line = NULL, *rest;
	const char *why = NULL;
	size_t room = 0;

	if (!crypto_start(&why))
		fail("cryptography", why);
	while (getline(&line, &room, stdin) > 0) {
		const char *what;

		rest = line;
		what = word(&rest);
		if (strcmp(what, "m") == 0)
			judge(rest);
		else if (strcmp(what, "d") == 0)
			decrypt(rest);
		else
			fail("unknown line", what);
	}
	free(line);
	return 0;
}
