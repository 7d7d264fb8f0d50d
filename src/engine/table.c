/* table.c -- four chained hash tables over exchanges. */
#include <stdlib.h>

#include "base/siphash.h"
#include "base/xalloc.h"
#include "engine/table.h"

#define FIRST_BUCKETS 64

/* One index of the table: its buckets, and how an exchange is linked and hashed in it. */
struct index {
	struct exchange **buckets;
	struct exchange **(*link)(struct exchange *x);
	uint64_t (*hash)(const struct table *t, const struct exchange *x);
};

static uint64_t hash_cookies(const struct table *t, const uint8_t *cookies)
{
	return siphash(t->key, span_of(cookies, 2 * COOKIE_SIZE));
}

static uint64_t hash_icookie(const struct table *t, const uint8_t *icookie,
			     const struct endpoint *remote)
{
	uint8_t key[COOKIE_SIZE + 18];
	struct writer w = writer_on(key, sizeof(key));

	put_bytes(&w, span_of(icookie, COOKIE_SIZE));
	put_bytes(&w, addr_bytes(&remote->addr));
	put_u16(&w, remote->port);
	return siphash(t->key, writer_span(&w));
}

static uint64_t hash_msgid(const struct table *t, uint64_t parent, uint32_t msgid)
{
	uint64_t key[2] = { parent, msgid };

	return siphash(t->key, span_of(key, sizeof(key)));
}

static uint64_t hash_serial(const struct table *t, uint64_t serial)
{
	return siphash(t->key, span_of(&serial, sizeof(serial)));
}

static uint64_t of_cookies(const struct table *t, const struct exchange *x)
{
	return hash_cookies(t, x->cookies);
}

static uint64_t of_icookie(const struct table *t, const struct exchange *x)
{
	return hash_icookie(t, x->cookies, &x->remote);
}

static uint64_t of_msgid(const struct table *t, const struct exchange *x)
{
	return hash_msgid(t, x->parent->serial, x->msgid);
}

static uint64_t of_serial(const struct table *t, const struct exchange *x)
{
	return hash_serial(t, x->serial);
}

static struct exchange **link_cookies(struct exchange *x) { return &x->by_cookies; }
static struct exchange **link_icookie(struct exchange *x) { return &x->by_icookie; }
static struct exchange **link_msgid(struct exchange *x) { return &x->by_msgid; }
static struct exchange **link_serial(struct exchange *x) { return &x->by_serial; }

/* The indices that hold x, at most three. */
static size_t indices(const struct table *t, const struct exchange *x, struct index out[3])
{
	size_t n = 0;

	out[n++] = (struct index){ t->serial, link_serial, of_serial };
	if (x->parent != NULL) {
		out[n++] = (struct index){ t->msgid, link_msgid, of_msgid };
		return n;
	}
	out[n++] = (struct index){ t->cookies, link_cookies, of_cookies };
	if (x->role == ROLE_RESPONDER)
		out[n++] = (struct index){ t->icookie, link_icookie, of_icookie };
	return n;
}

static void insert(const struct table *t, struct exchange *x)
{
	struct index ix[3];
	size_t n = indices(t, x, ix);

	for (size_t i = 0; i < n; i++) {
		struct exchange **b = &ix[i].buckets[ix[i].hash(t, x) & (t->n_buckets - 1)];

		*ix[i].link(x) = *b;
		*b = x;
	}
}

static void allocate(struct table *t, size_t n)
{
	t->n_buckets = n;
	t->cookies = xcalloc(n, sizeof(struct exchange *));
	t->icookie = xcalloc(n, sizeof(struct exchange *));
	t->msgid = xcalloc(n, sizeof(struct exchange *));
	t->serial = xcalloc(n, sizeof(struct exchange *));
}

void table_free(struct table *t)
{
	free(t->cookies);
	free(t->icookie);
	free(t->msgid);
	free(t->serial);
	*t = (struct table){ 0 };
}

void table_init(struct table *t, const uint8_t key[16])
{
	*t = (struct table){ 0 };
	memcpy(t->key, key, sizeof(t->key));
	allocate(t, FIRST_BUCKETS);
}

static void grow(struct table *t)
{
	struct table old = *t;

	allocate(t, 2 * old.n_buckets);
	for (size_t i = 0; i < old.n_buckets; i++) {	/* every exchange is in the serial index */
		struct exchange *next;

		for (struct exchange *x = old.serial[i]; x != NULL; x = next) {
			next = x->by_serial;
			insert(t, x);
		}
	}
	table_free(&old);
}

void table_add(struct table *t, struct exchange *x)
{
	if (++t->n > t->n_buckets)
		grow(t);
	insert(t, x);
}

void table_remove(struct table *t, struct exchange *x)
{
	struct index ix[3];
	size_t n = indices(t, x, ix);

	t->n--;
	for (size_t i = 0; i < n; i++) {
		struct exchange **at = &ix[i].buckets[ix[i].hash(t, x) & (t->n_buckets - 1)];

		while (*at != x)
			at = ix[i].link(*at);
		*at = *ix[i].link(x);
	}
}

struct exchange *table_by_cookies(const struct table *t, const uint8_t cookies[2 * COOKIE_SIZE])
{
	struct exchange *x = t->cookies[hash_cookies(t, cookies) & (t->n_buckets - 1)];

	while (x != NULL && memcmp(x->cookies, cookies, 2 * COOKIE_SIZE) != 0)
		x = x->by_cookies;
	return x;
}

struct exchange *table_by_icookie(const struct table *t, const uint8_t icookie[COOKIE_SIZE],
				  const struct endpoint *remote)
{
	struct exchange *x = t->icookie[hash_icookie(t, icookie, remote) & (t->n_buckets - 1)];

	while (x != NULL && (memcmp(x->cookies, icookie, COOKIE_SIZE) != 0 ||
			     !endpoint_eq(&x->remote, remote)))
		x = x->by_icookie;
	return x;
}

struct exchange *table_by_msgid(const struct table *t, const struct exchange *parent, uint32_t msgid)
{
	struct exchange *x = t->msgid[hash_msgid(t, parent->serial, msgid) & (t->n_buckets - 1)];

	while (x != NULL && (x->parent != parent || x->msgid != msgid))
		x = x->by_msgid;
	return x;
}

struct exchange *table_by_serial(const struct table *t, uint64_t serial)
{
	struct exchange *x = t->serial[hash_serial(t, serial) & (t->n_buckets - 1)];

	while (x != NULL && x->serial != serial)
		x = x->by_serial;
	return x;
}
