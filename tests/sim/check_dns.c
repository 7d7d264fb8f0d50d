/* check_dns.c -- public keys that are looked up when they are needed: a DNS that is slow, silent, wrong or not to be
 * believed, on a virtual clock. */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/hash.h"
#include "ike/internal.h"
#include "ike/pubkeys.h"
#include "trial.h"

static struct rsa_key *east, *west, *other;
static struct sim_dns dns_a, dns_b;	/* what each end is told about the other */

/* Both ends have a key, know no other, and may ask. */
static void begin(struct trial *t, const char *kind, uint64_t seed)
{
	trial_begin(t, kind, seed, getenv("VERBOSE") != NULL);
	dns_a = (struct sim_dns){ .key = west, .validated = true, .ttl = 3600 };
	dns_b = (struct sim_dns){ .key = east, .validated = true, .ttl = 3600 };
	t->a->secret = t->b->secret = NULL;
	t->a->rsa = t->a->rsa_named = east;
	t->b->rsa = t->b->rsa_named = west;
	t->a->dns = &dns_a;
	t->b->dns = &dns_b;
	t->c.psk = false;
	t->c.rsasig = true;
	t->c.keyingtries = 1;
	node_restart(t->a);
	node_restart(t->b);
}

static void go(struct trial *t, struct node *n)
{
	trial_describe(t);
	node_initiate(n, "net");
	world_run(t->w, 100000);
}

static void expect_up(struct trial *t)
{
	trial_check_sound(t);
	trial_check_up(t);
	trial_expect(t, node_holdings(t->a).unfinished + node_holdings(t->b).unfinished == 0, "a whack still waits");
}

static void expect_refused(struct trial *t, const struct node *n, const char *reason, const char *words)
{
	trial_expect(t, t->a->added + t->b->added == 0, "SAs without proof of identity");
	trial_expect(t, node_said(n, reason), "%s did not say %s", n->name, reason);
	/* The responder hears the initiator again afterwards, and refuses that in other words. */
	trial_expect(t, n == t->b || strstr(n->refusal, words) != NULL, "'%s' does not say '%s'", n->refusal, words);
	trial_expect(t, node_holdings(t->a).unfinished + node_holdings(t->b).unfinished == 0, "a whack still waits");
	trial_check_sound(t);
}

/* ---- what must work -------------------------------------------------------------- */

static void plain(struct trial *t)
{
	trial_draw(t);
	dns_a.delay = trial_pick(t, 4000);
	dns_b.delay = trial_pick(t, 4000);
	go(t, trial_pick(t, 2) == 0 ? t->a : t->b);
	expect_up(t);
	trial_expect(t, dns_a.asked == 2 && dns_b.asked == 2, "%u and %u questions", dns_a.asked, dns_b.asked);
}

static void lossy(struct trial *t)
{
	dns_a.delay = trial_pick(t, 9000);
	dns_b.delay = trial_pick(t, 9000);
	t->c.keyingtries = 0;
	world_faults(t->w, &faulty);
	go(t, t->a);
	world_faults(t->w, &fair);
	world_run(t->w, 100000);
	expect_up(t);
}

static void names(struct trial *t)
{
	t->c.left.id = span_str("@East.Example");
	t->c.right.id = span_str("@west.example");
	go(t, t->a);
	expect_up(t);
}

/* The key that whack gave is enough: nobody is asked. */
static void known(struct trial *t)
{
	node_public_key(t->a, "192.0.2.2", west);
	node_public_key(t->b, "192.0.2.1", east);
	go(t, t->a);
	expect_up(t);
	trial_expect(t, dns_a.asked + dns_b.asked == 0, "the DNS was asked");
}

static void insecure(struct trial *t)
{
	struct node *n = trial_pick(t, 2) == 0 ? t->a : t->b;

	n->dns->validated = false;
	n->insecure_dnskeys = true;
	node_restart(n);
	go(t, t->a);
	expect_up(t);
}

