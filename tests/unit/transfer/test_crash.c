#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "transfer/kit.h"

/* Imports that are killed, that meet, and that meet writers. */

static const char BIG[] =
    "WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE"
    " i < 9000) INSERT INTO messages (id, session_id, role, content,"
    " timestamp) SELECT i, '39da72ec-4429-43b5-b0fb-d5b559ef1a8b', 'user',"
    " 'message number ' || i, '2026-11-24 08:33:12.869321' FROM n";

static void
wait_ms(long ms)
{
	const struct timespec ts = { ms / 1000, (ms % 1000) * 1000000L };

	nanosleep(&ts, NULL);
}

static pid_t
start_import(struct place *p, const char *path)
{
	struct ln_report *r = NULL;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		p->store = place_open(p, 1000);
		_exit((int)ln_import(p->store, path, NULL, &r, NULL));
	}
	return pid;
}

/* The old house (one account, no message) or the new one, nothing between. */
static bool
is_new(const struct place *p)
{
	int64_t users = kit_int(p->path, "SELECT count(*) FROM user");
	int64_t messages = kit_int(p->path, "SELECT count(*) FROM message");

	assert_int_equal(kit_int(p->path, "SELECT count(*) FROM"
	    " pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
	if (users == 1) {
		assert_int_equal(messages, 0);
		return false;
	}
	assert_int_equal(users, 5);
	assert_int_equal(messages, 24 + 8001);
	return true;
}

static void
killed_at_any_moment_it_is_the_old_or_the_new_one(void **state)
{
	struct place *p = *state;
	struct timespec from, to;
	const char *path;
	long whole_ms, i;
	int status;
	bool done;

	place_add_user(p->store, "before");
	ln_store_close(p->store);
	p->store = NULL;
	path = kit_legacy(p, SCRYPT, BIG);
	clock_gettime(CLOCK_MONOTONIC, &from);
	assert_int_equal(waitpid(start_import(p, path), &status, 0) > 0, 1);
	clock_gettime(CLOCK_MONOTONIC, &to);
	assert_int_equal(status, 0);
	assert_true(is_new(p));
	whole_ms = (to.tv_sec - from.tv_sec) * 1000 +
	    (to.tv_nsec - from.tv_nsec) / 1000000;
	for (i = 1; i <= 12; i++) {
		pid_t pid;

		kit_sql(p->path, "PRAGMA foreign_keys = ON; DELETE FROM user;"
		    "DELETE FROM setting;"
		    "DELETE FROM prompt; DELETE FROM tool; DELETE FROM"
		    " search_queue; INSERT INTO message_fts(message_fts)"
		    " VALUES ('delete-all'); INSERT INTO user (id, username,"
		    " username_key, created_ms) VALUES ('before', 'before',"
		    " 'before', 1)");
		assert_false(is_new(p));
		pid = start_import(p, path);
		wait_ms(whole_ms * i / 12);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		done = is_new(p);
		if (WIFEXITED(status))
			assert_true(done);
	}
	p->store = place_open(p, 1000);
	ln_report_free(kit_import(p, path, NULL, LN_OK));
	assert_true(is_new(p));
}

static void
two_imports_never_run_at_once(void **state)
{
	struct place *p = *state;
	char lock[256];
	int fd;

	snprintf(lock, sizeof(lock), "%s.import.lock", p->path);
	fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_null(kit_import(p, kit_legacy(p, SCRYPT, NULL), NULL,
	    LN_CONFLICT));
	close(fd);
	ln_report_free(kit_import(p, kit_legacy(p, SCRYPT, NULL), NULL,
	    LN_OK));
}

static void
a_writer_who_does_not_let_go_is_not_overrun(void **state)
{
	struct place *p = *state;
	struct ln_store *writer = place_open(p, 1000);

	place_exec(writer, "BEGIN IMMEDIATE");
	place_add_user(writer, "writing");
	assert_null(kit_import(p, kit_legacy(p, SCRYPT, NULL), NULL,
	    LN_BUSY));
	place_exec(writer, "COMMIT");
	assert_int_equal(place_int(p->store, "SELECT count(*) FROM user"), 1);
	ln_store_close(writer);
}

static void
a_reader_goes_on_with_what_he_began(void **state)
{
	struct place *p = *state;
	struct ln_store *reader = place_open(p, 1000);

	place_add_user(p->store, "before");
	place_exec(reader, "BEGIN");
	assert_int_equal(place_int(reader, "SELECT count(*) FROM user"), 1);
	ln_report_free(kit_import(p, kit_legacy(p, SCRYPT, NULL), NULL,
	    LN_OK));
	assert_int_equal(place_int(reader, "SELECT count(*) FROM user"), 1);
	place_exec(reader, "COMMIT");
	assert_int_equal(place_int(reader, "SELECT count(*) FROM user"), 5);
	ln_store_close(reader);
}

/* Whatever a writer was told is saved is in the snapshot or in the new
 * database: the write lock is held between the two. */
static void
nothing_saved_is_lost_between_snapshot_and_swap(void **state)
{
	struct place *p = *state;
	struct ln_report *r;
	int64_t kept, said = 0;
	int fds[2], status;
	struct ln_store *st;
	char buf[4096];
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	ln_store_close(p->store);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(fds[0]);
		st = place_open(p, 5000);
		for (;;) {
			place_exec(st, "INSERT INTO prompt (title, content,"
			    " created_ms) VALUES ('p', 'writer', 1)");
			if (write(fds[1], "x", 1) != 1)
				_exit(1);
		}
	}
	close(fds[1]);
	p->store = place_open(p, 5000);
	wait_ms(100);
	r = kit_import(p, kit_legacy(p, SCRYPT, NULL), NULL, LN_OK);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	while ((n = read(fds[0], buf, sizeof(buf))) > 0)
		said += n;
	close(fds[0]);
	kept = kit_int(r->snapshot_path, "SELECT count(*) FROM prompt WHERE"
	    " content = 'writer'") + place_int(p->store, "SELECT count(*)"
	    " FROM prompt WHERE content = 'writer'");
	assert_true(said > 0);
	/* The last one may have been saved and not yet said. */
	assert_in_range(kept, said, said + 1);
	ln_report_free(r);
}

#define T(f) cmocka_unit_test_setup_teardown(f, place_setup, place_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(killed_at_any_moment_it_is_the_old_or_the_new_one),
		T(two_imports_never_run_at_once),
		T(a_writer_who_does_not_let_go_is_not_overrun),
		T(a_reader_goes_on_with_what_he_began),
		T(nothing_saved_is_lost_between_snapshot_and_swap),
	};

	return cmocka_run_group_tests_name("crash", tests, NULL, NULL);
}
