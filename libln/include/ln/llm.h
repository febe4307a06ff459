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

struct ln_llm_message {
	const char *role;	/* "system", "user", "assistant", "tool" */
	const char *content;
	const char *const *images;	/* base64, NULL-ended list, or NULL */
	const char *tool_calls;	/* JSON of an assistant turn, or NULL */
	const char *tool_name;	/* of a tool turn, or NULL */
};

/**
 * struct ln_llm_options:
 * Unset numbers are NaN (LN_LLM_OPTIONS_INIT sets them all), max_tokens 0.
 */
struct ln_llm_options {
	double temperature, top_p, top_k, repeat_penalty;
	int64_t max_tokens;
};
LN_API void ln_llm_options_init(struct ln_llm_options *o);

struct ln_llm_prompt {
	size_t size;
	const struct ln_llm_message *messages;
	size_t message_count;
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
	const char *arguments;	/* JSON of a tool call */
	int64_t tokens, prompt_tokens;
	const char *finish_reason;	/* done: "stop", "length", ... */
	enum ln_status status;		/* error */
	const char *sentence;		/* error, a literal */
	const char *detail;		/* error, for the log */
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
 * ln_llm_stream_new(conf, fn, arg, out, err):
 * A parser of the answer.  ${fn} gets events in order; after DONE or ERROR
 * none follows.  Events do not depend on how bytes are cut.
 */
LN_API enum ln_status ln_llm_stream_new(const struct ln_provider_conf *conf,
    ln_llm_event_fn *fn, void *arg, struct ln_llm_stream **out,
    struct ln_error *err) LN_USE;
LN_API void ln_llm_stream_feed(struct ln_llm_stream *s, int http_status,
    const char *p, size_t n);
/* The transport ended with ${status} (LN_OK: whole); ERROR unless DONE came. */
LN_API void ln_llm_stream_end(struct ln_llm_stream *s, int http_status,
    enum ln_status status, const struct ln_error *why);
LN_API void ln_llm_stream_free(struct ln_llm_stream *s);

#endif
