#include "store/ours.h"

#include <stdlib.h>
#include <string.h>

#include <ln/buf.h>
#include <ln/text.h>

#include "store/search.h"
#include "store/settings.h"

#include "base/banned.h"

#define INSERT_SQL_MAX 4096
#define SCHEMA_OF_OUTBOX 2

static const char SQL_LEFT_OUT[] =
    "SELECT (SELECT count(*) FROM main.session),"
    " (SELECT count(*) FROM main.reset_token),"
    " (SELECT count(*) FROM main.generation),"
    " (SELECT count(*) FROM main.audit)";

static const char SQL_MAILS[] =
    "SELECT count(*) FROM main.outbox"
    " WHERE sent_ms IS NULL AND failed_ms IS NULL";

/* Unlike messages, chunks come without a trigger that notes them. */
static const char SQL_REINDEX[] =
    "INSERT INTO chunk_fts(chunk_fts) VALUES ('rebuild')";

/* Columns by their place in our_tables.c that rules look at. */
enum { USER_NAME = 1, USER_NAME_KEY, USER_EMAIL, USER_EMAIL_KEY,
	USER_HASH = 7 };
enum { PICTURE_TYPE = 1 };
enum { SETTING_NAME, SETTING_VALUE, SETTING_SEALED };
enum { DOC_CONTENT = 3, DOC_STATE = 5, DOC_REASON };
enum { TAG_TEXT = 1 };
enum { MESSAGE_STATE = 3, MESSAGE_CONTENT };
enum { IMAGE_LIST = 1 };
enum { RUN_STATE = 5, RUN_CREATED = 7, RUN_ENDED };
enum { TOOL_NAME = 2, TOOL_DEFINITION = 4, TOOL_ENABLED = 5 };

static void
set_text(struct lni_value *v, char *owned)
{
	free(v->owned);
	v->owned = owned;
	v->text = owned;
	v->len = owned != NULL ? strlen(owned) : 0;
	v->is_null = owned == NULL;
}

/* The key of a name is what keeps two people apart: never believed. */
static enum ln_status
check_key(struct lni_intake *im, const struct lni_value *name,
    struct lni_value *key, struct ln_error *err)
{
	char *right = NULL;
	enum ln_status s;

	if (name->text != NULL &&
	    (s = ln_text_key(name->text, &right, err)) != LN_OK)
		return s;
	if (right == NULL ? key->is_null : key->text != NULL &&
	    strcmp(key->text, right) == 0) {
		ln_free(right);
		return LN_OK;
	}
	lni_find(im->report, LNI_F_NAME_KEY, "user", 1);
	set_text(key, right);
	return LN_OK;
}

static enum ln_status
fix_user(struct lni_intake *im, struct lni_value *v, bool *out_keep,
    struct ln_error *err)
{
	enum ln_status s;

	*out_keep = true;
	if ((s = check_key(im, &v[USER_NAME], &v[USER_NAME_KEY], err)) !=
	    LN_OK ||
	    (s = check_key(im, &v[USER_EMAIL], &v[USER_EMAIL_KEY], err)) !=
	    LN_OK)
		return s;
	if (v[USER_HASH].text != NULL &&
	    !im->rules->hash_is_sane(v[USER_HASH].text)) {
		lni_find(im->report, LNI_F_PASSWORD_DISABLED,
		    v[USER_NAME].text, 1);
		set_text(&v[USER_HASH], NULL);
	}
	return LN_OK;
}

static enum ln_status
fix_picture(struct lni_intake *im, struct lni_value *v, bool *out_keep,
    struct ln_error *err)
{
	static const char *const types[] = { "image/png", "image/jpeg",
		"image/webp", "image/gif" };
	size_t i;

