/* check_routing.c -- routes and eroutes: every state that up to three connections can be in, and four operations on
 * four connections, against a model of its own; failures of every step; answers in any order; scripts that hang. */
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "routing_world.h"
#include "suite.h"

/* ---- the model ------------------------------------------------------------- */

struct model {
	int n;
	struct {
		bool routed;
		bool holds;		/* the eroute between its clients */
		int sas, since;
	} c[CONNECTIONS];
	int clock;
	uint16_t status;
	char trace[TRACE];
};

static bool rival(int i, int j)			/* routes there another way */
{
	return k.kind[i].theirs == k.kind[j].theirs && k.kind[i].way != k.kind[j].way;
}

static bool twin(int i, int j)
{
	return k.kind[i].theirs == k.kind[j].theirs && k.kind[i].ours == k.kind[j].ours;
}

/* The connection whose eroute stands between the clients of i, or -1. */
static int holder(const struct model *m, int i)
{
	for (int j = 0; j < m->n; j++)
		if (m->c[j].holds && twin(i, j))
			return j;
	return -1;
}

static bool shared(const struct model *m, int i)
{
	for (int j = 0; j < m->n; j++)
		if (j != i && m->c[j].routed && k.kind[i].theirs == k.kind[j].theirs)
			return true;
	return false;
}

static void model_unroute(struct model *m, int i)
{
	int next = -1;

	if (!m->c[i].routed)
		return;
	m->c[i].routed = false;
	if (!shared(m, i))
		trace(m->trace, "unroute", i);
	if (!m->c[i].holds)
		return;
	m->c[i].holds = false;
	for (int j = 0; j < m->n; j++)
		if (m->c[j].routed && twin(i, j) && (next < 0 || m->c[j].since > m->c[next].since))
			next = j;
	trace(m->trace, next < 0 ? "bare" : "trap", next < 0 ? i : next);
	if (next >= 0)
		m->c[next].holds = true;
}

static void model_end_sas(struct model *m, int i)
{
	if (m->c[i].sas > 0) {
		trace(m->trace, "trap", i);
		trace(m->trace, "down", i);
	}
	m->c[i].sas = 0;
}

static bool model_route(struct model *m, int i, bool sa, bool evict)
{
	for (int pass = 0; pass < 2; pass++)	/* first look, then do */
		for (int busy = 1; busy >= 0; busy--)
			for (;;) {
				int j = -1;

				for (int n = 0; n < m->n; n++)
					if (m->c[n].routed && rival(i, n) && (m->c[n].sas > 0) == busy &&
					    (j < 0 || m->c[n].since < m->c[j].since))
						j = n;
				if (j >= 0 && busy && !evict) {
					m->status = WHACK_STATUS_ROUTE_BUSY;
					return false;
				}
				if (j < 0 || pass == 0)
					break;
				model_end_sas(m, j);
				model_unroute(m, j);
			}
	for (int j = 0; sa && j < m->n; j++)
		if (j != i && m->c[j].sas > 0 && twin(i, j)) {
			m->status = WHACK_STATUS_CLASH;
			return false;
		}
	if (m->c[i].routed)
		return true;
	if (!shared(m, i))
		trace(m->trace, "prepare", i);
	if (holder(m, i) < 0) {
		trace(m->trace, "trap", i);
		m->c[i].holds = true;
	}
	if (!shared(m, i))
		trace(m->trace, "route", i);
	m->c[i].routed = true;
	m->c[i].since = ++m->clock;
	return true;
}

static void model_carry(struct model *m, int i)
{
	int before = holder(m, i);

	trace(m->trace, "carry", i);
	if (before >= 0)
		m->c[before].holds = false;
	m->c[i].holds = true;
	if (m->c[i].sas++ == 0)
		trace(m->trace, "up", i);
}

