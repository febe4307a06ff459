#include "llm/codec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <ln/embedding.h>
#include <ln/json.h>
#include <ln/secret.h>

#include "base/banned.h"

/* A model that is loaded from a slow disk, or thinks behind closed doors, says
 * nothing for minutes; once it speaks it does not pause for long. */
#define ANSWER_FIRST_BYTE_MS (5 * 60 * 1000)
#define ANSWER_STALL_MS (60 * 1000)
/* An event carries some hundred bytes around a word of the answer. */
#define ANSWER_RESPONSE_MAX (LN_LLM_ANSWER_MAX * 128)
/* A number takes up to some 25 bytes as text, with its comma. */
#define EMBEDDING_RESPONSE_MAX						\
	(LN_EMBEDDING_TEXTS_MAX * LN_EMBEDDING_DIMENSION_MAX * 28)
#define MODELS_TOTAL_MS 10000
#define MODELS_RESPONSE_MAX ((size_t)4 * 1024 * 1024)

void
ln_llm_options_init(struct ln_llm_options *o)
{
	o->temperature = o->top_p = o->top_k = o->repeat_penalty = (double)NAN;
	o->max_tokens = o->context_tokens = 0;
	o->stop = NULL;
}

static size_t
header_count(char *const *headers)
{
	size_t n = 0;

	while (headers != NULL && headers[n] != NULL)
		n++;
	return n;
}

void
ln_llm_request_free(struct ln_llm_request *r)
{
	size_t i;

	if (r == NULL)
		return;
	for (i = 0; r->headers != NULL && r->headers[i] != NULL; i++)
		ln_wipe_free(r->headers[i]);
	free(r->headers);
	free(r->url);
	ln_buf_free(&r->body);
	free(r);
}

static char *
join(const char *a, size_t n, const char *b)
{
	size_t b_len = strlen(b);
	char *s;

	if ((s = malloc(n + b_len + 1)) == NULL)
		return NULL;
	memcpy(s, a, n);
	memcpy(s + n, b, b_len + 1);
	return s;
}

enum ln_status
lni_request_url(struct ln_llm_request *r, const char *base, const char *path,
    struct ln_error *err)
{
	size_t n = strlen(base);

