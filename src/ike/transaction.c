/* transaction.c -- the actions of Mode Config and XAUTH (draft-dukes-ike-mode-cfg-02, draft-beaulieu-ike-xauth-02):
 * what a gateway asks and tells, and what we ask of it. */
#include "generated/actions.h"
#include "ike/followup.h"

static struct phase1 *of(const struct action *a)
{
	return a->x->user;
}

static bool has(const struct payload_ATTR *p, uint16_t type, struct attribute *out)
{
	struct span list = p->attrs;

	return lease_attribute(&list, type, out);
}

/* What the gateway wants the user to read. */
static const char *message_of(struct arena *a, const struct payload_ATTR *p)
{
	struct lease_text *t = ARENA_NEW(a, struct lease_text);
	struct attribute at;

	if (has(p, CONFIG_ATTRIBUTE_XAUTH_MESSAGE, &at))
		lease_words(at.value, t);
	return t->p;
}

static struct emit_attribute *add(struct emit_ATTR *out, uint16_t type)
{
	struct emit_attribute *at = (struct emit_attribute *)out->attrs;

	at[out->n_attrs].type = type;
	return &at[out->n_attrs++];
}

static void attributes_begin(struct arena *a, struct emit_ATTR *out)
{
	out->attrs = ARENA_ARRAY(a, struct emit_attribute, LIMIT_ATTRIBUTES);
	out->n_attrs = 0;
}

/* ---- XAUTH ------------------------------------------------------------------- */

/* What of the request a name and a password do not answer; NULL = nothing. */
static const char *question(const struct payload_ATTR *q)
{
	static const struct { uint16_t type; const char *what; } asked[] = {
		{ CONFIG_ATTRIBUTE_XAUTH_PASSCODE, "a passcode of a token" },
		{ CONFIG_ATTRIBUTE_XAUTH_NEXT_PIN, "a new PIN" },
		{ CONFIG_ATTRIBUTE_XAUTH_ANSWER, "an answer" },
		{ CONFIG_ATTRIBUTE_XAUTH_CHALLENGE, "the answer to a challenge" },
	};
	struct attribute at;

	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		if (has(q, asked[i].type, &at))
			return asked[i].what;
	return NULL;
}

/* Some gateways first send a text, or the kind of XAUTH, alone. */
static bool asks_user(const struct payload_ATTR *q)
{
	struct attribute at;

	return has(q, CONFIG_ATTRIBUTE_XAUTH_USER_NAME, &at) || has(q, CONFIG_ATTRIBUTE_XAUTH_USER_PASSWORD, &at);
}

/* Where the password of the user stands, for the log. */
static bool password(const struct phase1 *p, struct secret_found *found)
{
	return auth_xauth(p->ike, p->c, found);
}

static const struct refusal *refused(struct action *a, const struct payload_ATTR *q)
{
	const struct phase1 *p = of(a);
	struct secret_found found;

	if (p->follow.asked == 0 || !password(p, &found))
		return refuse_xauth_unasked(a->arena, p->c->name, message_of(a->arena, q));
	return refuse_xauth_refused(a->arena, p->c->name, p->c->xauth_name, found.file, found.line,
				    message_of(a->arena, q));
}

/* Why the request cannot be answered; NULL = it can, by found. */
static const struct refusal *obstacle(struct action *a, const struct payload_ATTR *q, struct secret_found *found)
{
	const struct phase1 *p = of(a);
	const char *name = p->c->name, *what = question(q);
	char kind[REGISTRY_TEXT];
	struct attribute at;

	if (!p->c->policy.xauth)
		return refuse_xauth_wanted(a->arena, name);
	if (has(q, CONFIG_ATTRIBUTE_XAUTH_TYPE, &at) && at.number != XAUTH_TYPE_GENERIC)
		return refuse_xauth_kind(a->arena, name, registry_name(&registry_xauth_type, (uint32_t)at.number, kind));
	if (what != NULL)
		return refuse_xauth_question(a->arena, name, what, message_of(a->arena, q));
	if (!asks_user(q))
		return NULL;
	if (p->follow.asked >= LIMIT_XAUTH_ASKED)	/* it asks again: the password was wrong */
		return refused(a, q);
	if (!password(p, found))
		return refuse_xauth_no_secret(a->arena, name, p->c->xauth_name, found->why);
	return NULL;
}

static enum action_result xauth_request(struct action *a, const struct payload_ATTR *q, struct emit_ATTR *out)
{
	struct phase1 *p = of(a);
	struct secret_found found;
	const struct refusal *why = obstacle(a, q, &found);
	const char *message = message_of(a->arena, q);
	struct attribute at;

