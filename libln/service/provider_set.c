#include "service/provider.h"

#include <string.h>

#include <ln/audit.h>
#include <ln/buf.h>
#include <ln/embedding.h>
#include <ln/setting.h>
#include <ln/text.h>

#include "service/account.h"
#include "store/tx.h"

#include "base/banned.h"

#define MODEL_MAX 200		/* code points, ours */
#define KEY_MAX 4096		/* bytes, ours */
#define AUDIT_MAX ((size_t)1000)

static bool
is_given(const char *s)
{
	return s != NULL && s[0] != '\0';
}

static enum ln_status
check_model(const char *field, const char *name, size_t bytes_max,
    struct ln_error *err)
{
	if (is_given(name) && (!ln_utf8_valid(name, strlen(name)) ||
	    ln_text_has_control(name) || strlen(name) > bytes_max ||
	    ln_utf8_count(name) > MODEL_MAX))
		return ln_error_set(err, LN_INVALID, field,
		    "This is not the name of a model",
		    "too long, not UTF-8 or a control character");
	return LN_OK;
}

static enum ln_status
check_change(struct ln_store *st, const struct ln_config *cfg,
    const char *user_id, const struct ln_provider_change *c,
    struct ln_error *err)
{
	enum ln_status s;

	if (is_given(c->provider) && ln_provider_find(c->provider) == NULL)
		return ln_fail_field(err, LN_INVALID, "provider",
		    "This provider is not part of this program. See lnctl "
		    "provider list", "provider %s", c->provider);
	if ((s = check_model("model", c->model, 4 * MODEL_MAX, err)) != LN_OK ||
	    (s = check_model("embedding_model", c->embedding_model,
	    LN_EMBEDDING_MODEL_MAX, err)) != LN_OK)
		return s;
	/* It travels in a header. */
	if (is_given(c->api_key) && (strlen(c->api_key) > KEY_MAX ||
	    !ln_utf8_valid(c->api_key, strlen(c->api_key)) ||
	    ln_text_has_control(c->api_key)))
		return ln_fail_field(err, LN_INVALID, "api_key",
		    "The API key is too long or holds characters that a key "
		    "cannot have", "%zu bytes", strlen(c->api_key));
	if (is_given(c->base_url))
		return lni_provider_check_url(st, cfg, user_id, c->base_url,
		    err);
	return LN_OK;
}

/* NULL leaves it alone, "" removes it. */
static enum ln_status
put(struct ln_store *st, const char *user_id, const char *name,
    const char *value, struct ln_error *err)
{
	if (value == NULL)
		return LN_OK;
	return ln_setting_set(st, user_id, name,
	    value[0] != '\0' ? value : NULL, err);
}

/* Address, model and key of one provider mean nothing to another. */
static enum ln_status
complete(struct ln_store *st, const char *user_id,
    struct ln_provider_change *c, struct ln_error *err)
{
	char *old = NULL;
	enum ln_status s;
	bool is_other, has_provider;

	if ((s = ln_setting_get(st, user_id, "provider", &old, err)) != LN_OK)
		return s;
	is_other = c->provider != NULL &&
	    strcmp(c->provider, old != NULL ? old : "") != 0;
	has_provider = c->provider != NULL ? c->provider[0] != '\0' :
	    old != NULL;
	ln_free(old);
	if (is_other) {
		if (c->base_url == NULL)
			c->base_url = "";
		if (c->model == NULL)
			c->model = "";
		if (c->api_key == NULL)
			c->api_key = "";
		if (c->embedding_model == NULL)
			c->embedding_model = "";
	}
	if (!has_provider && (is_given(c->base_url) || is_given(c->api_key)))
		return ln_fail_field(err, LN_INVALID, "provider",
		    "Say which provider the base URL or the key is for",
		    "base URL or key without a provider");
	return LN_OK;
}

static enum ln_status
note(struct ln_store *st, const char *user_id,
    const struct ln_provider_change *c, struct ln_error *err)
{
	struct ln_buf b = LN_BUF_INIT(AUDIT_MAX);
	enum ln_status s;

	if (c->provider != NULL)
		ln_buf_printf(&b, "provider=%s ", c->provider);
	if (c->model != NULL)
		ln_buf_printf(&b, "model=%s ", c->model);
	if (c->embedding_model != NULL)
		ln_buf_printf(&b, "embedding_model=%s ", c->embedding_model);
	if (c->base_url != NULL)
		ln_buf_printf(&b, "base_url=%.300s ", c->base_url);
	if (c->api_key != NULL)
		ln_buf_puts(&b, c->api_key[0] != '\0' ? "api_key=set" :
		    "api_key=cleared");
	s = ln_audit_add(st, "provider.set", user_id, LN_OK, ln_buf_str(&b),
	    err);
	ln_buf_free(&b);
	return s;
}

/* What cannot be used is refused now, not at the next question: an address
 * that is missing, or one that is not for this person to choose. */
static enum ln_status
check_outcome(struct ln_store *st, const struct ln_config *cfg,
    const char *user_id, struct ln_error *err)
{
	const struct ln_provider_wish wish = { .size = sizeof(wish),
		.without_key = true };
	struct ln_provider_conf *conf = NULL;
	char *provider = NULL;
	enum ln_status s;

	s = ln_setting_get(st, user_id, "provider", &provider, err);
	if (s == LN_OK && provider != NULL)
		s = ln_provider_resolve(st, cfg, user_id, &wish, &conf, err);
	ln_provider_conf_free(conf);
	ln_free(provider);
	return s;
}

static enum ln_status
apply(struct ln_store *st, const struct ln_config *cfg, const char *user_id,
    const struct ln_provider_change *change, struct ln_error *err)
{
	struct ln_provider_change c = *change;
	enum ln_status s;

	if ((s = lni_account_may_act(st, user_id, user_id == NULL, err)) !=
	    LN_OK)
		return s;
	if ((s = check_change(st, cfg, user_id, &c, err)) != LN_OK)
		return s;
	if ((s = complete(st, user_id, &c, err)) != LN_OK)
		return s;
	if ((s = put(st, user_id, "provider", c.provider, err)) != LN_OK ||
	    (s = put(st, user_id, "base_url", c.base_url, err)) != LN_OK ||
	    (s = put(st, user_id, "model", c.model, err)) != LN_OK ||
	    (s = put(st, user_id, "embedding_model", c.embedding_model,
	    err)) != LN_OK ||
	    (s = put(st, user_id, "api_key", c.api_key, err)) != LN_OK)
		return s;
	if ((c.provider != NULL || c.base_url != NULL) &&
	    (s = check_outcome(st, cfg, user_id, err)) != LN_OK)
		return s;
	return note(st, user_id, &c, err);
}

enum ln_status
ln_provider_set(struct ln_store *st, const struct ln_config *cfg,
    const char *user_id, const struct ln_provider_change *change,
    struct ln_error *err)
{
	enum ln_status s;

	if ((s = lni_tx_begin(st, err)) != LN_OK)
		return s;
	s = apply(st, cfg, user_id, change, err);
	return lni_account_end(st, s, "provider.set", user_id, err);
}
