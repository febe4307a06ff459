#include <ln/embedding.h>

#include <ln/buf.h>
#include <ln/http.h>
#include <ln/secret.h>
#include <ln/setting.h>

#include "service/provider.h"

#include "base/banned.h"

/* One that does not answer must not hold up a question for long. */
#define CONNECT_MS 2000

struct exchange {
	struct ln_buf body;
	const struct ln_embed_opts *opts;
};

static bool
keep_body(void *arg, int http_status, const char *p, size_t n)
{
	struct exchange *x = arg;

	(void)http_status;
	ln_buf_put(&x->body, p, n);
	return ln_buf_status(&x->body) == LN_OK;
}

static bool
go_on(void *arg)
{
	const struct exchange *x = arg;

	return x->opts->is_stopped == NULL ||
	    !x->opts->is_stopped(x->opts->arg);
}

enum ln_status
ln_embed(const struct ln_provider_conf *conf, const char *model,
    const char *const *texts, size_t count, const struct ln_embed_opts *opts,
    struct ln_embeddings *out, struct ln_error *err)
{
	struct ln_llm_request *r = NULL;
	struct exchange x = { .opts = opts };
	enum ln_status s;
	int http_status = 0;

	*out = (struct ln_embeddings){ 0, 0, NULL };
	if ((s = ln_embedding_request(conf, model, texts, count, &r, err)) !=
	    LN_OK)
		return s;
	r->http.connect_ms = CONNECT_MS;
	if (opts->total_ms > 0)
		r->http.total_ms = opts->total_ms;
	x.body = (struct ln_buf)LN_BUF_INIT(r->http.response_max);
	s = ln_http_perform(&r->http, keep_body, go_on, &x, &http_status, err);
	if (ln_buf_status(&x.body) == LN_NOMEM)
		s = ln_fail(err, LN_NOMEM, "", "embeddings");
	if (s == LN_OK)
		s = ln_embedding_parse(conf, count, http_status,
		    ln_buf_str(&x.body), x.body.len, out, err);
	ln_buf_free(&x.body);
	ln_llm_request_free(r);
	return s;
}

enum ln_status
lni_provider_embedding(struct ln_store *st, const struct ln_config *cfg,
    const char *user_id, char **out_model, struct ln_provider_conf **out,
    struct ln_error *err)
{
	const struct ln_provider_wish wish = { .size = sizeof(wish) };
	const char *layer = user_id;
	enum ln_status s;

	*out = NULL;
	s = ln_setting_get(st, layer, "embedding_model", out_model, err);
	if (s == LN_OK && *out_model == NULL) {
		layer = NULL;
		s = ln_setting_get(st, layer, "embedding_model", out_model,
		    err);
	}
	if (s == LN_OK && *out_model != NULL)
		s = ln_provider_resolve(st, cfg, layer, &wish, out, err);
	if (s != LN_OK) {
		ln_free(*out_model);
		*out_model = NULL;
	}
	return s;
}
