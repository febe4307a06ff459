/* Texts as vectors: what all dialects share. */
#include <ln/embedding.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <ln/json.h>

#include "base/error.h"
#include "llm/codec.h"

#include "base/banned.h"

/* Numbers, and what stands around each vector. */
#define VALUES_MAX \
	(LN_EMBEDDING_TEXTS_MAX * (LN_EMBEDDING_DIMENSION_MAX + 8) + 64)

void
ln_embeddings_free(struct ln_embeddings *e)
{
	free(e->values);
	*e = (struct ln_embeddings){ 0, 0, NULL };
}

static enum ln_status
check(const char *model, const char *const *texts, size_t count,
    struct ln_error *err)
{
	size_t i, n, sum = 0;

	n = strlen(model);
	if (n == 0 || n > LN_EMBEDDING_MODEL_MAX)
		return ln_fail_field(err, LN_INVALID, "embedding_model",
		    "This is not the name of a model", "%zu bytes", n);
	if (count == 0 || count > LN_EMBEDDING_TEXTS_MAX)
		return ln_fail(err, LN_INVALID, "", "%zu texts to embed",
		    count);
	for (i = 0; i < count; i++) {
		n = strlen(texts[i]);
		if (n == 0)
			return ln_fail(err, LN_INVALID, "",
			    "an empty text to embed");
		if (n > LN_EMBEDDING_BYTES_MAX - sum)
			return ln_fail(err, LN_TOO_LARGE,
			    "The text is too long to embed", "texts to embed");
		sum += n;
	}
	return LN_OK;
}

enum ln_status
lni_embedding_make(const struct ln_provider_conf *conf, const char *model,
    const char *const *texts, size_t count, struct ln_llm_request *r,
    struct ln_error *err)
{
	const struct lni_codec *codec = lni_codec_of(conf->info);
	enum ln_status s;

	if (codec == NULL || codec->embed_request == NULL)
		return ln_fail(err, LN_UNSUPPORTED, LNI_SAY_NO_EMBEDDING,
		    "%s has no embeddings", conf->info->name);
	if ((s = check(model, texts, count, err)) != LN_OK)
		return s;
	return codec->embed_request(conf, model, texts, count, r, err);
}

enum ln_status
lni_embedding_body(struct ln_llm_request *r, const char *model,
    const char *const *texts, size_t count, const char *format,
    struct ln_error *err)
{
	struct ln_jw *w;
	enum ln_status s;
	size_t i;

	if ((w = ln_jw_new()) == NULL)
		return ln_fail(err, LN_NOMEM, "", "request body");
	ln_jw_object(w, NULL);
	ln_jw_string(w, "model", model);
	ln_jw_array(w, "input");
	for (i = 0; i < count; i++)
		ln_jw_string(w, NULL, texts[i]);
	ln_jw_end(w);
	if (format != NULL)
		ln_jw_string(w, "encoding_format", format);
	ln_jw_end(w);
	s = lni_request_body(r, w, err);
	ln_jw_free(w);
	return s;
}

/* --- answers -------------------------------------------------------------- */

static enum ln_status
garbage(struct ln_error *err, const char *detail)
{
	return ln_fail(err, LN_UPSTREAM, LNI_SAY_NOT_UNDERSTOOD,
	    "embeddings: %s", detail);
}

static enum ln_status
make_room(struct ln_embeddings *out, size_t count, size_t dimension,
    struct ln_error *err)
{
	if (dimension == 0 || dimension > LN_EMBEDDING_DIMENSION_MAX)
		return garbage(err, "a vector has no or too many numbers");
	out->values = calloc(count * dimension, sizeof(*out->values));
	if (out->values == NULL)
		return ln_fail(err, LN_NOMEM, "", "embeddings");
	out->count = count;
	out->dimension = dimension;
	return LN_OK;
}

