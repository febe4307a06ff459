#include "store/search.h"

#include <ln/search.h>

#include "store/stmt.h"

#include "base/banned.h"

static const char SQL_PENDING[] = "SELECT 1 FROM search_queue LIMIT 1";

/* A command makes FTS5 obey it; without one the row is added. */
static const char SQL_APPLY_WORDS[] =
    "INSERT INTO message_fts(message_fts, rowid, content)"
    " SELECT command, doc_id, content FROM search_queue"
    " ORDER BY doc_id, seq";
/* Padded as the view search_text_padded has it. */
static const char SQL_APPLY_PARTS[] =
    "INSERT INTO message_fts_tri(message_fts_tri, rowid, content)"
    " SELECT command, doc_id, content || char(10, 10) FROM search_queue"
    " ORDER BY doc_id, seq";

static const char SQL_CLEAR[] = "DELETE FROM search_queue";

static const char SQL_CHUNK_PENDING[] = "SELECT 1 FROM chunk_queue LIMIT 1";

/* Of chunks only what goes is noted. */
static const char SQL_CHUNK_APPLY[] =
    "INSERT INTO chunk_fts(chunk_fts, rowid, text)"
    " SELECT 'delete', chunk_id, text FROM chunk_queue ORDER BY seq";

static const char SQL_CHUNK_CLEAR[] = "DELETE FROM chunk_queue";

/* From nothing, as migration 0008 does. */
static const char SQL_NO_DOCS[] = "DELETE FROM search_doc";
static const char SQL_OWNERS[] =
    "INSERT INTO search_owner(user_id) SELECT id FROM user u"
    " WHERE NOT EXISTS (SELECT 1 FROM search_owner WHERE user_id = u.id)";
static const char SQL_MESSAGES[] =
    "INSERT INTO search_doc(id, message_id, role, model, created_ms)"
    " SELECT (o.number << 40) + row_number() OVER (ORDER BY m.id),"
    " m.id, m.role, m.model, m.created_ms"
    " FROM message m CROSS JOIN conversation c ON c.id = m.conversation_id"
    " CROSS JOIN search_owner o ON o.user_id = c.user_id"
    " WHERE m.state <> 'streaming' AND m.role IN ('user', 'assistant')";
static const char SQL_TITLES[] =
    "INSERT INTO search_doc(id, conversation_id, created_ms)"
    " SELECT (o.number << 40) + 549755813888 + row_number() OVER"
    " (ORDER BY c.created_ms, c.id), c.id, c.created_ms"
    " FROM conversation c CROSS JOIN search_owner o ON o.user_id = c.user_id";
static const char SQL_WORDS[] =
    "INSERT INTO message_fts(message_fts) VALUES ('rebuild')";
static const char SQL_PARTS[] =
    "INSERT INTO message_fts_tri(message_fts_tri) VALUES ('rebuild')";
static const char SQL_CHUNKS[] =
    "INSERT INTO chunk_fts(chunk_fts) VALUES ('rebuild')";

static enum ln_status
run_all(struct ln_store *st, const char *const *sql, size_t n,
    struct ln_error *err)
{
	enum ln_status s = LN_OK;
	size_t i;

	for (i = 0; s == LN_OK && i < n; i++)
		s = lni_exec(st, sql[i], err);
	return s;
}

static enum ln_status
settle(struct ln_store *st, const char *pending, const char *const *steps,
    size_t n, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, pending, err)) != LN_OK)
		return s;
	s = lni_stmt_row(&q, err);
	lni_stmt_put(&q);
	if (s != LN_OK)
		return s == LN_NOT_FOUND ? LN_OK : s;
	return run_all(st, steps, n, err);
}

enum ln_status
lni_search_settle(struct ln_store *st, struct ln_error *err)
{
	static const char *const messages[] = { SQL_APPLY_WORDS,
		SQL_APPLY_PARTS, SQL_CLEAR };
	static const char *const chunks[] = { SQL_CHUNK_APPLY,
		SQL_CHUNK_CLEAR };
	enum ln_status s;

	if ((s = settle(st, SQL_PENDING, messages, 3, err)) != LN_OK)
		return s;
	return settle(st, SQL_CHUNK_PENDING, chunks, 2, err);
}

enum ln_status
ln_search_rebuild(struct ln_store *st, struct ln_error *err)
{
	static const char *const steps[] = { SQL_CLEAR,
		SQL_CHUNK_CLEAR, SQL_NO_DOCS, SQL_OWNERS, SQL_MESSAGES,
		SQL_TITLES, SQL_WORDS, SQL_PARTS, SQL_CHUNKS };
	enum ln_status s;

	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	s = run_all(st, steps, sizeof(steps) / sizeof(steps[0]), err);
	return lni_tx_end(st, s, err);
}
