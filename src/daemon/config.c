/* config.c -- from the options of pluto to its configuration. */
#include "daemon/config.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "generated/names.h"
#include "generated/options.h"

/* The daemon may leave its directory, so paths are kept absolute.  Owned. */
static char *absolute(const char *path)
{
	char *cwd, *whole;

	if (path == NULL)
		return NULL;
	if (path[0] == '/' || (cwd = getcwd(NULL, 0)) == NULL)
		return xstrdup(path);
	whole = xprintf("%s/%s", cwd, path);
	free(cwd);
	return whole;
}

static bool too_many(const struct option_value *v, struct text *why)
{
	option_where(v, why);
	text_add(why, ": --%s is given more than %d times", v->option->name, CONFIG_LISTEN);
	return false;
}

static bool read_listen(struct config *c, const struct options *o, struct text *why)
{
	const struct option_value *v = NULL;
	const char *reason;
	unsigned column;

	while ((v = option_next(o, PLUTO_OPTION_LISTEN, v)) != NULL) {
		if (c->n_listen == CONFIG_LISTEN)
			return too_many(v, why);
		if (!addr_parse(span_str(v->text), &c->listen[c->n_listen], &reason, &column)) {
			option_where(v, why);
			text_add(why, ": --listen ");
			text_escape(why, span_str(v->text));
			text_add(why, ": %s (column %u); write an address of this host", reason, column);
			return false;
		}
		c->n_listen++;
	}
	return true;
}

static bool read_attach(struct config *c, const struct options *o, struct text *why)
{
	const struct option_value *v = NULL;

	while ((v = option_next(o, PLUTO_OPTION_ATTACH, v)) != NULL) {
		struct attach *a = &c->attach[c->n_attach];
		const char *equals = strchr(v->text, '=');
		size_t n = equals == NULL ? 0 : (size_t)(equals - v->text);

		if (c->n_attach == CONFIG_LISTEN)
			return too_many(v, why);
		if (n == 0 || n >= sizeof(a->virtual_) || equals[1] == '\0' ||
		    strlen(equals + 1) >= sizeof(a->real)) {
			option_where(v, why);
			text_add(why, ": --attach ");
			text_escape(why, span_str(v->text));
			text_add(why, " does not name two interfaces; write --attach ipsec0=eth0");
			return false;
		}
		memcpy(a->virtual_, v->text, n);
		memcpy(a->real, equals + 1, strlen(equals + 1));
		c->n_attach++;
	}
	return true;
}

/* What libunbound takes: an address, and maybe a port. */
static bool server_fault(const char *server, const char **why, unsigned *column)
{
	const char *at = strchr(server, '@');
	size_t n = at == NULL ? strlen(server) : (size_t)(at - server);
	struct ip_addr a;
	char *end;
	long port;

	if (!addr_parse(span_of(server, n), &a, why, column))
		return true;
	port = at == NULL ? 1 : strtol(at + 1, &end, 10);
	*column = (unsigned)n + 2;
	*why = "a port is a number from 1 to 65535";
	return port < 1 || port > 65535 || (at != NULL && *end != '\0');
}

static bool check_dns(const struct config *c, const struct options *o, struct text *why)
{
	const char *reason;
	unsigned column;

	if (c->no_dnskeys && c->insecure_dnskeys) {
		option_where(option_next(o, PLUTO_OPTION_INSECURE_DNSKEYS, NULL), why);
		text_add(why, ": --insecure-dnskeys contradicts --no-dnskeys; keep one of them");
		return false;
	}
	if (c->dns_server != NULL && server_fault(c->dns_server, &reason, &column)) {
		option_where(option_next(o, PLUTO_OPTION_DNS_SERVER, NULL), why);
		text_add(why, ": --dns-server ");
		text_escape(why, span_str(c->dns_server));
		text_add(why, ": %s (column %u); write an address, or 192.0.2.1@5353", reason, column);
		return false;
	}
	if (c->dns_anchor != NULL && access(c->dns_anchor, R_OK) != 0) {
		option_where(option_next(o, PLUTO_OPTION_DNS_ANCHOR, NULL), why);
		text_add(why, ": --dns-anchor ");
		text_escape(why, span_str(c->dns_anchor));
		text_add(why, " cannot be read: %s; give a file of DS or DNSKEY records", strerror(errno));
		return false;
	}
	return true;
}

