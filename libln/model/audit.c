#include "model/audit.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include <ln/secret.h>
#include <ln/text.h>
#include <ln/time.h>

#include "store/stmt.h"

#include "base/banned.h"

#define DETAIL_MAX 1000		/* bytes, see ln/audit.h */
#define LIST_DEFAULT 100
#define LIST_MAX 1000
#define MAC_BYTES LN_KEY_BYTES

/* What stands before the first row, and before a row that was written while
 * the log was already broken: neither can be the mac of a row. */
#define LABEL_GENESIS "ln-audit-genesis-v1"
#define LABEL_BROKEN "ln-audit-broken-v1"
#define LABEL_ROW "ln-audit-row-v1"
#define LABEL_HEAD "ln-audit-head-v1"

#define COLUMNS								\
	"id, at_ms, actor_kind, actor_id, address, action, target, outcome,"	\
	" request_id, detail, mac"
#define TEXT_FIRST 2		/* column of the first of the text fields */
#define TEXT_COUNT 8
#define COL_MAC 10

static const char SQL_ADD[] =
    "INSERT INTO audit(" COLUMNS ")"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
static const char SQL_LAST_ID[] = "SELECT coalesce(max(id), 0) FROM audit";
static const char SQL_WALK[] = "SELECT " COLUMNS " FROM audit ORDER BY id";
static const char SQL_LIST[] =
    "SELECT " COLUMNS " FROM audit WHERE ?1 <= 0 OR id < ?1"
    " ORDER BY id DESC LIMIT ?2";
static const char SQL_HEAD[] =
    "SELECT last_id, last_mac, mac FROM audit_head WHERE id = 1";
static const char SQL_HEAD_SET[] =
    "INSERT INTO audit_head(id, last_id, last_mac, mac)"
    " VALUES (1, ?1, ?2, ?3)"
    " ON CONFLICT (id) DO UPDATE SET last_id = excluded.last_id,"
    " last_mac = excluded.last_mac, mac = excluded.mac";

const char *const lni_audit_sql[] = { SQL_ADD, SQL_LAST_ID, SQL_WALK, SQL_LIST,
	SQL_HEAD, SQL_HEAD_SET };
const size_t lni_audit_sql_count =
    sizeof(lni_audit_sql) / sizeof(lni_audit_sql[0]);

/* Absent: ${s} is NULL. */
struct field {
	const char *s;
	size_t len;
};

struct row {
	int64_t id;
	int64_t at_ms;
	struct field text[TEXT_COUNT];	/* as in COLUMNS */
};

struct head {
	bool is_there;
	bool is_authentic;
	int64_t last_id;
	unsigned char last_mac[MAC_BYTES];
};

static void
put_number(crypto_generichash_state *state, int64_t v)
{
	unsigned char bytes[8];
	size_t i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)((uint64_t)v >> (8 * i));
	crypto_generichash_update(state, bytes, sizeof(bytes));
}

/* Every field with its length, so that no two rows read as the same bytes;
 * -1 is the length of an absent one. */
static void
put_field(crypto_generichash_state *state, const char *s, size_t len)
{
	if (s == NULL) {
		put_number(state, -1);
		return;
	}
	put_number(state, (int64_t)len);
	crypto_generichash_update(state, (const unsigned char *)s, len);
}

static void
begin_mac(crypto_generichash_state *state, const struct ln_keys *keys,
    const char *label)
{
	crypto_generichash_init(state, keys->audit, sizeof(keys->audit),
	    MAC_BYTES);
	put_field(state, label, strlen(label));
}

static void
label_mac(const struct ln_keys *keys, const char *label,
    unsigned char out[MAC_BYTES])
{
	crypto_generichash_state state;

	begin_mac(&state, keys, label);
	crypto_generichash_final(&state, out, MAC_BYTES);
}

static void
row_mac(const struct ln_keys *keys, const struct row *r,
    const unsigned char previous[MAC_BYTES], unsigned char out[MAC_BYTES])
{
	crypto_generichash_state state;
	size_t i;

	begin_mac(&state, keys, LABEL_ROW);
	crypto_generichash_update(&state, previous, MAC_BYTES);
	put_number(&state, r->id);
	put_number(&state, r->at_ms);
	for (i = 0; i < TEXT_COUNT; i++)
		put_field(&state, r->text[i].s, r->text[i].len);
	crypto_generichash_final(&state, out, MAC_BYTES);
}

