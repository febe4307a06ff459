#include "model/user.h"

#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include <ln/secret.h>
#include <ln/text.h>
#include <ln/time.h>

#include "store/stmt.h"

#include "base/banned.h"

#define LIST_DEFAULT 1000	/* rows of a page, see ln/user.h */

static const char SQL_BY_ID[] =
    "SELECT " LNI_USER_COLUMNS " FROM user WHERE id = ?1";
static const char SQL_BY_USERNAME[] =
    "SELECT " LNI_USER_COLUMNS " FROM user WHERE username_key = ?1";
static const char SQL_BY_EMAIL[] =
    "SELECT " LNI_USER_COLUMNS " FROM user WHERE email_key = ?1";

#define BLOCKED_NOW							\
	"blocked_ms IS NOT NULL"					\
	" AND (blocked_until_ms IS NULL OR blocked_until_ms > ?1)"

/* ?1 now; ?2 key to look for, or NULL; ?3, ?4, ?5 only admins, users, blocked. */
#define LIST_WHERE							\
	" FROM user WHERE (?2 IS NULL OR instr(username_key, ?2) > 0"	\
	"  OR instr(email_key, ?2) > 0"					\
	"  OR instr(lower(full_name), ?2) > 0)"				\
	" AND (NOT ?3 OR role = 'admin')"				\
	" AND (NOT ?4 OR role = 'user')"				\
	" AND (NOT ?5 OR (" BLOCKED_NOW "))"

static const char SQL_LIST[] =
    "SELECT " LNI_USER_COLUMNS LIST_WHERE
    " ORDER BY username_key LIMIT ?6 OFFSET ?7";
static const char SQL_LIST_COUNT[] = "SELECT count(*)" LIST_WHERE;

static const char SQL_TAKEN[] =
    "SELECT 1 FROM user WHERE"
    " (username_key = ?1 OR email_key = ?1 OR id = ?2) AND id IS NOT ?3";

static const char SQL_HASH[] = "SELECT password_hash FROM user WHERE id = ?1";

static const char SQL_ADMINS_LEFT[] =
    "SELECT count(*) FROM user WHERE role = 'admin' AND id <> ?2"
    " AND password_hash IS NOT NULL AND NOT (" BLOCKED_NOW ")";

const char *const lni_user_sql[] = { SQL_BY_ID, SQL_BY_USERNAME, SQL_BY_EMAIL,
	SQL_LIST, SQL_LIST_COUNT, SQL_TAKEN, SQL_HASH, SQL_ADMINS_LEFT };
const size_t lni_user_sql_count =
    sizeof(lni_user_sql) / sizeof(lni_user_sql[0]);

const char *
ln_user_role_name(enum ln_user_role role)
{
	switch (role) {
	case LN_USER_ROLE_USER:
		return "user";
	case LN_USER_ROLE_ADMIN:
		return "admin";
	}
	return "user";
}

bool
ln_user_role_parse(const char *s, enum ln_user_role *out)
{
	static const enum ln_user_role roles[] = { LN_USER_ROLE_USER,
		LN_USER_ROLE_ADMIN };
	size_t i;

	for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (strcmp(s, ln_user_role_name(roles[i])) == 0) {
			*out = roles[i];
			return true;
		}
	}
	return false;
}

void
ln_user_free(struct ln_user *u)
{
	if (u == NULL)
		return;
	free(u->id);
	free(u->username);
	free(u->email);
	free(u->full_name);
	free(u->blocked_reason);
	free(u);
}

enum ln_status
lni_user_row(struct lni_stmt *q, int64_t now_ms, struct ln_user **out,
    struct ln_error *err)
{
	struct ln_user *u;
	const char *role;
	enum ln_status s = LN_OK;