static void model_perform(struct model *m, enum op op, int i)
{
	m->trace[0] = '\0';
	m->status = op == ROUTE || op == UNROUTE ? WHACK_STATUS_SUCCESS : 0;
	switch (op) {
	case ROUTE:
		model_route(m, i, false, false);
		break;
	case UNROUTE:
		if (m->c[i].sas > 0)
			m->status = WHACK_STATUS_ROUTE_BUSY;
		else
			model_unroute(m, i);
		break;
	case SA_DOWN:		/* the older one, so that the eroute stays if there is a newer one */
		if (m->c[i].sas > 1)
			m->c[i].sas--;
		else
			model_end_sas(m, i);
		break;
	case DELETE:
		model_end_sas(m, i);
		model_unroute(m, i);
		break;
	default:
		if (model_route(m, i, true, op == RESPOND_EVICT))
			model_carry(m, i);
		break;
	}
}

/* ---- comparing --------------------------------------------------------------- */

struct step_taken { enum op op; int i; };

static struct {			/* what is being tried, for messages */
	int n, depth;
	const struct step_taken *path;
	unsigned seed;
} now;

static const char *here(void)
{
	static const char *const name[] = { "route", "unroute", "initiate", "respond (evict)", "respond (reject)",
					    "SA down", "delete" };
	static char line[2048];
	struct text t = text_on(line, sizeof(line));

	for (int i = 0; i < now.n; i++)
		text_add(&t, "c%d:%d-%d/%d ", i, k.kind[i].ours, k.kind[i].theirs, k.kind[i].way);
	for (int i = 0; i < now.depth; i++)
		text_add(&t, "| %s c%d ", name[now.path[i].op], now.path[i].i);
	if (now.seed != 0)
		text_add(&t, "seed %u", now.seed);
	return line;
}

/* In any state at rest: what is in place is what the claims want. */
static void check_rest(void)
{
	int claimed[2][2] = { 0 }, carried[2][2] = { 0 }, way[2] = { -1, -1 };

	for (int i = 0; i < CONNECTIONS; i++) {
		const struct kind *d = &k.kind[i];

		if (k.c[i] == NULL || k.c[i]->routing == UNROUTED) {
			must(k.c[i] == NULL || k.sa[i][0] == NULL, "%s: c%d has SAs, unrouted", here(), i);
			continue;
		}
		claimed[d->ours][d->theirs] = 1;
		must(way[d->theirs] == -1 || way[d->theirs] == d->way, "%s: two ways to one client", here());
		way[d->theirs] = d->way;
		if (k.c[i]->routing == ROUTED_SA) {
			must(k.sa[i][0] != NULL, "%s: c%d routed through no SA", here(), i);
			must(carried[d->ours][d->theirs]++ == 0, "%s: two SAs for one eroute", here());
			must(k.carrier[d->ours][d->theirs] == i, "%s: the SA of another one", here());
		}
	}
	for (int t = 0; t < 2; t++) {
		must(k.way[t] == way[t], "%s: route %d to client %d, want %d\n%s", here(), k.way[t], t, way[t],
			      k.trace);
		for (int o = 0; o < 2; o++) {
			must(k.eroute[o][t] == claimed[o][t] + carried[o][t], "%s: eroute %d-%d is %d\n%s", here(),
				      o, t, k.eroute[o][t], k.trace);
			must(k.told[o][t] == carried[o][t], "%s: up and down are out of step\n%s", here(), k.trace);
		}
	}
	must(k.ike->n_plans == 0, "%s: plans are left", here());
}

/* F11: who was routed before and is routed after was covered by an eroute at any time between. */
static void check_covered(const struct model *before, const struct model *after)
{
	for (int i = 0; i < before->n; i++)
		for (unsigned at = 1; before->c[i].routed && after->c[i].routed && at <= k.asked; at++)
			must(!k.bare[at][k.kind[i].ours][k.kind[i].theirs],
				      "%s: c%d is bare after request %u: %s", here(), i, at, k.trace);
}

static void compare(struct model *m, enum op op, int i)
{
	struct model before = *m;

	k.trace[0] = '\0';
	k.asked = 0;
	k.status = 0;
	perform(op, i);
	model_perform(m, op, i);
	must(strcmp(k.trace, m->trace) == 0, "%s:\nasked:  %s\nexpect: %s", here(), k.trace, m->trace);
	must(k.status == m->status, "%s: status %u, expected %u", here(), k.status, m->status);
	check_rest();
	check_covered(&before, m);
}

