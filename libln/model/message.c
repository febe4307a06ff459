#include "model/message.h"

#include <stdlib.h>
#include <string.h>

#include <ln/time.h>

#include "store/stmt.h"

#include "base/banned.h"

#define COLUMNS								\
	"m.id, m.conversation_id, m.role, m.state, m.content, m.model,"	\
	" m.finish_reason, m.tokens, m.prompt_tokens, m.duration_ms,"	\
	" m.is_estimated, m.pinned_ms, m.created_ms, m.thinking, m.sources," \
	" m.provider, m.error"

/* The wall: a message is the user's when its conversation is. */
#define OWNED								\
	" FROM message m JOIN conversation c ON c.id = m.conversation_id"	\
	" LEFT JOIN message_image i ON i.message_id = m.id"			\
	" WHERE c.user_id = ?1"

static const char SQL_OWNS[] =
    "SELECT 1 FROM conversation WHERE id = ?1 AND user_id = ?2";

static const char SQL_LIST[] =
    "SELECT " COLUMNS ", i.images" OWNED " AND m.conversation_id = ?2"
    " ORDER BY m.id";

static const char SQL_GET[] =
    "SELECT " COLUMNS ", i.images" OWNED " AND m.id = ?2";

static const char SQL_LAST_QUESTION[] =
    "SELECT " COLUMNS ", i.images" OWNED " AND m.conversation_id = ?2"
    " AND m.role = 'user' ORDER BY m.id DESC LIMIT 1";

static const char SQL_LAST[] =
    "SELECT " COLUMNS ", i.images" OWNED " AND m.conversation_id = ?2"
    " ORDER BY m.id DESC LIMIT 1";

static const char SQL_REOPEN[] =
    "UPDATE message SET state = 'streaming', error = NULL WHERE id = ?1";

static const char SQL_HISTORY[] =
    "SELECT " COLUMNS ", NULL FROM message m"
    " WHERE m.conversation_id = ?1 AND m.id < ?2 ORDER BY m.id DESC";

static const char SQL_ADD[] =
    "INSERT INTO message(conversation_id, role, state, content, provider,"
    " model, created_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

static const char SQL_REWRITE[] =
    "UPDATE message SET content = ?2 WHERE id = ?1";

static const char SQL_DELETE_AFTER[] =
    "DELETE FROM message WHERE conversation_id = ?1 AND id > ?2";

static const char SQL_IMAGES_SET[] =
    "INSERT INTO message_image(message_id, images) VALUES (?1, ?2)"
    " ON CONFLICT(message_id) DO UPDATE SET images = excluded.images";

static const char SQL_IMAGES_REMOVE[] =
    "DELETE FROM message_image WHERE message_id = ?1";
static const char SQL_IMAGES_GET[] =
    "SELECT images FROM message_image WHERE message_id = ?1";

static const char SQL_JOURNAL[] =
    "UPDATE message SET content = ?2 WHERE id = ?1 AND state = 'streaming'";

static const char SQL_FINISH[] =
    "UPDATE message SET state = ?2, content = ?3, finish_reason = ?4,"
    " tokens = ?5, prompt_tokens = ?6, duration_ms = ?7, is_estimated = ?8,"
    " thinking = ?9, sources = coalesce(?10, sources), error = ?11"
    " WHERE id = ?1";

/* Pinning again keeps the time of the first. */
static const char SQL_PIN[] =
    "UPDATE message SET pinned_ms ="
    " CASE WHEN ?3 THEN coalesce(pinned_ms, ?4) END WHERE id = ?2 AND EXISTS"
    " (SELECT 1 FROM conversation c WHERE c.id = conversation_id"
    "  AND c.user_id = ?1)";

const char *const lni_message_sql[] = {
	SQL_OWNS, SQL_LIST, SQL_GET, SQL_LAST_QUESTION, SQL_LAST, SQL_REOPEN,
	SQL_HISTORY, SQL_ADD, SQL_REWRITE, SQL_DELETE_AFTER, SQL_IMAGES_SET,
	SQL_IMAGES_REMOVE, SQL_IMAGES_GET,
	SQL_JOURNAL, SQL_FINISH, SQL_PIN,
};
const size_t lni_message_sql_count =
    sizeof(lni_message_sql) / sizeof(lni_message_sql[0]);

