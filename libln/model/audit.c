#include "model/audit.h"

#include <stdlib.h>
#include <string.h>

#include <ln/secret.h>
#include <ln/text.h>
#include <ln/time.h>

#include "model/audit_chain.h"
#include "store/retired.h"
#include "store/stmt.h"

#include "base/banned.h"

#define DETAIL_MAX 1000		/* bytes, see ln/audit.h */
#define LIST_DEFAULT 100
#define LIST_MAX 100000
#define MAC_BYTES LNI_AUDIT_MAC_BYTES

static const char SQL_ADD[] =
    "INSERT INTO audit(" LNI_AUDIT_COLUMNS ")"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
static const char SQL_LAST_ID[] = "SELECT coalesce(max(id), 0) FROM audit";
/* An action is also what stands before its dot: "user" is all of "user.*". */
static const char SQL_SEARCH[] =
    "SELECT " LNI_AUDIT_COLUMNS " FROM audit"
    " WHERE (?1 <= 0 OR id < ?1) AND at_ms >= ?3 AND (?4 = 0 OR at_ms < ?4)"
    " AND (?5 IS NULL OR actor_id = ?5"
    "  OR (actor_id IS NULL AND actor_kind = ?5))"
    " AND (?6 IS NULL OR action = ?6"
    "  OR substr(action, 1, length(?6) + 1) = ?6 || '.')"
    " ORDER BY id DESC LIMIT ?2";

const char *const lni_audit_sql[] = { SQL_ADD, SQL_LAST_ID, SQL_SEARCH };
const size_t lni_audit_sql_count =
    sizeof(lni_audit_sql) / sizeof(lni_audit_sql[0]);

static enum ln_status
last_id_get(struct ln_store *st, int64_t *out, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out = 0;
	if ((s = lni_stmt_get(&q, st, SQL_LAST_ID, err)) != LN_OK)
		return s;
	if ((s = lni_stmt_row(&q, err)) == LN_OK)
		*out = lni_col_int(&q, 0);
	lni_stmt_put(&q);
	return s;
}

/*
 * Where the next row goes: after what the head remembers, even when those rows
 * are gone, so that a gap stays a gap.  A log without a head that can be
 * trusted goes on behind a mark that no honest row has: the service must not
 * stop because somebody broke its diary, and the break must not heal.
 */
static enum ln_status
next_place(struct ln_store *st, const struct ln_keys *keys, int64_t *out_id,
    unsigned char previous[MAC_BYTES], struct ln_error *err)
{
	struct lni_audit_head head;
	enum ln_status s;
	int64_t last_id;

	if ((s = lni_audit_head_get(st, keys, &head, err)) != LN_OK)
		return s;
	if ((s = last_id_get(st, &last_id, err)) != LN_OK)
		return s;
	if (head.is_authentic)
		memcpy(previous, head.last_mac, MAC_BYTES);
	else if (head.is_there || last_id != 0)
		lni_audit_broken_mac(keys, previous);
	else
		lni_audit_genesis_mac(keys, previous);
	if (head.is_authentic && head.last_id > last_id)
		last_id = head.last_id;
	*out_id = last_id + 1;
	return LN_OK;
}

