#include "model/conversation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <ln/text.h>
#include <ln/time.h>

#include "model/conversation_row.h"
#include "store/stmt.h"

#include "base/banned.h"

#define TITLE_NEW "New chat"

static const char SQL_GET[] =
    "SELECT " LNI_CONVERSATION_COLUMNS " WHERE c.id = ?1 AND c.user_id = ?2";

static const char SQL_LATEST[] =
    "SELECT " LNI_CONVERSATION_COLUMNS " WHERE c.user_id = ?1"
    " AND c.archived_ms IS NULL ORDER BY c.updated_ms DESC, c.id LIMIT 1";

/* Inserts nothing when the project is somebody else's. */
static const char SQL_INSERT[] =
    "INSERT INTO conversation(id, user_id, title, model, provider,"
    " system_prompt, project_id, created_ms, updated_ms)"
    " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8"
    " WHERE ?7 IS NULL OR EXISTS"
    " (SELECT 1 FROM project WHERE id = ?7 AND user_id = ?2)";

static const char SQL_RENAME[] =
    "UPDATE conversation SET title = ?3 WHERE id = ?1 AND user_id = ?2";

/* Only while it is still called what it was called. */
static const char SQL_RETITLE[] =
    "UPDATE conversation SET title = ?4"
    " WHERE id = ?1 AND user_id = ?2 AND title = ?3";

/* Setting a mark again keeps the time of the first. */
static const char SQL_PIN[] =
    "UPDATE conversation SET pinned_ms ="
    " CASE WHEN ?3 THEN coalesce(pinned_ms, ?4) END"
    " WHERE id = ?1 AND user_id = ?2";
static const char SQL_ARCHIVE[] =
    "UPDATE conversation SET archived_ms ="
    " CASE WHEN ?3 THEN coalesce(archived_ms, ?4) END"
    " WHERE id = ?1 AND user_id = ?2";

static const char SQL_DELETE[] =
    "DELETE FROM conversation WHERE id = ?1 AND user_id = ?2";

/* ?3, ?5 and ?7 say whether the value behind them is to be set. */
static const char SQL_MOVE[] =
    "UPDATE conversation SET project_id = ?3 WHERE id = ?1 AND user_id = ?2"
    " AND (?3 IS NULL OR EXISTS (SELECT 1 FROM project"
    "  WHERE id = ?3 AND user_id = ?2))";
static const char SQL_CONFIGURE[] =
    "UPDATE conversation SET"
    " model = iif(?3, ?4, model),"
    " system_prompt = iif(?5, ?6, system_prompt),"
    " temperature = iif(?7, ?8, temperature)"
    " WHERE id = ?1 AND user_id = ?2";

static const char SQL_TOUCH[] =
    "UPDATE conversation SET updated_ms = max(updated_ms, ?2),"
    " total_tokens = total_tokens + ?3 WHERE id = ?1";

static const char SQL_NEWEST[] =
    "SELECT user_id, id FROM conversation ORDER BY updated_ms DESC, id"
    " LIMIT 1";

const char *const lni_conversation_sql[] = {
	SQL_NEWEST, SQL_GET, SQL_LATEST, SQL_INSERT, SQL_RENAME, SQL_RETITLE,
	SQL_PIN,
	SQL_ARCHIVE, SQL_DELETE, SQL_CONFIGURE, SQL_MOVE, SQL_TOUCH,
};
const size_t lni_conversation_sql_count =
    sizeof(lni_conversation_sql) / sizeof(lni_conversation_sql[0]);

void
ln_conversation_free(struct ln_conversation *c)
{
	if (c == NULL)
		return;
	free(c->id);
	free(c->user_id);
	free(c->title);
	free(c->model);
	free(c->provider);
	free(c->system_prompt);
	free(c->project_id);
	free(c->project_title);
	free(c->group_id);
	free(c->forked_from);
	free(c->tags);
	free(c);
}

