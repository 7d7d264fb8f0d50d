/* replay.c -- stands for libFuzzer where it is not: gives a fuzz target each file of the folders and files named on the
 * command line, and one input of no octets. Without arguments: $TESTDATA/fuzz/corpus/NAME, NAME being the target's, and
 * the conformance vectors that the target names. */
#include <dirent.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INPUT_MAX (1u << 20)	/* octets */
#define PATH_ROOM 4096

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* The type of the groups of $TESTDATA/vectors whose "msg" are inputs of this target; before each payload stands its group's
 * "parameter" as an octet, or 0. */
extern const char fuzz_vectors[] __attribute__((weak));

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

static void replay_vector(const json_t *group, const char *hex)
{
	const json_t *parameter = json_object_get(group, "parameter");
	size_t head = strcmp(fuzz_vectors, "Payload") == 0 ? 1 : 0, n = head + strlen(hex) / 2;
	uint8_t *p = malloc(n > 0 ? n : 1);
	unsigned octet = 0;

	if (p == NULL)
		abort();
	if (head == 1)
		p[0] = parameter == NULL ? 0 : (uint8_t)json_integer_value(parameter);
	for (size_t i = head; i < n; i++) {
		if (sscanf(hex + 2 * (i - head), "%2x", &octet) != 1)
			abort();
		p[i] = (uint8_t)octet;
	}
	LLVMFuzzerTestOneInput(p, n);
	free(p);
	runs++;
}

static int replay_json(const char *path)
{
	json_t *all = json_load_file(path, 0, NULL), *group, *test;
	size_t i, j;

	if (all == NULL) {
		fprintf(stderr, "%s: no JSON\n", path);
		return 1;
	}
	json_array_foreach(json_object_get(all, "testGroups"), i, group) {
		const char *type = json_string_value(json_object_get(group, "type"));

		if (type == NULL || strcmp(type, fuzz_vectors) != 0)
			continue;
		json_array_foreach(json_object_get(group, "tests"), j, test)
			replay_vector(group, json_string_value(json_object_get(test, "msg")));
	}
	json_decref(all);
	return 0;
}

static int replay_vectors(const char *folder)
{
	char name[PATH_ROOM];
	struct dirent *e;
	DIR *d = opendir(folder);
	int bad = 0;

	if (d == NULL) {
		perror(folder);
		return 1;
	}
	while ((e = readdir(d)) != NULL) {
		size_t n = strlen(e->d_name);

		if (n < 5 || strcmp(e->d_name + n - 5, ".json") != 0)
			continue;
		snprintf(name, sizeof name, "%s/%s", folder, e->d_name);
		bad |= replay_json(name);
	}
	closedir(d);
	return bad;
}

int main(int argc, char **argv)
{
	const char *data = getenv("TESTDATA"), *self = strrchr(argv[0], '/');
	char corpus[PATH_ROOM / 4];
	int bad = 0;

	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	for (int i = 1; i < argc; i++)
		bad |= replay(argv[i]);
	if (argc == 1) {
		self = self == NULL ? argv[0] : self + 1;
		snprintf(corpus, sizeof corpus, "%s/fuzz/corpus/%s", data == NULL ? "tests" : data,
			 strncmp(self, "fuzz_", 5) == 0 ? self + 5 : self);
		if (fuzz_vectors == NULL || access(corpus, F_OK) == 0)
			bad |= replay(corpus);
		snprintf(corpus, sizeof corpus, "%s/vectors", data == NULL ? "tests" : data);
		if (fuzz_vectors != NULL)
			bad |= replay_vectors(corpus);
	}
	printf("%s: %u inputs\n", bad != 0 || (argc == 1 && runs == 0) ? "FAIL" : "PASS", runs);
	return bad != 0 || (argc == 1 && runs == 0);
}
