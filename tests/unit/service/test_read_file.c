/* Files that a model may read, and every way out of their folder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <ln/time.h>
#include <ln/tool.h>

#include "service/talk.h"
#include "service/toolbox.h"

/* Call ${name} and give back the status; what came is in ${t}->text. */
static enum ln_status
call(struct talk *t, const char *name, const char *arguments,
    struct ln_error *err)
{
	struct lni_toolbox *box = NULL;
	enum ln_status s;

	ln_buf_clear(&t->text);
	*err = (struct ln_error)LN_ERROR_INIT;
	assert_int_equal(lni_toolbox_open(t->st, t->cfg, "ann", &box, err),
	    LN_OK);
	s = lni_toolbox_run(box, t->st, name, arguments, NULL, &t->text, err);
	lni_toolbox_free(box);
	return s;
}

static void
configure(struct talk *t, const char *name, const char *value)
{
	assert_int_equal(ln_config_set(t->cfg, name, value, NULL), LN_OK);
}

/* A folder "files" that may be read, beside the folder of the database. */
struct files {
	struct talk *t;
	char outer[80], root[100];
};

static void
put_file(const char *folder, const char *name, const void *bytes, size_t n)
{
	char path[400];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), (ssize_t)n);
	close(fd);
}

static int
files_setup(void **state)
{
	struct files *f = calloc(1, sizeof(*f));

	if (f == NULL || talk_setup((void **)&f->t) != 0)
		return -1;
	snprintf(f->outer, sizeof(f->outer), "/tmp/ln-files-XXXXXX");
	if (mkdtemp(f->outer) == NULL)
		return -1;
	snprintf(f->root, sizeof(f->root), "%s/files", f->outer);
	if (mkdir(f->root, 0700) != 0)
		return -1;
	put_file(f->root, "note.txt", "gr\xc3\xbc\xc3\x9f", 6);
	put_file(f->outer, "secret.txt", "hidden", 6);
	configure(f->t, "LOCALNEURAL_READ_FOLDERS", f->root);
	configure(f->t, "LOCALNEURAL_DB", f->t->place->path);
	*state = f;
	return 0;
}

static int
files_teardown(void **state)
{
	struct files *f = *state;
	char command[200];
	pid_t rc = 0;

	/* Everything in it was made here, and nothing is deeper than this. */
	static const char *const names[] = { "files/note.txt", "files/fifo",
		"files/out", "files/in", "files/big", "files/binary",
		"files/wide", "files/sub/deep.txt", "files/sub", "files/self",
		"files/swap", "files/swap.new", "files/real/secret.txt",
		"files/real", "files", "secret.txt" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(command, sizeof(command), "%s/%s", f->outer,
		    names[i]);
		(void)remove(command);
	}
	rc = rmdir(f->outer);
	if (talk_teardown((void **)&f->t) != 0)
		rc = -1;
	free(f);
	return rc;
}

/* "ok CONTENT" or the token of the status. */
static void
reads(struct files *f, const char *path, const char *want)
{
	struct ln_tool_file file;
	struct ln_error err = LN_ERROR_INIT;
	char got[200];
	enum ln_status s;

	s = ln_tool_read_file(f->t->cfg, path, &file, &err);
	if (s == LN_OK)
		snprintf(got, sizeof(got), "ok %s", file.content);
	else
		snprintf(got, sizeof(got), "%s", ln_status_token(s));
	ln_tool_file_free(&file);
	if (strcmp(got, want) != 0)
		fail_msg("%s: %s, not %s (%s)", path, got, want, err.text);
}

static void
make_link(struct files *f, const char *target, const char *name)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", f->root, name);
	assert_int_equal(symlink(target, path), 0);
}

