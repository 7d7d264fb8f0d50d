/* klips_wire.c -- the klips process's side of the talk with pluto: requests in, answers out. */
#include "kernel/klips_process.h"

#include "base/text.h"
#include "base/xalloc.h"
#include "generated/klips_protocol.h"
#include "generated/names.h"
#include "kernel/interfaces.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MAX 4096		/* octets of one answer */
#define OUT_FULL (256u << 10)	/* octets waiting: then no requests are read and no news is told */

/* ---- answers ----------------------------------------------------------- */

bool wire_full(const struct klips *k)
{
	return k->out_n >= OUT_FULL;
}

void wire_writable(struct klips *k)
{
	size_t at = 0;

	while (at < k->out_n) {
		ssize_t n = send(k->control, k->out + at, k->out_n - at, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0) {
			k->gone |= errno != EAGAIN && errno != EINTR;
			break;
		}
		at += (size_t)n;
	}
	if (at == 0)
		return;
	memmove(k->out, k->out + at, k->out_n - at);
	k->out_n -= at;
}

static void enqueue(struct klips *k, const struct writer *w)
{
	if (w->overflow)
		return;
	if (k->out_n + w->n > k->out_cap) {
		k->out_cap = k->out_n + w->n + ANSWER_MAX;
		k->out = xrealloc(k->out, k->out_cap);
	}
	memcpy(k->out + k->out_n, w->p, w->n);
	k->out_n += w->n;
	wire_writable(k);
}

void wire_log(struct klips *k, const char *line)
{
	uint8_t room[ANSWER_MAX];
	struct writer w = writer_on(room, sizeof room);

	if (wire_full(k))
		return;
	klips_put_log(&w, &(struct klips_log){ .line = span_str(line) });
	enqueue(k, &w);
}

void wire_acquire(struct klips *k, const struct eroute *e, const struct flow *f)
{
	uint8_t room[ANSWER_MAX];
	struct writer w = writer_on(room, sizeof room);

	if (wire_full(k))
		return;
	klips_put_acquire(&w, &(struct klips_acquire){ .src = f->src, .dst = f->dst, .protocol = f->protocol,
						       .sport = f->sport, .dport = f->dport, .reqid = e->is.reqid });
	enqueue(k, &w);
}

void wire_expired(struct klips *k, const struct sa *sa, bool hard)
{
	uint8_t room[ANSWER_MAX];
	struct writer w = writer_on(room, sizeof room);

	if (wire_full(k))
		return;
	klips_put_expired(&w, &(struct klips_expired){ .dst = sa->id.dst, .protocol = sa->id.protocol,
						       .spi = sa->id.spi, .src = sa->src, .hard = hard });
	enqueue(k, &w);
}

void wire_mapping(struct klips *k, const struct sa_id *id, const struct endpoint *from)
{
	uint8_t room[ANSWER_MAX];
	struct writer w = writer_on(room, sizeof room);

	if (wire_full(k))
		return;
	klips_put_mapping(&w, &(struct klips_mapping){ .dst = id->dst, .protocol = id->protocol, .spi = id->spi,
						       .from = *from });
	enqueue(k, &w);
}

static void done(struct klips *k, const struct klips_done *answer)
{
	uint8_t room[ANSWER_MAX];
	struct writer w = writer_on(room, sizeof room);

	klips_put_done(&w, answer);
	enqueue(k, &w);
}

/* The answer: why not (about `what`), or ok. */
static void conclude(struct klips *k, uint32_t token, enum reason bad, const char *what)
{
	struct klips_done answer = { .token = token, .ok = bad == REASON_NONE };
	const struct reason_desc *r = &reasons[bad];

	if (bad != REASON_NONE)
		answer.why = span_str(arena_printf(k->arena, "%s: %s%s%s", what, r->template,
						   r->remedy == NULL ? "" : "; ",
						   r->remedy == NULL ? "" : r->remedy));
	done(k, &answer);
}

static void conclude_counts(struct klips *k, uint32_t token, const struct kernel_counts *c)
{
	done(k, &(struct klips_done){ .token = token, .ok = true, .packets = c->packets, .bytes = c->bytes,
				      .replays = c->replays, .bad = c->bad, .last_used = c->last_used });
}