/* ---- every state ---------------------------------------------------------------- */

#define DEPTH 12

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#elif defined(__has_feature)		/* clang's way to tell */
#define SANITIZED __has_feature(address_sanitizer)
#else
#define SANITIZED false
#endif

struct seen { uint64_t *key; size_t n, cap; };

/* The order of claims counts, not their age. */
static uint64_t key_of(const struct model *m)
{
	uint64_t key = 0;

	for (int i = 0; i < m->n; i++) {
		int rank = 0;

		for (int j = 0; j < m->n; j++)
			rank += m->c[j].routed && m->c[i].routed && m->c[j].since < m->c[i].since;
		key = key * 64 + (uint64_t)(m->c[i].routed + 2 * m->c[i].sas + 8 * rank) * 2 + m->c[i].holds;
	}
	return key;
}

static bool new_state(struct seen *s, uint64_t key)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (s->key[mid] < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < s->n && s->key[lo] == key)
		return false;
	if (s->n == s->cap) {
		s->cap = s->cap == 0 ? 64 : 2 * s->cap;
		s->key = xrealloc(s->key, s->cap * sizeof(uint64_t));
	}
	memmove(&s->key[lo + 1], &s->key[lo], (s->n - lo) * sizeof(uint64_t));
	s->key[lo] = key;
	s->n++;
	return true;
}

static void replay(struct model *m, const struct kind *kinds, int n, const struct step_taken *path, int depth)
{
	universe(kinds, n);
	*m = (struct model){ .n = n };
	for (int i = 0; i < depth; i++) {	/* compared when it was new */
		perform(path[i].op, path[i].i);
		model_perform(m, path[i].op, path[i].i);
	}
}

struct node { struct step_taken path[DEPTH]; int depth, sas[CONNECTIONS]; };

/* What comes of one more step from a state, and with one of the requests for it failing. */
static void fail_each(const struct kind *kinds, int n, const struct step_taken *path, int depth, unsigned requests)
{
	for (unsigned at = 1; at <= requests; at++) {
		const struct step_taken *last = &path[depth - 1];
		struct model m;
		bool was_routed;

		replay(&m, kinds, n, path, depth - 1);
		was_routed = m.c[last->i].routed;
		k.trace[0] = '\0';
		k.asked = 0;
		k.fail_at = at;
		perform(last->op, last->i);
		k.fail_at = 0;
		check_rest();
		if (last->op <= RESPOND_REJECT && last->op != UNROUTE && strstr(k.trace, "carry") == NULL &&
		    k.c[last->i]->routing != UNROUTED)
			must(was_routed || last->op != ROUTE || k.status == WHACK_STATUS_SUCCESS,
				      "%s: still routed", here());
		close_universe();
	}
}

static size_t explore(const struct kind *kinds, int n, int most, bool with_failures)
{
	struct node *queue = xcalloc(1, sizeof(struct node));
	struct seen seen = { 0 };
	size_t head = 0, tail = 1;
	struct model m;

	now.n = n;
	new_state(&seen, 0);
	while (head < tail) {
		struct node at = queue[head++];

		for (int i = 0; i < n; i++)
			for (enum op op = 0; op < OPS; op++) {
				unsigned requests;

				if (!applies(op, at.sas[i]))
					continue;
				replay(&m, kinds, n, at.path, at.depth);
				at.path[at.depth] = (struct step_taken){ op, i };
				now.path = at.path;
				now.depth = at.depth + 1;
				compare(&m, op, i);
				requests = k.asked;
				close_universe();
				if (with_failures)
					fail_each(kinds, n, at.path, at.depth + 1, requests);
				if (at.depth + 1 >= most || !new_state(&seen, key_of(&m)))
					continue;
				queue = xrealloc(queue, (tail + 1) * sizeof(struct node));
				queue[tail] = at;
				queue[tail].depth = at.depth + 1;
				for (int j = 0; j < n; j++)
					queue[tail].sas[j] = m.c[j].sas;
				tail++;
			}
	}
	free(queue);
	free(seen.key);
	return tail;
}

