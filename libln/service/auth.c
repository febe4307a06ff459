#include <ln/auth.h>

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include <ln/audit.h>
#include <ln/log.h>
#include <ln/session.h>
#include <ln/text.h>
#include <ln/time.h>

#include "service/account.h"
#include "store/tx.h"

#include "base/banned.h"

/* Signing in: reading and hashing first, without a lock, then one short
 * transaction that looks again whether what was verified still stands. */

#define ACTION_LOGIN "auth.login"

/* Tries when somebody changes the hash between the look and the lock.  One
 * parallel login that renews a legacy hash needs a second. */
#define LOGIN_TRIES 3

#define NAME_TAG_BYTES 8

enum ln_status
lni_account_verify(struct ln_store *st, const char *user_id,
    const char *pw, char **out_hash, bool *out_needs_rehash,
    struct ln_error *err)
{
	char *hash = NULL;
	enum ln_status s;

	*out_hash = NULL;
	*out_needs_rehash = false;
	if (user_id != NULL) {
		s = lni_user_hash(st, user_id, &hash, err);
		if (s != LN_OK && s != LN_NOT_FOUND)
			return s;
	}
	if (hash != NULL && hash[0] != '\0' && !ln_password_hash_sane(hash)) {
		ln_log(LN_LOG_WARN, "auth.hash", "user=%s why=unsupported",
		    user_id);
		ln_wipe_free(hash);
		hash = NULL;
	}
	s = ln_password_verify(hash, pw, out_needs_rehash, err);
	if (s == LN_OK)
		*out_hash = hash;
	else
		ln_wipe_free(hash);
	return s;
}

/* A typed name may be a password in the wrong field: the log gets a keyed tag
 * that only tells whether it was the same one again. */
static void
name_tag(struct ln_store *st, const char *name, char *out, size_t outsize)
{
	static const char label[] = "ln-login-name-v1";
	const struct ln_keys *keys = ln_store_keys(st);
	unsigned char tag[crypto_generichash_BYTES];
	char hex[2 * NAME_TAG_BYTES + 1];
	crypto_generichash_state state;

	out[0] = '\0';
	if (keys == NULL)
		return;
	crypto_generichash_init(&state, keys->audit, sizeof(keys->audit),
	    sizeof(tag));
	crypto_generichash_update(&state, (const unsigned char *)label,
	    sizeof(label));
	crypto_generichash_update(&state, (const unsigned char *)name,
	    strlen(name));
	crypto_generichash_final(&state, tag, sizeof(tag));
	snprintf(out, outsize, "name=%s",
	    sodium_bin2hex(hex, sizeof(hex), tag, NAME_TAG_BYTES));
}

static enum ln_status
login_wrong(struct ln_store *st, const char *user_id, const char *name,
    struct ln_error *err)
{
	char tag[32];

	name_tag(st, name, tag, sizeof(tag));
	lni_account_note(st, LN_UNAUTHENTICATED, ACTION_LOGIN, user_id,
	    user_id == NULL ? tag : NULL);
	return ln_fail(err, LN_UNAUTHENTICATED, "Invalid username or password",
	    "user=%s %s", user_id != NULL ? user_id : "-", tag);
}

/* What was verified, and what is to come of it. */
struct login {
	const char *user_id;
	const char *verified;	/* the stored hash that the password fitted */
	const char *fresh;	/* its replacement, "" for none */
	bool is_stale;		/* the stored hash is another one by now */
	struct ln_user *user;	/* as it is after the login */
	const struct ln_auth_place *place;	/* NULL: no session is wanted */
	char *cookie;		/* with a place: LN_SESSION_COOKIE_SIZE */
};

/* In the transaction that looked at the hash again: a reset that ends all
 * sessions comes before, and the hash is another one, or after. */
static enum ln_status
open_session(struct ln_store *st, const struct login *l, struct ln_error *err)
{
	const struct ln_auth_place *p = l->place;
	enum ln_status s;

	if (p == NULL)
		return LN_OK;
	if (p->old_session != NULL && (s = ln_session_end(st,
	    p->old_session, err)) != LN_OK)
		return s;
	return ln_session_create(st, l->user_id, p->address, p->agent,
	    l->cookie, err);
}

