#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include <ln/secret.h>

#include "transfer/kit.h"

/* What validation says of files before SQLite sees a byte of them. */

static void
expect(const char *path, const char *code)
{
	struct ln_report *r = kit_validate(path, NULL);

	assert_false(r->is_importable);
	if (kit_find(r, code) == NULL)
		fail_msg("%s: %s, not %s", path, r->findings[0].code, code);
	ln_report_free(r);
}

static void
a_missing_file_is_not_found(void **state)
{
	struct place *p = *state;
	struct ln_report *r = NULL;
	char path[256];

	snprintf(path, sizeof(path), "%s/nothing", p->folder);
	assert_int_equal(ln_validate(path, NULL, &r, NULL), LN_NOT_FOUND);
	assert_null(r);
	assert_null(kit_import(p, path, NULL, LN_NOT_FOUND));
}

static void
links_and_special_files_are_not_opened(void **state)
{
	struct place *p = *state;
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	const char *good = kit_legacy(p, SCRYPT, NULL);
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/link", p->folder);
	assert_int_equal(symlink(good, path), 0);
	expect(path, "symlink");
	unlink(path);
	assert_int_equal(link(good, path), 0);
	expect(path, "hard_link");
	expect(good, "hard_link");
	unlink(path);
	/* Nobody writes to it: whoever waits for a writer hangs. */
	assert_int_equal(mkfifo(path, 0600), 0);
	expect(path, "special_file");
	unlink(path);
	expect(p->folder, "special_file");
	expect("/dev/zero", "special_file");
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/s", p->folder);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	expect(sun.sun_path, "special_file");
	close(fd);
}

static void
a_journal_beside_it_means_it_is_not_whole(void **state)
{
	static const char *const suffixes[] = { "-wal", "-journal" };
	const char *path = kit_legacy(*state, SCRYPT, NULL);
	char beside[300];
	size_t i;

	for (i = 0; i < 2; i++) {
		snprintf(beside, sizeof(beside), "%s%s", path, suffixes[i]);
		close(open(beside, O_CREAT | O_WRONLY, 0600));
		expect(path, "side_files");
		unlink(beside);
	}
}

static void
what_is_no_database_is_called_by_its_name(void **state)
{
	static const struct {
		const char *start;
		size_t n;
		const char *code;
	} strangers[] = {
		{ "", 0, "empty" },
		{ "Dear diary", 10, "not_sqlite" },
		{ "\x1f\x8b\x08\x00\x00", 5, "compressed" },
		{ "PK\x03\x04zip", 7, "compressed" },
		{ "\x28\xb5\x2f\xfdzst", 7, "compressed" },
		{ "\xfd" "7zXZ\x00", 6, "compressed" },
		{ "age-encryption.org/v1\n", 22, "encrypted" },
		{ "Salted__12345678", 16, "encrypted" },
		{ "SQLite format 3", 15, "not_sqlite" },
		{ "SQLite format 3\0", 16, "truncated" },
	};
	size_t i;

	for (i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++)
		expect(kit_file(*state, strangers[i].start, strangers[i].n),
		    strangers[i].code);
}

static void
random_bytes_look_encrypted_and_text_does_not(void **state)
{
	unsigned char bytes[8192];
	size_t i;

	ln_random(bytes, sizeof(bytes));
	bytes[0] = 0;
	expect(kit_file(*state, bytes, sizeof(bytes)), "encrypted");
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)("the quick brown fox "[i % 20]);
	expect(kit_file(*state, bytes, sizeof(bytes)), "not_sqlite");
}

/* One byte, or all from there, changed. */
static void
a_header_that_lies_is_found(void **state)
{
	static const struct {
		size_t at;
		unsigned char value;
		const char *code;
	} lies[] = {
		{ 16, 3, "bad_header" },	/* page size 768 */
		{ 17, 1, "bad_header" },
		{ 18, 3, "bad_header" },	/* write version */
		{ 19, 9, "bad_header" },	/* read version */
		{ 21, 65, "bad_header" },
		{ 22, 33, "bad_header" },
		{ 23, 0, "bad_header" },
		{ 28, 1, "truncated" },		/* page count */
		{ 31, 1, "size_mismatch" },
		{ 47, 9, "bad_header" },	/* schema format */
		{ 59, 2, "utf16" },
		{ 59, 3, "utf16" },
		{ 59, 4, "bad_header" },
		{ 63, 1, "unknown_schema" },	/* user_version */
		{ 71, 1, "unknown_application_id" },
		{ 100, 99, "integrity" },	/* the first page's kind */
	};
	const char *path = kit_legacy(*state, SCRYPT, NULL);
	char *bytes;
	size_t i, n;
	char was;

	bytes = kit_read(path, &n);
	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		was = bytes[lies[i].at];
		bytes[lies[i].at] = (char)lies[i].value;
		expect(kit_file(*state, bytes, n), lies[i].code);
		bytes[lies[i].at] = was;
	}
	free(bytes);
}

