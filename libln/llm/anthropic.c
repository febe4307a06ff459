/*
 * Anthropic Messages: what is answered.  A stream tells of a message and of
 * the blocks in it, each begun, continued and ended; the reason for the end
 * and the counts come shortly before message_stop.
 */
#include "llm/anthropic.h"

#include <stdlib.h>
#include <string.h>

#include <ln/json.h>

#include "base/error.h"

#include "base/banned.h"

static const struct ln_json_opts json_opts = {
	.size = sizeof(json_opts), .allow_duplicates = true,
};
struct state {
	int64_t tokens, prompt_tokens;
	bool is_counted;
	const char *reason;	/* ours, a literal; NULL until it is told */
	struct ln_buf arguments;	/* of the call that is being told */
	char *call_id, *call_name;
	bool has_broken_call;
};

static const struct {
	const char *theirs, *ours;
} reasons[] = {
	{ "end_turn", "stop" },
	{ "stop_sequence", "stop" },
	{ "pause_turn", "stop" },
	{ "max_tokens", "length" },
	{ "model_context_window_exceeded", "length" },
	{ "tool_use", "tool_calls" },
	{ "refusal", "content_filter" },
};

static const struct {
	const char *type;
	enum ln_status status;
	const char *sentence;
} failures[] = {
	{ "authentication_error", LN_UNAUTHENTICATED, LNI_SAY_KEY_REFUSED },
	{ "permission_error", LN_UNAUTHENTICATED, LNI_SAY_KEY_REFUSED },
	{ "billing_error", LN_UPSTREAM, LNI_SAY_NO_CREDIT },
	{ "request_too_large", LN_TOO_LARGE, LNI_SAY_TOO_LONG },
	{ "rate_limit_error", LN_RATE_LIMITED, LNI_SAY_TOO_MANY },
	{ "overloaded_error", LN_UPSTREAM, LNI_SAY_OVERLOADED },
	{ "timeout_error", LN_TIMEOUT, NULL },
};

/* What an error object means, NULL when its status says as much. */
static const char *
judge(const struct ln_json *error, enum ln_status *status)
{
	const char *type = ln_json_get_string(error, "type");
	const char *message = ln_json_get_string(error, "message");
	size_t i;

	if (type == NULL)
		return NULL;
	if (message == NULL)
		message = "";
	for (i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		if (strcmp(type, failures[i].type) != 0)
			continue;
		*status = failures[i].status;
		return failures[i].sentence != NULL ? failures[i].sentence :
		    ln_status_text(*status);
	}
	if (strcmp(type, "not_found_error") == 0 &&
	    strstr(message, "model") != NULL) {
		*status = LN_NOT_FOUND;
		return LNI_SAY_NO_MODEL;
	}
	if (strcmp(type, "invalid_request_error") != 0)
		return NULL;
	if (strstr(message, "too long") != NULL ||
	    strstr(message, "exceed context limit") != NULL) {
		*status = LN_TOO_LARGE;
		return LNI_SAY_TOO_LONG;
	}
	if (strstr(message, "credit balance") != NULL) {
		*status = LN_UPSTREAM;
		return LNI_SAY_NO_CREDIT;
	}
	if (strstr(message, "tool") != NULL &&
	    strstr(message, "support") != NULL) {
		*status = LN_UNSUPPORTED;
		return LNI_SAY_NO_TOOLS;
	}
	return NULL;
}

static const char *
refusal(int http_status, const char *body, size_t n, enum ln_status *status)
{
	struct ln_json *root = NULL;
	const char *sentence = NULL;

	if (ln_json_parse(body, n, &json_opts, &root, NULL) == LN_OK)
		sentence = judge(ln_json_get(root, "error"), status);
	ln_json_free(root);
	if (sentence == NULL && http_status == 529) {
		*status = LN_UPSTREAM;
		return LNI_SAY_OVERLOADED;
	}
	return sentence;
}

static const char *
model_name(const struct ln_json *entry)
{
	return ln_json_get_string(entry, "id");
}

static enum ln_status
models_parse(const char *body, size_t n, struct ln_model_list *out,
    struct ln_error *err)
{
	return lni_models_read(body, n, "data", model_name, out, err);
}

static void
end_call(struct state *st)
{
	free(st->call_id);
	free(st->call_name);
	st->call_id = st->call_name = NULL;
	ln_buf_free(&st->arguments);
}

static void
state_clear(void *arg)
{
	end_call(arg);
}

