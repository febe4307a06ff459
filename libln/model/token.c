#include "model/token.h"

#include "store/stmt.h"

#include "base/banned.h"

static const char SQL_ADD[] =
    "INSERT INTO reset_token(hash, user_id, created_ms, expires_ms)"
    " VALUES (?1, ?2, ?3, ?4)";
static const char SQL_PURGE[] =
    "DELETE FROM reset_token WHERE expires_ms <= ?1";
static const char SQL_USER[] =
    "SELECT user_id FROM reset_token"
    " WHERE hash = ?1 AND used_ms IS NULL AND expires_ms > ?2";
static const char SQL_USE[] =
    "UPDATE reset_token SET used_ms = ?2"
    " WHERE hash = ?1 AND used_ms IS NULL AND expires_ms > ?2"
    " RETURNING user_id";
static const char SQL_REVOKE[] =
    "DELETE FROM reset_token WHERE user_id = ?1 AND used_ms IS NULL";
static const char SQL_END_ALL[] = "DELETE FROM reset_token";

const char *const lni_token_sql[] = { SQL_ADD, SQL_PURGE, SQL_USER, SQL_USE,
	SQL_REVOKE, SQL_END_ALL };
const size_t lni_token_sql_count =
    sizeof(lni_token_sql) / sizeof(lni_token_sql[0]);

static enum ln_status
purge(struct ln_store *st, int64_t now_ms, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_PURGE, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, now_ms);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
lni_token_add(struct ln_store *st, const unsigned char hash[LN_KEY_BYTES],
    const char *user_id, int64_t now_ms, int64_t expires_ms,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = purge(st, now_ms, err)) != LN_OK)
		return s;
	if ((s = lni_stmt_get(&q, st, SQL_ADD, err)) != LN_OK)
		return s;
	lni_bind_blob(&q, 1, hash, LN_KEY_BYTES);
	lni_bind_text(&q, 2, user_id);
	lni_bind_int(&q, 3, now_ms);
	lni_bind_int(&q, 4, expires_ms);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

/* Run to the end, so that an update with RETURNING is complete. */
static enum ln_status
user_of(struct ln_store *st, const char *sql,
    const unsigned char hash[LN_KEY_BYTES], int64_t now_ms, char **out_user_id,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out_user_id = NULL;
	if ((s = lni_stmt_get(&q, st, sql, err)) != LN_OK)
		return s;
	lni_bind_blob(&q, 1, hash, LN_KEY_BYTES);
	lni_bind_int(&q, 2, now_ms);
	if ((s = lni_stmt_row(&q, err)) != LN_OK)
		goto out;
	*out_user_id = lni_col_dup(&q, 0, &s);
	if (s != LN_OK) {
		s = ln_fail(err, s, "", "token owner");
		goto out;
	}
	s = lni_stmt_done(&q, err);
out:
	lni_stmt_put(&q);
	if (s != LN_OK) {
		ln_free(*out_user_id);
		*out_user_id = NULL;
	}
	return s;
}

enum ln_status
lni_token_user(struct ln_store *st, const unsigned char hash[LN_KEY_BYTES],
    int64_t now_ms, char **out_user_id, struct ln_error *err)
{
	return user_of(st, SQL_USER, hash, now_ms, out_user_id, err);
}

enum ln_status
lni_token_use(struct ln_store *st, const unsigned char hash[LN_KEY_BYTES],
    int64_t now_ms, char **out_user_id, struct ln_error *err)
{
	return user_of(st, SQL_USE, hash, now_ms, out_user_id, err);
}

enum ln_status
lni_token_revoke(struct ln_store *st, const char *user_id,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_REVOKE, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
lni_token_end_all(struct ln_store *st, int64_t *out_count,
    struct ln_error *err)
{
	enum ln_status s;

	*out_count = 0;
	if ((s = lni_exec(st, SQL_END_ALL, err)) == LN_OK)
		*out_count = lni_changes(st);
	return s;
}
