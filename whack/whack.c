/* whack.c -- the command that tells pluto what to do, and shows what comes of it. */
#include "whack/whack.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/options.h"
#include "base/xalloc.h"
#include "generated/names.h"
#include "generated/options.h"
#include "whack/batch.h"
#include "whack/request.h"
#include "whack/session.h"

#define ERROR_TEXT 1024
#define INTERRUPTED_STATUS 130	/* what a shell says of Ctrl-C */

struct answers {
	FILE *to;
	bool bare;		/* comments are the answer, without numbers; all else is for people */
	bool refused;		/* ... and so is what follows it */
	bool whole;		/* shown when all of it is there: pluto need not wait for a pager */
	unsigned status;	/* of the last line that counts */
};

static int failed(const struct options *o, const char *why)
{
	const char *label = o->program == NULL ? NULL : option_text(o, WHACK_OPTION_LABEL, END_LEFT);

	fprintf(stderr, "%s%swhack: %s\n", label == NULL ? "" : label, label == NULL ? "" : " ", why);
	return WHACK_STATUS_WHACK_PROBLEM;
}

/* ---- lines -------------------------------------------------------------------- */

static void take_line(void *ctx, unsigned status, struct span line)
{
	struct answers *a = ctx;
	bool answer = a->bare && !a->refused && status == WHACK_STATUS_COMMENT;
	FILE *to = a->bare && !answer ? stderr : a->to;

	a->refused |= a->bare && !answer;
	if (!answer)
		fprintf(to, "%03u ", status);
	/* pluto escapes what peers say; nothing that moves a cursor gets through in any case. */
	for (size_t i = 0; i < line.n; i++)
		putc_unlocked(line.p[i] >= 0x20 && line.p[i] < 0x7f ? line.p[i] : '?', to);
	putc_unlocked('\n', to);
	if (!a->whole)
		fflush(to);
	if (status != WHACK_STATUS_COMMENT && status != WHACK_STATUS_LOG &&
	    status != WHACK_STATUS_LOG_SERIOUS)
		a->status = status;
}

static int exit_status(unsigned status)
{
	if (status == WHACK_STATUS_SUCCESS)
		return 0;
	return status > 255 ? 255 : (int)status;
}

/* Status and secrets are what was asked for, so they go to standard output; progress goes to standard error. */
static struct answers answers_of(const struct options *o)
{
	bool said = o->form == WHACK_FORM_PRINT_CONN;
	bool asked = said || o->form == WHACK_FORM_STATUS || o->form == WHACK_FORM_WHICH_SECRET;

	return (struct answers){
		.to = asked ? stdout : stderr,
		.bare = said || (o->form == WHACK_FORM_STATUS && option_given(o, WHACK_OPTION_JSON)),
		.whole = said || o->form == WHACK_FORM_STATUS,
	};
}

/* ---- requests ------------------------------------------------------------------ */

static int ended(const struct options *o, enum session_end end, const struct answers *a,
		 const struct text *why)
{
	char room[128];

	switch (end) {
	case SESSION_FINISHED:
		return exit_status(a->status);
	case SESSION_CLOSED:
		if (o->form == WHACK_FORM_SHUTDOWN)
			return exit_status(a->status);	/* that is how it ends */
		return failed(o, "pluto hung up before the request was finished; look into its log");
	case SESSION_TIMEOUT:
		snprintf(room, sizeof(room), "not finished after %u seconds; pluto goes on alone, see whack --status",
			 option_number(o, WHACK_OPTION_TIMEOUT, END_LEFT));
		return failed(o, room);
	case SESSION_INTERRUPTED:
		failed(o, "interrupted; pluto goes on alone, see whack --status");
		return INTERRUPTED_STATUS;
	case SESSION_BROKEN:
		break;
	}
	return failed(o, why->p);
}

static struct session *reach(const struct options *o, struct text *why)
{
	char *path = xprintf("%s.ctl", option_text(o, WHACK_OPTION_CTLBASE, END_LEFT));
	struct session *s = session_open(path, why);

	free(path);
	return s;
}

