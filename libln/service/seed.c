#include <ln/auth.h>

#include <ln/audit.h>
#include <ln/log.h>
#include <ln/session.h>
#include <ln/text.h>

#include "service/account.h"
#include "store/tx.h"

#include "base/banned.h"

#define ACTION "admin.seed"

/*
 * The account that name or e-mail belong to: an administrator before an
 * ordinary one, the owner of the e-mail before that of the name.  NULL when
 * both are free.
 */
static enum ln_status
find_owner(struct ln_store *st, const struct lni_account_text *text,
    struct ln_user **out, struct ln_error *err)
{
	const char *const names[] = { text->email, text->username };
	struct ln_user *found[LNI_USER_MATCH_MAX];
	enum ln_status s;
	size_t i, n, count;

	*out = NULL;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i] == NULL)
			continue;
		s = lni_user_match(st, names[i], found, &count, err);
		if (s != LN_OK) {
			ln_user_free(*out);
			*out = NULL;
			return s;
		}
		for (n = 0; n < count; n++) {
			if (*out == NULL ||
			    ((*out)->role != LN_USER_ROLE_ADMIN &&
			    found[n]->role == LN_USER_ROLE_ADMIN)) {
				ln_user_free(*out);
				*out = found[n];
			} else {
				ln_user_free(found[n]);
			}
		}
	}
	return LN_OK;
}

static enum ln_status
create(struct ln_store *st, const struct lni_account_text *text,
    const char *hash, struct ln_user **out, struct ln_error *err)
{
	char id[LN_UUID_SIZE];
	enum ln_status s;

	s = lni_account_add(st, text, LN_USER_ROLE_ADMIN, hash, id, err);
	if (s == LN_OK)
		s = ln_audit_add(st, ACTION, id, LN_OK, "created", err);
	if (s == LN_OK)
		s = ln_user_get(st, id, out, err);
	return s;
}

static enum ln_status
promote(struct ln_store *st, struct ln_user **u, struct ln_error *err)
{
	struct ln_user *promoted;
	enum ln_status s;

	s = lni_user_role_set(st, (*u)->id, LN_USER_ROLE_ADMIN, err);
	if (s == LN_OK)
		s = ln_session_end_user(st, (*u)->id, NULL, NULL, err);
	if (s == LN_OK)
		s = ln_audit_add(st, ACTION, (*u)->id, LN_OK, "promoted", err);
	if (s == LN_OK)
		s = ln_user_get(st, (*u)->id, &promoted, err);
	if (s != LN_OK)
		return s;
	ln_user_free(*u);
	*u = promoted;
	return LN_OK;
}

/* ${hash} NULL and ${may_create} false: only look. */
static enum ln_status
seed_tx(struct ln_store *st, const struct lni_account_text *text,
    const char *hash, bool may_create, bool may_promote,
    enum ln_auth_seed_result *out_result, struct ln_user **out,
    struct ln_error *err)
{
	enum ln_status s;

	if ((s = lni_account_may_act(st, NULL, true, err)) != LN_OK ||
	    (s = find_owner(st, text, out, err)) != LN_OK)
		return s;
	if (*out == NULL) {
		*out_result = LN_AUTH_SEED_CREATED;
		return may_create ? create(st, text, hash, out, err) : LN_OK;
	}
	if ((*out)->role == LN_USER_ROLE_ADMIN) {
		*out_result = LN_AUTH_SEED_EXISTS;
		return LN_OK;
	}
	if (!may_promote)
		return ln_fail(err, LN_CONFLICT,
		    "An ordinary account has this name or e-mail address. "
		    "Promote it, or choose others", "%s", (*out)->id);
	*out_result = LN_AUTH_SEED_PROMOTED;
	return promote(st, out, err);
}

static enum ln_status
seed(struct ln_store *st, const struct lni_account_text *text,
    const char *hash, bool may_create, bool may_promote,
    enum ln_auth_seed_result *out_result, struct ln_user **out,
    struct ln_error *err)
{
	enum ln_status s;

	*out = NULL;
	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	s = seed_tx(st, text, hash, may_create, may_promote, out_result, out,
	    err);
	s = lni_account_end(st, s, ACTION, *out != NULL ? (*out)->id : NULL,
	    err);
	if (s != LN_OK) {
		ln_user_free(*out);
		*out = NULL;
	}
	return s;
}

enum ln_status
ln_auth_seed(struct ln_store *st, const struct ln_user_new *new_user,
    bool may_promote, enum ln_auth_seed_result *out_result,
    struct ln_user **out, struct ln_error *err)
{
	char hash[LN_PASSWORD_HASH_SIZE] = "";
	struct lni_account_text text;
	enum ln_status s;

	*out = NULL;
	*out_result = LN_AUTH_SEED_EXISTS;
	if ((s = lni_account_clean(new_user, &text, err)) != LN_OK)
		return s;
	/* Most runs find the account: hash only when there is none. */
	s = seed(st, &text, NULL, false, may_promote, out_result, out, err);
	if (s != LN_OK || *out != NULL)
		goto out;
	if (new_user->password != NULL &&
	    ((s = ln_password_check(new_user->password, err)) != LN_OK ||
	    (s = ln_password_hash(new_user->password, hash, err)) != LN_OK))
		goto out;
	s = seed(st, &text, hash[0] != '\0' ? hash : NULL, true, may_promote,
	    out_result, out, err);
out:
	if (s == LN_OK && *out_result == LN_AUTH_SEED_PROMOTED)
		ln_log(LN_LOG_WARN, ACTION, "outcome=promoted user=%s",
		    (*out)->id);
	ln_wipe(hash, sizeof(hash));
	lni_account_text_free(&text);
	return s;
}
