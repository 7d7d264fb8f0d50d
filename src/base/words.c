/* words.c -- lists of words and the files that words come from. */
#include "base/options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"

void words_add(struct words *l, struct span text, const char *file, unsigned at)
{
	char *copy = xcalloc(text.n + 1, 1);

	if (text.n != 0)
		memcpy(copy, text.p, text.n);
	if (l->n == l->cap) {
		l->cap = l->cap == 0 ? 16 : l->cap * 2;
		l->w = xrealloc(l->w, l->cap * sizeof(*l->w));
	}
	l->w[l->n++] = (struct word){ .text = copy, .file = file, .at = at };
}

const char *words_file(struct words *l, const char *name)
{
	l->files = xrealloc(l->files, (l->n_files + 1) * sizeof(*l->files));
	l->files[l->n_files] = xstrdup(name);
	return l->files[l->n_files++];
}

void words_free(struct words *l)
{
	for (size_t i = 0; i < l->n; i++) {
		wipe(l->w[i].text, strlen(l->w[i].text));
		free(l->w[i].text);
	}
	for (size_t i = 0; i < l->n_files; i++)
		free(l->files[i]);
	free(l->w);
	free(l->files);
	*l = (struct words){ 0 };
}

static bool read_all(int fd, struct buf *out, struct text *why)
{
	struct buf b = buf_new(OPTIONS_FILE_SIZE + 2);
	size_t n = 0;
	ssize_t got;

	while (n <= OPTIONS_FILE_SIZE) {
		got = read(fd, b.p + n, OPTIONS_FILE_SIZE + 1 - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			text_add(why, "%s", strerror(errno));
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	if (n > OPTIONS_FILE_SIZE) {
		text_add(why, "it is longer than %u octets", OPTIONS_FILE_SIZE);
		got = -1;
	}
	if (got >= 0)
		*out = buf_copy(span_of(b.p, n + 1));	/* with the NUL after it */
	buf_free(&b);
	if (got >= 0)
		out->n = n;
	return got >= 0;
}

bool words_read(const char *path, struct buf *out, struct text *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	bool ok = false;

	if (fd < 0) {
		text_add(why, "%s", strerror(errno));
		return false;
	}
	if (fstat(fd, &st) != 0)
		text_add(why, "%s", strerror(errno));
	else if (S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode))
		text_add(why, "it is not a file of text");
	else
		ok = read_all(fd, out, why);
	close(fd);
	return ok;
}

void word_where(const struct word *w, struct text *t)
{
	if (w->file == NULL)
		text_add(t, "argument %u", w->at);
	else
		text_add(t, "%s:%u", w->file, w->at);
}

void option_where(const struct option_value *v, struct text *t)
{
	word_where(v->word, t);
}