static void
head_mac(const struct ln_keys *keys, int64_t last_id,
    const unsigned char last_mac[MAC_BYTES], unsigned char out[MAC_BYTES])
{
	crypto_generichash_state state;

	begin_mac(&state, keys, LABEL_HEAD);
	put_number(&state, last_id);
	crypto_generichash_update(&state, last_mac, MAC_BYTES);
	crypto_generichash_final(&state, out, MAC_BYTES);
}

/* All bytes of the column: what stands behind a NUL byte counts as well. */
static struct field
col_field(struct lni_stmt *q, int i)
{
	struct field f = { NULL, 0 };
	const void *p;

	if (lni_col_is_null(q, i))
		return f;
	p = lni_col_blob(q, i, &f.len);
	f.s = f.len > 0 ? p : "";
	return f;
}

static bool
col_mac(struct lni_stmt *q, int i, unsigned char out[MAC_BYTES])
{
	const void *p;
	size_t n;

	p = lni_col_blob(q, i, &n);
	if (p == NULL || n != MAC_BYTES)
		return false;
	memcpy(out, p, n);
	return true;
}

static enum ln_status
need_keys(struct ln_store *st, const struct ln_keys **out,
    struct ln_error *err)
{
	if ((*out = ln_store_keys(st)) == NULL)
		return ln_fail(err, LN_BAD_KEY, "SECRET_KEY is not set",
		    "the audit log needs keys");
	return LN_OK;
}

static enum ln_status
head_get(struct ln_store *st, const struct ln_keys *keys, struct head *out,
    struct ln_error *err)
{
	unsigned char theirs[MAC_BYTES], ours[MAC_BYTES];
	struct lni_stmt q;
	enum ln_status s;

