#ifndef LN_AUDIT_H
#define LN_AUDIT_H

#include <ln/base.h>
#include <ln/error.h>
#include <ln/store.h>

/*
 * The append-only audit log.  Each row's keyed MAC covers all its fields and
 * the MAC of the row before it; a keyed head remembers which row is the last.
 * So whoever opens the file without SECRET_KEY can neither change a row, nor
 * take one out, nor exchange two, nor cut off the end, without
 * ln_audit_verify finding it; what is written later does not heal the break.
 * Not to be found from within: a copy of log and head as they once were, put
 * back together, and both removed to the last row.  Only a copy elsewhere (a
 * backup) tells that.
 */

struct ln_audit {
	int64_t id;
	int64_t at_ms;
	char *actor_kind;	/* "user", "shell", "system" */
	char *actor_id;		/* may be NULL */
	char *address;		/* may be NULL */
	char *action;		/* "user.block" */
	char *target;		/* id of whom or what, may be NULL */
	char *outcome;		/* "ok" or a status token */
	char *request_id;	/* may be NULL */
	char *detail;		/* never a secret or message text, may be NULL */
};

struct ln_audit_list {
	struct ln_audit **items;
	size_t count;
};

/**
 * ln_audit_add(st, action, target, outcome, detail, err):
 * Append one row for the handle's actor; inside a transaction it lives and
 * dies with it.  ${target} and ${detail} may be NULL; texts are cut at 1,000
 * bytes and what is not UTF-8 in them is replaced.  A damaged log is written
 * on, so that breaking it stops nobody's work.  LN_BAD_KEY without keys, or
 * with those that ln/rotate.h replaced.
 */
LN_API enum ln_status ln_audit_add(struct ln_store *st, const char *action,
    const char *target, enum ln_status outcome, const char *detail,
    struct ln_error *err) LN_USE;

/**
 * ln_audit_list(st, before_id, limit, out, err):
 * Newest first, ids below ${before_id} (0: from the end); ${limit} 0 is 100,
 * 100,000 at most.  Free with ln_audit_list_free.
 */
LN_API enum ln_status ln_audit_list(struct ln_store *st, int64_t before_id,
    int64_t limit, struct ln_audit_list *out, struct ln_error *err) LN_USE;
LN_API void ln_audit_list_free(struct ln_audit_list *l);

/**
 * struct ln_audit_filter / ln_audit_search(st, filter, out, err):
 * As ln_audit_list, but only rows that fit all that is set.  Reads the log from
 * its end until ${limit} rows were found.
 */
struct ln_audit_filter {
	size_t size;
	const char *actor;	/* id of an account, "shell" or "system" */
	const char *action;	/* "user.block", or "user" for all of "user.*" */
	int64_t since_ms;	/* from then on; 0: from the start */
	int64_t until_ms;	/* before then; 0: to the end */
	int64_t before_id;
	int64_t limit;
};
LN_API enum ln_status ln_audit_search(struct ln_store *st,
    const struct ln_audit_filter *filter, struct ln_audit_list *out,
    struct ln_error *err) LN_USE;

/**
 * ln_audit_verify(st, out_first_bad, out_count, err):
 * Recompute the chain.  LN_CORRUPT when a row was edited, moved or removed, or
 * when SECRET_KEY is not the one it was written under; ${out_first_bad} is
 * then the id where the chain breaks (one past the last row when the end is
 * missing), else 0.  Reads every row.  LN_BAD_KEY without keys, or with those
 * that ln/rotate.h replaced.
 */
LN_API enum ln_status ln_audit_verify(struct ln_store *st,
    int64_t *out_first_bad, int64_t *out_count, struct ln_error *err) LN_USE;

#endif
