#include "store/intake.h"

#include <stdlib.h>
#include <string.h>

#include <ln/time.h>

#include "base/banned.h"

static const char SQL_LOAD[] =
    "SELECT id, username, username_key, email, email_key, full_name,"
    " password_hash, created_ms FROM user WHERE id = ?1";
static const char SQL_IS_ACTIVE[] =
    "SELECT 1 FROM user WHERE id = ?1 AND role = 'admin'"
    " AND password_hash IS NOT NULL"
    " AND (blocked_ms IS NULL OR blocked_until_ms <= ?2)";
static const char SQL_PICTURE[] =
    "SELECT type, bytes FROM user_picture WHERE user_id = ?1";
static const char SQL_FIND[] =
    "SELECT id FROM user WHERE id = ?1"
    " UNION ALL SELECT id FROM user WHERE username_key = ?2 LIMIT 1";
static const char SQL_MERGE[] =
    "UPDATE user SET role = 'admin', password_hash = ?2, blocked_ms = NULL,"
    " blocked_until_ms = NULL, blocked_reason = NULL WHERE id = ?1";
/* The name by which he signs in, unless another account has it. */
static const char SQL_RENAME[] =
    "UPDATE user SET username = ?2, username_key = ?3 WHERE id = ?1"
    " AND NOT EXISTS (SELECT 1 FROM user"
    "  WHERE username_key = ?3 AND id <> ?1)";
static const char SQL_ADD[] =
    "INSERT INTO user (id, username, username_key, email, email_key,"
    " full_name, role, password_hash, created_ms)"
    " SELECT ?1, ?2, ?3,"
    "  CASE WHEN EXISTS (SELECT 1 FROM user WHERE email_key = ?5)"
    "   THEN NULL ELSE ?4 END,"
    "  CASE WHEN EXISTS (SELECT 1 FROM user WHERE email_key = ?5)"
    "   THEN NULL ELSE ?5 END,"
    "  ?6, 'admin', ?7, ?8";
static const char SQL_ADD_PICTURE[] =
    "INSERT INTO user_picture (user_id, type, bytes) VALUES (?1, ?2, ?3)";
static const char SQL_FIRST_ACTIVE[] =
    "SELECT id FROM user WHERE role = 'admin' AND password_hash IS NOT NULL"
    " AND (blocked_ms IS NULL OR blocked_until_ms <= ?1)"
    " ORDER BY rowid LIMIT 1";

enum { KEPT_ID, KEPT_NAME, KEPT_NAME_KEY, KEPT_EMAIL, KEPT_EMAIL_KEY,
	KEPT_FULL_NAME, KEPT_HASH, KEPT_TEXTS };

struct lni_kept {
	char *text[KEPT_TEXTS];
	int64_t created_ms;
	char *picture_type;
	void *picture;
	size_t picture_len;
};

void
lni_kept_free(struct lni_kept *k)
{
	size_t i;

	if (k == NULL)
		return;
	for (i = 0; i < KEPT_TEXTS; i++)
		free(k->text[i]);
	free(k->picture_type);
	free(k->picture);
	free(k);
}

static enum ln_status
check_active(struct ln_store *st, const char *user_id, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_IS_ACTIVE, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_int(&q, 2, ln_time_now_ms());
	if ((s = lni_stmt_row(&q, err)) == LN_NOT_FOUND)
		s = ln_fail(err, LN_CONFLICT, "The account to keep is not an "
		    "administrator who can sign in", "user %s", user_id);
	lni_stmt_put(&q);
	return s;
}