	if (has(q, CONFIG_ATTRIBUTE_XAUTH_TYPE, &at))
		add(out, CONFIG_ATTRIBUTE_XAUTH_TYPE)->number = at.number;
	if (why != NULL) {
		add(out, CONFIG_ATTRIBUTE_XAUTH_STATUS)->number = XAUTH_STATUS_FAIL;
		followup_give_up(p, why);
		return ACTION_OK;
	}
	if (!asks_user(q)) {
		ike_log(p->ike, p->c, p->x, p->whack, WHACK_STATUS_LOG, "the gateway says (XAUTH): \"%s\"", message);
		return ACTION_OK;
	}
	ike_log(p->ike, p->c, p->x, p->whack, WHACK_STATUS_LOG,
		"the gateway asks who we are (XAUTH)%s%s%s: user %s, password in %s:%u", message[0] != '\0' ? ", \"" : "",
		message, message[0] != '\0' ? "\"" : "", p->c->xauth_name, found.file, found.line);
	p->follow.asked++;
	if (has(q, CONFIG_ATTRIBUTE_XAUTH_USER_NAME, &at))
		add(out, CONFIG_ATTRIBUTE_XAUTH_USER_NAME)->value = span_str(p->c->xauth_name);
	if (has(q, CONFIG_ATTRIBUTE_XAUTH_USER_PASSWORD, &at))
		add(out, CONFIG_ATTRIBUTE_XAUTH_USER_PASSWORD)->value = arena_span(a->arena, found.psk);
	return ACTION_OK;
}

static void xauth_status(struct action *a, const struct payload_ATTR *q, const struct attribute *status)
{
	struct phase1 *p = of(a);

	if (status->number != XAUTH_STATUS_OK) {
		followup_give_up(p, refused(a, q));
		return;
	}
	if (p->c->policy.xauth)
		ike_log(p->ike, p->c, p->x, p->whack, WHACK_STATUS_LOG, "the gateway accepts user %s (XAUTH)",
			p->c->xauth_name);
	p->follow.asked = 0;
	followup_done(p, FOLLOWUP_XAUTH);
}

static bool is_xauth(const struct payload_ATTR *q)
{
	struct span list = q->attrs;
	struct attribute at;

	while (next_attribute(&list, &at))
		if (at.type >= CONFIG_ATTRIBUTE_XAUTH_TYPE && at.type <= CONFIG_ATTRIBUTE_XAUTH_ANSWER)
			return true;
	return false;
}

/* ---- Mode Config --------------------------------------------------------------- */

/* NULL = it has an address that can be used. */
static const struct refusal *take(struct action *a, const struct payload_ATTR *p)
{
	struct lease *l = lease_read(p->attrs);
	const struct refusal *why = NULL;

	if (l->address.len == 0)
		why = refuse_config_no_address(a->arena, of(a)->c->name);
	else if (!lease_usable(&l->address))
		why = refuse_config_bad_address(a->arena, of(a)->c->name, &l->address);
	if (why != NULL)
		lease_unref(l);
	else
		followup_lease(of(a), l);
	return why;
}

/* Of what we were given each attribute is confirmed without its value. */
static void confirm(const struct payload_ATTR *q, struct emit_ATTR *out)
{
	struct span list = q->attrs;
	struct attribute at;

	while (next_attribute(&list, &at) && out->n_attrs < LIMIT_ATTRIBUTES) {
		const struct attribute_desc *d = attribute_find(&attributes_of_config, at.type);

		if (d != NULL && !d->basic)
			add(out, at.type);
	}
}

static enum action_result set(struct action *a, const struct payload_ATTR *q, struct emit_ATTR *out)
{
	struct phase1 *p = of(a);
	struct attribute at;

	if (has(q, CONFIG_ATTRIBUTE_XAUTH_STATUS, &at)) {
		xauth_status(a, q, &at);
		if (p->follow.why != NULL)
			return ACTION_OK;
	}
	if (!has(q, CONFIG_ATTRIBUTE_INTERNAL_IP4_ADDRESS, &at))
		return ACTION_OK;
	if (p->c->policy.modecfg != CONFIG_MODE_PUSH || (p->follow.awaited & FOLLOWUP_ADDRESS) == 0) {
		/* A status beside it counts all the same; of the address the ACK says nothing, so it is not taken. */
		ike_refusal(p->ike, p->c, a->x, p->whack, false, refuse_config_unwanted(a->arena, p->c->name));
		return ACTION_OK;
	}
	confirm(q, out);
	followup_give_up(p, take(a, q));
	return ACTION_OK;
}

/* Of us there is nothing to know but what we are. */
static enum action_result answer(const struct payload_ATTR *q, struct emit_ATTR *out)
{
	struct attribute at;