	(void)err;
	im->held_pictures++;
	*out_keep = false;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (v[PICTURE_TYPE].text != NULL &&
		    strcmp(v[PICTURE_TYPE].text, types[i]) == 0)
			*out_keep = true;
	}
	if (!*out_keep)
		lni_find(im->report, LNI_F_PICTURE_MISSING, "user_picture", 1);
	return LN_OK;
}

/* ${v} begins at the name; ${user_id} NULL: of the instance. */
static enum ln_status
check_setting(struct lni_intake *im, const char *user_id, struct lni_value *v,
    bool *out_keep, struct ln_error *err)
{
	const char *name = v[SETTING_NAME].text;
	const char *value = v[SETTING_VALUE].text;

	*out_keep = true;
	if (name == NULL || value == NULL)
		return LN_OK;	/* NOT NULL will refuse it */
	if (strcmp(name, "api_key") == 0 && v[SETTING_SEALED].number == 0) {
		*out_keep = false;
		lni_find(im->report, LNI_F_API_KEY_SEALED, user_id, 1);
		return lni_intake_secret(im, user_id, name, value, err);
	}
	if (strcmp(name, "base_url") == 0)
		return lni_intake_url(im, user_id, value,
		    im->file_endpoints != NULL ? im->file_endpoints :
		    im->allowed_endpoints, out_keep, err);
	return LN_OK;
}

static enum ln_status
fix_setting(struct lni_intake *im, struct lni_value *v, bool *out_keep,
    struct ln_error *err)
{
	if (v[SETTING_NAME].text != NULL && v[SETTING_VALUE].text != NULL &&
	    strcmp(v[SETTING_NAME].text, LNI_ALLOWED_ENDPOINTS) == 0) {
		lni_find(im->report, LNI_F_ALLOWED_ENDPOINTS,
		    v[SETTING_VALUE].text, 1);
		free(im->file_endpoints);
		im->file_endpoints = strdup(v[SETTING_VALUE].text);
		if (im->file_endpoints == NULL)
			return ln_fail(err, LN_NOMEM, "", "fix_setting");
	}
	return check_setting(im, NULL, v, out_keep, err);
}

static enum ln_status
fix_user_setting(struct lni_intake *im, struct lni_value *v, bool *out_keep,
    struct ln_error *err)
{
	return check_setting(im, v[0].text, v + 1, out_keep, err);
}

/* Files that wait to be read stay behind: without a text there is nothing. */
static enum ln_status
fix_document(struct lni_intake *im, struct lni_value *v, bool *out_keep,
    struct ln_error *err)
{
	const char *state = v[DOC_STATE].text;
	bool has_text = v[DOC_CONTENT].len > 0;
	char *copy, *reason = NULL;

	*out_keep = true;
	if (state == NULL || (strcmp(state, "reading") != 0 &&
	    (strcmp(state, "queued") != 0 || has_text)))
		return LN_OK;
	copy = strdup(has_text ? "queued" : "failed");
	if (copy == NULL || (!has_text && (reason = strdup(
	    "It was not read before the database was moved. Upload it "
	    "again")) == NULL)) {
		free(copy);
		return ln_fail(err, LN_NOMEM, "", "fix_document");
	}
	set_text(&v[DOC_STATE], copy);
	set_text(&v[DOC_REASON], reason);
	lni_find(im->report, LNI_F_INTERRUPTED_READING, "document", 1);
	return LN_OK;
}

static enum ln_status
fix_tag(struct lni_intake *im, struct lni_value *v, bool *out_keep,
    struct ln_error *err)
{
	enum ln_status s;
	char *tag = NULL;

	*out_keep = true;
	if (v[TAG_TEXT].text == NULL)
		return LN_OK;
	s = ln_text_tag(v[TAG_TEXT].text, &tag, err);
	if (s == LN_INVALID) {
		*out_keep = false;
		lni_find(im->report, LNI_F_TAG_MERGED, "conversation_tag", 1);
		return LN_OK;
	}
	if (s == LN_OK && strcmp(tag, v[TAG_TEXT].text) != 0)
		lni_find(im->report, LNI_F_TAG_CHANGED, "conversation_tag", 1);
	if (s == LN_OK)
		set_text(&v[TAG_TEXT], tag);
	return s;
}