static const char *const role_names[] = {
	[LN_MESSAGE_SYSTEM] = "system",
	[LN_MESSAGE_USER] = "user",
	[LN_MESSAGE_ASSISTANT] = "assistant",
	[LN_MESSAGE_TOOL] = "tool",
};

static const char *const state_names[] = {
	[LN_MESSAGE_COMPLETE] = "complete",
	[LN_MESSAGE_STREAMING] = "streaming",
	[LN_MESSAGE_STOPPED] = "stopped",
	[LN_MESSAGE_FAILED] = "failed",
	[LN_MESSAGE_INTERRUPTED] = "interrupted",
};

#define nitems(a) (sizeof(a) / sizeof((a)[0]))

const char *
ln_message_role_name(enum ln_message_role role)
{
	return role_names[role];
}

bool
ln_message_role_parse(const char *s, enum ln_message_role *out)
{
	size_t i;

	for (i = 0; i < nitems(role_names); i++) {
		if (strcmp(s, role_names[i]) == 0) {
			*out = (enum ln_message_role)i;
			return true;
		}
	}
	return false;
}

const char *
ln_message_state_name(enum ln_message_state state)
{
	return state_names[state];
}

static bool
state_parse(const char *s, enum ln_message_state *out)
{
	size_t i;

	for (i = 0; i < nitems(state_names); i++) {
		if (strcmp(s, state_names[i]) == 0) {
			*out = (enum ln_message_state)i;
			return true;
		}
	}
	return false;
}

static void
clear(struct ln_message *m)
{
	free(m->conversation_id);
	free(m->content);
	free(m->model);
	free(m->provider);
	free(m->finish_reason);
	free(m->error);
	free(m->thinking);
	free(m->sources);
	free(m->images);
}

void
ln_message_free(struct ln_message *m)
{
	if (m == NULL)
		return;
	clear(m);
	free(m);
}

void
ln_message_list_free(struct ln_message_list *l)
{
	size_t i;

	for (i = 0; i < l->count; i++)
		ln_message_free(l->items[i]);
	free(l->items);
	l->items = NULL;
	l->count = 0;
}

/* The row as a record in caller memory; clear() it also after a failure. */
static enum ln_status
read_row(struct lni_stmt *q, struct ln_message *m, struct ln_error *err)
{
	const char *role = lni_col_text(q, 2), *state = lni_col_text(q, 3);
	enum ln_status s = LN_OK;

	memset(m, 0, sizeof(*m));
	if (role == NULL || !ln_message_role_parse(role, &m->role) ||
	    state == NULL || !state_parse(state, &m->state))
		return ln_fail(err, LN_CORRUPT, "", "message role or state");
	m->id = lni_col_int(q, 0);
	m->conversation_id = lni_col_dup(q, 1, &s);
	m->content = lni_col_dup(q, 4, &s);
	m->model = lni_col_dup(q, 5, &s);
	m->finish_reason = lni_col_dup(q, 6, &s);
	m->tokens = lni_col_int(q, 7);
	m->prompt_tokens = lni_col_int(q, 8);
	m->duration_ms = lni_col_int(q, 9);
	m->is_estimated = lni_col_int(q, 10) != 0;
	m->pinned_ms = lni_col_int(q, 11);
	m->created_ms = lni_col_int(q, 12);
	m->thinking = lni_col_dup(q, 13, &s);
	m->sources = lni_col_dup(q, 14, &s);
	m->provider = lni_col_dup(q, 15, &s);
	m->error = lni_col_dup(q, 16, &s);
	m->images = lni_col_dup(q, 17, &s);
	if (s != LN_OK)
		return ln_fail(err, s, "", "message row");
	return LN_OK;
}

static enum ln_status
from_row(struct lni_stmt *q, struct ln_message **out, struct ln_error *err)
{
	struct ln_message *m;
	enum ln_status s;

	if ((m = calloc(1, sizeof(*m))) == NULL)
		return ln_fail(err, LN_NOMEM, "", "message row");
	if ((s = read_row(q, m, err)) != LN_OK) {
		ln_message_free(m);
		return s;
	}
	*out = m;
	return LN_OK;
}

