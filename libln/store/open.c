#include <ln/store.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/retired.h"
#include "store/scratch.h"
#include "store/stmt.h"
#include "store/store.h"

#include "base/banned.h"

#define PATH_BYTES_MAX 4096	/* PATH_MAX on Linux */

int
lni_connection_guard(sqlite3 *db)
{
	static const struct {
		int option;
		int value;
	} guards[] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
		{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
		{ SQLITE_DBCONFIG_ENABLE_FKEY, 1 },
		{ SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
		{ SQLITE_DBCONFIG_DQS_DDL, 0 },
		{ SQLITE_DBCONFIG_DQS_DML, 0 },
	};
	size_t i;
	int rc;

	for (i = 0; i < sizeof(guards) / sizeof(guards[0]); i++) {
		rc = sqlite3_db_config(db, guards[i].option, guards[i].value,
		    NULL);
		if (rc != SQLITE_OK)
			return rc;
	}
	return sqlite3_exec(db,
	    "PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY;", NULL, NULL,
	    NULL);
}

/*
 * Durable before it is acknowledged: FULL fsyncs the log at every commit.
 * Writes into the file: only once it is known to be ours.
 */
static enum ln_status
tune(sqlite3 *db, enum ln_store_mode mode, struct ln_error *err)
{
	int rc;

	if (mode == LN_STORE_RO)
		return LN_OK;
	rc = sqlite3_exec(db,
	    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
	    "PRAGMA journal_size_limit=67108864;", NULL, NULL, NULL);
	return rc == SQLITE_OK ? LN_OK : lni_sqlite_fail(db, rc, err);
}

static enum ln_status
connect(const char *path, enum ln_store_mode mode, int busy_ms, sqlite3 **out,
    struct ln_error *err)
{
	sqlite3 *db = NULL;
	enum ln_status s;
	int rc;

	*out = NULL;
	rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_NOMUTEX |
	    (mode == LN_STORE_RO ? SQLITE_OPEN_READONLY :
	    SQLITE_OPEN_READWRITE), NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_extended_result_codes(db, 1);
	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(db, busy_ms);
	if (rc == SQLITE_OK)
		rc = lni_connection_guard(db);
	if (rc != SQLITE_OK) {
		s = lni_sqlite_fail(db, rc, err);
		sqlite3_close(db);
		return s;
	}
	*out = db;
	return LN_OK;
}

static enum ln_status
pragma_int(sqlite3 *db, const char *sql, int64_t *out, struct ln_error *err)
{
	sqlite3_stmt *q = NULL;
	enum ln_status s = LN_OK;
	int rc;

	*out = 0;
	rc = sqlite3_prepare_v2(db, sql, -1, &q, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(q, 0);
	else
		s = lni_sqlite_fail(db, rc, err);
	sqlite3_finalize(q);
	return s;
}

static enum ln_status
make_folder(const char *path, struct ln_error *err)
{
	char copy[PATH_BYTES_MAX];
	const char *folder;

	if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy))
		return ln_fail(err, LN_INVALID, "The path is too long", "%s",
		    path);
	folder = dirname(copy);
	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		return ln_fail(err, LN_IO,
		    "The data folder cannot be made. Check the path and its "
		    "permissions", "mkdir %s: %s", folder, strerror(errno));
	return LN_OK;
}

/*
 * Build the new database in a working folder and move it into place whole, so
 * that nobody ever opens half of one and a racing creator is not overwritten.
 */
static enum ln_status
create(const char *path, int busy_ms, struct ln_error *err)
{
	struct lni_scratch sc = { .fd = -1 };
	char temp[LNI_PATH_MAX];
	enum ln_status s;
	sqlite3 *db = NULL;

	if ((s = make_folder(path, err)) != LN_OK ||
	    (s = lni_scratch_make(path, "new", &sc, err)) != LN_OK)
		return s;
	if ((s = lni_scratch_file(&sc, LNI_SCRATCH_FRESH, temp, NULL, err)) !=
	    LN_OK || (s = connect(temp, LN_STORE_RW, busy_ms, &db, err)) !=
	    LN_OK)
		goto out;
	if ((s = tune(db, LN_STORE_RW, err)) == LN_OK)
		s = lni_migrate_new(db, err);
	if (sqlite3_close(db) != SQLITE_OK && s == LN_OK)
		s = ln_fail(err, LN_INTERNAL, "", "close %s", temp);
	if (s == LN_OK && (s = lni_publish(temp, path, err)) == LN_CONFLICT)
		s = LN_OK;
out:
	lni_scratch_remove(&sc);
	return s;
}

