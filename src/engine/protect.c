/* protect.c -- encryption of messages: CBC chained through an exchange (RFC 2409 appendix B). */
#include "crypto/cipher.h"
#include "engine/internal.h"

/* The key of the cipher; computed once and then kept with the phase 1. */
static struct span cipher_key(struct engine *e, struct exchange *x, uint16_t id)
{
	struct exchange *root = exchange_root(x);
	struct key_context c = { .arena = e->arena };
	struct span key = keys_value(root, &c, id, root->agreed.key_octets);

	if (key.p != NULL && values_get(&root->values, id).p == NULL)
		values_set(&root->values, id, key);
	return key;
}

size_t protect_block(const struct exchange *x)
{
	const struct exchange *root = x->parent != NULL ? x->parent : x;

	return cipher_block(root->agreed.cipher);
}

bool protect_chain(struct engine *e, struct exchange *x, uint16_t id, uint8_t iv[BLOCK_MAX])
{
	size_t block = protect_block(x);
	struct key_context c = { .arena = e->arena };

	if (x->iv_set) {
		memcpy(iv, x->iv, BLOCK_MAX);
		return true;
	}
	struct span first = keys_value(x, &c, id, 0);

	if (block == 0 || block > BLOCK_MAX || first.p == NULL || first.n < block)
		return false;
	memcpy(iv, first.p, block);
	return true;
}

const struct refusal *protect_open(struct engine *e, struct exchange *x, uint16_t iv, uint16_t key,
				   struct incoming *in)
{
	struct span cipher_text = span_from(in->datagram, HEADER_SIZE);
	size_t block = protect_block(x);
	struct span k = block == 0 ? span_of(NULL, 0) : cipher_key(e, x, key);

	if (k.p == NULL || !protect_chain(e, x, iv, in->iv_after))
		return refuse_keys_missing(e->arena, "the encrypted message");
	if (cipher_text.n == 0 || cipher_text.n % block != 0)
		return refuse_protection_size(e->arena, (uint32_t)cipher_text.n, (uint32_t)block);
	struct span plain = arena_span(e->arena, in->datagram);

	debug_octets(e, x, ENGINE_DEBUG_CRYPT, "IV", span_of(in->iv_after, block));
	if (!cbc_decrypt(exchange_root(x)->agreed.cipher, k, in->iv_after,
			 (uint8_t *)plain.p + HEADER_SIZE, cipher_text.n))
		return refuse_keys_missing(e->arena, "the encrypted message");
	in->plain = plain;
	in->encrypted = true;
	debug_octets(e, x, ENGINE_DEBUG_CRYPT, "decrypted", span_from(plain, HEADER_SIZE));
	return NULL;
}

bool protect_seal(struct engine *e, struct exchange *x, uint16_t iv, uint16_t key, struct writer *w)
{
	size_t block = protect_block(x);
	uint8_t chain[BLOCK_MAX];
	struct span k = block == 0 ? span_of(NULL, 0) : cipher_key(e, x, key);

	if (k.p == NULL || !protect_chain(e, x, iv, chain))
		return false;
	size_t body = w->n - HEADER_SIZE;

	put_zero(w, (block - body % block) % block);
	patch_u32(w, HEADER_OFFSET_LENGTH, (uint32_t)w->n);
	debug_octets(e, x, ENGINE_DEBUG_CRYPT, "to be encrypted", span_of(w->p + HEADER_SIZE, w->n - HEADER_SIZE));
	debug_octets(e, x, ENGINE_DEBUG_CRYPT, "IV", span_of(chain, block));
	if (w->overflow || !cbc_encrypt(exchange_root(x)->agreed.cipher, k, chain, w->p + HEADER_SIZE,
					w->n - HEADER_SIZE))
		return false;
	memcpy(x->iv, chain, sizeof(x->iv));
	x->iv_set = true;
	return true;
}
