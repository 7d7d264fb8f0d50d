/* kernel.c -- the kernel of a simulated node: remembers SAs and eroutes, answers late. */
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "ike/phase2.h"
#include "sim_internal.h"

/* Some requests are refused for no reason, if the test wants that. */
static bool refuses(struct node *n)
{
	return n->kernel_refuses > 0 && world_random(n->world) % 1000 < n->kernel_refuses;
}

static struct event *answer(struct node *n, uint32_t token, bool ok, const char *why, uint32_t spi)
{
	struct event *e = world_event(n->world, EVENT_ANSWER, n, world_random(n->world) % 3);

	e->token = token;
	e->result = (struct kernel_result){ .ok = ok, .why = why, .spi = spi };
	return e;
}

static bool same_id(const struct sa_id *a, const struct sa_id *b)
{
	return a->spi == b->spi && a->protocol == b->protocol && addr_eq(&a->dst, &b->dst);
}

static struct sim_sa **find_sa(struct node *n, const struct sa_id *id)
{
	struct sim_sa **s = &n->sas;

	while (*s != NULL && !same_id(&(*s)->id, id))
		s = &(*s)->next;
	return s;
}

static void get_spi(void *k, uint32_t token, const struct ip_addr *src, const struct ip_addr *dst,
		    uint8_t protocol, uint32_t lo, uint32_t hi)
{
	struct node *n = k;

	(void)src;
	(void)dst;
	(void)protocol;
	answer(n, token, !refuses(n), "out of SPIs", lo + (uint32_t)(world_random(n->world) % (hi - lo)));
}

/* May SAs of x be there?  Once HASH_1 is right the responder adds them, once HASH_2 is the initiator.
 * The peer's nonce is kept only of a message whose hash was verified. */
static bool may_add(const struct exchange *x)
{
	uint16_t nonce = x->role == ROLE_INITIATOR ? KEY_NR_B : KEY_NI_B;

	return exchange_final(x->parent) && x->state != NULL && !exchange_final(x) &&
	       (x->role == ROLE_RESPONDER || !x->state->start) && values_get(&x->values, nonce).p != NULL;
}

/* May it carry our traffic?  The responder's only once HASH_3 is right: that comes after QUICK_R0. */
static bool may_carry(const struct exchange *x)
{
	return x->state != NULL && !x->state->start;
}

/* Is there no Quick Mode of n with this SA (then its end is the next thing that happens), or one of
 * which `may` is true? */
static bool accounted_for(const struct node *n, const struct sa_id *id, bool inbound,
			  bool (*may)(const struct exchange *x))
{
	struct exchange *x;
	bool found = false;

	for (x = engine_first(n->ike->engine); x != NULL; x = engine_next(x)) {
		const struct phase2 *p = x->user;

		if (x->machine->phase != 2 || p == NULL)
			continue;
		for (unsigned i = 0; i < p->chosen.n; i++) {
			const struct chosen *k = &p->chosen.p[i];

			if (id->spi != (inbound ? phase2_spi(p, k->protocol) : k->peer_spi) ||
			    id->protocol != ip_protocol(k->protocol))
				continue;
			if (may(x))
				return true;
			found = true;
		}
	}
	return !found;
}

static void add_sa(void *k, uint32_t token, const struct kernel_sa *sa)
{
	struct node *n = k;
	struct sim_sa *s;

	n->added++;
	n->premature += !accounted_for(n, &sa->id, sa->inbound, may_add);
	if (*find_sa(n, &sa->id) != NULL) {
		answer(n, token, false, "there is such an SA already", 0);
		return;
	}
	if (refuses(n)) {
		answer(n, token, false, "no room for an SA", 0);
		return;
	}
	s = NEW(struct sim_sa);
	s->id = sa->id;
	s->inbound = sa->inbound;
	s->tunnel = sa->tunnel;
	s->in_udp = sa->encap_dport != 0;
	s->peer = (struct endpoint){ .addr = sa->inbound ? sa->src : sa->id.dst,
				     .port = sa->inbound ? sa->encap_sport : sa->encap_dport };
	s->cipher = sa->cipher;
	s->mac = sa->mac;
	s->key_octets = sa->cipher_key.n + sa->mac_key.n;
	if (sa->cipher_key.n > 0)
		memcpy(s->key, sa->cipher_key.p, sa->cipher_key.n);
	if (sa->mac_key.n > 0)
		memcpy(s->key + sa->cipher_key.n, sa->mac_key.p, sa->mac_key.n);
	s->next = n->sas;
	n->sas = s;
	answer(n, token, true, NULL, 0);
}

