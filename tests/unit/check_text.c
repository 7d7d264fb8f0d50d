/* check_text.c -- text forms: addresses, subnets, data, identities. */
#include <check.h>
#include <stdlib.h>

#include "base/text.h"
#include "ike/identity.h"
#include "suite.h"

struct addr_case {
	const char *text;
	const char *want;	/* formatted, or the reason */
	unsigned column;	/* 0 = good */
};

static const struct addr_case addr_cases[] = {
	{ "10.0.0.1", "10.0.0.1", 0 },
	{ "0.0.0.0", "0.0.0.0", 0 },
	{ "255.255.255.255", "255.255.255.255", 0 },
	{ "%any", "0.0.0.0", 0 },
	{ "%any6", "::", 0 },
	{ "%any4", "not an address", 1 },
	{ "0x0a000001", "10.0.0.1", 0 },
	{ "0XC0A80101", "192.168.1.1", 0 },
	{ "::", "::", 0 },
	{ "::1", "::1", 0 },
	{ "fe80::", "fe80::", 0 },
	{ "2001:db8::1", "2001:db8::1", 0 },
	{ "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8", 0 },
	{ "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0", 0 },
	{ "::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8", 0 },
	{ "1::8", "1::8", 0 },
	{ "::ffff:192.0.2.1", "::ffff:192.0.2.1", 0 },
	{ "1:2:3:4:5:6:192.0.2.1", "1:2:3:4:5:6:c000:201", 0 },
	{ "ABCD::", "abcd::", 0 },
	{ "", "an address is missing", 1 },
	{ "10.0.0", "a dotted address has 4 parts", 1 },
	{ "10", "a dotted address has 4 parts", 1 },
	{ "10.0.0.1.", "a dotted address has 4 parts", 1 },
	{ "10.0.0.1.2", "a dotted address has 4 parts", 1 },
	{ "10.0.0.256", "a part of a dotted address is at most 255", 8 },
	{ "10.0.99999999999999999999.1", "a part of a dotted address is at most 255", 6 },
	{ "10.010.0.1", "a part of a dotted address is decimal and has no leading zero", 4 },
	{ "0x0a0001", "an address in hexadecimal has 8 digits", 1 },
	{ "0x0a00000100", "an address in hexadecimal has 8 digits", 1 },
	{ "gw.example.com", "a name, not an address: it must be resolved first", 1 },
	{ "10.0.0.1x", "a name, not an address: it must be resolved first", 1 },
	{ "10.0.0.1/8", "not an address", 1 },
	{ "%default", "not an address", 1 },
	{ " 10.0.0.1", "not an address", 1 },
	{ "10.0.0.1 ", "not an address", 1 },
	{ "10..0.1", "not an address", 1 },
	{ "%anyone", "not an address", 1 },
	{ "1:2:3:4:5:6:7", "an IPv6 address without :: has 8 groups", 14 },
	{ "1:2:3:4:5:6:7:8:9", "an IPv6 address has at most 8 groups", 17 },
	{ "1:2:3:4:5:6:7:192.0.2.1", "an IPv6 address has at most 8 groups", 15 },
	{ "1::2::3", ":: may stand only once in an IPv6 address", 5 },
	{ "1:2:3:4::5:6:7:8", ":: stands for no group at all here", 1 },
	{ "1:", "an IPv6 address ends in a single colon", 2 },
	{ ":1", "not a part of an IPv6 address", 1 },
	{ ":::", "not a part of an IPv6 address", 3 },
	{ "::1:", "an IPv6 address ends in a single colon", 4 },
	{ "1:::2", "not a part of an IPv6 address", 4 },
	{ "12345::", "not an address", 1 },
	{ "::12345", "not a part of an IPv6 address", 7 },
	{ "fe80::1%eth0", "an address with a link (%) is not taken: use a global or unique local one", 8 },
	{ "::1.2.3.4:5", "a dotted part ends an IPv6 address", 10 },
	{ "::1.2.3.400", "a part of a dotted address is at most 255", 9 },
};