/* ---- requests ---------------------------------------------------------- */

static const char *name_sa(struct klips *k, const struct sa_id *id)
{
	char text[SA_TEXT];

	return arena_printf(k->arena, "%s", sa_format(id, text));
}

/* The index of a device that is attached; "" = the only one or the first one. */
static unsigned find_device(const struct klips *k, struct span name)
{
	char text[16];

	if (name.n == 0) {
		for (unsigned i = 0; i < LIMIT_KLIPS_DEVICES; i++)
			if (k->ports[i].tun >= 0)
				return i;
		return DEVICE_NONE;
	}
	if (name.n >= sizeof text)
		return DEVICE_NONE;
	memcpy(text, name.p, name.n);
	text[name.n] = '\0';
	return datapath_device(&k->d, text);
}

static void replace_fd(int *fd, int with)
{
	if (*fd >= 0)
		close(*fd);
	*fd = with;
}

static enum reason attach(struct klips *k, const char *virtual_, const char *real, int *error)
{
	unsigned i = interface_is_virtual(virtual_) ? (unsigned)(virtual_[5] - '0') : DEVICE_NONE;
	struct opened o;
	int fds[3];

	if (i >= LIMIT_KLIPS_DEVICES)
		return REASON_KLIPS_DEVICE_NAME;
	if (!opener_attach(k->opener, virtual_, real, k->ports[i].tun >= 0, &o))
		return REASON_KLIPS_DEVICE_TUN;
	*error = o.error;
	if (o.bad != REASON_NONE)
		return o.bad;
	opened_take(&o, fds, 3);
	replace_fd(&k->ports[i].out, fds[0]);
	replace_fd(&k->ports[i].out6, fds[1]);
	if (fds[2] >= 0)
		k->ports[i].tun = fds[2];
	snprintf(k->d.devices[i].name, sizeof k->d.devices[i].name, "%s", virtual_);
	snprintf(k->d.devices[i].real, sizeof k->d.devices[i].real, "%s", real);
	memcpy(k->d.devices[i].addrs, o.addrs, sizeof o.addrs);
	k->d.devices[i].n_addrs = o.n_addrs;
	k->d.devices[i].mtu = o.mtu;
	return REASON_NONE;
}

static void do_attach(struct klips *k, const struct klips_attach *m)
{
	char *virtual_ = arena_str(k->arena, m->virtual_), *real = arena_str(k->arena, m->real);
	char escaped[80], why[200];
	struct text e = text_on(escaped, sizeof escaped), t = text_on(why, sizeof why);
	int error = 0;
	enum reason bad = attach(k, virtual_, real, &error);

	text_escape(&e, m->virtual_);
	text_add(&e, " on ");
	text_escape(&e, m->real);
	text_add(&t, "%s%s%s%s", escaped, error == 0 ? "" : " (", error == 0 ? "" : strerror(error),
		 error == 0 ? "" : ")");
	conclude(k, m->token, bad, why);
}

static void do_hole(struct klips *k, const struct klips_hole *m)
{
	enum reason bad = REASON_NONE;

	for (size_t i = 0; i < k->d.n_holes; i++)
		if (k->d.holes[i] == m->port) {
			conclude(k, m->token, bad, "");
			return;
		}
	if (k->d.n_holes == LIMIT_KLIPS_HOLES)
		bad = REASON_KLIPS_HOLES_FULL;
	else
		k->d.holes[k->d.n_holes++] = m->port;
	conclude(k, m->token, bad, "hole");
}

static void do_get_spi(struct klips *k, const struct klips_get_spi *m)
{
	struct klips_done answer = { .token = m->token, .ok = true };
	uint32_t draw;
	enum reason bad;

	k->d.random(k, &draw, sizeof draw);
	bad = sadb_reserve(k->d.sas, &m->dst, m->protocol, m->lo, m->hi, draw, k->d.now_ms / 1000, &answer.spi);
	if (bad != REASON_NONE)
		conclude(k, m->token, bad, "SPI");
	else
		done(k, &answer);
}

