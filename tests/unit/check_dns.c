/* check_dns.c -- KEY and IPSECKEY records, and the names they are looked up at: what is taken, and what is refused. */
#include <stdlib.h>

#include "crypto/rsa.h"
#include "generated/limits.h"
#include "generated/names.h"
#include "ike/identity.h"
#include "ike/keyrecord.h"
#include "vectors.h"

static const char *name_of(const char *text, char room[KEYRECORD_NAME])
{
	struct identity id;
	struct arena *a = arena_new();
	const char *why = NULL;
	unsigned column;

	ck_assert_int_eq(identity_parse(a, span_str(text), &id, &why, &column), IDENTITY_OK);
	if (keyrecord_name(&id, room, &why))
		why = room;
	arena_free(a);
	return why;
}

START_TEST(names)
{
	static const struct { const char *id, *name; } cases[] = {
		{ "@West.Example.ORG", "west.example.org." },
		{ "@west.example.org.", "west.example.org." },
		{ "@west", "west." },
		{ "192.0.2.1", "1.2.0.192.in-addr.arpa." },
		{ "10.255.0.9", "9.0.255.10.in-addr.arpa." },
		{ "2001:db8::567:89ab",
		  "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa." },
		{ "west@example.org", "only addresses and @FQDN are looked up" },
		{ "@[west]", "only addresses and @FQDN are looked up" },
		{ "%any", "only addresses and @FQDN are looked up" },
		{ "@a..b", "it is not the name of a host (RFC 1123)" },
		{ "@.", "it is not the name of a host (RFC 1123)" },
		{ "@a\\.b", "it is not the name of a host (RFC 1123)" },
		{ "@a\\032b", "it is not the name of a host (RFC 1123)" },
		{ "@*.example", "it is not the name of a host (RFC 1123)" },
		{ "@a=b", "it is not the name of a host (RFC 1123)" },
		{ "@\x30\x82.example", "it is not the name of a host (RFC 1123)" },
	};
	char room[KEYRECORD_NAME];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_str_eq(name_of(cases[i].id, room), cases[i].name);
}
END_TEST

/* A name of so many labels of so many letters. */
static bool name_fits(size_t labels, size_t letters, size_t last)
{
	uint8_t text[2048];
	struct identity id = { .kind = IDENTITY_FQDN, .name = span_of(text, 0) };
	char room[KEYRECORD_NAME];
	const char *why = NULL;

	for (size_t i = 0; i <= labels; i++) {
		size_t n = i < labels ? letters : last;

		if (i > 0)
			text[id.name.n++] = '.';
		memset(text + id.name.n, 'a', n);
		id.name.n += n;
	}
	return keyrecord_name(&id, room, &why);
}

START_TEST(long_names)
{
	ck_assert(name_fits(0, 0, 63));
	ck_assert(!name_fits(0, 0, 64));
	ck_assert(name_fits(3, 63, 61));	/* 255 octets on the wire */
	ck_assert(!name_fits(3, 63, 62));
	ck_assert(!name_fits(3, 63, 63));
	ck_assert(!name_fits(20, 63, 63));
}
END_TEST

START_TEST(octets_in_names)
{
	static const char nul[] = "west.example\0.org";
	struct identity id = { .kind = IDENTITY_FQDN, .name = span_of(nul, sizeof(nul) - 1) };
	char room[KEYRECORD_NAME];
	const char *why = NULL;

	ck_assert(!keyrecord_name(&id, room, &why));
	id = (struct identity){ .kind = IDENTITY_NONE };
	ck_assert(!keyrecord_name(&id, room, &why));
	for (unsigned c = 0; c < 256; c++) {
		uint8_t text[3] = { 'a', (uint8_t)c, 'b' };

		id = (struct identity){ .kind = IDENTITY_FQDN, .name = span_of(text, 3) };
		if (keyrecord_name(&id, room, &why))
			ck_assert_msg(strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._", (int)c) != NULL,
				      "octet %u is asked for", c);
	}
}
END_TEST

