#include "model/tag.h"

#include <stdlib.h>
#include <string.h>

#include "model/conversation.h"
#include "store/stmt.h"

#include "base/banned.h"

static const char SQL_LIST[] =
    "SELECT t.tag, count(*) FROM conversation c"
    " JOIN conversation_tag t ON t.conversation_id = c.id"
    " WHERE c.user_id = ?1 GROUP BY t.tag ORDER BY t.tag LIMIT ?2";

static const char SQL_OWNS[] =
    "SELECT 1 FROM conversation WHERE id = ?2 AND user_id = ?1";

/* 1 when the conversation has the tag, how many it has, and whether the tag
 * is on any conversation of the person. */
static const char SQL_LOOK[] =
    "SELECT EXISTS (SELECT 1 FROM conversation_tag"
    "  WHERE conversation_id = ?2 AND tag = ?3),"
    " (SELECT count(*) FROM conversation_tag WHERE conversation_id = ?2),"
    " EXISTS (SELECT 1 FROM conversation_tag t JOIN conversation c"
    "  ON c.id = t.conversation_id WHERE t.tag = ?3 AND c.user_id = ?1)";

static const char SQL_COUNT[] =
    "SELECT count(DISTINCT t.tag) FROM conversation c"
    " JOIN conversation_tag t ON t.conversation_id = c.id"
    " WHERE c.user_id = ?1";

static const char SQL_ADD[] =
    "INSERT INTO conversation_tag(conversation_id, tag) VALUES (?1, ?2)";
static const char SQL_REMOVE[] =
    "DELETE FROM conversation_tag WHERE conversation_id = ?1 AND tag = ?2";

static const char SQL_FORGET[] =
    "DELETE FROM conversation_tag WHERE tag = ?2 AND EXISTS"
    " (SELECT 1 FROM conversation c WHERE c.id = conversation_id"
    "  AND c.user_id = ?1)";

const char *const lni_tag_sql[] = {
	SQL_LIST, SQL_OWNS, SQL_LOOK, SQL_COUNT, SQL_ADD, SQL_REMOVE,
	SQL_FORGET,
};
const size_t lni_tag_sql_count = sizeof(lni_tag_sql) / sizeof(lni_tag_sql[0]);

void
ln_tag_list_free(struct ln_tag_list *l)
{
	size_t i;

	for (i = 0; i < l->count; i++)
		free(l->items[i].tag);
	free(l->items);
	l->items = NULL;
	l->count = 0;
}

enum ln_status
ln_tag_list(struct ln_store *st, const char *user_id,
    struct ln_tag_list *out, struct ln_error *err)
{
	struct lni_stmt q;
	struct ln_tag *t;
	enum ln_status s;

	out->count = 0;
	out->items = calloc(LN_TAG_COUNT_MAX, sizeof(*out->items));
	if (out->items == NULL)
		return ln_fail(err, LN_NOMEM, "", "tags");
	if ((s = lni_stmt_get(&q, st, SQL_LIST, err)) != LN_OK)
		goto out;
	lni_bind_text(&q, 1, user_id);
	lni_bind_int(&q, 2, LN_TAG_COUNT_MAX);
	while ((s = lni_stmt_row(&q, err)) == LN_OK) {
		t = &out->items[out->count++];
		t->tag = lni_col_dup(&q, 0, &s);
		t->conversation_count = lni_col_int(&q, 1);
		if (s != LN_OK) {
			(void)ln_fail(err, s, "", "tag row");
			break;
		}
	}
	lni_stmt_put(&q);
	if (s == LN_NOT_FOUND)
		return LN_OK;
out:
	ln_tag_list_free(out);
	return s;
}

static enum ln_status
check_owner(struct ln_store *st, const char *user_id,
    const char *conversation_id, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_OWNS, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_text(&q, 2, conversation_id);
	s = lni_stmt_row(&q, err);
	lni_stmt_put(&q);
	return s;
}

static enum ln_status
run(struct ln_store *st, const char *sql, const char *id, const char *tag,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, sql, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, id);
	lni_bind_text(&q, 2, tag);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

/* A person who has used it may always use it again. */
static enum ln_status
check_count(struct ln_store *st, const char *user_id, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_COUNT, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	if ((s = lni_stmt_row(&q, err)) == LN_OK &&
	    lni_col_int(&q, 0) >= LN_TAG_COUNT_MAX)
		s = ln_fail_field(err, LN_CONFLICT, "tag",
		    "There are as many tags as there can be", "%d",
		    LN_TAG_COUNT_MAX);
	lni_stmt_put(&q);
	return s;
}

static enum ln_status
add(struct ln_store *st, const char *user_id, const char *conversation_id,
    const char *tag, struct ln_error *err)
{
	bool is_there, is_known;
	struct lni_stmt q;
	enum ln_status s;
	int64_t count;

	if ((s = check_owner(st, user_id, conversation_id, err)) != LN_OK ||
	    (s = lni_stmt_get(&q, st, SQL_LOOK, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_text(&q, 2, conversation_id);
	lni_bind_text(&q, 3, tag);
	s = lni_stmt_row(&q, err);
	is_there = lni_col_int(&q, 0) != 0;
	count = lni_col_int(&q, 1);
	is_known = lni_col_int(&q, 2) != 0;
	lni_stmt_put(&q);
	if (s != LN_OK || is_there)
		return s;
	if (count >= LN_TAG_PER_CONVERSATION_MAX)
		return ln_fail_field(err, LN_CONFLICT, "tag",
		    "The conversation has as many tags as it can have", "%d",
		    LN_TAG_PER_CONVERSATION_MAX);
	if (!is_known && (s = check_count(st, user_id, err)) != LN_OK)
		return s;
	return run(st, SQL_ADD, conversation_id, tag, err);
}

enum ln_status
ln_tag_add(struct ln_store *st, const char *user_id,
    const char *conversation_id, const char *tag, struct ln_error *err)
{
	char *word = NULL;
	enum ln_status s;

	if ((s = ln_text_tag(tag, &word, err)) != LN_OK)
		return s;
	if ((s = lni_tx_begin(st, err)) == LN_OK) {
		s = add(st, user_id, conversation_id, word, err);
		s = lni_tx_end(st, s, err);
	}
	ln_free(word);
	return s;
}

enum ln_status
ln_tag_remove(struct ln_store *st, const char *user_id,
    const char *conversation_id, const char *tag, struct ln_error *err)
{
	char *word = NULL;
	enum ln_status s;

	if ((s = ln_text_tag(tag, &word, err)) != LN_OK)
		return s;
	if ((s = lni_tx_begin(st, err)) == LN_OK) {
		s = check_owner(st, user_id, conversation_id, err);
		if (s == LN_OK)
			s = run(st, SQL_REMOVE, conversation_id, word, err);
		s = lni_tx_end(st, s, err);
	}
	ln_free(word);
	return s;
}

enum ln_status
ln_tag_forget(struct ln_store *st, const char *user_id, const char *tag,
    int64_t *out_count, struct ln_error *err)
{
	char *word = NULL;
	enum ln_status s;

	*out_count = 0;
	if ((s = ln_text_tag(tag, &word, err)) != LN_OK)
		return s;
	if ((s = run(st, SQL_FORGET, user_id, word, err)) == LN_OK)
		*out_count = lni_changes(st);
	ln_free(word);
	return s;
}
