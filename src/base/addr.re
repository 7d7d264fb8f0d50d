/* addr.re -- parsing of addresses and subnets.  No name is resolved here.
 *
 * A span has no terminating NUL, so that the lexers read through YYPEEK, which
 * supplies one at the end. */
#include "base/addr.h"

struct input {
	const uint8_t *begin, *at, *end;
	const char **why;
	unsigned *column;
};

static struct input input_of(struct span s, const char **why, unsigned *column)
{
	return (struct input){
		.begin = s.p, .at = s.p, .end = s.n == 0 ? s.p : s.p + s.n,
		.why = why, .column = column,
	};
}

static bool fail_at(const struct input *in, const uint8_t *at, const char *why)
{
	size_t off = at == in->begin ? 0 : (size_t)(at - in->begin);

	*in->why = why;
	*in->column = off >= UINT32_MAX ? UINT32_MAX : (unsigned)off + 1;
	return false;
}

/*!re2c
	re2c:api = custom;
	re2c:api:style = free-form;
	re2c:eof = 0;
	re2c:yyfill:enable = 0;
	re2c:define:YYCTYPE = uint8_t;
	re2c:define:YYPEEK = "(at < end ? *at : 0)";
	re2c:define:YYSKIP = "++at;";
	re2c:define:YYBACKUP = "marker = at;";
	re2c:define:YYRESTORE = "at = marker;";
	re2c:define:YYLESSTHAN = "at >= end";

	dec	= [0-9];
	hex	= [0-9a-fA-F];
	label	= [a-zA-Z0-9_] ([a-zA-Z0-9_-]* [a-zA-Z0-9_])?;
	last	= [0-9]* [a-zA-Z_] ([a-zA-Z0-9_-]* [a-zA-Z0-9_])?;
	name	= (label ".")* last "."?;
*/

/* ---- parts of an address ------------------------------------------------- */

/* A run of decimal digits at p as a number up to max; SIZE_MAX when it is more. */
static size_t decimal(const uint8_t *p, const uint8_t *end, size_t max)
{
	size_t v = 0;

	for (; p < end && *p >= '0' && *p <= '9'; p++) {
		v = v * 10 + (size_t)(*p - '0');
		if (v > max)
			return SIZE_MAX;
	}
	return v;
}

static unsigned hex_digit(uint8_t c)
{
	return c <= '9' ? c - (unsigned)'0' : (c | 0x20u) - (unsigned)'a' + 10;
}

/* Four decimal numbers between `at` and end; the form was checked by the lexer. */
static bool quad(const struct input *in, const uint8_t *at, const uint8_t *end, uint8_t out[4])
{
	for (size_t i = 0; i < 4; i++) {
		size_t v = decimal(at, end, 255);

		if (v == SIZE_MAX)
			return fail_at(in, at, "a part of a dotted address is at most 255");
		if (at[0] == '0' && at + 1 < end && at[1] != '.')
			return fail_at(in, at, "a part of a dotted address is decimal and has no leading zero");
		out[i] = (uint8_t)v;
		while (at < end && *at != '.')
			at++;
		at++;
	}
	return true;
}

/* ---- IPv6 (RFC 4291, section 2.2) ---------------------------------------- */

enum v6_token { V6_GROUP, V6_QUAD, V6_COLON, V6_GAP, V6_END, V6_BAD };

static enum v6_token v6_token(const uint8_t **from, const uint8_t *end)
{
	const uint8_t *at = *from, *marker = at;

	/*!re2c
		dec{1,3} ("." dec{1,3}){3}	{ *from = at; return V6_QUAD; }
		hex{1,4}			{ *from = at; return V6_GROUP; }
		"::"				{ *from = at; return V6_GAP; }
		":"				{ *from = at; return V6_COLON; }
		$				{ return V6_END; }
		*				{ return V6_BAD; }
	*/
}

struct v6 {
	uint8_t b[16];
	size_t n;		/* octets written */
	size_t gap;		/* where "::" stands; SIZE_MAX = nowhere */
};