static void
a_file_in_the_folder_is_read(void **state)
{
	struct files *f = *state;
	struct ln_error err;
	char path[300];

	reads(f, "note.txt", "ok gr\xc3\xbc\xc3\x9f");
	reads(f, "./note.txt", "ok gr\xc3\xbc\xc3\x9f");
	snprintf(path, sizeof(path), "%s/note.txt", f->root);
	reads(f, path, "ok gr\xc3\xbc\xc3\x9f");
	snprintf(path, sizeof(path), "%s//note.txt", f->root);
	reads(f, path, "ok gr\xc3\xbc\xc3\x9f");
	assert_int_equal(call(f->t, "read_file", "{\"path\":\"note.txt\"}",
	    &err), LN_OK);
	assert_string_equal(ln_buf_str(&f->t->text),
	    "[6 bytes]\ngr\xc3\xbc\xc3\x9f");
	make_link(f, "note.txt", "in");
	reads(f, "in", "ok gr\xc3\xbc\xc3\x9f");
}

static void
no_path_leads_out(void **state)
{
	struct files *f = *state;
	char path[300];

	reads(f, "../secret.txt", "forbidden");
	reads(f, "../files/note.txt", "forbidden");
	reads(f, "/etc/passwd", "forbidden");
	snprintf(path, sizeof(path), "%s/secret.txt", f->outer);
	reads(f, path, "forbidden");
	snprintf(path, sizeof(path), "%s/../secret.txt", f->root);
	reads(f, path, "forbidden");
	snprintf(path, sizeof(path), "%s-more/x", f->root);
	reads(f, path, "forbidden");
	make_link(f, "../secret.txt", "out");
	reads(f, "out", "forbidden");
	make_link(f, "/proc/self", "self");
	reads(f, "self/environ", "forbidden");
	reads(f, "gone.txt", "not_found");
	reads(f, "note.txt/x", "not_found");
	reads(f, "", "invalid");
	reads(f, ".", "invalid");
}

/* A magic link of /proc leaves its folder without a ".." or a link to see. */
static void
magic_links_are_not_followed(void **state)
{
	struct files *f = *state;
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/secret.txt", f->outer);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	configure(f->t, "LOCALNEURAL_READ_FOLDERS", "/proc/self/fd");
	snprintf(path, sizeof(path), "%d", fd);
	reads(f, path, "forbidden");
	configure(f->t, "LOCALNEURAL_READ_FOLDERS", "/proc");
	snprintf(path, sizeof(path), "%ld/fd/%d", (long)getpid(), fd);
	reads(f, path, "forbidden");
	reads(f, "self/root/etc/passwd", "forbidden");
	reads(f, "self/cwd/Makefile", "forbidden");
	close(fd);
}

static void
the_servers_own_files_are_not_read(void **state)
{
	struct files *f = *state;
	char path[300];

	/* A folder around the data: what else is in it can be read. */
	configure(f->t, "LOCALNEURAL_READ_FOLDERS", "/tmp");
	reads(f, f->t->place->path, "forbidden");
	reads(f, f->t->place->path + sizeof("/tmp/") - 1, "forbidden");
	snprintf(path, sizeof(path), "%s/env", f->t->place->folder);
	reads(f, path, "forbidden");
	snprintf(path, sizeof(path), "%s/note.txt", f->root);
	reads(f, path, "ok gr\xc3\xbc\xc3\x9f");
	/* When nobody knows where the data is, nothing is. */
	configure(f->t, "LOCALNEURAL_DB", "/nowhere/at/all.db");
	reads(f, path, "forbidden");
}

static void
only_regular_files(void **state)
{
	struct files *f = *state;
	char path[200];
	int64_t before = ln_time_mono_ms();

	snprintf(path, sizeof(path), "%s/fifo", f->root);
	assert_int_equal(mkfifo(path, 0600), 0);
	reads(f, "fifo", "invalid");
	assert_true(ln_time_mono_ms() - before < 2000);
	snprintf(path, sizeof(path), "%s/sub", f->root);
	assert_int_equal(mkdir(path, 0700), 0);
	reads(f, "sub", "invalid");
	put_file(f->root, "sub/deep.txt", "deep", 4);
	reads(f, "sub/deep.txt", "ok deep");
	reads(f, "sub/../note.txt", "ok gr\xc3\xbc\xc3\x9f");
	configure(f->t, "LOCALNEURAL_READ_FOLDERS", "/dev");
	reads(f, "zero", "invalid");
	reads(f, "null", "invalid");
}

