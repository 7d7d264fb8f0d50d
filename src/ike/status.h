/* status.h -- what the files of whack --status share: the answer under way, and its two forms. */
#ifndef PLUTO_IKE_STATUS_H
#define PLUTO_IKE_STATUS_H

#include "ike/dpd.h"
#include "ike/internal.h"
#include "ike/phase2.h"

#define STATUS_LINE 8192	/* octets of a line of text */

struct sa_count {		/* the traffic of one SA in the kernel */
	struct status *owner;
	uint64_t serial;	/* of its state object */
	uint8_t protocol;	/* protocol_id */
	bool inbound, known;
	struct kernel_counts counts;
};

/* What is the same for every connection of a policy is put into words once. */
struct policy_words {
	const struct suite_row *all[3];	/* of --ike, --esp, --ah */
	char *algorithms[3];		/* owned */
	uint32_t wanted;		/* as connection_protocols */
	uint16_t group;
	bool judged;
	char *weak;			/* owned; NULL: nothing is weak */
};

struct status_form;

/* One answer.  It is made in slices: at most so many connections in one turn of the loop, so that
 * no negotiation waits for it.  Its connections are held, those deleted meanwhile are left out. */
struct status {
	struct ike *ike;
	uint32_t whack;
	const struct status_form *form;
	LIST_ENTRY(status) next;
	struct connection **c;
	size_t n, at, end;		/* connections; [at, end) are asked about and printed next */
	size_t up, sas, weak, printed;	/* weak: SAs that are up */
	struct timer timer;
	uint64_t began;
	bool asked;			/* the kernel, about [at, end) */
	bool named;			/* of one connection only */
	const struct family *told;	/* last, by status_said */
	unsigned pending;
	struct request_list requests;
	struct sa_count *count;
	size_t n_count, cap;
	struct policy_words words;
};

struct status_form {
	bool counts;			/* the kernel is asked about traffic */
	void (*head)(struct status *s);
	void (*connection)(struct status *s, const struct connection *c);
	void (*foot)(struct status *s);
};

extern const struct status_form status_text, status_brief, status_json, status_said;

/* How it stands with a connection, in one word. */
enum condition {
	CONDITION_UNORIENTED, CONDITION_TEMPLATE, CONDITION_DOWN, CONDITION_TRAPPED, CONDITION_NEGOTIATING,
	CONDITION_ISAKMP, CONDITION_UP,
};

enum condition connection_condition(const struct connection *c);
const char *condition_word(enum condition k);

/* The traffic of an SA of p, or NULL when the kernel has not told. */
const struct kernel_counts *status_counts(const struct status *s, const struct phase2 *p,
					  uint8_t protocol, bool inbound);

/* The same as dpd_signs, with what the kernel has told now. */
struct signs_of_life status_signs(const struct status *s, const struct connection *c);

/* Seconds from now to `at`, or from `at` to now; 0 when that is not so. */
uint64_t seconds_until(const struct ike *ike, uint64_t at);
uint64_t seconds_since(const struct ike *ike, uint64_t at);

/* Where it is, or would be, replaced; 0 = never. */
uint64_t phase1_replaced_at(const struct phase1 *p);
uint64_t phase2_replaced_at(const struct phase2 *p);

/* "auto", "yes" or "no": --encapsulation. */
const char *encapsulation_word(uint8_t encapsulation);

/* "AH", "ESP" or "IPCOMP". */
const char *protocol_word(uint8_t protocol);

/* The name of the policy that the rows are from, NULL when they are a connection's own. */
const char *policy_of(const struct rows *rows);

/* The rows in the words of --ike, --esp or --ah, and the weak algorithms of a connection or NULL; both live as long
 * as the turn of the loop. */
const char *rows_text(struct status *s, const struct rows *rows, uint8_t protocol);
const char *status_weakness(struct status *s, const struct connection *c);

#endif
