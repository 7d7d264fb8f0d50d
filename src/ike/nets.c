/* nets.c -- subnets of described connections: counted in a hash, probed by length of prefix. */
#include "ike/nets.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "ike/connection.h"

#define LENGTHS (8 * sizeof(((struct ip_addr *)NULL)->b) + 1)

struct net {
	struct subnet key;		/* hashed as octets */
	unsigned uses;			/* by ends */
	UT_hash_handle hh;
};

struct nets {
	struct net *nets;
	unsigned of_length[2][LENGTHS];	/* IPv4, IPv6: how many subnets have that prefix */
};

struct nets *nets_new(void)
{
	return NEW(struct nets);
}

static unsigned *length_of(struct nets *n, const struct net *net)
{
	return &n->of_length[net->key.addr.len != 4][net->key.bits];
}

static void release(struct nets *n, struct net *net)
{
	if (net == NULL || --net->uses > 0)
		return;
	--*length_of(n, net);
	HASH_DEL(n->nets, net);
	free(net);
}

void nets_free(struct nets *n)
{
	struct net *net, *next;

	if (n == NULL)
		return;
	HASH_ITER(hh, n->nets, net, next) {
		HASH_DEL(n->nets, net);
		free(net);
	}
	free(n);
}

/* The subnet of that length that an address is in, without stray octets. */
static struct subnet around(const struct ip_addr *a, unsigned bits)
{
	struct subnet s;
	struct ip_addr mask;

	memset(&s, 0, sizeof(s));
	s.addr.len = a->len;
	s.bits = (uint8_t)bits;
	mask = subnet_mask(&s);
	for (size_t i = 0; i < a->len; i++)
		s.addr.b[i] = a->b[i] & mask.b[i];
	return s;
}

static struct net *find(const struct nets *n, const struct subnet *key)
{
	struct net *net;

	HASH_FIND(hh, n->nets, key, sizeof(*key), net);
	return net;
}

static struct net *take(struct nets *n, const struct subnet *s)
{
	struct subnet key = around(&s->addr, s->bits);
	struct net *net;

	if (s->bits == 0)
		return NULL;
	net = find(n, &key);
	if (net == NULL) {
		net = NEW(struct net);
		net->key = key;
		HASH_ADD(hh, n->nets, key, sizeof(net->key), net);
		++*length_of(n, net);
	}
	net->uses++;
	return net;
}

void nets_enter(struct nets *n, struct connection *c)
{
	nets_leave(n, c);
	for (int i = 0; i < 2; i++) {
		const struct end *e = &c->end[i];
		struct subnet host = addr_is_any(&e->host) ? (struct subnet){ 0 } : subnet_of_host(&e->host);

		c->nets[2 * i] = take(n, &host);
		c->nets[2 * i + 1] = e->has_client ? take(n, &e->client) : NULL;
	}
}

void nets_leave(struct nets *n, struct connection *c)
{
	for (int i = 0; i < 4; i++) {
		release(n, c->nets[i]);
		c->nets[i] = NULL;
	}
}

const struct subnet *nets_find(const struct nets *n, const struct ip_addr *a)
{
	for (unsigned bits = 1; bits <= 8u * a->len; bits++) {
		const struct net *net;
		struct subnet key;

		if (n->of_length[a->len != 4][bits] == 0)
			continue;
		key = around(a, bits);
		net = find(n, &key);
		if (net != NULL)
			return &net->key;
	}
	return NULL;
}
