#include "store/search.h"

#include "store/stmt.h"

#include "base/banned.h"

static const char SQL_PENDING[] = "SELECT 1 FROM search_queue LIMIT 1";

/* A command makes FTS5 obey it; without one the row is added.  In order: a
 * message may come, change and go within one transaction. */
static const char SQL_APPLY[] =
    "INSERT INTO message_fts(message_fts, rowid, content)"
    " SELECT command, message_id, content FROM search_queue ORDER BY seq";

static const char SQL_CLEAR[] = "DELETE FROM search_queue";

static const char SQL_CHUNK_PENDING[] = "SELECT 1 FROM chunk_queue LIMIT 1";

/* Of chunks only what goes is noted. */
static const char SQL_CHUNK_APPLY[] =
    "INSERT INTO chunk_fts(chunk_fts, rowid, text)"
    " SELECT 'delete', chunk_id, text FROM chunk_queue ORDER BY seq";

static const char SQL_CHUNK_CLEAR[] = "DELETE FROM chunk_queue";

static enum ln_status
settle(struct ln_store *st, const char *pending, const char *apply,
    const char *clear, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, pending, err)) != LN_OK)
		return s;
	s = lni_stmt_row(&q, err);
	lni_stmt_put(&q);
	if (s != LN_OK)
		return s == LN_NOT_FOUND ? LN_OK : s;
	if ((s = lni_exec(st, apply, err)) != LN_OK)
		return s;
	return lni_exec(st, clear, err);
}

enum ln_status
lni_search_settle(struct ln_store *st, struct ln_error *err)
{
	enum ln_status s;

	if ((s = settle(st, SQL_PENDING, SQL_APPLY, SQL_CLEAR, err)) != LN_OK)
		return s;
	return settle(st, SQL_CHUNK_PENDING, SQL_CHUNK_APPLY,
	    SQL_CHUNK_CLEAR, err);
}
