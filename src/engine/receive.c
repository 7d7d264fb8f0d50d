/* receive.c -- the path of a datagram: header, exchange, decryption, shape, hash, row. */
#include "base/siphash.h"
#include "engine/fragment.h"
#include "engine/msgids.h"
#include "engine/shape.h"
#include "generated/names.h"

#define EXPECTED_TEXT 256

/* A refusal that concerns no exchange, or leaves it as it is. */
static enum verdict drop(struct engine *e, struct exchange *x, const struct refusal *why)
{
	report(e, x, false, why);
	return VERDICT_IGNORED;
}

static const char *exchange_text(struct engine *e, uint32_t type)
{
	char t[REGISTRY_TEXT];

	return arena_str(e->arena, span_str(registry_name(&registry_exchange_type, type, t)));
}

static void debug_received(struct engine *e, struct exchange *x, const struct incoming *in)
{
	debug_octets(e, x, ENGINE_DEBUG_RAW, "received", in->datagram);
}

static void debug_parsed(struct engine *e, struct exchange *x, const struct message *m)
{
	char *p = arena_alloc(e->arena, LIMIT_MESSAGE_OCTETS);
	struct text t = text_on(p, LIMIT_MESSAGE_OCTETS);

	for (size_t i = 0; i < m->n; i++)
		print_payload(&t, &m->payloads[i]);
	debug_lines(e, x, ENGINE_DEBUG_PARSING, p);
}

/* May we tell the peer why?  Nothing is authentic yet, so anybody who knows the cookies could make us talk
 * without end, and use up the message IDs of the ISAKMP SA. */
static bool may_tell(struct exchange *x)
{
	struct exchange *root = exchange_root(x);

	if (root->garbled == LIMIT_GARBLED_ANSWERS)
		return false;
	root->garbled++;
	return true;
}

enum verdict refuse_message(struct engine *e, struct exchange *x, const struct refusal *why)
{
	attempt_end(x, false);
	x->disliked = true;
	report(e, x, false, why);
	if (may_tell(x))
		e->host.refused(e->host.ctx, x, why);
	if (x->state == NULL || x->state->start)
		engine_end(e, x, END_REFUSED);
	return VERDICT_REFUSED;
}

static const struct refusal *shape_refusal(struct engine *e, const struct message_desc *d,
					   const struct fault *f, const char *expected)
{
	char what[REGISTRY_TEXT + 64], type[REGISTRY_TEXT];
	struct text t = text_on(what, sizeof(what));

	if (f->reason == REASON_SHAPE_WHERE)
		return refuse_fault(e->arena, f);
	if (f->reason == REASON_SHAPE_MISSING)
		text_add(&t, "a payload is missing");
	else
		text_add(&t, "%s is out of place", registry_name(&registry_payload_type, (uint32_t)f->got, type));
	return refuse_shape_refused(e->arena, d->name, what, expected);
}

/* Decrypt if that is due and split into payloads.  recv tells the protection asked for. */
static const struct refusal *open_message(struct engine *e, struct exchange *x,
					  const struct message_desc *recv, uint16_t iv, uint16_t key,
					  struct incoming *in)
{
	struct message *m = &e->message;
	struct fault f = { 0 };
	bool encrypted = (m->header.flags & HEADER_FLAGS_ENCRYPTION) != 0;
	const struct refusal *why;

	in->plain = in->datagram;
	if (recv->protection == PROTECTION_ENCRYPTED && !encrypted)
		return refuse_protection_missing(e->arena, recv->name);
	if (recv->protection == PROTECTION_CLEAR && encrypted)
		return refuse_protection_unwanted(e->arena, recv->name);
	if (encrypted) {
		why = protect_open(e, x, iv, key, in);
		if (why != NULL)
			return why;
		parse_header(in->plain, 0, &m->header, &f);	/* views into the copy */
	}
	if (parse_chain(m, in->plain, encrypted, &f)) {
		if (debugging(e, x, ENGINE_DEBUG_PARSING))
			debug_parsed(e, x, m);
		return NULL;
	}
	/* Under other keys it would not have ended in good order. */
	why = encrypted && f.reason != REASON_TRAILING_OCTETS ? e->host.garbled(e->host.ctx, x, e->arena) : NULL;
	return why != NULL ? why : refuse_fault(e->arena, &f);
}