/* The names of clients and ways do not matter: is this choice, sorted, the first of those that differ in names? */
static bool first_of_its_like(const int *at, int n)
{
	for (int names = 1; names < 8; names++) {
		int other[CONNECTIONS];

		for (int i = 0; i < n; i++) {
			int v = at[i] ^ names, j = i;

			for (; j > 0 && other[j - 1] > v; j--)
				other[j] = other[j - 1];
			other[j] = v;
		}
		for (int i = 0; i < n; i++) {
			if (other[i] != at[i]) {
				if (other[i] < at[i])
					return false;
				break;
			}
		}
	}
	return true;
}

/* All choices of n kinds out of eight, each as often as one likes. */
static size_t choose(int *chosen, int at, int n, int most, bool with_failures)
{
	struct kind kinds[CONNECTIONS];
	size_t states = 0;

	if (at < n) {
		for (chosen[at] = at == 0 ? 0 : chosen[at - 1]; chosen[at] < 8; chosen[at]++)
			states += choose(chosen, at + 1, n, most, with_failures);
		return states;
	}
	for (int i = 0; i < n; i++)
		kinds[i] = (struct kind){ chosen[i] & 1, chosen[i] >> 2, chosen[i] >> 1 & 1 };
	return first_of_its_like(chosen, n) ? explore(kinds, n, most, with_failures) : 0;
}

START_TEST(one_connection)
{
	int chosen[CONNECTIONS];

	ck_assert_uint_ge(choose(chosen, 0, 1, DEPTH, true), 4);
}
END_TEST

START_TEST(two_connections)
{
	int chosen[CONNECTIONS];

	ck_assert_uint_ge(choose(chosen, 0, 2, DEPTH, true), 100);
}
END_TEST

START_TEST(three_connections)
{
	int chosen[CONNECTIONS];

	ck_assert_uint_ge(choose(chosen, 0, 3, DEPTH, false), 1000);
}
END_TEST

START_TEST(four_connections)
{
	int chosen[CONNECTIONS];

	/* What a sanitizer looks for is there in the shorter ones, too; which states are right is shown without one. */
	if (SANITIZED)
		printf("four connections: with a sanitizer three operations, not four\n");
	ck_assert_uint_ge(choose(chosen, 0, 4, SANITIZED ? 3 : 4, false), SANITIZED ? 500 : 5000);
}
END_TEST

/* ---- any order ---------------------------------------------------------------------- */

START_TEST(any_order)
{
	struct kind kinds[CONNECTIONS];

	for (uint64_t seed = 1; seed <= 800; seed++) {
		now.seed = (unsigned)seed;
		k.random = seed * 7919;
		for (int i = 0; i < CONNECTIONS; i++)
			kinds[i] = (struct kind){ (int)draw(2), (int)draw(2), (int)draw(3) };
		universe(kinds, CONNECTIONS);
		k.random = seed;
		k.later = true;
		for (int round = 0; round < 6; round++) {
			k.fail_per_mille = draw(2) == 0 ? 0 : 150;
			for (int step = 0; step < 20; step++) {
				enum op op = (enum op)draw(OPS);
				int i = (int)draw(CONNECTIONS);

				if (draw(2) == 0 && k.n_waiting > 0)
					answer(draw(k.n_waiting));
				else if (applies(op, (k.sa[i][0] != NULL) + (k.sa[i][1] != NULL)))
					perform(op, i);
				k.trace[strlen(k.trace) > TRACE / 2 ? 0 : strlen(k.trace)] = '\0';
			}
			while (k.n_waiting > 0)
				answer(draw(k.n_waiting));
			check_rest();
		}
		k.fail_per_mille = 0;
		k.later = false;
		close_universe();
	}
}
END_TEST

