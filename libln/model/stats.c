#include <ln/user.h>

#include <string.h>

#include "model/user.h"
#include "store/stmt.h"

#include "base/banned.h"

/* Counting is the one thing in model/ that reads across families: it changes
 * nothing and knows only who owns a row. */
static const char SQL_USER[] =
    "SELECT (SELECT count(*) FROM conversation WHERE user_id = user.id),"
    " (SELECT count(*) FROM conversation"
    "  JOIN message ON message.conversation_id = conversation.id"
    "  WHERE conversation.user_id = user.id),"
    " (SELECT coalesce(sum(total_tokens), 0) FROM conversation"
    "  WHERE user_id = user.id)"
    " FROM user WHERE id = ?1";

const char *const lni_stats_sql[] = { SQL_USER };
const size_t lni_stats_sql_count =
    sizeof(lni_stats_sql) / sizeof(lni_stats_sql[0]);

enum ln_status
ln_user_stats(struct ln_store *st, const char *id, struct ln_user_stats *out,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	memset(out, 0, sizeof(*out));
	if ((s = lni_stmt_get(&q, st, SQL_USER, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, id);
	if ((s = lni_stmt_row(&q, err)) == LN_OK) {
		out->conversation_count = lni_col_int(&q, 0);
		out->message_count = lni_col_int(&q, 1);
		out->total_tokens = lni_col_int(&q, 2);
	}
	lni_stmt_put(&q);
	return s;
}
