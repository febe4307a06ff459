#include "model/audit_chain.h"

#include <string.h>

#include <sodium.h>

#include <ln/audit.h>

#include "store/retired.h"

#include "base/banned.h"

#define MAC_BYTES LNI_AUDIT_MAC_BYTES

#define LABEL_GENESIS "ln-audit-genesis-v1"
#define LABEL_BROKEN "ln-audit-broken-v1"
#define LABEL_ROW "ln-audit-row-v1"
#define LABEL_HEAD "ln-audit-head-v1"

static const char SQL_WALK[] =
    "SELECT " LNI_AUDIT_COLUMNS " FROM audit ORDER BY id";
static const char SQL_HEAD[] =
    "SELECT last_id, last_mac, mac FROM audit_head WHERE id = 1";
static const char SQL_HEAD_SET[] =
    "INSERT INTO audit_head(id, last_id, last_mac, mac)"
    " VALUES (1, ?1, ?2, ?3)"
    " ON CONFLICT (id) DO UPDATE SET last_id = excluded.last_id,"
    " last_mac = excluded.last_mac, mac = excluded.mac";

const char *const lni_audit_chain_sql[] = { SQL_WALK, SQL_HEAD, SQL_HEAD_SET };
const size_t lni_audit_chain_sql_count =
    sizeof(lni_audit_chain_sql) / sizeof(lni_audit_chain_sql[0]);

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

void
lni_audit_genesis_mac(const struct ln_keys *keys, unsigned char out[MAC_BYTES])
{
	label_mac(keys, LABEL_GENESIS, out);
}

void
lni_audit_broken_mac(const struct ln_keys *keys, unsigned char out[MAC_BYTES])
{
	label_mac(keys, LABEL_BROKEN, out);
}

void
lni_audit_row_mac(const struct ln_keys *keys, const struct lni_audit_row *r,
    const unsigned char previous[MAC_BYTES], unsigned char out[MAC_BYTES])
{
	crypto_generichash_state state;
	size_t i;

	begin_mac(&state, keys, LABEL_ROW);
	crypto_generichash_update(&state, previous, MAC_BYTES);
	put_number(&state, r->id);
	put_number(&state, r->at_ms);
	for (i = 0; i < LNI_AUDIT_TEXT_COUNT; i++)
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
static struct lni_audit_field
col_field(struct lni_stmt *q, int i)
{
	struct lni_audit_field f = { NULL, 0 };
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

bool
lni_audit_col_row(struct lni_stmt *q, struct lni_audit_row *out,
    unsigned char out_mac[MAC_BYTES])
{
	int i;

	out->id = lni_col_int(q, 0);
	out->at_ms = lni_col_int(q, 1);
	for (i = 0; i < LNI_AUDIT_TEXT_COUNT; i++)
		out->text[i] = col_field(q, LNI_AUDIT_TEXT_FIRST + i);
	return col_mac(q, LNI_AUDIT_COL_MAC, out_mac);
}

enum ln_status
lni_audit_keys(struct ln_store *st, const struct ln_keys **out,
    struct ln_error *err)
{
	if ((*out = ln_store_keys(st)) == NULL)
		return ln_fail(err, LN_BAD_KEY, "SECRET_KEY is not set",
		    "the audit log needs keys");
	return LN_OK;
}

enum ln_status
lni_audit_head_get(struct ln_store *st, const struct ln_keys *keys,
    struct lni_audit_head *out, struct ln_error *err)
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

enum ln_status
lni_audit_head_set(struct ln_store *st, const struct ln_keys *keys,
    int64_t last_id, const unsigned char last_mac[MAC_BYTES],
    struct ln_error *err)
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
	struct lni_audit_row row;
	struct lni_stmt q;
	enum ln_status s;
	bool has_mac;

	lni_audit_genesis_mac(keys, w->mac);
	if ((s = lni_stmt_get(&q, st, SQL_WALK, err)) != LN_OK)
		return s;
	while ((s = lni_stmt_row(&q, err)) == LN_OK) {
		has_mac = lni_audit_col_row(&q, &row, theirs);
		lni_audit_row_mac(keys, &row, w->mac, w->mac);
		w->count++;
		w->last_id = row.id;
		if (w->first_bad == 0 && (!has_mac ||
		    !ln_secret_equal(theirs, w->mac, MAC_BYTES)))
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
	struct lni_audit_head head;
	struct walk w = { 0 };
	enum ln_status s;

	*out_first_bad = 0;
	*out_count = 0;
	if ((s = lni_audit_keys(st, &keys, err)) != LN_OK)
		return s;
	if ((s = lni_read_begin(st, err)) != LN_OK)
		return s;
	if ((s = lni_retired_check(st, err)) == LN_OK &&
	    (s = walk_rows(st, keys, &w, err)) == LN_OK)
		s = lni_audit_head_get(st, keys, &head, err);
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