static enum ln_status
fix_message(struct lni_intake *im, struct lni_value *v, bool *out_keep,
    struct ln_error *err)
{
	char *state;

	*out_keep = true;
	if (v[MESSAGE_STATE].text == NULL ||
	    strcmp(v[MESSAGE_STATE].text, "streaming") != 0)
		return LN_OK;
	if ((state = strdup("interrupted")) == NULL)
		return ln_fail(err, LN_NOMEM, "", "fix_message");
	set_text(&v[MESSAGE_STATE], state);
	lni_find(im->report, LNI_F_INTERRUPTED, "message", 1);
	return LN_OK;
}

static enum ln_status
fix_image(struct lni_intake *im, struct lni_value *v, bool *out_keep,
    struct ln_error *err)
{
	enum ln_status s;
	char *list = NULL;

	*out_keep = false;
	if (v[IMAGE_LIST].text == NULL)
		return LN_OK;
	if ((s = lni_images_clean(im, v[IMAGE_LIST].text, v[IMAGE_LIST].len,
	    &list, err)) != LN_OK || list == NULL)
		return s;
	im->held_images++;
	*out_keep = true;
	set_text(&v[IMAGE_LIST], list);
	return LN_OK;
}

/* Nobody writes the answer it belongs to any more. */
static enum ln_status
fix_tool_run(struct lni_intake *im, struct lni_value *v, bool *out_keep,
    struct ln_error *err)
{
	static const char *const open[] = { "asking", "allowed", "running" };
	const char *state = v[RUN_STATE].text;
	char *failed;
	size_t i;

	*out_keep = true;
	for (i = 0; state != NULL && i < sizeof(open) / sizeof(open[0]); i++) {
		if (strcmp(state, open[i]) != 0)
			continue;
		if ((failed = strdup("failed")) == NULL)
			return ln_fail(err, LN_NOMEM, "", "fix_tool_run");
		set_text(&v[RUN_STATE], failed);
		v[RUN_ENDED].is_null = false;
		v[RUN_ENDED].number = v[RUN_CREATED].number;
		lni_find(im->report, LNI_F_INTERRUPTED_CALL, "tool_run", 1);
		break;
	}
	return LN_OK;
}

static enum ln_status
fix_tool(struct lni_intake *im, struct lni_value *v, bool *out_keep,
    struct ln_error *err)
{
	const char *name = v[TOOL_NAME].text;

	(void)err;
	*out_keep = true;
	if (v[TOOL_ENABLED].number == 0 || name == NULL ||
	    v[TOOL_DEFINITION].text == NULL)
		return LN_OK;
	if (im->rules->tool_is_builtin(name) ||
	    !lni_tool_is_sane(name, v[TOOL_DEFINITION].text)) {
		v[TOOL_ENABLED].number = 0;
		lni_find(im->report, LNI_F_TOOL_DISABLED, name, 1);
	}
	return LN_OK;
}

typedef enum ln_status fix_fn(struct lni_intake *, struct lni_value *,
    bool *out_keep, struct ln_error *);

static fix_fn *const fixes[] = {
	[LNI_OUR_USER] = fix_user,
	[LNI_OUR_PICTURE] = fix_picture,
	[LNI_OUR_SETTING] = fix_setting,
	[LNI_OUR_USER_SETTING] = fix_user_setting,
	[LNI_OUR_DOCUMENT] = fix_document,
	[LNI_OUR_TAG] = fix_tag,
	[LNI_OUR_MESSAGE] = fix_message,
	[LNI_OUR_IMAGE] = fix_image,
	[LNI_OUR_TOOL_RUN] = fix_tool_run,
	[LNI_OUR_TOOL] = fix_tool,
};