/* A script that hangs holds up the connections to the same client, and nobody else. */
START_TEST(hanging_script)
{
	static const struct kind kinds[CONNECTIONS] = { { 0, 0, 0 }, { 1, 0, 0 }, { 0, 1, 0 }, { 1, 1, 0 } };

	universe(kinds, CONNECTIONS);
	k.hangs = 0;
	perform(INITIATE, 0);
	perform(ROUTE, 1);
	ck_assert_uint_eq(k.n_waiting, 1);
	ck_assert_str_eq(k.trace, "prepare 0; ");
	perform(RESPOND_EVICT, 2);
	perform(ROUTE, 3);
	ck_assert_str_eq(k.trace, "prepare 0; prepare 2; trap 2; route 2; carry 2; up 2; trap 3; ");
	ck_assert_uint_eq(k.status, WHACK_STATUS_SUCCESS);
	perform(SA_DOWN, 2);
	perform(UNROUTE, 2);
	perform(UNROUTE, 3);
	ck_assert_int_eq(k.way[1], -1);
	ck_assert_uint_eq(k.n_waiting, 1);
	k.trace[0] = '\0';
	k.hangs = -1;
	k.finished = 0;
	answer(0);		/* killed: c0 fails, c1 begins anew */
	ck_assert_str_eq(k.trace, "prepare 1; trap 1; route 1; ");
	ck_assert_uint_eq(k.finished, 1);
	ck_assert_uint_eq(k.status, WHACK_STATUS_UPDOWN_FAILED);
	check_rest();
	close_universe();
}
END_TEST

/* Each script that can fail tells which one it was, with a status of its own. */
START_TEST(failing_script)
{
	static const struct kind kinds[1] = { { 0, 0, 0 } };
	static const struct { enum op op; unsigned at; uint16_t status; const char *trace; } cases[] = {
		{ ROUTE, 1, WHACK_STATUS_UPDOWN_FAILED, "prepare 0; " },
		{ ROUTE, 2, WHACK_STATUS_KERNEL_FAILED, "prepare 0; trap 0; " },
		{ ROUTE, 3, WHACK_STATUS_UPDOWN_FAILED, "prepare 0; trap 0; route 0; unroute 0; bare 0; " },
		{ INITIATE, 1, WHACK_STATUS_UPDOWN_FAILED, "prepare 0; " },
		{ INITIATE, 3, WHACK_STATUS_UPDOWN_FAILED, "prepare 0; trap 0; route 0; unroute 0; bare 0; " },
		{ INITIATE, 4, WHACK_STATUS_KERNEL_FAILED, "prepare 0; trap 0; route 0; carry 0; unroute 0; bare 0; " },
		{ INITIATE, 5, WHACK_STATUS_UPDOWN_FAILED,
		  "prepare 0; trap 0; route 0; carry 0; up 0; trap 0; down 0; unroute 0; bare 0; " },
		{ RESPOND_EVICT, 5, WHACK_STATUS_UPDOWN_FAILED,
		  "prepare 0; trap 0; route 0; carry 0; up 0; trap 0; down 0; unroute 0; bare 0; " },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		universe(kinds, 1);
		k.fail_at = cases[i].at;
		k.later = true;
		perform(cases[i].op, 0);
		while (k.n_waiting > 0) {
			answer(0);
		}
		ck_assert_str_eq(k.trace, cases[i].trace);
		ck_assert_uint_eq(k.status, cases[i].status);
		ck_assert_int_eq(k.c[0]->routing, UNROUTED);
		k.fail_at = 0;
		k.later = false;
		close_universe();
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("routing");
	TCase *t = tcase_create("routing");

	tcase_set_timeout(t, 300);
	tcase_add_test(t, one_connection);
	tcase_add_test(t, two_connections);
	tcase_add_test(t, three_connections);
	tcase_add_test(t, four_connections);
	tcase_add_test(t, any_order);
	tcase_add_test(t, hanging_script);
	tcase_add_test(t, failing_script);
	suite_add_tcase(s, t);
	return run_suite(s);
}