/* The row of `rows` whose message this is, or NULL with *why. */
static const struct row *match_row(struct engine *e, const struct row *rows, size_t n,
				   uint32_t bound, uint32_t *matched, const struct refusal **why)
{
	char expected[EXPECTED_TEXT];

	for (size_t i = 0; i < n; i++) {
		uint32_t allowed = rows[i].variants == 0 ? bound : rows[i].variants & bound;
		struct fault f = { 0 };

		if (rows[i].variants != 0 && allowed == 0)
			continue;
		if (shape_match(rows[i].recv, allowed, &e->message, matched, &f, expected,
				sizeof(expected)))
			return &rows[i];
		*why = shape_refusal(e, rows[i].recv, &f, expected);
	}
	return NULL;
}

/* What comes late for an exchange that has ended would not even decrypt to anything. */
static bool is_used(const struct exchange *root, uint32_t msgid)
{
	return msgids_has(root->msgids, msgid);
}

const struct refusal *use_msgid(struct engine *e, struct exchange *root, uint32_t msgid)
{
	return msgids_add(&root->msgids, msgid) == MSGID_FULL ? refuse_msgids_exhausted(e->arena, LIMIT_MSGIDS) : NULL;
}

static enum verdict process(struct engine *e, struct exchange *x, struct incoming *in)
{
	const struct state_desc *s = x->state;
	const struct machine_desc *machine = x->machine;
	const struct refusal *why = NULL;
	struct step step = { 0 };

	if (s == NULL || s->n_rows == 0)
		return drop(e, x, refuse_message_unwanted(e->arena, s == NULL ? "-" : s->name,
							  s == NULL ? "-" : s->text));
	why = open_message(e, x, s->rows[0].recv, machine->iv, machine->cipher_key, in);
	if (why != NULL)
		return refuse_message(e, x, why);
	step.row = match_row(e, s->rows, s->n_rows, x->agreed.variants, &step.variants, &why);
	if (step.row == NULL)
		return refuse_message(e, x, why);
	attempt_begin(x);
	capture_message(x, step.row->recv, &e->message);
	return run_row(e, x, &step, &e->message, in, NULL);
}

/* The same datagram again, or a message while its exchange waits for a job. */
static bool repeated(struct engine *e, struct exchange *x, const struct incoming *in, enum verdict *v)
{
	if (x->parked != NULL) {	/* the peer is told by its retransmission that we are slow */
		*v = x->parked->hash == in->hash ? VERDICT_DUPLICATE : VERDICT_IGNORED;
		return true;
	}
	if (x->last_in != in->hash)
		return false;
	*v = answer_duplicate(e, x);
	return true;
}

/* May a message under the phase 1 x come from there?  From elsewhere only what will be shown to be authentic. */
static bool may_come(const struct exchange *x, const struct message *m, const struct incoming *in)
{
	return endpoint_eq(&x->remote, in->remote) ||
	       (x->roaming && (m->header.flags & HEADER_FLAGS_ENCRYPTION) != 0);
}

static enum verdict existing(struct engine *e, struct exchange *x, const struct machine_desc *machine,
			     struct incoming *in)
{
	enum verdict v;

	if (repeated(e, x, in, &v))	/* the answer goes to the endpoint that we know */
		return v;
	if (!may_come(exchange_root(x), &e->message, in))
		return drop(e, x, refuse_peer_address(e->arena, &x->remote, in->remote));
	if (x->machine != machine)
		return drop(e, x, refuse_exchange_mismatch(e->arena, x->machine->name, machine->name));
	return process(e, x, in);
}

/* A peer begins: the exchange exists from here, and can be found once its first row has run. */
static enum verdict begin(struct engine *e, const struct machine_desc *machine,
			  struct exchange *root, struct incoming *in)
{
	const struct header *h = &e->message.header;
	struct exchange *x = exchange_new(e, machine, ROLE_RESPONDER, root, in->local, in->remote);

	x->state = machine->start;
	x->msgid = h->msgid;
	if (root == NULL) {
		memcpy(x->cookies, h->icookie.p, COOKIE_SIZE);
		do
			e->host.random(e->host.ctx, x->cookies + COOKIE_SIZE, COOKIE_SIZE);
		while (get_u64(x->cookies + COOKIE_SIZE) == 0 ||
		       table_by_cookies(&e->table, x->cookies) != NULL);
	}
	const struct refusal *why = e->host.admit(e->host.ctx, x, e->arena);

	return why != NULL ? refuse_message(e, x, why) : process(e, x, in);
}

