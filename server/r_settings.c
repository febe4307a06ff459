/* Settings of the instance and of a person; keys go in and never come out. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ln/chat.h>
#include <ln/provider.h>
#include <ln/setting.h>

#include "documents.h"
#include "guard.h"
#include "input.h"
#include "models.h"
#include "record.h"
#include "reply.h"
#include "routes.h"

#define FIELD_MAX 4096
#define KEY_MAX 8192

/* A plain setting as a member; null when it is not set. */
static enum ln_status
setting_json(struct ln_jw *w, const char *user_id, const char *name,
    struct ln_error *err)
{
	char *value = NULL;
	enum ln_status s;

	s = ln_setting_get(worker_store, user_id, name, &value, err);
	if (s == LN_OK)
		ln_jw_string(w, name, value);
	ln_free(value);
	return s;
}

/* Kept as text like every setting, a number on the wire. */
static enum ln_status
temperature_json(struct ln_jw *w, const char *user_id, struct ln_error *err)
{
	char *value = NULL, *end;
	enum ln_status s;
	double t;

	s = ln_setting_get(worker_store, user_id, "temperature", &value, err);
	if (s == LN_OK && value != NULL) {
		t = strtod(value, &end);
		if (end != value && *end == '\0' && isfinite(t))
			ln_jw_number(w, "temperature", t);
		else
			ln_jw_null(w, "temperature");
	} else if (s == LN_OK)
		ln_jw_null(w, "temperature");
	ln_free(value);
	return s;
}

static enum ln_status
context_json(struct ln_jw *w, const char *user_id, struct ln_error *err)
{
	char *value = NULL, *end;
	enum ln_status s;
	long long n;

	s = ln_setting_get(worker_store, user_id, "context_tokens", &value,
	    err);
	if (s == LN_OK) {
		n = value != NULL ? strtoll(value, &end, 10) : 0;
		if (n >= LN_CHAT_CONTEXT_MIN && n <= LN_CHAT_CONTEXT_MAX &&
		    *end == '\0')
			ln_jw_int(w, "context_tokens", n);
		else
			ln_jw_null(w, "context_tokens");
	}
	ln_free(value);
	return s;
}

/* Null: as the place says that is asked next. */
static enum ln_status
title_json(struct ln_jw *w, const char *user_id, struct ln_error *err)
{
	char *value = NULL;
	enum ln_status s;

	s = ln_setting_get(worker_store, user_id, "auto_title", &value, err);
	if (s == LN_OK && value != NULL)
		ln_jw_bool(w, "auto_title", ln_setting_truth(value, true));
	else if (s == LN_OK)
		ln_jw_null(w, "auto_title");
	ln_free(value);
	return s;
}

/* What a person and the instance have alike. */
static enum ln_status
common_json(struct ln_jw *w, const char *user_id, struct ln_error *err)
{
	enum ln_status s;

	s = setting_json(w, user_id, "system_prompt", err);
	if (s == LN_OK)
		s = temperature_json(w, user_id, err);
	if (s == LN_OK)
		s = context_json(w, user_id, err);
	if (s == LN_OK)
		s = title_json(w, user_id, err);
	return s;
}

/* Whether there is a key, and its last four characters if it is long. */
static enum ln_status
key_json(struct ln_jw *w, const char *user_id, struct ln_error *err)
{
	char *key = NULL;
	enum ln_status s;
	size_t n;

	s = ln_setting_get(worker_store, user_id, "api_key", &key, err);
	if (s == LN_BAD_KEY) {
		/* Sealed under another SECRET_KEY: set, but unreadable. */
		ln_jw_bool(w, "api_key_set", true);
		ln_jw_null(w, "api_key_last4");
		s = LN_OK;
	} else if (s == LN_OK) {
		n = key != NULL ? strlen(key) : 0;
		ln_jw_bool(w, "api_key_set", n > 0);
		/* Four of a short key would be most of it. */
		ln_jw_string(w, "api_key_last4",
		    n >= 12 ? key + n - 4 : NULL);
	}
	ln_wipe_free(key);
	return s;
}

static enum ln_status
provider_json(struct ln_jw *w, const char *user_id, struct ln_error *err)
{
	/* What is shown must be there also when the key cannot be opened. */
	const struct ln_provider_wish wish = { .size = sizeof(wish),
		.without_key = true };
	struct ln_provider_conf *c = NULL;
	enum ln_status s;

	s = ln_provider_resolve(worker_store, server.cfg, user_id, &wish, &c,
	    err);
	if (s == LN_OK) {
		ln_jw_string(w, "provider", c->info->name);
		ln_jw_string(w, "model", c->model);
		ln_jw_string(w, "base_url", c->base_url);
		ln_jw_string(w, "provider_origin",
		    ln_provider_origin_name(c->provider_origin));
		ln_jw_string(w, "model_origin",
		    ln_provider_origin_name(c->model_origin));
		ln_jw_string(w, "base_url_origin",
		    ln_provider_origin_name(c->url_origin));
	}
	ln_provider_conf_free(c);
	if (s == LN_OK)
		s = setting_json(w, user_id, "embedding_model", err);
	return s;
}