/* ---- records -------------------------------------------------------------------- */

struct record {
	uint16_t type;
	const char *rdata;	/* hexadecimal */
	const char *key;	/* that is in it, or NULL */
	unsigned precedence;
	const char *why;
};

static const struct record records[] = {
	/* KEY: flags, protocol, algorithm, key */
	{ DNS_TYPE_KEY, "4200 04 01 aabb", "aabb", 256, NULL },
	{ DNS_TYPE_KEY, "0200 04 05 aabb", "aabb", 256, NULL },
	{ DNS_TYPE_KEY, "0000 ff 05 aabb", "aabb", 256, NULL },		/* of a user */
	{ DNS_TYPE_KEY, "020f 04 01 aabb", "aabb", 256, NULL },		/* signatory bits mean nothing here */
	{ DNS_TYPE_KEY, "0200 04 01", "", 256, NULL },
	{ DNS_TYPE_KEY, "c200 04 01", NULL, 0, "its flags prohibit authentication" },
	{ DNS_TYPE_KEY, "8200 04 01 aabb", NULL, 0, "its flags prohibit authentication" },
	{ DNS_TYPE_KEY, "1200 04 01 aabb", NULL, 0, "its flags have an extension that means nothing" },
	{ DNS_TYPE_KEY, "0100 04 01 aabb", NULL, 0, "its flags say that it is the key of a zone" },
	{ DNS_TYPE_KEY, "0300 04 01 aabb", NULL, 0, "its flags say that it is the key of a zone" },
	{ DNS_TYPE_KEY, "0200 03 01 aabb", NULL, 0, "it is for another protocol than IPsec" },
	{ DNS_TYPE_KEY, "0200 00 01 aabb", NULL, 0, "it is for another protocol than IPsec" },
	{ DNS_TYPE_KEY, "0200 04 03 aabb", NULL, 0, "it is not an RSA key" },
	{ DNS_TYPE_KEY, "0200 04 00 aabb", NULL, 0, "it is not an RSA key" },
	{ DNS_TYPE_KEY, "0200 04", NULL, 0, "the record is too short" },
	{ DNS_TYPE_KEY, "02", NULL, 0, "the record is too short" },
	{ DNS_TYPE_KEY, "", NULL, 0, "the record is too short" },
	/* IPSECKEY: precedence, type of gateway, algorithm, gateway, key */
	{ DNS_TYPE_IPSECKEY, "0a 00 02 aabb", "aabb", 10, NULL },
	{ DNS_TYPE_IPSECKEY, "ff 01 02 c0000201 aabb", "aabb", 255, NULL },
	{ DNS_TYPE_IPSECKEY, "00 02 02 20010db8000000000000000000000001 aabb", "aabb", 0, NULL },
	{ DNS_TYPE_IPSECKEY, "0a 03 02 02 6777 07 6578616d706c65 00 aabb", "aabb", 10, NULL },
	{ DNS_TYPE_IPSECKEY, "0a 03 02 00 aabb", "aabb", 10, NULL },
	{ DNS_TYPE_IPSECKEY, "0a 03 02 00", "", 10, NULL },
	{ DNS_TYPE_IPSECKEY, "0a 01 02 c00002", NULL, 0, "its gateway cannot be read" },
	{ DNS_TYPE_IPSECKEY, "0a 02 02 c0000201", NULL, 0, "its gateway cannot be read" },
	{ DNS_TYPE_IPSECKEY, "0a 03 02", NULL, 0, "its gateway cannot be read" },
	{ DNS_TYPE_IPSECKEY, "0a 03 02 02 67", NULL, 0, "its gateway cannot be read" },
	{ DNS_TYPE_IPSECKEY, "0a 03 02 02 6777", NULL, 0, "its gateway cannot be read" },	/* no root label */
	{ DNS_TYPE_IPSECKEY, "0a 03 02 c00c aabb", NULL, 0, "its gateway cannot be read" },	/* compressed */
	{ DNS_TYPE_IPSECKEY, "0a 03 02 40 aabb", NULL, 0, "its gateway cannot be read" },
	{ DNS_TYPE_IPSECKEY, "0a 04 02 aabb", NULL, 0, "its gateway cannot be read" },
	{ DNS_TYPE_IPSECKEY, "0a 00 00 aabb", NULL, 0, "it has no key" },
	{ DNS_TYPE_IPSECKEY, "0a 00 01 aabb", NULL, 0, "it is not an RSA key" },
	{ DNS_TYPE_IPSECKEY, "0a 00 04 aabb", NULL, 0, "it is not an RSA key" },
	{ DNS_TYPE_IPSECKEY, "0a 00", NULL, 0, "the record is too short" },
	{ DNS_TYPE_IPSECKEY, "", NULL, 0, "the record is too short" },
	{ 16, "0a 00 02 aabb", NULL, 0, "records of this type have no key" },			/* TXT */
};