static enum ln_status
read_vector(const struct ln_json *vector, float *out, struct ln_error *err)
{
	const struct ln_json *n;
	double v;

	for (n = ln_json_first(vector); n != NULL; n = ln_json_next(n)) {
		if (!ln_json_number(n, &v) || !isfinite(v) ||
		    fabs(v) > (double)FLT_MAX)
			return garbage(err, "what is in a vector is no number");
		*out++ = (float)v;
	}
	return LN_OK;
}

/* Each number of 0 to count - 1 once, in whatever order. */
static enum ln_status
read_entry(const struct lni_vector *v, bool *is_there, size_t count,
    struct ln_embeddings *out, struct ln_error *err)
{
	enum ln_status s;

	if (ln_json_type(v->numbers) != LN_JSON_ARRAY || v->index < 0 ||
	    (uint64_t)v->index >= count || is_there[v->index])
		return garbage(err, "an entry has no vector or place");
	if (out->values == NULL && (s = make_room(out, count,
	    ln_json_count(v->numbers), err)) != LN_OK)
		return s;
	if (ln_json_count(v->numbers) != out->dimension)
		return garbage(err, "vectors of several dimensions");
	is_there[v->index] = true;
	return read_vector(v->numbers,
	    out->values + (size_t)v->index * out->dimension, err);
}

static enum ln_status
read_list(const struct lni_codec *codec, const struct ln_json *list,
    size_t count, struct ln_embeddings *out, struct ln_error *err)
{
	bool is_there[LN_EMBEDDING_TEXTS_MAX] = { false };
	const struct ln_json *entry;
	struct lni_vector v;
	enum ln_status s = LN_OK;
	int64_t position = 0;

	if (ln_json_type(list) != LN_JSON_ARRAY)
		return garbage(err, "no list of vectors");
	if (ln_json_count(list) != count)
		return garbage(err, "not one vector for each text");
	for (entry = ln_json_first(list); s == LN_OK && entry != NULL;
	    entry = ln_json_next(entry)) {
		v = (struct lni_vector){ NULL, position++ };
		codec->embed_entry(entry, &v);
		s = read_entry(&v, is_there, count, out, err);
	}
	return s;
}

static enum ln_status
read_body(const struct lni_codec *codec, const char *body, size_t n,
    size_t count, struct ln_embeddings *out, struct ln_error *err)
{
	const struct ln_json_opts opts = {
		.size = sizeof(opts), .allow_duplicates = true,
		.values_max = VALUES_MAX,
	};
	struct ln_error why = LN_ERROR_INIT;
	struct ln_json *root = NULL;
	enum ln_status s;

	s = ln_json_parse(body, n, &opts, &root, &why);
	if (s == LN_NOMEM)
		return ln_fail(err, s, "", "embeddings");
	if (s != LN_OK)
		return garbage(err, lni_error_detail(&why));
	s = read_list(codec, ln_json_get(root, codec->embed_member), count,
	    out, err);
	ln_json_free(root);
	return s;
}

enum ln_status
ln_embedding_parse(const struct ln_provider_conf *conf, size_t count,
    int http_status, const char *body, size_t n, struct ln_embeddings *out,
    struct ln_error *err)
{
	const struct lni_codec *codec = lni_codec_of(conf->info);
	enum ln_status s = LN_UPSTREAM;
	const char *sentence;

	*out = (struct ln_embeddings){ 0, 0, NULL };
	if (codec == NULL || codec->embed_request == NULL)
		return ln_fail(err, LN_UNSUPPORTED, LNI_SAY_NO_EMBEDDING,
		    "%s has no embeddings", conf->info->name);
	if (count == 0 || count > LN_EMBEDDING_TEXTS_MAX)
		return ln_fail(err, LN_INVALID, "", "%zu embedded texts",
		    count);
	if (http_status != 200) {
		sentence = lni_refusal(codec, http_status, body, n, &s);
		return ln_error_set(err, s, NULL, sentence,
		    "HTTP status %d: %.*s", http_status,
		    (int)(n < 200 ? n : 200), body);
	}
	if ((s = read_body(codec, body, n, count, out, err)) != LN_OK)
		ln_embeddings_free(out);
	return s;
}
