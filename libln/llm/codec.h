#ifndef LNI_CODEC_H
#define LNI_CODEC_H

#include <ln/json.h>
#include <ln/llm.h>
#include <ln/provider.h>

#include "text/lines.h"

/* A vector of an answer, borrowed, and which of the texts it is of. */
struct lni_vector {
	const struct ln_json *numbers;
	int64_t index;
};

/*
 * A codec speaks one provider's dialect and does no I/O.  To add a provider:
 * a file with such a table, and a row in registry.c.
 */
struct lni_codec {
	/* Fill URL, headers and body of the (empty) request. */
	enum ln_status (*request)(const struct ln_provider_conf *conf,
	    const struct ln_llm_prompt *prompt, struct ln_llm_request *r,
	    struct ln_error *err);
	enum ln_status (*models_request)(const struct ln_provider_conf *conf,
	    struct ln_llm_request *r, struct ln_error *err);
	enum ln_status (*models_parse)(const char *body, size_t n,
	    struct ln_model_list *out, struct ln_error *err);
	/**
	 * Embeddings; NULL where the dialect has none.  The vectors are the
	 * list ${embed_member} of the answer; ${embed_entry} gives that of an
	 * entry, whose place is set already.
	 */
	enum ln_status (*embed_request)(const struct ln_provider_conf *conf,
	    const char *model, const char *const *texts, size_t count,
	    struct ln_llm_request *r, struct ln_error *err);
	const char *embed_member;
	void (*embed_entry)(const struct ln_json *entry,
	    struct lni_vector *v);
	/* One event of an answer with status 200, as framed: lines of NDJSON,
	 * or the data of a server-sent event.  Calls lni_stream_*. */
	void (*event)(struct ln_llm_stream *s, const char *p, size_t n);
	/* A whole answer with status 200 that was not asked for as a stream. */
	void (*whole)(struct ln_llm_stream *s, const char *p, size_t n);
	bool is_sse;
	/**
	 * What an answer needs to remember between its events: so many zeroed
	 * bytes, see lni_stream_state, and what releases their inside (NULL:
	 * nothing).
	 */
	size_t state_size;
	void (*state_clear)(void *state);
	/**
	 * The bytes of a stream are at an end, in order or not, and neither
	 * DONE nor ERROR came: a last chance to say DONE.  May be NULL.
	 */
	void (*end)(struct ln_llm_stream *s);
	/**
	 * What the error body of an HTTP status means, where the dialect says
	 * more than the status does: set ${status} and return a literal, or
	 * return NULL.
	 */
	const char *(*refusal)(int http_status, const char *body, size_t n,
	    enum ln_status *status);
};

extern const struct lni_codec lni_codec_ollama;
extern const struct lni_codec lni_codec_openai;
extern const struct lni_codec lni_codec_anthropic;
extern const struct lni_codec lni_codec_gemini;

/* NULL for a provider without a wire (offline). */
const struct lni_codec *lni_codec_of(const struct ln_provider_info *info);

/* --- for codecs: requests ------------------------------------------------ */

/* Everything a prompt may carry, images included. */
#define LNI_REQUEST_BODY_MAX ((size_t)64 * 1024 * 1024)

/**
 * lni_request_new(conf, out, err) / lni_request_seal(r):
 * An empty request to ${conf} / the transport's view of what was filled in,
 * which borrows from ${r}.  LN_UNSUPPORTED for offline; LN_INVALID for a key
 * that is missing; LN_NOMEM.
 */
enum ln_status lni_request_new(const struct ln_provider_conf *conf,
    struct ln_llm_request **out, struct ln_error *err) LN_USE;
void lni_request_seal(struct ln_llm_request *r);

/* ${base} without the slashes at its end, and ${path}. */
enum ln_status lni_request_url(struct ln_llm_request *r, const char *base,
    const char *path, struct ln_error *err) LN_USE;
/* ${prefix} ("Name: ") and ${value} make one header line. */
enum ln_status lni_request_header(struct ln_llm_request *r, const char *prefix,
    const char *value, struct ln_error *err) LN_USE;
enum ln_status lni_request_body(struct ln_llm_request *r, struct ln_jw *w,
    struct ln_error *err) LN_USE;

/* --- for codecs: events -------------------------------------------------- */

