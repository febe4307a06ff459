#include "store/settings.h"

#include "base/banned.h"

static const char SQL_SETTING[] =
    "INSERT OR IGNORE INTO setting (name, value) VALUES (?1, ?2)";
static const char SQL_USER_SETTING[] =
    "INSERT OR IGNORE INTO user_setting (user_id, name, value)"
    " VALUES (?3, ?1, ?2)";

enum ln_status
lni_intake_setting(struct lni_intake *im, const char *user_id,
    const char *name, const char *value, struct ln_error *err)
{
	struct lni_stmt q;
	enum ln_status s;

	if ((s = lni_stmt_get(&q, im->to, user_id != NULL ? SQL_USER_SETTING :
	    SQL_SETTING, err)) != LN_OK)
		return s;
	lni_bind_text(&q, 1, name);
	lni_bind_text(&q, 2, value);
	if (user_id != NULL)
		lni_bind_text(&q, 3, user_id);
	return lni_intake_put(im, &q, user_id != NULL ? "user_setting" :
	    "setting", err);
}

enum ln_status
lni_intake_secret(struct lni_intake *im, const char *user_id,
    const char *name, const char *value, struct ln_error *err)
{
	if (im->rules->secret_set == NULL)
		return LN_OK;
	return im->rules->secret_set(im->to, user_id, name, value, err);
}

enum ln_status
lni_intake_url(struct lni_intake *im, const char *user_id, const char *url,
    const char *allowed, bool *out, struct ln_error *err)
{
	struct ln_error why = LN_ERROR_INIT;
	enum ln_status s;

	*out = true;
	s = im->rules->url_check(url, allowed, &why);
	if (s == LN_INVALID || s == LN_FORBIDDEN) {
		*out = false;
		lni_find(im->report, LNI_F_URL_REFUSED, user_id, 1);
		return LN_OK;
	}
	if (s != LN_OK && err != NULL)
		*err = why;
	return s;
}
