#include "model/tool_run.h"

#include <stdlib.h>
#include <string.h>

#include "store/stmt.h"

#include "base/banned.h"

/* As the index has it. */
#define OPEN " state IN ('asking', 'allowed', 'running')"

static const char SQL_ADD[] =
    "INSERT INTO tool_run(message_id, round, name, arguments, state,"
    " created_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

static const char SQL_STATE[] = "SELECT state FROM tool_run WHERE id = ?1";

static const char SQL_END[] =
    "UPDATE tool_run SET state = ?2, result = ?3, ended_ms = ?4"
    " WHERE id = ?1 AND" OPEN;

static const char SQL_ALLOW[] =
    "UPDATE tool_run SET state = 'allowed'"
    " WHERE id = ?3 AND state = 'asking' AND EXISTS"
    " (SELECT 1 FROM message m JOIN conversation c"
    "  ON c.id = m.conversation_id WHERE m.id = tool_run.message_id"
    "  AND c.id = ?2 AND c.user_id = ?1)";

static const char SQL_DENY[] =
    "UPDATE tool_run SET state = 'denied', ended_ms = ?4,"
    " result = ?5"
    " WHERE id = ?3 AND state = 'asking' AND EXISTS"
    " (SELECT 1 FROM message m JOIN conversation c"
    "  ON c.id = m.conversation_id WHERE m.id = tool_run.message_id"
    "  AND c.id = ?2 AND c.user_id = ?1)";

static const char SQL_ABANDON[] =
    "UPDATE tool_run SET state = 'failed', ended_ms = ?2, result = ?3"
    " WHERE message_id = ?1 AND" OPEN;

static const char SQL_ABANDON_ALL[] =
    "UPDATE tool_run SET state = 'failed', ended_ms = ?2, result = ?3"
    " WHERE" OPEN " AND message_id NOT IN"
    " (SELECT message_id FROM generation)";

static const char SQL_LIST[] =
    "SELECT r.id, r.message_id, r.round, r.name, r.arguments, r.state,"
    " r.result, r.created_ms, r.ended_ms FROM conversation c"
    " JOIN message m ON m.conversation_id = c.id"
    " JOIN tool_run r ON r.message_id = m.id"
    " WHERE c.id = ?2 AND c.user_id = ?1 ORDER BY r.id";

const char *const lni_tool_run_sql[] = {
	SQL_ADD, SQL_STATE, SQL_END, SQL_ALLOW, SQL_DENY, SQL_ABANDON,
	SQL_ABANDON_ALL, SQL_LIST,
};
const size_t lni_tool_run_sql_count =
    sizeof(lni_tool_run_sql) / sizeof(lni_tool_run_sql[0]);

static const char *const state_names[] = {
	[LNI_TOOL_RUN_ASKING] = "asking",
	[LNI_TOOL_RUN_ALLOWED] = "allowed",
	[LNI_TOOL_RUN_RUNNING] = "running",
	[LNI_TOOL_RUN_DONE] = "done",
	[LNI_TOOL_RUN_FAILED] = "failed",
	[LNI_TOOL_RUN_DENIED] = "denied",
};

static bool
state_parse(const char *s, enum lni_tool_run_state *out)
{
	size_t i;

	for (i = 0; i < sizeof(state_names) / sizeof(state_names[0]); i++) {
		if (s != NULL && strcmp(s, state_names[i]) == 0) {
			*out = (enum lni_tool_run_state)i;
			return true;
		}
	}
	return false;
}

