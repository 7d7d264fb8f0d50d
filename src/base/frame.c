/* frame.c -- frames of the control protocols: a version, a message number, typed fields. */
#include "base/frame.h"

size_t frame_begin(struct writer *w, uint8_t version, uint8_t message)
{
	size_t at = w->n;

	put_u32(w, 0);
	put_u8(w, version);
	put_u8(w, message);
	return at;
}

void frame_end(struct writer *w, size_t at)
{
	if (!w->overflow)
		patch_u32(w, at, (uint32_t)(w->n - at - FRAME_LENGTH));
}

size_t frame_open(struct writer *w, uint8_t number)
{
	size_t at = w->n;

	put_u8(w, number);
	put_u32(w, 0);
	return at;
}

void frame_close(struct writer *w, size_t at)
{
	if (!w->overflow)
		patch_u32(w, at + 1, (uint32_t)(w->n - at - FRAME_FIELD_HEAD));
}

static void put_head(struct writer *w, uint8_t number, size_t n)
{
	if (n > UINT32_MAX)
		w->overflow = true;
	put_u8(w, number);
	put_u32(w, (uint32_t)n);
}

void frame_put_uint(struct writer *w, uint8_t number, uint64_t v, size_t octets)
{
	put_head(w, number, octets);
	put_uint(w, v, octets);
}

void frame_put_bytes(struct writer *w, uint8_t number, struct span s)
{
	put_head(w, number, s.n);
	put_bytes(w, s);
}

void frame_put_addr(struct writer *w, uint8_t number, const struct ip_addr *a)
{
	frame_put_bytes(w, number, addr_bytes(a));
}

void frame_put_endpoint(struct writer *w, uint8_t number, const struct endpoint *e)
{
	put_head(w, number, (size_t)e->addr.len + 2);
	put_bytes(w, addr_bytes(&e->addr));
	put_u16(w, e->port);
}

void frame_put_subnet(struct writer *w, uint8_t number, const struct subnet *s)
{
	put_head(w, number, (size_t)s->addr.len + 1);
	put_bytes(w, addr_bytes(&s->addr));
	put_u8(w, s->bits);
}

bool frame_next(struct span all, struct span *rest, struct frame_field *out)
{
	uint32_t n;

	if (rest->n < FRAME_FIELD_HEAD)
		return false;
	n = get_u32(rest->p + 1);
	if (n > rest->n - FRAME_FIELD_HEAD)
		return false;
	*out = (struct frame_field){
		.number = rest->p[0],
		.value = span_sub(*rest, FRAME_FIELD_HEAD, n),
		.offset = (uint32_t)(all.n - rest->n + FRAME_FIELD_HEAD),
	};
	*rest = span_from(*rest, FRAME_FIELD_HEAD + (size_t)n);
	return true;
}

size_t frame_count(struct span fields, uint8_t number)
{
	struct span rest = fields;
	struct frame_field field;
	size_t n = 0;

	while (frame_next(fields, &rest, &field))
		if (field.number == number)
			n++;
	return n;
}

bool frame_get_uint(struct span value, size_t octets, uint64_t *out)
{
	uint64_t v = 0;

	if (value.n != octets)
		return false;
	for (size_t i = 0; i < octets; i++)
		v = v << 8 | value.p[i];
	*out = v;
	return true;
}

bool frame_get_addr(struct span value, struct ip_addr *out)
{
	if (value.n != 0 && value.n != 4 && value.n != 16)
		return false;
	*out = addr_from_bytes(value);
	return true;
}

bool frame_get_endpoint(struct span value, struct endpoint *out)
{
	if (value.n < 2 || !frame_get_addr(span_sub(value, 0, value.n - 2), &out->addr))
		return false;
	out->port = get_u16(value.p + value.n - 2);
	return true;
}

bool frame_get_subnet(struct span value, struct subnet *out)
{
	struct ip_addr mask;

	if (value.n < 1 || !frame_get_addr(span_sub(value, 0, value.n - 1), &out->addr))
		return false;
	out->bits = value.p[value.n - 1];
	if (out->bits > out->addr.len * 8)
		return false;
	mask = subnet_mask(out);
	for (size_t i = 0; i < out->addr.len; i++)
		if ((out->addr.b[i] & ~mask.b[i]) != 0)
			return false;
	return true;
}
