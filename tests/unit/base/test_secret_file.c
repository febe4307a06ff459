#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <ln/secret.h>

#define NITEMS(a) (sizeof(a) / sizeof((a)[0]))

static char folder[] = "/tmp/ln-secret-XXXXXX";

static void
write_file(const char *name, const char *bytes, size_t n, mode_t mode)
{
	int fd;

	(void)unlink(name);
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static void
reads_the_content_without_its_last_newline(void **state)
{
	static const struct {
		const char *name;
		const char *content;
		size_t n;
		enum ln_status status;
		const char *want;
	} rows[] = {
		{ "as it is", "pass word", 9, LN_OK, "pass word" },
		{ "LF", "pass\n", 5, LN_OK, "pass" },
		{ "CRLF", "pass\r\n", 6, LN_OK, "pass" },
		{ "only the last one", "pass\n\n", 6, LN_OK, "pass\n" },
		{ "a bare CR is content", "pass\r", 5, LN_OK, "pass\r" },
		{ "spaces are content", " pass \n", 7, LN_OK, " pass " },
		{ "empty", "", 0, LN_OK, "" },
		{ "only a newline", "\n", 1, LN_OK, "" },
		{ "any byte", "\xFF\xFE", 2, LN_OK, "\xFF\xFE" },
		{ "ten bytes fit", "0123456789", 10, LN_OK, "0123456789" },
		{ "eleven do not", "0123456789\n", 11, LN_TOO_LARGE, NULL },
		{ "NUL", "pa\0ss", 5, LN_INVALID, NULL },
	};
	char *out;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(rows); i++) {
		write_file("secret", rows[i].content, rows[i].n, 0600);
		if (ln_secret_read_file("secret", 10, &out, NULL) !=
		    rows[i].status)
			fail_msg("%s: status", rows[i].name);
		if (rows[i].want == NULL)
			assert_null(out);
		else
			assert_string_equal(out, rows[i].want);
		ln_wipe_free(out);
	}
}

static void
a_file_that_others_can_touch_is_refused(void **state)
{
	static const struct {
		mode_t mode;
		enum ln_status status;
	} rows[] = {
		{ 0600, LN_OK },
		{ 0400, LN_OK },
		{ 0700, LN_OK },
		{ 0640, LN_FORBIDDEN },
		{ 0604, LN_FORBIDDEN },
		{ 0644, LN_FORBIDDEN },
		{ 0620, LN_FORBIDDEN },
		{ 0602, LN_FORBIDDEN },
		{ 0601, LN_FORBIDDEN },
	};
	struct ln_error err;
	char *out;
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(rows); i++) {
		err = (struct ln_error)LN_ERROR_INIT;
		write_file("secret", "planted", 7, rows[i].mode);
		if (ln_secret_read_file("secret", 100, &out, &err) !=
		    rows[i].status)
			fail_msg("mode %o", (unsigned)rows[i].mode);
		assert_true((out != NULL) == (rows[i].status == LN_OK));
		if (rows[i].status != LN_OK) {
			assert_non_null(strstr(err.text, "chmod 600"));
			assert_null(strstr(err.detail, "planted"));
		}
		ln_wipe_free(out);
	}
}

static void
only_a_regular_file_is_read_and_nothing_is_waited_for(void **state)
{
	static const struct {
		const char *path;
		enum ln_status status;
	} rows[] = {
		{ "missing", LN_NOT_FOUND },
		{ "missing/secret", LN_NOT_FOUND },
		{ "plain/secret", LN_NOT_FOUND },
		{ "link", LN_FORBIDDEN },
		{ "dangling", LN_FORBIDDEN },
		{ "fifo", LN_FORBIDDEN },
		{ ".", LN_FORBIDDEN },
		{ "/dev/null", LN_FORBIDDEN },
	};
	char *out;
	size_t i;

	(void)state;
	write_file("plain", "x", 1, 0600);
	assert_int_equal(symlink("plain", "link"), 0);
	assert_int_equal(symlink("missing", "dangling"), 0);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	for (i = 0; i < NITEMS(rows); i++) {
		if (ln_secret_read_file(rows[i].path, 100, &out, NULL) !=
		    rows[i].status)
			fail_msg("%s", rows[i].path);
		assert_null(out);
	}
}

static int
enter_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) != NULL && chdir(folder) == 0 ? 0 : -1;
}

static int
leave_folder(void **state)
{
	static const char *const names[] = { "secret", "plain", "link",
		"dangling", "fifo" };
	size_t i;

	(void)state;
	for (i = 0; i < NITEMS(names); i++)
		(void)unlink(names[i]);
	return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_content_without_its_last_newline),
		cmocka_unit_test(a_file_that_others_can_touch_is_refused),
		cmocka_unit_test(
		    only_a_regular_file_is_read_and_nothing_is_waited_for),
	};

	return cmocka_run_group_tests_name("secret file", tests, enter_folder,
	    leave_folder);
}
