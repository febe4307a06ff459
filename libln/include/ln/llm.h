#ifndef LN_LLM_H
#define LN_LLM_H

#include <ln/base.h>
#include <ln/buf.h>
#include <ln/error.h>
#include <ln/http.h>
#include <ln/provider.h>

/*
 * Providers as codecs without I/O: build a request, feed it the bytes that
 * come back, get events.  Used by ln/chat.h; public so that tests and other
 * transports can drive them.
 */

#define LN_LLM_LINE_MAX ((size_t)4 * 1024 * 1024) /* one event on the wire */
#define LN_LLM_ANSWER_MAX ((size_t)4 * 1024 * 1024) /* text of one answer */

/**
 * struct ln_llm_message:
 * A turn with role "assistant" may carry the calls that the model made, as
 * JSON of ours: [{"id": "...", "name": "...", "arguments": {...},
 * "signature": "..."}], "id" and "signature" absent where the provider sent
 * none.  Each is answered by a turn with role "tool", which names the call.
 */
struct ln_llm_message {
	const char *role;	/* "system", "user", "assistant", "tool" */
	const char *content;
	const char *const *images;	/* base64, NULL-ended list, or NULL */
	const char *tool_calls;	/* of an assistant turn, or NULL */
	const char *tool_call_id;	/* of a tool turn, or NULL */
	const char *tool_name;	/* of a tool turn, or NULL */
};

/**
 * struct ln_llm_tool:
 * A function that the model may ask for; ${parameters} is a JSON Schema (an
 * object) of its arguments.
 */
struct ln_llm_tool {
	const char *name;
	const char *description;
	const char *parameters;
};

/**
 * struct ln_llm_options:
 * Unset numbers are NaN (ln_llm_options_init sets them all), the whole ones 0,
 * ${stop} NULL.  An option that a dialect does not know is not sent.
 * ${context_tokens} is how much the model shall keep in sight, for providers
 * that let the client choose.
 */
struct ln_llm_options {
	double temperature, top_p, top_k, repeat_penalty;
	int64_t max_tokens;
	int64_t context_tokens;
	const char *const *stop;	/* NULL-ended list */
};
LN_API void ln_llm_options_init(struct ln_llm_options *o);

struct ln_llm_prompt {
	size_t size;
	const struct ln_llm_message *messages;
	size_t message_count;
	const struct ln_llm_tool *tools;
	size_t tool_count;
	struct ln_llm_options options;
	bool is_stream;
};

/**
 * struct ln_llm_request:
 * Owns everything ${http} points to.  Free with ln_llm_request_free, which
 * wipes headers and body.
 */
struct ln_llm_request {
	struct ln_http_request http;
	char *url;
	char **headers;
	struct ln_buf body;
};
LN_API void ln_llm_request_free(struct ln_llm_request *r);

enum ln_llm_event_type {
	LN_LLM_TEXT,
	LN_LLM_THINKING,
	LN_LLM_TOOL_CALL,
	LN_LLM_USAGE,
	LN_LLM_DONE,
	LN_LLM_ERROR,
};

struct ln_llm_event {
	enum ln_llm_event_type type;
	const char *text;	/* text, thinking; tool name; borrowed */
	size_t len;
	const char *arguments;	/* tool call: a JSON object, whole */
	const char *call_id;	/* tool call: NULL where there is none */
	const char *call_signature;	/* tool call: opaque, the provider wants
				 * it back with the call; NULL: none */
	int64_t tokens, prompt_tokens;
	const char *finish_reason;	/* done: "stop", "length", "tool_calls",
					 * "content_filter" */
	enum ln_status status;		/* error */
	const char *sentence;		/* error, a literal */
	const char *detail;		/* error, for the log */
	int64_t retry_after_s;		/* error: as the provider says, or 0 */
};
typedef void ln_llm_event_fn(void *arg, const struct ln_llm_event *ev);

struct ln_llm_stream;

/**
 * ln_llm_request(conf, prompt, out, err):
 * The HTTP request that asks ${conf} for an answer.  LN_UNSUPPORTED for
 * offline (it has no wire); LN_TOO_LARGE; LN_NOMEM.
 */
LN_API enum ln_status ln_llm_request(const struct ln_provider_conf *conf,
    const struct ln_llm_prompt *prompt, struct ln_llm_request **out,
    struct ln_error *err) LN_USE;

/**
 * ln_llm_stream_new(conf, is_stream, fn, arg, out, err):
 * A parser of the answer to a prompt with that ${is_stream}.  ${fn} gets
 * events in order; after DONE or ERROR none follows.  Events do not depend on
 * how bytes are cut.  An answer that did not come as a stream is one TEXT.
 * Text that begins with "<think>" is THINKING up to "</think>", whatever the
 * provider.
 */
LN_API enum ln_status ln_llm_stream_new(const struct ln_provider_conf *conf,
    bool is_stream, ln_llm_event_fn *fn, void *arg,
    struct ln_llm_stream **out, struct ln_error *err) LN_USE;
LN_API void ln_llm_stream_feed(struct ln_llm_stream *s, int http_status,
    const char *p, size_t n);
/* The transport ended with ${status} (LN_OK: whole); ERROR unless DONE came. */
LN_API void ln_llm_stream_end(struct ln_llm_stream *s, int http_status,
    enum ln_status status, const struct ln_error *why);
LN_API void ln_llm_stream_free(struct ln_llm_stream *s);

#endif