/* Who comes while a question is open waits for the same answer. */
static void shared(struct trial *t)
{
	dns_a.delay = 3000;
	trial_describe(t);
	node_public_key(t->a, "192.0.2.2", NULL);
	node_public_key(t->a, "192.0.2.2", NULL);
	node_initiate(t->a, "net");
	world_run(t->w, 1000);
	node_initiate(t->a, "net");
	node_initiate(t->b, "net");
	t->redundant = 2;
	world_run(t->w, 100000);
	expect_up(t);
	trial_expect(t, dns_a.asked == 2, "%u questions", dns_a.asked);
}

/* Keys are forgotten when their time is over, and asked for again when they are needed. */
static void expiry(struct trial *t)
{
	dns_a.ttl = dns_b.ttl = trial_pick(t, 2) == 0 ? 0 : 60;
	go(t, t->a);
	expect_up(t);
	trial_expect(t, pubkeys_count(t->a->ike->pubkeys) == 0, "a key is older than the DNS allows");
	node_terminate(t->a, "net");
	world_run(t->w, 1000);
	node_initiate(t->a, "net");
	world_run(t->w, 10000);
	expect_up(t);
	trial_expect(t, dns_a.asked == 4, "%u questions", dns_a.asked);
	trial_expect(t, pubkeys_count(t->a->ike->pubkeys) == 1, "%zu keys", pubkeys_count(t->a->ike->pubkeys));
}

/* A newer answer replaces an older one, but not what whack gave. */
static void replaced(struct trial *t)
{
	dns_a.key = other;
	node_public_key(t->a, "192.0.2.2", NULL);
	world_run(t->w, 100);
	dns_a.key = west;
	node_public_key(t->a, "192.0.2.2", NULL);
	world_run(t->w, 100);
	trial_expect(t, pubkeys_count(t->a->ike->pubkeys) == 1, "the old key is still there");
	node_public_key(t->a, "192.0.2.2", west);
	world_run(t->w, 100000000);
	trial_expect(t, pubkeys_count(t->a->ike->pubkeys) == 1, "what whack gave went with the DNS's");
	go(t, t->a);
	expect_up(t);
}

/* ---- what must not ----------------------------------------------------------------- */

static void unvalidated(struct trial *t)
{
	bool initiator = trial_pick(t, 2) == 0;

	(initiator ? &dns_a : &dns_b)->validated = false;
	go(t, t->a);
	expect_refused(t, initiator ? t->a : t->b, "key_not_in_dns", "DNSSEC does not prove");
	trial_expect(t, !initiator || t->a->sent == 0, "a negotiation that cannot succeed was begun");
}

static void wrong_key(struct trial *t)
{
	bool initiator = trial_pick(t, 2) == 0;

	(initiator ? &dns_a : &dns_b)->key = other;
	go(t, t->a);
	expect_refused(t, initiator ? t->a : t->b, "rsa_bad_signature", "does not fit");
}

static void failing(struct trial *t)
{
	bool initiator = trial_pick(t, 2) == 0;

	(initiator ? &dns_a : &dns_b)->why = "the servers\nare down";
	go(t, t->a);
	expect_refused(t, initiator ? t->a : t->b, "key_not_in_dns", "the servers\\x0aare down");
}

static void silent(struct trial *t)
{
	bool initiator = trial_pick(t, 2) == 0;

	(initiator ? &dns_a : &dns_b)->silent = true;
	go(t, t->a);
	expect_refused(t, initiator ? t->a : t->b, "key_not_in_dns", "no answer within 10 s");
	trial_expect(t, (initiator ? dns_a : dns_b).asked == 2, "asked more than once");
}

/* The answer comes after all: not in time for the first attempt, but for the second. */
static void late(struct trial *t)
{
	dns_a.delay = 15000;
	trial_describe(t);
	node_initiate(t->a, "net");
	world_run(t->w, 12000);
	expect_refused(t, t->a, "key_not_in_dns", "no answer within 10 s");
	world_run(t->w, 10000);
	node_initiate(t->a, "net");
	world_run(t->w, 100000);
	expect_up(t);
	trial_expect(t, dns_a.asked == 2, "%u questions", dns_a.asked);
}

