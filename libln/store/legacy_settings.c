#include "store/legacy.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <ln/setting.h>

#include "store/settings.h"

#include "base/banned.h"

/* The legacy words and ours.  A name without a prefix holds for users and, in
 * the oldest files, for the instance. */
static const struct {
	const char *from;
	const char *to;
} names[] = {
	{ "global_provider", "provider" },
	{ "global_model", "model" },
	{ "global_ollama_url", "base_url" },
	{ "global_base_url", "base_url" },
	{ "global_api_key", "api_key" },
	{ "global_system_prompt", "system_prompt" },
	{ "global_temperature", "temperature" },
	{ "provider", "provider" },
	{ "model", "model" },
	{ "ollama_url", "base_url" },
	{ "base_url", "base_url" },
	{ "api_key", "api_key" },
	{ "system_prompt", "system_prompt" },
	{ "temperature", "temperature" },
	{ "theme", "theme" },
	{ "allow_registration", "allow_registration" },
};

static const char SQL_USER[] = "SELECT 1 FROM user WHERE id = ?1";

static const char *
our_name(const char *key)
{
	size_t i;

	for (i = 0; key != NULL && i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i].from, key) == 0)
			return names[i].to;
	}
	return NULL;
}

static bool
is_on(const char *s)
{
	static const char *const words[] = { "true", "1", "yes", "on" };
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (sqlite3_stricmp(s, words[i]) == 0)
			return true;
	}
	return false;
}

static bool
is_temperature(const char *s)
{
	double t;
	char *end;

	errno = 0;
	t = strtod(s, &end);
	return end != s && *end == '\0' && errno == 0 && isfinite(t) &&
	    t >= 0 && t <= 2;
}

static enum ln_status
take(struct lni_intake *im, const char *user_id, const struct lni_value *key,
    const struct lni_value *value, struct ln_error *err)
{
	const char *name = our_name(key->text);
	const char *text = value->text;
	enum ln_status s;
	bool is_allowed;

	/* The file's rows may not open doors of this host. */
	if (name == NULL || (user_id != NULL &&
	    strcmp(name, "allow_registration") == 0)) {
		lni_find(im->report, LNI_F_UNKNOWN_SETTING,
		    key->text != NULL ? key->text : "", 1);
		return LN_OK;
	}
	if (text == NULL || text[0] == '\0')
		return LN_OK;	/* not set, in the legacy program's way */
	if (strcmp(name, "api_key") == 0) {
		lni_find(im->report, LNI_F_API_KEY_SEALED, user_id, 1);
		return lni_intake_secret(im, user_id, name, text, err);
	}
	if (strcmp(name, "base_url") == 0 &&
	    ((s = lni_intake_url(im, user_id, text, im->allowed_endpoints,
	    &is_allowed, err)) != LN_OK || !is_allowed))
		return s;
	if ((strcmp(name, "temperature") == 0 && !is_temperature(text)) ||
	    value->len > LN_SETTING_VALUE_MAX) {
		lni_find(im->report, LNI_F_BAD_SETTING, key->text, 1);
		return LN_OK;
	}
	if (strcmp(name, "allow_registration") == 0)
		text = is_on(text) ? "true" : "false";
	return lni_intake_setting(im, user_id, name, text, err);
}

static enum ln_status
take_global(struct lni_intake *im, const struct lni_value *v,
    struct ln_error *err)
{
	return take(im, NULL, &v[LNI_SETTINGS_KEY], &v[LNI_SETTINGS_VALUE],
	    err);
}

static enum ln_status
take_user(struct lni_intake *im, const struct lni_value *v,
    struct ln_error *err)
{
	const struct lni_value *user = &v[LNI_USER_SETTINGS_USER];
	struct lni_stmt q;
	enum ln_status s = LN_NOT_FOUND;

	if (user->text != NULL) {
		if ((s = lni_stmt_get(&q, im->to, SQL_USER, err)) != LN_OK)
			return s;
		lni_bind_value(&q, 1, user);
		s = lni_stmt_row(&q, err);
		lni_stmt_put(&q);
	}
	if (s == LN_NOT_FOUND) {
		lni_find(im->report, LNI_F_ORPHAN_SETTING, "user_settings", 1);
		return LN_OK;
	}
	if (s != LN_OK)
		return s;
	return take(im, user->text, &v[LNI_USER_SETTINGS_KEY],
	    &v[LNI_USER_SETTINGS_VALUE], err);
}

enum ln_status
lni_legacy_settings(struct lni_intake *im, struct ln_error *err)
{
	enum ln_status s;

	/* Which local servers may be reached is this host's affair. */
	if (im->live_endpoints != NULL &&
	    (s = lni_intake_setting(im, NULL, LNI_ALLOWED_ENDPOINTS,
	    im->live_endpoints, err)) != LN_OK)
		return s;
	if ((s = lni_legacy_each(im, LNI_LEGACY_SETTINGS, take_global, err)) !=
	    LN_OK)
		return s;
	return lni_legacy_each(im, LNI_LEGACY_USER_SETTINGS, take_user, err);
}
