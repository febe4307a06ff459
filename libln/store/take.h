#ifndef LNI_TAKE_H
#define LNI_TAKE_H

#include <ln/error.h>
#include <ln/store.h>
#include <ln/transfer.h>

/*
 * What service/ may use to take over a foreign database; names no SQLite type.
 * The rules that belong to higher floors come as functions.
 */

struct lni_intake_rules {
	/* Whether a password hash is of a kind and cost that we verify. */
	bool (*hash_is_sane)(const char *hash);
	/* LN_OK when a provider address may be used here, LN_INVALID when not;
	 * ${allowed} is the list of local endpoints in force, or NULL. */
	enum ln_status (*url_check)(const char *url, const char *allowed,
	    struct ln_error *err);
	bool (*tool_is_builtin)(const char *name);
	/* Store the secret setting ${name} sealed.  NULL: only count it. */
	enum ln_status (*secret_set)(struct ln_store *to, const char *user_id,
	    const char *name, const char *value, struct ln_error *err);
	/* Whether the sealed setting ${name} opens with our key.  May be NULL
	 * (then it is believed). */
	enum ln_status (*secret_opens)(struct ln_store *to,
	    const char *user_id, const char *name, bool *out,
	    struct ln_error *err);
	/* The same for the sealed headers of a tool. */
	enum ln_status (*tool_opens)(struct ln_store *to, const char *tool_id,
	    bool *out, struct ln_error *err);
};

/* The acting administrator of the live database. */
struct lni_kept;

/**
 * lni_kept_load(st, user_id, out, err):
 * Read the account that an import shall carry over.  LN_NOT_FOUND; LN_CONFLICT
 * when it is not an administrator who can sign in.
 */
enum ln_status lni_kept_load(struct ln_store *st, const char *user_id,
    struct lni_kept **out, struct ln_error *err) LN_USE;
void lni_kept_free(struct lni_kept *k);

/* One that stands for ${user_id} when there is no live database to ask. */
enum ln_status lni_kept_stand_in(const char *user_id, struct lni_kept **out,
    struct ln_error *err) LN_USE;

/**
 * struct lni_take:
 * All borrowed.  ${live} NULL only looks at the file: working files lie in
 * $TMPDIR, and the report counts the rows that the file holds instead of those
 * that arrived.
 */
struct lni_take {
	const char *path;
	const struct ln_transfer_opts *opts;	/* or NULL */
	const struct lni_intake_rules *rules;
	struct ln_store *live;
	const struct lni_kept *kept;
	/* In force when the file does not say. */
	const char *allowed_endpoints;
	/* The live instance's own setting, which stays, or NULL. */
	const char *live_endpoints;
	struct ln_report *report;
};

/**
 * lni_take(t, out_fresh, err):
 * Examine the file and put its rows into a fresh database.  ${out_fresh} is
 * NULL when the report holds an error or there is no live database; else close
 * it with ln_store_close.  LN_OK whatever is wrong with the file itself.
 */
enum ln_status lni_take(const struct lni_take *t, struct ln_store **out_fresh,
    struct ln_error *err) LN_USE;

#endif