/* The codec's own memory of this answer, ${state_size} bytes. */
void *lni_stream_state(struct ln_llm_stream *s);
void lni_stream_text(struct ln_llm_stream *s, const char *text);
void lni_stream_thinking(struct ln_llm_stream *s, const char *text);
/* ${id} may be NULL; ${arguments} is a whole JSON object. */
void lni_stream_tool_call(struct ln_llm_stream *s, const char *id,
    const char *name, const char *arguments);
/* The same with what the provider wants back with the call (may be NULL). */
void lni_stream_signed_call(struct ln_llm_stream *s, const char *id,
    const char *name, const char *arguments, const char *signature);
void lni_stream_usage(struct ln_llm_stream *s, int64_t tokens,
    int64_t prompt_tokens);
void lni_stream_done(struct ln_llm_stream *s, const char *finish_reason);
/* ${sentence} is a literal, or NULL for the default of ${status}. */
void lni_stream_error(struct ln_llm_stream *s, enum ln_status status,
    const char *sentence, const char *detail);
/* The event could not be understood. */
void lni_stream_garbage(struct ln_llm_stream *s, const char *detail);

/* --- refusals ------------------------------------------------------------ */

/* The sentence (a literal) and status for an HTTP status that is not 200. */
const char *lni_refusal(const struct lni_codec *codec, int http_status,
    const char *body, size_t n, enum ln_status *status);

/* Sentences of more than one dialect. */
#define LNI_SAY_KEY_REFUSED "The model provider refused the API key"
#define LNI_SAY_NO_MODEL						\
	"The model provider does not have this model. Choose another one"
#define LNI_SAY_TOO_LONG						\
	"The conversation is too long for this model. Begin a new one, or "	\
	"choose a model that keeps more in sight"
#define LNI_SAY_NO_TOOLS "The model cannot use tools"
#define LNI_SAY_NO_CREDIT						\
	"The account at the model provider has no credit left. Add credit "	\
	"there, or use another key"
#define LNI_SAY_TOO_MANY						\
	"The model provider has too many requests. Try again later"
#define LNI_SAY_OVERLOADED						\
	"The model provider is overloaded. Try again later"
#define LNI_SAY_FAILED "The model provider failed while answering"
#define LNI_SAY_UNKNOWN_IMAGE "An image is neither PNG, JPEG, GIF nor WebP"
#define LNI_SAY_NO_EMBEDDING						\
	"The model cannot embed texts. Choose an embedding model"
#define LNI_SAY_NOT_UNDERSTOOD							\
	"The answer of the model provider could not be understood. Check "	\
	"its base URL"

/* --- model lists --------------------------------------------------------- */

/**
 * lni_models_read(body, n, member, name_of, out, err):
 * The names in a list of models, which is the member ${member} of an object,
 * or the whole of ${body}.  ${name_of} gives the name of an entry, borrowed
 * from it, or NULL to leave it out.  LN_UPSTREAM when there is no list.
 */
enum ln_status lni_models_read(const char *body, size_t n, const char *member,
    const char *(*name_of)(const struct ln_json *entry),
    struct ln_model_list *out, struct ln_error *err) LN_USE;

/* --- embeddings ---------------------------------------------------------- */

/* Check the input and fill the (empty) request. */
enum ln_status lni_embedding_make(const struct ln_provider_conf *conf,
    const char *model, const char *const *texts, size_t count,
    struct ln_llm_request *r, struct ln_error *err) LN_USE;

/**
 * lni_embedding_body(r, model, texts, count, format, err):
 * {"model": ..., "input": [...]}, and the member "encoding_format" unless
 * ${format} is NULL.
 */
enum ln_status lni_embedding_body(struct ln_llm_request *r,
    const char *model, const char *const *texts, size_t count,
    const char *format, struct ln_error *err) LN_USE;

/* --- tools --------------------------------------------------------------- */

/**
 * lni_tools_write(w, prompt, member, is_wrapped, err):
 * The tools of the prompt as objects of the array that is open in ${w}: name,
 * description, and the schema of the arguments as ${member}.  Wrapped, each is
 * {"type": "function", "function": {...}}.
 */
enum ln_status lni_tools_write(struct ln_jw *w,
    const struct ln_llm_prompt *prompt, const char *member, bool is_wrapped,
    struct ln_error *err) LN_USE;

#endif
