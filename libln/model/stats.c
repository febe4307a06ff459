#include <ln/stats.h>

#include <stdlib.h>
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

/* What a fork copied is older than the fork. */
#define OWN " AND (c.forked_from IS NULL OR m.created_ms >= c.created_ms)"

static const char SQL_MODELS[] =
    "SELECT m.model, count(*), sum(m.tokens) FROM conversation c"
    " JOIN message m ON m.conversation_id = c.id"
    " WHERE c.user_id = ?1 AND m.role = 'assistant'" OWN
    " GROUP BY m.model ORDER BY 3 DESC, 1 LIMIT ?2";

/* A message makes its conversation at least as new as itself. */
static const char SQL_DAYS[] =
    "SELECT (m.created_ms - ?2) / 86400000, count(*), sum(m.tokens)"
    " FROM conversation c JOIN message m ON m.conversation_id = c.id"
    " WHERE c.user_id = ?1 AND c.updated_ms >= ?2 AND m.created_ms >= ?2" OWN
    " GROUP BY 1";

const char *const lni_stats_sql[] = { SQL_USER, SQL_MODELS, SQL_DAYS };
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

void
ln_stats_clear(struct ln_stats *s)
{
	size_t i;

	for (i = 0; i < s->model_count; i++)
		free(s->models[i].model);
	s->model_count = 0;
}

static enum ln_status
read_models(struct ln_store *st, const char *user_id, struct ln_stats *out,
    struct ln_error *err)
{
	struct ln_stats_model *m;
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_MODELS, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_int(&q, 2, LN_STATS_MODEL_MAX);
	while ((s = lni_stmt_row(&q, err)) == LN_OK) {
		m = &out->models[out->model_count++];
		m->model = lni_col_dup(&q, 0, &s);
		m->answer_count = lni_col_int(&q, 1);
		m->tokens = lni_col_int(&q, 2);
		if (s != LN_OK) {
			(void)ln_fail(err, s, "", "model of answers");
			break;
		}
	}
	lni_stmt_put(&q);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

static enum ln_status
read_days(struct ln_store *st, const char *user_id, struct ln_stats *out,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;
	int64_t day;

	if ((s = lni_stmt_get(&q, st, SQL_DAYS, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_int(&q, 2, out->days[0].start_ms);
	while ((s = lni_stmt_row(&q, err)) == LN_OK) {
		day = lni_col_int(&q, 0);
		if (day < 0 || day >= LN_STATS_DAYS)
			continue;
		out->days[day].message_count = lni_col_int(&q, 1);
		out->days[day].tokens = lni_col_int(&q, 2);
	}
	lni_stmt_put(&q);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

enum ln_status
ln_stats_get(struct ln_store *st, const char *user_id, int64_t now_ms,
    struct ln_stats *out, struct ln_error *err)
{
	const int64_t day_ms = 86400000;
	enum ln_status s;
	int64_t i;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < LN_STATS_DAYS; i++)
		out->days[i].start_ms = now_ms - now_ms % day_ms -
		    (LN_STATS_DAYS - 1 - i) * day_ms;
	if ((s = lni_read_begin(st, err)) != LN_OK)
		return s;
	if ((s = ln_user_stats(st, user_id, &out->totals, err)) == LN_OK &&
	    (s = read_models(st, user_id, out, err)) == LN_OK)
		s = read_days(st, user_id, out, err);
	lni_read_end(st);
	return s;
}