enum ln_status
lni_conversation_row(struct lni_stmt *q, struct ln_conversation **out,
    struct ln_error *err)
{
	struct ln_conversation *c;
	enum ln_status s = LN_OK;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return ln_fail(err, LN_NOMEM, "", "conversation row");
	c->id = lni_col_dup(q, 0, &s);
	c->user_id = lni_col_dup(q, 1, &s);
	c->title = lni_col_dup(q, 2, &s);
	c->model = lni_col_dup(q, 3, &s);
	c->provider = lni_col_dup(q, 4, &s);
	c->system_prompt = lni_col_dup(q, 5, &s);
	c->project_id = lni_col_dup(q, 6, &s);
	c->project_title = lni_col_dup(q, 7, &s);
	c->group_id = lni_col_dup(q, 8, &s);
	c->forked_from = lni_col_dup(q, 9, &s);
	c->tags = lni_col_dup(q, 10, &s);
	c->has_temperature = !lni_col_is_null(q, 11);
	c->temperature = lni_col_double(q, 11);
	c->archived_ms = lni_col_int(q, 12);
	c->pinned_ms = lni_col_int(q, 13);
	c->total_tokens = lni_col_int(q, 14);
	c->created_ms = lni_col_int(q, 15);
	c->updated_ms = lni_col_int(q, 16);
	if (s != LN_OK) {
		ln_conversation_free(c);
		return ln_fail(err, s, "", "conversation row");
	}
	*out = c;
	return LN_OK;
}

