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

enum ln_status
lni_search_settle(struct ln_store *st, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_PENDING, err)) != LN_OK)
		return s;
	s = lni_stmt_row(&q, err);
	lni_stmt_put(&q);
	if (s != LN_OK)
		return s == LN_NOT_FOUND ? LN_OK : s;
	if ((s = lni_exec(st, SQL_APPLY, err)) != LN_OK)
		return s;
	return lni_exec(st, SQL_CLEAR, err);
}
