/* contact.c -- saying and hearing INITIAL-CONTACT. */
#include "ike/contact.h"

size_t contact_announce(struct arena *a, const struct phase1 *p, struct emit_N *n)
{
	const struct phase1 *q;

	LIST_FOREACH(q, &p->pair->phase1s, in_pair)
		if (q != p && q->established != 0 && phase1_same_ends(p, q))
			return 0;
	*n = (struct emit_N){ .doi = DOI_ID_IPSEC, .protocol = PROTOCOL_ID_ISAKMP,
			      .type = NOTIFY_TYPE_INITIAL_CONTACT,
			      .spi = arena_span(a, span_of(p->x->cookies, sizeof(p->x->cookies))) };
	return 1;
}

bool contact_announced(const struct message *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->payloads[i].type == PAYLOAD_TYPE_N &&
		    m->payloads[i].u.N.type == NOTIFY_TYPE_INITIAL_CONTACT)
			return true;
	return false;
}

/* Where both ends began at once, each says that it is new: what came up after p had begun stays. */
static struct phase1 *outdated(const struct phase1 *p)
{
	struct phase1 *q;

	LIST_FOREACH(q, &p->pair->phase1s, in_pair)
		if (q != p && q->established != 0 && q->established < p->begun && !q->x->dying &&
		    phase1_same_ends(p, q))
			return q;
	return NULL;
}

void contact_forget(struct phase1 *p)
{
	struct phase1 *q;

	while ((q = outdated(p)) != NULL) {
		ike_log(p->ike, q->c, q->x, NO_WHACK, WHACK_STATUS_LOG,
			"the peer has restarted (INITIAL-CONTACT): forgetting this ISAKMP SA and what it made");
		engine_end(p->ike->engine, q->x, END_LOCAL);
	}
}
