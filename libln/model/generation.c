#include "model/generation.h"

#include "store/stmt.h"

#include "base/banned.h"

static const char SQL_ADD[] =
    "INSERT INTO generation(message_id, conversation_id, owner, beat_ms)"
    " VALUES (?1, ?2, ?3, ?4)";

static const char SQL_OF_CONVERSATION[] =
    "SELECT 1 FROM generation WHERE conversation_id = ?1";

static const char SQL_BEAT[] =
    "UPDATE generation SET beat_ms = ?3 WHERE message_id = ?1 AND owner = ?2";

static const char SQL_CHECK[] =
    "SELECT is_stop_asked FROM generation"
    " WHERE message_id = ?1 AND owner = ?2";

static const char SQL_NEXT_OWNER[] =
    "SELECT min(owner) FROM generation"
    " WHERE owner > ?2 AND substr(owner, 1, length(?1)) = ?1";

static const char SQL_REMOVE[] =
    "DELETE FROM generation WHERE message_id = ?1 AND owner = ?2";

static const char SQL_ASK_STOP[] =
    "UPDATE generation SET is_stop_asked = 1 WHERE conversation_id = ?2"
    " AND EXISTS (SELECT 1 FROM conversation c"
    "  WHERE c.id = ?2 AND c.user_id = ?1)";

/* ?2 NULL makes the comparison with the prefix NULL, so only age counts. */
#define GONE								\
	" (?1 IS NULL OR conversation_id = ?1)"				\
	" AND (beat_ms < ?4 OR (owner IS NOT ?3"			\
	"  AND substr(owner, 1, length(?2)) = ?2))"

static const char SQL_INTERRUPT[] =
    "UPDATE message SET state = 'interrupted', finish_reason = 'error',"
    " tokens = (length(CAST(content AS BLOB)) + 3) / 4, is_estimated = 1"
    " WHERE state = 'streaming' AND id IN"
    " (SELECT message_id FROM generation WHERE" GONE ")";

static const char SQL_REAP[] = "DELETE FROM generation WHERE" GONE;

const char *const lni_generation_sql[] = {
	SQL_ADD, SQL_OF_CONVERSATION, SQL_BEAT, SQL_CHECK, SQL_NEXT_OWNER,
	SQL_REMOVE, SQL_ASK_STOP, SQL_INTERRUPT, SQL_REAP,
};
const size_t lni_generation_sql_count =
    sizeof(lni_generation_sql) / sizeof(lni_generation_sql[0]);

static enum ln_status
change_one(struct lni_stmt *q, struct ln_error *err)
{
	struct ln_store *st = q->store;
	enum ln_status s;

	s = lni_stmt_done(q, err);
	lni_stmt_put(q);
	if (s == LN_OK && lni_changes(st) == 0)
		return ln_fail(err, LN_NOT_FOUND, "",
		    "no such answer being written");
	return s;
}

static enum ln_status
busy(struct ln_error *err)
{
	return ln_fail(err, LN_CONFLICT,
	    "An answer is already being written in this conversation. Wait "
	    "for it, or stop it", "a generation row exists");
}

enum ln_status
lni_generation_add(struct ln_store *st, int64_t message_id,
    const char *conversation_id, const char *owner, int64_t now_ms,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_ADD, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, message_id);
	lni_bind_text(&q, 2, conversation_id);
	lni_bind_text(&q, 3, owner);
	lni_bind_int(&q, 4, now_ms);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	if (s == LN_CONFLICT)
		return busy(err);
	return s;
}

enum ln_status
lni_generation_idle(struct ln_store *st, const char *conversation_id,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_OF_CONVERSATION, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, conversation_id);
	s = lni_stmt_row(&q, err);
	lni_stmt_put(&q);
	if (s == LN_OK)
		return busy(err);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

enum ln_status
lni_generation_beat(struct ln_store *st, int64_t message_id,
    const char *owner, int64_t now_ms, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_BEAT, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, message_id);
	lni_bind_text(&q, 2, owner);
	lni_bind_int(&q, 3, now_ms);
	return change_one(&q, err);
}

enum ln_status
lni_generation_check(struct ln_store *st, int64_t message_id,
    const char *owner, bool *out_is_stop_asked, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out_is_stop_asked = false;
	if ((s = lni_stmt_get(&q, st, SQL_CHECK, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, message_id);
	lni_bind_text(&q, 2, owner);
	if ((s = lni_stmt_row(&q, err)) == LN_OK)
		*out_is_stop_asked = lni_col_int(&q, 0) != 0;
	lni_stmt_put(&q);
	return s;
}

enum ln_status
lni_generation_next_owner(struct ln_store *st, const char *owner_prefix,
    const char *after, char **out, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out = NULL;
	if ((s = lni_stmt_get(&q, st, SQL_NEXT_OWNER, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, owner_prefix);
	lni_bind_text(&q, 2, after);
	if ((s = lni_stmt_row(&q, err)) == LN_OK && !lni_col_is_null(&q, 0))
		*out = lni_col_dup(&q, 0, &s);
	lni_stmt_put(&q);
	if (s == LN_NOMEM)
		return ln_fail(err, s, "", "owner");
	return s;
}

enum ln_status
lni_generation_remove(struct ln_store *st, int64_t message_id,
    const char *owner, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_REMOVE, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, message_id);
	lni_bind_text(&q, 2, owner);
	return change_one(&q, err);
}

enum ln_status
lni_generation_ask_stop(struct ln_store *st, const char *user_id,
    const char *conversation_id, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_ASK_STOP, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_text(&q, 2, conversation_id);
	return change_one(&q, err);
}

static enum ln_status
reap(struct ln_store *st, const char *sql, const char *conversation_id,
    const char *owner_prefix, const char *keep_owner, int64_t dead_before_ms,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, sql, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, conversation_id);
	lni_bind_text(&q, 2, owner_prefix);
	lni_bind_text(&q, 3, keep_owner);
	lni_bind_int(&q, 4, dead_before_ms);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
lni_generation_reap(struct ln_store *st, const char *conversation_id,
    const char *owner_prefix, const char *keep_owner, int64_t dead_before_ms,
    int64_t *out_count, struct ln_error *err)
{
	enum ln_status s;

	*out_count = 0;
	if ((s = reap(st, SQL_INTERRUPT, conversation_id, owner_prefix,
	    keep_owner, dead_before_ms, err)) != LN_OK)
		return s;
	if ((s = reap(st, SQL_REAP, conversation_id, owner_prefix, keep_owner,
	    dead_before_ms, err)) != LN_OK)
		return s;
	*out_count = lni_changes(st);
	return LN_OK;
}
