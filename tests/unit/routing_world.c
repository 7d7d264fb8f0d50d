/* routing_world.c -- the kernel, the host and the negotiations that check_routing plays. */
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "ike/initiate.h"
#include "ike/routing.h"
#include "routing_world.h"

static struct subnet net(int high, int i)
{
	return (struct subnet){ .addr = { .len = 4, .b = { 10, (uint8_t)high, (uint8_t)i, 0 } }, .bits = 24 };
}

static struct ip_addr host(uint8_t last)
{
	return (struct ip_addr){ .len = 4, .b = { 192, 0, 2, last } };
}

/* ---- the kernel --------------------------------------------------------- */

struct world k;

unsigned draw(unsigned n)
{
	k.random = k.random * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(k.random >> 33) % n;
}

void trace(char *into, const char *what, int i)
{
	char *p = into + strlen(into);

	must(p - into < TRACE - 40, "the trace is too long");
	p = stpcpy(p, what);
	*p++ = ' ';
	*p++ = (char)('0' + i);
	strcpy(p, "; ");
}

static void tell(uint32_t token, bool fails)
{
	struct kernel_result r = { .ok = !fails, .why = "it was told to fail" };

	ike_kernel_events(k.ike).done(k.ike, token, &r);
}

/* Does this one fail?  It is decided when asked, as its effect is. */
static bool fails(void)
{
	return k.asked == k.fail_at || (k.fail_per_mille > 0 && draw(1000) < k.fail_per_mille);
}

static void reply(uint32_t token, int theirs, bool failed)
{
	if (k.asked < WAITING)
		for (int o = 0; o < 2; o++)
			for (int t = 0; t < 2; t++)
				k.bare[k.asked][o][t] = k.eroute[o][t] == 0;
	if (!k.later) {
		tell(token, failed);
		return;
	}
	must(k.n_waiting < WAITING, "too many wait");
	k.waiting[k.n_waiting++] = (struct waiting){ .token = token, .theirs = theirs, .fails = failed };
}

static int of_reqid(uint32_t reqid)
{
	for (int i = 0; i < CONNECTIONS; i++)
		if (k.reqid[i] == reqid)
			return i;
	return 9;		/* one that was deleted meanwhile */
}

static void set_eroute(void *ctx, uint32_t token, const struct kernel_eroute *e)
{
	int o = e->src.addr.b[2], t = e->dst.addr.b[2], i = of_reqid(e->reqid);
	bool failed;

	(void)ctx;
	k.asked++;
	failed = fails();
	trace(k.trace, e->kind == EROUTE_TRAP ? "trap" : "carry", i);
	if (!failed || k.eroute[o][t] == 2) {	/* whatever else fails, SAs that go carry nothing */
		k.eroute[o][t] = e->kind == EROUTE_TRAP ? 1 : 2;
		k.carrier[o][t] = i;
	}
	reply(token, t, failed);
}

static void del_eroute(void *ctx, uint32_t token, const struct kernel_eroute *e)
{
	int o = e->src.addr.b[2], t = e->dst.addr.b[2];

	(void)ctx;
	k.asked++;
	trace(k.trace, "bare", of_reqid(e->reqid));
	must(k.eroute[o][t] != 0, "an eroute is deleted that is not there: %s", k.trace);
	k.eroute[o][t] = 0;
	reply(token, t, fails());
}

static const char *variable(const struct updown_request *u, const char *name)
{
	size_t n = strlen(name);

	for (const char *const *e = u->env; *e != NULL; e++)
		if (strncmp(*e, name, n) == 0 && (*e)[n] == '=')
			return *e + n + 1;
	ck_abort_msg("%s is not set", name);
	return NULL;
}

