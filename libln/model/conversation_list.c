#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ln/secret.h>
#include <ln/text.h>

#include "model/conversation.h"
#include "model/conversation_row.h"
#include "store/stmt.h"

#include "base/banned.h"

#define LIST_DEFAULT 200	/* rows of a page, see ln/conversation.h */
#define ID_MAX 256		/* bytes: 64 characters */
#define PLAIN_MAX (ID_MAX + 22)	/* of a cursor, before base64url */

/* One half of the list, ?2: the pinned ones (0) or the others (1), after the
 * place that ?3 and ?4 name. */
static const char SQL_HALF[] =
    "SELECT " LNI_CONVERSATION_COLUMNS " WHERE c.user_id = ?1"
    " AND (c.pinned_ms IS NULL) = ?2"
    " AND c.updated_ms <= ?3 AND (c.updated_ms < ?3 OR c.id > ?4)"
    " AND (?5 OR c.archived_ms IS NULL)"
    " AND (?6 IS NULL OR c.group_id = ?6)"
    " AND (?7 IS NULL OR EXISTS (SELECT 1 FROM conversation_tag t"
    "  WHERE t.conversation_id = c.id AND t.tag = ?7))"
    " ORDER BY c.updated_ms DESC, c.id LIMIT ?8";

const char *const lni_conversation_list_sql[] = { SQL_HALF };
const size_t lni_conversation_list_sql_count =
    sizeof(lni_conversation_list_sql) / sizeof(lni_conversation_list_sql[0]);

/* The last row that was seen, in the order of the list. */
struct place {
	bool is_pinned;
	int64_t updated_ms;
	char id[ID_MAX + 1];
};

void
ln_conversation_list_free(struct ln_conversation_list *l)
{
	size_t i;

	for (i = 0; i < l->count; i++)
		ln_conversation_free(l->items[i]);
	free(l->items);
	free(l->next);
	l->items = NULL;
	l->next = NULL;
	l->count = 0;
}

static enum ln_status
bad_cursor(struct ln_error *err)
{
	return ln_fail_field(err, LN_INVALID, "before",
	    "This is not a place in the list", "malformed cursor");
}

/* "~" and, in base64url, "p" or "u", the time, "_", the id: an imported id
 * may hold what no header may. */
static enum ln_status
read_cursor(const char *cursor, struct place *at, struct ln_error *err)
{
	char plain[PLAIN_MAX + 1], *end;
	size_t n;

	if (!ln_b64url_decode(cursor + 1, strlen(cursor + 1), plain,
	    PLAIN_MAX, &n) || n < 4)
		return bad_cursor(err);
	plain[n] = '\0';
	if (!ln_utf8_valid(plain, n) || ln_text_has_control(plain) ||
	    (plain[0] != 'p' && plain[0] != 'u') ||
	    plain[1] < '0' || plain[1] > '9')
		return bad_cursor(err);
	errno = 0;
	at->updated_ms = strtoll(plain + 1, &end, 10);
	n = strlen(end);
	if (errno != 0 || n < 2 || end[0] != '_' || n > sizeof(at->id))
		return bad_cursor(err);
	at->is_pinned = plain[0] == 'p';
	memcpy(at->id, end + 1, n);
	return LN_OK;
}

static enum ln_status
write_cursor(const struct ln_conversation *last, char **out,
    struct ln_error *err)
{
	char plain[PLAIN_MAX + 1], *cursor;
	int n;

	n = snprintf(plain, sizeof(plain), "%c%" PRId64 "_%s",
	    last->pinned_ms != 0 ? 'p' : 'u', last->updated_ms, last->id);
	if (n < 0 || n > PLAIN_MAX || last->updated_ms < 0)
		return ln_fail(err, LN_CORRUPT, "", "place of a conversation");
	if ((cursor = malloc(LN_CURSOR_MAX)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "cursor");
	cursor[0] = '~';
	(void)ln_b64url_encode(plain, (size_t)n, cursor + 1,
	    LN_CURSOR_MAX - 1);
	*out = cursor;
	return LN_OK;
}

static enum ln_status
find_place(struct ln_store *st, const char *user_id, const char *before,
    struct place *at, struct ln_error *err)
{
	struct ln_conversation *c = NULL;
	enum ln_status s;

