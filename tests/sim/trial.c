/* trial.c -- the frame of a run: two daemons, a connection between them, what must hold. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "crypto/rsa.h"
#include "generated/suites.h"
#include "ike/algorithms.h"
#include "trial.h"

bool small_dh;
const char *trial_program = "check_sim --runs 1";
const struct faults fair = { .delay_min = 1, .delay_max = 5 };
const struct faults faulty = { .loss = 100, .duplicate = 50, .reorder = 50, .delay_min = 1, .delay_max = 40 };

void trial_begin(struct trial *t, const char *kind, uint64_t seed, bool verbose)
{
	small_dh = false;
	*t = (struct trial){ .kind = kind, .seed = seed, .verbose = verbose };
	t->w = world_new(seed * 0x2545f4914f6cdd1d + 1, &fair);
	world_verbose(t->w, verbose);
	t->a = world_node(t->w, "east", "192.0.2.1", "a secret of both");
	t->b = world_node(t->w, "west", "192.0.2.2", "a secret of both");
	t->c = sim_connection("net", t->a, "10.0.1.0/24", t->b, "10.0.2.0/24");
	snprintf(t->ike, sizeof(t->ike), "aes128-sha256-x25519");
	t->c.ike = span_str(t->ike);
}

unsigned trial_pick(struct trial *t, unsigned n)
{
	return (unsigned)(world_random(t->w) % n);
}

bool trial_expect(struct trial *t, bool ok, const char *fmt, ...)
{
	va_list ap;

	if (ok)
		return true;
	fprintf(stderr, "%s: ", t->kind);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n  again: %s --verbose --seed %llu %s\n", trial_program,
		(unsigned long long)t->seed, t->kind);
	t->failed = true;
	return false;
}

void trial_describe(struct trial *t)
{
	node_connection(t->a, &t->c);
	node_connection(t->b, &t->c);
	node_listen(t->a);
	node_listen(t->b);
}

static void draw_algorithms(struct trial *t)
{
	static const char *const cipher[] = { "aes128", "aes192", "aes256", "3des" };
	static const char *const hash[] = { "md5", "sha1", "sha256", "sha384", "sha512" };
	static const char *const group[] = { "modp768", "x25519" };
	static const char *const esp[] = {
		"aes128gcm16", "aes192gcm16", "aes256gcm16", "aes128gcm8", "aes256gcm12", "aes128-sha256",
		"aes192-sha1", "aes256-sha512", "aes128-sha384", "3des-sha1", "3des-md5", "null-sha256",
	};
	static const char *const ah[] = { "md5", "sha1", "sha256", "sha384", "sha512" };

	snprintf(t->ike, sizeof(t->ike), "%s-%s-%s", cipher[trial_pick(t, 4)], hash[trial_pick(t, 5)],
		 group[trial_pick(t, 2)]);
	snprintf(t->esp, sizeof(t->esp), "%s", esp[trial_pick(t, 12)]);
	snprintf(t->ah, sizeof(t->ah), "%s", ah[trial_pick(t, 5)]);
	t->c.ike = span_str(t->ike);
	t->c.esp = span_str(t->esp);
	t->c.ah = span_str(t->ah);
}

void trial_draw(struct trial *t)
{
	unsigned protocols = trial_pick(t, 8);

	draw_algorithms(t);
	t->c.authenticate = protocols <= 1;
	t->c.encrypt = protocols != 0;
	t->c.pfs = trial_pick(t, 4) == 0;
	if (t->c.pfs && trial_pick(t, 2) == 0)
		t->c.pfsgroup = span_str("x25519");
	t->c.compress = trial_pick(t, 4) == 0;
	if (trial_pick(t, 3) == 0) {		/* host to host */
		t->c.left.client = t->c.right.client = (struct subnet){ 0 };
		t->c.tunnel = trial_pick(t, 2) == 0;
	}
}

bool trial_row(struct trial *t, size_t n)
{
	for (size_t i = 0; i < n_suites; i++) {
		const struct suite *s = suites[i];
		char *into = s->protocol == PROTOCOL_ID_ISAKMP ? t->ike
			   : s->protocol == PROTOCOL_ID_ESP ? t->esp : t->ah;
		struct text text;

		if (n >= s->n) {
			n -= s->n;
			continue;
		}
		if (s->protocol == PROTOCOL_ID_IPCOMP) {	/* has no option of its own kind */
			t->c.compress = t->c.encrypt = true;
			return true;
		}
		text = text_on(into, sizeof(t->ike));
		algorithms_format(&text, s->protocol, &s->rows[n], 0);
		t->c.ike = span_str(t->ike);
		t->c.esp = span_str(t->esp);
		t->c.ah = span_str(t->ah);
		t->c.encrypt = s->protocol != PROTOCOL_ID_AH;
		t->c.authenticate = s->protocol == PROTOCOL_ID_AH;
		return true;
	}
	return false;
}

/* Whom n reaches by c. */
static const char *far_client(const struct trial *t, const struct node *n, char text[static SUBNET_TEXT])
{
	const struct control_end *peer = n == t->a ? &t->c.right : &t->c.left;
	struct subnet s = peer->client.addr.len != 0 ? peer->client : subnet_of_host(&peer->host);

	return subnet_format(&s, text);
}

