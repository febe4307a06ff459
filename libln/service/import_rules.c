#include "service/import_rules.h"

#include <ln/http.h>
#include <ln/password.h>
#include <ln/secret.h>
#include <ln/setting.h>

#include "model/setting.h"
#include "model/tool.h"
#include "service/tools/builtin.h"

#include "base/banned.h"

static enum ln_status
url_check(const char *url, const char *allowed, struct ln_error *err)
{
	bool may_be_local;

	return ln_url_check(url, allowed, &may_be_local, err);
}

/* The tools that the product brings itself. */
static bool
tool_is_builtin(const char *name)
{
	return lni_builtin_find(name) != NULL;
}

static enum ln_status
secret_opens(struct ln_store *to, const char *user_id, const char *name,
    bool *out, struct ln_error *err)
{
	char *value = NULL;
	enum ln_status s;

	s = ln_setting_get(to, user_id, name, &value, err);
	ln_wipe_free(value);
	*out = s == LN_OK;
	/* Both say that it was not sealed here, for this row. */
	return s == LN_BAD_KEY || s == LN_INVALID ? LN_OK : s;
}

static enum ln_status
tool_opens(struct ln_store *to, const char *tool_id, bool *out,
    struct ln_error *err)
{
	char *headers = NULL;
	enum ln_status s;

	s = lni_tool_headers(to, tool_id, &headers, err);
	ln_wipe_free(headers);
	*out = s == LN_OK;
	return s == LN_BAD_KEY || s == LN_INVALID ? LN_OK : s;
}

const struct lni_intake_rules lni_validate_rules = {
	.hash_is_sane = ln_password_hash_sane,
	.url_check = url_check,
	.tool_is_builtin = tool_is_builtin,
};

const struct lni_intake_rules lni_import_rules = {
	.hash_is_sane = ln_password_hash_sane,
	.url_check = url_check,
	.tool_is_builtin = tool_is_builtin,
	.secret_set = lni_setting_put,
	.secret_opens = secret_opens,
	.tool_opens = tool_opens,
};

const char *
lni_import_endpoints(const char *setting, const struct ln_transfer_opts *opts)
{
	if (setting != NULL)
		return setting;
	if (opts != NULL && opts->allowed_endpoints != NULL)
		return opts->allowed_endpoints;
	return LNI_DEFAULT_ENDPOINTS;
}
