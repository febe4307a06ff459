#include "store/foreign.h"

#include "store/ours.h"

#include "base/banned.h"

/*
 * Our own tables as an import reads them, parents first.  The number is the
 * schema that brought the column.  Left out: sign-ins, reset tokens, mails,
 * running answers, files that wait to be read, the audit log, the search
 * indexes, vectors.
 */

#define COLS(a) a, sizeof(a) / sizeof((a)[0])

static const struct lni_col user[] = {
	{ "id", LNI_COL_ID, 1 },
	{ "username", LNI_COL_NAME, 1 },
	{ "username_key", LNI_COL_TEXT, 1 },
	{ "email", LNI_COL_LINE, 1 },
	{ "email_key", LNI_COL_TEXT, 1 },
	{ "full_name", LNI_COL_LINE, 1 },
	{ "role", LNI_COL_TEXT, 1 },
	{ "password_hash", LNI_COL_TEXT, 1 },
	{ "blocked_ms", LNI_COL_INT, 1 },
	{ "blocked_until_ms", LNI_COL_INT, 1 },
	{ "blocked_reason", LNI_COL_TEXT, 1 },
	{ "created_ms", LNI_COL_INT, 1 },
	{ "last_login_ms", LNI_COL_INT, 1 },
};

static const struct lni_col user_picture[] = {
	{ "user_id", LNI_COL_ID, 1 },
	{ "type", LNI_COL_TEXT, 1 },
	{ "bytes", LNI_COL_BLOB, 1 },
};

static const struct lni_col setting[] = {
	{ "name", LNI_COL_NAME, 1 },
	{ "value", LNI_COL_TEXT, 1 },
	{ "is_sealed", LNI_COL_INT, 1 },
};

static const struct lni_col user_setting[] = {
	{ "user_id", LNI_COL_ID, 1 },
	{ "name", LNI_COL_NAME, 1 },
	{ "value", LNI_COL_TEXT, 1 },
	{ "is_sealed", LNI_COL_INT, 1 },
};

static const struct lni_col project[] = {
	{ "id", LNI_COL_ID, 1 },
	{ "user_id", LNI_COL_ID, 1 },
	{ "title", LNI_COL_LINE, 1 },
	{ "description", LNI_COL_TEXT, 1 },
	{ "created_ms", LNI_COL_INT, 1 },
};

static const struct lni_col document[] = {
	{ "id", LNI_COL_ROWID, 1 },
	{ "project_id", LNI_COL_ID, 1 },
	{ "filename", LNI_COL_NAME, 1 },
	{ "content", LNI_COL_TEXT, 1 },
	{ "created_ms", LNI_COL_INT, 1 },
	{ "state", LNI_COL_TEXT, 7 },
	{ "reason", LNI_COL_TEXT, 7 },
	{ "type", LNI_COL_LINE, 7 },
	{ "bytes", LNI_COL_INT, 7 },
	{ "chunk_count", LNI_COL_INT, 7 },
	{ "page_count", LNI_COL_INT, 7 },
	{ "source_url", LNI_COL_LINE, 7 },
};

static const struct lni_col chunk[] = {
	{ "id", LNI_COL_ROWID, 7 },
	{ "document_id", LNI_COL_ROWID, 7 },
	{ "position", LNI_COL_INT, 7 },
	{ "page", LNI_COL_INT, 7 },
	{ "line", LNI_COL_INT, 7 },
	{ "overlap", LNI_COL_INT, 7 },
	{ "text", LNI_COL_TEXT, 7 },
};

static const struct lni_col conversation_group[] = {
	{ "id", LNI_COL_ID, 1 },
	{ "user_id", LNI_COL_ID, 1 },
	{ "title", LNI_COL_LINE, 1 },
	{ "position", LNI_COL_INT, 1 },
	{ "created_ms", LNI_COL_INT, 1 },
};

static const struct lni_col conversation[] = {
	{ "id", LNI_COL_ID, 1 },
	{ "user_id", LNI_COL_ID, 1 },
	{ "title", LNI_COL_LINE, 1 },
	{ "provider", LNI_COL_LINE, 1 },
	{ "model", LNI_COL_LINE, 1 },
	{ "system_prompt", LNI_COL_TEXT, 1 },
	{ "temperature", LNI_COL_REAL, 1 },
	{ "project_id", LNI_COL_ID, 1 },
	{ "group_id", LNI_COL_ID, 1 },
	{ "forked_from", LNI_COL_ID, 1 },
	{ "forked_at_message", LNI_COL_INT, 1 },
	{ "archived_ms", LNI_COL_INT, 1 },
	{ "pinned_ms", LNI_COL_INT, 1 },
	{ "total_tokens", LNI_COL_INT, 1 },
	{ "created_ms", LNI_COL_INT, 1 },
	{ "updated_ms", LNI_COL_INT, 1 },
	{ "fork_root", LNI_COL_ID, 9 },
};

