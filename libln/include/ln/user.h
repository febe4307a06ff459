#ifndef LN_USER_H
#define LN_USER_H

#include <ln/base.h>
#include <ln/error.h>
#include <ln/store.h>

/* Accounts.  Row functions only: rules that span tables are in ln/auth.h. */

#define LN_USERNAME_MIN 2	/* security contract, code points */
#define LN_USERNAME_MAX 64
#define LN_EMAIL_MAX 254	/* bytes, RFC 5321 path limit */
#define LN_FULL_NAME_MAX 200	/* code points, ours */

enum ln_user_role { LN_USER_ROLE_USER, LN_USER_ROLE_ADMIN };

/**
 * struct ln_user:
 * A read-only record; free it with ln_user_free.  ${email}, ${full_name} and
 * ${blocked_reason} may be NULL.  ${is_blocked} already weighs
 * ${blocked_until_ms} (0: for ever) against the clock.
 */
struct ln_user {
	char *id;
	char *username;
	char *email;
	char *full_name;
	enum ln_user_role role;
	bool is_blocked;
	bool has_picture;
	bool has_password;	/* false: disabled, only a reset helps */
	int64_t blocked_ms;
	int64_t blocked_until_ms;
	char *blocked_reason;
	int64_t created_ms;
	int64_t last_login_ms;	/* 0: never */
};

struct ln_user_list {
	struct ln_user **items;
	size_t count;
	int64_t total;		/* of all pages */
};

struct ln_user_filter {
	size_t size;
	/* Part of user name, e-mail (both without case) or full name (without
	 * case of ASCII letters), or NULL. */
	const char *query;
	bool only_admins;
	bool only_users;
	bool only_blocked;
	int64_t limit;		/* 0: 1000 */
	int64_t offset;
};

LN_API const char *ln_user_role_name(enum ln_user_role role);
LN_API bool ln_user_role_parse(const char *s, enum ln_user_role *out);

/**
 * ln_user_get(st, id, out, err) / ln_user_find(st, name, out, err):
 * By id / as people type it: by user name, then by e-mail, then by id.  With
 * an "@" in it the owner of the e-mail comes first: an imported user name may
 * look like somebody else's address.  Names compare without case.
 * LN_NOT_FOUND.
 */
LN_API enum ln_status ln_user_get(struct ln_store *st, const char *id,
    struct ln_user **out, struct ln_error *err) LN_USE;
LN_API enum ln_status ln_user_find(struct ln_store *st, const char *name,
    struct ln_user **out, struct ln_error *err) LN_USE;
LN_API void ln_user_free(struct ln_user *u);

/**
 * ln_user_list(st, filter, out, err):
 * By user name.  ${filter} may be NULL.  Free with ln_user_list_free.
 */
LN_API enum ln_status ln_user_list(struct ln_store *st,
    const struct ln_user_filter *filter, struct ln_user_list *out,
    struct ln_error *err) LN_USE;
LN_API void ln_user_list_free(struct ln_user_list *l);

/**
 * ln_user_check_name(s, err) / ln_user_check_email(s, err) /
 * ln_user_check_full_name(s, err):
 * Whether the (already trimmed) text is allowed for a new account.
 * LN_INVALID with field and sentence.
 */
LN_API enum ln_status ln_user_check_name(const char *s, struct ln_error *err)
    LN_USE;
LN_API enum ln_status ln_user_check_email(const char *s, struct ln_error *err)
    LN_USE;
LN_API enum ln_status ln_user_check_full_name(const char *s,
    struct ln_error *err) LN_USE;

/**
 * struct ln_user_stats / ln_user_stats(st, id, out, err):
 * Counts over one account.
 */
struct ln_user_stats {
	int64_t conversation_count;
	int64_t message_count;
	int64_t total_tokens;
};
LN_API enum ln_status ln_user_stats(struct ln_store *st, const char *id,
    struct ln_user_stats *out, struct ln_error *err) LN_USE;

#endif
