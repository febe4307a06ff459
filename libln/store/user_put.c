#include "store/user_put.h"

#include "store/stmt.h"

#include "base/banned.h"

static const char SQL_HAS_GROUP[] =
    "SELECT 1 FROM conversation_group WHERE id = ?1 AND user_id = ?2";
static const char SQL_HAS_PROJECT[] =
    "SELECT 1 FROM project WHERE id = ?1 AND user_id = ?2";
static const char SQL_HAS_CONVERSATION[] =
    "SELECT 1 FROM conversation WHERE id = ?1 AND user_id = ?2";
/* A group or project that did not come along is none. */
static const char SQL_CONVERSATION[] =
    "INSERT INTO conversation(id, user_id, title, provider, model,"
    " system_prompt, temperature, project_id, group_id, forked_from,"
    " archived_ms, pinned_ms, total_tokens, created_ms, updated_ms)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7,"
    " (SELECT id FROM project WHERE id = ?8 AND user_id = ?2),"
    " (SELECT id FROM conversation_group WHERE id = ?9 AND user_id = ?2),"
    " ?10, ?11, ?12, ?13, ?14, ?15)";
static const char SQL_TAG[] =
    "INSERT INTO conversation_tag(conversation_id, tag) VALUES (?1, ?2)"
    " ON CONFLICT DO NOTHING";
static const char SQL_FORK_POINT[] =
    "UPDATE conversation SET forked_at_message = ?2 WHERE id = ?1";
static const char SQL_MESSAGE[] =
    "INSERT INTO message(conversation_id, role, state, content, provider,"
    " model, finish_reason, tokens, prompt_tokens, duration_ms, is_estimated,"
    " pinned_ms, created_ms, thinking, error)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,"
    " ?15)";
static const char SQL_IMAGE[] =
    "INSERT INTO message_image(message_id, images) VALUES (?1, ?2)";
static const char SQL_TOOL_RUN[] =
    "INSERT INTO tool_run(message_id, round, name, arguments, state, result,"
    " created_ms, ended_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
static const char SQL_GROUP[] =
    "INSERT INTO conversation_group(id, user_id, title, position,"
    " created_ms) VALUES (?1, ?2, ?3, ?4, ?5)";
static const char SQL_PROJECT[] =
    "INSERT INTO project(id, user_id, title, description, created_ms)"
    " VALUES (?1, ?2, ?3, ?4, ?5)";
static const char SQL_DOCUMENT[] =
    "INSERT INTO document(project_id, filename, content, bytes, created_ms)"
    " VALUES (?1, ?2, ?3, length(CAST(?3 AS BLOB)), ?4)";

const char *const lni_user_put_sql[] = { SQL_HAS_GROUP, SQL_HAS_PROJECT,
	SQL_HAS_CONVERSATION, SQL_CONVERSATION, SQL_TAG, SQL_FORK_POINT,
	SQL_MESSAGE, SQL_IMAGE, SQL_TOOL_RUN, SQL_GROUP, SQL_PROJECT,
	SQL_DOCUMENT };
const size_t lni_user_put_sql_count =
    sizeof(lni_user_put_sql) / sizeof(lni_user_put_sql[0]);

static enum ln_status
run(struct lni_stmt *q, struct ln_error *err)
{
	enum ln_status s = lni_stmt_done(q, err);

	lni_stmt_put(q);
	return s;
}

