/*
 * Host tool: turn files into one C source with an array of struct lni_embed.
 *
 *	embed NAME BASE FILE...
 *
 * Writes `const struct lni_embed NAME[]` and `NAME_count` to standard output;
 * names in it are the paths below BASE.  Output depends on the arguments and
 * the files' bytes only.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
die(const char *what, const char *name)
{
	fprintf(stderr, "embed: %s: %s\n", name, what);
	exit(1);
}

static size_t
emit_bytes(const char *path, size_t index)
{
	unsigned char chunk[4096];
	size_t i, n, total = 0;
	FILE *f;

	if ((f = fopen(path, "rb")) == NULL)
		die(strerror(errno), path);
	printf("static const unsigned char file_%zu[] = {\n", index);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0) {
		for (i = 0; i < n; i++) {
			printf("%u,", (unsigned)chunk[i]);
			if ((total + i) % 20 == 19)
				putchar('\n');
		}
		total += n;
	}
	if (ferror(f))
		die(strerror(errno), path);
	fclose(f);
	printf("0 };\n");
	return total;
}

int
main(int argc, char **argv)
{
	size_t *lens, base_len, count;
	const char *name;
	int i;

	if (argc < 3)
		die("usage: embed NAME BASE FILE...", "arguments");
	base_len = strlen(argv[2]);
	count = (size_t)(argc - 3);
	if ((lens = calloc(count + 1, sizeof(*lens))) == NULL)
		die("out of memory", "arguments");
	printf("#include \"store/embed.h\"\n\n");
	for (i = 3; i < argc; i++)
		lens[i - 3] = emit_bytes(argv[i], (size_t)(i - 3));
	printf("const struct lni_embed %s[] = {\n", argv[1]);
	for (i = 3; i < argc; i++) {
		name = argv[i];
		if (strncmp(name, argv[2], base_len) == 0 &&
		    name[base_len] == '/')
			name += base_len + 1;
		if (strpbrk(name, "\"\\\n") != NULL)
			die("this name cannot be embedded", name);
		printf("\t{ \"%s\", file_%d, %zu },\n", name, i - 3,
		    lens[i - 3]);
	}
	printf("\t{ 0, 0, 0 },\n};\nconst size_t %s_count = %zu;\n", argv[1],
	    count);
	free(lens);
	if (fflush(stdout) != 0 || ferror(stdout))
		die(strerror(errno), "standard output");
	return 0;
}
