/* ipcomp.c -- IPComp with DEFLATE (RFC 2394): each packet is a raw deflate stream of its own.
 *
 *  +--------+--------+-----------------+
 *  |  next  | flags  |       CPI       |   RFC 3173 3.1
 *  +--------+--------+-----------------+
 */
#include "kernel/ipcomp.h"

#include "base/writer.h"
#include "base/xalloc.h"

#include <stdlib.h>
#include <zlib.h>

#define MEMORY_LEVEL 8		/* zlib's own default */

struct ipcomp {
	z_stream out, in;
	size_t least;		/* octets below which nothing is gained */
	uint8_t text[PACKET_MAX];
};

struct ipcomp *ipcomp_new(enum alg alg)
{
	const struct alg_desc *d = &alg_table[alg];
	struct ipcomp *c;

	if (alg != ALG_DEFLATE)
		return NULL;
	c = NEW(struct ipcomp);
	c->least = d->least;
	if (deflateInit2(&c->out, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -d->window, MEMORY_LEVEL,
			 Z_DEFAULT_STRATEGY) == Z_OK && inflateInit2(&c->in, -d->window) == Z_OK)
		return c;
	ipcomp_free(c);
	return NULL;
}

void ipcomp_free(struct ipcomp *c)
{
	if (c == NULL)
		return;
	deflateEnd(&c->out);
	inflateEnd(&c->in);
	wipe(c, sizeof *c);
	free(c);
}

bool ipcomp_wrap(struct ipcomp *c, struct packet *k, uint8_t next, uint16_t cpi)
{
	z_stream *z = &c->out;
	struct writer w;

	if (k->n < c->least || k->n <= IPCOMP_HEADER || deflateReset(z) != Z_OK)
		return false;
	z->next_in = k->p;
	z->avail_in = (uInt)k->n;
	z->next_out = c->text;
	z->avail_out = (uInt)(k->n - IPCOMP_HEADER - 1);	/* with the header it has to be smaller */
	if (deflate(z, Z_FINISH) != Z_STREAM_END)
		return false;
	w = writer_on(k->p, IPCOMP_HEADER);
	put_u8(&w, next);
	put_u8(&w, 0);
	put_u16(&w, cpi);
	memcpy(k->p + IPCOMP_HEADER, c->text, z->total_out);
	packet_cut(k, IPCOMP_HEADER + z->total_out);
	return true;
}

enum verdict ipcomp_unwrap(struct ipcomp *c, struct packet *k, size_t header, uint8_t *next)
{
	size_t before = PACKET_HEAD + header, whole = k->head + k->n + k->tail, room;
	uint8_t *base = k->p - k->head;
	z_stream *z = &c->in;

	if (k->n <= IPCOMP_HEADER || whole <= before)
		return VERDICT_BAD_LENGTH;
	room = whole - before < PACKET_MAX - header ? whole - before : PACKET_MAX - header;
	*next = k->p[0];
	if (inflateReset(z) != Z_OK)
		return VERDICT_COMPRESSION;
	z->next_in = k->p + IPCOMP_HEADER;
	z->avail_in = (uInt)(k->n - IPCOMP_HEADER);
	z->next_out = c->text;
	z->avail_out = (uInt)room;
	if (inflate(z, Z_FINISH) != Z_STREAM_END)
		return VERDICT_COMPRESSION;
	memcpy(base + before, c->text, z->total_out);
	*k = (struct packet){ .p = base + before, .n = z->total_out, .head = before,
			      .tail = whole - before - z->total_out };
	return VERDICT_DELIVER;
}