/* The phase 1 that the header's cookies name. */
static struct exchange *find_root(struct engine *e, const struct header *h)
{
	uint8_t cookies[2 * COOKIE_SIZE] = { 0 };
	struct exchange *x;

	memcpy(cookies, h->icookie.p, COOKIE_SIZE);
	memcpy(cookies + COOKIE_SIZE, h->rcookie.p, COOKIE_SIZE);
	x = table_by_cookies(&e->table, cookies);
	if (x != NULL)
		return x;
	memset(cookies + COOKIE_SIZE, 0, COOKIE_SIZE);	/* the first answer to an initiator */
	x = table_by_cookies(&e->table, cookies);
	return x != NULL && x->role == ROLE_INITIATOR ? x : NULL;
}

static enum verdict receive_phase1(struct engine *e, const struct machine_desc *machine,
				   struct incoming *in)
{
	const struct header *h = &e->message.header;
	struct exchange *x;

	if (machine->msgid == MSGID_ZERO && h->msgid != 0)
		return drop(e, NULL, refuse_msgid_rule(e->arena, machine->name, h->msgid));
	if (get_u64(h->rcookie.p) != 0) {
		x = find_root(e, h);
		return x != NULL ? existing(e, x, machine, in)
				 : drop(e, NULL, refuse_cookies_unknown(e->arena, machine->name));
	}
	uint8_t ours[2 * COOKIE_SIZE] = { 0 };

	memcpy(ours, h->icookie.p, COOKIE_SIZE);
	if (table_by_cookies(&e->table, ours) != NULL)
		return drop(e, NULL, refuse_reflected(e->arena, "first message"));
	x = table_by_icookie(&e->table, h->icookie.p, in->remote);
	if (x != NULL) {	/* only the first message comes without our cookie */
		enum verdict v;

		return repeated(e, x, in, &v) ? v :
		       drop(e, x, refuse_cookie_missing(e->arena, machine->name));
	}
	if (machine->start == NULL)
		return drop(e, NULL, refuse_exchange_unknown(e->arena, machine->name));
	return begin(e, machine, NULL, in);
}

/* Nothing but the last message of the peer is missing, which is not answered. */
static bool awaits_last(const struct exchange *x)
{
	return !exchange_final(x) && x->state != NULL && x->state->n_rows > 0 && x->state->rows[0].send == NULL;
}

/* A peer that has finished phase 1 may go on at once, while we are still busy with its last message: one datagram
 * is kept until that is done. */
static bool keep_early(struct exchange *root, const struct incoming *in)
{
	if (root->parked == NULL || !root->parked->step.row->next->final || root->early.p != NULL ||
	    !endpoint_eq(&root->remote, in->remote))
		return false;
	root->early = buf_copy(in->datagram);
	return true;
}

static enum verdict receive_phase2(struct engine *e, const struct machine_desc *machine,
				   struct incoming *in)
{
	const struct header *h = &e->message.header;
	struct exchange *root = find_root(e, h), *x;

	if (root == NULL)
		return drop(e, NULL, refuse_cookies_unknown(e->arena, machine->name));
	if (!exchange_final(root) && keep_early(root, in))
		return VERDICT_PARKED;
	if (awaits_last(root) && endpoint_eq(&root->remote, in->remote))
		answer_duplicate(e, root);	/* the peer has finished, so what it finished with was lost: ask for it */
	if (!exchange_final(root) || root->machine->phase != 1)
		return drop(e, root, refuse_sa_unfinished(e->arena, machine->name, root->state == NULL ?
							  "-" : root->state->name));
	if (!may_come(root, &e->message, in))
		return drop(e, root, refuse_peer_address(e->arena, &root->remote, in->remote));
	if (machine->msgid == MSGID_NONZERO && h->msgid == 0)
		return drop(e, root, refuse_msgid_rule(e->arena, machine->name, h->msgid));
	x = table_by_msgid(&e->table, root, h->msgid);
	if (x != NULL)
		return existing(e, x, machine, in);
	if (is_used(root, h->msgid))
		return drop(e, root, refuse_msgid_replayed(e->arena, h->msgid));
	if (machine->start == NULL)
		return drop(e, root, refuse_exchange_unknown(e->arena, machine->name));
	return begin(e, machine, root, in);
}

static const struct row *oneway_row(const struct oneway_desc *d, bool encrypted)
{
	for (size_t i = 0; i < d->n_rows; i++)
		if (encrypted == (d->rows[i].recv->protection != PROTECTION_CLEAR))
			return &d->rows[i];
	return NULL;
}