/*
 * What was killed while it wrote left a journal that a reader may not play
 * back: open it once as a writer.  Where that is not allowed, the reader's own
 * error says so.
 */
static void
recover(const struct ln_store *st)
{
	static const char look[] = "SELECT 1 FROM sqlite_schema LIMIT 1";
	sqlite3 *db = NULL;

	if ((sqlite3_exec(st->db, look, NULL, NULL, NULL) & 0xff) !=
	    SQLITE_READONLY)
		return;
	if (connect(st->path, LN_STORE_RW, st->busy_ms, &db, NULL) == LN_OK)
		sqlite3_exec(db, look, NULL, NULL, NULL);
	sqlite3_close(db);
}

static enum ln_status
check_identity(struct ln_store *st, int64_t *out_schema, struct ln_error *err)
{
	enum ln_status s;
	int64_t id;

	if ((s = pragma_int(st->db, "PRAGMA application_id", &id, err)) !=
	    LN_OK || (s = pragma_int(st->db, "PRAGMA user_version",
	    out_schema, err)) != LN_OK) {
		if (s == LN_CORRUPT)
			s = ln_fail(err, LN_CORRUPT,
			    "This file is not a LocalNeural database, or it "
			    "is damaged", "%s: %s", st->path,
			    sqlite3_errmsg(st->db));
		return s;
	}
	if (id != LN_STORE_APPLICATION_ID)
		return ln_fail(err, LN_CORRUPT,
		    "This file is not a LocalNeural database. To take over "
		    "another one, run lnctl db import on it",
		    "%s: application id %lld", st->path, (long long)id);
	if (*out_schema > ln_store_schema_latest())
		return ln_fail(err, LN_TOO_NEW,
		    "The database is newer than this program. Install the "
		    "newer program", "%s: schema %lld, this build knows %d",
		    st->path, (long long)*out_schema,
		    ln_store_schema_latest());
	return LN_OK;
}

static enum ln_status
make_ready(struct ln_store *st, struct ln_error *err)
{
	int rc = lni_fts_open(st->db, &st->fts);

	if (rc != SQLITE_OK)
		return lni_sqlite_fail(st->db, rc, err);
	return tune(st->db, st->mode, err);
}

static enum ln_status
open_existing(struct ln_store *st, struct ln_error *err)
{
	int64_t schema = 0;
	enum ln_status s;

	if ((s = connect(st->path, st->mode, st->busy_ms, &st->db, err)) !=
	    LN_OK)
		return s;
	if (st->mode == LN_STORE_RO)
		recover(st);
	if ((s = check_identity(st, &schema, err)) != LN_OK)
		return s;
	if (schema == ln_store_schema_latest())
		return make_ready(st, err);
	if (st->mode == LN_STORE_RO)
		return ln_fail(err, LN_UNSUPPORTED,
		    "The database is older than this program. Start the "
		    "server or any command that writes, once, to bring it up "
		    "to date", "%s: schema %lld", st->path,
		    (long long)schema);
	sqlite3_close(st->db);
	st->db = NULL;
	if ((s = lni_migrate_file(st->path, st->busy_ms, err)) != LN_OK)
		return s;
	if ((s = connect(st->path, st->mode, st->busy_ms, &st->db, err)) !=
	    LN_OK)
		return s;
	return make_ready(st, err);
}

