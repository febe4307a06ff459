#include "store/fresh.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "store/stmt.h"
#include "store/store.h"

#include "base/banned.h"

/* Pages of the two must be of one size to be exchanged. */
static enum ln_status
page_size(struct ln_store *live, int64_t *out, struct ln_error *err)
{
	static const char SQL_PAGE_SIZE[] = "PRAGMA page_size";
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, live, SQL_PAGE_SIZE, err)) != LN_OK)
		return s;
	if ((s = lni_stmt_row(&q, err)) == LN_OK)
		*out = lni_col_int(&q, 0);
	lni_stmt_put(&q);
	return s;
}

static enum ln_status
connect(struct ln_store *st, int64_t page_bytes, bool is_searched,
    struct ln_error *err)
{
	/* Nobody else sees it and nobody waits for it: no journal on disk, no
	 * fsync.  What counts is the last step, into the live one. */
	char sql[256];
	enum ln_status s;
	int rc;

	snprintf(sql, sizeof(sql), "PRAGMA page_size=%lld;"
	    "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=MEMORY;"
	    "PRAGMA synchronous=OFF; PRAGMA cache_size=-16384;",
	    (long long)page_bytes);
	rc = sqlite3_open_v2(st->path, &st->db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
	if (rc == SQLITE_OK)
		rc = lni_connection_guard(st->db);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(st->db, sql, NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		return lni_sqlite_fail(st->db, rc, err);
	if ((s = lni_migrate_new(st->db, err)) != LN_OK || is_searched)
		return s;
	if ((s = lni_exec(st, "DROP TRIGGER message_search_insert", err)) !=
	    LN_OK)
		return s;
	return lni_exec(st, "DROP TRIGGER conversation_search_insert", err);
}

enum ln_status
lni_fresh_open(struct lni_scratch *sc, struct ln_store *live,
    struct ln_store **out, struct ln_error *err)
{
	char path[LNI_PATH_MAX];
	struct ln_store *st = NULL;
	int64_t page_bytes = 4096;
	enum ln_status s;

	*out = NULL;
	if ((s = lni_scratch_file(sc, LNI_SCRATCH_FRESH, path, NULL, err)) !=
	    LN_OK)
		return s;
	if (live != NULL && (s = page_size(live, &page_bytes, err)) != LN_OK)
		return s;
	if ((st = calloc(1, sizeof(*st))) == NULL ||
	    (st->path = strdup(path)) == NULL) {
		s = ln_fail(err, LN_NOMEM, "", "lni_fresh_open");
		goto out;
	}
	st->mode = LN_STORE_RW;
	st->busy_ms = LN_STORE_BUSY_MS;
	st->actor.kind = "system";
	if (live != NULL) {
		st->keys = live->keys;
		ln_store_actor_set(st, &live->actor);
	}
	s = connect(st, page_bytes, live != NULL, err);
	unlink(path);
out:
	if (s == LN_OK)
		*out = st;
	else
		ln_store_close(st);
	return s;
}

enum ln_status
lni_import_lock(const char *path, int *out_fd, struct ln_error *err)
{
	char name[LNI_PATH_MAX];
	int fd;

	*out_fd = -1;
	if (snprintf(name, sizeof(name), "%s.import.lock", path) >=
	    (int)sizeof(name))
		return ln_fail(err, LN_INVALID, "The path is too long", "%s",
		    path);
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return ln_fail(err, LN_IO, "", "open %s: %s", name,
		    strerror(errno));
	/* The file stays: removing it would let two hold one lock each. */
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		close(fd);
		return ln_fail(err, LN_CONFLICT,
		    "Another import is running. Wait until it is done",
		    "flock %s: %s", name, strerror(errno));
	}
	*out_fd = fd;
	return LN_OK;
}

void
lni_import_unlock(int fd)
{
	if (fd >= 0)
		close(fd);
}
