/* log.c -- lines for the log and for whack. */
#include <stdarg.h>
#include <stdio.h>

#include "ike/internal.h"
#include "ike/joint.h"
#include "ike/phase2.h"

struct connection *exchange_connection(const struct exchange *x)
{
	if (x == NULL || x->user == NULL || x->machine == NULL)
		return NULL;
	return x->machine == &machine_quick ? phase2_connection(x->user) : ((struct phase1 *)x->user)->c;
}

uint32_t exchange_whack(const struct exchange *x)
{
	if (x == NULL || x->user == NULL || x->machine == NULL)
		return NO_WHACK;
	return x->machine == &machine_quick ? phase2_whack(x->user) : ((struct phase1 *)x->user)->whack;
}

static void reply(struct ike *ike, uint32_t whack, uint16_t status, const char *line)
{
	ike->host.reply(ike->host.ctx, whack, status, line);
	joint_replied(ike, whack, status);
}

/* "name" #7: , as far as they are known. */
static void prefix(struct text *t, const struct connection *c, const struct exchange *x)
{
	if (c != NULL)
		text_add(t, "\"%s\"", c->name);
	if (x != NULL)
		text_add(t, "%s#%llu", c != NULL ? " " : "", (unsigned long long)x->serial);
	if (c != NULL || x != NULL)
		text_add(t, ": ");
}

static void to_log(struct ike *ike, const struct connection *c, const struct exchange *x,
		   enum log_level level, uint32_t class_, const char *reason, const char *text,
		   const char *remedy)
{
	char peer[ENDPOINT_TEXT];
	struct log_event event = {
		.level = level, .debug_class = class_,
		.connection = c == NULL ? NULL : c->name,
		.serial = x == NULL ? 0 : x->serial,
		.peer = x == NULL ? NULL : endpoint_format(&x->remote, peer),
		.reason = reason, .text = text, .remedy = remedy,
	};

	ike->host.log(ike->host.ctx, &event);
}

/* Anybody can begin in the name of a peer: lines about that are limited, like those with a reason. */
static const char *flood_of(const struct exchange *x)
{
	return x != NULL && x->parent == NULL && x->role == ROLE_RESPONDER && !x->proven ? "unproved_beginning" : NULL;
}

void ike_log(struct ike *ike, const struct connection *c, const struct exchange *x, uint32_t whack,
	     uint16_t status, const char *fmt, ...)
{
	char line[LINE_TEXT];
	struct text t = text_on(line, sizeof(line));
	va_list ap;
	char body[LINE_TEXT];

	va_start(ap, fmt);
	vsnprintf(body, sizeof(body), fmt, ap);
	va_end(ap);
	to_log(ike, c, x, status == WHACK_STATUS_LOG_SERIOUS ? LOG_SERIOUS : LOG_PLAIN, 0, flood_of(x), body,
	       NULL);
	if (whack == NO_WHACK)
		return;
	prefix(&t, c, x);
	text_add(&t, "%s", body);
	reply(ike, whack, status, line);
}

void ike_refusal(struct ike *ike, const struct connection *c, const struct exchange *x,
		 uint32_t whack, bool serious, const struct refusal *why)
{
	char line[LINE_TEXT];
	struct text t = text_on(line, sizeof(line));

	ike->refused[why->reason]++;
	to_log(ike, c, x, serious ? LOG_SERIOUS : LOG_PLAIN, 0, reasons[why->reason].name,
	       why->message, why->remedy);
	if (whack == NO_WHACK)
		return;
	prefix(&t, c, x);
	text_add(&t, "%s", why->message);
	reply(ike, whack, serious ? WHACK_STATUS_LOG_SERIOUS : WHACK_STATUS_LOG, line);
	if (why->remedy != NULL)
		ike_reply(ike, whack, WHACK_STATUS_COMMENT, "remedy: %s", why->remedy);
}

void ike_reply(struct ike *ike, uint32_t whack, uint16_t status, const char *fmt, ...)
{
	char line[LINE_TEXT];
	va_list ap;

	if (whack == NO_WHACK)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	reply(ike, whack, status, line);
}

void ike_reply_refusal(struct ike *ike, uint32_t whack, const struct refusal *why)
{
	if (whack == NO_WHACK)
		return;
	reply(ike, whack, why->status != 0 ? why->status : WHACK_STATUS_INTERNAL, why->message);
	if (why->remedy != NULL)
		ike_reply(ike, whack, WHACK_STATUS_COMMENT, "remedy: %s", why->remedy);
}

void ike_finish(struct ike *ike, uint32_t whack)
{
	if (whack != NO_WHACK && !joint_waits(ike, whack))
		ike->host.finish(ike->host.ctx, whack);
}

bool ike_debugging(struct ike *ike, const struct connection *c, uint32_t class_)
{
	return ((ike->debug | (c == NULL ? 0 : c->debug)) & class_) != 0;
}

void ike_debug_line(struct ike *ike, const struct connection *c, uint32_t class_, const char *line)
{
	to_log(ike, c, NULL, LOG_DEBUG_LINE, class_, NULL, line, NULL);
}

void ike_debug(struct ike *ike, const struct connection *c, uint32_t class_, const char *fmt, ...)
{
	char line[LINE_TEXT];
	va_list ap;

	if (!ike_debugging(ike, c, class_))
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	to_log(ike, c, NULL, LOG_DEBUG_LINE, class_, NULL, line, NULL);
}
