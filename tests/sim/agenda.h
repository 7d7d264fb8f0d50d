/* agenda.h -- which of many daemons has the next deadline. */
#ifndef PLUTO_SIM_AGENDA_H
#define PLUTO_SIM_AGENDA_H

#include <stddef.h>
#include <stdint.h>

struct agenda {
	size_t leaves;		/* a power of two; they stand behind the inner nodes */
	uint64_t *at;
};

void agenda_free(struct agenda *a);

/* Daemon number `who`, from 0, wants to be called at that time; UINT64_MAX = never. */
void agenda_set(struct agenda *a, size_t who, uint64_t at);

/* The earliest, and who that is: the lower number of two at the same time. */
uint64_t agenda_first(const struct agenda *a, size_t *who);

#endif