static bool v6_value(const struct input *in, struct v6 *v, enum v6_token t,
		     const uint8_t *at, const uint8_t *end)
{
	size_t octets = t == V6_QUAD ? 4 : 2;
	unsigned group = 0;

	if (v->n + octets > sizeof(v->b))
		return fail_at(in, at, "an IPv6 address has at most 8 groups");
	if (t == V6_QUAD) {
		if (!quad(in, at, end, v->b + v->n))
			return false;
	} else {
		for (; at < end; at++)
			group = group << 4 | hex_digit(*at);
		v->b[v->n] = (uint8_t)(group >> 8);
		v->b[v->n + 1] = (uint8_t)group;
	}
	v->n += octets;
	return true;
}

static bool v6_finish(const struct input *in, struct v6 *v, struct ip_addr *out)
{
	if (v->gap == SIZE_MAX && v->n != sizeof(v->b))
		return fail_at(in, in->end, "an IPv6 address without :: has 8 groups");
	if (v->gap != SIZE_MAX && v->n == sizeof(v->b))
		return fail_at(in, in->begin, ":: stands for no group at all here");
	*out = (struct ip_addr){ .len = 16 };
	if (v->gap == SIZE_MAX) {
		memcpy(out->b, v->b, sizeof(v->b));
	} else {
		memcpy(out->b, v->b, v->gap);
		memcpy(out->b + 16 - (v->n - v->gap), v->b + v->gap, v->n - v->gap);
	}
	return true;
}

static bool v6_parse(const struct input *in, struct ip_addr *out)
{
	struct v6 v = { .gap = SIZE_MAX };
	const uint8_t *at = in->at;
	bool want_value = true;		/* a single colon may not stand here */

	for (;;) {
		const uint8_t *start = at;
		enum v6_token t = v6_token(&at, in->end);

		if (t == V6_END)
			break;
		if (t == V6_GAP && v.gap != SIZE_MAX)
			return fail_at(in, start, ":: may stand only once in an IPv6 address");
		if (t == V6_GAP && (start == in->at || !want_value)) {
			v.gap = v.n;
			want_value = true;
		} else if (t == V6_COLON && !want_value) {
			want_value = true;
			if (at == in->end)
				return fail_at(in, start, "an IPv6 address ends in a single colon");
		} else if ((t == V6_GROUP || t == V6_QUAD) && want_value) {
			if (!v6_value(in, &v, t, start, at))
				return false;
			want_value = false;
			if (t == V6_QUAD && at != in->end)
				return fail_at(in, at, "a dotted part ends an IPv6 address");
		} else if (*start == '%') {
			return fail_at(in, start, "an address with a link (%) is not taken: use a global or unique local one");
		} else {
			return fail_at(in, start, "not a part of an IPv6 address");
		}
	}
	return v6_finish(in, &v, out);
}

/* ---- addresses ----------------------------------------------------------- */

enum form {
	FORM_NONE, FORM_ANY, FORM_ANY6, FORM_QUAD, FORM_HEX, FORM_HEX_SIZE, FORM_PARTS, FORM_V6, FORM_NAME,
	FORM_NUMBER, FORM_OTHER,
};

/* Which form the text from at to end has as a whole. */
static enum form form_of(const uint8_t *at, const uint8_t *end)
{
	const uint8_t *marker = at;
	enum form form;

	/*!re2c
		"%any"				{ form = FORM_ANY; goto whole; }
		"%any6"				{ form = FORM_ANY6; goto whole; }
		dec+				{ form = FORM_NUMBER; goto whole; }
		dec+ ("." dec+){3}		{ form = FORM_QUAD; goto whole; }
		"0" [xX] hex{8}			{ form = FORM_HEX; goto whole; }
		"0" [xX] hex*			{ form = FORM_HEX_SIZE; goto whole; }
		dec+ ("." dec+)* "."?		{ form = FORM_PARTS; goto whole; }
		name				{ form = FORM_NAME; goto whole; }
		hex{0,4} ":"			{ return FORM_V6; }
		$				{ return FORM_NONE; }
		*				{ return FORM_OTHER; }
	*/
whole:
	return at == end ? form : FORM_OTHER;
}