static const struct lni_col conversation_tag[] = {
	{ "conversation_id", LNI_COL_ID, 1 },
	{ "tag", LNI_COL_LINE, 1 },
};

static const struct lni_col message[] = {
	{ "id", LNI_COL_ROWID, 1 },
	{ "conversation_id", LNI_COL_ID, 1 },
	{ "role", LNI_COL_TEXT, 1 },
	{ "state", LNI_COL_TEXT, 1 },
	{ "content", LNI_COL_TEXT, 1 },
	{ "provider", LNI_COL_LINE, 1 },
	{ "model", LNI_COL_LINE, 1 },
	{ "finish_reason", LNI_COL_LINE, 1 },
	{ "tokens", LNI_COL_INT, 1 },
	{ "prompt_tokens", LNI_COL_INT, 1 },
	{ "duration_ms", LNI_COL_INT, 1 },
	{ "is_estimated", LNI_COL_INT, 1 },
	{ "pinned_ms", LNI_COL_INT, 1 },
	{ "created_ms", LNI_COL_INT, 1 },
	{ "thinking", LNI_COL_TEXT, 4 },
	{ "sources", LNI_COL_TEXT, 7 },
	{ "error", LNI_COL_LINE, 10 },
};

static const struct lni_col tool_run[] = {
	{ "id", LNI_COL_ROWID, 4 },
	{ "message_id", LNI_COL_ROWID, 4 },
	{ "round", LNI_COL_INT, 4 },
	{ "name", LNI_COL_TEXT, 4 },
	{ "arguments", LNI_COL_TEXT, 4 },
	{ "state", LNI_COL_TEXT, 4 },
	{ "result", LNI_COL_TEXT, 4 },
	{ "created_ms", LNI_COL_INT, 4 },
	{ "ended_ms", LNI_COL_INT, 4 },
};

static const struct lni_col message_image[] = {
	{ "message_id", LNI_COL_ROWID, 1 },
	{ "images", LNI_COL_TEXT, 1 },
};

static const struct lni_col prompt[] = {
	{ "id", LNI_COL_ROWID, 1 },
	{ "user_id", LNI_COL_ID, 1 },
	{ "title", LNI_COL_LINE, 1 },
	{ "content", LNI_COL_TEXT, 1 },
	{ "created_ms", LNI_COL_INT, 1 },
};

static const struct lni_col tool[] = {
	{ "id", LNI_COL_ID, 1 },
	{ "user_id", LNI_COL_ID, 1 },
	{ "name", LNI_COL_NAME, 1 },
	{ "description", LNI_COL_TEXT, 1 },
	{ "definition", LNI_COL_TEXT, 1 },
	{ "is_enabled", LNI_COL_INT, 1 },
	{ "created_ms", LNI_COL_INT, 1 },
	{ "asks_first", LNI_COL_INT, 5 },
	{ "sealed_headers", LNI_COL_TEXT, 5 },
};

const struct lni_table lni_our_tables[] = {
	[LNI_OUR_USER] = { "user", COLS(user), 1, true },
	[LNI_OUR_PICTURE] = { "user_picture", COLS(user_picture), 1, true },
	[LNI_OUR_SETTING] = { "setting", COLS(setting), 1, false },
	[LNI_OUR_USER_SETTING] = { "user_setting", COLS(user_setting), 1,
	    false },
	[LNI_OUR_PROJECT] = { "project", COLS(project), 1, true },
	[LNI_OUR_DOCUMENT] = { "document", COLS(document), 1, true },
	[LNI_OUR_CHUNK] = { "chunk", COLS(chunk), 7, true },
	[LNI_OUR_GROUP] = { "conversation_group", COLS(conversation_group),
	    1, true },
	[LNI_OUR_CONVERSATION] = { "conversation", COLS(conversation), 1,
	    true },
	[LNI_OUR_TAG] = { "conversation_tag", COLS(conversation_tag), 1,
	    false },
	[LNI_OUR_MESSAGE] = { "message", COLS(message), 1, true },
	[LNI_OUR_IMAGE] = { "message_image", COLS(message_image), 1, true },
	[LNI_OUR_TOOL_RUN] = { "tool_run", COLS(tool_run), 4, true },
	[LNI_OUR_PROMPT] = { "prompt", COLS(prompt), 1, true },
	[LNI_OUR_TOOL] = { "tool", COLS(tool), 1, true },
	{ NULL, NULL, 0, 0, false },
};
