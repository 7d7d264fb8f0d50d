/* listen.c -- finding the interfaces and reading the secrets, and saying what came of it. */
#include "daemon/listen.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/xalloc.h"
#include "daemon/log.h"

#define LINES 256		/* what is more is only logged */

struct listening {
	const struct config *config;
	struct backend backend;
	struct udp *udp;
	struct store *store;
	struct arena *arena;	/* of the last result */
	struct endpoint *open;	/* sockets, in the arena */
	size_t n_open;
	struct kernel_interface *interfaces;
	size_t n_interfaces;
	const char *lines[LINES + 1];
	size_t n_lines;
	uint32_t tokens;
	bool wanted;		/* whack has asked for it */
};

/* For whack; the log has it already. */
static void tell(struct listening *l, const char *line)
{
	if (l->n_lines < LINES)
		l->lines[l->n_lines++] = line;
	l->lines[l->n_lines] = NULL;
}

static void tell_and_log(struct listening *l, const char *line)
{
	log_say("%s", line);
	tell(l, line);
}

static bool open_port(struct listening *l, const struct ip_addr *addr, uint16_t port, enum udp_kind kind)
{
	char room[256];
	struct text why = text_on(room, sizeof(room));
	struct endpoint local = { .addr = *addr, .port = port };

	if (udp_open(l->udp, &local, kind, &why)) {
		l->open[l->n_open++] = local;
		return true;
	}
	log_trouble(kind == UDP_PLAIN ? NULL : "peers behind a NAT are not served there", "%s", room);
	tell(l, arena_str(l->arena, span_str(room)));
	return false;
}

/* One address: its sockets, and the virtual interface of its real one. */
static bool open_one(struct listening *l, struct kernel_interface *k)
{
	char addr[ADDR_TEXT], natt[16] = "";
	const struct kernel *kernel = &l->backend.kernel;
	uint16_t natt_port = l->config->natt_port;

	if (!open_port(l, &k->addr, l->config->ikeport, UDP_PLAIN))
		return false;
	k->natt = natt_port != 0 &&
		  open_port(l, &k->addr, natt_port, l->backend.esp_from_udp ? UDP_MARKED_KERNEL : UDP_MARKED);
	if (k->natt)
		snprintf(natt, sizeof(natt), " and %u", natt_port);
	if (k->virtual_[0] != '\0' && kernel->ops->attach != NULL)
		kernel->ops->attach(kernel->k, 0x80000000u | l->tokens++, k->virtual_, k->real);
	tell_and_log(l, arena_printf(l->arena, "listening on %s%s%s%s%s, UDP port %u%s", k->real,
				     k->virtual_[0] == '\0' ? "" : "/", k->virtual_,
			     k->real[0] == '\0' ? "" : " ", addr_format(&k->addr, addr),
			     l->config->ikeport, natt));
	return true;
}

static bool open_all(struct listening *l, struct listen_result *out)
{
	char room[256];
	struct text why = text_on(room, sizeof(room));
	struct public p;

	if (!public_find(&p, l->config, l->backend.rule, &why)) {
		out->why = arena_str(l->arena, span_str(room));
		return false;
	}
	l->open = arena_alloc(l->arena, (2 * p.n + 1) * sizeof(*l->open));
	l->n_open = 0;
	free(l->interfaces);
	l->interfaces = xcalloc(p.n, sizeof(*l->interfaces));
	l->n_interfaces = 0;
	for (size_t i = 0; i < p.n; i++)
		if (open_one(l, &p.at[i]))
			l->interfaces[l->n_interfaces++] = p.at[i];
	udp_keep(l->udp, l->open, l->n_open);
	if (p.n == 0)
		out->why = "no public interface was found; set one up, or name an address with "
			   "pluto --listen";
	else if (l->n_interfaces == 0)
		out->why = "no public interface could be used";
	public_free(&p);
	return l->n_interfaces != 0;
}