/* A one-way message: x is a stand-in that lives as long as the message. */
static enum verdict receive_oneway(struct engine *e, const struct oneway_desc *d, struct incoming *in)
{
	const struct header *h = &e->message.header;
	struct exchange *root = find_root(e, h);
	bool encrypted = (h->flags & HEADER_FLAGS_ENCRYPTION) != 0;
	const struct row *row = oneway_row(d, encrypted);
	const struct refusal *why = NULL;
	uint32_t matched = 0;

	if (root == NULL || row == NULL)
		return drop(e, NULL, refuse_cookies_unknown(e->arena, d->name));
	if (encrypted && !exchange_final(root))
		return drop(e, root, refuse_sa_unfinished(e->arena, d->name, root->state == NULL ?
							  "-" : root->state->name));
	if (!may_come(root, &e->message, in))
		return drop(e, root, refuse_peer_address(e->arena, &root->remote, in->remote));
	if (encrypted && is_used(root, h->msgid))
		return drop(e, root, refuse_msgid_replayed(e->arena, h->msgid));
	struct exchange one = { .engine = e, .parent = root, .msgid = h->msgid,
				.local = *in->local, .remote = *in->remote };

	memcpy(one.cookies, root->cookies, sizeof(one.cookies));
	why = open_message(e, &one, row->recv, d->iv, d->cipher_key, in);
	if (why == NULL && match_row(e, row, 1, 0, &matched, &why) != NULL) {
		capture_message(&one, row->recv, &e->message);
		why = verify_hashes(e, &one, row->recv, &e->message);
		if (why == NULL && encrypted)
			why = use_msgid(e, root, h->msgid);
	}
	values_free(&one.values);
	if (why != NULL)
		return drop(e, root, why);
	if (encrypted) {
		root->heard = e->now;
		exchange_follow(e, root, in->local, in->remote);
	}
	struct action a = { .engine = e, .x = root, .arena = e->arena, .now = e->now, .row = row,
			    .message = &e->message, .from = in->remote, .to = in->local };

	if (row->run(&a, &e->message, NULL) == ACTION_OK)
		return VERDICT_ACCEPTED;
	return a.refusal != NULL ? drop(e, root, a.refusal) : VERDICT_IGNORED;
}

/* The message whose header is in e->message, in one datagram or put together. */
static enum verdict dispatch(struct engine *e, struct incoming *in)
{
	uint8_t type = e->message.header.xchg;
	const struct machine_desc *machine = machine_by_exchange(type);
	const struct oneway_desc *oneway = oneway_by_exchange(type);

	in->hash = siphash(e->hash_key, in->datagram) | 1;
	e->question = in->datagram.n;
	if (machine != NULL && machine->phase == 1)
		return receive_phase1(e, machine, in);
	if (machine != NULL)
		return receive_phase2(e, machine, in);
	if (oneway != NULL)
		return receive_oneway(e, oneway, in);
	return drop(e, NULL, refuse_exchange_unknown(e->arena, exchange_text(e, type)));
}

/* A fragment for nobody is dropped before anything is done about it. */
static enum verdict receive_fragment(struct engine *e, struct incoming *in)
{
	struct exchange *root = find_root(e, &e->message.header);
	const struct refusal *why = NULL;

	if (root == NULL)
		return drop(e, NULL, refuse_cookies_unknown(e->arena, "fragment of a"));
	if (fragment_take(e, root, in, &why)) {
		debug_received(e, root, in);
		return dispatch(e, in);
	}
	return why != NULL ? drop(e, root, why) : VERDICT_IGNORED;
}

enum verdict engine_receive(struct engine *e, uint64_t now, const struct endpoint *local,
			    const struct endpoint *remote, struct span datagram)
{
	struct incoming in = { .datagram = datagram, .local = local, .remote = remote };
	struct fault f = { 0 };
	enum verdict v;

	engine_enter(e, now);
	debug_received(e, NULL, &in);
	if (!parse_header(datagram, 0, &e->message.header, &f)) {
		v = drop(e, NULL, refuse_fault(e->arena, &f));
		engine_leave(e);
		return v;
	}
	v = e->message.header.np == PAYLOAD_TYPE_FRAGMENT ? receive_fragment(e, &in) : dispatch(e, &in);
	e->question = 0;
	engine_leave(e);
	return v;
}
