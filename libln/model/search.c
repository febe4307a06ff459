#include "model/search.h"

#include "model/find.h"
#include "store/stmt.h"

#include "base/banned.h"

/* 48 words: a paragraph.  FTS5 allows 64.  Ranked are the latest that match:
 * with common words that is enough, and bounded.  The ranges are the
 * person's own (model/find.h); the owner is asked for once more all the same. */
static const char SQL_MESSAGES[] =
    "SELECT c.id, c.title, m.role, m.created_ms, f.text FROM (SELECT"
    " message_fts.rowid AS id, ln_bm25(message_fts, NULL) AS rank,"
    " snippet(message_fts, 0, '', '', '\xe2\x80\xa6', 48) AS text"
    " FROM message_fts WHERE message_fts MATCH ?1"
    " AND message_fts.rowid BETWEEN ?8 AND ?9"
    " ORDER BY message_fts.rowid DESC LIMIT 200) f"
    " CROSS JOIN search_doc d ON d.id = f.id"
    " JOIN message m ON m.id = d.message_id"
    " JOIN conversation c ON c.id = m.conversation_id"
    " WHERE c.user_id = ?2"
    " AND NOT (c.id IS ?3 AND m.id >= ?4)"
    " AND m.content <> ?5"
    " AND NOT (m.role = 'assistant' AND m.provider IS ?6)"
    " ORDER BY f.rank DESC, m.id DESC LIMIT ?7";

const char *const lni_search_sql[] = { SQL_MESSAGES };
const size_t lni_search_sql_count =
    sizeof(lni_search_sql) / sizeof(lni_search_sql[0]);

static enum ln_status
visit(struct lni_stmt *q, lni_passage_fn *fn, void *arg, struct ln_error *err)
{
	const char *role = lni_col_text(q, 2);
	struct lni_passage p = { .role = LN_MESSAGE_USER };

	p.conversation_id = lni_col_text(q, 0);
	p.source = lni_col_text(q, 1);
	p.at_ms = lni_col_int(q, 3);
	p.text = lni_col_text(q, 4);
	if (p.conversation_id == NULL || p.source == NULL || p.text == NULL)
		return ln_fail(err, LN_NOMEM, "", "search row");
	if (role == NULL || !ln_message_role_parse(role, &p.role))
		return ln_fail(err, LN_CORRUPT, "", "message role");
	return fn(arg, &p, err);
}

enum ln_status
lni_search_messages(struct ln_store *st, const struct lni_search *search,
    lni_passage_fn *fn, void *arg, struct ln_error *err)
{
	struct lni_find_range messages, titles;
	struct lni_stmt q;
	enum ln_status s;

	s = lni_find_ranges(st, search->user_id, &messages, &titles, err);
	if (s != LN_OK)
		return s == LN_NOT_FOUND ? LN_OK : s;
	if ((s = lni_stmt_get(&q, st, SQL_MESSAGES, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, search->query);
	lni_bind_text(&q, 2, search->user_id);
	lni_bind_text(&q, 3, search->skip_conversation_id);
	lni_bind_int(&q, 4, search->skip_from_id);
	lni_bind_text(&q, 5, search->skip_text);
	lni_bind_text(&q, 6, search->skip_provider);
	lni_bind_int(&q, 7, search->limit);
	lni_bind_int(&q, 8, messages.low);
	lni_bind_int(&q, 9, messages.high);
	while ((s = lni_stmt_row(&q, err)) == LN_OK) {
		if ((s = visit(&q, fn, arg, err)) != LN_OK)
			break;
	}
	lni_stmt_put(&q);
	return s == LN_NOT_FOUND ? LN_OK : s;
}
