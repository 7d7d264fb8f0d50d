/* ike_lab.h -- two simulated daemons with a connection between them. */
#ifndef PLUTO_UNIT_IKE_LAB_H
#define PLUTO_UNIT_IKE_LAB_H

#include "../sim/trial.h"
#include "ike/internal.h"

extern struct trial trial;	/* its description of the connection has the default algorithms */
extern struct arena *arena;

/* Checked fixture. */
void setup(void);
void teardown(void);

/* Both listen. */
void listening(void);

#define assert_text(text_, part_) \
	ck_assert_msg(strstr((text_), (part_)) != NULL, "'%s' does not say '%s'", (text_), (part_))

#endif
