/*
 * Ollama: what it keeps (GET /api/tags), one more (POST /api/pull, which
 * answers with NDJSON), one less (DELETE /api/delete).
 */
#include "llm/manage.h"

#include <stdlib.h>
#include <string.h>

#include <ln/time.h>

#include "base/error.h"

#include "base/banned.h"

#define LIST_VALUES_MAX 200000

static const struct ln_json_opts json_opts = {
	.size = sizeof(json_opts), .allow_duplicates = true,
};

static enum ln_status
address(const struct ln_provider_conf *conf, const char *path,
    struct ln_llm_request *r, struct ln_error *err)
{
	enum ln_status s;

	if ((s = lni_request_url(r, conf->base_url, path, err)) != LN_OK ||
	    conf->api_key == NULL)
		return s;
	/* Ollama itself has no keys, but a proxy in front of it may. */
	return lni_request_header(r, "Authorization: Bearer ", conf->api_key,
	    err);
}

/* --- the list -------------------------------------------------------------- */

static enum ln_status
list_request(const struct ln_provider_conf *conf, struct ln_llm_request *r,
    struct ln_error *err)
{
	return address(conf, "/api/tags", r, err);
}

static bool
copy(const char *s, char **out)
{
	return s == NULL || (*out = strdup(s)) != NULL;
}

/* False without memory. */
static bool
read_entry(const struct ln_json *m, struct ln_model_entry *out)
{
	const struct ln_json *details = ln_json_get(m, "details");
	const char *at = ln_json_get_string(m, "modified_at");

	if (!ln_json_int(ln_json_get(m, "size"), &out->bytes) ||
	    out->bytes < 0)
		out->bytes = 0;
	if (at == NULL || ln_time_parse(at, 0, &out->modified_ms, NULL) !=
	    LN_OK)
		out->modified_ms = 0;
	return copy(ln_json_get_string(m, "name"), &out->name) &&
	    copy(ln_json_get_string(m, "digest"), &out->digest) &&
	    copy(ln_json_get_string(details, "family"), &out->family) &&
	    copy(ln_json_get_string(details, "parameter_size"),
	    &out->parameters) &&
	    copy(ln_json_get_string(details, "quantization_level"),
	    &out->quantization);
}

static enum ln_status
list_parse(const char *body, size_t n, struct ln_model_inventory *out,
    struct ln_error *err)
{
	const struct ln_json_opts opts = {
		.size = sizeof(opts), .allow_duplicates = true,
		.values_max = LIST_VALUES_MAX,
	};
	const struct ln_json *models, *m;
	struct ln_error why = LN_ERROR_INIT;
	struct ln_json *root = NULL;
	enum ln_status s;

	s = ln_json_parse(body, n, &opts, &root, &why);
	models = ln_json_get(root, "models");
	if (s == LN_NOMEM)
		(void)ln_fail(err, s, "", "model list");
	else if (s != LN_OK || ln_json_type(models) != LN_JSON_ARRAY)
		s = ln_fail(err, LN_UPSTREAM, LNI_SAY_NOT_UNDERSTOOD,
		    "no list of models: %s", lni_error_detail(&why));
	else if ((out->items = calloc(ln_json_count(models) + 1,
	    sizeof(*out->items))) == NULL)
		s = ln_fail(err, LN_NOMEM, "", "model list");
	for (m = ln_json_first(models); s == LN_OK && m != NULL;
	    m = ln_json_next(m)) {
		if (ln_json_get_string(m, "name") != NULL &&
		    !read_entry(m, &out->items[out->count++]))
			s = ln_fail(err, LN_NOMEM, "", "model list");
	}
	ln_json_free(root);
	return s;
}

/* --- pulling and deleting -------------------------------------------------- */

static enum ln_status
name_request(const struct ln_provider_conf *conf, const char *path,
    const char *name, struct ln_llm_request *r, struct ln_error *err)
{
	struct ln_jw *w;
	enum ln_status s;

	if ((s = address(conf, path, r, err)) != LN_OK)
		return s;
	if ((w = ln_jw_new()) == NULL)
		return ln_fail(err, LN_NOMEM, "", "request body");
	ln_jw_object(w, NULL);
	ln_jw_string(w, "model", name);
	ln_jw_end(w);
	s = lni_request_body(r, w, err);
	ln_jw_free(w);
	return s;
}