	if (has(q, CONFIG_ATTRIBUTE_APPLICATION_VERSION, &at))
		add(out, CONFIG_ATTRIBUTE_APPLICATION_VERSION)->value = span_str("pluto " PACKAGE_VERSION);
	return ACTION_OK;
}

enum action_result transaction_inQ_outA(struct action *a, const struct in_TQ *in, struct out_TA *out)
{
	const struct payload_ATTR *q = in->ATTRq;

	attributes_begin(a->arena, &out->ATTRa);
	out->ATTRa.id = q->id;
	if (q->type == CONFIG_TYPE_SET) {
		out->ATTRa.type = CONFIG_TYPE_ACK;
		return set(a, q, &out->ATTRa);
	}
	out->ATTRa.type = CONFIG_TYPE_REPLY;
	return is_xauth(q) ? xauth_request(a, q, &out->ATTRa) : answer(q, &out->ATTRa);
}

/* ---- asking for an address ------------------------------------------------------- */

enum action_result transaction_outQ(struct action *a, struct out_TQ *out)
{
	static const uint16_t plain[] = {
		CONFIG_ATTRIBUTE_INTERNAL_IP4_NETMASK, CONFIG_ATTRIBUTE_INTERNAL_IP4_DNS,
		CONFIG_ATTRIBUTE_INTERNAL_IP4_NBNS, CONFIG_ATTRIBUTE_INTERNAL_IP4_SUBNET,
		CONFIG_ATTRIBUTE_INTERNAL_ADDRESS_EXPIRY, CONFIG_ATTRIBUTE_APPLICATION_VERSION,
	};
	static const uint16_t unity[] = {
		CONFIG_ATTRIBUTE_UNITY_BANNER, CONFIG_ATTRIBUTE_UNITY_DEF_DOMAIN,
		CONFIG_ATTRIBUTE_UNITY_SPLITDNS_NAME, CONFIG_ATTRIBUTE_UNITY_SPLIT_INCLUDE,
	};
	struct phase1 *p = of(a);
	struct emit_attribute *address;

	action_repeat(a, p->c->policy.sends, p->c->policy.interval);
	attributes_begin(a->arena, &out->ATTRq);
	out->ATTRq.type = CONFIG_TYPE_REQUEST;
	out->ATTRq.id = (uint16_t)a->x->serial;
	address = add(&out->ATTRq, CONFIG_ATTRIBUTE_INTERNAL_IP4_ADDRESS);
	if (p->c->lease != NULL)	/* the one that we have, if that can be */
		address->value = arena_span(a->arena, addr_bytes(&p->c->lease->address));
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		add(&out->ATTRq, plain[i]);
	for (size_t i = 0; p->follow.unity && i < sizeof(unity) / sizeof(unity[0]); i++)
		add(&out->ATTRq, unity[i]);
	return ACTION_OK;
}

enum action_result transaction_inA(struct action *a, const struct in_TA *in)
{
	struct phase1 *p = of(a);
	char type[REGISTRY_TEXT];
	const struct refusal *why;

	if (in->ATTRa->type != CONFIG_TYPE_REPLY)
		return action_refuse(a, refuse_config_answer(a->arena, registry_name(&registry_config_type,
									in->ATTRa->type, type)));
	why = take(a, in->ATTRa);
	if (why != NULL)
		followup_give_up(p, why);
	return ACTION_OK;
}

/* ---- life ------------------------------------------------------------------------- */

void transaction_pull(struct phase1 *p)
{
	engine_initiate(p->ike->engine, p->ike->now, &machine_transaction, p->x, &p->x->local, &p->x->remote, p);
}

const struct refusal *transaction_admit(struct ike *ike, struct exchange *x)
{
	struct phase1 *p = phase1_of(x->parent);
	const struct exchange *sibling;
	unsigned n = 0;

	LIST_FOREACH(sibling, &x->parent->children, sibling)
		n += sibling->machine == &machine_transaction;
	if (n > LIMIT_TRANSACTIONS_PER_SA)	/* x is one of them */
		return refuse_too_many_transactions(ike->arena, LIMIT_TRANSACTIONS_PER_SA);
	if (p->retired)
		return refuse_sa_retired(ike->arena);
	x->user = p;
	return NULL;
}

void transaction_moved(struct exchange *x)
{
	followup_go_on(x->user);
}

void transaction_ended(struct exchange *x, enum end_reason why)
{
	struct phase1 *p = x->user;

	if (x->role == ROLE_INITIATOR && why != END_OVER && !p->x->dying && !phase1_is_ready(p))
		followup_fail(p, refuse_config_no_response(p->ike->arena, p->c->name), why == END_NO_RESPONSE);
}
