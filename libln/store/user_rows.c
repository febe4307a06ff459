#include "store/user_rows.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <ln/json.h>

#include "store/stmt.h"

#include "base/banned.h"

#define COLUMN_NAME_MAX 64
#define PIECE ((size_t)256 * 1024)

/*
 * The column's name says how it is written: ..._ms a time, is_... a truth
 * value, ..._json what the text holds, ..._base64 bytes.  Hashes and sealed values stay here.
 */
static const struct {
	const char *name;
	const char *sql;
} lists[] = {
	{ "account",
	    "SELECT id, username, email, full_name, role, created_ms,"
	    " last_login_ms FROM user WHERE id = ?1" },
	{ "picture",
	    "SELECT type, bytes AS bytes_base64 FROM user_picture"
	    " WHERE user_id = ?1" },
	{ "settings",
	    "SELECT name, value FROM user_setting"
	    " WHERE user_id = ?1 AND is_sealed = 0 ORDER BY name" },
	{ "groups",
	    "SELECT id, title, position, created_ms FROM conversation_group"
	    " WHERE user_id = ?1 ORDER BY position, id" },
	{ "projects",
	    "SELECT id, title, description, created_ms FROM project"
	    " WHERE user_id = ?1 ORDER BY created_ms, id" },
	{ "documents",
	    /* What was read is in passages, which overlap by some bytes. */
	    "SELECT d.id, d.project_id, d.filename, coalesce((SELECT"
	    " group_concat(CAST(substr(CAST(k.text AS BLOB), k.overlap + 1)"
	    " AS TEXT), '') FROM (SELECT text, overlap FROM chunk"
	    "  WHERE document_id = d.id ORDER BY position) k), d.content)"
	    " AS content, d.created_ms"
	    " FROM document d JOIN project p ON p.id = d.project_id"
	    " WHERE p.user_id = ?1 ORDER BY d.id" },
	{ "conversations",
	    "SELECT id, title, provider, model, system_prompt, temperature,"
	    " project_id, group_id, forked_from, forked_at_message,"
	    " fork_root,"
	    " (SELECT json_group_array(t.tag) FROM conversation_tag t"
	    "  WHERE t.conversation_id = c.id) AS tags_json,"
	    " archived_ms, pinned_ms, total_tokens, created_ms, updated_ms"
	    " FROM conversation c WHERE user_id = ?1 ORDER BY created_ms, id" },
	{ "messages",
	    "SELECT m.id, m.conversation_id, m.role, m.state, m.content,"
	    " i.images AS images_json, m.provider, m.model, m.finish_reason,"
	    " m.tokens, m.prompt_tokens, m.duration_ms / 1000.0 AS seconds,"
	    " m.is_estimated, m.pinned_ms, m.created_ms, m.thinking,"
	    " m.error"
	    " FROM conversation c JOIN message m ON m.conversation_id = c.id"
	    " LEFT JOIN message_image i ON i.message_id = m.id"
	    " WHERE c.user_id = ?1 ORDER BY c.created_ms, c.id, m.id" },
	{ "tool_runs",
	    "SELECT r.id, r.message_id, r.round, r.name, r.arguments, r.state,"
	    " r.result, r.created_ms, r.ended_ms"
	    " FROM conversation c JOIN message m ON m.conversation_id = c.id"
	    " JOIN tool_run r ON r.message_id = m.id"
	    " WHERE c.user_id = ?1 ORDER BY r.id" },
	{ "prompts",
	    "SELECT id, title, content, created_ms FROM prompt"
	    " WHERE user_id = ?1 ORDER BY id" },
	{ "tools",
	    "SELECT id, name, description, definition, is_enabled, asks_first,"
	    " created_ms FROM tool WHERE user_id = ?1 ORDER BY name" },
};

const size_t lni_user_lists_count = sizeof(lists) / sizeof(lists[0]);

const char *
lni_user_list_name(size_t list)
{
	return lists[list].name;
}

static bool
ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n > m && strcmp(name + n - m, end) == 0;
}

/* "created_ms" is written as "created", "images_json" as "images",
 * "bytes_base64" as "bytes". */
static void
cut_ending(const char *name, char out[COLUMN_NAME_MAX])
{
	size_t n = strlen(name);

	if (ends_with(name, "_ms"))
		n -= strlen("_ms");
	else if (ends_with(name, "_json"))
		n -= strlen("_json");
	else if (ends_with(name, "_base64"))
		n -= strlen("_base64");
	if (n >= COLUMN_NAME_MAX)
		n = COLUMN_NAME_MAX - 1;
	memcpy(out, name, n);
	out[n] = '\0';
}

