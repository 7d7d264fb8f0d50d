/* verdict.c -- what the generated parsers and the shape tables say of one message. */
#include "verdict.h"

#include <stdlib.h>

#include "engine/shape.h"

const struct message_desc *message_by_name(const char *name)
{
	for (size_t i = 0; i < n_message_index; i++)
		if (strcmp(message_index[i]->name, name) == 0)
			return message_index[i];
	return NULL;
}

uint32_t variant_by_name(const char *name)
{
	for (unsigned v = 0; v < VARIANT_COUNT; v++)
		if (strcmp(variant_name((enum variant)v), name) == 0)
			return 1u << v;
	return 0;
}

void verdict_of(struct verdict *v, const struct message_desc *d, uint32_t variants, bool decrypted,
		struct span bytes)
{
	v->desc = d;
	v->matched = 0;
	v->fault = (struct fault){ 0 };
	v->message.n = 0;
	v->message.padding = 0;
	v->valid = parse_header(bytes, 0, &v->message.header, &v->fault) &&
		   parse_chain(&v->message, bytes, decrypted, &v->fault) &&
		   shape_match(d, variants, &v->message, &v->matched, &v->fault, v->expected,
			       sizeof(v->expected));
}

const char *verdict_slot(const struct verdict *v, uint16_t i)
{
	uint8_t slot = v->message.payloads[i].slot;

	return slot == SLOT_TOLERATED ? "-" : slot < v->desc->n_slots ? v->desc->slots[slot].name : "?";
}

static int digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c == '\0' ? NULL : strchr(digits, c);

	return at == NULL ? -1 : (int)(at - digits);
}

struct buf unhex(const char *hex)
{
	size_t n = strlen(hex) / 2;
	struct buf out = buf_new(n);

	for (size_t i = 0; i < n; i++) {
		int hi = digit(hex[2 * i]), lo = digit(hex[2 * i + 1]);

		if (hi < 0 || lo < 0 || strlen(hex) % 2 != 0) {
			buf_free(&out);
			return (struct buf){ 0 };
		}
		out.p[i] = (uint8_t)(hi << 4 | lo);
	}
	return out;
}