static bool check_debug(const struct config *c, const struct options *o, struct text *why)
{
	if ((c->debug & DEBUG_CLASSES_PRIVATE) == 0 || c->keys_in_log)
		return true;
	option_where(options_debug_by(o, DEBUG_CLASSES_PRIVATE), why);
	text_add(why, ": --debug-private writes secrets into the log; "
		      "add --allow-key-logging if that is wanted");
	return false;
}

/* Where klips and _updown are: as installed, or where the environment says, as a build tree does. */
static void find_programs(struct config *c)
{
	const char *dir = getenv("IPSEC_EXECDIR");

	if (dir == NULL || dir[0] != '/')
		dir = PLUTO_IPSECDIR;
	c->klips = xprintf("%s/klips", dir);
	c->updown = xprintf("%s/_updown", dir);
}

bool config_make(struct config *c, const struct options *o, struct text *why)
{
	char *base = absolute(option_text(o, PLUTO_OPTION_CTLBASE, END_LEFT));

	*c = (struct config){
		.fork = !option_given(o, PLUTO_OPTION_NOFORK),
		.stderrlog = option_given(o, PLUTO_OPTION_STDERRLOG),
		.backend = option_number(o, PLUTO_OPTION_KERNEL, END_LEFT),
		.ikeport = (uint16_t)option_number(o, PLUTO_OPTION_IKEPORT, END_LEFT),
		.natt_port = option_given(o, PLUTO_OPTION_NO_NAT_TRAVERSAL) ? 0 :
			     (uint16_t)option_number(o, PLUTO_OPTION_NATTPORT, END_LEFT),
		.keepalive = (uint32_t)option_number(o, PLUTO_OPTION_KEEPALIVE, END_LEFT),
		.debug = options_debug(o),
		.keys_in_log = option_given(o, PLUTO_OPTION_ALLOW_KEY_LOGGING),
		.secretsfile = absolute(option_text(o, PLUTO_OPTION_SECRETSFILE, END_LEFT)),
		.keys_dir = absolute(option_text(o, PLUTO_OPTION_WIRESHARK_KEYS, END_LEFT)),
		.record = absolute(option_text(o, PLUTO_OPTION_RECORD, END_LEFT)),
	};
	c->auto_listen = option_given(o, PLUTO_OPTION_AUTO_LISTEN);
	c->no_dnskeys = option_given(o, PLUTO_OPTION_NO_DNSKEYS);
	c->insecure_dnskeys = option_given(o, PLUTO_OPTION_INSECURE_DNSKEYS);
	c->dns_anchor = absolute(option_text(o, PLUTO_OPTION_DNS_ANCHOR, END_LEFT));
	if (option_given(o, PLUTO_OPTION_DNS_SERVER))
		c->dns_server = xstrdup(option_text(o, PLUTO_OPTION_DNS_SERVER, END_LEFT));
	find_programs(c);
	c->socket = xprintf("%s.ctl", base);
	c->pidfile = xprintf("%s.pid", base);
	free(base);
	if (option_given(o, PLUTO_OPTION_NOKLIPS)) {
		const struct option_value *k = option_next(o, PLUTO_OPTION_KERNEL, NULL);

		if (k != NULL && c->backend != PLUTO_OPTION_KERNEL_NONE) {
			option_where(k, why);
			text_add(why, ": --kernel %s contradicts --noklips; keep one of them", k->text);
			return false;
		}
		c->backend = PLUTO_OPTION_KERNEL_NONE;
	}
	return read_listen(c, o, why) && read_attach(c, o, why) && check_debug(c, o, why) &&
	       check_dns(c, o, why);
}

void config_free(struct config *c)
{
	free(c->socket);
	free(c->pidfile);
	free(c->secretsfile);
	free(c->keys_dir);
	free(c->record);
	free(c->dns_server);
	free(c->dns_anchor);
	free(c->klips);
	free(c->updown);
	*c = (struct config){ 0 };
}