static void
count(struct state *st, const struct ln_json *usage)
{
	static const char *const prompt_parts[] = {
		"input_tokens", "cache_creation_input_tokens",
		"cache_read_input_tokens",
	};
	int64_t n, prompt_tokens = 0;
	size_t i;

	for (i = 0; i < sizeof(prompt_parts) / sizeof(prompt_parts[0]); i++) {
		if (ln_json_int(ln_json_get(usage, prompt_parts[i]), &n) &&
		    n > 0)
			prompt_tokens += n;
	}
	/* The counts of the end are totals, and may leave the prompt out. */
	if (prompt_tokens > 0)
		st->prompt_tokens = prompt_tokens;
	if (ln_json_int(ln_json_get(usage, "output_tokens"), &n) && n >= 0) {
		st->tokens = n;
		st->is_counted = true;
	}
}

static void
set_reason(struct state *st, const char *theirs)
{
	size_t i;

	if (theirs == NULL)
		return;
	st->reason = "stop";
	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (strcmp(theirs, reasons[i].theirs) == 0)
			st->reason = reasons[i].ours;
	}
}

static void
finish(struct ln_llm_stream *s, const struct state *st)
{
	/* A call that the bound on the answer cut short is not one; any other
	 * has to be whole. */
	if (st->has_broken_call && strcmp(st->reason, "length") != 0) {
		lni_stream_garbage(s, "the arguments of a tool call");
		return;
	}
	if (st->is_counted)
		lni_stream_usage(s, st->tokens, st->prompt_tokens);
	lni_stream_done(s, st->reason);
}

static void
begin_call(struct ln_llm_stream *s, struct state *st,
    const struct ln_json *block)
{
	const char *id = ln_json_get_string(block, "id");
	const char *name = ln_json_get_string(block, "name");

	if (name == NULL || id == NULL) {
		lni_stream_garbage(s, "a tool call without a name or an id");
		return;
	}
	end_call(st);
	st->arguments = (struct ln_buf)LN_BUF_INIT(LN_LLM_LINE_MAX);
	st->call_id = strdup(id);
	st->call_name = strdup(name);
	if (st->call_id == NULL || st->call_name == NULL)
		lni_stream_error(s, LN_NOMEM, NULL, "tool call");
}

static bool
is_object(const char *json, size_t n)
{
	struct ln_json *root = NULL;
	bool answer;

	answer = ln_json_parse(json, n, &json_opts, &root, NULL) == LN_OK &&
	    ln_json_type(root) == LN_JSON_OBJECT;
	ln_json_free(root);
	return answer;
}

static void
block_stop(struct ln_llm_stream *s, struct state *st)
{
	struct ln_buf *b = &st->arguments;

	if (st->call_name == NULL)
		return;
	if (b->len == 0)	/* a tool without arguments */
		ln_buf_puts(b, "{}");
	if (ln_buf_status(b) == LN_NOMEM)
		lni_stream_error(s, LN_NOMEM, NULL, "tool call");
	else if (ln_buf_status(b) != LN_OK || !is_object(b->data, b->len))
		st->has_broken_call = true;
	else
		lni_stream_tool_call(s, st->call_id, st->call_name, b->data);
	end_call(st);
}

static void
block_start(struct ln_llm_stream *s, struct state *st,
    const struct ln_json *block)
{
	const char *type = ln_json_get_string(block, "type"), *text;

	if (type == NULL) {
		lni_stream_garbage(s, "a block without a type");
		return;
	}
	if (strcmp(type, "tool_use") == 0)
		begin_call(s, st, block);
	else if ((text = ln_json_get_string(block, "text")) != NULL)
		lni_stream_text(s, text);
	else if ((text = ln_json_get_string(block, "thinking")) != NULL)
		lni_stream_thinking(s, text);
}

static void
block_delta(struct ln_llm_stream *s, struct state *st,
    const struct ln_json *delta)
{
	const char *text;

	if ((text = ln_json_get_string(delta, "text")) != NULL)
		lni_stream_text(s, text);
	else if ((text = ln_json_get_string(delta, "thinking")) != NULL)
		lni_stream_thinking(s, text);
	else if ((text = ln_json_get_string(delta, "partial_json")) != NULL) {
		if (st->call_name != NULL)
			ln_buf_puts(&st->arguments, text);
		else
			lni_stream_garbage(s, "arguments without a call");
	}
}