static void
a_cut_file_is_found_wherever_it_was_cut(void **state)
{
	static const size_t cuts[] = { 17, 99, 100, 4095, 4096, 50000,
		102400, 106495 };
	const char *path = kit_legacy(*state, SCRYPT, NULL);
	char *bytes;
	size_t i, n;

	bytes = kit_read(path, &n);
	for (i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++)
		expect(kit_file(*state, bytes, cuts[i]), "truncated");
	bytes = realloc(bytes, n + 4096);
	assert_non_null(bytes);
	memset(bytes + n, 0, 4096);
	expect(kit_file(*state, bytes, n + 4096), "size_mismatch");
	free(bytes);
}

static void
damage_inside_never_passes_and_never_crashes(void **state)
{
	const char *path = kit_legacy(*state, SCRYPT, NULL);
	unsigned char *bytes;
	struct ln_report *r;
	size_t at, n, i;
	int passed = 0;

	bytes = (unsigned char *)kit_read(path, &n);
	/* Page headers and the cell pointers behind them. */
	for (at = 4096; at < n; at += 4096) {
		for (i = 0; i < 12; i += 3) {
			bytes[at + i] ^= 0x5a;
			r = kit_validate(kit_file(*state, bytes, n), NULL);
			passed += r->is_importable;
			ln_report_free(r);
			bytes[at + i] ^= 0x5a;
		}
	}
	/* A byte or two may lie in unused space; most must be noticed. */
	assert_in_range(passed, 0, 10);
	free(bytes);
}

static void
a_newer_database_of_ours_is_refused_as_such(void **state)
{
	struct place *p = *state;
	struct ln_report *r;
	const char *path;

	path = kit_legacy(p, SCRYPT, "PRAGMA application_id = 1280197698;"
	    "PRAGMA user_version = 1000");
	r = kit_validate(path, NULL);
	assert_false(r->is_importable);
	assert_int_equal(r->kind, LN_REPORT_OURS);
	assert_int_equal(r->schema, 1000);
	assert_non_null(kit_find(r, "newer_schema"));
	ln_report_free(r);
	r = kit_import(p, path, NULL, LN_TOO_NEW);
	assert_non_null(kit_find(r, "newer_schema"));
	ln_report_free(r);
}

static void
a_file_of_more_than_two_gigabytes_is_not_even_read(void **state)
{
	const char *path = kit_legacy(*state, SCRYPT, NULL);

	assert_int_equal(truncate(path, (off_t)3 * 1024 * 1024 * 1024), 0);
	expect(path, "too_large");
}

static void
strange_paths_are_only_paths(void **state)
{
	struct place *p = *state;
	const char *good = kit_legacy(p, SCRYPT, NULL);
	struct ln_report *r;
	const char *given = getenv("TMPDIR");
	char folder[256], path[300], was[256];

	snprintf(was, sizeof(was), "%s", given != NULL ? given : "/tmp");
	/* The working copy gets such a name when TMPDIR has it. */
	snprintf(folder, sizeof(folder), "%s/a?mode=rw&b#c%%41 d", p->folder);
	assert_int_equal(mkdir(folder, 0700), 0);
	snprintf(path, sizeof(path), "%s/f?vfs=x#.db", folder);
	assert_int_equal(rename(good, path), 0);
	assert_int_equal(setenv("TMPDIR", folder, 1), 0);
	r = kit_validate(path, NULL);
	assert_true(r->is_importable);
	ln_report_free(r);
	assert_int_equal(unlink(path), 0);
	/* And nothing is left in it. */
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(setenv("TMPDIR", was, 1), 0);
}

static void
what_a_killed_run_left_is_swept(void **state)
{
	struct place *p = *state;
	char folder[256], file[300];

	snprintf(folder, sizeof(folder), "%s.import-AbCdEf", p->path);
	snprintf(file, sizeof(file), "%s/copy.db", folder);
	assert_int_equal(mkdir(folder, 0700), 0);
	close(open(file, O_CREAT | O_WRONLY, 0600));
	ln_report_free(kit_import(p, kit_legacy(p, SCRYPT, NULL), NULL,
	    LN_OK));
	assert_int_equal(access(folder, F_OK), -1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, place_setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_missing_file_is_not_found),
		T(links_and_special_files_are_not_opened),
		T(a_journal_beside_it_means_it_is_not_whole),
		T(what_is_no_database_is_called_by_its_name),
		T(random_bytes_look_encrypted_and_text_does_not),
		T(a_header_that_lies_is_found),
		T(a_cut_file_is_found_wherever_it_was_cut),
		T(damage_inside_never_passes_and_never_crashes),
		T(a_newer_database_of_ours_is_refused_as_such),
		T(a_file_of_more_than_two_gigabytes_is_not_even_read),
		T(strange_paths_are_only_paths),
		T(what_a_killed_run_left_is_swept),
	};

	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
