/* engine_host.c -- what the engine asks of ike. */
#include "ike/followup.h"
#include "ike/internal.h"
#include "ike/natt.h"
#include "ike/phase2.h"

static struct ike *of(void *ctx)
{
	return ctx;
}

static void debug_sent(struct ike *ike, const struct exchange *x, struct span datagram)
{
	char *p = arena_alloc(ike->arena, 2 * datagram.n + ENDPOINT_TEXT + 64), to[ENDPOINT_TEXT];
	struct text t = text_on(p, 2 * datagram.n + ENDPOINT_TEXT + 64);

	text_add(&t, "sent to %s, %zu octets: ", endpoint_format(&x->remote, to), datagram.n);
	text_hex(&t, datagram);
	ike_debug_line(ike, exchange_connection(x), DEBUG_CLASSES_RAW, p);
}

static void on_send(void *ctx, const struct exchange *x, struct span datagram)
{
	struct ike *ike = of(ctx);

	if (ike_debugging(ike, exchange_connection(x), DEBUG_CLASSES_RAW))
		debug_sent(ike, x, datagram);
	natt_spoke(x);
	ike->host.send(ike->host.ctx, &x->local, &x->remote, datagram);
}

static void on_relocated(void *ctx, struct exchange *x, const struct endpoint *before)
{
	(void)ctx;
	natt_relocated(x->user, before);
}

static void on_random(void *ctx, void *p, size_t n)
{
	of(ctx)->host.random(of(ctx)->host.ctx, p, n);
}

static void on_log(void *ctx, const struct exchange *x, bool serious, const struct refusal *why)
{
	ike_refusal(of(ctx), exchange_connection(x), x, exchange_whack(x), serious, why);
}

static uint32_t class_bit(enum engine_debug class_)
{
	static const uint32_t bit[] = {
		[ENGINE_DEBUG_RAW] = DEBUG_CLASSES_RAW,
		[ENGINE_DEBUG_CRYPT] = DEBUG_CLASSES_CRYPT,
		[ENGINE_DEBUG_PARSING] = DEBUG_CLASSES_PARSING,
		[ENGINE_DEBUG_EMITTING] = DEBUG_CLASSES_EMITTING,
		[ENGINE_DEBUG_CONTROL] = DEBUG_CLASSES_CONTROL,
		[ENGINE_DEBUG_PRIVATE] = DEBUG_CLASSES_PRIVATE,
	};

	return bit[class_];
}

static bool on_debugging(void *ctx, const struct exchange *x, enum engine_debug class_)
{
	return ike_debugging(of(ctx), exchange_connection(x), class_bit(class_));
}

static void on_debug(void *ctx, const struct exchange *x, enum engine_debug class_, const char *line)
{
	ike_debug_line(of(ctx), exchange_connection(x), class_bit(class_), line);
}

static const struct refusal *on_admit(void *ctx, struct exchange *x, struct arena *arena)
{
	struct ike *ike = of(ctx);

	if (!ike->listening || ike->stopping)
		return refuse_not_wanted_now(arena);
	if (x->parent == NULL)
		return phase1_admit(ike, x, arena);
	return x->machine == &machine_transaction ? transaction_admit(ike, x) : phase2_admit(ike, x);
}

/* The first message of a phase 1 that the preshared secret went into does not make sense. */
static const struct refusal *on_garbled(void *ctx, struct exchange *x, struct arena *arena)
{
	struct phase1 *p = phase1_of(x);

	(void)ctx;
	if (p == NULL || p->n == NULL || p->n->secret_file == NULL)
		return NULL;
	return refuse_psk_mismatch(arena, p->c->name, p->n->secret_file, p->n->secret_line);
}

static void on_refused(void *ctx, struct exchange *x, const struct refusal *why)
{
	if (why->notify != 0)
		send_notify(of(ctx), x, why->notify);
}

static void on_moved(void *ctx, struct exchange *x)
{
	struct ike *ike = of(ctx);

	if (x->machine == &machine_transaction) {
		transaction_moved(x);
		return;
	}
	if (!exchange_final(x)) {
		ike_log(ike, exchange_connection(x), x, exchange_whack(x),
			(uint16_t)(WHACK_STATUS_STATE + x->state->id), "%s: %s", x->state->name,
			x->state->text);
		return;
	}
	if (x->machine->phase == 1) {
		struct phase1 *p = x->user;

		ike_log(ike, p->c, x, p->whack, (uint16_t)(WHACK_STATUS_STATE + x->state->id), "%s: %s, %s",
			x->state->name, x->state->text, choice_text(ike->arena, &p->chosen));
		phase1_established(p);
	} else {
		phase2_established(x->user);
	}
}

static void on_resent(void *ctx, struct exchange *x, bool by_timer)
{
	struct ike *ike = of(ctx);

	ike_log(ike, exchange_connection(x), x, exchange_whack(x), WHACK_STATUS_RETRANSMISSION,
		by_timer ? "%s: no answer yet, sending again" :
			   "%s: the peer repeats its message, our answer is sent again",
		x->state->name);
	if (by_timer && phase2_of(x) != NULL && x->role == ROLE_INITIATOR)
		phase2_unanswered(x->user);
}

static void on_ended(void *ctx, struct exchange *x, enum end_reason why)
{
	(void)ctx;
	if (x->user == NULL)
		return;
	if (x->machine->phase == 1)
		phase1_ended(x->user, why);
	else if (x->machine == &machine_transaction)
		transaction_ended(x, why);
	else
		phase2_ended(x->user, why);
	x->user = NULL;
}

struct engine_host ike_engine_host(struct ike *ike)
{
	return (struct engine_host){
		.ctx = ike,
		.send = on_send, .random = on_random, .log = on_log,
		.debugging = on_debugging, .debug = on_debug,
		.admit = on_admit, .garbled = on_garbled, .refused = on_refused,
		.moved = on_moved, .relocated = on_relocated, .resent = on_resent, .ended = on_ended,
	};
}