/* --- rows ----------------------------------------------------------------- */

/* Only the columns that the file's schema has; others get their default. */
static enum ln_status
prepare(struct lni_intake *im, size_t t, sqlite3_stmt **out,
    struct ln_error *err)
{
	const struct lni_table *table = &im->from->tables[t];
	struct ln_buf sql = LN_BUF_INIT(INSERT_SQL_MAX);
	struct ln_buf marks = LN_BUF_INIT(INSERT_SQL_MAX);
	sqlite3 *db = lni_store_db(im->to);
	enum ln_status s;
	size_t i;
	int rc, n = 0;

	/* The chance to merge tags that our rules make the same. */
	ln_buf_printf(&sql, "INSERT %s INTO \"%s\" (",
	    t == LNI_OUR_TAG ? "OR IGNORE" : "", table->name);
	for (i = 0; i < table->col_count; i++) {
		if ((im->from->present[t] & UINT32_C(1) << i) == 0)
			continue;
		ln_buf_printf(&sql, "%s\"%s\"", n > 0 ? ", " : "",
		    table->cols[i].name);
		ln_buf_puts(&marks, n++ > 0 ? ", ?" : "?");
	}
	ln_buf_printf(&sql, ") VALUES (%s)", ln_buf_str(&marks));
	if ((s = ln_buf_status(&marks)) != LN_OK ||
	    (s = ln_buf_status(&sql)) != LN_OK) {
		ln_fail(err, s, "", "insert into %s", table->name);
	} else {
		rc = sqlite3_prepare_v2(db, ln_buf_str(&sql), -1, out, NULL);
		if (rc != SQLITE_OK)
			s = lni_sqlite_fail(db, rc, err);
	}
	ln_buf_free(&sql);
	ln_buf_free(&marks);
	return s;
}

static int
bind(sqlite3_stmt *q, int n, enum lni_col_kind kind,
    const struct lni_value *v)
{
	if (v->is_null)
		return sqlite3_bind_null(q, n);
	if (kind == LNI_COL_BLOB)
		return sqlite3_bind_blob64(q, n, v->text, v->len,
		    SQLITE_STATIC);
	if (v->text != NULL)
		return sqlite3_bind_text64(q, n, v->text, v->len,
		    SQLITE_STATIC, SQLITE_UTF8);
	if (kind == LNI_COL_REAL)
		return sqlite3_bind_double(q, n, v->real);
	return sqlite3_bind_int64(q, n, v->number);
}

static enum ln_status
insert(struct lni_intake *im, size_t t, sqlite3_stmt *q,
    const struct lni_value *v, struct ln_error *err)
{
	const struct lni_table *table = &im->from->tables[t];
	enum lni_finding f;
	size_t i;
	int n = 0, rc = SQLITE_OK;

	for (i = 0; i < table->col_count && rc == SQLITE_OK; i++) {
		if ((im->from->present[t] & UINT32_C(1) << i) != 0)
			rc = bind(q, ++n, table->cols[i].kind, &v[i]);
	}
	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
	if (rc == SQLITE_DONE)
		return LN_OK;
	if ((rc & 0xff) != SQLITE_CONSTRAINT)
		return lni_sqlite_fail(lni_store_db(im->to), rc, err);
	if (rc == SQLITE_CONSTRAINT_UNIQUE ||
	    rc == SQLITE_CONSTRAINT_PRIMARYKEY ||
	    rc == SQLITE_CONSTRAINT_ROWID)
		f = LNI_F_DUPLICATE_KEY;
	else if (rc == SQLITE_CONSTRAINT_DATATYPE)
		f = LNI_F_WRONG_TYPE;
	else if (rc == SQLITE_CONSTRAINT_FOREIGNKEY)
		f = LNI_F_ORPHAN_ROWS;
	else
		f = LNI_F_OUT_OF_RANGE;
	lni_find(im->report, f, table->name, 1);
	return LN_OK;
}

