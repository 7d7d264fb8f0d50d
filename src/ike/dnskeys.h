/* dnskeys.h -- public keys that nobody gave us: looked up in the DNS when they are needed, kept as long as that says. */
#ifndef PLUTO_IKE_DNSKEYS_H
#define PLUTO_IKE_DNSKEYS_H

#include "ike/await.h"
#include "ike/secrets.h"

struct ike;
struct dnskeys;

/* insecure: keys are good without proof by DNSSEC. */
struct dnskeys *dnskeys_new(struct ike *ike, bool insecure);
void dnskeys_free(struct dnskeys *d);
bool dnskeys_insecure(const struct dnskeys *d);

/* Why the keys of id cannot be looked up; NULL = they can. */
const char *dnskeys_obstacle(const struct dnskeys *d, const struct identity *id);

/* One more request in the group: the keys of id.  Answered, at the latest after TIMER_DNS_ANSWER_MS, when keys of id
 * are known, or as failed. */
void await_public_keys(struct await *w, const struct identity *id);

/* whack --keyid ID: answers and finishes the request, maybe later. */
void dnskeys_command(struct dnskeys *d, uint32_t whack, const struct identity *id);
void dnskeys_gone(struct dnskeys *d, uint32_t whack);	/* that whack waits no longer */

/* What was found for id counts no more. */
void dnskeys_forget(struct dnskeys *d, const struct identity *id);

/* What the host has found out. */
void dnskeys_answer(struct dnskeys *d, uint32_t token, const struct lookup_result *r);

/* Shutdown: forget all questions and keys, finish the requests. */
void dnskeys_stop(struct dnskeys *d);

#endif
