/* ike_lab.c -- two simulated daemons with a connection between them. */
#include "ike_lab.h"

#include <check.h>

struct trial trial;
struct arena *arena;

void setup(void)
{
	arena = arena_new();
	trial_begin(&trial, "unit", 1, false);
	trial.c.ike = trial.c.esp = span_of(NULL, 0);
}

void teardown(void)
{
	arena_free(arena);
	trial_end(&trial);
	ck_assert(!trial.failed);
}

void listening(void)
{
	node_listen(trial.a);
	node_listen(trial.b);
}
