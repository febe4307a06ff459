#ifndef LNI_STORE_H
#define LNI_STORE_H

#include <sqlite3.h>

#include <ln/store.h>

#include "store/fts.h"

/* The handle's inside, for store/ only. */

#define LNI_STMT_CACHE_MAX 128	/* distinct statements kept prepared */

struct lni_cached {
	const char *sql;
	sqlite3_stmt *handle;
	bool is_busy;
};

struct ln_store {
	sqlite3 *db;
	char *path;
	const struct ln_keys *keys;
	enum ln_store_mode mode;
	int busy_ms;
	int tx_depth;
	struct lni_cached cache[LNI_STMT_CACHE_MAX];
	size_t cache_count;
	struct lni_fts fts;
	int64_t deadline_ms;	/* monotonic; 0: none, see deadline.h */
	struct ln_actor actor;
	char *actor_text[4];	/* what ${actor} points to */
};

/* migrate.c: bring an empty database / the file ${path} to the latest schema.
 * The second works on a copy, keeps a snapshot, does nothing when another
 * program was faster, and answers LN_BUSY while one is at it. */
enum ln_status lni_migrate_new(sqlite3 *db, struct ln_error *err) LN_USE;
enum ln_status lni_migrate_file(const char *path, int busy_ms,
    struct ln_error *err) LN_USE;

/* backup.c: copy all pages of ${from} into ${to} (SQLite's online backup),
 * waiting at most ${busy_ms} for locks.  ${progress} may be NULL. */
enum ln_status lni_backup(sqlite3 *to, sqlite3 *from, int busy_ms,
    bool (*progress)(void *arg, int percent), void *arg, struct ln_error *err)
    LN_USE;

#endif
