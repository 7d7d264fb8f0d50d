/* datapath.c -- the way of a packet through eroutes and SAs. */
#include "kernel/datapath.h"

#include "kernel/ip6.h"

#include <netinet/in.h>

const char *const verdict_text[VERDICT_COUNT] = {
	[VERDICT_SEND] = "protected and sent",
	[VERDICT_PASS] = "sent in clear",
	[VERDICT_DELIVER] = "received and delivered",
	[VERDICT_MALFORMED] = "malformed IP packet",
	[VERDICT_FAMILY] = "packet of another family than the SA's in transport mode",
	[VERDICT_OF_LINK] = "packet that belongs to one link",
	[VERDICT_EARLY] = "came before the keys of its SA",
	[VERDICT_HELD] = "fragment of a datagram not complete yet",
	[VERDICT_NO_EROUTE] = "no eroute for it",
	[VERDICT_TRAP] = "held back until there is an SA",
	[VERDICT_NO_SA] = "no such SA",
	[VERDICT_EXHAUSTED] = "the SA is used up",
	[VERDICT_TOO_BIG] = "larger than the path's MTU",
	[VERDICT_NO_ROOM] = "larger than an IP packet may be",
	[VERDICT_FRAGMENT] = "fragment in transport mode",
	[VERDICT_ROUTED] = "routing header that is not used up, which neither AH nor UDP's checksum covers",
	[VERDICT_CRYPTO] = "cipher failed",
	[VERDICT_REPLAY] = "replayed",
	[VERDICT_BAD_ICV] = "not authentic",
	[VERDICT_BAD_LENGTH] = "impossible length",
	[VERDICT_BAD_PADDING] = "wrong padding",
	[VERDICT_BAD_NEXT] = "next header does not fit the SA's mode",
	[VERDICT_SELECTOR] = "inner packet outside the SA's clients",
	[VERDICT_SOURCE] = "source is not the SA's peer",
	[VERDICT_ENCAP] = "UDP encapsulation does not fit the SA",
	[VERDICT_CHECKSUM] = "ESP in UDP over IPv6 without the checksum that IPv6 wants",
	[VERDICT_DUMMY] = "dummy packet",
	[VERDICT_BUNDLE] = "not protected by every SA of its bundle",
	[VERDICT_COMPRESSION] = "compressed octets that cannot be restored",
	[VERDICT_NESTED] = "nested too deep",
};

#define PATH_MTU_LEAST 576	/* RFC 1191 3 would go down to 68; nobody honest needs that */
#define PATH_MTU_SECONDS 600	/* RFC 1191 6.3: then a larger one is tried again */

void datapath_init(struct datapath *d, void *ctx, void (*random)(void *ctx, void *p, size_t n),
		   void (*acquire)(void *ctx, const struct eroute *e, const struct flow *f))
{
	uint8_t key[16];

	memset(d, 0, sizeof *d);
	d->ctx = ctx;
	d->random = random;
	d->acquire = acquire;
	random(ctx, key, sizeof key);
	d->sas = sadb_new(key);
	random(ctx, key, sizeof key);
	d->eroutes = eroutes_new(key);
	d->reassembly = reassembly_new();
	random(ctx, &d->ip_id, sizeof d->ip_id);
}

void datapath_free(struct datapath *d)
{
	sadb_free(d->sas);
	eroutes_free(d->eroutes);
	reassembly_free(d->reassembly);
	wipe(d, sizeof *d);
}

unsigned datapath_device(const struct datapath *d, const char *name)
{
	for (unsigned i = 0; i < LIMIT_KLIPS_DEVICES; i++)
		if (d->devices[i].name[0] != '\0' && strcmp(d->devices[i].name, name) == 0)
			return i;
	return DEVICE_NONE;
}

static enum verdict count(struct datapath *d, enum verdict v)
{
	d->counts[v]++;
	return v;
}