/* The algorithm of that name; "" is ALG_NONE.  False when there is none. */
static bool find_algorithm(struct span name, enum alg *out)
{
	*out = ALG_NONE;
	if (name.n == 0)
		return true;
	for (unsigned i = ALG_NONE + 1; i < ALG_COUNT; i++)
		if (span_eq(name, span_str(alg_table[i].name))) {
			*out = (enum alg)i;
			return true;
		}
	return false;
}

static enum reason add_sa(struct klips *k, const struct klips_add_sa *m, struct kernel_sa *sa)
{
	unsigned device = find_device(k, m->device);

	if (device == DEVICE_NONE)
		return REASON_KLIPS_DEVICE_UNKNOWN;
	if (!find_algorithm(m->cipher, &sa->cipher) || !find_algorithm(m->mac, &sa->mac) ||
	    !find_algorithm(m->comp, &sa->comp))
		return REASON_KLIPS_SA_ALGORITHM;
	if (sa->inbound && sa->encap_dport != 0 && !io_filter(k, sa->encap_dport))
		return REASON_KLIPS_DEVICE_RAW;
	return sadb_add(k->d.sas, sa, device, k->d.now_ms / 1000);
}

static void do_add_sa(struct klips *k, const struct klips_add_sa *m)
{
	struct kernel_sa sa = {
		.id = { .dst = m->dst, .protocol = m->protocol, .spi = m->spi },
		.src = m->src, .inbound = m->inbound, .tunnel = m->tunnel,
		.cipher_key = m->cipher_key, .mac_key = m->mac_key, .replay_window = m->replay_window,
		.src_client = m->src_client, .dst_client = m->dst_client,
		.client_protocol = m->client_protocol, .src_port = m->src_port, .dst_port = m->dst_port,
		.encap_sport = m->encap_sport, .encap_dport = m->encap_dport, .reqid = m->reqid,
		.outwards = m->outwards, .inwards = m->inwards, .inner_tunnel = m->inner_tunnel,
		.soft = { .octets = m->soft_octets, .packets = m->soft_packets }, .hard = { .octets = m->hard_octets },
	};

	enum reason bad = add_sa(k, m, &sa);

	conclude(k, m->token, bad, name_sa(k, &sa.id));
	if (bad == REASON_NONE && sa.inbound)
		io_receive_early(k, sadb_find(k->d.sas, &sa.id));
}

static void do_del_sa(struct klips *k, const struct klips_del_sa *m)
{
	struct sa_id id = { .dst = m->dst, .protocol = m->protocol, .spi = m->spi };
	struct kernel_counts counts;

	if (sadb_del(k->d.sas, &id, &counts))
		conclude_counts(k, m->token, &counts);
	else
		conclude(k, m->token, REASON_KLIPS_SA_UNKNOWN, name_sa(k, &id));
}

static void do_read_sa(struct klips *k, const struct klips_read_sa *m)
{
	struct sa_id id = { .dst = m->dst, .protocol = m->protocol, .spi = m->spi };
	struct sa *sa = sadb_find(k->d.sas, &id);

	if (sa != NULL && !sa->larval)
		conclude_counts(k, m->token, &sa->counts);
	else
		conclude(k, m->token, REASON_KLIPS_SA_UNKNOWN, name_sa(k, &id));
}

static void do_move_sa(struct klips *k, const struct klips_move_sa *m)
{
	struct sa_id id = { .dst = m->dst, .protocol = m->protocol, .spi = m->spi };

	conclude(k, m->token, sadb_move(k->d.sas, &id, m->inbound, &m->peer), name_sa(k, &id));
}

static const char *name_eroute(struct klips *k, const struct kernel_eroute *e)
{
	char src[SUBNET_TEXT], dst[SUBNET_TEXT];

	return arena_printf(k->arena, "eroute %s to %s", subnet_format(&e->src, src), subnet_format(&e->dst, dst));
}

static enum eroute_kind kind_of(unsigned kind)
{
	switch (kind) {
	case KLIPS_EROUTE_KIND_SA:
		return EROUTE_SA;
	case KLIPS_EROUTE_KIND_PASS:
		return EROUTE_PASS;
	default:
		return EROUTE_TRAP;	/* what is not understood stays shut */
	}
}

