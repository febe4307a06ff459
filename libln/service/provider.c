#include <ln/provider.h>

#include <stdlib.h>
#include <string.h>

#include <ln/buf.h>
#include <ln/http.h>
#include <ln/llm.h>
#include <ln/secret.h>
#include <ln/setting.h>

#include "llm/codec.h"
#include "net/url.h"
#include "service/provider.h"

#include "base/banned.h"

#define PROVIDER_DEFAULT "offline"
#define ENDPOINTS_MAX ((size_t)128 * 1024)

/* One place that may have chosen; texts are NULL when it is silent. */
struct layer {
	enum ln_provider_origin origin;
	char *provider;
	char *model;
	char *base_url;
};

enum { REQUEST, CONVERSATION, USER, INSTANCE, ENVIRONMENT, LAYER_COUNT };

static const char *const origin_names[] = {
	[LN_PROVIDER_FROM_REQUEST] = "request",
	[LN_PROVIDER_FROM_CONVERSATION] = "conversation",
	[LN_PROVIDER_FROM_USER] = "user",
	[LN_PROVIDER_FROM_INSTANCE] = "instance",
	[LN_PROVIDER_FROM_ENVIRONMENT] = "environment",
	[LN_PROVIDER_FROM_DEFAULT] = "default",
};

const char *
ln_provider_origin_name(enum ln_provider_origin o)
{
	return origin_names[o];
}

void
ln_provider_conf_free(struct ln_provider_conf *c)
{
	if (c == NULL)
		return;
	free(c->model);
	free(c->base_url);
	ln_wipe_free(c->api_key);
	free(c);
}

static const char *
config_get(const struct ln_config *cfg, const char *name)
{
	return cfg != NULL ? ln_config_get(cfg, name) : NULL;
}

