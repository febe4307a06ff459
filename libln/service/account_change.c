#include <ln/auth.h>

#include <string.h>

#include <ln/audit.h>
#include <ln/session.h>
#include <ln/text.h>
#include <ln/time.h>

#include "model/token.h"
#include "service/account.h"
#include "store/tx.h"

#include "base/banned.h"

/* What operators, administrators and people do to accounts.  Each act reads
 * what it depends on inside the transaction that changes it. */

#define REASON_MAX 500		/* code points, ours */

enum ln_status
ln_auth_create(struct ln_store *st, const struct ln_user_new *new_user,
    struct ln_user **out, struct ln_error *err)
{
	char id[LN_UUID_SIZE], hash[LN_PASSWORD_HASH_SIZE] = "";
	struct lni_account_text text;
	enum ln_status s;

	*out = NULL;
	if ((s = lni_account_clean(new_user, &text, err)) != LN_OK)
		return s;
	if (new_user->password != NULL &&
	    ((s = ln_password_check(new_user->password, err)) != LN_OK ||
	    (s = ln_password_hash(new_user->password, hash, err)) != LN_OK))
		goto out;
	if ((s = lni_tx_begin(st, err)) != LN_OK)
		goto out;
	if ((s = lni_account_may_act(st, NULL, true, err)) != LN_OK)
		goto end;
	s = lni_account_add(st, &text, new_user->role,
	    hash[0] != '\0' ? hash : NULL, id, err);
	if (s != LN_OK)
		goto end;
	s = ln_audit_add(st, "user.create", id, LN_OK,
	    ln_user_role_name(new_user->role), err);
	if (s == LN_OK)
		s = ln_user_get(st, id, out, err);
end:
	s = lni_account_end(st, s, "user.create", NULL, err);
	if (s != LN_OK) {
		ln_user_free(*out);
		*out = NULL;
	}
out:
	ln_wipe(hash, sizeof(hash));
	lni_account_text_free(&text);
	return s;
}

enum ln_status
ln_auth_password_set(struct ln_store *st, const char *user_id, const char *pw,
    const unsigned char *keep_session, struct ln_error *err)
{
	char hash[LN_PASSWORD_HASH_SIZE];
	struct ln_user *u = NULL;
	enum ln_status s;

	if ((s = ln_password_check(pw, err)) != LN_OK)
		return s;
	/* Before the work: who is not there needs no hash. */
	s = ln_user_get(st, user_id, &u, err);
	ln_user_free(u);
	if (s != LN_OK)
		return s;
	if ((s = ln_password_hash(pw, hash, err)) != LN_OK)
		return s;
	if ((s = lni_tx_begin(st, err)) != LN_OK)
		goto out;
	if ((s = lni_account_may_act(st, user_id, false, err)) != LN_OK)
		goto end;
	s = lni_account_hash_set(st, user_id, hash, keep_session, err);
	if (s == LN_OK)
		s = ln_audit_add(st, "user.password", user_id, LN_OK, NULL,
		    err);
end:
	s = lni_account_end(st, s, "user.password", user_id, err);
out:
	ln_wipe(hash, sizeof(hash));
	return s;
}

/* Whether nobody could administer the instance without ${u}. */
static enum ln_status
is_last_admin(struct ln_store *st, const struct ln_user *u, bool *out,
    struct ln_error *err)
{
	int64_t left;
	enum ln_status s;

	*out = false;
	if (u->role != LN_USER_ROLE_ADMIN)
		return LN_OK;
	s = lni_user_admins_left(st, u->id, ln_time_now_ms(), &left, err);
	if (s == LN_OK)
		*out = left == 0;
	return s;
}

static bool
same_text(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0;
}

static enum ln_status
check_block(const char *reason, int64_t until_ms, struct ln_error *err)
{
	if (until_ms != 0 && until_ms <= ln_time_now_ms())
		return ln_fail_field(err, LN_INVALID, "until",
		    "The end of the block must be in the future", "%lld",
		    (long long)until_ms);
	if (reason == NULL)
		return LN_OK;
	if (!ln_utf8_valid(reason, strlen(reason)) ||
	    ln_text_has_control(reason) ||
	    ln_utf8_count(reason) > REASON_MAX)
		return ln_fail_field(err, LN_INVALID, "reason",
		    "A reason is one line of at most 500 characters",
		    "%zu bytes", strlen(reason));
	return LN_OK;
}

