/* await.h -- waiting for the kernel and for crypto jobs: requests under a token, and groups of them. */
#ifndef PLUTO_IKE_AWAIT_H
#define PLUTO_IKE_AWAIT_H

#include <sys/queue.h>

#include "ike/host.h"

struct ike;

/* What is called when a request is answered; r is NULL for a crypto job. */
typedef void request_done(struct ike *ike, void *ctx, const struct kernel_result *r);

struct request {
	uint32_t token;
	request_done *done;	/* NULL: nobody waits any more */
	void *ctx;
	struct ike_job *job;	/* owned; freed after the answer */
	void (*free_job)(struct ike_job *job);
	LIST_ENTRY(request) of_owner;
};

LIST_HEAD(request_list, request);

struct requests {
	struct request **slot;	/* by token */
	uint32_t *free;		/* stack of unused tokens */
	uint32_t n, n_free;
};

/* A request whose answer calls done(ike, ctx, ...); linked to owner, which may give up on it. */
struct request *request_new(struct ike *ike, struct request_list *owner, request_done *done, void *ctx);
void request_answer(struct ike *ike, uint32_t token, const struct kernel_result *r);

/* The answers that are still to come go to nobody. */
void requests_abandon(struct request_list *owner);
void requests_free(struct ike *ike);

/* A group of requests that one exchange waits for. */
struct await {
	struct ike *ike;
	uint64_t serial;	/* of the exchange to resume */
	unsigned pending;
	bool parked;
	bool failed;
	char why[160];		/* of the first that failed */
	struct request_list requests;
};

void await_init(struct await *w, struct ike *ike);

/* Start a new group for exchange `serial`. */
void await_begin(struct await *w, uint64_t serial);

/* One more request in the group; its result goes through await_answer, after done if not NULL. */
struct request *await_request(struct await *w, request_done *done, void *ctx);
void await_answer(struct await *w, const struct kernel_result *r);

/* True: answers are missing, the caller returns ACTION_PARKED and is called again. */
bool await_pending(struct await *w);
void await_abandon(struct await *w);

/* A Diffie-Hellman job: when with_public, priv is used to make pub; when peer is not empty, shared
 * is made.  The results are copied to where these point when the job is done. */
struct dh_request {
	enum alg group;
	struct span priv;
	uint8_t *pub;		/* NULL = not wanted */
	struct span peer;	/* empty = no shared secret wanted */
	uint8_t *shared;
	size_t *count;		/* one more while the job is under way; NULL = not counted */
};
void await_dh(struct await *w, const struct dh_request *d);

#endif