enum ln_status
ln_conversation_get(struct ln_store *st, const char *user_id, const char *id,
    struct ln_conversation **out, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out = NULL;
	if ((s = lni_stmt_get(&q, st, SQL_GET, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, id);
	lni_bind_text(&q, 2, user_id);
	if ((s = lni_stmt_row(&q, err)) == LN_OK)
		s = lni_conversation_row(&q, out, err);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
ln_conversation_latest(struct ln_store *st, const char *user_id,
    struct ln_conversation **out, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out = NULL;
	if ((s = lni_stmt_get(&q, st, SQL_LATEST, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	if ((s = lni_stmt_row(&q, err)) == LN_OK)
		s = lni_conversation_row(&q, out, err);
	lni_stmt_put(&q);
	return s;
}

static bool
is_text(const char *s)
{
	return ln_utf8_valid(s, strlen(s));
}

enum ln_status
lni_title_check(const char *title, struct ln_error *err)
{
	size_t n;

	if (!is_text(title) || ln_text_has_control(title))
		return ln_fail_field(err, LN_INVALID, "title",
		    "The title holds characters that are not allowed",
		    "not UTF-8 or a control character");
	if (title[strspn(title, " ")] == '\0')
		return ln_fail_field(err, LN_INVALID, "title",
		    "The title is empty", "empty title");
	if ((n = ln_utf8_count(title)) > LN_TITLE_MAX)
		return ln_fail_field(err, LN_INVALID, "title",
		    "The title is too long", "%zu code points", n);
	return LN_OK;
}

static enum ln_status
check_model(const char *model, struct ln_error *err)
{
	if (!is_text(model) || ln_text_has_control(model) ||
	    ln_utf8_count(model) > LN_TITLE_MAX)
		return ln_fail_field(err, LN_INVALID, "model",
		    "This is not the name of a model",
		    "too long, not UTF-8 or a control character");
	return LN_OK;
}

static enum ln_status
check_system_prompt(const char *prompt, struct ln_error *err)
{
	if (strlen(prompt) > LN_SYSTEM_PROMPT_MAX)
		return ln_fail_field(err, LN_INVALID, "system_prompt",
		    "The system prompt is too long", "%zu bytes",
		    strlen(prompt));
	if (!is_text(prompt))
		return ln_fail_field(err, LN_INVALID, "system_prompt",
		    "The system prompt is not valid text", "not UTF-8");
	return LN_OK;
}

enum ln_status
ln_conversation_create(struct ln_store *st, const char *user_id,
    const struct ln_conversation_new *new_conversation,
    struct ln_conversation **out, struct ln_error *err)
{
	const struct ln_conversation_new *n = new_conversation;
	const char *title = n->title != NULL ? n->title : TITLE_NEW;
	char id[LN_UUID_SIZE];
	struct lni_stmt q;
	enum ln_status s;

	*out = NULL;
	if ((s = lni_title_check(title, err)) != LN_OK)
		return s;
	if (n->model != NULL && (s = check_model(n->model, err)) != LN_OK)
		return s;
	if (n->system_prompt != NULL &&
	    (s = check_system_prompt(n->system_prompt, err)) != LN_OK)
		return s;
	ln_uuid(id);
	/* The search index learns of it at the end of a transaction. */
	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	if ((s = lni_stmt_get(&q, st, SQL_INSERT, err)) != LN_OK)
		goto end;
	lni_bind_text(&q, 1, id);
	lni_bind_text(&q, 2, user_id);
	lni_bind_text(&q, 3, title);
	lni_bind_text(&q, 4, n->model);
	lni_bind_text(&q, 5, n->provider);
	lni_bind_text(&q, 6, n->system_prompt);
	lni_bind_text(&q, 7, n->project_id);
	lni_bind_int(&q, 8, ln_time_now_ms());
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	if (s == LN_OK && lni_changes(st) == 0)
		s = ln_fail_field(err, LN_NOT_FOUND, "project_id", "",
		    "no such project of this user");
end:
	if ((s = lni_tx_end(st, s, err)) != LN_OK)
		return s;
	return ln_conversation_get(st, user_id, id, out, err);
}

/* Run the bound ${q} and give it back; one row of the user must change. */
static enum ln_status
change_one(struct lni_stmt *q, struct ln_error *err)
{
	struct ln_store *st = q->store;
	enum ln_status s;

	s = lni_stmt_done(q, err);
	lni_stmt_put(q);
	if (s == LN_OK && lni_changes(st) == 0)
		return ln_fail(err, LN_NOT_FOUND, "", "no such conversation");
	return s;
}

enum ln_status
lni_conversation_retitle(struct ln_store *st, const char *user_id,
    const char *id, const char *from, const char *to, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	if ((s = lni_stmt_get(&q, st, SQL_RETITLE, err)) != LN_OK)
		goto end;
	lni_bind_text(&q, 1, id);
	lni_bind_text(&q, 2, user_id);
	lni_bind_text(&q, 3, from);
	lni_bind_text(&q, 4, to);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	if (s == LN_OK && lni_changes(st) == 0)
		s = ln_fail(err, LN_NOT_FOUND, "", "it has another title");
end:
	return lni_tx_end(st, s, err);
}

enum ln_status
ln_conversation_rename(struct ln_store *st, const char *user_id,
    const char *id, const char *title, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_title_check(title, err)) != LN_OK)
		return s;
	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	if ((s = lni_stmt_get(&q, st, SQL_RENAME, err)) != LN_OK)
		goto end;
	lni_bind_text(&q, 1, id);
	lni_bind_text(&q, 2, user_id);
	lni_bind_text(&q, 3, title);
	s = change_one(&q, err);
end:
	return lni_tx_end(st, s, err);
}

static enum ln_status
mark(struct ln_store *st, const char *sql, const char *user_id,
    const char *id, bool is_marked, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, sql, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, id);
	lni_bind_text(&q, 2, user_id);
	lni_bind_int(&q, 3, is_marked ? 1 : 0);
	lni_bind_int(&q, 4, ln_time_now_ms());
	return change_one(&q, err);
}

enum ln_status
ln_conversation_pin(struct ln_store *st, const char *user_id, const char *id,
    bool is_pinned, struct ln_error *err)
{
	return mark(st, SQL_PIN, user_id, id, is_pinned, err);
}

enum ln_status
ln_conversation_archive(struct ln_store *st, const char *user_id,
    const char *id, bool is_archived, struct ln_error *err)
{
	return mark(st, SQL_ARCHIVE, user_id, id, is_archived, err);
}

static enum ln_status
delete_row(struct ln_store *st, const char *user_id, const char *id,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_DELETE, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, id);
	lni_bind_text(&q, 2, user_id);
	return change_one(&q, err);
}

enum ln_status
ln_conversation_delete(struct ln_store *st, const char *user_id,
    const char *id, struct ln_error *err)
{
	enum ln_status s;

	/* A transaction, so that the search index forgets the messages. */
	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	s = delete_row(st, user_id, id, err);
	return lni_tx_end(st, s, err);
}

/* A second mention of the same one would not be found. */
static bool
is_repeated(const char *const *ids, size_t i)
{
	size_t j;

	for (j = 0; j < i; j++) {
		if (strcmp(ids[j], ids[i]) == 0)
			return true;
	}
	return false;
}

enum ln_status
ln_conversation_delete_all(struct ln_store *st, const char *user_id,
    const char *const *ids, size_t n, struct ln_error *err)
{
	enum ln_status s;
	size_t i;

	if (n == 0 || n > LN_CONVERSATION_DELETE_MAX)
		return ln_fail_field(err, LN_INVALID, "ids",
		    "Name 1 to 500 conversations", "%zu", n);
	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	for (i = 0; i < n && s == LN_OK; i++) {
		if (!is_repeated(ids, i))
			s = delete_row(st, user_id, ids[i], err);
	}
	return lni_tx_end(st, s, err);
}

static void
bind_change(struct lni_stmt *q, int i, const char *s)
{
	lni_bind_int(q, i, s != NULL ? 1 : 0);
	lni_bind_text(q, i + 1, s != NULL && s[0] != '\0' ? s : NULL);
}

enum ln_status
ln_conversation_configure(struct ln_store *st, const char *user_id,
    const char *id, const char *model, const char *system_prompt,
    const double *temperature, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if (model != NULL && (s = check_model(model, err)) != LN_OK)
		return s;
	if (system_prompt != NULL &&
	    (s = check_system_prompt(system_prompt, err)) != LN_OK)
		return s;
	if (temperature != NULL && !isnan(*temperature) &&
	    (*temperature < 0.0 || *temperature > 2.0))
		return ln_fail_field(err, LN_INVALID, "temperature",
		    "The temperature must be between 0 and 2", "%g",
		    *temperature);
	if ((s = lni_stmt_get(&q, st, SQL_CONFIGURE, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, id);
	lni_bind_text(&q, 2, user_id);
	bind_change(&q, 3, model);
	bind_change(&q, 5, system_prompt);
	lni_bind_int(&q, 7, temperature != NULL ? 1 : 0);
	if (temperature != NULL && !isnan(*temperature))
		lni_bind_double(&q, 8, *temperature);
	else
		lni_bind_null(&q, 8);
	return change_one(&q, err);
}

enum ln_status
ln_conversation_move(struct ln_store *st, const char *user_id,
    const char *id, const char *project_id, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_MOVE, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, id);
	lni_bind_text(&q, 2, user_id);
	lni_bind_text(&q, 3, project_id);
	return change_one(&q, err);
}

enum ln_status
lni_conversation_touch(struct ln_store *st, const char *id, int64_t now_ms,
    int64_t tokens, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_TOUCH, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, id);
	lni_bind_int(&q, 2, now_ms);
	lni_bind_int(&q, 3, tokens);
	return change_one(&q, err);
}

enum ln_status
lni_conversation_newest(struct ln_store *st, char **out_user_id,
    char **out_id, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out_user_id = *out_id = NULL;
	if ((s = lni_stmt_get(&q, st, SQL_NEWEST, err)) != LN_OK)
		return s;
	if ((s = lni_stmt_row(&q, err)) == LN_OK &&
	    ((*out_user_id = lni_col_dup(&q, 0, &s)) == NULL ||
	    (*out_id = lni_col_dup(&q, 1, &s)) == NULL))
		s = ln_fail(err, LN_NOMEM, "", "newest conversation");
	lni_stmt_put(&q);
	if (s != LN_OK) {
		free(*out_user_id);
		*out_user_id = NULL;
	}
	return s;
}