/* Hexadecimal with blanks, for the eye. */
static struct span octets(const char *text)
{
	char digits[256];
	size_t n = 0;

	for (; *text != '\0'; text++)
		if (*text != ' ')
			digits[n++] = *text;
	digits[n] = '\0';
	return hex(digits);
}

START_TEST(record_forms)
{
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		const struct record *r = &records[i];
		struct keyrecord k;
		const char *why = NULL;
		bool ok = keyrecord_read(r->type, octets(r->rdata), &k, &why);

		ck_assert_msg(ok == (r->key != NULL), "%s: %s", r->rdata, why == NULL ? "taken" : why);
		if (!ok) {
			ck_assert_str_eq(why, r->why);
			continue;
		}
		ck_assert_msg(span_eq(k.key, octets(r->key)), "%s: another key", r->rdata);
		ck_assert_uint_eq(k.precedence, r->precedence);
	}
}
END_TEST

/* Nothing is read behind the end: each beginning of each record, in memory that ends there. */
START_TEST(beginnings)
{
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		struct span whole = octets(records[i].rdata);

		for (size_t n = 0; n <= whole.n; n++) {
			struct buf b = buf_copy(span_sub(whole, 0, n));
			struct keyrecord k;
			const char *why = NULL;

			if (keyrecord_read(records[i].type, span_buf(b), &k, &why))
				ck_assert_uint_le(k.key.n, n);
			else
				ck_assert_ptr_nonnull(why);
			buf_free(&b);
		}
	}
}
END_TEST

/* A gateway's name has at most 255 octets; a record at most LIMIT_DNS_KEY_OCTETS. */
START_TEST(long_records)
{
	static uint8_t rdata[LIMIT_DNS_KEY_OCTETS + 1] = { 10, 3, 2 };
	struct keyrecord k;
	const char *why = NULL;

	for (size_t i = 3; i + 2 < sizeof(rdata); i += 2)
		rdata[i] = 1;			/* labels of one octet, until the end */
	ck_assert(!keyrecord_read(DNS_TYPE_IPSECKEY, span_of(rdata, sizeof(rdata) - 1), &k, &why));
	ck_assert_str_eq(why, "its gateway cannot be read");
	rdata[3 + 254] = 0;
	ck_assert(keyrecord_read(DNS_TYPE_IPSECKEY, span_of(rdata, sizeof(rdata) - 1), &k, &why));
	ck_assert_uint_eq(k.key.n, sizeof(rdata) - 1 - 3 - 255);
	ck_assert(!keyrecord_read(DNS_TYPE_IPSECKEY, span_of(rdata, sizeof(rdata)), &k, &why));
	ck_assert_str_eq(why, "the record is too long");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ike/keyrecord");
	TCase *t = tcase_create("keyrecord");

	vectors_start();
	suite_add_tcase(s, t);
	tcase_add_test(t, names);
	tcase_add_test(t, long_names);
	tcase_add_test(t, octets_in_names);
	tcase_add_test(t, record_forms);
	tcase_add_test(t, beginnings);
	tcase_add_test(t, long_records);
	return run_suite(s);
}
