#ifndef LNI_USER_H
#define LNI_USER_H

#include <ln/error.h>
#include <ln/store.h>
#include <ln/user.h>

/*
 * What service/ needs beyond ln/user.h.  Writers expect to run inside the
 * caller's transaction, check no rule and answer LN_NOT_FOUND when there is no
 * such account.  No record carries a password hash: it is asked for by name.
 */

/* A user name and somebody else's e-mail can be the same text in an imported
 * database, so a name can mean two accounts. */
#define LNI_USER_MATCH_MAX 2

/* Names longer than this are nobody's: bytes, above every limit of a row. */
#define LNI_USER_TYPED_MAX 1024

/**
 * lni_user_match(st, name, out, out_count, err):
 * The accounts that the typed ${name} means as user name or e-mail, the likely
 * one first: with an "@" the owner of the e-mail, else of the user name.  LN_OK
 * with none for a name that cannot be one.  Free each with ln_user_free.
 */
enum ln_status lni_user_match(struct ln_store *st, const char *name,
    struct ln_user *out[LNI_USER_MATCH_MAX], size_t *out_count,
    struct ln_error *err) LN_USE;

/**
 * lni_user_taken(st, except_id, username, email, err):
 * LN_CONFLICT with the field when another account than ${except_id} (NULL:
 * any) can be meant by ${username} or ${email} (both may be NULL): as its user
 * name, e-mail or id.  So that nobody can type himself into another's place.
 */
enum ln_status lni_user_taken(struct ln_store *st, const char *except_id,
    const char *username, const char *email, struct ln_error *err) LN_USE;

/* The stored hash, yours (ln_wipe_free); NULL when none is set. */
enum ln_status lni_user_hash(struct ln_store *st, const char *id, char **out,
    struct ln_error *err) LN_USE;

/**
 * lni_user_admins_left(st, without_id, now_ms, out, err):
 * How many accounts other than ${without_id} are administrators who can act:
 * not blocked at ${now_ms} and with a password.
 */
enum ln_status lni_user_admins_left(struct ln_store *st,
    const char *without_id, int64_t now_ms, int64_t *out, struct ln_error *err)
    LN_USE;

struct lni_user_new {
	const char *id;
	const char *username;
	const char *email;	/* may be NULL, like the two below */
	const char *full_name;
	const char *password_hash;
	enum ln_user_role role;
	int64_t created_ms;
};

/* LN_CONFLICT when the name or e-mail is there. */
enum ln_status lni_user_add(struct ln_store *st, const struct lni_user_new *u,
    struct ln_error *err) LN_USE;

enum ln_status lni_user_username_set(struct ln_store *st, const char *id,
    const char *username, struct ln_error *err) LN_USE;
/* NULL clears. */
enum ln_status lni_user_email_set(struct ln_store *st, const char *id,
    const char *email, struct ln_error *err) LN_USE;
enum ln_status lni_user_full_name_set(struct ln_store *st, const char *id,
    const char *full_name, struct ln_error *err) LN_USE;
enum ln_status lni_user_role_set(struct ln_store *st, const char *id,
    enum ln_user_role role, struct ln_error *err) LN_USE;
enum ln_status lni_user_hash_set(struct ln_store *st, const char *id,
    const char *hash, struct ln_error *err) LN_USE;

/* Only when the hash is still ${old}: LN_CONFLICT otherwise. */
enum ln_status lni_user_hash_replace(struct ln_store *st, const char *id,
    const char *old, const char *hash, struct ln_error *err) LN_USE;

/* ${until_ms} 0: for ever. */
enum ln_status lni_user_block_set(struct ln_store *st, const char *id,
    int64_t now_ms, int64_t until_ms, const char *reason, struct ln_error *err)
    LN_USE;
enum ln_status lni_user_block_clear(struct ln_store *st, const char *id,
    struct ln_error *err) LN_USE;
enum ln_status lni_user_login_set(struct ln_store *st, const char *id,
    int64_t now_ms, struct ln_error *err) LN_USE;

/* With everything that hangs on it. */
enum ln_status lni_user_remove(struct ln_store *st, const char *id,
    struct ln_error *err) LN_USE;

/* --- for model/ only ----------------------------------------------------- */

/* The columns of ln_user, in the order lni_user_row reads them, for a
 * statement that names the table "user". */
#define LNI_USER_COLUMNS						\
	"user.id, user.username, user.email, user.full_name, user.role,"	\
	" user.blocked_ms, user.blocked_until_ms, user.blocked_reason,"	\
	" user.created_ms, user.last_login_ms,"				\
	" user.password_hash IS NOT NULL,"				\
	" EXISTS (SELECT 1 FROM user_picture"				\
	"  WHERE user_picture.user_id = user.id)"

struct lni_stmt;

/* The record in the current row of ${q}; ${now_ms} decides on a block that
 * ends. */
enum ln_status lni_user_row(struct lni_stmt *q, int64_t now_ms,
    struct ln_user **out, struct ln_error *err) LN_USE;

extern const char *const lni_user_sql[];
extern const size_t lni_user_sql_count;
extern const char *const lni_user_change_sql[];
extern const size_t lni_user_change_sql_count;
extern const char *const lni_stats_sql[];
extern const size_t lni_stats_sql_count;

#endif
