/* idpayload.c -- reading and writing Identification payloads. */
#include "base/text.h"
#include "generated/names.h"
#include "ike/identity.h"
#include "ike/idpayload.h"

bool id_emit(struct arena *a, const struct identity *id, struct emit_ID *out)
{
	*out = (struct emit_ID){ 0 };
	switch (id->kind) {
	case IDENTITY_ADDR:
		out->type = id->addr.len == 4 ? ID_TYPE_IPV4_ADDR : ID_TYPE_IPV6_ADDR;
		out->data = arena_span(a, addr_bytes(&id->addr));
		return true;
	case IDENTITY_FQDN:
		out->type = ID_TYPE_FQDN;
		out->data = id->name;
		return true;
	case IDENTITY_USER_FQDN:
		out->type = ID_TYPE_USER_FQDN;
		out->data = id->name;
		return true;
	case IDENTITY_KEY_ID:
		out->type = ID_TYPE_KEY_ID;
		out->data = id->name;
		return true;
	default:
		return false;
	}
}

bool id_read(const struct payload_ID *p, struct identity *out, const char **why)
{
	*out = (struct identity){ 0 };
	switch (p->type) {
	case ID_TYPE_IPV4_ADDR:
	case ID_TYPE_IPV6_ADDR:
		out->kind = IDENTITY_ADDR;
		out->addr = addr_from_bytes(p->data);
		break;
	case ID_TYPE_FQDN:
		out->kind = IDENTITY_FQDN;
		out->name = p->data;
		break;
	case ID_TYPE_USER_FQDN:
		out->kind = IDENTITY_USER_FQDN;
		out->name = p->data;
		break;
	case ID_TYPE_KEY_ID:
		out->kind = IDENTITY_KEY_ID;
		out->name = p->data;
		break;
	default:
		*why = "its type is none that pluto knows";
		return false;
	}
	return identity_check(out, why);
}

void id_emit_client(struct arena *a, const struct subnet *s, uint8_t protocol, uint16_t port,
		    struct emit_ID *out)
{
	bool v4 = s->addr.len == 4;
	struct ip_addr mask = subnet_mask(s);
	struct writer w = writer_on(arena_alloc(a, 32), 32);

	*out = (struct emit_ID){ .protocol = protocol, .port = port };
	put_bytes(&w, addr_bytes(&s->addr));
	if (s->bits == 8 * s->addr.len) {
		out->type = v4 ? ID_TYPE_IPV4_ADDR : ID_TYPE_IPV6_ADDR;
	} else {
		out->type = v4 ? ID_TYPE_IPV4_ADDR_SUBNET : ID_TYPE_IPV6_ADDR_SUBNET;
		put_bytes(&w, addr_bytes(&mask));
	}
	out->data = writer_span(&w);
}

bool id_read_client(const struct payload_ID *p, struct subnet *out)
{
	size_t n = p->type == ID_TYPE_IPV4_ADDR || p->type == ID_TYPE_IPV4_ADDR_SUBNET ? 4 : 16;
	struct ip_addr mask;

	*out = (struct subnet){ .addr = addr_from_bytes(span_sub(p->data, 0, n)),
				.bits = (uint8_t)(8 * n) };
	if (p->data.n == n)
		return out->addr.len != 0;
	mask = addr_from_bytes(span_sub(p->data, n, n));
	if (out->addr.len == 0 || mask.len != out->addr.len)
		return false;
	out->bits = 0;
	while (out->bits < 8 * n && (mask.b[out->bits / 8] & 0x80 >> out->bits % 8) != 0)
		out->bits++;
	struct ip_addr straight = subnet_mask(out);

	if (!addr_eq(&straight, &mask))
		return false;
	for (size_t i = 0; i < n; i++)
		if ((out->addr.b[i] & ~mask.b[i]) != 0)
			return false;
	return true;
}

const char *id_text(struct arena *a, const struct identity *id)
{
	char *p = arena_alloc(a, 4 * id->name.n + 64);
	struct text t = text_on(p, 4 * id->name.n + 64);

	identity_format(&t, id);
	return p;
}
