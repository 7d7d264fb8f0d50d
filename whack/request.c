/* request.c -- one function for each form of whack. */
#include "whack/request.h"

#include "generated/control_protocol.h"
#include "generated/options.h"
#include "whack/clients.h"
#include "whack/resolve.h"

static bool given(const struct options *o, unsigned id)
{
	return option_given(o, id);
}

static uint32_t number(const struct options *o, unsigned id)
{
	return option_number(o, id, END_LEFT);
}

static struct span text(const struct options *o, unsigned id)
{
	return span_str(option_text(o, id, END_LEFT));
}

static bool two_requests(const struct options *o, unsigned a, unsigned b, struct text *why)
{
	const struct option_value *first = option_find(o, a, END_LEFT), *second = option_find(o, b, END_LEFT);

	if (first == NULL || second == NULL)
		return false;
	option_where(second, why);
	text_add(why, ": --%s and --%s are two requests; use two commands", first->option->name,
		 second->option->name);
	return true;
}

/* The names of the manual go into the environment and arguments of a command.  What is described may be named with
 * one of its pairs of clients, as net/1x2. */
static bool name_ok(const struct options *o, struct text *why)
{
	const struct option_value *v = option_find(o, WHACK_OPTION_NAME, END_LEFT);
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-";
	size_t n = v == NULL ? 0 : strspn(v->text, letters);
	bool part = v != NULL && v->text[n] == '/' && o->form != WHACK_FORM_CONNECTION;

	if (v == NULL || (n <= 64 && (v->text[n] == '\0' || part) && v->text[0] != '-'))
		return true;
	option_where(v, why);
	text_add(why, ": --name ");
	text_escape(why, span_str(v->text));
	text_add(why, " is no name of a connection; use at most 64 letters, digits and . _ + -");
	return false;
}

/* ---- connection ------------------------------------------------------------- */

static bool read_end(const struct options *o, enum option_end side, struct control_end *e,
		     char id[ID_TEXT], struct clients_room *room, struct text *why)
{
	enum option_end other = side == END_LEFT ? END_RIGHT : END_LEFT;
	bool six = resolve_is_six(option_find(o, WHACK_OPTION_HOST, other));
	const struct option_value *v;

	*e = (struct control_end){
		.ikeport = (uint16_t)option_number(o, WHACK_OPTION_IKEPORT, side),
		.nattport = (uint16_t)option_number(o, WHACK_OPTION_NATTPORT, side),
		.updown = span_str(option_text(o, WHACK_OPTION_UPDOWN, side)),
	};
	if ((v = option_find(o, WHACK_OPTION_HOST, side)) != NULL && !resolve_host(v, six, e, why))
		return false;
	six = e->defaultroute ? six : e->host.len == 16;
	if ((v = option_find(o, WHACK_OPTION_ID, side)) != NULL) {
		if (!resolve_id(v, six, id, why))
			return false;
		e->id = span_str(id);
		if (resolve_was_name(v))
			e->named = span_str(v->text);
	}
	if ((v = option_find(o, WHACK_OPTION_NEXTHOP, side)) != NULL &&
	    !resolve_addr(v, six, &e->nexthop, why))
		return false;
	return clients_read(o, side, e, room, why);
}