static bool addr_rest(const struct input *in, struct ip_addr *out)
{
	*out = (struct ip_addr){ .len = 4 };
	switch (form_of(in->at, in->end)) {
	case FORM_ANY:
		return true;
	case FORM_ANY6:
		out->len = 16;
		return true;
	case FORM_QUAD:
		return quad(in, in->at, in->end, out->b);
	case FORM_HEX:
		for (size_t i = 0; i < 8; i++)
			out->b[i / 2] = (uint8_t)((unsigned)out->b[i / 2] << 4 | hex_digit(in->at[2 + i]));
		return true;
	case FORM_V6:
		return v6_parse(in, out);
	case FORM_NONE:
		return fail_at(in, in->at, "an address is missing");
	case FORM_HEX_SIZE:
		return fail_at(in, in->at, "an address in hexadecimal has 8 digits");
	case FORM_NUMBER:
	case FORM_PARTS:
		return fail_at(in, in->at, "a dotted address has 4 parts");
	case FORM_NAME:
		return fail_at(in, in->at, "a name, not an address: it must be resolved first");
	case FORM_OTHER:
		break;
	}
	return fail_at(in, in->at, "not an address");
}

bool addr_parse(struct span text, struct ip_addr *out, const char **why, unsigned *column)
{
	struct input in = input_of(text, why, column);

	return addr_rest(&in, out);
}

bool addr_is_name(struct span text)
{
	/* RFC 1035, section 3.1: 255 octets with the length octets, so 254 with the last dot. */
	return text.n != 0 && text.n <= 254 && form_of(text.p, text.p + text.n) == FORM_NAME;
}

/* ---- subnets ------------------------------------------------------------- */

/* The length of a dotted mask; false when one bits follow zero bits. */
static bool mask_bits(const uint8_t mask[4], uint8_t *bits)
{
	uint32_t m = get_u32(mask);
	uint8_t n = 0;

	while (n < 32 && (m & UINT32_C(0x80000000)) != 0) {
		m <<= 1;
		n++;
	}
	*bits = n;
	return m == 0;
}

static bool mask_parse(const struct input *in, const uint8_t *at, struct subnet *out)
{
	uint8_t mask[4];
	size_t n;

	switch (form_of(at, in->end)) {
	case FORM_QUAD:
		if (out->addr.len != 4)
			return fail_at(in, at, "the mask of an IPv6 subnet is a number of bits");
		if (!quad(in, at, in->end, mask))
			return false;
		if (!mask_bits(mask, &out->bits))
			return fail_at(in, at, "the mask has one bits after zero bits");
		return true;
	case FORM_NUMBER:
		n = decimal(at, in->end, (size_t)out->addr.len * 8);
		if (n == SIZE_MAX)
			return fail_at(in, at, out->addr.len == 4 ? "an IPv4 mask has at most 32 bits" :
								    "an IPv6 mask has at most 128 bits");
		out->bits = (uint8_t)n;
		return true;
	case FORM_NONE:
		return fail_at(in, at, "the mask after / is missing");
	default:
		return fail_at(in, at, "the mask is neither a number of bits nor dotted");
	}
}

bool subnet_parse(struct span text, struct subnet *out, const char **why, unsigned *column)
{
	struct input in = input_of(text, why, column);
	const uint8_t *slash = text.n == 0 ? NULL : memchr(text.p, '/', text.n);
	struct ip_addr mask;

	if (span_eq(text, span_str("%default"))) {
		*out = (struct subnet){ .addr = { .len = 4 } };
		return true;
	}
	if (text.n != 0 && text.p[0] == '%')
		return fail_at(&in, in.begin, "not a subnet: the whole Internet is %default or 0.0.0.0/0, of IPv6 ::/0");
	if (slash != NULL)
		in.end = slash;
	*out = (struct subnet){ .bits = 0 };
	if (!addr_rest(&in, &out->addr))
		return false;
	if (slash == NULL) {
		*out = subnet_of_host(&out->addr);
		return true;
	}
	in.end = text.p + text.n;
	if (!mask_parse(&in, slash + 1, out))
		return false;
	mask = subnet_mask(out);
	for (size_t i = 0; i < mask.len; i++)
		if ((out->addr.b[i] & ~mask.b[i]) != 0)
			return fail_at(&in, in.begin, "bits are set beyond the mask");
	return true;
}