START_TEST(addresses)
{
	const struct addr_case *c = &addr_cases[_i];
	struct ip_addr a = { 0 };
	const char *why = NULL;
	unsigned column = 0;
	char text[ADDR_TEXT];
	bool ok = addr_parse(span_str(c->text), &a, &why, &column);

	ck_assert_msg(ok == (c->column == 0), "%s: %s", c->text, why);
	ck_assert_str_eq(ok ? addr_format(&a, text) : why, c->want);
	if (!ok)
		ck_assert_uint_eq(column, c->column);
}
END_TEST

static const struct addr_case subnet_cases[] = {
	{ "10.0.0.0/8", "10.0.0.0/8", 0 },
	{ "10.0.0.0/255.0.0.0", "10.0.0.0/8", 0 },
	{ "10.1.2.3", "10.1.2.3/32", 0 },
	{ "10.1.2.3/32", "10.1.2.3/32", 0 },
	{ "0x0a000000/8", "10.0.0.0/8", 0 },
	{ "%default", "0.0.0.0/0", 0 },
	{ "0.0.0.0/0", "0.0.0.0/0", 0 },
	{ "0.0.0.0/0.0.0.0", "0.0.0.0/0", 0 },
	{ "128.0.0.0/1", "128.0.0.0/1", 0 },
	{ "10.0.0.1/255.255.255.255", "10.0.0.1/32", 0 },
	{ "2001:db8::/32", "2001:db8::/32", 0 },
	{ "2001:db8::1", "2001:db8::1/128", 0 },
	{ "::/0", "::/0", 0 },
	{ "10.0.0.1/8", "bits are set beyond the mask", 1 },
	{ "10.0.0.1/31", "bits are set beyond the mask", 1 },
	{ "2001:db8::1/64", "bits are set beyond the mask", 1 },
	{ "10.0.0.0/33", "an IPv4 mask has at most 32 bits", 10 },
	{ "::/129", "an IPv6 mask has at most 128 bits", 4 },
	{ "::/255.0.0.0", "the mask of an IPv6 subnet is a number of bits", 4 },
	{ "10.0.0.0/255.0.255.0", "the mask has one bits after zero bits", 10 },
	{ "10.0.0.0/255.0.0.256", "a part of a dotted address is at most 255", 18 },
	{ "10.0.0.0/", "the mask after / is missing", 10 },
	{ "10.0.0.0/8/8", "the mask is neither a number of bits nor dotted", 10 },
	{ "10.0.0.0/-1", "the mask is neither a number of bits nor dotted", 10 },
	{ "10.0.0.0/0xff000000", "the mask is neither a number of bits nor dotted", 10 },
	{ "/8", "an address is missing", 1 },
	{ "", "an address is missing", 1 },
	{ "%any", "not a subnet: the whole Internet is %default or 0.0.0.0/0, of IPv6 ::/0", 1 },
	{ "%default/0", "not a subnet: the whole Internet is %default or 0.0.0.0/0, of IPv6 ::/0", 1 },
	{ "net.example/24", "a name, not an address: it must be resolved first", 1 },
};

START_TEST(subnets)
{
	const struct addr_case *c = &subnet_cases[_i];
	struct subnet s = { .bits = 0 };
	const char *why = NULL;
	unsigned column = 0;
	char text[SUBNET_TEXT];
	bool ok = subnet_parse(span_str(c->text), &s, &why, &column);

	ck_assert_msg(ok == (c->column == 0), "%s: %s", c->text, why);
	ck_assert_str_eq(ok ? subnet_format(&s, text) : why, c->want);
	if (!ok)
		ck_assert_uint_eq(column, c->column);
}
END_TEST

/* A span ends where it says, whatever stands behind it. */
START_TEST(spans_end)
{
	struct ip_addr a;
	const char *why;
	unsigned column;
	char text[ADDR_TEXT];

	ck_assert(addr_parse(span_of("10.0.0.123", 9), &a, &why, &column));
	ck_assert_str_eq(addr_format(&a, text), "10.0.0.12");
	ck_assert(!addr_parse(span_of("10.0.0.1\0", 9), &a, &why, &column));
	ck_assert(!addr_parse(span_of("\0", 1), &a, &why, &column));
	ck_assert(addr_parse(span_of("::1234", 5), &a, &why, &column));
	ck_assert_str_eq(addr_format(&a, text), "::123");
}
END_TEST

