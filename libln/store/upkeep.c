#include <ln/store.h>

#include <string.h>

#include "store/stmt.h"
#include "store/store.h"

#include "base/banned.h"

/* dbstat has a row a page, or one a tree when it is asked to add them up. */
static const char SQL_SIZES[] =
    "SELECT d.name, coalesce(s.type = 'index', 0), d.pgsize"
    " FROM dbstat AS d LEFT JOIN sqlite_schema AS s ON s.name = d.name"
    " WHERE d.aggregate = 1 ORDER BY d.pgsize DESC, d.name";

/* The log is emptied before, lest it be written twice, and after. */
static const char SQL_VACUUM[] =
    "PRAGMA wal_checkpoint(TRUNCATE); VACUUM;"
    "PRAGMA wal_checkpoint(TRUNCATE);";

enum ln_status
ln_store_sizes(struct ln_store *st, void (*fn)(void *arg, const char *name,
    bool is_index, int64_t bytes), void *arg, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_SIZES, err)) != LN_OK)
		return s;
	while ((s = lni_stmt_row(&q, err)) == LN_OK)
		fn(arg, lni_col_text(&q, 0), lni_col_int(&q, 1) != 0,
		    lni_col_int(&q, 2));
	lni_stmt_put(&q);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

enum ln_status
ln_store_vacuum(struct ln_store *st, struct ln_error *err)
{
	int rc = sqlite3_exec(st->db, SQL_VACUUM, NULL, NULL, NULL);

	return rc == SQLITE_OK ? LN_OK : lni_sqlite_fail(st->db, rc, err);
}
