#ifndef LN_EMBEDDING_H
#define LN_EMBEDDING_H

#include <ln/base.h>
#include <ln/error.h>
#include <ln/llm.h>
#include <ln/provider.h>

/*
 * Texts as vectors, by an embedding model of a provider: what means the same
 * points the same way, whatever its words.
 */

#define LN_EMBEDDING_TEXTS_MAX ((size_t)32)	/* of one request */
#define LN_EMBEDDING_BYTES_MAX ((size_t)256 * 1024) /* of them together */
#define LN_EMBEDDING_DIMENSION_MAX ((size_t)8192)
#define LN_EMBEDDING_MODEL_MAX ((size_t)200)	/* bytes of its name */
#define LN_EMBEDDING_TOTAL_MS 60000	/* a model is loaded first */

/**
 * struct ln_embeddings:
 * ${count} vectors of ${dimension} finite numbers each, one behind the other,
 * in the order of the texts.  Their length is the model's business.
 */
struct ln_embeddings {
	size_t count;
	size_t dimension;
	float *values;
};
LN_API void ln_embeddings_free(struct ln_embeddings *e);

/**
 * ln_embedding_request(conf, model, texts, count, out, err) /
 * ln_embedding_parse(conf, count, http_status, body, n, out, err):
 * The same as ln_embed without I/O: the request to send (release with
 * ln_llm_request_free), and what its answer says for that many texts.
 */
LN_API enum ln_status ln_embedding_request(
    const struct ln_provider_conf *conf, const char *model,
    const char *const *texts, size_t count, struct ln_llm_request **out,
    struct ln_error *err) LN_USE;
LN_API enum ln_status ln_embedding_parse(const struct ln_provider_conf *conf,
    size_t count, int http_status, const char *body, size_t n,
    struct ln_embeddings *out, struct ln_error *err) LN_USE;

/**
 * struct ln_embed_opts / ln_embed(conf, model, texts, count, opts, out, err):
 * Blocking: embed ${count} texts (1 to LN_EMBEDDING_TEXTS_MAX, none empty)
 * with ${model}; the one in ${conf} is not looked at.  ${total_ms} 0 means
 * LN_EMBEDDING_TOTAL_MS; ${is_stopped} (may be NULL) is asked several times a
 * second.  LN_UNSUPPORTED: this provider, or that model, embeds nothing;
 * LN_INVALID and LN_TOO_LARGE for the input; LN_NOT_FOUND: no such model;
 * LN_UPSTREAM, LN_TIMEOUT, LN_UNAUTHENTICATED, LN_RATE_LIMITED as the provider
 * answers, LN_UPSTREAM also when that is not one vector of one dimension for
 * each text; LN_CANCELLED.  ${out} is empty then.
 */
struct ln_embed_opts {
	size_t size;
	int64_t total_ms;
	bool (*is_stopped)(void *arg);
	void *arg;
};
LN_API enum ln_status ln_embed(const struct ln_provider_conf *conf,
    const char *model, const char *const *texts, size_t count,
    const struct ln_embed_opts *opts, struct ln_embeddings *out,
    struct ln_error *err) LN_USE;

#endif