	while (n > 0 && base[n - 1] == '/')
		n--;
	if ((r->url = join(base, n, path)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "request URL");
	return LN_OK;
}

enum ln_status
lni_request_header(struct ln_llm_request *r, const char *prefix,
    const char *value, struct ln_error *err)
{
	size_t n = header_count(r->headers);
	char **grown;

	grown = realloc(r->headers, (n + 2) * sizeof(*grown));
	if (grown == NULL)
		return ln_fail(err, LN_NOMEM, "", "request header");
	r->headers = grown;
	grown[n + 1] = NULL;
	if ((grown[n] = join(prefix, strlen(prefix), value)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "request header");
	return LN_OK;
}

enum ln_status
lni_request_body(struct ln_llm_request *r, struct ln_jw *w,
    struct ln_error *err)
{
	enum ln_status s;

	if ((s = ln_jw_print(w, false, &r->body)) != LN_OK)
		return ln_fail(err, s, "The conversation is too long to send",
		    "request body");
	return lni_request_header(r, "Content-Type: ", "application/json",
	    err);
}

static struct ln_llm_request *
make(const struct ln_provider_conf *conf)
{
	struct ln_llm_request *r;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		return NULL;
	r->body = (struct ln_buf)LN_BUF_SECRET_INIT(LNI_REQUEST_BODY_MAX);
	r->http.size = sizeof(r->http);
	r->http.may_be_local = conf->may_be_local;
	return r;
}

void
lni_request_seal(struct ln_llm_request *r)
{
	r->http.url = r->url;
	r->http.headers = (const char *const *)r->headers;
	if (r->body.len > 0) {
		r->http.body = r->body.data;
		r->http.body_len = r->body.len;
	}
}

/*
 * A provider in the cloud would refuse us without a key, in words that do not
 * say what to do here.  At another address stands something of the operator's
 * own, which may have the key itself.
 */
static enum ln_status
check_key(const struct ln_provider_conf *conf, struct ln_error *err)
{
	const struct ln_provider_info *info = conf->info;

	if (!info->wants_key || conf->api_key != NULL ||
	    info->base_url == NULL || conf->base_url == NULL ||
	    strcmp(conf->base_url, info->base_url) != 0)
		return LN_OK;
	return ln_fail_field(err, LN_INVALID, "api_key",
	    "This provider needs an API key. Enter one in the settings, or in "
	    "a shell: lnctl provider set PROVIDER --key-stdin",
	    "%s needs a key", info->name);
}

enum ln_status
lni_request_new(const struct ln_provider_conf *conf,
    struct ln_llm_request **out, struct ln_error *err)
{
	enum ln_status s;

	*out = NULL;
	if (lni_codec_of(conf->info) == NULL)
		return ln_fail(err, LN_UNSUPPORTED, "", "%s has no wire",
		    conf->info->name);
	if ((s = check_key(conf, err)) != LN_OK)
		return s;
	if ((*out = make(conf)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "request");
	return LN_OK;
}

enum ln_status
ln_llm_request(const struct ln_provider_conf *conf,
    const struct ln_llm_prompt *prompt, struct ln_llm_request **out,
    struct ln_error *err)
{
	const struct lni_codec *codec = lni_codec_of(conf->info);
	struct ln_llm_request *r;
	enum ln_status s;

	*out = NULL;
	if ((s = lni_request_new(conf, &r, err)) != LN_OK)
		return s;
	if ((s = codec->request(conf, prompt, r, err)) != LN_OK) {
		ln_llm_request_free(r);
		return s;
	}
	lni_request_seal(r);
	r->http.stall_ms = ANSWER_STALL_MS;
	r->http.first_byte_ms = ANSWER_FIRST_BYTE_MS;
	r->http.response_max = ANSWER_RESPONSE_MAX;
	*out = r;
	return LN_OK;
}

enum ln_status
ln_embedding_request(const struct ln_provider_conf *conf, const char *model,
    const char *const *texts, size_t count, struct ln_llm_request **out,
    struct ln_error *err)
{
	struct ln_llm_request *r;
	enum ln_status s;

	*out = NULL;
	if ((s = check_key(conf, err)) != LN_OK)
		return s;
	if ((r = make(conf)) == NULL)
		return ln_fail(err, LN_NOMEM, "", "request");
	if ((s = lni_embedding_make(conf, model, texts, count, r, err)) !=
	    LN_OK) {
		ln_llm_request_free(r);
		return s;
	}
	lni_request_seal(r);
	r->http.total_ms = LN_EMBEDDING_TOTAL_MS;
	r->http.response_max = EMBEDDING_RESPONSE_MAX;
	*out = r;
	return LN_OK;
}

enum ln_status
ln_provider_models_request(const struct ln_provider_conf *conf,
    struct ln_llm_request **out, struct ln_error *err)
{
	const struct lni_codec *codec = lni_codec_of(conf->info);
	struct ln_llm_request *r;
	enum ln_status s;

	*out = NULL;
	if ((s = lni_request_new(conf, &r, err)) != LN_OK)
		return s;
	if ((s = codec->models_request(conf, r, err)) != LN_OK) {
		ln_llm_request_free(r);
		return s;
	}
	lni_request_seal(r);
	r->http.total_ms = MODELS_TOTAL_MS;
	r->http.response_max = MODELS_RESPONSE_MAX;
	*out = r;
	return LN_OK;
}

enum ln_status
ln_provider_models_parse(const struct ln_provider_conf *conf, int http_status,
    const char *body, size_t n, struct ln_model_list *out,
    struct ln_error *err)
{
	const struct lni_codec *codec = lni_codec_of(conf->info);
	enum ln_status s = LN_UPSTREAM;
	const char *sentence;

	out->names = NULL;
	out->count = 0;
	if (codec == NULL)
		return ln_fail(err, LN_UNSUPPORTED, "", "%s has no wire",
		    conf->info->name);
	if (http_status != 200) {
		sentence = lni_refusal(codec, http_status, body, n, &s);
		return ln_error_set(err, s, NULL, sentence,
		    "HTTP status %d: %.*s", http_status,
		    (int)(n < 200 ? n : 200), body);
	}
	s = codec->models_parse(body, n, out, err);
	if (s != LN_OK)
		ln_model_list_free(out);
	return s;
}

const char *
lni_refusal(const struct lni_codec *codec, int http_status, const char *body,
    size_t n, enum ln_status *status)
{
	const char *sentence = codec->refusal(http_status, body, n, status);

	if (sentence != NULL)
		return sentence;
	*status = LN_UPSTREAM;
	switch (http_status) {
	case 401:
	case 403:
		*status = LN_UNAUTHENTICATED;
		return "The model provider refused the API key";
	case 404:
	case 405:
		return "The model provider does not know this address. Check "
		    "its base URL";
	case 413:
		*status = LN_TOO_LARGE;
		return "The conversation is too long for the model provider";
	case 429:
		*status = LN_RATE_LIMITED;
		return "The model provider has too many requests. Try again "
		    "later";
	case 504:
		*status = LN_TIMEOUT;
		return ln_status_text(LN_TIMEOUT);
	case 529:	/* of no standard, but in use */
		return "The model provider is overloaded. Try again later";
	}
	if (http_status >= 300 && http_status < 400)
		return "The model provider answered with a redirect. Check its "
		    "base URL";
	if (http_status >= 400 && http_status < 500)
		return "The model provider refused the request";
	return ln_status_text(LN_UPSTREAM);
}
