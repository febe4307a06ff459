#include "service/account.h"

#include <string.h>

#include <ln/audit.h>
#include <ln/log.h>
#include <ln/session.h>
#include <ln/text.h>
#include <ln/time.h>

#include "model/token.h"
#include "store/tx.h"

#include "base/banned.h"

/* Trim ${s} into ${out}; NULL when nothing is left. */
static enum ln_status
trim(const char *s, char **out, struct ln_error *err)
{
	enum ln_status st;

	*out = NULL;
	if (s == NULL)
		return LN_OK;
	if ((st = ln_text_trim(s, out, err)) != LN_OK)
		return st;
	if (**out == '\0') {
		ln_free(*out);
		*out = NULL;
	}
	return LN_OK;
}

enum ln_status
lni_account_clean(const struct ln_user_new *new_user,
    struct lni_account_text *out, struct ln_error *err)
{
	enum ln_status s;

	memset(out, 0, sizeof(*out));
	if ((s = trim(new_user->username, &out->username, err)) != LN_OK ||
	    (s = trim(new_user->email, &out->email, err)) != LN_OK ||
	    (s = trim(new_user->full_name, &out->full_name, err)) != LN_OK)
		goto out;
	s = ln_user_check_name(out->username != NULL ? out->username : "",
	    err);
	if (s == LN_OK && out->email != NULL)
		s = ln_user_check_email(out->email, err);
	if (s == LN_OK && out->full_name != NULL)
		s = ln_user_check_full_name(out->full_name, err);
out:
	if (s != LN_OK)
		lni_account_text_free(out);
	return s;
}

void
lni_account_text_free(struct lni_account_text *t)
{
	ln_free(t->username);
	ln_free(t->email);
	ln_free(t->full_name);
	memset(t, 0, sizeof(*t));
}

enum ln_status
lni_account_add(struct ln_store *st, const struct lni_account_text *text,
    enum ln_user_role role, const char *hash, char out_id[LN_UUID_SIZE],
    struct ln_error *err)
{
	struct lni_user_new u = {
		.username = text->username, .email = text->email,
		.full_name = text->full_name, .password_hash = hash,
		.role = role, .created_ms = ln_time_now_ms(),
	};
	enum ln_status s;

	s = lni_user_taken(st, NULL, text->username, text->email, err);
	if (s != LN_OK)
		return s;
	ln_uuid(out_id);
	u.id = out_id;
	return lni_user_add(st, &u, err);
}

enum ln_status
lni_account_may_act(struct ln_store *st, const char *target_id,
    bool is_admin_act, struct ln_error *err)
{
	const struct ln_actor *actor = lni_store_actor(st);
	struct ln_user *u = NULL;
	enum ln_status s;

	if (strcmp(actor->kind, "user") != 0 || actor->user_id == NULL)
		return LN_OK;
	s = ln_user_get(st, actor->user_id, &u, err);
	if (s == LN_NOT_FOUND)
		return ln_fail(err, LN_FORBIDDEN, "", "the actor is gone");
	if (s != LN_OK)
		return s;
	if (u->is_blocked)
		s = ln_fail(err, LN_FORBIDDEN, LNI_BLOCKED_TEXT,
		    "the actor is blocked");
	else if (u->role != LN_USER_ROLE_ADMIN && (is_admin_act ||
	    target_id == NULL || strcmp(u->id, target_id) != 0))
		s = ln_fail(err, LN_FORBIDDEN, "", "the actor is no admin");
	ln_user_free(u);
	return s;
}

void
lni_account_note(struct ln_store *st, enum ln_status outcome,
    const char *action, const char *target_id, const char *detail)
{
	enum ln_status s;

	s = ln_audit_add(st, action, target_id, outcome, detail, NULL);
	if (s != LN_OK)
		ln_log(LN_LOG_WARN, "audit.fail", "action=%s outcome=%s why=%s",
		    action, ln_status_token(outcome), ln_status_token(s));
}

enum ln_status
lni_account_end(struct ln_store *st, enum ln_status s, const char *action,
    const char *target_id, struct ln_error *err)
{
	s = lni_tx_end(st, s, err);
	if (s == LN_FORBIDDEN || s == LN_CONFLICT)
		lni_account_note(st, s, action, target_id, NULL);
	return s;
}

enum ln_status
lni_account_hash_set(struct ln_store *st, const char *user_id,
    const char *hash, const unsigned char *keep_session, struct ln_error *err)
{
	enum ln_status s;

	if ((s = lni_user_hash_set(st, user_id, hash, err)) != LN_OK)
		return s;
	s = ln_session_end_user(st, user_id, keep_session, NULL, err);
	if (s != LN_OK)
		return s;
	return lni_token_revoke(st, user_id, err);
}
