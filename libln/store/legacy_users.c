#include "store/legacy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ln/text.h>
#include <ln/user.h>

#include "base/banned.h"

/* Room for "-" and a counter behind the longest name the schema takes. */
#define NAME_STEM_MAX 116

static const char SQL_CLAIM[] =
    "INSERT OR IGNORE INTO main.import_name (key) VALUES (?1)";
static const char SQL_IS_TAKEN[] =
    "SELECT 1 FROM user WHERE username_key = ?1";
static const char SQL_IS_CLAIMED[] =
    "SELECT 1 FROM main.import_name WHERE key = ?1";
static const char SQL_NEXT[] =
    "SELECT next FROM main.import_name WHERE key = ?1";
static const char SQL_SET_NEXT[] =
    "UPDATE main.import_name SET next = ?2 WHERE key = ?1";
static const char SQL_EMAIL_TAKEN[] =
    "SELECT 1 FROM user WHERE email_key = ?1";
static const char SQL_INSERT[] =
    "INSERT INTO user (id, username, username_key, email, email_key,"
    " full_name, role, password_hash, blocked_ms, created_ms)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

static enum ln_status
has_row(struct lni_intake *im, const char *sql, const char *key, bool *out,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out = false;
	if ((s = lni_stmt_get(&q, im->to, sql, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, key);
	s = lni_stmt_row(&q, err);
	lni_stmt_put(&q);
	*out = s == LN_OK;
	return s == LN_NOT_FOUND ? LN_OK : s;
}

static enum ln_status
claim(struct lni_intake *im, const char *key, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, im->to, SQL_CLAIM, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, key);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

/* First every name of the file, so that a number never collides with a name
 * that comes later. */
static enum ln_status
claim_all(struct lni_intake *im, struct ln_error *err)
{
	struct lni_scan sc;
	enum ln_status s;
	char *key;

	if ((s = lni_scan_open(&sc, im->from, LNI_LEGACY_USERS, err)) != LN_OK)
		return s;
	sc.is_quiet = true;
	while ((s = lni_scan_next(&sc, err)) == LN_OK) {
		if (sc.v[LNI_USERS_USERNAME].text == NULL)
			continue;
		if ((s = ln_text_key(sc.v[LNI_USERS_USERNAME].text, &key,
		    err)) != LN_OK)
			break;
		s = claim(im, key, err);
		ln_free(key);
		if (s != LN_OK)
			break;
	}
	lni_scan_close(&sc);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

static enum ln_status
next_number(struct lni_intake *im, const char *key, int64_t *out,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out = 2;
	if ((s = lni_stmt_get(&q, im->to, SQL_NEXT, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, key);
	if ((s = lni_stmt_row(&q, err)) == LN_OK)
		*out = lni_col_int(&q, 0);
	lni_stmt_put(&q);
	return s;
}

static enum ln_status
set_next(struct lni_intake *im, const char *key, int64_t next,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, im->to, SQL_SET_NEXT, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, key);
	lni_bind_int(&q, 2, next);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

static size_t
stem_bytes(const char *name)
{
	size_t n = strlen(name);

	/* At most 4 bytes a code point: a prefix by bytes is short enough. */
	return n > NAME_STEM_MAX ? ln_utf8_prefix(name, n, NAME_STEM_MAX) : n;
}

/* ${name} and ${key} are replaced when another account has the name. */
static enum ln_status
settle_name(struct lni_intake *im, char **name, char **key,
    struct ln_error *err)
{
	char numbered[NAME_STEM_MAX * 2];
	char *new_key = NULL;
	int64_t n;
	enum ln_status s;
	bool is_taken;

	if ((s = has_row(im, SQL_IS_TAKEN, *key, &is_taken, err)) != LN_OK ||
	    !is_taken)
		return s;
	lni_find(im->report, LNI_F_DUPLICATE_USERNAME, *name, 1);
	if ((s = next_number(im, *key, &n, err)) != LN_OK)
		return s;
	for (;; n++) {
		snprintf(numbered, sizeof(numbered), "%.*s-%lld",
		    (int)stem_bytes(*name), *name, (long long)n);
		ln_free(new_key);
		if ((s = ln_text_key(numbered, &new_key, err)) != LN_OK)
			return s;
		if ((s = has_row(im, SQL_IS_CLAIMED, new_key, &is_taken,
		    err)) != LN_OK)
			goto out;
		if (!is_taken)
			break;
	}
	if ((s = set_next(im, *key, n + 1, err)) != LN_OK ||
	    (s = claim(im, new_key, err)) != LN_OK)
		goto out;
	free(*name);
	if ((*name = strdup(numbered)) == NULL) {
		s = ln_fail(err, LN_NOMEM, "", "settle_name");
		goto out;
	}
	ln_free(*key);
	*key = new_key;
	new_key = NULL;
out:
	ln_free(new_key);
	return s;
}

/* Both NULL when there is none that can be kept. */
static enum ln_status
settle_email(struct lni_intake *im, const struct lni_value *v,
    const char *name, char **email, char **key, struct ln_error *err)
{
	enum ln_status s;
	bool is_taken;

	*email = NULL;
	*key = NULL;
	if (v->text == NULL)
		return LN_OK;
	if ((s = ln_text_trim(v->text, email, err)) != LN_OK)
		return s;
	if ((*email)[0] == '\0')
		goto none;
	if (strlen(*email) > LN_EMAIL_MAX || ln_text_has_control(*email)) {
		lni_find(im->report, LNI_F_BAD_EMAIL, name, 1);
		goto none;
	}
	if ((s = ln_text_key(*email, key, err)) != LN_OK)
		return s;
	if ((s = has_row(im, SQL_EMAIL_TAKEN, *key, &is_taken, err)) != LN_OK)
		return s;
	if (!is_taken)
		return LN_OK;
	lni_find(im->report, LNI_F_DUPLICATE_EMAIL, name, 1);
none:
	ln_free(*email);
	ln_free(*key);
	*email = NULL;
	*key = NULL;
	return LN_OK;
}

static const char *
settle_role(struct lni_intake *im, const struct lni_value *v)
{
	if (v->text != NULL && strcmp(v->text, "admin") == 0)
		return "admin";
	if (!v->is_null && (v->text == NULL || strcmp(v->text, "user") != 0))
		lni_find(im->report, LNI_F_UNKNOWN_ROLE, v->text, 1);
	return "user";
}

static const char *
settle_hash(struct lni_intake *im, const struct lni_value *v,
    const char *name)
{
	if (v->text != NULL && im->rules->hash_is_sane(v->text))
		return v->text;
	lni_find(im->report, LNI_F_PASSWORD_DISABLED, name, 1);
	return NULL;
}

/* NULL and 0 are free; everything else, even "False", is blocked: a door
 * rather stays shut than opens by mistake. */
static bool
settle_blocked(struct lni_intake *im, const struct lni_value *v,
    const char *name)
{
	bool is_free = v->is_null || (v->text == NULL && v->number == 0) ||
	    (v->text != NULL && strcmp(v->text, "0") == 0);

	if (!is_free && v->is_odd)
		lni_find(im->report, LNI_F_BLOCKED_VALUE, name, 1);
	return !is_free;
}

static enum ln_status
insert(struct lni_intake *im, struct lni_scan *sc, const char *name,
    const char *name_key, const char *email, const char *email_key,
    struct ln_error *err)
{
	const struct lni_value *v = sc->v;
	int64_t created = v[LNI_USERS_CREATED].number;
	struct lni_stmt q;
	enum ln_status s;

	if (v[LNI_USERS_CREATED].is_odd) {
		created = im->fallback_ms;
		lni_find(im->report, LNI_F_BAD_TIME, "users", 1);
	}
	if (v[LNI_USERS_PICTURE].len > 0) {
		im->held_pictures++;
		lni_find(im->report, LNI_F_PICTURE_MISSING, name, 1);
	}
	if ((s = lni_stmt_get(&q, im->to, SQL_INSERT, err)) != LN_OK)
		return s;
	lni_bind_value(&q, 1, &v[LNI_USERS_ID]);
	lni_bind_text(&q, 2, name);
	lni_bind_text(&q, 3, name_key);
	lni_bind_text(&q, 4, email);
	lni_bind_text(&q, 5, email_key);
	lni_bind_filled(&q, 6, &v[LNI_USERS_FULL_NAME]);
	lni_bind_text(&q, 7, settle_role(im, &v[LNI_USERS_ROLE]));
	lni_bind_text(&q, 8, settle_hash(im, &v[LNI_USERS_HASH], name));
	/* Since when is not known; the same answer at every import. */
	lni_bind_opt_int(&q, 9, !settle_blocked(im, &v[LNI_USERS_BLOCKED],
	    name) ? 0 : created > 0 ? created : 1);
	lni_bind_int(&q, 10, created);
	return lni_intake_put(im, &q, "users", err);
}

static enum ln_status
take_user(struct lni_intake *im, struct lni_scan *sc, struct ln_error *err)
{
	const struct lni_value *v = sc->v;
	char *name = NULL, *name_key = NULL, *email = NULL, *email_key = NULL;
	enum ln_status s;

	if (v[LNI_USERS_ID].is_null || v[LNI_USERS_USERNAME].len == 0) {
		lni_find(im->report, LNI_F_MISSING_VALUE, "users", 1);
		return LN_OK;
	}
	if ((name = strdup(v[LNI_USERS_USERNAME].text)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "take_user");
	if ((s = ln_text_key(name, &name_key, err)) != LN_OK)
		goto out;
	if (name_key[0] == '\0') {	/* nothing to see in it */
		lni_find(im->report, LNI_F_BAD_NAME, "users", 1);
		goto out;
	}
	if ((s = settle_name(im, &name, &name_key, err)) != LN_OK ||
	    (s = settle_email(im, &v[LNI_USERS_EMAIL], name, &email,
	    &email_key, err)) != LN_OK)
		goto out;
	s = insert(im, sc, name, name_key, email, email_key, err);
out:
	free(name);
	ln_free(name_key);
	ln_free(email);
	ln_free(email_key);
	return s;
}

enum ln_status
lni_legacy_users(struct lni_intake *im, struct ln_error *err)
{
	struct lni_scan sc;
	enum ln_status s;

	if ((s = claim_all(im, err)) != LN_OK)
		return s;
	if ((s = lni_scan_open(&sc, im->from, LNI_LEGACY_USERS, err)) != LN_OK)
		return s;
	while ((s = lni_scan_next(&sc, err)) == LN_OK) {
		if ((s = take_user(im, &sc, err)) != LN_OK)
			break;
	}
	lni_scan_close(&sc);
	return s == LN_NOT_FOUND ? LN_OK : s;
}
