/* await.c -- tokens, groups of requests, Diffie-Hellman jobs. */
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "ike/internal.h"

struct request *request_new(struct ike *ike, struct request_list *owner, request_done *done, void *ctx)
{
	struct requests *rs = &ike->requests;
	struct request *r = NEW(struct request);

	if (rs->n_free == 0) {
		uint32_t more = rs->n == 0 ? 16 : rs->n;

		rs->slot = xrealloc(rs->slot, (rs->n + more) * sizeof(struct request *));
		rs->free = xrealloc(rs->free, (rs->n + more) * sizeof(uint32_t));
		for (uint32_t i = 0; i < more; i++) {
			rs->slot[rs->n + i] = NULL;
			rs->free[rs->n_free++] = rs->n + more - 1 - i;
		}
		rs->n += more;
	}
	r->token = rs->free[--rs->n_free];
	r->done = done;
	r->ctx = ctx;
	rs->slot[r->token] = r;
	LIST_INSERT_HEAD(owner, r, of_owner);
	return r;
}

void request_answer(struct ike *ike, uint32_t token, const struct kernel_result *result)
{
	struct requests *rs = &ike->requests;
	struct request *r = token < rs->n ? rs->slot[token] : NULL;

	if (r == NULL)
		return;
	rs->slot[token] = NULL;
	rs->free[rs->n_free++] = token;
	if (r->done != NULL) {
		LIST_REMOVE(r, of_owner);
		r->done(ike, r->ctx, result);
	}
	if (r->job != NULL)
		r->free_job(r->job);
	free(r);
}

void requests_abandon(struct request_list *owner)
{
	while (!LIST_EMPTY(owner)) {
		struct request *r = LIST_FIRST(owner);

		LIST_REMOVE(r, of_owner);
		r->done = NULL;
	}
}

void requests_free(struct ike *ike)
{
	for (uint32_t i = 0; i < ike->requests.n; i++) {
		struct request *r = ike->requests.slot[i];

		if (r == NULL)
			continue;
		if (r->done != NULL)
			LIST_REMOVE(r, of_owner);
		if (r->job != NULL)
			r->free_job(r->job);
		free(r);
	}
	free(ike->requests.slot);
	free(ike->requests.free);
	ike->requests = (struct requests){ 0 };
}

void await_init(struct await *w, struct ike *ike)
{
	*w = (struct await){ .ike = ike };
	LIST_INIT(&w->requests);
}

void await_begin(struct await *w, uint64_t serial)
{
	requests_abandon(&w->requests);
	w->serial = serial;
	w->pending = 0;
	w->parked = false;
	w->failed = false;
	w->why[0] = '\0';
}

struct request *await_request(struct await *w, request_done *done, void *ctx)
{
	w->pending++;
	return request_new(w->ike, &w->requests, done, ctx);
}

void await_answer(struct await *w, const struct kernel_result *r)
{
	if (r != NULL && !r->ok && !w->failed) {
		w->failed = true;
		snprintf(w->why, sizeof(w->why), "%s", r->why == NULL ? "no reason given" : r->why);
	}
	if (--w->pending == 0 && w->parked) {
		w->parked = false;
		engine_resume(w->ike->engine, w->ike->now, w->serial, w);
	}
}

bool await_pending(struct await *w)
{
	w->parked = w->pending > 0;
	return w->parked;
}

void await_abandon(struct await *w)
{
	requests_abandon(&w->requests);
	w->pending = 0;
	w->parked = false;
}

struct dh_job {
	struct ike_job job;
	struct await *await;
	struct dh_request d;
	uint8_t priv[DH_PRIVATE_MAX], peer[DH_MAX], pub[DH_MAX], shared[DH_MAX];
	const char *why;	/* what was wrong, NULL = nothing */
};

/* In a worker thread. */
static void dh_run(struct ike_job *job)
{
	struct dh_job *j = (struct dh_job *)job;
	struct span priv = span_of(j->priv, j->d.priv.n);

	if (j->d.pub != NULL && !dh_public(j->d.group, priv, j->pub))
		j->why = "no public value could be made";
	else if (j->d.peer.n > 0 &&
		 dh_shared(j->d.group, priv, span_of(j->peer, j->d.peer.n), j->shared, &j->why))
		j->why = NULL;
}

static void dh_done(struct ike *ike, void *ctx, const struct kernel_result *r)
{
	struct dh_job *j = ctx;
	struct kernel_result result = { .ok = j->why == NULL, .why = j->why };

	(void)ike;
	(void)r;
	if (j->d.pub != NULL)
		memcpy(j->d.pub, j->pub, dh_public_size(j->d.group));
	if (j->d.peer.n > 0)
		memcpy(j->d.shared, j->shared, dh_shared_size(j->d.group));
	await_answer(j->await, &result);
}

static void dh_free(struct ike_job *job)
{
	size_t *count = ((struct dh_job *)job)->d.count;

	if (count != NULL)
		--*count;
	wipe(job, sizeof(struct dh_job));
	free(job);
}

void await_dh(struct await *w, const struct dh_request *d)
{
	struct dh_job *j = NEW(struct dh_job);
	struct request *r = await_request(w, dh_done, j);

	j->job.run = dh_run;
	j->job.token = r->token;
	j->await = w;
	j->d = *d;
	memcpy(j->priv, d->priv.p, d->priv.n);
	if (d->peer.n > 0)	/* a value of the wrong size is refused by dh_shared */
		memcpy(j->peer, d->peer.p, d->peer.n < DH_MAX ? d->peer.n : DH_MAX);
	if (d->peer.n > DH_MAX)
		j->d.peer.n = DH_MAX;
	r->job = &j->job;
	r->free_job = dh_free;
	if (d->count != NULL)
		++*d->count;
	w->ike->host.submit(w->ike->host.ctx, &j->job);
}
