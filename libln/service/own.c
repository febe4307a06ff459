#include <ln/auth.h>

#include <string.h>

#include <ln/audit.h>

#include "service/account.h"
#include "store/tx.h"

#include "base/banned.h"

/* What people do to their own account by their password, and to sign-in
 * sessions.  The password is verified without a lock; what it was verified
 * against must still be there under it. */

/* LN_UNAUTHENTICATED when another password was set since. */
static enum ln_status
still_verified(struct ln_store *st, const char *user_id, const char *verified,
    struct ln_error *err)
{
	char *hash = NULL;
	enum ln_status s;

	s = lni_user_hash(st, user_id, &hash, err);
	if (s == LN_OK && (hash == NULL || strcmp(hash, verified) != 0))
		s = ln_fail(err, LN_UNAUTHENTICATED, "",
		    "the hash changed meanwhile");
	ln_wipe_free(hash);
	return s;
}

static enum ln_status
change_tx(struct ln_store *st, const char *user_id, const char *verified,
    const char *hash, const unsigned char *keep_session, struct ln_error *err)
{
	enum ln_status s;

	if ((s = lni_account_may_act(st, user_id, false, err)) != LN_OK ||
	    (s = still_verified(st, user_id, verified, err)) != LN_OK ||
	    (s = lni_account_hash_set(st, user_id, hash, keep_session,
	    err)) != LN_OK)
		return s;
	return ln_audit_add(st, "user.password", user_id, LN_OK, "own", err);
}

enum ln_status
ln_auth_password_change(struct ln_store *st, const char *user_id,
    const char *current, const char *pw, const unsigned char *keep_session,
    struct ln_error *err)
{
	static const char action[] = "user.password";
	char hash[LN_PASSWORD_HASH_SIZE] = "";
	char *verified = NULL;
	bool needs_rehash;
	enum ln_status s;

	if ((s = ln_password_check(pw, err)) != LN_OK)
		return s;
	s = lni_account_verify(st, user_id, current, &verified, &needs_rehash,
	    err);
	if (s != LN_OK)
		goto out;
	if ((s = ln_password_hash(pw, hash, err)) != LN_OK)
		goto out;
	if ((s = lni_tx_begin(st, err)) != LN_OK)
		goto out;
	s = change_tx(st, user_id, verified, hash, keep_session, err);
	s = lni_account_end(st, s, action, user_id, err);
out:
	if (s == LN_UNAUTHENTICATED) {
		lni_account_note(st, s, action, user_id, NULL);
		s = ln_fail_field(err, LN_INVALID, "current_password",
		    "The current password is wrong", "%s", user_id);
	}
	ln_wipe_free(verified);
	ln_wipe(hash, sizeof(hash));
	return s;
}

enum ln_status
ln_auth_delete_own(struct ln_store *st, const char *user_id, const char *pw,
    struct ln_error *err)
{
	static const char action[] = "user.delete";
	char *verified = NULL;
	bool needs_rehash;
	enum ln_status s;

	s = lni_account_verify(st, user_id, pw, &verified, &needs_rehash, err);
	if (s != LN_OK)
		goto out;
	if ((s = lni_tx_begin(st, err)) != LN_OK)
		goto out;
	if ((s = still_verified(st, user_id, verified, err)) == LN_OK)
		s = lni_account_delete(st, user_id, err);
	s = lni_account_end(st, s, action, user_id, err);
out:
	if (s == LN_UNAUTHENTICATED) {
		lni_account_note(st, s, action, user_id, NULL);
		s = ln_fail_field(err, LN_INVALID, "password",
		    "The password is wrong", "%s", user_id);
	}
	ln_wipe_free(verified);
	return s;
}

static enum ln_status
sessions_tx(struct ln_store *st, const char *user_id, int64_t *out_count,
    struct ln_error *err)
{
	struct ln_user *u = NULL;
	enum ln_status s;

	s = lni_account_may_act(st, user_id, user_id == NULL, err);
	if (s == LN_OK && user_id != NULL)
		s = ln_user_get(st, user_id, &u, err);
	ln_user_free(u);
	if (s != LN_OK)
		return s;
	s = user_id == NULL ? ln_session_end_all(st, out_count, err) :
	    ln_session_end_user(st, user_id, NULL, out_count, err);
	if (s == LN_OK)
		s = ln_audit_add(st, "user.sessions_end", user_id, LN_OK,
		    user_id == NULL ? "everybody" : NULL, err);
	return s;
}

enum ln_status
ln_auth_sessions_end(struct ln_store *st, const char *user_id,
    int64_t *out_count, struct ln_error *err)
{
	int64_t count = 0;
	enum ln_status s;

	if (out_count != NULL)
		*out_count = 0;
	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	s = sessions_tx(st, user_id, &count, err);
	s = lni_account_end(st, s, "user.sessions_end", user_id, err);
	if (s == LN_OK && out_count != NULL)
		*out_count = count;
	return s;
}

static enum ln_status
session_tx(struct ln_store *st, const char *user_id,
    const unsigned char hash[LN_KEY_BYTES], struct ln_error *err)
{
	struct ln_user *u = NULL;
	enum ln_status s;

	if ((s = lni_account_may_act(st, user_id, false, err)) != LN_OK)
		return s;
	s = ln_session_user_by_hash(st, hash, &u, err);
	if (s == LN_UNAUTHENTICATED ||
	    (s == LN_OK && strcmp(u->id, user_id) != 0))
		s = ln_fail(err, LN_NOT_FOUND, "", "no such session of %s",
		    user_id);
	ln_user_free(u);
	if (s != LN_OK)
		return s;
	if ((s = ln_session_end(st, hash, err)) != LN_OK)
		return s;
	return ln_audit_add(st, "user.session_end", user_id, LN_OK, NULL,
	    err);
}

enum ln_status
ln_auth_session_end(struct ln_store *st, const char *user_id,
    const unsigned char hash[LN_KEY_BYTES], struct ln_error *err)
{
	enum ln_status s;

	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	s = session_tx(st, user_id, hash, err);
	return lni_account_end(st, s, "user.session_end", user_id, err);
}