static void do_set_eroute(struct klips *k, const struct klips_set_eroute *m)
{
	struct kernel_eroute e = {
		.src = m->src, .dst = m->dst, .client_protocol = m->client_protocol,
		.src_port = m->src_port, .dst_port = m->dst_port, .kind = kind_of(m->kind),
		.n_sas = (unsigned)m->n_sas, .me = m->me, .peer = m->peer, .tunnel = m->tunnel,
		.reqid = m->reqid, .hold = m->hold,
	};
	unsigned device = find_device(k, m->device);
	enum reason bad;
	bool added;

	if (device == DEVICE_NONE) {
		conclude(k, m->token, REASON_KLIPS_DEVICE_UNKNOWN, name_eroute(k, &e));
		return;
	}
	for (size_t i = 0; i < m->n_sas && i < EROUTE_SAS; i++)
		e.sas[i] = (struct sa_id){ .dst = m->sas[i].dst, .protocol = m->sas[i].protocol,
					   .spi = m->sas[i].spi };
	bad = eroute_set(k->d.eroutes, &e, device, &added);
	conclude(k, m->token, bad, name_eroute(k, &e));
	if (bad == REASON_NONE && e.kind == EROUTE_SA)
		io_release(k, eroute_exact(k->d.eroutes, &e));
}

static void do_del_eroute(struct klips *k, const struct klips_del_eroute *m)
{
	struct kernel_eroute e = { .src = m->src, .dst = m->dst, .client_protocol = m->client_protocol,
				   .src_port = m->src_port, .dst_port = m->dst_port };

	conclude(k, m->token, eroute_del(k->d.eroutes, &e) ? REASON_NONE : REASON_KLIPS_EROUTE_UNKNOWN,
		 name_eroute(k, &e));
}

static void dispatch(struct klips *k, const struct klips_message *m)
{
	switch (m->id) {
	case KLIPS_ATTACH:
		do_attach(k, &m->u.attach);
		break;
	case KLIPS_HOLE:
		do_hole(k, &m->u.hole);
		break;
	case KLIPS_GET_SPI:
		do_get_spi(k, &m->u.get_spi);
		break;
	case KLIPS_ADD_SA:
		do_add_sa(k, &m->u.add_sa);
		break;
	case KLIPS_DEL_SA:
		do_del_sa(k, &m->u.del_sa);
		break;
	case KLIPS_READ_SA:
		do_read_sa(k, &m->u.read_sa);
		break;
	case KLIPS_MOVE_SA:
		do_move_sa(k, &m->u.move_sa);
		break;
	case KLIPS_SET_EROUTE:
		do_set_eroute(k, &m->u.set_eroute);
		break;
	case KLIPS_DEL_EROUTE:
		do_del_eroute(k, &m->u.del_eroute);
		break;
	case KLIPS_QUIT:
		k->quit = true;
		break;
	default:
		break;
	}
}

/* ---- the stream -------------------------------------------------------- */

static void give_up(struct klips *k)
{
	wire_log(k, "pluto sent what is no message of the protocol; are pluto and klips of one version?");
	k->gone = true;
	k->nonsense = true;
}

/* One whole request at the start of the input; its octets (keys among them) are wiped.  False when
 * there is none yet, or when pluto talks nonsense: then there is no use in going on. */
static bool one_request(struct klips *k)
{
	struct klips_message m;
	struct fault f;
	size_t n;

	if (k->in_n < 4)
		return false;
	n = (size_t)get_u32(k->in) + 4;
	if (n > sizeof k->in) {
		give_up(k);
		return false;
	}
	if (k->in_n < n)
		return false;
	if (klips_get(span_of(k->in + 4, n - 4), k->arena, &m, &f))
		dispatch(k, &m);
	else
		give_up(k);
	arena_reset(k->arena);
	memmove(k->in, k->in + n, k->in_n - n);
	k->in_n -= n;
	wipe(k->in + k->in_n, n);
	return !k->gone;
}

void wire_readable(struct klips *k)
{
	ssize_t n = recv(k->control, k->in + k->in_n, sizeof k->in - k->in_n, MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		k->gone = true;
		return;
	}
	if (n < 0)
		return;
	k->in_n += (size_t)n;
	while (!k->quit && one_request(k))
		;
}