static enum ln_status
take_table(struct lni_intake *im, size_t t, struct ln_error *err)
{
	fix_fn *fix = t < sizeof(fixes) / sizeof(fixes[0]) ? fixes[t] : NULL;
	sqlite3_stmt *q = NULL;
	struct lni_scan sc;
	enum ln_status s;
	bool keep = true;

	if (im->from->present[t] == 0)
		return LN_OK;
	if ((s = prepare(im, t, &q, err)) != LN_OK)
		return s;
	if ((s = lni_scan_open(&sc, im->from, t, err)) != LN_OK)
		goto out;
	while ((s = lni_scan_next(&sc, err)) == LN_OK) {
		if (fix != NULL &&
		    (s = fix(im, sc.v, &keep, err)) != LN_OK)
			break;
		if (keep && (s = insert(im, t, q, sc.v, err)) != LN_OK)
			break;
		if (t == LNI_OUR_MESSAGE &&
		    (im->from->held[t] % LNI_SETTLE_ROWS == 0 ||
		    sc.v[MESSAGE_CONTENT].len >= LNI_SETTLE_BYTES) &&
		    (s = lni_search_settle(im->to, err)) != LN_OK)
			break;
	}
	if (s == LN_NOT_FOUND)
		s = LN_OK;
out:
	lni_scan_close(&sc);
	sqlite3_finalize(q);
	return s;
}

static enum ln_status
count_left_out(struct lni_intake *im, struct ln_error *err)
{
	static const enum lni_finding findings[] = { LNI_F_SESSIONS,
		LNI_F_RESET_TOKENS, LNI_F_GENERATIONS, LNI_F_AUDIT_ROWS };
	sqlite3_stmt *q = NULL;
	enum ln_status s = LN_OK;
	int64_t n;
	int i, rc;

	rc = sqlite3_prepare_v2(im->from->db, SQL_LEFT_OUT, -1, &q, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc == SQLITE_ROW) {
		for (i = 0; i < 4; i++) {
			if ((n = sqlite3_column_int64(q, i)) > 0)
				lni_find(im->report, findings[i], NULL, n);
		}
		im->held_audit = sqlite3_column_int64(q, 3);
	} else {
		s = lni_foreign_fail(im->from, rc, NULL, err);
	}
	sqlite3_finalize(q);
	return s;
}

static enum ln_status
count_mails(struct lni_intake *im, struct ln_error *err)
{
	sqlite3_stmt *q = NULL;
	enum ln_status s = LN_OK;
	int64_t n;
	int rc;

	if (im->report->schema < SCHEMA_OF_OUTBOX)
		return LN_OK;
	rc = sqlite3_prepare_v2(im->from->db, SQL_MAILS, -1, &q, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc != SQLITE_ROW)
		s = lni_foreign_fail(im->from, rc, NULL, err);
	else if ((n = sqlite3_column_int64(q, 0)) > 0)
		lni_find(im->report, LNI_F_MAILS, NULL, n);
	sqlite3_finalize(q);
	return s;
}