const struct sim_sa *trial_outbound(const struct trial *t, const struct node *n)
{
	char text[SUBNET_TEXT];

	return node_outbound(n, far_client(t, n, text));
}

bool trial_traffic(const struct trial *t, struct node *from)
{
	char text[SUBNET_TEXT];

	return node_traffic(from, far_client(t, from, text), from == t->a ? t->b : t->a, 1);
}

bool trial_arrives(const struct trial *t, const struct node *n)
{
	const struct sim_sa *s = trial_outbound(t, n);

	return s != NULL && node_has_twin(n == t->a ? t->b : t->a, s);
}

static void check_node(struct trial *t, const struct node *n)
{
	trial_expect(t, n->premature == 0, "%s added %u SAs before their hash was verified", n->name,
		     n->premature);
}

void trial_check_sound(struct trial *t)
{
	unsigned lonely;

	trial_expect(t, world_keys_agree(t->a, t->b, &lonely) && world_keys_agree(t->b, t->a, &lonely),
		     "the keys differ");
	check_node(t, t->a);
	check_node(t, t->b);
}

void trial_check_twins(struct trial *t)
{
	unsigned lonely_a = 0, lonely_b = 0;

	world_keys_agree(t->a, t->b, &lonely_a);
	world_keys_agree(t->b, t->a, &lonely_b);
	trial_expect(t, lonely_a + lonely_b == 0, "SAs without a twin: %u and %u (%s, %s, %s)", lonely_a,
		     lonely_b, t->ike, t->esp, t->ah);
}

unsigned trial_protocols(const struct trial *t)
{
	return (t->c.authenticate ? 1u : 0) + (t->c.encrypt ? 1u : 0) + (t->c.compress ? 1u : 0);
}

void trial_check_up(struct trial *t)
{
	unsigned protocols = trial_protocols(t);

	trial_expect(t, trial_arrives(t, t->a), "traffic of east does not arrive (%s, %s, %s)", t->ike, t->esp,
		     t->ah);
	trial_expect(t, trial_arrives(t, t->b), "traffic of west does not arrive (%s, %s, %s)", t->ike, t->esp,
		     t->ah);
	for (unsigned i = 0; i < 2; i++)
		trial_expect(t, node_sas(t->a, i) <= (2 + t->redundant) * protocols &&
				node_sas(t->b, i) <= (2 + t->redundant) * protocols,
			     "%u and %u %s SAs", node_sas(t->a, i), node_sas(t->b, i),
			     i ? "inbound" : "outbound");
}

static void check_empty(struct trial *t, struct node *n)
{
	struct holdings h = node_holdings(n);

	trial_expect(t, n->stopped, "%s did not stop", n->name);
	trial_expect(t, holdings_none(&h), "%s still has %zu exchanges, %zu requests, %zu plans, %zu timers, "
		     "%zu half-open, %zu connections, %zu pairs, %zu SAs, %zu eroutes, %zu unfinished",
		     n->name, h.exchanges, h.requests, h.plans, h.timers, h.half_open, h.connections,
		     h.pairs, h.sas, h.eroutes, h.unfinished);
}

void trial_end(struct trial *t)
{
	trial_check_sound(t);
	world_middle(t->w, &(struct man_in_the_middle){ 0 });
	world_faults(t->w, &fair);
	if (!t->a->stopped)
		node_shutdown(t->a, false);
	world_run(t->w, 1000);
	if (!t->b->stopped)
		node_shutdown(t->b, false);
	world_run(t->w, 2000);
	check_empty(t, t->a);
	check_empty(t, t->b);
	world_free(t->w);
}

static bool record(void *ctx, struct node *to, const struct endpoint *from, struct buf *datagram)
{
	struct tape *tape = ctx;

	if (tape->n == tape->cap) {
		tape->cap = tape->cap == 0 ? 32 : 2 * tape->cap;
		tape->at = xrealloc(tape->at, tape->cap * sizeof(struct recorded));
	}
	tape->at[tape->n++] = (struct recorded){ to, *from, buf_copy(span_buf(*datagram)) };
	return true;
}

void tape_start(struct trial *t, struct tape *tape)
{
	*tape = (struct tape){ 0 };
	world_middle(t->w, &(struct man_in_the_middle){ .ctx = tape, .pass = record });
}

void tape_free(struct tape *tape)
{
	for (size_t i = 0; i < tape->n; i++)
		buf_free(&tape->at[i].bytes);
	free(tape->at);
}

void trial_kinds(const struct trial_kind *kinds, size_t n, void (*begin)(struct trial *t, const char *kind, uint64_t seed),
		 struct trial_count *count)
{
	for (size_t i = 0; i < n; i++) {
		for (unsigned k = 0; k < kinds[i].runs; k++, count->runs++) {
			struct trial t;

			begin(&t, kinds[i].name, k + 1);
			kinds[i].run(&t);
			trial_end(&t);
			count->failed += t.failed;
		}
	}
}

struct rsa_key *short_key(void)
{
	const char *why;
	struct rsa_key *k = rsa_make(1024, &why);

	if (k == NULL) {
		fprintf(stderr, "no key: %s\n", why);
		exit(1);
	}
	return k;
}