static enum ln_status
append(struct ln_message_list *l, struct ln_message *m, size_t *capacity,
    struct ln_error *err)
{
	struct ln_message **grown;
	size_t n = *capacity == 0 ? 32 : *capacity * 2;

	if (l->count == *capacity) {
		grown = realloc(l->items, n * sizeof(*grown));
		if (grown == NULL) {
			ln_message_free(m);
			return ln_fail(err, LN_NOMEM, "", "message list");
		}
		l->items = grown;
		*capacity = n;
	}
	l->items[l->count++] = m;
	return LN_OK;
}

static enum ln_status
check_owner(struct ln_store *st, const char *user_id,
    const char *conversation_id, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_OWNS, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, conversation_id);
	lni_bind_text(&q, 2, user_id);
	s = lni_stmt_row(&q, err);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
ln_message_list(struct ln_store *st, const char *user_id,
    const char *conversation_id, struct ln_message_list *out,
    struct ln_error *err)
{
	struct lni_stmt q = { 0 };
	struct ln_message *m = NULL;
	enum ln_status s;
	size_t capacity = 0;

	out->items = NULL;
	out->count = 0;
	if ((s = lni_read_begin(st, err)) != LN_OK)
		return s;
	if ((s = check_owner(st, user_id, conversation_id, err)) != LN_OK)
		goto out;
	if ((s = lni_stmt_get(&q, st, SQL_LIST, err)) != LN_OK)
		goto out;
	lni_bind_text(&q, 1, user_id);
	lni_bind_text(&q, 2, conversation_id);
	while ((s = lni_stmt_row(&q, err)) == LN_OK) {
		if ((s = from_row(&q, &m, err)) != LN_OK ||
		    (s = append(out, m, &capacity, err)) != LN_OK)
			goto out;
	}
	if (s == LN_NOT_FOUND)
		s = LN_OK;
out:
	lni_stmt_put(&q);
	lni_read_end(st);
	if (s != LN_OK)
		ln_message_list_free(out);
	return s;
}