/* Octets of the pool that are never given out again. */
static const uint8_t *fresh_random(struct datapath *d, size_t n)
{
	if (d->pool_left < n) {
		d->random(d->ctx, d->pool, sizeof d->pool);
		d->pool_left = sizeof d->pool;
	}
	d->pool_left -= n;
	return d->pool + d->pool_left;
}

/* ---- outwards ---------------------------------------------------------- */

static bool is_own(const struct device *device, const struct ip_addr *a)
{
	for (size_t i = 0; i < device->n_addrs; i++)
		if (addr_eq(&device->addrs[i], a))
			return true;
	return false;
}

/* IKE keeps the way to the peer open even when the peer itself is routed into ipsecN. */
static bool is_ike(const struct datapath *d, unsigned device, const struct flow *f)
{
	if (f->protocol != IPPROTO_UDP)
		return false;
	for (size_t i = 0; i < d->n_holes; i++)
		if (f->sport == d->holes[i])
			return is_own(&d->devices[device], &f->src);
	return false;
}

static enum verdict trap(struct datapath *d, struct eroute *e, const struct packet *k, const struct flow *f)
{
	eroute_hold(d->eroutes, e, packet_span(k), d->now_ms);
	if (!eroute_burst(e, d->now_ms, LIMIT_KLIPS_TRAP_QUIET, LIMIT_KLIPS_TRAP_AGAIN))
		return VERDICT_TRAP;
	if (d->acquire_second != d->now_ms / 1000) {
		d->acquire_second = d->now_ms / 1000;
		d->acquires = 0;
	}
	if (d->acquires++ < LIMIT_KLIPS_ACQUIRES)
		d->acquire(d->ctx, e, f);
	return VERDICT_TRAP;
}

/* An SA has carried one packet more: are its octets or sequence numbers used up, or nearly?  Each is told once. */
static void note_life(struct datapath *d, struct sa *sa)
{
	const struct kernel_counts *k = &sa->counts;
	bool hard = sa->hard.octets != 0 && k->bytes >= sa->hard.octets;
	bool soft = hard || (sa->soft.octets != 0 && k->bytes >= sa->soft.octets) ||
		    (sa->soft.packets != 0 && k->packets >= sa->soft.packets);

	if (d->expired != NULL && ((hard && !sa->exhausted) || (soft && !sa->aged)))
		d->expired(d->ctx, sa, hard);
	sa->aged = soft;
	sa->exhausted = sa->exhausted || hard;
}

static size_t sa_limit(const struct datapath *d, unsigned device, const struct sa *sa)
{
	size_t limit = d->devices[device].mtu;

	if (sa->pmtu != 0 && sa->pmtu < limit && d->now_ms / 1000 - sa->pmtu_at < PATH_MTU_SECONDS)
		limit = sa->pmtu;
	return limit;
}

/* Every SA of the bundle and the octets that an inner packet may have; false when one is missing. */
static bool gather(struct datapath *d, const struct eroute *e, struct sa *sas[EROUTE_SAS],
		   struct path *path, size_t *room)
{
	size_t i;

	for (i = 0; i < e->is.n_sas; i++) {
		path->sa = e->is.sas[i];
		sas[i] = sadb_find(d->sas, &e->is.sas[i]);
		if (sas[i] == NULL || sas[i]->larval || sas[i]->inbound)
			return false;
	}
	path->mtu = *room = sa_limit(d, path->device, sas[e->is.n_sas - 1]);
	while (i-- > 0)
		*room = sa_room(sas[i], *room);
	return true;
}

static enum verdict protect(struct datapath *d, const struct eroute *e, struct packet *k, struct flow *f,
			    struct path *path)
{
	struct sa *sas[EROUTE_SAS];
	enum verdict v = VERDICT_NO_SA;
	size_t room;

