/* errand.c -- requests of whack that wait for their plans. */
#include "ike/errand.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "ike/internal.h"

struct errand {
	uint32_t whack;
	unsigned holds;		/* plans under way, and one until errand_end */
	bool troubled;
	char done[LINE_TEXT];	/* what is said when all is done */
};

void errand_begin(struct ike *ike, uint32_t whack, bool at_once)
{
	struct errand *e = NEW(struct errand);

	e->whack = at_once ? NO_WHACK : whack;
	e->holds = 1;
	ike->errand = e;
	if (at_once)
		ike_finish(ike, whack);
}

void errand_end(struct ike *ike, const char *fmt, ...)
{
	struct errand *e = ike->errand;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->done, sizeof(e->done), fmt, ap);
	va_end(ap);
	ike->errand = NULL;
	errand_release(ike, e);
}

void errand_refuse(struct ike *ike, const struct refusal *why)
{
	struct errand *e = ike->errand;

	ike->errand = NULL;
	ike_reply_refusal(ike, e->whack, why);
	ike_finish(ike, e->whack);
	free(e);
}

void errand_hold(struct errand *e)
{
	if (e != NULL)
		e->holds++;
}

void errand_release(struct ike *ike, struct errand *e)
{
	if (e == NULL || --e->holds > 0)
		return;
	if (e->troubled)	/* the status of the trouble is to stay the last one */
		ike_reply(ike, e->whack, WHACK_STATUS_COMMENT, "%s, but for what is said above", e->done);
	else
		ike_reply(ike, e->whack, WHACK_STATUS_SUCCESS, "%s", e->done);
	ike_finish(ike, e->whack);
	free(e);
}

void errand_trouble(struct ike *ike, struct errand *e, const struct refusal *why)
{
	if (e == NULL)
		return;
	e->troubled = true;
	ike_reply_refusal(ike, e->whack, why);
}

void errand_drop(struct errand *e)
{
	if (e != NULL && --e->holds == 0)
		free(e);
}