static void
failed(struct ln_llm_stream *s, const struct ln_json *error)
{
	const char *detail = ln_json_get_string(error, "message"), *sentence;
	enum ln_status status = LN_UPSTREAM;

	if ((sentence = judge(error, &status)) == NULL)
		sentence = LNI_SAY_FAILED;
	lni_stream_error(s, status, sentence, detail);
}

static void
read_event(struct ln_llm_stream *s, const struct ln_json *root)
{
	const char *type = ln_json_get_string(root, "type");
	struct state *st = lni_stream_state(s);

	if (type == NULL) {
		lni_stream_garbage(s, "an event without a type");
	} else if (strcmp(type, "message_start") == 0) {
		count(st, ln_json_get(ln_json_get(root, "message"), "usage"));
	} else if (strcmp(type, "content_block_start") == 0) {
		block_start(s, st, ln_json_get(root, "content_block"));
	} else if (strcmp(type, "content_block_delta") == 0) {
		block_delta(s, st, ln_json_get(root, "delta"));
	} else if (strcmp(type, "content_block_stop") == 0) {
		block_stop(s, st);
	} else if (strcmp(type, "message_delta") == 0) {
		set_reason(st, ln_json_get_string(ln_json_get(root, "delta"),
		    "stop_reason"));
		count(st, ln_json_get(root, "usage"));
	} else if (strcmp(type, "message_stop") == 0) {
		if (st->reason == NULL)
			st->reason = "stop";
		finish(s, st);
	} else if (strcmp(type, "error") == 0) {
		failed(s, ln_json_get(root, "error"));
	}
	/* "ping", and what may be invented: the API says to ignore it. */
}

static struct ln_json *
parse(struct ln_llm_stream *s, const char *p, size_t n)
{
	struct ln_error why = LN_ERROR_INIT;
	struct ln_json *root = NULL;
	enum ln_status status;

	status = ln_json_parse(p, n, &json_opts, &root, &why);
	if (status == LN_NOMEM)
		lni_stream_error(s, LN_NOMEM, NULL, "answer event");
	else if (status != LN_OK)
		lni_stream_garbage(s, lni_error_detail(&why));
	return root;
}

static void
event(struct ln_llm_stream *s, const char *p, size_t n)
{
	struct ln_json *root = parse(s, p, n);

	if (root != NULL)
		read_event(s, root);
	ln_json_free(root);
}

/* The bytes ended without message_stop, but everything had been said. */
static void
end(struct ln_llm_stream *s)
{
	const struct state *st = lni_stream_state(s);

	if (st->reason != NULL)
		finish(s, st);
}

static void
whole_call(struct ln_llm_stream *s, struct state *st,
    const struct ln_json *block)
{
	struct ln_jw *w;

	begin_call(s, st, block);
	if (st->call_name == NULL)
		return;
	if ((w = ln_jw_new()) != NULL)
		ln_jw_node(w, NULL, ln_json_get(block, "input"));
	if (w == NULL || ln_jw_print(w, false, &st->arguments) != LN_OK)
		lni_stream_error(s, LN_NOMEM, NULL, "tool call");
	ln_jw_free(w);
	block_stop(s, st);
}

static void
whole(struct ln_llm_stream *s, const char *p, size_t n)
{
	struct ln_json *root = parse(s, p, n);
	struct state *st = lni_stream_state(s);
	const struct ln_json *block, *blocks;
	const char *type;

	if (root == NULL)
		return;
	blocks = ln_json_get(root, "content");
	if (ln_json_get(root, "error") != NULL)
		failed(s, ln_json_get(root, "error"));
	else if (ln_json_type(blocks) != LN_JSON_ARRAY)
		lni_stream_garbage(s, "a message without content");
	for (block = ln_json_first(blocks); block != NULL;
	    block = ln_json_next(block)) {
		type = ln_json_get_string(block, "type");
		if (type != NULL && strcmp(type, "tool_use") == 0)
			whole_call(s, st, block);
		else
			block_start(s, st, block);
	}
	count(st, ln_json_get(root, "usage"));
	st->reason = "stop";
	set_reason(st, ln_json_get_string(root, "stop_reason"));
	finish(s, st);
	ln_json_free(root);
}

const struct lni_codec lni_codec_anthropic = {
	.request = lni_anthropic_request,
	.models_request = lni_anthropic_models_request,
	.models_parse = models_parse,
	.event = event,
	.whole = whole,
	.is_sse = true,
	.state_size = sizeof(struct state),
	.state_clear = state_clear,
	.end = end,
	.refusal = refusal,
};
