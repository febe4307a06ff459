#ifndef LNI_AUDIT_CHAIN_H
#define LNI_AUDIT_CHAIN_H

#include <ln/secret.h>

#include "store/stmt.h"

/*
 * What ties the rows of the audit log together: the MAC of a row, which covers
 * that of the row before it, and the head, which knows the last row.
 */

#define LNI_AUDIT_MAC_BYTES LN_KEY_BYTES

/* The columns that lni_audit_col_row reads, and where the MAC is. */
#define LNI_AUDIT_COLUMNS						\
	"id, at_ms, actor_kind, actor_id, address, action, target, outcome,"	\
	" request_id, detail, mac"
#define LNI_AUDIT_TEXT_FIRST 2	/* column of the first of the text fields */
#define LNI_AUDIT_TEXT_COUNT 8
#define LNI_AUDIT_COL_MAC 10

/* Absent: ${s} is NULL. */
struct lni_audit_field {
	const char *s;
	size_t len;
};

struct lni_audit_row {
	int64_t id;
	int64_t at_ms;
	struct lni_audit_field text[LNI_AUDIT_TEXT_COUNT];
};

struct lni_audit_head {
	bool is_there;
	bool is_authentic;
	int64_t last_id;
	unsigned char last_mac[LNI_AUDIT_MAC_BYTES];
};

/* What stands before the first row, and before a row that was written while
 * the log was already broken: neither can be the MAC of a row. */
void lni_audit_genesis_mac(const struct ln_keys *keys,
    unsigned char out[LNI_AUDIT_MAC_BYTES]);
void lni_audit_broken_mac(const struct ln_keys *keys,
    unsigned char out[LNI_AUDIT_MAC_BYTES]);

/* ${previous} and ${out} may be the same. */
void lni_audit_row_mac(const struct ln_keys *keys,
    const struct lni_audit_row *r,
    const unsigned char previous[LNI_AUDIT_MAC_BYTES],
    unsigned char out[LNI_AUDIT_MAC_BYTES]);

/* The current row of a statement over LNI_AUDIT_COLUMNS, borrowed until its
 * next step.  False when its MAC is none; ${out} is filled all the same. */
bool lni_audit_col_row(struct lni_stmt *q, struct lni_audit_row *out,
    unsigned char out_mac[LNI_AUDIT_MAC_BYTES]);

/* The handle's keys, or LN_BAD_KEY. */
enum ln_status lni_audit_keys(struct ln_store *st, const struct ln_keys **out,
    struct ln_error *err) LN_USE;

/* Authentic is the head that was written under ${keys}. */
enum ln_status lni_audit_head_get(struct ln_store *st,
    const struct ln_keys *keys, struct lni_audit_head *out,
    struct ln_error *err) LN_USE;
enum ln_status lni_audit_head_set(struct ln_store *st,
    const struct ln_keys *keys, int64_t last_id,
    const unsigned char last_mac[LNI_AUDIT_MAC_BYTES], struct ln_error *err)
    LN_USE;

extern const char *const lni_audit_chain_sql[];
extern const size_t lni_audit_chain_sql_count;

#endif