/* JSON that the row holds; what cannot be read is kept as text. */
static enum ln_status
write_json(struct ln_jw *w, const char *name, const char *text, size_t n)
{
	const struct ln_json_opts opts = { .size = sizeof(opts),
		.values_max = 1000000, .allow_duplicates = true };
	struct ln_json *root = NULL;
	enum ln_status s;

	s = ln_json_parse(text, n, &opts, &root, NULL);
	if (s == LN_OK)
		ln_jw_node(w, name, root);
	else if (s != LN_NOMEM)
		ln_jw_stringn(w, name, text, n);
	ln_json_free(root);
	return s == LN_NOMEM ? s : LN_OK;
}

static enum ln_status
write_bytes(struct ln_jw *w, const char *name, const void *p, size_t n)
{
	size_t size = sodium_base64_encoded_len(n,
	    sodium_base64_VARIANT_ORIGINAL);
	char *text;

	if ((text = malloc(size)) == NULL)
		return LN_NOMEM;
	(void)sodium_bin2base64(text, size, p, n,
	    sodium_base64_VARIANT_ORIGINAL);
	ln_jw_string(w, name, text);
	free(text);
	return LN_OK;
}

static enum ln_status
write_column(struct lni_stmt *q, int i, struct ln_jw *w)
{
	const char *column = sqlite3_column_name(q->handle, i);
	char name[COLUMN_NAME_MAX];
	const char *text;
	const void *bytes;
	size_t n;

	if (column == NULL)
		return LN_NOMEM;
	cut_ending(column, name);
	if (ends_with(column, "_ms")) {
		ln_jw_time(w, name, lni_col_int(q, i));
		return LN_OK;
	}
	switch (sqlite3_column_type(q->handle, i)) {
	case SQLITE_INTEGER:
		if (strncmp(column, "is_", 3) == 0)
			ln_jw_bool(w, name, lni_col_int(q, i) != 0);
		else
			ln_jw_int(w, name, lni_col_int(q, i));
		return LN_OK;
	case SQLITE_FLOAT:
		ln_jw_number(w, name, lni_col_double(q, i));
		return LN_OK;
	case SQLITE_TEXT:
		if ((text = lni_col_text(q, i)) == NULL)
			return LN_NOMEM;
		n = (size_t)sqlite3_column_bytes(q->handle, i);
		if (ends_with(column, "_json"))
			return write_json(w, name, text, n);
		ln_jw_stringn(w, name, text, n);
		return LN_OK;
	case SQLITE_BLOB:
		bytes = lni_col_blob(q, i, &n);
		return write_bytes(w, name, bytes, n);
	default:
		ln_jw_null(w, name);
		return LN_OK;
	}
}

static enum ln_status
write_row(struct lni_stmt *q, struct ln_buf *out, struct ln_error *err)
{
	struct ln_jw *w = ln_jw_new();
	enum ln_status s = LN_OK;
	int i;

	ln_jw_object(w, NULL);
	for (i = 0; i < sqlite3_column_count(q->handle) && s == LN_OK; i++)
		s = write_column(q, i, w);
	if (s == LN_OK)
		s = ln_jw_print(w, false, out);
	ln_jw_free(w);
	if (s != LN_OK)
		return ln_fail(err, s, "", "a row of a user's export");
	return LN_OK;
}

/* Give away what has come together, when it is enough or the end. */
static enum ln_status
flush(struct ln_buf *out, size_t enough, lni_rows_fn *fn, void *arg,
    struct ln_error *err)
{
	enum ln_status s;

	if ((s = ln_buf_status(out)) != LN_OK)
		return ln_fail(err, s, "", "a row of a user's export");
	if (out->len < enough)
		return LN_OK;
	s = fn(arg, ln_buf_str(out), out->len, err);
	ln_buf_clear(out);
	return s;
}

enum ln_status
lni_user_rows(struct ln_store *st, const char *user_id, size_t list,
    struct ln_buf *out, lni_rows_fn *fn, void *arg, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;
	bool is_first = true;

	if ((s = lni_stmt_get(&q, st, lists[list].sql, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	ln_buf_putc(out, '[');
	while ((s = lni_stmt_row(&q, err)) == LN_OK) {
		ln_buf_puts(out, is_first ? "\n" : ",\n");
		is_first = false;
		if ((s = write_row(&q, out, err)) != LN_OK ||
		    (s = flush(out, PIECE, fn, arg, err)) != LN_OK)
			break;
	}
	lni_stmt_put(&q);
	if (s != LN_NOT_FOUND)
		return s;
	ln_buf_putc(out, ']');
	return flush(out, 1, fn, arg, err);
}