static enum ln_status
login_tx(struct ln_store *st, struct login *l, struct ln_error *err)
{
	struct ln_user *u = NULL;
	char *hash = NULL;
	enum ln_status s;

	if ((s = ln_user_get(st, l->user_id, &u, err)) != LN_OK ||
	    (s = lni_user_hash(st, l->user_id, &hash, err)) != LN_OK)
		goto out;
	if (hash == NULL || strcmp(hash, l->verified) != 0) {
		l->is_stale = true;
		s = ln_fail(err, LN_BUSY, "", "the hash changed meanwhile");
		goto out;
	}
	if (u->is_blocked) {
		s = ln_fail(err, LN_FORBIDDEN, LNI_BLOCKED_TEXT, "%s",
		    l->user_id);
		goto out;
	}
	if (l->fresh[0] != '\0' && (s = lni_user_hash_replace(st, l->user_id,
	    l->verified, l->fresh, err)) != LN_OK)
		goto out;
	s = lni_user_login_set(st, l->user_id, ln_time_now_ms(), err);
	if (s == LN_OK)
		s = open_session(st, l, err);
	if (s == LN_OK)
		s = ln_audit_add(st, ACTION_LOGIN, l->user_id, LN_OK,
		    l->fresh[0] != '\0' ? "password hash renewed" : NULL, err);
	if (s == LN_OK)
		s = ln_user_get(st, l->user_id, &l->user, err);
out:
	ln_user_free(u);
	ln_wipe_free(hash);
	return s;
}

static enum ln_status
login_finish(struct ln_store *st, struct login *l, struct ln_error *err)
{
	enum ln_status s;

	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	s = login_tx(st, l, err);
	s = lni_account_end(st, s, ACTION_LOGIN, l->user_id, err);
	if (s != LN_OK) {
		ln_user_free(l->user);
		l->user = NULL;
		if (l->place != NULL)
			ln_wipe(l->cookie, LN_SESSION_COOKIE_SIZE);
	}
	return s;
}

/*
 * One try.  Two accounts are meant only in an imported database where one
 * person's user name is another's e-mail: each gets in with his own password.
 */
static enum ln_status
login_try(struct ln_store *st, struct ln_user *const *found, size_t count,
    const char *pw, struct login *l, struct ln_error *err)
{
	char fresh[LN_PASSWORD_HASH_SIZE] = "";
	char *verified = NULL;
	bool needs_rehash = false;
	enum ln_status s;
	size_t i = 0;

	do {
		s = lni_account_verify(st, i < count ? found[i]->id : NULL,
		    pw, &verified, &needs_rehash, err);
	} while (s == LN_UNAUTHENTICATED && ++i < count);
	if (s != LN_OK)
		return s;
	/* Better an old hash than no way in. */
	if (needs_rehash && ln_password_hash(pw, fresh, NULL) != LN_OK)
		ln_log(LN_LOG_WARN, "auth.rehash", "user=%s why=nomem",
		    found[i]->id);
	l->user_id = found[i]->id;
	l->verified = verified;
	l->fresh = fresh;
	s = login_finish(st, l, err);
	l->verified = l->fresh = NULL;
	ln_wipe(fresh, sizeof(fresh));
	ln_wipe_free(verified);
	return s;
}

static enum ln_status
login(struct ln_store *st, const char *name, const char *pw,
    struct login *l, struct ln_error *err)
{
	struct ln_user *found[LNI_USER_MATCH_MAX];
	char *typed = NULL;
	enum ln_status s;
	size_t count = 0;
	int tries = 0;

	if ((s = ln_text_trim(name, &typed, err)) != LN_OK)
		return s;
	if ((s = lni_user_match(st, typed, found, &count, err)) != LN_OK)
		goto out;
	do {
		l->is_stale = false;
		s = login_try(st, found, count, pw, l, err);
	} while (l->is_stale && ++tries < LOGIN_TRIES);
	/* Deleted between the look and the lock: never there. */
	if (s == LN_UNAUTHENTICATED || s == LN_NOT_FOUND)
		s = login_wrong(st, count > 0 ? found[0]->id : NULL, typed,
		    err);
out:
	while (count > 0)
		ln_user_free(found[--count]);
	ln_wipe_free(typed);
	return s;
}

enum ln_status
ln_auth_login(struct ln_store *st, const char *name, const char *pw,
    struct ln_user **out, struct ln_error *err)
{
	struct login l = { 0 };
	enum ln_status s;

	s = login(st, name, pw, &l, err);
	*out = l.user;
	return s;
}

enum ln_status
ln_auth_sign_in(struct ln_store *st, const char *name, const char *pw,
    const struct ln_auth_place *place, char out_cookie[LN_SESSION_COOKIE_SIZE],
    struct ln_user **out, struct ln_error *err)
{
	struct login l = { .place = place, .cookie = out_cookie };
	enum ln_status s;

	memset(out_cookie, 0, LN_SESSION_COOKIE_SIZE);
	s = login(st, name, pw, &l, err);
	*out = l.user;
	return s;
}

enum ln_status
ln_auth_verify(struct ln_store *st, const char *user_id, const char *pw,
    struct ln_error *err)
{
	char *hash;
	bool needs_rehash;
	enum ln_status s;

	s = lni_account_verify(st, user_id, pw, &hash, &needs_rehash, err);
	ln_wipe_free(hash);
	if (s == LN_UNAUTHENTICATED) {
		lni_account_note(st, s, "auth.verify", user_id, NULL);
		return ln_fail(err, s, "The password is wrong", "%s", user_id);
	}
	return s;
}
