/* joint.c -- requests of whack for several connections. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "ike/internal.h"
#include "ike/joint.h"

struct joint {
	LIST_ENTRY(joint) next;
	uint32_t whack;
	char *name;		/* owned */
	const char *reached;
	size_t n, left, failed;
	uint16_t status;	/* of the first that failed, 0 = none has */
};

static struct joint *find(struct ike *ike, uint32_t whack)
{
	struct joint *j;

	LIST_FOREACH(j, &ike->joints, next)
		if (j->whack == whack)
			return j;
	return NULL;
}

static void end(struct joint *j)
{
	LIST_REMOVE(j, next);
	free(j->name);
	free(j);
}

void joint_begin(struct ike *ike, uint32_t whack, const char *name, const char *reached, size_t n)
{
	struct joint *j;

	if (n == 1 || whack == NO_WHACK)
		return;
	j = NEW(struct joint);
	j->whack = whack;
	j->name = xstrdup(name);
	j->reached = reached;
	j->n = j->left = n;
	LIST_INSERT_HEAD(&ike->joints, j, next);
}

void joint_widen(struct ike *ike, uint32_t whack, const char *name, const char *reached, size_t more)
{
	struct joint *j = find(ike, whack);

	if (j == NULL) {
		joint_begin(ike, whack, name, reached, 1 + more);
		return;
	}
	j->n += more;
	j->left += more;
}

bool joint_narrow(struct ike *ike, uint32_t whack)
{
	struct joint *j = find(ike, whack);

	if (j == NULL)
		return false;
	j->n--;
	ike_finish(ike, whack);
	return true;
}

/* Statuses that say for good that a request was not carried out. */
static bool failure(uint16_t status)
{
	return status >= WHACK_STATUS_DUPLICATE_NAME && status < WHACK_STATUS_STATE;
}

void joint_replied(struct ike *ike, uint32_t whack, uint16_t status)
{
	struct joint *j = failure(status) ? find(ike, whack) : NULL;

	if (j == NULL)
		return;
	j->failed++;
	if (j->status == 0)
		j->status = status;
}

bool joint_waits(struct ike *ike, uint32_t whack)
{
	struct joint *j = find(ike, whack);

	if (j == NULL)
		return false;
	if (--j->left > 0)
		return true;
	if (j->failed == 0 && j->n == 1)
		ike_reply(ike, whack, WHACK_STATUS_SUCCESS, "\"%s\": the one pair of clients is %s", j->name, j->reached);
	else if (j->failed == 0)
		ike_reply(ike, whack, WHACK_STATUS_SUCCESS, "\"%s\": all %zu pairs of clients are %s", j->name, j->n,
			  j->reached);
	else
		ike_reply(ike, whack, j->status, "\"%s\": %zu of %zu pairs of clients are %s", j->name,
			  j->n - (j->failed < j->n ? j->failed : j->n), j->n, j->reached);
	end(j);
	return false;
}

void joint_gone(struct ike *ike, uint32_t whack)
{
	struct joint *j = find(ike, whack);

	if (j != NULL)
		end(j);
}

void joints_free(struct ike *ike)
{
	while (!LIST_EMPTY(&ike->joints))
		end(LIST_FIRST(&ike->joints));
}
