/* config.h -- what the command line of pluto says, checked and with absolute paths. */
#ifndef PLUTO_DAEMON_CONFIG_H
#define PLUTO_DAEMON_CONFIG_H

#include "base/addr.h"
#include "base/options.h"

#define CONFIG_LISTEN 32	/* --listen and --attach may be given so often */

struct attach {
	char virtual_[16], real[16];
};

struct config {
	bool fork;		/* unless a service manager waits to be told */
	bool stderrlog;
	unsigned backend;	/* PLUTO_OPTION_KERNEL_... */
	uint16_t ikeport;
	uint16_t natt_port;	/* 0 = no NAT traversal */
	uint32_t keepalive;	/* seconds */
	uint32_t debug;		/* mask of debug_classes */
	bool keys_in_log;
	char *socket, *pidfile;	/* absolute */
	char *secretsfile;	/* absolute; a glob pattern */
	char *keys_dir;		/* or NULL */
	char *record;		/* or NULL */
	bool no_dnskeys, insecure_dnskeys;
	char *dns_server;	/* ADDRESS or ADDRESS@PORT, or NULL */
	char *dns_anchor;	/* or NULL */
	char *klips;		/* program of the klips backend */
	char *updown;		/* the default updown command */
	struct ip_addr listen[CONFIG_LISTEN];
	size_t n_listen;
	bool auto_listen;
	struct attach attach[CONFIG_LISTEN];
	size_t n_attach;
};

/* From the `run` form.  False with one line in why. */
bool config_make(struct config *c, const struct options *o, struct text *why);
void config_free(struct config *c);

#endif