/* A key sealed under another SECRET_KEY would only fail at every use. */
static enum ln_status
drop_foreign_seals(struct lni_intake *im, struct ln_error *err)
{
	static const char sql_list[] =
	    "CREATE TEMP TABLE import_seal AS"
	    " SELECT NULL AS user_id, name FROM setting WHERE is_sealed = 1"
	    " UNION ALL"
	    " SELECT user_id, name FROM user_setting WHERE is_sealed = 1";
	static const char sql_find[] =
	    "SELECT user_id, name FROM temp.import_seal";
	static const char sql_drop[] =
	    "DELETE FROM setting WHERE ?1 IS NULL AND name = ?2";
	static const char sql_drop_user[] =
	    "DELETE FROM user_setting WHERE user_id = ?1 AND name = ?2";
	const char *user_id, *name;
	struct lni_stmt q, d;
	enum ln_status s;
	bool opens;

	if (im->rules->secret_opens == NULL)
		return LN_OK;
	if ((s = lni_exec(im->to, sql_list, err)) != LN_OK ||
	    (s = lni_stmt_get(&q, im->to, sql_find, err)) != LN_OK)
		return s;
	while ((s = lni_stmt_row(&q, err)) == LN_OK) {
		user_id = lni_col_text(&q, 0);
		name = lni_col_text(&q, 1);
		if ((s = im->rules->secret_opens(im->to, user_id, name,
		    &opens, err)) != LN_OK)
			break;
		if (opens)
			continue;
		lni_find(im->report, LNI_F_FOREIGN_SEAL, user_id, 1);
		if ((s = lni_stmt_get(&d, im->to, user_id != NULL ?
		    sql_drop_user : sql_drop, err)) != LN_OK)
			break;
		lni_bind_text(&d, 1, user_id);
		lni_bind_text(&d, 2, name);
		s = lni_stmt_done(&d, err);
		lni_stmt_put(&d);
		if (s != LN_OK)
			break;
	}
	lni_stmt_put(&q);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

static enum ln_status
drop_foreign_headers(struct lni_intake *im, struct ln_error *err)
{
	static const char sql_list[] =
	    "CREATE TEMP TABLE import_headers AS SELECT id, user_id FROM tool"
	    " WHERE sealed_headers IS NOT NULL";
	static const char sql_find[] =
	    "SELECT id, user_id FROM temp.import_headers";
	static const char sql_drop[] =
	    "UPDATE tool SET sealed_headers = NULL WHERE id = ?1";
	struct lni_stmt q, d;
	enum ln_status s;
	bool opens;

	if (im->rules->tool_opens == NULL)
		return LN_OK;
	if ((s = lni_exec(im->to, sql_list, err)) != LN_OK ||
	    (s = lni_stmt_get(&q, im->to, sql_find, err)) != LN_OK)
		return s;
	while ((s = lni_stmt_row(&q, err)) == LN_OK) {
		if ((s = im->rules->tool_opens(im->to, lni_col_text(&q, 0),
		    &opens, err)) != LN_OK)
			break;
		if (opens)
			continue;
		lni_find(im->report, LNI_F_FOREIGN_SEAL, lni_col_text(&q, 1),
		    1);
		if ((s = lni_stmt_get(&d, im->to, sql_drop, err)) != LN_OK)
			break;
		lni_bind_text(&d, 1, lni_col_text(&q, 0));
		s = lni_stmt_done(&d, err);
		lni_stmt_put(&d);
		if (s != LN_OK)
			break;
	}
	lni_stmt_put(&q);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

static enum ln_status
take_tables(struct lni_intake *im, struct ln_error *err)
{
	enum ln_status s;
	size_t t;

	for (t = 0; im->from->tables[t].name != NULL; t++) {
		if ((s = take_table(im, t, err)) != LN_OK)
			return s;
		if (t == LNI_OUR_USER &&
		    (s = lni_intake_admin(im, err)) != LN_OK)
			return s;
	}
	return LN_OK;
}

enum ln_status
lni_ours_take(struct lni_intake *im, struct ln_error *err)
{
	enum ln_status s;

	s = take_tables(im, err);
	free(im->file_endpoints);
	im->file_endpoints = NULL;
	if (s != LN_OK)
		return s;
	if (im->from->held[LNI_OUR_CHUNK] > 0 &&
	    (s = lni_exec(im->to, SQL_REINDEX, err)) != LN_OK)
		return s;
	if ((s = drop_foreign_seals(im, err)) != LN_OK ||
	    (s = drop_foreign_headers(im, err)) != LN_OK)
		return s;
	if ((s = count_left_out(im, err)) != LN_OK)
		return s;
	return count_mails(im, err);
}
