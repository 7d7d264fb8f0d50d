/* hash.h -- hashes, HMACs and the prf of RFC 2409.  libgcrypt stays behind this header. */
#ifndef PLUTO_CRYPTO_HASH_H
#define PLUTO_CRYPTO_HASH_H

#include "base/span.h"
#include "generated/algorithms.h"

#define HASH_MAX 64		/* octets of the longest output */

/* Once, before anything else of crypto/.  False with *why when the library is unfit. */
bool crypto_start(const char **why);

/* Output size of hash `alg` in octets; 0 when alg is no hash. */
size_t hash_size(enum alg alg);

/* Hash of the concatenation of n spans into out; returns the size. */
size_t hash_spans(enum alg alg, const struct span *in, size_t n, uint8_t out[HASH_MAX]);

/* HMAC (RFC 2104) over the concatenation: the prf of RFC 2409 section 4. */
size_t hmac_spans(enum alg hash, struct span key, const struct span *in, size_t n,
		  uint8_t out[HASH_MAX]);

/* RFC 2409 5.5 expansion: K1 = prf(key, seed), Ki = prf(key, Ki-1 | seed), cut to n octets. */
void prf_plus(enum alg hash, struct span key, struct span seed, uint8_t *out, size_t n);

/* RFC 2409 appendix B: key itself cut to n octets, or if it is shorter
 * K1 = prf(key, 0), Ki = prf(key, Ki-1), cut to n octets. */
void prf_stretch(enum alg hash, struct span key, uint8_t *out, size_t n);

/* One HMAC key kept for many messages, by one thread at a time: begin, add..., end.
 * hmac_new: NULL when hash is no hash.  hmac_end writes hash_size octets and returns that. */
struct hmac;

struct hmac *hmac_new(enum alg hash, struct span key);
void hmac_begin(struct hmac *h);
void hmac_add(struct hmac *h, struct span s);
size_t hmac_end(struct hmac *h, uint8_t out[HASH_MAX]);
void hmac_free(struct hmac *h);

/* Strong random octets, safe over fork. */
void crypto_random(void *p, size_t n);

#endif
