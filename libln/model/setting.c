#include "model/setting.h"

#include <string.h>

#include <ln/audit.h>
#include <ln/buf.h>
#include <ln/secret.h>
#include <ln/text.h>

#include "store/stmt.h"

#include "base/banned.h"

/* Longest "setting:<user id>:<name>", see the CHECKs of the schema. */
#define CONTEXT_MAX 256

static const char SQL_GET[] =
    "SELECT value, is_sealed FROM setting WHERE name = ?1";
static const char SQL_SET[] =
    "INSERT INTO setting(name, value, is_sealed) VALUES (?1, ?2, ?3)"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value,"
    " is_sealed = excluded.is_sealed";
static const char SQL_REMOVE[] = "DELETE FROM setting WHERE name = ?1";
static const char SQL_EACH[] =
    "SELECT name, value, is_sealed FROM setting ORDER BY name";

/* Of one user, who is the last parameter. */
static const char SQL_USER_GET[] =
    "SELECT value, is_sealed FROM user_setting"
    " WHERE name = ?1 AND user_id = ?2";
static const char SQL_USER_SET[] =
    "INSERT INTO user_setting(name, value, is_sealed, user_id)"
    " VALUES (?1, ?2, ?3, ?4)"
    " ON CONFLICT (user_id, name) DO UPDATE SET value = excluded.value,"
    " is_sealed = excluded.is_sealed";
static const char SQL_USER_REMOVE[] =
    "DELETE FROM user_setting WHERE name = ?1 AND user_id = ?2";
static const char SQL_USER_EACH[] =
    "SELECT name, value, is_sealed FROM user_setting WHERE user_id = ?1"
    " ORDER BY name";

/* One sealed value after another, of both tables, the instance's first. */
static const char SQL_SEALED[] =
    "SELECT name, value, NULL FROM setting"
    " WHERE is_sealed = 1 AND name > ?1 ORDER BY name LIMIT 1";
static const char SQL_USER_SEALED[] =
    "SELECT name, value, user_id FROM user_setting"
    " WHERE is_sealed = 1 AND (user_id, name) > (?2, ?1)"
    " ORDER BY user_id, name LIMIT 1";

const char *const lni_setting_sql[] = { SQL_SEALED, SQL_USER_SEALED, SQL_GET, SQL_SET, SQL_REMOVE, SQL_EACH,
	SQL_USER_GET, SQL_USER_SET, SQL_USER_REMOVE, SQL_USER_EACH };
const size_t lni_setting_sql_count =
    sizeof(lni_setting_sql) / sizeof(lni_setting_sql[0]);

static bool
is_secret(const char *name)
{
	return strcmp(name, "api_key") == 0;
}

static enum ln_status
need_keys(struct ln_store *st, const struct ln_keys **out,
    struct ln_error *err)
{
	if ((*out = ln_store_keys(st)) == NULL)
		return ln_fail(err, LN_BAD_KEY, "SECRET_KEY is not set",
		    "a sealed setting needs keys");
	return LN_OK;
}

/* What a sealed value is bound to: nobody can move it to another row. */
static enum ln_status
seal_context(struct ln_buf *b, const char *user_id, const char *name,
    struct ln_error *err)
{
	ln_buf_printf(b, "setting:%s:%s", user_id != NULL ? user_id : "-",
	    name);
	if (ln_buf_status(b) != LN_OK)
		return ln_fail(err, ln_buf_status(b), "", "setting context");
	return LN_OK;
}

static enum ln_status
seal(struct ln_store *st, const char *user_id, const char *name,
    const char *value, char **out, struct ln_error *err)
{
	struct ln_buf context = LN_BUF_INIT(CONTEXT_MAX);
	const struct ln_keys *keys;
	enum ln_status s;

	*out = NULL;
	if ((s = need_keys(st, &keys, err)) == LN_OK &&
	    (s = seal_context(&context, user_id, name, err)) == LN_OK)
		s = ln_seal(keys, ln_buf_str(&context), value, out, err);
	ln_buf_free(&context);
	return s;
}

static enum ln_status
unseal(struct ln_store *st, const char *user_id, const char *name,
    const char *sealed, char **out, struct ln_error *err)
{
	struct ln_buf context = LN_BUF_INIT(CONTEXT_MAX);
	const struct ln_keys *keys;
	enum ln_status s;

	*out = NULL;
	if ((s = need_keys(st, &keys, err)) == LN_OK &&
	    (s = seal_context(&context, user_id, name, err)) == LN_OK &&
	    (s = ln_unseal(keys, ln_buf_str(&context), sealed, out, err)) ==
	    LN_BAD_KEY)
		s = ln_fail(err, s, "The stored API key was sealed with "
		    "another SECRET_KEY", "%s", ln_buf_str(&context));
	ln_buf_free(&context);
	return s;
}

