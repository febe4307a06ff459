#include "model/backup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ln/buf.h>

#include "store/stmt.h"

#include "base/banned.h"

/* No file is ever overwritten: a receipt with the name of a new one is of a
 * file that somebody has removed by hand. */
static const char SQL_ADD[] =
    "INSERT OR REPLACE INTO backup(folder, name, created_ms, bytes, hash, is_encrypted,"
    " verified_ms, verified_how) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

#define COLUMNS "created_ms, bytes, hash, is_encrypted, verified_ms," \
    " verified_how"
static const char SQL_GET[] =
    "SELECT " COLUMNS " FROM backup WHERE folder = ?1 AND name = ?2";
static const char SQL_LAST[] =
    "SELECT " COLUMNS ", folder, name FROM backup"
    " WHERE verified_ms IS NOT NULL ORDER BY created_ms DESC, id DESC LIMIT 1";

static const char SQL_VERIFIED[] =
    "UPDATE backup SET verified_ms = ?3, verified_how = ?4"
    " WHERE folder = ?1 AND name = ?2";
static const char SQL_REMOVE[] =
    "DELETE FROM backup WHERE folder = ?1 AND name = ?2";

const char *const lni_backup_sql[] = {
	SQL_ADD, SQL_GET, SQL_LAST, SQL_VERIFIED, SQL_REMOVE,
};
const size_t lni_backup_sql_count =
    sizeof(lni_backup_sql) / sizeof(lni_backup_sql[0]);

static const char *const how_names[] = {
	[LN_BACKUP_UNCHECKED] = "unchecked",
	[LN_BACKUP_QUICK] = "quick",
	[LN_BACKUP_FULL] = "full",
	[LN_BACKUP_DRILL] = "drill",
};

const char *
ln_backup_check_name(enum ln_backup_check how)
{
	return how_names[how];
}

/* NULL in the table. */
static const char *
how_text(enum ln_backup_check how)
{
	return how != LN_BACKUP_UNCHECKED ? how_names[how] : NULL;
}

static enum ln_backup_check
how_of(const char *s)
{
	size_t i;

	for (i = 1; s != NULL && i < sizeof(how_names) / sizeof(how_names[0]);
	    i++) {
		if (strcmp(how_names[i], s) == 0)
			return (enum ln_backup_check)i;
	}
	return LN_BACKUP_UNCHECKED;
}

/* One statement on the receipt of one file: ?1 and ?2 are bound. */
static enum ln_status
get(struct lni_stmt *q, struct ln_store *st, const char *sql,
    const char *folder, const char *name, struct ln_error *err)
{
	enum ln_status s;

	if ((s = lni_stmt_get(q, st, sql, err)) != LN_OK)
		return s;
	lni_bind_text(q, 1, folder);
	lni_bind_text(q, 2, name);
	return LN_OK;
}

static enum ln_status
run(struct lni_stmt *q, struct ln_error *err)
{
	enum ln_status s = lni_stmt_done(q, err);

	lni_stmt_put(q);
	return s;
}

enum ln_status
lni_receipt_add(struct ln_store *st, const char *folder, const char *name,
    const struct lni_receipt *r, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = get(&q, st, SQL_ADD, folder, name, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 3, r->created_ms);
	lni_bind_int(&q, 4, r->bytes);
	lni_bind_blob(&q, 5, r->hash, sizeof(r->hash));
	lni_bind_int(&q, 6, r->is_encrypted);
	lni_bind_opt_int(&q, 7, r->verified_ms);
	lni_bind_text(&q, 8, how_text(r->verified_how));
	return run(&q, err);
}

static void
read_row(struct lni_stmt *q, struct lni_receipt *out)
{
	const void *hash;
	size_t n;

	memset(out, 0, sizeof(*out));
	out->created_ms = lni_col_int(q, 0);
	out->bytes = lni_col_int(q, 1);
	hash = lni_col_blob(q, 2, &n);
	if (hash != NULL && n == sizeof(out->hash))
		memcpy(out->hash, hash, n);
	out->is_encrypted = lni_col_int(q, 3) != 0;
	out->verified_ms = lni_col_int(q, 4);
	out->verified_how = how_of(lni_col_text(q, 5));
}

enum ln_status
lni_receipt_get(struct ln_store *st, const char *folder, const char *name,
    struct lni_receipt *out, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = get(&q, st, SQL_GET, folder, name, err)) != LN_OK)
		return s;
	if ((s = lni_stmt_row(&q, err)) == LN_OK)
		read_row(&q, out);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
lni_receipt_verified(struct ln_store *st, const char *folder,
    const char *name, int64_t at_ms, enum ln_backup_check how,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = get(&q, st, SQL_VERIFIED, folder, name, err)) != LN_OK)
		return s;
	lni_bind_opt_int(&q, 3, how != LN_BACKUP_UNCHECKED ? at_ms : 0);
	lni_bind_text(&q, 4, how_text(how));
	return run(&q, err);
}

enum ln_status
lni_receipt_remove(struct ln_store *st, const char *folder, const char *name,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = get(&q, st, SQL_REMOVE, folder, name, err)) != LN_OK)
		return s;
	return run(&q, err);
}

enum ln_status
lni_receipt_last(struct ln_store *st, struct lni_receipt *out,
    char **out_path, struct ln_error *err)
{
	struct ln_buf b = LN_BUF_INIT((size_t)16 * 1024);
	struct lni_stmt q;
	enum ln_status s;

	*out_path = NULL;
	if ((s = lni_stmt_get(&q, st, SQL_LAST, err)) != LN_OK)
		return s;
	if ((s = lni_stmt_row(&q, err)) == LN_OK) {
		read_row(&q, out);
		ln_buf_printf(&b, "%s/%s", lni_col_text(&q, 6),
		    lni_col_text(&q, 7));
		if ((s = ln_buf_status(&b)) != LN_OK ||
		    (*out_path = ln_buf_steal(&b)) == NULL)
			s = ln_fail(err, LN_NOMEM, "", "receipt");
	}
	lni_stmt_put(&q);
	ln_buf_free(&b);
	return s;
}
