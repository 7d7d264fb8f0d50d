/* frame.h -- frames of the control protocols: a version, a message number, typed fields.
 *
 *	u32 length of what follows | u8 version | u8 message | fields
 *	field: u8 number | u32 length | value
 *
 * Which messages and fields there are is said by the spec ("protocol"); the code that knows
 * them is generated and calls these functions.  All integers are big-endian. */
#ifndef PLUTO_BASE_FRAME_H
#define PLUTO_BASE_FRAME_H

#include "base/addr.h"
#include "base/writer.h"

#define FRAME_LENGTH 4		/* octets of the length */
#define FRAME_HEAD 2		/* version and message, the first that the length counts */
#define FRAME_FIELD_HEAD 5	/* number and length of a field */

struct frame_field {
	uint8_t number;
	struct span value;
	uint32_t offset;	/* of the value, from the start of what holds the field */
};

/* Begin a frame; the result goes to frame_end(), which fills in the length. */
size_t frame_begin(struct writer *w, uint8_t version, uint8_t message);
void frame_end(struct writer *w, size_t at);

/* Begin a field whose value is made of fields; the result goes to frame_close(). */
size_t frame_open(struct writer *w, uint8_t number);
void frame_close(struct writer *w, size_t at);

/* One field each. */
void frame_put_uint(struct writer *w, uint8_t number, uint64_t v, size_t octets);
void frame_put_bytes(struct writer *w, uint8_t number, struct span s);
void frame_put_addr(struct writer *w, uint8_t number, const struct ip_addr *a);
void frame_put_endpoint(struct writer *w, uint8_t number, const struct endpoint *e);
void frame_put_subnet(struct writer *w, uint8_t number, const struct subnet *s);

/* Take the next field off *rest, which is a part of all.  False at the end, and then
 * rest->n is 0; false with rest->n > 0 when the field is cut off. */
bool frame_next(struct span all, struct span *rest, struct frame_field *out);

/* How many fields have that number; stops where the fields are cut off. */
size_t frame_count(struct span fields, uint8_t number);

/* The value of a field; false when its length or content cannot be of that type. */
bool frame_get_uint(struct span value, size_t octets, uint64_t *out);
bool frame_get_addr(struct span value, struct ip_addr *out);	/* empty = none */
bool frame_get_endpoint(struct span value, struct endpoint *out);
bool frame_get_subnet(struct span value, struct subnet *out);	/* bits beyond the mask: false */

#endif
