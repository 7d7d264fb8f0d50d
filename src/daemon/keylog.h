/* keylog.h -- the keys of SAs in the tables that Wireshark reads.  Only for those who asked: who has these files
 * reads the traffic. */
#ifndef PLUTO_DAEMON_KEYLOG_H
#define PLUTO_DAEMON_KEYLOG_H

#include "base/text.h"
#include "ike/host.h"

struct keylog;

/* Files ikev1_decryption_table and esp_sa in directory, mode 0600, added to.  NULL and why. */
struct keylog *keylog_open(const char *directory, struct text *why);

void keylog_add(struct keylog *k, const struct sa_keys *keys);
void keylog_close(struct keylog *k);

#endif
