#include "model/outbox.h"

#include <stdio.h>
#include <string.h>

#include "store/stmt.h"

#include "base/banned.h"

#define WAITS " sent_ms IS NULL AND failed_ms IS NULL"

static const char SQL_ADD[] =
    "INSERT INTO outbox(kind, user_id, address_hash, created_ms, next_try_ms)"
    " VALUES (?1, ?2, ?3, ?4, ?4)";
static const char SQL_DUE[] =
    "SELECT id, kind, user_id, address_hash, created_ms, tries FROM outbox"
    " WHERE next_try_ms <= ?1 AND" WAITS " ORDER BY next_try_ms, id LIMIT 1";
static const char SQL_LEASE[] =
    "UPDATE outbox SET tries = tries + 1, next_try_ms = ?3"
    " WHERE id = ?1 AND tries = ?2 AND" WAITS;
static const char SQL_SENT[] =
    "UPDATE outbox SET sent_ms = ?3, error = NULL"
    " WHERE id = ?1 AND tries = ?2 AND" WAITS;
static const char SQL_FAILED[] =
    "UPDATE outbox SET failed_ms = ?3, error = ?4"
    " WHERE id = ?1 AND tries = ?2 AND" WAITS;
static const char SQL_LATER[] =
    "UPDATE outbox SET next_try_ms = ?3, error = ?4"
    " WHERE id = ?1 AND tries = ?2 AND" WAITS;
static const char SQL_PURGE[] =
    "DELETE FROM outbox WHERE coalesce(sent_ms, failed_ms) < ?1";
static const char SQL_LIMIT_PURGE[] =
    "DELETE FROM mail_limit WHERE at_ms < ?1";
static const char SQL_LIMIT_COUNT[] =
    "SELECT count(*), coalesce(min(at_ms), 0) FROM mail_limit"
    " WHERE address_hash = ?1 AND kind = ?2 AND at_ms > ?3";
static const char SQL_LIMIT_ADD[] =
    "INSERT INTO mail_limit(kind, address_hash, at_ms) VALUES (?1, ?2, ?3)";
static const char SQL_LIMIT_REMOVE[] =
    "DELETE FROM mail_limit WHERE id = ?1";
static const char SQL_END_ALL[] =
    "DELETE FROM outbox WHERE sent_ms IS NULL AND failed_ms IS NULL";
static const char SQL_LIMIT_END_ALL[] = "DELETE FROM mail_limit";

const char *const lni_outbox_sql[] = { SQL_ADD, SQL_DUE, SQL_LEASE, SQL_SENT,
	SQL_FAILED, SQL_LATER, SQL_PURGE, SQL_LIMIT_PURGE, SQL_LIMIT_COUNT,
	SQL_LIMIT_ADD, SQL_LIMIT_REMOVE, SQL_END_ALL, SQL_LIMIT_END_ALL };
const size_t lni_outbox_sql_count =
    sizeof(lni_outbox_sql) / sizeof(lni_outbox_sql[0]);

static const char *const kinds[] = {
	[LNI_MAIL_RESET] = "reset",
	[LNI_MAIL_DUPLICATE] = "duplicate",
};

const char *
lni_mail_kind_name(enum lni_mail_kind kind)
{
	return kinds[kind];
}

enum ln_status
lni_outbox_add(struct ln_store *st, enum lni_mail_kind kind,
    const char *user_id, const unsigned char address_hash[LN_KEY_BYTES],
    int64_t now_ms, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_ADD, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, kinds[kind]);
	lni_bind_text(&q, 2, user_id);
	lni_bind_blob(&q, 3, address_hash, LN_KEY_BYTES);
	lni_bind_int(&q, 4, now_ms);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

static enum ln_status
read_row(struct lni_stmt *q, struct lni_outbox_row *out, struct ln_error *err)
{
	const char *kind = lni_col_text(q, 1), *user_id;
	const void *hash;
	size_t n;

	out->id = lni_col_int(q, 0);
	out->kind = kind != NULL && strcmp(kind, kinds[LNI_MAIL_DUPLICATE]) ==
	    0 ? LNI_MAIL_DUPLICATE : LNI_MAIL_RESET;
	user_id = lni_col_text(q, 2);
	hash = lni_col_blob(q, 3, &n);
	if (kind == NULL || user_id == NULL || hash == NULL)
		return ln_fail(err, LN_NOMEM, "", "outbox row");
	if (n != sizeof(out->address_hash) ||
	    strlen(user_id) >= sizeof(out->user_id))
		return ln_fail(err, LN_CORRUPT, "", "outbox row %lld",
		    (long long)out->id);
	memcpy(out->address_hash, hash, n);
	snprintf(out->user_id, sizeof(out->user_id), "%s", user_id);
	out->created_ms = lni_col_int(q, 4);
	out->tries = lni_col_int(q, 5);
	return LN_OK;
}

