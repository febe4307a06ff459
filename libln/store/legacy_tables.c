#include "store/legacy.h"

#include "base/banned.h"

/*
 * The legacy program's tables and columns.  1: the row means nothing without
 * it.  Columns came over time, so all others may be missing.  The order is
 * that of the enums in legacy.h.
 */

#define COLS(a) a, sizeof(a) / sizeof((a)[0])

static const struct lni_col users[] = {
	{ "id", LNI_COL_ID, 1 },
	{ "username", LNI_COL_NAME, 1 },
	{ "password_hash", LNI_COL_TEXT, 0 },
	{ "email", LNI_COL_TEXT, 0 },
	{ "full_name", LNI_COL_LINE, 0 },
	{ "profile_pic", LNI_COL_TEXT, 0 },
	{ "created_at", LNI_COL_TIME, 0 },
	{ "role", LNI_COL_TEXT, 0 },
	{ "blocked", LNI_COL_FLAG, 0 },
};

static const struct lni_col sessions[] = {
	{ "id", LNI_COL_ID, 1 },
	{ "title", LNI_COL_LINE, 0 },
	{ "model", LNI_COL_LINE, 0 },
	{ "system_prompt", LNI_COL_TEXT, 0 },
	{ "project_id", LNI_COL_ID, 0 },
	{ "timestamp", LNI_COL_TIME, 0 },
	{ "images", LNI_COL_TEXT, 0 },
	{ "archived", LNI_COL_FLAG, 0 },
	{ "pinned", LNI_COL_FLAG, 0 },
	{ "group_id", LNI_COL_ID, 0 },
	{ "user_id", LNI_COL_ID, 0 },
	{ "total_tokens", LNI_COL_INT, 0 },
	{ "forked_from", LNI_COL_ID, 0 },
};

static const struct lni_col messages[] = {
	{ "id", LNI_COL_ROWID, 1 },
	{ "session_id", LNI_COL_ID, 1 },
	{ "role", LNI_COL_TEXT, 1 },
	{ "content", LNI_COL_TEXT, 1 },
	{ "images", LNI_COL_TEXT, 0 },
	{ "timestamp", LNI_COL_TIME, 0 },
	{ "pinned", LNI_COL_FLAG, 0 },
};

static const struct lni_col prompts[] = {
	{ "id", LNI_COL_ROWID, 1 },
	{ "title", LNI_COL_LINE, 0 },
	{ "content", LNI_COL_TEXT, 1 },
};

static const struct lni_col settings[] = {
	{ "key", LNI_COL_NAME, 1 },
	{ "value", LNI_COL_TEXT, 1 },
};

static const struct lni_col projects[] = {
	{ "id", LNI_COL_ID, 1 },
	{ "title", LNI_COL_LINE, 0 },
	{ "description", LNI_COL_TEXT, 0 },
	{ "created_at", LNI_COL_TIME, 0 },
	{ "user_id", LNI_COL_ID, 0 },
};

static const struct lni_col project_documents[] = {
	{ "id", LNI_COL_ROWID, 1 },
	{ "project_id", LNI_COL_ID, 1 },
	{ "filename", LNI_COL_NAME, 0 },
	{ "content", LNI_COL_TEXT, 1 },
};

static const struct lni_col doc_embeddings[] = {
	{ "id", LNI_COL_IGNORED, 0 },
	{ "document_id", LNI_COL_IGNORED, 0 },
	{ "chunk_index", LNI_COL_IGNORED, 0 },
	{ "embedding", LNI_COL_IGNORED, 0 },
};

static const struct lni_col groups[] = {
	{ "id", LNI_COL_ID, 1 },
	{ "title", LNI_COL_LINE, 0 },
	{ "sort_order", LNI_COL_INT, 0 },
};

static const struct lni_col session_tags[] = {
	{ "session_id", LNI_COL_ID, 1 },
	{ "tag", LNI_COL_TEXT, 1 },
};

static const struct lni_col tools[] = {
	{ "id", LNI_COL_ID, 1 },
	{ "name", LNI_COL_NAME, 1 },
	{ "description", LNI_COL_TEXT, 0 },
	{ "definition", LNI_COL_TEXT, 1 },
	{ "is_global", LNI_COL_FLAG, 0 },
	{ "user_id", LNI_COL_ID, 0 },
	{ "created_at", LNI_COL_TIME, 0 },
	{ "enabled", LNI_COL_FLAG, 0 },
};

static const struct lni_col user_settings[] = {
	{ "user_id", LNI_COL_ID, 1 },
	{ "key", LNI_COL_NAME, 1 },
	{ "value", LNI_COL_TEXT, 1 },
};

static const struct lni_col password_reset_tokens[] = {
	{ "id", LNI_COL_IGNORED, 0 },
	{ "user_id", LNI_COL_IGNORED, 0 },
	{ "token", LNI_COL_IGNORED, 0 },
	{ "expires_at", LNI_COL_IGNORED, 0 },
	{ "used", LNI_COL_IGNORED, 0 },
	{ "created_at", LNI_COL_IGNORED, 0 },
};

const struct lni_table lni_legacy_tables[] = {
	[LNI_LEGACY_USERS] = { "users", COLS(users), 0, true },
	[LNI_LEGACY_SESSIONS] = { "sessions", COLS(sessions), 0, true },
	[LNI_LEGACY_MESSAGES] = { "messages", COLS(messages), 0, true },
	[LNI_LEGACY_PROMPTS] = { "prompts", COLS(prompts), 0, true },
	[LNI_LEGACY_SETTINGS] = { "settings", COLS(settings), 0, true },
	[LNI_LEGACY_PROJECTS] = { "projects", COLS(projects), 0, true },
	[LNI_LEGACY_DOCUMENTS] = { "project_documents",
	    COLS(project_documents), 0, true },
	[LNI_LEGACY_EMBEDDINGS] = { "doc_embeddings", COLS(doc_embeddings),
	    0, true },
	[LNI_LEGACY_GROUPS] = { "groups", COLS(groups), 0, true },
	[LNI_LEGACY_TAGS] = { "session_tags", COLS(session_tags), 0, true },
	[LNI_LEGACY_TOOLS] = { "tools", COLS(tools), 0, true },
	[LNI_LEGACY_USER_SETTINGS] = { "user_settings", COLS(user_settings),
	    0, true },
	[LNI_LEGACY_RESET_TOKENS] = { "password_reset_tokens",
	    COLS(password_reset_tokens), 0, true },
	{ NULL, NULL, 0, 0, false },
};