static enum ln_status
block_tx(struct ln_store *st, const char *user_id, const char *reason,
    int64_t until_ms, bool *out_changed, struct ln_error *err)
{
	struct ln_user *u = NULL;
	enum ln_status s;
	bool is_last;

	if ((s = lni_account_may_act(st, user_id, true, err)) != LN_OK ||
	    (s = ln_user_get(st, user_id, &u, err)) != LN_OK ||
	    (s = is_last_admin(st, u, &is_last, err)) != LN_OK)
		goto out;
	if (u->is_blocked && reason == NULL)
		reason = u->blocked_reason;
	if (u->is_blocked && u->blocked_until_ms == until_ms &&
	    same_text(u->blocked_reason, reason))
		goto out;
	if (is_last) {
		s = ln_fail(err, LN_CONFLICT,
		    "The last administrator cannot be blocked", "%s",
		    user_id);
		goto out;
	}
	s = lni_user_block_set(st, user_id,
	    u->is_blocked ? u->blocked_ms : ln_time_now_ms(), until_ms,
	    reason, err);
	if (s == LN_OK)
		s = ln_audit_add(st, "user.block", user_id, LN_OK, reason,
		    err);
	*out_changed = s == LN_OK;
out:
	ln_user_free(u);
	return s;
}

enum ln_status
ln_auth_block(struct ln_store *st, const char *user_id, const char *reason,
    int64_t until_ms, bool *out_changed, struct ln_error *err)
{
	enum ln_status s;

	*out_changed = false;
	if (reason != NULL && reason[0] == '\0')
		reason = NULL;
	if ((s = check_block(reason, until_ms, err)) != LN_OK)
		return s;
	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	s = block_tx(st, user_id, reason, until_ms, out_changed, err);
	s = lni_account_end(st, s, "user.block", user_id, err);
	if (s != LN_OK)
		*out_changed = false;
	return s;
}

static enum ln_status
unblock_tx(struct ln_store *st, const char *user_id, bool *out_changed,
    struct ln_error *err)
{
	struct ln_user *u = NULL;
	enum ln_status s;

	if ((s = lni_account_may_act(st, user_id, true, err)) != LN_OK ||
	    (s = ln_user_get(st, user_id, &u, err)) != LN_OK)
		goto out;
	if (!u->is_blocked)
		goto out;
	s = lni_user_block_clear(st, user_id, err);
	if (s == LN_OK)
		s = ln_audit_add(st, "user.unblock", user_id, LN_OK, NULL,
		    err);
	*out_changed = s == LN_OK;
out:
	ln_user_free(u);
	return s;
}

enum ln_status
ln_auth_unblock(struct ln_store *st, const char *user_id, bool *out_changed,
    struct ln_error *err)
{
	enum ln_status s;

	*out_changed = false;
	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	s = unblock_tx(st, user_id, out_changed, err);
	s = lni_account_end(st, s, "user.unblock", user_id, err);
	if (s != LN_OK)
		*out_changed = false;
	return s;
}

static enum ln_status
role_tx(struct ln_store *st, const char *user_id, enum ln_user_role role,
    bool *out_changed, struct ln_error *err)
{
	struct ln_user *u = NULL;
	enum ln_status s;
	bool is_last;

	if ((s = lni_account_may_act(st, user_id, true, err)) != LN_OK ||
	    (s = ln_user_get(st, user_id, &u, err)) != LN_OK ||
	    (s = is_last_admin(st, u, &is_last, err)) != LN_OK)
		goto out;
	if (u->role == role)
		goto out;
	if (is_last) {
		s = ln_fail(err, LN_CONFLICT,
		    "The last administrator cannot be demoted", "%s",
		    user_id);
		goto out;
	}
	if ((s = lni_user_role_set(st, user_id, role, err)) != LN_OK ||
	    (s = ln_session_end_user(st, user_id, NULL, NULL, err)) != LN_OK)
		goto out;
	s = ln_audit_add(st, "user.role", user_id, LN_OK,
	    ln_user_role_name(role), err);
	*out_changed = s == LN_OK;
out:
	ln_user_free(u);
	return s;
}

enum ln_status
ln_auth_role_set(struct ln_store *st, const char *user_id,
    enum ln_user_role role, bool *out_changed, struct ln_error *err)
{
	enum ln_status s;

	*out_changed = false;
	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	s = role_tx(st, user_id, role, out_changed, err);
	s = lni_account_end(st, s, "user.role", user_id, err);
	if (s != LN_OK)
		*out_changed = false;
	return s;
}