static enum ln_status
pull_request(const struct ln_provider_conf *conf, const char *name,
    struct ln_llm_request *r, struct ln_error *err)
{
	return name_request(conf, "/api/pull", name, r, err);
}

static enum ln_status
delete_request(const struct ln_provider_conf *conf, const char *name,
    struct ln_llm_request *r, struct ln_error *err)
{
	r->http.method = "DELETE";
	return name_request(conf, "/api/delete", name, r, err);
}

static enum ln_pull_step
step_of(const char *status, bool has_part)
{
	static const struct {
		const char *prefix;
		enum ln_pull_step step;
	} steps[] = {
		{ "success", LN_PULL_DONE },
		{ "pulling manifest", LN_PULL_MANIFEST },
		{ "pulling ", LN_PULL_DOWNLOADING },
		{ "verifying ", LN_PULL_VERIFYING },
		{ "writing ", LN_PULL_WRITING },
		{ "removing ", LN_PULL_WRITING },
	};
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (strncmp(status, steps[i].prefix,
		    strlen(steps[i].prefix)) == 0)
			return steps[i].step;
	}
	return has_part ? LN_PULL_DOWNLOADING : LN_PULL_WORKING;
}

static enum ln_status
pull_line(const char *s, size_t n, struct lni_pull_line *out,
    struct ln_error *err)
{
	struct ln_error why = LN_ERROR_INIT;
	const char *status;
	enum ln_status st;

	memset(out, 0, sizeof(*out));
	st = ln_json_parse(s, n, &json_opts, &out->root, &why);
	if (st == LN_NOMEM)
		return ln_fail(err, st, "", "pull");
	out->failure = ln_json_get_string(out->root, "error");
	status = ln_json_get_string(out->root, "status");
	if (out->failure != NULL)
		return LN_OK;
	if (status == NULL)
		return ln_fail(err, LN_UPSTREAM, LNI_SAY_NOT_UNDERSTOOD,
		    "neither a status nor an error: %s",
		    lni_error_detail(&why));
	out->part = ln_json_get_string(out->root, "digest");
	/* Each is absent while it is 0. */
	(void)ln_json_int(ln_json_get(out->root, "total"), &out->total);
	(void)ln_json_int(ln_json_get(out->root, "completed"),
	    &out->completed);
	out->step = step_of(status, out->part != NULL);
	return LN_OK;
}

static char *
failure(const char *body, size_t n)
{
	struct ln_json *root = NULL;
	const char *said;
	char *s = NULL;

	if (ln_json_parse(body, n, &json_opts, &root, NULL) == LN_OK &&
	    (said = ln_json_get_string(root, "error")) != NULL)
		s = strdup(said);
	ln_json_free(root);
	return s;
}

static const char *
meaning(const char *said, enum ln_status *status)
{
	static const struct {
		const char *word;
		enum ln_status status;
		const char *sentence;
	} rows[] = {
		{ "invalid model name", LN_INVALID,
		    "This is not the name of a model" },
		{ "file does not exist", LN_NOT_FOUND,
		    "There is no such model to be had. Check its name and "
		    "tag" },
		{ "not found", LN_NOT_FOUND, "The model is not installed" },
		{ "no space left", LN_UPSTREAM,
		    "The disk of the model server is full" },
		{ "newer version", LN_UPSTREAM,
		    "The model needs a newer version of the model server" },
		{ "unauthorized", LN_UPSTREAM,
		    "The library of models does not give this one to "
		    "everybody" },
		{ "dial tcp", LN_UPSTREAM,
		    "The model server cannot reach the library of models" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strstr(said, rows[i].word) != NULL) {
			*status = rows[i].status;
			return rows[i].sentence;
		}
	}
	*status = LN_UPSTREAM;
	return "The model server could not do it";
}

const struct lni_manager lni_manager_ollama = {
	.list_request = list_request,
	.list_parse = list_parse,
	.pull_request = pull_request,
	.pull_line = pull_line,
	.delete_request = delete_request,
	.failure = failure,
	.meaning = meaning,
};

const struct lni_manager *
lni_manager_of(const struct ln_provider_info *info)
{
	return lni_codec_of(info) == &lni_codec_ollama ? &lni_manager_ollama :
	    NULL;
}
