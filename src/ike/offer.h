/* offer.h -- transforms as they stand in messages: shared by proposal.c and choose.c. */
#ifndef PLUTO_IKE_OFFER_H
#define PLUTO_IKE_OFFER_H

#include "ike/proposal.h"

/* What c allows for a protocol; NULL for a protocol that no connection can name. */
const struct rows *rows_of(const struct connection *c, uint8_t protocol);

/* The number of an attribute's value that is no alias. */
uint64_t attribute_canonical(uint8_t protocol, uint16_t type, uint64_t number);

void offer_read(uint8_t protocol, const struct payload_T *t, struct offer *o);
bool offer_get(const struct offer *o, uint16_t type, uint64_t *number);
void offer_echo(struct arena *a, const struct payload_T *t, struct emit_T *out);
void offer_algorithms(const struct offer *o, struct chosen *out);

/* An SPI as a proposal carries it: four octets, of IPComp two (RFC 3173 4.1).  In the arena. */
struct span spi_bytes(struct arena *a, uint8_t protocol, uint32_t spi);

/* The peer's SPI; false when it is not one that an SA may have. */
bool spi_read(const struct payload_P *p, uint32_t *spi);

#endif
