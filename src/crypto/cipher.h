/* cipher.h -- block ciphers in CBC mode for IKE messages, and sealing of ESP packets. */
#ifndef PLUTO_CRYPTO_CIPHER_H
#define PLUTO_CRYPTO_CIPHER_H

#include "base/span.h"
#include "generated/algorithms.h"

/* Block size in octets; 0 when alg is no CBC cipher. */
size_t cipher_block(enum alg alg);

/* Is key_octets a legal key size of alg? */
bool cipher_key_ok(enum alg alg, size_t key_octets);

/* CBC in place over n octets (a multiple of the block); iv (one block) becomes the last
 * ciphertext block.  False only for a wrong size or an unknown alg. */
bool cbc_encrypt(enum alg alg, struct span key, uint8_t *iv, uint8_t *data, size_t n);
bool cbc_decrypt(enum alg alg, struct span key, uint8_t *iv, uint8_t *data, size_t n);

/* A keyed transform kept for the life of an ESP or AH SA.  cipher is a CBC cipher, ALG_NULL,
 * an aead (then mac is ALG_NONE and the key ends with the salt), or ALG_NONE for AH.  Used by
 * one thread at a time.  transform_new: NULL with *why (static text) for keys of a wrong size and
 * for what would leave packets without authentication. */
struct transform;

struct transform *transform_new(enum alg cipher, struct span cipher_key, enum alg mac,
				struct span mac_key, const char **why);
void transform_free(struct transform *t);

size_t transform_iv(const struct transform *t);		/* octets of explicit IV */
size_t transform_icv(const struct transform *t);	/* octets of ICV */
size_t transform_align(const struct transform *t);	/* plaintext is padded to this, at least 4 */

/* Encrypt text in place with iv (transform_iv octets, chosen by the caller: CBC random,
 * GCM a counter) and compute the ICV over aad | iv | ciphertext | tail (tail: nothing, or the high
 * half of an extended sequence number; an aead ignores it, as the aad already holds it).  n is a
 * multiple of the cipher's block.  False only for wrong sizes. */
bool transform_seal(struct transform *t, struct span aad, struct span iv, uint8_t *text, size_t n,
		    struct span tail, uint8_t *icv);

/* Check the ICV in constant time, then decrypt in place.  False: not authentic, text unspecified. */
bool transform_open(struct transform *t, struct span aad, struct span iv, uint8_t *text, size_t n,
		    struct span tail, struct span icv);

#endif
