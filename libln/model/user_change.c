#include "model/user.h"

#include <ln/secret.h>
#include <ln/text.h>

#include "store/stmt.h"

#include "base/banned.h"

static const char SQL_ADD[] =
    "INSERT INTO user(id, username, username_key, email, email_key, full_name,"
    " role, password_hash, created_ms)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
static const char SQL_USERNAME_SET[] =
    "UPDATE user SET username = ?2, username_key = ?3 WHERE id = ?1";
static const char SQL_EMAIL_SET[] =
    "UPDATE user SET email = ?2, email_key = ?3 WHERE id = ?1";
static const char SQL_FULL_NAME_SET[] =
    "UPDATE user SET full_name = ?2 WHERE id = ?1";
static const char SQL_ROLE_SET[] = "UPDATE user SET role = ?2 WHERE id = ?1";
static const char SQL_HASH_SET[] =
    "UPDATE user SET password_hash = ?2 WHERE id = ?1";
static const char SQL_HASH_REPLACE[] =
    "UPDATE user SET password_hash = ?2 WHERE id = ?1 AND password_hash = ?3";
static const char SQL_BLOCK_SET[] =
    "UPDATE user SET blocked_ms = ?2, blocked_until_ms = ?3,"
    " blocked_reason = ?4 WHERE id = ?1";
static const char SQL_LOGIN_SET[] =
    "UPDATE user SET last_login_ms = ?2 WHERE id = ?1";
static const char SQL_REMOVE[] = "DELETE FROM user WHERE id = ?1";

const char *const lni_user_change_sql[] = { SQL_ADD, SQL_USERNAME_SET,
	SQL_EMAIL_SET, SQL_FULL_NAME_SET, SQL_ROLE_SET, SQL_HASH_SET,
	SQL_HASH_REPLACE, SQL_BLOCK_SET, SQL_LOGIN_SET, SQL_REMOVE };
const size_t lni_user_change_sql_count =
    sizeof(lni_user_change_sql) / sizeof(lni_user_change_sql[0]);

enum ln_status
lni_user_add(struct ln_store *st, const struct lni_user_new *u,
    struct ln_error *err)
{
	char *username_key = NULL, *email_key = NULL;
	struct lni_stmt q;
	enum ln_status s;

	if ((s = ln_text_key(u->username, &username_key, err)) != LN_OK)
		goto out;
	if (u->email != NULL &&
	    (s = ln_text_key(u->email, &email_key, err)) != LN_OK)
		goto out;
	if ((s = lni_stmt_get(&q, st, SQL_ADD, err)) != LN_OK)
		goto out;
	lni_bind_text(&q, 1, u->id);
	lni_bind_text(&q, 2, u->username);
	lni_bind_text(&q, 3, username_key);
	lni_bind_text(&q, 4, u->email);
	lni_bind_text(&q, 5, email_key);
	lni_bind_text(&q, 6, u->full_name);
	lni_bind_text(&q, 7, ln_user_role_name(u->role));
	lni_bind_text(&q, 8, u->password_hash);
	lni_bind_int(&q, 9, u->created_ms);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
out:
	ln_free(username_key);
	ln_free(email_key);
	return s;
}

/* Run an update of the account ?1 and give the statement back. */
static enum ln_status
change(struct lni_stmt *q, const char *id, struct ln_error *err)
{
	struct ln_store *st = q->store;
	enum ln_status s;

	lni_bind_text(q, 1, id);
	s = lni_stmt_done(q, err);
	lni_stmt_put(q);
	if (s == LN_OK && lni_changes(st) == 0)
		return ln_fail(err, LN_NOT_FOUND, "There is no such account",
		    "%s", id);
	return s;
}

/* The same for a statement with one text, and its key when it has one. */
static enum ln_status
change_text(struct ln_store *st, const char *sql, const char *id,
    const char *value, bool has_key, struct ln_error *err)
{
	struct lni_stmt q;
	char *key = NULL;
	enum ln_status s;

	if (has_key && value != NULL &&
	    (s = ln_text_key(value, &key, err)) != LN_OK)
		return s;
	if ((s = lni_stmt_get(&q, st, sql, err)) != LN_OK)
		goto out;
	lni_bind_text(&q, 2, value);
	if (has_key)
		lni_bind_text(&q, 3, key);
	s = change(&q, id, err);
out:
	ln_free(key);
	return s;
}

enum ln_status
lni_user_username_set(struct ln_store *st, const char *id,
    const char *username, struct ln_error *err)
{
	return change_text(st, SQL_USERNAME_SET, id, username, true, err);
}

enum ln_status
lni_user_email_set(struct ln_store *st, const char *id, const char *email,
    struct ln_error *err)
{
	return change_text(st, SQL_EMAIL_SET, id, email, true, err);
}

enum ln_status
lni_user_full_name_set(struct ln_store *st, const char *id,
    const char *full_name, struct ln_error *err)
{
	return change_text(st, SQL_FULL_NAME_SET, id, full_name, false, err);
}

enum ln_status
lni_user_role_set(struct ln_store *st, const char *id, enum ln_user_role role,
    struct ln_error *err)
{
	return change_text(st, SQL_ROLE_SET, id, ln_user_role_name(role),
	    false, err);
}

enum ln_status
lni_user_hash_set(struct ln_store *st, const char *id, const char *hash,
    struct ln_error *err)
{
	return change_text(st, SQL_HASH_SET, id, hash, false, err);
}

enum ln_status
lni_user_hash_replace(struct ln_store *st, const char *id, const char *old,
    const char *hash, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_HASH_REPLACE, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 2, hash);
	lni_bind_text(&q, 3, old);
	s = change(&q, id, err);
	if (s == LN_NOT_FOUND)
		return ln_fail(err, LN_CONFLICT, "",
		    "the hash is another one by now");
	return s;
}

enum ln_status
lni_user_block_set(struct ln_store *st, const char *id, int64_t now_ms,
    int64_t until_ms, const char *reason, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_BLOCK_SET, err)) != LN_OK)
		return s;
	lni_bind_opt_int(&q, 2, now_ms);
	lni_bind_opt_int(&q, 3, until_ms);
	lni_bind_text(&q, 4, reason);
	return change(&q, id, err);
}

enum ln_status
lni_user_block_clear(struct ln_store *st, const char *id, struct ln_error *err)
{
	return lni_user_block_set(st, id, 0, 0, NULL, err);
}

enum ln_status
lni_user_login_set(struct ln_store *st, const char *id, int64_t now_ms,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_LOGIN_SET, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 2, now_ms);
	return change(&q, id, err);
}

enum ln_status
lni_user_remove(struct ln_store *st, const char *id, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_REMOVE, err)) != LN_OK)
		return s;
	return change(&q, id, err);
}