enum ln_status
ln_setting_get(struct ln_store *st, const char *user_id, const char *name,
    char **out, struct ln_error *err)
{
	struct lni_stmt q;
	char *value = NULL;
	bool is_sealed = false;
	enum ln_status s;

	*out = NULL;
	s = lni_stmt_get(&q, st, user_id != NULL ? SQL_USER_GET : SQL_GET, err);
	if (s != LN_OK)
		return s;
	lni_bind_text(&q, 1, name);
	if (user_id != NULL)
		lni_bind_text(&q, 2, user_id);
	if ((s = lni_stmt_row(&q, err)) == LN_OK) {
		is_sealed = lni_col_int(&q, 1) != 0;
		value = lni_col_dup(&q, 0, &s);
	}
	lni_stmt_put(&q);
	if (s == LN_NOT_FOUND)
		return LN_OK;
	if (s == LN_NOMEM)
		return ln_fail(err, s, "", "setting value");
	if (s != LN_OK)
		return s;
	if (!is_sealed) {
		*out = value;
		return LN_OK;
	}
	s = unseal(st, user_id, name, value, out, err);
	ln_free(value);
	return s;
}

static enum ln_status
check(const char *name, const char *value, struct ln_error *err)
{
	size_t n = strlen(name);

	if (n == 0 || n > LN_SETTING_NAME_MAX || !ln_utf8_valid(name, n) ||
	    ln_text_has_control(name))
		return ln_fail_field(err, LN_INVALID, "name",
		    "This is not the name of a setting", "%zu bytes", n);
	if (value == NULL)
		return LN_OK;
	n = strlen(value);
	if (n > LN_SETTING_VALUE_MAX)
		return ln_fail_field(err, LN_INVALID, "value",
		    "The value of a setting has at most 64 KiB", "%zu bytes",
		    n);
	if (!is_secret(name) && !ln_utf8_valid(value, n))
		return ln_fail_field(err, LN_INVALID, "value",
		    "The value of a setting is text in UTF-8", "not UTF-8");
	return LN_OK;
}