	at->is_pinned = true;
	at->updated_ms = INT64_MAX;
	at->id[0] = '\0';
	if (before == NULL)
		return LN_OK;
	if (before[0] == '~')
		return read_cursor(before, at, err);
	if ((s = ln_conversation_get(st, user_id, before, &c, err)) != LN_OK)
		return s;
	at->is_pinned = c->pinned_ms != 0;
	at->updated_ms = c->updated_ms;
	(void)snprintf(at->id, sizeof(at->id), "%s", c->id);
	ln_conversation_free(c);
	return LN_OK;
}

/* The rows of one half into ${l}, which has room for ${max} in all. */
static enum ln_status
read_half(struct ln_store *st, const char *user_id,
    const struct ln_conversation_filter *f, const struct place *at,
    size_t max, struct ln_conversation_list *l, struct ln_error *err)
{
	struct ln_conversation *c = NULL;
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_HALF, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, user_id);
	lni_bind_int(&q, 2, at->is_pinned ? 0 : 1);
	lni_bind_int(&q, 3, at->updated_ms);
	lni_bind_text(&q, 4, at->id);
	lni_bind_int(&q, 5, f->with_archived ? 1 : 0);
	lni_bind_text(&q, 6, f->group_id);
	lni_bind_text(&q, 7, f->tag);
	lni_bind_int(&q, 8, (int64_t)(max - l->count));
	while ((s = lni_stmt_row(&q, err)) == LN_OK) {
		if ((s = lni_conversation_row(&q, &c, err)) != LN_OK)
			break;
		l->items[l->count++] = c;
	}
	lni_stmt_put(&q);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

/* One row more than asked for says that there is a next page. */
static enum ln_status
end_page(struct ln_conversation_list *l, size_t limit, struct ln_error *err)
{
	if (l->count <= limit)
		return LN_OK;
	ln_conversation_free(l->items[--l->count]);
	return write_cursor(l->items[l->count - 1], &l->next, err);
}

static enum ln_status
read_page(struct ln_store *st, const char *user_id,
    const struct ln_conversation_filter *f, size_t limit,
    struct ln_conversation_list *out, struct ln_error *err)
{
	static const struct place others = { false, INT64_MAX, "" };
	struct place at;
	enum ln_status s;

	if ((s = find_place(st, user_id, f->before, &at, err)) != LN_OK ||
	    (s = read_half(st, user_id, f, &at, limit + 1, out, err)) != LN_OK)
		return s;
	if (at.is_pinned && out->count <= limit && (s = read_half(st, user_id,
	    f, &others, limit + 1, out, err)) != LN_OK)
		return s;
	return end_page(out, limit, err);
}

enum ln_status
ln_conversation_list(struct ln_store *st, const char *user_id,
    const struct ln_conversation_filter *filter,
    struct ln_conversation_list *out, struct ln_error *err)
{
	static const struct ln_conversation_filter none;
	enum ln_status s;
	int64_t limit;

	memset(out, 0, sizeof(*out));
	if (filter == NULL)
		filter = &none;
	limit = filter->limit == 0 ? LIST_DEFAULT : filter->limit;
	if (limit < 0)
		return ln_fail_field(err, LN_INVALID, "limit", "",
		    "limit %lld", (long long)limit);
	if (limit > LN_CONVERSATION_PAGE_MAX)
		limit = LN_CONVERSATION_PAGE_MAX;
	out->items = calloc((size_t)limit + 1, sizeof(struct ln_conversation *));
	if (out->items == NULL)
		return ln_fail(err, LN_NOMEM, "", "conversation list");
	if ((s = lni_read_begin(st, err)) == LN_OK) {
		s = read_page(st, user_id, filter, (size_t)limit, out, err);
		lni_read_end(st);
	}
	if (s != LN_OK)
		ln_conversation_list_free(out);
	return s;
}
