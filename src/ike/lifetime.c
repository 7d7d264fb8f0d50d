/* lifetime.c -- limits of SAs: agreed, told, read; and rekeying margins. */
#include "ike/internal.h"
#include "ike/lifetime.h"

uint64_t life_until_rekey(struct ike *ike, const struct policy *policy, enum role role, uint64_t life)
{
	uint64_t margin = policy->margin;
	uint64_t range = margin * policy->fuzz / 100;
	uint8_t r[8];

	if (role == ROLE_RESPONDER) {
		margin /= 2;
	} else if (range > 0) {
		ike->host.random(ike->host.ctx, r, sizeof(r));
		margin += get_u64(r) % (range + 1);
	}
	return margin < life ? life - margin : life / 2;
}

uint64_t life_least(uint64_t a, uint64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

struct life life_agreed(const struct connection *c, const struct choice *chosen)
{
	bool ike = chosen->p[0].protocol == PROTOCOL_ID_ISAKMP;

	return (struct life){
		.seconds = life_least(chosen->life.seconds, ike ? c->policy.ike_life : c->policy.ipsec_life),
		.kilobytes = ike ? 0 : life_least(chosen->life.kilobytes, c->policy.ipsec_kilobytes),
	};
}

static uint16_t type_attribute(uint8_t protocol)
{
	return protocol == PROTOCOL_ID_ISAKMP ? (uint16_t)OAKLEY_ATTRIBUTE_LIFE_TYPE
					      : (uint16_t)IPSEC_ATTRIBUTE_SA_LIFE_TYPE;
}

static uint16_t duration_attribute(uint8_t protocol)
{
	return protocol == PROTOCOL_ID_ISAKMP ? (uint16_t)OAKLEY_ATTRIBUTE_LIFE_DURATION
					      : (uint16_t)IPSEC_ATTRIBUTE_SA_LIFE_DURATION;
}

bool life_is_duration(uint8_t protocol, uint16_t type)
{
	return type == duration_attribute(protocol);
}

uint64_t life_not_tiny(uint64_t told, uint64_t ours)
{
	uint64_t least = life_least(LIMIT_LIFE_TOLD_MIN, ours);

	return told != 0 && told < least ? least : told;
}

const char *life_text(struct arena *a, const struct life *life)
{
	if (life->seconds == 0 && life->kilobytes == 0)
		return "no limit";
	if (life->kilobytes == 0)
		return arena_printf(a, "%llu seconds", (unsigned long long)life->seconds);
	return arena_printf(a, "%llu seconds, %llu kilobytes", (unsigned long long)life->seconds,
			    (unsigned long long)life->kilobytes);
}

struct life life_read(uint8_t protocol, struct span attributes)
{
	struct life life = { 0 };
	struct attribute at;
	uint64_t type = LIFE_TYPE_SECONDS;

	while (next_attribute(&attributes, &at)) {
		if (at.type == type_attribute(protocol))
			type = at.number;
		else if (at.type == duration_attribute(protocol) && type == LIFE_TYPE_SECONDS)
			life.seconds = at.number;
		else if (at.type == duration_attribute(protocol) && type == LIFE_TYPE_KILOBYTES)
			life.kilobytes = at.number;
	}
	return life;
}

/* ---- RESPONDER-LIFETIME ------------------------------------------------------ */

static struct span list_of(struct arena *a, uint8_t protocol, const struct life *life)
{
	struct emit_attribute at[4];
	struct writer w = writer_on(arena_alloc(a, LIMIT_ATTRIBUTES * 12), LIMIT_ATTRIBUTES * 12);
	size_t n = 0;

	if (life->seconds != 0) {
		at[n++] = (struct emit_attribute){ .type = type_attribute(protocol), .number = LIFE_TYPE_SECONDS };
		at[n++] = (struct emit_attribute){ .type = duration_attribute(protocol), .number = life->seconds };
	}
	if (life->kilobytes != 0) {
		at[n++] = (struct emit_attribute){ .type = type_attribute(protocol), .number = LIFE_TYPE_KILOBYTES };
		at[n++] = (struct emit_attribute){ .type = duration_attribute(protocol), .number = life->kilobytes };
	}
	attributes_emit(&w, attribute_table(protocol), at, n);
	return writer_span(&w);
}

size_t life_notify(struct arena *a, const struct connection *c, const struct choice *chosen, const struct span *spi,
		   struct emit_N *n)
{
	struct life life = life_agreed(c, chosen);
	size_t count = 0;

	if (life.seconds == chosen->life.seconds && life.kilobytes == chosen->life.kilobytes)
		return 0;
	for (unsigned i = 0; i < chosen->n; i++) {
		uint8_t protocol = chosen->p[i].protocol;

		if (protocol != PROTOCOL_ID_IPCOMP)	/* which ends with the others */
			n[count++] = (struct emit_N){ .doi = DOI_ID_IPSEC, .protocol = protocol,
						      .type = NOTIFY_TYPE_RESPONDER_LIFETIME, .spi = spi[i],
						      .data = list_of(a, protocol, &life) };
	}
	return count;
}

bool life_notified(const struct payload_N *n, struct life *out)
{
	const struct attribute_table *t = attribute_table(n->protocol);
	struct attribute_trouble bad;

	if (n->type != NOTIFY_TYPE_RESPONDER_LIFETIME || t == NULL ||
	    attributes_check(t, n->data, LIMIT_ATTRIBUTES, &bad) != ATTRIBUTE_OK)
		return false;
	*out = life_read(n->protocol, n->data);
	out->seconds = life_not_tiny(out->seconds, 0);
	return out->seconds != 0 || out->kilobytes != 0;
}
