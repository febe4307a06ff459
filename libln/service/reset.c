#include <ln/auth.h>

#include <string.h>

#include <sodium.h>

#include <ln/audit.h>
#include <ln/time.h>

#include "model/token.h"
#include "service/account.h"
#include "store/tx.h"

#include "base/banned.h"

#define TOKEN_BYTES 32		/* security contract */
#define EXPIRES_MAX_MS (INT64_C(30) * 24 * 60 * 60 * 1000) /* ours: 30 days */

_Static_assert((TOKEN_BYTES * 4 + 2) / 3 + 1 == LN_RESET_TOKEN_SIZE,
    "token size");

static enum ln_status
need_keys(struct ln_store *st, const struct ln_keys **out,
    struct ln_error *err)
{
	if ((*out = ln_store_keys(st)) == NULL)
		return ln_fail(err, LN_BAD_KEY, "SECRET_KEY is not set",
		    "reset tokens need keys");
	return LN_OK;
}

static void
token_hash(const struct ln_keys *keys, const unsigned char token[TOKEN_BYTES],
    unsigned char out[LN_KEY_BYTES])
{
	crypto_generichash(out, LN_KEY_BYTES, token, TOKEN_BYTES, keys->reset,
	    sizeof(keys->reset));
}

static enum ln_status
bad_token(struct ln_error *err)
{
	return ln_fail(err, LN_INVALID, "Invalid or expired reset token",
	    "no such token");
}

/* The hash of the text somebody brought.  LN_INVALID when it is not one. */
static enum ln_status
read_token(struct ln_store *st, const char *token,
    unsigned char out[LN_KEY_BYTES], struct ln_error *err)
{
	unsigned char bytes[TOKEN_BYTES];
	const struct ln_keys *keys;
	enum ln_status s;
	size_t n;

	memset(out, 0, LN_KEY_BYTES);
	if ((s = need_keys(st, &keys, err)) != LN_OK)
		return s;
	if (strnlen(token, LN_RESET_TOKEN_SIZE) != LN_RESET_TOKEN_SIZE - 1 ||
	    !ln_b64url_decode(token, LN_RESET_TOKEN_SIZE - 1, bytes,
	    sizeof(bytes), &n) || n != sizeof(bytes))
		return bad_token(err);
	token_hash(keys, bytes, out);
	ln_wipe(bytes, sizeof(bytes));
	return LN_OK;
}

static enum ln_status
issue_tx(struct ln_store *st, const char *user_id,
    const unsigned char hash[LN_KEY_BYTES], int64_t expires_ms,
    struct ln_error *err)
{
	int64_t now_ms = ln_time_now_ms();
	struct ln_user *u = NULL;
	enum ln_status s;

	s = ln_user_get(st, user_id, &u, err);
	ln_user_free(u);
	if (s != LN_OK)
		return s;
	s = lni_token_add(st, hash, user_id, now_ms, now_ms + expires_ms, err);
	if (s != LN_OK)
		return s;
	return ln_audit_add(st, "auth.reset_issue", user_id, LN_OK, NULL, err);
}

enum ln_status
ln_auth_reset_issue(struct ln_store *st, const char *user_id,
    int64_t expires_ms, char out[LN_RESET_TOKEN_SIZE], struct ln_error *err)
{
	unsigned char token[TOKEN_BYTES], hash[LN_KEY_BYTES];
	const struct ln_keys *keys;
	enum ln_status s;

	memset(out, 0, LN_RESET_TOKEN_SIZE);
	if (expires_ms == 0)
		expires_ms = LN_RESET_EXPIRES_MS;
	if (expires_ms < 0 || expires_ms > EXPIRES_MAX_MS)
		return ln_fail_field(err, LN_INVALID, "expires",
		    "A reset link lives 30 days at most", "%lld ms",
		    (long long)expires_ms);
	if ((s = need_keys(st, &keys, err)) != LN_OK)
		return s;
	ln_random(token, sizeof(token));
	token_hash(keys, token, hash);
	if ((s = lni_tx_begin(st, err)) != LN_OK)
		goto out;
	s = lni_tx_end(st, issue_tx(st, user_id, hash, expires_ms, err), err);
	if (s == LN_OK && ln_b64url_encode(token, sizeof(token), out,
	    LN_RESET_TOKEN_SIZE) == NULL)
		s = ln_fail(err, LN_INTERNAL, "", "reset token");
out:
	ln_wipe(token, sizeof(token));
	return s;
}

enum ln_status
ln_auth_reset_peek(struct ln_store *st, const char *token,
    struct ln_error *err)
{
	unsigned char hash[LN_KEY_BYTES];
	char *user_id;
	enum ln_status s;

	if ((s = read_token(st, token, hash, err)) != LN_OK)
		return s;
	s = lni_token_user(st, hash, ln_time_now_ms(), &user_id, err);
	ln_free(user_id);
	return s == LN_NOT_FOUND ? bad_token(err) : s;
}

static enum ln_status
use_tx(struct ln_store *st, const unsigned char token[LN_KEY_BYTES],
    const char *hash, struct ln_error *err)
{
	char *user_id = NULL;
	enum ln_status s;

	s = lni_token_use(st, token, ln_time_now_ms(), &user_id, err);
	if (s == LN_NOT_FOUND)
		return bad_token(err);
	if (s != LN_OK)
		return s;
	s = lni_account_hash_set(st, user_id, hash, NULL, err);
	if (s == LN_OK)
		s = ln_audit_add(st, "auth.reset", user_id, LN_OK, NULL, err);
	ln_free(user_id);
	return s;
}

enum ln_status
ln_auth_reset_use(struct ln_store *st, const char *token, const char *pw,
    struct ln_error *err)
{
	char hash[LN_PASSWORD_HASH_SIZE] = "";
	unsigned char token_id[LN_KEY_BYTES];
	enum ln_status s;

	/* A password that will not do must not cost the person his link. */
	if ((s = ln_password_check(pw, err)) != LN_OK)
		return s;
	if ((s = ln_auth_reset_peek(st, token, err)) != LN_OK)
		goto out;
	if ((s = read_token(st, token, token_id, err)) != LN_OK)
		goto out;
	if ((s = ln_password_hash(pw, hash, err)) != LN_OK)
		goto out;
	if ((s = lni_tx_begin(st, err)) != LN_OK)
		goto out;
	s = lni_tx_end(st, use_tx(st, token_id, hash, err), err);
out:
	if (s == LN_INVALID)
		lni_account_note(st, s, "auth.reset", NULL, NULL);
	ln_wipe(hash, sizeof(hash));
	return s;
}
