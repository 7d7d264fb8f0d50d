/* tables.h -- the shapes of the tables that the spec compiler generates.
 *
 * The generic engine is written against these types and knows no protocol by name;
 * everything that names a payload, a state or a number is in src/generated/. */
#ifndef PLUTO_BASE_TABLES_H
#define PLUTO_BASE_TABLES_H

#include "base/span.h"
#include "base/writer.h"

struct action;		/* engine/action.h */
struct message;		/* generated/payloads.h */
struct arena;
struct text;		/* base/text.h */

/* ---- registries -------------------------------------------------------- */

enum registry_kind { REGISTRY_NAMED, REGISTRY_RESERVED, REGISTRY_PRIVATE };

struct registry_entry {
	uint32_t lo, hi;	/* inclusive; equal for a single value */
	enum registry_kind kind;
	const char *symbol;	/* as the spec writes it; NULL unless NAMED */
	const char *logged;	/* prefix and symbol, or what "as" says */
	const char *text;	/* the description, or NULL */
	const char *word;	/* keyword in algorithm strings, or NULL */
	uint16_t alg;		/* enum alg of generated/algorithms.h, 0 = none */
	bool alias;		/* another number of the same symbol, sent only where it is asked for */
};

struct registry {
	const char *name;
	uint8_t bits;		/* width on the wire */
	bool closed;
	uint16_t n;
	const struct registry_entry *entries;	/* ascending, not overlapping */
};

/* The entry that holds value, or NULL. */
const struct registry_entry *registry_find(const struct registry *r, uint32_t value);

/* The NAMED entry with that symbol (exact), or with that word; NULL if none. */
const struct registry_entry *registry_by_symbol(const struct registry *r, const char *symbol);
const struct registry_entry *registry_by_word(const struct registry *r, struct span word);

#define REGISTRY_TEXT 64

/* The logged name of value, or "??77" written into dst. */
const char *registry_name(const struct registry *r, uint32_t value, char dst[REGISTRY_TEXT]);

/* The symbol or "77": for places where the registry is clear from the context. */
const char *registry_symbol(const struct registry *r, uint32_t value, char dst[REGISTRY_TEXT]);

/* The number that we would send for value: an alias becomes its primary number. */
uint32_t registry_canonical(const struct registry *r, uint32_t value);

/* The first alias of value's symbol; value itself when it has none. */
uint32_t registry_alias(const struct registry *r, uint32_t value);

/* May value stand in a field of r?  An open registry admits every value. */
bool registry_admits(const struct registry *r, uint32_t value);

/* Sets of flags, from a "bits" declaration. */
struct bit_desc {
	uint8_t bit;		/* 0 = least significant */
	const char *symbol;	/* as the spec writes it */
	const char *logged;
	const char *text;	/* the description, or NULL */
};

/* "A+B", "none" for 0; bits without a name together as "??0x40". */
void bits_text(struct text *t, const struct bit_desc *bits, size_t n, uint32_t value);

/* ---- faults ------------------------------------------------------------ */

/* Why bytes were refused: one record for the log, the notify and the tests. */
struct fault {
	uint16_t reason;	/* enum reason */
	uint16_t notify;	/* value of notify_type that the spec's "else" names; 0 = none */
	const char *where;	/* payload, struct or message */
	const char *field;	/* field, item or rule; never NULL when reason is set */
	uint32_t offset;	/* octets from the start of the (decrypted) message */
	uint64_t got, want;
};

/* Fill f; always false, so that a parser can return it. */
bool fault_at(struct fault *f, uint16_t reason, uint16_t notify, const char *where,
	      const char *field, uint32_t offset, uint64_t got, uint64_t want);

/* A refusal put into words, in the arena of the packet or command. */
struct refusal {
	uint16_t reason;	/* enum reason */
	uint16_t notify;	/* what may be told to the peer, 0 = nothing */
	uint16_t status;	/* whack_status */
	const char *message;	/* what met what */
	const char *remedy;	/* what to change, or NULL */
};

/* ---- messages and their shapes ----------------------------------------- */

#define SLOT_TOLERATED 0xff	/* a tolerated payload: allowed, not asked for */
#define SLOT_NONE 0xfe		/* not matched yet */

/* One deterministic automaton: which payloads, in which order. */
struct shape {
	uint32_t variants;	/* mask of 1 << enum variant; 0 = any */
	uint8_t n_classes;
	uint8_t n_states;	/* state 0 is dead, state 1 the start */
	const uint8_t *classes;	/* payload types */
	const uint8_t *next;	/* [state * n_classes + class] */
	const uint8_t *slot;	/* same index: the slot that the payload fills */
	const bool *accept;	/* [state] */
};

struct slot_desc {
	const char *name;	/* the role or payload, as the spec writes it */
	uint8_t payload;	/* payload type */
	bool repeated;
	uint16_t capture;	/* enum key_value that takes the body, 0 = none */
	uint16_t whole;		/* ... that takes the whole payload, 0 = none */
	uint16_t hash;		/* enum key_value whose formula gives the payload's data, 0 = none */
	bool signature;		/* the data is made by sign() of that formula */
};

enum protection { PROTECTION_CLEAR, PROTECTION_ENCRYPTED, PROTECTION_EITHER };

struct emitted {		/* what the emitter tells the engine of the message it wrote */
	uint16_t n;
	struct { uint8_t slot; uint32_t offset, length; } at[64];	/* whole payloads */
};

