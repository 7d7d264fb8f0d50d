/* attribute.h -- data attributes (RFC 2408 3.3): TV and TLV, checked and written by table.
 *
 * A table says which types a protocol knows; src/generated/payloads.h has the tables. */
#ifndef PLUTO_BASE_ATTRIBUTE_H
#define PLUTO_BASE_ATTRIBUTE_H

#include "base/tables.h"

struct attribute {
	uint16_t type;		/* without the AF bit */
	bool basic;		/* it came as TV */
	struct span value;	/* of a TV the two octets */
	uint64_t number;	/* the value, when it has at most 8 octets; else 0 */
	uint32_t offset;	/* of the attribute, from the start of the list */
};

struct attribute_desc {
	uint16_t type;
	const char *name;	/* as the spec writes it */
	const char *logged;	/* with the prefix of its table */
	bool basic;		/* must come as TV */
	bool integer;		/* the value is a number */
	uint16_t min, max;	/* octets of a TLV value */
	uint16_t after;		/* the type that says what this value counts, 0 = none */
	bool repeats;		/* it, or what counts after it, may come again: RFC 2407 4.5.2 */
	bool many;		/* may come any number of times */
	uint16_t step;		/* the octets of a TLV value are a multiple of it */
	const struct registry *registry;	/* of the value, or NULL */
};

struct attribute_table {
	const char *name;
	uint16_t n;		/* at most 64 */
	const struct attribute_desc *entries;	/* ascending by type */
};

struct emit_attribute {
	uint16_t type;
	uint64_t number;	/* the value, unless value holds octets */
	struct span value;	/* the value as octets, or empty */
};

enum attribute_status {
	ATTRIBUTE_OK,
	ATTRIBUTE_CUT,		/* longer than the list */
	ATTRIBUTE_FORM,		/* TLV where TV must be, or a length that the type cannot have */
	ATTRIBUTE_TWICE,
	ATTRIBUTE_ORDER,	/* not preceded by the type that it must follow */
	ATTRIBUTE_VALUE,	/* a value that its closed registry does not have */
	ATTRIBUTE_MANY,		/* more than limit */
	ATTRIBUTE_STATUS_COUNT
};

struct attribute_trouble {
	const char *name;	/* the attribute, or "attribute" for an unknown one */
	uint32_t offset;	/* from the start of the list */
	uint64_t got, want;
};

/* The entry of type, or NULL; t may be NULL. */
const struct attribute_desc *attribute_find(const struct attribute_table *t, uint16_t type);

/* Is the list well formed, and does it keep the rules of t?  Types that t (which may be
 * NULL) does not have need only be well formed.  Anything but ATTRIBUTE_OK fills *bad. */
enum attribute_status attributes_check(const struct attribute_table *t, struct span list,
				       size_t limit, struct attribute_trouble *bad);

/* Take the next attribute off *rest; false at the end or when the list is cut off.
 * out->offset is 0: only the pointer of the value says where it stands. */
bool next_attribute(struct span *rest, struct attribute *out);

/* TV for a basic type and for a number of at most 16 bits, else TLV: octets as they are, none at all
 * for an empty value of a type that is no number; numbers in 4 octets or more.  A number that a basic type cannot hold sets w->overflow. */
void attributes_emit(struct writer *w, const struct attribute_table *t,
		     const struct emit_attribute *a, size_t n);

/* One line for each, each indented by so many blanks. */
void attributes_print(struct text *out, const struct attribute_table *t, struct span list,
		      int indent);

#endif