	*out = NULL;
	if ((u = calloc(1, sizeof(*u))) == NULL)
		return ln_fail(err, LN_NOMEM, "", "user record");
	u->id = lni_col_dup(q, 0, &s);
	u->username = lni_col_dup(q, 1, &s);
	u->email = lni_col_dup(q, 2, &s);
	u->full_name = lni_col_dup(q, 3, &s);
	role = lni_col_text(q, 4);
	u->blocked_ms = lni_col_int(q, 5);
	u->blocked_until_ms = lni_col_int(q, 6);
	u->blocked_reason = lni_col_dup(q, 7, &s);
	u->created_ms = lni_col_int(q, 8);
	u->last_login_ms = lni_col_int(q, 9);
	u->has_password = lni_col_int(q, 10) != 0;
	u->has_picture = lni_col_int(q, 11) != 0;
	u->is_blocked = u->blocked_ms != 0 &&
	    (u->blocked_until_ms == 0 || u->blocked_until_ms > now_ms);
	if (s != LN_OK || role == NULL) {
		ln_user_free(u);
		return ln_fail(err, LN_NOMEM, "", "user record");
	}
	if (!ln_user_role_parse(role, &u->role)) {
		ln_user_free(u);
		return ln_fail(err, LN_CORRUPT, "", "user role");
	}
	*out = u;
	return LN_OK;
}