static void read_secrets(struct listening *l)
{
	struct store_report report = { 0 };
	bool ok = store_load(l->store, l->config->secretsfile, l->arena, &report);

	for (const struct store_message *m = report.messages; m != NULL; m = m->next) {
		struct log_event e = {
			.level = m->error ? LOG_SERIOUS : LOG_PLAIN,
			.text = m->refusal->message, .remedy = m->refusal->remedy,
		};

		log_event(&e);
		tell(l, m->refusal->remedy == NULL ? m->refusal->message :
		     arena_printf(l->arena, "%s; %s", m->refusal->message, m->refusal->remedy));
	}
	if (!ok)
		tell_and_log(l, "the secrets were not read anew: those of before stay in force");
	else
		tell_and_log(l, arena_printf(l->arena, "secrets: %zu preshared, %zu RSA%s, from %zu files",
				     report.n_psk, report.n_rsa, report.n_xauth == 0 ? "" :
				     arena_printf(l->arena, ", %zu password%s", report.n_xauth,
						  report.n_xauth == 1 ? "" : "s"), report.n_files));
}

void listening_start(struct listening *l, struct listen_result *out)
{
	arena_reset(l->arena);
	l->n_lines = 0;
	l->wanted = true;
	*out = (struct listen_result){ 0 };
	read_secrets(l);
	out->ok = open_all(l, out);
	out->interfaces = l->interfaces;
	out->n_interfaces = l->n_interfaces;
	out->lines = l->lines;
}

void listening_stop(struct listening *l)
{
	l->wanted = false;
	udp_keep(l->udp, NULL, 0);
}

static bool has(const struct kernel_interface *list, size_t n, const struct kernel_interface *k)
{
	for (size_t i = 0; i < n; i++)
		if (addr_eq(&list[i].addr, &k->addr) && strcmp(list[i].real, k->real) == 0)
			return true;
	return false;
}

static const struct kernel_interface *with_default(const struct kernel_interface *list, size_t n, unsigned octets)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].defaultroute && list[i].addr.len == octets)
			return &list[i];
	return NULL;
}

/* The default route of one family leaves from another address than before; that there is none for a while is no news. */
static bool tell_default(struct text *t, const struct listening *l, const struct public *p, unsigned octets)
{
	const struct kernel_interface *before = with_default(l->interfaces, l->n_interfaces, octets);
	const struct kernel_interface *now = with_default(p->at, p->n, octets);
	char addr[ADDR_TEXT];

	if (now == NULL || (before != NULL && addr_eq(&before->addr, &now->addr)))
		return false;
	text_add(t, "%sthe default route is that of %s of %s", t->n > 0 ? ", " : "", addr_format(&now->addr, addr), now->real);
	return true;
}

/* Those of a that b has not. */
static bool tell_difference(struct text *t, const char *what, const struct kernel_interface *a, size_t n_a,
			    const struct kernel_interface *b, size_t n_b)
{
	char addr[ADDR_TEXT];
	bool any = false;

	for (size_t i = 0; i < n_a; i++) {
		if (has(b, n_b, &a[i]))
			continue;
		text_add(t, "%s%s of %s %s", t->n > 0 ? ", " : "", addr_format(&a[i].addr, addr), a[i].real, what);
		any = true;
	}
	return any;
}

bool listening_outdated(const struct listening *l, struct text *text)
{
	char room[256];
	struct text why = text_on(room, sizeof(room));
	struct public p;
	bool come, gone, four, six;

	if (!l->wanted || !public_find(&p, l->config, l->backend.rule, &why))
		return false;
	come = tell_difference(text, "has appeared", p.at, p.n, l->interfaces, l->n_interfaces);
	gone = tell_difference(text, "has vanished", l->interfaces, l->n_interfaces, p.at, p.n);
	four = tell_default(text, l, &p, 4);
	six = tell_default(text, l, &p, 16);
	public_free(&p);
	return come || gone || four || six;
}

void listening_done(struct listening *l, uint32_t token, const struct kernel_result *r)
{
	(void)l;
	(void)token;
	if (!r->ok)
		log_trouble("protected packets cannot leave through that interface; see --attach and --kernel",
			    "cannot attach a virtual interface: %s", r->why);
}

struct listening *listening_new(const struct config *c, struct backend backend, struct udp *udp,
				struct store *store)
{
	struct listening *l = NEW(struct listening);

	l->config = c;
	l->backend = backend;
	l->udp = udp;
	l->store = store;
	l->arena = arena_new();
	if (backend.kernel.ops->hole != NULL) {
		backend.kernel.ops->hole(backend.kernel.k, c->ikeport);
		if (c->natt_port != 0)
			backend.kernel.ops->hole(backend.kernel.k, c->natt_port);
	}
	return l;
}

void listening_free(struct listening *l)
{
	if (l == NULL)
		return;
	arena_free(l->arena);
	free(l->interfaces);
	free(l);
}