enum ln_status
lni_outbox_due(struct ln_store *st, int64_t now_ms,
    struct lni_outbox_row *out, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	memset(out, 0, sizeof(*out));
	if ((s = lni_stmt_get(&q, st, SQL_DUE, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, now_ms);
	if ((s = lni_stmt_row(&q, err)) == LN_OK)
		s = read_row(&q, out, err);
	lni_stmt_put(&q);
	return s;
}

/* The update of one row that must still be as ${row} says. */
static enum ln_status
settle(struct ln_store *st, const char *sql, const struct lni_outbox_row *row,
    int64_t at_ms, const char *why, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, sql, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, row->id);
	lni_bind_int(&q, 2, row->tries);
	lni_bind_int(&q, 3, at_ms);
	if (why != NULL)
		lni_bind_text(&q, 4, why);
	s = lni_stmt_done(&q, err);
	if (s == LN_OK && lni_changes(st) == 0)
		s = ln_fail(err, LN_NOT_FOUND, "", "mail %lld, try %lld",
		    (long long)row->id, (long long)row->tries);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
lni_outbox_lease(struct ln_store *st, struct lni_outbox_row *row,
    int64_t until_ms, struct ln_error *err)
{
	enum ln_status s;

	s = settle(st, SQL_LEASE, row, until_ms, NULL, err);
	if (s == LN_OK)
		row->tries++;
	return s;
}

enum ln_status
lni_outbox_sent(struct ln_store *st, const struct lni_outbox_row *row,
    int64_t now_ms, struct ln_error *err)
{
	return settle(st, SQL_SENT, row, now_ms, NULL, err);
}

enum ln_status
lni_outbox_failed(struct ln_store *st, const struct lni_outbox_row *row,
    int64_t now_ms, const char *why, struct ln_error *err)
{
	return settle(st, SQL_FAILED, row, now_ms, why, err);
}

enum ln_status
lni_outbox_later(struct ln_store *st, const struct lni_outbox_row *row,
    int64_t next_try_ms, const char *why, struct ln_error *err)
{
	return settle(st, SQL_LATER, row, next_try_ms, why, err);
}

static enum ln_status
one_number(struct ln_store *st, const char *sql, int64_t value,
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, sql, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, value);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
lni_outbox_purge(struct ln_store *st, int64_t before_ms, struct ln_error *err)
{
	enum ln_status s;

	if ((s = one_number(st, SQL_PURGE, before_ms, err)) != LN_OK)
		return s;
	return one_number(st, SQL_LIMIT_PURGE, before_ms, err);
}

enum ln_status
lni_mail_limit_count(struct ln_store *st, enum lni_mail_kind kind,
    const unsigned char address_hash[LN_KEY_BYTES], int64_t since_ms,
    int64_t *out_count, int64_t *out_first_ms, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out_count = *out_first_ms = 0;
	if ((s = lni_stmt_get(&q, st, SQL_LIMIT_COUNT, err)) != LN_OK)
		return s;
	lni_bind_blob(&q, 1, address_hash, LN_KEY_BYTES);
	lni_bind_text(&q, 2, kinds[kind]);
	lni_bind_int(&q, 3, since_ms);
	if ((s = lni_stmt_row(&q, err)) == LN_OK) {
		*out_count = lni_col_int(&q, 0);
		*out_first_ms = lni_col_int(&q, 1);
	}
	lni_stmt_put(&q);
	return s;
}

enum ln_status
lni_mail_limit_add(struct ln_store *st, enum lni_mail_kind kind,
    const unsigned char address_hash[LN_KEY_BYTES], int64_t now_ms,
    int64_t *out_id, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	*out_id = 0;
	if ((s = lni_stmt_get(&q, st, SQL_LIMIT_ADD, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, kinds[kind]);
	lni_bind_blob(&q, 2, address_hash, LN_KEY_BYTES);
	lni_bind_int(&q, 3, now_ms);
	if ((s = lni_stmt_done(&q, err)) == LN_OK)
		*out_id = lni_last_id(st);
	lni_stmt_put(&q);
	return s;
}

enum ln_status
lni_mail_limit_remove(struct ln_store *st, int64_t id, struct ln_error *err)
{
	return one_number(st, SQL_LIMIT_REMOVE, id, err);
}

enum ln_status
lni_outbox_end_all(struct ln_store *st, int64_t *out_count,
    struct ln_error *err)
{
	enum ln_status s;

	*out_count = 0;
	if ((s = lni_exec(st, SQL_END_ALL, err)) != LN_OK)
		return s;
	*out_count = lni_changes(st);
	return lni_exec(st, SQL_LIMIT_END_ALL, err);
}
