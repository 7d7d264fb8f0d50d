/* world.c -- the virtual clock, the network and the host side of the simulated daemons. */
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "crypto/hash.h"
#include "crypto/rsa.h"
#include "ike/internal.h"
#include "sim_internal.h"

/* ---- events ------------------------------------------------------------ */

static void enqueue(struct world *w, struct event *e)
{
	size_t i;

	if (w->n_events == w->cap) {
		w->cap = w->cap == 0 ? 256 : 2 * w->cap;
		w->events = xrealloc(w->events, w->cap * sizeof(struct event *));
	}
	e->order = w->order++;
	for (i = w->n_events++; i > 0; i = (i - 1) / 2) {
		struct event *up = w->events[(i - 1) / 2];

		if (up->at < e->at || (up->at == e->at && up->order < e->order))
			break;
		w->events[i] = up;
	}
	w->events[i] = e;
}

static bool before(const struct event *a, const struct event *b)
{
	return a->at < b->at || (a->at == b->at && a->order < b->order);
}

static struct event *dequeue(struct world *w)
{
	struct event *first = w->events[0], *last = w->events[--w->n_events];
	size_t i = 0;

	while (2 * i + 1 < w->n_events) {
		size_t child = 2 * i + 1;

		if (child + 1 < w->n_events && before(w->events[child + 1], w->events[child]))
			child++;
		if (!before(w->events[child], last))
			break;
		w->events[i] = w->events[child];
		i = child;
	}
	w->events[i] = last;
	return first;
}

struct event *world_event(struct world *w, enum event_kind kind, struct node *n, uint64_t delay)
{
	struct event *e = NEW(struct event);

	e->kind = kind;
	e->node = n;
	e->at = w->now + delay;
	enqueue(w, e);
	return e;
}