enum ln_status
lni_tool_run_add(struct ln_store *st, const struct lni_tool_run_new *r,
    int64_t *out_id, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out_id = 0;
	if ((s = lni_stmt_get(&q, st, SQL_ADD, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, r->message_id);
	lni_bind_int(&q, 2, r->round);
	lni_bind_text(&q, 3, r->name);
	lni_bind_text(&q, 4, r->arguments);
	lni_bind_text(&q, 5, state_names[r->state]);
	lni_bind_int(&q, 6, r->created_ms);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	if (s == LN_OK)
		*out_id = lni_last_id(st);
	return s;
}

enum ln_status
lni_tool_run_state(struct ln_store *st, int64_t id,
    enum lni_tool_run_state *out, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out = LNI_TOOL_RUN_FAILED;
	if ((s = lni_stmt_get(&q, st, SQL_STATE, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, id);
	if ((s = lni_stmt_row(&q, err)) == LN_OK &&
	    !state_parse(lni_col_text(&q, 0), out))
		s = ln_fail(err, LN_CORRUPT, "", "state of a tool run");
	lni_stmt_put(&q);
	return s;
}

enum ln_status
lni_tool_run_end(struct ln_store *st, int64_t id,
    enum lni_tool_run_state state, const char *result, int64_t now_ms,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_END, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, id);
	lni_bind_text(&q, 2, state_names[state]);
	lni_bind_text(&q, 3, result);
	lni_bind_int(&q, 4, now_ms);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
lni_tool_run_decide(struct ln_store *st, const char *user_id,
    const char *conversation_id, int64_t id, bool is_allowed, int64_t now_ms,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, is_allowed ? SQL_ALLOW : SQL_DENY,
	    err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_text(&q, 2, conversation_id);
	lni_bind_int(&q, 3, id);
	if (!is_allowed) {
		lni_bind_int(&q, 4, now_ms);
		lni_bind_text(&q, 5, LNI_TOOL_RUN_DENIAL);
	}
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	if (s == LN_OK && lni_changes(st) == 0)
		return ln_fail(err, LN_NOT_FOUND, "", "no such call asks");
	return s;
}

enum ln_status
lni_tool_run_abandon(struct ln_store *st, int64_t message_id, int64_t now_ms,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, message_id != 0 ? SQL_ABANDON :
	    SQL_ABANDON_ALL, err)) != LN_OK)
		return s;
	if (message_id != 0)
		lni_bind_int(&q, 1, message_id);
	lni_bind_int(&q, 2, now_ms);
	lni_bind_text(&q, 3, LNI_TOOL_RUN_ABANDONED);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

/* --- reading ------------------------------------------------------------- */

void
ln_tool_run_list_free(struct ln_tool_run_list *l)
{
	size_t i;

	for (i = 0; i < l->count; i++) {
		free(l->items[i].name);
		free(l->items[i].arguments);
		free(l->items[i].result);
	}
	free(l->items);
	l->items = NULL;
	l->count = 0;
}

/* Counted in ${l} at once, so that freeing the list frees it also half read. */
static enum ln_status
read_row(struct lni_stmt *q, struct ln_tool_run_list *l, struct ln_error *err)
{
	struct ln_tool_run *r = &l->items[l->count++];
	enum lni_tool_run_state state;
	enum ln_status s = LN_OK;

	memset(r, 0, sizeof(*r));
	if (!state_parse(lni_col_text(q, 5), &state))
		return ln_fail(err, LN_CORRUPT, "", "state of a tool run");
	r->id = lni_col_int(q, 0);
	r->message_id = lni_col_int(q, 1);
	r->round = lni_col_int(q, 2);
	r->name = lni_col_dup(q, 3, &s);
	r->arguments = lni_col_dup(q, 4, &s);
	r->state = state_names[state == LNI_TOOL_RUN_ALLOWED ?
	    LNI_TOOL_RUN_RUNNING : state];
	r->result = lni_col_dup(q, 6, &s);
	r->created_ms = lni_col_int(q, 7);
	r->ended_ms = lni_col_int(q, 8);
	if (s != LN_OK)
		return ln_fail(err, s, "", "tool run");
	return LN_OK;
}

static enum ln_status
make_room(struct ln_tool_run_list *l, size_t *capacity, struct ln_error *err)
{
	size_t n = *capacity == 0 ? 16 : *capacity * 2;
	struct ln_tool_run *grown;

	if (l->count < *capacity)
		return LN_OK;
	if ((grown = realloc(l->items, n * sizeof(*grown))) == NULL)
		return ln_fail(err, LN_NOMEM, "", "tool runs");
	l->items = grown;
	*capacity = n;
	return LN_OK;
}

enum ln_status
ln_tool_run_list(struct ln_store *st, const char *user_id,
    const char *conversation_id, struct ln_tool_run_list *out,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;
	size_t capacity = 0;

	out->items = NULL;
	out->count = 0;
	if ((s = lni_stmt_get(&q, st, SQL_LIST, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_text(&q, 2, conversation_id);
	while ((s = lni_stmt_row(&q, err)) == LN_OK) {
		if ((s = make_room(out, &capacity, err)) != LN_OK ||
		    (s = read_row(&q, out, err)) != LN_OK)
			break;
	}
	lni_stmt_put(&q);
	if (s == LN_NOT_FOUND)
		return LN_OK;
	ln_tool_run_list_free(out);
	return s;
}
