/* data.re -- the data forms: 0x hexadecimal, 0s base 64, 0t text.
 *
 * A span has no terminating NUL, so that the lexer reads through YYPEEK, which
 * supplies one at the end. */
#include "base/text.h"

struct input {
	const uint8_t *begin, *end;
	const char **why;
	unsigned *column;
};

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

	hex	= [0-9a-fA-F];
	b64	= [A-Za-z0-9+/];
*/

static unsigned hex_value(uint8_t c)
{
	return c <= '9' ? c - (unsigned)'0' : (c | 0x20u) - (unsigned)'a' + 10;
}

static uint32_t base64_value(uint8_t c)
{
	if (c >= 'a')
		return c - (uint32_t)'a' + 26;
	if (c >= 'A')
		return c - (uint32_t)'A';
	if (c >= '0')
		return c - (uint32_t)'0' + 52;
	return c == '+' ? 62 : 63;
}

static bool hex_parse(const struct input *in, const uint8_t *at, struct buf *out)
{
	const uint8_t *end = in->end, *from = at;
	size_t n = 0;
	bool half = false;

	for (;;) {
		from = at;
		/*!re2c
			hex	{
				out->p[n] = (uint8_t)((unsigned)out->p[n] << 4 | hex_value(*from));
				n += half;
				half = !half;
				continue;
			}
			"_"	{
				if (from[-1] == '_' || from == in->begin + 2 || at == end)
					return fail_at(in, from, "_ stands only between hexadecimal digits");
				continue;
			}
			$	{ break; }
			*	{ return fail_at(in, from, "not a hexadecimal digit"); }
		*/
	}
	if (half)
		return fail_at(in, end, "the number of hexadecimal digits is odd");
	out->n = n;
	return true;
}

/* RFC 4648, section 4: groups of four, the last one padded. */
static bool base64_parse(const struct input *in, const uint8_t *at, struct buf *out)
{
	const uint8_t *end = in->end, *from, *marker;
	uint32_t group;
	size_t n = 0, octets;

	for (;;) {
		from = marker = at;
		/*!re2c
			b64{4}		{ octets = 3; goto group; }
			b64{3} "="	{ octets = 2; goto group; }
			b64{2} "=="	{ octets = 1; goto group; }
			b64{1,3}	{ return fail_at(in, at, "base 64 comes in groups of four, "
							 "the last one filled up with ="); }
			$		{ break; }
			*		{ return fail_at(in, from, "not a character of base 64"); }
		*/
group:
		group = 0;
		for (size_t i = 0; i < 4; i++)
			group = group << 6 | (i <= octets ? base64_value(from[i]) : 0);
		if ((group & (octets == 2 ? 0xffu : octets == 1 ? 0xffffu : 0)) != 0)
			return fail_at(in, from + octets, "the last character of base 64 has bits that are lost");
		for (size_t i = 0; i < octets; i++)
			out->p[n++] = (uint8_t)(group >> (16 - 8 * i));
		if (octets != 3 && at != end)
			return fail_at(in, at, "text after the = that ends base 64");
	}
	out->n = n;
	return true;
}

bool data_parse(struct span text, struct buf *out, const char **why, unsigned *column)
{
	const struct input in = {
		.begin = text.p, .end = text.n == 0 ? text.p : text.p + text.n,
		.why = why, .column = column,
	};
	const uint8_t *at = in.begin, *end = in.end;
	struct buf b = { 0 };
	bool ok;

	if (text.n == 0)
		return fail_at(&in, at, "data is missing");
	/*!re2c
		'0x'	{ goto hex; }
		'0s'	{ goto base64; }
		'0t'	{ goto text; }
		$	{ goto form; }
		*	{ goto form; }
	*/
form:
	return fail_at(&in, in.begin, "data begins with 0x (hexadecimal), 0s (base 64) or 0t (text)");
hex:
	b = buf_new(text.n);
	ok = hex_parse(&in, at, &b);
	goto done;
base64:
	b = buf_new(text.n);
	ok = base64_parse(&in, at, &b);
	goto done;
text:
	b = buf_copy(span_from(text, 2));
	ok = true;
done:
	if (ok && b.n == 0)
		ok = fail_at(&in, end, "data is missing");
	if (ok)
		*out = b;
	else
		buf_free(&b);
	return ok;
}