uint64_t world_random(struct world *w)
{
	uint64_t z = w->random += 0x9e3779b97f4a7c15;	/* splitmix64 */

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static bool chance(struct world *w, unsigned per_mille)
{
	return world_random(w) % 1000 < per_mille;
}

static uint64_t delay(struct world *w)
{
	const struct faults *f = &w->faults;
	uint64_t d = f->delay_min + world_random(w) % (f->delay_max - f->delay_min + 1);

	return chance(w, f->reorder) ? d + 50 + world_random(w) % 200 : d;
}

/* ---- what ike asks of its host ------------------------------------------ */

/* A datagram on its way: nobody, one or two copies arrive. */
static void deliver(struct world *w, struct node *to, const struct endpoint *from, uint16_t port, struct span bytes)
{
	unsigned copies = chance(w, w->faults.loss) ? 0 : chance(w, w->faults.duplicate) ? 2 : 1;

	while (copies-- > 0 && !to->deaf) {
		struct event *e;
		struct buf b = buf_copy(bytes);

		if (w->middle.pass != NULL && !w->middle.pass(w->middle.ctx, to, from, &b)) {
			buf_free(&b);
			continue;
		}
		e = world_event(w, EVENT_DATAGRAM, to, delay(w));
		e->from = *from;
		e->to = (struct endpoint){ .addr = to->addr, .port = port };
		e->bytes = b;
	}
}

void world_inject(struct world *w, struct node *to, const struct endpoint *from, struct span bytes)
{
	struct event *e = world_event(w, EVENT_DATAGRAM, to, 0);

	e->from = *from;
	e->to = (struct endpoint){ .addr = to->addr, .port = LIMIT_IKE_PORT };
	e->bytes = buf_copy(bytes);
}

static void on_send(void *ctx, const struct endpoint *local, const struct endpoint *remote,
		    struct span datagram)
{
	struct node *n = ctx, *there;
	struct endpoint from = *local, to = *remote;

	n->sent++;
	n->sent_octets += datagram.n;
	there = nat_way(n, &from, &to);
	if (there != NULL)
		deliver(n->world, there, &from, to.port, datagram);
}

/* It opens the NATs on its way, and nobody sees it come. */
static void on_keepalive(void *ctx, const struct endpoint *local, const struct endpoint *remote)
{
	struct node *n = ctx;
	struct endpoint from = *local, to = *remote;

	n->keepalives++;
	nat_way(n, &from, &to);
}

static void on_submit(void *ctx, struct ike_job *job)
{
	struct node *n = ctx;

	world_event(n->world, EVENT_JOB, n, 1 + world_random(n->world) % 5)->job = job;
}

static void on_lookup(void *ctx, uint32_t token, const char *name, uint16_t type)
{
	struct node *n = ctx;
	struct event *e;

	(void)name;
	n->dns->asked++;
	if (n->dns->silent)
		return;
	e = world_event(n->world, EVENT_LOOKUP, n, n->dns->delay + world_random(n->world) % 5);
	e->token = token;
	e->type = type;
}

/* Flags of a host's key, protocol IPsec, algorithm RSA/SHA1. */
static void answer_lookup(struct node *n, const struct event *e)
{
	static const uint8_t head[] = { 0x42, 0, 4, 5 };
	const struct sim_dns *dns = n->dns;
	struct buf key = dns->key == NULL ? (struct buf){ 0 } : rsa_to_dns(dns->key);
	struct buf rdata = buf_new(sizeof(head) + key.n);
	struct span record = dns->rdata.n > 0 ? dns->rdata : span_buf(rdata);
	struct lookup_result r = { .ok = dns->why == NULL, .validated = dns->validated, .why = dns->why,
				   .ttl = dns->ttl, .rdata = &record };

	memcpy(rdata.p, head, sizeof(head));
	if (key.n > 0)
		memcpy(rdata.p + sizeof(head), key.p, key.n);
	r.n = r.ok && (dns->rdata.n > 0 || (key.n > 0 && e->type == DNS_TYPE_KEY));
	ike_lookup_done(n->ike, n->world->now, e->token, &r);
	buf_free(&rdata);
	buf_free(&key);
}

static void on_random(void *ctx, void *p, size_t size)
{
	struct world *w = ((struct node *)ctx)->world;

	for (size_t i = 0; i < size; i++)
		((uint8_t *)p)[i] = (uint8_t)world_random(w);
}

static void on_log(void *ctx, const struct log_event *e)
{
	struct node *n = ctx;

	if (e->reason != NULL) {
		n->said[n->n_said++ % (sizeof(n->said) / sizeof(n->said[0]))] = e->reason;
		snprintf(n->refusal, sizeof(n->refusal), "%s%s%s", e->text, e->remedy == NULL ? "" : " -- ",
			 e->remedy == NULL ? "" : e->remedy);
	}
	if (!n->world->verbose)
		return;
	fprintf(stderr, "%8llu %s: %s%s#%llu %s%s%s\n", (unsigned long long)n->world->now, n->name,
		e->connection == NULL ? "" : e->connection, e->connection == NULL ? "" : " ",
		(unsigned long long)e->serial, e->text, e->remedy == NULL ? "" : " -- ",
		e->remedy == NULL ? "" : e->remedy);
}

static void on_listen(void *ctx, struct listen_result *out)
{
	struct node *n = ctx;
	static struct kernel_interface interface;

	interface = (struct kernel_interface){ .real = "eth0", .virtual_ = "ipsec0", .addr = n->addr, .natt = true,
					  .defaultroute = true };
	*out = (struct listen_result){ .n_interfaces = n->away ? 0 : 1, .interfaces = &interface, .ok = true };
}

static void on_unlisten(void *ctx)
{
	(void)ctx;
}

static void on_reply(void *ctx, uint32_t client, uint16_t status, const char *line)
{
	struct node *n = ctx;

	(void)client;
	if (n->world->verbose)
		fprintf(stderr, "%8llu %s: whack %03u %s\n", (unsigned long long)n->world->now, n->name,
			status, line);
	if (status < 1000)
		n->status[status]++;
	if (status > WHACK_STATUS_LOG_SERIOUS)
		n->last_status = status;
	if (status != WHACK_STATUS_COMMENT)
		snprintf(n->answer, sizeof(n->answer), "%s", line);
}

static void on_finish(void *ctx, uint32_t client)
{
	struct node *n = ctx;

	n->finished++;
	if (client > n->asked || n->pending[client] != 1) {
		fprintf(stderr, "%s: request %u is finished %s\n", n->name, client,
			client > n->asked ? "that nobody made" : "twice");
		abort();
	}
	n->pending[client] = 2;
}

static void on_stopped(void *ctx)
{
	((struct node *)ctx)->stopped = true;
}

static bool find_psk(void *s, const struct identity *us, const struct identity *peer,
		     bool peer_unknown, struct secret_found *out)
{
	struct node *n = s;

	(void)us;
	(void)peer;
	(void)peer_unknown;
	out->psk = span_str(n->secret);
	out->file = "secrets";
	out->line = 1;
	out->why = "there is none";
	return n->secret != NULL;
}

static bool find_password(void *s, struct span user, const struct identity *gateway, struct secret_found *out)
{
	struct node *n = s;

	(void)user;
	(void)gateway;
	out->psk = span_str(n->password == NULL ? "" : n->password);
	out->file = "secrets";
	out->line = 2;
	out->why = "there is none";
	return n->password != NULL;
}

static bool find_rsa(void *s, const struct identity *us, struct secret_found *out)
{
	struct node *n = s;

	out->rsa = us->kind == IDENTITY_ADDR ? n->rsa : n->rsa_named;
	out->why = "there is none";
	return out->rsa != NULL;
}

/* ---- life -------------------------------------------------------------- */

struct world *world_new(uint64_t seed, const struct faults *faults)
{
	struct world *w = NEW(struct world);
	const char *why;

	if (!crypto_start(&why)) {
		fprintf(stderr, "crypto: %s\n", why);
		exit(1);
	}
	w->random = seed;
	w->now = 1000000;
	w->faults = *faults;
	return w;
}

static void start(struct node *n)
{
	static const struct secrets_ops secrets = { .psk = find_psk, .rsa = find_rsa, .xauth = find_password };
	struct ike_config config = {
		.host = { .ctx = n, .send = on_send, .keepalive = on_keepalive, .submit = on_submit, .random = on_random,
			  .log = on_log, .listen = on_listen, .unlisten = on_unlisten,
			  .reply = on_reply, .finish = on_finish, .stopped = on_stopped,
			  .lookup = n->dns == NULL ? NULL : on_lookup },
		.insecure_dnskeys = n->insecure_dnskeys,
		.ports = n->ports,
		.kernel = sim_kernel(n),
		.secrets = { .ops = &secrets, .s = n },
		.updown = "updown",
	};

	n->ike = ike_new(&config);
	ike_clock(n->ike, n->world->now);
}

static void set_addr(struct node *n, const char *addr)
{
	const char *why;
	unsigned column;

	if (!addr_parse(span_str(addr), &n->addr, &why, &column)) {
		fprintf(stderr, "%s: %s\n", addr, why);
		exit(1);
	}
	HASH_ADD_KEYPTR(hh, n->world->by_addr, n->addr.b, n->addr.len, n);
}

void node_renumber(struct node *n, const char *addr)
{
	HASH_DELETE(hh, n->world->by_addr, n);
	set_addr(n, addr);
}

struct node *world_node(struct world *w, const char *name, const char *addr, const char *secret)
{
	struct node *n = NEW(struct node);

	n->world = w;
	n->name = name;
	n->secret = secret;
	n->ports = (struct ike_ports){ .ike = LIMIT_IKE_PORT, .natt = LIMIT_NATT_PORT, .keepalive = 20 };
	set_addr(n, addr);
	w->nodes = xrealloc(w->nodes, (w->n_nodes + 1) * sizeof(struct node *));
	n->index = w->n_nodes;
	w->nodes[w->n_nodes++] = n;
	start(n);
	return n;
}

static void event_free(struct event *e)
{
	buf_free(&e->bytes);
	free(e);
}

/* What was on its way to n is lost; jobs are freed by ike. */
static void forget_events(struct world *w, const struct node *n)
{
	size_t kept = 0, n_events = w->n_events;

	for (size_t i = 0; i < n_events; i++) {
		if (w->events[i]->node == n)
			event_free(w->events[i]);
		else
			w->events[kept++] = w->events[i];
	}
	w->n_events = 0;
	for (size_t i = 0; i < kept; i++)
		enqueue(w, w->events[i]);
}

void node_restart(struct node *n)
{
	forget_events(n->world, n);
	ike_free(n->ike);
	sim_kernel_free(n);
	if (n->asked > 0)
		memset(n->pending, 2, n->asked + 1);
	n->stopped = false;
	start(n);
}

void world_free(struct world *w)
{
	HASH_CLEAR(hh, w->by_addr);
	agenda_free(&w->agenda);
	for (size_t i = 0; i < w->n_nodes; i++) {
		ike_free(w->nodes[i]->ike);
		sim_kernel_free(w->nodes[i]);
		free(w->nodes[i]->pending);
		free(w->nodes[i]);
	}
	for (size_t i = 0; i < w->n_events; i++)
		event_free(w->events[i]);
	free(w->events);
	for (size_t i = 0; i < w->n_nats; i++)
		free(w->nats[i]);
	free(w->nats);
	free(w->nodes);
	free(w);
}

void world_verbose(struct world *w, bool on)
{
	w->verbose = on;
}

void world_middle(struct world *w, const struct man_in_the_middle *m)
{
	w->middle = *m;
}

void world_faults(struct world *w, const struct faults *faults)
{
	w->faults = *faults;
}

uint64_t world_now(const struct world *w)
{
	return w->now;
}

/* Something happened at n: it may want to be called at another time. */
static void note_deadline(struct world *w, const struct node *n)
{
	agenda_set(&w->agenda, n->index, ike_deadline(n->ike));
}

static void handle(struct world *w, struct event *e)
{
	struct node *n = e->node;

	ike_clock(n->ike, w->now);
	switch (e->kind) {
	case EVENT_DATAGRAM:
		n->received++;
		n->received_octets += e->bytes.n;
		ike_datagram(n->ike, w->now, &e->to, &e->from, span_buf(e->bytes));
		break;
	case EVENT_JOB:
		e->job->run(e->job);
		ike_job_done(n->ike, w->now, e->job);
		break;
	case EVENT_LOOKUP:
		answer_lookup(n, e);
		break;
	case EVENT_ANSWER:
		ike_kernel_events(n->ike).done(n->ike, e->token, &e->result);
		break;
	}
}

/* The next thing that happens, unless it is later than `until`. */
static bool step(struct world *w, uint64_t until)
{
	size_t whose = 0;
	uint64_t deadline = agenda_first(&w->agenda, &whose);
	uint64_t event = w->n_events == 0 ? UINT64_MAX : w->events[0]->at;

	if (deadline > until && event > until)
		return false;
	if (event <= deadline) {
		struct event *e = dequeue(w);

		w->now = e->at > w->now ? e->at : w->now;
		handle(w, e);
		note_deadline(w, e->node);
		event_free(e);
	} else {
		w->now = deadline > w->now ? deadline : w->now;
		ike_tick(w->nodes[whose]->ike, w->now);
		note_deadline(w, w->nodes[whose]);
	}
	return true;
}

/* Commands and tests may have done anything since the last run. */
static void note_deadlines(struct world *w)
{
	for (size_t i = 0; i < w->n_nodes; i++)
		note_deadline(w, w->nodes[i]);
}

size_t world_run(struct world *w, uint64_t ms)
{
	uint64_t until = w->now + ms;
	size_t n = 0;

	note_deadlines(w);
	while (step(w, until))
		n++;
	w->now = until;
	return n;
}

bool world_step(struct world *w, size_t events)
{
	note_deadlines(w);
	while (events-- > 0)
		if (!step(w, UINT64_MAX - 1))
			return false;
	return true;
}

struct holdings node_holdings(const struct node *n)
{
	const struct ike *ike = n->ike;
	struct holdings h = {
		.exchanges = engine_count(ike->engine),
		.requests = ike->requests.n - ike->requests.n_free,
		.plans = ike->n_plans,
		.timers = engine_timers(ike->engine)->n,
		.half_open = ike->half_open,
		.connections = HASH_CNT(by_name, ike->connections),
		.pairs = HASH_CNT(hh, ike->pairs),
	};
	struct connection *c, *next;

	HASH_ITER(by_name, ike->connections, c, next) {
		struct connection *i;

		LIST_FOREACH(i, &c->instances, of_template)
			h.instances++;
	}

	for (const struct sim_sa *s = n->sas; s != NULL; s = s->next)
		h.sas++;
	for (const struct sim_eroute *r = n->eroutes; r != NULL; r = r->next)
		h.eroutes++;
	for (unsigned i = 1; i <= n->asked; i++)
		h.unfinished += n->pending[i] == 1;
	return h;
}

uint64_t node_serial(const struct node *n)
{
	uint64_t newest = 0;

	for (struct exchange *x = engine_first(n->ike->engine); x != NULL; x = engine_next(x))
		newest = x->serial > newest ? x->serial : newest;
	return newest;
}

bool holdings_none(const struct holdings *h)
{
	static const struct holdings none;

	return memcmp(h, &none, sizeof(none)) == 0;
}