enum ln_status
lni_account_delete(struct ln_store *st, const char *user_id,
    struct ln_error *err)
{
	struct ln_user *u = NULL;
	enum ln_status s;
	bool is_last;

	if ((s = lni_account_may_act(st, user_id, false, err)) != LN_OK ||
	    (s = ln_user_get(st, user_id, &u, err)) != LN_OK ||
	    (s = is_last_admin(st, u, &is_last, err)) != LN_OK)
		goto out;
	if (is_last) {
		s = ln_fail(err, LN_CONFLICT,
		    "The last administrator cannot be deleted", "%s",
		    user_id);
		goto out;
	}
	if ((s = lni_user_remove(st, user_id, err)) == LN_OK)
		s = ln_audit_add(st, "user.delete", user_id, LN_OK, NULL,
		    err);
out:
	ln_user_free(u);
	return s;
}

enum ln_status
ln_auth_delete(struct ln_store *st, const char *user_id, struct ln_error *err)
{
	enum ln_status s;

	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	s = lni_account_delete(st, user_id, err);
	return lni_account_end(st, s, "user.delete", user_id, err);
}

/*
 * Before ${wanted} replaces ${current}: the trimmed text to write in
 * ${*value}, or ${*has_changed} false.  What an imported account has already
 * may break today's rules as long as it stays as it is.
 */
static enum ln_status
wanted_text(const char *wanted, const char *current,
    enum ln_status (*check)(const char *, struct ln_error *), char **value,
    bool *has_changed, struct ln_error *err)
{
	enum ln_status s;

	*value = NULL;
	*has_changed = false;
	if (wanted == NULL)
		return LN_OK;
	if ((s = ln_text_trim(wanted, value, err)) != LN_OK)
		return s;
	if (strcmp(*value, current != NULL ? current : "") == 0)
		return LN_OK;
	*has_changed = true;
	/* An empty user name is checked, and refused, like any other. */
	if (**value == '\0' && check != ln_user_check_name) {
		ln_free(*value);
		*value = NULL;
		return LN_OK;
	}
	return check(*value, err);
}

static enum ln_status
profile_tx(struct ln_store *st, const char *user_id, const char *username,
    const char *email, const char *full_name, struct ln_error *err)
{
	char *name = NULL, *mail = NULL, *full = NULL;
	bool new_name, new_mail, new_full;
	struct ln_user *u = NULL;
	enum ln_status s;

	if ((s = lni_account_may_act(st, user_id, false, err)) != LN_OK ||
	    (s = ln_user_get(st, user_id, &u, err)) != LN_OK)
		goto out;
	if ((s = wanted_text(username, u->username, ln_user_check_name, &name,
	    &new_name, err)) != LN_OK ||
	    (s = wanted_text(email, u->email, ln_user_check_email, &mail,
	    &new_mail, err)) != LN_OK ||
	    (s = wanted_text(full_name, u->full_name, ln_user_check_full_name,
	    &full, &new_full, err)) != LN_OK)
		goto out;
	if (!new_name && !new_mail && !new_full)
		goto out;
	s = lni_user_taken(st, user_id, new_name ? name : NULL,
	    new_mail ? mail : NULL, err);
	if (s == LN_OK && new_name)
		s = lni_user_username_set(st, user_id, name, err);
	if (s == LN_OK && new_mail)
		s = lni_user_email_set(st, user_id, mail, err);
	/* A reset link that went to the old address dies with it. */
	if (s == LN_OK && new_mail)
		s = lni_token_revoke(st, user_id, err);
	if (s == LN_OK && new_full)
		s = lni_user_full_name_set(st, user_id, full, err);
	if (s == LN_OK)
		s = ln_audit_add(st, "user.profile", user_id, LN_OK,
		    new_name ? (new_mail ? "username email" : "username") :
		    (new_mail ? "email" : "full_name"), err);
out:
	ln_user_free(u);
	ln_free(name);
	ln_free(mail);
	ln_free(full);
	return s;
}

enum ln_status
ln_auth_profile_set(struct ln_store *st, const char *user_id,
    const char *username, const char *email, const char *full_name,
    struct ln_error *err)
{
	enum ln_status s;

	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	s = profile_tx(st, user_id, username, email, full_name, err);
	return lni_account_end(st, s, "user.profile", user_id, err);
}
