/* vendors.c -- vendor IDs: saying what we can do, learning what the peer can. */
#include "ike/vendors.h"

#include "generated/vendors.h"
#include "ike/dpd.h"
#include "ike/followup.h"
#include "ike/natt.h"

#define VENDORS_MAX (4 + NATT_VENDORS)

const struct emit_VID *vendors_announce(struct action *a, size_t *n)
{
	struct phase1 *p = phase1_of(a->x);
	struct emit_VID *v = ARENA_ARRAY(a->arena, struct emit_VID, VENDORS_MAX);
	bool first = a->x->role == ROLE_INITIATOR;

	*n = natt_vendors(p, v);
	if (first || p->dpd.able)
		v[(*n)++] = *dpd_vendor(a->arena);
	if (p->c->policy.fragmentation != IKE_FRAGMENTATION_NO && (first || p->fragments_able))
		v[(*n)++].id = vendor_table[VENDOR_FRAGMENTATION_ALL].data;
	if (first)
		*n += followup_vendors(p->c, v + *n);
	vendors_agree(a);
	return v;
}

void vendors_agree(struct action *a)
{
	struct phase1 *p = phase1_of(a->x);
	const struct policy *c = &p->c->policy;
	bool may = c->fragmentation != IKE_FRAGMENTATION_NO;
	bool send = c->fragmentation == IKE_FRAGMENTATION_FORCE || (may && p->fragments_able);

	action_fragments(a, may, send ? c->fragment_octets : 0);
}

static bool has_vendor(const struct message *m, enum vendor one, enum vendor other)
{
	for (size_t i = 0; i < m->n; i++) {
		enum vendor v = m->payloads[i].type == PAYLOAD_TYPE_VID ? vendor_find(m->payloads[i].u.VID.id)
									 : VENDOR_NONE;

		if (v != VENDOR_NONE && (v == one || v == other))
			return true;
	}
	return false;
}

void vendors_learn(struct action *a)
{
	struct phase1 *p = phase1_of(a->x);

	dpd_learn(p, a->message);
	natt_learn(p, a->message);
	p->follow.unity |= has_vendor(a->message, VENDOR_UNITY, VENDOR_UNITY);
	p->fragments_able |= has_vendor(a->message, VENDOR_FRAGMENTATION_ALL, VENDOR_FRAGMENTATION);
	vendors_agree(a);
}