/* "" counts as silence. */
static enum ln_status
copy(const char *s, char **out, struct ln_error *err)
{
	if (s == NULL || s[0] == '\0')
		return LN_OK;
	if ((*out = strdup(s)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "provider choice");
	return LN_OK;
}

static enum ln_status
read_settings(struct ln_store *st, const char *user_id, struct layer *l,
    struct ln_error *err)
{
	enum ln_status s;

	if ((s = ln_setting_get(st, user_id, "provider", &l->provider, err)) !=
	    LN_OK)
		return s;
	if ((s = ln_setting_get(st, user_id, "model", &l->model, err)) !=
	    LN_OK)
		return s;
	return ln_setting_get(st, user_id, "base_url", &l->base_url, err);
}

static enum ln_status
read_environment(const struct ln_config *cfg, struct layer *l,
    struct ln_error *err)
{
	const char *provider = config_get(cfg, "LOCALNEURAL_PROVIDER");
	const char *url = config_get(cfg, "OLLAMA_API_URL");
	enum ln_status s;

	/* Who sets Ollama's address wants Ollama. */
	if (provider == NULL && url != NULL)
		provider = "ollama";
	if ((s = copy(provider, &l->provider, err)) != LN_OK)
		return s;
	if ((s = copy(config_get(cfg, "LOCALNEURAL_MODEL"), &l->model, err)) !=
	    LN_OK)
		return s;
	return copy(url, &l->base_url, err);
}

static enum ln_status
read_layers(struct ln_store *st, const struct ln_config *cfg,
    const char *user_id, const struct ln_provider_wish *wish,
    struct layer layers[LAYER_COUNT], struct ln_error *err)
{
	enum ln_status s;
	size_t i;

	for (i = 0; i < LAYER_COUNT; i++)
		layers[i].origin = (enum ln_provider_origin)i;
	if ((s = copy(wish->request_provider, &layers[REQUEST].provider,
	    err)) != LN_OK ||
	    (s = copy(wish->request_model, &layers[REQUEST].model, err)) !=
	    LN_OK ||
	    (s = copy(wish->conversation_provider,
	    &layers[CONVERSATION].provider, err)) != LN_OK ||
	    (s = copy(wish->conversation_model, &layers[CONVERSATION].model,
	    err)) != LN_OK)
		return s;
	if (user_id != NULL &&
	    (s = read_settings(st, user_id, &layers[USER], err)) != LN_OK)
		return s;
	if ((s = read_settings(st, NULL, &layers[INSTANCE], err)) != LN_OK)
		return s;
	return read_environment(cfg, &layers[ENVIRONMENT], err);
}

_Static_assert((int)REQUEST == (int)LN_PROVIDER_FROM_REQUEST &&
    (int)ENVIRONMENT == (int)LN_PROVIDER_FROM_ENVIRONMENT,
    "layers are numbered as origins are");

static void
layers_clear(struct layer layers[LAYER_COUNT])
{
	size_t i;

	for (i = 0; i < LAYER_COUNT; i++) {
		free(layers[i].provider);
		free(layers[i].model);
		free(layers[i].base_url);
	}
}

static enum ln_status
find(const char *name, const struct ln_provider_info **out,
    struct ln_error *err)
{
	if ((*out = ln_provider_find(name)) == NULL)
		return ln_fail_field(err, LN_INVALID, "provider",
		    "This provider is not part of this program. See lnctl "
		    "provider list", "provider %s", name);
	return LN_OK;
}

/* What layer ${i} takes for its provider: its own, or the first below it. */
static const char *
provider_from(const struct layer layers[LAYER_COUNT], size_t i)
{
	for (; i < LAYER_COUNT; i++) {
		if (layers[i].provider != NULL)
			return layers[i].provider;
	}
	return PROVIDER_DEFAULT;
}

static enum ln_status
choose_provider(const struct layer layers[LAYER_COUNT],
    struct ln_provider_conf *c, struct ln_error *err)
{
	size_t i;

	for (i = 0; i < LAYER_COUNT && layers[i].provider == NULL; i++)
		continue;
	c->provider_origin = (enum ln_provider_origin)i;
	return find(provider_from(layers, 0), &c->info, err);
}

/* A model belongs to the provider its layer meant, and to no other. */
static enum ln_status
choose_model(struct layer layers[LAYER_COUNT], struct ln_provider_conf *c)
{
	size_t i;

	c->model_origin = LN_PROVIDER_FROM_DEFAULT;
	for (i = 0; i < LAYER_COUNT; i++) {
		if (layers[i].model == NULL ||
		    strcmp(provider_from(layers, i), c->info->name) != 0)
			continue;
		c->model = layers[i].model;
		layers[i].model = NULL;
		c->model_origin = layers[i].origin;
		break;
	}
	return LN_OK;
}

static bool
names(const struct layer *l, const struct ln_provider_info *info)
{
	return l->provider != NULL && strcmp(l->provider, info->name) == 0;
}

static enum ln_status
choose_url(struct layer layers[LAYER_COUNT], struct ln_provider_conf *c,
    struct ln_error *err)
{
	struct layer *from = NULL;

	c->url_origin = LN_PROVIDER_FROM_DEFAULT;
	if (lni_codec_of(c->info) == NULL)	/* offline: it has no wire */
		return LN_OK;
	if (layers[USER].base_url != NULL && names(&layers[USER], c->info))
		from = &layers[USER];
	else if (layers[INSTANCE].base_url != NULL &&
	    names(&layers[INSTANCE], c->info))
		from = &layers[INSTANCE];
	else if (layers[ENVIRONMENT].base_url != NULL &&
	    strcmp(c->info->name, "ollama") == 0)	/* by its name */
		from = &layers[ENVIRONMENT];
	if (from == NULL && c->info->base_url == NULL)
		return ln_fail_field(err, LN_INVALID, "base_url",
		    "This provider needs the base URL of its server. Enter it "
		    "in the settings, or in a shell: lnctl provider set "
		    "PROVIDER --base-url URL", "%s has no default URL",
		    c->info->name);
	if (from == NULL)
		return copy(c->info->base_url, &c->base_url, err);
	c->base_url = from->base_url;
	from->base_url = NULL;
	c->url_origin = from->origin;
	return LN_OK;
}

/* NULL when the layer of ${user_id} (NULL: the instance) has none. */
static enum ln_status
stored_key(struct ln_store *st, const char *user_id,
    enum ln_provider_origin origin, struct ln_provider_conf *c,
    struct ln_error *err)
{
	enum ln_status s;

	s = ln_setting_get(st, user_id, "api_key", &c->api_key, err);
	if (s == LN_OK && c->api_key != NULL)
		c->key_origin = origin;
	return s;
}

static enum ln_status
environment_key(const struct ln_config *cfg, struct ln_provider_conf *c,
    struct ln_error *err)
{
	enum ln_status s;

	if (cfg == NULL || c->info->key_variable == NULL)
		return LN_OK;
	s = ln_config_secret(cfg, c->info->key_variable, &c->api_key, err);
	if (s == LN_OK && c->api_key != NULL)
		c->key_origin = LN_PROVIDER_FROM_ENVIRONMENT;
	return s;
}

/*
 * The person's own key first, then the operator's: of the instance, then of
 * the environment.  One of the operator's never goes to an address that a
 * person chose.
 */
static enum ln_status
choose_key(struct ln_store *st, const struct ln_config *cfg,
    const char *user_id, const struct layer layers[LAYER_COUNT],
    struct ln_provider_conf *c, struct ln_error *err)
{
	enum ln_status s = LN_OK;

	c->key_origin = LN_PROVIDER_FROM_DEFAULT;
	if (c->base_url == NULL)
		return LN_OK;
	if (user_id != NULL && names(&layers[USER], c->info))
		s = stored_key(st, user_id, LN_PROVIDER_FROM_USER, c, err);
	if (s != LN_OK || c->api_key != NULL ||
	    c->url_origin == LN_PROVIDER_FROM_USER)
		return s;
	if (names(&layers[INSTANCE], c->info))
		s = stored_key(st, NULL, LN_PROVIDER_FROM_INSTANCE, c, err);
	if (s != LN_OK || c->api_key != NULL)
		return s;
	return environment_key(cfg, c, err);
}

enum ln_status
lni_provider_allowed(struct ln_store *st, const struct ln_config *cfg,
    char **out, struct ln_error *err)
{
	struct ln_buf b = LN_BUF_INIT(ENDPOINTS_MAX);
	const char *configured;
	char *set = NULL;
	enum ln_status s;

	*out = NULL;
	if ((s = ln_setting_get(st, NULL, "allowed_endpoints", &set, err)) !=
	    LN_OK)
		return s;
	configured = config_get(cfg, "LOCALNEURAL_ALLOWED_ENDPOINTS");
	if (set != NULL)
		ln_buf_printf(&b, "%s,", set);
	if (configured != NULL)
		ln_buf_puts(&b, configured);
	ln_free(set);
	s = ln_buf_status(&b);
	*out = ln_buf_steal(&b);
	ln_buf_free(&b);
	if (s == LN_OK && *out == NULL)
		s = LN_NOMEM;
	if (s != LN_OK)
		return ln_fail(err, s, "", "allowed endpoints");
	return LN_OK;
}

static enum ln_status
check_user_url(struct ln_store *st, const struct ln_config *cfg,
    const char *url, bool *out_may_be_local, struct ln_error *err)
{
	char *allowed = NULL;
	enum ln_status s;

	*out_may_be_local = false;
	if ((s = lni_provider_allowed(st, cfg, &allowed, err)) != LN_OK)
		return s;
	s = ln_url_check(url, allowed, out_may_be_local, err);
	ln_free(allowed);
	return s;
}

/*
 * The operator's address may be local, and the usual one of a provider that
 * the operator has chosen; any other only when it is on the list.  The usual
 * address of a provider in the cloud is public.
 */
static enum ln_status
check_url(struct ln_store *st, const struct ln_config *cfg,
    const struct layer layers[LAYER_COUNT], struct ln_provider_conf *c,
    struct ln_error *err)
{
	bool is_default = c->url_origin == LN_PROVIDER_FROM_DEFAULT;

	if (c->base_url == NULL)
		return LN_OK;
	if (c->url_origin == LN_PROVIDER_FROM_USER || (is_default &&
	    c->info->is_local && !names(&layers[INSTANCE], c->info) &&
	    !names(&layers[ENVIRONMENT], c->info)))
		return check_user_url(st, cfg, c->base_url, &c->may_be_local,
		    err);
	c->may_be_local = !is_default || c->info->is_local;
	return lni_url_syntax(c->base_url, err);
}

enum ln_status
ln_provider_resolve(struct ln_store *st, const struct ln_config *cfg,
    const char *user_id, const struct ln_provider_wish *wish,
    struct ln_provider_conf **out, struct ln_error *err)
{
	struct layer layers[LAYER_COUNT] = { { 0 } };
	struct ln_provider_conf *c;
	enum ln_status s;

	*out = NULL;
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return ln_fail(err, LN_NOMEM, "", "provider");
	if ((s = read_layers(st, cfg, user_id, wish, layers, err)) != LN_OK ||
	    (s = choose_provider(layers, c, err)) != LN_OK ||
	    (s = choose_model(layers, c)) != LN_OK ||
	    (s = choose_url(layers, c, err)) != LN_OK)
		goto out;
	if (!wish->without_key &&
	    (s = choose_key(st, cfg, user_id, layers, c, err)) != LN_OK)
		goto out;
	s = check_url(st, cfg, layers, c, err);
out:
	layers_clear(layers);
	if (s == LN_OK)
		*out = c;
	else
		ln_provider_conf_free(c);
	return s;
}

/* --- models -------------------------------------------------------------- */

static bool
keep_body(void *arg, int http_status, const char *p, size_t n)
{
	struct ln_buf *b = arg;

	(void)http_status;
	ln_buf_put(b, p, n);
	return ln_buf_status(b) == LN_OK;
}

enum ln_status
ln_provider_models(const struct ln_provider_conf *conf,
    struct ln_model_list *out, struct ln_error *err)
{
	struct ln_llm_request *r = NULL;
	struct ln_buf body;
	enum ln_status s;
	int http_status;

	out->names = NULL;
	out->count = 0;
	/* Offline has no model, and says so. */
	if (conf->base_url == NULL)
		return LN_OK;
	if ((s = ln_provider_models_request(conf, &r, err)) != LN_OK)
		return s;
	body = (struct ln_buf)LN_BUF_INIT(r->http.response_max);
	s = ln_http_perform(&r->http, keep_body, NULL, &body, &http_status,
	    err);
	if (ln_buf_status(&body) == LN_NOMEM)
		s = ln_fail(err, LN_NOMEM, "", "model list");
	if (s == LN_OK)
		s = ln_provider_models_parse(conf, http_status,
		    ln_buf_str(&body), body.len, out, err);
	ln_buf_free(&body);
	ln_llm_request_free(r);
	return s;
}

enum ln_status
lni_provider_check_url(struct ln_store *st, const struct ln_config *cfg,
    const char *user_id, const char *url, struct ln_error *err)
{
	bool may_be_local;

	if (strpbrk(url, "?#") != NULL)
		return ln_fail_field(err, LN_INVALID, "base_url",
		    "The base URL must not hold a query or a fragment",
		    "? or # in a base URL");
	if (user_id == NULL)
		return lni_url_syntax(url, err);
	return check_user_url(st, cfg, url, &may_be_local, err);
}