/* The providers of this build: what a form offers. */
static void
choices_json(struct ln_jw *w)
{
	const struct ln_provider_info *p;
	size_t i;

	ln_jw_array(w, "providers");
	for (p = ln_provider_list(); p->name != NULL; p++) {
		ln_jw_object(w, NULL);
		ln_jw_string(w, "name", p->name);
		ln_jw_string(w, "title", p->title);
		ln_jw_string(w, "help", p->help);
		ln_jw_string(w, "base_url", p->base_url);
		ln_jw_bool(w, "is_local", p->is_local);
		ln_jw_bool(w, "wants_key", p->wants_key);
		ln_jw_array(w, "models");
		for (i = 0; p->models != NULL && p->models[i] != NULL; i++)
			ln_jw_string(w, NULL, p->models[i]);
		ln_jw_end(w);
		ln_jw_end(w);
	}
	ln_jw_end(w);
}

static struct ln_jw *
begin(void)
{
	struct ln_jw *w;

	if ((w = ln_jw_new()) != NULL)
		ln_jw_object(w, NULL);
	return w;
}

static int
finish(struct rq *q, struct ln_jw *w, enum ln_status s,
    const struct ln_error *err)
{
	if (s == LN_OK)
		return reply_json(q, 200, w);
	ln_jw_free(w);
	return reply_fail(q, s, err);
}

/* What provider fields of the body ask for; false after a 400. */
static bool
read_change(struct rq *q, struct ln_provider_change *c, bool *out_is_given)
{
	const char *alias;

	memset(c, 0, sizeof(*c));
	c->size = sizeof(*c);
	if (!input_string(q, "provider", 64, &c->provider) ||
	    !input_string(q, "model", 512, &c->model) ||
	    !input_string(q, "base_url", FIELD_MAX, &c->base_url) ||
	    !input_string(q, "ollama_url", FIELD_MAX, &alias) ||
	    !input_string(q, "embedding_model", 512, &c->embedding_model) ||
	    !input_string(q, "api_key", KEY_MAX, &c->api_key))
		return false;
	if (c->base_url == NULL)
		c->base_url = alias;
	*out_is_given = c->provider != NULL || c->model != NULL ||
	    c->base_url != NULL || c->api_key != NULL ||
	    c->embedding_model != NULL;
	return true;
}

/* A temperature as text, "" to clear it; false after a 400. */
static bool
read_temperature(struct rq *q, char *out, size_t size, bool *out_is_given)
{
	const struct ln_json *n = ln_json_get(q->body, "temperature");
	double t = 0;

	out[0] = '\0';
	if (!input_number(q, "temperature", &t, out_is_given))
		return false;
	if (!*out_is_given) {
		*out_is_given = n != NULL;	/* an explicit null */
		return true;
	}
	if (t < 0 || t > 2) {
		(void)reply_field(q, 400, "temperature",
		    "The temperature must be between 0 and 2");
		return false;
	}
	(void)snprintf(out, size, "%.17g", t);
	return true;
}

/* A size of the context as text, "" to clear it; false after a 400. */
static bool
read_context(struct rq *q, char *out, size_t size, bool *out_is_given)
{
	const struct ln_json *n = ln_json_get(q->body, "context_tokens");
	int64_t tokens = 0;

	out[0] = '\0';
	if (!input_int(q, "context_tokens", &tokens, out_is_given))
		return false;
	if (!*out_is_given) {
		*out_is_given = n != NULL;	/* an explicit null */
		return true;
	}
	if (tokens < LN_CHAT_CONTEXT_MIN || tokens > LN_CHAT_CONTEXT_MAX) {
		(void)reply_field(q, 400, "context_tokens",
		    "The context must be between 256 and 10000000 tokens");
		return false;
	}
	(void)snprintf(out, size, "%lld", (long long)tokens);
	return true;
}

/* A switch as text, "" to clear it; false after a 400. */
static bool
read_title(struct rq *q, const char **out)
{
	const struct ln_json *n = ln_json_get(q->body, "auto_title");
	bool is_on = false, is_given;

	if (!input_bool(q, "auto_title", &is_on, &is_given))
		return false;
	if (is_given)
		*out = is_on ? "true" : "false";
	else
		*out = n != NULL ? "" : NULL;
	return true;
}

/* NULL and "" both remove. */
static enum ln_status
set_text(struct ln_store *st, const char *user_id, const char *name,
    const char *value, struct ln_error *err)
{
	return ln_setting_set(st, user_id, name,
	    value != NULL && *value != '\0' ? value : NULL, err);
}

/* One update, all or nothing. */
struct update {
	const struct rq *q;
	const char *user_id;	/* NULL: the instance */
	struct ln_provider_change change;
	const char *prompt, *theme, *endpoints, *title;
	char temperature[40], context[24];
	bool has_change, has_temperature, has_context, has_registration;
	bool allow_registration;
};

