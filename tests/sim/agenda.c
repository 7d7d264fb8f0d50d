/* agenda.c -- a tree over the daemons: each node of it is the earlier one of the two below. */
#include "agenda.h"

#include <stdlib.h>

#include "base/xalloc.h"

void agenda_free(struct agenda *a)
{
	free(a->at);
	*a = (struct agenda){ 0 };
}

static void grow(struct agenda *a, size_t n)
{
	size_t leaves = a->leaves == 0 ? 4 : a->leaves;
	uint64_t *at;

	while (leaves < n)
		leaves *= 2;
	at = xcalloc(2 * leaves, sizeof(*at));
	for (size_t i = 0; i < 2 * leaves; i++)
		at[i] = UINT64_MAX;
	for (size_t i = 0; i < a->leaves; i++)
		at[leaves + i] = a->at[a->leaves + i];
	for (size_t i = leaves - 1; i > 0; i--)
		at[i] = at[2 * i] < at[2 * i + 1] ? at[2 * i] : at[2 * i + 1];
	free(a->at);
	a->at = at;
	a->leaves = leaves;
}

void agenda_set(struct agenda *a, size_t who, uint64_t at)
{
	if (who >= a->leaves)
		grow(a, who + 1);
	size_t i = a->leaves + who;

	for (a->at[i] = at; i > 1; i /= 2)
		a->at[i / 2] = a->at[i] < a->at[i ^ 1] ? a->at[i] : a->at[i ^ 1];
}

uint64_t agenda_first(const struct agenda *a, size_t *who)
{
	size_t i = 1;

	if (a->leaves == 0)
		return UINT64_MAX;
	while (i < a->leaves)
		i = a->at[2 * i] <= a->at[2 * i + 1] ? 2 * i : 2 * i + 1;
	*who = i - a->leaves;
	return a->at[i];
}