static enum ln_status
insert(struct ln_store *st, const struct lni_audit_row *r,
    const unsigned char mac[MAC_BYTES], struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;
	int i;

	if ((s = lni_stmt_get(&q, st, SQL_ADD, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, r->id);
	lni_bind_int(&q, 2, r->at_ms);
	for (i = 0; i < LNI_AUDIT_TEXT_COUNT; i++)
		lni_bind_text(&q, LNI_AUDIT_TEXT_FIRST + 1 + i, r->text[i].s);
	lni_bind_blob(&q, LNI_AUDIT_COL_MAC + 1, mac, MAC_BYTES);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

/* Foreign text for the row: UTF-8 and not longer than ${DETAIL_MAX}. */
static enum ln_status
clean(const char *s, char **out, struct ln_error *err)
{
	enum ln_status st;

	*out = NULL;
	if (s == NULL)
		return LN_OK;
	st = ln_utf8_repair(s, strnlen(s, DETAIL_MAX), out, err);
	if (st == LN_OK)
		(*out)[ln_utf8_prefix(*out, strlen(*out), DETAIL_MAX)] = '\0';
	return st;
}

enum ln_status
ln_audit_add(struct ln_store *st, const char *action, const char *target,
    enum ln_status outcome, const char *detail, struct ln_error *err)
{
	const struct ln_actor *actor = lni_store_actor(st);
	const char *const given[LNI_AUDIT_TEXT_COUNT] = { actor->kind, actor->user_id,
		actor->address, action, target, ln_status_token(outcome),
		actor->request_id, detail };
	char *text[LNI_AUDIT_TEXT_COUNT] = { NULL };
	unsigned char previous[MAC_BYTES], mac[MAC_BYTES];
	const struct ln_keys *keys;
	struct lni_audit_row row = { 0 };
	enum ln_status s;
	size_t i;

	if ((s = lni_audit_keys(st, &keys, err)) != LN_OK)
		return s;
	for (i = 0; i < LNI_AUDIT_TEXT_COUNT; i++) {
		if ((s = clean(given[i], &text[i], err)) != LN_OK)
			goto out;
		row.text[i].s = text[i];
		row.text[i].len = text[i] != NULL ? strlen(text[i]) : 0;
	}
	if ((s = lni_tx_begin(st, err)) != LN_OK)
		goto out;
	if ((s = lni_retired_check(st, err)) != LN_OK)
		goto end;
	/* Read under the write lock, so that time does not run backwards. */
	row.at_ms = ln_time_now_ms();
	if ((s = next_place(st, keys, &row.id, previous, err)) != LN_OK)
		goto end;
	lni_audit_row_mac(keys, &row, previous, mac);
	if ((s = insert(st, &row, mac, err)) != LN_OK)
		goto end;
	s = lni_audit_head_set(st, keys, row.id, mac, err);
end:
	s = lni_tx_end(st, s, err);
out:
	for (i = 0; i < LNI_AUDIT_TEXT_COUNT; i++)
		ln_free(text[i]);
	return s;
}

static void
audit_free(struct ln_audit *a)
{
	if (a == NULL)
		return;
	free(a->actor_kind);
	free(a->actor_id);
	free(a->address);
	free(a->action);
	free(a->target);
	free(a->outcome);
	free(a->request_id);
	free(a->detail);
	free(a);
}

static enum ln_status
audit_row(struct lni_stmt *q, struct ln_audit **out, struct ln_error *err)
{
	struct ln_audit *a;
	enum ln_status s = LN_OK;

	*out = NULL;
	if ((a = calloc(1, sizeof(*a))) == NULL)
		return ln_fail(err, LN_NOMEM, "", "audit record");
	a->id = lni_col_int(q, 0);
	a->at_ms = lni_col_int(q, 1);
	a->actor_kind = lni_col_dup(q, 2, &s);
	a->actor_id = lni_col_dup(q, 3, &s);
	a->address = lni_col_dup(q, 4, &s);
	a->action = lni_col_dup(q, 5, &s);
	a->target = lni_col_dup(q, 6, &s);
	a->outcome = lni_col_dup(q, 7, &s);
	a->request_id = lni_col_dup(q, 8, &s);
	a->detail = lni_col_dup(q, 9, &s);
	if (s != LN_OK) {
		audit_free(a);
		return ln_fail(err, s, "", "audit record");
	}
	*out = a;
	return LN_OK;
}

void
ln_audit_list_free(struct ln_audit_list *l)
{
	size_t i;

	if (l == NULL)
		return;
	for (i = 0; i < l->count; i++)
		audit_free(l->items[i]);
	free(l->items);
	memset(l, 0, sizeof(*l));
}

enum ln_status
ln_audit_search(struct ln_store *st, const struct ln_audit_filter *f,
    struct ln_audit_list *out, struct ln_error *err)
{
	int64_t limit = f->limit > 0 ? f->limit : LIST_DEFAULT;
	struct lni_stmt q;
	enum ln_status s;

	memset(out, 0, sizeof(*out));
	if (limit > LIST_MAX)
		limit = LIST_MAX;
	out->items = calloc((size_t)limit, sizeof(struct ln_audit *));
	if (out->items == NULL)
		return ln_fail(err, LN_NOMEM, "", "audit list");
	if ((s = lni_stmt_get(&q, st, SQL_SEARCH, err)) != LN_OK)
		goto out;
	lni_bind_int(&q, 1, f->before_id);
	lni_bind_int(&q, 2, limit);
	lni_bind_int(&q, 3, f->since_ms);
	lni_bind_int(&q, 4, f->until_ms);
	lni_bind_text(&q, 5, f->actor);
	lni_bind_text(&q, 6, f->action);
	while ((s = lni_stmt_row(&q, err)) == LN_OK) {
		s = audit_row(&q, &out->items[out->count], err);
		if (s != LN_OK)
			break;
		out->count++;
	}
	lni_stmt_put(&q);
	if (s == LN_NOT_FOUND)
		return LN_OK;
out:
	ln_audit_list_free(out);
	return s;
}

enum ln_status
ln_audit_list(struct ln_store *st, int64_t before_id, int64_t limit,
    struct ln_audit_list *out, struct ln_error *err)
{
	const struct ln_audit_filter f = { .size = sizeof(f),
		.before_id = before_id, .limit = limit };

	return ln_audit_search(st, &f, out, err);
}
