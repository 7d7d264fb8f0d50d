/* replay.c -- stands for libFuzzer where it is not: gives a fuzz target each file of the folders and files named on the
 * command line, and one input of no octets. Without arguments: $TESTDATA/fuzz/corpus/NAME, NAME being the target's. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_MAX (1u << 20)	/* octets */
#define PATH_ROOM 4096

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static unsigned runs;

static int replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *p;
	size_t n;

	if (f == NULL) {
		perror(path);
		return 1;
	}
	/* Of exactly its size, so that a sanitizer sees a read past its end. */
	p = malloc(INPUT_MAX);
	if (p == NULL)
		abort();
	n = fread(p, 1, INPUT_MAX, f);
	fclose(f);
	p = realloc(p, n > 0 ? n : 1);
	if (p == NULL)
		abort();
	LLVMFuzzerTestOneInput(p, n);
	free(p);
	runs++;
	return 0;
}

static int replay(const char *path)
{
	char name[PATH_ROOM];
	struct dirent *e;
	struct stat st;
	int bad = 0;
	DIR *d;

	if (stat(path, &st) != 0) {
		perror(path);
		return 1;
	}
	if (!S_ISDIR(st.st_mode))
		return replay_file(path);
	d = opendir(path);
	if (d == NULL) {
		perror(path);
		return 1;
	}
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(name, sizeof name, "%s/%s", path, e->d_name);
		bad |= replay(name);
	}
	closedir(d);
	return bad;
}

int main(int argc, char **argv)
{
	const char *data = getenv("TESTDATA"), *self = strrchr(argv[0], '/');
	char corpus[PATH_ROOM];
	int bad = 0;

	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	for (int i = 1; i < argc; i++)
		bad |= replay(argv[i]);
	if (argc == 1) {
		self = self == NULL ? argv[0] : self + 1;
		snprintf(corpus, sizeof corpus, "%s/fuzz/corpus/%s", data == NULL ? "tests" : data,
			 strncmp(self, "fuzz_", 5) == 0 ? self + 5 : self);
		bad |= replay(corpus);
	}
	printf("%s: %u inputs\n", bad != 0 || (argc == 1 && runs == 0) ? "FAIL" : "PASS", runs);
	return bad != 0 || (argc == 1 && runs == 0);
}