static bool connection(const struct options *o, struct writer *w, struct text *why)
{
	char left_id[ID_TEXT], right_id[ID_TEXT];
	struct clients_room left, right;
	struct control_connection m = {
		.name = text(o, WHACK_OPTION_NAME),
		.replace = given(o, WHACK_OPTION_DELETE),
		.psk = given(o, WHACK_OPTION_PSK),
		.rsasig = given(o, WHACK_OPTION_RSASIG),
		.encrypt = given(o, WHACK_OPTION_ENCRYPT),
		.authenticate = given(o, WHACK_OPTION_AUTHENTICATE),
		.compress = given(o, WHACK_OPTION_COMPRESS),
		.tunnel = given(o, WHACK_OPTION_TUNNEL),
		.pfs = given(o, WHACK_OPTION_PFS),
		.aggressive = given(o, WHACK_OPTION_AGGRESSIVE),
		.policy = text(o, WHACK_OPTION_POLICY),
		.ike = text(o, WHACK_OPTION_IKE),
		.esp = text(o, WHACK_OPTION_ESP),
		.ah = text(o, WHACK_OPTION_AH),
		.pfsgroup = text(o, WHACK_OPTION_PFSGROUP),
		.ikelifetime = number(o, WHACK_OPTION_IKELIFETIME),
		.ipseclifetime = number(o, WHACK_OPTION_IPSECLIFETIME),
		.ipseckilobytes = number(o, WHACK_OPTION_IPSECKILOBYTES),
		.rekeymargin = number(o, WHACK_OPTION_REKEYMARGIN),
		.rekeyfuzz = number(o, WHACK_OPTION_REKEYFUZZ),
		.keyingtries = number(o, WHACK_OPTION_KEYINGTRIES),
		.sends = number(o, WHACK_OPTION_SENDS),
		.sendinterval = number(o, WHACK_OPTION_SENDINTERVAL),
		.dpddelay = number(o, WHACK_OPTION_DPDDELAY),
		.dpdtimeout = number(o, WHACK_OPTION_DPDTIMEOUT),
		.dpdaction = (uint8_t)number(o, WHACK_OPTION_DPDACTION),
		.onconflict = (uint8_t)number(o, WHACK_OPTION_ONCONFLICT),
		.encapsulation = (uint8_t)number(o, WHACK_OPTION_ENCAPSULATION),
		.ondemand = given(o, WHACK_OPTION_ONDEMAND),
		.revive = given(o, WHACK_OPTION_REVIVE),
		.fragmentation = (uint8_t)number(o, WHACK_OPTION_FRAGMENTATION),
		.fragmentsize = number(o, WHACK_OPTION_FRAGMENTSIZE),
		.xauth = given(o, WHACK_OPTION_XAUTH),
		.xauthname = text(o, WHACK_OPTION_XAUTHNAME),
		.modecfg = (uint8_t)number(o, WHACK_OPTION_MODECFG),
		.split = given(o, WHACK_OPTION_SPLIT),
	};

	if (!read_end(o, END_LEFT, &m.left, left_id, &left, why) ||
	    !read_end(o, END_RIGHT, &m.right, right_id, &right, why))
		return false;
	control_put_connection(w, &m);
	return true;
}

/* ---- the other forms ---------------------------------------------------------- */

static bool key(const struct options *o, struct writer *w, struct text *why)
{
	const struct option_value *v = option_find(o, WHACK_OPTION_PUBKEYRSA, END_LEFT);
	char id[ID_TEXT];
	struct buf bytes = { 0 };
	const char *reason;
	unsigned column;

	if (!resolve_id(option_find(o, WHACK_OPTION_KEYID, END_LEFT), false, id, why))
		return false;
	if (v != NULL && !data_parse(span_str(v->text), &bytes, &reason, &column)) {
		option_where(v, why);
		text_add(why, ": --pubkeyrsa: %s (column %u); write 0x and hexadecimal digits, or 0s and base64",
			 reason, column);
		return false;
	}
	control_put_public_key(w, &(struct control_public_key){
		.id = span_str(id), .key = span_buf(bytes), .forget = given(o, WHACK_OPTION_DELETE) });
	buf_free(&bytes);
	return true;
}

static bool which_secret(const struct options *o, struct writer *w, struct text *why)
{
	const struct option_value *v = option_find(o, WHACK_OPTION_PEER, END_LEFT);
	char us[ID_TEXT], peer[ID_TEXT] = "";

	if (!resolve_id(option_find(o, WHACK_OPTION_US, END_LEFT), false, us, why) ||
	    (v != NULL && !resolve_id(v, false, peer, why)))
		return false;
	control_put_which_secret(w, &(struct control_which_secret){
		.us = span_str(us), .peer = span_str(peer) });
	return true;
}

