/* lifetime.c -- rekeying margins. */
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