static int request(const struct options *o, struct text *why)
{
	uint8_t room[WHACK_FRAME];
	struct writer w = writer_on(room, sizeof(room));
	struct answers a = answers_of(o);
	struct session *s;
	enum session_end end;
	char *all = NULL;
	size_t n = 0;

	if (!request_write(o, &w, why) || (s = reach(o, why)) == NULL)
		return failed(o, why->p);
	if (a.whole && (a.to = open_memstream(&all, &n)) == NULL) {
		session_close(s);
		return failed(o, "there is no memory for the answer");
	}
	end = session_request(s, writer_span(&w), option_number(o, WHACK_OPTION_TIMEOUT, END_LEFT),
			      take_line, &a, why);
	session_close(s);
	if (a.whole) {
		fclose(a.to);
		fwrite(all, 1, n, stdout);
		free(all);
	}
	return ended(o, end, &a, why);
}

/* All commands of the file; the status of the first one that failed. */
static int batch(const struct options *o, struct text *why)
{
	const char *path = option_text(o, WHACK_OPTION_BATCH, END_LEFT);
	struct session *s;
	struct batch b;
	int status = 0;

	if (!batch_read(path, &b, why) || (s = reach(o, why)) == NULL) {
		batch_free(&b);
		return failed(o, why->p);
	}
	for (size_t i = 0; i < b.n; i++) {
		struct answers a = { .to = stderr };
		enum session_end end = session_request(s, span_buf(b.frames[i]),
			option_number(o, WHACK_OPTION_TIMEOUT, END_LEFT), take_line, &a, why);
		int this = ended(o, end, &a, why);

		if (this != 0)
			fprintf(stderr, "%s:%u: that was for this line\n", path, b.lines[i]);
		if (status == 0)
			status = this;
		if (end != SESSION_FINISHED)
			break;
	}
	session_close(s);
	batch_free(&b);
	return status;
}

/* A secret for ipsec.secrets; needs no pluto. */
static int genpsk(const struct options *o)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t secret[33] = { 0 };	/* 32 random octets, and a zero to fill the last group */
	char line[48];
	size_t n = 0;

	if (getrandom(secret, 32, 0) != 32)
		return failed(o, "the system gives no random octets; try again later");
	for (size_t i = 0; i < sizeof(secret); i += 3) {
		uint32_t group = (uint32_t)secret[i] << 16 | (uint32_t)secret[i + 1] << 8 | secret[i + 2];

		for (int shift = 18; shift >= 0; shift -= 6)
			line[n++] = digits[group >> shift & 63];
	}
	printf("0s%.43s=\n", line);
	wipe(secret, sizeof(secret));
	wipe(line, sizeof(line));
	return 0;
}

/* ---- help ----------------------------------------------------------------------- */

static void print_form(const struct form_desc *f)
{
	printf("%s -- %s:\n%s\n", f->name, f->help, f->usage);
}

static int help(const struct options *o)
{
	const struct program_desc *p = o->program;

	if (option_given(o, WHACK_OPTION_VERSION)) {
		printf("whack %s\n", PACKAGE_VERSION);
		return 0;
	}
	for (size_t i = 0; o->positional != NULL && i < p->n_forms; i++)
		if (strcmp(p->forms[i].name, o->positional) == 0) {
			print_form(&p->forms[i]);
			printf("with every form:\n%s", p->usage);
			return 0;
		}
	if (o->positional != NULL)
		return failed(o, "there is no form of that name; see whack --help");
	printf("Usage: whack OPTIONS, those of one of these forms:\n\n");
	for (size_t i = 0; i < p->n_forms; i++)
		print_form(&p->forms[i]);
	printf("with every form:\n%s\nA single word without dashes is the NAME; the option that chooses a form may be "
	       "written without its\ndashes, as in: whack up NAME, whack down NAME, whack status.\n", p->usage);
	return 0;
}

int main(int argc, char **argv)
{
	char room[ERROR_TEXT];
	struct text why = text_on(room, sizeof(room));
	struct options o;
	int status;

	if (!options_argv(&o, &whack_program, argc, argv, &why))
		status = failed(&o, room);
	else if (o.form == WHACK_FORM_HELP)
		status = help(&o);
	else if (o.form == WHACK_FORM_GENPSK)
		status = genpsk(&o);
	else if (o.form == WHACK_FORM_BATCH)
		status = batch(&o, &why);
	else
		status = request(&o, &why);
	options_free(&o);
	return status;
}