/* The account that ${sql} finds by one key.  LN_NOT_FOUND. */
static enum ln_status
get_one(struct ln_store *st, const char *sql, const char *key,
    struct ln_user **out, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out = NULL;
	if ((s = lni_stmt_get(&q, st, sql, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, key);
	if ((s = lni_stmt_row(&q, err)) == LN_OK)
		s = lni_user_row(&q, ln_time_now_ms(), out, err);
	lni_stmt_put(&q);
	if (s == LN_NOT_FOUND)
		return ln_fail(err, s, "There is no such account", "%s", key);
	return s;
}

enum ln_status
ln_user_get(struct ln_store *st, const char *id, struct ln_user **out,
    struct ln_error *err)
{
	return get_one(st, SQL_BY_ID, id, out, err);
}

enum ln_status
lni_user_match(struct ln_store *st, const char *name,
    struct ln_user *out[LNI_USER_MATCH_MAX], size_t *out_count,
    struct ln_error *err)
{
	const char *order[LNI_USER_MATCH_MAX] = { SQL_BY_USERNAME,
		SQL_BY_EMAIL };
	struct ln_user *u;
	char *key = NULL;
	enum ln_status s;
	size_t i;

	*out_count = 0;
	for (i = 0; i < LNI_USER_MATCH_MAX; i++)
		out[i] = NULL;
	if (strlen(name) > LNI_USER_TYPED_MAX)
		return LN_OK;
	if ((s = ln_text_key(name, &key, err)) != LN_OK)
		return s == LN_INVALID ? LN_OK : s;
	if (strchr(name, '@') != NULL) {
		order[0] = SQL_BY_EMAIL;
		order[1] = SQL_BY_USERNAME;
	}
	for (i = 0; i < LNI_USER_MATCH_MAX; i++) {
		s = get_one(st, order[i], key, &u, err);
		if (s == LN_NOT_FOUND)
			continue;
		if (s != LN_OK)
			goto out;
		if (*out_count > 0 && strcmp(out[0]->id, u->id) == 0)
			ln_user_free(u);
		else
			out[(*out_count)++] = u;
	}
	s = LN_OK;
out:
	if (s != LN_OK) {
		while (*out_count > 0) {
			ln_user_free(out[--*out_count]);
			out[*out_count] = NULL;
		}
	}
	ln_free(key);
	return s;
}

enum ln_status
ln_user_find(struct ln_store *st, const char *name, struct ln_user **out,
    struct ln_error *err)
{
	struct ln_user *found[LNI_USER_MATCH_MAX];
	enum ln_status s;
	size_t count;

	*out = NULL;
	if ((s = lni_user_match(st, name, found, &count, err)) != LN_OK)
		return s;
	if (count == 0)
		return ln_user_get(st, name, out, err);
	*out = found[0];
	while (count > 1)
		ln_user_free(found[--count]);
	return LN_OK;
}

static enum ln_status
is_taken(struct ln_store *st, const char *except_id, const char *name,
    bool *out, struct ln_error *err)
{
	struct lni_stmt q;
	char *key = NULL;
	enum ln_status s;

	*out = false;
	if (name == NULL)
		return LN_OK;
	if ((s = ln_text_key(name, &key, err)) != LN_OK)
		return s;
	if ((s = lni_stmt_get(&q, st, SQL_TAKEN, err)) != LN_OK)
		goto out;
	lni_bind_text(&q, 1, key);
	lni_bind_text(&q, 2, name);
	lni_bind_text(&q, 3, except_id);
	s = lni_stmt_row(&q, err);
	lni_stmt_put(&q);
	*out = s == LN_OK;
	if (s == LN_NOT_FOUND)
		s = LN_OK;
out:
	ln_free(key);
	return s;
}

enum ln_status
lni_user_taken(struct ln_store *st, const char *except_id,
    const char *username, const char *email, struct ln_error *err)
{
	enum ln_status s;
	bool taken;

	if ((s = is_taken(st, except_id, username, &taken, err)) != LN_OK)
		return s;
	if (taken)
		return ln_fail_field(err, LN_CONFLICT, "username",
		    "This user name is taken", "%s", username);
	if ((s = is_taken(st, except_id, email, &taken, err)) != LN_OK)
		return s;
	if (taken)
		return ln_fail_field(err, LN_CONFLICT, "email",
		    "This e-mail address is taken", "%s", email);
	return LN_OK;
}

enum ln_status
lni_user_hash(struct ln_store *st, const char *id, char **out,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out = NULL;
	if ((s = lni_stmt_get(&q, st, SQL_HASH, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, id);
	if ((s = lni_stmt_row(&q, err)) == LN_OK)
		*out = lni_col_dup(&q, 0, &s);
	lni_stmt_put(&q);
	if (s == LN_NOMEM)
		return ln_fail(err, s, "", "password hash");
	return s;
}

enum ln_status
lni_user_admins_left(struct ln_store *st, const char *without_id,
    int64_t now_ms, int64_t *out, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out = 0;
	if ((s = lni_stmt_get(&q, st, SQL_ADMINS_LEFT, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, now_ms);
	lni_bind_text(&q, 2, without_id);
	if ((s = lni_stmt_row(&q, err)) == LN_OK)
		*out = lni_col_int(&q, 0);
	lni_stmt_put(&q);
	return s;
}

void
ln_user_list_free(struct ln_user_list *l)
{
	size_t i;

	if (l == NULL)
		return;
	for (i = 0; i < l->count; i++)
		ln_user_free(l->items[i]);
	free(l->items);
	memset(l, 0, sizeof(*l));
}

static void
bind_filter(struct lni_stmt *q, const struct ln_user_filter *f,
    const char *key, int64_t now_ms)
{
	lni_bind_int(q, 1, now_ms);
	lni_bind_text(q, 2, key);
	lni_bind_int(q, 3, f->only_admins);
	lni_bind_int(q, 4, f->only_users);
	lni_bind_int(q, 5, f->only_blocked);
}

static enum ln_status
list_rows(struct ln_store *st, const struct ln_user_filter *f, const char *key,
    int64_t now_ms, struct ln_user_list *out, struct ln_error *err)
{
	struct ln_user **grown;
	struct lni_stmt q;
	enum ln_status s;
	size_t cap = 0;

	if ((s = lni_stmt_get(&q, st, SQL_LIST, err)) != LN_OK)
		return s;
	bind_filter(&q, f, key, now_ms);
	lni_bind_int(&q, 6, f->limit > 0 ? f->limit : LIST_DEFAULT);
	lni_bind_int(&q, 7, f->offset);
	while ((s = lni_stmt_row(&q, err)) == LN_OK) {
		if (out->count == cap) {
			cap = cap == 0 ? 16 : cap * 2;
			grown = realloc(out->items, cap * sizeof(*grown));
			if (grown == NULL) {
				s = ln_fail(err, LN_NOMEM, "", "user list");
				break;
			}
			out->items = grown;
		}
		s = lni_user_row(&q, now_ms, &out->items[out->count], err);
		if (s != LN_OK)
			break;
		out->count++;
	}
	lni_stmt_put(&q);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

static enum ln_status
list_count(struct ln_store *st, const struct ln_user_filter *f,
    const char *key, int64_t now_ms, int64_t *out, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_LIST_COUNT, err)) != LN_OK)
		return s;
	bind_filter(&q, f, key, now_ms);
	if ((s = lni_stmt_row(&q, err)) == LN_OK)
		*out = lni_col_int(&q, 0);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
ln_user_list(struct ln_store *st, const struct ln_user_filter *filter,
    struct ln_user_list *out, struct ln_error *err)
{
	static const struct ln_user_filter all = { .size = sizeof(all) };
	const struct ln_user_filter *f = filter != NULL ? filter : &all;
	int64_t now_ms = ln_time_now_ms();
	char *key = NULL;
	enum ln_status s;

	memset(out, 0, sizeof(*out));
	if (f->query != NULL && f->query[0] != '\0' &&
	    (s = ln_text_key(f->query, &key, err)) != LN_OK)
		return s;
	if ((s = lni_read_begin(st, err)) != LN_OK)
		goto out;
	if ((s = list_rows(st, f, key, now_ms, out, err)) == LN_OK)
		s = list_count(st, f, key, now_ms, &out->total, err);
	lni_read_end(st);
out:
	if (s != LN_OK)
		ln_user_list_free(out);
	ln_free(key);
	return s;
}

static bool
is_letter_or_digit(utf8proc_int32_t c)
{
	switch ((int)utf8proc_category(c)) {
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_LO:
	case UTF8PROC_CATEGORY_ND:
	case UTF8PROC_CATEGORY_NL:
	case UTF8PROC_CATEGORY_NO:
		return true;
	default:
		return false;
	}
}

enum ln_status
ln_user_check_name(const char *s, struct ln_error *err)
{
	const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)s;
	utf8proc_ssize_t n, left = (utf8proc_ssize_t)strlen(s);
	utf8proc_int32_t c;
	size_t count;

	for (count = 0; left > 0 && count <= LN_USERNAME_MAX; count++) {
		n = utf8proc_iterate(p, left, &c);
		if (n <= 0 || (!is_letter_or_digit(c) && c != '.' &&
		    c != '_' && c != '-'))
			return ln_fail_field(err, LN_INVALID, "username",
			    "A user name has letters, digits, dots, dashes "
			    "and underscores only", "character %zu", count);
		p += n;
		left -= n;
	}
	if (count < LN_USERNAME_MIN || count > LN_USERNAME_MAX)
		return ln_fail_field(err, LN_INVALID, "username",
		    "A user name has 2 to 64 characters", "%zu or more",
		    count);
	return LN_OK;
}

enum ln_status
ln_user_check_email(const char *s, struct ln_error *err)
{
	size_t n = strlen(s);

	if (n == 0 || n > LN_EMAIL_MAX)
		return ln_fail_field(err, LN_INVALID, "email",
		    "An e-mail address has at most 254 bytes", "%zu bytes", n);
	if (!ln_utf8_valid(s, n) || ln_text_has_control(s))
		return ln_fail_field(err, LN_INVALID, "email",
		    "The e-mail address has characters that are not allowed",
		    "control character or not UTF-8");
	return LN_OK;
}

enum ln_status
ln_user_check_full_name(const char *s, struct ln_error *err)
{
	if (!ln_utf8_valid(s, strlen(s)) || ln_text_has_control(s))
		return ln_fail_field(err, LN_INVALID, "full_name",
		    "The full name has characters that are not allowed",
		    "control character or not UTF-8");
	if (ln_utf8_count(s) > LN_FULL_NAME_MAX)
		return ln_fail_field(err, LN_INVALID, "full_name",
		    "A full name has at most 200 characters", "%zu",
		    ln_utf8_count(s));
	return LN_OK;
}
