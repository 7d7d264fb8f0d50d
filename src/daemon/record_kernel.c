/* record_kernel.c -- the table of the kernel, written down. */
#include "daemon/record_internal.h"

static struct text begin(struct record *r, const char *what, uint32_t token)
{
	struct text t = record_line(r);

	r->depth++;
	text_add(&t, "< kernel %s %u", what, token);
	return t;
}

static void put_word(struct text *t, const char *s)
{
	text_add(t, " %s", s == NULL || *s == '\0' ? "-" : s);
}

static void tap_attach(void *k, uint32_t token, const char *virtual_, const char *real)
{
	struct record *r = k;
	struct text t = begin(r, "attach", token);

	put_word(&t, virtual_);
	put_word(&t, real);
	record_put(r, &t);
	r->kernel.ops->attach(r->kernel.k, token, virtual_, real);
	r->depth--;
}

static void tap_hole(void *k, uint16_t port)
{
	struct record *r = k;
	struct text t = record_line(r);

	text_add(&t, "< kernel hole %u", port);
	record_put(r, &t);
	r->kernel.ops->hole(r->kernel.k, port);
}

static void tap_get_spi(void *k, uint32_t token, const struct ip_addr *src, const struct ip_addr *dst,
			uint8_t protocol, uint32_t lo, uint32_t hi)
{
	struct record *r = k;
	struct text t = begin(r, "get_spi", token);

	record_addr(&t, src);
	record_addr(&t, dst);
	text_add(&t, " %u %08x %08x", protocol, lo, hi);
	record_put(r, &t);
	r->kernel.ops->get_spi(r->kernel.k, token, src, dst, protocol, lo, hi);
	r->depth--;
}

static void tap_add_sa(void *k, uint32_t token, const struct kernel_sa *sa)
{
	struct record *r = k;
	struct text t = begin(r, "add_sa", token);

	record_sa_id(&t, &sa->id);
	record_addr(&t, &sa->src);
	text_add(&t, " %s %s", sa->inbound ? "in" : "out", sa->tunnel ? "tunnel" : "transport");
	text_add(&t, " %u %u", (unsigned)sa->cipher, (unsigned)sa->mac);
	record_hex(&t, sa->cipher_key);
	record_hex(&t, sa->mac_key);
	text_add(&t, " %u", sa->replay_window);
	record_subnet(&t, &sa->src_client);
	record_subnet(&t, &sa->dst_client);
	text_add(&t, " %u %u %u %u %u %u", sa->client_protocol, sa->src_port, sa->dst_port,
		 sa->encap_sport, sa->encap_dport, sa->reqid);
	put_word(&t, sa->interface);
	record_put(r, &t);
	r->kernel.ops->add_sa(r->kernel.k, token, sa);
	r->depth--;
}

static void tap_del_sa(void *k, uint32_t token, const struct sa_id *id)
{
	struct record *r = k;
	struct text t = begin(r, "del_sa", token);

	record_sa_id(&t, id);
	record_put(r, &t);
	r->kernel.ops->del_sa(r->kernel.k, token, id);
	r->depth--;
}

static void tap_read_sa(void *k, uint32_t token, const struct sa_id *id)
{
	struct record *r = k;
	struct text t = begin(r, "read_sa", token);

	record_sa_id(&t, id);
	record_put(r, &t);
	r->kernel.ops->read_sa(r->kernel.k, token, id);
	r->depth--;
}

static void tap_move_sa(void *k, uint32_t token, const struct sa_id *id, bool inbound, const struct endpoint *peer)
{
	struct record *r = k;
	struct text t = begin(r, "move_sa", token);

	record_sa_id(&t, id);
	text_add(&t, " %s", inbound ? "in" : "out");
	record_endpoint(&t, peer);
	record_put(r, &t);
	r->kernel.ops->move_sa(r->kernel.k, token, id, inbound, peer);
	r->depth--;
}

static void put_eroute(struct text *t, const struct kernel_eroute *e)
{
	record_subnet(t, &e->src);
	record_subnet(t, &e->dst);
	text_add(t, " %u %u %u %u %u", e->client_protocol, e->src_port, e->dst_port,
		 (unsigned)e->kind, e->n_sas);
	for (unsigned i = 0; i < e->n_sas && i < EROUTE_SAS; i++)
		record_sa_id(t, &e->sas[i]);
	record_addr(t, &e->me);
	record_addr(t, &e->peer);
	text_add(t, " %s %u", e->tunnel ? "tunnel" : "transport", e->reqid);
	put_word(t, e->interface);
}

static void tap_set_eroute(void *k, uint32_t token, const struct kernel_eroute *e)
{
	struct record *r = k;
	struct text t = begin(r, "set_eroute", token);

	put_eroute(&t, e);
	record_put(r, &t);
	r->kernel.ops->set_eroute(r->kernel.k, token, e);
	r->depth--;
}

static void tap_del_eroute(void *k, uint32_t token, const struct kernel_eroute *e)
{
	struct record *r = k;
	struct text t = begin(r, "del_eroute", token);

	put_eroute(&t, e);
	record_put(r, &t);
	r->kernel.ops->del_eroute(r->kernel.k, token, e);
	r->depth--;
}

static void tap_updown(void *k, uint32_t token, const struct updown_request *u)
{
	struct record *r = k;
	struct text t = begin(r, "updown", token);

	text_add(&t, " %u", u->timeout);
	for (size_t i = 0; u->argv[i] != NULL; i++)
		record_text(&t, u->argv[i]);
	for (size_t i = 0; u->env[i] != NULL; i++)
		record_text(&t, u->env[i]);
	record_put(r, &t);
	r->kernel.ops->updown(r->kernel.k, token, u);
	r->depth--;
}

static void tap_leave(void *k)
{
	struct record *r = k;
	struct text t = record_line(r);

	text_add(&t, "< kernel leave");
	record_put(r, &t);
	r->kernel.ops->leave(r->kernel.k);
}

static void tap_close(void *k)
{
	struct record *r = k;

	r->kernel.ops->close(r->kernel.k);
}

struct kernel record_kernel(struct record *r, struct kernel kernel)
{
	static struct kernel_ops ops = {
		.attach = tap_attach,
		.hole = tap_hole,
		.get_spi = tap_get_spi,
		.add_sa = tap_add_sa,
		.del_sa = tap_del_sa,
		.read_sa = tap_read_sa,
		.move_sa = tap_move_sa,
		.set_eroute = tap_set_eroute,
		.del_eroute = tap_del_eroute,
		.updown = tap_updown,
		.close = tap_close,
	};

	if (r == NULL)
		return kernel;
	r->kernel = kernel;
	ops.name = kernel.ops->name;	/* ike may name the backend in status */
	ops.compresses = kernel.ops->compresses;
	ops.encapsulates = kernel.ops->encapsulates;
	ops.bundles_alike = kernel.ops->bundles_alike;
	ops.leave = kernel.ops->leave == NULL ? NULL : tap_leave;
	return (struct kernel){ .ops = &ops, .k = r };
}