START_TEST(names)
{
	char longest[256];

	ck_assert(addr_is_name(span_str("gw")));
	ck_assert(addr_is_name(span_str("gw.example.com")));
	ck_assert(addr_is_name(span_str("gw.example.com.")));
	ck_assert(addr_is_name(span_str("3com.example")));
	ck_assert(addr_is_name(span_str("a-b_c.example")));
	ck_assert(!addr_is_name(span_str("")));
	ck_assert(!addr_is_name(span_str("10.0.0.1")));
	ck_assert(!addr_is_name(span_str("-gw.example")));
	ck_assert(!addr_is_name(span_str("gw-.example")));
	ck_assert(!addr_is_name(span_str("gw..example")));
	ck_assert(!addr_is_name(span_str("user@example")));
	ck_assert(!addr_is_name(span_of("gw\0x", 4)));
	memset(longest, 'a', sizeof(longest));
	ck_assert(addr_is_name(span_of(longest, 254)));
	ck_assert(!addr_is_name(span_of(longest, 255)));
}
END_TEST

struct data_case {
	const char *text;
	const char *want;	/* in hexadecimal, or the reason */
	unsigned column;
};

static const struct data_case data_cases[] = {
	{ "0x00", "00", 0 },
	{ "0xDEADbeef", "deadbeef", 0 },
	{ "0xdead_beef", "deadbeef", 0 },
	{ "0xd_e_ad", "dead", 0 },
	{ "0sQUJD", "414243", 0 },
	{ "0sQUI=", "4142", 0 },
	{ "0sQQ==", "41", 0 },
	{ "0s+/+/", "fbffbf", 0 },
	{ "0sQUJDRA==", "41424344", 0 },
	{ "0tabc", "616263", 0 },
	{ "0t0x12", "30783132", 0 },
	{ "0X41", "41", 0 },
	{ "", "data is missing", 1 },
	{ "0x", "data is missing", 3 },
	{ "0s", "data is missing", 3 },
	{ "0t", "data is missing", 3 },
	{ "abc", "data begins with 0x (hexadecimal), 0s (base 64) or 0t (text)", 1 },
	{ "0", "data begins with 0x (hexadecimal), 0s (base 64) or 0t (text)", 1 },
	{ "0xabc", "the number of hexadecimal digits is odd", 6 },
	{ "0xag", "not a hexadecimal digit", 4 },
	{ "0x_ab", "_ stands only between hexadecimal digits", 3 },
	{ "0xab_", "_ stands only between hexadecimal digits", 5 },
	{ "0xa__b", "_ stands only between hexadecimal digits", 5 },
	{ "0sQUJ", "base 64 comes in groups of four, the last one filled up with =", 6 },
	{ "0sQ", "base 64 comes in groups of four, the last one filled up with =", 4 },
	{ "0sQUI=QUJD", "text after the = that ends base 64", 7 },
	{ "0sQUJ=", "the last character of base 64 has bits that are lost", 5 },
	{ "0sQR==", "the last character of base 64 has bits that are lost", 4 },
	{ "0s=", "not a character of base 64", 3 },
	{ "0sQUJD*", "not a character of base 64", 7 },
};

START_TEST(data)
{
	const struct data_case *c = &data_cases[_i];
	struct buf b = { 0 };
	const char *why = NULL;
	unsigned column = 0;
	char hex[64];
	struct text t = text_on(hex, sizeof(hex));
	bool ok = data_parse(span_str(c->text), &b, &why, &column);

	ck_assert_msg(ok == (c->column == 0), "%s: %s", c->text, why);
	if (ok)
		text_hex(&t, span_buf(b));
	ck_assert_str_eq(ok ? hex : why, c->want);
	if (!ok)
		ck_assert_uint_eq(column, c->column);
	buf_free(&b);
}
END_TEST

struct identity_case {
	const char *text;
	enum identity_form form;
	const char *want;	/* formatted, the name, or the reason */
	unsigned column;
};