enum ln_status
ln_store_schema(const char *path, int *out, struct ln_error *err)
{
	struct ln_store st = { .mode = LN_STORE_RO,
		.busy_ms = LN_STORE_BUSY_MS };
	enum ln_status s;
	int64_t schema;

	*out = 0;
	if (access(path, F_OK) != 0)
		return ln_fail(err, LN_NOT_FOUND,
		    "There is no database yet. Run lnctl init", "%s: %s", path,
		    strerror(errno));
	if ((st.path = strdup(path)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "ln_store_schema");
	s = connect(st.path, st.mode, st.busy_ms, &st.db, err);
	if (s == LN_OK) {
		recover(&st);
		s = check_identity(&st, &schema, err);
	}
	if (s == LN_OK)
		*out = (int)schema;
	sqlite3_close(st.db);
	free(st.path);
	return s;
}

enum ln_status
ln_store_open(const struct ln_store_opts *opts, struct ln_store **out,
    struct ln_error *err)
{
	struct ln_store *st = NULL;
	struct stat sb;
	enum ln_status s;

	*out = NULL;
	if ((st = calloc(1, sizeof(*st))) == NULL ||
	    (st->path = strdup(opts->path)) == NULL) {
		s = ln_fail(err, LN_NOMEM, "", "ln_store_open");
		goto out;
	}
	st->keys = opts->keys;
	st->mode = opts->mode;
	st->busy_ms = opts->busy_ms > 0 ? opts->busy_ms : LN_STORE_BUSY_MS;
	st->actor.kind = "system";
	if (stat(st->path, &sb) != 0) {
		if (errno != ENOENT) {
			s = ln_fail(err, LN_IO,
			    "The database cannot be opened. Check its "
			    "permissions", "stat %s: %s", st->path,
			    strerror(errno));
			goto out;
		}
		if (st->mode != LN_STORE_CREATE) {
			s = ln_fail(err, LN_NOT_FOUND,
			    "There is no database yet. Run lnctl init", "%s",
			    st->path);
			goto out;
		}
		if ((s = create(st->path, st->busy_ms, err)) != LN_OK)
			goto out;
	} else if (!S_ISREG(sb.st_mode)) {
		s = ln_fail(err, LN_CORRUPT,
		    "The database path does not name a file", "%s", st->path);
		goto out;
	}
	if (st->mode != LN_STORE_RO)
		lni_scratch_sweep(st->path);
	s = open_existing(st, err);
	if (s == LN_OK && st->mode != LN_STORE_RO)
		s = lni_retired_check(st, err);
out:
	if (s == LN_OK)
		*out = st;
	else
		ln_store_close(st);
	return s;
}

void
ln_store_close(struct ln_store *st)
{
	size_t i;

	if (st == NULL)
		return;
	for (i = 0; i < st->cache_count; i++)
		sqlite3_finalize(st->cache[i].handle);
	lni_fts_close(&st->fts);
	sqlite3_close_v2(st->db);
	for (i = 0; i < sizeof(st->actor_text) / sizeof(st->actor_text[0]); i++)
		free(st->actor_text[i]);
	free(st->path);
	free(st);
}

const char *
ln_store_path(const struct ln_store *st)
{
	return st->path;
}

const struct ln_keys *
ln_store_keys(const struct ln_store *st)
{
	return st->keys;
}

sqlite3 *
lni_store_db(struct ln_store *st)
{
	return st->db;
}

const struct ln_actor *
lni_store_actor(const struct ln_store *st)
{
	return &st->actor;
}

void
ln_store_actor_set(struct ln_store *st, const struct ln_actor *actor)
{
	const char *const from[] = { actor->kind, actor->user_id,
		actor->address, actor->request_id };
	size_t i;

	for (i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
		free(st->actor_text[i]);
		st->actor_text[i] = from[i] != NULL ? strdup(from[i]) : NULL;
	}
	st->actor.kind = st->actor_text[0] != NULL ? st->actor_text[0] :
	    "system";
	st->actor.user_id = st->actor_text[1];
	st->actor.address = st->actor_text[2];
	st->actor.request_id = st->actor_text[3];
}

enum ln_status
ln_store_version(struct ln_store *st, int64_t *out, struct ln_error *err)
{
	static const char SQL_DATA_VERSION[] = "PRAGMA data_version";
	struct lni_stmt q;
	enum ln_status s;

	*out = 0;
	if ((s = lni_stmt_get(&q, st, SQL_DATA_VERSION, err)) != LN_OK)
		return s;
	if ((s = lni_stmt_row(&q, err)) == LN_OK)
		*out = lni_col_int(&q, 0);
	lni_stmt_put(&q);
	return s;
}