static void del_sa(void *k, uint32_t token, const struct sa_id *id)
{
	struct node *n = k;
	struct sim_sa **at = find_sa(n, id), *s = *at;

	if (s != NULL) {
		*at = s->next;
		free(s);
	}
	answer(n, token, s != NULL, "there is no such SA", 0);
}

static void read_sa(void *k, uint32_t token, const struct sa_id *id)
{
	const struct sim_sa *s = *find_sa(k, id);
	struct event *e = answer(k, token, s != NULL, "there is no such SA", 0);

	e->result.counts.packets = s == NULL ? 0 : s->packets;
	e->result.counts.bytes = 1000 * e->result.counts.packets;
	e->result.counts.last_used = s == NULL ? 0 : s->last_used;
}

static void move_sa(void *k, uint32_t token, const struct sa_id *id, bool inbound, const struct endpoint *peer)
{
	struct sim_sa **at = find_sa(k, id), *s = *at;

	if (s != NULL && ((struct node *)k)->immovable) {
		*at = s->next;
		free(s);
		answer(k, token, false, "no room for an SA", 0);
		return;
	}
	if (s != NULL && s->inbound == inbound) {
		s->peer = *peer;
		if (!inbound)
			s->id.dst = peer->addr;
		s->moved++;
	}
	answer(k, token, s != NULL && s->inbound == inbound, "there is no such SA", 0);
}

static bool same_traffic(const struct kernel_eroute *a, const struct kernel_eroute *b)
{
	return subnet_eq(&a->src, &b->src) && subnet_eq(&a->dst, &b->dst) && a->client_protocol == b->client_protocol &&
	       a->src_port == b->src_port && a->dst_port == b->dst_port;
}

static struct sim_eroute **find_eroute(struct node *n, const struct kernel_eroute *e)
{
	struct sim_eroute **r = &n->eroutes;

	while (*r != NULL && !same_traffic(&(*r)->e, e))
		r = &(*r)->next;
	return r;
}

static void set_eroute(void *k, uint32_t token, const struct kernel_eroute *e)
{
	struct node *n = k;
	struct sim_eroute **at = find_eroute(n, e), *r = *at;

	if (refuses(n)) {
		answer(n, token, false, "no room for an eroute", 0);
		return;
	}
	if (r == NULL) {
		r = NEW(struct sim_eroute);
		r->next = n->eroutes;
		n->eroutes = r;
	} else if (r->e.kind == EROUTE_SA && e->kind != EROUTE_SA) {
		n->lost_cover++;
	} else if (r->e.kind == EROUTE_SA) {
		n->rekeyed++;
	}
	r->e = *e;
	r->e.interface = NULL;
	r->reported = false;
	for (unsigned i = 0; i < e->n_sas; i++) {
		n->premature += !accounted_for(n, &e->sas[i], false, may_carry);
		if (*find_sa(n, &e->sas[i]) == NULL) {
			answer(n, token, false, "the eroute names an SA that is not there", 0);
			return;
		}
	}
	answer(n, token, true, NULL, 0);
}

static void del_eroute(void *k, uint32_t token, const struct kernel_eroute *e)
{
	struct node *n = k;
	struct sim_eroute **at = find_eroute(n, e), *r = *at;

	if (r != NULL) {
		n->lost_cover += r->e.kind == EROUTE_SA;
		*at = r->next;
		free(r);
	}
	answer(n, token, r != NULL, "there is no such eroute", 0);
}

static void updown(void *k, uint32_t token, const struct updown_request *u)
{
	(void)u;
	answer(k, token, !refuses(k), "the script did not like it", 0);
}

static void leave(void *k)
{
	struct node *n = k;

	n->left = true;
}

static void close_kernel(void *k)
{
	(void)k;
}