static void
only_text(void **state)
{
	struct files *f = *state;

	put_file(f->root, "binary", "a\0b", 3);
	reads(f, "binary", "invalid");
	put_file(f->root, "wide", "\xff\xfe" "a\0", 4);
	reads(f, "wide", "invalid");
	put_file(f->root, "wide", "caf\xe9", 4);
	reads(f, "wide", "invalid");
	put_file(f->root, "wide", "", 0);
	reads(f, "wide", "ok ");
}

static void
of_a_huge_file_the_beginning(void **state)
{
	struct files *f = *state;
	const size_t size = 3 * 1024 * 1024 + 1;
	char *bytes = malloc(size);
	struct ln_tool_file file;
	struct ln_error err;

	assert_non_null(bytes);
	/* A character of two bytes stands across the mark. */
	memset(bytes, 'a', size);
	memcpy(bytes + LN_TOOL_FILE_MAX - 1, "\xc3\xa9", 2);
	put_file(f->root, "big", bytes, size);
	free(bytes);
	assert_int_equal(ln_tool_read_file(f->t->cfg, "big", &file, NULL),
	    LN_OK);
	assert_int_equal(file.bytes, size);
	assert_int_equal(file.length, LN_TOOL_FILE_MAX - 1);
	ln_tool_file_free(&file);
	assert_int_equal(call(f->t, "read_file", "{\"path\":\"big\"}", &err),
	    LN_OK);
	assert_true(f->t->text.len <= LNI_TOOL_RESULT_MAX);
	assert_non_null(strstr(ln_buf_str(&f->t->text),
	    "[3145729 bytes, of which these are the first 1048575]"));
	assert_non_null(strstr(ln_buf_str(&f->t->text), "the rest is left "
	    "out.]"));
}

struct swapper {
	struct files *f;
	atomic_bool is_over;
};

/* Exchange a folder of the path with a link that leads out. */
static void *
swap_links(void *arg)
{
	struct swapper *s = arg;
	char name[200], fresh[200];
	int i;

	snprintf(name, sizeof(name), "%s/swap", s->f->root);
	snprintf(fresh, sizeof(fresh), "%s/swap.new", s->f->root);
	for (i = 0; !atomic_load(&s->is_over); i++) {
		(void)unlink(fresh);
		if (symlink(i % 2 == 0 ? ".." : "real", fresh) != 0 ||
		    rename(fresh, name) != 0)
			break;
	}
	return NULL;
}

static void
a_link_that_is_exchanged_meanwhile_gains_nothing(void **state)
{
	struct files *f = *state;
	struct swapper s = { .f = f };
	const int64_t end = ln_time_mono_ms() + 1000;
	struct ln_tool_file file;
	pthread_t thread;
	char path[200];
	int inside = 0, refused = 0;
	enum ln_status st;

	snprintf(path, sizeof(path), "%s/real", f->root);
	assert_int_equal(mkdir(path, 0700), 0);
	put_file(f->root, "real/secret.txt", "harmless", 8);
	make_link(f, "real", "swap");
	assert_int_equal(pthread_create(&thread, NULL, swap_links, &s), 0);
	while (ln_time_mono_ms() < end) {
		st = ln_tool_read_file(f->t->cfg, "swap/secret.txt", &file,
		    NULL);
		if (st == LN_OK) {
			assert_string_equal(file.content, "harmless");
			inside++;
		} else {
			assert_int_equal(st, LN_FORBIDDEN);
			refused++;
		}
		ln_tool_file_free(&file);
	}
	atomic_store(&s.is_over, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	/* Both sides of the race were seen. */
	assert_true(inside > 0);
	assert_true(refused > 0);
}

#define TEST(f) \
	cmocka_unit_test_setup_teardown(f, files_setup, files_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_in_the_folder_is_read),
		TEST(no_path_leads_out),
		TEST(magic_links_are_not_followed),
		TEST(the_servers_own_files_are_not_read),
		TEST(only_regular_files),
		TEST(only_text),
		TEST(of_a_huge_file_the_beginning),
		TEST(a_link_that_is_exchanged_meanwhile_gains_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