static enum ln_status
load_picture(struct ln_store *st, struct lni_kept *k, struct ln_error *err)
{
	const void *bytes;
	struct lni_stmt q;
	enum ln_status s;
	size_t n;

	if ((s = lni_stmt_get(&q, st, SQL_PICTURE, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, k->text[KEPT_ID]);
	if ((s = lni_stmt_row(&q, err)) == LN_OK) {
		k->picture_type = lni_col_dup(&q, 0, &s);
		bytes = lni_col_blob(&q, 1, &n);
		if (n > 0 && (k->picture = malloc(n)) != NULL) {
			memcpy(k->picture, bytes, n);
			k->picture_len = n;
		} else if (n > 0) {
			s = ln_fail(err, LN_NOMEM, "", "picture");
		}
	}
	lni_stmt_put(&q);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

enum ln_status
lni_kept_load(struct ln_store *st, const char *user_id, struct lni_kept **out,
    struct ln_error *err)
{
	struct lni_kept *k;
	struct lni_stmt q;
	enum ln_status s;
	int i;

	*out = NULL;
	if ((k = calloc(1, sizeof(*k))) == NULL)
		return ln_fail(err, LN_NOMEM, "", "lni_kept_load");
	if ((s = lni_stmt_get(&q, st, SQL_LOAD, err)) != LN_OK)
		goto out;
	lni_bind_text(&q, 1, user_id);
	if ((s = lni_stmt_row(&q, err)) == LN_OK) {
		for (i = 0; i < KEPT_TEXTS; i++)
			k->text[i] = lni_col_dup(&q, i, &s);
		k->created_ms = lni_col_int(&q, KEPT_TEXTS);
		if (s == LN_NOMEM)
			ln_fail(err, LN_NOMEM, "", "lni_kept_load");
	}
	lni_stmt_put(&q);
	if (s == LN_OK && (s = check_active(st, user_id, err)) == LN_OK)
		s = load_picture(st, k, err);
out:
	if (s == LN_OK)
		*out = k;
	else
		lni_kept_free(k);
	return s;
}

enum ln_status
lni_kept_stand_in(const char *user_id, struct lni_kept **out,
    struct ln_error *err)
{
	static const int needed[] = { KEPT_ID, KEPT_NAME, KEPT_NAME_KEY,
		KEPT_HASH };
	struct lni_kept *k;
	size_t i;

	*out = NULL;
	if ((k = calloc(1, sizeof(*k))) == NULL)
		return ln_fail(err, LN_NOMEM, "", "lni_kept_stand_in");
	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if ((k->text[needed[i]] = strdup(user_id)) == NULL) {
			lni_kept_free(k);
			return ln_fail(err, LN_NOMEM, "",
			    "lni_kept_stand_in");
		}
	}
	*out = k;
	return LN_OK;
}

static enum ln_status
copy_id(struct lni_intake *im, const char *id, struct ln_error *err)
{
	if (id == NULL || strlen(id) >= sizeof(im->admin_id))
		return ln_fail(err, LN_INTERNAL, "", "user id");
	memcpy(im->admin_id, id, strlen(id) + 1);
	return LN_OK;
}

static enum ln_status
merge(struct lni_intake *im, struct ln_error *err)
{
	const struct lni_kept *k = im->kept;
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, im->to, SQL_MERGE, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, im->admin_id);
	lni_bind_text(&q, 2, k->text[KEPT_HASH]);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	if (s != LN_OK ||
	    (s = lni_stmt_get(&q, im->to, SQL_RENAME, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, im->admin_id);
	lni_bind_text(&q, 2, k->text[KEPT_NAME]);
	lni_bind_text(&q, 3, k->text[KEPT_NAME_KEY]);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

static enum ln_status
add(struct lni_intake *im, struct ln_error *err)
{
	const struct lni_kept *k = im->kept;
	struct lni_stmt q;
	enum ln_status s;
	int i;

	if ((s = lni_stmt_get(&q, im->to, SQL_ADD, err)) != LN_OK)
		return s;
	for (i = 0; i < KEPT_TEXTS; i++)
		lni_bind_text(&q, i + 1, k->text[i]);
	lni_bind_int(&q, KEPT_TEXTS + 1, k->created_ms);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	if (s != LN_OK || k->picture == NULL)
		return s;
	if ((s = lni_stmt_get(&q, im->to, SQL_ADD_PICTURE, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, k->text[KEPT_ID]);
	lni_bind_text(&q, 2, k->picture_type);
	lni_bind_blob(&q, 3, k->picture, k->picture_len);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

static enum ln_status
carry_over(struct lni_intake *im, struct ln_error *err)
{
	const struct lni_kept *k = im->kept;
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, im->to, SQL_FIND, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, k->text[KEPT_ID]);
	lni_bind_text(&q, 2, k->text[KEPT_NAME_KEY]);
	if ((s = lni_stmt_row(&q, err)) == LN_OK)
		s = copy_id(im, lni_col_text(&q, 0), err);
	lni_stmt_put(&q);
	if (s == LN_OK) {
		s = merge(im, err);
	} else if (s == LN_NOT_FOUND) {
		if ((s = copy_id(im, k->text[KEPT_ID], err)) == LN_OK)
			s = add(im, err);
	}
	if (s == LN_OK)
		lni_find(im->report, LNI_F_ADMIN_KEPT, k->text[KEPT_NAME], 1);
	return s;
}

enum ln_status
lni_intake_admin(struct lni_intake *im, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	im->admin_id[0] = '\0';
	if (im->kept != NULL)
		return carry_over(im, err);
	if ((s = lni_stmt_get(&q, im->to, SQL_FIRST_ACTIVE, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, ln_time_now_ms());
	if ((s = lni_stmt_row(&q, err)) == LN_OK)
		s = copy_id(im, lni_col_text(&q, 0), err);
	lni_stmt_put(&q);
	if (s == LN_NOT_FOUND) {
		lni_find(im->report, LNI_F_NO_ADMIN, NULL, 1);
		s = LN_OK;
	}
	return s;
}