enum ln_status
lni_put_has(struct ln_store *st, enum lni_put_kind kind, const char *user_id,
    const char *id, bool *out, struct ln_error *err)
{
	static const char *const sql[] = {
		[LNI_PUT_GROUP] = SQL_HAS_GROUP,
		[LNI_PUT_PROJECT] = SQL_HAS_PROJECT,
		[LNI_PUT_CONVERSATION] = SQL_HAS_CONVERSATION,
	};
	struct lni_stmt q;
	enum ln_status s;

	*out = false;
	if ((s = lni_stmt_get(&q, st, sql[kind], err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, id);
	lni_bind_text(&q, 2, user_id);
	s = lni_stmt_row(&q, err);
	*out = s == LN_OK;
	lni_stmt_put(&q);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

enum ln_status
lni_put_conversation(struct ln_store *st, const char *user_id,
    const struct lni_put_conversation *c, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_CONVERSATION, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, c->id);
	lni_bind_text(&q, 2, user_id);
	lni_bind_text(&q, 3, c->title);
	lni_bind_text(&q, 4, c->provider);
	lni_bind_text(&q, 5, c->model);
	lni_bind_text(&q, 6, c->system_prompt);
	if (c->has_temperature)
		lni_bind_double(&q, 7, c->temperature);
	lni_bind_text(&q, 8, c->project_id);
	lni_bind_text(&q, 9, c->group_id);
	lni_bind_text(&q, 10, c->forked_from);
	lni_bind_opt_int(&q, 11, c->archived_ms);
	lni_bind_opt_int(&q, 12, c->pinned_ms);
	lni_bind_int(&q, 13, c->total_tokens);
	lni_bind_int(&q, 14, c->created_ms);
	lni_bind_int(&q, 15, c->updated_ms);
	return run(&q, err);
}

enum ln_status
lni_put_tag(struct ln_store *st, const char *conversation_id,
    const char *tag, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_TAG, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, conversation_id);
	lni_bind_text(&q, 2, tag);
	return run(&q, err);
}

enum ln_status
lni_put_fork_point(struct ln_store *st, const char *conversation_id,
    int64_t message_id, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_FORK_POINT, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, conversation_id);
	lni_bind_int(&q, 2, message_id);
	return run(&q, err);
}

static enum ln_status
put_images(struct ln_store *st, int64_t id, const char *images,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_IMAGE, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, id);
	lni_bind_text(&q, 2, images);
	return run(&q, err);
}

enum ln_status
lni_put_message(struct ln_store *st, const struct lni_put_message *m,
    int64_t *out_id, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out_id = 0;
	if ((s = lni_stmt_get(&q, st, SQL_MESSAGE, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, m->conversation_id);
	lni_bind_text(&q, 2, m->role);
	lni_bind_text(&q, 3, m->state);
	lni_bind_text(&q, 4, m->content);
	lni_bind_text(&q, 5, m->provider);
	lni_bind_text(&q, 6, m->model);
	lni_bind_text(&q, 7, m->finish_reason);
	lni_bind_int(&q, 8, m->tokens);
	lni_bind_int(&q, 9, m->prompt_tokens);
	lni_bind_int(&q, 10, m->duration_ms);
	lni_bind_int(&q, 11, m->is_estimated);
	lni_bind_opt_int(&q, 12, m->pinned_ms);
	lni_bind_int(&q, 13, m->created_ms);
	lni_bind_text(&q, 14, m->thinking);
	lni_bind_text(&q, 15, m->error);
	if ((s = run(&q, err)) != LN_OK)
		return s;
	*out_id = lni_last_id(st);
	return m->images == NULL ? LN_OK :
	    put_images(st, *out_id, m->images, err);
}

enum ln_status
lni_put_tool_run(struct ln_store *st, const struct lni_put_tool_run *r,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_TOOL_RUN, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, r->message_id);
	lni_bind_int(&q, 2, r->round);
	lni_bind_text(&q, 3, r->name);
	lni_bind_text(&q, 4, r->arguments);
	lni_bind_text(&q, 5, r->state);
	lni_bind_text(&q, 6, r->result);
	lni_bind_int(&q, 7, r->created_ms);
	lni_bind_int(&q, 8, r->ended_ms);
	return run(&q, err);
}

enum ln_status
lni_put_group(struct ln_store *st, const char *user_id, const char *id,
    const char *title, int64_t position, int64_t created_ms,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_GROUP, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, id);
	lni_bind_text(&q, 2, user_id);
	lni_bind_text(&q, 3, title);
	lni_bind_int(&q, 4, position);
	lni_bind_int(&q, 5, created_ms);
	return run(&q, err);
}

enum ln_status
lni_put_project(struct ln_store *st, const char *user_id, const char *id,
    const char *title, const char *description, int64_t created_ms,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_PROJECT, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, id);
	lni_bind_text(&q, 2, user_id);
	lni_bind_text(&q, 3, title);
	lni_bind_text(&q, 4, description);
	lni_bind_int(&q, 5, created_ms);
	return run(&q, err);
}

enum ln_status
lni_put_document(struct ln_store *st, const char *project_id,
    const char *filename, const char *content, int64_t created_ms,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_DOCUMENT, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, project_id);
	lni_bind_text(&q, 2, filename);
	lni_bind_text(&q, 3, content);
	lni_bind_int(&q, 4, created_ms);
	return run(&q, err);
}