	if (!gather(d, e, sas, path, &room))
		return VERDICT_NO_SA;
	if (f->dst.len == 16 && room < IP6_MTU_LEAST)
		room = IP6_MTU_LEAST;	/* what that makes is cut into fragments instead (RFC 2473 7.1) */
	if (f->df && f->length > room) {
		path->mtu = room;
		return VERDICT_TOO_BIG;
	}
	for (unsigned i = 0; i < e->is.n_sas; i++) {
		path->sa = sas[i]->id;
		if (++d->ip_id == 0)	/* 0 means none */
			d->ip_id = 1;
		v = sa_seal(sas[i], k, f, fresh_random(d, sas[i]->iv), d->ip_id);
		if (v != VERDICT_SEND)
			return v;
		sas[i]->counts.last_used = d->now_ms / 1000;
		note_life(d, sas[i]);
		if (!packet_flow(packet_span(k), f))
			return VERDICT_MALFORMED;
	}
	path->dst = f->dst;
	return v;
}

enum verdict datapath_out(struct datapath *d, unsigned device, struct packet *k, struct path *path)
{
	struct flow f;
	struct eroute *e;

	*path = (struct path){ .device = device, .mtu = d->devices[device].mtu };
	if (!packet_flow(packet_span(k), &f))
		return count(d, VERDICT_MALFORMED);
	if (ip6_is_of_link(&f))
		return count(d, VERDICT_OF_LINK);
	packet_cut(k, f.length);
	/* Of IPv6 also a datagram that is a fragment by its header alone (RFC 6946). */
	if ((f.fragment || f.fragment_at != 0) && is_own(&d->devices[device], &f.src)) {
		if (!reassembly_add(d->reassembly, k, &f, k) || !packet_flow(packet_span(k), &f))
			return count(d, VERDICT_HELD);
		f.df = false;	/* it was cut before */
	}
	path->dst = f.dst;
	if (is_ike(d, device, &f))
		return count(d, VERDICT_PASS);
	e = eroute_lookup(d->eroutes, &f);
	if (e == NULL)
		return count(d, VERDICT_NO_EROUTE);
	e->packets++;
	path->device = e->device;
	switch (e->is.kind) {
	case EROUTE_PASS:
		if (f.dst.len == 16 && f.length > path->mtu && !is_own(&d->devices[device], &f.src))
			return count(d, VERDICT_TOO_BIG);	/* nobody cuts IPv6 on its way */
		return count(d, VERDICT_PASS);
	case EROUTE_SA:
		return count(d, protect(d, e, k, &f, path));
	case EROUTE_TRAP:
		break;
	}
	return count(d, trap(d, e, k, &f));
}

bool datapath_path_mtu(struct datapath *d, const struct sa_id *id, size_t mtu)
{
	struct sa *sa = sadb_find(d->sas, id);
	size_t least = id->dst.len == 16 ? IP6_MTU_LEAST : PATH_MTU_LEAST;

	if (sa == NULL || sa->larval || sa->inbound || mtu > UINT16_MAX)
		return false;
	if (mtu < least)
		mtu = least;
	if (mtu >= sa_limit(d, sa->device, sa))
		return false;
	sa->pmtu = (uint16_t)mtu;
	sa->pmtu_at = d->now_ms / 1000;
	return true;
}

/* ---- inwards ----------------------------------------------------------- */

/* Which protection comes first in the packet, after `outer` was taken off (0 = nothing yet): the SA. */
static enum verdict find_sa(struct datapath *d, const struct packet *k, const struct flow *f, uint8_t outer,
			    struct sa **found, struct path *path)
{
	struct span body = span_sub(packet_span(k), f->header, f->length - f->header);
	bool udp = f->protocol == IPPROTO_UDP;
	struct sa *sa;

