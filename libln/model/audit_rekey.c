#include "model/audit_rekey.h"

#include <string.h>

#include "model/audit_chain.h"

#include "base/banned.h"

#define MAC_BYTES LNI_AUDIT_MAC_BYTES

static const char SQL_NEXT[] =
    "SELECT " LNI_AUDIT_COLUMNS " FROM audit WHERE id > ?1"
    " ORDER BY id LIMIT 1";
static const char SQL_MAC_SET[] = "UPDATE audit SET mac = ?2 WHERE id = ?1";
static const char SQL_UPDATE_ALLOW[] = "DROP TRIGGER audit_no_update";
/* As the first migration made it, to the letter: a copy of the database is
 * compared with what this build makes. */
static const char SQL_UPDATE_FORBID[] =
    "CREATE TRIGGER IF NOT EXISTS audit_no_update BEFORE UPDATE ON audit\n"
    "BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END";

const char *const lni_audit_rekey_sql[] = { SQL_NEXT, SQL_MAC_SET,
	SQL_UPDATE_ALLOW, SQL_UPDATE_FORBID };
const size_t lni_audit_rekey_sql_count =
    sizeof(lni_audit_rekey_sql) / sizeof(lni_audit_rekey_sql[0]);

struct walk {
	const struct ln_keys *from;
	const struct ln_keys *to;
	int64_t last_id;
	unsigned char old[MAC_BYTES];	/* of the last row, under each */
	unsigned char new[MAC_BYTES];
	struct lni_audit_rekey *found;
};

/* The row after the last one: its MACs, and whether it holds.  LN_NOT_FOUND
 * at the end. */
static enum ln_status
next_row(struct ln_store *st, struct walk *w, bool *out_holds,
    struct ln_error *err)
{
	unsigned char theirs[MAC_BYTES];
	struct lni_audit_row row;
	struct lni_stmt q;
	enum ln_status s;
	bool has_mac;

	if ((s = lni_stmt_get(&q, st, SQL_NEXT, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, w->last_id);
	if ((s = lni_stmt_row(&q, err)) == LN_OK) {
		has_mac = lni_audit_col_row(&q, &row, theirs);
		lni_audit_row_mac(w->from, &row, w->old, w->old);
		lni_audit_row_mac(w->to, &row, w->new, w->new);
		*out_holds = has_mac &&
		    ln_secret_equal(theirs, w->old, MAC_BYTES);
		w->last_id = row.id;
		w->found->count++;
	}
	lni_stmt_put(&q);
	return s;
}

static enum ln_status
mac_set(struct ln_store *st, int64_t id, const unsigned char mac[MAC_BYTES],
    struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, st, SQL_MAC_SET, err)) != LN_OK)
		return s;
	lni_bind_int(&q, 1, id);
	lni_bind_blob(&q, 2, mac, MAC_BYTES);
	s = lni_stmt_done(&q, err);
	lni_stmt_put(&q);
	return s;
}

static enum ln_status
rekey_rows(struct ln_store *st, struct walk *w, struct ln_error *err)
{
	enum ln_status s;
	bool holds = false;

	lni_audit_genesis_mac(w->from, w->old);
	lni_audit_genesis_mac(w->to, w->new);
	w->last_id = INT64_MIN;
	while ((s = next_row(st, w, &holds, err)) == LN_OK) {
		if (w->found->first_bad != 0)
			continue;
		if (!holds) {
			w->found->first_bad = w->last_id;
			continue;
		}
		w->found->is_proven = true;
		if ((s = mac_set(st, w->last_id, w->new, err)) != LN_OK)
			return s;
	}
	return s == LN_NOT_FOUND ? LN_OK : s;
}

/*
 * A head that cannot be trusted stays so.  One that does not fit the rows goes
 * on knowing how many there were, but no honest row can follow it.
 */
static enum ln_status
rekey_head(struct ln_store *st, struct walk *w, struct ln_error *err)
{
	unsigned char broken[MAC_BYTES];
	struct lni_audit_head head;
	enum ln_status s;
	bool fits;

	if ((s = lni_audit_head_get(st, w->from, &head, err)) != LN_OK)
		return s;
	if (!head.is_there && w->found->count == 0)
		return LN_OK;
	fits = head.is_authentic && w->found->first_bad == 0 &&
	    head.last_id == w->last_id &&
	    ln_secret_equal(head.last_mac, w->old, MAC_BYTES);
	if (!fits && w->found->first_bad == 0)
		w->found->first_bad =
		    w->found->count > 0 ? w->last_id + 1 : 1;
	if (!head.is_authentic)
		return LN_OK;
	w->found->is_proven = true;
	lni_audit_broken_mac(w->to, broken);
	return lni_audit_head_set(st, w->to, head.last_id,
	    fits ? w->new : broken, err);
}

enum ln_status
lni_audit_rekey(struct ln_store *st, const struct ln_keys *from,
    const struct ln_keys *to, struct lni_audit_rekey *out,
    struct ln_error *err)
{
	struct walk w = { .from = from, .to = to, .found = out };
	enum ln_status s;

	memset(out, 0, sizeof(*out));
	if ((s = lni_exec(st, SQL_UPDATE_ALLOW, err)) != LN_OK ||
	    (s = rekey_rows(st, &w, err)) != LN_OK ||
	    (s = rekey_head(st, &w, err)) != LN_OK)
		return s;
	return lni_exec(st, SQL_UPDATE_FORBID, err);
}

enum ln_status
lni_audit_is_under(struct ln_store *st, const struct ln_keys *keys, bool *out,
    struct ln_error *err)
{
	struct lni_audit_head head;
	enum ln_status s;

	*out = false;
	if ((s = lni_audit_head_get(st, keys, &head, err)) == LN_OK)
		*out = head.is_authentic;
	return s;
}
