#include "model/search.h"

#include "store/stmt.h"

#include "base/banned.h"

/* 48 words: a paragraph.  FTS5 allows 64. */
static const char SQL_MESSAGES[] =
    "SELECT c.id, c.title, m.role, m.created_ms,"
    " snippet(message_fts, 0, '', '', '\xe2\x80\xa6', 48)"
    " FROM message_fts JOIN message m ON m.id = message_fts.rowid"
    " JOIN conversation c ON c.id = m.conversation_id"
    " WHERE message_fts MATCH ?1 AND c.user_id = ?2"
    " AND m.role IN ('user', 'assistant')"
    " AND NOT (c.id IS ?3 AND m.id >= ?4)"
    " AND m.content <> ?5"
    " AND NOT (m.role = 'assistant' AND m.provider IS ?6)"
    " ORDER BY bm25(message_fts), m.id DESC LIMIT ?7";

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
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_MESSAGES, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, search->query);
	lni_bind_text(&q, 2, search->user_id);
	lni_bind_text(&q, 3, search->skip_conversation_id);
	lni_bind_int(&q, 4, search->skip_from_id);
	lni_bind_text(&q, 5, search->skip_text);
	lni_bind_text(&q, 6, search->skip_provider);
	lni_bind_int(&q, 7, search->limit);
	while ((s = lni_stmt_row(&q, err)) == LN_OK) {
		if ((s = visit(&q, fn, arg, err)) != LN_OK)
			break;
	}
	lni_stmt_put(&q);
	return s == LN_NOT_FOUND ? LN_OK : s;
}
