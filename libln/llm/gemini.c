/*
 * Google Gemini: what is answered.  Each event is an answer of its own with
 * the next parts in it; counts and the reason for the end may come more than
 * once and the last one counts.  No event says that none follows: the answer
 * is over when its bytes are.
 */
#include "llm/gemini.h"

#include <string.h>

#include <ln/json.h>

#include "base/error.h"

#include "base/banned.h"

#define MODEL_PREFIX "models/"

static const struct ln_json_opts json_opts = {
	.size = sizeof(json_opts), .allow_duplicates = true,
};

struct state {
	int64_t tokens, prompt_tokens;
	bool is_counted;
	bool has_calls;
	const struct reason *reason;	/* NULL until it is told */
};

/* Where ${sentence} is set, the answer failed. */
struct reason {
	const char *theirs, *ours;
	const char *sentence;
};
#define BAD_CALL "The model called a tool in a way that cannot be understood"
static const struct reason reasons[] = {
	{ "STOP", "stop", NULL },
	{ "MAX_TOKENS", "length", NULL },
	{ "SAFETY", "content_filter", NULL },
	{ "RECITATION", "content_filter", NULL },
	{ "LANGUAGE", "content_filter", NULL },
	{ "BLOCKLIST", "content_filter", NULL },
	{ "PROHIBITED_CONTENT", "content_filter", NULL },
	{ "SPII", "content_filter", NULL },
	{ "IMAGE_SAFETY", "content_filter", NULL },
	{ "IMAGE_PROHIBITED_CONTENT", "content_filter", NULL },
	{ "IMAGE_RECITATION", "content_filter", NULL },
	{ "MALFORMED_FUNCTION_CALL", NULL, BAD_CALL },
	{ "UNEXPECTED_TOOL_CALL", NULL, BAD_CALL },
	{ "TOO_MANY_TOOL_CALLS", NULL, BAD_CALL },
	{ "MISSING_THOUGHT_SIGNATURE", NULL, BAD_CALL },
	{ "MALFORMED_RESPONSE", NULL, LNI_SAY_FAILED },
};
/* OTHER, and what may be invented. */
static const struct reason other_reason = { "", "stop", NULL };

/* What an error object means, NULL when its status says as much. */
static const char *
judge(const struct ln_json *error, enum ln_status *status)
{
	const char *name = ln_json_get_string(error, "status");
	const char *message = ln_json_get_string(error, "message");

	if (name == NULL)
		return NULL;
	if (message == NULL)
		message = "";
	if (strcmp(name, "UNAUTHENTICATED") == 0 ||
	    strcmp(name, "PERMISSION_DENIED") == 0 ||
	    strstr(message, "API key") != NULL) {
		*status = LN_UNAUTHENTICATED;
		return LNI_SAY_KEY_REFUSED;
	}
	if (strcmp(name, "RESOURCE_EXHAUSTED") == 0) {
		*status = LN_RATE_LIMITED;
		return LNI_SAY_TOO_MANY;
	}
	if (strcmp(name, "NOT_FOUND") == 0 &&
	    strstr(message, MODEL_PREFIX) != NULL) {
		*status = LN_NOT_FOUND;
		return LNI_SAY_NO_MODEL;
	}
	if (strcmp(name, "UNAVAILABLE") == 0) {
		*status = LN_UPSTREAM;
		return LNI_SAY_OVERLOADED;
	}
	if (strcmp(name, "DEADLINE_EXCEEDED") == 0) {
		*status = LN_TIMEOUT;
		return ln_status_text(LN_TIMEOUT);
	}
	if (strstr(message, "maximum number of tokens") != NULL ||
	    strstr(message, "payload size") != NULL) {
		*status = LN_TOO_LARGE;
		return LNI_SAY_TOO_LONG;
	}
	if (strstr(message, "location is not supported") != NULL) {
		*status = LN_UPSTREAM;
		return "The model provider does not serve this part of the "
		    "world";
	}
	if ((strstr(message, "unction calling") != NULL ||
	    strstr(message, "tool") != NULL) &&
	    (strstr(message, "support") != NULL ||
	    strstr(message, "not enabled") != NULL)) {
		*status = LN_UNSUPPORTED;
		return LNI_SAY_NO_TOOLS;
	}
	return NULL;
}

static const char *
refusal(int http_status, const char *body, size_t n, enum ln_status *status)
{
	const struct ln_json *answer;
	struct ln_json *root = NULL;
	const char *sentence = NULL;

	(void)http_status;
	if (ln_json_parse(body, n, &json_opts, &root, NULL) == LN_OK) {
		/* What asks for a stream may be refused by a list of one. */
		answer = ln_json_type(root) == LN_JSON_ARRAY ?
		    ln_json_first(root) : root;
		sentence = judge(ln_json_get(answer, "error"), status);
	}
	ln_json_free(root);
	return sentence;
}

static bool
can_chat(const struct ln_json *model)
{
	const struct ln_json *method;
	const char *name;

	for (method = ln_json_first(ln_json_get(model,
	    "supportedGenerationMethods")); method != NULL;
	    method = ln_json_next(method)) {
		name = ln_json_string(method);
		if (name != NULL && strcmp(name, "generateContent") == 0)
			return true;
	}
	return false;
}

static const char *
model_name(const struct ln_json *entry)
{
	const char *name = ln_json_get_string(entry, "name");

	if (name == NULL || !can_chat(entry))
		return NULL;
	if (strncmp(name, MODEL_PREFIX, strlen(MODEL_PREFIX)) == 0)
		name += strlen(MODEL_PREFIX);
	return name;
}

static enum ln_status
models_parse(const char *body, size_t n, struct ln_model_list *out,
    struct ln_error *err)
{
	return lni_models_read(body, n, "models", model_name, out, err);
}