static void updown(void *ctx, uint32_t token, const struct updown_request *u)
{
	const char *verb = variable(u, "PLUTO_VERB");
	int i = variable(u, "PLUTO_CONNECTION")[1] - '0';
	struct kind *d = &k.kind[i];
	char word[40];
	bool failed;

	(void)ctx;
	k.asked++;
	failed = fails();
	snprintf(word, sizeof(word), "%.*s", (int)strcspn(verb, "-"), verb);
	trace(k.trace, word, i);
	must(strcmp(verb + strlen(word), "-client") == 0, "verb %s", verb);
	if (strcmp(word, "route") == 0) {
		must(k.eroute[d->ours][d->theirs] != 0, "a route without a trap: %s", k.trace);
		k.way[d->theirs] = failed ? k.way[d->theirs] : d->way;
	} else if (strcmp(word, "unroute") == 0) {
		k.way[d->theirs] = -1;
	} else if (strcmp(word, "up") == 0) {
		must(k.eroute[d->ours][d->theirs] == 2, "up without an eroute: %s", k.trace);
		k.told[d->ours][d->theirs] = 1;
	} else if (strcmp(word, "down") == 0) {
		must(k.told[d->ours][d->theirs] == 1, "down without up: %s", k.trace);
		k.told[d->ours][d->theirs] = 0;
	}
	if (k.hangs == d->theirs) {
		must(k.n_waiting < WAITING, "too many wait");
		k.waiting[k.n_waiting++] = (struct waiting){ .token = token, .theirs = d->theirs, .fails = true };
	} else {
		reply(token, d->theirs, failed);
	}
}

/* ---- the host ------------------------------------------------------------ */

static void on_log(void *ctx, const struct log_event *e)
{
	(void)ctx;
	(void)e;
}

static void on_reply(void *ctx, uint32_t client, uint16_t status, const char *line)
{
	(void)ctx;
	(void)client;
	(void)line;
	if (status > WHACK_STATUS_LOG_SERIOUS)
		k.status = status;
}

static void on_finish(void *ctx, uint32_t client)
{
	(void)ctx;
	(void)client;
	k.finished++;
}

static void on_stopped(void *ctx)
{
	(void)ctx;
}

static void on_random(void *ctx, void *p, size_t n)
{
	(void)ctx;
	memset(p, 7, n);
}

/* ---- connections and SAs -------------------------------------------------- */

/* Ways 0 and 1 differ in the gateway, 2 in the interface. */
static void add(int i)
{
	struct connection *c = NEW(struct connection);
	struct kind d = k.kind[i];

	c->name = xprintf("c%d", i);
	c->end[0] = (struct end){ .host = host(d.way == 2 ? 9 : 1), .nexthop = host(d.way == 1 ? 252 : 254),
				  .has_client = true, .client = net(1, d.ours) };
	c->end[1] = (struct end){ .host = host(2), .has_client = true, .client = net(2, d.theirs) };
	c->policy.encrypt = true;
	c->policy.tunnel = true;
	connection_add(k.ike, c, span_str(c->name));
	k.c[i] = c;
	k.reqid[i] = c->reqid;
}

static void forget(int i, int n)
{
	for (; n < SAS - 1; n++)
		k.sa[i][n] = k.sa[i][n + 1];
	k.sa[i][SAS - 1] = NULL;
}

static void end_sa(int i, int n)
{
	struct phase2 *p = k.sa[i][n];

	forget(i, n);
	await_abandon(&p->await);
	install_remove(p);
	LIST_REMOVE(p, of_connection);
	p->c->uses--;
	free(p->x);
	free(p);
}

/* What the engine does to SAs when a connection is terminated; linked in place of the real one. */
void __wrap_connection_drop_sas(struct ike *ike, struct connection *c);
void __wrap_connection_drop_sas(struct ike *ike, struct connection *c)
{
	(void)ike;
	for (int i = 0; i < CONNECTIONS; i++)
		while (k.c[i] == c && k.sa[i][0] != NULL)
			end_sa(i, 0);
}

static struct phase2 *new_sa(int i, enum role role)
{
	static uint64_t serial;
	struct phase2 *p = NEW(struct phase2);
	int n = k.sa[i][0] == NULL ? 0 : 1;

	p->ike = k.ike;
	p->c = k.c[i];
	p->x = NEW(struct exchange);
	p->x->serial = ++serial;
	p->x->role = role;
	p->stage = 1;
	await_init(&p->await, k.ike);
	LIST_INSERT_HEAD(&p->c->phase2s, p, of_connection);
	p->c->uses++;
	k.sa[i][n] = p;
	return p;
}

static void switched(struct ike *ike, void *ctx, const struct plan *plan)
{
	struct phase2 *p = ctx;
	struct kernel_result r = { .ok = !plan->failed, .why = plan->why };

	if (plan->failed)
		p->status = plan_refusal(ike->arena, plan)->status;
	await_answer(&p->await, &r);
}