static enum ln_status
put(struct ln_store *st, const char *user_id, const char *name,
    const char *value, bool is_sealed, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	s = lni_stmt_get(&q, st, user_id != NULL ? SQL_USER_SET : SQL_SET, err);
	if (s != LN_OK)
		return s;
	lni_bind_text(&q, 1, name);
	lni_bind_text(&q, 2, value);
	lni_bind_int(&q, 3, is_sealed);
	if (user_id != NULL)
		lni_bind_text(&q, 4, user_id);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

static enum ln_status
drop(struct ln_store *st, const char *user_id, const char *name,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	s = lni_stmt_get(&q, st,
	    user_id != NULL ? SQL_USER_REMOVE : SQL_REMOVE, err);
	if (s != LN_OK)
		return s;
	lni_bind_text(&q, 1, name);
	if (user_id != NULL)
		lni_bind_text(&q, 2, user_id);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
ln_setting_set(struct ln_store *st, const char *user_id, const char *name,
    const char *value, struct ln_error *err)
{
	char *sealed = NULL;
	enum ln_status s;

	if ((s = check(name, value, err)) != LN_OK)
		return s;
	if (value != NULL && is_secret(name)) {
		s = seal(st, user_id, name, value, &sealed, err);
		if (s != LN_OK)
			return s;
		value = sealed;
	}
	if ((s = lni_tx_begin(st, err)) != LN_OK)
		goto out;
	if (value == NULL)
		s = drop(st, user_id, name, err);
	else
		s = put(st, user_id, name, value, sealed != NULL, err);
	/* A person's theme is nobody's business; a key or the instance is. */
	if (s == LN_OK && (user_id == NULL || is_secret(name)))
		s = ln_audit_add(st, "setting.set", user_id, LN_OK, name, err);
	s = lni_tx_end(st, s, err);
out:
	ln_free(sealed);
	return s;
}

enum ln_status
lni_setting_put(struct ln_store *st, const char *user_id, const char *name,
    const char *value, struct ln_error *err)
{
	char *sealed = NULL;
	enum ln_status s;

	if ((s = check(name, value, err)) != LN_OK)
		return s;
	if (is_secret(name) &&
	    (s = seal(st, user_id, name, value, &sealed, err)) != LN_OK)
		return s;
	s = put(st, user_id, name, sealed != NULL ? sealed : value,
	    sealed != NULL, err);
	ln_free(sealed);
	return s;
}

bool
ln_setting_truth(const char *value, bool fallback)
{
	static const char *const yes[] = { "true", "1", "yes", "on" };
	static const char *const no[] = { "false", "0", "no", "off" };
	size_t i;

	for (i = 0; value != NULL && i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (strcmp(value, yes[i]) == 0)
			return true;
		if (strcmp(value, no[i]) == 0)
			return false;
	}
	return fallback;
}

enum ln_status
ln_setting_bool(struct ln_store *st, const char *name, bool fallback,
    bool *out, struct ln_error *err)
{
	char *value = NULL;
	enum ln_status s;

	*out = fallback;
	if ((s = ln_setting_get(st, NULL, name, &value, err)) != LN_OK)
		return s;
	*out = ln_setting_truth(value, fallback);
	ln_free(value);
	return LN_OK;
}

enum ln_status
ln_setting_each(struct ln_store *st, const char *user_id,
    void (*fn)(void *arg, const char *name, const char *value,
    bool is_sealed), void *arg, struct ln_error *err)
{
	struct lni_stmt q;
	bool is_sealed;
	enum ln_status s;

	s = lni_stmt_get(&q, st, user_id != NULL ? SQL_USER_EACH : SQL_EACH,
	    err);
	if (s != LN_OK)
		return s;
	if (user_id != NULL)
		lni_bind_text(&q, 1, user_id);
	while ((s = lni_stmt_row(&q, err)) == LN_OK) {
		is_sealed = lni_col_int(&q, 2) != 0;
		fn(arg, lni_col_text(&q, 0),
		    is_sealed ? NULL : lni_col_text(&q, 1), is_sealed);
	}
	lni_stmt_put(&q);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

/* The next sealed value after ${user_id} and ${name}, which it replaces. */
static enum ln_status
next_sealed(struct ln_store *st, const char *sql, char **user_id, char **name,
    char **out_value, struct ln_error *err)
{
	char *next_user = NULL, *next_name = NULL;
	struct lni_stmt q;
	enum ln_status s;

	*out_value = NULL;
	if ((s = lni_stmt_get(&q, st, sql, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, *name != NULL ? *name : "");
	if (sql == SQL_USER_SEALED)
		lni_bind_text(&q, 2, *user_id != NULL ? *user_id : "");
	if ((s = lni_stmt_row(&q, err)) == LN_OK) {
		next_name = lni_col_dup(&q, 0, &s);
		*out_value = lni_col_dup(&q, 1, &s);
		next_user = lni_col_dup(&q, 2, &s);
		if (s != LN_OK) {
			ln_wipe_free(*out_value);
			*out_value = NULL;
			s = ln_fail(err, s, "", "sealed setting");
		}
		ln_free(*user_id);
		ln_free(*name);
		*user_id = next_user;
		*name = next_name;
	}
	lni_stmt_put(&q);
	return s;
}

static enum ln_status
reseal_one(struct ln_store *st, const char *user_id, const char *name,
    const char *value, const struct ln_keys *to, struct ln_error *err)
{
	struct ln_buf context = LN_BUF_INIT(CONTEXT_MAX);
	char *plain = NULL, *sealed = NULL;
	enum ln_status s;

	s = unseal(st, user_id, name, value, &plain, err);
	if (s == LN_BAD_KEY || s == LN_INVALID)
		s = ln_fail(err, LN_BAD_KEY, "A stored API key cannot be "
		    "opened with the present SECRET_KEY. Set or clear that "
		    "key first", "user %s: %s",
		    user_id != NULL ? user_id : "-", name);
	if (s == LN_OK &&
	    (s = seal_context(&context, user_id, name, err)) == LN_OK &&
	    (s = ln_seal(to, ln_buf_str(&context), plain, &sealed, err)) ==
	    LN_OK)
		s = put(st, user_id, name, sealed, true, err);
	ln_wipe_free(plain);
	ln_free(sealed);
	ln_buf_free(&context);
	return s;
}

enum ln_status
lni_setting_reseal(struct ln_store *st, const struct ln_keys *to,
    int64_t *out_count, struct ln_error *err)
{
	static const char *const tables[] = { SQL_SEALED, SQL_USER_SEALED };
	char *user_id = NULL, *name = NULL, *value = NULL;
	enum ln_status s = LN_OK;
	size_t i;

	*out_count = 0;
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		while ((s = next_sealed(st, tables[i], &user_id, &name, &value,
		    err)) == LN_OK) {
			s = reseal_one(st, user_id, name, value, to, err);
			ln_free(value);
			if (s != LN_OK)
				break;
			(*out_count)++;
		}
		ln_free(user_id);
		ln_free(name);
		user_id = name = NULL;
		if (s != LN_NOT_FOUND)
			return s;
	}
	return LN_OK;
}
