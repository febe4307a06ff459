#ifndef LNI_AUDIT_REKEY_H
#define LNI_AUDIT_REKEY_H

#include <ln/error.h>
#include <ln/secret.h>
#include <ln/store.h>

/* What the walk over the log found. */
struct lni_audit_rekey {
	int64_t count;
	int64_t first_bad;	/* where the chain breaks, 0: nowhere */
	bool is_proven;		/* something in it was written under the old */
};

/**
 * lni_audit_rekey(st, from, to, out, err):
 * Verify the log under ${from} and give every row that holds, and the head,
 * its MAC under ${to}.  What does not hold stays as it is, so a break stays
 * where it was.  Inside the caller's transaction.  An empty log proves nothing
 * and is no failure.
 */
enum ln_status lni_audit_rekey(struct ln_store *st,
    const struct ln_keys *from, const struct ln_keys *to,
    struct lni_audit_rekey *out, struct ln_error *err) LN_USE;

/**
 * lni_audit_is_under(st, keys, out, err):
 * Whether the log's head was written under ${keys}.
 */
enum ln_status lni_audit_is_under(struct ln_store *st,
    const struct ln_keys *keys, bool *out, struct ln_error *err) LN_USE;

extern const char *const lni_audit_rekey_sql[];
extern const size_t lni_audit_rekey_sql_count;

#endif