/* As quick_mode.c and phase2.c do: the SAs before our last message, then the eroute. */
static const struct refusal *next_stage(struct phase2 *p)
{
	struct action a = { .arena = k.ike->arena, .x = p->x };

	if (p->stage++ == 1)
		return install_start(&a, p, INSTALL_SAS);
	if (p->x->role == ROLE_RESPONDER)
		return install_start(&a, p, INSTALL_EROUTE);
	await_begin(&p->await, p->x->serial);
	p->await.pending = 1;
	install_switch(p, switched);
	return NULL;
}

/* False: nothing can be done now. */
static bool go_on(int i, int n)
{
	struct phase2 *p = k.sa[i][n];
	const struct refusal *why;

	if (p->await.pending > 0 || p->stage == 4)
		return false;
	if (p->stage > 1 && p->await.failed) {
		k.status = p->status;
		end_sa(i, n);
		return true;
	}
	if (p->stage == 3) {
		p->stage = 4;
		p->established = 1;
		p->c->keeps_route = true;
		return true;
	}
	why = next_stage(p);
	if (why == NULL)
		return true;
	k.status = why->status;
	for (n = 0; k.sa[i][n] != p; n++)
		;
	end_sa(i, n);
	return true;
}

void settle(void)
{
	bool again = true;

	while (again) {
		again = false;
		for (int i = 0; i < CONNECTIONS; i++)
			for (int n = 0; n < SAS; n++)
				if (k.sa[i][n] != NULL && go_on(i, n))
					again = true;
	}
}

void universe(const struct kind *kinds, int n)
{
	static const struct kernel_ops ops = { .name = "test", .set_eroute = set_eroute, .del_eroute = del_eroute,
					       .updown = updown };
	struct ike_config config = {
		.host = { .random = on_random, .log = on_log, .reply = on_reply, .finish = on_finish, .stopped = on_stopped },
		.kernel = { .ops = &ops }, .updown = "script",
	};

	memset(&k, 0, sizeof(k));
	k.hangs = k.way[0] = k.way[1] = -1;
	k.ike = ike_new(&config);
	k.ike->interfaces = xcalloc(2, sizeof(struct kernel_interface));
	k.ike->interfaces[0] = (struct kernel_interface){ .real = "eth0", .virtual_ = "ipsec0", .addr = host(1) };
	k.ike->interfaces[1] = (struct kernel_interface){ .real = "eth1", .virtual_ = "ipsec1", .addr = host(9) };
	k.ike->n_interfaces = 2;
	k.ike->listening = true;
	for (int i = 0; i < n; i++) {
		k.kind[i] = kinds[i];
		add(i);
	}
}

bool applies(enum op op, int sas)
{
	if (op == SA_DOWN)
		return sas > 0;
	return op < INITIATE || op > RESPOND_REJECT || sas < SAS;
}

void perform(enum op op, int i)
{
	switch (op) {
	case ROUTE:
		command_route(k.ike, 1, k.c[i], false);
		break;
	case UNROUTE:
		command_unroute(k.ike, 1, k.c[i], false);
		break;
	case SA_DOWN:
		end_sa(i, 0);
		break;
	case DELETE:
		__wrap_connection_drop_sas(k.ike, k.c[i]);
		connection_delete(k.ike, k.c[i]);
		k.c[i] = NULL;
		add(i);
		break;
	default:
		k.c[i]->policy.evict = op == RESPOND_EVICT;
		new_sa(i, op == INITIATE ? ROLE_INITIATOR : ROLE_RESPONDER);
		break;
	}
	settle();
}

void close_universe(void)
{
	for (int i = 0; i < CONNECTIONS; i++)
		if (k.c[i] != NULL)
			__wrap_connection_drop_sas(k.ike, k.c[i]);
	while (k.n_waiting > 0) {
		struct waiting w = k.waiting[--k.n_waiting];

		tell(w.token, w.fails);
	}
	ike_free(k.ike);
	for (int o = 0; o < 2; o++)
		for (int t = 0; t < 2; t++)
			must(k.eroute[o][t] == 0 && k.way[t] == -1 && k.told[o][t] == 0,
				      "something is left: %s", k.trace);
}

void answer(unsigned n)
{
	struct waiting w = k.waiting[n];

	k.waiting[n] = k.waiting[--k.n_waiting];
	tell(w.token, w.fails);
	settle();
}