static void
count(struct state *st, const struct ln_json *usage)
{
	int64_t n, thoughts = 0;

	if (ln_json_int(ln_json_get(usage, "promptTokenCount"), &n) && n > 0)
		st->prompt_tokens = n;
	if (ln_json_int(ln_json_get(usage, "thoughtsTokenCount"), &n) && n > 0)
		thoughts = n;
	if (ln_json_int(ln_json_get(usage, "candidatesTokenCount"), &n) &&
	    n >= 0) {
		st->tokens = n + thoughts;
		st->is_counted = true;
	}
}

static void
set_reason(struct state *st, const char *theirs)
{
	size_t i;

	if (theirs == NULL)
		return;
	st->reason = &other_reason;
	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (strcmp(theirs, reasons[i].theirs) == 0)
			st->reason = &reasons[i];
	}
}

static void
finish(struct ln_llm_stream *s, const struct state *st)
{
	const char *ours = st->reason->ours;

	if (st->is_counted)
		lni_stream_usage(s, st->tokens, st->prompt_tokens);
	if (st->reason->sentence != NULL)
		lni_stream_error(s, LN_UPSTREAM, st->reason->sentence,
		    st->reason->theirs);
	else if (st->has_calls && strcmp(ours, "stop") == 0)
		lni_stream_done(s, "tool_calls");
	else
		lni_stream_done(s, ours);
}

static void
function_call(struct ln_llm_stream *s, const struct ln_json *call,
    const char *signature)
{
	const char *name = ln_json_get_string(call, "name");
	const struct ln_json *args = ln_json_get(call, "args");
	struct ln_buf arguments = LN_BUF_INIT(LN_LLM_LINE_MAX);
	struct state *st = lni_stream_state(s);
	struct ln_jw *w = NULL;

	if (name == NULL || (args != NULL &&
	    ln_json_type(args) != LN_JSON_OBJECT)) {
		lni_stream_garbage(s, "a function call without a name or with "
		    "strange arguments");
		return;
	}
	if (args == NULL)	/* a function without parameters */
		ln_buf_puts(&arguments, "{}");
	else if ((w = ln_jw_new()) != NULL)
		ln_jw_node(w, NULL, args);
	if (ln_buf_status(&arguments) != LN_OK || (args != NULL &&
	    ln_jw_print(w, false, &arguments) != LN_OK))
		lni_stream_error(s, LN_NOMEM, NULL, "function call");
	else
		lni_stream_signed_call(s, ln_json_get_string(call, "id"), name,
		    ln_buf_str(&arguments), signature);
	st->has_calls = true;
	ln_jw_free(w);
	ln_buf_free(&arguments);
}

static void
read_part(struct ln_llm_stream *s, const struct ln_json *part)
{
	const struct ln_json *call = ln_json_get(part, "functionCall");
	const char *text = ln_json_get_string(part, "text");
	bool is_thought = false;

	(void)ln_json_bool(ln_json_get(part, "thought"), &is_thought);
	if (text != NULL && is_thought)
		lni_stream_thinking(s, text);
	else if (text != NULL)
		lni_stream_text(s, text);
	if (call != NULL)
		function_call(s, call, ln_json_get_string(part,
		    "thoughtSignature"));
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
read_answer(struct ln_llm_stream *s, const struct ln_json *root)
{
	const struct ln_json *candidate =
	    ln_json_first(ln_json_get(root, "candidates"));
	const struct ln_json *usage = ln_json_get(root, "usageMetadata"), *part;
	const char *block = ln_json_get_string(ln_json_get(root,
	    "promptFeedback"), "blockReason");
	struct state *st = lni_stream_state(s);

	if (ln_json_get(root, "error") != NULL) {
		failed(s, ln_json_get(root, "error"));
		return;
	}
	if (block != NULL) {
		lni_stream_error(s, LN_UPSTREAM,
		    "The model provider's filter does not let this question "
		    "pass", block);
		return;
	}
	if (candidate == NULL && usage == NULL) {
		lni_stream_garbage(s, "neither an answer nor a count");
		return;
	}
	for (part = ln_json_first(ln_json_get(ln_json_get(candidate,
	    "content"), "parts")); part != NULL; part = ln_json_next(part))
		read_part(s, part);
	count(st, usage);
	set_reason(st, ln_json_get_string(candidate, "finishReason"));
}

static bool
read_event(struct ln_llm_stream *s, const char *p, size_t n)
{
	struct ln_error why = LN_ERROR_INIT;
	struct ln_json *root = NULL;
	enum ln_status status;

	status = ln_json_parse(p, n, &json_opts, &root, &why);
	if (status == LN_NOMEM)
		lni_stream_error(s, LN_NOMEM, NULL, "answer event");
	else if (status != LN_OK)
		lni_stream_garbage(s, lni_error_detail(&why));
	else
		read_answer(s, root);
	ln_json_free(root);
	return status == LN_OK;
}

static void
event(struct ln_llm_stream *s, const char *p, size_t n)
{
	(void)read_event(s, p, n);
}

static void
end(struct ln_llm_stream *s)
{
	const struct state *st = lni_stream_state(s);

	if (st->reason != NULL)
		finish(s, st);
}

static void
whole(struct ln_llm_stream *s, const char *p, size_t n)
{
	struct state *st = lni_stream_state(s);

	if (!read_event(s, p, n))
		return;
	if (st->reason == NULL)
		st->reason = &other_reason;
	finish(s, st);
}

const struct lni_codec lni_codec_gemini = {
	.request = lni_gemini_request,
	.models_request = lni_gemini_models_request,
	.models_parse = models_parse,
	.event = event,
	.whole = whole,
	.is_sse = true,
	.state_size = sizeof(struct state),
	.end = end,
	.refusal = refusal,
};
