#include <ln/auth.h>

#include <ln/audit.h>
#include <ln/setting.h>

#include "service/account.h"
#include "service/mail.h"
#include "store/tx.h"

#include "base/banned.h"

#define ACTION "auth.register"

/*
 * Add the account, or note that somebody else has the name or e-mail: both
 * write one row to the audit log and commit, so that both take the same time.
 * The owner of the e-mail will get a mail.
 */
static enum ln_status
register_tx(struct ln_store *st, const struct lni_account_text *text,
    const char *hash, char out_id[LN_UUID_SIZE], struct ln_error *err)
{
	enum ln_status s;

	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	s = lni_account_add(st, text, LN_USER_ROLE_USER, hash, out_id, err);
	if (s == LN_OK) {
		s = ln_audit_add(st, ACTION, out_id, LN_OK, NULL, err);
	} else if (s == LN_CONFLICT) {
		ln_uuid(out_id);
		s = ln_audit_add(st, ACTION, NULL, LN_CONFLICT, NULL, err);
		if (s == LN_OK && text->email != NULL)
			s = lni_mail_duplicate(st, text->email, err);
	}
	return lni_tx_end(st, s, err);
}

enum ln_status
ln_auth_register(struct ln_store *st, const struct ln_user_new *new_user,
    char out_id[LN_UUID_SIZE], struct ln_error *err)
{
	char hash[LN_PASSWORD_HASH_SIZE] = "";
	struct lni_account_text text;
	enum ln_status s;
	bool is_open;

	out_id[0] = '\0';
	if ((s = lni_account_clean(new_user, &text, err)) != LN_OK)
		return s;
	s = ln_password_check(
	    new_user->password != NULL ? new_user->password : "", err);
	if (s != LN_OK)
		goto out;
	s = ln_setting_bool(st, "allow_registration", true, &is_open, err);
	if (s != LN_OK)
		goto out;
	if (!is_open) {
		s = ln_fail(err, LN_FORBIDDEN, "Registration is disabled",
		    "allow_registration");
		lni_account_note(st, s, ACTION, NULL, NULL);
		goto out;
	}
	s = ln_password_hash(new_user->password, hash, err);
	if (s == LN_OK)
		s = register_tx(st, &text, hash, out_id, err);
	if (s != LN_OK)
		out_id[0] = '\0';
out:
	ln_wipe(hash, sizeof(hash));
	lni_account_text_free(&text);
	return s;
}