static const struct identity_case identity_cases[] = {
	{ "10.0.0.1", IDENTITY_OK, "10.0.0.1", 0 },
	{ "2001:db8::1", IDENTITY_OK, "2001:db8::1", 0 },
	{ "%any", IDENTITY_OK, "%any", 0 },
	{ "0.0.0.0", IDENTITY_OK, "%any", 0 },
	{ "::", IDENTITY_OK, "%any6", 0 },
	{ "%any6", IDENTITY_OK, "%any6", 0 },
	{ "@gw.example.com", IDENTITY_OK, "@gw.example.com", 0 },
	{ "@10.0.0.1", IDENTITY_OK, "@10.0.0.1", 0 },
	{ "user@gw.example.com", IDENTITY_OK, "user@gw.example.com", 0 },
	{ "@caf\xc3\xa9", IDENTITY_OK, "@caf\\xc3\\xa9", 0 },
	{ "@[group]", IDENTITY_OK, "@[group]", 0 },
	{ "@[a]b@c]", IDENTITY_OK, "@[a]b@c]", 0 },
	{ "@#67726F7570", IDENTITY_OK, "@[group]", 0 },
	{ "@#6120_62", IDENTITY_OK, "@#612062", 0 },
	{ "@#00ff", IDENTITY_OK, "@#00ff", 0 },
	{ "@[caf\xc3\xa9]", IDENTITY_OK, "@#636166c3a9", 0 },
	{ "@[a\\x62]", IDENTITY_OK, "@#615c783632", 0 },
	{ "a@[b]", IDENTITY_OK, "a@[b]", 0 },
	{ "@#", IDENTITY_BAD, "data is missing", 3 },
	{ "@#6", IDENTITY_BAD, "the number of hexadecimal digits is odd", 4 },
	{ "@#6g", IDENTITY_BAD, "not a hexadecimal digit", 4 },
	{ "@[", IDENTITY_BAD, "a ] is missing behind @[", 3 },
	{ "@[group", IDENTITY_BAD, "a ] is missing behind @[", 8 },
	{ "@[]", IDENTITY_BAD, "a name is missing between @[ and ]", 3 },
	{ "@[a b]", IDENTITY_BAD, "a blank or control character: write @# and the octets in hexadecimal", 4 },
	{ "gw.example.com", IDENTITY_HOST, "gw.example.com", 0 },
	{ "", IDENTITY_BAD, "an identity is missing", 1 },
	{ "@", IDENTITY_BAD, "a name is missing after @", 1 },
	{ "user@", IDENTITY_BAD, "a name is missing after @", 5 },
	{ "@user@host", IDENTITY_BAD, "more than one @: write @fqdn or user@fqdn", 1 },
	{ "@a b", IDENTITY_BAD, "a blank or control character in a name", 3 },
	{ "10.0.0.256", IDENTITY_BAD, "a part of a dotted address is at most 255", 8 },
	{ "not!a!name", IDENTITY_BAD, "not an address", 1 },
};

START_TEST(identities)
{
	const struct identity_case *c = &identity_cases[_i];
	struct identity id = { .kind = IDENTITY_NONE };
	const char *why = "";
	unsigned column = 0;
	char line[80];
	struct text t = text_on(line, sizeof(line));
	struct arena *a = arena_new();

	ck_assert_int_eq(identity_parse(a, span_str(c->text), &id, &why, &column), c->form);
	if (c->form == IDENTITY_OK)
		identity_format(&t, &id);
	else
		text_add(&t, "%.*s", c->form == IDENTITY_HOST ? (int)id.name.n : 79,
			 c->form == IDENTITY_HOST ? (const char *)id.name.p : why);
	ck_assert_str_eq(line, c->want);
	if (c->form == IDENTITY_BAD)
		ck_assert_uint_eq(column, c->column);
	arena_free(a);
}
END_TEST

static struct identity id_of(enum identity_kind kind, const char *name)
{
	return (struct identity){ .kind = kind, .name = span_str(name) };
}

