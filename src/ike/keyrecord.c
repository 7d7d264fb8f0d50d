/* keyrecord.c -- the RDATA of KEY and IPSECKEY, and the names that they are found at. */
#include "ike/keyrecord.h"

#include "base/text.h"
#include "generated/limits.h"
#include "generated/payloads.h"

#define AFTER_ALL_PRECEDENCES 256	/* of an IPSECKEY it is one octet */

/* ---- names ------------------------------------------------------------------ */

static void reverse_name(const struct ip_addr *a, struct text *t)
{
	for (size_t i = a->len; i-- > 0;)
		if (a->len == 4)
			text_add(t, "%u.", a->b[i]);
		else
			text_add(t, "%x.%x.", a->b[i] & 15u, a->b[i] >> 4);
	text_add(t, a->len == 4 ? "in-addr.arpa." : "ip6.arpa.");
}

/* Only what addr_is_name() takes is asked for: no escapes, no octets that a resolver might read differently. */
static bool host_name(struct span name, struct text *t, const char **why)
{
	size_t label = 0;

	if (!addr_is_name(name)) {
		*why = "it is not the name of a host (RFC 1123)";
		return false;
	}
	for (size_t i = 0; i < name.n; i++) {
		uint8_t c = name.p[i];

		label = c == '.' ? 0 : label + 1;
		if (label > LIMIT_DNS_LABEL_OCTETS) {
			*why = "a label of the name is longer than 63 octets";
			return false;
		}
		text_add(t, "%c", c >= 'A' && c <= 'Z' ? c | 0x20 : c);
	}
	if (label > 0)
		text_add(t, ".");
	/* A length octet for each dot, and the root's. */
	if (t->n + 1 > LIMIT_DNS_NAME_OCTETS) {
		*why = "the name is longer than 255 octets";
		return false;
	}
	return true;
}

bool keyrecord_name(const struct identity *id, char name[KEYRECORD_NAME], const char **why)
{
	struct text t = text_on(name, KEYRECORD_NAME);

	if (id->kind == IDENTITY_ADDR && !addr_is_any(&id->addr)) {
		reverse_name(&id->addr, &t);
		return true;
	}
	if (id->kind == IDENTITY_FQDN)
		return host_name(id->name, &t, why);
	*why = "only addresses and @FQDN are looked up";
	return false;
}

/* ---- records ----------------------------------------------------------------- */

static const char *key_fault(const struct dns_key *k)
{
	unsigned name = k->flags & (DNS_KEY_FLAGS_NAME_ZONE | DNS_KEY_FLAGS_NAME_HOST);

	if (k->flags & DNS_KEY_FLAGS_NO_AUTH)
		return "its flags prohibit authentication";
	if (k->flags & DNS_KEY_FLAGS_EXTENDED)
		return "its flags have an extension that means nothing";
	if (name & DNS_KEY_FLAGS_NAME_ZONE)
		return "its flags say that it is the key of a zone";
	if (k->protocol != DNS_KEY_PROTOCOL_IPSEC && k->protocol != DNS_KEY_PROTOCOL_ALL)
		return "it is for another protocol than IPsec";
	if (k->algorithm != DNS_KEY_ALGORITHM_RSA_MD5 && k->algorithm != DNS_KEY_ALGORITHM_RSA_SHA1)
		return "it is not an RSA key";
	return NULL;
}

static bool read_key(struct span rdata, struct keyrecord *out, const char **why)
{
	struct dns_key k;
	struct fault f = { 0 };

	*why = parse_dns_key(rdata, 0, &k, &f) ? key_fault(&k) : "the record is too short";
	if (*why != NULL)
		return false;
	*out = (struct keyrecord){ .key = k.key, .precedence = AFTER_ALL_PRECEDENCES };
	return true;
}

/* What follows an uncompressed domain name (RFC 1035 3.1); false when there is none. */
static bool skip_name(struct span s, struct span *rest)
{
	size_t at = 0;

	while (at < s.n && at < LIMIT_DNS_NAME_OCTETS) {
		size_t label = s.p[at];

		if (label > LIMIT_DNS_LABEL_OCTETS)
			return false;
		at += 1 + label;
		if (label == 0) {
			*rest = span_from(s, at);
			return true;
		}
	}
	return false;
}

/* The gateway says where to send packets; that is not for a record to decide. */
static bool skip_gateway(const struct dns_ipseckey *k, struct span *key)
{
	struct dns_gateway_ipv4 four;
	struct dns_gateway_ipv6 six;
	struct fault f = { 0 };

	switch (k->gateway) {
	case IPSECKEY_GATEWAY_NONE:
		*key = k->rest;
		return true;
	case IPSECKEY_GATEWAY_IPV4:
		if (!parse_dns_gateway_ipv4(k->rest, 0, &four, &f))
			return false;
		*key = four.key;
		return true;
	case IPSECKEY_GATEWAY_IPV6:
		if (!parse_dns_gateway_ipv6(k->rest, 0, &six, &f))
			return false;
		*key = six.key;
		return true;
	case IPSECKEY_GATEWAY_NAME:
		return skip_name(k->rest, key);
	default:
		return false;
	}
}

static bool read_ipseckey(struct span rdata, struct keyrecord *out, const char **why)
{
	struct dns_ipseckey k;
	struct fault f = { 0 };

	if (!parse_dns_ipseckey(rdata, 0, &k, &f))
		*why = "the record is too short";
	else if (k.algorithm == IPSECKEY_ALGORITHM_NONE)
		*why = "it has no key";
	else if (k.algorithm != IPSECKEY_ALGORITHM_RSA)
		*why = "it is not an RSA key";
	else if (!skip_gateway(&k, &out->key))
		*why = "its gateway cannot be read";
	else {
		out->precedence = k.precedence;
		return true;
	}
	return false;
}

bool keyrecord_read(uint16_t type, struct span rdata, struct keyrecord *out, const char **why)
{
	*out = (struct keyrecord){ 0 };
	if (rdata.n > LIMIT_DNS_KEY_OCTETS) {
		*why = "the record is too long";
		return false;
	}
	switch (type) {
	case DNS_TYPE_KEY:
		return read_key(rdata, out, why);
	case DNS_TYPE_IPSECKEY:
		return read_ipseckey(rdata, out, why);
	default:
		*why = "records of this type have no key";
		return false;
	}
}
