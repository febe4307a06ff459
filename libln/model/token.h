#ifndef LNI_TOKEN_H
#define LNI_TOKEN_H

#include <ln/error.h>
#include <ln/secret.h>
#include <ln/store.h>

/* Password reset tokens by the keyed hash of what was handed out. */

/* Drops every token that is over by now, too. */
enum ln_status lni_token_add(struct ln_store *st,
    const unsigned char hash[LN_KEY_BYTES], const char *user_id,
    int64_t now_ms, int64_t expires_ms, struct ln_error *err) LN_USE;

/* Whose it is, when it would work at ${now_ms}.  Yours.  LN_NOT_FOUND. */
enum ln_status lni_token_user(struct ln_store *st,
    const unsigned char hash[LN_KEY_BYTES], int64_t now_ms, char **out_user_id,
    struct ln_error *err) LN_USE;

/* The same, and from now on it does not: one conditional update. */
enum ln_status lni_token_use(struct ln_store *st,
    const unsigned char hash[LN_KEY_BYTES], int64_t now_ms, char **out_user_id,
    struct ln_error *err) LN_USE;

/* A user's open ones stop working. */
enum ln_status lni_token_revoke(struct ln_store *st, const char *user_id,
    struct ln_error *err) LN_USE;

/* Everybody's. */
enum ln_status lni_token_end_all(struct ln_store *st, int64_t *out_count,
    struct ln_error *err) LN_USE;

extern const char *const lni_token_sql[];
extern const size_t lni_token_sql_count;

#endif