static bool same(enum identity_kind ka, const char *a, enum identity_kind kb, const char *b)
{
	struct identity x = id_of(ka, a), y = id_of(kb, b);

	ck_assert(identity_eq(&x, &y) == identity_eq(&y, &x));
	return identity_eq(&x, &y);
}

/* Security case E1. */
START_TEST(identity_comparison)
{
	const enum identity_kind fqdn = IDENTITY_FQDN, user = IDENTITY_USER_FQDN, group = IDENTITY_KEY_ID;
	struct identity nul = { .kind = fqdn, .name = span_of("victim.com\0.evil", 16) };
	struct identity victim = id_of(fqdn, "victim.com"), nul_twin = nul;
	struct identity none = { .kind = IDENTITY_NONE };
	struct ip_addr v4 = { .len = 4, .b = { 10, 0, 0, 1 } };
	struct identity addr = identity_of_addr(&v4), text = id_of(fqdn, "10.0.0.1");
	const char *why = NULL;

	ck_assert(same(fqdn, "victim.com", fqdn, "victim.com"));
	ck_assert(same(fqdn, "Victim.COM", fqdn, "vICTIM.com"));
	ck_assert(!same(fqdn, "victim.com", fqdn, "victim.com."));
	ck_assert(!same(fqdn, "victim.com", fqdn, "victim.co"));
	ck_assert(!same(fqdn, "victim.com", fqdn, "victim-com"));
	ck_assert(!same(fqdn, "victim.com", user, "victim.com"));
	ck_assert(same(user, "joe@victim.com", user, "joe@VICTIM.com"));
	ck_assert(!same(user, "joe@victim.com", user, "Joe@victim.com"));
	ck_assert(!same(user, "a@b@c", user, "a@B@c"));
	ck_assert(same(user, "a@b@c", user, "a@b@C"));
	ck_assert(!same(user, "nobody", user, "Nobody"));
	ck_assert(same(user, "nobody", user, "nobody"));
	ck_assert(same(group, "joe@victim.com", group, "joe@victim.com"));
	ck_assert(!same(group, "joe@victim.com", group, "joe@victim.COM"));
	ck_assert(!same(group, "joe@victim.com", user, "joe@victim.com"));
	ck_assert(!same(group, "victim.com", fqdn, "victim.com"));
	ck_assert(!same(group, "", group, ""));
	/* Only ASCII letters have two cases here. */
	ck_assert(!same(fqdn, "caf\xc3\xa9", fqdn, "caf\xc3\x89"));
	ck_assert(!same(fqdn, "a[b", fqdn, "a{b"));
	ck_assert(!same(fqdn, "", fqdn, ""));

	ck_assert(!identity_check(&nul, &why));
	ck_assert_str_eq(why, "the name has a NUL in it");
	ck_assert(!identity_eq(&nul, &victim));
	ck_assert(!identity_eq(&nul, &nul_twin));
	nul.kind = nul_twin.kind = IDENTITY_KEY_ID;
	ck_assert(identity_check(&nul, &why) && identity_eq(&nul, &nul_twin));
	nul_twin.name.n--;
	ck_assert(!identity_eq(&nul, &nul_twin));
	ck_assert(!identity_eq(&none, &none));
	ck_assert(!identity_check(&none, &why));
	ck_assert(identity_eq(&addr, &addr));
	ck_assert(!identity_eq(&addr, &text));
	addr.addr.len = 5;
	ck_assert(!identity_check(&addr, &why));
	ck_assert(!identity_eq(&addr, &addr));
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

int main(void)
{
	Suite *s = suite_create("text");
	TCase *t = tcase_create("forms");

	tcase_add_loop_test(t, addresses, 0, COUNT(addr_cases));
	tcase_add_loop_test(t, subnets, 0, COUNT(subnet_cases));
	tcase_add_loop_test(t, data, 0, COUNT(data_cases));
	tcase_add_loop_test(t, identities, 0, COUNT(identity_cases));
	tcase_add_test(t, spans_end);
	tcase_add_test(t, names);
	tcase_add_test(t, identity_comparison);
	suite_add_tcase(s, t);
	return run_suite(s);
}