struct kernel sim_kernel(struct node *n)
{
	static const struct kernel_ops ops = {
		.name = "sim", .compresses = true, .get_spi = get_spi, .add_sa = add_sa, .del_sa = del_sa,
		.read_sa = read_sa, .move_sa = move_sa, .encapsulates = true, .set_eroute = set_eroute, .del_eroute = del_eroute,
		.updown = updown, .leave = leave, .close = close_kernel,
	};

	return (struct kernel){ .ops = &ops, .k = n };
}

void sim_kernel_free(struct node *n)
{
	while (n->sas != NULL) {
		struct sim_sa *s = n->sas;

		n->sas = s->next;
		free(s);
	}
	while (n->eroutes != NULL) {
		struct sim_eroute *r = n->eroutes;

		n->eroutes = r->next;
		free(r);
	}
}

static struct sim_eroute *eroute_to(const struct node *n, const char *client)
{
	struct subnet dst;
	const char *why;
	unsigned column;

	if (!subnet_parse(span_str(client), &dst, &why, &column))
		return NULL;
	for (struct sim_eroute *r = n->eroutes; r != NULL; r = r->next)
		if (subnet_eq(&r->e.dst, &dst))
			return r;
	return NULL;
}

const struct sim_sa *node_outbound(const struct node *n, const char *client)
{
	const struct sim_eroute *r = eroute_to(n, client);

	if (r == NULL || r->e.kind != EROUTE_SA || r->e.n_sas == 0)
		return NULL;
	return *find_sa((struct node *)n, &r->e.sas[0]);
}

bool node_packet(struct node *n, const char *client)
{
	struct sim_eroute *r = eroute_to(n, client);

	if (node_outbound(n, client) != NULL)
		return true;
	if (r == NULL || r->e.kind != EROUTE_TRAP || r->reported)
		return false;
	r->reported = true;
	ike_clock(n->ike, n->world->now);
	ike_kernel_events(n->ike).acquire(n->ike, &(struct kernel_acquire){
		.reqid = r->e.reqid, .src = r->e.src.addr, .dst = r->e.dst.addr, .protocol = 17, .sport = 1, .dport = 2 });
	return false;
}

void node_expire(struct node *n, const struct sim_sa *s, bool hard)
{
	struct kernel_expiry e = { .id = s->id, .src = n->addr, .hard = hard };

	ike_clock(n->ike, n->world->now);
	ike_kernel_events(n->ike).expired(n->ike, &e);
}

bool node_traffic(struct node *from, const char *client, struct node *to, unsigned packets)
{
	const struct sim_eroute *r = eroute_to(from, client);
	struct sim_sa *out, *in;

	if (node_outbound(from, client) == NULL)
		return false;
	for (unsigned i = 0; i < r->e.n_sas; i++) {
		out = *find_sa(from, &r->e.sas[i]);
		in = *find_sa(to, &r->e.sas[i]);
		if (out == NULL || in == NULL)
			return false;
		out->packets += packets;
		in->packets += packets;
	}
	return true;
}

bool node_has_twin(const struct node *n, const struct sim_sa *s)
{
	const struct sim_sa *twin = *find_sa((struct node *)n, &s->id);

	return twin != NULL && twin->inbound;
}

unsigned node_sas(const struct node *n, bool inbound)
{
	unsigned count = 0;

	for (const struct sim_sa *s = n->sas; s != NULL; s = s->next)
		count += s->inbound == inbound;
	return count;
}

bool world_keys_agree(const struct node *a, const struct node *b, unsigned *lonely)
{
	*lonely = 0;
	for (const struct sim_sa *s = a->sas; s != NULL; s = s->next) {
		const struct sim_sa *twin;

		if (s->inbound || !addr_eq(&s->id.dst, &b->addr))
			continue;
		twin = *find_sa((struct node *)b, &s->id);
		if (twin == NULL) {
			++*lonely;
			continue;
		}
		if (!twin->inbound || twin->cipher != s->cipher || twin->mac != s->mac ||
		    twin->key_octets != s->key_octets ||
		    memcmp(twin->key, s->key, s->key_octets) != 0) {
			fprintf(stderr, "SA 0x%08x of %s has another key at %s\n", s->id.spi, a->name,
				b->name);
			return false;
		}
	}
	return true;
}