enum ln_status
ln_message_get(struct ln_store *st, const char *user_id, int64_t id,
    struct ln_message **out, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out = NULL;
	if ((s = lni_stmt_get(&q, st, SQL_GET, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_int(&q, 2, id);
	if ((s = lni_stmt_row(&q, err)) == LN_OK)
		s = from_row(&q, out, err);
	lni_stmt_put(&q);
	return s;
}

static enum ln_status
last(struct ln_store *st, const char *sql, const char *user_id,
    const char *conversation_id, struct ln_message **out,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out = NULL;
	if ((s = lni_stmt_get(&q, st, sql, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_text(&q, 2, conversation_id);
	if ((s = lni_stmt_row(&q, err)) == LN_OK)
		s = from_row(&q, out, err);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
lni_message_last_question(struct ln_store *st, const char *user_id,
    const char *conversation_id, struct ln_message **out,
    struct ln_error *err)
{
	return last(st, SQL_LAST_QUESTION, user_id, conversation_id, out, err);
}

enum ln_status
lni_message_last(struct ln_store *st, const char *user_id,
    const char *conversation_id, struct ln_message **out,
    struct ln_error *err)
{
	return last(st, SQL_LAST, user_id, conversation_id, out, err);
}

enum ln_status
lni_message_history(struct ln_store *st, const char *conversation_id,
    int64_t before_id, lni_message_fn *fn, void *arg, struct ln_error *err)
{
	struct ln_message m;
	struct lni_stmt q;
	enum ln_status s;
	bool wants_more = true;

	if ((s = lni_stmt_get(&q, st, SQL_HISTORY, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, conversation_id);
	lni_bind_int(&q, 2, before_id);
	while (wants_more && (s = lni_stmt_row(&q, err)) == LN_OK) {
		if ((s = read_row(&q, &m, err)) == LN_OK)
			wants_more = fn(arg, &m);
		clear(&m);
		if (s != LN_OK)
			break;
	}
	lni_stmt_put(&q);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

static enum ln_status
set_images(struct ln_store *st, int64_t id, const char *images,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_IMAGES_SET, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, id);
	lni_bind_text(&q, 2, images);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

static enum ln_status
remove_images(struct ln_store *st, int64_t id, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_IMAGES_REMOVE, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, id);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
lni_message_images(struct ln_store *st, int64_t id, char **out,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out = NULL;
	if ((s = lni_stmt_get(&q, st, SQL_IMAGES_GET, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, id);
	if ((s = lni_stmt_row(&q, err)) == LN_OK) {
		*out = lni_col_dup(&q, 0, &s);
		if (s != LN_OK)
			(void)ln_fail(err, s, "", "images");
	}
	lni_stmt_put(&q);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

enum ln_status
lni_message_add(struct ln_store *st, const struct lni_message_new *m,
    int64_t *out_id, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out_id = 0;
	if ((s = lni_stmt_get(&q, st, SQL_ADD, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, m->conversation_id);
	lni_bind_text(&q, 2, role_names[m->role]);
	lni_bind_text(&q, 3, state_names[m->state]);
	lni_bind_text(&q, 4, m->content);
	lni_bind_text(&q, 5, m->provider);
	lni_bind_text(&q, 6, m->model);
	lni_bind_int(&q, 7, m->created_ms);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	if (s != LN_OK)
		return s;
	/* Read it at once: the search index behind the trigger has row ids,
	 * too, but SQLite restores ours when the trigger ends. */
	*out_id = lni_last_id(st);
	if (m->images != NULL)
		s = set_images(st, *out_id, m->images, err);
	return s;
}

/* Run the bound ${q} and give it back; one row must change. */
static enum ln_status
change_one(struct lni_stmt *q, struct ln_error *err)
{
	struct ln_store *st = q->store;
	enum ln_status s;

	s = lni_stmt_done(q, err);
	lni_stmt_put(q);
	if (s == LN_OK && lni_changes(st) == 0)
		return ln_fail(err, LN_NOT_FOUND, "", "no such message");
	return s;
}

enum ln_status
ln_message_pin(struct ln_store *st, const char *user_id, int64_t id,
    bool is_pinned, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_PIN, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_int(&q, 2, id);
	lni_bind_int(&q, 3, is_pinned ? 1 : 0);
	lni_bind_int(&q, 4, ln_time_now_ms());
	return change_one(&q, err);
}

enum ln_status
lni_message_rewrite(struct ln_store *st, int64_t id, const char *content,
    const char *images, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_REWRITE, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, id);
	lni_bind_text(&q, 2, content);
	if ((s = change_one(&q, err)) != LN_OK || images == NULL)
		return s;
	return images[0] != '\0' ? set_images(st, id, images, err) :
	    remove_images(st, id, err);
}

enum ln_status
lni_message_reopen(struct ln_store *st, int64_t id, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_REOPEN, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, id);
	return change_one(&q, err);
}

enum ln_status
lni_message_delete_after(struct ln_store *st, const char *conversation_id,
    int64_t id, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_DELETE_AFTER, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, conversation_id);
	lni_bind_int(&q, 2, id);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
lni_message_journal(struct ln_store *st, int64_t id, const char *content,
    size_t len, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_JOURNAL, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, id);
	lni_bind_textn(&q, 2, content, len);
	return change_one(&q, err);
}

enum ln_status
lni_message_finish(struct ln_store *st, int64_t id,
    const struct lni_message_end *end, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_FINISH, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, id);
	lni_bind_text(&q, 2, state_names[end->state]);
	lni_bind_textn(&q, 3, end->content, end->len);
	lni_bind_text(&q, 4, end->finish_reason);
	lni_bind_int(&q, 5, end->tokens);
	lni_bind_int(&q, 6, end->prompt_tokens);
	lni_bind_int(&q, 7, end->duration_ms);
	lni_bind_int(&q, 8, end->is_estimated ? 1 : 0);
	if (end->thinking_len > 0)
		lni_bind_textn(&q, 9, end->thinking, end->thinking_len);
	lni_bind_text(&q, 10, end->sources);
	lni_bind_text(&q, 11, end->error);
	return change_one(&q, err);
}