	memset(out, 0, sizeof(*out));
	if ((s = lni_stmt_get(&q, st, SQL_HEAD, err)) != LN_OK)
		return s;
	if ((s = lni_stmt_row(&q, err)) == LN_OK) {
		out->is_there = true;
		out->last_id = lni_col_int(&q, 0);
		if (col_mac(&q, 1, out->last_mac) && col_mac(&q, 2, theirs)) {
			head_mac(keys, out->last_id, out->last_mac, ours);
			out->is_authentic = ln_secret_equal(ours, theirs,
			    MAC_BYTES);
		}
	}
	lni_stmt_put(&q);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

static enum ln_status
head_set(struct ln_store *st, const struct ln_keys *keys, int64_t last_id,
    const unsigned char last_mac[MAC_BYTES], struct ln_error *err)
{
	unsigned char mac[MAC_BYTES];
	struct lni_stmt q;
	enum ln_status s;

	head_mac(keys, last_id, last_mac, mac);
	if ((s = lni_stmt_get(&q, st, SQL_HEAD_SET, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, last_id);
	lni_bind_blob(&q, 2, last_mac, MAC_BYTES);
	lni_bind_blob(&q, 3, mac, sizeof(mac));
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

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
	struct head head;
	enum ln_status s;
	int64_t last_id;

	if ((s = head_get(st, keys, &head, err)) != LN_OK)
		return s;
	if ((s = last_id_get(st, &last_id, err)) != LN_OK)
		return s;
	if (head.is_authentic)
		memcpy(previous, head.last_mac, MAC_BYTES);
	else if (head.is_there || last_id != 0)
		label_mac(keys, LABEL_BROKEN, previous);
	else
		label_mac(keys, LABEL_GENESIS, previous);
	if (head.is_authentic && head.last_id > last_id)
		last_id = head.last_id;
	*out_id = last_id + 1;
	return LN_OK;
}

static enum ln_status
insert(struct ln_store *st, const struct row *r,
    const unsigned char mac[MAC_BYTES], struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;
	int i;

	if ((s = lni_stmt_get(&q, st, SQL_ADD, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, r->id);
	lni_bind_int(&q, 2, r->at_ms);
	for (i = 0; i < TEXT_COUNT; i++)
		lni_bind_text(&q, TEXT_FIRST + 1 + i, r->text[i].s);
	lni_bind_blob(&q, COL_MAC + 1, mac, MAC_BYTES);
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
	const char *const given[TEXT_COUNT] = { actor->kind, actor->user_id,
		actor->address, action, target, ln_status_token(outcome),
		actor->request_id, detail };
	char *text[TEXT_COUNT] = { NULL };
	unsigned char previous[MAC_BYTES], mac[MAC_BYTES];
	const struct ln_keys *keys;
	struct row row = { 0 };
	enum ln_status s;
	size_t i;

	if ((s = need_keys(st, &keys, err)) != LN_OK)
		return s;
	for (i = 0; i < TEXT_COUNT; i++) {
		if ((s = clean(given[i], &text[i], err)) != LN_OK)
			goto out;
		row.text[i].s = text[i];
		row.text[i].len = text[i] != NULL ? strlen(text[i]) : 0;
	}
	if ((s = lni_tx_begin(st, err)) != LN_OK)
		goto out;
	/* Read under the write lock, so that time does not run backwards. */
	row.at_ms = ln_time_now_ms();
	if ((s = next_place(st, keys, &row.id, previous, err)) != LN_OK)
		goto end;
	row_mac(keys, &row, previous, mac);
	if ((s = insert(st, &row, mac, err)) != LN_OK)
		goto end;
	s = head_set(st, keys, row.id, mac, err);
end:
	s = lni_tx_end(st, s, err);
out:
	for (i = 0; i < TEXT_COUNT; i++)
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
ln_audit_list(struct ln_store *st, int64_t before_id, int64_t limit,
    struct ln_audit_list *out, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	memset(out, 0, sizeof(*out));
	if (limit <= 0)
		limit = LIST_DEFAULT;
	if (limit > LIST_MAX)
		limit = LIST_MAX;
	out->items = calloc((size_t)limit, sizeof(struct ln_audit *));
	if (out->items == NULL)
		return ln_fail(err, LN_NOMEM, "", "audit list");
	if ((s = lni_stmt_get(&q, st, SQL_LIST, err)) != LN_OK)
		goto out;
	lni_bind_int(&q, 1, before_id);
	lni_bind_int(&q, 2, limit);
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

struct walk {
	int64_t count;
	int64_t last_id;
	int64_t first_bad;	/* 0: none */
	unsigned char mac[MAC_BYTES];
};

static enum ln_status
walk_rows(struct ln_store *st, const struct ln_keys *keys, struct walk *w,
    struct ln_error *err)
{
	unsigned char theirs[MAC_BYTES];
	struct lni_stmt q;
	struct row row;
	enum ln_status s;
	int i;

	label_mac(keys, LABEL_GENESIS, w->mac);
	if ((s = lni_stmt_get(&q, st, SQL_WALK, err)) != LN_OK)
		return s;
	while ((s = lni_stmt_row(&q, err)) == LN_OK) {
		row.id = lni_col_int(&q, 0);
		row.at_ms = lni_col_int(&q, 1);
		for (i = 0; i < TEXT_COUNT; i++)
			row.text[i] = col_field(&q, TEXT_FIRST + i);
		row_mac(keys, &row, w->mac, w->mac);
		w->count++;
		w->last_id = row.id;
		if (w->first_bad != 0)
			continue;
		if (!col_mac(&q, COL_MAC, theirs) ||
		    !ln_secret_equal(theirs, w->mac, MAC_BYTES))
			w->first_bad = row.id;
	}
	lni_stmt_put(&q);
	return s == LN_NOT_FOUND ? LN_OK : s;
}

enum ln_status
ln_audit_verify(struct ln_store *st, int64_t *out_first_bad,
    int64_t *out_count, struct ln_error *err)
{
	const struct ln_keys *keys;
	struct head head;
	struct walk w = { 0 };
	enum ln_status s;

	*out_first_bad = 0;
	*out_count = 0;
	if ((s = need_keys(st, &keys, err)) != LN_OK)
		return s;
	if ((s = lni_read_begin(st, err)) != LN_OK)
		return s;
	if ((s = walk_rows(st, keys, &w, err)) == LN_OK)
		s = head_get(st, keys, &head, err);
	lni_read_end(st);
	if (s != LN_OK)
		return s;
	*out_count = w.count;
	if (w.first_bad == 0 && (w.count > 0 || head.is_there) &&
	    (!head.is_authentic || head.last_id != w.last_id ||
	    !ln_secret_equal(head.last_mac, w.mac, MAC_BYTES)))
		w.first_bad = w.last_id + 1;
	*out_first_bad = w.first_bad;
	if (w.first_bad != 0)
		return ln_fail(err, LN_CORRUPT,
		    "The audit log was changed, or written under another "
		    "SECRET_KEY", "breaks at %lld of %lld",
		    (long long)w.first_bad, (long long)w.count);
	return LN_OK;
}