struct message_desc {
	const char *name;
	uint16_t id;		/* enum message_id */
	enum protection protection;
	uint8_t n_slots, n_shapes;
	const struct slot_desc *slots;
	const struct shape *shapes;
	/* "where" conditions; NULL = none.  False fills f. */
	bool (*where)(const struct message *m, uint32_t variants, struct fault *f);
	size_t out_size;	/* sizeof(struct out_NAME) */
	/* Header first; overflow is left in w.  n_hash: octets of hashed payloads. */
	void (*emit)(struct writer *w, uint32_t variant, const void *out, size_t n_hash,
		     struct emitted *e);
	const char *rfc;
};

/* ---- key formulas ------------------------------------------------------ */

enum key_fn {
	KEY_INPUT,		/* given from outside: an action, the header, the engine */
	KEY_PRF,		/* prf(key, terms) */
	KEY_PRF_PLUS,		/* RFC 2409 5.5: K1 = prf(key, terms), K2 = prf(key, K1 | terms) ... */
	KEY_STRETCH,		/* RFC 2409 B: the key itself if long enough, else
				 * K1 = prf(key, 0), K2 = prf(key, K1) ... */
	KEY_HASH,		/* hash(terms), the negotiated hash itself */
	KEY_SIGN,		/* a signature over the value `key`, made elsewhere */
	KEY_CONCAT,		/* the terms one after the other: a key of several values */
};

struct key_term {
	uint16_t value;		/* enum key_value, 0 = literal */
	uint8_t literal;
};

struct key_formula {
	uint16_t result;	/* enum key_value */
	uint32_t variants;	/* mask, 0 = any */
	enum key_fn fn;
	uint16_t key;		/* enum key_value; 0 for KEY_HASH */
	uint8_t n_terms;
	const struct key_term *terms;
	const char *text;	/* as the spec writes it */
};

enum value_source {
	VALUE_ACTION,		/* set by an action */
	VALUE_HEADER_ICOOKIE, VALUE_HEADER_RCOOKIE, VALUE_HEADER_MSGID,
	VALUE_REST,		/* the payloads after the one that carries the hash, without padding */
	VALUE_LAST_BLOCK,	/* the last cipher block of the phase 1 above */
	VALUE_BODY,		/* body of a role, captured when the message passes */
	VALUE_FORMULA,
};

struct value_desc {
	const char *name;
	enum value_source source;
	bool retain;		/* still needed when the exchange is final */
	bool secret;		/* wiped, never logged without the private class */
};

/* ---- machines ---------------------------------------------------------- */

enum msgid_rule { MSGID_ZERO, MSGID_NONZERO, MSGID_ANY };
enum row_timer { TIMER_NONE, TIMER_RETRANSMIT, TIMER_LARVAL, TIMER_REPLACE, TIMER_LINGER };
enum role { ROLE_INITIATOR, ROLE_RESPONDER };

struct state_desc {
	const char *name;
	const char *text;
	uint16_t id;		/* enum state_id, unique over all machines */
	enum role role;
	bool start, final, resend;
	bool over;		/* there is nothing left to live for but duplicates of the last message */
	uint8_t n_rows;
	const struct row *rows;	/* what may be received here */
	const struct machine_desc *machine;
};

enum action_result {
	ACTION_OK,		/* the engine emits, commits, goes on */
	ACTION_PARKED,		/* a job was submitted; called again with its result */
	ACTION_IGNORE,		/* drop this message, keep the exchange as it is */
	ACTION_REFUSE,		/* the message is refused: action_refuse() said why */
	ACTION_FAIL,		/* as REFUSE, and the exchange ends */
};

struct row {
	const struct message_desc *recv;	/* NULL for the initiate row */
	const struct message_desc *send;	/* NULL = no answer */
	const struct state_desc *next;
	uint32_t variants;	/* mask, 0 = any */
	enum row_timer timer;
	const char *action_name;
	enum action_result (*run)(struct action *a, const struct message *in, void *out);
	/* NULL, or what gives the values that `recv` is verified with: it runs first. */
	enum action_result (*prepare)(struct action *a, const struct message *in, void *out);
	bool selects;		/* the shape of `recv` itself tells the variant */
	uint32_t line;		/* of the spec */
	const char *file;
};

struct machine_desc {
	const char *name;
	uint16_t id;		/* enum machine_id */
	uint8_t phase;		/* 1: has cookies of its own; 2: runs under a phase 1 */
	uint8_t exchange_type;
	enum msgid_rule msgid;
	uint16_t iv;		/* enum key_value: first IV */
	uint16_t cipher_key;	/* enum key_value: key of the cipher, in the phase 1 */
	uint32_t variants;	/* mask of what `selects` may be */
	const char *selects;	/* name of the variable, or NULL */
	const struct row *initiate;	/* NULL = can only be answered */
	const struct state_desc *start;	/* the responder's; NULL = can only be initiated */
	const struct state_desc *states;
	uint8_t n_states;
};

/* One-way messages of an exchange type: no state, one action each (Informational). */
struct oneway_desc {
	const char *name;
	uint8_t exchange_type;
	enum msgid_rule msgid;
	uint16_t iv, cipher_key;
	uint8_t n_rows;
	const struct row *rows;	/* recv and run set */
};

/* ---- suites ------------------------------------------------------------ */

struct suite_cell { uint16_t attribute; uint32_t value; };

struct suite_row {
	uint8_t transform;	/* transform id of the protocol */
	uint8_t n;
	const struct suite_cell *cells;
};

struct suite {
	const char *name;
	uint8_t protocol;	/* protocol_id */
	uint16_t n;
	const struct suite_row *rows;	/* best first */
};

#endif