static bool initiate(const struct options *o, struct writer *w, struct text *why)
{
	struct span name = text(o, WHACK_OPTION_NAME);

	if (two_requests(o, WHACK_OPTION_INITIATE, WHACK_OPTION_TERMINATE, why))
		return false;
	if (given(o, WHACK_OPTION_TERMINATE))
		control_put_terminate(w, &(struct control_terminate){
			.name = name, .asynchronous = given(o, WHACK_OPTION_ASYNCHRONOUS) });
	else
		control_put_initiate(w, &(struct control_initiate){
			.name = name, .asynchronous = given(o, WHACK_OPTION_ASYNCHRONOUS) });
	return true;
}

static bool route(const struct options *o, struct writer *w, struct text *why)
{
	struct span name = text(o, WHACK_OPTION_NAME);

	if (two_requests(o, WHACK_OPTION_ROUTE, WHACK_OPTION_UNROUTE, why))
		return false;
	if (given(o, WHACK_OPTION_UNROUTE))
		control_put_unroute(w, &(struct control_unroute){
			.name = name, .asynchronous = given(o, WHACK_OPTION_ASYNCHRONOUS) });
	else
		control_put_route(w, &(struct control_route){
			.name = name, .asynchronous = given(o, WHACK_OPTION_ASYNCHRONOUS) });
	return true;
}

static bool listen(const struct options *o, struct writer *w, struct text *why)
{
	if (two_requests(o, WHACK_OPTION_LISTEN, WHACK_OPTION_UNLISTEN, why))
		return false;
	if (given(o, WHACK_OPTION_UNLISTEN))
		control_put_unlisten(w, &(struct control_unlisten){ 0 });
	else
		control_put_listen(w, &(struct control_listen){ 0 });
	return true;
}

bool request_write(const struct options *o, struct writer *w, struct text *why)
{
	bool ok = true;

	if (!name_ok(o, why))
		return false;
	switch ((enum whack_form)o->form) {
	case WHACK_FORM_CONNECTION:
		ok = connection(o, w, why);
		break;
	case WHACK_FORM_KEY:
		ok = key(o, w, why);
		break;
	case WHACK_FORM_LISTEN:
		ok = listen(o, w, why);
		break;
	case WHACK_FORM_ROUTE:
		ok = route(o, w, why);
		break;
	case WHACK_FORM_INITIATE:
		ok = initiate(o, w, why);
		break;
	case WHACK_FORM_DELETE:
		control_put_delete(w, &(struct control_delete){
			.name = text(o, WHACK_OPTION_NAME),
			.asynchronous = given(o, WHACK_OPTION_ASYNCHRONOUS) });
		break;
	case WHACK_FORM_DEBUG:
		control_put_debug(w, &(struct control_debug){
			.name = text(o, WHACK_OPTION_NAME), .classes = options_debug(o) });
		break;
	case WHACK_FORM_STATUS:
		control_put_status(w, &(struct control_status){
			.name = text(o, WHACK_OPTION_NAME), .json = given(o, WHACK_OPTION_JSON),
			.brief = given(o, WHACK_OPTION_BRIEF) });
		break;
	case WHACK_FORM_PRINT_CONN:
		control_put_status(w, &(struct control_status){ .name = text(o, WHACK_OPTION_NAME), .said = true });
		break;
	case WHACK_FORM_WHICH_SECRET:
		ok = which_secret(o, w, why);
		break;
	case WHACK_FORM_SHUTDOWN:
		control_put_shutdown(w, &(struct control_shutdown){
			.quiet = given(o, WHACK_OPTION_QUIET), .leave = given(o, WHACK_OPTION_LEAVE_STATE),
			.asynchronous = given(o, WHACK_OPTION_ASYNCHRONOUS) });
		break;
	case WHACK_FORM_HELP:
	case WHACK_FORM_GENPSK:
	case WHACK_FORM_BATCH:
		ok = false;		/* they are no requests */
		break;
	}
	if (ok && w->overflow) {
		text_add(why, "the request is longer than %zu octets; shorten what it names", w->cap);
		return false;
	}
	return ok;
}