	path->sa = (struct sa_id){ .dst = f->dst, .protocol = udp ? IPPROTO_ESP : f->protocol };
	if (udp)
		body = span_from(body, UDP_HEADER);
	path->sa.spi = sa_read_spi(body, path->sa.protocol);
	if (path->sa.spi == 0)
		return VERDICT_BAD_LENGTH;
	*found = sa = sadb_find(d->sas, &path->sa);
	if (sa != NULL && sa->larval && outer == 0) {
		sadb_hold(d->sas, sa, packet_span(k), d->now_ms);
		return VERDICT_EARLY;
	}
	if (sa == NULL || sa->larval || !sa->inbound)
		return VERDICT_NO_SA;
	if (udp != (sa->encap_dport != 0) || (udp && f->dport != sa->encap_dport)) {
		sa->counts.bad++;
		return VERDICT_ENCAP;
	}
	/* That it is right is for the ICV to say; but no host may take it without (RFC 8200 8.1). */
	if (udp && f->dst.len == 16 && get_u16(k->p + f->header + 6) == 0) {
		sa->counts.bad++;
		return VERDICT_CHECKSUM;
	}
	if (!udp && outer == 0 && !addr_eq(&f->src, &sa->src)) {	/* else checked by the one around it */
		sa->counts.bad++;
		return VERDICT_SOURCE;
	}
	if (sa->outwards != outer) {
		sa->counts.bad++;
		return VERDICT_BUNDLE;
	}
	return VERDICT_DELIVER;
}

/* What was authentic came from `f`: from elsewhere than the SA says?  Whether it is believed pluto decides. */
static void compare_source(struct datapath *d, struct sa *sa, const struct flow *f)
{
	struct endpoint from = { .addr = f->src, .port = f->sport };

	if (sa->encap_dport == 0 || d->mapping == NULL ||
	    (from.port == sa->encap_sport && addr_eq(&from.addr, &sa->src)) ||
	    (sa->mapping_told != 0 && d->now_ms - sa->mapping_told < LIMIT_KLIPS_MAPPING_AGAIN))
		return;
	sa->mapping_told = d->now_ms;
	d->mapping(d->ctx, &sa->id, &from);
}

/* What n SAs have taken the protection off lies within the selectors of each? */
static bool selected(struct sa *const *used, unsigned n, const struct flow *f, struct path *path)
{
	for (unsigned i = 0; i < n; i++) {
		if (sa_selects(used[i], f))
			continue;
		used[i]->counts.bad++;
		path->sa = used[i]->id;
		return false;
	}
	return true;
}

static enum verdict unprotect(struct datapath *d, struct packet *k, struct path *path)
{
	struct sa *used[EROUTE_SAS];
	bool more = false, in_udp = false;
	enum verdict v;
	struct flow f;

	for (unsigned n = 0; n < EROUTE_SAS; n++) {
		/* What has a whole fragment chain was put together by the host: no fragments here. */
		if (!packet_flow(packet_span(k), &f) || f.fragment)
			return VERDICT_MALFORMED;
		v = find_sa(d, k, &f, n == 0 ? 0 : used[n - 1]->id.protocol, &used[n], path);
		if (v == VERDICT_DELIVER)
			v = sa_open(used[n], k, &f, &more);
		if (v != VERDICT_DELIVER)
			return v;
		compare_source(d, used[n], &f);
		in_udp = in_udp || used[n]->encap_dport != 0;
		used[n]->counts.last_used = d->now_ms / 1000;
		note_life(d, used[n]);
		path->device = used[n]->device;
		if (!packet_flow(packet_span(k), &f))
			return VERDICT_MALFORMED;
		if (more)
			continue;
		if (!used[n]->inner_tunnel && f.fragment)
			return VERDICT_FRAGMENT;
		if (!selected(used, n + 1, &f, path))
			return VERDICT_SELECTOR;
		/* What stands in a tunnel has met no NAT. */
		if (in_udp && !used[n]->inner_tunnel)
			packet_renew_checksum(k, &f);
		path->dst = f.dst;
		return VERDICT_DELIVER;
	}
	return VERDICT_NESTED;
}

enum verdict datapath_in(struct datapath *d, struct packet *k, struct path *path)
{
	*path = (struct path){ .device = DEVICE_NONE };
	return count(d, unprotect(d, k, path));
}