static enum ln_status
apply(struct ln_store *st, void *arg, struct ln_error *err)
{
	const struct update *u = arg;
	enum ln_status s;

	s = guard_again(st, u->q->session, u->user_id == NULL, err);
	if (s == LN_OK && u->has_change)
		s = ln_provider_set(st, server.cfg, u->user_id, &u->change,
		    err);
	if (s == LN_OK && u->prompt != NULL)
		s = set_text(st, u->user_id, "system_prompt", u->prompt, err);
	if (s == LN_OK && u->theme != NULL)
		s = set_text(st, u->user_id, "theme", u->theme, err);
	if (s == LN_OK && u->endpoints != NULL)
		s = set_text(st, u->user_id, "allowed_endpoints",
		    u->endpoints, err);
	if (s == LN_OK && u->has_temperature)
		s = set_text(st, u->user_id, "temperature", u->temperature,
		    err);
	if (s == LN_OK && u->has_context)
		s = set_text(st, u->user_id, "context_tokens", u->context, err);
	if (s == LN_OK && u->title != NULL)
		s = set_text(st, u->user_id, "auto_title", u->title, err);
	if (s == LN_OK && u->has_registration)
		s = ln_setting_set(st, NULL, "allow_registration",
		    u->allow_registration ? "true" : "false", err);
	return s;
}

/* A refusal is put on record after the roll-back, which would take it. */
static enum ln_status
update(struct update *u, struct ln_error *err)
{
	enum ln_status s;

	s = ln_store_transaction(worker_store, apply, u, err);
	if (s == LN_OK) {
		models_changed(u->user_id);
		documents_soon();	/* with another model they are embedded */
	}
	if (s == LN_FORBIDDEN)
		record(u->q, "setting.set", s);
	return s;
}

static bool
read_update(struct rq *q, struct update *u)
{
	if (!read_change(q, &u->change, &u->has_change) ||
	    !input_string(q, "system_prompt", SERVER_BODY_MAX, &u->prompt) ||
	    !read_temperature(q, u->temperature, sizeof(u->temperature),
	    &u->has_temperature) ||
	    !read_context(q, u->context, sizeof(u->context),
	    &u->has_context) || !read_title(q, &u->title))
		return false;
	return true;
}

int
admin_settings_show(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	bool is_open = false;
	struct ln_jw *w;
	enum ln_status s;

	if ((w = begin()) == NULL)
		return reply_fail(q, LN_NOMEM, NULL);
	s = ln_setting_bool(worker_store, "allow_registration", true,
	    &is_open, &err);
	ln_jw_bool(w, "allow_registration", is_open);
	if (s == LN_OK)
		s = common_json(w, NULL, &err);
	if (s == LN_OK)
		s = setting_json(w, NULL, "allowed_endpoints", &err);
	if (s == LN_OK)
		s = provider_json(w, NULL, &err);
	if (s == LN_OK)
		s = key_json(w, NULL, &err);
	if (s == LN_OK)
		choices_json(w);
	return finish(q, w, s, &err);
}

int
admin_settings_update(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	struct update u = { .q = q };
	enum ln_status s;

	if (!read_update(q, &u) ||
	    !input_bool(q, "allow_registration", &u.allow_registration,
	    &u.has_registration) ||
	    !input_string(q, "allowed_endpoints", FIELD_MAX, &u.endpoints))
		return KORE_RESULT_OK;
	s = update(&u, &err);
	return s == LN_OK ? admin_settings_show(q) : reply_fail(q, s, &err);
}

int
user_settings_show(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	const char *id = q->user->id;
	struct ln_jw *w;
	enum ln_status s;

	if ((w = begin()) == NULL)
		return reply_fail(q, LN_NOMEM, NULL);
	s = common_json(w, id, &err);
	if (s == LN_OK)
		s = setting_json(w, id, "theme", &err);
	if (s == LN_OK)
		s = provider_json(w, id, &err);
	if (s == LN_OK)
		s = key_json(w, id, &err);
	if (s == LN_OK)
		choices_json(w);
	return finish(q, w, s, &err);
}

int
user_settings_update(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	struct update u = { .q = q, .user_id = q->user->id };
	enum ln_status s;

	if (!read_update(q, &u) || !input_string(q, "theme", 32, &u.theme))
		return KORE_RESULT_OK;
	s = update(&u, &err);
	return s == LN_OK ? user_settings_show(q) : reply_fail(q, s, &err);
}

int
provider_config_show(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	struct ln_jw *w;
	enum ln_status s;

	if ((w = begin()) == NULL)
		return reply_fail(q, LN_NOMEM, NULL);
	s = provider_json(w, q->user->id, &err);
	if (s == LN_OK)
		s = key_json(w, q->user->id, &err);
	return finish(q, w, s, &err);
}

int
provider_config_update(struct rq *q)
{
	struct ln_error err = LN_ERROR_INIT;
	struct update u = { .q = q, .user_id = q->user->id };
	enum ln_status s;

	if (!read_change(q, &u.change, &u.has_change))
		return KORE_RESULT_OK;
	s = update(&u, &err);
	return s == LN_OK ? provider_config_show(q) : reply_fail(q, s, &err);
}