static void garbage(struct trial *t)
{
	static uint8_t octets[64];

	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)trial_pick(t, 256);
	dns_a.rdata = span_of(octets, 1 + trial_pick(t, sizeof(octets)));
	go(t, t->a);
	expect_refused(t, t->a, "key_not_in_dns", "of no use");
}

/* user@domain is nobody's name in the DNS. */
static void no_name(struct trial *t)
{
	t->c.right.id = span_str("west@example.org");
	go(t, t->a);
	expect_refused(t, t->a, "no_public_key", "west@example.org");
	trial_expect(t, dns_a.asked == 0, "the DNS was asked");
}

/* ---- while somebody waits ------------------------------------------------------------ */

static void aborted(struct trial *t)
{
	struct node *n = trial_pick(t, 2) == 0 ? t->a : t->b;

	n->dns->delay = 5000;
	trial_describe(t);
	node_initiate(t->a, "net");
	world_run(t->w, 3000);
	trial_expect(t, n->dns->asked == 2, "%u questions", n->dns->asked);
	switch (trial_pick(t, 3)) {
	case 0:
		node_terminate(n, "net");
		break;
	case 1:
		node_delete(n, "net");
		break;
	default:
		ike_client_gone(n->ike, n->asked);
		n->pending[n->asked] = 2;
		break;
	}
	world_run(t->w, 100000);
	trial_check_sound(t);
}

/* A DNS that is silent costs a bounded number of questions, and every whack its ten seconds. */
static void flood(struct trial *t)
{
	char id[32];

	dns_a.silent = true;
	for (unsigned i = 0; i < 3 * LIMIT_DNS_SEARCHES; i++) {
		snprintf(id, sizeof(id), "@host%u.example", i);
		node_public_key(t->a, id, NULL);
	}
	trial_expect(t, dns_a.asked == 2 * LIMIT_DNS_SEARCHES, "%u questions", dns_a.asked);
	world_run(t->w, 11000);
	trial_expect(t, node_holdings(t->a).unfinished == 0, "%zu still wait", node_holdings(t->a).unfinished);
	trial_expect(t, t->a->status[WHACK_STATUS_NO_KEY] == LIMIT_DNS_SEARCHES, "%u were told that there is no answer",
		     t->a->status[WHACK_STATUS_NO_KEY]);
	node_public_key(t->a, "@host0.example", NULL);	/* waits for the question that is still open */
	world_run(t->w, 11000);
	trial_expect(t, dns_a.asked == 2 * LIMIT_DNS_SEARCHES, "%u questions", dns_a.asked);
	trial_expect(t, node_holdings(t->a).unfinished == 0, "one still waits");
}

static void shutdown_waits(struct trial *t)
{
	dns_a.silent = dns_b.silent = true;
	trial_describe(t);
	node_public_key(t->a, "@somebody.example", NULL);
	node_initiate(t->a, "net");
	world_run(t->w, 1000);
}

/* -------------------------------------------------------------------------------------- */

static const struct trial_kind kinds[] = {
	{ "plain", plain, 40 }, { "lossy", lossy, 20 }, { "names", names, 2 }, { "known", known, 2 },
	{ "insecure", insecure, 8 }, { "shared", shared, 4 }, { "expiry", expiry, 8 }, { "replaced", replaced, 2 },
	{ "unvalidated", unvalidated, 8 }, { "wrong key", wrong_key, 8 }, { "failing", failing, 8 },
	{ "silent", silent, 8 }, { "late", late, 4 }, { "garbage", garbage, 200 }, { "no name", no_name, 2 },
	{ "aborted", aborted, 24 }, { "flood", flood, 2 }, { "shutdown", shutdown_waits, 4 },
};

int main(void)
{
	struct trial_count count = { 0 };
	const char *why;

	if (!crypto_start(&why))
		return 1;
	east = short_key();
	west = short_key();
	other = short_key();
	trial_kinds(kinds, sizeof(kinds) / sizeof(kinds[0]), begin, &count);
	rsa_free(east);
	rsa_free(west);
	rsa_free(other);
	printf("%u runs, %u failed\n", count.runs, count.failed);
	return count.failed != 0;
}
